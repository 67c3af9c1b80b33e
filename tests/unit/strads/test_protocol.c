/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_protocol.c - what is refused of other processes' messages. */
#include "strads/protocol.h"

#include <string.h>

#include "tests/unit/strads/protocol_case.h"

static void sound_messages_of_all_types_pass(void)
{
    unsigned char body[MESSAGE_BODY];
    for (uint32_t type = 0; type < MESSAGE_TYPES; type++) {
        CHECK(passes(type, body, message_sound(type, body)));
    }
}

static void a_body_of_any_other_length_is_refused(void)
{
    unsigned char body[MESSAGE_BODY] = {0};
    for (uint32_t type = 0; type < MESSAGE_TYPES; type++) {
        const size_t n = message_sound(type, body);
        for (size_t bytes = 0; bytes <= n + 24; bytes++) {
            CHECK(passes(type, body, bytes) == (bytes == n));
        }
    }
}

/* ---- one number of a sound body is another ---- */

typedef struct change {
    uint32_t type;
    size_t place; /* bytes from the start of the body */
    form form;
    double to;
    bool passes;
} change;

static const change changes[] = {
    {MSG_READY, FIELD(msg_ready, n_vars), COUNT, 49, false},
    {MSG_READY, FIELD(msg_ready, partial_width), COUNT, 1, false},
    {MSG_READY, FIELD(msg_ready, n_shared), COUNT, 8, false},
    {MSG_READY, FIELD(msg_ready, n_measures), COUNT, 0, false},

    {MSG_SCAN, FIELD(msg_scan, whole), COUNT, 2, false},
    {MSG_SCAN, FIELD(msg_scan, whole), COUNT, 0, false}, /* with a pool */
    {MSG_SCAN, FIELD(msg_scan, n_pool), COUNT, 20, true},
    {MSG_SCAN, FIELD(msg_scan, n_pool), COUNT, 21, false},
    {MSG_SCAN, FIELD(msg_scan, retired), COUNT, 1, false}, /* with a pool */
    {MSG_SCAN, FIELD(msg_scan, totals), COUNT, 1, false},
    {MSG_SCAN, FIELD(msg_scan, n_vars), COUNT, 4, false}, /* the padding is a 0 */
    {MSG_SCAN, FIELD(msg_scan, n_vars), COUNT, 5, false},
    {MSG_SCAN, AFTER(msg_scan, 0, 0, 4), INDEX, 9, false},
    {MSG_SCAN, AFTER(msg_scan, 0, 1, 4), INDEX, 28, true},
    {MSG_SCAN, AFTER(msg_scan, 0, 1, 4), INDEX, 29, false},
    {MSG_SCAN, AFTER(msg_scan, 0, 1, 4), INDEX, 10, false},
    {MSG_SCAN, AFTER(msg_scan, 0, 2, 4), INDEX, 30, false},

    {MSG_SCORES, FIELD(msg_scores, busy_seconds), REAL, NAN, false},
    {MSG_SCORES, FIELD(msg_scores, ran), REAL, NAN, false},
    {MSG_SCORES, FIELD(msg_scores, delayed), REAL, INFINITY, false},
    {MSG_SCORES, FIELD(msg_scores, largest), REAL, NAN, false},
    {MSG_SCORES, FIELD(msg_scores, largest), REAL, INFINITY, false},
    {MSG_SCORES, FIELD(msg_scores, largest), REAL, 1.9, false},
    {MSG_SCORES, FIELD(msg_scores, largest), REAL, 1e300, true},
    {MSG_SCORES, FIELD(msg_scores, n_measures), COUNT, 1, false},
    {MSG_SCORES, FIELD(msg_scores, listed), COUNT, 0, false},
    {MSG_SCORES, FIELD(msg_scores, listed), COUNT, 2, false},
    {MSG_SCORES, FIELD(msg_scores, n_vars), COUNT, 2, false},
    {MSG_SCORES, FIELD(msg_scores, n_vars), COUNT, 4, false},
    {MSG_SCORES, AFTER(msg_scores, 0, 0, 8), REAL, NAN, false},
    {MSG_SCORES, AFTER(msg_scores, 0, 0, 8), REAL, -INFINITY, true},
    {MSG_SCORES, AFTER(msg_scores, 16, 1, 4), SCORE, NAN, false},
    {MSG_SCORES, AFTER(msg_scores, 16, 1, 4), SCORE, INFINITY, false},
    {MSG_SCORES, AFTER(msg_scores, 16, 1, 4), SCORE, 2.0, true},
    {MSG_SCORES, AFTER(msg_scores, 32, 0, 4), INDEX, 11, false}, /* 12 is kept */
    {MSG_SCORES, AFTER(msg_scores, 32, 1, 4), INDEX, 18, false}, /* 17 is kept */
    {MSG_SCORES, AFTER(msg_scores, 32, 2, 4), INDEX, 18, true},
    {MSG_SCORES, AFTER(msg_scores, 32, 2, 4), INDEX, 17, false},
    {MSG_SCORES, AFTER(msg_scores, 32, 2, 4), INDEX, 30, false},

    {MSG_STAGE, FIELD(strads_stage, changed), BYTE, 0, true},
    {MSG_STAGE, FIELD(strads_stage, changed), BYTE, 2, false},
    {MSG_STAGE, FIELD(strads_stage, restart), BYTE, 1, true},
    {MSG_STAGE, FIELD(strads_stage, restart), BYTE, 2, false},
    {MSG_STAGE, FIELD(strads_stage, done), BYTE, 1, true},
    {MSG_STAGE, FIELD(strads_stage, done), BYTE, 255, false},

    {MSG_CORRELATE, FIELD(msg_correlate, rho), REAL, 1.0, true},
    {MSG_CORRELATE, FIELD(msg_correlate, rho), REAL, 1.1, false},
    {MSG_CORRELATE, FIELD(msg_correlate, rho), REAL, -0.1, false},
    {MSG_CORRELATE, FIELD(msg_correlate, rho), REAL, NAN, false},
    {MSG_CORRELATE, FIELD(msg_correlate, max_edges), COUNT, 1e19, true},
    {MSG_CORRELATE, FIELD(msg_correlate, first_new), COUNT, 3, true},
    {MSG_CORRELATE, FIELD(msg_correlate, first_new), COUNT, 4, false},
    {MSG_CORRELATE, FIELD(msg_correlate, n_vars), COUNT, 5, false},
    {MSG_CORRELATE, AFTER(msg_correlate, 0, 1, 4), INDEX, 49, true}, /* distinct is not proved */
    {MSG_CORRELATE, AFTER(msg_correlate, 0, 1, 4), INDEX, 50, false},

    {MSG_EDGES, FIELD(msg_edges, busy_seconds), REAL, INFINITY, false},
    {MSG_EDGES, FIELD(msg_edges, n_edges), COUNT, 1, false},
    {MSG_EDGES, FIELD(msg_edges, n_edges), COUNT, 3, false},
    {MSG_EDGES, FIELD(msg_edges, n_edges), COUNT, 5, false},
    {MSG_EDGES, AFTER(msg_edges, 0, 0, 16), INDEX, 6, false},
    {MSG_EDGES, AFTER(msg_edges, 4, 0, 16), INDEX, 5, false},
    {MSG_EDGES, AFTER(msg_edges, 0, 1, 16), INDEX, 1, false}, /* both known before */
    {MSG_EDGES, AFTER(msg_edges, 8, 1, 16), REAL, 0.25, false},
    {MSG_EDGES, AFTER(msg_edges, 8, 1, 16), REAL, 0.26, true},
    {MSG_EDGES, AFTER(msg_edges, 8, 1, 16), REAL, 1.01, false},
    {MSG_EDGES, AFTER(msg_edges, 8, 1, 16), REAL, NAN, false},

    {MSG_PUSH, FIELD(msg_push, solve), COUNT, 2, false},
    {MSG_PUSH, FIELD(msg_push, target), REAL, NAN, false},
    {MSG_PUSH, FIELD(msg_push, target), REAL, INFINITY, false},
    {MSG_PUSH, FIELD(msg_push, n_members), COUNT, 3, true},
    {MSG_PUSH, FIELD(msg_push, n_members), COUNT, 4, false},
    {MSG_PUSH, FIELD(msg_push, n_members), COUNT, 1, false}, /* it goes to the second */
    {MSG_PUSH, FIELD(msg_push, lent), COUNT, 1, true},
    {MSG_PUSH, FIELD(msg_push, lent), COUNT, 2, false},
    {MSG_PUSH, FIELD(msg_push, n_vars), COUNT, 2, false},
    {MSG_PUSH, FIELD(msg_push, n_vars), COUNT, 51, false},
    {MSG_PUSH, AFTER(msg_push, 0, 2, 8), REAL, -INFINITY, false},
    {MSG_PUSH, AFTER(msg_push, 24, 2, 4), INDEX, 50, false},

    {MSG_DONE, FIELD(msg_done, round), COUNT, 8, false},
    {MSG_DONE, FIELD(msg_done, busy_seconds), REAL, NAN, false},
    {MSG_DONE, FIELD(msg_done, n_guarded), COUNT, 5, false},
    {MSG_DONE, FIELD(msg_done, n_doubles), COUNT, 3, false},
    {MSG_DONE, FIELD(msg_done, n_doubles), COUNT, 5, false},
    {MSG_DONE, AFTER(msg_done, 0, 1, 8), REAL, NAN, true}, /* for pull to judge */

    {MSG_SYNC, FIELD(msg_sync, n_vars), COUNT, 2, false},
    {MSG_SYNC, FIELD(msg_sync, n_vars), COUNT, 21, false},
    {MSG_SYNC, AFTER(msg_sync, 0, 0, 8), REAL, NAN, false},
    {MSG_SYNC, AFTER(msg_sync, 24, 0, 4), INDEX, 9, false},
    {MSG_SYNC, AFTER(msg_sync, 24, 0, 4), INDEX, 30, false},

    {MSG_LEND, FIELD(msg_lend, afresh), COUNT, 2, false},
    {MSG_LEND, FIELD(msg_lend, n_borrowers), COUNT, 3, true},
    {MSG_LEND, FIELD(msg_lend, n_borrowers), COUNT, 4, false},
    {MSG_LEND, FIELD(msg_lend, n_vars), COUNT, 1, false},
    {MSG_LEND, FIELD(msg_lend, n_vars), COUNT, 51, false},
    {MSG_LEND, AFTER(msg_lend, 0, 2, 4), INDEX, 50, false},

    {MSG_DRAW, FIELD(msg_draw, restart), COUNT, 2, false},
    {MSG_DRAW, FIELD(msg_draw, back), COUNT, 2, false},
    {MSG_DRAW, FIELD(msg_draw, fresh), COUNT, 2, false},
    {MSG_DRAW, FIELD(msg_draw, claims), COUNT, 2, false},
    {MSG_DRAW, FIELD(msg_draw, claimed), COUNT, 9, false},
    {MSG_DRAW, FIELD(msg_draw, claimed), COUNT, 18, false},
    {MSG_DRAW, FIELD(msg_draw, n_draws), COUNT, 9, false},
    {MSG_DRAW, FIELD(msg_draw, floor), REAL, -1e-300, false},
    {MSG_DRAW, FIELD(msg_draw, floor), REAL, NAN, false},
    {MSG_DRAW, FIELD(msg_draw, floor), REAL, INFINITY, false},
    {MSG_DRAW, FIELD(msg_draw, n_vars), COUNT, 2, false},
    {MSG_DRAW, FIELD(msg_draw, n_vars), COUNT, 9, false},
    {MSG_DRAW, AFTER(msg_draw, 0, 1, 4), SCORE, NAN, false},
    {MSG_DRAW, AFTER(msg_draw, 0, 1, 4), SCORE, INFINITY, false},
    {MSG_DRAW, AFTER(msg_draw, 0, 1, 4), SCORE, -INFINITY, false},
    {MSG_DRAW, AFTER(msg_draw, 16, 2, 4), INDEX, 9, false},
    {MSG_DRAW, AFTER(msg_draw, 16, 2, 4), INDEX, 18, false},

    {MSG_DRAWN, FIELD(msg_drawn, left.sum), REAL, 0.0, true},
    {MSG_DRAWN, FIELD(msg_drawn, left.sum), REAL, -1.0, false},
    {MSG_DRAWN, FIELD(msg_drawn, left.sum), REAL, NAN, false},
    {MSG_DRAWN, FIELD(msg_drawn, left.sum), REAL, INFINITY, false},
    {MSG_DRAWN, FIELD(msg_drawn, left.sum), REAL, 3.4e38, true},
    {MSG_DRAWN, FIELD(msg_drawn, left.sum), REAL, 3.5e38, false}, /* of one score */
    {MSG_DRAWN, FIELD(msg_drawn, left.n_positive), COUNT, 0, false},
    {MSG_DRAWN, FIELD(msg_drawn, left.n_positive), COUNT, 3, false},
    {MSG_DRAWN, FIELD(msg_drawn, left.n_open), COUNT, 4, true},
    {MSG_DRAWN, FIELD(msg_drawn, left.n_open), COUNT, 5, false},
    {MSG_DRAWN, FIELD(msg_drawn, n_vars), COUNT, 3, false},
    {MSG_DRAWN, FIELD(msg_drawn, n_vars), COUNT, 6, false},
    {MSG_DRAWN, AFTER(msg_drawn, 0, 1, 4), SCORE, NAN, false},
    {MSG_DRAWN, AFTER(msg_drawn, 0, 1, 4), SCORE, INFINITY, false},
    {MSG_DRAWN, AFTER(msg_drawn, 0, 1, 4), SCORE, -INFINITY, false},
    {MSG_DRAWN, AFTER(msg_drawn, 16, 3, 4), INDEX, 9, false},
    {MSG_DRAWN, AFTER(msg_drawn, 16, 3, 4), INDEX, 18, false},

    {MSG_FAILED, FIELD(msg_failed, status), COUNT, STRADS_OK, false},
    {MSG_FAILED, FIELD(msg_failed, status), COUNT, STRADS_N_STATUSES - 1, true},
    {MSG_FAILED, FIELD(msg_failed, status), COUNT, STRADS_N_STATUSES, false},
};

