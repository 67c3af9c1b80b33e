/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/watch_rounds.c - what the messages say, held to the promises of a round. */
#include "tests/support/watch_state.h"

#include <math.h>
#include <string.h>

#include "strads/protocol.h"

/* A cosine is computed here and there in different orders. */
static const double ROUNDING = 1e-9;

/* A round that was sent out and not yet committed. */
typedef struct flight {
    uint64_t round, n_members, solve;
    uint32_t n_sent, n_done; /* members that were sent theirs, and that answered */
    uint32_t n_vars;
    uint32_t vars[WATCH_VARS]; /* member by member */
    uint32_t starts[WATCH_WORKERS + 1];
    double partials[WATCH_VARS]; /* the values that were pushed */
    uint64_t trail, n_steps, n_guarded;
} flight;

/* What a worker was asked and has not answered. */
typedef struct asked {
    bool scan, question, closed, ready;
    uint32_t n_answers; /* sent while it handles a request */
} asked;

static flight flights[WATCH_FLIGHTS]; /* [0 .. n_flights), the oldest first */
static uint32_t n_flights;
static uint64_t n_rounds;
static asked workers[WATCH_WORKERS];
static double committed[WATCH_VARS];
static bool held[WATCH_VARS]; /* in a round in flight */
static bool lent[WATCH_VARS];
static uint64_t n_borrowers;
static uint32_t n_heard; /* variables of the commit that workers hear of */
static uint64_t scan_trail;
static uint32_t n_scanned; /* of the scan under way */
static msg_correlate question;
static bool ending;

void watch_rounds_start(void)
{
    memset(flights, 0, sizeof(flights));
    memset(workers, 0, sizeof(workers));
    memset(committed, 0, sizeof(committed));
    memset(held, 0, sizeof(held));
    memset(lent, 0, sizeof(lent));
    watch_draws_start();
    n_borrowers = 0;
    n_flights = 0;
    n_rounds = 0;
    n_scanned = 0;
    ending = false;
}

static size_t told_bytes(const net_message *message)
{
    const void *body = message->body;
    const size_t pair = sizeof(double) + sizeof(uint32_t);
    switch (message->type) {
    case MSG_SCAN:
        return sizeof(msg_scan) + ((const msg_scan *) body)->n_vars * sizeof(uint32_t);
    case MSG_CORRELATE:
        return sizeof(msg_correlate) + ((const msg_correlate *) body)->n_vars * sizeof(uint32_t);
    case MSG_LEND:
        return sizeof(msg_lend) + ((const msg_lend *) body)->n_vars * sizeof(uint32_t);
    case MSG_PUSH:
        return sizeof(msg_push) + ((const msg_push *) body)->n_vars * pair;
    case MSG_SYNC:
        return sizeof(msg_sync) + ((const msg_sync *) body)->n_vars * pair;
    case MSG_DRAW:
        return sizeof(msg_draw); /* and lists with padding */
    case MSG_DRAWN:
        return sizeof(msg_drawn) + ((const msg_drawn *) body)->n_vars * sizeof(float);
    case MSG_STAGE:
        return sizeof(((strads_stage *) NULL)->params);
    case MSG_SCORES: {
        const msg_scores *scores = body;
        return sizeof(*scores) + scores->n_measures * sizeof(double) +
               scores->n_vars * sizeof(float);
    }
    default:
        return message->bytes;
    }
}

uint64_t watch_rounds_hash(const net_message *message)
{
    return watch_mix(message->type, message->body, told_bytes(message));
}

/* ---- the coordinator sends ---- */

static double cosine(uint32_t j, uint32_t k)
{
    return watch_held_to.cosines[(size_t) j * watch_held_to.n_vars + k];
}

/* The variables of `of`, from `first` up to `last`, against those of `other`. */
static void check_apart(const flight *of, uint32_t first, uint32_t last, const flight *other,
                        uint32_t n_other)
{
    for (uint32_t i = first; i < last; i++) {
        for (uint32_t k = 0; k < n_other; k++) {
            const double c = cosine(of->vars[i], other->vars[k]);
            if (c > watch_held_to.rho + ROUNDING) {
                watch_complain("round %llu: variable %u beside %u of round %llu, cosine %g",
                               (unsigned long long) of->round, of->vars[i], other->vars[k],
                               (unsigned long long) other->round, c);
            }
        }
    }
}

/* The whole round was sent. */
static void check_dependencies(const flight *of)
{
    if (watch_held_to.rho >= 1.0 || of->solve) {
        return;
    }
    for (uint32_t k = 1; k < of->n_members; k++) {
        check_apart(of, of->starts[k], of->starts[k + 1], of, of->starts[k]);
    }
    for (uint32_t i = 0; watch_held_to.in_flight && i + 1 < n_flights; i++) {
        check_apart(of, 0, of->n_vars, &flights[i], flights[i].n_vars);
    }
}

