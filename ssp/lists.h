/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/lists.h - lists of keys that one side tells another again and again, remembered so
 * that their sum is told instead. Both sides note the same lists in the same order, and so
 * forget the same ones.
 */
#ifndef STRADS_SSP_LISTS_H
#define STRADS_SSP_LISTS_H

#include "base/base.h"

/* So many lists, of at least so many keys. */
enum { SSP_LISTS = 16, SSP_LIST_LEAST = 4 };

typedef struct ssp_list {
    uint64_t sum;
    uint32_t n;     /* 0: none */
    uint64_t *keys; /* [n] NULL on the side that tells */
    void **rows;    /* [n] for the side that hears, NULL at first: what it has found by them */
} ssp_list;

typedef struct ssp_lists {
    ssp_list *kept; /* [SSP_LISTS] NULL: none yet; there are many who never tell anything */
    ssp_list other; /* the last that was too short to be kept */
} ssp_lists;

uint64_t ssp_keys_sum(uint32_t table, const uint64_t *keys, uint32_t n);

/* The list with that sum and number of keys; NULL: it is not kept. */
ssp_list *ssp_lists_find(ssp_lists *lists, uint64_t sum, uint32_t n);

/* On the side that tells: keeps it, if it is long enough and there is memory. */
void ssp_lists_say(ssp_lists *lists, uint64_t sum, uint32_t n);

/* On the side that hears: alike, with a copy of the keys; *out is the list, valid until the
 * next is heard. NOMEM. */
STRADS_MUST_CHECK strads_status ssp_lists_hear(ssp_lists *lists, uint64_t sum, const uint64_t *keys,
                                               uint32_t n, ssp_list **out);

void ssp_lists_fini(ssp_lists *lists);

#endif
