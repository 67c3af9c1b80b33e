/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/protocol.c - may a message from another process be acted on?
 *
 * A body is read from the front: its head when it is long enough for one; the arrays when
 * their counts are possible and just fill the rest; then what is in them. What the coordinator
 * is sent is held to that in protocol_answers.c, draws in protocol_draws.c.
 */
#include "strads/protocol_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>

static const char *const names[] = {
    [MSG_READY] = "READY",         [MSG_SCAN] = "SCAN",     [MSG_SCORES] = "SCORES",
    [MSG_STAGE] = "STAGE",         [MSG_EDGES] = "EDGES",   [MSG_PUSH] = "PUSH",
    [MSG_CORRELATE] = "CORRELATE", [MSG_DONE] = "DONE",     [MSG_SYNC] = "SYNC",
    [MSG_CLOSE] = "CLOSE",         [MSG_FAILED] = "FAILED", [MSG_STOP] = "STOP",
    [MSG_LEND] = "LEND",           [MSG_DRAW] = "DRAW",     [MSG_DRAWN] = "DRAWN"};
enum { N_TYPES = sizeof(names) / sizeof(names[0]) };

/* ---- what is wrong ---- */

enum { WHY_TEXT = 256 };

const char *msg_node_name(char text[MSG_NODE_TEXT], net_id id)
{
    if (id == NET_COORDINATOR) {
        return "the coordinator";
    }
    snprintf(text, MSG_NODE_TEXT, "worker %u", id - 1);
    return text;
}

strads_status msg_refuse(const msg_checked *it, const char *format, ...)
{
    char from[MSG_NODE_TEXT];
    char to[MSG_NODE_TEXT];
    char why[WHY_TEXT];
    const uint32_t type = it->message->type;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    strads_error("%s sent %s a bad %s: %s", msg_node_name(from, it->message->from),
                 msg_node_name(to, it->bounds->to), type < N_TYPES ? names[type] : "message", why);
    return STRADS_ERR_DATA;
}

/* ---- sizes and counts ---- */

strads_status msg_check_head(const msg_checked *it, size_t bytes)
{
    return it->message->bytes >= bytes
               ? STRADS_OK
               : msg_refuse(it, "%zu bytes; its head alone has %zu", it->message->bytes, bytes);
}

strads_status msg_check_size(const msg_checked *it, size_t bytes)
{
    return it->message->bytes == bytes
               ? STRADS_OK
               : msg_refuse(it, "%zu bytes; it takes %zu", it->message->bytes, bytes);
}

strads_status msg_check_most(const msg_checked *it, const char *what, uint64_t n, uint64_t most)
{
    return n <= most ? STRADS_OK
                     : msg_refuse(it, "%s is %" PRIu64 "; it is at most %" PRIu64, what, n, most);
}

strads_status msg_check_equal(const msg_checked *it, const char *what, uint64_t n, uint64_t due)
{
    return n == due ? STRADS_OK
                    : msg_refuse(it, "%s is %" PRIu64 "; %" PRIu64 " is due", what, n, due);
}

/* ---- what arrays hold ---- */

/* Whether vars[n] are all among `among` from `first` on, and in ascending order if they have
 * to be. */
static strads_status check_vars(const msg_checked *it, const uint32_t *vars, size_t n,
                                uint32_t first, uint64_t among, bool ascending)
{
    const uint64_t end = first + among;
    uint64_t least = first;
    for (size_t i = 0; i < n; i++) {
        if (vars[i] < least || vars[i] >= end) {
            return msg_refuse(it,
                              "variable %u at place %zu of its list; there it is at least %" PRIu64
                              " and below %" PRIu64,
                              vars[i], i, least, end);
        }
        least = ascending ? (uint64_t) vars[i] + 1 : least;
    }
    return STRADS_OK;
}

strads_status msg_check_scored(const msg_checked *it, size_t head, size_t n)
{
    const float *scores = (const float *) (it->message->body + head);
    const size_t bytes = msg_pad(n, sizeof(*scores));
    const uint32_t *vars = (const uint32_t *) ((const unsigned char *) scores + bytes);
    const strads_status status = msg_check_size(it, head + bytes + msg_pad(n, sizeof(*vars)));
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(scores[i])) {
            return msg_refuse(it, "score %zu is %g; it is finite", i, (double) scores[i]);
        }
    }
    return check_vars(it, vars, n, it->bounds->shard_first, it->bounds->n_shard, false);
}

