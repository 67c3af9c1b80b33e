/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/protocol.c - may a message from another process be acted on?
 *
 * A body is read from the front: its head when it is long enough for one; the arrays when
 * their counts are possible and just fill the rest; then what is in them.
 */
#include "strads/protocol.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>

static const char *const names[] = {[MSG_READY] = "READY",
                                    [MSG_SCAN] = "SCAN",
                                    [MSG_SCORES] = "SCORES",
                                    [MSG_STAGE] = "STAGE",
                                    [MSG_EDGES] = "EDGES",
                                    [MSG_PUSH] = "PUSH",
                                    [MSG_CORRELATE] = "CORRELATE",
                                    [MSG_DONE] = "DONE",
                                    [MSG_SYNC] = "SYNC",
                                    [MSG_CLOSE] = "CLOSE",
                                    [MSG_FAILED] = "FAILED",
                                    [MSG_STOP] = "STOP",
                                    [MSG_LEND] = "LEND"};
enum { N_TYPES = sizeof(names) / sizeof(names[0]) };

/* A message and what it has to agree with. */
typedef struct checked {
    const net_message *message;
    const msg_bounds *bounds;
} checked;

/* ---- what is wrong ---- */

enum { NODE_TEXT = 32, WHY_TEXT = 256 };

static const char *node_name(char text[NODE_TEXT], net_id id)
{
    if (id == NET_COORDINATOR) {
        return "the coordinator";
    }
    snprintf(text, NODE_TEXT, "worker %u", id - 1);
    return text;
}

STRADS_PRINTF(2, 3) static strads_status refuse(const checked *it, const char *format, ...)
{
    char from[NODE_TEXT];
    char to[NODE_TEXT];
    char why[WHY_TEXT];
    const uint32_t type = it->message->type;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    strads_error("%s sent %s a bad %s: %s", node_name(from, it->message->from),
                 node_name(to, it->bounds->to), type < N_TYPES ? names[type] : "message", why);
    return STRADS_ERR_DATA;
}

/* ---- sizes and counts ---- */

static strads_status check_head(const checked *it, size_t bytes)
{
    return it->message->bytes >= bytes
               ? STRADS_OK
               : refuse(it, "%zu bytes; its head alone has %zu", it->message->bytes, bytes);
}

/* Whether the body is as long as it has to be. */
static strads_status check_size(const checked *it, size_t bytes)
{
    return it->message->bytes == bytes
               ? STRADS_OK
               : refuse(it, "%zu bytes; it takes %zu", it->message->bytes, bytes);
}

static strads_status check_most(const checked *it, const char *what, uint64_t n, uint64_t most)
{
    return n <= most ? STRADS_OK
                     : refuse(it, "%s is %" PRIu64 "; it is at most %" PRIu64, what, n, most);
}

static strads_status check_equal(const checked *it, const char *what, uint64_t n, uint64_t due)
{
    return n == due ? STRADS_OK : refuse(it, "%s is %" PRIu64 "; %" PRIu64 " is due", what, n, due);
}

/* ---- what arrays hold ---- */

/* Whether vars[n] are all among `among` from `first` on, and in ascending order if they have
 * to be. */
static strads_status check_vars(const checked *it, const uint32_t *vars, size_t n, uint32_t first,
                                uint64_t among, bool ascending)
{
    const uint64_t end = first + among;
    uint64_t least = first;
    for (size_t i = 0; i < n; i++) {
        if (vars[i] < least || vars[i] >= end) {
            return refuse(it,
                          "variable %u at place %zu of its list; there it is at least %" PRIu64
                          " and below %" PRIu64,
                          vars[i], i, least, end);
        }
        least = ascending ? (uint64_t) vars[i] + 1 : least;
    }
    return STRADS_OK;
}

/* The same for an ascending list of variables of the worker's range. */
static strads_status check_own(const checked *it, const uint32_t *vars, size_t n)
{
    return check_vars(it, vars, n, it->bounds->first, it->bounds->n_range, true);
}

static strads_status check_finite(const checked *it, const char *what, const double *numbers,
                                  size_t n)
{
    size_t i = 0;
    while (i < n && isfinite(numbers[i])) {
        i++;
    }
    return i == n ? STRADS_OK : refuse(it, "%s %zu is %g; it is finite", what, i, numbers[i]);
}

/* ---- what workers are sent ---- */

