/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/options.c - the framework's own options, and what they mean together. */
#include "strads/options.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/tasks.h"
#include "net/cluster.h"
#include "strads/data_parallel.h"

static const strads_option table[] = {
    {.key = "app",
     .type = STRADS_TEXT,
     .help = "The model program: a built-in one (lasso), or the path of a plug-in that ends in "
             ".so, relative to the configuration's folder."},
    {.key = "schedule.kind",
     .type = STRADS_CHOICE,
     .fallback = "structure_aware",
     .choices = "structure_aware | random | cyclic | custom | data_parallel",
     .help = "How a round's variables are chosen: by priority and checked for dependencies; "
             "uniformly (Shotgun); in order of their index; or by the model program itself. With "
             "data_parallel they are not: workers share all through tables (see ssp)."},
    {.key = "schedule.priority",
     .type = STRADS_CHOICE,
     .fallback = "violation",
     .choices = "violation | delta | greedy",
     .help = "What structure_aware draws by: how far a variable was from its optimum at the last "
             "scan and how far it has moved since; only how far it moved; or the farthest, "
             "without chance."},
    {.key = "schedule.round",
     .type = STRADS_INT,
     .fallback = "0",
     .min = 0,
     .max = 1e6,
     .unit = "variables",
     .help = "Variables in a round. 0: as many as pay, which for structure_aware is a working "
             "set that the workers solve together, else 128 a worker."},
    {.key = "schedule.candidates",
     .type = STRADS_INT,
     .fallback = "0",
     .min = 0,
     .max = 4e6,
     .unit = "variables",
     .help = "Candidates drawn for a structure_aware round, from which the dependency checker "
             "picks; its work grows with their square. At least schedule.round; 0: as "
             "many. Not used by working sets."},
    {.key = "schedule.check",
     .type = STRADS_CHOICE,
     .fallback = "in_flight",
     .choices = "off | round | in_flight",
     .help = "What a variable is checked against before it is updated: nothing, the others of "
             "its round, or also those of rounds that are under way. A program whose workers "
             "exchange their changes in push, as the Lasso's do, needs no more than round."},
    {.key = "schedule.guard",
     .type = STRADS_BOOL,
     .fallback = "true",
     .help = "Whether a parallel step that raised the objective is undone and done again in "
             "sequence. Without it a run may diverge; for studies."},
    {.key = "schedule.rho",
     .type = STRADS_REAL,
     .fallback = "0.2",
     .min = 0,
     .max = 1,
     .help = "Variables whose data columns correlate more than this are not updated side by "
             "side but one after the other. 1: no check."},
    {.key = "schedule.eta",
     .type = STRADS_REAL,
     .fallback = "0.0001",
     .min = 0,
     .max = INFINITY,
     .help = "Exploration: what every variable's priority is raised by, as a share of the mean "
             "positive priority."},
    {.key = "schedule.pipeline",
     .type = STRADS_INT,
     .fallback = "0",
     .min = 0,
     .max = MAX_PIPELINE,
     .unit = "rounds",
     .help = "Rounds that are scheduled ahead while one is being worked on. Needs a "
             "schedule.round above 0."},
    {.key = "stop.gap",
     .type = STRADS_REAL,
     .fallback = "1e-6",
     .min = 0,
     .max = 1,
     .help = "The goal: the run has converged when the relative gap (for Lasso the duality gap "
             "over the objective) is at most this. 0: no goal, run to a limit."},
    {.key = "stop.rounds",
     .type = STRADS_INT,
     .fallback = "0",
     .min = 0,
     .max = 9007199254740992.0,
     .unit = "rounds",
     .help = "Limit on the number of rounds. 0: none."},
    {.key = "stop.seconds",
     .type = STRADS_REAL,
     .fallback = "0",
     .min = 0,
     .max = INFINITY,
     .unit = "seconds",
     .help = "Limit on the time of the solve, which for run.driver: sim is virtual. 0: none."},
    {.key = "run.workers",
     .type = STRADS_INT,
     .fallback = "0",
     .min = 0,
     .max = 1024,
     .unit = "threads",
     .help = "Worker threads, in all processes together. 0: one for every core this process may "
             "use; with net.listen, for every core of each machine."},
    {.key = "run.processes",
     .type = STRADS_INT,
     .fallback = "1",
     .min = 1,
     .max = 256,
     .help = "Processes that share the workers and, where data.partition says so, the data. They "
             "are started on this machine, or waited for when net.listen is given."},
    {.key = "run.seed",
     .type = STRADS_INT,
     .fallback = "1",
     .min = 0,
     .max = 9007199254740992.0,
     .help = "Seed of every random stream of the run."},
    {.key = "run.out",
     .type = STRADS_TEXT,
     .fallback = "runs/latest",
     .help = "The run's folder, relative to the working directory; made when missing, files of "
             "an earlier run in it are replaced."},
    {.key = "run.driver",
     .type = STRADS_CHOICE,
     .fallback = "threads",
     .choices = "threads | sim",
     .help = "What the nodes of the run are: threads of this process, or machines that are "
             "simulated in it, one after another and in virtual time (see cluster)."},
    {.key = "run.deterministic",
     .type = STRADS_BOOL,
     .fallback = "false",
     .help = "The same seed, workers and schedule give the same bits on every machine with the "
             "same program, and with every driver: fixes the instruction set of the kernels, needs "
             "run.workers, and refuses stop.seconds and cluster.cost: clock."},
    {.key = "net.listen",
     .type = STRADS_TEXT,
     .help = "Where the coordinator waits for the other processes: tcp://HOST:PORT, "
             "tls+tcp://HOST:PORT (port 0: any; 5000-5010: the first free; *: all addresses of "
             "this machine) or ipc:///PATH. What other machines can reach needs a key. A worker's "
             "own: where other workers reach it; else at any port."},
    {.key = "net.key_file",
     .type = STRADS_PATH,
     .help = "The key that all processes of a run share, made by strads key new. Else what "
             "STRADS_KEY_FILE names."},
    {.key = "net.tls.cert",
     .type = STRADS_PATH,
     .help = "For tls+tcp: this process's certificate, PEM."},
    {.key = "net.tls.key", .type = STRADS_PATH, .help = "For tls+tcp: the certificate's key, PEM."},
    {.key = "net.tls.ca",
     .type = STRADS_PATH,
     .help = "For tls+tcp: the certificate of who has signed the others', PEM."},
    {.key = "net.tls.name",
     .type = STRADS_TEXT,
     .help = "For tls+tcp: the name that the others' certificates are issued to; else their host."},
    {.key = "net.join_timeout",
     .type = STRADS_REAL,
     .fallback = "60",
     .min = 0,
     .max = INFINITY,
     .above_min = true,
     .unit = "s",
     .help = "How long processes wait for each other when a run begins."},
    {.key = "net.heartbeat",
     .type = STRADS_REAL,
     .fallback = "1",
     .min = 0.01,
     .max = 3600,
     .unit = "s",
     .help = "A process that has nothing to say gives a sign of life this often. The coordinator's "
             "holds for all."},
    {.key = "net.timeout",
     .type = STRADS_REAL,
     .fallback = "5",
     .min = 0.02,
     .max = 36000,
     .unit = "s",
     .help = "A process without a sign of life for so long is lost, and the run ends. The "
             "coordinator's holds for all."},
};