static void every_number_is_held_to_its_bounds(void)
{
    unsigned char body[MESSAGE_BODY];
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const change *one = &changes[i];
        const size_t bytes = message_sound(one->type, body);
        put(body + one->place, one->form, one->to);
        if (passes(one->type, body, bytes) != one->passes) {
            fprintf(stderr, "change %zu: type %u, byte %zu, to %g\n", i, one->type, one->place,
                    one->to);
            CHECK(false);
        }
    }
}

/* Counts whose arrays would take 2^64 bytes, or nearly, so that a product or a sum that
 * wraps comes to the bytes that there are. */
static void counts_whose_bytes_overflow_are_refused(void)
{
    static const struct {
        uint32_t type;
        size_t count, head;
    } counted[] = {{MSG_SCAN, FIELD(msg_scan, n_vars), sizeof(msg_scan)},
                   {MSG_SCORES, FIELD(msg_scores, n_measures), sizeof(msg_scores)},
                   {MSG_SCORES, FIELD(msg_scores, n_vars), sizeof(msg_scores)},
                   {MSG_CORRELATE, FIELD(msg_correlate, n_vars), sizeof(msg_correlate)},
                   {MSG_EDGES, FIELD(msg_edges, n_edges), sizeof(msg_edges)},
                   {MSG_PUSH, FIELD(msg_push, n_vars), sizeof(msg_push)},
                   {MSG_DONE, FIELD(msg_done, n_doubles), sizeof(msg_done)},
                   {MSG_SYNC, FIELD(msg_sync, n_vars), sizeof(msg_sync)},
                   {MSG_LEND, FIELD(msg_lend, n_vars), sizeof(msg_lend)},
                   {MSG_DRAW, FIELD(msg_draw, n_vars), sizeof(msg_draw)},
                   {MSG_DRAWN, FIELD(msg_drawn, n_vars), sizeof(msg_drawn)}};
    unsigned char body[MESSAGE_BODY];
    for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
        for (uint32_t bit = 32; bit < 64; bit++) {
            const uint64_t count = UINT64_C(1) << bit;
            (void) message_sound(counted[i].type, body);
            memcpy(body + counted[i].count, &count, sizeof(count));
            CHECK(!passes(counted[i].type, body, counted[i].head));
        }
    }
    attempt it = {.type = MSG_EDGES, .body = body, .bytes = sizeof(msg_edges)};
    it.bounds = message_bounds(MSG_EDGES);
    it.bounds.question.max_edges = 0; /* as many as there are pairs */
    *(msg_edges *) body = (msg_edges){.n_edges = UINT64_C(1) << 60};
    strads_free(words_of(&it));
    CHECK_STATUS(it.status, STRADS_ERR_DATA);
}

