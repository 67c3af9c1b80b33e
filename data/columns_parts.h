/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/columns_parts.h - how data/columns.c keeps entries, for data/columns_finish.c. */
#ifndef STRADS_DATA_COLUMNS_PARTS_H
#define STRADS_DATA_COLUMNS_PARTS_H

#include <string.h>

#include "data/columns.h"

enum {
    N_BUCKETS = 512,
    CHUNK_MIN_BYTES = 64,
    CHUNK_MAX_BYTES = 1 << 16,
    SLAB_BYTES = 1 << 22,
    VARINT_MAX_BYTES = 9, /* 63 bits: a row of 32 bits, a column of 23, a sign */
    ENTRY_MAX_BYTES = VARINT_MAX_BYTES + 8
};

/* A run of entries, decoded without any other. */
typedef struct chunk {
    struct chunk *next;
    uint32_t first_row; /* what rows are counted from */
    uint32_t first_col;
    uint32_t shift;
    uint32_t n_bytes; /* in use; set when the chunk is closed */
    uint32_t capacity;
    unsigned char bytes[];
} chunk;

typedef struct bucket {
    unsigned char *cursor, *limit; /* of the open chunk, the last; NULL: none is open */
    uint64_t position;             /* of the entry before in the open chunk */
    chunk *first, *last;
} bucket;

/* Chunks are cut from slabs, so that their pages lie together and can be given
 * back whatever the allocator keeps for itself. */
typedef struct slab {
    struct slab *next;
    size_t n_bytes; /* handed out, this header included */
} slab;

struct data_columns {
    const char *path;
    size_t n_entries;
    uint32_t shift;
    size_t page_bytes;
    data_entry *twice; /* where it is put; NULL: it is said */
    slab *slabs;
    bucket buckets[N_BUCKETS];
};

/* Decodes the entry at *at; *position: of the one before in the chunk, 0 at its beginning. */
static inline data_entry columns_decode(const chunk *c, const unsigned char **at,
                                        uint64_t *position)
{
    const unsigned char *p = *at;
    uint64_t code = 0;
    unsigned bits = 0;
    for (; *p >= 128; p++, bits += 7) {
        code |= (uint64_t) (*p & 127) << bits;
    }
    code |= (uint64_t) *p++ << bits;
    *position += code >> 1 ^ -(code & 1);
    const uint64_t mask = (UINT64_C(1) << c->shift) - 1;
    data_entry e = {.row = c->first_row + (uint32_t) (*position >> c->shift),
                    .col = c->first_col + (uint32_t) (*position & mask)};
    memcpy(&e.value, p, sizeof(e.value));
    *at = p + sizeof(e.value);
    return e;
}

void columns_close_chunk(bucket *b);
void columns_free_slabs(data_columns *columns);

#endif
