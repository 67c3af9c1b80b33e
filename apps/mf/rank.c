/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/rank.c - the best items for users, and the items nearest to others.
 *
 * Both are the same: S := A Q', a row of A for each that is asked and a row of Q for each item,
 * by BLAS and for a few rows at a time, so that memory is bounded; then the n greatest of each
 * row of S that are not left out.
 */
#include <gsl/gsl_cblas.h> /* declares what any CBLAS has; OpenBLAS is linked */
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "apps/mf/saved.h"

/* Scores and rows that are held at a time. */
enum { BLOCK_SCORES = 1 << 21, BLOCK_ROWS = 256 };

typedef struct scored {
    double score;
    uint32_t item;
} scored;

typedef struct ranking {
    const mf_saved *saved;
    const double *q; /* [rank][n_items] */
    size_t n_items, rank;
    const uint32_t *asked; /* [n_asked] indices on this side */
    size_t n_asked, n;     /* at most n items for each */
    data_side side;
    uint32_t *left_out; /* items, those of index i from starts[i] to starts[i + 1] */
    size_t *starts;     /* NULL: each but itself */
    size_t n_rows;      /* of the memory that follows */
    double *rows;       /* [rank][n_rows] of A */
    double *scores;     /* [n_rows][n_items] of S */
    scored *best;       /* [n] */
} ranking;

/* ---- the n best ---- */

static bool is_worse(const scored *a, const scored *b)
{
    return a->score < b->score || (a->score == b->score && a->item > b->item);
}

static int by_score(const void *left, const void *right)
{
    return is_worse(left, right) ? 1 : -1;
}

/* Puts `one` in the place of the root of a heap, whose root is its worst. */
static void replace_worst(scored *heap, size_t n, scored one)
{
    size_t at = 0;
    for (size_t child = 1; child < n; child = 2 * at + 1) {
        child += child + 1 < n && is_worse(&heap[child + 1], &heap[child]);
        if (!is_worse(&heap[child], &one)) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = one;
}

/* Adds one to a heap of n. */
static void push(scored *heap, size_t n, scored one)
{
    size_t at = n;
    for (; at > 0 && is_worse(&one, &heap[(at - 1) / 2]); at = (at - 1) / 2) {
        heap[at] = heap[(at - 1) / 2];
    }
    heap[at] = one;
}

/* The best of scores[n_items] into best[n], best first; returns how many. -INFINITY: left out. */
static size_t select_best(scored *best, size_t n, const double *scores, size_t n_items)
{
    size_t n_best = 0;
    for (size_t i = 0; i < n_items; i++) {
        const scored one = {.score = scores[i], .item = (uint32_t) i};
        if (one.score == -(double) INFINITY) {
            continue;
        }
        if (n_best < n) {
            push(best, n_best++, one);
        } else if (is_worse(&best[0], &one)) {
            replace_worst(best, n, one);
        }
    }
    qsort(best, n_best, sizeof(*best), by_score);
    return n_best;
}

/* ---- scores ---- */

/* S := c + A Q' for the rows of the asked from `first` on; column-major, S is n_items x n. */
static void score_rows(const ranking *self, size_t first, size_t n)
{
    const mf_saved *saved = self->saved;
    const data_matrix *from = &saved->factors[self->side];
    const double *a = self->side == DATA_USERS ? from->value : self->q;
    const double *biases = self->side == DATA_USERS ? saved->biases[DATA_ITEMS] : NULL;
    for (size_t r = 0; r < n; r++) {
        const uint32_t index = self->asked[first + r];
        double *scores = self->scores + r * self->n_items;
        for (size_t f = 0; f < self->rank; f++) {
            self->rows[r * self->rank + f] = a[f * from->n_rows + index];
        }
        for (size_t i = 0; i < self->n_items; i++) {
            scores[i] =
                biases != NULL ? saved->mean + saved->biases[DATA_USERS][index] + biases[i] : 0.0;
        }
    }
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, (int) self->n_items, (int) n,
                (int) self->rank, 1.0, self->q, (int) self->n_items, self->rows, (int) self->rank,
                1.0, self->scores, (int) self->n_items);
}

static void leave_out(const ranking *self, uint32_t index, double *scores)
{
    if (self->starts == NULL) {
        scores[index] = -(double) INFINITY;
        return;
    }
    for (size_t k = self->starts[index]; k < self->starts[index + 1]; k++) {
        scores[self->left_out[k]] = -(double) INFINITY;
    }
}

static bool write_best(const ranking *self, uint32_t index, size_t n_best, FILE *to)
{
    char digits[DATA_ID_BYTES];
    char item_digits[DATA_ID_BYTES];
    const char *asked = data_ids_name(&self->saved->ids[self->side], index, digits);
    bool written = true;
    for (size_t k = 0; k < n_best && written; k++) {
        const scored *one = &self->best[k];
        written = fprintf(to, "%s\t%s\t%.7g\n", asked,
                          data_ids_name(&self->saved->ids[DATA_ITEMS], one->item, item_digits),
                          one->score) > 0;
    }
    return written;
}

