/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/message_case.c - sound messages, and a reader that trusts nothing. */
#include "tests/support/message_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_for_coordinator(uint32_t type)
{
    return type == MSG_READY || type == MSG_SCORES || type == MSG_EDGES || type == MSG_DONE ||
           type == MSG_FAILED || type == MSG_STOP || type == MSG_DRAWN;
}

msg_bounds message_bounds(uint32_t type)
{
    static const uint32_t kept[] = {MESSAGE_FIRST + 2, MESSAGE_FIRST + 7};
    return (msg_bounds){
        .to = is_for_coordinator(type) ? NET_COORDINATOR : 2,
        .types = 1U << type,
        .data = {.n_vars = MESSAGE_J, .partial_width = 2, .n_shared = 7, .n_measures = 2},
        .n_workers = MESSAGE_WORKERS,
        .first = MESSAGE_FIRST,
        .n_range = MESSAGE_RANGE,
        .draws = true,
        .shard_first = MESSAGE_FIRST,
        .n_shard = MESSAGE_SHARD,
        .pool = true,
        .kept = kept,
        .n_kept = 2,
        .n_scores = 3,
        .draw = {.n_draws = 4, .claims = 1, .claimed = MESSAGE_FIRST, .floor = 0.5},
        .question = {.rho = 0.25, .max_edges = 4, .first_new = 2, .n_vars = 6},
        .round = 9,
        .n_doubles = 4};
}

/* Sound draws. */
static const struct {
    msg_draw head;
    float scores[4];
    uint32_t vars[4];
} draw = {{.restart = 1,
           .back = 1,
           .fresh = 1,
           .claims = 1,
           .claimed = 17,
           .n_draws = 8,
           .floor = 0.5,
           .n_vars = 3},
          {1.0F, -1.0F, 0.0F},
          {17, 10, 12}};
static const struct {
    msg_drawn head;
    float scores[4];
    uint32_t vars[4];
} drawn = {{.left = {.sum = 0.5, .n_positive = 1, .n_open = 2}, .n_vars = 4},
           {1.0F, -2.0F, 0.0F, 3.0F},
           {17, 10, 12, 11}};

size_t message_sound(uint32_t type, unsigned char body[MESSAGE_BODY])
{
    static const struct {
        msg_scan head;
        uint32_t vars[4];
    } scan = {{.whole = 1, .n_pool = 12, .n_vars = 3}, {10, 11, 29}};
    static const struct {
        msg_scores head;
        double measures[2];
        float scores[4];
        uint32_t vars[4];
    } scores = {{.busy_seconds = 0.5, .largest = 2.0, .n_measures = 2, .listed = 1, .n_vars = 3},
                {-1.0, INFINITY},
                {2.0F, -INFINITY, 1.0F},
                {12, 17, 29}};
    static const struct {
        msg_correlate head;
        uint32_t vars[4];
    } correlate = {{.rho = 0.25, .first_new = 1, .n_vars = 3}, {49, 0, 7}};
    static const struct {
        msg_edges head;
        msg_edge edges[2];
    } edges = {{.busy_seconds = 0.5, .n_edges = 2}, {{5, 4, 1.0}, {2, 0, 0.5}}};
    static const struct {
        msg_push head;
        double values[3];
        uint32_t vars[4];
    } push = {{.round = 9, .solve = 1, .target = 0.1, .n_members = 2, .n_vars = 3},
              {1.0, 0.0, -1.0},
              {49, 0, 7}};
    static const struct {
        msg_done head;
        double partials[4];
    } done = {{.round = 9, .n_steps = 4, .n_guarded = 4, .n_updates = 2, .n_doubles = 4},
              {1.0, 2.0, 3.0, 4.0}};
    static const struct {
        msg_sync head;
        double values[3];
        uint32_t vars[4];
    } sync = {{.n_vars = 3}, {1.0, 0.0, -1.0}, {29, 10, 12}};
    static const msg_ready ready = {
        .n_vars = MESSAGE_J, .partial_width = 2, .n_shared = 7, .n_measures = 2};
    static const strads_stage stage = {.objective = NAN, .gap = INFINITY, .changed = true};
    static const struct {
        msg_lend head;
        uint32_t vars[4];
    } lend = {{.afresh = 1, .n_borrowers = 2, .n_vars = 3}, {49, 0, 7}};
    static const msg_close close = {.give = 1};
    static const msg_failed failed = {.status = STRADS_ERR_CLOSED};
    static const struct {
        const void *body;
        size_t bytes;
    } of[MESSAGE_TYPES] = {
        [MSG_READY] = {&ready, sizeof(ready)},    [MSG_SCAN] = {&scan, sizeof(scan)},
        [MSG_SCORES] = {&scores, sizeof(scores)}, [MSG_STAGE] = {&stage, sizeof(stage)},
        [MSG_EDGES] = {&edges, sizeof(edges)},    [MSG_CORRELATE] = {&correlate, sizeof(correlate)},
        [MSG_PUSH] = {&push, sizeof(push)},       [MSG_DONE] = {&done, sizeof(done)},
        [MSG_SYNC] = {&sync, sizeof(sync)},       [MSG_CLOSE] = {&close, sizeof(close)},
        [MSG_FAILED] = {&failed, sizeof(failed)}, [MSG_STOP] = {&sync, 0},
        [MSG_LEND] = {&lend, sizeof(lend)},       [MSG_DRAW] = {&draw, sizeof(draw)},
        [MSG_DRAWN] = {&drawn, sizeof(drawn)}};
    memcpy(body, of[type].body, of[type].bytes);
    return of[type].bytes;
}

