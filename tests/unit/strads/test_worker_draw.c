/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_worker_draw.c - what a worker draws from its shard. */
#include "strads/worker.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "strads/protocol.h"
#include "tests/support/suite.h"
#include "tests/unit/strads/one_worker.h"

enum { J = 40, FIRST = 8, RANGE = 20, SHARD_FIRST = 12, SHARD = 10, STEPS = 8 };

/* What the coordinator asks, one after another, and what it hears. */
typedef struct exchange {
    bool scan; /* a scan of everything; else this draw */
    msg_draw draw;
    float scores[2]; /* of draw.n_vars */
    uint32_t vars[2];
    msg_drawn told;
    float told_scores[SHARD];
    uint32_t told_vars[SHARD];
} exchange;

typedef struct dialogue {
    exchange steps[STEPS];
    size_t n, next;
    strads_status failed; /* what MSG_FAILED said */
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
    (void) state, (void) vars;
    memcpy(scores, score_of, n * sizeof(*scores));
    return STRADS_OK;
}

static strads_status test_push(void *state, const strads_block *block, double *partial)
{
    (void) state, (void) block, (void) partial;
    return STRADS_ERR_APP; /* the test pushes nothing */
}

/* ---- the coordinator ---- */

static net_message *request_of(const exchange *step)
{
    const size_t list = step->draw.n_vars > 0 ? sizeof(step->scores) : 0;
    net_message *message =
        step->scan ? net_message_create(MSG_SCAN, NET_DATA, sizeof(msg_scan))
                   : net_message_create(MSG_DRAW, NET_DATA, sizeof(msg_draw) + 2 * list);
    REQUIRE(message != NULL);
    if (step->scan) {
        *(msg_scan *) message->body = (msg_scan){.whole = 1, .totals = 1};
        return message;
    }
    *(msg_draw *) message->body = step->draw;
    memcpy(message->body + sizeof(msg_draw), step->scores, list);
    memcpy(message->body + sizeof(msg_draw) + list, step->vars, list);
    return message;
}

static void say_next(dialogue *self, net_node *node)
{
    net_message *message = NULL;
    if (self->next < self->n) {
        message = request_of(&self->steps[self->next]);
    } else {
        message = net_message_create(MSG_CLOSE, NET_DATA, sizeof(msg_close));
        *(msg_close *) message->body = (msg_close){.give = 1};
    }
    CHECK_STATUS(net_send(node, 1, message), STRADS_OK);
}

static void keep_drawn(exchange *step, const net_message *message)
{
    const msg_drawn *drawn = (const msg_drawn *) message->body;
    const size_t bytes = msg_pad(drawn->n_vars, sizeof(float));
    const unsigned char *scores = (const unsigned char *) (drawn + 1);
    step->told = *drawn;
    REQUIRE(drawn->n_vars <= SHARD && message->bytes == sizeof(*drawn) + 2 * bytes);
    memcpy(step->told_scores, scores, drawn->n_vars * sizeof(float));
    memcpy(step->told_vars, scores + bytes, drawn->n_vars * sizeof(uint32_t));
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
    const net_message *message = event->message;
    if (message->type == MSG_FAILED) {
        self->failed = (strads_status) ((const msg_failed *) message->body)->status;
        return; /* the worker leaves by itself */
    }
    if (message->type == MSG_DRAWN) {
        REQUIRE(!self->steps[self->next].scan);
        keep_drawn(&self->steps[self->next], message);
    }
    self->next += message->type == MSG_READY ? 0 : 1;
    say_next(self, node);
}

static uint32_t shard_size = SHARD;

static void talk(void *context)
{
    static const strads_app app = {.name = "test",
                                   .open_worker = test_open,
                                   .close_worker = test_close,
                                   .score = test_score,
                                   .push = test_push};
    static const _Atomic bool signal;
    const worker_options options = {
        .app = &app,
        .n_workers = 1,
        .first = FIRST,
        .n_vars = RANGE,
        .draws = true,
        .shard_first = SHARD_FIRST,
        .shard = {.policy = PRIO_GREEDY, .n_vars = shard_size, .seed = 1, .stream = 2},
        .structure = {.n_vars = J, .partial_width = 1},
        .limits = {.deadline = INFINITY, .signal = &signal}};
    one_worker_run(&options, listen_in, context);
}

/* Holds the dialogue; what is said on stderr is for strads_free. */
static char *hold(dialogue *self, size_t n)
{
    self->n = n;
    return suite_stderr_of(talk, self);
}

static void hold_quietly(dialogue *self, size_t n)
{
    char *words = hold(self, n);
    CHECK_TEXT(words, "");
    CHECK_STATUS(self->failed, STRADS_OK);
    CHECK(self->next == n);
    strads_free(words);
}

/* ---- tests ---- */

/* The scores of the range rise; those outside the shard are the largest. */
static void rising(void)
{
    for (uint32_t i = 0; i < RANGE; i++) {
        score_of[i] = (float) i;
    }
    score_of[0] = 100.0f;
}

