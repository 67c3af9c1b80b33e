/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ssp/map.c - growing and freeing a map of rows. */
#include "ssp/map.h"

#include <assert.h>

enum { FIRST_CAPACITY = 16 };

static strads_status grow(ssp_map *map)
{
    ssp_map wider = {.capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2,
                     .n = map->n};
    wider.entries = strads_calloc(wider.capacity, sizeof(*wider.entries));
    if (wider.entries == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->entries[i].value != NULL) {
            *ssp_map_seek(&wider, map->entries[i].key) = map->entries[i];
        }
    }
    strads_free(map->entries);
    *map = wider;
    return STRADS_OK;
}

strads_status ssp_map_add(ssp_map *map, uint64_t key, void *value)
{
    assert(value != NULL);
    if (map->n >= map->capacity / 2) {
        const strads_status status = grow(map);
        if (status != STRADS_OK) {
            return status;
        }
    }
    ssp_map_entry *entry = ssp_map_seek(map, key);
    assert(entry->value == NULL);
    *entry = (ssp_map_entry){.key = key, .value = value};
    map->n++;
    return STRADS_OK;
}

/* Closes the gap: an entry after it, up to the next free one, moves there unless that
 * would put it before the place where its search begins. */
void ssp_map_remove(ssp_map *map, ssp_map_entry *entry)
{
    const size_t mask = map->capacity - 1;
    size_t gap = (size_t) (entry - map->entries);
    strads_free(entry->value);
    map->n--;
    for (size_t i = (gap + 1) & mask; map->entries[i].value != NULL; i = (i + 1) & mask) {
        const size_t begin = (size_t) ssp_hash(map->entries[i].key) & mask;
        if (((i - begin) & mask) >= ((i - gap) & mask)) {
            map->entries[gap] = map->entries[i];
            gap = i;
        }
    }
    map->entries[gap].value = NULL;
}

void ssp_map_fini(ssp_map *map)
{
    for (size_t i = 0; i < map->capacity; i++) {
        strads_free(map->entries[i].value);
    }
    strads_free(map->entries);
    *map = (ssp_map){.n = 0};
}