net_message *message_of(uint32_t type, const void *body, size_t bytes)
{
    net_message *message = net_message_create(type, NET_DATA, bytes);
    if (message == NULL) {
        perror("message_of");
        exit(2);
    }
    message->from = is_for_coordinator(type) ? 2 : NET_COORDINATOR;
    message->foreign = true;
    if (bytes > 0) {
        memcpy(message->body, body, bytes);
    }
    return message;
}

/* ---- reading ---- */

/* ok: all that was read was there, and may be so. */
typedef struct reader {
    const unsigned char *at;
    size_t left;
    bool ok;
} reader;

static void take(reader *from, void *to, size_t bytes)
{
    memset(to, 0, bytes);
    if (from->left < bytes) {
        from->ok = false;
        from->left = 0;
        return;
    }
    memcpy(to, from->at, bytes);
    from->at += bytes;
    from->left -= bytes;
}

static uint64_t take_count(reader *from)
{
    uint64_t number;
    take(from, &number, sizeof(number));
    return number;
}

static double take_double(reader *from)
{
    double number;
    take(from, &number, sizeof(number));
    return number;
}

static float take_float(reader *from)
{
    float number;
    take(from, &number, sizeof(number));
    return number;
}

static uint32_t take_u32(reader *from)
{
    uint32_t number;
    take(from, &number, sizeof(number));
    return number;
}

static void must(reader *from, bool condition)
{
    from->ok = from->ok && condition;
}

/* The padding after n numbers of 4 bytes. */
static void skip_odd(reader *from, uint64_t n)
{
    if (n % 2 == 1) {
        (void) take_u32(from);
    }
}

static void read_vars(reader *from, uint64_t n, uint32_t first, uint64_t among, bool ascending)
{
    uint32_t last = 0;
    for (uint64_t i = 0; i < n && from->ok; i++) {
        const uint32_t var = take_u32(from);
        must(from, var >= first && var - first < among);
        must(from, !ascending || i == 0 || var > last);
        last = var;
    }
    skip_odd(from, n);
}

static void read_finite(reader *from, uint64_t n)
{
    for (uint64_t i = 0; i < n && from->ok; i++) {
        must(from, isfinite(take_double(from)));
    }
}

/* ---- the types ---- */

static void read_ready(reader *from, const msg_bounds *bounds)
{
    must(from, take_count(from) == bounds->data.n_vars);
    must(from, take_count(from) == bounds->data.partial_width);
    must(from, take_count(from) == bounds->data.n_shared);
    must(from, take_count(from) == bounds->data.n_measures);
}

static void read_scan(reader *from, const msg_bounds *bounds)
{
    const uint64_t whole = take_count(from);
    const uint64_t n_pool = take_count(from);
    const uint64_t retired = take_count(from);
    const uint64_t totals = take_count(from);
    const uint64_t n = take_count(from);
    must(from, retired <= 1 && totals <= 1);
    must(from, (retired == 0 && totals == 0) || (whole == 1 && n_pool == 0));
    must(from, totals == 0 || bounds->draws);
    must(from, whole == 1 || (whole == 0 && n_pool == 0));
    must(from, n_pool <= bounds->n_range);
    read_vars(from, n, bounds->first, bounds->n_range, true);
}

