/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_sim_links.c - channels, the links between machines, and cuts. */
#include "net/sim_links.h"

#include "base/mem.h"
#include "tests/support/sim_case.h"
#include "tests/support/suite.h"

enum { N_MACHINES = 60 };

static void every_pair_has_one_channel_a_direction(void)
{
    const net_cluster cluster = sim_case_cluster(N_MACHINES - 1);
    sim_links links;
    REQUIRE_OK(sim_links_init(&links, &cluster));
    CHECK(sim_links_find(&links, 0, 1) == NULL);
    for (net_id a = 0; a < N_MACHINES; a++) {
        for (net_id b = 0; b < N_MACHINES; b++) {
            sim_channel *channel = sim_links_open(&links, a, b);
            REQUIRE(channel != NULL);
            CHECK(channel->from == a && channel->to == b);
        }
    }
    CHECK(links.n_channels == (size_t) N_MACHINES * N_MACHINES);
    for (net_id a = 0; a < N_MACHINES; a++) {
        const sim_channel *channel = sim_links_open(&links, a, N_MACHINES - 1 - a);
        CHECK(channel != NULL && channel == sim_links_find(&links, a, N_MACHINES - 1 - a));
        CHECK(channel->from == a);
    }
    CHECK(links.n_channels == (size_t) N_MACHINES * N_MACHINES);
    sim_links_fini(&links);
}

static void a_special_link_holds_both_ways(void)
{
    net_special_link special[] = {{.a = 5, .b = 2, .link = {.latency = 3.0, .bandwidth = 30.0}},
                                  {.a = 0, .b = 2, .link = {.latency = 4.0, .bandwidth = 40.0}},
                                  {.a = 1, .b = 0, .link = {.latency = 2.0, .bandwidth = 20.0}}};
    net_cluster cluster = sim_case_cluster(6);
    cluster.special = special;
    cluster.n_special = 3;
    sim_links links;
    REQUIRE_OK(sim_links_init(&links, &cluster));
    CHECK_NEAR(sim_links_open(&links, 5, 2)->link.latency, 3.0, 0.0);
    CHECK_NEAR(sim_links_open(&links, 2, 5)->link.bandwidth, 30.0, 0.0);
    CHECK_NEAR(sim_links_open(&links, 2, 0)->link.latency, 4.0, 0.0);
    CHECK_NEAR(sim_links_open(&links, 0, 1)->link.latency, 2.0, 0.0);
    CHECK_NEAR(sim_links_open(&links, 1, 2)->link.latency, cluster.link.latency, 0.0);
    sim_links_fini(&links);
}

static void the_worst_link_is_among_the_members_alone(void)
{
    net_special_link special[] = {{.a = 1, .b = 2, .link = {.latency = 0.1, .bandwidth = 9e3}},
                                  {.a = 0, .b = 1, .link = {.latency = 70.0, .bandwidth = 1.0}},
                                  {.a = 4, .b = 1, .link = {.latency = 5.0, .bandwidth = 2e3}}};
    net_cluster cluster = sim_case_cluster(4);
    cluster.special = special;
    cluster.n_special = 3;
    sim_links links;
    REQUIRE_OK(sim_links_init(&links, &cluster));
    CHECK_NEAR(sim_links_worst(&links, 2).latency, 0.1, 0.0); /* no common link */
    CHECK_NEAR(sim_links_worst(&links, 2).bandwidth, 9e3, 0.0);
    CHECK_NEAR(sim_links_worst(&links, 3).latency, 1.0, 0.0);
    CHECK_NEAR(sim_links_worst(&links, 4).latency, 5.0, 0.0);
    CHECK_NEAR(sim_links_worst(&links, 4).bandwidth, 1e3, 0.0);
    sim_links_fini(&links);
}

static void cuts_clear_when_the_last_that_parts_the_pair_has_healed(void)
{
    net_fault cuts[] = {{.kind = NET_FAULT_CUT, .first = 2, .last = 3, .from = 8.0, .to = 12.0},
                        {.kind = NET_FAULT_CUT, .first = 2, .last = 2, .from = 5.0, .to = 9.0},
                        {.kind = NET_FAULT_CUT, .first = 3, .last = 3, .from = 30.0, .to = 41.0}};
    net_cluster cluster = sim_case_cluster(4);
    cluster.faults = cuts;
    cluster.n_faults = 3;
    CHECK_NEAR(sim_cuts_clear(&cluster, 1, 2, 4.5), 4.5, 0.0);
    CHECK_NEAR(sim_cuts_clear(&cluster, 1, 2, 5.0), 12.0, 0.0);
    CHECK_NEAR(sim_cuts_clear(&cluster, 2, 1, 12.0), 12.0, 0.0);
    CHECK_NEAR(sim_cuts_clear(&cluster, 3, 2, 5.0), 9.0, 0.0);
    CHECK_NEAR(sim_cuts_clear(&cluster, 1, 4, 8.0), 8.0, 0.0);
    CHECK(sim_cuts_clear(&cluster, 3, 1, 30.0) == INFINITY); /* beyond the timeout */
    CHECK(sim_cuts_clear(&cluster, 3, 1, 50.0) == INFINITY);
    CHECK_NEAR(sim_cuts_clear_all(&cluster, 1, 8.0), 8.0, 0.0);
    CHECK_NEAR(sim_cuts_clear_all(&cluster, 2, 6.0), 12.0, 0.0);
    CHECK(sim_cuts_clear_all(&cluster, 4, 31.0) == INFINITY);
}

static void channels_survive_a_lack_of_memory(void)
{
    const net_cluster cluster = sim_case_cluster(N_MACHINES);
    const size_t live = strads_mem_live();
    sim_links links;
    for (size_t nth = 1; nth <= 2; nth++) {
        strads_mem_fail_after(nth);
        CHECK_STATUS(sim_links_init(&links, &cluster), STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
    strads_mem_fail_after(0);
    REQUIRE_OK(sim_links_init(&links, &cluster));
    for (net_id to = 1; to < N_MACHINES; to++) {
        strads_mem_fail_after(1);
        CHECK(sim_links_open(&links, 0, to) == NULL);
        strads_mem_fail_after(0);
        CHECK(sim_links_open(&links, 0, to) != NULL);
    }
    sim_links_fini(&links);
    CHECK(strads_mem_live() == live);
}

SUITE("net/sim_links",
      {"every pair has one channel a direction", every_pair_has_one_channel_a_direction},
      {"a special link holds both ways", a_special_link_holds_both_ways},
      {"the worst link is among the members alone", the_worst_link_is_among_the_members_alone},
      {"cuts clear when the last that parts the pair has healed",
       cuts_clear_when_the_last_that_parts_the_pair_has_healed},
      {"channels survive a lack of memory", channels_survive_a_lack_of_memory})
