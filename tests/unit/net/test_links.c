/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_links.c - several processes keep the contract of one, and hear of
 * each other's end. */
#include "net/frame.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "net/links.h"
#include "tests/support/links_case.h"
#include "tests/support/net_contract.h"
#include "tests/support/suite.h"

const char net_contract_driver[] = "threads";
uint32_t net_contract_processes = 2;
bool net_contract_shares = false;

static const net_links_options usual = {.queue_messages = 2, .heartbeat = 0.05, .timeout = 60.0};

static void the_contract_holds_in_many_processes(void)
{
    for (net_contract_processes = 3; net_contract_processes <= 9; net_contract_processes += 3) {
        net_contract_order();
        net_contract_credits();
        net_contract_losses();
        net_contract_sums();
        net_contract_closed_exchange();
    }
    net_contract_processes = 2;
}

static void exchanges_keep_it_by_shared_memory_too(void)
{
    net_contract_shares = true;
    for (net_contract_processes = 2; net_contract_processes <= 9; net_contract_processes++) {
        net_contract_sums();
        net_contract_closed_exchange();
    }
    net_contract_shares = false;
    net_contract_processes = 2;
}

static net_message *part_of(size_t bytes, uint32_t seed)
{
    net_message *part = net_message_create(seed, NET_DATA, bytes);
    REQUIRE(part != NULL);
    for (size_t i = 0; i < bytes; i++) {
        part->body[i] = (unsigned char) (seed + i * 7 + i / 251);
    }
    return part;
}

static void check_part(net_links *links, uint32_t process, size_t bytes, uint32_t seed)
{
    net_message *part = NULL;
    REQUIRE_OK(net_links_take(links, process, &part));
    net_message *expected = part_of(bytes, seed);
    CHECK(part->bytes == bytes);
    CHECK(part->type == seed);
    CHECK(part->foreign);
    CHECK(memcmp(part->body, expected->body, bytes) == 0);
    net_message_destroy(expected);
    net_message_destroy(part);
}

static void parts_of_all_sizes_arrive_whole_and_in_order(void)
{
    static const size_t sizes[] = {0,    1,     15,     16,     17,     4095,    4096,
                                   4097, 65495, 65496,  65535,  65536,  65537,   100000,
                                   5,    0,     131071, 131072, 131073, 229296,  229297,
                                   3,    0,     262143, 262144, 262145, 3000000, 1};
    enum { N = sizeof(sizes) / sizeof(sizes[0]) };
    net_links *links[2];
    strads_status ends[2];
    links_case_make(links, 2, 2, &usual);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < N; i++) {
            REQUIRE_OK(net_links_post(links[0], 1, part_of(sizes[i], i)));
            REQUIRE_OK(net_links_post(links[1], 0, part_of(sizes[N - 1 - i], i)));
        }
        for (uint32_t i = 0; i < N; i++) {
            check_part(links[1], 0, sizes[i], i);
            check_part(links[0], 1, sizes[N - 1 - i], i);
        }
    }
    links_case_end(links, 2, ends);
    CHECK_STATUS(ends[0], STRADS_OK);
    CHECK_STATUS(ends[1], STRADS_OK);
}

/* Links whose other process is the test itself. */
typedef struct raw_end {
    double timeout;
    const unsigned char *bytes; /* that it sends; NULL: none */
    size_t n_bytes;
    bool closes, floods;
} raw_end;

typedef struct raw_links {
    net_links *links;
    net_stream *other; /* the other end */
} raw_links;

static void make_raw(raw_links *out, double timeout, void (*stuck)(void), _Atomic bool *report)
{
    net_stream *ends[2];
    links_case_streams(ends);
    const net_links_options options = {.n_processes = 2,
                                       .queue_messages = 2,
                                       .heartbeat = 0.05,
                                       .timeout = timeout,
                                       .stuck = stuck,
                                       .report = report};
    const net_peer peers[2] = {
        {.name = strads_strdup("process 0"), .n = 1},
        {.stream = ends[0], .name = strads_strdup("process 1 on anna"), .first = 1, .n = 1}};
    REQUIRE_OK(net_links_create(&out->links, &options, peers));
    out->other = ends[1];
}

