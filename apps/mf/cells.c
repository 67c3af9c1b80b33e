/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/cells.c - the ratings of a process by cell: those to train on grouped for the
 * kernels, those to test by as pairs.
 */
#include <string.h>

#include "apps/mf/mf.h"
#include "base/tasks.h"

/* What is given back at a time. */
enum { STRETCH = 1 << 18 };

/* ---- by cell ---- */

/* Where a row is: what a place says, without a division. */
typedef struct spot {
    uint32_t block;
    uint16_t row; /* in the block */
} spot;

/* A counting sort, by parts of the ratings side by side. */
typedef struct sorting {
    const mf_site *site;
    spot *users, *items;
    data_ratings *train;
    size_t n_cells, n_parts;
    size_t *at;         /* [n_parts][n_cells] how many a part has; then where its next one goes */
    size_t *starts;     /* [n_cells + 1] */
    mf_rating *ratings; /* [starts[n_cells]] */
} sorting;

static spot *spots_of(const mf_cut *cut)
{
    spot *spots = strads_alloc_array(cut->n, sizeof(*spots));
    for (uint32_t i = 0; i < cut->n && spots != NULL; i++) {
        spots[i] = (spot){.block = cut->place[i] / cut->n_each,
                          .row = (uint16_t) (cut->place[i] % cut->n_each)};
    }
    return spots;
}

/* The cell of a rating among those of this process; SIZE_MAX: another's. */
static inline size_t cell_of(const mf_site *site, uint32_t block, uint32_t column)
{
    const uint32_t first = site->first * site->user_blocks;
    return block < first || block >= site->end * site->user_blocks
               ? SIZE_MAX
               : (size_t) (block - first) * site->items.n_blocks + column;
}

static strads_status count_parts(void *context, size_t first, size_t last)
{
    const sorting *it = context;
    const data_ratings *train = it->train;
    for (size_t p = first; p < last; p++) {
        size_t *at = it->at + p * it->n_cells;
        const size_t end = train->n * (p + 1) / it->n_parts;
        for (size_t i = train->n * p / it->n_parts; i < end; i++) {
            const size_t cell = cell_of(it->site, it->users[train->entries[i].row].block,
                                        it->items[train->entries[i].column].block);
            if (cell != SIZE_MAX) {
                at[cell]++;
            }
        }
    }
    return STRADS_OK;
}

static void place_stretch(const sorting *it, size_t *at, const data_rating *entries, size_t n)
{
    const mf_scale scale = it->site->scale;
    for (size_t i = 0; i < n; i++) {
        const data_rating *from = &entries[i];
        const spot row = it->users[from->row];
        const spot column = it->items[from->column];
        const size_t cell = cell_of(it->site, row.block, column.block);
        if (cell != SIZE_MAX) {
            it->ratings[at[cell]++] = (mf_rating){.row = row.row,
                                                  .column = column.row,
                                                  .value = (from->value - scale.mean) / scale.unit};
        }
    }
}

/* What was placed is not needed any more. */
static strads_status place_parts(void *context, size_t first, size_t last)
{
    const sorting *it = context;
    const data_ratings *train = it->train;
    for (size_t p = first; p < last; p++) {
        const size_t end = train->n * (p + 1) / it->n_parts;
        for (size_t i = train->n * p / it->n_parts; i < end; i += STRETCH) {
            const size_t n = end - i < STRETCH ? end - i : STRETCH;
            place_stretch(it, it->at + p * it->n_cells, train->entries + i, n);
            strads_discard(train->entries + i, n * sizeof(*train->entries));
        }
    }
    return STRADS_OK;
}

/* Where each part's ratings of each cell begin, in the order of the parts. */
static void find_starts(const sorting *it)
{
    size_t n = 0;
    for (size_t c = 0; c < it->n_cells; c++) {
        it->starts[c] = n;
        for (size_t p = 0; p < it->n_parts; p++) {
            size_t *at = it->at + p * it->n_cells + c;
            const size_t here = *at;
            *at = n;
            n += here;
        }
    }
    it->starts[it->n_cells] = n;
}

