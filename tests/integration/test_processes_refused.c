/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_processes_refused.c - who may not join a run, and who only knocks:
 * each is told why, or dropped, and the run goes on without them.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/crew.h"

enum { SILENT = 300, SHOUTING = 20, SHOUT_BYTES = 4096, MORE_SILENT = 1000, USUAL_CASES = 2000 };

/* ---- a coordinator that waits ---- */

typedef struct waiting {
    crew coordinator;
    char url[COMMAND_BYTES];
} waiting;

/* For one worker, at a port of 127.0.0.1. */
static waiting wait_for_one(const char *more)
{
    waiting self;
    command_set_up();
    self.coordinator = crew_start("c",
                                  "coordinator small.yaml --workers 2 --processes 2"
                                  " --listen tcp://127.0.0.1:0 %s",
                                  more);
    CHECK(crew_url(&self.coordinator, self.url));
    return self;
}

/* A worker that is as it should be comes, and the run ends as it should. */
static void end_well(waiting *self, const char *more)
{
    CHECK(command_run("worker --join %s %s", self->url, more) == 0);
    CHECK(crew_wait(&self->coordinator) == 0);
}

/* A worker with these arguments ends with `code` and says so; so does the coordinator. */
static void is_refused(const waiting *self, const char *arguments, const char *says)
{
    const int code = command_run("worker --join %s %s", self->url, arguments);
    CHECK(code == 2);
    CHECK_HAS(command_err, says);
    CHECK(crew_says(&self->coordinator, "was turned away"));
    CHECK(crew_says(&self->coordinator, says));
    if (code != 2 || strstr(command_err, says) == NULL) {
        fprintf(stderr, "%s: %d, %s\n", arguments, code, command_err);
    }
}

/* ---- keys ---- */

static void without_the_key_nobody_comes_in(void)
{
    command_set_up();
    CHECK(command_run("key new right.key") == 0 && command_run("key new wrong.key") == 0);
    waiting self = wait_for_one("--key right.key");
    CHECK_HAS(crew_words(&self.coordinator), "--key FILE");
    is_refused(&self, "--key wrong.key", "key");
    is_refused(&self, "", "key");
    setenv("STRADS_KEY_FILE", "right.key", 1);
    end_well(&self, "");
    unsetenv("STRADS_KEY_FILE");
    self = wait_for_one("");
    is_refused(&self, "--key right.key", "key");
    end_well(&self, "");
}

/* Each is refused before anybody waits, with one line that has the part. */
static void an_address_that_cannot_be_is_refused(void)
{
    static const struct {
        const char *url, *part;
        int code;
    } cases[] = {
        {"'tcp://*:0'", "takes a key", 2},
        {"tcp://0.0.0.0:0", "takes a key", 2},
        {"tcp://127.0.0.1", "HOST:PORT", 2},
        {"tcp://127.0.0.1:65536", "a port is 0 to 65535", 2},
        {"udp://127.0.0.1:1", "must begin with", 2},
        {"tls+tcp://127.0.0.1:0", "takes a certificate", 2},
        {"tcp://no-such-host.invalid:0 --key a.key", "no-such-host.invalid", 4},
        {"ipc:///no/such/folder/door", "/no/such/folder/door", 4},
    };
    command_set_up();
    CHECK(command_run("key new a.key") == 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const int code =
            command_run("coordinator small.yaml --processes 2 --listen %s", cases[i].url);
        const bool good = code == cases[i].code && strstr(command_err, cases[i].part) != NULL;
        CHECK(good);
        if (!good) {
            fprintf(stderr, "%s: %d, %s\n", cases[i].url, code, command_err);
        }
    }
    CHECK(command_run("coordinator small.yaml --listen tcp://127.0.0.1:0") == 2);
    CHECK_HAS(command_err, "nobody to wait for");
}