/* Takes nothing, so that what came stays where it is. */
static void wait_until_lost(net_links *links)
{
    enum { LOOKS = 10000 };
    const struct timespec nap = {.tv_nsec = 1000000};
    strads_status status = STRADS_OK;
    for (int i = 0; i < LOOKS && status != STRADS_ERR_CLOSED; i++) {
        net_message *message = part_of(0, 0);
        status = net_links_send(links, 0, 1, message);
        if (status != STRADS_OK) {
            net_message_destroy(message);
            nanosleep(&nap, NULL);
        }
    }
    CHECK_STATUS(status, STRADS_ERR_CLOSED);
}

static void lose(void *context)
{
    const raw_end *raw = context;
    const net_patience patience = {.deadline = INFINITY};
    raw_links ends;
    net_message *part = NULL;
    make_raw(&ends, raw->timeout, NULL, NULL);
    if (raw->bytes != NULL) {
        REQUIRE_OK(net_stream_write(ends.other, raw->bytes, raw->n_bytes, &patience));
    }
    if (raw->closes) {
        net_stream_close(ends.other);
    }
    if (raw->floods) {
        wait_until_lost(ends.links);
    }
    while (net_links_take(ends.links, 1, &part) == STRADS_OK) {
        net_message_destroy(part);
    }
    CHECK_STATUS(net_links_end(ends.links, STRADS_OK), STRADS_ERR_CLOSED);
    net_stream_destroy(ends.other);
}

static void a_process_that_is_silent_is_lost_by_name(void)
{
    raw_end raw = {.timeout = 0.2};
    char *text = suite_stderr_of(lose, &raw);
    CHECK(strstr(text, "process 1 on anna is lost: nothing was heard of it for 0.2 s; its last "
                       "sign of life was 0.") != NULL);
    strads_free(text);
}

/* A frame with one record. */
static size_t make_frame(unsigned char *bytes, const net_record *head, uint64_t sequence)
{
    unsigned char *payload = bytes + NET_FRAME_HEAD;
    const size_t n = NET_RECORD_HEAD + (size_t) head->bytes + net_record_padding(head->bytes);
    memset(payload, 0, n);
    net_record_encode(payload, head);
    const net_frame frame = {.kind = NET_FRAME_DATA, .n_records = 1, .sequence = sequence};
    const struct iovec part = {.iov_base = payload, .iov_len = n};
    net_frame_encode(bytes, &frame, &part, 1);
    return NET_FRAME_HEAD + n;
}

/* A node that is slow to take a message, while its sender is found to be lost. */
typedef struct slow_node {
    net_links *links;
    _Atomic int n_left, left_before; /* of the sender's nodes: at all, while it took */
    _Atomic bool taken;
} slow_node;

static void take_slowly(void *context, net_id to, net_message *message)
{
    enum { LOOKS = 100 };
    const struct timespec nap = {.tv_nsec = 1000000};
    slow_node *self = context;
    (void) to;
    while (!atomic_load(net_links_broken(self->links))) {
        nanosleep(&nap, NULL);
    }
    for (int i = 0; i < LOOKS && atomic_load(&self->n_left) == 0; i++) {
        nanosleep(&nap, NULL); /* one that comes too soon comes now */
    }
    atomic_store(&self->left_before, atomic_load(&self->n_left));
    net_message_destroy(message);
    atomic_store(&self->taken, true);
}

static void count_left(void *context, net_id node)
{
    slow_node *self = context;
    (void) node;
    atomic_fetch_add(&self->n_left, 1);
}

