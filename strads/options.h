/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/options.h - the framework's options, read and checked. */
#ifndef STRADS_STRADS_OPTIONS_H
#define STRADS_STRADS_OPTIONS_H

#include "strads/strads.h"

typedef enum schedule_kind {
    SCHEDULE_STRUCTURE_AWARE,
    SCHEDULE_RANDOM,
    SCHEDULE_CYCLIC,
    SCHEDULE_CUSTOM
} schedule_kind;

typedef struct run_options {
    schedule_kind kind;
    bool by_delta, greedy;      /* structure_aware's priority, violation when neither */
    bool solve;                 /* rounds are working sets */
    uint32_t round, candidates; /* variables */
    double rho, eta;
    uint32_t pipeline;
    double gap;      /* 0: no goal */
    uint64_t rounds; /* UINT64_MAX: no limit */
    double seconds;  /* INFINITY: no limit */
    uint32_t n_workers;
    uint64_t seed;
    bool deterministic;
} run_options;

/* USAGE for options that contradict each other. */
STRADS_MUST_CHECK strads_status run_options_read(run_options *out, const strads_app *app,
                                                 const strads_config *config);

#endif
