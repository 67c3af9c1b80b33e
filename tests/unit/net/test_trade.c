/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/net/test_trade.c - whatever way the parts of an exchange take between the
 * processes, all get the sums in order of rank.
 */
#include "net/trade.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "net/sum.h"
#include "tests/support/links_case.h"
#include "tests/support/suite.h"

enum { MAX_PROCESSES = 16, MAX_MEMBERS = 32, MOST = 3000, N_EXTRA = 2, TIMES = 3 };

/* The exchange under test, with the vectors of all members as they go in. */
static uint32_t n_processes, n_members;
static size_t length;
static bool with_base;
static double before[MAX_MEMBERS][MOST], base[MOST];
static double extra_before[MAX_MEMBERS][N_EXTRA];
static double sum[MOST], extra_sum[N_EXTRA];
static _Atomic uint32_t n_wrong; /* CUnit counts on one thread only */

static void draw(size_t n)
{
    uint64_t state = 88172645463325252U + n;
    length = n;
    for (size_t i = 0; i < n; i++) {
        base[i] = with_base ? (double) i : 0.0;
        sum[i] = base[i];
        for (uint32_t k = 0; k < n_members; k++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            before[k][i] = (double) (state >> 11) * 0x1p-50 - 4.0;
            sum[i] += with_base ? before[k][i] - base[i] : before[k][i];
        }
    }
    for (size_t i = 0; i < N_EXTRA; i++) {
        extra_sum[i] = 0.0;
        for (uint32_t k = 0; k < n_members; k++) {
            extra_before[k][i] = 0.1 * (k + 1) + (double) i;
            extra_sum[i] += extra_before[k][i];
        }
    }
}

/* What the threads of a process do in an exchange. */
typedef struct process {
    net_links *links;
    double vectors[MAX_MEMBERS][MOST], extras[MAX_MEMBERS][N_EXTRA];
    uint32_t first, end; /* its members */
    strads_status status;
    pthread_t thread;
} process;

static process *all;

static void check(const process *self, uint32_t votes)
{
    bool right = votes == (1U << (n_members - 1) | 1U);
    for (uint32_t k = self->first; k < self->end; k++) {
        right = right && memcmp(self->vectors[k], sum, length * sizeof(*sum)) == 0 &&
                memcmp(self->extras[k], extra_sum, sizeof(extra_sum)) == 0;
    }
    atomic_fetch_add(&n_wrong, !right);
}

static strads_status exchange_once(process *self, net_trade *trade)
{
    double *vectors[MAX_MEMBERS] = {NULL};
    double *extras[MAX_MEMBERS] = {NULL};
    uint32_t votes[MAX_MEMBERS] = {0};
    for (uint32_t k = self->first; k < self->end; k++) {
        memcpy(self->vectors[k], before[k], sizeof(before[k]));
        memcpy(self->extras[k], extra_before[k], sizeof(extra_before[k]));
        vectors[k] = self->vectors[k];
        extras[k] = self->extras[k];
        votes[k] = k == 0 || k + 1 == n_members ? 1U << k : 0;
    }
    uint32_t mine = 0;
    const net_exchange exchange = {.n_members = n_members,
                                   .base = with_base ? base : NULL,
                                   .n = length,
                                   .n_extra = N_EXTRA,
                                   .votes = &mine};
    const net_lent lent = {vectors, extras, votes};
    strads_status status = net_trade_vectors(trade, &exchange, &lent);
    if (status != STRADS_OK) {
        return status;
    }
    const net_summands of = {.vectors = trade->slices,
                             .n = n_members,
                             .first = self->first,
                             .end = self->end,
                             .base = with_base ? base + trade->first : NULL};
    const net_summands few = {
        .vectors = trade->extras, .n = n_members, .first = self->first, .end = self->end};
    net_sum_vectors(&of, 0, trade->n);
    net_sum_vectors(&few, 0, N_EXTRA);
    status = net_trade_sums(trade, &exchange, vectors);
    for (uint32_t k = 0; k < n_members; k++) {
        mine |= votes[k];
    }
    if (status == STRADS_OK) {
        check(self, mine);
    }
    return status;
}

static void *take_part(void *argument)
{
    process *self = argument;
    net_trade trade;
    self->status = net_trade_init(&trade, self->links, n_members + 1);
    if (self->status != STRADS_OK) {
        return NULL;
    }
    net_id node = 0;
    net_id n = 0;
    net_links_nodes(self->links, net_links_me(self->links), &node, &n);
    self->first = node == NET_COORDINATOR ? 0 : node - 1;
    self->end = node + n - 1 < n_members ? node + n - 1 : n_members;
    for (int i = 0; i < TIMES && self->first < self->end && self->status == STRADS_OK; i++) {
        self->status = exchange_once(self, &trade);
    }
    net_trade_fini(&trade);
    return NULL;
}

static void together(void *(*what)(void *) )
{
    for (uint32_t p = 0; p < n_processes; p++) {
        REQUIRE(pthread_create(&all[p].thread, NULL, what, &all[p]) == 0);
    }
    for (uint32_t p = 0; p < n_processes; p++) {
        pthread_join(all[p].thread, NULL);
        CHECK_STATUS(all[p].status, STRADS_OK);
    }
}