/* ---- bodies at random ---- */

static uint64_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

typedef struct many {
    uint64_t state;
    size_t n_passed;
    bool agree;
} many;

static void try_many(void *context)
{
    enum { TRIES = 20000 };
    many *all = context;
    all->agree = true;
    for (size_t i = 0; i < TRIES; i++) {
        unsigned char body[MESSAGE_BODY] = {0};
        attempt it = {.type = (uint32_t) (i % MESSAGE_TYPES), .body = body};
        it.bounds = message_bounds(it.type);
        it.bounds.totals = draw(&all->state) % 2 == 0;
        it.bounds.retired = draw(&all->state) % 4 == 0;
        it.bytes = message_sound(it.type, body);
        const bool wild = draw(&all->state) % 4 == 0;
        const size_t n_changes = wild ? it.bytes : 1 + draw(&all->state) % 3;
        for (size_t k = 0; k < n_changes && it.bytes > 0; k++) {
            body[draw(&all->state) % it.bytes] = (unsigned char) draw(&all->state);
        }
        it.bytes = wild ? draw(&all->state) % MESSAGE_BODY : it.bytes;
        check_it(&it);
        all->agree = all->agree && it.sound == (it.status == STRADS_OK);
        all->n_passed += it.status == STRADS_OK;
    }
}

