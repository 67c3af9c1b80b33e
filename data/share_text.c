/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/share_text.c - a share of a text: every process reads a range of its lines for each of its
 * workers, and all agree on the width and on whether the whole is dense.
 *
 * Where lines are rows and shards are rows, a range is a shard. Otherwise entries are swapped.
 * Values are doubles until all is there. What is wrong process 0 says, of all that is the first.
 */
#include "data/share_text.h"

#include <string.h>

#include "data/matrix.h"

enum { THREAD_BYTES = 1 << 20 }; /* of a text, for which a thread is worth starting */

/* ---- the file ---- */

/* What a process has to know of the file before it reads lines. */
typedef struct survey {
    uint64_t file_bytes;
    uint64_t end; /* where the content ends; of process 0 */
} survey;

/* Reads what is before the lines; process 0 finds the end, too. */
static strads_status begin_text(share_reading *it, data_input *input, data_format format,
                                survey *mine)
{
    strads_status status = share_format_begin(&it->text, input, it->how->source, format);
    mine->end = mine->file_bytes;
    if (status == STRADS_OK && !data_input_has_ranges(input, &mine->file_bytes) &&
        strads_part_index(it->how->part) == 0) {
        status = data_input_measure(input, &mine->end);
    }
    return status;
}

/* Those of different machines may be other files. */
static strads_status check_files(const share_reading *it, const survey *all)
{
    for (uint32_t i = 1; i < strads_part_count(it->how->part); i++) {
        if (all[i].file_bytes != all[0].file_bytes) {
            strads_error("%s: has %llu bytes in process 0 and %llu in process %u: expected the "
                         "same file everywhere",
                         it->how->source->path, (unsigned long long) all[0].file_bytes,
                         (unsigned long long) all[i].file_bytes, i);
            return STRADS_ERR_DATA;
        }
    }
    return STRADS_OK;
}

