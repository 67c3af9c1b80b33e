/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/groups.h - the ratings of a block in the order and the form in which kernels
 * take them: in groups of 16, no two of a group of the same row or the same column, so
 * that a kernel may read all of a group before it writes any of it.
 */
#ifndef STRADS_MF_GROUPS_H
#define STRADS_MF_GROUPS_H

#include "base/base.h"

enum { MF_GROUP = 16 };

/* Row and column are places in the block, from 0, behind the padding. */
typedef struct mf_rating {
    uint16_t row, column;
    float value;
} mf_rating;

/* Where a row begins, in cache lines from the beginning of the block's rows, which is its
 * padding row; columns alike. Lanes that no rating could take come last and hold 0, the
 * padding row, the padding column. */
typedef struct mf_group {
    float r[MF_GROUP];
    uint16_t row[MF_GROUP], column[MF_GROUP];
} mf_group;

typedef struct mf_block {
    const mf_rating *ratings;
    size_t n;
    uint32_t n_rows, n_columns; /* at most mf_layout_rows_max, the padding not counted */
    uint32_t lines;             /* of 64 bytes from row to row: stride / MF_LINE */
} mf_block;

/* Scratch memory of one thread, which grows with the largest block it has seen. */
typedef struct mf_arranger mf_arranger;

STRADS_MUST_CHECK strads_status mf_arranger_create(mf_arranger **out);
void mf_arranger_destroy(mf_arranger *arranger);

/* Arranges a block. Every rating is in one group, exactly once. Passes over the rows in
 * ascending order follow each other, a thousand ratings each at most, so that the rows come
 * in as a stream; each has few of the columns, so that these stay in the nearest cache. The
 * ratings of a row are spread over the passes as their columns are. The same block and seed
 * give the same groups.
 *
 * At least as many groups are needed as one row, or one column, has ratings; so where
 * one has more than a sixteenth of the block's, groups are padded: no update is lost. The
 * groups are lent until the next call. NOMEM leaves the arranger usable. */
STRADS_MUST_CHECK strads_status mf_arrange(mf_arranger *arranger, const mf_block *block,
                                           uint64_t seed, const mf_group **groups,
                                           size_t *n_groups);

#endif
