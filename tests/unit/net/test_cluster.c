/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_cluster.c - which cluster a configuration describes, and which
 * cannot be. */
#include "net/cluster.h"

#include <string.h>

#include "base/mem.h"
#include "tests/support/suite.h"

typedef struct request {
    const char *settings[4];
    uint32_t n_workers;
    strads_status status;
    net_cluster *cluster;
} request;

static void read_request(void *context)
{
    request *self = context;
    size_t n = 0;
    const strads_option *options = net_cluster_options(&n);
    strads_config *config = NULL;
    REQUIRE_OK(strads_config_create(&config));
    REQUIRE_OK(strads_config_declare(config, options, n));
    for (size_t i = 0; i < 4 && self->settings[i] != NULL; i++) {
        REQUIRE_OK(strads_config_set(config, self->settings[i]));
    }
    self->status = strads_config_resolve(config);
    if (self->status == STRADS_OK) {
        self->status = net_cluster_read(&self->cluster, config, self->n_workers, 7);
    }
    strads_config_destroy(config);
}

static net_cluster *accepted(request ask)
{
    char *said = suite_stderr_of(read_request, &ask);
    CHECK_TEXT(said, "");
    strads_free(said);
    REQUIRE_OK(ask.status);
    return ask.cluster;
}

/* `because` is what is said, behind "strads: error: --set: ". */
static void check_refused(request ask, const char *because)
{
    static const char head[] = "strads: error: --set: ";
    const size_t live = strads_mem_live();
    char *said = suite_stderr_of(read_request, &ask);
    CHECK_STATUS(ask.status, STRADS_ERR_USAGE);
    CHECK(strncmp(said, head, strlen(head)) == 0);
    const char *rest = strlen(said) > strlen(head) ? said + strlen(head) : "";
    if (strcmp(rest, because) != 0) {
        fprintf(stderr, "expected: %s\nheard:    %s\n", because, rest);
    }
    CHECK_TEXT(rest, because);
    strads_free(said);
    CU_ASSERT_EQUAL(strads_mem_live(), live);
}

static void check_sentence(const char *key, const char *sentence, const char *because)
{
    char setting[256];
    char said[512];
    snprintf(setting, sizeof(setting), "%s=%s", key, sentence);
    snprintf(said, sizeof(said), "%s: '%s': %s\n", key, sentence, because);
    check_refused((request){.settings = {setting}, .n_workers = 8}, said);
}

/* ---- clusters ---- */

static void a_cluster_of_one_has_the_defaults(void)
{
    net_cluster *cluster = accepted((request){.settings = {"cluster.nodes=1"}});
    CU_ASSERT_EQUAL(cluster->n_workers, 1);
    CU_ASSERT_EQUAL(cluster->seed, 7);
    CHECK_NEAR(cluster->link.latency, 1e-4, 0.0);
    CHECK_NEAR(cluster->link.bandwidth, 1.25e9, 0.0);
    CHECK_NEAR(cluster->speed[0], 1.0, 0.0);
    CHECK_NEAR(cluster->speed[1], 1.0, 0.0);
    CHECK_NEAR(cluster->jitter, 0.0, 0.0);
    CHECK_NEAR(cluster->timeout, 1.0, 0.0);
    CHECK_NEAR(cluster->unit_ns, 1.0, 0.0);
    CU_ASSERT_EQUAL(cluster->costing, NET_COST_UNITS);
    CU_ASSERT_EQUAL(cluster->n_special, 0);
    CU_ASSERT_EQUAL(cluster->n_faults, 0);
    net_cluster_destroy(cluster);
    net_cluster_destroy(NULL);
}

static void a_cluster_has_as_many_workers_as_either_key_says(void)
{
    static const struct {
        const char *nodes;
        uint32_t n_workers, expected;
    } cases[] = {{NULL, 3, 3}, {"cluster.nodes=5", 0, 5}, {"cluster.nodes=5", 5, 5}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        net_cluster *cluster =
            accepted((request){.settings = {cases[i].nodes}, .n_workers = cases[i].n_workers});
        CU_ASSERT_EQUAL(cluster->n_workers, cases[i].expected);
        net_cluster_destroy(cluster);
    }
    check_refused((request){.settings = {"cluster.nodes=0"}},
                  "cluster.nodes: 0 machines: it, or run.workers, is 1 to 1024\n");
    check_refused((request){.settings = {"cluster.nodes=5"}, .n_workers = 4},
                  "cluster.nodes: 5 is not run.workers, 4: a machine has one worker; one of the "
                  "two is enough\n");
}

