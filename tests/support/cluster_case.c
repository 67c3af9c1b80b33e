/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/cluster_case.c - runs a drawn case, and judges what came of it. */
#include "tests/support/cluster_case.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "apps/lasso/lasso.h"
#include "base/mem.h"
#include "base/random.h"
#include "data/data.h"
#include "tests/support/lasso_run.h"
#include "tests/support/suite.h"
#include "tests/support/toy.h"

enum { CASE_SECONDS = 60 };

/* The objective is a sum in other orders from scan to scan. */
static const double ROUNDING = 1e-9;

/* The case under way. */
typedef struct trial {
    const cluster_case *drawn;
    cluster_outcome *outcome;
    strads_app app;
    double *cosines;    /* [n_vars][n_vars] */
    double optimum;     /* of the objective, by the oracle */
    double objective;   /* of what the run left */
    double allowed;     /* above the optimum when the run has converged */
    lasso_case problem; /* of Lasso */
    toy_problem *toy;   /* else */
} trial;

/* ---- the objective never rises, for the guard is on ---- */

static const strads_app *watched_app;
static double last_objective;
static char rise[WATCH_TEXT];

static strads_status watched_next_stage(void *model, const strads_view *view, strads_stage *stage)
{
    const strads_status status = watched_app->next_stage(model, view, stage);
    if (stage->objective > last_objective + ROUNDING * fabs(last_objective) && rise[0] == '\0') {
        snprintf(rise, sizeof(rise), "the objective rose from %.17g to %.17g by round %llu",
                 last_objective, stage->objective, (unsigned long long) view->round);
    }
    last_objective = stage->changed ? (double) INFINITY : stage->objective;
    return status;
}

static void watch_objective(trial *self, const strads_app *app)
{
    watched_app = app;
    self->app = *app;
    self->app.next_stage = watched_next_stage;
    last_objective = INFINITY;
    rise[0] = '\0';
}

/* ---- the problems ---- */

static double *numbers(size_t n)
{
    double *memory = calloc(n, sizeof(*memory));
    REQUIRE(memory != NULL);
    return memory;
}

/* x [n_vars][n_rows], centred if need be; exact zeros are no entries where `sparse`. */
static void find_cosines(trial *self, const double *x, bool centred, bool sparse)
{
    const size_t n = self->drawn->n_rows;
    const size_t p = self->drawn->n_vars;
    double *z = numbers(n * p);
    for (size_t j = 0; j < p; j++) {
        double mean = 0.0, squares = 0.0;
        for (size_t i = 0; i < n; i++) {
            mean += centred ? x[j * n + i] / (double) n : 0.0;
        }
        for (size_t i = 0; i < n; i++) {
            z[j * n + i] = x[j * n + i] - mean;
            squares += z[j * n + i] * z[j * n + i];
        }
        for (size_t i = 0; i < n && squares > 0.0; i++) {
            z[j * n + i] /= sqrt(squares);
        }
    }
    self->cosines = numbers(p * p);
    for (size_t j = 0; j < p; j++) {
        for (size_t k = 0; k < p; k++) {
            double sum = 0.0;
            bool meet = !sparse; /* columns that share no row are taken for apart */
            for (size_t i = 0; i < n; i++) {
                sum += z[j * n + i] * z[k * n + i];
                meet = meet || (x[j * n + i] != 0.0 && x[k * n + i] != 0.0);
            }
            self->cosines[j * p + k] = meet ? fabs(sum) : 0.0;
        }
    }
    free(z);
}

static void make_toy(trial *self)
{
    static const double noises[] = {0.3, 0.6, 1.0, 3.0};
    const cluster_case *drawn = self->drawn;
    strads_random random = strads_random_start(drawn->seed, 8);
    const toy_shape shape = {.n_rows = drawn->n_rows,
                             .n_vars = drawn->n_vars,
                             .n_copies = 1 + strads_random_bits(&random) % 6,
                             .noise = noises[strads_random_bits(&random) % 4],
                             .ridge = 0.5 + strads_random_uniform(&random),
                             .seed = strads_random_bits(&random)};
    static strads_app app;
    app = toy_app();
    self->toy = toy_create(&shape);
    toy_start();
    self->optimum = toy_objective(self->toy->optimum);
    find_cosines(self, self->toy->x, false, false);
    watch_objective(self, &app);
}

/* F is strongly convex with the ridge, and the gap is that of the largest step to that at
 * 0, which is the gradient over the curvature:  F - F* <= |gradient|^2 / (2 ridge). */