static strads_status rank_all(ranking *self, FILE *to)
{
    for (size_t first = 0; first < self->n_asked; first += self->n_rows) {
        const size_t left = self->n_asked - first;
        const size_t n = left < self->n_rows ? left : self->n_rows;
        score_rows(self, first, n);
        for (size_t r = 0; r < n; r++) {
            double *scores = self->scores + r * self->n_items;
            const uint32_t index = self->asked[first + r];
            leave_out(self, index, scores);
            const size_t n_best = select_best(self->best, self->n, scores, self->n_items);
            if (!write_best(self, index, n_best, to)) {
                strads_error("cannot write the items");
                return STRADS_ERR_IO;
            }
        }
    }
    return STRADS_OK;
}

/* Ranks a block at a time. */
static strads_status rank_in_blocks(ranking *self, FILE *to)
{
    const data_matrix *items = &self->saved->factors[DATA_ITEMS];
    self->n_items = items->n_rows;
    self->rank = items->n_cols;
    if (self->n_items > INT_MAX) {
        strads_error("%zu items are more than BLAS takes: expected at most %d", self->n_items,
                     INT_MAX);
        return STRADS_ERR_DATA;
    }
    self->n = self->n < self->n_items ? self->n : self->n_items;
    self->n_rows = BLOCK_SCORES / self->n_items + 1;
    self->n_rows = self->n_rows < BLOCK_ROWS ? self->n_rows : BLOCK_ROWS;
    self->rows = strads_alloc_array(self->n_rows, self->rank * sizeof(*self->rows));
    self->scores = strads_alloc_array(self->n_rows, self->n_items * sizeof(*self->scores));
    self->best = strads_alloc_array(self->n, sizeof(*self->best));
    strads_status status = STRADS_ERR_NOMEM;
    if (self->rows != NULL && self->scores != NULL && self->best != NULL) {
        status = rank_all(self, to);
    } else {
        strads_error("no memory to rank %zu items", self->n_items);
    }
    strads_free(self->best);
    strads_free(self->scores);
    strads_free(self->rows);
    return status;
}

/* ---- for users ---- */

/* Sorts what is rated by user. */
static strads_status list_rated(ranking *self, const data_ratings *rated)
{
    const size_t n_users = self->saved->ids[DATA_USERS].n;
    self->starts = strads_calloc(n_users + 2, sizeof(*self->starts));
    self->left_out = strads_alloc_array(rated->n, sizeof(*self->left_out));
    if (self->starts == NULL || self->left_out == NULL) {
        strads_error("no memory for what %zu users rated", n_users);
        return STRADS_ERR_NOMEM;
    }
    const size_t n = rated->n - rated->n_unseen;
    size_t *next = self->starts + 1; /* of user u: next[u], which ends where u + 1 begins */
    for (size_t i = 0; i < n; i++) {
        next[rated->entries[i].row + 1]++;
    }
    for (size_t u = 1; u <= n_users; u++) {
        next[u] += next[u - 1];
    }
    for (size_t i = 0; i < n; i++) {
        self->left_out[next[rated->entries[i].row]++] = rated->entries[i].column;
    }
    return STRADS_OK;
}

strads_status mf_rank_top(const mf_saved *saved, const data_ratings *rated, const uint32_t *users,
                          size_t n_users, size_t n, FILE *to)
{
    ranking self = {.saved = saved,
                    .q = saved->factors[DATA_ITEMS].value,
                    .asked = users,
                    .n_asked = n_users,
                    .n = n,
                    .side = DATA_USERS};
    strads_status status = list_rated(&self, rated);
    if (status == STRADS_OK) {
        status = rank_in_blocks(&self, to);
    }
    strads_free(self.left_out);
    strads_free(self.starts);
    return status;
}

/* ---- for items ---- */

/* q := the factors, each item's divided by their length. */
static strads_status make_unit_factors(double **out, const data_matrix *factors)
{
    const size_t n = factors->n_rows;
    double *q = strads_alloc_array(n, factors->n_cols * sizeof(*q));
    if (q == NULL) {
        strads_error("no memory for the factors of %zu items", n);
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        double squares = 0.0;
        for (size_t f = 0; f < factors->n_cols; f++) {
            squares += factors->value[f * n + i] * factors->value[f * n + i];
        }
        const double length = squares > 0.0 ? sqrt(squares) : 1.0;
        for (size_t f = 0; f < factors->n_cols; f++) {
            q[f * n + i] = factors->value[f * n + i] / length;
        }
    }
    *out = q;
    return STRADS_OK;
}

strads_status mf_rank_nearest(const mf_saved *saved, const uint32_t *items, size_t n_items,
                              size_t n, FILE *to)
{
    double *q = NULL;
    strads_status status = make_unit_factors(&q, &saved->factors[DATA_ITEMS]);
    if (status == STRADS_OK) {
        ranking self = {
            .saved = saved, .q = q, .asked = items, .n_asked = n_items, .n = n, .side = DATA_ITEMS};
        status = rank_in_blocks(&self, to);
        strads_free(q);
    }
    return status;
}