static void draws_are_by_the_scores_of_the_scan_and_of_its_shard(void)
{
    static dialogue self;
    rising();
    self = (dialogue){.steps = {{.scan = true},
                                {.draw = {.restart = 1, .back = 1, .fresh = 1, .n_draws = 3}},
                                {.draw = {.n_draws = 2}},
                                {.draw = {.back = 1, .n_draws = 1, .n_vars = 2},
                                 .scores = {50.0f, 0.0f},
                                 .vars = {SHARD_FIRST + 2, SHARD_FIRST + 9}}}};
    hold_quietly(&self, 4);
    const exchange *first = &self.steps[1];
    CHECK(first->told.n_vars == 3 && first->told_vars[0] == SHARD_FIRST + 9);
    CHECK(first->told_vars[1] == SHARD_FIRST + 8 && first->told_vars[2] == SHARD_FIRST + 7);
    CHECK(first->told_scores[0] == 13.0f && first->told_scores[2] == 11.0f);
    CHECK(first->told.left.n_open == 7 && first->told.left.n_positive == 7);
    const exchange *more = &self.steps[2];
    CHECK(more->told.n_vars == 2 && more->told_vars[0] == SHARD_FIRST + 6);
    CHECK(more->told.left.n_open == 5);
    const exchange *back = &self.steps[3]; /* all of them, two with other scores */
    CHECK(back->told.n_vars == 1 && back->told_vars[0] == SHARD_FIRST + 2);
    CHECK(back->told_scores[0] == 50.0f);
    CHECK(back->told.left.n_open == 9 && back->told.left.n_positive == 8);
}

static void who_is_claimed_comes_first_and_who_is_retired_not_at_all(void)
{
    static dialogue self;
    rising();
    score_of[SHARD_FIRST - FIRST + 9] = STRADS_RETIRED;
    self = (dialogue){
        .steps = {
            {.scan = true},
            {.draw = {.restart = 1,
                      .back = 1,
                      .fresh = 1,
                      .claims = 1,
                      .claimed = SHARD_FIRST + 1,
                      .n_draws = 1}},
            {.draw = {.back = 1, .claims = 1, .claimed = SHARD_FIRST + 9, .n_draws = SHARD}}}};
    hold_quietly(&self, 3);
    CHECK(self.steps[1].told.n_vars == 2 && self.steps[1].told_vars[0] == SHARD_FIRST + 1);
    CHECK(self.steps[1].told_vars[1] == SHARD_FIRST + 8);
    CHECK(self.steps[2].told.n_vars == 9 && self.steps[2].told.left.n_open == 0);
    for (uint32_t i = 0; i < 9; i++) {
        CHECK(self.steps[2].told_vars[i] == SHARD_FIRST + 8 - i);
    }
}

/* Also who was retired before: a stage that begins again knows nothing. */
static void a_shard_that_begins_anew_has_scores_of_1(void)
{
    static dialogue self;
    rising();
    score_of[SHARD_FIRST - FIRST + 9] = STRADS_RETIRED;
    self = (dialogue){.steps = {{.scan = true},
                                {.draw = {.restart = 1, .back = 1, .fresh = 1, .n_draws = SHARD}},
                                {.draw = {.restart = 1, .back = 1, .n_draws = SHARD}}}};
    hold_quietly(&self, 3);
    CHECK(self.steps[1].told.n_vars == 9 && self.steps[2].told.n_vars == SHARD);
    for (uint32_t i = 0; i < SHARD; i++) {
        CHECK(self.steps[2].told_scores[i] == 1.0f);
    }
}

static void a_worker_without_a_shard_draws_nothing(void)
{
    static dialogue self;
    rising();
    self = (dialogue){.steps = {{.scan = true}, {.draw = {.restart = 1, .back = 1, .fresh = 1}}}};
    shard_size = 0;
    hold_quietly(&self, 2);
    shard_size = SHARD;
    CHECK(self.steps[1].told.n_vars == 0 && self.steps[1].told.left.n_open == 0);
}

static void scores_of_no_scan_are_not_drawn_by(void)
{
    static dialogue self;
    self = (dialogue){.steps = {{.draw = {.restart = 1, .back = 1, .fresh = 1, .n_draws = 1}}}};
    char *words = hold(&self, 1);
    CHECK_STATUS(self.failed, STRADS_ERR_DATA);
    CHECK(strstr(words, "wants worker 0 to draw by the scores of a scan") != NULL);
    strads_free(words);
}

SUITE("strads/worker_draw",
      {"draws are by the scores of the scan and of its shard",
       draws_are_by_the_scores_of_the_scan_and_of_its_shard},
      {"who is claimed comes first and who is retired not at all",
       who_is_claimed_comes_first_and_who_is_retired_not_at_all},
      {"a shard that begins anew has scores of 1", a_shard_that_begins_anew_has_scores_of_1},
      {"a worker without a shard draws nothing", a_worker_without_a_shard_draws_nothing},
      {"scores of no scan are not drawn by", scores_of_no_scan_are_not_drawn_by})
