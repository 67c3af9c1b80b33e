/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/sim_pace.c - work becomes time, piece by piece of constant speed. */
#include "net/sim_pace.h"

#include <assert.h>
#include <math.h>

static bool slows(const net_fault *fault, net_id machine)
{
    return (fault->kind == NET_FAULT_SLOW || fault->kind == NET_FAULT_STRAGGLE) &&
           fault->first <= machine && machine <= fault->last;
}

/* The next spell of a straggler. Gaps are exponential, of the mean that makes spells
 * begin once every `every` seconds on average. */
static void next_spell(sim_spell *spell)
{
    const net_fault *fault = spell->straggle;
    const double mean = fmax(fault->every - fault->span, 0.0);
    spell->from = spell->to - mean * log1p(-strads_random_uniform(&spell->random));
    spell->to = spell->from + fault->span;
    if (spell->from >= fault->to) {
        spell->from = spell->to = INFINITY;
    }
}

static sim_spell first_spell(const net_cluster *cluster, size_t fault_index, net_id machine)
{
    const net_fault *fault = &cluster->faults[fault_index];
    sim_spell spell = {.from = fault->from, .to = fault->to, .factor = fault->factor};
    if (fault->kind == NET_FAULT_STRAGGLE) {
        spell.straggle = fault;
        spell.random =
            strads_random_start(cluster->seed, (uint64_t) (fault_index + 1) << 32 | machine);
        spell.to = fault->from; /* the gap begins here */
        next_spell(&spell);
    }
    return spell;
}

strads_status sim_pace_init(sim_pace *pace, const net_cluster *cluster, net_id machine)
{
    *pace = (sim_pace){.speed = cluster->speed[machine]};
    for (size_t i = 0; i < cluster->n_faults; i++) {
        pace->n_spells += slows(&cluster->faults[i], machine);
    }
    if (pace->n_spells == 0) {
        return STRADS_OK;
    }
    pace->spells = strads_alloc_array(pace->n_spells, sizeof(*pace->spells));
    if (pace->spells == NULL) {
        return STRADS_ERR_NOMEM;
    }
    size_t n = 0;
    for (size_t i = 0; i < cluster->n_faults; i++) {
        if (slows(&cluster->faults[i], machine)) {
            pace->spells[n++] = first_spell(cluster, i, machine);
        }
    }
    return STRADS_OK;
}

void sim_pace_fini(sim_pace *pace)
{
    strads_free(pace->spells);
}

/* The speed at `time`, which stays the same until *change. */
static double speed_at(sim_pace *pace, double time, double *change)
{
    double speed = pace->speed;
    *change = INFINITY;
    for (size_t i = 0; i < pace->n_spells; i++) {
        sim_spell *spell = &pace->spells[i];
        while (spell->to <= time && spell->straggle != NULL) {
            next_spell(spell);
        }
        if (time < spell->from) {
            *change = fmin(*change, spell->from);
        } else if (time < spell->to) {
            *change = fmin(*change, spell->to);
            speed /= spell->factor;
        }
    }
    return speed;
}

double sim_pace_after(sim_pace *pace, double time, double seconds)
{
    assert(seconds >= 0.0);
    double change = INFINITY;
    double speed = speed_at(pace, time, &change);
    while (time + seconds / speed > change) {
        seconds = fmax(seconds - (change - time) * speed, 0.0);
        time = change;
        speed = speed_at(pace, time, &change);
    }
    return time + seconds / speed;
}
