/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/store.h - what the sessions of a store share: clocks, tables, rows.
 *
 * A shared row never moves and lives as long as its store, so that sessions keep pointers
 * to it.
 */
#ifndef STRADS_SSP_STORE_H
#define STRADS_SSP_STORE_H

#include "ssp/clocks.h"
#include "ssp/map.h"
#include "ssp/ssp.h"

enum { SSP_STRIPE_BITS = 8, SSP_STRIPES = 1 << SSP_STRIPE_BITS };
enum { SSP_NAME_MAX = 200, SSP_COLUMNS_MAX = 1 << 24 };

/* Rows are dealt to stripes by their hash. */
typedef struct ssp_stripe {
    pthread_mutex_t lock; /* guards `rows`, and the values of each */
    ssp_map rows;         /* of ssp_shared_row */
} ssp_stripe;

typedef struct ssp_shared_row {
    ssp_stripe *stripe;
    _Atomic uint64_t version; /* from 1, counts changes; written under the stripe's lock */
    double values[];          /* [columns], and [columns][rule.n_states] */
} ssp_shared_row;

typedef struct ssp_shared_table {
    struct ssp_shared_table *next;
    char *name;
    ssp_table_options options;
    ssp_stripe stripes[SSP_STRIPES];
} ssp_shared_table;

struct ssp_store {
    ssp_clocks clocks;
    double patience;             /* seconds after which a session that waits says for whom */
    _Atomic strads_status saved; /* how the last snapshot went */
    pthread_mutex_t lock;        /* guards everything below */
    ssp_shared_table *tables;
    bool *taken; /* [clocks.n] whether the session of this rank was opened */
};

/* Marks `rank` as taken; it must not have been. */
void ssp_store_take(ssp_store *store, uint32_t rank);

/* Finds or creates the table; see ssp_table_open. */
STRADS_MUST_CHECK strads_status ssp_store_table(ssp_store *store, const char *name,
                                                const ssp_table_options *options,
                                                ssp_shared_table **out);

/* Finds the row, or creates it as zeros. */
STRADS_MUST_CHECK strads_status ssp_shared_row_find(ssp_shared_table *table, uint64_t key,
                                                    ssp_shared_row **out);

/* Copies the row's values; returns their version. */
uint64_t ssp_shared_row_copy(ssp_shared_row *row, double *values, size_t columns);

/* Adds the deltas, or does with them what the table's rule says. */
void ssp_shared_row_apply(const ssp_shared_table *table, ssp_shared_row *row, const double *deltas);

/* The doubles of a row, the state of the rule included. */
static inline size_t ssp_shared_row_doubles(const ssp_shared_table *table)
{
    return (size_t) table->options.columns * (1 + table->options.rule.n_states);
}

#endif
