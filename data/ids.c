/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/ids.c - ids and their indices.
 *
 * The way back from an id is a table by number where the numbers are not much larger than
 * the ratings are many; else a hash table with open addressing, half full at most.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/tasks.h"
#include "data/number.h"
#include "data/ratings_parts.h"

enum { MIN_SLOTS = 64, DIRECT_MIN = 1 << 20, DIRECT_PER_ENTRY = 4 };

void data_ids_fini(data_ids *ids)
{
    strads_free(ids->number);
    strads_free(ids->start);
    strads_free(ids->text);
    strads_free(ids->slots);
    *ids = (data_ids){.n = 0};
}

/* ---- slots ---- */

static bool is_direct(uint32_t max, size_t n_entries)
{
    return max / DIRECT_PER_ENTRY < n_entries + DIRECT_MIN / DIRECT_PER_ENTRY;
}

/* The length of text i. */
static size_t text_length(const data_ids *ids, uint32_t i)
{
    return (i + 1 < ids->n ? ids->start[i + 1] : ids->text_bytes) - ids->start[i] - 1;
}

/* The slot that has a text, or is free for it. */
static size_t slot_of_text(const data_ids *ids, const char *text, size_t n)
{
    size_t at = (size_t) XXH3_64bits(text, n) & (ids->n_slots - 1);
    for (; ids->slots[at] != 0; at = (at + 1) & (ids->n_slots - 1)) {
        const uint32_t i = ids->slots[at] - 1;
        if (text_length(ids, i) == n && memcmp(ids->text + ids->start[i], text, n) == 0) {
            break;
        }
    }
    return at;
}

static size_t slot_of_number(const data_ids *ids, uint32_t number)
{
    if (ids->direct) {
        return number;
    }
    size_t at = number * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (ids->n_slots - 1);
    while (ids->slots[at] != 0 && ids->number[ids->slots[at] - 1] != number) {
        at = (at + 1) & (ids->n_slots - 1);
    }
    return at;
}

/* Puts all ids into so many new slots. */
static strads_status make_slots(data_ids *ids, size_t n_slots)
{
    uint32_t *slots = strads_calloc(n_slots, sizeof(*slots));
    if (slots == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_free(ids->slots);
    ids->slots = slots;
    ids->n_slots = n_slots;
    for (uint32_t i = 0; i < ids->n; i++) {
        const size_t at = ids->number != NULL
                              ? slot_of_number(ids, ids->number[i])
                              : slot_of_text(ids, ids->text + ids->start[i], text_length(ids, i));
        slots[at] = i + 1;
    }
    return STRADS_OK;
}

/* Sees that there is a free slot after one more id. */
static strads_status reserve_slot(data_ids *ids)
{
    const size_t n = 2 * ((size_t) ids->n + 1);
    if (n <= ids->n_slots) {
        return STRADS_OK;
    }
    return make_slots(ids, ids->n_slots > 0 ? 2 * ids->n_slots : MIN_SLOTS);
}

strads_status data_ids_invert(data_ids *ids, size_t n_entries)
{
    if (ids->number != NULL && ids->n > 0 && is_direct(ids->number[ids->n - 1], n_entries)) {
        ids->direct = true;
        return make_slots(ids, (size_t) ids->number[ids->n - 1] + 1);
    }
    size_t n_slots = MIN_SLOTS;
    while (n_slots < 2 * (size_t) ids->n) {
        n_slots *= 2;
    }
    return make_slots(ids, n_slots);
}

/* ---- adding ---- */

strads_status data_ids_add(data_ids *ids, const char *text, size_t n, uint32_t *index)
{
    strads_status status = reserve_slot(ids);
    if (status != STRADS_OK) {
        return status;
    }
    const size_t at = slot_of_text(ids, text, n);
    if (ids->slots[at] == 0) {
        status =
            strads_reserve(&ids->start, &ids->start_room, (size_t) ids->n + 1, sizeof(*ids->start));
        if (status == STRADS_OK) {
            status = strads_reserve(&ids->text, &ids->text_room, ids->text_bytes + n + 1, 1);
        }
        if (status != STRADS_OK) {
            return status;
        }
        ids->start[ids->n] = ids->text_bytes;
        memcpy(ids->text + ids->text_bytes, text, n);
        ids->text[ids->text_bytes + n] = '\0';
        ids->text_bytes += n + 1;
        ids->slots[at] = ++ids->n;
    }
    *index = ids->slots[at] - 1;
    return STRADS_OK;
}

static strads_status add_number(data_ids *ids, uint32_t number)
{
    strads_status status = reserve_slot(ids);
    if (status == STRADS_OK) {
        status = strads_reserve(&ids->number, &ids->start_room, (size_t) ids->n + 1,
                                sizeof(*ids->number));
    }
    if (status != STRADS_OK) {
        return status;
    }
    const size_t at = slot_of_number(ids, number);
    if (ids->slots[at] == 0) {
        ids->number[ids->n] = number;
        ids->slots[at] = ++ids->n;
    }
    return STRADS_OK;
}

/* ---- numbers ---- */

typedef struct numbering {
    data_ids *ids;
    data_rating *entries;
    data_side side;
} numbering;

/* Several threads may mark the same number. */
static strads_status mark_numbers(void *context, size_t first, size_t last)
{
    const numbering *all = context;
    for (size_t i = first; i < last; i++) {
        __atomic_store_n(&all->ids->slots[*ratings_index(&all->entries[i], all->side)], 1,
                         __ATOMIC_RELAXED);
    }
    return STRADS_OK;
}

static strads_status replace_numbers(void *context, size_t first, size_t last)
{
    const numbering *all = context;
    for (size_t i = first; i < last; i++) {
        uint32_t *id = ratings_index(&all->entries[i], all->side);
        *id = all->ids->slots[slot_of_number(all->ids, *id)] - 1;
    }
    return STRADS_OK;
}

static strads_status number_directly(numbering *all, size_t n, uint32_t max, uint32_t n_threads)
{
    data_ids *ids = all->ids;
    ids->direct = true;
    ids->n_slots = (size_t) max + 1;
    ids->slots = strads_calloc(ids->n_slots, sizeof(*ids->slots));
    if (ids->slots == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = strads_parallel_for(n_threads, n, mark_numbers, all);
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t number = 0; number < ids->n_slots; number++) {
        ids->n += ids->slots[number];
        ids->slots[number] = ids->slots[number] != 0 ? ids->n : 0;
    }
    ids->number = strads_alloc_array(ids->n, sizeof(*ids->number));
    if (ids->number == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t number = 0; number < ids->n_slots; number++) {
        if (ids->slots[number] != 0) {
            ids->number[ids->slots[number] - 1] = (uint32_t) number;
        }
    }
    return STRADS_OK;
}

static int by_value(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *) a;
    const uint32_t right = *(const uint32_t *) b;
    return (left > right) - (left < right);
}

