/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/quadratic.c - descent on kept products of columns, by coordinates and by Newton. */
#include "apps/lasso/quadratic.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/lasso/products.h"

enum { MAX_HALVINGS = 4 }; /* of a step of Newton */

/* A change of the objective that is less than this share of what it is the sum of is rounding. */
static const double ROUNDING = 1e-13;

/* LAPACK's, of OpenBLAS: A = L L' for the lower half of A, column by column; A x = b then. */
void dpotrf_(const char *half, const int *n, double *a, const int *stride, int *failed);
void dpotrs_(const char *half, const int *n, const int *n_sides, const double *l, const int *stride,
             double *b, const int *b_stride, int *failed);

/* Weak: see cli/main.c. */
extern int blas_thread_shutdown_(void) __attribute__((weak));

/* When it is told how many threads to use, OpenBLAS starts those that it had, and they spin for a
 * tenth of a second: longer than many a solve. */
void lasso_quadratic_prepare(void)
{
    openblas_set_num_threads(1);
    if (blas_thread_shutdown_ != NULL) {
        (void) blas_thread_shutdown_();
    }
}

void lasso_quadratic_fini(lasso_quadratic *q)
{
    strads_free(q->vars);
    strads_free(q->products);
    strads_free(q->point);
    strads_free(q->column);
    strads_free(q->all);
    strads_free(q->active);
    strads_free(q->place_of);
    strads_free(q->keys);
    strads_free(q->trial);
    strads_free(q->factor);
    strads_free(q->strip);
    strads_free(q->panel);
    strads_free(q->fresh);
    *q = (lasso_quadratic){.n = 0};
}

/* ---- the products ---- */

/* Room for n variables; those that are known stay. */
static strads_status reserve(lasso_quadratic *q, size_t n_cols, size_t n)
{
    if (n <= q->stride) {
        return STRADS_OK;
    }
    const size_t stride = n + n / 8;
    lasso_quadratic fresh = {
        .stride = stride, .n = q->n, .n_sweeps = q->n_sweeps, .patience = q->patience};
    fresh.vars = strads_alloc_array(stride, sizeof(*fresh.vars));
    fresh.products = strads_alloc_array(stride, stride * sizeof(*fresh.products));
    fresh.point = strads_alloc_array(2 * stride, sizeof(*fresh.point));
    fresh.column = strads_alloc_array(stride, sizeof(*fresh.column));
    fresh.all = strads_alloc_array(stride, sizeof(*fresh.all));
    fresh.active = strads_alloc_array(stride, sizeof(*fresh.active));
    fresh.keys = strads_alloc_array(stride, sizeof(*fresh.keys));
    fresh.trial = strads_alloc_array(3 * stride, sizeof(*fresh.trial));
    fresh.place_of =
        q->place_of == NULL ? strads_calloc(n_cols, sizeof(*fresh.place_of)) : q->place_of;
    if (fresh.vars == NULL || fresh.products == NULL || fresh.point == NULL ||
        fresh.column == NULL || fresh.all == NULL || fresh.active == NULL || fresh.trial == NULL ||
        fresh.place_of == NULL || fresh.keys == NULL) {
        fresh.place_of = fresh.place_of == q->place_of ? NULL : fresh.place_of;
        lasso_quadratic_fini(&fresh);
        return STRADS_ERR_NOMEM;
    }
    for (size_t k = 0; k < stride; k++) {
        fresh.all[k] = (uint32_t) k;
    }
    for (size_t k = 0; k < q->n; k++) {
        fresh.vars[k] = q->vars[k];
        memcpy(fresh.products + k * stride, q->products + k * q->stride,
               q->n * sizeof(*fresh.products));
    }
    q->place_of = NULL;
    lasso_quadratic_fini(q);
    *q = fresh;
    return STRADS_OK;
}

void lasso_quadratic_forget(lasso_quadratic *q)
{
    for (size_t k = 0; k < q->n; k++) {
        q->place_of[q->vars[k]] = 0;
    }
    q->n = 0;
}

