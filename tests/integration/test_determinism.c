/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_determinism.c - run.deterministic: the same seed, workers and
 * schedule give the same bits, whatever the nodes are, whoever is slow, and however busy
 * the machine is.
 *
 * Every case is run ten times: on threads, three times as the machine is and twice while
 * other threads keep it busy, and on five simulated clusters that have little in common.
 */
#include <stdatomic.h>
#include <string.h>

#include "base/tasks.h"
#include "tests/support/lasso_run.h"
#include "tests/support/suite.h"

enum { MAX_SETTINGS = 12, TEXT_BYTES = 1 << 16, MAX_SPINNERS = 64 };

/* ---- a loaded machine ---- */

static struct {
    pthread_t threads[MAX_SPINNERS];
    uint32_t n;
    _Atomic bool over;
} load;

static void *spin(void *unused)
{
    while (!atomic_load_explicit(&load.over, memory_order_relaxed)) {
    }
    return unused;
}

/* Twice as many threads as there are cores. */
static void load_the_machine(void)
{
    const uint32_t wanted = 2 * strads_cores();
    atomic_store(&load.over, false);
    for (load.n = 0; load.n < wanted && load.n < MAX_SPINNERS; load.n++) {
        REQUIRE_OK(strads_thread_start(&load.threads[load.n], "load", spin, NULL));
    }
}

static void unload_the_machine(void)
{
    atomic_store(&load.over, true);
    for (uint32_t i = 0; i < load.n; i++) {
        pthread_join(load.threads[i], NULL);
    }
}

/* ---- what a run leaves ---- */

typedef struct trace {
    lasso_outcome outcome;
    char journal[TEXT_BYTES]; /* without the seconds */
} trace;

