/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/dependency.c - the graph |cosine| > rho over the variables seen lately.
 *
 * A remembered variable has a slot. All pairs of slots below n_known are known: an
 * edge when they are correlated, nothing when not. Slots from n_known on are being
 * asked about; they become known with the next dependency_ask, pick or cut, by when
 * the answers are in. When the slots are used up, or most of a question is new, the
 * memory starts afresh: old variables would only make the question longer.
 */
#include "strads/dependency.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1 };

typedef struct edge {
    uint32_t to;  /* slot */
    int32_t next; /* in the list of its owner */
    double cosine;
} edge;

struct dependency {
    dependency_options options;
    uint32_t n_slots, n_known;
    size_t capacity;   /* of the arrays by slot */
    uint32_t *vars;    /* [slot] */
    int32_t *heads;    /* [slot] first edge */
    uint32_t *parents; /* [slot] union-find, for one call */
    double *costs;     /* [slot] of the set a root stands for, for one call */
    int32_t *marks;    /* [slot] what a slot is in the running call */

    uint32_t *table; /* open addressing: slot + 1, 0 empty */
    size_t table_size;

    edge *edges;
    size_t n_edges, edges_capacity;
};

enum { MARK_OUT = 0, MARK_IN = 1, MARK_IN_FLIGHT = 2 };

/* ---- slots ---- */

