/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_processes.c - one problem under threads, forked processes, and a
 * coordinator with workers over ipc, tcp and tls+tcp, started as a user starts them.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/crew.h"

/* Of the objective, with a goal of 1e-9. */
static const double TOLERANCE = 1e-8;
static const char FIXED[] = "--workers 3 --set run.deterministic=true --set stop.gap=1e-9";

static double objective_of(const char *folder)
{
    static char text[COMMAND_TEXT_BYTES];
    char name[64];
    snprintf(name, sizeof(name), "%s/summary.json", folder);
    command_read(name, text);
    const char *at = strstr(text, "\"objective\": ");
    return at != NULL ? strtod(at + strlen("\"objective\": "), NULL) : NAN;
}

/* Whether two runs left the same bits. */
static bool same_bits(const char *one, const char *other)
{
    char command[256];
    snprintf(command, sizeof(command), "cd %s && cmp %s/coefficients.npy %s/coefficients.npy",
             suite_folder(), one, other);
    return system(command) == 0;
}

/* ---- by hand ---- */

/* A run of three processes at `listen`, with what all of them are given; whether all ended
 * well. workers_first: they knock before anybody listens, at `listen` itself. */
static bool run_by_hand(const char *listen, const char *out, const char *run, const char *all,
                        bool workers_first)
{
    crew coordinator, workers[2];
    char url[COMMAND_BYTES];
    snprintf(url, sizeof(url), "%s", listen);
    for (int i = 0; i < 2 && workers_first; i++) {
        workers[i] = crew_start(i == 0 ? "w1" : "w2", "worker --join %s %s", url, all);
        CHECK(crew_says(&workers[i], "waiting for the coordinator"));
    }
    coordinator = crew_start("c", "coordinator small.yaml --listen %s --processes 3 --out %s %s %s",
                             listen, out, run, all);
    CHECK(crew_url(&coordinator, url));
    for (int i = 0; i < 2 && !workers_first; i++) {
        workers[i] = crew_start(i == 0 ? "w1" : "w2", "worker --join %s %s", url, all);
    }
    bool good = crew_wait(&coordinator) == 0;
    for (int i = 0; i < 2; i++) {
        good = crew_wait(&workers[i]) == 0 && good;
        CHECK_LACKS(crew_words(&workers[i]), "error");
        CHECK_HAS(crew_words(&workers[i]), "the run has ended");
    }
    if (!good) {
        fprintf(stderr, "%s\n", crew_words(&coordinator));
    }
    return good;
}

/* ---- cases ---- */

static void threads_and_processes_come_to_the_same_bits(void)
{
    command_set_up();
    CHECK(command_run("run small.yaml --out threads %s", FIXED) == 0);
    CHECK(command_run("run small.yaml --processes 2 --out forked2 %s", FIXED) == 0);
    CHECK(command_run("run small.yaml --processes 3 --out forked3 %s", FIXED) == 0);
    CHECK(same_bits("threads", "forked2") && same_bits("threads", "forked3"));
    CHECK(run_by_hand("tcp://127.0.0.1:0", "tcp", FIXED, "", false));
    CHECK(same_bits("threads", "tcp"));
    char ipc[128];
    snprintf(ipc, sizeof(ipc), "ipc://%s/door", suite_folder());
    CHECK(run_by_hand(ipc, "ipc", FIXED, "", false));
    CHECK(same_bits("threads", "ipc") && !command_left("door"));
}

static void data_in_parts_lead_to_the_same_optimum(void)
{
    static const char *const parts[] = {"columns", "rows"};
    command_set_up();
    CHECK(command_run("run small.yaml --out whole %s", FIXED) == 0);
    for (int i = 0; i < 2; i++) {
        char run[256];
        snprintf(run, sizeof(run), "%s --set data.partition=%s", FIXED, parts[i]);
        CHECK(command_run("run small.yaml --out alone %s", run) == 0);
        CHECK(command_run("run small.yaml --processes 3 --out forked %s", run) == 0);
        CHECK(run_by_hand("tcp://localhost:0", "hand", run, "", false));
        const double best = objective_of("whole");
        CHECK_NEAR(objective_of("alone"), best, TOLERANCE * best);
        CHECK(same_bits("forked", "hand"));
        CHECK_NEAR(objective_of("hand"), best, TOLERANCE * best);
    }
}

/* Where bits may differ, members solve sets on products of columns, which they exchange. */
static void processes_solve_sets_together(void)
{
    command_set_up();
    CHECK(command_run("generate lasso --rows 300 --cols 600 --informative 100 --noise 1"
                      " --format npy --out wide") == 0);
    strads_free(suite_file("wide.yaml", "app: lasso\ndata:\n  path: wide.npy\n  y: wide.y.npy\n"
                                        "lasso:\n  lambda_ratio: 0.01\nstop:\n  gap: 1e-9\n"));
    CHECK(command_run("run wide.yaml --workers 1 --out one") == 0);
    CHECK(command_run("run wide.yaml --workers 4 --processes 2 --out two") == 0);
    const double best = objective_of("one");
    CHECK_NEAR(objective_of("two"), best, TOLERANCE * best);
}