static void lose_while_taking(void *context)
{
    slow_node *self = context;
    const struct timespec nap = {.tv_nsec = 1000000};
    const net_patience patience = {.deadline = INFINITY};
    const net_record head = {.kind = NET_RECORD_MESSAGE, .from = 1, .to = 0, .bytes = 8};
    const net_sink sink = {.deliver = take_slowly, .left = count_left, .context = self};
    unsigned char bytes[256];
    raw_links ends;
    make_raw(&ends, 0.2, NULL, NULL);
    self->links = ends.links;
    net_links_attach(ends.links, &sink);
    REQUIRE_OK(net_stream_write(ends.other, bytes, make_frame(bytes, &head, 0), &patience));
    while (!atomic_load(&self->taken) || atomic_load(&self->n_left) == 0) {
        nanosleep(&nap, NULL);
    }
    net_links_detach(ends.links);
    CHECK_STATUS(net_links_end(ends.links, STRADS_OK), STRADS_ERR_CLOSED);
    net_stream_destroy(ends.other);
}

static void a_loss_is_heard_after_the_last_message(void)
{
    slow_node node = {.links = NULL};
    strads_free(suite_stderr_of(lose_while_taking, &node));
    CHECK(atomic_load(&node.left_before) == 0);
    CHECK(atomic_load(&node.n_left) == 1);
}

static void a_process_whose_connection_ends_is_lost(void)
{
    raw_end raw = {.timeout = 60.0, .closes = true};
    char *text = suite_stderr_of(lose, &raw);
    CHECK(strstr(text, "process 1 on anna is lost: its connection has ended") != NULL);
    strads_free(text);
}

static void garbage_loses_the_process(void)
{
    unsigned char bytes[4096];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char) (i * 131 + 7);
    }
    raw_end raw = {.timeout = 60.0, .bytes = bytes, .n_bytes = sizeof(bytes)};
    char *text = suite_stderr_of(lose, &raw);
    CHECK(strstr(text, "process 1 on anna is lost: ") != NULL);
    strads_free(text);
}

/* A frame as it must be but for some bits. */
static void a_broken_frame_loses_the_process(void)
{
    enum { BODY = NET_FRAME_HEAD + NET_RECORD_HEAD, RECORD_BYTES = NET_FRAME_HEAD + 24 };
    static const struct {
        size_t at;
        unsigned char bits;
        const char *words;
    } cases[] = {
        {0, 1, "does not begin with its magic"},
        {4, 3, "of wire version 2"},
        {6, 64, "of kind 65"},
        {8, 3, "with 2 records in"},
        {12, 1, "whose reserved bytes are not 0"},
        {21, 2, "bytes, above"},
        {24, 1, "frame 1 where 0 must come"},
        {32, 1, "whose checksum is wrong"},
        {BODY, 1, "whose checksum is wrong"},
        {RECORD_BYTES, 128, "a record of 136 bytes"},
    };
    const net_record head = {.kind = NET_RECORD_MESSAGE, .from = 1, .to = 0, .bytes = 8};
    unsigned char bytes[256];
    raw_end raw = {.timeout = 60.0, .bytes = bytes};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        raw.n_bytes = make_frame(bytes, &head, 0);
        bytes[cases[i].at] ^= cases[i].bits;
        char *text = suite_stderr_of(lose, &raw);
        CHECK(strstr(text, "process 1 on anna is lost: ") != NULL);
        CHECK(strstr(text, cases[i].words) != NULL);
        strads_free(text);
    }
    raw.n_bytes = make_frame(bytes, &head, 0);
    raw.closes = true; /* within a frame, at any place */
    for (size_t n = raw.n_bytes; raw.n_bytes > 0; raw.n_bytes -= n / 8) {
        char *text = suite_stderr_of(lose, &raw);
        CHECK(strstr(text, "process 1 on anna is lost: its connection has ended") != NULL);
        strads_free(text);
    }
}

/* It goes on to give signs of life. */
static void beat_and_take_nothing(void *context)
{
    enum { MORE_THAN_IS_UNDER_WAY = 512 * 1024, BEATS = 10000 };
    const struct timespec nap = {.tv_nsec = 10000000};
    const net_patience patience = {.deadline = INFINITY};
    unsigned char bytes[NET_FRAME_HEAD];
    strads_status status = STRADS_OK;
    raw_links ends;
    net_message *part = NULL;
    (void) context;
    make_raw(&ends, 1.0, NULL, NULL);
    REQUIRE_OK(net_links_post(ends.links, 1, part_of(MORE_THAN_IS_UNDER_WAY, 0)));
    for (uint64_t k = 0; k < BEATS && status == STRADS_OK; k++) {
        const net_frame beat = {.kind = NET_FRAME_HEARTBEAT, .sequence = k};
        net_frame_encode(bytes, &beat, NULL, 0);
        status = net_stream_write(ends.other, bytes, sizeof(bytes), &patience);
        nanosleep(&nap, NULL);
    }
    CHECK_STATUS(net_links_take(ends.links, 1, &part), STRADS_ERR_CLOSED);
    CHECK_STATUS(net_links_end(ends.links, STRADS_OK), STRADS_ERR_CLOSED);
    net_stream_destroy(ends.other);
}

