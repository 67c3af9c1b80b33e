/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_peers.c - the objective is as low as scikit-learn's and
 * glmnet's, where one of them is installed; where it is not, its case says so and
 * passes.
 */
#include <string.h>

#include "tests/support/lasso_run.h"
#include "tests/support/suite.h"

enum { N = 60, P = 25 };

/* A program that solves a problem handed over in text files. */
typedef struct peer {
    const char *name;
    const char *probe; /* exits with 0 where the peer is installed */
    const char *command;
} peer;

static const peer sklearn = {.name = "scikit-learn",
                             .probe = "/usr/bin/python3 -c 'import sklearn' >/dev/null 2>&1",
                             .command = "/usr/bin/python3 tests/integration/peer_sklearn.py"};
static const peer glmnet = {.name = "glmnet",
                            .probe = "Rscript -e 'library(glmnet)' >/dev/null 2>&1",
                            .command = "Rscript tests/integration/peer_glmnet.R 2>/dev/null"};

static FILE *open_file(const char *name, const char *mode)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), name);
    FILE *file = fopen(path, mode);
    REQUIRE(file != NULL);
    return file;
}

static void write_problem(const lasso_problem *problem)
{
    FILE *x = open_file("peer-x.txt", "w");
    FILE *y = open_file("peer-y.txt", "w");
    for (size_t i = 0; i < problem->n; i++) {
        for (size_t j = 0; j < problem->p; j++) {
            fprintf(x, "%.17g ", problem->x[j * problem->n + i]);
        }
        fprintf(x, "\n");
        fprintf(y, "%.17g\n", problem->y[i]);
    }
    fclose(x);
    fclose(y);
}

/* The objective at what the peer finds. */
static double objective_of(const peer *other, const lasso_problem *problem)
{
    char command[512];
    double b[P];
    double intercept = 0.0;
    write_problem(problem);
    snprintf(command, sizeof(command), "%s %s %.17g %.17g %d %d", other->command, suite_folder(),
             problem->lambda, problem->l1_ratio, problem->intercept, problem->standardize);
    REQUIRE(system(command) == 0);
    FILE *file = open_file("peer-b.txt", "r");
    REQUIRE(fscanf(file, "%lf", &intercept) == 1);
    for (size_t j = 0; j < problem->p; j++) {
        REQUIRE(fscanf(file, "%lf", &b[j]) == 1);
    }
    fclose(file);
    return lasso_oracle_objective(problem, b, intercept);
}

static void check_against(const peer *other)
{
    static const struct {
        double l1_ratio;
        bool intercept, standardize;
    } cases[] = {{1.0, true, false}, {0.5, true, true}, {0.5, false, false}};
    static const char *const settings[] = {"stop.gap=1e-9", "run.workers=2", NULL};
    if (system(other->probe) != 0) {
        printf("%s is not installed: skipped\n", other->name);
        return;
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        lasso_case self = lasso_case_draw(N, P, 1.0, 71);
        self.problem.l1_ratio = cases[i].l1_ratio;
        self.problem.intercept = cases[i].intercept;
        self.problem.standardize = cases[i].standardize;
        self.problem.lambda = 0.05 * lasso_oracle_lambda_max(&self.problem);
        lasso_case_write(&self, false);
        lasso_outcome got = lasso_case_run(&self, lasso_case_eager_app(), settings);
        REQUIRE_OK(got.status);
        const double ours = lasso_oracle_objective(&self.problem, got.b, got.intercept);
        const double theirs = objective_of(other, &self.problem);
        CHECK_NEAR(ours, theirs, 1e-6 * theirs);
        if (!(fabs(ours - theirs) <= 1e-6 * theirs)) {
            printf("%s, case %zu: %.17g, here %.17g\n", other->name, i, theirs, ours);
        }
        lasso_outcome_fini(&got);
        lasso_case_fini(&self);
    }
}

static void the_objective_is_that_of_scikit_learn(void)
{
    check_against(&sklearn);
}

static void the_objective_is_that_of_glmnet(void)
{
    check_against(&glmnet);
}

SUITE("integration/peers",
      {"the objective is that of scikit-learn", the_objective_is_that_of_scikit_learn},
      {"the objective is that of glmnet", the_objective_is_that_of_glmnet})
