/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/options.c - what the framework's options mean together; options_table.c has them. */
#include "strads/options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/tasks.h"
#include "net/cluster.h"
#include "strads/grid.h"
#include "strads/tables.h"

static schedule_kind kind_of(const char *name)
{
    static const char *const names[] = {
        [SCHEDULE_STRUCTURE_AWARE] = "structure_aware",
        [SCHEDULE_RANDOM] = "random",
        [SCHEDULE_CYCLIC] = "cyclic",
        [SCHEDULE_CUSTOM] = "custom",
        [SCHEDULE_DATA_PARALLEL] = "data_parallel",
        [SCHEDULE_ROTATION] = "rotation",
        [SCHEDULE_FREE] = "free",
    };
    uint32_t kind = 0;
    while (strcmp(names[kind], name) != 0) {
        kind++;
    }
    return (schedule_kind) kind;
}

/* What depends on the machine or the moment. */
static strads_status check_deterministic(const run_options *options, const net_cluster *cluster,
                                         const strads_config *config)
{
    if (options->seconds < INFINITY) {
        strads_error("%s: stop.seconds: run.deterministic takes no decision by the clock; use "
                     "stop.rounds",
                     strads_config_place(config, "stop.seconds"));
        return STRADS_ERR_USAGE;
    }
    if (cluster != NULL && cluster->costing == NET_COST_CLOCK) {
        strads_error("%s: cluster.cost: clock: run.deterministic takes no decision by the clock; "
                     "use units",
                     strads_config_place(config, "cluster.cost"));
        return STRADS_ERR_USAGE;
    }
    if (cluster == NULL && strads_config_int(config, "run.workers") == 0) {
        strads_error("%s: run.deterministic needs run.workers: how many cores there are is not "
                     "the same everywhere",
                     strads_config_place(config, "run.deterministic"));
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

/* Whether the option has the value that it would have anyway: a resolved configuration, which a
 * run leaves behind and sends to its other processes, gives all of them. */
static bool has_default(const strads_config *config, const strads_option *option)
{
    const char *key = option->key;
    if (!strads_config_given(config, key)) {
        return true;
    }
    switch (option->type) {
    case STRADS_BOOL:
        return strads_config_bool(config, key) == (strcmp(option->fallback, "true") == 0);
    case STRADS_INT:
        return strads_config_int(config, key) == strtoll(option->fallback, NULL, 10);
    case STRADS_REAL:
        return strads_config_real(config, key) == strtod(option->fallback, NULL);
    case STRADS_LIST:
        return strads_config_list_size(config, key) == 0;
    case STRADS_REALS:
        return strads_config_list_size(config, key) == 1 &&
               strads_config_list_real(config, key, 0) == strtod(option->fallback, NULL);
    default:
        return option->fallback != NULL &&
               strcmp(strads_config_text(config, key), option->fallback) == 0;
    }
}

/* The same of one of the framework's. */
static bool has_value(const strads_config *config, const char *key)
{
    size_t n = 0;
    const strads_option *options = strads_options(&n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(options[i].key, key) == 0) {
            return !has_default(config, &options[i]);
        }
    }
    return false;
}

static strads_status check_tables(const run_options *options, const strads_app *app,
                                  const strads_config *config)
{
    size_t n = 0;
    const strads_option *keys = table_options(&n);
    const bool by_rounds = options->kind == SCHEDULE_DATA_PARALLEL;
    for (size_t i = 0; i < n; i++) {
        const bool has_it =
            by_rounds || (options->tables && strcmp(keys[i].key, "ssp.periods") != 0);
        if (!has_it && !has_default(config, &keys[i])) {
            strads_error("%s: %s: %s has %s with schedule.kind: %s; data_parallel has",
                         strads_config_place(config, keys[i].key), keys[i].key, app->name,
                         options->tables ? "no rounds of so many periods" : "no tables",
                         strads_config_text(config, "schedule.kind"));
            return STRADS_ERR_USAGE;
        }
    }
    uint32_t staleness = 0;
    if (!by_rounds) {
        return options->tables ? table_staleness(config, &staleness) : STRADS_OK;
    }
    if (app->step == NULL) {
        strads_error("%s: schedule.kind: data_parallel is not for %s, which has no step",
                     strads_config_place(config, "schedule.kind"), app->name);
        return STRADS_ERR_USAGE;
    }
    if (options->pipeline > 0 || options->deterministic) {
        strads_error("%s: schedule.kind: data_parallel has no schedule.pipeline, and no "
                     "run.deterministic: tables add up in the order in which workers come",
                     strads_config_place(config, "schedule.kind"));
        return STRADS_ERR_USAGE;
    }
    return table_staleness(config, &staleness);
}

/* Programs on a grid have schedules of their own. */
static strads_status check_grid(const run_options *options, const strads_app *app,
                                const strads_config *config)
{
    const char *kind = strads_config_text(config, "schedule.kind");
    const char *place = strads_config_place(config, "schedule.kind");
    const bool is_grid = schedule_is_grid(options->kind);
    if (is_grid && app->grid == NULL) {
        strads_error("%s: schedule.kind: %s is not for %s, whose data are no grid", place, kind,
                     app->name);
        return STRADS_ERR_USAGE;
    }
    if (app->grid != NULL && !schedule_makes_passes(options->kind, app)) {
        strads_error("%s: schedule.kind: %s is not for %s, which works on a grid: rotation or free"
                     "%s%s",
                     place, kind, app->name, app->step != NULL ? " or data_parallel" : "",
                     app->push != NULL ? " or cyclic" : "");
        return STRADS_ERR_USAGE;
    }
    if (options->agnostic && options->kind != SCHEDULE_ROTATION) {
        strads_error("%s: schedule.slow_worker_agnostic: true needs schedule.kind: rotation",
                     strads_config_place(config, "schedule.slow_worker_agnostic"));
        return STRADS_ERR_USAGE;
    }
    if (is_grid && options->pipeline > 0) {
        strads_error("%s: schedule.pipeline: %u: there is none on a grid",
                     strads_config_place(config, "schedule.pipeline"), options->pipeline);
        return STRADS_ERR_USAGE;
    }
    const double goal = strads_config_real(config, "stop.gap");
    const bool by_passes = app->grid != NULL && schedule_takes_all(options->kind);
    if (by_passes && goal > 0.0 && has_value(config, "stop.gap")) {
        strads_error("%s: stop.gap: %g: %s says by itself when it is done, with schedule.kind: %s",
                     strads_config_place(config, "stop.gap"), goal, app->name, kind);
        return STRADS_ERR_USAGE;
    }
    if (is_grid && options->tables && options->deterministic && options->n_workers > 1) {
        strads_error("%s: run.deterministic: %s shares tables among its %u workers, and a read may "
                     "see newer increments than it must",
                     strads_config_place(config, "run.deterministic"), app->name,
                     options->n_workers);
        return STRADS_ERR_USAGE;
    }
    const bool by_time = options->kind == SCHEDULE_FREE || options->agnostic;
    if (options->deterministic && by_time && strcmp(options->driver, "sim") != 0) {
        strads_error("%s: run.deterministic: who works on what goes by time with schedule.kind: "
                     "free and with schedule.slow_worker_agnostic; only run.driver: sim can repeat "
                     "them",
                     strads_config_place(config, "run.deterministic"));
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

static strads_status check_together(const run_options *options, const strads_app *app,
                                    const strads_config *config)
{
    if (options->kind == SCHEDULE_CUSTOM && app->schedule == NULL) {
        strads_error("%s: schedule.kind: custom is not for %s, which has no schedule of its own",
                     strads_config_place(config, "schedule.kind"), app->name);
        return STRADS_ERR_USAGE;
    }
    if (options->pipeline > 0 && options->solve) {
        strads_error("%s: schedule.pipeline: %u needs a schedule.round above 0: a working set is "
                     "chosen from what the one before it left",
                     strads_config_place(config, "schedule.pipeline"), options->pipeline);
        return STRADS_ERR_USAGE;
    }
    const bool draws = options->kind == SCHEDULE_STRUCTURE_AWARE && !options->solve;
    if (draws && options->candidates < options->round) {
        strads_error("%s: schedule.candidates: %u is below schedule.round, %u",
                     strads_config_place(config, "schedule.candidates"), options->candidates,
                     options->round);
        return STRADS_ERR_USAGE;
    }
    if (!schedule_makes_passes(options->kind, app) && options->gap == 0.0 &&
        options->rounds == UINT64_MAX && options->seconds == INFINITY) {
        strads_error("%s: stop.gap: 0 needs stop.rounds or stop.seconds, or the run has no end",
                     strads_config_place(config, "stop.gap"));
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

/* Reads the cluster when there is one to simulate, and how many workers there are. */
static strads_status read_cluster(run_options *options, const strads_config *config,
                                  net_cluster **cluster)
{
    const uint32_t asked = (uint32_t) strads_config_int(config, "run.workers");
    const bool forks = strads_config_text(config, "net.listen") == NULL;
    options->n_processes = (uint32_t) strads_config_int(config, "run.processes");
    if (strcmp(options->driver, "sim") == 0 && options->n_processes > 1) {
        strads_error("%s: run.processes: %u: run.driver: sim simulates all machines in one",
                     strads_config_place(config, "run.processes"), options->n_processes);
        return STRADS_ERR_USAGE;
    }
    if (!forks && options->n_processes == 1) {
        strads_error(
            "%s: net.listen: there is nobody to wait for with run.processes: 1, which counts "
            "this one too",
            strads_config_place(config, "net.listen"));
        return STRADS_ERR_USAGE;
    }
    if (asked > 0 && asked < options->n_processes) {
        strads_error("%s: run.workers: %u: each of %u processes has a worker at least",
                     strads_config_place(config, "run.workers"), asked, options->n_processes);
        return STRADS_ERR_USAGE;
    }
    if (strcmp(options->driver, "sim") == 0) {
        const strads_status status = net_cluster_read(cluster, config, asked, options->seed);
        options->n_workers = status == STRADS_OK ? (*cluster)->n_workers : 0;
        return status;
    }
    size_t n = 0;
    const strads_option *keys = net_cluster_options(&n);
    for (size_t i = 0; i < n; i++) {
        if (!has_default(config, &keys[i])) {
            strads_error("%s: %s: there is no simulated cluster with run.driver: %s",
                         strads_config_place(config, keys[i].key), keys[i].key, options->driver);
            return STRADS_ERR_USAGE;
        }
    }
    options->n_workers = asked > 0 ? asked : strads_cores();
    if (options->n_workers < options->n_processes) {
        options->n_workers = options->n_processes;
    }
    options->deals_workers = asked > 0 || forks;
    return STRADS_OK;
}

static schedule_check check_of(const char *name)
{
    return strcmp(name, "off") == 0     ? CHECK_OFF
           : strcmp(name, "round") == 0 ? CHECK_ROUND
                                        : CHECK_IN_FLIGHT;
}

void run_options_set_workers(run_options *options, const strads_config *config, uint32_t n_workers)
{
    const uint32_t round = (uint32_t) strads_config_int(config, "schedule.round");
    const uint32_t candidates = (uint32_t) strads_config_int(config, "schedule.candidates");
    options->n_workers = n_workers;
    options->round = round > 0 ? round : 128 * n_workers;
    options->candidates = candidates > 0 ? candidates : options->round;
}

/* What every process opens is there more than once: no pipe. */
static strads_status check_files(const strads_app *app, const strads_config *config)
{
    for (size_t i = 0; i < app->n_options; i++) {
        const char *key = app->options[i].key;
        const char *path =
            app->options[i].type == STRADS_PATH ? strads_config_text(config, key) : NULL;
        struct stat about;
        if (path != NULL && stat(path, &about) == 0 && !S_ISREG(about.st_mode) &&
            !S_ISDIR(about.st_mode)) {
            strads_error("%s: %s: %s is no regular file, and %lld processes cannot all read it: "
                         "expected one, or run.processes: 1",
                         strads_config_place(config, key), key, path,
                         (long long) strads_config_int(config, "run.processes"));
            return STRADS_ERR_USAGE;
        }
    }
    return STRADS_OK;
}

strads_status run_options_read(run_options *out, const strads_app *app, const strads_config *config,
                               net_cluster **cluster)
{
    run_options options = {.kind = kind_of(strads_config_text(config, "schedule.kind"))};
    const char *priority = strads_config_text(config, "schedule.priority");
    const bool by_set = strads_config_int(config, "schedule.round") == 0;
    const int64_t rounds = strads_config_int(config, "stop.rounds");
    const double seconds = strads_config_real(config, "stop.seconds");
    options.seed = (uint64_t) strads_config_int(config, "run.seed");
    options.driver = strads_config_text(config, "run.driver");
    net_cluster *machines = NULL;
    strads_status status = read_cluster(&options, config, &machines);
    if (status != STRADS_OK) {
        return status;
    }
    options.by_delta = strcmp(priority, "delta") == 0;
    options.greedy = strcmp(priority, "greedy") == 0;
    options.solve = options.kind == SCHEDULE_STRUCTURE_AWARE && by_set && !options.by_delta;
    run_options_set_workers(&options, config, options.n_workers);
    options.check = check_of(strads_config_text(config, "schedule.check"));
    options.guard = strads_config_bool(config, "schedule.guard");
    options.agnostic = strads_config_bool(config, "schedule.slow_worker_agnostic");
    options.rho = strads_config_real(config, "schedule.rho");
    options.eta = strads_config_real(config, "schedule.eta");
    options.pipeline = (uint32_t) strads_config_int(config, "schedule.pipeline");
    options.gap =
        schedule_makes_passes(options.kind, app) ? 0.0 : strads_config_real(config, "stop.gap");
    options.rounds = rounds > 0 ? (uint64_t) rounds : UINT64_MAX;
    options.seconds = seconds > 0.0 ? seconds : INFINITY;
    options.deterministic = strads_config_bool(config, "run.deterministic");
    options.tables = options.kind == SCHEDULE_DATA_PARALLEL ||
                     (schedule_is_grid(options.kind) && app->grid != NULL && app->grid->tables);
    status = check_tables(&options, app, config);
    if (status == STRADS_OK) {
        status = check_grid(&options, app, config);
    }
    if (status == STRADS_OK) {
        status = check_together(&options, app, config);
    }
    if (status == STRADS_OK && options.deterministic) {
        status = check_deterministic(&options, machines, config);
    }
    if (status == STRADS_OK && options.n_processes > 1) {
        status = check_files(app, config);
    }
    if (status != STRADS_OK) {
        net_cluster_destroy(machines);
        return status;
    }
    *out = options;
    *cluster = machines;
    return STRADS_OK;
}