static strads_status check_scan(const checked *it)
{
    const msg_scan *scan = (const msg_scan *) it->message->body;
    const uint32_t n_range = it->bounds->n_range;
    strads_status status = check_head(it, sizeof(*scan));
    if (status == STRADS_OK) {
        status = check_most(it, "whole", scan->whole, 1);
    }
    if (status == STRADS_OK) {
        status = check_most(it, "n_pool", scan->n_pool, scan->whole == 1 ? n_range : 0);
    }
    if (status == STRADS_OK) {
        status = check_most(it, "n_vars", scan->n_vars, n_range);
    }
    if (status == STRADS_OK) {
        status = check_size(it, sizeof(*scan) + msg_pad(scan->n_vars, sizeof(uint32_t)));
    }
    return status == STRADS_OK ? check_own(it, (const uint32_t *) (scan + 1), scan->n_vars)
                               : status;
}

/* Of a bool any other byte than 0 and 1 must not even be read as one. */
static strads_status check_stage(const checked *it)
{
    const unsigned char *body = it->message->body;
    const strads_status status = check_size(it, sizeof(strads_stage));
    if (status != STRADS_OK) {
        return status;
    }
    const unsigned flags = body[offsetof(strads_stage, changed)] |
                           body[offsetof(strads_stage, restart)] |
                           body[offsetof(strads_stage, done)];
    return check_most(it, "changed, restart or done", flags, 1);
}

static strads_status check_correlate(const checked *it)
{
    const msg_correlate *ask = (const msg_correlate *) it->message->body;
    const uint64_t n_all = it->bounds->data.n_vars;
    strads_status status = check_head(it, sizeof(*ask));
    if (status == STRADS_OK && !(ask->rho >= 0.0 && ask->rho <= 1.0)) {
        status = refuse(it, "rho is %g; it is from 0 to 1", ask->rho);
    }
    if (status == STRADS_OK) {
        status = check_most(it, "n_vars", ask->n_vars, n_all);
    }
    if (status == STRADS_OK) {
        status = check_most(it, "first_new", ask->first_new, ask->n_vars);
    }
    if (status == STRADS_OK) {
        status = check_size(it, sizeof(*ask) + msg_pad(ask->n_vars, sizeof(uint32_t)));
    }
    return status == STRADS_OK
               ? check_vars(it, (const uint32_t *) (ask + 1), ask->n_vars, 0, n_all, false)
               : status;
}

static strads_status check_lend(const checked *it)
{
    const msg_lend *lend = (const msg_lend *) it->message->body;
    const uint64_t n_all = it->bounds->data.n_vars;
    strads_status status = check_head(it, sizeof(*lend));
    if (status == STRADS_OK) {
        status = check_most(it, "afresh", lend->afresh, 1);
    }
    if (status == STRADS_OK) {
        status = check_most(it, "n_borrowers", lend->n_borrowers, it->bounds->n_workers);
    }
    if (status == STRADS_OK) {
        status = check_most(it, "n_vars", lend->n_vars, n_all);
    }
    if (status == STRADS_OK) {
        status = check_size(it, sizeof(*lend) + msg_pad(lend->n_vars, sizeof(uint32_t)));
    }
    return status == STRADS_OK
               ? check_vars(it, (const uint32_t *) (lend + 1), lend->n_vars, 0, n_all, false)
               : status;
}

static strads_status check_push_head(const checked *it)
{
    const msg_push *push = (const msg_push *) it->message->body;
    strads_status status = check_head(it, sizeof(*push));
    if (status == STRADS_OK) {
        status = check_most(it, "solve", push->solve, 1);
    }
    if (status == STRADS_OK) {
        status = check_most(it, "lent", push->lent, 1);
    }
    if (status == STRADS_OK) {
        status = check_finite(it, "target", &push->target, 1);
    }
    if (status == STRADS_OK) {
        status = check_most(it, "n_members", push->n_members, it->bounds->n_workers);
    }
    if (status == STRADS_OK && push->n_members < it->bounds->to) {
        status = refuse(it, "n_members is %" PRIu64 "; who gets it is a member", push->n_members);
    }
    return status == STRADS_OK ? check_most(it, "n_vars", push->n_vars, it->bounds->data.n_vars)
                               : status;
}

/* values[n], then vars[n], of `among` variables from `first` on, after a head. */
static strads_status check_valued(const checked *it, size_t head, size_t n, uint32_t first,
                                  uint64_t among)
{
    const double *values = (const double *) (it->message->body + head);
    strads_status status =
        check_size(it, head + n * sizeof(*values) + msg_pad(n, sizeof(uint32_t)));
    if (status == STRADS_OK) {
        status = check_finite(it, "value", values, n);
    }
    return status == STRADS_OK
               ? check_vars(it, (const uint32_t *) (values + n), n, first, among, false)
               : status;
}

static strads_status check_push(const checked *it)
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

