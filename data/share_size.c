/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/share_size.c - how large a process's share of a source is, without reading it. */
#include <assert.h>
#include <math.h>

#include "data/columns.h"
#include "data/matrix.h"
#include "data/shares.h"

/* ENTRY_BYTES: what an entry takes before it is in a matrix (data/columns.c). SWAP_BYTES: what is
 * under way, in both directions, its copies and what senders begin beside what they fill.
 * THREAD_BYTES: what a thread more that reads holds beside its entries. */
enum { ENTRY_BYTES = 11, SWAP_BYTES = 12 << 20, THREAD_BYTES = 5 << 20 };

/* How a process comes by its share. */
typedef enum way {
    KEEPS_ALL,     /* it is the whole */
    CUTS_WHOLE,    /* it reads all, and keeps its part */
    READS_ROWS,    /* lines, which are what it keeps */
    SWAPS_ENTRIES, /* its part of the lines, whose entries it gives to those who keep them */
    READS_BOXES    /* what it keeps */
} way;

static strads_status find_way(way *out, const data_source *source, data_split split,
                              uint32_t n_processes)
{
    if (n_processes == 1 && (split == DATA_BY_COLUMNS || !data_is_rereadable(source->path))) {
        *out = split == DATA_BY_COLUMNS ? KEEPS_ALL : CUTS_WHOLE;
        return STRADS_OK;
    }
    data_size size;
    data_input input;
    bool cached = false;
    strads_status status = data_measure_cached(&size, source, &cached);
    if (status == STRADS_OK) {
        status = data_input_open(&input, source->path);
    }
    if (status != STRADS_OK) {
        return status;
    }
    const data_format format = data_format_of(source, &input);
    data_input_close(&input);
    *out = cached                                                  ? CUTS_WHOLE
           : format == DATA_NPY                                    ? READS_BOXES
           : split == DATA_BY_ROWS && format != DATA_MATRIX_MARKET ? READS_ROWS
                                                                   : SWAPS_ENTRIES;
    return STRADS_OK;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Among whom the source is shared; most of the workers of a process. */
typedef struct shared {
    data_split split;
    size_t n_processes, n_workers, n_mine;
} shared;

/* Of the whole, whose rows and columns are not cut. */
static double part_of(const data_size *whole, const shared *how)
{
    const double part = (double) how->n_mine / (double) how->n_workers;
    const size_t n = how->split == DATA_BY_ROWS ? whole->n_rows : whole->n_cols;
    return n == 0 ? part : fmin(1.0, ceil(part * (double) n) / (double) n);
}

/* What is kept: entries, y, and how many entries every column has. */
static size_t kept_bytes(const data_size *whole, const shared *how, bool narrow)
{
    const bool by_rows = how->split == DATA_BY_ROWS;
    const double part = part_of(whole, how);
    const double n_all =
        whole->dense ? (double) whole->n_rows * (double) whole->n_cols : (double) whole->n_entries;
    const double n_starts = whole->dense ? 0.0 : by_rows ? (double) how->n_mine : part;
    const double n_targets = (by_rows ? part : 1.0) * (double) whole->n_rows;
    const size_t entry_bytes = data_value_bytes(narrow) + (whole->dense ? 0 : sizeof(uint32_t));
    const double doubles = n_starts * (double) whole->n_cols + n_targets;
    return (size_t) (part * n_all * (double) entry_bytes + doubles * (double) sizeof(double)) +
           whole->n_cols * sizeof(uint32_t);
}

/* The most that reading lines holds: entries as they come; where they are swapped those that were
 * read here beside those that come. */
static size_t reading_bytes(const data_size *whole, const shared *how, bool swaps)
{
    const double part = part_of(whole, how);
    const size_t n_entries = (size_t) ceil(part * (double) whole->n_entries);
    const bool by_rows = how->split == DATA_BY_ROWS;
    const size_t coming = data_columns_peak_bytes(
        (size_t) ceil((by_rows ? part : 1.0) * (double) whole->n_rows),
        (size_t) ceil((by_rows ? 1.0 : part) * (double) whole->n_cols), n_entries);
    const size_t swapped = swaps ? 2 * n_entries * ENTRY_BYTES + SWAP_BYTES : 0;
    return larger(coming, swapped) + (how->n_mine - 1) * THREAD_BYTES +
           whole->n_cols * sizeof(double);
}

strads_status data_share_measure(data_size *out, const data_source *source, data_split split,
                                 uint32_t n_processes, uint32_t n_workers)
{
    assert(n_processes > 0 && n_workers >= n_processes);
    const shared how = {.split = split,
                        .n_processes = n_processes,
                        .n_workers = n_workers,
                        .n_mine = (n_workers + n_processes - 1) / n_processes};
    data_size whole;
    way found;
    strads_status status = data_share_check_files(source, n_processes);
    if (status == STRADS_OK) {
        status = data_regression_measure(&whole, source);
    }
    if (status == STRADS_OK) {
        status = find_way(&found, source, split, n_processes);
    }
    if (status != STRADS_OK) {
        return status;
    }
    *out = whole;
    out->bytes = kept_bytes(&whole, &how, whole.narrow);
    switch (found) {
    case KEEPS_ALL:
        break;
    case CUTS_WHOLE:
        out->peak_bytes = larger(whole.peak_bytes, whole.bytes + out->bytes);
        break;
    case READS_ROWS:
    case SWAPS_ENTRIES:
        out->peak_bytes = larger(kept_bytes(&whole, &how, false),
                                 reading_bytes(&whole, &how, found == SWAPS_ENTRIES));
        break;
    case READS_BOXES:
        out->peak_bytes = out->bytes + whole.peak_bytes - whole.bytes;
        break;
    }
    return STRADS_OK;
}