static void check_pushed(uint32_t var, double value, uint64_t round)
{
    if (held[var]) {
        watch_complain("round %llu: variable %u is in flight already", (unsigned long long) round,
                       var);
    }
    if (memcmp(&value, &committed[var], sizeof(value)) != 0) {
        watch_complain("round %llu: variable %u is pushed with %.17g, committed is %.17g",
                       (unsigned long long) round, var, value, committed[var]);
    }
    watch_draws_pushed(var, round);
    held[var] = true;
}

static flight *flight_of(uint64_t round)
{
    for (uint32_t i = 0; i < n_flights; i++) {
        if (flights[i].round == round) {
            return &flights[i];
        }
    }
    return NULL;
}

static flight *open_flight(const msg_push *push)
{
    if (push->round != n_rounds || n_flights > watch_held_to.pipeline ||
        n_flights == WATCH_FLIGHTS || (n_flights > 0 && push->solve)) {
        watch_complain("round %llu begins after %llu others with %u in flight",
                       (unsigned long long) push->round, (unsigned long long) n_rounds, n_flights);
        return NULL;
    }
    n_rounds++;
    watch_found.n_rounds++;
    flight *of = &flights[n_flights++];
    *of = (flight){.round = push->round, .n_members = push->n_members, .solve = push->solve};
    return of;
}

static void lend_sent(uint32_t rank, const msg_lend *lend)
{
    const uint32_t *vars = (const uint32_t *) (lend + 1);
    if (rank > 0) {
        return;
    }
    if (lend->afresh) {
        memset(lent, 0, sizeof(lent));
        n_borrowers = lend->n_borrowers;
    }
    if (lend->n_borrowers != n_borrowers || lend->n_vars == 0) {
        watch_complain("%llu variables are lent to %llu workers, those before to %llu",
                       (unsigned long long) lend->n_vars, (unsigned long long) lend->n_borrowers,
                       (unsigned long long) n_borrowers);
    }
    for (uint64_t i = 0; i < lend->n_vars; i++) {
        if (lent[vars[i]]) {
            watch_complain("variable %u is lent a second time", vars[i]);
        }
        lent[vars[i]] = true;
        watch_found.n_lent++;
    }
}

static bool is_pushed_again(const flight *of, const uint32_t *vars, const double *values,
                            uint64_t n_vars)
{
    bool same = n_vars == of->n_vars;
    for (uint64_t i = 0; i < n_vars && same; i++) {
        same = vars[i] == of->vars[i] &&
               memcmp(&values[i], &committed[vars[i]], sizeof(values[i])) == 0;
    }
    return same;
}

static void push_sent(uint32_t rank, const msg_push *push)
{
    const double *values = (const double *) (push + 1);
    const uint32_t *vars = (const uint32_t *) (values + push->n_vars);
    flight *of = rank == 0 ? open_flight(push) : flight_of(push->round);
    if (of == NULL || of->n_sent != rank || of->n_members != push->n_members ||
        (rank == 0 || !watch_held_to.alike ? of->n_vars : 0) + push->n_vars > WATCH_VARS ||
        workers[rank].scan) {
        watch_complain("round %llu: a push to worker %u that is not its turn",
                       (unsigned long long) push->round, rank);
        return;
    }
    const bool again = watch_held_to.alike && rank > 0;
    if (again && !is_pushed_again(of, vars, values, push->n_vars)) {
        watch_complain("round %llu: worker %u is not pushed what worker 0 is",
                       (unsigned long long) push->round, rank);
    }
    for (uint64_t i = 0; i < push->n_vars && !again; i++) {
        check_pushed(vars[i], values[i], push->round);
        if (push->lent != 0 && (!lent[vars[i]] || rank >= n_borrowers)) {
            watch_complain("round %llu: variable %u was not lent to worker %u",
                           (unsigned long long) push->round, vars[i], rank);
        }
        of->vars[of->n_vars++] = vars[i];
    }
    of->n_sent++;
    of->starts[of->n_sent] = of->n_vars;
    if (of->n_sent == of->n_members) {
        check_dependencies(of);
    }
}

/* The workers hear one after another of a commit: between them of the whole oldest round,
 * each variable once; or each of all of it. */