static strads_status check_sync(const checked *it)
{
    const msg_sync *sync = (const msg_sync *) it->message->body;
    const msg_bounds *bounds = it->bounds;
    strads_status status = check_head(it, sizeof(*sync));
    if (status == STRADS_OK) {
        status = check_most(it, "n_vars", sync->n_vars, bounds->n_range);
    }
    return status == STRADS_OK
               ? check_valued(it, sizeof(*sync), sync->n_vars, bounds->first, bounds->n_range)
               : status;
}

/* ---- what the coordinator is sent ---- */

static strads_status differ(const checked *it, const char *what, uint64_t theirs, uint64_t ours,
                            const char *why)
{
    char from[NODE_TEXT];
    strads_error("%s has %" PRIu64 " %s, the coordinator %" PRIu64 ": %s",
                 node_name(from, it->message->from), theirs, what, ours, why);
    return STRADS_ERR_DATA;
}

static strads_status check_ready(const checked *it)
{
    static const char data[] = "a part of the data is missing or of other width";
    static const char program[] = "they do not run the same program";
    const msg_ready *theirs = (const msg_ready *) it->message->body;
    const msg_ready *ours = &it->bounds->data;
    const strads_status status = check_size(it, sizeof(*theirs));
    if (status != STRADS_OK) {
        return status;
    }
    if (theirs->n_vars != ours->n_vars) {
        return differ(it, "variables", theirs->n_vars, ours->n_vars, data);
    }
    if (theirs->n_shared != ours->n_shared) {
        return differ(it, "numbers of shared state", theirs->n_shared, ours->n_shared, data);
    }
    if (theirs->partial_width != ours->partial_width) {
        return differ(it, "numbers a partial", theirs->partial_width, ours->partial_width, program);
    }
    return theirs->n_measures == ours->n_measures
               ? STRADS_OK
               : differ(it, "measures", theirs->n_measures, ours->n_measures, program);
}

/* What the answers that tell of a worker's time begin with. */
static strads_status check_answer(const checked *it, size_t head, const double *busy_seconds)
{
    const strads_status status = check_head(it, head);
    return status == STRADS_OK ? check_finite(it, "busy_seconds", busy_seconds, 1) : status;
}

static strads_status check_scores_head(const checked *it)
{
    const msg_scores *reply = (const msg_scores *) it->message->body;
    const msg_bounds *bounds = it->bounds;
    strads_status status = check_answer(it, sizeof(*reply), &reply->busy_seconds);
    if (status == STRADS_OK && !(reply->largest < INFINITY)) {
        status = refuse(it, "largest is %g; it is below infinity", reply->largest);
    }
    if (status == STRADS_OK) {
        status = check_equal(it, "n_measures", reply->n_measures, bounds->data.n_measures);
    }
    if (status == STRADS_OK && bounds->pool) {
        return check_most(it, "n_vars", reply->n_vars, bounds->n_range);
    }
    return status == STRADS_OK ? check_equal(it, "n_vars", reply->n_vars, bounds->n_scores)
                               : status;
}

/* Not NaN, and none above the largest. */
static strads_status check_scores_told(const checked *it, const float *scores)
{
    const msg_scores *reply = (const msg_scores *) it->message->body;
    for (size_t i = 0; i < reply->n_vars; i++) {
        if (!(scores[i] <= reply->largest)) {
            return refuse(it, "score %zu is %g; the largest is %g", i, (double) scores[i],
                          reply->largest);
        }
    }
    return STRADS_OK;
}

/* Whether the ascending vars[n] are a pool: of the worker's range, with what is kept. */
static strads_status check_pool(const checked *it, const uint32_t *vars, size_t n)
{
    const strads_status status = check_own(it, vars, n);
    size_t place = 0;
    for (size_t i = 0; i < it->bounds->n_kept && status == STRADS_OK; i++) {
        const uint32_t kept = it->bounds->kept[i];
        while (place < n && vars[place] < kept) {
            place++;
        }
        if (place == n || vars[place] != kept) {
            return refuse(it, "variable %u is missing; it is in the working set", kept);
        }
    }
    return status;
}

static strads_status check_scores(const checked *it)
{
    const msg_scores *reply = (const msg_scores *) it->message->body;
    strads_status status = check_scores_head(it);
    if (status != STRADS_OK) {
        return status;
    }
    const double *measures = (const double *) (reply + 1);
    const float *scores = (const float *) (measures + reply->n_measures);
    const size_t n = reply->n_vars;
    const size_t lists = msg_pad(n, sizeof(*scores)) * (it->bounds->pool ? 2 : 1);
    status = check_size(it, sizeof(*reply) + reply->n_measures * sizeof(*measures) + lists);
    for (size_t i = 0; i < reply->n_measures && status == STRADS_OK; i++) {
        status = isnan(measures[i]) ? refuse(it, "measure %zu is nan", i) : STRADS_OK;
    }
    if (status == STRADS_OK) {
        status = check_scores_told(it, scores);
    }
    if (status == STRADS_OK && it->bounds->pool) {
        const unsigned char *vars = (const unsigned char *) scores + lists / 2;
        status = check_pool(it, (const uint32_t *) vars, n);
    }
    return status;
}

