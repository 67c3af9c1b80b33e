/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/protocol_draws.c - draws from shards: may they be acted on? */
#include "strads/protocol_parts.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

strads_status msg_check_total(const msg_checked *it, const msg_total *total, uint64_t n_vars)
{
    strads_status status = msg_check_most(it, "n_open", total->n_open, n_vars);
    if (status == STRADS_OK) {
        status = msg_check_most(it, "n_positive", total->n_positive, total->n_open);
    }
    const double most = (double) total->n_positive * (double) FLT_MAX; /* as many scores */
    if (status == STRADS_OK && !(total->sum >= 0.0 && total->sum <= most)) {
        status = msg_refuse(it, "sum is %g; it is from 0 to %g", total->sum, most);
    }
    return status;
}

static strads_status check_claim(const msg_checked *it, const msg_draw *draw)
{
    const uint64_t first = it->bounds->shard_first;
    const strads_status status = msg_check_most(it, "claims", draw->claims, 1);
    if (status == STRADS_OK && draw->claims == 1 &&
        (draw->claimed < first || draw->claimed >= first + it->bounds->n_shard)) {
        return msg_refuse(it, "claimed is %" PRIu64 "; the shard has %" PRIu64 " to %" PRIu64,
                          draw->claimed, first, first + it->bounds->n_shard - 1);
    }
    return status;
}

strads_status msg_check_draw(const msg_checked *it)
{
    const msg_draw *draw = (const msg_draw *) it->message->body;
    const uint64_t n_shard = it->bounds->n_shard;
    strads_status status = msg_check_head(it, sizeof(*draw));
    if (status == STRADS_OK) {
        status = msg_check_most(it, "restart", draw->restart, 1);
    }
    if (status == STRADS_OK) {
        status = msg_check_most(it, "back", draw->back, 1);
    }
    if (status == STRADS_OK) {
        status = msg_check_most(it, "fresh", draw->fresh, 1);
    }
    if (status == STRADS_OK) {
        status = check_claim(it, draw);
    }
    if (status == STRADS_OK) {
        status = msg_check_most(it, "n_draws", draw->n_draws, n_shard);
    }
    if (status == STRADS_OK && !(draw->floor >= 0.0 && isfinite(draw->floor))) {
        status = msg_refuse(it, "floor is %g; it is finite and at least 0", draw->floor);
    }
    if (status == STRADS_OK) {
        status = msg_check_most(it, "n_vars", draw->n_vars, n_shard);
    }
    return status == STRADS_OK ? msg_check_scored(it, sizeof(*draw), draw->n_vars) : status;
}

/* Fewer than were asked for may only be drawn when no more can be. */
static strads_status check_enough(const msg_checked *it, const msg_drawn *drawn)
{
    const msg_draw *asked = &it->bounds->draw;
    const uint64_t n_left = asked->floor > 0.0 ? drawn->left.n_open : drawn->left.n_positive;
    return drawn->n_vars < asked->n_draws && n_left > 0
               ? msg_refuse(
                     it, "n_vars is %" PRIu64 " of %" PRIu64 ", and %" PRIu64 " could be drawn yet",
                     drawn->n_vars, asked->n_draws, n_left)
               : STRADS_OK;
}

strads_status msg_check_drawn(const msg_checked *it)
{
    const msg_drawn *drawn = (const msg_drawn *) it->message->body;
    const msg_draw *asked = &it->bounds->draw;
    const uint64_t n_shard = it->bounds->n_shard;
    strads_status status = msg_check_head(it, sizeof(*drawn));
    if (status == STRADS_OK) {
        const uint64_t most = asked->n_draws + asked->claims;
        status = msg_check_most(it, "n_vars", drawn->n_vars, most < n_shard ? most : n_shard);
    }
    if (status == STRADS_OK) {
        status = msg_check_total(it, &drawn->left, n_shard - drawn->n_vars);
    }
    if (status == STRADS_OK) {
        status = check_enough(it, drawn);
    }
    return status == STRADS_OK ? msg_check_scored(it, sizeof(*drawn), drawn->n_vars) : status;
}