static strads_status number_by_hash(numbering *all, size_t n)
{
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        status = add_number(all->ids, *ratings_index(&all->entries[i], all->side));
    }
    if (status != STRADS_OK) {
        return status;
    }
    qsort(all->ids->number, all->ids->n, sizeof(*all->ids->number), by_value);
    return make_slots(all->ids, all->ids->n_slots);
}

strads_status ratings_ids_number(data_ids *out, data_rating *entries, size_t n, data_side side,
                                 uint32_t max, uint32_t n_threads)
{
    data_ids ids = {.n = 0};
    numbering all = {.ids = &ids, .entries = entries, .side = side};
    strads_status status =
        is_direct(max, n) ? number_directly(&all, n, max, n_threads) : number_by_hash(&all, n);
    if (status == STRADS_OK) {
        status = strads_parallel_for(n_threads, n, replace_numbers, &all);
    }
    if (status != STRADS_OK) {
        data_ids_fini(&ids);
        return status;
    }
    *out = ids;
    return STRADS_OK;
}

/* ---- for all ---- */

const char *data_ids_name(const data_ids *ids, uint32_t index, char digits[DATA_ID_BYTES])
{
    if (ids->number == NULL) {
        return ids->text + ids->start[index];
    }
    snprintf(digits, DATA_ID_BYTES, "%u", ids->number[index]);
    return digits;
}

/* A free slot has 0, and 0 - 1 is DATA_UNSEEN. */
uint32_t data_ids_find_text(const data_ids *ids, const char *text, size_t n)
{
    return ids->n > 0 ? ids->slots[slot_of_text(ids, text, n)] - 1 : DATA_UNSEEN;
}

uint32_t data_ids_find(const data_ids *ids, const char *id)
{
    if (ids->n == 0) {
        return DATA_UNSEEN;
    }
    if (ids->number == NULL) {
        return data_ids_find_text(ids, id, strlen(id));
    }
    uint64_t number = 0;
    const char *end = data_number_scan_index(id, &number);
    if (end == NULL || *end != '\0' || number > UINT32_MAX ||
        (ids->direct && number >= ids->n_slots)) {
        return DATA_UNSEEN;
    }
    return ids->slots[slot_of_number(ids, (uint32_t) number)] - 1;
}