static strads_status check_edge_list(const checked *it, const msg_edge *edges, size_t n)
{
    const msg_correlate *question = &it->bounds->question;
    for (size_t i = 0; i < n; i++) {
        const msg_edge *edge = &edges[i];
        if (edge->b >= edge->a || edge->a < question->first_new || edge->a >= question->n_vars) {
            return refuse(it,
                          "edge %zu joins places %u and %u; the first is at least %" PRIu64
                          ", below %" PRIu64 " and above the second",
                          i, edge->a, edge->b, question->first_new, question->n_vars);
        }
        if (!(edge->cosine > question->rho && edge->cosine <= 1.0)) {
            return refuse(it, "edge %zu has the cosine %g; it is above %g and at most 1", i,
                          edge->cosine, question->rho);
        }
    }
    return STRADS_OK;
}

static strads_status check_edges(const checked *it)
{
    const msg_edges *reply = (const msg_edges *) it->message->body;
    const msg_correlate *question = &it->bounds->question;
    const uint64_t most = question->max_edges > 0 ? question->max_edges : UINT64_MAX;
    strads_status status = check_answer(it, sizeof(*reply), &reply->busy_seconds);
    if (status == STRADS_OK) {
        status = check_most(it, "n_edges", reply->n_edges, most);
    }
    if (status == STRADS_OK) { /* before their product is taken */
        status = check_most(it, "n_edges", reply->n_edges,
                            (it->message->bytes - sizeof(*reply)) / sizeof(msg_edge));
    }
    if (status == STRADS_OK) {
        status = check_size(it, sizeof(*reply) + reply->n_edges * sizeof(msg_edge));
    }
    return status == STRADS_OK ? check_edge_list(it, (const msg_edge *) (reply + 1), reply->n_edges)
                               : status;
}

static strads_status check_done(const checked *it)
{
    const msg_done *reply = (const msg_done *) it->message->body;
    strads_status status = check_answer(it, sizeof(*reply), &reply->busy_seconds);
    if (status == STRADS_OK) {
        status = check_equal(it, "round", reply->round, it->bounds->round);
    }
    if (status == STRADS_OK) {
        status = check_finite(it, "delayed", &reply->delayed, 1);
    }
    if (status == STRADS_OK) {
        status = check_most(it, "n_guarded", reply->n_guarded, reply->n_steps);
    }
    if (status == STRADS_OK) {
        status = check_equal(it, "n_doubles", reply->n_doubles, it->bounds->n_doubles);
    }
    return status == STRADS_OK ? check_size(it, sizeof(*reply) + reply->n_doubles * sizeof(double))
                               : status;
}

static strads_status check_failed(const checked *it)
{
    const msg_failed *reply = (const msg_failed *) it->message->body;
    const strads_status status = check_size(it, sizeof(*reply));
    if (status == STRADS_OK && (reply->status == STRADS_OK || reply->status >= STRADS_N_STATUSES)) {
        return refuse(it, "status is %" PRIu64 "; it is from 1 to %d", reply->status,
                      STRADS_N_STATUSES - 1);
    }
    return status;
}

static strads_status check_close(const checked *it)
{
    const msg_close *message = (const msg_close *) it->message->body;
    const strads_status status = check_size(it, sizeof(*message));
    return status == STRADS_OK ? check_most(it, "give", message->give, 1) : status;
}

/* STOP. */
static strads_status check_empty(const checked *it)
{
    return check_size(it, 0);
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

typedef strads_status check_of(const checked *it);

strads_status msg_check(const net_message *message, const msg_bounds *bounds)
{
    static check_of *const checks[N_TYPES] = {
        [MSG_READY] = check_ready,         [MSG_SCAN] = check_scan,   [MSG_SCORES] = check_scores,
        [MSG_STAGE] = check_stage,         [MSG_EDGES] = check_edges, [MSG_PUSH] = check_push,
        [MSG_CORRELATE] = check_correlate, [MSG_DONE] = check_done,   [MSG_SYNC] = check_sync,
        [MSG_CLOSE] = check_close,         [MSG_LEND] = check_lend,   [MSG_STOP] = check_empty,
        [MSG_FAILED] = check_failed};
    const checked it = {.message = message, .bounds = bounds};
    if (message->type >= N_TYPES) {
        return refuse(&it, "its type is %u; it is at most %d", message->type, N_TYPES - 1);
    }
    if ((bounds->types >> message->type & 1) == 0) {
        return refuse(&it, "it is not due");
    }
    return checks[message->type](&it);
}