static double toy_allowance(const trial *self)
{
    const toy_problem *toy = self->toy;
    const size_t rows = toy->shape.n_rows;
    double first = 0.0, squares = 0.0;
    for (uint32_t j = 0; j < toy->shape.n_vars; j++) {
        double slope = 0.0, curvature = toy->shape.ridge;
        for (size_t i = 0; i < rows; i++) {
            slope += toy->x[j * rows + i] * toy->y[i];
            curvature += toy->x[j * rows + i] * toy->x[j * rows + i];
        }
        first = fmax(first, fabs(slope) / curvature);
        squares += curvature * curvature;
    }
    return pow(self->drawn->gap * first, 2.0) * squares / (2.0 * toy->shape.ridge);
}

static void run_toy(trial *self)
{
    const cluster_case *drawn = self->drawn;
    const char *settings[CLUSTER_SETTINGS];
    for (size_t i = 0; i < drawn->n_settings; i++) {
        settings[i] = drawn->settings[i];
    }
    self->outcome->status =
        toy_run(self->toy, &self->app, settings, drawn->n_settings, &self->outcome->result);
    self->objective = toy_objective(toy_values());
    self->allowed = toy_allowance(self);
}

static void make_lasso(trial *self)
{
    static const double ratios[] = {0.5, 0.1, 0.02};
    const cluster_case *drawn = self->drawn;
    strads_random random = strads_random_start(drawn->seed, 8);
    self->problem = lasso_case_draw(drawn->n_rows, drawn->n_vars, drawn->sparse ? 0.2 : 1.0,
                                    strads_random_bits(&random));
    lasso_problem *problem = &self->problem.problem;
    problem->l1_ratio = strads_random_below(&random, 2) == 0 ? 1.0 : 0.5;
    problem->intercept = strads_random_below(&random, 3) > 0;
    problem->standardize = strads_random_below(&random, 2) == 0;
    problem->lambda = ratios[strads_random_below(&random, 3)] * lasso_oracle_lambda_max(problem);
    lasso_answer best = lasso_case_solve(&self->problem);
    self->optimum = best.objective;
    lasso_answer_fini(&best);
    lasso_case_write(&self->problem, drawn->sparse);
    find_cosines(self, problem->x, problem->intercept, drawn->sparse);
    watch_objective(self, lasso_case_eager_app());
}

static void run_lasso(trial *self)
{
    const cluster_case *drawn = self->drawn;
    const char *settings[CLUSTER_SETTINGS + 1] = {NULL};
    for (size_t i = 0; i < drawn->n_settings; i++) {
        settings[i] = drawn->settings[i];
    }
    lasso_outcome outcome = lasso_case_run(&self->problem, &self->app, settings);
    self->outcome->status = outcome.status;
    self->outcome->result = outcome.result;
    if (outcome.status == STRADS_OK) {
        self->objective =
            lasso_oracle_objective(&self->problem.problem, outcome.b, outcome.intercept);
        self->allowed = drawn->gap * self->objective;
    }
    lasso_outcome_fini(&outcome);
}

/* ---- the verdict ---- */

static STRADS_PRINTF(2, 3) void complain(cluster_outcome *outcome, const char *format, ...)
{
    if (outcome->wrong[0] == '\0') {
        va_list list;
        va_start(list, format);
        vsnprintf(outcome->wrong, WATCH_TEXT, format, list);
        va_end(list);
    }
}

static bool reached_a_limit(const trial *self)
{
    const strads_progress *last = &self->outcome->result.last;
    return (double) last->round >= self->drawn->rounds ||
           self->outcome->seen.end > self->drawn->seconds;
}

static void judge_end(trial *self)
{
    const cluster_case *drawn = self->drawn;
    cluster_outcome *outcome = self->outcome;
    switch (outcome->result.verdict) {
    case STRADS_CONVERGED:
        if (!(self->objective - self->optimum <= self->allowed + ROUNDING * fabs(self->optimum))) {
            complain(outcome, "converged with the objective %.17g, the optimum is %.17g",
                     self->objective, self->optimum);
        }
        break;
    case STRADS_COMPLETED:
    case STRADS_STOPPED:
        if (!reached_a_limit(self) && !(drawn->gap == 0.0 && outcome->result.last.gap < 1e-12)) {
            complain(outcome, "%s before any limit: gap %g after %llu rounds and %g seconds",
                     strads_verdict_name(outcome->result.verdict), outcome->result.last.gap,
                     (unsigned long long) outcome->result.last.round, outcome->seen.end);
        }
        break;
    default:
        complain(outcome, "failed without a status");
    }
    if (self->objective < self->optimum - ROUNDING * fabs(self->optimum)) {
        complain(outcome, "the objective %.17g is below the optimum %.17g", self->objective,
                 self->optimum);
    }
}