static void one_speed_is_for_all_workers(void)
{
    net_cluster *cluster = accepted((request){.settings = {"cluster.speed=0.5"}, .n_workers = 3});
    CHECK_NEAR(cluster->speed[0], 1.0, 0.0);
    for (int i = 1; i <= 3; i++) {
        CHECK_NEAR(cluster->speed[i], 0.5, 0.0);
    }
    net_cluster_destroy(cluster);
    cluster = accepted((request){.settings = {"cluster.speed=[2, 1, 0.25]"}, .n_workers = 3});
    CHECK_NEAR(cluster->speed[0], 1.0, 0.0);
    CHECK_NEAR(cluster->speed[1], 2.0, 0.0);
    CHECK_NEAR(cluster->speed[3], 0.25, 0.0);
    net_cluster_destroy(cluster);
}

static void speeds_match_the_workers(void)
{
    static const char *const lists[] = {"[]", "[1, 1]", "[1, 1, 1, 1]"};
    static const size_t n_speeds[] = {0, 2, 4};
    for (size_t i = 0; i < 3; i++) {
        char setting[64];
        char said[128];
        snprintf(setting, sizeof(setting), "cluster.speed=%s", lists[i]);
        snprintf(said, sizeof(said),
                 "cluster.speed: %zu speeds for 3 workers; give one for all, or one a worker\n",
                 n_speeds[i]);
        check_refused((request){.settings = {setting}, .n_workers = 3}, said);
    }
}

static void numbers_that_cannot_be_are_refused(void)
{
    check_refused((request){.settings = {"cluster.latency=-1"}},
                  "cluster.latency: '-1' is not a number from 0 to 3600\n");
    check_refused((request){.settings = {"cluster.bandwidth=0"}},
                  "cluster.bandwidth: '0' is not a number from 1e-06 to 1000000\n");
    check_refused((request){.settings = {"cluster.speed=[1, 0]"}},
                  "cluster.speed: '0' is not a number from 1e-06 to 1000000\n");
    check_refused((request){.settings = {"cluster.timeout=0"}},
                  "cluster.timeout: '0' is not a number above 0 and at most 1000000000\n");
    check_refused((request){.settings = {"cluster.nodes=1025"}},
                  "cluster.nodes: '1025' is not a whole number from 0 to 1024\n");
    check_refused((request){.settings = {"cluster.cost=clocks"}},
                  "cluster.cost: 'clocks' is not one of units, clock; did you mean clock?\n");
}

static void settings_reach_the_cluster(void)
{
    net_cluster *cluster =
        accepted((request){.settings = {"cluster.latency=0.5", "cluster.jitter=0.1",
                                        "cluster.timeout=3", "cluster.unit_ns=2"},
                           .n_workers = 1});
    CHECK_NEAR(cluster->link.latency, 0.5, 0.0);
    CHECK_NEAR(cluster->jitter, 0.1, 0.0);
    CHECK_NEAR(cluster->timeout, 3.0, 0.0);
    CHECK_NEAR(cluster->unit_ns, 2.0, 0.0);
    net_cluster_destroy(cluster);
    cluster = accepted(
        (request){.settings = {"cluster.cost=clock", "cluster.bandwidth=1"}, .n_workers = 1});
    CU_ASSERT_EQUAL(cluster->costing, NET_COST_CLOCK);
    CHECK_NEAR(cluster->link.bandwidth, 1.25e8, 0.0);
    net_cluster_destroy(cluster);
}

/* ---- links ---- */

static void check_link(const net_special_link *link, net_id a, net_id b, double latency,
                       double bandwidth)
{
    CU_ASSERT_EQUAL(link->a, a);
    CU_ASSERT_EQUAL(link->b, b);
    CHECK_NEAR(link->link.latency, latency, 0.0);
    CHECK_NEAR(link->link.bandwidth, bandwidth, 0.0);
}

