/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/shares.h - what the ways to read a share of a source have in common.
 */
#ifndef STRADS_DATA_SHARES_H
#define STRADS_DATA_SHARES_H

#include "data/readers.h"

/* What is read, how it is split, and with whom. */
typedef struct data_sharing {
    const data_source *source;
    data_split split;
    strads_part *part;
    uint32_t first_rank, n_ranks; /* the workers of this process */
    uint32_t n_workers;           /* of all */
} data_sharing;

/* The shards of a text, with the target that it holds; n_rows, n_cols, entries and names too, and
 * by columns firsts. */
STRADS_MUST_CHECK strads_status data_share_text(data_share *out, const data_sharing *how,
                                                data_format format);

/* The same of a .npy file, without a target. */
STRADS_MUST_CHECK strads_status data_share_npy(data_share *out, const data_sharing *how);

/* The share of a source that is whole, which it takes. */
STRADS_MUST_CHECK strads_status data_share_cut_whole(data_share *out, const data_sharing *how,
                                                     data_regression *whole);

/* Refuses a source of which something is no file that so many processes can all read. */
STRADS_MUST_CHECK strads_status data_share_check_files(const data_source *source,
                                                       uint32_t n_processes);

/* A copy of an array of n, in *out, which is a pointer. */
STRADS_MUST_CHECK strads_status data_share_copy(void *out, const void *from, size_t n,
                                                size_t bytes);

/* firsts[n_workers + 1], for strads_free: where each worker's columns begin, if each is to
 * have about as many entries; a column costs one more than it has. */
STRADS_MUST_CHECK strads_status data_share_cut(uint32_t **firsts, const uint32_t *entries,
                                               size_t n_cols, uint32_t n_workers);

/* ---- what processes tell each other ---- */

/* all[count] := what each process gives, of so many bytes. */
STRADS_MUST_CHECK strads_status data_share_gather(strads_part *part, const void *mine, size_t bytes,
                                                  void *all);
/* What process 0 comes to: if it fails, which it has said, the others, who give OK, wait until they
 * have heard of it, and fail too. */
STRADS_MUST_CHECK strads_status data_share_follow_first(strads_part *part, strads_status status);

#endif
