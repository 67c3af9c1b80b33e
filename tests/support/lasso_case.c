/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/lasso_case.c - see lasso_case.h. */
#include "tests/support/lasso_case.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "apps/lasso/lasso.h"
#include "base/part.h"
#include "data/data.h"
#include "tests/support/suite.h"

/* ---- drawing ---- */

/* xorshift64*, in (-1, 1). */
static double draw(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double) (int64_t) (*state * 2685821657736338717u) / 9223372036854775808.0;
}

static double *numbers(size_t n)
{
    double *memory = calloc(n, sizeof(*memory));
    if (memory == NULL) {
        perror("lasso_case");
        exit(2);
    }
    return memory;
}

lasso_case lasso_case_draw(size_t n, size_t p, double density, unsigned seed)
{
    uint64_t state = 88172645463325252u + 7919u * seed;
    lasso_case self = {.x = numbers(n * p), .y = numbers(n)};
    const double offset = 3.0 * draw(&state);
    for (size_t j = 0; j < p; j++) {
        const double scale = exp(draw(&state));
        const double mean = draw(&state);
        const double b = j % 5 == 2 ? 2.0 * draw(&state) / scale : 0.0;
        for (size_t i = 0; i < n; i++) {
            const double before = j > 0 ? self.x[(j - 1) * n + i] : 0.0;
            const double fresh = scale * (mean + draw(&state));
            const bool there = 0.5 * (draw(&state) + 1.0) < density;
            self.x[j * n + i] = there ? 0.5 * before + fresh : 0.0;
            self.y[i] += b * self.x[j * n + i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        self.y[i] += offset + 0.3 * draw(&state);
    }
    self.problem = (lasso_problem){
        .n = n, .p = p, .x = self.x, .y = self.y, .l1_ratio = 1.0, .intercept = true};
    return self;
}

void lasso_case_classify(lasso_case *self, unsigned seed, double low)
{
    uint64_t state = 2862933555777941757u + 7919u * seed;
    const size_t n = self->problem.n;
    double mean = 0.0;
    double spread = 0.0;
    for (size_t i = 0; i < n; i++) {
        mean += self->y[i] / (double) n;
    }
    for (size_t i = 0; i < n; i++) {
        spread += fabs(self->y[i] - mean) / (double) n;
    }
    for (size_t i = 0; i < n; i++) {
        self->y[i] = self->y[i] - mean > spread * draw(&state) ? 1.0 : low;
    }
    self->problem.logistic = true;
}

lasso_case lasso_case_of(size_t n, size_t p, const double *x, const double *y)
{
    lasso_case self = {.x = numbers(n * p), .y = numbers(n)};
    memcpy(self.x, x, n * p * sizeof(*x));
    memcpy(self.y, y, n * sizeof(*y));
    self.problem = (lasso_problem){
        .n = n, .p = p, .x = self.x, .y = self.y, .l1_ratio = 1.0, .intercept = true};
    return self;
}

void lasso_case_fini(lasso_case *self)
{
    free(self->x);
    free(self->y);
    *self = (lasso_case){.x = NULL};
}

/* ---- files ---- */

static data_matrix sparse_of(const lasso_problem *problem)
{
    data_matrix m = {.n_rows = problem->n, .n_cols = problem->p};
    m.col_start = calloc(problem->p + 1, sizeof(*m.col_start));
    m.row = calloc(problem->n * problem->p, sizeof(*m.row));
    m.value = numbers(problem->n * problem->p);
    int64_t k = 0;
    for (size_t j = 0; j < problem->p && m.row != NULL && m.col_start != NULL; j++) {
        for (size_t i = 0; i < problem->n; i++) {
            if (problem->x[j * problem->n + i] != 0.0) {
                m.row[k] = (uint32_t) i;
                m.value[k++] = problem->x[j * problem->n + i];
            }
        }
        m.col_start[j + 1] = k;
    }
    return m;
}

void lasso_case_write(lasso_case *self, bool sparse)
{
    static int n_written;
    const lasso_problem *problem = &self->problem;
    strads_status status = STRADS_OK;
    n_written++;
    snprintf(self->x_path, sizeof(self->x_path), "%s/x%d", suite_folder(), n_written);
    snprintf(self->y_path, sizeof(self->y_path), "%s/y%d", suite_folder(), n_written);
    if (sparse) {
        data_matrix m = sparse_of(problem);
        status = data_matrix_market_write(self->x_path, &m);
        free(m.col_start);
        free(m.row);
        free(m.value);
    } else {
        status = data_npy_write(self->x_path, problem->x, problem->n, problem->p);
    }
    REQUIRE_OK(status);
    REQUIRE_OK(data_npy_write(self->y_path, problem->y, problem->n, 0));
}

/* ---- configuration ---- */

static STRADS_PRINTF(2, 3) void set(strads_config *config, const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    REQUIRE_OK(strads_config_set(config, text));
}

strads_config *lasso_case_config(const lasso_case *self, const strads_app *app,
                                 const char *const *settings)
{
    const lasso_problem *problem = &self->problem;
    strads_config *config = NULL;
    size_t n_options = 0;
    const strads_option *options = strads_options(&n_options);
    REQUIRE_OK(strads_config_create(&config));
    set(config, "app=lasso");
    set(config, "data.path=%s", self->x_path);
    set(config, "data.y=%s", self->y_path);
    set(config, "run.out=%s/out", suite_folder());
    set(config, "lasso.l1_ratio=%.17g", problem->l1_ratio);
    set(config, "lasso.intercept=%s", problem->intercept ? "true" : "false");
    set(config, "lasso.standardize=%s", problem->standardize ? "true" : "false");
    set(config, "lasso.loss=%s", problem->logistic ? "logistic" : "squared");
    if (problem->lambda > 0.0) {
        set(config, "lasso.lambda=%.17g", problem->lambda);
    }
    for (; *settings != NULL; settings++) {
        set(config, "%s", *settings);
    }
    REQUIRE_OK(strads_config_declare(config, options, n_options));
    REQUIRE_OK(strads_config_declare(config, app->options, app->n_options));
    if (strads_config_resolve(config) != STRADS_OK) {
        strads_config_destroy(config);
        return NULL;
    }
    return config;
}

strads_status lasso_case_open(const strads_config *config, uint32_t n_workers, void **site)
{
    const uint32_t ranks[] = {0, n_workers};
    strads_part part = {.count = 1, .ranks = ranks};
    return lasso_open_site(config, &part, site);
}
