/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/products.c - products of sparse columns, along the entries of their rows. */
#include "apps/lasso/products.h"

#include <string.h>

typedef struct entry {
    double value;
    uint32_t place; /* of its column in the list */
} entry;

/* The entries of the columns so far, row by row. */
typedef struct rows_so_far {
    struct span {
        size_t start, end;
    } * spans; /* [n_rows] of entries */
    entry *entries;
    double *products; /* [n] of the running column with each before it, 0 between */
    uint32_t *met;    /* [n] those that share a row with the running column */
    uint32_t *met_by; /* [n] the column that met it last */
} rows_so_far;

static void free_rows(rows_so_far *rows)
{
    strads_free(rows->spans);
    strads_free(rows->entries);
    strads_free(rows->products);
    strads_free(rows->met);
    strads_free(rows->met_by);
}

/* Gives each row its room, and returns how many entries there will be. */
static size_t lay_out(struct span *spans, const lasso_products *of)
{
    const data_matrix *x = of->x;
    size_t n_entries = 0;
    for (uint32_t a = 0; a < of->n; a++) {
        for (int64_t k = x->col_start[of->cols[a]]; k < x->col_start[of->cols[a] + 1]; k++) {
            spans[x->row[k]].end++;
        }
    }
    for (size_t i = 0; i < x->n_rows; i++) {
        spans[i].start = n_entries;
        n_entries += spans[i].end;
        spans[i].end = spans[i].start;
    }
    return n_entries;
}

static strads_status make_rows(rows_so_far *rows, const lasso_products *of)
{
    *rows = (rows_so_far){.spans = strads_calloc(of->x->n_rows, sizeof(*rows->spans))};
    const size_t n_entries = rows->spans == NULL ? 0 : lay_out(rows->spans, of);
    rows->entries = strads_alloc_array(n_entries, sizeof(*rows->entries));
    rows->products = strads_calloc(of->n, sizeof(*rows->products));
    rows->met = strads_alloc_array(of->n, sizeof(*rows->met));
    rows->met_by = strads_calloc(of->n, sizeof(*rows->met_by));
    if (rows->spans == NULL || rows->entries == NULL || rows->products == NULL ||
        rows->met == NULL || rows->met_by == NULL) {
        free_rows(rows);
        return STRADS_ERR_NOMEM;
    }
    return STRADS_OK;
}

/* Gathers and reports the products of column a with those entered before it. */
static void report(const lasso_products *of, rows_so_far *rows, uint32_t a)
{
    const data_matrix *x = of->x;
    const uint32_t col = of->cols[a];
    size_t n_met = 0;
    for (int64_t k = x->col_start[col]; k < x->col_start[col + 1]; k++) {
        const struct span span = rows->spans[x->row[k]];
        const double value = data_matrix_value(x, (size_t) k);
        for (size_t e = span.start; e < span.end; e++) {
            const uint32_t b = rows->entries[e].place;
            if (rows->met_by[b] != a) { /* 0 at first, and a > b >= 0 */
                rows->met_by[b] = a;
                rows->met[n_met++] = b;
            }
            rows->products[b] += value * rows->entries[e].value;
        }
    }
    for (size_t i = 0; i < n_met; i++) {
        const uint32_t b = rows->met[i];
        of->take(of->context, a, b, rows->products[b]);
        rows->products[b] = 0.0;
    }
}

static void enter(rows_so_far *rows, const data_matrix *x, uint32_t place, uint32_t col)
{
    for (int64_t k = x->col_start[col]; k < x->col_start[col + 1]; k++) {
        const size_t e = rows->spans[x->row[k]].end++;
        rows->entries[e] = (entry){.value = data_matrix_value(x, (size_t) k), .place = place};
    }
}

strads_status lasso_products_take(const lasso_products *of)
{
    rows_so_far rows;
    const strads_status status = make_rows(&rows, of);
    if (status != STRADS_OK) {
        return status;
    }
    for (uint32_t a = 0; a < of->n; a++) {
        if (a >= of->first_new && a % of->n_ranks == of->rank) {
            report(of, &rows, a);
        }
        enter(&rows, of->x, a, of->cols[a]);
    }
    free_rows(&rows);
    return STRADS_OK;
}

/* ---- many pairs of few columns ---- */

enum { PART_ROWS = 2048 }; /* whose entries stay in cache */

/* The entries of a part of the rows, row by row. */
typedef struct row_part {
    int64_t *next; /* [n] each column's first entry beyond the parts before */
    size_t start[PART_ROWS], end[PART_ROWS];
    entry *entries;
    size_t capacity;
} row_part;

/* Whether column `col` has an entry at k in the rows below `last`. */
static bool is_within(const data_matrix *x, uint32_t col, int64_t k, size_t last)
{
    return k < x->col_start[col + 1] && x->row[k] < last;
}

/* Gives each of the rows first .. last-1 its room. */
static strads_status lay_out_part(row_part *part, const lasso_products *of, size_t first,
                                  size_t last)
{
    const data_matrix *x = of->x;
    size_t n_entries = 0;
    memset(part->end, 0, sizeof(part->end));
    for (uint32_t a = 0; a < of->n; a++) {
        for (int64_t k = part->next[a]; is_within(x, of->cols[a], k, last); k++) {
            part->end[x->row[k] - first]++;
        }
    }
    for (size_t i = 0; i < PART_ROWS; i++) {
        part->start[i] = n_entries;
        n_entries += part->end[i];
        part->end[i] = part->start[i];
    }
    return strads_reserve(&part->entries, &part->capacity, n_entries, sizeof(*part->entries));
}

static strads_status add_part(row_part *part, const lasso_products *of, size_t first,
                              double *products, size_t stride)
{
    const data_matrix *x = of->x;
    const size_t last = first + PART_ROWS;
    const strads_status status = lay_out_part(part, of, first, last);
    for (uint32_t a = 0; a < of->n && status == STRADS_OK; a++) {
        const bool is_new = a >= of->first_new;
        double *to = is_new ? products + (a - of->first_new) * stride : NULL;
        for (; is_within(x, of->cols[a], part->next[a], last); part->next[a]++) {
            const size_t i = x->row[part->next[a]] - first;
            const double value = data_matrix_value(x, (size_t) part->next[a]);
            for (size_t e = part->start[i]; is_new && e < part->end[i]; e++) {
                to[part->entries[e].place] += value * part->entries[e].value;
            }
            part->entries[part->end[i]++] = (entry){.value = value, .place = a};
        }
    }
    return status;
}

strads_status lasso_products_add(const lasso_products *of, double *products, size_t stride)
{
    row_part *part = strads_calloc(1, sizeof(*part));
    strads_status status = STRADS_ERR_NOMEM;
    if (part != NULL && (part->next = strads_alloc_array(of->n, sizeof(*part->next))) != NULL) {
        status = STRADS_OK;
        for (uint32_t a = 0; a < of->n; a++) {
            part->next[a] = of->x->col_start[of->cols[a]];
        }
    }
    for (size_t row = 0; row < of->x->n_rows && status == STRADS_OK; row += PART_ROWS) {
        status = add_part(part, of, row, products, stride);
    }
    if (part != NULL) {
        strads_free(part->next);
        strads_free(part->entries);
    }
    strads_free(part);
    return status;
}
