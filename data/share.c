/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/share.c - a process's share of a source that several processes read. */
#include "data/regression_cache.h"
#include "data/shares.h"

#include <assert.h>
#include <string.h>

/* ---- the target of a file of its own ---- */

/* All of it; what is wrong with it process 0 says. */
static strads_status read_target(double **out, const data_sharing *how, size_t n_rows)
{
    const bool first = strads_part_index(how->part) == 0;
    double *y = NULL;
    strads_status status = data_share_follow_first(
        how->part, first ? data_target_of(&y, how->source, n_rows) : STRADS_OK);
    if (status == STRADS_OK && !first) {
        status = data_target_of(&y, how->source, n_rows);
    }
    if (status != STRADS_OK) {
        strads_free(y);
        return status;
    }
    *out = y;
    return STRADS_OK;
}

/* The row of the source that is the first of this process's, which follow those of the
 * processes before. */
static strads_status find_first_row(const data_share *share, const data_sharing *how, size_t *first)
{
    uint64_t n_mine = 0;
    for (size_t k = 0; k < share->n_shards; k++) {
        n_mine += share->shards[k].x.n_rows;
    }
    uint64_t *all = strads_alloc_array(strads_part_count(how->part), sizeof(*all));
    strads_status status =
        all == NULL ? STRADS_ERR_NOMEM : data_share_gather(how->part, &n_mine, sizeof(n_mine), all);
    size_t before = 0;
    for (uint32_t i = 0; i < strads_part_index(how->part) && status == STRADS_OK; i++) {
        before += all[i];
    }
    strads_free(all);
    if (status == STRADS_OK && (before > share->n_rows || n_mine > share->n_rows - before)) {
        strads_error("%s: has %zu rows, and processes read more: they do not load alike",
                     how->source->path, share->n_rows);
        status = STRADS_ERR_APP;
    }
    if (status == STRADS_OK) {
        *first = before;
    }
    return status;
}

static strads_status share_target(data_share *share, const data_sharing *how)
{
    double *y = NULL;
    size_t first = 0;
    strads_status status = read_target(&y, how, share->n_rows);
    if (status == STRADS_OK && how->split == DATA_BY_ROWS) {
        status = find_first_row(share, how, &first);
    }
    for (size_t k = 0; k < share->n_shards && status == STRADS_OK; k++) {
        data_regression *shard = &share->shards[k];
        strads_free(shard->y);
        shard->y = NULL;
        status = data_share_copy(&shard->y, y + first, shard->x.n_rows, sizeof(*y));
        first += shard->x.n_rows;
    }
    strads_free(y);
    return status;
}

/* ---- caches ---- */

/* Whether all processes have a cache of the same. */
static strads_status agree_on_cache(bool *same, const data_sharing *how, uint64_t checksum)
{
    const uint32_t count = strads_part_count(how->part);
    uint64_t *all = strads_alloc_array(count, sizeof(*all));
    const strads_status status =
        all == NULL ? STRADS_ERR_NOMEM
                    : data_share_gather(how->part, &checksum, sizeof(checksum), all);
    *same = checksum != 0;
    for (uint32_t i = 0; i < count && status == STRADS_OK; i++) {
        *same = *same && all[i] == checksum;
    }
    strads_free(all);
    return status == STRADS_ERR_NOMEM ? data_no_memory(how->source->path) : status;
}

/* Maps the cache of a source that is read in parts, if all processes have it; whole->x is empty
 * where they have not. */
static strads_status map_whole(data_regression *whole, const data_sharing *how)
{
    const data_source *source = how->source;
    data_regression found = {.y = NULL};
    char *cache = NULL;
    uint64_t key = 0;
    uint64_t checksum = 0;
    bool same = false;
    *whole = found;
    if (source->cache == NULL) {
        return STRADS_OK;
    }
    strads_status status = regression_cache_name(&cache, &key, source);
    if (status != STRADS_OK) {
        return status;
    }
    if (cache == NULL ||
        !regression_cache_load(&found, &checksum, cache, key, data_threads_of(source))) {
        checksum = 0;
    }
    strads_free(cache);
    status = agree_on_cache(&same, how, checksum);
    if (status == STRADS_OK && same && source->y_path != NULL) {
        strads_free(found.y);
        found.y = NULL;
        status = read_target(&found.y, how, found.x.n_rows);
    }
    if (status == STRADS_OK && !same && strads_part_index(how->part) == 0) {
        strads_info("%s: is read in parts: there is no cache that all processes have, and a run "
                    "that partitions the data makes none",
                    source->path);
    }
    if (status != STRADS_OK || !same) {
        data_regression_fini(&found);
    }
    *whole = found;
    return status;
}

