/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/watch_draws.c - what shards are asked to draw, and what they do. */
#include <string.h>

#include "tests/support/watch_state.h"

/* What a shard has drawn since all was given back. */
typedef struct draw_of {
    bool open; /* asked, and not answered */
    uint64_t n_due;
    uint32_t n_vars;
    uint32_t vars[WATCH_VARS];
} draw_of;

static draw_of draws[WATCH_WORKERS];
static bool in_hand[WATCH_VARS]; /* drawn by a shard since all were given back */
static bool rounds_draw;         /* rounds have variables in hand only */

void watch_draws_start(void)
{
    memset(draws, 0, sizeof(draws));
    memset(in_hand, 0, sizeof(in_hand));
    rounds_draw = false;
}

void watch_draws_asked(uint32_t rank, const msg_draw *draw, bool busy)
{
    draw_of *to = &draws[rank];
    if (to->open || (draw->back == 0 && to->n_vars == 0) || (draw->back != 0 && busy)) {
        watch_complain("worker %u is to draw amid a draw, a round or a scan, or before any", rank);
    }
    if (draw->back != 0) {
        for (uint32_t i = 0; i < to->n_vars; i++) {
            in_hand[to->vars[i]] = false;
        }
        to->n_vars = 0;
    }
    watch_found.n_ahead += draw->back == 0;
    to->open = true;
    to->n_due = draw->n_draws + draw->claims;
    rounds_draw = true;
}

void watch_draws_told(uint32_t rank, const msg_drawn *reply)
{
    draw_of *of = &draws[rank];
    const float *scores = (const float *) (reply + 1);
    const uint32_t *vars = (const uint32_t *) (scores + (reply->n_vars + 1) / 2 * 2);
    if (!of->open || reply->n_vars > of->n_due) {
        watch_complain("worker %u draws %llu variables, which were not asked for", rank,
                       (unsigned long long) reply->n_vars);
    }
    for (uint64_t i = 0; i < reply->n_vars; i++) {
        if (in_hand[vars[i]]) {
            watch_complain("worker %u draws variable %u a second time", rank, vars[i]);
            return;
        }
        in_hand[vars[i]] = true;
        of->vars[of->n_vars++] = vars[i];
        watch_found.n_drawn++;
    }
    of->open = false;
}

void watch_draws_pushed(uint32_t var, uint64_t round)
{
    if (rounds_draw && !in_hand[var]) {
        watch_complain("round %llu: variable %u was not drawn", (unsigned long long) round, var);
    }
}