static void a_link_takes_what_it_does_not_name_from_the_cluster(void)
{
    net_cluster *cluster =
        accepted((request){.settings = {"cluster.links=[coordinator to worker 3 latency 0.25,"
                                        " worker 1 to worker 0 bandwidth 1, "
                                        " worker 2 to coordinator bandwidth 2 latency 0 ]"},
                           .n_workers = 4});
    REQUIRE(cluster->n_special == 3);
    check_link(&cluster->special[0], 0, 4, 0.25, 1.25e9);
    check_link(&cluster->special[1], 2, 1, 1e-4, 1.25e8);
    check_link(&cluster->special[2], 3, 0, 0.0, 2.5e8);
    net_cluster_destroy(cluster);
}

static void a_link_of_ranges_is_one_for_each_pair(void)
{
    net_cluster *cluster = accepted((request){
        .settings = {"cluster.links=workers 0-1 to workers 2-3 latency 1"}, .n_workers = 4});
    REQUIRE(cluster->n_special == 4);
    for (net_id i = 0; i < 4; i++) {
        check_link(&cluster->special[i], 1 + i / 2, 3 + i % 2, 1.0, 1.25e9);
    }
    net_cluster_destroy(cluster);
    cluster = accepted(
        (request){.settings = {"cluster.links=workers to workers latency 1"}, .n_workers = 1024});
    CU_ASSERT_EQUAL(cluster->n_special, 1024 * 1023 / 2);
    for (size_t i = 0; i < cluster->n_special; i++) {
        CHECK(cluster->special[i].a < cluster->special[i].b);
    }
    net_cluster_destroy(cluster);
}

static void a_wrong_link_is_refused(void)
{
    static const char key[] = "cluster.links";
    check_sentence(key, "0-3 latency 1",
                   "'0-3' stands where coordinator, worker or workers is expected");
    check_sentence(key, "worker 0 worker 3 latency 1", "'worker' stands where to is expected");
    check_sentence(key, "worker 0 to worker 3", "ends where latency or bandwidth is expected");
    check_sentence(key, "worker 0 to worker 3 latncy 1",
                   "'latncy' stands where latency or bandwidth is expected; did you mean latency?");
    check_sentence(key, "worker 0 to worker 3 latency 1 latency 1",
                   "'latency' stands where bandwidth is expected");
    check_sentence(key, "worker 0 to worker 3 bandwidth 0",
                   "'0' stands where a rate from 1e-6 to 1e6 Gbit/s is expected");
    check_sentence(key, "worker 3 to worker 3 latency 1", "a machine has no link to itself");
    check_refused(
        (request){
            .settings = {"cluster.links=[workers to worker 0 latency 1, "
                         "worker 0 to coordinator latency 2, worker 0 to worker 2 latency 1]"},
            .n_workers = 4},
        "cluster.links: 'worker 0 to worker 2 latency 1': an earlier one is about worker "
        "0 and worker 2 too\n");
}

/* ---- faults ---- */

static net_fault fault_of(const char *sentence)
{
    char setting[256];
    snprintf(setting, sizeof(setting), "cluster.faults=%s", sentence);
    net_cluster *cluster = accepted((request){.settings = {setting}, .n_workers = 8});
    REQUIRE(cluster->n_faults == 1);
    const net_fault fault = cluster->faults[0];
    net_cluster_destroy(cluster);
    return fault;
}

static void check_fault(const char *sentence, net_fault expected)
{
    const net_fault fault = fault_of(sentence);
    CU_ASSERT_EQUAL(fault.kind, expected.kind);
    CU_ASSERT_EQUAL(fault.first, expected.first);
    CU_ASSERT_EQUAL(fault.last, expected.last);
    CHECK_NEAR(fault.from, expected.from, 0.0);
    CHECK(fault.to >= expected.to && fault.to <= expected.to);
    CHECK_NEAR(fault.factor, expected.factor, 0.0);
    CHECK_NEAR(fault.every, expected.every, 0.0);
    CHECK_NEAR(fault.span, expected.span, 0.0);
}

