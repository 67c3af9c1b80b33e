/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/data_parallel.c - the Lasso by data parallelism: coefficients in one table, the
 * gradient of the loss in another, both shared by workers that have some rows each.
 *
 * In a period worker k reads all b, and makes its rows' share of the gradient anew,
 *
 *   g_k = X_k'(y_k - X_k b),
 *
 * adds what has changed of it to the sum G, and takes a proximal step on the coefficients
 * that are its own to change, with what it sees of G:
 *
 *   b_j <- S(b_j + eta_j G_j, eta_j l1 w_j) / (1 + eta_j l2 w_j^2),   eta_j = eta / |x_j|^2.
 *
 * That is the proximal incremental aggregated gradient method. What a step knows may be
 * tau = 2 s + 1 periods old with staleness s, and it converges for steps of less than
 * 1 / (L (tau + 1/2)), L the largest eigenvalue of the correlations: W. Wu, S. Magnusson,
 * H. R. Feyzmahdavian, M. Johansson, "Delay-adaptive step-sizes for asynchronous learning",
 * 2022. Unlike the step of the SSP theorem, of order 1 / sqrt(t (s + 1)), made for random
 * samples, it stays, and ends at the optimum.
 */
#include "apps/lasso/data_parallel.h"

#include <math.h>
#include <string.h>

#include "apps/lasso/solver.h"
#include "ssp/ssp.h"

enum {
    COLUMNS = 64,       /* coefficients a row of the tables */
    POWER_STEPS = 30,   /* of the iteration that finds L */
    ASYNC_STALENESS = 8 /* what a run without bound is taken to have */
};

struct lasso_tables {
    ssp_table *b, *g;
    size_t n, n_keys;
    size_t first, end;    /* variables that this worker changes: whole rows of the tables */
    double *values;       /* [n_keys * COLUMNS] b as it was read */
    double *share, *told; /* [n_keys * COLUMNS] g_k, and what the table has of it */
    double *norm2;        /* [n] */
    uint64_t *keys;       /* [n_keys] */
    const double **views; /* [n_keys] */
    double step;          /* eta */
};

void lasso_tables_destroy(lasso_tables *self)
{
    if (self == NULL) {
        return;
    }
    strads_free(self->values);
    strads_free(self->share);
    strads_free(self->told);
    strads_free(self->norm2);
    strads_free(self->keys);
    strads_free(self->views);
    strads_free(self);
}

static strads_status create(lasso_tables **out, const lasso_worker *worker)
{
    const size_t n = worker->n;
    const size_t n_keys = (n + COLUMNS - 1) / COLUMNS;
    const uint32_t rank = strads_worker_rank(worker->worker);
    const uint32_t n_workers = strads_worker_members(worker->worker);
    lasso_tables *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const size_t first = n_keys * rank / n_workers * COLUMNS;
    const size_t last = n_keys * (rank + 1) / n_workers * COLUMNS;
    *self = (lasso_tables){.n = n,
                           .n_keys = n_keys,
                           .first = first,
                           .end = first < n && last > n ? n : last,
                           .values = strads_calloc(n_keys, COLUMNS * sizeof(double)),
                           .share = strads_calloc(n_keys, COLUMNS * sizeof(double)),
                           .told = strads_calloc(n_keys, COLUMNS * sizeof(double)),
                           .norm2 = strads_alloc_array(n, sizeof(double)),
                           .keys = strads_alloc_array(n_keys, sizeof(uint64_t)),
                           .views = strads_calloc(n_keys, sizeof(double *))};
    if (self->values == NULL || self->share == NULL || self->told == NULL || self->norm2 == NULL ||
        self->keys == NULL || self->views == NULL) {
        lasso_tables_destroy(self);
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < n_keys; i++) {
        self->keys[i] = i;
    }
    for (uint32_t j = 0; j < n; j++) {
        self->norm2[j] = lasso_norm2(worker->site, j);
    }
    *out = self;
    return STRADS_OK;
}

/* worker->state := start - X b on the worker's rows, with its offset. */
static void subtract(lasso_worker *worker, const double *start, const double *b)
{
    const lasso_site *site = worker->site;
    const size_t n_rows = site->x.n_rows;
    double *state = worker->state;
    if (start == NULL) {
        memset(state, 0, (n_rows + 1) * sizeof(*state));
    } else {
        memcpy(state, start, (n_rows + 1) * sizeof(*state));
    }
    for (uint32_t j = 0; j < worker->n; j++) {
        if (b[j] != 0.0) {
            lasso_add(site, j, -b[j], state);
            state[n_rows] += b[j] * lasso_mean(site, j);
        }
    }
}

/* The largest eigenvalue of the correlations of all columns, by power iteration; all workers
 * take part. From below it comes within some percent, for which the step has a margin. */
static strads_status find_eigenvalue(lasso_worker *worker, const lasso_tables *self,
                                     double *eigenvalue)
{
    const size_t n = self->n;
    double *v = strads_alloc_array(n, sizeof(*v));
    double *to = strads_alloc_array(n, sizeof(*to));
    strads_status status = v == NULL || to == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (size_t j = 0; j < n && status == STRADS_OK; j++) {
        to[j] = self->norm2[j] > 0.0 ? 1.0 + 0.1 * sin((double) j) : 0.0; /* no column's equal */
    }
    for (int i = 0; i < POWER_STEPS && status == STRADS_OK; i++) {
        double squares = 0.0;
        for (size_t j = 0; j < n; j++) {
            squares += to[j] * to[j];
        }
        *eigenvalue = sqrt(squares); /* v had length 1, but for the first */
        for (size_t j = 0; j < n; j++) {
            v[j] = self->norm2[j] > 0.0 && squares > 0.0
                       ? -to[j] / sqrt(squares) / sqrt(self->norm2[j])
                       : 0.0;
        }
        subtract(worker, NULL, v);
        status = lasso_find_gradient(worker, NULL, n, to);
        for (size_t j = 0; j < n && status == STRADS_OK; j++) {
            to[j] = self->norm2[j] > 0.0 ? to[j] / sqrt(self->norm2[j]) : 0.0;
        }
    }
    strads_free(v);
    strads_free(to);
    return status;
}

