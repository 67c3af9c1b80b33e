/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/protocol_answers.c - what the coordinator is sent: may it be acted on? */
#include "strads/protocol_parts.h"

#include <inttypes.h>
#include <math.h>

static strads_status differ(const msg_checked *it, const char *what, uint64_t theirs, uint64_t ours,
                            const char *why)
{
    char from[MSG_NODE_TEXT];
    strads_error("%s has %" PRIu64 " %s, the coordinator %" PRIu64 ": %s",
                 msg_node_name(from, it->message->from), theirs, what, ours, why);
    return STRADS_ERR_DATA;
}

strads_status msg_check_ready(const msg_checked *it)
{
    static const char data[] = "a part of the data is missing or of other width";
    static const char program[] = "they do not run the same program";
    const msg_ready *theirs = (const msg_ready *) it->message->body;
    const msg_ready *ours = &it->bounds->data;
    const strads_status status = msg_check_size(it, sizeof(*theirs));
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
static strads_status check_answer(const msg_checked *it, size_t head, const double *busy_seconds)
{
    const strads_status status = msg_check_head(it, head);
    return status == STRADS_OK ? msg_check_finite(it, "busy_seconds", busy_seconds, 1) : status;
}

static strads_status check_drawable(const msg_checked *it, const msg_scores *reply)
{
    const strads_status status = msg_check_most(it, "worst", reply->worst, it->bounds->data.n_vars);
    return status == STRADS_OK ? msg_check_total(it, &reply->total, it->bounds->n_shard) : status;
}

static strads_status check_scores_head(const msg_checked *it)
{
    const msg_scores *reply = (const msg_scores *) it->message->body;
    const msg_bounds *bounds = it->bounds;
    strads_status status = check_answer(it, sizeof(*reply), &reply->busy_seconds);
    if (status == STRADS_OK) {
        status = msg_check_finite(it, "ran", &reply->ran, 1);
    }
    if (status == STRADS_OK) {
        status = msg_check_finite(it, "delayed", &reply->delayed, 1);
    }
    if (status == STRADS_OK && !(reply->largest < INFINITY)) {
        status = msg_refuse(it, "largest is %g; it is below infinity", reply->largest);
    }
    if (status == STRADS_OK) {
        status = msg_check_equal(it, "n_measures", reply->n_measures, bounds->data.n_measures);
    }
    if (status == STRADS_OK && bounds->totals) {
        status = check_drawable(it, reply);
    }
    if (status == STRADS_OK) {
        status = msg_check_equal(it, "listed", reply->listed, bounds->pool || bounds->retired);
    }
    if (status == STRADS_OK && reply->listed == 1) {
        return msg_check_most(it, "n_vars", reply->n_vars, bounds->n_range);
    }
    return status == STRADS_OK ? msg_check_equal(it, "n_vars", reply->n_vars, bounds->n_scores)
                               : status;
}

/* Not NaN, and none above the largest; of those that are retired only what they are. */
static strads_status check_scores_told(const msg_checked *it, const float *scores)
{
    const msg_scores *reply = (const msg_scores *) it->message->body;
    for (size_t i = 0; i < reply->n_vars; i++) {
        if (!(scores[i] <= reply->largest)) {
            return msg_refuse(it, "score %zu is %g; the largest is %g", i, (double) scores[i],
                              reply->largest);
        }
        if (it->bounds->retired && scores[i] != STRADS_RETIRED) {
            return msg_refuse(it, "score %zu is %g; only the retired are due", i,
                              (double) scores[i]);
        }
    }
    return STRADS_OK;
}

/* Whether the ascending vars[n] are of the worker's range, with what is kept of a pool. */
static strads_status check_listed(const msg_checked *it, const uint32_t *vars, size_t n)
{
    const strads_status status = msg_check_own(it, vars, n);
    size_t place = 0;
    for (size_t i = 0; i < it->bounds->n_kept && status == STRADS_OK; i++) {
        const uint32_t kept = it->bounds->kept[i];
        while (place < n && vars[place] < kept) {
            place++;
        }
        if (place == n || vars[place] != kept) {
            return msg_refuse(it, "variable %u is missing; it is in the working set", kept);
        }
    }
    return status;
}

strads_status msg_check_scores(const msg_checked *it)
{
    const msg_scores *reply = (const msg_scores *) it->message->body;
    strads_status status = check_scores_head(it);
    if (status != STRADS_OK) {
        return status;
    }
    const double *measures = (const double *) (reply + 1);
    const float *scores = (const float *) (measures + reply->n_measures);
    const size_t n = reply->n_vars;
    const size_t lists = msg_pad(n, sizeof(*scores)) * (reply->listed == 1 ? 2 : 1);
    status = msg_check_size(it, sizeof(*reply) + reply->n_measures * sizeof(*measures) + lists);
    for (size_t i = 0; i < reply->n_measures && status == STRADS_OK; i++) {
        status = isnan(measures[i]) ? msg_refuse(it, "measure %zu is nan", i) : STRADS_OK;
    }
    if (status == STRADS_OK) {
        status = check_scores_told(it, scores);
    }
    if (status == STRADS_OK && reply->listed == 1) {
        const unsigned char *vars = (const unsigned char *) scores + lists / 2;
        status = check_listed(it, (const uint32_t *) vars, n);
    }
    return status;
}

static strads_status check_edge_list(const msg_checked *it, const msg_edge *edges, size_t n)
{
    const msg_correlate *question = &it->bounds->question;
    for (size_t i = 0; i < n; i++) {
        const msg_edge *edge = &edges[i];
        if (edge->b >= edge->a || edge->a < question->first_new || edge->a >= question->n_vars) {
            return msg_refuse(it,
                              "edge %zu joins places %u and %u; the first is at least %" PRIu64
                              ", below %" PRIu64 " and above the second",
                              i, edge->a, edge->b, question->first_new, question->n_vars);
        }
        if (!(edge->cosine > question->rho && edge->cosine <= 1.0)) {
            return msg_refuse(it, "edge %zu has the cosine %g; it is above %g and at most 1", i,
                              edge->cosine, question->rho);
        }
    }
    return STRADS_OK;
}

strads_status msg_check_edges(const msg_checked *it)
{
    const msg_edges *reply = (const msg_edges *) it->message->body;
    const msg_correlate *question = &it->bounds->question;
    const uint64_t most = question->max_edges > 0 ? question->max_edges : UINT64_MAX;
    strads_status status = check_answer(it, sizeof(*reply), &reply->busy_seconds);
    if (status == STRADS_OK) {
        status = msg_check_most(it, "n_edges", reply->n_edges, most);
    }
    if (status == STRADS_OK) { /* before their product is taken */
        status = msg_check_most(it, "n_edges", reply->n_edges,
                                (it->message->bytes - sizeof(*reply)) / sizeof(msg_edge));
    }
    if (status == STRADS_OK) {
        status = msg_check_size(it, sizeof(*reply) + reply->n_edges * sizeof(msg_edge));
    }
    return status == STRADS_OK ? check_edge_list(it, (const msg_edge *) (reply + 1), reply->n_edges)
                               : status;
}

strads_status msg_check_done(const msg_checked *it)
{
    const msg_done *reply = (const msg_done *) it->message->body;
    strads_status status = check_answer(it, sizeof(*reply), &reply->busy_seconds);
    if (status == STRADS_OK) {
        status = msg_check_equal(it, "round", reply->round, it->bounds->round);
    }
    if (status == STRADS_OK) {
        status = msg_check_most(it, "n_guarded", reply->n_guarded, reply->n_steps);
    }
    if (status == STRADS_OK) {
        status = msg_check_equal(it, "n_doubles", reply->n_doubles, it->bounds->n_doubles);
    }
    return status == STRADS_OK
               ? msg_check_size(it, sizeof(*reply) + reply->n_doubles * sizeof(double))
               : status;
}

strads_status msg_check_failed(const msg_checked *it)
{
    const msg_failed *reply = (const msg_failed *) it->message->body;
    const strads_status status = msg_check_size(it, sizeof(*reply));
    if (status == STRADS_OK && (reply->status == STRADS_OK || reply->status >= STRADS_N_STATUSES)) {
        return msg_refuse(it, "status is %" PRIu64 "; it is from 1 to %d", reply->status,
                          STRADS_N_STATUSES - 1);
    }
    return status;
}

strads_status msg_check_stop(const msg_checked *it)
{
    return msg_check_size(it, 0);
}
