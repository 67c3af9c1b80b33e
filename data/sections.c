/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/sections.c - the layout of cache files, and the hashes of their chunks. */
#include "data/sections.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

#include "data/cache.h"

static uint64_t aligned(uint64_t at)
{
    return (at + DATA_SECTION_ALIGN - 1) / DATA_SECTION_ALIGN * DATA_SECTION_ALIGN;
}

static uint64_t chunks_of(uint64_t bytes)
{
    return (bytes + DATA_CHUNK_BYTES - 1) / DATA_CHUNK_BYTES;
}

data_sections data_sections_of(uint64_t head_bytes, const uint64_t *bytes, size_t n)
{
    assert(n <= DATA_SECTIONS_MAX && head_bytes % sizeof(uint64_t) == 0);
    data_sections out = {.n = n, .head_bytes = head_bytes};
    for (size_t s = 0; s < n; s++) {
        out.bytes[s] = bytes[s];
        out.n_chunks += chunks_of(bytes[s]);
    }
    uint64_t at = aligned(head_bytes + out.n_chunks * sizeof(uint64_t));
    for (size_t s = 0; s < n; s++) {
        out.at[s] = at;
        at = aligned(at + bytes[s]);
    }
    out.file_bytes = at;
    return out;
}

data_chunk data_sections_chunk(const data_sections *sections, uint64_t i)
{
    size_t s = 0;
    while (i >= chunks_of(sections->bytes[s])) {
        i -= chunks_of(sections->bytes[s++]);
    }
    const uint64_t begin = i * DATA_CHUNK_BYTES;
    const uint64_t left = sections->bytes[s] - begin;
    return (data_chunk){.section = s,
                        .begin = begin,
                        .end = begin + (left < DATA_CHUNK_BYTES ? left : DATA_CHUNK_BYTES)};
}

/* ---- checking ---- */

static uint64_t checksum_of(const data_sections *sections, const void *head, const void *hashes)
{
    const uint64_t sum = XXH3_64bits(head, sections->head_bytes - sizeof(uint64_t));
    return XXH3_64bits_withSeed(hashes, sections->n_chunks * sizeof(uint64_t), sum);
}

/* The i-th whole number of these bytes. */
static uint64_t number_at(const unsigned char *bytes, uint64_t i)
{
    uint64_t number = 0;
    memcpy(&number, bytes + i * sizeof(number), sizeof(number));
    return number;
}

bool data_sections_head_is_whole(const data_sections *sections, const unsigned char *file)
{
    return checksum_of(sections, file, file + sections->head_bytes) ==
           number_at(file, sections->head_bytes / sizeof(uint64_t) - 1);
}

bool data_sections_chunk_is_whole(const data_sections *sections, const unsigned char *file,
                                  uint64_t i)
{
    const data_chunk chunk = data_sections_chunk(sections, i);
    const unsigned char *section = file + sections->at[chunk.section];
    return XXH3_64bits(section + chunk.begin, chunk.end - chunk.begin) ==
           number_at(file + sections->head_bytes, i);
}

/* ---- writing ---- */

/* Zeros, up to where the next section begins. */
static void pad(FILE *to, uint64_t at)
{
    static const char zeros[DATA_SECTION_ALIGN];
    fwrite(zeros, 1, aligned(at) - at, to);
}

/* The checksum is put into the head; hashes[n_chunks] is scratch. */
static void write_all(const data_sections *sections, void *head, const void *const *memory,
                      uint64_t *hashes, FILE *to)
{
    for (uint64_t i = 0; i < sections->n_chunks; i++) {
        const data_chunk chunk = data_sections_chunk(sections, i);
        hashes[i] = XXH3_64bits((const unsigned char *) memory[chunk.section] + chunk.begin,
                                chunk.end - chunk.begin);
    }
    const uint64_t checksum = checksum_of(sections, head, hashes);
    memcpy((unsigned char *) head + sections->head_bytes - sizeof(checksum), &checksum,
           sizeof(checksum));
    fwrite(head, 1, sections->head_bytes, to);
    fwrite(hashes, sizeof(*hashes), sections->n_chunks, to);
    pad(to, sections->head_bytes + sections->n_chunks * sizeof(*hashes));
    for (size_t s = 0; s < sections->n; s++) {
        if (sections->bytes[s] > 0) {
            fwrite(memory[s], 1, sections->bytes[s], to);
            pad(to, sections->bytes[s]);
        }
    }
}

void data_sections_save(const data_sections *sections, void *head, const void *const *memory,
                        const char *path)
{
    uint64_t *hashes = strads_alloc_array(sections->n_chunks, sizeof(*hashes));
    if (hashes == NULL) {
        strads_warn("%s: no memory for a cache", path);
        return;
    }
    data_writer *writer = data_cache_open(path);
    if (writer != NULL) {
        write_all(sections, head, memory, hashes, data_writer_stream(writer));
        data_cache_close(writer, path);
    }
    strads_free(hashes);
}
