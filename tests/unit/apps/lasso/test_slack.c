/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lasso/test_slack.c - what a scan leaves out is below lambda, by the products
 * themselves.
 */
#include "apps/lasso/slack.h"

#include "base/mem.h"
#include "tests/support/lasso_case.h"
#include "tests/support/suite.h"
#include "tests/unit/apps/lasso/lone_worker.h"

enum { N = 40, P = 24 };

typedef struct opened {
    lasso_case data;
    strads_config *config;
    void *site;
    lasso_slack slack;
    double state[N + 1], gradient[P];
} opened;

/* Kinds differ in whether X is sparse, has an intercept, is standardized. */
static void open_all(opened *self, int kind)
{
    static const char *const settings[] = {NULL};
    const bool sparse = kind & 1;
    *self = (opened){.data = lasso_case_draw(N, P, sparse ? 0.3 : 1.0, 71)};
    self->data.problem.intercept = kind & 2;
    self->data.problem.standardize = kind & 4;
    lasso_case_write(&self->data, sparse);
    self->config = lasso_case_config(&self->data, &lasso_app, settings);
    REQUIRE(self->config != NULL);
    REQUIRE_OK(lasso_case_open(self->config, 1, &self->site));
    const lasso_site *site = self->site;
    for (size_t i = 0; i <= N; i++) {
        self->state[i] = site->target[i];
    }
}

static void close_all(opened *self)
{
    lasso_slack_fini(&self->slack);
    lasso_close_site(self->site);
    strads_config_destroy(self->config);
    lasso_case_fini(&self->data);
}

/* x_j'r of the column less its mean. */
static double product(const opened *self, uint32_t var)
{
    const lasso_site *site = self->site;
    double sum = 0.0;
    for (size_t i = 0; i < N; i++) {
        sum += self->state[i] + self->state[N];
    }
    double ones[N];
    for (size_t i = 0; i < N; i++) {
        ones[i] = 1.0;
    }
    return lasso_dot(site, var, self->state) + self->state[N] * lasso_dot(site, var, ones) -
           lasso_mean(site, var) * sum;
}

/* Scans at l1: finds what is listed, and checks the others; returns how many were listed. */
static size_t scan(opened *self, double l1)
{
    bool listed[P] = {false};
    REQUIRE_OK(
        lasso_slack_find_near(&self->slack, self->site, 0, P, self->state, self->gradient, l1));
    for (size_t i = 0; i < self->slack.n_near; i++) {
        const uint32_t var = self->slack.near[i];
        CHECK(!listed[var]);
        listed[var] = true;
        self->gradient[var] = product(self, var);
    }
    for (uint32_t j = 0; j < P; j++) {
        const double scale = lasso_scale(self->site, j);
        CHECK(listed[j] || fabs(product(self, j)) * scale < l1);
        CHECK(listed[j] || fabs(self->gradient[j]) * scale < l1);
    }
    return self->slack.n_near;
}

static void what_is_left_out_is_below_lambda(void)
{
    for (int kind = 0; kind < 8; kind++) {
        opened self;
        open_all(&self, kind);
        CHECK(scan(&self, 0.0) == P); /* lambda is not known yet */
        double largest = 0.0;
        for (uint32_t j = 0; j < P; j++) {
            largest = fmax(largest, fabs(self.gradient[j]) * lasso_scale(self.site, j));
        }
        size_t n_listed = 0;
        for (int i = 0; i < 60; i++) { /* steps of falling length along one column or another */
            const uint32_t var = (uint32_t) (7 * i % P);
            const double norm = sqrt(lasso_norm2(self.site, var));
            const double step = 2.0 * pow(0.8, i) / (norm > 0.0 ? norm : 1.0);
            lasso_add(self.site, var, -step, self.state);
            self.state[N] += step * lasso_mean(self.site, var);
            n_listed += scan(&self, 0.7 * largest);
        }
        CHECK(n_listed > 0);
        CHECK(n_listed < 60 * P / 2);
        close_all(&self);
    }
}

