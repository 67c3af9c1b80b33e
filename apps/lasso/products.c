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

enum {
    PART_ROWS = 1024, /* whose entries, and LASSO_SIDE numbers each, stay in cache ... */
    MOST_ROWS = 4096, /* ... and as many of marks only */
    MOST_FEW = 2 * LASSO_FEW,
    MOST_MARKED = 2 * LASSO_MARKED,
    MARKED_GAIN = 4 /* marks are so many times as soon counted as numbers are multiplied */
};

/* How columns are multiplied by others. The frequent ones are laid out side by side with their
 * zeros, as many as the kernel takes, and multiplied along the entries of the others: as marks
 * where all are alike. The entries of those that are scattered are laid out row by row. */
typedef enum group_kind { SIDE, FEW, MARKED, SCATTERED } group_kind;

static const uint32_t WIDTHS[] = {
    [SIDE] = LASSO_SIDE, [FEW] = LASSO_FEW, [MARKED] = LASSO_MARKED, [SCATTERED] = UINT32_MAX};

typedef struct column_group {
    uint32_t first, end; /* of the places */
    group_kind kind;
} column_group;

/* Some of the rows, and where each column has its entries in them. */
typedef struct row_part {
    const lasso_added *of;
    size_t first, last;   /* the rows */
    int64_t *start, *end; /* [n] of each column's entries in them */
    column_group *groups; /* [n_groups] of the new columns; the last may be scattered */
    size_t n_groups;
    bool all_alike; /* all columns, new and known */
    size_t most;    /* rows */
    double *side;   /* [PART_ROWS][LASSO_SIDE] */
    lasso_marked marked;

    size_t begins[MOST_ROWS], ends[MOST_ROWS]; /* of the rows' scattered entries */
    entry *entries;
    size_t capacity;
} row_part;

static int64_t column_start(const lasso_added *of, uint32_t a)
{
    return of->columns->start[of->cols[a]];
}

static int64_t column_end(const lasso_added *of, uint32_t a)
{
    const lasso_columns *columns = of->columns;
    return columns->end != NULL ? columns->end[of->cols[a]] : columns->start[of->cols[a] + 1];
}