/* Runs it on n processes that host n_nodes nodes. */
static void run(uint32_t n, uint32_t n_nodes, bool relays)
{
    const net_links_options options = {.queue_messages = 1, .heartbeat = 1.0, .timeout = 60.0};
    const net_links_cost cost = {.hop = 1e-5, .relays = relays};
    net_links *links[MAX_PROCESSES];
    strads_status statuses[MAX_PROCESSES];
    n_processes = n;
    all = calloc(n, sizeof(*all));
    REQUIRE(all != NULL);
    links_case_make(links, n, n_nodes, &options);
    for (uint32_t p = 0; p < n; p++) {
        all[p].links = links[p];
        net_links_set_cost(links[p], &cost);
    }
    for (n_members = 1; n_members < n_nodes; n_members += 1 + n_nodes / 5) {
        static const size_t lengths[] = {0, 1, 70, MOST};
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            with_base = i % 2 == 1;
            draw(lengths[i]);
            together(take_part);
        }
    }
    links_case_end(links, n, statuses);
    free(all);
    CHECK(atomic_load(&n_wrong) == 0);
}

static void sums_are_the_same_by_every_way(void)
{
    for (int relays = 0; relays < 2; relays++) {
        for (uint32_t n = 2; n <= 9; n++) {
            run(n, n, relays); /* the first has no worker */
            run(n, 2 * n + 1, relays);
        }
        run(MAX_PROCESSES, 25, relays);
    }
}

/* ---- what it costs ---- */

static void *measure(void *argument)
{
    process *self = argument;
    self->status = net_trade_measure(self->links);
    return NULL;
}

static void all_processes_agree_on_the_way(void)
{
    static const uint32_t sizes[] = {2, 3, 8};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const net_links_options options = {.queue_messages = 1, .heartbeat = 1.0, .timeout = 60.0};
        net_links *links[MAX_PROCESSES];
        strads_status statuses[MAX_PROCESSES];
        n_processes = sizes[i];
        all = calloc(n_processes, sizeof(*all));
        REQUIRE(all != NULL);
        links_case_make(links, n_processes, n_processes, &options);
        for (uint32_t p = 0; p < n_processes; p++) {
            all[p].links = links[p];
        }
        together(measure);
        const net_links_cost *first = net_links_cost_of(links[0]);
        for (uint32_t p = 0; p < n_processes; p++) {
            const net_links_cost *cost = net_links_cost_of(links[p]);
            CHECK(cost->hop > 0.0 && cost->byte >= 0.0 && cost->relays == first->relays);
        }
        CHECK(n_processes > 2 || !first->relays);
        links_case_end(links, n_processes, statuses);
        free(all);
    }
}

/* ---- members that do not make the same exchange ---- */

static _Atomic uint32_t n_refused;

static void *differ(void *argument)
{
    process *self = argument;
    const uint32_t me = net_links_me(self->links);
    double vector[4] = {0};
    double *vectors[MAX_MEMBERS];
    uint32_t votes[MAX_MEMBERS] = {0};
    uint32_t mine = 0;
    net_trade trade;
    if (me == 0) {
        self->status = STRADS_OK; /* the coordinator alone */
        return NULL;
    }
    for (uint32_t k = 0; k < n_members; k++) {
        vectors[k] = vector;
    }
    const net_exchange exchange = {
        .n_members = n_members, .n = me == 2 ? 4 : 3, .votes = &mine}; /* the second has more */
    const net_lent lent = {vectors, vectors, votes};
    self->status = net_trade_init(&trade, self->links, n_members + 1);
    if (self->status == STRADS_OK) {
        const strads_status status = net_trade_vectors(&trade, &exchange, &lent);
        atomic_fetch_add(&n_refused, status == STRADS_ERR_APP);
        net_links_leave(self->links, me);
        net_trade_fini(&trade);
    }
    return NULL;
}

static void another_length_is_refused_on_every_way(void)
{
    for (int relays = 0; relays < 2; relays++) {
        const net_links_options options = {.queue_messages = 1, .heartbeat = 1.0, .timeout = 60.0};
        const net_links_cost cost = {.relays = relays};
        net_links *links[MAX_PROCESSES];
        strads_status statuses[MAX_PROCESSES];
        n_processes = 5;
        n_members = 4;
        atomic_store(&n_refused, 0);
        all = calloc(n_processes, sizeof(*all));
        REQUIRE(all != NULL);
        links_case_make(links, n_processes, n_processes, &options);
        for (uint32_t p = 0; p < n_processes; p++) {
            all[p].links = links[p];
            net_links_set_cost(links[p], &cost);
        }
        together(differ);
        CHECK(atomic_load(&n_refused) >= 1);
        links_case_end(links, n_processes, statuses);
        free(all);
    }
}

SUITE("net/trade", {"sums are the same by every way", sums_are_the_same_by_every_way},
      {"all processes agree on the way", all_processes_agree_on_the_way},
      {"another length is refused on every way", another_length_is_refused_on_every_way})