static void a_residual_that_stays_leaves_only_what_is_at_lambda(void)
{
    opened self;
    open_all(&self, 2);
    scan(&self, 0.0);
    double largest = 0.0;
    for (uint32_t j = 0; j < P; j++) {
        largest = fmax(largest, fabs(self.gradient[j]));
    }
    CHECK(scan(&self, 1.001 * largest) == 0);
    CHECK(scan(&self, largest) == 1);
    lasso_slack_forget(&self.slack, 3);
    CHECK(scan(&self, 1.001 * largest) == 1);
    CHECK(self.slack.near[0] == 3);
    CHECK(scan(&self, 0.0) == P);
    close_all(&self);
}

/* Gradients that are known up to a hundredth: those are listed that are wanted, and that may be the
 * largest of the others, which are not wanted. */
static void what_leads_is_listed_and_counts_as_found(void)
{
    for (int kind = 0; kind < 8; kind++) {
        uint8_t wanted[P] = {[5] = 1, [9] = 1};
        opened self;
        open_all(&self, kind);
        scan(&self, 0.0);
        double radius[P];
        double largest = 0.0;
        for (uint32_t j = 0; j < P; j++) {
            const double off = j % 2 > 0 ? 0.01 : 0.0;
            radius[j] = off * sqrt(lasso_norm2(self.site, j));
            self.gradient[j] += 0.9 * radius[j] * (j % 4 > 1 ? 1.0 : -1.0);
            lasso_slack_blur(&self.slack, j, off);
            const double least = (fabs(self.gradient[j]) - radius[j]) * lasso_scale(self.site, j);
            largest = wanted[j] ? largest : fmax(largest, least);
        }
        const size_t n = lasso_slack_find_leading(&self.slack, self.site, 0, self.gradient, wanted);
        CHECK(self.slack.n_near == P);
        size_t i = 0;
        for (uint32_t j = 0; j < P; j++) {
            const double most = (fabs(self.gradient[j]) + radius[j]) * lasso_scale(self.site, j);
            const bool is_listed = i < n && self.slack.near[i] == j;
            CHECK(is_listed == (wanted[j] || most >= largest * (1.0 - 1e-12)));
            if (is_listed) {
                self.gradient[j] = product(&self, j);
                i++;
            }
        }
        CHECK(i == n && n >= 3);
        /* Of what was found, nothing is in doubt; the others still are. */
        const double top = largest * 1.0001;
        for (uint32_t j = 0; j < P; j++) {
            wanted[j] = 0;
        }
        CHECK(scan(&self, top) <= n);
        close_all(&self);
    }
}

static void a_range_of_none_lists_none(void)
{
    opened self;
    open_all(&self, 0);
    for (int i = 0; i < 2; i++) {
        REQUIRE_OK(lasso_slack_find_near(&self.slack, self.site, P, 0, self.state, NULL, 1.0));
        CHECK(self.slack.n_near == 0);
    }
    close_all(&self);
}

static void the_failure_of_every_allocation_is_survived(void)
{
    opened self;
    open_all(&self, 0);
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    for (size_t i = 1; status != STRADS_OK && i < 10; i++) {
        strads_mem_fail_after(i);
        status =
            lasso_slack_find_near(&self.slack, self.site, 0, P, self.state, self.gradient, 0.0);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || strads_mem_live() == live);
    }
    CHECK_STATUS(status, STRADS_OK);
    close_all(&self);
}

SUITE("apps/lasso/slack", {"what is left out is below lambda", what_is_left_out_is_below_lambda},
      {"a residual that stays leaves only what is at lambda",
       a_residual_that_stays_leaves_only_what_is_at_lambda},
      {"what leads is listed and counts as found", what_leads_is_listed_and_counts_as_found},
      {"a range of none lists none", a_range_of_none_lists_none},
      {"the failure of every allocation is survived", the_failure_of_every_allocation_is_survived})
