/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/worker_scan.c - how far from their optimum are they: the answer to a scan. */
#include "strads/worker_state.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "prioritizer/prioritizer.h"
#include "strads/working_set.h"

/* Finds the largest of scores[n] and checks all in one pass, in lanes, so that it runs as
 * vector instructions. */
static strads_status check_scores(const strads_app *app, const float *scores, size_t n,
                                  double *largest)
{
    enum { LANES = 128 };
    float lanes[LANES];
    int bads[LANES] = {0};
    int bad = 0;
    for (size_t k = 0; k < LANES; k++) {
        lanes[k] = -INFINITY;
    }
    for (size_t first = 0; first < n; first += LANES) {
        const size_t count = n - first < LANES ? n - first : LANES;
        for (size_t k = 0; k < count; k++) {
            bads[k] |= !(scores[first + k] < INFINITY);
            lanes[k] = scores[first + k] > lanes[k] ? scores[first + k] : lanes[k];
        }
    }
    for (size_t k = 0; k < LANES; k++) {
        bad |= bads[k];
        lanes[0] = lanes[k] > lanes[0] ? lanes[k] : lanes[0];
    }
    for (size_t i = 0; bad && i < n; i++) {
        if (!(scores[i] < INFINITY)) {
            strads_error("%s: score gave %g; a score is below infinity and not NaN", app->name,
                         (double) scores[i]);
            return STRADS_ERR_NUMERIC;
        }
    }
    *largest = lanes[0];
    return STRADS_OK;
}

static strads_status check_measures(const strads_app *app, const double *measures)
{
    for (size_t i = 0; i < app->n_measures; i++) {
        if (isnan(measures[i])) {
            strads_error("%s: measure gave %s = nan", app->name, app->measures[i].name);
            return STRADS_ERR_NUMERIC;
        }
    }
    return STRADS_OK;
}

/* Room for the scores of a scan, and to pick a pool from them. */
static strads_status reserve_scan(strads_worker *worker, const msg_scan *scan)
{
    const size_t n = scan->whole ? worker->options.n_vars : scan->n_vars;
    strads_status status =
        strads_reserve(&worker->scores, &worker->scores_capacity, n, sizeof(*worker->scores));
    if (scan->n_pool > 0 && worker->picked == NULL) {
        const size_t n_range = worker->options.n_vars;
        worker->picked = strads_alloc_array(n_range, sizeof(*worker->picked));
        worker->kept = strads_alloc_array(n_range, sizeof(*worker->kept));
        worker->spare = strads_alloc_array(n_range, sizeof(*worker->spare));
        if (worker->picked == NULL || worker->kept == NULL || worker->spare == NULL) {
            status = STRADS_ERR_NOMEM;
        }
    }
    return status;
}

/* An answer about n variables, listed or not, with measures that are 0. */
static net_message *create_answer(const strads_worker *worker, size_t n, bool listed)
{
    const size_t n_measures = worker->options.app->n_measures;
    const size_t told = msg_pad(n, sizeof(float)) + (listed ? msg_pad(n, sizeof(uint32_t)) : 0);
    net_message *message = net_message_create(
        MSG_SCORES, NET_DATA, sizeof(msg_scores) + n_measures * sizeof(double) + told);
    if (message != NULL) {
        msg_scores *head = (msg_scores *) message->body;
        *head = (msg_scores){.n_measures = n_measures, .listed = listed, .n_vars = n};
        memset(head + 1, 0, n_measures * sizeof(double));
    }
    return message;
}

static float *told_scores(net_message *message)
{
    msg_scores *head = (msg_scores *) message->body;
    return (float *) ((double *) (head + 1) + head->n_measures);
}

static uint32_t *told_vars(net_message *message)
{
    const size_t n = ((const msg_scores *) message->body)->n_vars;
    return (uint32_t *) ((unsigned char *) told_scores(message) + msg_pad(n, sizeof(float)));
}

/* Which scores a pool takes: positions in worker->picked. None of the others is above the
 * bar or not a number. */
static size_t pick_pool(strads_worker *worker, const msg_scan *scan, float *bar)
{
    const size_t n = worker->options.n_vars;
    const uint32_t *vars = (const uint32_t *) (scan + 1);
    for (size_t i = 0; i < scan->n_vars; i++) {
        worker->kept[i] = vars[i] - worker->options.first;
    }
    *bar = prio_guess_bar(worker->scores, n, scan->n_pool, -INFINITY);
    const size_t n_near = prio_select_above(worker->scores, n, *bar, worker->picked);
    return working_set_add_kept(worker->scores, *bar, worker->kept, scan->n_vars, worker->picked,
                                n_near, worker->spare);
}

/* Makes the answer to a scan that asks for a pool. */
static strads_status tell_pool(strads_worker *worker, const msg_scan *scan, net_message **out)
{
    float bar = 0.0f;
    const size_t n = pick_pool(worker, scan, &bar);
    net_message *message = create_answer(worker, n, true);
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    msg_scores *head = (msg_scores *) message->body;
    float *told = told_scores(message);
    uint32_t *vars = told_vars(message);
    for (size_t i = 0; i < n; i++) {
        told[i] = worker->scores[worker->picked[i]];
        vars[i] = worker->options.first + worker->picked[i];
    }
    strads_status status = check_scores(worker->options.app, told, n, &head->largest);
    if (status == STRADS_OK && !(head->largest > bar)) {
        status = check_scores(worker->options.app, worker->scores, worker->options.n_vars,
                              &head->largest);
    }
    if (status != STRADS_OK) {
        net_message_destroy(message);
        return status;
    }
    *out = message;
    return STRADS_OK;
}

