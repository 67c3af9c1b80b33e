/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_options.c - what the options mean together, and which
 * combinations are refused. */
#include "strads/options.h"

#include <string.h>

#include "strads/grid.h"
#include "tests/support/suite.h"

static strads_status no_schedule(void *model, uint64_t round, const double *values,
                                 strads_round *blocks)
{
    (void) model;
    (void) round;
    (void) values;
    (void) blocks;
    return STRADS_OK;
}

static const strads_app without_schedule = {.name = "plain"};
static const strads_app with_schedule = {.name = "own", .schedule = no_schedule};

typedef struct request {
    const strads_app *app;
    const char *settings[4];
    strads_status status;
    run_options options;
    bool simulates; /* there was a cluster */
} request;

static void read_request(void *context)
{
    request *self = context;
    size_t n = 0;
    const strads_option *options = strads_options(&n);
    strads_config *config = NULL;
    REQUIRE_OK(strads_config_create(&config));
    REQUIRE_OK(strads_config_declare(config, options, n));
    for (size_t i = 0; i < 4 && self->settings[i] != NULL; i++) {
        REQUIRE_OK(strads_config_set(config, self->settings[i]));
    }
    self->status = strads_config_resolve(config);
    if (self->status == STRADS_OK) {
        net_cluster *cluster = NULL;
        self->status = run_options_read(&self->options, self->app, config, &cluster);
        self->simulates = self->status == STRADS_OK && cluster != NULL;
        net_cluster_destroy(cluster);
    }
    strads_config_destroy(config);
}

static run_options accepted(request ask)
{
    char *said = suite_stderr_of(read_request, &ask);
    CHECK_STATUS(ask.status, STRADS_OK);
    CHECK_TEXT(said, "");
    strads_free(said);
    return ask.options;
}

static void check_refused(request ask, const char *because)
{
    char *said = suite_stderr_of(read_request, &ask);
    CHECK_STATUS(ask.status, STRADS_ERR_USAGE);
    CHECK(strstr(said, because) != NULL);
    strads_free(said);
}

static void the_defaults_are_working_sets_with_a_goal(void)
{
    const run_options options = accepted((request){.app = &without_schedule});
    CHECK(options.kind == SCHEDULE_STRUCTURE_AWARE);
    CHECK(options.solve && !options.by_delta && !options.greedy);
    CHECK(options.n_workers >= 1);
    CHECK_NEAR(options.gap, 1e-6, 0.0);
    CHECK(options.rounds == UINT64_MAX && options.seconds == INFINITY);
    CHECK(options.pipeline == 0 && !options.deterministic);
}

static void a_round_size_makes_drawn_rounds_with_as_many_candidates(void)
{
    const run_options options = accepted((request){
        .app = &without_schedule, .settings = {"schedule.round=32", "schedule.pipeline=1"}});
    CHECK(!options.solve);
    CHECK(options.round == 32 && options.candidates == 32 && options.pipeline == 1);
}

static void candidates_may_be_few_where_none_are_drawn(void)
{
    const char *settings[][2] = {{"schedule.round=0", "run.workers=2"},
                                 {"schedule.kind=random", "schedule.round=64"},
                                 {"schedule.kind=cyclic", "run.workers=2"}};
    for (size_t i = 0; i < 3; i++) {
        const run_options options = accepted(
            (request){.app = &without_schedule,
                      .settings = {"schedule.candidates=63", settings[i][0], settings[i][1]}});
        CHECK(options.candidates == 63);
    }
}

/* Four times the largest round may also be asked for. */
static void the_largest_round_may_have_its_candidates(void)
{
    const run_options by_default =
        accepted((request){.app = &without_schedule, .settings = {"schedule.round=1000000"}});
    const run_options asked =
        accepted((request){.app = &without_schedule,
                           .settings = {"schedule.round=1000000", "schedule.candidates=4000000"}});
    CHECK(by_default.candidates == 1000000 && asked.candidates == 4000000);
}