strads_status msg_check_own(const msg_checked *it, const uint32_t *vars, size_t n)
{
    return check_vars(it, vars, n, it->bounds->first, it->bounds->n_range, true);
}

strads_status msg_check_finite(const msg_checked *it, const char *what, const double *numbers,
                               size_t n)
{
    size_t i = 0;
    while (i < n && isfinite(numbers[i])) {
        i++;
    }
    return i == n ? STRADS_OK : msg_refuse(it, "%s %zu is %g; it is finite", what, i, numbers[i]);
}

/* ---- what workers are sent ---- */

static strads_status check_scan(const msg_checked *it)
{
    const msg_scan *scan = (const msg_scan *) it->message->body;
    const uint32_t n_range = it->bounds->n_range;
    strads_status status = msg_check_head(it, sizeof(*scan));
    if (status != STRADS_OK) {
        return status;
    }
    const uint64_t plain = scan->whole == 1 && scan->n_pool == 0 ? 1 : 0;
    status = msg_check_most(it, "whole", scan->whole, 1);
    if (status == STRADS_OK) {
        status = msg_check_most(it, "n_pool", scan->n_pool, scan->whole == 1 ? n_range : 0);
    }
    if (status == STRADS_OK) {
        status = msg_check_most(it, "retired", scan->retired, plain);
    }
    if (status == STRADS_OK) {
        status = msg_check_most(it, "totals", scan->totals, it->bounds->draws ? plain : 0);
    }
    if (status == STRADS_OK) {
        status = msg_check_most(it, "n_vars", scan->n_vars, n_range);
    }
    if (status == STRADS_OK) {
        status = msg_check_size(it, sizeof(*scan) + msg_pad(scan->n_vars, sizeof(uint32_t)));
    }
    return status == STRADS_OK ? msg_check_own(it, (const uint32_t *) (scan + 1), scan->n_vars)
                               : status;
}

/* Of a bool any other byte than 0 and 1 must not even be read as one. */
static strads_status check_stage(const msg_checked *it)
{
    const unsigned char *body = it->message->body;
    const strads_status status = msg_check_size(it, sizeof(strads_stage));
    if (status != STRADS_OK) {
        return status;
    }
    const unsigned flags = body[offsetof(strads_stage, changed)] |
                           body[offsetof(strads_stage, restart)] |
                           body[offsetof(strads_stage, done)];
    return msg_check_most(it, "changed, restart or done", flags, 1);
}

static strads_status check_correlate(const msg_checked *it)
{
    const msg_correlate *ask = (const msg_correlate *) it->message->body;
    const uint64_t n_all = it->bounds->data.n_vars;
    strads_status status = msg_check_head(it, sizeof(*ask));
    if (status == STRADS_OK && !(ask->rho >= 0.0 && ask->rho <= 1.0)) {
        status = msg_refuse(it, "rho is %g; it is from 0 to 1", ask->rho);
    }
    if (status == STRADS_OK) {
        status = msg_check_most(it, "n_vars", ask->n_vars, n_all);
    }
    if (status == STRADS_OK) {
        status = msg_check_most(it, "first_new", ask->first_new, ask->n_vars);
    }
    if (status == STRADS_OK) {
        status = msg_check_size(it, sizeof(*ask) + msg_pad(ask->n_vars, sizeof(uint32_t)));
    }
    return status == STRADS_OK
               ? check_vars(it, (const uint32_t *) (ask + 1), ask->n_vars, 0, n_all, false)
               : status;
}

static strads_status check_lend(const msg_checked *it)
{
    const msg_lend *lend = (const msg_lend *) it->message->body;
    const uint64_t n_all = it->bounds->data.n_vars;
    strads_status status = msg_check_head(it, sizeof(*lend));
    if (status == STRADS_OK) {
        status = msg_check_most(it, "afresh", lend->afresh, 1);
    }
    if (status == STRADS_OK) {
        status = msg_check_most(it, "n_borrowers", lend->n_borrowers, it->bounds->n_workers);
    }
    if (status == STRADS_OK) {
        status = msg_check_most(it, "n_vars", lend->n_vars, n_all);
    }
    if (status == STRADS_OK) {
        status = msg_check_size(it, sizeof(*lend) + msg_pad(lend->n_vars, sizeof(uint32_t)));
    }
    return status == STRADS_OK
               ? check_vars(it, (const uint32_t *) (lend + 1), lend->n_vars, 0, n_all, false)
               : status;
}