/* What can be drawn of n variables; how many, of those with a score above 0 or of all. */
static uint64_t read_total(reader *from, uint64_t n, bool of_all)
{
    const double sum = take_double(from);
    const uint64_t n_positive = take_count(from);
    const uint64_t n_open = take_count(from);
    must(from, sum >= 0.0 && sum <= 3.4028234663852886e38 * (double) n_positive);
    must(from, n_positive <= n_open && n_open <= n);
    return of_all ? n_open : n_positive;
}

static void read_scores(reader *from, const msg_bounds *bounds)
{
    read_finite(from, 3);
    const double largest = take_double(from);
    const uint64_t worst = take_count(from);
    if (bounds->totals) {
        must(from, worst <= bounds->data.n_vars);
        (void) read_total(from, bounds->n_shard, true);
    } else {
        (void) take_double(from), (void) take_count(from), (void) take_count(from);
    }
    const uint64_t n_measures = take_count(from);
    const uint64_t listed = take_count(from);
    const uint64_t n = take_count(from);
    must(from, listed == (bounds->pool || bounds->retired ? 1 : 0));
    must(from, !isnan(largest) && largest != (double) INFINITY);
    must(from, n_measures == bounds->data.n_measures);
    for (uint64_t i = 0; i < n_measures && from->ok; i++) {
        must(from, !isnan(take_double(from)));
    }
    for (uint64_t i = 0; i < n && from->ok; i++) {
        const float score = take_float(from);
        must(from, !isnan(score) && score <= largest);
        must(from, !bounds->retired || score == STRADS_RETIRED);
    }
    skip_odd(from, n);
    if (listed == 0) {
        must(from, n == bounds->n_scores);
        return;
    }
    const reader vars = *from;
    read_vars(from, n, bounds->first, bounds->n_range, true);
    for (size_t k = 0; k < bounds->n_kept && from->ok; k++) {
        bool found = false;
        for (uint64_t i = 0; i < n; i++) {
            uint32_t var;
            memcpy(&var, vars.at + i * sizeof(var), sizeof(var));
            found = found || var == bounds->kept[k];
        }
        must(from, found);
    }
}

static void read_stage(reader *from, const msg_bounds *bounds)
{
    unsigned char stage[sizeof(strads_stage)];
    (void) bounds;
    take(from, stage, sizeof(stage));
    must(from, stage[offsetof(strads_stage, changed)] <= 1);
    must(from, stage[offsetof(strads_stage, restart)] <= 1);
    must(from, stage[offsetof(strads_stage, done)] <= 1);
}

static void read_correlate(reader *from, const msg_bounds *bounds)
{
    const double rho = take_double(from);
    (void) take_count(from); /* any bound on the edges */
    const uint64_t first_new = take_count(from);
    const uint64_t n = take_count(from);
    must(from, rho >= 0.0 && rho <= 1.0 && first_new <= n && n <= bounds->data.n_vars);
    read_vars(from, n, 0, bounds->data.n_vars, false);
}

static void read_edges(reader *from, const msg_bounds *bounds)
{
    read_finite(from, 1);
    const uint64_t n = take_count(from);
    must(from, bounds->question.max_edges == 0 || n <= bounds->question.max_edges);
    for (uint64_t i = 0; i < n && from->ok; i++) {
        const uint32_t a = take_u32(from);
        const uint32_t b = take_u32(from);
        const double cosine = take_double(from);
        must(from, b < a && a >= bounds->question.first_new && a < bounds->question.n_vars);
        must(from, cosine > bounds->question.rho && cosine <= 1.0);
    }
}

static void read_push(reader *from, const msg_bounds *bounds)
{
    (void) take_count(from); /* any round */
    must(from, take_count(from) <= 1);
    read_finite(from, 1);
    const uint64_t n_members = take_count(from);
    const uint64_t lent = take_count(from);
    const uint64_t n = take_count(from);
    const bool own = bounds->own_only && lent == 0;
    must(from, n_members >= bounds->to && n_members <= bounds->n_workers);
    must(from, lent <= 1 && n <= bounds->data.n_vars);
    read_finite(from, n);
    read_vars(from, n, own ? bounds->first : 0, own ? bounds->n_range : bounds->data.n_vars, false);
}

