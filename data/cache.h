/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/cache.h - what the caches of readers share: their names, and files that may be damaged. */
#ifndef STRADS_DATA_CACHE_H
#define STRADS_DATA_CACHE_H

#include "data/data.h"

/* Has the key depend on a file's path, size and time of change; false: it is not there, or neither
 * a regular file nor a folder. */
bool data_cache_add_file(uint64_t *key, const char *path);
/* The name of the cache of a regular file, for strads_free, and *key with the file added to it;
 * *out is NULL where there can be none. Where `folder` is NULL there is none. */
STRADS_MUST_CHECK strads_status data_cache_find(char **out, uint64_t *key, const char *path,
                                                const char *folder, const char *suffix);
/* The name of the cache of what is at `path`, a real one: beside it, or, where `folder` is not
 * "", in there; for strads_free. NULL: no memory. */
char *data_cache_name(const char *path, const char *folder, const char *suffix);
/* Opens one to be written; NULL, and a warning: there can be none. */
data_writer *data_cache_open(const char *path);
/* Ends one, or warns that there is none. */
void data_cache_close(data_writer *writer, const char *path);
/* Reads n bytes from `at`; false: they are not there. */
bool data_cache_read(int file, uint64_t at, void *to, size_t n);

#endif
