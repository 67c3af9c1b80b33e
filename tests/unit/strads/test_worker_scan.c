/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_worker_scan.c - which scores a worker answers a scan with, and in
 * how many bytes. */
#include "strads/worker.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "strads/protocol.h"
#include "tests/support/suite.h"
#include "tests/unit/strads/one_worker.h"

enum { J = 100, FIRST = 20, RANGE = 64 }; /* RANGE is even */

/* One scan by one worker, both on this thread. */
typedef struct dialogue {
    uint32_t n_workers;   /* 0: one */
    net_message *request; /* sent, and owned by the net, once the worker is ready */
    strads_status failed; /* what MSG_FAILED said */
    msg_scores head;
    size_t bytes;
    float scores[RANGE];
    uint32_t vars[RANGE]; /* if they are listed */
} dialogue;

static float score_of[RANGE]; /* what the program of the test says */

static strads_status test_open(const void *site, strads_worker *worker, void **state)
{
    (void) site;
    *state = worker;
    return STRADS_OK;
}

static void test_close(void *state)
{
    (void) state;
}

static strads_status test_score(void *state, const uint32_t *vars, size_t n, float *scores)
{
    (void) state;
    for (size_t i = 0; i < n; i++) {
        scores[i] = score_of[vars == NULL ? i : vars[i] - FIRST];
    }
    return STRADS_OK;
}

static strads_status test_push(void *state, const strads_block *block, double *partial)
{
    (void) state, (void) block, (void) partial;
    return STRADS_ERR_APP; /* the test pushes nothing */
}

static void keep_answer(dialogue *self, const net_message *message)
{
    const size_t n = ((const msg_scores *) message->body)->n_vars;
    const unsigned char *scores = message->body + sizeof(msg_scores);
    self->head = *(const msg_scores *) message->body;
    self->bytes = message->bytes - sizeof(msg_scores);
    REQUIRE(n <= RANGE && self->head.n_measures == 0);
    REQUIRE(self->bytes == msg_pad(n, sizeof(float)) * (1 + self->head.listed));
    memcpy(self->scores, scores, n * sizeof(*self->scores));
    if (self->head.listed == 1) {
        memcpy(self->vars, scores + msg_pad(n, sizeof(float)), n * sizeof(*self->vars));
    }
}

static void listen_in(void *state, net_node *node, const net_event *event)
{
    dialogue *self = state;
    if (event->kind == NET_LOST) {
        net_leave(node);
        return;
    }
    if (event->kind != NET_MESSAGE) {
        return;
    }
    if (event->message->type == MSG_READY) {
        CHECK_STATUS(net_send(node, 1, self->request), STRADS_OK);
        self->request = NULL;
        return;
    }
    if (event->message->type == MSG_FAILED) {
        self->failed = (strads_status) ((const msg_failed *) event->message->body)->status;
        return; /* the worker leaves by itself */
    }
    REQUIRE(event->message->type == MSG_SCORES);
    keep_answer(self, event->message);
    net_message *close = net_message_create(MSG_CLOSE, NET_DATA, sizeof(msg_close));
    *(msg_close *) close->body = (msg_close){.give = 1};
    CHECK_STATUS(net_send(node, 1, close), STRADS_OK);
}

static void put(void *context)
{
    dialogue *self = context;
    static const strads_app app = {.name = "test",
                                   .open_worker = test_open,
                                   .close_worker = test_close,
                                   .score = test_score,
                                   .push = test_push};
    static const _Atomic bool signal;
    const worker_options options = {.app = &app,
                                    .n_workers = self->n_workers > 0 ? self->n_workers : 1,
                                    .first = FIRST,
                                    .n_vars = RANGE,
                                    .draws = true,
                                    .shard_first = FIRST,
                                    .shard = {.policy = PRIO_SAMPLED, .n_vars = RANGE},
                                    .structure = {.n_vars = J, .partial_width = 1},
                                    .limits = {.deadline = INFINITY, .signal = &signal}};
    one_worker_run(&options, listen_in, self);
    net_message_destroy(self->request);
}

/* Scans `how`; vars[n] or, where n is 0, all. What is said is for strads_free. */
static char *scan(dialogue *self, msg_scan how, const uint32_t *vars, size_t n)
{
    *self = (dialogue){.n_workers = self->n_workers};
    self->request =
        net_message_create(MSG_SCAN, NET_DATA, sizeof(msg_scan) + msg_pad(n, sizeof(*vars)));
    REQUIRE(self->request != NULL);
    msg_scan *head = (msg_scan *) self->request->body;
    *head = how;
    head->n_vars = n;
    if (n > 0) {
        memcpy(head + 1, vars, n * sizeof(*vars));
    }
    return suite_stderr_of(put, self);
}