static void who_takes_nothing_is_lost(void)
{
    char *text = suite_stderr_of(beat_and_take_nothing, NULL);
    CHECK(strstr(text, "process 1 on anna is lost: it has not taken what it was sent") != NULL);
    strads_free(text);
}

static void what_is_not_its_own_loses_the_process(void)
{
    static const net_record wrong[] = {
        {.kind = NET_RECORD_MESSAGE, .from = 0, .to = 0, .lane = NET_DATA, .bytes = 8},
        {.kind = NET_RECORD_MESSAGE, .from = 1, .to = 1, .lane = NET_DATA, .bytes = 8},
        {.kind = NET_RECORD_MESSAGE, .from = 1, .to = 0, .lane = NET_DATA, .type = UINT32_MAX},
        {.kind = NET_RECORD_LEAVE, .from = 0},
        {.kind = NET_RECORD_CREDIT, .from = 1, .to = 1, .type = 1},
        {.kind = NET_RECORD_TOLD, .from = 1, .to = 1, .type = 1},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        unsigned char bytes[256];
        raw_end raw = {.timeout = 60.0, .bytes = bytes};
        raw.n_bytes = make_frame(bytes, &wrong[i], 0);
        char *text = suite_stderr_of(lose, &raw);
        CHECK(strstr(text, "process 1 on anna is lost: ") != NULL);
        strads_free(text);
    }
}

static void credits_that_a_process_does_not_have_lose_it(void)
{
    static const net_record heads[] = {
        {.kind = NET_RECORD_MESSAGE, .from = 1, .to = 0, .lane = NET_DATA, .bytes = 8},
        {.kind = NET_RECORD_MESSAGE, .from = 1, .to = 0, .lane = NET_CONTROL},
        {.kind = NET_RECORD_PART, .from = 1, .to = 0, .lane = NET_DATA},
    };
    enum { MANY = 300 };
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        unsigned char bytes[MANY * 128];
        raw_end raw = {.timeout = 60.0, .bytes = bytes, .floods = true};
        for (uint64_t k = 0; k < MANY; k++) {
            raw.n_bytes += make_frame(bytes + raw.n_bytes, &heads[i], k);
        }
        char *text = suite_stderr_of(lose, &raw);
        CHECK(strstr(text, "process 1 on anna is lost: it sent more than it may") != NULL);
        strads_free(text);
    }
}

static _Atomic uint32_t n_stuck;

static void count_stuck(void)
{
    atomic_fetch_add(&n_stuck, 1);
}

static _Atomic bool must_report;

static void wait_in_vain(void *context)
{
    raw_links *ends = context;
    net_message *part = NULL;
    atomic_store(&must_report, true);
    CHECK_STATUS(net_links_take(ends->links, 1, &part), STRADS_ERR_CLOSED);
    while (atomic_load(&n_stuck) == 0) {
        const struct timespec nap = {.tv_nsec = 10000000};
        nanosleep(&nap, NULL);
    }
    CHECK_STATUS(net_links_end(ends->links, STRADS_OK), STRADS_ERR_CLOSED);
}

static void who_does_not_end_after_a_loss_is_told_so_once(void)
{
    raw_links ends;
    make_raw(&ends, 0.2, count_stuck, &must_report);
    char *text = suite_stderr_of(wait_in_vain, &ends);
    CHECK(strstr(text, "this is process 0 of 2") != NULL);
    CHECK(strstr(text, "process 1 on anna: last sign of life") != NULL);
    CHECK(strstr(text, "waiting for its part of an exchange") != NULL);
    CHECK(atomic_load(&n_stuck) == 1);
    strads_free(text);
    net_stream_destroy(ends.other);
}