size_t lasso_quadratic_n_new(const lasso_quadratic *q, const uint32_t *vars, size_t n)
{
    size_t n_known = 0;
    for (size_t k = 0; k < n && q->n > 0; k++) {
        n_known += q->place_of[vars[k]] != 0;
    }
    return n - n_known;
}

/* Keeps the products of vars[n], moved together, and gives the others of vars the places
 * behind them; returns how many are kept. */
static size_t settle(lasso_quadratic *q, const uint32_t *vars, size_t n)
{
    uint32_t *from = q->active; /* a place: whether it stays, then where it was */
    memset(from, 0, q->n * sizeof(*from));
    for (size_t k = 0; k < n; k++) {
        const uint32_t place = q->place_of[vars[k]];
        if (place != 0) {
            from[place - 1] = 1;
        }
    }
    size_t n_kept = 0;
    for (uint32_t i = 0; i < q->n; i++) {
        q->place_of[q->vars[i]] = 0;
        if (from[i] != 0) {
            q->vars[n_kept] = q->vars[i];
            from[n_kept++] = i;
            q->place_of[q->vars[i]] = (uint32_t) n_kept;
        }
    }
    for (size_t i = 0; i < n_kept && n_kept < q->n; i++) { /* none moves down or to the right */
        const float *row = q->products + from[i] * q->stride;
        for (size_t j = 0; j < n_kept; j++) {
            q->products[i * q->stride + j] = row[from[j]];
        }
    }
    q->n = n_kept;
    for (size_t k = 0; k < n; k++) {
        if (q->place_of[vars[k]] == 0) {
            q->vars[q->n++] = vars[k];
            q->place_of[vars[k]] = (uint32_t) q->n;
        }
    }
    return n_kept;
}

/* Copies rows row .. row+n-1 of all columns side by side, by place, as floats. */
static void take_strip(lasso_quadratic *q, const lasso_block *block, size_t row, size_t n)
{
    for (size_t k = 0; k < block->n; k++) {
        const size_t first = (size_t) block->columns.start[k] + row;
        float *to = q->strip + (q->place_of[block->vars[k]] - 1) * LASSO_STRIP_ROWS;
        if (block->columns.narrow != NULL) {
            memcpy(to, block->columns.narrow + first, n * sizeof(*to));
        } else {
            q->kernels->round(block->columns.value + first, n, to);
        }
    }
}

/* Adds products of the places from n_kept on with all before them, of some rows. */
static void add_strip(lasso_quadratic *q, size_t n_kept, size_t n)
{
    for (size_t first = n_kept; first < q->n; first += LASSO_PANEL) {
        const size_t end = first + LASSO_PANEL < q->n ? first + LASSO_PANEL : q->n;
        cblas_sgemm(CblasColMajor, CblasTrans, CblasNoTrans, (int) end, (int) (end - first),
                    (int) n, 1.0F, q->strip, LASSO_STRIP_ROWS, q->strip + first * LASSO_STRIP_ROWS,
                    LASSO_STRIP_ROWS, 0.0F, q->panel, (int) end);
        for (size_t a = first; a < end; a++) {
            const float *restrict from = q->panel + (a - first) * end;
            double *restrict to = q->fresh + (a - n_kept) * q->n;
            for (size_t b = 0; b < end; b++) {
                to[b] += (double) from[b];
            }
        }
    }
}

/* The products of the places from n_kept on with all, of dense columns. Each member adds up some of
 * the rows. What is kept are floats, so that a strip of rows may be multiplied in floats, which
 * takes half the time; strips are added up in doubles. */
