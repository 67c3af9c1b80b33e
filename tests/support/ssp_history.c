/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/ssp_history.c - histories are drawn, played and judged. */
#include "tests/support/ssp_history.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "net/cluster.h"
#include "ssp/place.h"
#include "tests/support/links_case.h"
#include "tests/support/suite.h"

enum {
    PLAYERS = 6,
    PARTS = 3, /* with links; of sim as many as players */
    TABLES = 2,
    ROWS = 24,
    PERIODS = 12,
    STEPS = 8,
    WIDE = 40, /* columns beyond those of the players stay 0: rows are sparse */
    ENTRIES = (PERIODS + 2) * STEPS * 4
};

/* What a session has added to a row: the sums in order, and how many were there at each of
 * its clocks. */
typedef struct row_log {
    double sums[ENTRIES + 1];
    uint32_t n;
    uint32_t at_clock[PERIODS + 3];
} row_log;

/* A read that is judged when all is over. */
typedef struct seen {
    uint32_t table, row;
    uint64_t bound;
    double values[PLAYERS];
} seen;

typedef struct history history;

typedef struct player {
    history *of;
    uint32_t rank;
    ssp_store *store;
    ssp_session *session;
    ssp_table *tables[TABLES];
    net *network;
    strads_random random;
    uint64_t clock;
    row_log log[TABLES][ROWS];
    double before[TABLES][ROWS][PLAYERS]; /* nothing goes back */
    seen *reads;                          /* [n_reads] where others are on other threads */
    size_t reads_capacity;
    char wrong[SSP_HISTORY_TEXT];
    uint64_t n_reads, hash;
    ssp_stats stats;
} player;

struct history {
    const ssp_history_mode *mode;
    uint64_t seed;
    uint32_t n, n_parts;
    uint32_t columns[TABLES];
    uint64_t bound_bytes; /* of the caches */
    double bandwidth;     /* of early increments */
    double work;          /* units a step, at most */
    bool checks_others;   /* all is on one thread: logs of others may be looked at */
    player *players;      /* [n] */
    uint32_t n_done;      /* of the coordinator */
};

/* ---- the oracle ---- */

static void complain(player *self, uint32_t table, uint32_t row, uint32_t writer, double value,
                     uint64_t bound)
{
    if (self->wrong[0] == '\0') {
        snprintf(self->wrong, sizeof(self->wrong),
                 "worker %u at clock %llu reads %g of worker %u in row %u of table %u; it must "
                 "have all of its periods before %llu",
                 self->rank, (unsigned long long) self->clock, value, writer, row, table,
                 (unsigned long long) bound);
    }
}

/* Whether `value` is what `writer` had added after some increments, of all periods before
 * `bound` at least. Sums grow, so that they name the moment. */
static bool is_allowed(const player *writer, uint32_t table, uint32_t row, double value,
                       uint64_t bound)
{
    const row_log *log = &writer->log[table][row];
    const uint64_t last = writer->clock < bound ? writer->clock : bound;
    for (uint32_t k = last == 0 ? 0 : log->at_clock[last]; k <= log->n; k++) {
        if (log->sums[k] == value) {
            return bound <= writer->clock;
        }
    }
    return false;
}

/* Keeps a read for judge_later. */
static void keep(player *self, uint32_t table, uint32_t row, const double *view, uint64_t bound)
{
    if (strads_reserve(&self->reads, &self->reads_capacity, self->n_reads + 1,
                       sizeof(*self->reads)) != STRADS_OK) {
        complain(self, table, row, self->rank, -1.0, bound);
        return;
    }
    seen *one = &self->reads[self->n_reads];
    *one = (seen){.table = table, .row = row, .bound = bound};
    memcpy(one->values, view, self->of->n * sizeof(*view));
}

static void judge_later(player *self)
{
    for (uint64_t i = 0; i < self->n_reads && self->reads != NULL; i++) {
        const seen *one = &self->reads[i];
        for (uint32_t j = 0; j < self->of->n; j++) {
            if (j != self->rank && !is_allowed(&self->of->players[j], one->table, one->row,
                                               one->values[j], one->bound)) {
                complain(self, one->table, one->row, j, one->values[j], one->bound);
            }
        }
    }
    strads_free(self->reads);
    self->reads = NULL;
}

static void judge(player *self, uint32_t table, uint32_t row, const double *view, uint64_t bound)
{
    if (!self->of->checks_others) {
        keep(self, table, row, view, bound);
    }
    for (uint32_t j = 0; j < self->of->columns[table]; j++) {
        double *before = &self->before[table][row][j < PLAYERS ? j : 0];
        const player *writer = j < self->of->n ? &self->of->players[j] : NULL;
        bool right = false;
        if (writer == NULL) {
            right = view[j] == 0.0;
        } else if (writer == self) {
            right = view[j] == self->log[table][row].sums[self->log[table][row].n];
        } else {
            right = view[j] >= *before &&
                    (!self->of->checks_others || is_allowed(writer, table, row, view[j], bound));
            *before = view[j];
        }
        if (!right) {
            complain(self, table, row, j, view[j], bound);
        }
        self->hash = (self->hash ^ (uint64_t) view[j]) * UINT64_C(1099511628211);
    }
    self->n_reads++;
}

/* ---- steps ---- */

static uint64_t key_of(uint32_t row)
{
    return row * UINT64_C(0x9e3779b97f4a7c15);
}

static uint32_t below(player *self, uint32_t n)
{
    return (uint32_t) strads_random_below(&self->random, n);
}

static uint64_t bound_of(const player *self, uint32_t staleness)
{
    const uint32_t tighter =
        staleness < self->of->mode->staleness ? staleness : self->of->mode->staleness;
    return tighter == SSP_ASYNC || self->clock < tighter ? 0 : self->clock - tighter;
}