static size_t hash(const dependency *check, uint32_t var)
{
    return (var * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (check->table_size - 1);
}

/* The slot of `var`, or NONE. */
static int64_t slot_of(const dependency *check, uint32_t var)
{
    size_t i = hash(check, var);
    while (check->table[i] != 0) {
        const uint32_t slot = check->table[i] - 1;
        if (check->vars[slot] == var) {
            return slot;
        }
        i = (i + 1) & (check->table_size - 1);
    }
    return NONE;
}

static uint32_t add_slot(dependency *check, uint32_t var)
{
    size_t i = hash(check, var);
    while (check->table[i] != 0) {
        i = (i + 1) & (check->table_size - 1);
    }
    const uint32_t slot = check->n_slots++;
    check->table[i] = slot + 1;
    check->vars[slot] = var;
    check->heads[slot] = NONE;
    check->marks[slot] = MARK_OUT;
    return slot;
}

static void forget(dependency *check)
{
    memset(check->table, 0, check->table_size * sizeof(*check->table));
    check->n_slots = 0;
    check->n_known = 0;
    check->n_edges = 0;
}

static void free_slots(dependency *check)
{
    strads_free(check->vars);
    strads_free(check->heads);
    strads_free(check->parents);
    strads_free(check->costs);
    strads_free(check->marks);
    strads_free(check->table);
}

/* Makes an empty memory of `capacity` slots. */
static strads_status allot(dependency *check, size_t capacity)
{
    dependency fresh = *check;
    fresh.capacity = capacity;
    fresh.table_size = 64;
    while (fresh.table_size < 2 * capacity) {
        fresh.table_size *= 2;
    }
    fresh.vars = strads_alloc_array(capacity, sizeof(*fresh.vars));
    fresh.heads = strads_alloc_array(capacity, sizeof(*fresh.heads));
    fresh.parents = strads_alloc_array(capacity, sizeof(*fresh.parents));
    fresh.costs = strads_alloc_array(capacity, sizeof(*fresh.costs));
    fresh.marks = strads_alloc_array(capacity, sizeof(*fresh.marks));
    fresh.table = strads_alloc_array(fresh.table_size, sizeof(*fresh.table));
    if (fresh.vars == NULL || fresh.heads == NULL || fresh.parents == NULL || fresh.costs == NULL ||
        fresh.marks == NULL || fresh.table == NULL) {
        free_slots(&fresh);
        return STRADS_ERR_NOMEM;
    }
    free_slots(check);
    *check = fresh;
    forget(check);
    return STRADS_OK;
}

strads_status dependency_create(dependency **out, const dependency_options *options)
{
    dependency *check = strads_calloc(1, sizeof(*check));
    if (check == NULL) {
        return STRADS_ERR_NOMEM;
    }
    check->options = *options;
    const strads_status status = allot(check, options->max_known);
    if (status != STRADS_OK) {
        strads_free(check);
        return status;
    }
    *out = check;
    return STRADS_OK;
}

void dependency_destroy(dependency *check)
{
    if (check != NULL) {
        free_slots(check);
        strads_free(check->edges);
        strads_free(check);
    }
}

/* ---- asking and learning ---- */

static size_t count_new(const dependency *check, const uint32_t *vars, size_t n)
{
    size_t n_new = 0;
    for (size_t i = 0; i < n; i++) {
        n_new += slot_of(check, vars[i]) == NONE ? 1 : 0;
    }
    return n_new;
}

strads_status dependency_ask(dependency *check, const uint32_t *vars, size_t n, strads_pairs *pairs)
{
    check->n_known = check->n_slots;
    size_t n_new = count_new(check, vars, n);
    *pairs = (strads_pairs){.vars = check->vars};
    if (n_new == 0) {
        return STRADS_OK;
    }
    if (n > check->capacity) {
        const strads_status status = allot(check, n);
        if (status != STRADS_OK) {
            return status;
        }
    } else if (check->n_slots + n_new > check->capacity || 2 * n_new > n) {
        forget(check);
    }
    for (size_t i = 0; i < n; i++) {
        if (slot_of(check, vars[i]) == NONE) {
            add_slot(check, vars[i]);
        }
    }
    *pairs = (strads_pairs){.vars = check->vars, .n = check->n_slots, .first_new = check->n_known};
    return STRADS_OK;
}

static void link_edge(dependency *check, uint32_t from, uint32_t to, double cosine)
{
    check->edges[check->n_edges] = (edge){.to = to, .next = check->heads[from], .cosine = cosine};
    check->heads[from] = (int32_t) check->n_edges++;
}

strads_status dependency_learn(dependency *check, const msg_edge *edges, size_t n_edges)
{
    const size_t needed = check->n_edges + 2 * n_edges;
    if (needed > check->edges_capacity) {
        edge *grown =
            needed > INT32_MAX ? NULL : strads_realloc(check->edges, 2 * needed * sizeof(edge));
        if (grown == NULL) {
            return STRADS_ERR_NOMEM;
        }
        check->edges = grown;
        check->edges_capacity = 2 * needed;
    }
    for (size_t i = 0; i < n_edges; i++) {
        assert(edges[i].a < check->n_slots && edges[i].b < check->n_slots);
        if (edges[i].cosine > check->options.rho && edges[i].a != edges[i].b) {
            link_edge(check, edges[i].a, edges[i].b, edges[i].cosine);
            link_edge(check, edges[i].b, edges[i].a, edges[i].cosine);
        }
    }
    return STRADS_OK;
}

/* ---- sets of slots: union-find with path halving ---- */

static uint32_t root_of(dependency *check, uint32_t slot)
{
    while (check->parents[slot] != slot) {
        check->parents[slot] = check->parents[check->parents[slot]];
        slot = check->parents[slot];
    }
    return slot;
}

static void unite(dependency *check, uint32_t a, uint32_t b)
{
    check->parents[a] = b;
    check->costs[b] += check->costs[a];
}

static uint32_t enter_set(dependency *check, uint32_t var, double cost)
{
    const int64_t slot = slot_of(check, var);
    assert(slot != NONE);
    check->parents[slot] = (uint32_t) slot;
    check->costs[slot] = cost;
    return (uint32_t) slot;
}

/* The blocks of the sets that `slots` fall into, in order of their first member. */
static strads_status add_blocks(dependency *check, const uint32_t *slots, size_t n,
                                strads_round *blocks)
{
    uint32_t *order = strads_alloc_array(n, sizeof(*order)); /* vars, set by set */
    size_t *ends = strads_calloc(n + 1, sizeof(*ends));      /* [set] */
    strads_status status = order == NULL || ends == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    size_t n_sets = 0;
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        check->marks[root_of(check, slots[i])] = NONE;
    }
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        int32_t *set = &check->marks[root_of(check, slots[i])];
        *set = *set == NONE ? (int32_t) n_sets++ : *set;
        ends[*set + 1]++;
    }
    for (size_t s = 1; s <= n_sets; s++) {
        ends[s] += ends[s - 1];
    }
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        const int32_t set = check->marks[root_of(check, slots[i])];
        order[ends[set]++] = check->vars[slots[i]];
    }
    for (size_t s = 0; s < n_sets && status == STRADS_OK; s++) {
        const size_t first = s == 0 ? 0 : ends[s - 1];
        status = strads_round_add(blocks, order + first, ends[s] - first);
    }
    strads_free(ends);
    strads_free(order);
    return status;
}

