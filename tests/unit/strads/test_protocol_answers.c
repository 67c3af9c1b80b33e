/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_protocol_answers.c - what is refused of workers' answers, by what they
 * were asked. */
#include "strads/protocol.h"

#include <math.h>

#include "tests/unit/strads/protocol_case.h"

static void scores_without_a_pool_are_as_many_as_were_asked_for(void)
{
    unsigned char body[MESSAGE_BODY];
    attempt it = {.type = MSG_SCORES, .body = body};
    it.bytes = message_sound(MSG_SCORES, body) - 16; /* without their variables */
    it.bounds = message_bounds(MSG_SCORES);
    it.bounds.pool = false;
    put(body + FIELD(msg_scores, listed), COUNT, 0);
    it.bounds.n_scores = 3;
    strads_free(words_of(&it));
    CHECK_STATUS(it.status, STRADS_OK);
    it.bounds.n_scores = 4;
    strads_free(words_of(&it));
    CHECK_STATUS(it.status, STRADS_ERR_DATA);
}

/* A list of 12, 17 and 29, which are retired, differs in one number. */
static void check_list(bool asked, size_t place, form as, double to, const char *expected)
{
    unsigned char body[MESSAGE_BODY];
    attempt it = {.type = MSG_SCORES, .body = body, .bytes = message_sound(MSG_SCORES, body)};
    it.bounds = message_bounds(MSG_SCORES);
    it.bounds.pool = false;
    it.bounds.retired = asked;
    it.bounds.n_kept = 0;
    for (size_t i = 0; i < 3; i++) {
        put(body + AFTER(msg_scores, 16, i, 4), SCORE, STRADS_RETIRED);
    }
    put(body + place, as, to);
    char *words = words_of(&it);
    CHECK((it.status == STRADS_OK) == (expected[0] == '\0'));
    CHECK(strstr(words, expected) != NULL);
    strads_free(words);
}

static void of_a_range_those_that_are_retired_are_listed(void)
{
    const size_t vars = AFTER(msg_scores, 32, 0, 4);
    const size_t scores = AFTER(msg_scores, 16, 0, 4);
    check_list(true, FIELD(msg_scores, listed), COUNT, 1, "");
    check_list(true, FIELD(msg_scores, listed), COUNT, 0, "listed is 0; 1 is due");
    check_list(true, FIELD(msg_scores, n_vars), COUNT, 21, "n_vars is 21; it is at most 20");
    check_list(true, FIELD(msg_scores, n_vars), COUNT, 5, "bytes; it takes");
    check_list(true, vars, INDEX, 10, "");
    check_list(true, vars, INDEX, 9,
               "variable 9 at place 0 of its list; there it is at least 10 and");
    check_list(true, vars, INDEX, 17,
               "variable 17 at place 1 of its list; there it is at least 18 and");
    check_list(true, vars + 8, INDEX, 30,
               "variable 30 at place 2 of its list; there it is at least 18");
    check_list(true, scores + 8, SCORE, -3.0, "score 2 is -3; only the retired are due");
    check_list(true, scores + 8, SCORE, NAN, "score 2 is");
    check_list(true, scores + 8, SCORE, INFINITY, "score 2 is inf; the largest is 2");
}

static void a_list_that_was_not_asked_for_is_refused(void)
{
    check_list(false, FIELD(msg_scores, listed), COUNT, 1, "SCORES: listed is 1; 0 is due");
}

static void check_total(size_t place, form as, double to, const char *expected)
{
    unsigned char body[MESSAGE_BODY];
    attempt it = {.type = MSG_SCORES, .body = body, .bytes = message_sound(MSG_SCORES, body)};
    it.bounds = message_bounds(MSG_SCORES);
    it.bounds.totals = true;
    put(body + FIELD(msg_scores, total.n_open), COUNT, MESSAGE_SHARD);
    put(body + FIELD(msg_scores, total.n_positive), COUNT, 2);
    put(body + place, as, to);
    char *words = words_of(&it);
    CHECK((it.status == STRADS_OK) == (expected[0] == '\0'));
    CHECK(strstr(words, expected) != NULL);
    strads_free(words);
}

