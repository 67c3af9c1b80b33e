/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lasso/test_rows.c - a site of which every worker has some rows: what is
 * known of the columns against the data as they are, whoever hosts which worker.
 */
#include <string.h>

#include "apps/lasso/lasso.h"
#include "base/mem.h"
#include "tests/support/lasso_case.h"
#include "tests/support/parts.h"
#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/lone_worker.h"

enum { N = 40, P = 5, CONSTANT = 3, N_WORKERS = 7, N_KINDS = 8 };

static const char *const settings[] = {"data.partition=rows", NULL};

/* The site of every process. */
typedef struct team {
    strads_config *config;
    uint32_t count;
    void *sites[PARTS_MOST];
    strads_status status;
} team;

static strads_status open_part(void *context, strads_part *part)
{
    team *self = context;
    return lasso_open_site(self->config, part, &self->sites[part->index]);
}

static void open_all(void *context)
{
    team *self = context;
    memset(self->sites, 0, sizeof(self->sites));
    self->status = parts_run(self->count, N_WORKERS, open_part, self);
}

static void close_all(team *self)
{
    for (uint32_t i = 0; i < self->count; i++) {
        lasso_close_site(self->sites[i]);
    }
}

/* Kinds differ in whether X is sparse, has an intercept, is standardized; a column has one
 * value, of which floating point makes no mean that is the same in every order. */
static lasso_case draw(int kind)
{
    lasso_case data = lasso_case_draw(N, P, kind & 1 ? 0.3 : 1.0, 71);
    data.problem.intercept = kind & 2;
    data.problem.standardize = kind & 4;
    for (size_t i = 0; i < N; i++) {
        data.x[CONSTANT * N + i] = 0.1;
        data.y[i] += 1e3;
    }
    lasso_case_write(&data, kind & 1);
    return data;
}

static long double mean_of(const double *v)
{
    long double sum = 0.0L;
    for (size_t i = 0; i < N; i++) {
        sum += v[i];
    }
    return sum / N;
}

static long double squares_about(const double *v, long double centre)
{
    long double sum = 0.0L;
    for (size_t i = 0; i < N; i++) {
        sum += (v[i] - centre) * (v[i] - centre);
    }
    return sum;
}

static void check_near(double value, long double right)
{
    CHECK_NEAR(value, (double) right, 1e-12 * (1.0 + fabs((double) right)));
}

static void check_columns(const lasso_site *site, const lasso_problem *problem)
{
    for (size_t j = 0; j < P; j++) {
        const double *x = problem->x + j * N;
        const long double mean = mean_of(x);
        const long double about_mean = j == CONSTANT ? 0.0L : squares_about(x, mean);
        check_near(site->norm2[j], problem->intercept ? about_mean : squares_about(x, 0.0L));
        CHECK((site->centre != NULL) == problem->intercept);
        CHECK((site->scale != NULL) == problem->standardize);
        if (problem->intercept) {
            check_near(site->centre[j], mean);
        }
        if (problem->standardize) {
            check_near(site->scale[j], j == CONSTANT ? 0.0L : sqrtl(N / about_mean));
        }
    }
    const long double mean = problem->intercept ? mean_of(problem->y) : 0.0L;
    check_near(site->y_mean, mean);
    CHECK_NEAR(site->y_squares, (double) squares_about(problem->y, mean_of(problem->y)),
               1e-15 * (double) squares_about(problem->y, 0.0L));
}

/* Returns how many rows the shard has, which begin at `row`; dense columns have lost their
 * mean, sparse ones have not. */
static size_t check_shard(const lasso_site *shard, const lasso_problem *problem, size_t row)
{
    for (size_t i = 0; i < shard->x.n_rows; i++) {
        check_near(shard->target[i], problem->y[row + i] - (long double) shard->y_mean);
    }
    CHECK(shard->target[shard->x.n_rows] == 0.0);
    for (size_t j = 0; j < P; j++) {
        double held[N] = {0.0};
        lasso_add(shard, (uint32_t) j, 1.0, held);
        const bool lost = shard->mean == NULL && shard->centre != NULL;
        const long double less = lost ? mean_of(problem->x + j * N) : 0.0L;
        for (size_t i = 0; i < shard->x.n_rows; i++) {
            check_near(held[i], problem->x[j * N + row + i] - less);
        }
        CHECK(shard->norm2[j] == lasso_norm2(shard, (uint32_t) j));
    }
    return shard->x.n_rows;
}