static void a_fault_is_a_sentence(void)
{
    check_fault("lose worker 3 at 0.5",
                (net_fault){NET_FAULT_LOSE, 4, 4, 0.5, INFINITY, 1.0, 0.0, 0.0});
    check_fault("slow coordinator by 10 from 0.1 to 0.4",
                (net_fault){NET_FAULT_SLOW, 0, 0, 0.1, 0.4, 10.0, 0.0, 0.0});
    check_fault("slow worker 7 by 1",
                (net_fault){NET_FAULT_SLOW, 8, 8, 0.0, INFINITY, 1.0, 0.0, 0.0});
    check_fault("cut workers 0-2 to 0.5",
                (net_fault){NET_FAULT_CUT, 1, 3, 0.0, 0.5, 1.0, 0.0, 0.0});
    check_fault("cut workers 5-5 from 1 to 1",
                (net_fault){NET_FAULT_CUT, 6, 6, 1.0, 1.0, 1.0, 0.0, 0.0});
    check_fault("straggle workers by 5 every 0.1 for 0.02",
                (net_fault){NET_FAULT_STRAGGLE, 1, 8, 0.0, INFINITY, 5.0, 0.1, 0.02});
    check_fault("  straggle\tworker 0  for 1e-1 to 9 every 0.1 from 2 by 5 ",
                (net_fault){NET_FAULT_STRAGGLE, 1, 1, 2.0, 9.0, 5.0, 0.1, 0.1});
}

static void a_sentence_that_is_none_names_the_word(void)
{
    static const char key[] = "cluster.faults";
    check_sentence(key, "loose worker 3 at 1",
                   "'loose' stands where lose, slow, cut or straggle is expected; did you mean "
                   "lose?");
    check_sentence(key, "lose wroker 3 at 1",
                   "'wroker' stands where coordinator, worker or workers is expected; did you mean "
                   "worker?");
    check_sentence(key, "lose 3 at 1",
                   "'3' stands where coordinator, worker or workers is expected");
    check_sentence(key, "lose", "ends where coordinator, worker or workers is expected");
    check_sentence(key, "lose worker 3", "ends where at is expected");
    check_sentence(key, "lose worker 3 at", "ends where a time from 0 to 1e9 seconds is expected");
    check_sentence(key, "lose worker 3 at -1",
                   "'-1' stands where a time from 0 to 1e9 seconds is expected");
    check_sentence(key, "lose worker 3 at 1 from 2", "'from' stands where the end is expected");
    check_sentence(key, "slow worker 3 from 2", "ends where by is expected");
    check_sentence(key, "slow worker 3 by 2 by 2", "'by' stands where from or to is expected");
    check_sentence(key, "slow worker 3 by 0.5",
                   "'0.5' stands where a factor from 1 to 1e6 is expected");
    check_sentence(key, "cut worker 3 at 2", "'at' stands where from or to is expected");
    check_sentence(key, "straggle worker 3 by 2 every 1", "ends where for is expected");
    check_sentence(key, "straggle worker 3 by 2 evry 1 for 1",
                   "'evry' stands where from, to, every or for is expected; did you mean every?");
}

