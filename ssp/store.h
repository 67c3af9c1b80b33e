/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/store.h - what the sessions of a store share: clocks, tables, rows.
 *
 * A shared row never moves and lives as long as its store, so that sessions keep pointers
 * to it.
 */
#ifndef STRADS_SSP_STORE_H
#define STRADS_SSP_STORE_H

#include "net/net.h"
#include "ssp/clocks.h"
#include "ssp/map.h"
#include "ssp/place.h"

enum { SSP_STRIPE_BITS = 8, SSP_STRIPES = 1 << SSP_STRIPE_BITS };
/* Slots are dealt to parts in turn; a row belongs to the part of its slot. */
enum { SSP_SLOT_BITS = 10, SSP_SLOTS = 1 << SSP_SLOT_BITS };
enum { SSP_NAME_MAX = 200, SSP_COLUMNS_MAX = 1 << 24 };

/* Rows are dealt to stripes by the hash of their key; some keys that follow each other share
 * one, and a lock when a batch has them. */
enum { SSP_STRIPE_RUN_BITS = 3 };
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

/* What servers have told a session of this part, and it has not looked at. */
typedef struct ssp_inbox {
    _Atomic bool waits; /* the session sleeps until a clock moves or something comes */
    _Atomic size_t n;
    pthread_mutex_t lock; /* guards the rest */
    net_message *first, *last;
} ssp_inbox;

struct ssp_store {
    ssp_place place;           /* n_parts 1, no network: it is alone */
    uint16_t slots[SSP_SLOTS]; /* the part of each */
    ssp_inbox *inboxes;        /* [clocks.n], of this part's sessions; NULL: it is alone */
    struct ssp_server *server; /* NULL: it is alone */
    ssp_clocks clocks;
    double patience;             /* seconds after which a session that waits says for whom */
    _Atomic strads_status saved; /* how the last snapshot went */
    pthread_mutex_t lock;        /* guards everything below */
    ssp_shared_table *tables;
    bool *taken; /* [clocks.n] whether the session of this rank was opened */
};

/* The part that has the rows of this key. */
static inline uint32_t ssp_store_part(const ssp_store *store, uint64_t key)
{
    return store->slots[ssp_hash(key) >> (64 - SSP_SLOT_BITS)];
}

/* The clock of a session of this part moves on; whoever waits for that is told. */
void ssp_store_advance(ssp_store *store, uint32_t rank, uint64_t to);

/* Wakes the sessions of this part that wait. */
void ssp_store_wake(ssp_store *store);

/* The table of that name, of n bytes; NULL: there is none. */
ssp_shared_table *ssp_store_find(ssp_store *store, const char *name, size_t n);

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

/* Adds the deltas, or does with them what the table's rule says, under the stripe's lock. */
void ssp_shared_row_apply(const ssp_shared_table *table, ssp_shared_row *row, const double *deltas);

/* Goes on from the stripe whose lock this thread holds to the next; NULL: none. Returns the
 * next. Of rows in turn, those of one stripe are then done under one lock. */
static inline ssp_stripe *ssp_stripe_hold(ssp_stripe *held, ssp_stripe *next)
{
    if (held != next) {
        if (held != NULL) {
            pthread_mutex_unlock(&held->lock);
        }
        if (next != NULL) {
            pthread_mutex_lock(&next->lock);
        }
    }
    return next;
}

/* The doubles of a row, the state of the rule included. */
static inline size_t ssp_shared_row_doubles(const ssp_shared_table *table)
{
    return (size_t) table->options.columns * (1 + table->options.rule.n_states);
}

/* ---- place.c ---- */

/* Ends what a store has beside the tables when it is not alone. */
void ssp_place_fini(ssp_store *store);

#endif
