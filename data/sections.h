/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/sections.h - how a cache file that is mapped is laid out, and how damage to it is found.
 *
 * First a head, whose last field is a checksum, of the fields above it and the hashes; then the
 * hashes of the chunks of all sections; then the sections. All begin at multiples of
 * DATA_SECTION_ALIGN. Chunks have hashes of their own so that threads can check a file side by
 * side, and use what they have just brought into a cache.
 */
#ifndef STRADS_DATA_SECTIONS_H
#define STRADS_DATA_SECTIONS_H

#include "base/base.h"

enum { DATA_SECTIONS_MAX = 8, DATA_SECTION_ALIGN = 64, DATA_CHUNK_BYTES = 1 << 20 };

typedef struct data_sections {
    size_t n;
    uint64_t bytes[DATA_SECTIONS_MAX], at[DATA_SECTIONS_MAX]; /* of each, and where in the file */
    uint64_t head_bytes, n_chunks, file_bytes;
} data_sections;

/* Bytes of a section; the last chunk of one may be shorter than the others. */
typedef struct data_chunk {
    size_t section;
    uint64_t begin, end;
} data_chunk;

/* n sections of so many bytes behind a head, a multiple of 8 bytes. */
data_sections data_sections_of(uint64_t head_bytes, const uint64_t *bytes, size_t n);
data_chunk data_sections_chunk(const data_sections *sections, uint64_t i);

/* Of a file in memory that is as long as it should be: whether head and hashes are whole, and
 * whether chunk i is. */
bool data_sections_head_is_whole(const data_sections *sections, const unsigned char *file);
bool data_sections_chunk_is_whole(const data_sections *sections, const unsigned char *file,
                                  uint64_t i);

/* Makes the file, the checksum put into its head; warns when it cannot be made. */
void data_sections_save(const data_sections *sections, void *head, const void *const *memory,
                        const char *path);

#endif
