/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/lasso_run.c - see lasso_run.h. */
#include "tests/support/lasso_run.h"

#include <stdlib.h>

#include "apps/lasso/lasso.h"
#include "data/data.h"
#include "tests/support/suite.h"

static strads_status describe_eagerly(const void *site, strads_structure *structure)
{
    const strads_status status = lasso_app.describe(site, structure);
    structure->parallel_cost = 0.0;
    return status;
}

const strads_app *lasso_case_eager_app(void)
{
    static strads_app app;
    app = lasso_app;
    app.describe = describe_eagerly;
    return &app;
}

static void read_back(const char *folder, size_t p, lasso_outcome *outcome)
{
    char path[160];
    double *intercept = NULL;
    size_t n = 0;
    snprintf(path, sizeof(path), "%s/coefficients.npy", folder);
    REQUIRE_OK(data_npy_read(&outcome->b, &n, path));
    REQUIRE(n == p);
    snprintf(path, sizeof(path), "%s/intercept.npy", folder);
    REQUIRE_OK(data_npy_read(&intercept, &n, path));
    REQUIRE(n == 1);
    outcome->intercept = intercept[0];
    strads_free(intercept);
}

lasso_outcome lasso_case_run(const lasso_case *self, const strads_app *app,
                             const char *const *settings)
{
    lasso_outcome outcome = {.b = NULL};
    strads_config *config = lasso_case_config(self, app, settings);
    REQUIRE(config != NULL);
    outcome.status = strads_run(app, config, NULL, NULL, &outcome.result);
    if (outcome.status == STRADS_OK) {
        read_back(strads_config_text(config, "run.out"), self->problem.p, &outcome);
    }
    strads_config_destroy(config);
    return outcome;
}

void lasso_outcome_fini(lasso_outcome *outcome)
{
    strads_free(outcome->b);
    outcome->b = NULL;
}

/* ---- against the oracle ---- */

lasso_answer lasso_case_solve(const lasso_case *self)
{
    lasso_answer best = {.b = calloc(self->problem.p, sizeof(double))};
    double violation = 1.0;
    REQUIRE(best.b != NULL);
    best.objective = lasso_oracle_solve(&self->problem, best.b, &best.intercept, &violation);
    CHECK(violation <= (self->problem.logistic ? 1e-12 : 1e-15));
    return best;
}

void lasso_answer_fini(lasso_answer *answer)
{
    free(answer->b);
    answer->b = NULL;
}

static bool same_coefficients(const lasso_problem *problem, const lasso_outcome *got,
                              const lasso_answer *best)
{
    double largest = 0.0;
    double off = 0.0;
    for (size_t j = 0; j < problem->p; j++) {
        largest = fmax(largest, fabs(best->b[j]));
        off = fmax(off, fabs(got->b[j] - best->b[j]));
    }
    return off <= 1e-6 * largest &&
           fabs(got->intercept - best->intercept) <= 1e-6 * (fabs(best->intercept) + largest);
}

/* What is wrong with the outcome; NULL: nothing. */
static const char *fault_of(const lasso_problem *problem, const lasso_outcome *got,
                            const lasso_answer *best, const lasso_asked *ask)
{
    const strads_progress *last = &got->result.last;
    if (got->result.verdict != STRADS_CONVERGED || !(last->gap <= ask->gap)) {
        return "it has not converged";
    }
    const double objective = lasso_oracle_objective(problem, got->b, got->intercept);
    const double rounding = 1e-13 * objective;
    if (fabs(last->objective - objective) > 1e-10 * objective) {
        return "the objective is not that of the coefficients";
    }
    if (objective < best->objective - rounding) {
        return "it is better than the oracle";
    }
    if (objective - best->objective > last->gap * objective + rounding) {
        return "the gap is no bound";
    }
    const bool compared = ask->gap < 1e-9 && !ask->many;
    return compared && !same_coefficients(problem, got, best) ? "the coefficients are off" : NULL;
}

bool lasso_case_holds(const lasso_case *self, const lasso_answer *best, const lasso_asked *ask)
{
    const lasso_problem *problem = &self->problem;
    char gap[40];
    char workers[40];
    snprintf(gap, sizeof(gap), "stop.gap=%g", ask->gap);
    snprintf(workers, sizeof(workers), "run.workers=%d", ask->workers);
    const char *settings[7] = {
        gap, workers, ask->schedule[0], ask->schedule[1], ask->schedule[2], ask->schedule[3]};
    lasso_outcome got =
        lasso_case_run(self, ask->app != NULL ? ask->app : lasso_case_eager_app(), settings);
    const char *fault = got.status == STRADS_OK ? fault_of(problem, &got, best, ask)
                                                : strads_status_name(got.status);
    if (fault != NULL) {
        printf(
            "%zu x %zu, lambda %g, l1_ratio %g, intercept %d, standardize %d, %s %s %s %s %s: %s: "
            "objective %.17g, optimum %.17g, gap %g, intercept %g, right %g\n",
            problem->n, problem->p, problem->lambda, problem->l1_ratio, problem->intercept,
            problem->standardize, workers, ask->schedule[0] == NULL ? "" : ask->schedule[0],
            ask->schedule[1] == NULL ? "" : ask->schedule[1],
            ask->schedule[2] == NULL ? "" : ask->schedule[2],
            ask->schedule[3] == NULL ? "" : ask->schedule[3], fault, got.result.last.objective,
            best->objective, got.result.last.gap, got.intercept, best->intercept);
    }
    lasso_outcome_fini(&got);
    return fault == NULL;
}