static void read_lend(reader *from, const msg_bounds *bounds)
{
    must(from, take_count(from) <= 1);
    must(from, take_count(from) <= bounds->n_workers);
    const uint64_t n = take_count(from);
    must(from, n <= bounds->data.n_vars);
    read_vars(from, n, 0, bounds->data.n_vars, false);
}

/* n scores, and the variables of the shard that have them. */
static void read_scored(reader *from, uint64_t n, const msg_bounds *bounds)
{
    for (uint64_t i = 0; i < n && from->ok; i++) {
        const float score = take_float(from);
        must(from, isfinite(score));
    }
    skip_odd(from, n);
    read_vars(from, n, bounds->shard_first, bounds->n_shard, false);
}

static void read_draw(reader *from, const msg_bounds *bounds)
{
    must(from, take_count(from) <= 1);
    must(from, take_count(from) <= 1);
    must(from, take_count(from) <= 1);
    const uint64_t claims = take_count(from);
    const uint64_t claimed = take_count(from);
    must(from, claims == 0 || (claims == 1 && claimed >= bounds->shard_first &&
                               claimed - bounds->shard_first < bounds->n_shard));
    must(from, take_count(from) <= bounds->n_shard);
    const double floor = take_double(from);
    const uint64_t n = take_count(from);
    must(from, isfinite(floor) && floor >= 0.0 && n <= bounds->n_shard);
    read_scored(from, n, bounds);
}

static void read_drawn(reader *from, const msg_bounds *bounds)
{
    reader ahead = *from;
    unsigned char total[sizeof(msg_total)];
    take(&ahead, total, sizeof(total));
    const uint64_t n = take_count(&ahead);
    must(from, n <= bounds->draw.n_draws + bounds->draw.claims && n <= bounds->n_shard);
    const uint64_t n_left =
        read_total(from, from->ok ? bounds->n_shard - n : 0, bounds->draw.floor > 0.0);
    must(from, n >= bounds->draw.n_draws || n_left == 0);
    (void) take_count(from); /* n */
    read_scored(from, from->ok ? n : 0, bounds);
}

static void read_done(reader *from, const msg_bounds *bounds)
{
    must(from, take_count(from) == bounds->round);
    read_finite(from, 1);
    const uint64_t n_steps = take_count(from);
    must(from, take_count(from) <= n_steps);
    (void) take_count(from); /* any number of updates */
    const uint64_t n = take_count(from);
    must(from, n == bounds->n_doubles);
    for (uint64_t i = 0; i < n && from->ok; i++) {
        (void) take_double(from); /* pull judges what they come to */
    }
}

static void read_sync(reader *from, const msg_bounds *bounds)
{
    const uint64_t n = take_count(from);
    must(from, n <= bounds->n_range);
    read_finite(from, n);
    read_vars(from, n, bounds->first, bounds->n_range, false);
}

static void read_close(reader *from, const msg_bounds *bounds)
{
    (void) bounds;
    must(from, take_count(from) <= 1);
}

static void read_empty(reader *from, const msg_bounds *bounds)
{
    (void) from, (void) bounds; /* empty */
}

static void read_failed(reader *from, const msg_bounds *bounds)
{
    const uint64_t status = take_count(from);
    (void) bounds;
    must(from, status > STRADS_OK && status < STRADS_N_STATUSES);
}

bool message_is_sound(const net_message *message, const msg_bounds *bounds)
{
    static void (*const readers[MESSAGE_TYPES])(reader *, const msg_bounds *) = {
        [MSG_READY] = read_ready,         [MSG_SCAN] = read_scan,     [MSG_SCORES] = read_scores,
        [MSG_STAGE] = read_stage,         [MSG_EDGES] = read_edges,   [MSG_PUSH] = read_push,
        [MSG_CORRELATE] = read_correlate, [MSG_DONE] = read_done,     [MSG_SYNC] = read_sync,
        [MSG_CLOSE] = read_close,         [MSG_FAILED] = read_failed, [MSG_STOP] = read_empty,
        [MSG_LEND] = read_lend,           [MSG_DRAW] = read_draw,     [MSG_DRAWN] = read_drawn};
    reader from = {.at = message->body, .left = message->bytes, .ok = true};
    if (message->type >= MESSAGE_TYPES || (bounds->types & 1U << message->type) == 0) {
        return false;
    }
    readers[message->type](&from, bounds);
    return from.ok && from.left == 0;
}