static void heartbeats_keep_silent_processes_together(void)
{
    net_links *links[3];
    strads_status ends[3];
    const net_links_options options = {.queue_messages = 2, .heartbeat = 0.02, .timeout = 1.5};
    links_case_make(links, 3, 3, &options);
    const struct timespec nap = {.tv_sec = 2, .tv_nsec = 0}; /* longer than the timeout */
    nanosleep(&nap, NULL);
    links_case_end(links, 3, ends);
    for (int p = 0; p < 3; p++) {
        CHECK_STATUS(ends[p], STRADS_OK);
    }
}

typedef struct giver_up {
    net_links *links;
} giver_up;

static void *give_up(void *argument)
{
    giver_up *self = argument;
    CHECK_STATUS(net_links_end(self->links, STRADS_ERR_DATA), STRADS_ERR_DATA);
    return NULL;
}

static void hear_who_gives_up(void *context)
{
    net_links **links = context;
    giver_up other = {.links = links[1]};
    pthread_t thread;
    pthread_create(&thread, NULL, give_up, &other);
    net_message *part = NULL;
    CHECK_STATUS(net_links_take(links[0], 1, &part), STRADS_ERR_CLOSED);
    CHECK_STATUS(net_links_end(links[0], STRADS_OK), STRADS_ERR_CLOSED);
    pthread_join(thread, NULL);
}

static void a_process_that_gives_up_says_why(void)
{
    net_links *links[2];
    links_case_make(links, 2, 2, &usual);
    char *text = suite_stderr_of(hear_who_gives_up, links);
    CHECK(strstr(text, "process 1 gives up: ") != NULL);
    strads_free(text);
}

static void end_without_memory(void *context)
{
    net_links **links = context;
    REQUIRE_OK(net_links_post(links[1], 0, part_of(1, 0))); /* there is room for a frame */
    check_part(links[0], 1, 1, 0);
    strads_mem_fail_after(1);
    CHECK_STATUS(net_links_end(links[1], STRADS_ERR_NOMEM), STRADS_ERR_NOMEM);
    CHECK_STATUS(net_links_end(links[0], STRADS_OK), STRADS_ERR_CLOSED);
}

static void who_gives_up_without_memory_does_not_say_that_all_is_well(void)
{
    net_links *links[2];
    links_case_make(links, 2, 2, &usual);
    char *text = suite_stderr_of(end_without_memory, links);
    CHECK(strstr(text, "process 1 is lost: ") != NULL);
    strads_free(text);
}

SUITE("net/links", NET_CONTRACT_CASES,
      {"the contract holds in many processes", the_contract_holds_in_many_processes},
      {"exchanges keep it by shared memory too", exchanges_keep_it_by_shared_memory_too},
      {"parts of all sizes arrive whole and in order",
       parts_of_all_sizes_arrive_whole_and_in_order},
      {"a process that is silent is lost by name", a_process_that_is_silent_is_lost_by_name},
      {"a process whose connection ends is lost", a_process_whose_connection_ends_is_lost},
      {"a loss is heard after the last message", a_loss_is_heard_after_the_last_message},
      {"heartbeats keep silent processes together", heartbeats_keep_silent_processes_together},
      {"garbage loses the process", garbage_loses_the_process},
      {"a broken frame loses the process", a_broken_frame_loses_the_process},
      {"who takes nothing is lost", who_takes_nothing_is_lost},
      {"what is not its own loses the process", what_is_not_its_own_loses_the_process},
      {"credits that a process does not have lose it",
       credits_that_a_process_does_not_have_lose_it},
      {"who does not end after a loss is told so, once",
       who_does_not_end_after_a_loss_is_told_so_once},
      {"a process that gives up says why", a_process_that_gives_up_says_why},
      {"who gives up without memory does not say that all is well",
       who_gives_up_without_memory_does_not_say_that_all_is_well})
