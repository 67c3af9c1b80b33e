/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/job.c - a whole run: load, solve, save, sum up. */
#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/part.h"
#include "data/data.h"
#include "strads/coordinator.h"
#include "strads/plugin.h"
#include "strads/round.h"
#include "strads/worker.h"

/* Messages that a worker and the coordinator may have under way to each other: a
 * round's PUSH and SYNC for each round in flight, a SCAN, a STAGE, a question. */
enum { QUEUE_MESSAGES = 32 };

static _Atomic bool stop_requested;

void strads_stop_all(void)
{
    atomic_store_explicit(&stop_requested, true, memory_order_relaxed);
}

void strads_stop_clear(void)
{
    atomic_store_explicit(&stop_requested, false, memory_order_relaxed);
}

const char *strads_verdict_name(strads_verdict verdict)
{
    static const char *const names[] = {[STRADS_CONVERGED] = "converged",
                                        [STRADS_COMPLETED] = "completed",
                                        [STRADS_STOPPED] = "stopped",
                                        [STRADS_FAILED] = "failed"};
    assert(verdict >= STRADS_CONVERGED && verdict <= STRADS_FAILED);
    return names[verdict];
}

typedef struct job {
    const strads_app *app;
    const strads_config *config;
    run_options run;
    net_cluster *cluster; /* to simulate; NULL: none */
    net_sim_account machines;
    void *site, *model;
    strads_structure structure;
    uint32_t *firsts; /* [n_workers + 1] ranges of variables */
    net *network;
    coordinator *head;
    strads_worker **workers; /* [n_workers] */
    double started;
    double callback_seconds; /* in the program's callbacks, on the critical path */
} job;

/* ---- the site ---- */

static strads_status check_structure(const strads_app *app, const strads_structure *structure)
{
    if (structure->n_vars == 0) {
        strads_error("%s: there are no variables", app->name);
        return STRADS_ERR_DATA;
    }
    if (structure->partial_width < 1 || structure->partial_width > 8) {
        strads_error("%s: describe gave a partial_width of %u; it is 1 to 8", app->name,
                     structure->partial_width);
        return STRADS_ERR_APP;
    }
    return STRADS_OK;
}

/* Cuts the variables into ranges of about equal cost. */
static strads_status cut_by_cost(job *self)
{
    const uint32_t n_vars = self->structure.n_vars;
    double total = 0.0;
    double cost = 0.0;
    for (uint32_t j = 0; j < n_vars; j++) {
        const strads_status status = round_cost(self->app, self->site, j, &cost);
        if (status != STRADS_OK) {
            return status;
        }
        total += cost;
    }
    double before = 0.0;
    uint32_t k = 1;
    for (uint32_t j = 0; j < n_vars; j++) {
        while (k < self->run.n_workers && before >= total * k / self->run.n_workers) {
            self->firsts[k++] = j;
        }
        before += self->app->cost == NULL ? 1.0 : self->app->cost(self->site, j);
    }
    while (k < self->run.n_workers) {
        self->firsts[k++] = n_vars;
    }
    return STRADS_OK;
}

static strads_status take_ranges(job *self)
{
    const uint32_t *firsts = self->structure.firsts;
    for (uint32_t k = 0; k <= self->run.n_workers; k++) {
        self->firsts[k] = firsts[k];
        if (firsts[k] > self->structure.n_vars || (k > 0 && firsts[k] < firsts[k - 1])) {
            strads_error("%s: describe gave ranges of variables that do not ascend to %u",
                         self->app->name, self->structure.n_vars);
            return STRADS_ERR_APP;
        }
    }
    return STRADS_OK;
}

/* A range of the variables a worker; where samples are split all are rank 0's, whom the
 * others only help. */
static strads_status cut_ranges(job *self)
{
    const uint32_t n_workers = self->run.n_workers;
    self->firsts = strads_calloc(n_workers + 1, sizeof(*self->firsts));
    if (self->firsts == NULL) {
        return STRADS_ERR_NOMEM;
    }
    self->firsts[n_workers] = self->structure.n_vars;
    if (self->structure.split == STRADS_SPLIT_SAMPLES) {
        for (uint32_t k = 1; k < n_workers; k++) {
            self->firsts[k] = self->structure.n_vars;
        }
        return STRADS_OK;
    }
    if (n_workers == 1) {
        return STRADS_OK;
    }
    return self->structure.firsts != NULL ? take_ranges(self) : cut_by_cost(self);
}

