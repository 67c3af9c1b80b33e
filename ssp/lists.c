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

static bool is_kept(uint32_t n)
{
    return n >= SSP_LIST_LEAST && n <= SSP_LISTS_KEYS;
}

ssp_list *ssp_lists_find(ssp_lists *lists, uint64_t sum, uint32_t n)
{
    for (uint32_t i = 0; i < lists->n; i++) {
        if (lists->kept[i].sum == sum && lists->kept[i].n == n) {
            return &lists->kept[i];
        }
    }
    return NULL;
}

void ssp_lists_again(ssp_lists *lists, ssp_list *list)
{
    list->told = lists->n_told++;
}

static void forget(ssp_list *list)
{
    strads_free(list->keys);
    strads_free(list->rows);
    *list = (ssp_list){.n = 0};
}

static void drop(ssp_lists *lists, ssp_list *list)
{
    lists->n_keys -= list->n;
    forget(list);
    *list = lists->kept[--lists->n];
}

static ssp_list *oldest(const ssp_lists *lists)
{
    ssp_list *found = &lists->kept[0];
    for (uint32_t i = 1; i < lists->n; i++) {
        found = lists->kept[i].told < found->told ? &lists->kept[i] : found;
    }
    return found;
}

/* Takes the list; NULL: no memory. A side that had none when it told one tells it again
 * later, to who has it already, and drops it in favour of the newer. */
static ssp_list *keep(ssp_lists *lists, const ssp_list *list)
{
    if (!is_kept(list->n)) {
        forget(&lists->other);
        lists->other = *list;
        return &lists->other;
    }
    if (lists->kept == NULL) {
        lists->kept = strads_calloc(SSP_LISTS, sizeof(*lists->kept));
    }
    if (lists->kept == NULL) {
        return NULL;
    }
    ssp_list *same = ssp_lists_find(lists, list->sum, list->n);
    if (same != NULL) {
        drop(lists, same);
    }
    while (lists->n == SSP_LISTS || lists->n_keys + list->n > SSP_LISTS_KEYS) {
        drop(lists, oldest(lists));
    }
    ssp_list *place = &lists->kept[lists->n++];
    *place = *list;
    lists->n_keys += list->n;
    ssp_lists_again(lists, place);
    return place;
}

void ssp_lists_say(ssp_lists *lists, uint64_t sum, uint32_t n)
{
    const ssp_list list = {.sum = sum, .n = n};
    (void) keep(lists, &list);
}

strads_status ssp_lists_hear(ssp_lists *lists, uint64_t sum, const uint64_t *keys, uint32_t n,
                             ssp_list **out)
{
    ssp_list list = {.sum = sum, .n = n};
    list.keys = strads_alloc_array(n, sizeof(*list.keys));
    list.rows = strads_calloc(n, sizeof(*list.rows));
    ssp_list *kept = list.keys == NULL || list.rows == NULL ? NULL : keep(lists, &list);
    if (kept == NULL) {
        forget(&list);
        return STRADS_ERR_NOMEM;
    }
    memcpy(list.keys, keys, n * sizeof(*keys));
    *out = kept;
    return STRADS_OK;
}

void ssp_lists_fini(ssp_lists *lists)
{
    while (lists->n > 0) {
        drop(lists, &lists->kept[lists->n - 1]);
    }
    strads_free(lists->kept);
    forget(&lists->other);
}
