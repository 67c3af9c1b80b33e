/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/options_table.c - the framework's own options. */
#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "net/cluster.h"
#include "strads/tables.h"

static const strads_option table[] = {
    {.key = "app",
     .type = STRADS_TEXT,
     .help = "The model program: a built-in one (lasso, mf), or the path of a plug-in that ends in "
             ".so, relative to the configuration's folder."},
    {.key = "schedule.kind",
     .type = STRADS_CHOICE,
     .fallback = "structure_aware",
     .choices = "structure_aware | random | cyclic | custom | data_parallel | rotation | free",
     .help =
         "How a round's variables are chosen: by priority and checked for dependencies; "
         "uniformly (Shotgun); in order of their index; or by the model program itself. With "
         "data_parallel they are not: workers share all through tables (see ssp). Programs on a "
         "grid have rotation, in which columns of data go round the workers, and free: a "
         "worker takes the free column that its rows have met least."},
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
    {.key = "schedule.slow_worker_agnostic",
     .type = STRADS_BOOL,
     .fallback = "false",
     .help =
         "Of rotation: whether a worker that is done before the others goes on with the columns "
         "that it has, with smaller steps, until the slowest is done."},
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
    const strads_option *ssp = table_options(&n_ssp);
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