static strads_status check_push_head(const msg_checked *it)
{
    const msg_push *push = (const msg_push *) it->message->body;
    strads_status status = msg_check_head(it, sizeof(*push));
    if (status == STRADS_OK) {
        status = msg_check_most(it, "solve", push->solve, 1);
    }
    if (status == STRADS_OK) {
        status = msg_check_most(it, "lent", push->lent, 1);
    }
    if (status == STRADS_OK) {
        status = msg_check_finite(it, "target", &push->target, 1);
    }
    if (status == STRADS_OK) {
        status = msg_check_most(it, "n_members", push->n_members, it->bounds->n_workers);
    }
    if (status == STRADS_OK && push->n_members < it->bounds->to) {
        status =
            msg_refuse(it, "n_members is %" PRIu64 "; who gets it is a member", push->n_members);
    }
    return status == STRADS_OK ? msg_check_most(it, "n_vars", push->n_vars, it->bounds->data.n_vars)
                               : status;
}

/* values[n], then vars[n], of `among` variables from `first` on, after a head. */
static strads_status check_valued(const msg_checked *it, size_t head, size_t n, uint32_t first,
                                  uint64_t among)
{
    const double *values = (const double *) (it->message->body + head);
    strads_status status =
        msg_check_size(it, head + n * sizeof(*values) + msg_pad(n, sizeof(uint32_t)));
    if (status == STRADS_OK) {
        status = msg_check_finite(it, "value", values, n);
    }
    return status == STRADS_OK
               ? check_vars(it, (const uint32_t *) (values + n), n, first, among, false)
               : status;
}

static strads_status check_push(const msg_checked *it)
{
    const msg_push *push = (const msg_push *) it->message->body;
    const msg_bounds *bounds = it->bounds;
    const strads_status status = check_push_head(it);
    if (status != STRADS_OK) {
        return status;
    }
    const bool own = bounds->own_only && push->lent == 0;
    return check_valued(it, sizeof(*push), push->n_vars, own ? bounds->first : 0,
                        own ? bounds->n_range : bounds->data.n_vars);
}

static strads_status check_sync(const msg_checked *it)
{
    const msg_sync *sync = (const msg_sync *) it->message->body;
    const msg_bounds *bounds = it->bounds;
    strads_status status = msg_check_head(it, sizeof(*sync));
    if (status == STRADS_OK) {
        status = msg_check_most(it, "n_vars", sync->n_vars, bounds->n_range);
    }
    return status == STRADS_OK
               ? check_valued(it, sizeof(*sync), sync->n_vars, bounds->first, bounds->n_range)
               : status;
}

static strads_status check_close(const msg_checked *it)
{
    const msg_close *message = (const msg_close *) it->message->body;
    const strads_status status = msg_check_size(it, sizeof(*message));
    return status == STRADS_OK ? msg_check_most(it, "give", message->give, 1) : status;
}

/* ---- for all ---- */

msg_ready msg_found(const strads_structure *structure, const strads_app *app)
{
    const bool shares = structure->split != STRADS_SPLIT_SAMPLES;
    return (msg_ready){.n_vars = structure->n_vars,
                       .partial_width = structure->partial_width,
                       .n_shared = shares ? structure->n_shared : 0,
                       .n_measures = app->n_measures};
}

typedef strads_status check_of(const msg_checked *it);

strads_status msg_check(const net_message *message, const msg_bounds *bounds)
{
    static check_of *const checks[N_TYPES] = {
        [MSG_READY] = msg_check_ready,     [MSG_SCAN] = check_scan,
        [MSG_SCORES] = msg_check_scores,   [MSG_STAGE] = check_stage,
        [MSG_EDGES] = msg_check_edges,     [MSG_PUSH] = check_push,
        [MSG_CORRELATE] = check_correlate, [MSG_DONE] = msg_check_done,
        [MSG_SYNC] = check_sync,           [MSG_CLOSE] = check_close,
        [MSG_LEND] = check_lend,           [MSG_STOP] = msg_check_stop,
        [MSG_DRAW] = msg_check_draw,       [MSG_DRAWN] = msg_check_drawn,
        [MSG_FAILED] = msg_check_failed};
    const msg_checked it = {.message = message, .bounds = bounds};
    if (message->type >= N_TYPES) {
        return msg_refuse(&it, "its type is %u; it is at most %d", message->type, N_TYPES - 1);
    }
    if ((bounds->types >> message->type & 1) == 0) {
        return msg_refuse(&it, "it is not due");
    }
    return checks[message->type](&it);
}
