/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/gunzip.h - gzip data as the bytes that went in. Members may follow each other.
 */
#ifndef STRADS_DATA_GUNZIP_H
#define STRADS_DATA_GUNZIP_H

#include "base/base.h"

enum { DATA_GZIP_BYTES = 1 << 18 }; /* of compressed data that are held at once */

typedef struct data_gunzip data_gunzip;

/* Gives up to n compressed bytes, less at their end only. */
typedef strads_status (*data_gzip_reader)(void *context, void *out, size_t n, size_t *n_read);

/* Takes the n bytes, at most DATA_GZIP_BYTES, with which the data begin; `path` is for messages,
 * lent. */
STRADS_MUST_CHECK strads_status data_gunzip_create(data_gunzip **out, const char *path,
                                                   const void *bytes, size_t n);
/* NULL is allowed. */
void data_gunzip_destroy(data_gunzip *gunzip);

/* The next n bytes of content, less at its end only; DATA for what is damaged or cut short. */
STRADS_MUST_CHECK strads_status data_gunzip_read(data_gunzip *gunzip, data_gzip_reader more,
                                                 void *context, void *out, size_t n,
                                                 size_t *n_read);

#endif
