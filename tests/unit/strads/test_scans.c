/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_scans.c - when the coordinator looks at everything, and when it does not
 * look again. */
#include "tests/unit/strads/scripted.h"

#include "base/clock.h"

/* Time stands still but for one step, beyond the deadline, at a reading that the test chooses. */
static const double DEADLINE = 10.0;
static int n_read, step_at;

static double stepping_clock(void *context)
{
    (void) context;
    return ++n_read < step_at ? 0.0 : 2.0 * DEADLINE;
}

/* The workers answer by turns; returns how often worker 0 was asked to scan with nothing done since
 * it last was. */
static int play_and_count_idle_scans(void)
{
    int n = 0;
    bool scanned = false;
    for (int step = 0; !script_net_left(run.net); step++) {
        for (uint32_t rank = 0; rank < WORKERS && !script_net_left(run.net); rank++) {
            const int type = rank == 0 && !script_net_lost(run.net, 0) ? next_of(0) : NOTHING;
            n += type == MSG_SCAN && scanned;
            scanned = type == MSG_SCAN || (scanned && type != MSG_PUSH);
            if (!script_net_lost(run.net, rank)) {
                (void) answer(rank);
            }
        }
        REQUIRE(step < MAX_STEPS);
    }
    return n;
}

/* Whichever reading of the clock is the first beyond the deadline: before a scan is judged, after,
 * or amid a round. A signal comes as unforeseen. */
static void a_limit_at_any_moment_brings_no_scan_of_what_was_seen(void)
{
    enum { MOMENTS = 60 };
    static const run_options *const ways[] = {&cyclic, &cyclic_ahead, &checked};
    for (int i = 0; i < 3 * MOMENTS; i++) {
        n_read = 0;
        step_at = 1 + i / 3;
        strads_clock_set_source(stepping_clock, NULL);
        prepare(&plain, *ways[i % 3]);
        run.options.deadline = DEADLINE;
        REQUIRE_OK(coordinator_create(&run.head, &run.options));
        run.net = script_net_create(WORKERS, coordinator_handle, run.head);
        open_workers();
        CHECK(play_and_count_idle_scans() == 0);
        strads_clock_set_source(NULL, NULL);
        CHECK_STATUS(outcome_of_run().status, STRADS_OK);
        CHECK(outcome_of_run().verdict == STRADS_STOPPED);
        CHECK(run.n_taken[MSG_SCAN] > 0 && run.n_taken[MSG_CLOSE] == 1);
        stop();
    }
}

static void a_set_is_not_shared_while_workers_wait_for_a_processor(void)
{
    start(&plain, sets);
    open_workers();
    delayed = 0.01;
    both(MSG_SCAN);
    const net_message *message = script_net_take(run.net, 0);
    REQUIRE(message != NULL && message->type == MSG_PUSH);
    CHECK(((const msg_push *) message->body)->n_members == 1);
    CHECK(next_of(1) == NOTHING);
    stop();
}

SUITE("strads/scans",
      {"a limit at any moment brings no scan of what was seen",
       a_limit_at_any_moment_brings_no_scan_of_what_was_seen},
      {"a set is not shared while workers wait for a processor",
       a_set_is_not_shared_while_workers_wait_for_a_processor})