static void sync_sent(uint32_t rank, const msg_sync *sync)
{
    const bool alike = watch_held_to.alike;
    const flight *of = &flights[0];
    const double *values = (const double *) (sync + 1);
    const uint32_t *vars = (const uint32_t *) (values + sync->n_vars);
    if (n_flights == 0 || of->n_done < of->n_members) {
        watch_complain("worker %u hears of a commit, but the oldest round is not done", rank);
        return;
    }
    n_heard = rank == 0 || alike ? 0 : n_heard;
    for (uint64_t i = 0; i < sync->n_vars; i++) {
        uint32_t at = 0;
        while (at < of->n_vars && of->vars[at] != vars[i]) {
            at++;
        }
        if (at == of->n_vars || (!held[vars[i]] && (rank == 0 || !alike))) {
            watch_complain("worker %u hears of variable %u, which is not of the oldest round or "
                           "was told before",
                           rank, vars[i]);
            return;
        }
        if (memcmp(&values[i], &of->partials[at], sizeof(double)) != 0) {
            watch_complain("round %llu: the value committed is not that pushed",
                           (unsigned long long) of->round);
        }
        committed[vars[i]] = values[i];
        held[vars[i]] = false;
        n_heard++;
    }
    const bool last = rank + 1 == watch_n_workers;
    if ((last || alike) && n_heard != of->n_vars) {
        watch_complain("round %llu: the workers heard of %u variables of %u",
                       (unsigned long long) of->round, n_heard, of->n_vars);
    }
    if (!last) {
        return;
    }
    memmove(flights, flights + 1, (n_flights - 1) * sizeof(*flights));
    n_flights--;
}

static void request_sent(uint32_t rank, const net_message *message)
{
    asked *to = &workers[rank];
    if (to->closed || (ending && message->type != MSG_CLOSE)) {
        watch_complain("message %u to worker %u after close", message->type, rank);
    }
    switch (message->type) {
    case MSG_SCAN:
        if (to->scan || n_flights > 0) {
            watch_complain("worker %u is to scan with %u rounds in flight", rank, n_flights);
        }
        to->scan = true;
        n_scanned = 0;
        break;
    case MSG_LEND:
        if (to->scan || n_flights > 0) {
            watch_complain("worker %u is to lend with %u rounds in flight", rank, n_flights);
        }
        lend_sent(rank, (const msg_lend *) message->body);
        break;
    case MSG_STAGE:
        if (to->scan || n_flights > 0) {
            watch_complain("worker %u hears of a stage with %u rounds in flight", rank, n_flights);
        }
        break;
    case MSG_CORRELATE:
        if (to->question) {
            watch_complain("worker %u is asked a second question", rank);
        }
        to->question = true;
        question = *(const msg_correlate *) message->body;
        break;
    case MSG_PUSH:
        push_sent(rank, (const msg_push *) message->body);
        break;
    case MSG_SYNC:
        sync_sent(rank, (const msg_sync *) message->body);
        break;
    case MSG_DRAW:
        watch_draws_asked(rank, (const msg_draw *) message->body,
                          n_flights > 0 || workers[rank].scan);
        break;
    default:
        to->closed = true;
        ending = true;
    }
}

/* ---- a worker sends ---- */

/* Of a range only those that are retired are told, if that. */
static void range_sent(uint32_t rank, const msg_scan *scan, const msg_scores *reply)
{
    const float *scores = (const float *) ((const double *) (reply + 1) + reply->n_measures);
    const uint32_t *vars = (const uint32_t *) (scores + (reply->n_vars + 1) / 2 * 2);
    for (uint64_t i = 0; i < reply->n_vars; i++) {
        if (scan->retired == 0 || scores[i] != STRADS_RETIRED ||
            (i > 0 && vars[i] <= vars[i - 1])) {
            watch_complain("worker %u lists variable %u, %g, which is not wanted", rank, vars[i],
                           (double) scores[i]);
        }
    }
}

static void scores_sent(uint32_t rank, const msg_scan *scan, const net_message *message,
                        uint64_t trail)
{
    if (!workers[rank].scan) {
        watch_complain("worker %u tells scores that were not asked for", rank);
    }
    if (n_scanned > 0 && trail != scan_trail) {
        watch_complain("worker %u made other exchanges in a scan than those before", rank);
    }
    if (scan != NULL && scan->whole == 1 && scan->n_pool == 0) {
        range_sent(rank, scan, (const msg_scores *) message->body);
    }
    workers[rank].scan = false;
    scan_trail = trail;
    n_scanned++;
}