static void of_random_bodies_only_sound_ones_pass(void)
{
    many all = {.state = 1};
    strads_free(suite_stderr_of(try_many, &all));
    CHECK(all.agree);
    CHECK(all.n_passed > 1000);
}

/* ---- what comes when ---- */

static void a_message_that_is_not_due_is_refused(void)
{
    unsigned char body[MESSAGE_BODY];
    for (uint32_t type = 0; type < MESSAGE_TYPES; type++) {
        attempt it = {.type = type, .body = body, .bytes = message_sound(type, body)};
        it.bounds = message_bounds(type);
        it.bounds.types = ~it.bounds.types;
        strads_free(words_of(&it));
        CHECK_STATUS(it.status, STRADS_ERR_DATA);
    }
}

static void a_type_that_there_is_not_is_refused(void)
{
    static const uint32_t types[] = {MESSAGE_TYPES, 32, 33, UINT32_MAX};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        attempt it = {.type = types[i], .body = "", .bounds = message_bounds(MSG_CLOSE)};
        it.bounds.types = UINT32_MAX;
        strads_free(words_of(&it));
        CHECK_STATUS(it.status, STRADS_ERR_DATA);
    }
}

static void a_scan_is_whole_or_not(void)
{
    for (uint64_t whole = 0; whole < 3; whole++) {
        const msg_scan scan = {.whole = whole};
        CHECK(passes(MSG_SCAN, &scan, sizeof(scan)) == (whole < 2));
    }
}