static void other_kinds_draw_128_a_worker_by_themselves(void)
{
    const char *kinds[] = {"schedule.kind=random", "schedule.kind=cyclic",
                           "schedule.priority=delta"};
    for (size_t i = 0; i < 3; i++) {
        const run_options options =
            accepted((request){.app = &without_schedule, .settings = {kinds[i], "run.workers=3"}});
        CHECK(!options.solve && options.round == 384);
    }
}

static void limits_of_zero_are_none(void)
{
    const run_options options = accepted((request){
        .app = &without_schedule, .settings = {"stop.gap=0", "stop.rounds=7", "stop.seconds=0"}});
    CHECK(options.gap == 0.0 && options.rounds == 7 && options.seconds == INFINITY);
}

static void the_driver_sim_has_a_cluster_and_no_other_has(void)
{
    request ask = {.app = &without_schedule, .settings = {"run.driver=sim", "cluster.nodes=7"}};
    char *said = suite_stderr_of(read_request, &ask);
    CHECK_STATUS(ask.status, STRADS_OK);
    CHECK(ask.simulates && ask.options.n_workers == 7);
    strads_free(said);
    ask = (request){.app = &without_schedule, .settings = {"run.workers=3"}};
    said = suite_stderr_of(read_request, &ask);
    CHECK_STATUS(ask.status, STRADS_OK);
    CHECK(!ask.simulates && ask.options.n_workers == 3);
    strads_free(said);
    ask = (request){.app = &without_schedule, /* as a run's config.yaml has it */
                    .settings = {"cluster.nodes=0", "cluster.speed=1", "cluster.cost=units",
                                 "cluster.faults=[]"}};
    said = suite_stderr_of(read_request, &ask);
    CHECK_STATUS(ask.status, STRADS_OK);
    strads_free(said);
    check_refused((request){.app = &without_schedule, .settings = {"run.driver=sim"}},
                  "cluster.nodes: 0 machines");
    check_refused((request){.app = &without_schedule, .settings = {"cluster.latency=1"}},
                  "--set: cluster.latency: there is no simulated cluster with run.driver: threads");
    check_refused((request){.app = &without_schedule,
                            .settings = {"run.driver=sim", "cluster.nodes=2", "run.workers=3"}},
                  "cluster.nodes");
}

static void what_contradicts_itself_is_refused_with_its_place(void)
{
    check_refused((request){.app = &without_schedule, .settings = {"schedule.kind=custom"}},
                  "schedule.kind: custom is not for plain");
    check_refused((request){.app = &without_schedule, .settings = {"schedule.pipeline=1"}},
                  "--set: schedule.pipeline: 1 needs a schedule.round above 0");
    check_refused((request){.app = &without_schedule,
                            .settings = {"schedule.round=64", "schedule.candidates=63"}},
                  "schedule.candidates: 63 is below schedule.round, 64");
    check_refused((request){.app = &without_schedule, .settings = {"stop.gap=0"}},
                  "the run has no end");
}

static void determinism_is_refused_where_it_cannot_hold(void)
{
    check_refused(
        (request){.app = &without_schedule,
                  .settings = {"run.deterministic=true", "run.workers=2", "stop.seconds=5"}},
        "--set: stop.seconds: run.deterministic takes no decision by the clock");
    check_refused((request){.app = &without_schedule, .settings = {"run.deterministic=true"}},
                  "--set: run.deterministic needs run.workers");
    check_refused((request){.app = &without_schedule,
                            .settings = {"run.deterministic=true", "run.driver=sim",
                                         "cluster.cost=clock", "cluster.nodes=2"}},
                  "--set: cluster.cost: clock: run.deterministic takes no decision by the clock");
    CHECK(accepted((request){
                       .app = &without_schedule,
                       .settings = {"run.deterministic=true", "run.driver=sim", "cluster.nodes=3"}})
              .n_workers == 3);
}

static void values_out_of_range_are_refused(void)
{
    check_refused((request){.app = &without_schedule, .settings = {"schedule.rho=1.5"}},
                  "schedule.rho");
    check_refused((request){.app = &without_schedule, .settings = {"schedule.pipeline=8"}},
                  "schedule.pipeline");
    check_refused((request){.app = &without_schedule, .settings = {"schedule.kind=spiral"}},
                  "structure_aware");
    check_refused((request){.app = &without_schedule, .settings = {"run.workers=-1"}},
                  "run.workers");
}