static void a_port_that_is_taken_is_refused_and_a_range_goes_on(void)
{
    char port[COMMAND_BYTES];
    waiting self = wait_for_one("");
    snprintf(port, sizeof(port), "%s", strrchr(self.url, ':') + 1);
    CHECK(command_run("coordinator small.yaml --processes 2 --listen %s", self.url) == 4);
    CHECK_HAS(command_err, "in use");
    const int first = atoi(port);
    crew other = crew_start("o",
                            "coordinator small.yaml --processes 2 --listen"
                            " tcp://127.0.0.1:%d-%d",
                            first, first + 20);
    char url[COMMAND_BYTES];
    CHECK(crew_url(&other, url));
    CHECK(strcmp(url, self.url) != 0);
    CHECK(kill(other.pid, SIGTERM) == 0 && crew_wait(&other) == 128 + SIGTERM);
    end_well(&self, "");
}

static void a_worker_waits_for_an_address_only_so_long(void)
{
    static const char *const where[] = {"tcp://no-such-host.invalid:4711 --key a.key",
                                        "ipc:///no/such/door"};
    command_set_up();
    for (int i = 0; i < 2; i++) {
        CHECK(command_run("worker --join %s --set net.join_timeout=1", where[i]) == 4);
        CHECK_HAS(command_err, "waiting for the coordinator");
        CHECK_HAS(command_err, "nobody was there in time");
    }
    CHECK(command_run("worker --join tcp://127.0.0.1:0") == 2);
    CHECK(command_run("worker --join tcp://no-such-host.invalid:4711") == 2);
    CHECK_HAS(command_err, "takes the key of the run");
    CHECK(command_run("worker") == 2);
    CHECK_HAS(command_err, "--join URL is missing");
    CHECK(command_run("coordinator small.yaml --workers 3 --processes 3 --listen tcp://127.0.0.1:0"
                      " --set net.join_timeout=1") == 4);
    CHECK_HAS(command_err, "2 of 2 processes have not come in time");
}

/* ---- others ---- */

static void another_program_or_configuration_is_refused(void)
{
    static const char copy[] =
        "cd %s && mkdir -p other/bin && cp %s other/bin/strads && echo >>other/bin/strads &&"
        " ln -sfn \"$(dirname %s)/../lib\" other/lib";
    char command[3 * COMMAND_BYTES];
    waiting self = wait_for_one("--set lasso.lambda_ratio=0.2");
    is_refused(&self, "small.yaml", "its configuration is another than mine");
    snprintf(command, sizeof(command), copy, suite_folder(), command_binary(), command_binary());
    REQUIRE(system(command) == 0);
    snprintf(command, sizeof(command), "worker --join %s", self.url);
    crew other = crew_start_in(NULL, "other", "other/bin/strads", command);
    CHECK(crew_wait(&other) == 2);
    CHECK_HAS(crew_words(&other), "it is another program than mine");
    CHECK(crew_says(&self.coordinator, "it is another program than mine"));
    CHECK(command_run("worker --join %s --set lasso.lambda=1", self.url) == 2);
    CHECK_HAS(command_err, "the coordinator's to say");
    strads_free(suite_file("same.yaml", "app: lasso\nlasso: {lambda_ratio: 0.2}\n"
                                        "data: {path: elsewhere.libsvm}\nrun: {workers: 7}\n"));
    end_well(&self, "same.yaml --set data.path=small.libsvm");
}

static void data_of_another_width_end_the_run(void)
{
    waiting self = wait_for_one("");
    CHECK(command_run("generate lasso --rows 60 --cols 150 --entries 20 --out narrow") == 0);
    CHECK(command_run("worker --join %s --set data.path=narrow.libsvm", self.url) != 0);
    CHECK_HAS(command_err, "a part of the data is missing or of other width");
    CHECK(crew_wait(&self.coordinator) == 3);
    CHECK_HAS(crew_words(&self.coordinator), "a part of the data is missing or of other width");
    self = wait_for_one("--set data.partition=rows");
    CHECK(command_run("worker --join %s --set data.path=narrow.libsvm", self.url) == 3);
    CHECK_HAS(command_err, "expected the same file everywhere");
    CHECK(crew_wait(&self.coordinator) == 3);
    CHECK_HAS(crew_words(&self.coordinator), "expected the same file everywhere");
    self = wait_for_one("");
    CHECK(command_run("worker --join %s --set data.path=nowhere.libsvm", self.url) == 4);
    CHECK(crew_wait(&self.coordinator) == 1);
    CHECK_HAS(crew_words(&self.coordinator), "process 1 (pid ");
    CHECK_HAS(crew_words(&self.coordinator), "gives up: cannot open nowhere.libsvm");
    CHECK_LACKS(command_err, "gives up"); /* it has said itself what was wrong */
}