/* All scores are below 0, by different margins, but for the first n_positive. */
static void set_scores(size_t n_positive)
{
    for (size_t i = 0; i < RANGE; i++) {
        score_of[i] = i < n_positive ? 0.5f * (float) (i + 1) : -0.25f * (float) (i + 1);
    }
}

static void ask(dialogue *self, msg_scan how)
{
    char *words = scan(self, how, NULL, 0);
    CHECK_TEXT(words, "");
    CHECK_STATUS(self->failed, STRADS_OK);
    strads_free(words);
}

static void of_a_range_the_retired_alone_are_told_and_only_if_that_is_asked_for(void)
{
    static dialogue self;
    set_scores(RANGE);
    score_of[17] = score_of[63] = STRADS_RETIRED;
    ask(&self, (msg_scan){.whole = 1, .retired = 1});
    CHECK(self.head.listed == 1 && self.head.n_vars == 2);
    CHECK(self.vars[0] == FIRST + 17 && self.vars[1] == FIRST + 63);
    CHECK(self.scores[0] == STRADS_RETIRED && self.scores[1] == STRADS_RETIRED);
    CHECK(self.head.largest == 31.5 && self.bytes == 16);
    ask(&self, (msg_scan){.whole = 1});
    CHECK(self.head.listed == 0 && self.head.n_vars == 0 && self.bytes == 0);
    CHECK(self.head.largest == 31.5);
}

static void totals_are_those_of_the_scores(void)
{
    static dialogue self;
    set_scores(5);
    score_of[2] = 40.0f;
    score_of[3] = 0.0f;
    score_of[4] = 40.0f;
    score_of[50] = STRADS_RETIRED;
    ask(&self, (msg_scan){.whole = 1, .totals = 1});
    CHECK(self.head.listed == 0 && self.bytes == 0);
    CHECK(self.head.largest == 40.0 && self.head.worst == FIRST + 2); /* the first of the two */
    CHECK(self.head.total.sum == 0.5 + 1.0 + 80.0);
    CHECK(self.head.total.n_positive == 4 && self.head.total.n_open == RANGE - 1);
    set_scores(0);
    ask(&self, (msg_scan){.whole = 1, .totals = 1});
    CHECK(self.head.worst == J && self.head.largest == -0.25);
    CHECK(self.head.total.sum == 0.0 && self.head.total.n_positive == 0);
}

static void of_a_list_that_is_asked_for_all_are_told(void)
{
    static const uint32_t vars[] = {FIRST, FIRST + 2, FIRST + 63};
    static dialogue self;
    set_scores(1);
    char *words = scan(&self, (msg_scan){.whole = 0}, vars, 3);
    CHECK_TEXT(words, "");
    CHECK(self.head.listed == 0 && self.head.n_vars == 3);
    CHECK(self.scores[0] == 0.5f && self.scores[1] == -0.75f && self.scores[2] == -16.0f);
    strads_free(words);
}

static void a_score_that_is_none_is_found_in_either_form(void)
{
    static const float bad[] = {NAN, INFINITY};
    static const char *const told[] = {"score gave nan", "score gave inf"};
    static dialogue self;
    for (size_t i = 0; i < 4; i++) {
        set_scores(i < 2 ? 0 : RANGE);
        score_of[50] = bad[i % 2];
        char *words = scan(&self, (msg_scan){.whole = 1, .totals = 1}, NULL, 0);
        CHECK_STATUS(self.failed, STRADS_ERR_NUMERIC);
        CHECK(strstr(words, told[i % 2]) != NULL);
        strads_free(words);
    }
}

static void with_others_the_answer_tells_what_it_had_of_a_processor(void)
{
    static dialogue alone;
    static dialogue one_of_two = {.n_workers = 2};
    set_scores(1);
    ask(&alone, (msg_scan){.whole = 1});
    CHECK_NEAR(alone.head.ran, 0.0, 0.0);
    CHECK_NEAR(alone.head.delayed, 0.0, 0.0);
    ask(&one_of_two, (msg_scan){.whole = 1});
    CHECK(one_of_two.head.ran > 0.0 && one_of_two.head.delayed >= 0.0);
}

SUITE("strads/worker_scan",
      {"of a range the retired alone are told, and only if that is asked for",
       of_a_range_the_retired_alone_are_told_and_only_if_that_is_asked_for},
      {"totals are those of the scores", totals_are_those_of_the_scores},
      {"of a list that is asked for all are told", of_a_list_that_is_asked_for_all_are_told},
      {"a score that is none is found in either form",
       a_score_that_is_none_is_found_in_either_form},
      {"with others the answer tells what it had of a processor",
       with_others_the_answer_tells_what_it_had_of_a_processor})
