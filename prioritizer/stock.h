/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prioritizer/stock.h - what is known here of a shard (prioritizer/shards.h): the variables that
 * it has drawn ahead, in their order, and what can be drawn of it beyond these. */
#ifndef STRADS_PRIORITIZER_STOCK_H
#define STRADS_PRIORITIZER_STOCK_H

#include "prioritizer/prioritizer.h"

typedef struct prio_stock {
    prio_total rest; /* what can be drawn beyond the stock */
    uint32_t *vars;  /* [n] of which those from head on are left */
    float *scores;   /* [n] */
    double *sums;    /* [n] sums[i]: of the scores above 0 from i on */
    size_t head, n, capacity;
    uint32_t n_positive; /* of those left */
} prio_stock;

/* {0} is an empty stock; frees what it holds. */
void prio_stock_fini(prio_stock *stock);

static inline size_t prio_stock_size(const prio_stock *stock)
{
    return stock->n - stock->head;
}

/* What can be drawn of the shard in all. */
prio_total prio_stock_left(const prio_stock *stock);

/* Makes room for n more. */
STRADS_MUST_CHECK strads_status prio_stock_reserve(prio_stock *stock, size_t n);

/* Adds a variable at the end, for which there is room; after the last of several: sum. */
void prio_stock_add(prio_stock *stock, uint32_t var, float score);
void prio_stock_sum(prio_stock *stock);

/* Takes the first out. */
uint32_t prio_stock_next(prio_stock *stock, float *score);

#endif