static void a_worker_that_holds_its_range_alone_is_pushed_nothing_else(void)
{
    const size_t vars = AFTER(msg_push, 24, 0, 4);
    const uint32_t own[] = {29, 10, 20};
    unsigned char body[MESSAGE_BODY];
    attempt it = {.type = MSG_PUSH, .body = body, .bytes = message_sound(MSG_PUSH, body)};
    it.bounds = message_bounds(MSG_PUSH);
    it.bounds.own_only = true;
    strads_free(words_of(&it));
    CHECK_STATUS(it.status, STRADS_ERR_DATA);
    memcpy(body + vars, own, sizeof(own));
    strads_free(words_of(&it));
    CHECK_STATUS(it.status, STRADS_OK);
}

/* ---- words ---- */

static void check_words(uint32_t type, size_t place, form as, double to, const char *expected)
{
    unsigned char body[MESSAGE_BODY];
    attempt it = {.type = type, .body = body, .bytes = message_sound(type, body)};
    it.bounds = message_bounds(type);
    put(body + place, as, to);
    char *words = words_of(&it);
    CHECK_TEXT(words, expected);
    strads_free(words);
}

static void a_refusal_says_who_sent_whom_what_and_what_would_be_right(void)
{
    check_words(MSG_SCORES, FIELD(msg_scores, n_vars), COUNT, 21,
                "strads: error: worker 1 sent the coordinator a bad SCORES: n_vars is 21; it is at "
                "most 20\n");
    check_words(
        MSG_PUSH, AFTER(msg_push, 24, 2, 4), INDEX, 50,
        "strads: error: the coordinator sent worker 1 a bad PUSH: variable 50 at place 2 of "
        "its list; there it is at least 0 and below 50\n");
    check_words(MSG_DONE, FIELD(msg_done, round), COUNT, 8,
                "strads: error: worker 1 sent the coordinator a bad DONE: round is 8; 9 is due\n");
}

