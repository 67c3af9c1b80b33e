/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/ssp_history.c - histories are drawn, and run on each kind of net. */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "net/cluster.h"
#include "tests/support/links_case.h"
#include "tests/support/ssp_history_state.h"
#include "tests/support/suite.h"

/* ---- nodes ---- */

static void tell_done(net_node *node)
{
    net_message *message = net_message_create(1, NET_DATA, 0);
    if (message != NULL && net_send(node, NET_COORDINATOR, message) != STRADS_OK) {
        net_message_destroy(message);
    }
}

static void finish(player *self)
{
    if (self->session != NULL) {
        self->stats = ssp_session_stats(self->session);
    }
    ssp_session_close(self->session);
    self->session = NULL;
}

static void on_worker(void *state, net_node *node, const net_event *event)
{
    player *self = state;
    if (event->kind == NET_STARTED) {
        strads_status status = ssp_player_open(self);
        status = status == STRADS_OK ? ssp_player_play(self, node) : status;
        if (status != STRADS_OK && self->wrong[0] == '\0') {
            snprintf(self->wrong, sizeof(self->wrong), "worker %u ends with %s at clock %llu",
                     self->rank, strads_status_name(status), (unsigned long long) self->clock);
        }
        self->hash ^= (uint64_t) (1e9 * strads_now());
        if (status == STRADS_OK) {
            tell_done(node);
            return;
        }
        finish(self);
        net_leave(node);
    } else if (event->kind == NET_LOST && event->peer == NET_COORDINATOR) {
        finish(self);
        net_leave(node);
    }
}

static void on_coordinator(void *state, net_node *node, const net_event *event)
{
    history *self = state;
    self->n_done += event->kind != NET_STARTED;
    if (self->n_done == self->n) {
        net_leave(node);
    }
}

/* ---- cases ---- */

static void draw(history *self, uint64_t seed, ssp_history_kind kind)
{
    strads_random random = strads_random_start(seed, 1000);
    self->seed = seed;
    self->n = 2 + (uint32_t) strads_random_below(&random, PLAYERS - 1);
    self->n += kind == SSP_HISTORY_LINKS && self->n == 2 ? 1 : 0; /* each process has a worker */
    self->n_parts = kind == SSP_HISTORY_SIM       ? self->n
                    : kind == SSP_HISTORY_THREADS ? 1
                    : self->n < 5                 ? 2
                                                  : PARTS;
    self->checks_others = kind == SSP_HISTORY_SIM;
    self->columns[0] = self->n;
    self->columns[1] = self->n + (uint32_t) strads_random_below(&random, WIDE);
    self->bound_bytes = strads_random_below(&random, 2) == 0 ? 0 : 8 * 500;
    self->bandwidth = strads_random_below(&random, 2) == 0 ? 0.0 : 1e9;
    self->work = strads_random_below(&random, 2) == 0 ? 1e3 : 1e5;
    for (uint32_t rank = 0; rank < self->n; rank++) {
        self->players[rank] =
            (player){.of = self, .rank = rank, .random = strads_random_start(seed, rank)};
    }
}

static ssp_history_outcome sum_up(history *self)
{
    ssp_history_outcome outcome = {.hash = self->seed};
    for (uint32_t rank = 0; rank < self->n; rank++) {
        ssp_player_judge(&self->players[rank]);
    }
    for (uint32_t rank = 0; rank < self->n; rank++) {
        const player *one = &self->players[rank];
        if (outcome.wrong[0] == '\0') {
            memcpy(outcome.wrong, one->wrong, sizeof(one->wrong));
        }
        outcome.n_reads += one->n_reads;
        outcome.n_fetched += one->stats.n_fetched;
        outcome.n_waits += one->stats.n_waits;
        outcome.n_forgotten += one->stats.n_forgotten;
        outcome.bytes += one->stats.bytes_out + one->stats.bytes_in;
        outcome.hash = (outcome.hash ^ one->hash) * UINT64_C(1099511628211);
    }
    return outcome;
}

/* One process, or machine of sim: the stores of its parts, and its nodes. */
static void attach(history *self, net *network, ssp_store *const *stores, net_id first, net_id end)
{
    for (net_id id = first; id < end; id++) {
        if (id == NET_COORDINATOR) {
            net_attach(network, id, on_coordinator, self);
        } else {
            self->players[id - 1].store = stores[id - 1];
            self->players[id - 1].network = network;
            net_attach(network, id, on_worker, &self->players[id - 1]);
        }
    }
}