static strads_status push(void *state, const strads_block *block, double *partial)
{
    (void) state;
    (void) block;
    (void) partial;
    return STRADS_OK;
}

static strads_status step(void *state, struct ssp_session *session, const strads_block *block,
                          double *partial)
{
    (void) session;
    return push(state, block, partial);
}

static void a_grid_has_schedules_of_its_own(void)
{
    static const strads_grid cells = {.n_rows = NULL};
    static const strads_app on_grid = {.name = "cells", .grid = &cells};
    static const char *const others[] = {"schedule.kind=structure_aware", "schedule.kind=random",
                                         "schedule.kind=cyclic"};
    const run_options options =
        accepted((request){.app = &on_grid,
                           .settings = {"schedule.kind=rotation",
                                        "schedule.slow_worker_agnostic=true", "stop.gap=0"}});
    CHECK(options.kind == SCHEDULE_ROTATION && options.agnostic && options.gap == 0.0);
    for (size_t i = 0; i < 3; i++) {
        check_refused((request){.app = &on_grid, .settings = {others[i]}},
                      "is not for cells, which works on a grid: rotation or free");
    }
    const strads_app with_step = {.name = "cells", .grid = &cells, .step = step};
    CHECK(accepted((request){.app = &with_step, .settings = {"schedule.kind=data_parallel"}}).gap ==
          0.0);
    const strads_app with_push = {.name = "cells", .grid = &cells, .push = push};
    CHECK(accepted((request){.app = &with_push, .settings = {"schedule.kind=cyclic"}}).gap == 0.0);
    check_refused((request){.app = &with_push, .settings = {"schedule.kind=random"}},
                  "is not for cells, which works on a grid: rotation or free or cyclic");
    check_refused((request){.app = &without_schedule, .settings = {"schedule.kind=free"}},
                  "schedule.kind: free is not for plain, whose data are no grid");
    check_refused(
        (request){.app = &on_grid,
                  .settings = {"schedule.kind=free", "schedule.slow_worker_agnostic=true"}},
        "needs schedule.kind: rotation");
    check_refused(
        (request){.app = &on_grid, .settings = {"schedule.kind=rotation", "schedule.pipeline=1"}},
        "schedule.pipeline: 1: there is none on a grid");
    check_refused(
        (request){.app = &on_grid,
                  .settings = {"schedule.kind=free", "run.deterministic=true", "run.workers=2"}},
        "only run.driver: sim can repeat them");
    CHECK(accepted((request){.app = &on_grid,
                             .settings = {"schedule.kind=free", "run.deterministic=true",
                                          "run.driver=sim", "cluster.nodes=2"}})
              .n_workers == 2);
}

static void a_schedule_of_its_own_is_taken_from_who_has_one(void)
{
    const run_options options =
        accepted((request){.app = &with_schedule, .settings = {"schedule.kind=custom"}});
    CHECK(options.kind == SCHEDULE_CUSTOM && !options.solve);
}

SUITE("strads/options",
      {"the defaults are working sets with a goal", the_defaults_are_working_sets_with_a_goal},
      {"a round size makes drawn rounds, with as many candidates",
       a_round_size_makes_drawn_rounds_with_as_many_candidates},
      {"candidates may be few where none are drawn", candidates_may_be_few_where_none_are_drawn},
      {"the largest round may have its candidates", the_largest_round_may_have_its_candidates},
      {"other kinds draw 128 a worker by themselves", other_kinds_draw_128_a_worker_by_themselves},
      {"limits of zero are none", limits_of_zero_are_none},
      {"the driver sim has a cluster, and no other has",
       the_driver_sim_has_a_cluster_and_no_other_has},
      {"what contradicts itself is refused, with its place",
       what_contradicts_itself_is_refused_with_its_place},
      {"determinism is refused where it cannot hold", determinism_is_refused_where_it_cannot_hold},
      {"values out of range are refused", values_out_of_range_are_refused},
      {"a grid has schedules of its own", a_grid_has_schedules_of_its_own},
      {"a schedule of its own is taken from who has one",
       a_schedule_of_its_own_is_taken_from_who_has_one})
