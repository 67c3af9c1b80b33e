/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/ids.h - ids of users, items or words, and their indices, both ways. */
#ifndef STRADS_DATA_IDS_H
#define STRADS_DATA_IDS_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DATA_UNSEEN UINT32_MAX /* the index of an id that is not in a map */

/* Ids and their indices 0 .. n-1. Those of ratings are numbers when all of the file's are
 * decimal numbers below 2^32, "007" and "7" being the same; then they ascend. Otherwise they
 * are texts, in order of first appearance. */
typedef struct data_ids {
    uint32_t n;
    uint32_t *number; /* [n]; NULL: texts */
    size_t *start;    /* [n] where each begins in `text`; NULL: numbers */
    char *text;       /* [text_bytes] the texts, each with its NUL */
    size_t text_bytes;

    /* private */
    size_t start_room, text_room;
    uint32_t *slots; /* [n_slots] the way back: an index + 1, or 0 */
    size_t n_slots;
    bool direct; /* slots[number], not by hash */
} data_ids;

enum { DATA_ID_BYTES = 11 };

/* The id of an index; a number is printed to `digits`, which is returned. */
STRADS_API const char *data_ids_name(const data_ids *ids, uint32_t index,
                                     char digits[DATA_ID_BYTES]);
/* The index of an id, or DATA_UNSEEN. */
STRADS_API uint32_t data_ids_find(const data_ids *ids, const char *id);

/* Reads a map that was written by data_ids_name, an id a line, in the order of the indices. */
STRADS_API STRADS_MUST_CHECK strads_status data_ids_read(data_ids *out, const char *path);
/* Reads words, one a line, UTF-8, none twice: they stay texts. */
STRADS_API STRADS_MUST_CHECK strads_status data_ids_read_words(data_ids *out, const char *path);
STRADS_API void data_ids_fini(data_ids *ids);

/* ---- for the readers ---- */

/* data_ids_find of a text of n bytes, in a map of texts. */
uint32_t data_ids_find_text(const data_ids *ids, const char *text, size_t n);

/* The index of a text of n bytes without a NUL, which is added if it is new. NOMEM is not
 * said. */
STRADS_MUST_CHECK strads_status data_ids_add(data_ids *ids, const char *text, size_t n,
                                             uint32_t *index);
/* Makes the way back of a map that has its ids; n_entries: how much memory is in proportion.
 * NOMEM is not said. */
STRADS_MUST_CHECK strads_status data_ids_invert(data_ids *ids, size_t n_entries);

#ifdef __cplusplus
}
#endif

#endif