static void play_sim(history *self)
{
    strads_random random = strads_random_start(self->seed, 2000);
    double speeds[PLAYERS + 1];
    net_fault straggle = {.kind = NET_FAULT_STRAGGLE,
                          .first = 1,
                          .last = 1 + (net_id) strads_random_below(&random, self->n),
                          .to = INFINITY,
                          .factor = 8.0,
                          .every = 2e-3,
                          .span = 1e-3};
    net_cluster cluster = {.n_workers = self->n,
                           .seed = self->seed,
                           .link = {.latency = 1e-5 * (1.0 + 20.0 * strads_random_uniform(&random)),
                                    .bandwidth = 1e7 + 1e9 * strads_random_uniform(&random)},
                           .speed = speeds,
                           .jitter = 3.0 * strads_random_uniform(&random),
                           .timeout = 1.0,
                           .unit_ns = 1.0,
                           .faults = &straggle,
                           .n_faults = strads_random_below(&random, 2)};
    const net_options options = {.n_nodes = self->n + 1, .queue_messages = 8, .cluster = &cluster};
    uint32_t firsts[PLAYERS + 1];
    ssp_store *stores[PLAYERS];
    net *network = NULL;
    for (uint32_t i = 0; i <= self->n; i++) {
        speeds[i] = strads_random_below(&random, 3) == 0 ? 0.25 : 1.0;
        firsts[i] = i;
    }
    REQUIRE_OK(net_create(&network, "sim", &options));
    for (uint32_t i = 0; i < self->n; i++) {
        const ssp_place place = {.network = network,
                                 .n_parts = self->n,
                                 .me = i,
                                 .firsts = firsts,
                                 .bandwidth = self->bandwidth};
        REQUIRE_OK(ssp_store_create_at(&stores[i], &place));
    }
    attach(self, network, stores, 0, self->n + 1);
    REQUIRE_OK(net_run(network));
    for (uint32_t i = 0; i < self->n; i++) {
        ssp_store_destroy(stores[i]);
    }
    net_destroy(network);
}

/* ---- threads ---- */

typedef struct process {
    net *network;
    ssp_store *store;
    pthread_t thread;
    strads_status status;
} process;

static void *run_process(void *argument)
{
    process *self = argument;
    self->status = net_run(self->network);
    return NULL;
}

static void make_process(history *self, process *one, net_links *links, uint32_t me,
                         const uint32_t *firsts)
{
    const net_options options = {.n_nodes = self->n + 1, .queue_messages = 8, .links = links};
    ssp_store *stores[PLAYERS];
    REQUIRE_OK(net_create(&one->network, "threads", &options));
    const ssp_place place = {.network = one->network,
                             .n_parts = self->n_parts,
                             .me = me,
                             .firsts = firsts,
                             .bandwidth = self->bandwidth};
    REQUIRE_OK(ssp_store_create_at(&one->store, &place));
    for (uint32_t rank = 0; rank < self->n; rank++) {
        stores[rank] = one->store;
    }
    attach(self, one->network, stores, me == 0 ? NET_COORDINATOR : firsts[me] + 1,
           firsts[me + 1] + 1);
}

/* Process p has the nodes n_nodes p / P up to those of the next (links_case.h). */
static void play_threads(history *self)
{
    const net_links_options linked = {.queue_messages = 8, .heartbeat = 1.0, .timeout = 60.0};
    const uint32_t n = self->n_parts;
    uint32_t firsts[PARTS + 1] = {0};
    net_links *links[PARTS] = {NULL};
    process processes[PARTS];
    strads_status ends[PARTS];
    for (uint32_t p = 1; p <= n; p++) {
        firsts[p] = (self->n + 1) * p / n - 1;
    }
    if (n > 1) {
        links_case_make(links, n, self->n + 1, &linked);
    }
    for (uint32_t p = 0; p < n; p++) {
        make_process(self, &processes[p], links[p], p, firsts);
    }
    for (uint32_t p = 0; p < n; p++) {
        pthread_create(&processes[p].thread, NULL, run_process, &processes[p]);
    }
    for (uint32_t p = 0; p < n; p++) {
        pthread_join(processes[p].thread, NULL);
        CHECK_STATUS(processes[p].status, STRADS_OK);
        ssp_store_destroy(processes[p].store);
        net_destroy(processes[p].network);
    }
    if (n > 1) {
        links_case_end(links, n, ends);
    }
}

ssp_history_outcome ssp_history_play(uint64_t seed, const ssp_history_mode *mode,
                                     ssp_history_kind kind)
{
    static player players[PLAYERS];
    history self = {.mode = mode, .players = players};
    draw(&self, seed, kind);
    if (kind == SSP_HISTORY_SIM) {
        play_sim(&self);
    } else {
        play_threads(&self);
    }
    return sum_up(&self);
}