static double value_at(const lasso_columns *columns, int64_t k)
{
    return columns->narrow != NULL ? (double) columns->narrow[k] : columns->value[k];
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static bool is_alike(const lasso_added *of, uint32_t a)
{
    return of->columns->alike != NULL && of->columns->alike[of->cols[a]];
}

static bool are_alike(const lasso_added *of, uint32_t first, uint32_t end)
{
    while (first < end && is_alike(of, first)) {
        first++;
    }
    return first == end;
}

/* Columns that have an entry a row between them are as soon multiplied side by side as the entry
 * is; and a few that are left, as soon as the rows of all entries are looked up. */
static group_kind kind_of(const lasso_added *of, uint32_t first)
{
    const bool marked = are_alike(of, first, lesser(first + LASSO_MARKED, of->n));
    const uint32_t end = lesser(first + (marked ? LASSO_MARKED : LASSO_SIDE), of->n);
    int64_t sum = 0;
    for (uint32_t a = first; a < end; a++) {
        sum += column_end(of, a) - column_start(of, a);
    }
    if (sum * (marked ? MARKED_GAIN : 1) >= (int64_t) of->columns->n_rows) {
        return marked ? MARKED : SIDE;
    }
    return of->n - first > (marked ? MOST_MARKED : MOST_FEW) ? SCATTERED : marked ? MARKED : FEW;
}

/* At most as many as there are new columns. */
static void find_groups(row_part *part)
{
    const lasso_added *of = part->of;
    uint32_t first = of->first_new;
    while (first < of->n) {
        column_group *group = &part->groups[part->n_groups++];
        group->kind = kind_of(of, first);
        group->first = first;
        group->end = first + lesser(WIDTHS[group->kind], of->n - first);
        first = group->end;
    }
}

static void free_part(row_part *part)
{
    strads_free(part->start);
    strads_free(part->end);
    strads_free(part->groups);
    strads_free(part->side);
    strads_free(part->marked.mark);
    strads_free(part->entries);
    strads_free(part);
}

static strads_status make_part(row_part **out, const lasso_added *of)
{
    row_part *part = strads_calloc(1, sizeof(*part));
    if (part == NULL) {
        return STRADS_ERR_NOMEM;
    }
    part->of = of;
    part->groups = strads_alloc_array(of->n, sizeof(*part->groups));
    part->start = strads_alloc_array(of->n, sizeof(*part->start));
    part->end = strads_alloc_array(of->n, sizeof(*part->end));
    part->side = strads_alloc_array(PART_ROWS, LASSO_SIDE * sizeof(*part->side));
    part->marked.mark = strads_alloc_array(MOST_ROWS, LASSO_MARKED);
    if (part->groups == NULL || part->start == NULL || part->end == NULL || part->side == NULL ||
        part->marked.mark == NULL) {
        free_part(part);
        return STRADS_ERR_NOMEM;
    }
    find_groups(part);
    part->all_alike = are_alike(of, 0, of->n);
    part->most = part->all_alike ? MOST_ROWS : PART_ROWS;
    for (uint32_t a = 0; a < of->n; a++) {
        part->end[a] = column_start(of, a);
    }
    *out = part;
    return STRADS_OK;
}

/* Goes on to the rows that come next. */
static void find_entries(row_part *part, size_t first)
{
    const lasso_added *of = part->of;
    const uint32_t *row = of->columns->row;
    part->first = first;
    part->last =
        first + part->most < of->columns->n_rows ? first + part->most : of->columns->n_rows;
    for (uint32_t a = 0; a < of->n; a++) {
        const int64_t all = column_end(of, a);
        int64_t k = part->end[a];
        part->start[a] = k;
        while (k < all && row[k] < part->last) {
            k++;
        }
        part->end[a] = k;
    }
}

/* Lays the columns of first .. end-1 side by side, `width` to a row. */
static void lay(row_part *part, uint32_t first, uint32_t end, size_t width)
{
    const lasso_columns *x = part->of->columns;
    memset(part->side, 0, (part->last - part->first) * width * sizeof(*part->side));
    for (uint32_t a = first; a < end; a++) {
        double *restrict to = part->side + (a - first);
        for (int64_t k = part->start[a]; k < part->end[a]; k++) {
            to[(x->row[k] - part->first) * width] = value_at(x, k);
        }
    }
}

/* The same of marks. */
static void mark(row_part *part, uint32_t first, uint32_t end)
{
    const lasso_columns *x = part->of->columns;
    lasso_marked *to = &part->marked;
    to->first = part->first;
    memset(to->mark, 0, (part->last - part->first) * LASSO_MARKED);
    memset(to->value, 0, sizeof(to->value));
    for (uint32_t a = first; a < end; a++) {
        uint8_t *restrict mark = to->mark + (a - first);
        for (int64_t k = part->start[a]; k < part->end[a]; k++) {
            mark[(x->row[k] - part->first) * LASSO_MARKED] = 1;
        }
        if (part->start[a] < part->end[a]) {
            to->value[a - first] = value_at(x, part->start[a]);
        }
    }
}

/* Multiplies columns first .. end-1 by those at the side; only those that are not alike where those
 * that are were multiplied by their marks. */
static void add_side(const row_part *part, uint32_t first, uint32_t end, group_kind kind,
                     double *to)
{
    const lasso_added *of = part->of;
    const lasso_kernels *kernels = of->kernels;
    for (uint32_t a = first; a < end; a++) {
        if (kind != MARKED || !is_alike(of, a)) {
            (kind == FEW ? kernels->dot_few : kernels->dot_side)(
                of->columns, (size_t) part->start[a], (size_t) part->end[a], part->first,
                part->side, to + a * of->stride);
        }
    }
}

/* Multiplies those of columns first .. end-1 that are alike by those that are marked. */
static void add_marked(const row_part *part, uint32_t first, uint32_t end, double *to)
{
    const lasso_added *of = part->of;
    const lasso_columns *x = of->columns;
    for (uint32_t a = first; a < end; a++) {
        const int64_t k = part->start[a];
        if (k < part->end[a] && is_alike(of, a)) {
            of->kernels->dot_marked(value_at(x, k), x->row + k, (size_t) (part->end[a] - k),
                                    &part->marked, to + a * of->stride);
        }
    }
}

/* Multiplies a group of frequent columns by all but those of the groups before. What is beyond the
 * group is 0 at its side, and adds that. */
static void add_frequent(row_part *part, const column_group *group, double *products)
{
    const lasso_added *of = part->of;
    const uint32_t width = group->kind == MARKED ? LASSO_SIDE : WIDTHS[group->kind];
    double *to = products + (group->first - of->first_new);
    if (group->kind == MARKED) {
        mark(part, group->first, group->end);
        add_marked(part, 0, of->first_new, to);
        add_marked(part, group->first, of->n, to);
    }
    for (uint32_t first = group->first; first < group->end; first += width) {
        if (group->kind == MARKED && part->all_alike) {
            break;
        }
        lay(part, first, lesser(first + width, group->end), width);
        to = products + (first - of->first_new);
        add_side(part, 0, of->first_new, group->kind, to);
        add_side(part, group->first, of->n, group->kind, to);
    }
}

/* Gives each row the room of its scattered entries, of columns from `first` on. */
static strads_status lay_out_part(row_part *part, uint32_t first)
{
    const lasso_columns *x = part->of->columns;
    size_t n = 0;
    memset(part->ends, 0, sizeof(part->ends));
    for (uint32_t a = first; a < part->of->n; a++) {
        for (int64_t k = part->start[a]; k < part->end[a]; k++) {
            part->ends[x->row[k] - part->first]++;
        }
    }
    for (size_t i = 0; i < part->most; i++) {
        part->begins[i] = n;
        n += part->ends[i];
        part->ends[i] = part->begins[i];
    }
    return strads_reserve(&part->entries, &part->capacity, n, sizeof(*part->entries));
}

/* Multiplies column a by the scattered ones that are entered. */
static void add_column(const row_part *part, uint32_t a, double *restrict to)
{
    const lasso_columns *x = part->of->columns;
    for (int64_t k = part->start[a]; k < part->end[a]; k++) {
        const size_t i = x->row[k] - part->first;
        const double value = value_at(x, k);
        const size_t end = part->ends[i];
        for (size_t e = part->begins[i]; e < end; e++) {
            to[part->entries[e].place] += value * part->entries[e].value;
        }
    }
}

static void enter_column(row_part *part, uint32_t a)
{
    const lasso_columns *x = part->of->columns;
    for (int64_t k = part->start[a]; k < part->end[a]; k++) {
        part->entries[part->ends[x->row[k] - part->first]++] =
            (entry){.value = value_at(x, k), .place = a - part->of->first_new};
    }
}

/* Multiplies the scattered columns, from `first` on, by all that are not frequent. */
static strads_status add_scattered(row_part *part, uint32_t first, double *products)
{
    const lasso_added *of = part->of;
    const strads_status status = lay_out_part(part, first);
    for (uint32_t a = of->n; a-- > first && status == STRADS_OK;) {
        add_column(part, a, products + a * of->stride);
        enter_column(part, a);
    }
    for (uint32_t a = 0; a < of->first_new && status == STRADS_OK; a++) {
        add_column(part, a, products + a * of->stride);
    }
    return status;
}

/* Puts all where they belong: those of a group with the columns behind it were added the other way
 * round. */
static void turn(const row_part *part, double *products)
{
    const lasso_added *of = part->of;
    for (size_t i = 0; i < part->n_groups; i++) {
        for (uint32_t a = part->groups[i].first; a < part->groups[i].end; a++) {
            for (uint32_t b = of->first_new; b < part->groups[i].first; b++) {
                products[b * of->stride + (a - of->first_new)] +=
                    products[a * of->stride + (b - of->first_new)];
            }
        }
    }
}

strads_status lasso_products_add(const lasso_added *of, double *products)
{
    row_part *part = NULL;
    strads_status status = make_part(&part, of);
    if (status != STRADS_OK) {
        return status;
    }
    for (uint32_t a = of->first_new; a < of->n; a++) {
        memset(products + a * of->stride, 0, (a - of->first_new) * sizeof(*products));
    }
    for (size_t row = 0; row < of->columns->n_rows && status == STRADS_OK; row += part->most) {
        find_entries(part, row);
        for (size_t i = 0; i < part->n_groups; i++) {
            const column_group *group = &part->groups[i];
            if (group->kind == SCATTERED) {
                status = add_scattered(part, group->first, products);
            } else {
                add_frequent(part, group, products);
            }
        }
    }
    turn(part, products);
    free_part(part);
    return status;
}