/* ---- a round of candidates ---- */

static uint32_t owner_of(const dependency *check, const dependency_candidates *of, uint32_t slot)
{
    return of->n_owners == 0 ? 0 : round_owner(of->firsts, of->n_owners, check->vars[slot]);
}

/* What `slot` would cost together with the sets of its neighbours; *free: none of them is in
 * flight or another worker's. A set that was counted has its cost negated until merge. */
static double cost_together(dependency *check, const dependency_candidates *of, uint32_t slot,
                            bool *free)
{
    const uint32_t owner = owner_of(check, of, slot);
    double together = check->costs[slot];
    *free = true;
    for (int32_t e = check->heads[slot]; e != NONE; e = check->edges[e].next) {
        const uint32_t neighbour = check->edges[e].to;
        *free = *free && check->marks[neighbour] != MARK_IN_FLIGHT;
        if (check->marks[neighbour] == MARK_IN) {
            *free = *free && owner_of(check, of, neighbour) == owner;
            const uint32_t root = root_of(check, neighbour);
            together += fmax(check->costs[root], 0.0);
            check->costs[root] = -fabs(check->costs[root]);
        }
    }
    return together;
}

/* Restores the costs that cost_together negated, and unites the sets if `joins`. */
static void merge(dependency *check, uint32_t slot, bool joins)
{
    for (int32_t e = check->heads[slot]; e != NONE; e = check->edges[e].next) {
        const uint32_t neighbour = check->edges[e].to;
        if (check->marks[neighbour] != MARK_IN) {
            continue;
        }
        const uint32_t root = root_of(check, neighbour);
        check->costs[root] = fabs(check->costs[root]);
        if (joins && root != slot) {
            unite(check, root, slot);
        }
    }
}

static void mark_all(dependency *check, const uint32_t *vars, size_t n, int32_t mark)
{
    for (size_t i = 0; i < n; i++) {
        const int64_t slot = slot_of(check, vars[i]);
        assert(slot != NONE);
        check->marks[slot] = mark;
    }
}

strads_status dependency_pick(dependency *check, const dependency_candidates *candidates,
                              strads_round *blocks, uint8_t *picked)
{
    uint32_t *slots = strads_alloc_array(candidates->n, sizeof(*slots));
    if (slots == NULL) {
        return STRADS_ERR_NOMEM;
    }
    check->n_known = check->n_slots;
    memset(picked, 0, candidates->n);
    mark_all(check, candidates->in_flight, candidates->n_in_flight, MARK_IN_FLIGHT);
    size_t n = 0;
    for (size_t i = 0; i < candidates->n && n < candidates->limit; i++) {
        const uint32_t slot = enter_set(check, candidates->vars[i], candidates->costs[i]);
        bool free = false;
        const double together = cost_together(check, candidates, slot, &free);
        const bool joins =
            free && (together <= candidates->cost_cap || together <= candidates->costs[i]);
        merge(check, slot, joins);
        if (joins) {
            check->marks[slot] = MARK_IN;
            picked[i] = 1;
            slots[n++] = slot;
        }
    }
    const strads_status status = add_blocks(check, slots, n, blocks);
    mark_all(check, candidates->vars, candidates->n, MARK_OUT);
    mark_all(check, candidates->in_flight, candidates->n_in_flight, MARK_OUT);
    strads_free(slots);
    return status;
}

bool dependency_strongest(const dependency *check, uint32_t var, const uint32_t *others, size_t n,
                          uint32_t *other, double *cosine)
{
    const int64_t slot = slot_of(check, var);
    double most = 0.0;
    assert(slot != NONE);
    for (int32_t e = check->heads[slot]; e != NONE; e = check->edges[e].next) {
        const uint32_t neighbour = check->vars[check->edges[e].to];
        for (size_t i = 0; i < n && check->edges[e].cosine > most; i++) {
            if (others[i] == neighbour) {
                most = check->edges[e].cosine;
                *other = neighbour;
            }
        }
    }
    *cosine = most > 0.0 ? most : *cosine;
    return most > 0.0;
}