static void a_worker_with_other_data_is_named_with_both_numbers(void)
{
    check_words(MSG_READY, FIELD(msg_ready, n_vars), COUNT, 49,
                "strads: error: worker 1 has 49 variables, the coordinator 50: a part of the data "
                "is missing or of other width\n");
    check_words(MSG_READY, FIELD(msg_ready, n_shared), COUNT, 6,
                "strads: error: worker 1 has 6 numbers of shared state, the coordinator 7: a part "
                "of the data is missing or of other width\n");
    check_words(MSG_READY, FIELD(msg_ready, partial_width), COUNT, 1,
                "strads: error: worker 1 has 1 numbers a partial, the coordinator 2: they do not "
                "run the same program\n");
    check_words(MSG_READY, FIELD(msg_ready, n_measures), COUNT, 3,
                "strads: error: worker 1 has 3 measures, the coordinator 2: they do not run the "
                "same program\n");
}

SUITE("strads/protocol", {"sound messages of all types pass", sound_messages_of_all_types_pass},
      {"a body of any other length is refused", a_body_of_any_other_length_is_refused},
      {"every number is held to its bounds", every_number_is_held_to_its_bounds},
      {"counts whose bytes overflow are refused", counts_whose_bytes_overflow_are_refused},
      {"of random bodies only sound ones pass", of_random_bodies_only_sound_ones_pass},
      {"a message that is not due is refused", a_message_that_is_not_due_is_refused},
      {"a type that there is not is refused", a_type_that_there_is_not_is_refused},
      {"a scan is whole or not", a_scan_is_whole_or_not},
      {"a worker that holds its range alone is pushed nothing else",
       a_worker_that_holds_its_range_alone_is_pushed_nothing_else},
      {"a refusal says who sent whom what, and what would be right",
       a_refusal_says_who_sent_whom_what_and_what_would_be_right},
      {"a worker with other data is named, with both numbers",
       a_worker_with_other_data_is_named_with_both_numbers})
