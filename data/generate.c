/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/generate.c - regressions made from a seed.
 *
 * Dense: column j = c * column j-1 + sqrt(1 - c^2) * z, AR(1) over the columns.
 * Sparse: with probability `shared` a column takes the support of the one before
 * and its values as above; else a fresh support and fresh N(0, 1) values. Columns
 * are scaled to unit norm, the chain goes on unscaled. Each column draws from a
 * stream of its own.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "data/data.h"

/* What a stream is for: its upper half. The lower is a column or 0. */
typedef enum purpose { COLUMN, INFORMATIVE, COEFFICIENT, NOISE } purpose;

/* A stream of N(0, 1) by Marsaglia's polar method. */
typedef struct normal {
    strads_random random;
    double spare;
    bool has_spare;
} normal;

static normal start(const data_lasso_design *design, purpose what, size_t which)
{
    return (normal){.random = strads_random_start(design->seed, (uint64_t) what << 32 | which)};
}

static double draw(normal *stream)
{
    if (stream->has_spare) {
        stream->has_spare = false;
        return stream->spare;
    }
    double u = 0.0;
    double v = 0.0;
    double s = 0.0;
    do {
        u = 2.0 * strads_random_uniform(&stream->random) - 1.0;
        v = 2.0 * strads_random_uniform(&stream->random) - 1.0;
        s = u * u + v * v;
    } while (s >= 1.0 || s == 0.0);
    const double scale = sqrt(-2.0 * log(s) / s);
    stream->spare = v * scale;
    stream->has_spare = true;
    return u * scale;
}

static int by_value(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *) a;
    const uint32_t right = *(const uint32_t *) b;
    return (left > right) - (left < right);
}

/* k distinct numbers below n, ascending (R. W. Floyd's sampling). taken[n] holds
 * no `mark` yet. */
static void sample(strads_random *random, uint32_t *out, size_t k, size_t n, uint32_t *taken,
                   uint32_t mark)
{
    for (size_t i = n - k; i < n; i++) {
        size_t pick = (size_t) strads_random_below(random, i + 1);
        pick = taken[pick] == mark ? i : pick;
        taken[pick] = mark;
        *out++ = (uint32_t) pick;
    }
    qsort(out - k, k, sizeof(*out), by_value);
}

/* out := raw / |raw| */
static void put_unit(double *out, const double *raw, size_t n)
{
    double squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        squares += raw[i] * raw[i];
    }
    const double scale = 1.0 / sqrt(squares);
    for (size_t i = 0; i < n; i++) {
        out[i] = raw[i] * scale;
    }
}

/* raw := c * raw + sqrt(1 - c^2) * z; c = 0 starts a chain. */
static void step(double *raw, size_t n, double c, normal *stream)
{
    const double fresh = sqrt(1.0 - c * c);
    for (size_t i = 0; i < n; i++) {
        raw[i] = c * raw[i] + fresh * draw(stream);
    }
}

static void fill_dense(data_matrix *x, const data_lasso_design *design, double *raw)
{
    for (size_t j = 0; j < x->n_cols; j++) {
        normal stream = start(design, COLUMN, j);
        step(raw, x->n_rows, j > 0 ? design->correlation : 0.0, &stream);
        put_unit(x->value + j * x->n_rows, raw, x->n_rows);
    }
}

static void fill_sparse(data_matrix *x, const data_lasso_design *design, double *raw,
                        uint32_t *taken)
{
    const size_t k = design->column_entries;
    for (size_t j = 0; j < x->n_cols; j++) {
        normal stream = start(design, COLUMN, j);
        const bool shares = strads_random_uniform(&stream.random) < design->shared && j > 0;
        uint32_t *row = x->row + j * k;
        if (shares) {
            memcpy(row, row - k, k * sizeof(*row));
        } else {
            sample(&stream.random, row, k, x->n_rows, taken, (uint32_t) j + 1);
        }
        step(raw, k, shares ? design->correlation : 0.0, &stream);
        put_unit(x->value + j * k, raw, k);
        x->col_start[j + 1] = (int64_t) ((j + 1) * k);
    }
}

static strads_status make_matrix(data_matrix *x, const data_lasso_design *design)
{
    const size_t k = design->column_entries;
    const size_t a_column = k > 0 ? k : x->n_rows;
    double *raw = strads_calloc(a_column, sizeof(*raw));
    uint32_t *taken = strads_calloc(x->n_rows, sizeof(*taken));
    x->value = strads_alloc_array(x->n_cols * a_column, sizeof(*x->value));
    x->col_start = k > 0 ? strads_calloc(x->n_cols + 1, sizeof(*x->col_start)) : NULL;
    x->row = k > 0 ? strads_alloc_array(x->n_cols * k, sizeof(*x->row)) : NULL;
    strads_status status = STRADS_OK;
    if (raw == NULL || taken == NULL || x->value == NULL ||
        (k > 0 && (x->col_start == NULL || x->row == NULL))) {
        status = STRADS_ERR_NOMEM;
    } else if (k > 0) {
        fill_sparse(x, design, raw, taken);
    } else {
        fill_dense(x, design, raw);
    }
    strads_free(raw);
    strads_free(taken);
    return status;
}

