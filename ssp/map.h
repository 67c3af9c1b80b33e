/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/map.h - from 64-bit keys to rows: open addressing with linear probing, at most half
 * full. A map of zeros is empty.
 */
#ifndef STRADS_SSP_MAP_H
#define STRADS_SSP_MAP_H

#include "base/base.h"

typedef struct ssp_map_entry {
    uint64_t key;
    void *value; /* NULL: the entry is free */
} ssp_map_entry;

typedef struct ssp_map {
    ssp_map_entry *entries;
    size_t capacity; /* 0 or a power of two */
    size_t n;
} ssp_map;

/* Spreads keys that differ in any bits over all bits: the finaliser of splitmix64. */
static inline uint64_t ssp_hash(uint64_t key)
{
    key = (key ^ (key >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    key = (key ^ (key >> 27)) * UINT64_C(0x94d049bb133111eb);
    return key ^ (key >> 31);
}

/* The entry that has the key, or the free one where it would go; capacity > 0. */
static inline ssp_map_entry *ssp_map_seek(const ssp_map *map, uint64_t key)
{
    size_t i = (size_t) ssp_hash(key) & (map->capacity - 1);
    while (map->entries[i].value != NULL && map->entries[i].key != key) {
        i = (i + 1) & (map->capacity - 1);
    }
    return &map->entries[i];
}

/* The value of the key; NULL: there is none. */
static inline void *ssp_map_find(const ssp_map *map, uint64_t key)
{
    return map->capacity == 0 ? NULL : ssp_map_seek(map, key)->value;
}

/* Reads the key's entry ahead; capacity > 0. */
static inline void ssp_map_touch(const ssp_map *map, uint64_t key)
{
    __builtin_prefetch(&map->entries[(size_t) ssp_hash(key) & (map->capacity - 1)]);
}

/* Adds a key that is not there yet. The value, not NULL and from strads_alloc, is the
 * map's on success. */
STRADS_MUST_CHECK strads_status ssp_map_add(ssp_map *map, uint64_t key, void *value);

/* Takes out the entry, which is not free, and frees its value. Others may move, that of the
 * same place included. */
void ssp_map_remove(ssp_map *map, ssp_map_entry *entry);

/* Frees the values and the entries. */
void ssp_map_fini(ssp_map *map);

#endif
