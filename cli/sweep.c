/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/sweep.c - a sweep from its first case to its last; see sweep.h. */
#define _GNU_SOURCE /* mkdtemp, nftw */
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/tasks.h"
#include "cli/progress.h"
#include "cli/sweep.h"

typedef struct sweep {
    const sweep_request *request;
    sweep_plan plan;
    uint8_t *states; /* [n_cases] sweep_state */
    sweep_table table;
    const char *folder; /* of the cases */
    char *temporary;    /* the same, when it is to be removed; NULL: it is kept */
    cli_progress progress;

    sweep_run *runs; /* [max_runs] those running now */
    size_t n_runs, max_runs;
    size_t next; /* the case that is looked at next */
    size_t n_done, n_failed;
    int signal;           /* that ends the sweep; 0: none */
    strads_status status; /* the first error, which ends it too */
} sweep;

/* ---- folders ---- */

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void) info;
    (void) kind;
    (void) walk;
    return remove(path);
}

static void remove_folder(const char *folder)
{
    if (nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT) {
        strads_warn("%s: cannot be removed: %s", folder, strerror(errno));
    }
}

static strads_status choose_folder(sweep *self)
{
    self->folder = self->plan.folder;
    if (self->folder != NULL) {
        return STRADS_OK;
    }
    static const char name[] = "strads-sweep-XXXXXX";
    const char *place = getenv("TMPDIR");
    place = place != NULL && place[0] != '\0' ? place : "/tmp";
    const size_t bytes = strlen(place) + sizeof(name) + 1;
    char *path = strads_alloc(bytes);
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    snprintf(path, bytes, "%s/%s", place, name);
    if (mkdtemp(path) == NULL) {
        strads_error("%s: cannot make a temporary folder: %s", place, strerror(errno));
        strads_free(path);
        return STRADS_ERR_IO;
    }
    self->temporary = path;
    self->folder = path;
    return STRADS_OK;
}

/* ---- what the user sees ---- */

static void show_line(const sweep *self)
{
    if (self->progress.terminal != NULL && strads_log_get_level() >= STRADS_LOG_INFO) {
        fprintf(self->progress.terminal, "\033[K%zu of %zu cases, %zu running\r", self->n_done,
                self->plan.n_cases, self->n_runs);
        fflush(self->progress.terminal);
    }
}

static strads_status tell_case(sweep *self, const sweep_run *run, const sweep_outcome *outcome)
{
    char *name = NULL;
    const strads_status status = sweep_plan_name(&self->plan, run->index, false, &name);
    if (status != STRADS_OK) {
        return status;
    }
    const bool failed = outcome->error[0] != '\0';
    cli_progress_end(&self->progress);
    strads_log(failed ? STRADS_LOG_WARN : STRADS_LOG_INFO, "%zu of %zu: %s: %s in %.2f s%s%s",
               self->n_done, self->plan.n_cases, name, outcome->status, strads_now() - run->started,
               failed ? ": " : "", outcome->error);
    strads_free(name);
    return STRADS_OK;
}

/* ---- cases ---- */

/* Whether a case keeps no more than one core busy, so that others may run beside it: a
 * simulated cluster runs on one thread, the other drivers use all there is. */
static bool shares_cores(const sweep *self, size_t index)
{
    const char *driver = sweep_plan_value_of(&self->plan, index, "run.driver");
    return strcmp(driver != NULL ? driver : self->plan.driver, "sim") == 0;
}

static bool may_start(sweep *self)
{
    while (self->next < self->plan.n_cases && self->states[self->next] != SWEEP_TODO) {
        self->next++;
    }
    if (self->next == self->plan.n_cases || self->signal != 0 || self->status != STRADS_OK) {
        return false;
    }
    return self->n_runs == 0 || (self->n_runs < self->max_runs && shares_cores(self, self->next) &&
                                 shares_cores(self, self->runs[0].index));
}

static void start_cases(sweep *self)
{
    while (may_start(self)) {
        self->status = sweep_run_start(&self->runs[self->n_runs], &self->plan, self->next,
                                       self->request, self->folder);
        if (self->status == STRADS_OK) {
            self->n_runs++;
            self->next++;
        }
    }
}

/* Keeps what a case left, unless the sweep is being ended: then it was cut short. */
static strads_status keep(sweep *self, const sweep_run *run, int wait_status)
{
    const int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : CLI_SIGNAL;
    if (self->status != STRADS_OK || (self->signal != 0 && code >= CLI_SIGNAL)) {
        return STRADS_OK;
    }
    sweep_outcome outcome;
    strads_status status = sweep_run_finish(run, &self->plan, wait_status, &outcome);
    if (status == STRADS_OK) {
        status = sweep_table_add(&self->table, outcome.records.items, outcome.records.n);
    }
    if (status == STRADS_OK) {
        const bool failed = strcmp(outcome.status, "failed") == 0;
        self->states[run->index] = failed ? SWEEP_FAILED : SWEEP_DONE;
        self->n_failed += failed ? 1 : 0;
        self->n_done++;
        status = tell_case(self, run, &outcome);
    }
    sweep_outcome_fini(&outcome);
    return status;
}

