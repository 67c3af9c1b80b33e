/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/run.c - a whole run: load, solve, save, sum up. */
#include "strads/run.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "data/data.h"
#include "strads/job.h"
#include "strads/journal.h"
#include "strads/plugin.h"

void strads_stop_all(void)
{
    atomic_store_explicit(&job_stop_requested, true, memory_order_relaxed);
}

void strads_report_all(void)
{
    atomic_store_explicit(&job_report_requested, true, memory_order_relaxed);
}

void strads_stop_clear(void)
{
    atomic_store_explicit(&job_stop_requested, false, memory_order_relaxed);
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
    if (self->run.tables) {
        const strads_status status =
            table_totals_summarize(&self->table_totals, self->run.n_workers, summary);
        if (status != STRADS_OK) {
            return status;
        }
    }
    return self->app->save == NULL
               ? save_values(folder, outcome.values, self->structure.n_vars)
               : self->app->save(self->model, self->site, outcome.values, folder, summary);
}

static strads_status solve(job *self, coordinator_options *options, strads_result *result)
{
    const strads_status status = job_solve(self, options);
    if (status != STRADS_OK) {
        return status;
    }
    coordinator_outcome outcome;
    coordinator_finish(self->head, &outcome);
    result->verdict = outcome.verdict;
    result->last = outcome.last;
    result->guarded = outcome.guarded;
    result->solve_seconds = self->solve_seconds;
    self->callback_seconds += outcome.busy_seconds;
    return outcome.status;
}

static strads_status run_in_folder(job *self, coordinator_options *options, strads_summary *summary,
                                   strads_result *result)
{
    bool stopped = false;
    strads_status status = job_load(self, &stopped);
    stopped = stopped && self->team == NULL; /* with others the rounds end it, for all */
    result->load_seconds = strads_now() - self->started;
    result->n_vars = self->structure.n_vars;
    result->verdict = STRADS_STOPPED;
    if (status == STRADS_OK && !stopped) {
        status = solve(self, options, result);
    }
    status = processes_end(self->team, status);
    self->team = NULL;
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

strads_status strads_run(const strads_app *app, const strads_config *config,
                         void (*listen)(void *context, const strads_progress *progress),
                         void *context, strads_result *result)
{
    job self = {.app = app, .config = config, .started = strads_now()};
    const size_t n_errors = strads_log_n_errors();
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
        status = processes_form(&self.team, app, config, &self.run); /* before there are threads */
    }
    if (status == STRADS_OK && self.team != NULL) {
        run_options_set_workers(&self.run, config, processes_workers(self.team));
    }
    if (status == STRADS_OK) {
        status = journal_open(&book, strads_config_text(config, "run.out"), config);
    }
    if (status != STRADS_OK) {
        goto done;
    }
    coordinator_options options = {
        .n_errors = n_errors, .book = book, .listen = listen, .context = context};
    status = run_in_folder(&self, &options, summary, &outcome);
    outcome.verdict = status == STRADS_OK ? outcome.verdict : STRADS_FAILED;
    const strads_status summed = journal_summarize(book, &facts, summary);
    status = status == STRADS_OK ? summed : status;

done:
    (void) processes_end(self.team, status);
    job_fini(&self);
    journal_close(book);
    strads_summary_destroy(summary);
    if (status == STRADS_OK) {
        *result = outcome;
    }
    return status;
}
