/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ssp/lists.c - lists of keys by their sum. */
#include "ssp/lists.h"

#include <string.h>

#include "ssp/map.h"

uint64_t ssp_keys_sum(uint32_t table, const uint64_t *keys, uint32_t n)
{
    uint64_t sum = ssp_hash(((uint64_t) table << 32) ^ n);
    for (uint32_t i = 0; i < n; i++) {
        sum = ssp_hash(sum + keys[i]);
    }
    return sum;
}

/* NULL: no memory. */
static ssp_list *place_of(ssp_lists *lists, uint64_t sum, uint32_t n)
{
    if (n < SSP_LIST_LEAST) {
        return &lists->other;
    }
    if (lists->kept == NULL) {
        lists->kept = strads_calloc(SSP_LISTS, sizeof(*lists->kept));
    }
    return lists->kept == NULL ? NULL : &lists->kept[sum % SSP_LISTS];
}

ssp_list *ssp_lists_find(ssp_lists *lists, uint64_t sum, uint32_t n)
{
    if (n < SSP_LIST_LEAST || lists->kept == NULL) {
        return NULL;
    }
    ssp_list *list = &lists->kept[sum % SSP_LISTS];
    return list->sum == sum && list->n == n ? list : NULL;
}

static void forget(ssp_list *list)
{
    strads_free(list->keys);
    strads_free(list->rows);
    *list = (ssp_list){.n = 0};
}

void ssp_lists_say(ssp_lists *lists, uint64_t sum, uint32_t n)
{
    ssp_list *list = place_of(lists, sum, n);
    if (list != NULL) {
        *list = (ssp_list){.sum = sum, .n = n};
    }
}

strads_status ssp_lists_hear(ssp_lists *lists, uint64_t sum, const uint64_t *keys, uint32_t n,
                             ssp_list **out)
{
    ssp_list fresh = {.sum = sum, .n = n};
    fresh.keys = strads_alloc_array(n, sizeof(*fresh.keys));
    fresh.rows = strads_calloc(n, sizeof(*fresh.rows));
    ssp_list *list = place_of(lists, sum, n);
    if (fresh.keys == NULL || fresh.rows == NULL || list == NULL) {
        forget(&fresh);
        return STRADS_ERR_NOMEM;
    }
    memcpy(fresh.keys, keys, n * sizeof(*keys));
    forget(list);
    *list = fresh;
    *out = list;
    return STRADS_OK;
}

void ssp_lists_fini(ssp_lists *lists)
{
    for (uint32_t i = 0; i < SSP_LISTS && lists->kept != NULL; i++) {
        forget(&lists->kept[i]);
    }
    strads_free(lists->kept);
    forget(&lists->other);
}