/* Process 0 reads what is before the lines first: it says what is wrong with that. */
static strads_status survey_file(share_reading *it, data_format format, uint64_t *end,
                                 bool *compressed)
{
    strads_part *part = it->how->part;
    const bool first = strads_part_index(part) == 0;
    survey *all = strads_calloc(strads_part_count(part), sizeof(*all));
    survey mine = {.file_bytes = 0};
    data_input input;
    if (all == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_status status = data_input_open(&input, it->how->source->path);
    if (status == STRADS_OK) {
        uint64_t bytes = 0;
        (void) data_input_is_file(&input, &mine.file_bytes);
        *compressed = !data_input_has_ranges(&input, &bytes);
        status = data_share_follow_first(part,
                                         first ? begin_text(it, &input, format, &mine) : STRADS_OK);
        if (status == STRADS_OK) {
            status = data_share_gather(part, &mine, sizeof(mine), all);
        }
        if (status == STRADS_OK) {
            status = check_files(it, all);
        }
        if (status == STRADS_OK && !first) {
            status = begin_text(it, &input, format, &mine);
        }
        data_input_close(&input);
    }
    *end = all[0].end;
    strads_free(all);
    return status;
}

/* ---- ranges of lines ---- */

/* One a worker. */
static strads_status read_ranges(share_reading *it, uint64_t end, bool compressed)
{
    const data_sharing *how = it->how;
    const uint64_t begin = it->text.begin < end ? it->text.begin : end;
    uint64_t *cuts = strads_alloc_array(how->n_ranks + 1, sizeof(*cuts));
    if (cuts == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t k = 0; k <= how->n_ranks; k++) {
        cuts[k] = begin + strads_part_start(how->part, end - begin, how->first_rank + k);
    }
    const uint64_t most = (cuts[how->n_ranks] - cuts[0]) / THREAD_BYTES + 1;
    const uint32_t n_threads = compressed            ? 1
                               : most < how->n_ranks ? (uint32_t) most
                                                     : how->n_ranks;
    const data_lines lines = share_format_lines(&it->text, how->source);
    const strads_status status =
        data_ranges_read(it->ranges, how->n_ranks, cuts, &lines, n_threads);
    strads_free(cuts);
    return status;
}

/* What a process has read, for all others to know. */
typedef struct facts {
    uint64_t n_rows, n_entries, n_lines, max_index;
    uint64_t failed, line;
    share_head head;
    char fault[DATA_FAULT_BYTES];
} facts;

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static facts facts_of(const share_reading *it)
{
    facts mine = {.head = share_format_head(&it->text)};
    const data_range *failed = data_ranges_failed(it->ranges, it->how->n_ranks);
    for (uint32_t k = 0; k < it->how->n_ranks && failed == NULL; k++) {
        const data_piece *piece = &it->ranges[k].piece;
        mine.n_rows += piece->n_rows;
        mine.n_entries += piece->n_entries;
        mine.n_lines += piece->n_lines;
        mine.max_index = larger(mine.max_index, piece->max_index);
    }
    if (failed != NULL) {
        mine.failed = 1;
        mine.line = failed->line;
        memcpy(mine.fault, failed->fault, sizeof(mine.fault));
    }
    return mine;
}

/* Files of one length may be others. */
static strads_status check_heads(const share_reading *it, const facts *all)
{
    for (uint32_t i = 1; i < strads_part_count(it->how->part); i++) {
        if (memcmp(&all[i].head, &all[0].head, sizeof(all[i].head)) != 0) {
            strads_error("%s: begins in process %u otherwise than in process 0: expected the same "
                         "file everywhere",
                         it->how->source->path, i);
            return STRADS_ERR_DATA;
        }
    }
    return STRADS_OK;
}

/* What all is, and where this process's ranges begin in it. */
static void add_up(share_reading *it, facts *all, share_total *total)
{
    const uint32_t me = strads_part_index(it->how->part);
    uint64_t before = 0;
    for (uint32_t i = 0; i < strads_part_count(it->how->part); i++) {
        if (i == me) {
            before = it->text.placed ? total->n_lines : total->n_rows;
        }
        if (all[i].failed != 0 && total->fault == NULL) {
            all[i].fault[sizeof(all[i].fault) - 1] = '\0';
            total->fault = all[i].fault;
            total->line = (size_t) all[i].line;
        }
        total->n_rows += all[i].n_rows;
        total->n_entries += all[i].n_entries;
        total->n_lines += all[i].n_lines;
        total->max_index = larger(total->max_index, all[i].max_index);
    }
    for (uint32_t k = 0; k < it->how->n_ranks; k++) {
        const data_piece *piece = &it->ranges[k].piece;
        it->before[k] = before;
        before += it->text.placed ? piece->n_lines : piece->n_rows;
    }
}

/* All hear what was read; what is wrong with it process 0 says. */
static strads_status agree(share_reading *it)
{
    strads_part *part = it->how->part;
    const data_market *market = &it->text.market;
    const data_range *failed = data_ranges_failed(it->ranges, it->how->n_ranks);
    if (failed != NULL && (failed->status != STRADS_ERR_DATA || failed->fault[0] == '\0')) {
        return failed->status;
    }
    const facts mine = facts_of(it);
    facts *all = strads_calloc(strads_part_count(part), sizeof(*all));
    share_total total = {.fault = NULL};
    strads_status status =
        all == NULL ? STRADS_ERR_NOMEM : data_share_gather(part, &mine, sizeof(mine), all);
    if (status == STRADS_OK) {
        add_up(it, all, &total);
        if (strads_part_index(part) == 0) {
            status = check_heads(it, all);
            status = status == STRADS_OK ? share_format_check(&it->text, it->how->source, &total)
                                         : status;
        }
        status = data_share_follow_first(part, status);
    }
    strads_free(all);
    if (status == STRADS_OK) {
        it->share->n_rows = it->text.placed ? market->n_rows : total.n_rows;
        it->share->n_cols = it->text.n_cols != 0 ? it->text.n_cols : total.max_index;
        it->dense = market->array || data_columns_dense(it->share->n_rows, it->share->n_cols,
                                                        (size_t) total.n_entries);
    }
    return status;
}

/* ---- entries by column ---- */

static strads_status refuse_count(const share_reading *it, size_t col, double count)
{
    strads_error("%s: column %zu has %g entries by what the processes sent: they do not load alike",
                 it->how->source->path, col + 1, count);
    return STRADS_ERR_APP;
}

/* Whole numbers that are exact as doubles: their sum is in any order the same. */
static strads_status count_entries(share_reading *it)
{
    data_share *share = it->share;
    double *counts = strads_calloc(share->n_cols, sizeof(*counts));
    share->entries = strads_alloc_array(share->n_cols, sizeof(*share->entries));
    if (counts == NULL || share->entries == NULL) {
        strads_free(counts);
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t k = 0; k < it->how->n_ranks && !it->dense; k++) {
        data_columns_cursor cursor;
        data_entry e;
        data_columns_begin(&cursor, it->ranges[k].piece.columns, 0, UINT32_MAX);
        while (data_columns_next(&cursor, &e)) {
            counts[e.col]++;
        }
    }
    strads_status status =
        it->dense ? STRADS_OK : strads_part_sum(it->how->part, counts, 1, share->n_cols);
    for (size_t j = 0; j < share->n_cols && status == STRADS_OK; j++) {
        if (!(counts[j] >= 0.0 && counts[j] <= UINT32_MAX)) {
            status = refuse_count(it, j, counts[j]);
        } else {
            share->entries[j] = it->dense ? (uint32_t) share->n_rows : (uint32_t) counts[j];
        }
    }
    strads_free(counts);
    return status;
}

/* ---- targets ---- */

/* y of this process's ranges, one after another; *n values. */
static strads_status own_target(const share_reading *it, double **out, size_t *n)
{
    *n = 0;
    for (uint32_t k = 0; k < it->how->n_ranks; k++) {
        *n += it->ranges[k].piece.n_rows;
    }
    double *y = strads_alloc_array(*n, sizeof(*y));
    size_t at = 0;
    for (uint32_t k = 0; k < it->how->n_ranks && y != NULL; k++) {
        const data_piece *piece = &it->ranges[k].piece;
        if (piece->n_rows > 0) {
            memcpy(y + at, piece->y, piece->n_rows * sizeof(*y));
        }
        at += piece->n_rows;
    }
    *out = y;
    return y == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
}

/* Whose are too many or too few only their sum tells. */
static strads_status refuse_target(const share_reading *it)
{
    strads_error("%s: the processes sent other than a target for each of its %zu rows: they do not "
                 "load alike",
                 it->how->source->path, it->share->n_rows);
    return STRADS_ERR_APP;
}

/* Puts the targets of all processes one after another. */
static strads_status gather_targets(share_reading *it)
{
    strads_part *part = it->how->part;
    const uint32_t count = strads_part_count(part);
    double *mine = NULL;
    size_t n_mine = 0;
    size_t at = 0;
    double *y = strads_alloc_array(it->share->n_rows, sizeof(*y));
    void **all = strads_calloc(count, sizeof(*all));
    size_t *bytes = strads_calloc(count, sizeof(*bytes));
    strads_status status = y == NULL || all == NULL || bytes == NULL
                               ? STRADS_ERR_NOMEM
                               : own_target(it, &mine, &n_mine);
    if (status == STRADS_OK) {
        status = strads_part_gather(part, mine, n_mine * sizeof(*mine), all, bytes);
    }
    for (uint32_t i = 0; i < count && all != NULL; i++) {
        const size_t n = status == STRADS_OK ? bytes[i] / sizeof(*y) : 0;
        if (status == STRADS_OK && (bytes[i] % sizeof(*y) != 0 || n > it->share->n_rows - at)) {
            status = refuse_target(it);
        } else if (n > 0) {
            memcpy(y + at, all[i], bytes[i]);
            at += n;
        }
        strads_free(all[i]);
    }
    if (status == STRADS_OK && at != it->share->n_rows) {
        status = refuse_target(it);
    }
    strads_free(bytes);
    strads_free(all);
    strads_free(mine);
    if (status != STRADS_OK) {
        strads_free(y);
        return status;
    }
    it->share->shards[0].y = y;
    return STRADS_OK;
}

/* ---- shards ---- */

static strads_status finish_ranges(share_reading *it)
{
    strads_status status = STRADS_OK;
    for (size_t k = 0; k < it->share->n_shards && status == STRADS_OK; k++) {
        status = data_piece_finish(&it->ranges[k].piece, it->share->n_cols, it->dense,
                                   data_threads_of(it->how->source), &it->share->shards[k]);
    }
    return status;
}

static strads_status make_shards(share_reading *it)
{
    data_share *share = it->share;
    strads_status status = count_entries(it);
    if (status == STRADS_OK && it->how->split == DATA_BY_COLUMNS) {
        status = data_share_cut(&share->firsts, share->entries, share->n_cols, it->how->n_workers);
    }
    if (status == STRADS_OK && it->how->split == DATA_BY_COLUMNS && it->text.has_target) {
        status = gather_targets(it);
    }
    if (status == STRADS_OK) {
        status =
            it->how->split == DATA_BY_ROWS && !it->text.placed ? finish_ranges(it) : share_swap(it);
    }
    for (size_t k = 0; k < share->n_shards && status == STRADS_OK; k++) {
        data_matrix_narrow(&share->shards[k].x, it->how->source->precision);
    }
    return status;
}

static strads_status take_names(share_reading *it)
{
    if (it->text.format != DATA_CSV) {
        return STRADS_OK;
    }
    const char *path = it->how->source->path;
    if (strads_part_index(it->how->part) == 0) {
        csv_header_say_target(&it->text.csv, path);
    }
    return csv_header_names(&it->share->names, &it->text.csv, path);
}

static strads_status read_text(share_reading *it, data_format format)
{
    uint64_t end = 0;
    bool compressed = false;
    strads_status status = survey_file(it, format, &end, &compressed);
    if (status == STRADS_OK) {
        status = read_ranges(it, end, compressed);
    }
    if (status == STRADS_OK) {
        status = agree(it);
    }
    if (status == STRADS_OK) {
        status = make_shards(it);
    }
    return status == STRADS_OK ? take_names(it) : status;
}

strads_status data_share_text(data_share *out, const data_sharing *how, data_format format)
{
    share_reading it = {.share = out, .how = how};
    it.ranges = strads_calloc(how->n_ranks, sizeof(*it.ranges));
    it.before = strads_calloc(how->n_ranks, sizeof(*it.before));
    const strads_status status =
        it.ranges == NULL || it.before == NULL ? STRADS_ERR_NOMEM : read_text(&it, format);
    for (uint32_t k = 0; k < how->n_ranks && it.ranges != NULL; k++) {
        data_piece_fini(&it.ranges[k].piece);
    }
    share_format_fini(&it.text);
    strads_free(it.before);
    strads_free(it.ranges);
    return status;
}