/* The table, the cluster's and that of the tables, in one. */
enum { N_OWN = sizeof(table) / sizeof(table[0]), MAX_OPTIONS = 64 };
static strads_option all[MAX_OPTIONS];
static size_t n_all;

static void gather(void)
{
    size_t n_cluster = 0, n_ssp = 0;
    const strads_option *cluster = net_cluster_options(&n_cluster);
    const strads_option *ssp = data_parallel_options(&n_ssp);
    n_all = N_OWN + n_cluster + n_ssp;
    assert(n_all <= MAX_OPTIONS);
    memcpy(all, table, sizeof(table));
    memcpy(&all[N_OWN], cluster, n_cluster * sizeof(all[0]));
    memcpy(&all[N_OWN + n_cluster], ssp, n_ssp * sizeof(all[0]));
}

const strads_option *strads_options(size_t *n)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, gather);
    *n = n_all;
    return all;
}

static schedule_kind kind_of(const char *name)
{
    static const char *const names[] = {
        [SCHEDULE_STRUCTURE_AWARE] = "structure_aware",
        [SCHEDULE_RANDOM] = "random",
        [SCHEDULE_CYCLIC] = "cyclic",
        [SCHEDULE_CUSTOM] = "custom",
        [SCHEDULE_DATA_PARALLEL] = "data_parallel",
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

/* Whether an option has another value than its default: a resolved configuration, which a run
 * leaves behind and sends to its other processes, gives all of them. */
static bool differs(const strads_config *config, const strads_option *option)
{
    double fallback = 0.0;
    switch (option->type) {
    case STRADS_BOOL:
        return strads_config_bool(config, option->key) != (strcmp(option->fallback, "true") == 0);
    case STRADS_INT:
        return !strads_parse_number(option->fallback, &fallback) ||
               (double) strads_config_int(config, option->key) != fallback;
    case STRADS_REAL:
        return !strads_parse_number(option->fallback, &fallback) ||
               strads_config_real(config, option->key) != fallback;
    default:
        return strcmp(strads_config_text(config, option->key), option->fallback) != 0;
    }
}

static strads_status check_tables(const run_options *options, const strads_app *app,
                                  const strads_config *config)
{
    size_t n = 0;
    const strads_option *keys = data_parallel_options(&n);
    if (options->kind != SCHEDULE_DATA_PARALLEL) {
        for (size_t i = 0; i < n; i++) {
            if (differs(config, &keys[i])) {
                strads_error("%s: %s: there are no tables without schedule.kind: data_parallel",
                             strads_config_place(config, keys[i].key), keys[i].key);
                return STRADS_ERR_USAGE;
            }
        }
        return STRADS_OK;
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
    uint32_t staleness = 0;
    return data_parallel_staleness(config, &staleness);
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
    if (options->gap == 0.0 && options->rounds == UINT64_MAX && options->seconds == INFINITY) {
        strads_error("%s: stop.gap: 0 needs stop.rounds or stop.seconds, or the run has no end",
                     strads_config_place(config, "stop.gap"));
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

/* Whether the option has the value that it would have anyway. */
static bool has_default(const strads_config *config, const strads_option *option)
{
    const char *key = option->key;
    if (!strads_config_given(config, key)) {
        return true;
    }
    switch (option->type) {
    case STRADS_INT:
        return strads_config_int(config, key) == strtoll(option->fallback, NULL, 10);
    case STRADS_REAL:
        return strads_config_real(config, key) == strtod(option->fallback, NULL);
    case STRADS_CHOICE:
        return strcmp(strads_config_text(config, key), option->fallback) == 0;
    case STRADS_LIST:
        return strads_config_list_size(config, key) == 0;
    case STRADS_REALS:
        return strads_config_list_size(config, key) == 1 &&
               strads_config_list_real(config, key, 0) == strtod(option->fallback, NULL);
    default:
        return false;
    }
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
    options.rho = strads_config_real(config, "schedule.rho");
    options.eta = strads_config_real(config, "schedule.eta");
    options.pipeline = (uint32_t) strads_config_int(config, "schedule.pipeline");
    options.gap = strads_config_real(config, "stop.gap");
    options.rounds = rounds > 0 ? (uint64_t) rounds : UINT64_MAX;
    options.seconds = seconds > 0.0 ? seconds : INFINITY;
    options.deterministic = strads_config_bool(config, "run.deterministic");
    status = check_tables(&options, app, config);
    if (status == STRADS_OK) {
        status = check_together(&options, app, config);
    }
    if (status == STRADS_OK && options.deterministic) {
        status = check_deterministic(&options, machines, config);
    }
    if (status != STRADS_OK) {
        net_cluster_destroy(machines);
        return status;
    }
    *out = options;
    *cluster = machines;
    return STRADS_OK;
}