static strads_status multiply_dense(lasso_quadratic *q, const lasso_block *block,
                                    const lasso_part *part, size_t n_kept)
{
    const size_t n_members = strads_worker_members(part->worker);
    const size_t rank = strads_worker_rank(part->worker);
    const size_t end = block->columns.n_rows * (rank + 1) / n_members;
    strads_status status = strads_reserve(&q->strip, &q->strip_capacity,
                                          q->stride * LASSO_STRIP_ROWS, sizeof(*q->strip));
    if (status == STRADS_OK) {
        status = strads_reserve(&q->panel, &q->panel_capacity, q->stride * LASSO_PANEL,
                                sizeof(*q->panel));
    }
    if (status != STRADS_OK) {
        return status;
    }
    memset(q->fresh, 0, (q->n - n_kept) * q->n * sizeof(*q->fresh));
    for (size_t row = block->columns.n_rows * rank / n_members; row < end;
         row += LASSO_STRIP_ROWS) {
        const size_t n = end - row < LASSO_STRIP_ROWS ? end - row : LASSO_STRIP_ROWS;
        take_strip(q, block, row, n);
        add_strip(q, n_kept, n);
    }
    return strads_exchange(part->worker, q->fresh, NULL, (q->n - n_kept) * q->n);
}

static int compare_keys(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *) left;
    const uint64_t b = *(const uint64_t *) right;
    return (a > b) - (a < b);
}

/* Of the new places the first are those of the sparse columns with the most entries, as
 * lasso_products_add has them. */
static void sort_new(lasso_quadratic *q, const lasso_block *block, size_t n_kept)
{
    size_t n = 0;
    for (size_t k = 0; k < block->n; k++) {
        if (q->place_of[block->vars[k]] > n_kept) {
            const uint64_t n_entries = lasso_block_entries(block, k);
            q->keys[n++] = (UINT32_MAX - n_entries) << 32 | k;
        }
    }
    qsort(q->keys, n, sizeof(*q->keys), compare_keys);
    for (size_t i = 0; i < n; i++) {
        const uint32_t var = block->vars[(uint32_t) q->keys[i]];
        q->vars[n_kept + i] = var;
        q->place_of[var] = (uint32_t) (n_kept + i + 1);
    }
}

/* The same of sparse ones, as if they had lost their means. */
static strads_status multiply_sparse(lasso_quadratic *q, const lasso_block *block, size_t n_kept)
{
    const lasso_added added = {.columns = &block->columns,
                               .cols = q->active,
                               .n = (uint32_t) q->n,
                               .first_new = (uint32_t) n_kept,
                               .stride = q->n - n_kept,
                               .kernels = q->kernels};
    const size_t n_new = q->n - n_kept;
    for (uint32_t k = 0; k < block->n; k++) {
        q->active[q->place_of[block->vars[k]] - 1] = k;
    }
    for (size_t b = 0; b < q->n; b++) {
        double *to = q->fresh + b * n_new;
        for (size_t a = b < n_kept ? n_kept : b + 1; a < q->n; a++) {
            to[a - n_kept] = -q->column[a].sum * q->column[b].mean;
        }
    }
    const strads_status status = lasso_products_add(&added, q->fresh);
    for (size_t a = n_kept; a < q->n; a++) {
        q->fresh[a * n_new + (a - n_kept)] = q->column[a].norm2;
    }
    return status;
}

/* Takes the fresh products over, which are with what comes before, and as well with what comes
 * behind. */
static void keep_fresh(lasso_quadratic *q, size_t n_kept, bool dense)
{
    const size_t n_new = q->n - n_kept;
    for (size_t a = n_kept; a < q->n; a++) {
        const size_t at = a - n_kept;
        for (size_t b = 0; b <= a; b++) {
            const float product = (float) q->fresh[dense ? at * q->n + b : b * n_new + at];
            q->products[a * q->stride + b] = product;
            q->products[b * q->stride + a] = product;
        }
    }
}

