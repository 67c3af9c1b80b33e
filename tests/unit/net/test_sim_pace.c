/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_sim_pace.c - work becomes time. */
#include "net/sim_pace.h"

#include "base/mem.h"
#include "tests/support/sim_case.h"
#include "tests/support/suite.h"

static const double EXACT = 1e-12;

static net_fault slow(double from, double to, double factor)
{
    return (net_fault){
        .kind = NET_FAULT_SLOW, .first = 1, .last = 1, .from = from, .to = to, .factor = factor};
}

static void spells_that_overlap_slow_down_together(void)
{
    net_fault faults[] = {slow(10.0, 20.0, 2.0), slow(15.0, 25.0, 5.0), slow(17.0, 17.0, 100.0)};
    net_cluster cluster = sim_case_cluster(1);
    cluster.faults = faults;
    cluster.n_faults = 3;
    cluster.speed[1] = 4.0;
    sim_pace pace;
    REQUIRE_OK(sim_pace_init(&pace, &cluster, 1));
    /* speed 4 to 10, 2 to 15, .4 to 20, .8 to 25, then 4: 40 + 10 + 2 + 4 = 56 by 25 */
    CHECK_NEAR(sim_pace_after(&pace, 0.0, 0.0), 0.0, 0.0);
    CHECK_NEAR(sim_pace_after(&pace, 0.0, 40.0), 10.0, EXACT);
    CHECK_NEAR(sim_pace_after(&pace, 0.0, 50.0), 15.0, EXACT);
    CHECK_NEAR(sim_pace_after(&pace, 0.0, 51.0), 17.5, EXACT);
    CHECK_NEAR(sim_pace_after(&pace, 0.0, 56.0), 25.0, EXACT);
    CHECK_NEAR(sim_pace_after(&pace, 0.0, 60.0), 26.0, EXACT);
    CHECK_NEAR(sim_pace_after(&pace, 19.0, 0.8), 20.5, EXACT);
    CHECK_NEAR(sim_pace_after(&pace, 30.0, 8.0), 32.0, EXACT);
    sim_pace_fini(&pace);
}

static void work_may_be_cut_into_any_pieces(void)
{
    net_fault straggle = {.kind = NET_FAULT_STRAGGLE,
                          .last = 1,
                          .from = 5.0,
                          .to = 400.0,
                          .factor = 3.0,
                          .every = 7.0,
                          .span = 2.0};
    net_cluster cluster = sim_case_cluster(1);
    cluster.faults = &straggle;
    cluster.n_faults = 1;
    sim_pace whole, parts;
    REQUIRE_OK(sim_pace_init(&whole, &cluster, 1));
    REQUIRE_OK(sim_pace_init(&parts, &cluster, 1));
    double time = 0.0;
    for (int i = 0; i < 5000; i++) {
        time = sim_pace_after(&parts, time, 0.1);
    }
    CHECK_NEAR(sim_pace_after(&whole, 0.0, 500.0), time, 1e-9);
    CHECK(time > 520.0 && time < 780.0);
    /* No spell begins after 400. */
    CHECK_NEAR(sim_pace_after(&whole, time, 100.0), time + 100.0, 1e-9);
    sim_pace_fini(&whole);
    sim_pace_fini(&parts);
}

static void a_lack_of_memory_is_reported(void)
{
    net_fault fault = slow(0.0, 1.0, 2.0);
    net_cluster cluster = sim_case_cluster(1);
    cluster.faults = &fault;
    cluster.n_faults = 1;
    sim_pace pace;
    strads_mem_fail_after(1);
    CHECK_STATUS(sim_pace_init(&pace, &cluster, 1), STRADS_ERR_NOMEM);
    strads_mem_fail_after(1);
    CHECK_STATUS(sim_pace_init(&pace, &cluster, 0), STRADS_OK); /* it has no faults */
    strads_mem_fail_after(0);
    sim_pace_fini(&pace);
}

SUITE("net/sim_pace",
      {"spells that overlap slow down together", spells_that_overlap_slow_down_together},
      {"work may be cut into any pieces", work_may_be_cut_into_any_pieces},
      {"a lack of memory is reported", a_lack_of_memory_is_reported})