static strads_status open_site(job *self)
{
    const uint32_t ranks[] = {0, self->run.n_workers};
    strads_part part = {.count = 1, .ranks = ranks};
    strads_status status = self->app->open_site(self->config, &part, &self->site);
    if (status != STRADS_OK) {
        return status;
    }
    self->structure.partial_width = 1;
    status = self->app->describe(self->site, &self->structure);
    if (status == STRADS_OK) {
        status = check_structure(self->app, &self->structure);
    }
    if (status == STRADS_OK) {
        status = cut_ranges(self);
    }
    if (status == STRADS_OK && self->app->open_model != NULL) {
        status = self->app->open_model(self->config, self->site, &self->model);
    }
    return status;
}

/* ---- the nodes ---- */

static strads_status create_workers(job *self, double deadline)
{
    self->workers = strads_calloc(self->run.n_workers, sizeof(*self->workers));
    if (self->workers == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const bool samples = self->structure.split == STRADS_SPLIT_SAMPLES;
    for (uint32_t k = 0; k < self->run.n_workers; k++) {
        const worker_options options = {
            .app = self->app,
            .site = self->site,
            .rank = k,
            .n_workers = self->run.n_workers,
            .first = samples ? 0 : self->firsts[k],
            .n_vars = samples ? self->structure.n_vars : self->firsts[k + 1] - self->firsts[k],
            .structure = self->structure,
            .unguarded = !self->run.guard,
            .limits = {.deadline = deadline, .signal = &stop_requested}};
        const strads_status status = worker_create(&self->workers[k], &options);
        if (status != STRADS_OK) {
            return status;
        }
        net_attach(self->network, k + 1, worker_handle, self->workers[k]);
    }
    return STRADS_OK;
}

static strads_status create_nodes(job *self, const coordinator_options *options)
{
    strads_status status = create_workers(self, options->deadline);
    if (status == STRADS_OK) {
        status = coordinator_create(&self->head, options);
    }
    if (status == STRADS_OK) {
        net_attach(self->network, NET_COORDINATOR, coordinator_handle, self->head);
    }
    return status;
}

static void destroy_nodes(job *self)
{
    for (uint32_t k = 0; k < self->run.n_workers && self->workers != NULL; k++) {
        worker_destroy(self->workers[k]);
    }
    strads_free(self->workers);
    self->workers = NULL;
    net_destroy(self->network);
    self->network = NULL;
}

/* What the mean worker's machine did. */
static net_sim_account mean_account(const job *self)
{
    net_sim_account mean = {.computing = 0.0};
    const uint32_t n = self->run.n_workers;
    for (uint32_t k = 0; k < n; k++) {
        const net_sim_account one = net_sim_report(self->network, k + 1);
        mean.computing += one.computing / n;
        mean.idle += one.idle / n;
        mean.waiting += one.waiting / n;
        mean.exchanging += one.exchanging / n;
        mean.sending += one.sending / n;
        mean.n_messages += one.n_messages;
        mean.n_bytes += one.n_bytes;
    }
    mean.n_messages /= n;
    mean.n_bytes /= n;
    return mean;
}

/* Solves; afterwards only the coordinator, with the values, is left. */
static strads_status solve(job *self, coordinator_options *options, strads_result *result)
{
    const net_options nodes = {.n_nodes = self->run.n_workers + 1,
                               .queue_messages = QUEUE_MESSAGES,
                               .cluster = self->cluster};
    strads_status status = net_create(&self->network, self->run.driver, &nodes);
    if (status != STRADS_OK) {
        return status;
    }
    const double started = strads_now(); /* of sim, virtual */
    options->app = self->app;
    options->site = self->site;
    options->model = self->model;
    options->structure = self->structure;
    options->run = self->run;
    options->firsts = self->firsts;
    options->signal = &stop_requested;
    options->started = started;
    options->deadline = started + self->run.seconds;
    status = create_nodes(self, options);
    if (status == STRADS_OK) {
        status = net_run(self->network);
    }
    if (status == STRADS_OK) {
        coordinator_outcome outcome;
        coordinator_finish(self->head, &outcome);
        status = outcome.status;
        result->verdict = outcome.verdict;
        result->last = outcome.last;
        result->guarded = outcome.guarded;
        result->solve_seconds = strads_now() - started;
        self->callback_seconds += outcome.busy_seconds;
        if (self->cluster != NULL) {
            self->machines = mean_account(self);
        }
    }
    destroy_nodes(self);
    return status;
}

/* ---- what is left behind ---- */

static strads_status save_values(const char *folder, const double *values, size_t n)
{
    const size_t bytes = strlen(folder) + sizeof("/values.npy");
    char *path = strads_alloc(bytes);
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    snprintf(path, bytes, "%s/values.npy", folder);
    const strads_status status = data_npy_write(path, values, n, 0);
    strads_free(path);
    return status;
}

static strads_status save(job *self, const char *folder, strads_summary *summary)
{
    coordinator_outcome outcome;
    coordinator_finish(self->head, &outcome);
    return self->app->save == NULL
               ? save_values(folder, outcome.values, self->structure.n_vars)
               : self->app->save(self->model, self->site, outcome.values, folder, summary);
}

/* Loads, unless the run is to stop; *stopped: it is, before or since. */
static strads_status load(job *self, bool *stopped)
{
    const double started = strads_now();
    strads_status status = STRADS_OK;
    *stopped = atomic_load_explicit(&stop_requested, memory_order_relaxed);
    if (!*stopped) {
        status = open_site(self);
        *stopped = atomic_load_explicit(&stop_requested, memory_order_relaxed);
    }
    self->callback_seconds = strads_now() - started;
    return status;
}

static strads_status run_in_folder(job *self, coordinator_options *options, strads_summary *summary,
                                   strads_result *result)
{
    bool stopped = false;
    strads_status status = load(self, &stopped);
    result->load_seconds = strads_now() - self->started;
    result->n_vars = self->structure.n_vars;
    result->verdict = STRADS_STOPPED;
    if (status == STRADS_OK && !stopped) {
        status = solve(self, options, result);
    }
    if (status == STRADS_OK && !stopped) {
        const double solved = strads_now();
        status = save(self, strads_config_text(self->config, "run.out"), summary);
        self->callback_seconds += strads_now() - solved;
    }
    result->total_seconds = strads_now() - self->started;
    result->overhead_seconds = fmax(0.0, result->total_seconds - self->callback_seconds);
    if (self->cluster != NULL) {
        result->overhead_seconds = NAN; /* the two kinds of time do not mix */
    }
    result->overhead_fraction = result->overhead_seconds / result->total_seconds;
    return status;
}

static void close_site(job *self)
{
    coordinator_destroy(self->head);
    if (self->model != NULL) {
        self->app->close_model(self->model);
    }
    if (self->site != NULL) {
        self->app->close_site(self->site);
    }
    strads_free(self->firsts);
    net_cluster_destroy(self->cluster);
}

strads_status strads_run(const strads_app *app, const strads_config *config,
                         void (*listen)(void *context, const strads_progress *progress),
                         void *context, strads_result *result)
{
    job self = {.app = app, .config = config, .started = strads_now()};
    strads_result outcome = {.verdict = STRADS_FAILED, .last = {.objective = NAN, .gap = INFINITY}};
    journal *book = NULL;
    strads_summary *summary = NULL;
    summary_facts facts = {.app = app, .run = &self.run, .result = &outcome};
    strads_status status = strads_app_check(app);
    if (status == STRADS_OK) {
        status = run_options_read(&self.run, app, config, &self.cluster);
    }
    if (status == STRADS_OK) {
        facts.machines = self.cluster == NULL ? NULL : &self.machines;
        status = strads_summary_create(&summary, &facts);
    }
    if (status == STRADS_OK) {
        status = journal_open(&book, strads_config_text(config, "run.out"), config);
    }
    if (status != STRADS_OK) {
        goto done;
    }
    coordinator_options options = {.book = book, .listen = listen, .context = context};
    status = run_in_folder(&self, &options, summary, &outcome);
    outcome.verdict = status == STRADS_OK ? outcome.verdict : STRADS_FAILED;
    const strads_status summed = journal_summarize(book, &facts, summary);
    status = status == STRADS_OK ? summed : status;

done:
    close_site(&self);
    journal_close(book);
    strads_summary_destroy(summary);
    if (status == STRADS_OK) {
        *result = outcome;
    }
    return status;
}
