/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/gram.c - coordinate descent on sums over all rows. */
#include "apps/lasso/gram.h"

#include <math.h>
#include <string.h>

#include "apps/lasso/products.h"
#include "apps/lasso/solver.h"

enum {
    MAX_PASSES = 20,     /* over the slices of a block; what is left is another round's */
    MAX_SWEEPS = 10000,  /* over a slice */
    ACTIVE_SWEEPS = 20,  /* after each whole one */
    CHUNK_ROWS = 1 << 10 /* of dense columns, that stay in the cache while they are multiplied */
};

/* Active sweeps end when they move this much less than the whole one did. */
static const double ACTIVE_ENOUGH = 0.1;
/* What a slice solves of its first sweep's move: the others will change it again. */
static const double SLICE_ENOUGH = 0.1;

void lasso_gram_fini(lasso_gram *gram)
{
    strads_free(gram->vars);
    strads_free(gram->products);
    strads_free(gram->column);
    strads_free(gram->gradient);
    strads_free(gram->b);
    strads_free(gram->order);
    strads_free(gram->active);
    strads_free(gram->place_of);
    strads_free(gram->spare);
    *gram = (lasso_gram){.n = 0};
}

/* ---- the products of a block ---- */

static strads_status reserve(lasso_gram *gram, size_t n_vars, size_t n)
{
    size_t capacity[6];
    for (size_t i = 0; i < 6; i++) {
        capacity[i] = gram->capacity;
    }
    strads_status status = strads_reserve(&gram->vars, &capacity[0], n, sizeof(*gram->vars));
    status = status == STRADS_OK
                 ? strads_reserve(&gram->column, &capacity[1], n, sizeof(*gram->column))
                 : status;
    status = status == STRADS_OK
                 ? strads_reserve(&gram->gradient, &capacity[2], n, sizeof(*gram->gradient))
                 : status;
    status =
        status == STRADS_OK ? strads_reserve(&gram->b, &capacity[3], n, sizeof(*gram->b)) : status;
    status = status == STRADS_OK
                 ? strads_reserve(&gram->order, &capacity[4], n, sizeof(*gram->order))
                 : status;
    status = status == STRADS_OK
                 ? strads_reserve(&gram->active, &capacity[5], n, sizeof(*gram->active))
                 : status;
    status = status == STRADS_OK ? strads_reserve(&gram->products, &gram->products_capacity, n * n,
                                                  sizeof(*gram->products))
                                 : status;
    status = status == STRADS_OK ? strads_reserve(&gram->spare, &gram->spare_capacity, n * n + n,
                                                  sizeof(*gram->spare))
                                 : status;
    if (status == STRADS_OK && gram->place_of == NULL) {
        gram->place_of = strads_calloc(n_vars, sizeof(*gram->place_of));
        status = gram->place_of == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    }
    gram->capacity = status == STRADS_OK ? capacity[0] : gram->capacity;
    return status;
}

/* Gives the variables of a block their places: first those whose products are known, which
 * keep them, then the others. Returns how many are known. */
static size_t settle(lasso_gram *gram, const uint32_t *vars, size_t n)
{
    uint32_t *from = gram->active; /* the old places, until the products have moved */
    size_t n_known = 0;
    for (size_t i = 0; i < n; i++) {
        if (gram->place_of[vars[i]] != 0) {
            from[n_known++] = gram->place_of[vars[i]] - 1;
        }
    }
    for (size_t a = 0; a < n_known; a++) {
        for (size_t b = 0; b < n_known; b++) {
            gram->spare[a * n + b] = gram->products[from[a] * gram->n + from[b]];
        }
    }
    double *products = gram->products;
    size_t capacity = gram->products_capacity;
    gram->products = gram->spare;
    gram->products_capacity = gram->spare_capacity;
    gram->spare = products;
    gram->spare_capacity = capacity;
    size_t known = 0;
    size_t fresh = n_known;
    for (size_t i = 0; i < n; i++) {
        gram->order[i] = (uint32_t) (gram->place_of[vars[i]] != 0 ? known++ : fresh++);
    }
    for (size_t i = 0; i < gram->n; i++) {
        gram->place_of[gram->vars[i]] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        gram->vars[gram->order[i]] = vars[i];
        gram->place_of[vars[i]] = gram->order[i] + 1;
    }
    gram->n = n;
    return n_known;
}

/* Where the product of places a > b is in a list of those of all a >= first. */
static size_t position(size_t a, size_t b, size_t first)
{
    return (a * (a - 1) - (first > 0 ? first * (first - 1) : 0)) / 2 + b;
}

typedef struct shares {
    double *of; /* by position */
    size_t first;
} shares;