static strads_status sort_ratings(sorting *it)
{
    const uint32_t n_threads = (uint32_t) it->n_parts;
    it->at = strads_calloc(it->n_parts, it->n_cells * sizeof(*it->at));
    it->starts = strads_alloc_array(it->n_cells + 1, sizeof(*it->starts));
    it->users = spots_of(&it->site->users);
    it->items = spots_of(&it->site->items);
    if (it->at == NULL || it->starts == NULL || it->users == NULL || it->items == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_status status = strads_parallel_for(n_threads, it->n_parts, count_parts, it);
    if (status != STRADS_OK) {
        return status;
    }
    find_starts(it);
    it->ratings = strads_alloc_array(it->starts[it->n_cells], sizeof(*it->ratings));
    return it->ratings == NULL ? STRADS_ERR_NOMEM
                               : strads_parallel_for(n_threads, it->n_parts, place_parts, it);
}

/* ---- groups ---- */

/* What a thread groups by. */
typedef struct grouping {
    mf_arranger *arranger;
    mf_group *groups; /* of a block, before it is known how many they are */
    size_t capacity;
} grouping;

/* Groups the cells of one block of users. */
static strads_status group_block(const sorting *from, grouping *by, size_t b)
{
    const mf_site *site = from->site;
    const uint32_t n_columns = site->items.n_blocks;
    mf_cells *to = &site->cells[b];
    to->starts = strads_calloc(n_columns + 1, sizeof(*to->starts));
    to->n_ratings = strads_calloc(n_columns, sizeof(*to->n_ratings));
    strads_status status =
        to->starts == NULL || to->n_ratings == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (uint32_t c = 0; c < n_columns && status == STRADS_OK; c++) {
        const size_t cell = b * n_columns + c;
        const mf_block block = {.ratings = from->ratings + from->starts[cell],
                                .n = from->starts[cell + 1] - from->starts[cell],
                                .n_rows = site->users.n_each,
                                .n_columns = site->items.n_each,
                                .lines = site->layout.stride / MF_LINE};
        const uint64_t seed =
            (site->seed << 32) + (site->first * site->user_blocks + b) * n_columns + c;
        const mf_group *groups = NULL;
        size_t n = 0;
        status = mf_arrange(by->arranger, &block, seed, &groups, &n);
        if (status == STRADS_OK) {
            status = strads_reserve(&by->groups, &by->capacity, to->starts[c] + n, sizeof(*groups));
        }
        if (status == STRADS_OK) {
            if (n > 0) {
                memcpy(by->groups + to->starts[c], groups, n * sizeof(*groups));
            }
            to->starts[c + 1] = to->starts[c] + n;
            to->n_ratings[c] = (uint32_t) block.n;
        }
    }
    if (status == STRADS_OK) {
        const size_t n_all = to->starts[n_columns];
        to->groups = strads_alloc_array(n_all, sizeof(*to->groups));
        if (to->groups == NULL) {
            return STRADS_ERR_NOMEM;
        }
        if (n_all > 0) {
            memcpy(to->groups, by->groups, n_all * sizeof(*to->groups));
        }
    }
    const size_t begin = from->starts[b * n_columns];
    strads_discard(from->ratings + begin,
                   (from->starts[(b + 1) * n_columns] - begin) * sizeof(*from->ratings));
    return status;
}

static strads_status group_blocks(void *context, size_t first, size_t last)
{
    const sorting *from = context;
    grouping by = {.arranger = NULL};
    strads_status status = mf_arranger_create(&by.arranger);
    for (size_t b = first; b < last && status == STRADS_OK; b++) {
        status = group_block(from, &by, b);
    }
    mf_arranger_destroy(by.arranger);
    strads_free(by.groups);
    return status;
}

strads_status mf_cells_create(mf_site *site, data_ratings *train)
{
    const size_t n_blocks = (size_t) (site->end - site->first) * site->user_blocks;
    sorting it = {.site = site,
                  .train = train,
                  .n_cells = n_blocks * site->items.n_blocks,
                  .n_parts = strads_cores()};
    /* What they count must not take more than what they sort. */
    const size_t most = train->n / (it.n_cells + 1) + 1;
    it.n_parts = it.n_parts < most ? it.n_parts : most;
    site->cells = strads_calloc(n_blocks, sizeof(*site->cells));
    strads_status status = site->cells == NULL ? STRADS_ERR_NOMEM : sort_ratings(&it);
    if (status == STRADS_OK) {
        status = strads_parallel_for(strads_cores(), n_blocks, group_blocks, &it);
    }
    strads_free(it.ratings);
    strads_free(it.starts);
    strads_free(it.at);
    strads_free(it.users);
    strads_free(it.items);
    return status;
}

void mf_cells_destroy(mf_site *site)
{
    const size_t n_blocks = (size_t) (site->end - site->first) * site->user_blocks;
    for (size_t b = 0; b < n_blocks && site->cells != NULL; b++) {
        strads_free(site->cells[b].groups);
        strads_free(site->cells[b].starts);
        strads_free(site->cells[b].n_ratings);
    }
    strads_free(site->cells);
    site->cells = NULL;
}

/* ---- the test ratings ---- */

/* Whose, and of which column, a test rating is: an unseen user's is any worker's, with the
 * padding row, of which the prediction has nothing. */
static size_t pair_cell(const mf_site *site, size_t i, const data_rating *rating)
{
    const uint32_t worker = rating->row == DATA_UNSEEN ? (uint32_t) (i % site->n_workers)
                                                       : site->users.place[rating->row] /
                                                             site->users.n_each / site->user_blocks;
    const uint32_t column = rating->column == DATA_UNSEEN
                                ? (uint32_t) (i % site->items.n_blocks)
                                : site->items.place[rating->column] / site->items.n_each;
    return worker < site->first || worker >= site->end
               ? SIZE_MAX
               : (size_t) (worker - site->first) * site->items.n_blocks + column;
}

static mf_pair pair_of(const mf_site *site, const data_rating *rating)
{
    const uint32_t own = site->user_blocks * site->users.n_each;
    mf_pair pair = {.value = rating->value};
    if (rating->row != DATA_UNSEEN) {
        pair.row = (uint32_t) mf_row_of(&site->users, site->users.place[rating->row] % own);
    }
    if (rating->column != DATA_UNSEEN) {
        pair.column = site->items.place[rating->column] % site->items.n_each + 1;
    }
    return pair;
}

/* Nothing was learnt of the user or the item: of all its ratings none is to train on. */
static bool is_unseen(const mf_site *site, const data_rating *rating)
{
    return rating->row == DATA_UNSEEN || rating->column == DATA_UNSEEN ||
           site->users.count[rating->row] == 0 || site->items.count[rating->column] == 0;
}

strads_status mf_pairs_create(mf_site *site, const data_ratings *test)
{
    const size_t n_cells = (size_t) (site->end - site->first) * site->items.n_blocks;
    size_t *starts = strads_calloc(n_cells + 2, sizeof(*starts));
    site->pair_starts = starts;
    if (starts == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < test->n; i++) {
        const size_t cell = pair_cell(site, i, &test->entries[i]);
        site->n_unseen += is_unseen(site, &test->entries[i]);
        if (cell != SIZE_MAX) {
            starts[cell + 2]++;
        }
    }
    for (size_t c = 2; c < n_cells + 2; c++) {
        starts[c] += starts[c - 1];
    }
    site->pairs = strads_alloc_array(starts[n_cells + 1], sizeof(*site->pairs));
    if (site->pairs == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < test->n; i++) {
        const size_t cell = pair_cell(site, i, &test->entries[i]);
        if (cell != SIZE_MAX) {
            site->pairs[starts[cell + 1]++] = pair_of(site, &test->entries[i]);
        }
    }
    return STRADS_OK;
}
