/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/options.h - the framework's options, read and checked. */
#ifndef STRADS_STRADS_OPTIONS_H
#define STRADS_STRADS_OPTIONS_H

#include "net/cluster.h"
#include "strads/run.h"

typedef enum schedule_kind {
    SCHEDULE_STRUCTURE_AWARE,
    SCHEDULE_RANDOM,
    SCHEDULE_CYCLIC,
    SCHEDULE_CUSTOM,
    SCHEDULE_DATA_PARALLEL,
    SCHEDULE_ROTATION,
    SCHEDULE_FREE
} schedule_kind;

typedef enum schedule_check {
    CHECK_IN_FLIGHT, /* within a round, and against the rounds not yet committed */
    CHECK_ROUND,     /* within a round */
    CHECK_OFF
} schedule_check;

/* Whether columns of a grid travel. */
static inline bool schedule_is_grid(schedule_kind kind)
{
    return kind == SCHEDULE_ROTATION || kind == SCHEDULE_FREE;
}

/* Whether a round is of all variables, on all workers. */
static inline bool schedule_takes_all(schedule_kind kind)
{
    return kind == SCHEDULE_DATA_PARALLEL || schedule_is_grid(kind);
}

/* Whether a round is a pass over the data of a grid: its program says when these are enough. */
static inline bool schedule_makes_passes(schedule_kind kind, const strads_app *app)
{
    const bool by_push = kind == SCHEDULE_CYCLIC && app->push != NULL;
    return app->grid != NULL && (schedule_takes_all(kind) || by_push);
}

enum { MAX_PIPELINE = 7 };

typedef struct run_options {
    schedule_kind kind;
    bool by_delta, greedy;      /* structure_aware's priority, violation when neither */
    bool solve;                 /* rounds are working sets */
    uint32_t round, candidates; /* variables */
    schedule_check check;
    double rho, eta;
    uint32_t pipeline;
    bool guard;
    bool agnostic;      /* schedule.slow_worker_agnostic */
    bool tables;        /* workers share state through them */
    double gap;         /* 0: no goal */
    uint64_t rounds;    /* UINT64_MAX: no limit */
    double seconds;     /* INFINITY: no limit */
    const char *driver; /* lent by the configuration */
    uint32_t n_processes;
    bool deals_workers; /* n_workers is dealt to the processes; false: each has its own */
    uint32_t n_workers;
    uint64_t seed;
    bool deterministic;
} run_options;

/* USAGE for options that contradict each other. The cluster to simulate is *cluster,
 * owned by the caller; NULL for other drivers than sim. */
STRADS_MUST_CHECK strads_status run_options_read(run_options *out, const strads_app *app,
                                                 const strads_config *config,
                                                 net_cluster **cluster);

/* How many workers there are turned out when the processes came together: what depends on
 * it follows. */
void run_options_set_workers(run_options *options, const strads_config *config, uint32_t n_workers);

#endif