/* Takes "seconds":NUMBER, out of every line. */
static void drop_seconds(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        if (strncmp(from, "\"seconds\":", strlen("\"seconds\":")) == 0) {
            from = strchr(from, ',') + 1;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

static trace *run(const lasso_case *self, const char *const *settings)
{
    char path[256];
    trace *made = calloc(1, sizeof(*made));
    REQUIRE(made != NULL);
    made->outcome = lasso_case_run(self, lasso_case_eager_app(), settings);
    REQUIRE_OK(made->outcome.status);
    snprintf(path, sizeof(path), "%s/out/journal.jsonl", suite_folder());
    FILE *file = fopen(path, "r");
    REQUIRE(file != NULL);
    const size_t n = fread(made->journal, 1, TEXT_BYTES, file);
    fclose(file);
    REQUIRE(n > 0 && n < TEXT_BYTES);
    drop_seconds(made->journal);
    return made;
}

static void forget(trace *made)
{
    lasso_outcome_fini(&made->outcome);
    free(made);
}

static bool same(const lasso_case *self, const trace *a, const trace *b)
{
    const strads_result *x = &a->outcome.result;
    const strads_result *y = &b->outcome.result;
    return memcmp(a->outcome.b, b->outcome.b, self->problem.p * sizeof(double)) == 0 &&
           memcmp(&a->outcome.intercept, &b->outcome.intercept, sizeof(double)) == 0 &&
           memcmp(&x->last.objective, &y->last.objective, sizeof(double)) == 0 &&
           x->verdict == y->verdict && x->last.updates == y->last.updates &&
           x->last.scored == y->last.scored && x->last.products == y->last.products &&
           x->guarded == y->guarded && strcmp(a->journal, b->journal) == 0;
}

/* ---- the same run ten times ---- */

enum { N_CLUSTERS = 5, MAX_CLUSTER = 3, N_RUNS = 10, N_IDLE = 3, N_THREADS = 5 };

static const char *const clusters[N_CLUSTERS][MAX_CLUSTER] = {
    {"cluster.latency=0", "cluster.bandwidth=1000"},
    {"cluster.latency=1e-3", "cluster.bandwidth=0.01"},
    {"cluster.jitter=30"},
    {"cluster.faults=[slow worker 0 by 50, straggle workers by 20 every 1e-3 for 5e-4]",
     "cluster.unit_ns=50"},
    {"cluster.jitter=5", "cluster.faults=[slow coordinator by 100, cut worker 0 from 1e-3 to 0.1]",
     "cluster.links=[worker 0 to coordinator latency 0.01]"},
};

/* How often the paths were taken that the promise is about. */
static struct {
    uint64_t guarded, products;
} seen;

/* The driver's settings of the i-th run behind the n that all have. */
static void choose_driver(const char **settings, size_t n, int i)
{
    const bool threads = i < N_THREADS;
    settings[n] = threads ? "run.driver=threads" : "run.driver=sim";
    for (size_t k = 0; k < MAX_CLUSTER; k++) {
        settings[n + 1 + k] = threads ? NULL : clusters[i - N_THREADS][k];
    }
}

static void check_ten_times(const lasso_case *self, const char *const *schedule, int workers)
{
    char setting[32];
    const char *settings[MAX_SETTINGS] = {setting, "run.deterministic=true", "stop.gap=1e-7",
                                          "stop.rounds=12"};
    size_t n = 4;
    trace *first = NULL;
    snprintf(setting, sizeof(setting), "run.workers=%d", workers);
    for (; *schedule != NULL; schedule++) {
        settings[n++] = *schedule;
    }
    for (int i = 0; i < N_RUNS; i++) {
        choose_driver(settings, n, i);
        const bool loaded = i >= N_IDLE && i < N_THREADS;
        if (loaded) {
            load_the_machine();
        }
        trace *next = run(self, settings);
        if (loaded) {
            unload_the_machine();
        }
        if (first == NULL) {
            seen.guarded += next->outcome.result.guarded;
            seen.products += next->outcome.result.last.products;
            first = next;
            continue;
        }
        if (!same(self, first, next)) {
            CU_FAIL("two runs differ");
            printf("%d workers, %s: run %d is not as the first\n", workers, settings[4], i);
        }
        forget(next);
    }
    forget(first);
}

static const char *const schedules[][4] = {
    {"schedule.round=0"},
    {"schedule.round=12", "schedule.rho=0.4"},
    {"schedule.round=12", "schedule.rho=0.4", "schedule.pipeline=1"},
    {"schedule.round=8", "schedule.priority=delta", "schedule.pipeline=3"},
};

static void check_all(bool sparse, int workers)
{
    lasso_case self = lasso_case_draw(30, 60, sparse ? 0.2 : 1.0, 81);
    self.problem.lambda = 0.05 * lasso_oracle_lambda_max(&self.problem);
    lasso_case_write(&self, sparse);
    for (size_t i = 0; i < sizeof(schedules) / sizeof(schedules[0]); i++) {
        check_ten_times(&self, schedules[i], workers);
    }
    lasso_case_fini(&self);
}

static const int worker_counts[] = {1, 2, 3, 8};

static void threads_on_a_loaded_machine_and_all_clusters_give_the_same_bits(void)
{
    for (size_t i = 0; i < sizeof(worker_counts) / sizeof(worker_counts[0]); i++) {
        check_all(false, worker_counts[i]);
        check_all(true, worker_counts[i]);
    }
    CHECK(seen.guarded > 0 && seen.products > 0);
}

/* Else the comparison would be blind. */
static void another_seed_gives_other_bits(void)
{
    lasso_case self = lasso_case_draw(30, 60, 1.0, 81);
    self.problem.lambda = 0.05 * lasso_oracle_lambda_max(&self.problem);
    lasso_case_write(&self, false);
    const char *settings[] = {"run.workers=2",
                              "run.deterministic=true",
                              "schedule.round=12",
                              "stop.rounds=10",
                              NULL,
                              NULL};
    trace *one = run(&self, settings);
    settings[4] = "run.seed=2";
    trace *other = run(&self, settings);
    CHECK(!same(&self, one, other));
    forget(one);
    forget(other);
    lasso_case_fini(&self);
}

SUITE("determinism",
      {"threads on a loaded machine and all clusters give the same bits",
       threads_on_a_loaded_machine_and_all_clusters_give_the_same_bits},
      {"another seed gives other bits", another_seed_gives_other_bits})