static void take(void *context, uint32_t a, uint32_t b, double product)
{
    const shares *to = context;
    to->of[position(a, b, to->first)] = product;
}

/* x's values from `first` on; in scratch[n] where they are floats. */
static const double *chunk_of(const data_matrix *x, size_t first, size_t n, double *scratch)
{
    for (size_t i = 0; i < n && x->narrow != NULL; i++) {
        scratch[i] = (double) x->narrow[first + i];
    }
    return x->narrow == NULL ? x->value + first : scratch;
}

/* Products of the worker's rows of dense columns, a chunk of rows at a time. */
static void multiply_dense(const lasso_gram *gram, const lasso_site *site, const shares *to)
{
    const data_matrix *x = &site->x;
    const size_t n_rows = x->n_rows;
    double scratch[CHUNK_ROWS];
    for (size_t row = 0; row < n_rows; row += CHUNK_ROWS) {
        const size_t length = n_rows - row < CHUNK_ROWS ? n_rows - row : CHUNK_ROWS;
        for (size_t a = to->first > 0 ? to->first : 1; a < gram->n; a++) {
            const double *chunk = chunk_of(x, gram->vars[a] * n_rows + row, length, scratch);
            double *of_a = to->of + position(a, 0, to->first);
            for (size_t b = 0; b < a; b++) {
                const size_t first = gram->vars[b] * n_rows + row;
                of_a[b] += x->narrow == NULL
                               ? site->kernels->dot(x->value + first, chunk, length)
                               : site->kernels->dot_narrow(x->narrow + first, chunk, length);
            }
        }
    }
}

/* The worker's share of the products of the places from `first` on with all before them. */
static strads_status multiply(const lasso_gram *gram, const lasso_site *site, const shares *to)
{
    if (site->x.col_start == NULL) {
        multiply_dense(gram, site, to);
        return STRADS_OK;
    }
    const lasso_products products = {.x = &site->x,
                                     .cols = gram->vars,
                                     .n = (uint32_t) gram->n,
                                     .first_new = (uint32_t) to->first,
                                     .n_ranks = 1,
                                     .take = take,
                                     .context = (void *) to};
    return lasso_products_take(&products);
}

/* Puts the sums into the square of products. */
static void keep_products(lasso_gram *gram, const lasso_site *site, const shares *sums)
{
    const size_t n = gram->n;
    for (size_t a = sums->first; a < n; a++) {
        const double mean = (double) site->n_rows * lasso_mean(site, gram->vars[a]);
        for (size_t b = 0; b < a; b++) {
            const double product =
                sums->of[position(a, b, sums->first)] - mean * lasso_mean(site, gram->vars[b]);
            gram->products[a * n + b] = product;
            gram->products[b * n + a] = product;
        }
        gram->products[a * n + a] = lasso_norm2(site, gram->vars[a]);
    }
}

/* Makes ready to descend on vars[n] from values[n]. */
static strads_status load(lasso_worker *self, const uint32_t *vars, const double *values, size_t n)
{
    lasso_gram *gram = &self->gram;
    strads_status status = reserve(gram, self->n, n);
    if (status != STRADS_OK) {
        return status;
    }
    const size_t n_known = settle(gram, vars, n);
    const size_t n_fresh = position(n, 0, n_known);
    shares to = {.of = gram->spare, .first = n_known};
    if (n_known < n) {
        memset(to.of, 0, n_fresh * sizeof(*to.of));
        status = multiply(gram, self->site, &to);
        if (status == STRADS_OK) {
            status = strads_exchange(self->worker, to.of, NULL, n_fresh);
        }
        if (status == STRADS_OK) {
            keep_products(gram, self->site, &to);
        }
        const double entries = lasso_cost(self->site, vars[0]);
        strads_worker_count(self->worker, 0.0, (double) n_fresh * entries);
    }
    if (status == STRADS_OK) {
        status = lasso_find_gradient(self, gram->vars, n, gram->gradient);
    }
    if (status != STRADS_OK) { /* the products are not those of vars */
        for (size_t i = 0; i < n; i++) {
            gram->place_of[vars[i]] = 0;
        }
        gram->n = 0;
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        gram->b[gram->order[i]] = values[i];
        gram->column[gram->order[i]] = lasso_column_of(self->site, vars[i], self->l1, self->l2);
    }
    return STRADS_OK;
}

/* ---- descending ---- */

static double soft(double u, double l1)
{
    const double size = fabs(u) - l1;
    return size > 0.0 ? copysign(size, u) : 0.0;
}

/* Updates the coefficients of places[n] in that order; returns the most urgent move. Of the
 * code that is the same for every processor, so that workers on unlike ones agree. */
