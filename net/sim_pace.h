/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/sim_pace.h - how fast a simulated machine works: its speed, and the spells in
 * which faults make it slower.
 */
#ifndef STRADS_NET_SIM_PACE_H
#define STRADS_NET_SIM_PACE_H

#include "base/random.h"
#include "net/cluster.h"

/* From `from` to `to` the machine is slower by `factor`. */
typedef struct sim_spell {
    double from, to, factor;
    const net_fault *straggle; /* spells follow one another at random; NULL: only this one */
    strads_random random;
} sim_spell;

typedef struct sim_pace {
    double speed; /* outside all spells */
    sim_spell *spells;
    size_t n_spells;
} sim_pace;

/* On failure there is nothing to fini. */
STRADS_MUST_CHECK strads_status sim_pace_init(sim_pace *pace, const net_cluster *cluster,
                                              net_id machine);
void sim_pace_fini(sim_pace *pace);

/* When work that takes `seconds` at speed 1 is done that is begun at `time`; the speed
 * counts as it changes meanwhile. `time` never goes back from call to call. */
double sim_pace_after(sim_pace *pace, double time, double seconds);

#endif