static void machines_that_do_not_exist_are_refused(void)
{
    static const char key[] = "cluster.faults";
    static const char range[] = "a range of workers such as 0-2 (one is worker 3, for example)";
    static const char number[] = "the number of one worker (several are workers 0-2, for example)";
    static const struct {
        const char *sentence, *format, *expected;
    } cases[] = {
        {"lose worker 1-3 at 1", "'1-3' stands where %s is expected", number},
        {"lose worker x at 1", "'x' stands where %s is expected", number},
        {"lose worker -1 at 1", "'-1' stands where %s is expected", number},
        {"lose worker", "ends where %s is expected", number},
        {"lose workers 3 at 1", "'3' stands where %s is expected", range},
        {"lose workers 3-1 at 1", "'3-1' stands where %s is expected", range},
        {"lose workers 1-2-3 at 1", "'1-2-3' stands where %s is expected", range},
        {"lose workers 1- at 1", "'1-' stands where %s is expected", range},
        {"lose worker 8 at 1", "'8' is beyond the last worker, %s: they count from 0", "7"},
        {"lose workers 0-8 at 1", "'0-8' is beyond the last worker, %s: they count from 0", "7"},
        {"lose worker 4294967296 at 1",
         "'4294967296' is beyond the last worker, %s: they count from 0", "7"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char said[256];
        const char *mark = strstr(cases[i].format, "%s");
        snprintf(said, sizeof(said), "%.*s%s%s", (int) (mark - cases[i].format), cases[i].format,
                 cases[i].expected, mark + 2);
        check_sentence(key, cases[i].sentence, said);
    }
}

static void times_that_contradict_each_other_are_refused(void)
{
    static const char key[] = "cluster.faults";
    check_sentence(key, "cut worker 0 from 2 to 1", "from 2 is after to 1");
    check_sentence(key, "straggle workers by 2 every 1 for 2", "for 2 is longer than every 1");
}

static void every_wrong_sentence_is_reported(void)
{
    check_refused((request){.settings = {"cluster.faults=[lose worker 9 at 1, cut worker 0, go]",
                                         "cluster.speed=[1, 2]"},
                            .n_workers = 8},
                  "cluster.speed: 2 speeds for 8 workers; give one for all, or one a worker\n"
                  "strads: error: --set: cluster.faults: 'lose worker 9 at 1': '9' is beyond the "
                  "last worker, 7: they count from 0\n"
                  "strads: error: --set: cluster.faults: 'go': 'go' stands where lose, slow, cut "
                  "or straggle is expected\n");
}

static void a_long_word_is_cut_and_never_taken(void)
{
    char word[101] = "";
    char said[256];
    memset(word, '0', 100);
    snprintf(said, sizeof(said),
             "cluster.faults: 'lose worker 3 at %.63s...': '%.60s...' stands where a time from 0 "
             "to 1e9 seconds is expected\n",
             word, word);
    char setting[256];
    snprintf(setting, sizeof(setting), "cluster.faults=lose worker 3 at %s", word);
    check_refused((request){.settings = {setting}, .n_workers = 8}, said);
}

static void every_allocation_may_fail(void)
{
    size_t n = 0;
    const strads_option *options = net_cluster_options(&n);
    strads_config *config = NULL;
    REQUIRE_OK(strads_config_create(&config));
    REQUIRE_OK(strads_config_declare(config, options, n));
    REQUIRE_OK(strads_config_set(config, "cluster.links=workers 0-3 to workers 4-7 latency 1"));
    REQUIRE_OK(strads_config_set(config, "cluster.faults=lose worker 3 at 1"));
    REQUIRE_OK(strads_config_resolve(config));
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    size_t failed = 0;
    while (failed < 50 && status == STRADS_ERR_NOMEM) {
        net_cluster *cluster = NULL;
        strads_mem_fail_after(failed + 1);
        status = net_cluster_read(&cluster, config, 8, 1);
        strads_mem_fail_after(0);
        failed += status == STRADS_ERR_NOMEM ? 1 : 0;
        net_cluster_destroy(cluster);
        CU_ASSERT_EQUAL(strads_mem_live(), live);
    }
    CHECK_STATUS(status, STRADS_OK);
    CHECK(failed >= 5);
    strads_config_destroy(config);
}

SUITE("net/cluster", {"a cluster of one has the defaults", a_cluster_of_one_has_the_defaults},
      {"a cluster has as many workers as either key says",
       a_cluster_has_as_many_workers_as_either_key_says},
      {"one speed is for all workers", one_speed_is_for_all_workers},
      {"speeds match the workers", speeds_match_the_workers},
      {"numbers that cannot be are refused", numbers_that_cannot_be_are_refused},
      {"settings reach the cluster", settings_reach_the_cluster},
      {"a link takes what it does not name from the cluster",
       a_link_takes_what_it_does_not_name_from_the_cluster},
      {"a link of ranges is one for each pair", a_link_of_ranges_is_one_for_each_pair},
      {"a wrong link is refused", a_wrong_link_is_refused},
      {"a fault is a sentence", a_fault_is_a_sentence},
      {"a sentence that is none names the word", a_sentence_that_is_none_names_the_word},
      {"machines that do not exist are refused", machines_that_do_not_exist_are_refused},
      {"times that contradict each other are refused",
       times_that_contradict_each_other_are_refused},
      {"every wrong sentence is reported", every_wrong_sentence_is_reported},
      {"a long word is cut and never taken", a_long_word_is_cut_and_never_taken},
      {"every allocation may fail", every_allocation_may_fail})