static void what_can_be_drawn_is_possible(void)
{
    check_total(FIELD(msg_scores, total.sum), REAL, 6e38, "");
    check_total(FIELD(msg_scores, total.sum), REAL, -1e-300, "sum is -1e-300; it is from 0 to 6.8");
    check_total(FIELD(msg_scores, total.sum), REAL, NAN, "it is from 0 to 6.8");
    check_total(FIELD(msg_scores, total.n_open), COUNT, 9, "n_open is 9; it is at most 8");
    check_total(FIELD(msg_scores, total.n_open), COUNT, 1, "n_positive is 2; it is at most 1");
    check_total(FIELD(msg_scores, worst), COUNT, MESSAGE_J, "");
    check_total(FIELD(msg_scores, worst), COUNT, MESSAGE_J + 1, "worst is 51; it is at most 50");
}

/* The answer has four, to a draw of so many with this floor; then one with a score above 0 is
 * left, and two in all. */
static strads_status draw_status(uint64_t n_draws, double floor, double n_positive)
{
    unsigned char body[MESSAGE_BODY];
    attempt it = {.type = MSG_DRAWN, .body = body, .bytes = message_sound(MSG_DRAWN, body)};
    it.bounds = message_bounds(MSG_DRAWN);
    it.bounds.draw = (msg_draw){.n_draws = n_draws, .floor = floor};
    put(body + FIELD(msg_drawn, left.n_positive), COUNT, n_positive);
    put(body + FIELD(msg_drawn, left.sum), REAL, 0.0);
    strads_free(words_of(&it));
    return it.status;
}

static void who_could_draw_more_draws_as_many_as_were_asked_for(void)
{
    CHECK_STATUS(draw_status(4, 0.5, 1), STRADS_OK);
    CHECK_STATUS(draw_status(5, 0.5, 0), STRADS_ERR_DATA);
    CHECK_STATUS(draw_status(5, 0.0, 1), STRADS_ERR_DATA);
    CHECK_STATUS(draw_status(5, 0.0, 0), STRADS_OK);
    CHECK_STATUS(draw_status(3, 0.5, 1), STRADS_ERR_DATA); /* more than that */
}

static void who_does_not_draw_is_not_asked_for_totals(void)
{
    for (int draws = 0; draws < 2; draws++) {
        const msg_scan scan = {.whole = 1, .totals = 1};
        attempt it = {.type = MSG_SCAN, .body = (const unsigned char *) &scan};
        it.bytes = sizeof(scan);
        it.bounds = message_bounds(MSG_SCAN);
        it.bounds.draws = draws == 1;
        strads_free(words_of(&it));
        CHECK((it.status == STRADS_OK) == (draws == 1));
    }
}

static void an_answer_has_no_more_edges_than_were_asked_for(void)
{
    unsigned char body[MESSAGE_BODY]; /* with two */
    attempt it = {.type = MSG_EDGES, .body = body, .bytes = message_sound(MSG_EDGES, body)};
    it.bounds = message_bounds(MSG_EDGES);
    for (uint64_t most = 0; most < 4; most++) { /* 0: any number */
        it.bounds.question.max_edges = most;
        strads_free(words_of(&it));
        CHECK((it.status == STRADS_OK) == (most != 1));
    }
}

static void an_answer_has_the_measures_of_the_program(void)
{
    unsigned char body[MESSAGE_BODY]; /* with two */
    attempt it = {.type = MSG_SCORES, .body = body, .bytes = message_sound(MSG_SCORES, body)};
    it.bounds = message_bounds(MSG_SCORES);
    for (uint64_t n = 0; n < 4; n++) {
        it.bounds.data.n_measures = n;
        strads_free(words_of(&it));
        CHECK((it.status == STRADS_OK) == (n == 2));
    }
}

SUITE("strads/protocol_answers",
      {"scores without a pool are as many as were asked for",
       scores_without_a_pool_are_as_many_as_were_asked_for},
      {"of a range those that are retired are listed",
       of_a_range_those_that_are_retired_are_listed},
      {"what can be drawn is possible", what_can_be_drawn_is_possible},
      {"who could draw more draws as many as were asked for",
       who_could_draw_more_draws_as_many_as_were_asked_for},
      {"who does not draw is not asked for totals", who_does_not_draw_is_not_asked_for_totals},
      {"a list that was not asked for is refused", a_list_that_was_not_asked_for_is_refused},
      {"an answer has no more edges than were asked for",
       an_answer_has_no_more_edges_than_were_asked_for},
      {"an answer has the measures of the program", an_answer_has_the_measures_of_the_program})