/* That both know the same bits of the columns. */
static bool same_bits(const lasso_site *a, const lasso_site *b)
{
    const size_t bytes = P * sizeof(double);
    return memcmp(a->norm2, b->norm2, bytes) == 0 && a->y_mean == b->y_mean &&
           a->y_squares == b->y_squares &&
           (a->centre == NULL || memcmp(a->centre, b->centre, bytes) == 0) &&
           (a->scale == NULL || memcmp(a->scale, b->scale, bytes) == 0);
}

static void columns_are_known_alike_by_all(void)
{
    for (int kind = 0; kind < N_KINDS; kind++) {
        lasso_case data = draw(kind);
        team alone = {.config = lasso_case_config(&data, &lasso_app, settings), .count = 1};
        REQUIRE(alone.config != NULL);
        open_all(&alone);
        REQUIRE_OK(alone.status);
        check_columns(alone.sites[0], &data.problem);
        for (uint32_t count = 2; count <= N_WORKERS; count += 2) {
            team self = {.config = alone.config, .count = count};
            open_all(&self);
            REQUIRE_OK(self.status);
            size_t row = 0;
            for (uint32_t k = 0; k < N_WORKERS; k++) {
                const uint32_t host = ((k + 1) * count - 1) / N_WORKERS;
                const lasso_site *site = self.sites[host];
                CHECK(same_bits(site, alone.sites[0]));
                row += check_shard(lasso_site_of(site, k), &data.problem, row);
            }
            CHECK(row == N);
            close_all(&self);
        }
        close_all(&alone);
        strads_config_destroy(alone.config);
        lasso_case_fini(&data);
    }
}

/* Each is far from overflow in every shard, and not in all. */
static void sums_out_of_range_are_refused_with_the_place(void)
{
    for (int kind = 0; kind < 2; kind++) {
        lasso_case data = lasso_case_draw(N, P, 1.0, 72);
        double *numbers = kind == 0 ? data.x + 2 * N : data.y;
        for (size_t i = 0; i < N; i++) {
            numbers[i] = (i % 2 == 0 ? 1.0 : -1.0) * 4e153;
        }
        lasso_case_write(&data, false);
        team self = {.config = lasso_case_config(&data, &lasso_app, settings), .count = 3};
        REQUIRE(self.config != NULL);
        char *said = suite_stderr_of(open_all, &self);
        CHECK_STATUS(self.status, STRADS_ERR_NUMERIC);
        CHECK(strstr(said, kind == 0 ? "column 2 (the first is 0)" : "the squares of y, ") != NULL);
        strads_free(said);
        strads_config_destroy(self.config);
        lasso_case_fini(&data);
    }
}

/* A site opened alone, of which allocation n fails. */
typedef struct failing {
    const strads_config *config;
    size_t n;
    void *site;
    strads_status status;
} failing;

static void open_failing(void *context)
{
    failing *self = context;
    strads_mem_fail_after(self->n);
    self->status = lasso_case_open(self->config, 3, &self->site);
    strads_mem_fail_after(0);
}

static void every_allocation_may_fail(void)
{
    for (int kind = 6; kind < N_KINDS; kind++) {
        lasso_case data = draw(kind);
        strads_config *config = lasso_case_config(&data, &lasso_app, settings);
        REQUIRE(config != NULL);
        const size_t live = strads_mem_live();
        failing self = {.config = config, .status = STRADS_ERR_NOMEM};
        while (self.status != STRADS_OK && self.n++ < 400) {
            strads_free(suite_stderr_of(open_failing, &self));
            CHECK(self.status == STRADS_OK || self.status == STRADS_ERR_NOMEM);
            if (self.status == STRADS_OK) {
                lasso_close_site(self.site);
            }
            CHECK(strads_mem_live() == live);
        }
        CHECK_STATUS(self.status, STRADS_OK);
        strads_config_destroy(config);
        lasso_case_fini(&data);
    }
}

SUITE("apps/lasso/rows",
      {"columns are known alike by all, and as they are", columns_are_known_alike_by_all},
      {"sums that are out of range are refused with the place",
       sums_out_of_range_are_refused_with_the_place},
      {"every allocation may fail", every_allocation_may_fail})
