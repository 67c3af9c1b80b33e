/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ssp/store.c - tables by name, rows by key, a lock a stripe of rows. */
#include "ssp/store.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* ---- the store ---- */

static strads_status create_locks(ssp_store *store, uint32_t n_sessions)
{
    store->taken = strads_calloc(n_sessions, sizeof(*store->taken));
    if (store->taken == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = ssp_clocks_init(&store->clocks, n_sessions);
    if (status != STRADS_OK) {
        goto err_free_taken;
    }
    if (pthread_mutex_init(&store->lock, NULL) != 0) {
        goto err_fini_clocks;
    }
    return STRADS_OK;

err_fini_clocks:
    ssp_clocks_fini(&store->clocks);
err_free_taken:
    strads_free(store->taken);
    return status == STRADS_OK ? STRADS_ERR_SYSTEM : status;
}

strads_status ssp_store_create(ssp_store **out, uint32_t n_sessions)
{
    assert(out != NULL && n_sessions > 0);
    ssp_store *store = strads_calloc(1, sizeof(*store));
    if (store == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = create_locks(store, n_sessions);
    if (status != STRADS_OK) {
        strads_free(store);
        return status;
    }
    store->patience = 10.0;
    store->place.n_parts = 1;
    *out = store;
    return STRADS_OK;
}

static void destroy_stripes(ssp_shared_table *table, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        ssp_map_fini(&table->stripes[i].rows);
        pthread_mutex_destroy(&table->stripes[i].lock);
    }
}

static void destroy_table(ssp_shared_table *table)
{
    destroy_stripes(table, SSP_STRIPES);
    strads_free(table->name);
    strads_free(table);
}

void ssp_store_destroy(ssp_store *store)
{
    if (store == NULL) {
        return;
    }
    while (store->tables != NULL) {
        ssp_shared_table *table = store->tables;
        store->tables = table->next;
        destroy_table(table);
    }
    ssp_place_fini(store);
    pthread_mutex_destroy(&store->lock);
    ssp_clocks_fini(&store->clocks);
    strads_free(store->taken);
    strads_free(store);
}

void ssp_store_abort(ssp_store *store)
{
    ssp_clocks_break(&store->clocks);
    ssp_store_wake(store);
}

void ssp_store_take(ssp_store *store, uint32_t rank)
{
    assert(rank < store->clocks.n);
    pthread_mutex_lock(&store->lock);
    assert(!store->taken[rank]);
    store->taken[rank] = true;
    pthread_mutex_unlock(&store->lock);
}

/* ---- tables ---- */

static strads_status create_table(const char *name, const ssp_table_options *options,
                                  ssp_shared_table **out)
{
    strads_status status = STRADS_ERR_NOMEM;
    uint32_t n_stripes = 0;
    ssp_shared_table *table = strads_calloc(1, sizeof(*table));
    if (table == NULL) {
        return status;
    }
    table->options = *options;
    table->name = strads_strdup(name);
    if (table->name == NULL) {
        goto err_free_table;
    }
    for (; n_stripes < SSP_STRIPES; n_stripes++) {
        if (pthread_mutex_init(&table->stripes[n_stripes].lock, NULL) != 0) {
            status = STRADS_ERR_SYSTEM;
            goto err_destroy_stripes;
        }
    }
    *out = table;
    return STRADS_OK;

err_destroy_stripes:
    destroy_stripes(table, n_stripes);
    strads_free(table->name);
err_free_table:
    strads_free(table);
    return status;
}

/* Under the store's lock. */
static ssp_shared_table *find(const ssp_store *store, const char *name, size_t n)
{
    ssp_shared_table *table = store->tables;
    while (table != NULL && (strlen(table->name) != n || memcmp(table->name, name, n) != 0)) {
        table = table->next;
    }
    return table;
}

ssp_shared_table *ssp_store_find(ssp_store *store, const char *name, size_t n)
{
    pthread_mutex_lock(&store->lock);
    ssp_shared_table *table = find(store, name, n);
    pthread_mutex_unlock(&store->lock);
    return table;
}

/* Under the store's lock. */
static strads_status find_or_create(ssp_store *store, const char *name,
                                    const ssp_table_options *options, ssp_shared_table **out)
{
    ssp_shared_table *table = find(store, name, strlen(name));
    if (table == NULL) {
        const strads_status status = create_table(name, options, &table);
        if (status != STRADS_OK) {
            return status;
        }
        table->next = store->tables;
        store->tables = table;
    }
    *out = table;
    return STRADS_OK;
}

/* The staleness for a message: "inf" where there is none. */
static double periods_of(const ssp_table_options *options)
{
    return options->staleness == SSP_ASYNC ? (double) INFINITY : options->staleness;
}

static const char *rule_of(const ssp_table_options *options)
{
    return options->rule.name == NULL ? "add" : options->rule.name;
}

static bool is_same_table(const ssp_table_options *a, const ssp_table_options *b)
{
    return a->columns == b->columns && a->staleness == b->staleness && a->eager == b->eager &&
           strcmp(rule_of(a), rule_of(b)) == 0 && a->rule.apply == b->rule.apply &&
           a->rule.params[0] == b->rule.params[0] && a->rule.params[1] == b->rule.params[1];
}

/* A name is a part of a file's too. */
static strads_status check_table(const char *name, const ssp_table_options *options)
{
    const size_t length = strlen(name);
    if (length == 0 || length > SSP_NAME_MAX || strchr(name, '/') != NULL) {
        strads_error("table \"%s\": a name has 1 to %d bytes, and no /", name, SSP_NAME_MAX);
        return STRADS_ERR_APP;
    }
    if (options->columns == 0 || options->columns > SSP_COLUMNS_MAX) {
        strads_error("table %s: %u columns; it has 1 to %d", name, options->columns,
                     SSP_COLUMNS_MAX);
        return STRADS_ERR_APP;
    }
    assert((options->rule.name == NULL) == (options->rule.apply == NULL));
    return STRADS_OK;
}

strads_status ssp_store_table(ssp_store *store, const char *name, const ssp_table_options *options,
                              ssp_shared_table **out)
{
    ssp_shared_table *table = NULL;
    strads_status status = check_table(name, options);
    if (status != STRADS_OK) {
        return status;
    }
    pthread_mutex_lock(&store->lock);
    status = find_or_create(store, name, options, &table);
    pthread_mutex_unlock(&store->lock);
    if (status != STRADS_OK) {
        return status;
    }
    const ssp_table_options *has = &table->options;
    if (!is_same_table(has, options)) {
        strads_error("table %s: opened with %u columns, staleness %.0f, rule %s, but it has %u, "
                     "%.0f, %s, or is not as eager, or of other parameters",
                     name, options->columns, periods_of(options), rule_of(options), has->columns,
                     periods_of(has), rule_of(has));
        return STRADS_ERR_APP;
    }
    *out = table;
    return STRADS_OK;
}

/* ---- rows ---- */

static ssp_stripe *stripe_of(ssp_shared_table *table, uint64_t key)
{
    return &table->stripes[ssp_hash(key >> SSP_STRIPE_RUN_BITS) >> (64 - SSP_STRIPE_BITS)];
}

/* Under the stripe's lock. */
static strads_status create_row(ssp_stripe *stripe, uint64_t key, size_t n_doubles,
                                ssp_shared_row **out)
{
    ssp_shared_row *row = strads_calloc(1, sizeof(*row) + n_doubles * sizeof(*row->values));
    if (row == NULL) {
        return STRADS_ERR_NOMEM;
    }
    row->stripe = stripe;
    atomic_init(&row->version, 1);
    const strads_status status = ssp_map_add(&stripe->rows, key, row);
    if (status != STRADS_OK) {
        strads_free(row);
        return status;
    }
    *out = row;
    return STRADS_OK;
}

strads_status ssp_shared_row_find(ssp_shared_table *table, uint64_t key, ssp_shared_row **out)
{
    ssp_stripe *stripe = stripe_of(table, key);
    strads_status status = STRADS_OK;
    pthread_mutex_lock(&stripe->lock);
    ssp_shared_row *row = ssp_map_find(&stripe->rows, key);
    if (row == NULL) {
        status = create_row(stripe, key, ssp_shared_row_doubles(table), &row);
    }
    pthread_mutex_unlock(&stripe->lock);
    if (status == STRADS_OK) {
        *out = row;
    }
    return status;
}

/* The order of the version does not matter under the lock. */
uint64_t ssp_shared_row_copy(ssp_shared_row *row, double *values, size_t columns)
{
    pthread_mutex_lock(&row->stripe->lock);
    memcpy(values, row->values, columns * sizeof(*values));
    const uint64_t version = atomic_load_explicit(&row->version, memory_order_relaxed);
    pthread_mutex_unlock(&row->stripe->lock);
    return version;
}

static void add(double *restrict values, const double *restrict deltas, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        values[i] += deltas[i];
    }
}

void ssp_shared_row_apply(const ssp_shared_table *table, ssp_shared_row *row, const double *deltas)
{
    const ssp_rule *rule = &table->options.rule;
    const uint32_t columns = table->options.columns;
    if (rule->name == NULL) {
        add(row->values, deltas, columns);
    } else {
        rule->apply(rule, row->values, row->values + columns, deltas, columns);
    }
    const uint64_t version = atomic_load_explicit(&row->version, memory_order_relaxed);
    atomic_store_explicit(&row->version, version + 1, memory_order_relaxed);
}