/* ---- */

static strads_status read_whole(data_share *share, const data_sharing *how)
{
    data_regression whole;
    const strads_status status = data_regression_read(&whole, how->source);
    return status == STRADS_OK ? data_share_cut_whole(share, how, &whole) : status;
}

/* Reads a source of which each process can read its part. */
static strads_status read_parts(data_share *share, const data_sharing *how, data_format format)
{
    const strads_status status =
        format == DATA_NPY ? data_share_npy(share, how) : data_share_text(share, how, format);
    return status == STRADS_OK && how->source->y_path != NULL ? share_target(share, how) : status;
}

/* Whether a source is read whole, and then cut: by one process, which is to have all columns, or
 * which can read it but once. */
static bool is_read_whole(const data_sharing *how)
{
    return strads_part_count(how->part) == 1 &&
           (how->split == DATA_BY_COLUMNS || !data_is_rereadable(how->source->path));
}

strads_status data_share_check_files(const data_source *source, uint32_t n_processes)
{
    const char *const paths[] = {source->path, source->y_path};
    for (size_t i = 0; i < 2 && n_processes > 1; i++) {
        if (paths[i] != NULL && !data_is_rereadable(paths[i])) {
            strads_error("%s: is no regular file, and %u processes cannot all read it: expected "
                         "one, or one process",
                         paths[i], n_processes);
            return STRADS_ERR_DATA;
        }
    }
    return STRADS_OK;
}

/* What the source is. */
static strads_status look(const data_sharing *how, data_format *format)
{
    data_input input;
    strads_status status = data_share_check_files(how->source, strads_part_count(how->part));
    if (status == STRADS_OK) {
        status = data_input_open(&input, how->source->path);
    }
    if (status == STRADS_OK) {
        *format = data_format_of(how->source, &input);
        data_input_close(&input);
    }
    return status;
}

/* Reads a source from its cache, or in parts, or whole. Process 0 looks first: what it cannot read
 * the others need not say. */
static strads_status read_any(data_share *share, const data_sharing *how)
{
    if (is_read_whole(how)) {
        return read_whole(share, how);
    }
    const bool first = strads_part_index(how->part) == 0;
    data_format format = DATA_AUTO;
    data_regression cached;
    strads_status status =
        data_share_follow_first(how->part, first ? look(how, &format) : STRADS_OK);
    if (status == STRADS_OK && !first) {
        status = look(how, &format);
    }
    if (status == STRADS_OK) {
        status = map_whole(&cached, how);
    }
    if (status != STRADS_OK) {
        return status;
    }
    return cached.x.n_rows > 0 ? data_share_cut_whole(share, how, &cached)
                               : read_parts(share, how, format);
}

strads_status data_share_read(data_share *out, const data_source *source, data_split split,
                              strads_part *part)
{
    const uint32_t index = strads_part_index(part);
    const data_sharing how = {.source = source,
                              .split = split,
                              .part = part,
                              .first_rank = strads_part_rank(part, index),
                              .n_ranks =
                                  strads_part_rank(part, index + 1) - strads_part_rank(part, index),
                              .n_workers = strads_part_rank(part, strads_part_count(part))};
    assert(source->n_cols <= UINT32_MAX && how.n_ranks > 0);
    data_share share = {.n_shards = split == DATA_BY_ROWS ? how.n_ranks : 1};
    share.shards = strads_calloc(share.n_shards, sizeof(*share.shards));
    const strads_status status =
        share.shards == NULL ? data_no_memory(source->path) : read_any(&share, &how);
    if (status != STRADS_OK) {
        data_share_fini(&share);
        return status;
    }
    *out = share;
    return STRADS_OK;
}

void data_share_fini(data_share *share)
{
    for (size_t k = 0; k < share->n_shards && share->shards != NULL; k++) {
        data_regression_fini(&share->shards[k]);
    }
    strads_free(share->shards);
    data_names_free(share->names, share->n_cols);
    strads_free(share->entries);
    strads_free(share->firsts);
    *share = (data_share){.n_shards = 0};
}
