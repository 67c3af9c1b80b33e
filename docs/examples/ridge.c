/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ridge.c - ridge regression as a model program of one's own.
 *
 *   F(b) = 1/2 |r|^2 + lambda/2 |b|^2,   r = y - X b
 *
 * by coordinate descent. The slope of F along b_j is, but for its sign, x_j'r - lambda b_j:
 * that is how far b_j is from its optimum. F is least along b_j after a move by
 * slope_j / (|x_j|^2 + lambda).
 */
#include <math.h>
#include <string.h>

#include "data/data.h"
#include "strads/strads.h"

typedef struct ridge_site { /* the data of the process */
    data_regression data;
    double lambda;
} ridge_site;

typedef struct ridge_worker {
    const ridge_site *site;
    strads_worker *worker;
    const strads_block *block; /* that is being pushed, */
    double *b;                 /* [block->n_vars] its values */
    double residual[];         /* [n_rows] its copy of r, the shared state */
} ridge_worker;

static void close_site(void *state)
{
    ridge_site *site = state;
    data_regression_fini(&site->data);
    strads_free(site);
}

static strads_status open_site(const strads_config *config, strads_part *part, void **out)
{
    (void) part; /* every process loads all of it */
    const data_source source = {.path = strads_config_text(config, "data.path"),
                                .format = DATA_LIBSVM};
    ridge_site *site = strads_calloc(1, sizeof(*site));
    if (site == NULL) {
        return STRADS_ERR_NOMEM;
    }
    site->lambda = strads_config_real(config, "ridge.lambda");
    const strads_status status = data_regression_read(&site->data, &source);
    if (status != STRADS_OK) {
        close_site(site);
        return status;
    }
    *out = site;
    return STRADS_OK;
}

static strads_status describe(const void *site, strads_structure *structure)
{
    structure->n_vars = (uint32_t) ((const ridge_site *) site)->data.x.n_cols;
    return STRADS_OK;
}

static strads_status open_worker(const void *site_state, strads_worker *worker, void **out)
{
    const ridge_site *site = site_state;
    ridge_worker *self =
        strads_calloc(1, sizeof(*self) + site->data.x.n_rows * sizeof(*self->residual));
    if (self == NULL) {
        return STRADS_ERR_NOMEM;
    }
    self->site = site;
    self->worker = worker;
    *out = self;
    return STRADS_OK;
}

static double slope(const ridge_worker *self, uint32_t j, double b)
{
    return data_matrix_dot(&self->site->data.x, j, self->residual) - self->site->lambda * b;
}

/* Every worker takes its own columns off y; the exchange adds up to r. */
static strads_status score(void *state, const uint32_t *vars, size_t n, float *scores)
{
    ridge_worker *self = state;
    const data_regression *data = &self->site->data;
    const double *beta = strads_worker_values(self->worker);
    uint32_t first = 0, n_own = 0;
    strads_worker_range(self->worker, &first, &n_own);
    memcpy(self->residual, data->y, data->x.n_rows * sizeof(double));
    for (uint32_t k = 0; k < n_own; k++) {
        data_matrix_add(&data->x, first + k, -beta[k], self->residual);
    }
    const strads_status status =
        strads_exchange(self->worker, self->residual, data->y, data->x.n_rows);
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        const uint32_t j = vars == NULL ? first + (uint32_t) i : vars[i];
        scores[i] = (float) fabs(slope(self, j, beta[j - first]));
    }
    return status;
}

static double sweep(void *state, uint32_t part, uint32_t n_parts)
{
    ridge_worker *self = state;
    const data_matrix *x = &self->site->data.x;
    const size_t n = self->block->n_vars;
    double farthest = 0.0;
    for (size_t k = n * part / n_parts; k < n * (part + 1) / n_parts; k++) {
        const uint32_t j = self->block->vars[k];
        const double distance = slope(self, j, self->b[k]);
        const double move = distance / (data_matrix_squares(x, j) + self->site->lambda);
        self->b[k] += move;
        data_matrix_add(x, j, -move, self->residual);
        farthest = fmax(farthest, fabs(distance));
    }
    return farthest;
}

static double loss(void *state)
{
    const ridge_worker *self = state;
    return 0.5 * data_squares(self->residual, self->site->data.x.n_rows);
}

static double penalty(void *state)
{
    const ridge_worker *self = state;
    return 0.5 * self->site->lambda * data_squares(self->b, self->block->n_vars);
}

/* Works on the values in `partial`, from where the default pull takes them. */
static strads_status push(void *state, const strads_block *block, double *partial)
{
    ridge_worker *self = state;
    self->block = block;
    self->b = memcpy(partial, block->values, block->n_vars * sizeof(double));
    const strads_step step = {.self = self,
                              .shared = self->residual,
                              .n_shared = self->site->data.x.n_rows,
                              .own = partial,
                              .n_own = block->n_vars,
                              .sweep = sweep,
                              .shared_objective = loss,
                              .own_objective = penalty};
    return strads_step_solve(self->worker, &step, block);
}

static const strads_option options[] = {
    {"data.path", STRADS_PATH, .fallback = "ridge.libsvm", .help = "The data: libsvm text."},
    {"ridge.lambda", STRADS_REAL, .fallback = "1", .max = INFINITY, .above_min = true,
     .help = "The weight of the penalty."},
};

static const strads_app ridge = {
    .struct_size = sizeof(strads_app),
    .abi = STRADS_APP_ABI,
    .name = "ridge",
    .help = "Least squares with an l2 penalty.",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .open_site = open_site,
    .close_site = close_site,
    .describe = describe,
    .open_worker = open_worker,
    .close_worker = strads_free,
    .score = score,
    .push = push,
};

STRADS_API const strads_app *strads_app_v1(void)
{
    return &ridge;
}