/* Draws the informative columns and their coefficients, away from 0 for a dense
 * design, around +-1 for a sparse one. */
static strads_status make_coefficients(double *b, const data_lasso_design *design)
{
    uint32_t *taken = strads_calloc(design->n_cols, sizeof(*taken));
    uint32_t *chosen = strads_alloc_array(design->n_informative, sizeof(*chosen));
    const bool ready = taken != NULL && chosen != NULL;
    if (ready) {
        normal where = start(design, INFORMATIVE, 0);
        sample(&where.random, chosen, design->n_informative, design->n_cols, taken, 1);
        normal what = start(design, COEFFICIENT, 0);
        for (size_t i = 0; i < design->n_informative; i++) {
            const double sign = strads_random_uniform(&what.random) < 0.5 ? -1.0 : 1.0;
            b[chosen[i]] = design->column_entries > 0
                               ? sign + draw(&what)
                               : sign * (1.0 + strads_random_uniform(&what.random));
        }
    }
    strads_free(taken);
    strads_free(chosen);
    return ready ? STRADS_OK : STRADS_ERR_NOMEM;
}

/* y += x_j * weight */
static void add_column(double *y, const data_matrix *x, size_t j, double weight)
{
    if (x->col_start == NULL) {
        for (size_t i = 0; i < x->n_rows; i++) {
            y[i] += x->value[j * x->n_rows + i] * weight;
        }
        return;
    }
    for (int64_t k = x->col_start[j]; k < x->col_start[j + 1]; k++) {
        y[x->row[k]] += x->value[k] * weight;
    }
}

static void add_noise(double *y, size_t n, const data_lasso_design *design)
{
    double mean = 0.0;
    for (size_t i = 0; i < n; i++) {
        mean += y[i] / (double) n;
    }
    double variance = 0.0;
    for (size_t i = 0; i < n; i++) {
        variance += (y[i] - mean) * (y[i] - mean) / (double) n;
    }
    normal stream = start(design, NOISE, 0);
    for (size_t i = 0; i < n; i++) {
        y[i] += design->noise * sqrt(variance) * draw(&stream);
    }
}

static strads_status check_design(const data_lasso_design *design)
{
    const char *wrong = NULL;
    if (design->n_rows < 1 || design->n_rows >= UINT32_MAX) {
        wrong = "rows must be from 1 to 2^32 - 2";
    } else if (design->n_cols < 1 || design->n_cols >= UINT32_MAX) {
        wrong = "columns must be from 1 to 2^32 - 2";
    } else if (design->column_entries > design->n_rows) {
        wrong = "a column cannot have more entries than there are rows";
    } else if (!(design->correlation >= 0.0 && design->correlation < 1.0)) {
        wrong = "the correlation must be in [0, 1)";
    } else if (!(design->shared >= 0.0 && design->shared <= 1.0)) {
        wrong = "the share of shared supports must be in [0, 1]";
    } else if (design->n_informative > design->n_cols) {
        wrong = "there cannot be more informative columns than columns";
    } else if (!(design->noise >= 0.0) || !isfinite(design->noise)) {
        wrong = "the noise must be 0 or more, and finite";
    }
    if (wrong != NULL) {
        strads_error("generate lasso: %s", wrong);
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

strads_status data_lasso_generate(data_regression *out, double **coefficients,
                                  const data_lasso_design *design)
{
    strads_status status = check_design(design);
    if (status != STRADS_OK) {
        return status;
    }
    data_regression data = {.x = {.n_rows = design->n_rows, .n_cols = design->n_cols}};
    data.y = strads_calloc(design->n_rows, sizeof(*data.y));
    double *b = strads_calloc(design->n_cols, sizeof(*b));
    status = data.y != NULL && b != NULL ? make_matrix(&data.x, design) : STRADS_ERR_NOMEM;
    if (status == STRADS_OK) {
        status = make_coefficients(b, design);
    }
    if (status != STRADS_OK) {
        strads_error("generate lasso: no memory for %zu x %zu", design->n_rows, design->n_cols);
        data_regression_fini(&data);
        strads_free(b);
        return status;
    }
    for (size_t j = 0; j < design->n_cols; j++) {
        if (b[j] != 0.0) {
            add_column(data.y, &data.x, j, b[j]);
        }
    }
    add_noise(data.y, design->n_rows, design);
    *out = data;
    if (coefficients != NULL) {
        *coefficients = b;
    } else {
        strads_free(b);
    }
    return STRADS_OK;
}