/* A machine was lost, or cut off for good, and the run says so. */
static void judge_loss(trial *self)
{
    cluster_outcome *outcome = self->outcome;
    if (outcome->status != STRADS_ERR_CLOSED || !(self->drawn->fatal <= outcome->seen.end)) {
        complain(outcome, "ended with status %s, though no machine was lost",
                 strads_status_name(outcome->status));
    } else if (strstr(outcome->said, " ended unexpectedly") == NULL &&
               strstr(outcome->said, " has lost another worker") == NULL &&
               strstr(outcome->said, "the coordinator's machine was lost at ") == NULL) {
        complain(outcome, "ended for a loss without saying so: %.150s", outcome->said);
    }
}

static void run_quietly(void *context)
{
    trial *self = context;
    if (self->drawn->lasso) {
        run_lasso(self);
    } else {
        run_toy(self);
    }
}

static const int bad_ends[] = {SIGALRM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
static char last_words[80]; /* of a case that hangs or aborts */

/* Says which case it is and what it said; stderr is a file while it runs. */
static void on_bad_end(int number)
{
    char text[512];
    ssize_t n = write(STDOUT_FILENO, last_words, strlen(last_words));
    n += write(STDOUT_FILENO, number == SIGALRM ? "hangs\n" : "aborts\n", 6 + (number != SIGALRM));
    n += write(STDOUT_FILENO, watch_complaint(), strlen(watch_complaint()));
    n += write(STDOUT_FILENO, "\n", 1);
    for (lseek(STDERR_FILENO, 0, SEEK_SET); n > 0;) {
        n = read(STDERR_FILENO, text, sizeof(text));
        n = n > 0 ? write(STDOUT_FILENO, text, (size_t) n) : 0;
    }
    _exit(1);
}

static void expect_the_worst(uint64_t seed)
{
    snprintf(last_words, sizeof(last_words), "\nseed %llu ", (unsigned long long) seed);
    for (size_t i = 0; i < sizeof(bad_ends) / sizeof(bad_ends[0]); i++) {
        signal(bad_ends[i], on_bad_end);
    }
    alarm(CASE_SECONDS);
}

static void run_watched(trial *self)
{
    const cluster_case *drawn = self->drawn;
    cluster_outcome *outcome = self->outcome;
    const watch_terms terms = {.n_vars = drawn->n_vars,
                               .partial_width = drawn->lasso ? LASSO_PARTIAL_WIDTH : 1,
                               .pipeline = drawn->pipeline,
                               .rho = drawn->rho,
                               .in_flight = drawn->in_flight,
                               .owners = drawn->columns,
                               .alike = drawn->rows,
                               .cosines = self->cosines};
    const size_t live = strads_mem_live();
    expect_the_worst(drawn->seed);
    watch_begin(&terms);
    outcome->said = suite_stderr_of(run_quietly, self);
    outcome->seen = watch_end(outcome->status == STRADS_OK && drawn->fatal == INFINITY);
    alarm(0);
    for (size_t i = 0; i < sizeof(bad_ends) / sizeof(bad_ends[0]); i++) {
        signal(bad_ends[i], SIG_DFL);
    }
    if (strads_mem_live() != live + 1) { /* what it said */
        complain(outcome, "%zu allocations are left", strads_mem_live() - live - 1);
    }
    complain(outcome, "%s", outcome->seen.complaint);
    complain(outcome, "%s", rise);
    outcome->verdict_text = outcome->status == STRADS_OK
                                ? strads_verdict_name(outcome->result.verdict)
                                : strads_status_name(outcome->status);
    if (outcome->status == STRADS_OK) {
        judge_end(self);
    } else {
        judge_loss(self);
    }
}

cluster_outcome cluster_case_run(const cluster_case *drawn)
{
    cluster_outcome outcome = {.status = STRADS_OK};
    trial self = {.drawn = drawn, .outcome = &outcome};
    if (drawn->lasso) {
        make_lasso(&self);
        run_watched(&self);
        remove(self.problem.x_path);
        remove(self.problem.y_path);
        lasso_case_fini(&self.problem);
    } else {
        make_toy(&self);
        run_watched(&self);
        toy_destroy(self.toy);
    }
    free(self.cosines);
    return outcome;
}