static void workers_may_come_before_the_coordinator(void)
{
    command_set_up();
    char url[64];
    snprintf(url, sizeof(url), "tcp://127.0.0.1:%d", crew_free_port());
    CHECK(run_by_hand(url, "late", "--workers 3", "", true));
}

static void a_key_lets_its_owners_in_at_all_addresses(void)
{
    command_set_up();
    CHECK(command_run("key new shared.key") == 0);
    CHECK(command_run("key new shared.key") == 4); /* what is there stays */
    CHECK(run_by_hand("tcp://*:0", "keyed", "--workers 3", "--key shared.key", false));
    CHECK(command_run("worker --join tcp://127.0.0.1:1 --listen ipc:///tmp/door") == 2);
    CHECK_HAS(command_err, "of the same kind");
}

static void certificates_make_a_run_private(void)
{
    static const char make[] =
        "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        " -subj '/CN=test CA' -keyout ca.key -out ca.pem -days 30 2>tls.log &&"
        " openssl req -x509 -CA ca.pem -CAkey ca.key -newkey ec -pkeyopt"
        " ec_paramgen_curve:P-256 -nodes -subj /CN=strads -addext subjectAltName=DNS:strads"
        " -addext basicConstraints=critical,CA:FALSE -keyout tls.key -out tls.pem -days 30"
        " 2>>tls.log";
    static const char tls[] = "--set net.tls.cert=tls.pem --set net.tls.key=tls.key"
                              " --set net.tls.ca=ca.pem --set net.tls.name=strads";
    char command[1024];
    command_set_up();
    if (system("command -v openssl >/dev/null") != 0) {
        printf("skipped: there is no openssl here\n");
        return;
    }
    snprintf(command, sizeof(command), make, suite_folder());
    REQUIRE(system(command) == 0);
    CHECK(command_run("run small.yaml --out plain %s", FIXED) == 0);
    CHECK(run_by_hand("tls+tcp://127.0.0.1:0", "tls", FIXED, tls, false));
    CHECK(same_bits("plain", "tls"));
    const double best = objective_of("plain");
    static const char *const parts[] = {"columns", "rows"};
    for (int i = 0; i < 2; i++) {
        snprintf(command, sizeof(command), "%s --set data.partition=%s", FIXED, parts[i]);
        CHECK(run_by_hand("tls+tcp://127.0.0.1:0", "tls", command, tls, false));
        CHECK_NEAR(objective_of("tls"), best, TOLERANCE * best);
    }

    /* Who does not know the signer trusts nobody. */
    crew coordinator = crew_start("c",
                                  "coordinator small.yaml --processes 2 --listen"
                                  " tls+tcp://127.0.0.1:0 %s",
                                  tls);
    char url[COMMAND_BYTES];
    CHECK(crew_url(&coordinator, url));
    CHECK(command_run("worker --join %s --set net.tls.cert=tls.pem --set net.tls.key=tls.key"
                      " --set net.tls.name=strads --set net.join_timeout=5",
                      url) != 0);
    CHECK(strstr(command_err, "error: ") != NULL);
    kill(coordinator.pid, SIGTERM);
    CHECK(crew_wait(&coordinator) == 128 + SIGTERM);
}

static void files_may_lie_elsewhere_on_a_workers_machine(void)
{
    command_set_up();
    char command[512], url[COMMAND_BYTES];
    snprintf(command, sizeof(command),
             "cd %s && mkdir -p here there && mv small.libsvm here/ &&"
             " cp here/small.libsvm there/its.libsvm",
             suite_folder());
    REQUIRE(system(command) == 0);
    crew coordinator = crew_start("c", "coordinator small.yaml --set data.path=here/small.libsvm"
                                       " --listen tcp://127.0.0.1:0 --processes 2");
    CHECK(crew_url(&coordinator, url));
    CHECK(command_run("worker --join %s --set data.path=there/its.libsvm small.yaml", url) == 0);
    CHECK(crew_wait(&coordinator) == 0);
    snprintf(command, sizeof(command), "cd %s && mv here/small.libsvm .", suite_folder());
    REQUIRE(system(command) == 0);
}

static void a_limit_is_no_failure_of_a_worker(void)
{
    command_set_up();
    char url[COMMAND_BYTES];
    crew coordinator =
        crew_start("c", "coordinator small.yaml --listen tcp://127.0.0.1:0"
                        " --processes 2 --set stop.rounds=1 --set schedule.kind=cyclic");
    CHECK(crew_url(&coordinator, url));
    CHECK(command_run("worker --quiet --join %s", url) == 0);
    CHECK_TEXT(command_err, "");
    CHECK(crew_wait(&coordinator) == 6);
}

SUITE("integration/processes",
      {"threads and processes come to the same bits", threads_and_processes_come_to_the_same_bits},
      {"data in parts lead to the same optimum", data_in_parts_lead_to_the_same_optimum},
      {"processes solve sets together", processes_solve_sets_together},
      {"workers may come before the coordinator", workers_may_come_before_the_coordinator},
      {"a key lets its owners in at all addresses", a_key_lets_its_owners_in_at_all_addresses},
      {"certificates make a run private", certificates_make_a_run_private},
      {"files may lie elsewhere on a worker's machine",
       files_may_lie_elsewhere_on_a_workers_machine},
      {"a limit is no failure of a worker", a_limit_is_no_failure_of_a_worker})