/* Takes in the cases that have ended. */
static void reap(sweep *self)
{
    for (size_t i = 0; i < self->n_runs;) {
        sweep_run run = self->runs[i];
        int wait_status = 0;
        if (waitpid(run.process, &wait_status, WNOHANG) != run.process) {
            i++;
            continue;
        }
        self->runs[i] = self->runs[--self->n_runs];
        const strads_status status = keep(self, &run, wait_status);
        self->status = self->status == STRADS_OK ? status : self->status;
        if (self->temporary != NULL) {
            remove_folder(run.folder);
        }
        sweep_run_fini(&run);
    }
}

static void signal_cases(const sweep *self, int number)
{
    for (size_t i = 0; i < self->n_runs; i++) {
        kill(self->runs[i].process, number);
    }
}

/* The signals are blocked, and taken here one by one. */
static void run_cases(sweep *self, const sigset_t *signals)
{
    bool ending = false;
    start_cases(self);
    while (self->n_runs > 0) {
        int number = 0;
        show_line(self);
        if (sigwait(signals, &number) != 0) {
            continue;
        }
        if (number == SIGCHLD) {
            reap(self);
            start_cases(self);
        } else {
            self->signal = self->signal == 0 ? number : self->signal;
            signal_cases(self, ending ? SIGKILL : number);
            ending = true;
        }
        if (self->status != STRADS_OK && !ending) {
            signal_cases(self, SIGTERM);
            ending = true;
        }
    }
    cli_progress_end(&self->progress);
}

/* ---- the whole ---- */

static strads_status set_up(sweep *self)
{
    const sweep_request *request = self->request;
    strads_status status =
        sweep_plan_init(&self->plan, &request->sweeps, request->n_seeds, request->curve);
    if (status == STRADS_OK) {
        status = sweep_plan_check(&self->plan, request);
    }
    if (status != STRADS_OK) {
        return status;
    }
    self->max_runs = strads_cores();
    self->states = strads_calloc(self->plan.n_cases, sizeof(*self->states));
    self->runs = strads_calloc(self->max_runs, sizeof(*self->runs));
    if (self->states == NULL || self->runs == NULL) {
        return STRADS_ERR_NOMEM;
    }
    status = sweep_table_open(&self->table, request->csv, &self->plan, self->states);
    return status == STRADS_OK ? choose_folder(self) : status;
}

static void count_earlier(sweep *self)
{
    for (size_t i = 0; i < self->plan.n_cases; i++) {
        self->n_done += self->states[i] != SWEEP_TODO ? 1 : 0;
        self->n_failed += self->states[i] == SWEEP_FAILED ? 1 : 0;
    }
    if (self->n_done > 0) {
        strads_info("%s has %zu of %zu cases already", self->request->csv, self->n_done,
                    self->plan.n_cases);
    }
}

static int tell_end(const sweep *self)
{
    const char *csv = self->request->csv;
    if (self->status != STRADS_OK) {
        return cli_exit_of(self->status);
    }
    if (self->signal != 0) {
        strads_info("interrupted: %s has %zu of %zu cases; the same command goes on", csv,
                    self->n_done, self->plan.n_cases);
        return CLI_SIGNAL + self->signal;
    }
    strads_info("%s is complete", csv);
    if (self->n_failed > 0) {
        strads_error("%s: %zu of %zu cases failed; its column error says why", csv, self->n_failed,
                     self->plan.n_cases);
        return CLI_FAILED;
    }
    return CLI_DONE;
}

static void tear_down(sweep *self)
{
    if (self->temporary != NULL) {
        remove_folder(self->temporary);
    }
    strads_free(self->temporary);
    sweep_table_close(&self->table);
    strads_free(self->runs);
    strads_free(self->states);
    sweep_plan_fini(&self->plan);
}

int sweep_all(const sweep_request *request)
{
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);

    sweep self = {.request = request, .table = {.fd = -1}};
    cli_progress_init(&self.progress);
    self.status = set_up(&self);
    if (self.status == STRADS_OK) {
        count_earlier(&self);
        signal(SIGCHLD, SIG_DFL); /* a parent may have had it ignored: then none can be reaped */
        sigprocmask(SIG_BLOCK, &signals, &before);
        run_cases(&self, &signals);
        sigprocmask(SIG_SETMASK, &before, NULL);
    }
    const int code = tell_end(&self);
    tear_down(&self);
    return code;
}