/* Makes the products of the places from n_kept on. */
static strads_status multiply(lasso_quadratic *q, const lasso_block *block, const lasso_part *part,
                              size_t n_kept)
{
    if (n_kept == q->n) {
        return STRADS_OK;
    }
    strads_status status = strads_reserve(&q->fresh, &q->fresh_capacity,
                                          (q->n - n_kept) * q->n + LASSO_MARKED, sizeof(*q->fresh));
    if (status == STRADS_OK) {
        status = block->columns.row == NULL ? multiply_dense(q, block, part, n_kept)
                                            : multiply_sparse(q, block, n_kept);
    }
    if (status == STRADS_OK) {
        keep_fresh(q, n_kept, block->columns.row == NULL);
    }
    return status;
}

static double slope(const lasso_quadratic *q, const lasso_block *block, size_t k,
                    const double *state)
{
    return q->kernels->dot_column(&block->columns, k, state) +
           state[block->columns.n_rows] * block->column[k].sum;
}

static strads_status take_point(lasso_quadratic *q, const lasso_block *block,
                                const lasso_part *part, const double *state)
{
    q->gradient = q->point;
    q->b = q->point + q->n;
    for (size_t k = 0; k < block->n; k++) {
        const uint32_t place = q->place_of[block->vars[k]] - 1;
        const bool mine = k >= part->first && k < part->end;
        q->column[place] = block->column[k];
        q->b[place] = mine ? block->b[k] : 0.0;
        q->gradient[place] = mine ? slope(q, block, k, state) : 0.0;
    }
    return strads_exchange(part->worker, q->point, NULL, 2 * q->n);
}

/* What is solved is the quadratic function of the products as they are kept. */
static void take_curvatures(lasso_quadratic *q)
{
    for (size_t k = 0; k < q->n; k++) {
        lasso_column *c = &q->column[k];
        const double norm2 = (double) q->products[k * q->stride + k];
        c->inverse = c->inverse == 0.0 ? 0.0 : 1.0 / (norm2 + (1.0 / c->inverse - c->norm2));
        c->norm2 = norm2;
    }
}

strads_status lasso_quadratic_load(lasso_quadratic *q, const lasso_site *site,
                                   const lasso_block *block, const lasso_part *part,
                                   const double *state)
{
    strads_status status = reserve(q, site->n_cols, block->n);
    if (status != STRADS_OK) {
        return status;
    }
    q->kernels = site->kernels;
    const size_t n_kept = settle(q, block->vars, block->n);
    if (block->columns.row != NULL) {
        sort_new(q, block, n_kept);
    }
    status = take_point(q, block, part, state);
    if (status == STRADS_OK) {
        status = multiply(q, block, part, n_kept);
    }
    if (status != STRADS_OK) {
        lasso_quadratic_forget(q);
        return status;
    }
    take_curvatures(q);
    return STRADS_OK;
}

void lasso_quadratic_unload(const lasso_quadratic *q, lasso_block *block, const lasso_part *part,
                            double *state)
{
    for (size_t k = part->first; k < part->end; k++) {
        const double b = q->b[q->place_of[block->vars[k]] - 1];
        const double back = block->b[k] - b;
        block->b[k] = b;
        if (back != 0.0 && state != NULL) {
            q->kernels->add_column(back, &block->columns, k, state);
            state[block->columns.n_rows] -= back * block->column[k].mean;
        }
    }
}

/* ---- descent ---- */

static double soft(double u, double l1)
{
    const double size = fabs(u) - l1;
    return size > 0.0 ? copysign(size, u) : 0.0;
}

double lasso_quadratic_sweep(lasso_quadratic *q, const uint32_t *places, size_t n)
{
    double farthest = 0.0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t k = places[i];
        const lasso_column *c = &q->column[k];
        const double old = q->b[k];
        const double step = soft(q->gradient[k] + c->norm2 * old, c->l1) * c->inverse - old;
        if (step != 0.0) {
            q->b[k] = old + step;
            q->kernels->add_narrow(-step, q->products + k * q->stride, q->gradient, q->n);
            farthest = fmax(farthest, fabs(step) * c->urgency);
        }
    }
    return farthest;
}