static strads_status open_tables(lasso_worker *worker, ssp_session *session)
{
    static const double MARGIN = 1.05;
    lasso_tables *self = NULL;
    double eigenvalue = 1.0;
    strads_status status = create(&self, worker);
    if (status != STRADS_OK) {
        return status;
    }
    ssp_table_options options = ssp_session_options(session);
    const uint32_t staleness = options.staleness == SSP_ASYNC ? ASYNC_STALENESS : options.staleness;
    options.columns = COLUMNS;
    status = ssp_table_open(&self->b, session, "lasso.b", &options);
    if (status == STRADS_OK) {
        status = ssp_table_open(&self->g, session, "lasso.gradient", &options);
    }
    if (status == STRADS_OK) {
        status = find_eigenvalue(worker, self, &eigenvalue);
    }
    if (status != STRADS_OK) {
        lasso_tables_destroy(self);
        return status;
    }
    const double factor = strads_config_real(worker->site->config, "lasso.step");
    const double delay = factor > 0.0 ? 1.0 / factor : 2.0 * staleness + 1.0 + 0.5;
    self->step = 1.0 / (MARGIN * eigenvalue * delay);
    worker->tables = self;
    return STRADS_OK;
}

/* Reads all coefficients. */
static strads_status read_values(lasso_tables *self, uint32_t staleness)
{
    const strads_status status =
        ssp_read_rows_within(self->b, self->keys, self->n_keys, staleness, self->views);
    for (size_t i = 0; i < self->n_keys && status == STRADS_OK; i++) {
        memcpy(self->values + i * COLUMNS, self->views[i], COLUMNS * sizeof(double));
    }
    return status;
}

/* Makes the worker's share of the gradient anew, and adds what has changed to the sum. */
static strads_status add_gradient(lasso_worker *worker)
{
    lasso_tables *self = worker->tables;
    const lasso_site *site = worker->site;
    subtract(worker, site->target, self->values);
    const double offset = worker->state[site->x.n_rows] * (double) site->x.n_rows;
    for (uint32_t j = 0; j < self->n; j++) {
        const double old = self->share[j];
        self->share[j] = lasso_dot(site, j, worker->state) + offset * lasso_mean(site, j);
        self->told[j] = self->share[j] - old;
    }
    return ssp_inc_rows(self->g, self->keys, self->n_keys, self->told);
}

static double shrink(double z, double by)
{
    return copysign(fmax(fabs(z) - by, 0.0), z);
}

/* A proximal step on the worker's own coefficients. */
static strads_status step_own(lasso_worker *worker)
{
    lasso_tables *self = worker->tables;
    const size_t first_key = self->first / COLUMNS;
    const size_t n_keys = (self->end + COLUMNS - 1) / COLUMNS - first_key;
    double *moves = self->told + self->first;
    strads_status status =
        ssp_read_rows(self->g, self->keys + first_key, n_keys, self->views + first_key);
    if (status != STRADS_OK || n_keys == 0) {
        return status;
    }
    memset(moves, 0, n_keys * COLUMNS * sizeof(*moves));
    for (size_t j = self->first; j < self->end; j++) {
        if (self->norm2[j] > 0.0) {
            const double eta = self->step / self->norm2[j];
            const double weight = 1.0 / lasso_scale(worker->site, (uint32_t) j);
            const double z = self->values[j] + eta * self->views[j / COLUMNS][j % COLUMNS];
            moves[j - self->first] =
                shrink(z, eta * worker->l1 * weight) / (1.0 + eta * worker->l2 * weight * weight) -
                self->values[j];
        }
    }
    return ssp_inc_rows(self->b, self->keys + first_key, n_keys, moves);
}

static void tell(const lasso_worker *worker, const strads_block *block, double *partial)
{
    for (size_t k = 0; k < block->n_vars; k++) {
        const uint32_t j = block->vars[k];
        const double b = worker->tables->values[j];
        const lasso_column column = lasso_column_of(worker->site, j, worker->l1, worker->l2);
        double *out = partial + LASSO_PARTIAL_WIDTH * k;
        out[LASSO_PARTIAL_VALUE] = b;
        out[LASSO_PARTIAL_MOVE] = fabs(b - block->values[k]) * column.urgency;
    }
}

/* A pass over the rows for the residual, and one for the gradient. */
static double units_of(const lasso_site *site)
{
    const data_matrix *x = &site->x;
    return 2.0 * (x->col_start == NULL ? (double) x->n_rows * (double) x->n_cols
                                       : (double) x->col_start[x->n_cols]);
}

strads_status lasso_step_by_tables(void *state, ssp_session *session, const strads_block *block,
                                   double *partial)
{
    lasso_worker *worker = state;
    strads_status status = worker->tables == NULL ? open_tables(worker, session) : STRADS_OK;
    if (status == STRADS_OK) {
        status = read_values(worker->tables, partial == NULL ? SSP_ASYNC : 0);
    }
    if (status != STRADS_OK || partial != NULL) {
        if (status == STRADS_OK) {
            tell(worker, block, partial);
        }
        return status;
    }
    status = add_gradient(worker);
    if (status == STRADS_OK) {
        status = step_own(worker);
    }
    worker->state_is_fresh = false;
    strads_worker_count(worker->worker, (double) (worker->tables->end - worker->tables->first),
                        units_of(worker->site));
    return status;
}