static void another_plug_in_ends_the_run(void)
{
    static const char build[] = "cc -std=c11 -O1 -shared -fPIC -fvisibility=hidden -I."
                                " docs/examples/ridge.c -o %s/ridge.so && cd %s &&"
                                " cp ridge.so other.so && echo >>other.so";
    char command[COMMAND_BYTES];
    command_set_up();
    snprintf(command, sizeof(command), build, suite_folder(), suite_folder());
    REQUIRE(system(command) == 0);
    strads_free(suite_file("ridge.yaml", "app: ./ridge.so\ndata: {path: small.libsvm}\n"
                                         "ridge: {lambda: 0.5}\nrun: {workers: 2}\n"));
    for (int i = 0; i < 2; i++) {
        crew coordinator = crew_start("c", "coordinator ridge.yaml --processes 2"
                                           " --listen tcp://127.0.0.1:0");
        char url[COMMAND_BYTES];
        CHECK(crew_url(&coordinator, url));
        const int code =
            command_run("worker --join %s %s", url, i == 0 ? "--set app=other.so" : "");
        CHECK(code == (i == 0 ? 2 : 0));
        CHECK(crew_wait(&coordinator) == (i == 0 ? 1 : 0));
        if (i == 0) {
            CHECK_HAS(command_err, "the file of the model program is another");
            CHECK_HAS(crew_words(&coordinator), "gives up: ");
            CHECK_HAS(crew_words(&coordinator), "the file of the model program is another");
        }
    }
}

/* ---- those who only knock ---- */

static int connect_to(const char *url)
{
    const int port = atoi(strrchr(url, ':') + 1);
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                        .sin_port = htons((uint16_t) port)};
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(client >= 0);
    CHECK(connect(client, (const struct sockaddr *) &address, sizeof(address)) == 0);
    return client;
}

static void clients_that_say_nothing_are_in_nobodys_way(void)
{
    static int clients[MORE_SILENT];
    const char *cases = getenv("STRADS_CASES");
    const int n = cases != NULL && atoi(cases) > USUAL_CASES ? MORE_SILENT : SILENT;
    waiting self = wait_for_one("");
    for (int i = 0; i < n; i++) {
        clients[i] = connect_to(self.url);
    }
    end_well(&self, "");
    for (int i = 0; i < n; i++) {
        close(clients[i]);
    }
}

static void clients_that_talk_nonsense_are_in_nobodys_way(void)
{
    unsigned char bytes[SHOUT_BYTES] = {0};
    uint32_t state = 1;
    waiting self = wait_for_one("");
    for (int i = 0; i < SHOUTING; i++) {
        const int client = connect_to(self.url);
        for (size_t k = 0; k < sizeof(bytes); k++) {
            state = state * 1664525U + 1013904223U;
            bytes[k] = (unsigned char) (state >> 24);
        }
        (void) !send(client, bytes, 1 + state % sizeof(bytes), MSG_NOSIGNAL);
        close(client);
    }
    const int browser = connect_to(self.url);
    static const char get[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    CHECK(send(browser, get, sizeof(get) - 1, MSG_NOSIGNAL) == sizeof(get) - 1);
    CHECK(crew_says(&self.coordinator, "was turned away"));
    close(browser);
    end_well(&self, "");
}

SUITE("integration/processes_refused",
      {"without the key nobody comes in", without_the_key_nobody_comes_in},
      {"an address that cannot be is refused", an_address_that_cannot_be_is_refused},
      {"a port that is taken is refused, and a range goes on",
       a_port_that_is_taken_is_refused_and_a_range_goes_on},
      {"a worker waits for an address only so long", a_worker_waits_for_an_address_only_so_long},
      {"another program or configuration is refused", another_program_or_configuration_is_refused},
      {"data of another width end the run", data_of_another_width_end_the_run},
      {"another plug-in ends the run", another_plug_in_ends_the_run},
      {"clients that say nothing are in nobody's way", clients_that_say_nothing_are_in_nobodys_way},
      {"clients that talk nonsense are in nobody's way",
       clients_that_talk_nonsense_are_in_nobodys_way})