static double sweep(lasso_gram *gram, const uint32_t *places, size_t n)
{
    double farthest = 0.0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t k = places[i];
        const lasso_column *c = &gram->column[k];
        const double old = gram->b[k];
        const double step = soft(gram->gradient[k] + c->norm2 * old, c->l1) * c->inverse - old;
        if (step != 0.0) {
            gram->b[k] = old + step;
            lasso_kernels_portable.add(-step, gram->products + k * gram->n, gram->gradient,
                                       gram->n);
            farthest = fmax(farthest, fabs(step) * c->urgency);
        }
    }
    return farthest;
}

static size_t find_active(lasso_gram *gram)
{
    size_t n = 0;
    for (size_t i = 0; i < gram->n; i++) {
        gram->active[n] = gram->order[i];
        n += gram->b[gram->order[i]] != 0.0;
    }
    return n;
}

/* Descends until a sweep over all moves nothing by more than `target`, nor, when it is one of
 * several slices, than a share of the first sweep; or for one sweep. Returns how far the
 * first moved. */
static double descend(lasso_worker *self, const strads_block *block)
{
    const double share = block->n_vars > LASSO_GRAM_MOST ? SLICE_ENOUGH : 0.0;
    lasso_gram *gram = &self->gram;
    double n_updates = 0.0;
    double first = 0.0;
    for (int i = 0; i < MAX_SWEEPS; i++) {
        const double farthest = sweep(gram, gram->order, gram->n);
        n_updates += (double) gram->n;
        first = i == 0 ? farthest : first;
        if (!block->solve || farthest <= fmax(block->target, share * first)) {
            break;
        }
        const size_t n_active = find_active(gram);
        double moved = farthest;
        for (int k = 0; k < ACTIVE_SWEEPS && moved >= ACTIVE_ENOUGH * farthest; k++) {
            moved = sweep(gram, gram->active, n_active);
            n_updates += (double) n_active;
        }
    }
    strads_worker_count(self->worker, n_updates, n_updates * (double) gram->n);
    return first;
}

/* The worker's rows of the residual hear of what the coefficients moved from values[n]. */
static void apply(lasso_worker *self, const uint32_t *vars, const double *values, size_t n)
{
    const lasso_site *site = self->site;
    for (size_t i = 0; i < n; i++) {
        const double step = self->gram.b[self->gram.order[i]] - values[i];
        if (step != 0.0) {
            lasso_add(site, vars[i], -step, self->state);
            self->state[site->x.n_rows] += step * lasso_mean(site, vars[i]);
        }
    }
}

/* Solves slice after slice of a block, values[n] becoming the outcome. */
static strads_status solve_slices(lasso_worker *self, const strads_block *block, double *values,
                                  double *farthest)
{
    *farthest = 0.0;
    for (size_t first = 0; first < block->n_vars; first += LASSO_GRAM_MOST) {
        const size_t left = block->n_vars - first;
        const size_t n = left < LASSO_GRAM_MOST ? left : LASSO_GRAM_MOST;
        const uint32_t *vars = block->vars + first;
        const strads_status status = load(self, vars, values + first, n);
        if (status != STRADS_OK) {
            return status;
        }
        *farthest = fmax(*farthest, descend(self, block));
        apply(self, vars, values + first, n);
        for (size_t i = 0; i < n; i++) {
            values[first + i] = self->gram.b[self->gram.order[i]];
        }
    }
    return STRADS_OK;
}

strads_status lasso_push_rows(lasso_worker *self, const strads_block *block, double *partial)
{
    double *values = strads_alloc_array(block->n_vars, sizeof(*values));
    if (values == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(values, block->values, block->n_vars * sizeof(*values));
    const int n_passes = block->solve && block->n_vars > LASSO_GRAM_MOST ? MAX_PASSES : 1;
    strads_status status = STRADS_OK;
    double farthest = INFINITY;
    for (int i = 0; i < n_passes && farthest > block->target && status == STRADS_OK; i++) {
        status = solve_slices(self, block, values, &farthest);
        farthest = strads_stopping(self->worker) ? 0.0 : farthest;
    }
    for (size_t k = 0; k < block->n_vars; k++) {
        const lasso_column column = lasso_column_of(self->site, block->vars[k], self->l1, self->l2);
        double *out = partial + LASSO_PARTIAL_WIDTH * k;
        out[LASSO_PARTIAL_VALUE] = values[k];
        out[LASSO_PARTIAL_MOVE] = fabs(values[k] - block->values[k]) * column.urgency;
    }
    strads_free(values);
    return status;
}
