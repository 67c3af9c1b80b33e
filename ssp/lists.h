/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/lists.h - lists of keys that one side tells another again and again, remembered so
 * that their sum is told instead. Both sides note the same lists in the same order, and so
 * forget the same ones: those that were told the longest ago.
 */
#ifndef STRADS_SSP_LISTS_H
#define STRADS_SSP_LISTS_H

#include "base/base.h"

/* So many lists, of at least so many keys, and of so many keys together, at most. */
enum { SSP_LISTS = 256, SSP_LIST_LEAST = 4, SSP_LISTS_KEYS = 1 << 18 };

typedef struct ssp_list {
    uint64_t sum;
    uint64_t told; /* when it was told last, counted in lists */
    uint32_t n;
    uint32_t table; /* of its rows, for the side that hears */
    uint64_t *keys; /* [n] NULL on the side that tells */
    void **rows;    /* [n] for the side that hears, NULL at first: what it has found by them */
    uint64_t lost;  /* for that side too, 0 at first: rows that were lost before those were found */
} ssp_list;

typedef struct ssp_lists {
    ssp_list *kept;  /* [n] of SSP_LISTS; NULL: none yet; there are many who never tell anything */
    uint32_t n;      /* lists */
    uint32_t n_keys; /* of all that are kept */
    uint64_t n_told;
    ssp_list other; /* the last that was too short or too long to be kept */
} ssp_lists;

uint64_t ssp_keys_sum(uint32_t table, const uint64_t *keys, uint32_t n);

/* The list with that sum and number of keys; NULL: it is not kept. Valid until the next is
 * said or heard. */
ssp_list *ssp_lists_find(ssp_lists *lists, uint64_t sum, uint32_t n);

/* A list that is kept has been told again. */
void ssp_lists_again(ssp_lists *lists, ssp_list *list);

/* On the side that tells one that is not kept: keeps it, if its length allows and there is
 * memory. */
void ssp_lists_say(ssp_lists *lists, uint64_t sum, uint32_t n);

/* On the side that hears: alike, with a copy of the keys; *out is the list, valid until the
 * next is heard. NOMEM. */
STRADS_MUST_CHECK strads_status ssp_lists_hear(ssp_lists *lists, uint64_t sum, const uint64_t *keys,
                                               uint32_t n, ssp_list **out);

void ssp_lists_fini(ssp_lists *lists);

#endif