static strads_status read_one(player *self, uint32_t table)
{
    const uint32_t row = below(self, ROWS);
    const uint32_t staleness = below(self, 3) == 0 ? below(self, 4) : SSP_ASYNC;
    const double *view = NULL;
    const strads_status status =
        ssp_read_row_within(self->tables[table], key_of(row), staleness, &view);
    if (status == STRADS_OK) {
        judge(self, table, row, view, bound_of(self, staleness));
    }
    return status;
}

static uint32_t draw_rows(player *self, uint32_t rows[ROWS], uint64_t keys[ROWS])
{
    const uint32_t first = below(self, ROWS);
    const uint32_t n = 1 + below(self, ROWS - first);
    for (uint32_t i = 0; i < n; i++) {
        rows[i] = first + i;
        keys[i] = key_of(first + i);
    }
    return n;
}

static strads_status read_many(player *self, uint32_t table)
{
    uint32_t rows[ROWS];
    uint64_t keys[ROWS];
    const double *views[ROWS];
    const uint32_t n = draw_rows(self, rows, keys);
    const strads_status status = ssp_read_rows(self->tables[table], keys, n, views);
    for (uint32_t i = 0; i < n && status == STRADS_OK; i++) {
        judge(self, table, rows[i], views[i], bound_of(self, SSP_ASYNC));
    }
    return status;
}

static void log_increment(player *self, uint32_t table, uint32_t row, double delta)
{
    row_log *log = &self->log[table][row];
    if (log->n < ENTRIES) {
        log->sums[log->n + 1] = log->sums[log->n] + delta;
        log->n++;
    } else {
        complain(self, table, row, self->rank, -1.0, 0);
    }
}

static strads_status increment_one(player *self, uint32_t table)
{
    const uint32_t row = below(self, ROWS);
    const double delta = 1.0 + below(self, 9);
    log_increment(self, table, row, delta);
    return ssp_inc(self->tables[table], key_of(row), self->rank, delta);
}

static strads_status increment_many(player *self, uint32_t table)
{
    static _Thread_local double deltas[ROWS * (PLAYERS + WIDE)];
    const uint32_t columns = self->of->columns[table];
    uint32_t rows[ROWS];
    uint64_t keys[ROWS];
    const uint32_t n = draw_rows(self, rows, keys);
    memset(deltas, 0, sizeof(deltas));
    for (uint32_t i = 0; i < n; i++) {
        deltas[i * columns + self->rank] = 1.0 + i;
        log_increment(self, table, rows[i], 1.0 + i);
    }
    return ssp_inc_rows(self->tables[table], keys, n, deltas);
}

static strads_status prefetch(player *self, uint32_t table)
{
    uint32_t rows[ROWS];
    uint64_t keys[ROWS];
    const uint32_t n = draw_rows(self, rows, keys);
    return ssp_prefetch(self->tables[table], keys, n);
}

static strads_status step(player *self)
{
    static strads_status (*const kinds[])(player *, uint32_t) = {
        read_one, read_one, read_many, increment_one, increment_one, increment_many, prefetch};
    const uint32_t table = below(self, TABLES);
    return kinds[below(self, sizeof(kinds) / sizeof(kinds[0]))](self, table);
}

/* The log of all rows at the clock that the player comes to now. */
static void log_clock(player *self)
{
    self->clock++;
    for (uint32_t t = 0; t < TABLES; t++) {
        for (uint32_t row = 0; row < ROWS; row++) {
            self->log[t][row].at_clock[self->clock] = self->log[t][row].n;
        }
    }
}

/* What all have added is there in the end, once. */
static strads_status check_end(player *self)
{
    strads_status status = STRADS_OK;
    for (uint32_t t = 0; t < TABLES && status == STRADS_OK; t++) {
        for (uint32_t row = 0; row < ROWS && status == STRADS_OK; row++) {
            const double *view = NULL;
            status = ssp_read_row_within(self->tables[t], key_of(row), 0, &view);
            for (uint32_t j = 0; j < self->of->n && status == STRADS_OK; j++) {
                const row_log *log = &self->of->players[j].log[t][row];
                if (view[j] != log->sums[log->n]) {
                    complain(self, t, row, j, view[j], PERIODS + 1);
                }
            }
        }
    }
    return status;
}

static strads_status play(player *self, net_node *node)
{
    strads_status status = STRADS_OK;
    for (int period = 0; period < PERIODS && status == STRADS_OK; period++) {
        for (uint32_t n = below(self, STEPS + 1); n > 0 && status == STRADS_OK; n--) {
            net_work(node, self->of->work * strads_random_uniform(&self->random));
            status = step(self);
        }
        log_clock(self);
        if (status == STRADS_OK) {
            status = ssp_clock(self->session);
        }
    }
    log_clock(self);
    if (status == STRADS_OK) {
        status = ssp_barrier(self->session);
    }
    return status == STRADS_OK ? check_end(self) : status;
}

static strads_status open_tables(player *self)
{
    const history *of = self->of;
    strads_status status = ssp_session_open(&self->session, self->store, self->rank);
    for (uint32_t t = 0; t < TABLES && status == STRADS_OK; t++) {
        const ssp_table_options options = {
            .columns = of->columns[t], .staleness = of->mode->staleness, .eager = of->mode->eager};
        status =
            ssp_table_open(&self->tables[t], self->session, t == 0 ? "first" : "second", &options);
    }
    if (status == STRADS_OK) {
        ssp_session_bound(self->session, of->bound_bytes);
    }
    return status;
}

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
        strads_status status = open_tables(self);
        status = status == STRADS_OK ? play(self, node) : status;
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
        judge_later(&self->players[rank]);
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
