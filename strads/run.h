/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/run.h - running a model program: options, a run, its progress and its result. */
#ifndef STRADS_RUN_H
#define STRADS_RUN_H

#include "strads/strads.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The options of the framework itself: schedule.*, stop.*, run.*, app, data-free. */
STRADS_API const strads_option *strads_options(size_t *n);

typedef enum strads_verdict {
    STRADS_CONVERGED, /* the stated goal was met */
    STRADS_COMPLETED, /* there was no goal and the work asked for is done */
    STRADS_STOPPED,   /* a limit or Ctrl-C came first */
    STRADS_FAILED
} strads_verdict;
STRADS_API const char *strads_verdict_name(strads_verdict verdict);

/* A line of the journal, handed to a run's listener as it happens. */
typedef struct strads_progress {
    uint64_t round, updates, scored, products; /* products: pairs asked of correlate */
    double passes, seconds;  /* (updates + scored + products) / J; since the solve began */
    double objective, gap;   /* NAN where not known */
    size_t nonzeros, active; /* active: variables in the last round */
} strads_progress;

typedef struct strads_result {
    strads_verdict verdict;
    strads_progress last;
    double load_seconds, total_seconds, solve_seconds; /* of sim solve is virtual */
    double overhead_seconds;  /* of total_seconds, outside the program's callbacks; with several */
    double overhead_fraction; /* workers their mean, waiting in exchanges included; of sim NAN */
    uint64_t guarded;         /* steps that the guard undid */
    uint32_t n_vars;          /* J */
} strads_result;

/* Runs `app` as `config` (resolved; strads_options and app->options declared) says,
 * and leaves the run directory run.out: config.yaml, journal.jsonl, summary.json and
 * what save writes, which is not called when the run was stopped before it could solve.
 * A program can have one run that forks processes (run.processes without net.listen).
 * listen may be NULL. OK also when a limit stopped the run (see result->verdict). */
STRADS_API STRADS_MUST_CHECK strads_status
strads_run(const strads_app *app, const strads_config *config,
           void (*listen)(void *context, const strads_progress *progress), void *context,
           strads_result *result);

/* ---- a process that helps in a run which another one coordinates ---- */

typedef struct strads_team strads_team;

/* Joins the run that is coordinated at `url`; `config` (resolved; strads_options declared)
 * says net.*, and with run.workers how many this process would host where the coordinator
 * leaves it open. With `compare` it is the run's, and refused when the coordinator's is
 * another one, paths, net.*, run.out and how many share the work apart. Waits until all
 * processes of the run have come. */
STRADS_API STRADS_MUST_CHECK strads_status strads_team_join(strads_team **out,
                                                            const strads_config *config,
                                                            const char *url, bool compare);
/* The run's configuration, YAML; valid as long as the team. */
STRADS_API const char *strads_team_config(const strads_team *team);
/* Works until the run ends; `app` and `config` as that says. Takes the team. CLOSED: the
 * run has failed elsewhere. */
STRADS_API STRADS_MUST_CHECK strads_status strads_team_work(strads_team *team,
                                                            const strads_app *app,
                                                            const strads_config *config);
/* Leaves before that, for this reason. Takes the team; returns the reason. */
STRADS_API strads_status strads_team_leave(strads_team *team, strads_status reason);

/* Makes the key that the processes of a run share, in a new file that its owner alone may
 * read. */
STRADS_API STRADS_MUST_CHECK strads_status strads_key_make(const char *path);

/* What memory a run takes. */
typedef struct strads_memory {
    size_t bytes; /* about, of the process that takes most; 0: not known */
    uint32_t n_processes;
} strads_memory;

/* Refuses what a run would before it loads; tells what it would hold. */
STRADS_API STRADS_MUST_CHECK strads_status strads_estimate(const strads_app *app,
                                                           const strads_config *config,
                                                           strads_memory *memory);

/* Asks every run of this process, also those to come, to end early; safe in a signal
 * handler. A program that then runs another takes it back with strads_stop_clear. */
STRADS_API void strads_stop_all(void);
STRADS_API void strads_stop_clear(void);

/* Asks a run of several processes to say, on stderr, for which of them it waits; safe in a
 * signal handler. */
STRADS_API void strads_report_all(void);

/* Loads a plug-in, checks its ABI and its table; it stays loaded until exit. */
STRADS_API STRADS_MUST_CHECK strads_status strads_plugin_load(const strads_app **out,
                                                              const char *path);

#ifdef __cplusplus
}
#endif

#endif
