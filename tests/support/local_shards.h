/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/local_shards.h - the shards of a draw, here: who answers is the test. */
#ifndef STRADS_TESTS_LOCAL_SHARDS_H
#define STRADS_TESTS_LOCAL_SHARDS_H

#include "prioritizer/shards.h"

enum { LOCAL_SHARDS = 16 };

typedef struct local_shards {
    prio_policy policy;
    uint64_t seed;
    uint32_t n;                    /* at most LOCAL_SHARDS */
    const uint32_t *firsts;        /* [n + 1] */
    const float *scanned;          /* [J] scores of the last scan */
    prioritizer *of[LOCAL_SHARDS]; /* NULL: not asked yet, or a range of none */
    uint32_t most;                 /* that is drawn for a request; 0: as many as it asks for */
    size_t n_asked;
} local_shards;

void local_shards_fini(local_shards *locals);

/* What a scan finds to draw, by scanned: fresh[n]. */
void local_shards_totals(const local_shards *locals, prio_total *fresh);

/* All that have to be asked answer; as prio_shards_take. */
STRADS_MUST_CHECK strads_status local_shards_answer(local_shards *locals, prio_shards *shards,
                                                    uint32_t *twice);

#endif