/* Makes the answer to a scan of n variables, and tells n_told of their scores: all or none. */
static strads_status tell_all(strads_worker *worker, size_t n, size_t n_told, net_message **out)
{
    double largest = -INFINITY;
    const strads_status status = check_scores(worker->options.app, worker->scores, n, &largest);
    if (status != STRADS_OK) {
        return status;
    }
    net_message *message = create_answer(worker, n_told, false);
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    ((msg_scores *) message->body)->largest = largest;
    if (n_told > 0) {
        memcpy(told_scores(message), worker->scores, n_told * sizeof(float));
    }
    *out = message;
    return STRADS_OK;
}

/* The variable with the largest score, the first of several; n_vars of all: none is above 0. */
static uint32_t worst_of(const strads_worker *worker, double largest)
{
    uint32_t i = 0;
    if (!(largest > 0.0)) {
        return worker->options.structure.n_vars;
    }
    while ((double) worker->scores[i] < largest) {
        i++;
    }
    return worker->options.first + i;
}

/* Makes the answer to a scan of the range, of which nobody else needs the scores: a list of
 * those that are retired, if that is asked for, and what the shard can draw. */
static strads_status tell_range(strads_worker *worker, const msg_scan *scan, net_message **out)
{
    const float *scores = worker->scores;
    const size_t n = worker->options.n_vars;
    const bool lists = scan->retired != 0 && worker_is_heard(worker);
    double largest = -INFINITY;
    size_t n_told = 0;
    const strads_status status = check_scores(worker->options.app, scores, n, &largest);
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t i = 0; lists && i < n; i++) {
        n_told += scores[i] == STRADS_RETIRED;
    }
    net_message *message = create_answer(worker, n_told, lists);
    if (message == NULL) {
        return STRADS_ERR_NOMEM;
    }
    msg_scores *head = (msg_scores *) message->body;
    float *told = told_scores(message);
    uint32_t *vars = told_vars(message);
    for (size_t i = 0, k = 0; k < n_told; i++) {
        if (scores[i] == STRADS_RETIRED) {
            told[k] = scores[i];
            vars[k++] = worker->options.first + (uint32_t) i;
        }
    }
    head->largest = largest;
    if (scan->totals != 0) {
        const prio_total total = worker_drawable(worker);
        head->worst = worst_of(worker, largest);
        head->total =
            (msg_total){.sum = total.sum, .n_positive = total.n_positive, .n_open = total.n_open};
    }
    *out = message;
    return STRADS_OK;
}

/* Makes the answer to a scan of n variables. */
static strads_status tell(strads_worker *worker, const msg_scan *scan, size_t n, net_message **out)
{
    if (scan->n_pool > 0 && worker_is_heard(worker)) {
        return tell_pool(worker, scan, out);
    }
    return scan->whole != 0 && scan->n_pool == 0
               ? tell_range(worker, scan, out)
               : tell_all(worker, n, worker_is_heard(worker) ? n : 0, out);
}

static strads_status take_measures(strads_worker *worker, double *measures)
{
    const strads_app *app = worker->options.app;
    if (app->n_measures == 0) {
        return STRADS_OK;
    }
    if (worker->options.grid != NULL) {
        const strads_status status = grid_measure(worker->options.grid, worker, measures);
        return status == STRADS_OK ? check_measures(app, measures) : status;
    }
    worker_enter(worker, worker->options.n_workers);
    const strads_status status = app->measure(worker->state, measures);
    worker_leave(worker);
    return status == STRADS_OK ? check_measures(app, measures) : status;
}

void worker_note_processor(strads_worker *worker)
{
    if (worker->options.n_workers > 1 &&
        !net_counts_work(worker->node)) { /* else it is simulated */
        worker->ran = strads_thread_seconds();
        worker->delayed = strads_thread_delayed();
    }
}

/* What it had of a processor since it was noted. */
static void tell_processor(strads_worker *worker, msg_scores *head)
{
    const double ran = worker->ran;
    const double delayed = worker->delayed;
    worker_note_processor(worker);
    head->ran = worker->ran - ran;
    head->delayed = worker->delayed - delayed;
}

strads_status worker_scan(strads_worker *worker, const net_message *request)
{
    const strads_app *app = worker->options.app;
    const msg_scan *scan = (const msg_scan *) request->body;
    const uint32_t *vars = scan->whole ? NULL : (const uint32_t *) (scan + 1);
    const size_t n = scan->whole ? worker->options.n_vars : scan->n_vars;
    strads_status status = reserve_scan(worker, scan);
    if (status != STRADS_OK) {
        return status;
    }
    if (worker->options.grid == NULL && app->score != NULL) {
        worker_enter(worker, worker->options.n_workers);
        status = app->score(worker->state, vars, n, worker->scores);
        worker_count_looks(worker, vars, n);
        worker_leave(worker);
    } else { /* all of them are worked on in each pass */
        for (size_t i = 0; i < n; i++) {
            worker->scores[i] = 1.0f;
        }
    }
    worker->scored_all = scan->whole != 0 && status == STRADS_OK;
    net_message *message = NULL;
    if (status == STRADS_OK) {
        status = tell(worker, scan, n, &message);
    }
    if (status != STRADS_OK) {
        return status;
    }
    msg_scores *head = (msg_scores *) message->body;
    status = take_measures(worker, (double *) (head + 1));
    if (status != STRADS_OK) {
        net_message_destroy(message);
        return status;
    }
    head->busy_seconds = worker->busy_seconds;
    tell_processor(worker, head);
    return worker_reply(worker, message);
}

void worker_scan_fini(strads_worker *worker)
{
    strads_free(worker->scores);
    strads_free(worker->picked);
    strads_free(worker->kept);
    strads_free(worker->spare);
}