/* ---- a whole working set ---- */

typedef struct bond {
    double cosine;
    uint32_t a, b; /* slots */
} bond;

static int by_cosine(const void *left, const void *right)
{
    const bond *x = left;
    const bond *y = right;
    if (x->cosine != y->cosine) {
        return x->cosine > y->cosine ? -1 : 1;
    }
    if (x->a != y->a) {
        return x->a < y->a ? -1 : 1;
    }
    return x->b < y->b ? -1 : x->b > y->b ? 1 : 0;
}

/* The edges among marked slots, each once; the strongest first. */
static strads_status collect_bonds(const dependency *check, const uint32_t *slots, size_t n,
                                   bond **out, size_t *n_bonds)
{
    bond *bonds = strads_alloc_array(check->n_edges / 2, sizeof(*bonds));
    if (bonds == NULL) {
        return STRADS_ERR_NOMEM;
    }
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        for (int32_t e = check->heads[slots[i]]; e != NONE; e = check->edges[e].next) {
            const edge *link = &check->edges[e];
            if (link->to < slots[i] && check->marks[link->to] == MARK_IN) {
                bonds[count++] = (bond){.cosine = link->cosine, .a = slots[i], .b = link->to};
            }
        }
    }
    qsort(bonds, count, sizeof(*bonds), by_cosine);
    *out = bonds;
    *n_bonds = count;
    return STRADS_OK;
}

/* Joins correlated variables, the strongest pairs first, into sets that fit a block. */
static strads_status join_bonds(dependency *check, const uint32_t *slots, size_t n, double cost_cap)
{
    bond *bonds = NULL;
    size_t n_bonds = 0;
    const strads_status status = collect_bonds(check, slots, n, &bonds, &n_bonds);
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t i = 0; i < n_bonds; i++) {
        const uint32_t a = root_of(check, bonds[i].a);
        const uint32_t b = root_of(check, bonds[i].b);
        if (a != b && check->costs[a] + check->costs[b] <= cost_cap) {
            unite(check, a, b);
        }
    }
    strads_free(bonds);
    return STRADS_OK;
}

/* Deals the sets, in order of their first variable, to contiguous blocks. */
static strads_status deal_sets(dependency *check, const uint32_t *slots, size_t n,
                               uint32_t n_blocks, double total, strads_round *blocks)
{
    for (size_t i = 0; i < n; i++) {
        check->marks[root_of(check, slots[i])] = NONE;
    }
    double before = 0.0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t root = root_of(check, slots[i]);
        if (check->marks[root] == NONE) {
            const double middle = before + 0.5 * check->costs[root];
            const double block = floor(middle / total * n_blocks);
            check->marks[root] = (int32_t) fmin(block, n_blocks - 1.0);
            before += check->costs[root];
        }
    }
    uint32_t *vars = strads_alloc_array(n, sizeof(*vars));
    strads_status status = vars == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (uint32_t b = 0; b < n_blocks && status == STRADS_OK; b++) {
        size_t length = 0;
        for (size_t i = 0; i < n; i++) {
            if (check->marks[root_of(check, slots[i])] == (int32_t) b) {
                vars[length++] = check->vars[slots[i]];
            }
        }
        status = strads_round_add(blocks, vars, length);
    }
    strads_free(vars);
    return status;
}

/* How far above its share a set of correlated variables may go. */
static const double SLACK = 0.02;

strads_status dependency_cut(dependency *check, const uint32_t *vars, const double *costs, size_t n,
                             uint32_t n_blocks, strads_round *blocks)
{
    uint32_t *slots = strads_alloc_array(n, sizeof(*slots));
    if (slots == NULL) {
        return STRADS_ERR_NOMEM;
    }
    check->n_known = check->n_slots;
    double total = 0.0;
    for (size_t i = 0; i < n; i++) {
        slots[i] = enter_set(check, vars[i], costs[i]);
        total += costs[i];
    }
    mark_all(check, vars, n, MARK_IN);
    strads_status status = join_bonds(check, slots, n, total / n_blocks * (1.0 + SLACK));
    if (status == STRADS_OK) {
        status = deal_sets(check, slots, n, n_blocks, total, blocks);
    }
    mark_all(check, vars, n, MARK_OUT);
    strads_free(slots);
    return status;
}