static void edges_sent(uint32_t rank, const msg_edges *reply)
{
    const msg_edge *edges = (const msg_edge *) (reply + 1);
    if (!workers[rank].question) {
        watch_complain("worker %u tells edges that were not asked for", rank);
    }
    for (uint64_t i = 0; i < reply->n_edges; i++) {
        const msg_edge *e = &edges[i];
        if (!(e->cosine > question.rho) || e->cosine > 1.0 || e->b >= e->a ||
            e->a >= question.n_vars || e->a < question.first_new ||
            e->a % watch_n_workers != rank) {
            watch_complain("worker %u tells an edge %u %u, %g: asked for %llu variables, from %llu "
                           "on, above %g",
                           rank, e->a, e->b, e->cosine, (unsigned long long) question.n_vars,
                           (unsigned long long) question.first_new, question.rho);
        }
    }
    workers[rank].question = false;
}

static void done_sent(uint32_t rank, const msg_done *done, const msg_push *push, uint64_t trail)
{
    const double *partial = (const double *) (done + 1);
    const uint32_t width = watch_held_to.partial_width;
    flight *of = flight_of(done->round);
    if (of == NULL || push == NULL || push->round != done->round || of->n_sent <= rank ||
        done->n_doubles != (uint64_t) width * (of->starts[rank + 1] - of->starts[rank])) {
        watch_complain("worker %u answers round %llu, which it was not sent", rank,
                       (unsigned long long) done->round);
        return;
    }
    for (uint32_t i = of->starts[rank]; i < of->starts[rank + 1]; i++) {
        of->partials[i] = partial[(size_t) width * (i - of->starts[rank])];
    }
    if (of->n_done > 0 &&
        (trail != of->trail || done->n_steps != of->n_steps || done->n_guarded != of->n_guarded)) {
        watch_complain("round %llu: worker %u made other exchanges or steps than those before",
                       (unsigned long long) of->round, rank);
    }
    of->trail = trail;
    of->n_steps = done->n_steps;
    of->n_guarded = done->n_guarded;
    of->n_done++;
}

void watch_rounds_sent(net_id from, net_id to, const net_message *message,
                       const net_message *reading, uint64_t trail)
{
    if (from == NET_COORDINATOR) {
        request_sent(to - 1, message);
        return;
    }
    asked *of = &workers[from - 1];
    of->n_answers++;
    switch (message->type) {
    case MSG_READY:
        if (of->ready || reading != NULL) {
            watch_complain("worker %u is ready twice", from - 1);
        }
        of->ready = true;
        break;
    case MSG_SCORES:
        scores_sent(from - 1,
                    reading != NULL && reading->type == MSG_SCAN ? (const msg_scan *) reading->body
                                                                 : NULL,
                    message, trail);
        break;
    case MSG_EDGES:
        edges_sent(from - 1, (const msg_edges *) message->body);
        break;
    case MSG_DRAWN:
        watch_draws_told(from - 1, (const msg_drawn *) message->body);
        break;
    case MSG_DONE:
        done_sent(from - 1, (const msg_done *) message->body,
                  reading != NULL && reading->type == MSG_PUSH ? (const msg_push *) reading->body
                                                               : NULL,
                  trail);
        break;
    default:
        break; /* FAILED: it leaves */
    }
}

void watch_rounds_handled(net_id id, const net_message *message, bool left)
{
    if (id == NET_COORDINATOR) {
        return;
    }
    const uint32_t n_answers = workers[id - 1].n_answers;
    const bool asks = message == NULL || message->type == MSG_SCAN ||
                      message->type == MSG_CORRELATE || message->type == MSG_PUSH ||
                      message->type == MSG_DRAW;
    if (!left && n_answers != (asks ? 1 : 0)) {
        watch_complain("worker %u sends %u messages when it has message %d", id - 1, n_answers,
                       message == NULL ? -1 : (int) message->type);
    }
    workers[id - 1].n_answers = 0;
}

void watch_rounds_exchange(net_id id, const net_message *message, const net_exchange *exchange)
{
    const bool push = message != NULL && message->type == MSG_PUSH;
    const bool scan = message != NULL && message->type == MSG_SCAN;
    const bool ask = message != NULL && watch_held_to.owners &&
                     (message->type == MSG_CORRELATE || message->type == MSG_LEND);
    const uint64_t n_members = push          ? ((const msg_push *) message->body)->n_members
                               : scan || ask ? watch_n_workers
                                             : 0;
    if (exchange->n_members != n_members || id > n_members) {
        watch_complain("worker %u is in an exchange of %u members, of %llu", id - 1,
                       exchange->n_members, (unsigned long long) n_members);
    }
}

void watch_rounds_end(void)
{
    if (n_flights > 0) {
        watch_complain("round %llu was never committed", (unsigned long long) flights[0].round);
    }
    for (uint32_t k = 0; k < watch_n_workers; k++) {
        if (workers[k].scan || workers[k].question || !workers[k].ready || !workers[k].closed) {
            watch_complain("worker %u has not answered, or was not closed", k);
        }
    }
}