void lasso_quadratic_find_active(lasso_quadratic *q)
{
    q->n_active = lasso_list_active(q->active, q->b, q->n);
}

/* Solves for the move to the minimum of the active coefficients' quadratic function, their
 * signs as they are: (P + L2) d = g - l1 sign(b) - L2 b; false when P is singular. */
static bool solve_active(lasso_quadratic *q, double *move)
{
    const int n = (int) q->n_active;
    const int one = 1;
    int failed = 0;
    for (size_t i = 0; i < q->n_active; i++) {
        const uint32_t k = q->active[i];
        const lasso_column *c = &q->column[k];
        const float *row = q->products + k * q->stride;
        const double curvature = 1.0 / c->inverse;
        double *to = q->factor + i * q->n_active;
        for (size_t j = i; j < q->n_active; j++) {
            to[j] = row[q->active[j]];
        }
        to[i] = curvature;
        move[i] = q->gradient[k] - copysign(c->l1, q->b[k]) - (curvature - c->norm2) * q->b[k];
    }
    dpotrf_("L", &n, q->factor, &n, &failed);
    if (failed == 0) {
        dpotrs_("L", &n, &one, q->factor, &n, move, &n, &failed);
    }
    return failed == 0;
}

double lasso_quadratic_change(const lasso_quadratic *q, const double *b, const double *gradient)
{
    double change = 0.0;
    double size = 0.0; /* of what it is the sum of */
    for (size_t k = 0; k < q->n; k++) {
        const lasso_column *c = &q->column[k];
        const double step = b[k] - q->b[k];
        const double l2 = c->inverse == 0.0 ? 0.0 : 1.0 / c->inverse - c->norm2;
        const double smooth = step * 0.5 * (l2 * (b[k] + q->b[k]) - (q->gradient[k] + gradient[k]));
        const double penalty = c->l1 * (fabs(b[k]) - fabs(q->b[k]));
        change += smooth + penalty;
        size += fabs(smooth) + fabs(penalty);
    }
    return fabs(change) > ROUNDING * size ? change : 0.0;
}

/* Makes b + share move the trial point, with 0 for what would be beyond it; returns what the
 * objective changes. */
static double change_by(lasso_quadratic *q, const double *move, double share)
{
    double *b = q->trial;
    double *gradient = q->trial + q->stride;
    memcpy(b, q->b, q->n * sizeof(*b));
    memcpy(gradient, q->gradient, q->n * sizeof(*gradient));
    for (size_t i = 0; i < q->n_active; i++) {
        const uint32_t k = q->active[i];
        const double to = b[k] + share * move[i];
        b[k] = to * b[k] > 0.0 ? to : 0.0;
        q->kernels->add_narrow(q->b[k] - b[k], q->products + k * q->stride, gradient, q->n);
    }
    return lasso_quadratic_change(q, b, gradient);
}

strads_status lasso_quadratic_newton(lasso_quadratic *q, lasso_newton *outcome)
{
    const strads_status status = strads_reserve(&q->factor, &q->factor_capacity,
                                                q->n_active * q->n_active, sizeof(*q->factor));
    double *move = q->trial + 2 * q->stride;
    *outcome = LASSO_NEWTON_VAIN;
    if (status != STRADS_OK || !solve_active(q, move)) {
        return status;
    }
    double change = change_by(q, move, 1.0);
    if (change == 0.0) {
        *outcome = LASSO_NEWTON_LOWEST;
        return STRADS_OK;
    }
    double share = 0.5;
    for (int i = 0; i < MAX_HALVINGS && change >= 0.0; i++, share *= 0.5) {
        change = change_by(q, move, share);
    }
    if (change < 0.0) {
        *outcome = LASSO_NEWTON_LOWERED;
        memcpy(q->b, q->trial, q->n * sizeof(*q->b));
        memcpy(q->gradient, q->trial + q->stride, q->n * sizeof(*q->gradient));
    }
    return STRADS_OK;
}
