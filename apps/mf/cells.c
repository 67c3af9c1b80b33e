/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/cells.c - the ratings of a process by cell: those to train on grouped for the
 * kernels, those to test by as pairs.
 */
#include <string.h>
#include <unistd.h>

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

static void count_stretch(const sorting *it, size_t *at, const data_rating *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const size_t cell =
            cell_of(it->site, it->users[entries[i].row].block, it->items[entries[i].column].block);
        if (cell != SIZE_MAX) {
            at[cell]++;
        }
    }
}

static strads_status count_parts(void *context, size_t first, size_t last)
{
    const sorting *it = context;
    const data_ratings *train = it->train;
    for (size_t p = first; p < last; p++) {
        size_t *at = it->at + p * it->n_cells;
        const size_t end = train->n * (p + 1) / it->n_parts;
        for (size_t i = train->n * p / it->n_parts; i < end; i += STRETCH) {
            const size_t n = end - i < STRETCH ? end - i : STRETCH;
            count_stretch(it, at, train->entries + i, n);
            data_ratings_set_aside(train, i, n);
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
static void use_up(const data_ratings *train, size_t first, size_t n)
{
    if (train->map != NULL) {
        data_ratings_set_aside(train, first, n);
    } else {
        strads_discard(train->entries + first, n * sizeof(*train->entries));
    }
}

static strads_status place_parts(void *context, size_t first, size_t last)
{
    const sorting *it = context;
    const data_ratings *train = it->train;
    for (size_t p = first; p < last; p++) {
        const size_t end = train->n * (p + 1) / it->n_parts;
        for (size_t i = train->n * p / it->n_parts; i < end; i += STRETCH) {
            const size_t n = end - i < STRETCH ? end - i : STRETCH;
            place_stretch(it, it->at + p * it->n_cells, train->entries + i, n);
            use_up(train, i, n);
        }
    }
    return STRADS_OK;
}

/* at[n_parts][n_cells]: from how many a part has of each cell, where they begin, cell by cell in
 * the order of the parts; starts[n_cells + 1] likewise, of all parts. */
static void find_starts(size_t *at, size_t n_parts, size_t n_cells, size_t *starts)
{
    size_t n = 0;
    for (size_t c = 0; c < n_cells; c++) {
        starts[c] = n;
        for (size_t p = 0; p < n_parts; p++) {
            size_t *next = at + p * n_cells + c;
            const size_t here = *next;
            *next = n;
            n += here;
        }
    }
    starts[n_cells] = n;
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
    find_starts(it->at, it->n_parts, it->n_cells, it->starts);
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

/* What parts count must not take more than what they sort. Where ratings are nowhere but in
 * memory, neither must the pages that a part has begun, one of each cell, before many of the
 * ratings are used up: this is where a run has its most. */
static size_t count_sorting_parts(const data_ratings *train, size_t n_cells)
{
    const size_t page = (size_t) sysconf(_SC_PAGESIZE);
    const size_t most = train->map != NULL
                            ? train->n / (n_cells + 1)
                            : train->n * sizeof(*train->entries) / 16 / (n_cells * page);
    const size_t n_cores = strads_cores();
    return most < 1 ? 1 : most < n_cores ? most : n_cores;
}

strads_status mf_cells_create(mf_site *site, data_ratings *train)
{
    const size_t n_blocks = (size_t) (site->end - site->first) * site->user_blocks;
    sorting it = {.site = site, .train = train, .n_cells = n_blocks * site->items.n_blocks};
    it.n_parts = count_sorting_parts(train, it.n_cells);
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

/* Whose a test rating is, or which column's, and its row there. */
typedef struct pair_side {
    uint32_t owner; /* a worker, or a column */
    uint32_t row;   /* in all of the owner's */
} pair_side;

/* A sort by worker and column, by parts of the ratings side by side. */
typedef struct pairing {
    const mf_site *site;
    const data_ratings *test;
    pair_side *users, *items;
    size_t n_cells, n_parts;
    size_t *at;       /* [n_parts][n_cells] as in sorting */
    size_t *n_unseen; /* [n_parts] */
} pairing;

/* Of all rows of a cut whose owners have so many blocks each. */
static pair_side *sides_of(const mf_cut *cut, uint32_t n_blocks)
{
    const uint32_t own = n_blocks * cut->n_each;
    pair_side *sides = strads_alloc_array(cut->n, sizeof(*sides));
    for (uint32_t i = 0; i < cut->n && sides != NULL; i++) {
        const uint32_t place = cut->place[i];
        sides[i] = (pair_side){.owner = place / own, .row = (uint32_t) mf_row_of(cut, place % own)};
    }
    return sides;
}

/* An unseen user's rating is any worker's, with the padding row, of which the prediction has
 * nothing; items alike. */
static pair_side side_of(const pair_side *sides, uint32_t row, size_t i, uint32_t n_owners)
{
    return row != DATA_UNSEEN ? sides[row] : (pair_side){.owner = (uint32_t) (i % n_owners)};
}

/* The cell of test rating i among those of this process, SIZE_MAX: another's; and what it is
 * there. */
static size_t find_pair(const pairing *it, size_t i, mf_pair *out)
{
    const mf_site *site = it->site;
    const data_rating *rating = &it->test->entries[i];
    const pair_side user = side_of(it->users, rating->row, i, site->n_workers);
    const pair_side item = side_of(it->items, rating->column, i, site->items.n_blocks);
    *out = (mf_pair){.row = user.row, .column = item.row, .value = rating->value};
    return user.owner < site->first || user.owner >= site->end
               ? SIZE_MAX
               : (size_t) (user.owner - site->first) * site->items.n_blocks + item.owner;
}

/* Nothing was learnt of the user or the item: of all its ratings none is to train on. */
static bool is_unseen(const mf_site *site, const data_rating *rating)
{
    return rating->row == DATA_UNSEEN || rating->column == DATA_UNSEEN ||
           site->users.count[rating->row] == 0 || site->items.count[rating->column] == 0;
}

static size_t first_of(const pairing *it, size_t part)
{
    return it->test->n * part / it->n_parts;
}

static strads_status count_pairs(void *context, size_t first, size_t last)
{
    const pairing *it = context;
    for (size_t p = first; p < last; p++) {
        size_t *at = it->at + p * it->n_cells;
        size_t n_unseen = 0;
        for (size_t i = first_of(it, p); i < first_of(it, p + 1); i++) {
            mf_pair pair;
            const size_t cell = find_pair(it, i, &pair);
            n_unseen += is_unseen(it->site, &it->test->entries[i]);
            if (cell != SIZE_MAX) {
                at[cell]++;
            }
        }
        it->n_unseen[p] = n_unseen;
    }
    return STRADS_OK;
}

static strads_status place_pairs(void *context, size_t first, size_t last)
{
    const pairing *it = context;
    for (size_t p = first; p < last; p++) {
        size_t *at = it->at + p * it->n_cells;
        for (size_t i = first_of(it, p); i < first_of(it, p + 1); i++) {
            mf_pair pair;
            const size_t cell = find_pair(it, i, &pair);
            if (cell != SIZE_MAX) {
                it->site->pairs[at[cell]++] = pair;
            }
        }
    }
    return STRADS_OK;
}

static strads_status sort_pairs(mf_site *site, pairing *it)
{
    const uint32_t n_threads = (uint32_t) it->n_parts;
    it->at = strads_calloc(it->n_parts, it->n_cells * sizeof(*it->at));
    it->n_unseen = strads_calloc(it->n_parts, sizeof(*it->n_unseen));
    it->users = sides_of(&site->users, site->user_blocks);
    it->items = sides_of(&site->items, 1);
    site->pair_starts = strads_alloc_array(it->n_cells + 1, sizeof(*site->pair_starts));
    if (it->at == NULL || it->n_unseen == NULL || it->users == NULL || it->items == NULL ||
        site->pair_starts == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_status status = strads_parallel_for(n_threads, it->n_parts, count_pairs, it);
    if (status != STRADS_OK) {
        return status;
    }
    find_starts(it->at, it->n_parts, it->n_cells, site->pair_starts);
    for (size_t p = 0; p < it->n_parts; p++) {
        site->n_unseen += it->n_unseen[p];
    }
    site->pairs = strads_alloc_array(site->pair_starts[it->n_cells], sizeof(*site->pairs));
    return site->pairs == NULL ? STRADS_ERR_NOMEM
                               : strads_parallel_for(n_threads, it->n_parts, place_pairs, it);
}

strads_status mf_pairs_create(mf_site *site, const data_ratings *test)
{
    pairing it = {.site = site,
                  .test = test,
                  .n_cells = (size_t) (site->end - site->first) * site->items.n_blocks,
                  .n_parts = strads_cores()};
    const strads_status status = sort_pairs(site, &it);
    strads_free(it.at);
    strads_free(it.n_unseen);
    strads_free(it.users);
    strads_free(it.items);
    return status;
}
