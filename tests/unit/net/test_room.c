/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_room.c - who is let in at a door, and to which seat. */
#include "net/room.h"

#include <string.h>
#include <time.h>

#include "base/tasks.h"
#include "tests/support/streams.h"
#include "tests/support/suite.h"

enum { PROGRAM = 5, MINE = 7, OTHER = 9 };

static const net_team_options options = {
    .program = PROGRAM, .quiet = true, .n_workers = 1, .heartbeat = 1.0, .timeout = 5.0};

/* Who knocks, on a thread of its own. */
typedef struct visitor {
    introduction who;
    const char *url;
    _Atomic bool stop; /* goes before it is answered */
    strads_status status;
    net_stream *stream;
    pthread_t thread;
} visitor;

static void *knock(void *argument)
{
    visitor *self = argument;
    void *answer = NULL;
    size_t bytes = 0;
    const net_knock request = {
        .url = self->url,
        .introduction = &self->who,
        .bytes = sizeof(self->who),
        .patience = {.deadline = streams_patience().deadline, .stop = &self->stop}};
    self->status = net_join(&self->stream, &answer, &bytes, &request);
    strads_free(answer);
    return NULL;
}

static void start(visitor *self, const room *at, uint64_t job, uint64_t process)
{
    memset(self, 0, sizeof(*self));
    self->who = (introduction){.program = PROGRAM, .job = job, .process = process};
    self->url = at->url;
    roster_self(&self->who.self, 1);
    REQUIRE_OK(strads_thread_start(&self->thread, "visitor", knock, self));
}

static strads_status end(visitor *self)
{
    pthread_join(self->thread, NULL);
    net_stream_destroy(self->stream);
    return self->status;
}

static void open_room(room *self, bool is_first, net_team_options *own)
{
    *own = options;
    own->patience = streams_patience();
    REQUIRE_OK(room_init(self, own, is_first));
    REQUIRE_OK(room_open(self, "abstract://"));
}

/* Until so many guests are within. */
static void await(room *self, uint32_t n)
{
    enum { LOOKS = 20000 };
    const struct timespec nap = {.tv_nsec = 1000000};
    for (int i = 0; i < LOOKS && room_count(self) != n; i++) {
        nanosleep(&nap, NULL);
    }
    REQUIRE(room_count(self) == n);
}

static void let_in_and_settle(void *context)
{
    (void) context;
    enum { N = 6 };
    /* Of another run on each seat of this one; then those of this run, in the order that
     * takes most moves. */
    static const uint64_t jobs[N] = {OTHER, OTHER, OTHER, MINE, MINE, MINE};
    static const uint64_t processes[N] = {2, 3, 4, 4, 2, 3};
    net_team_options own;
    room self;
    visitor visitors[N];
    open_room(&self, false, &own);
    for (uint32_t i = 0; i < N; i++) {
        start(&visitors[i], &self, jobs[i], processes[i]);
        await(&self, i + 1);
    }
    room_settle(&self, MINE, 5, 1);
    CHECK(room_count(&self) == 3);
    for (uint32_t p = 2; p < 5; p++) {
        CHECK(self.seats[p].who.job == MINE && self.seats[p].who.process == p);
        REQUIRE_OK(room_welcome(&self, p, "", 0));
    }
    REQUIRE_OK(room_wait(&self, true, NULL));
    for (uint32_t i = 0; i < N; i++) {
        CHECK_STATUS(end(&visitors[i]), jobs[i] == MINE ? STRADS_OK : STRADS_ERR_USAGE);
    }
    room_fini(&self);
}

static size_t count(const char *text, const char *words)
{
    size_t n = 0;
    for (const char *at = strstr(text, words); at != NULL; at = strstr(at + 1, words)) {
        n++;
    }
    return n;
}

static void who_is_of_another_run_takes_nobodys_seat(void)
{
    char *text = suite_stderr_of(let_in_and_settle, NULL);
    CHECK(count(text, "was turned away: it is of another run than mine") == 3);
    CHECK(count(text, "it was refused: it is of another run than mine") == 3);
    strads_free(text);
}

/* A guest, and the words that turn it away. */
typedef struct refusal {
    bool is_first;
    uint64_t job, process, program;
    const char *words;
} refusal;

static void refuse(void *context)
{
    const refusal *this = context;
    net_team_options own;
    room self;
    visitor one;
    open_room(&self, this->is_first, &own);
    if (!this->is_first) {
        room_settle(&self, MINE, 3, 1);
    }
    start(&one, &self, this->job, this->process);
    CHECK_STATUS(end(&one), STRADS_ERR_USAGE);
    CHECK(room_count(&self) == 0);
    room_fini(&self);
}

static void who_is_refused_hears_why_as_does_the_door(void)
{
    static const refusal cases[] = {
        {.is_first = true, .job = OTHER, .process = 2, .words = "it is of another run than mine"},
        {.job = OTHER, .process = 2, .words = "it is of another run than mine"},
        {.words = "join at the coordinator's address"},
        {.job = MINE, .process = 1, .words = "all places of this run are taken"},
        {.job = MINE, .process = 3, .words = "all places of this run are taken"},
        {.job = MINE, .process = UINT64_MAX, .words = "all places of this run are taken"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = suite_stderr_of(refuse, (void *) &cases[i]);
        CHECK(count(text, "was turned away: ") == 1);
        CHECK(count(text, cases[i].words) == 2);
        strads_free(text);
    }
}

static void who_hangs_up_before_the_run_is_known_leaves_no_trace(void)
{
    net_team_options own;
    room self;
    visitor hasty, patient;
    open_room(&self, false, &own);
    start(&hasty, &self, MINE, 2);
    await(&self, 1);
    atomic_store(&hasty.stop, true);
    CHECK_STATUS(end(&hasty), STRADS_ERR_CLOSED);
    await(&self, 0);
    start(&patient, &self, MINE, 2);
    await(&self, 1);
    room_settle(&self, MINE, 3, 1);
    REQUIRE_OK(room_welcome(&self, 2, "", 0));
    CHECK_STATUS(end(&patient), STRADS_OK);
    room_fini(&self);
}

SUITE("net/room",
      {"who is of another run takes nobody's seat", who_is_of_another_run_takes_nobodys_seat},
      {"who is refused hears why, as does the door", who_is_refused_hears_why_as_does_the_door},
      {"who hangs up before the run is known leaves no trace",
       who_hangs_up_before_the_run_is_known_leaves_no_trace})
