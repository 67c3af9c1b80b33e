/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/share_text.h - how processes read a text together: each reads a range of its lines, and
 * where these are not of its rows or columns alone, they swap entries.
 */
#ifndef STRADS_DATA_SHARE_TEXT_H
#define STRADS_DATA_SHARE_TEXT_H

#include "data/csv_header.h"
#include "data/shares.h"

/* ---- what is known of a text before its lines are read (share_format.c) ---- */

typedef struct share_format {
    data_format format;
    uint64_t begin;  /* where the lines begin in the content */
    size_t n_cols;   /* 0: not known yet */
    bool placed;     /* a line is an entry, of any row, and there is no target */
    bool has_target; /* in the lines */
    csv_header csv;
    data_market market;
} share_format;

/* Reads what stands before the lines of a newly opened file. */
STRADS_MUST_CHECK strads_status share_format_begin(share_format *out, data_input *input,
                                                   const data_source *source, data_format format);
void share_format_fini(share_format *format); /* one of zeros is allowed */

/* What has to be the same in all processes. */
typedef struct share_head {
    uint64_t begin, n_cols, n_rows, n_entries, kind;
} share_head;
share_head share_format_head(const share_format *format);

/* How its lines are read; both are lent. */
data_lines share_format_lines(const share_format *format, const data_source *source);

/* What was read of all lines, and the first thing that is wrong with one. */
typedef struct share_total {
    uint64_t n_rows, n_entries, n_lines, max_index;
    const char *fault; /* NULL: all are good */
    size_t line;       /* of the fault */
} share_total;

/* Refuses what is not a whole of its format. */
STRADS_MUST_CHECK strads_status share_format_check(const share_format *format,
                                                   const data_source *source,
                                                   const share_total *total);

/* ---- entries go to those who keep them (share_swap.c) ---- */

/* A text whose lines are read. */
typedef struct share_reading {
    data_share *share;
    const data_sharing *how;
    share_format text;
    data_range *ranges; /* [how->n_ranks] of this process, one a worker */
    uint64_t *before;   /* [how->n_ranks] rows before each range; of `placed` ones lines */
    bool dense;         /* the whole is to be */
} share_reading;

/* Makes the matrices of the shards, whose firsts are known, and empties the ranges. */
STRADS_MUST_CHECK strads_status share_swap(share_reading *it);

#endif
