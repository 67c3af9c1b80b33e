/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/regression_cache.h - what was read of a matrix with a target, in a file that is mapped. */
#ifndef STRADS_DATA_REGRESSION_CACHE_H
#define STRADS_DATA_REGRESSION_CACHE_H

#include "data/data.h"

enum { REGRESSION_CACHE_VERSION = 2 };

/* A cache file (sections.h): this, and the sections: where columns start, rows (both of a sparse
 * matrix), values, target, names. In the byte order of the machine, which `magic` shows. */
typedef struct regression_cache_head {
    uint64_t magic, version;
    uint64_t key; /* of the source */
    uint64_t n_rows, n_cols;
    uint64_t n_values;    /* stored ones */
    uint64_t is_sparse;   /* 0 or 1 */
    uint64_t is_narrow;   /* 0: values are doubles, 1: floats */
    uint64_t n_targets;   /* n_rows, or 0: the format holds none */
    uint64_t names_bytes; /* n_cols texts, each with its NUL; 0: there are none */
    uint64_t checksum;    /* XXH3 of the fields above and the hashes */
} regression_cache_head;

/* The name of the cache of a source, for strads_free, and its key; *out is NULL where there
 * can be none. */
STRADS_MUST_CHECK strads_status regression_cache_name(char **out, uint64_t *key,
                                                      const data_source *source);
/* True when the file is there, of this key and whole; *checksum is that of its head. Says it of
 * one that cannot be used. */
bool regression_cache_load(data_regression *out, uint64_t *checksum, const char *path, uint64_t key,
                           uint32_t n_threads);
/* The sizes in its head, all but the bytes; false: there is none of this key. */
bool regression_cache_measure(data_size *out, const char *path, uint64_t key);
/* Warns when it cannot be written. */
void regression_cache_save(const data_regression *data, const char *path, uint64_t key);
#endif
