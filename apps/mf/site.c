/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/site.c - the ratings, cut into blocks that carry about the same load, and grouped
 * for the kernels.
 *
 * All processes read all ratings and cut them alike; each keeps the groups of its own users.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/mf/mf.h"
#include "base/random.h"
#include "base/tasks.h"

/* What fits beside each other in a core's cache, and how many users come between two trips of
 * an item block. */
enum { USER_BLOCK_BYTES = 180 * 1024, ITEM_BLOCK_BYTES = 288 * 1024, USERS_A_TRIP = 4000 };

/* Streams of run.seed; those of rows begin behind them. */
enum { STREAM_TIES = 1, STREAMS_A_SIDE = 16 };

/* ---- reading ---- */

static strads_status hold_out(data_ratings *train, data_ratings *test, const strads_config *config,
                              bool latest)
{
    const double fraction = strads_config_real(config, "data.test_fraction");
    const uint64_t seed = (uint64_t) strads_config_int(config, "run.seed");
    return latest ? data_ratings_split_latest(train, test, fraction)
                  : data_ratings_split(train, test, fraction, seed);
}

static strads_status read_ratings(data_ratings *train, data_ratings *test,
                                  const strads_config *config)
{
    const char *test_path = strads_config_text(config, "data.test");
    const bool latest = strcmp(strads_config_text(config, "data.split"), "latest") == 0;
    data_ratings_source source = {
        .path = strads_config_text(config, "data.train"),
        .times = latest && test_path == NULL,
        .cache = strads_config_bool(config, "data.cache") ? "" : NULL,
    };
    if (source.path == NULL) {
        strads_error("data.train is not set: name the file with the ratings, in the configuration "
                     "or by --set data.train=FILE");
        return STRADS_ERR_USAGE;
    }
    strads_status status = data_ratings_read(train, &source);
    if (status != STRADS_OK) {
        return status;
    }
    if (test_path != NULL) {
        source.path = test_path;
        status = data_ratings_read_test(test, train, &source);
    } else {
        status = hold_out(train, test, config, latest);
    }
    if (status == STRADS_OK && train->n == 0) {
        strads_error("%s: there is no rating left to train on",
                     strads_config_text(config, "data.train"));
        status = STRADS_ERR_DATA;
    }
    if (status != STRADS_OK) {
        data_ratings_fini(train);
    }
    return status;
}

static strads_status find_scale(mf_site *site, const data_ratings *train)
{
    double sum = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < train->n; i++) {
        sum += train->entries[i].value;
        squares += (double) train->entries[i].value * train->entries[i].value;
    }
    const double mean = sum / (double) train->n;
    const double variance = fmax(squares / (double) train->n - mean * mean, 0.0);
    const double unit = sqrt(variance);
    /* Where all ratings are the same there is nothing to scale. */
    site->scale =
        (mf_scale){.mean = (float) mean, .unit = unit > 1e-6 * fabs(mean) ? (float) unit : 1.0f};
    if (!isfinite(site->scale.mean) || !isfinite(site->scale.unit)) {
        strads_error("%s: the ratings' mean is %g and their variance %g: they are too large",
                     strads_config_text(site->config, "data.train"), mean, variance);
        return STRADS_ERR_DATA;
    }
    return STRADS_OK;
}

/* ---- cutting ---- */

typedef struct ranked {
    uint32_t row, count, tie;
} ranked;

static int by_count(const void *left, const void *right)
{
    const ranked *a = left;
    const ranked *b = right;
    if (a->count != b->count) {
        return a->count < b->count ? 1 : -1;
    }
    return a->tie != b->tie ? (a->tie < b->tie ? -1 : 1) : (a->row < b->row ? -1 : 1);
}

/* Deals rows to the blocks to and fro, those with most ratings first. */
static strads_status deal(mf_cut *cut, uint64_t seed, uint64_t side)
{
    ranked *rows = strads_alloc_array(cut->n, sizeof(*rows));
    strads_random ties = strads_random_start(seed, STREAM_TIES + STREAMS_A_SIDE * side);
    if (rows == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < cut->n; i++) {
        rows[i] = (ranked){.row = i, .count = cut->count[i], .tie = strads_random_bits(&ties)};
    }
    qsort(rows, cut->n, sizeof(*rows), by_count);
    for (uint32_t k = 0; k < cut->n; k++) {
        const uint32_t turn = k / cut->n_blocks;
        const uint32_t at = k % cut->n_blocks;
        const uint32_t block = turn % 2 == 0 ? at : cut->n_blocks - 1 - at;
        cut->place[rows[k].row] = block * cut->n_each + turn;
        cut->index[block * cut->n_each + turn] = rows[k].row;
    }
    strads_free(rows);
    return STRADS_OK;
}

/* At least `least` blocks, doubled until each has at most so many rows. */
static strads_status cut_rows(mf_cut *cut, uint32_t n, uint32_t least, uint32_t most)
{
    uint32_t n_blocks = least;
    while ((n + n_blocks - 1) / n_blocks > most) {
        n_blocks *= 2;
    }
    const uint32_t n_each = (n + n_blocks - 1) / n_blocks;
    *cut = (mf_cut){.n = n, .n_blocks = n_blocks, .n_each = n_each};
    cut->place = strads_alloc_array(n, sizeof(*cut->place));
    cut->count = strads_calloc(n, sizeof(*cut->count));
    cut->index = strads_alloc_array((size_t) n_blocks * n_each, sizeof(*cut->index));
    if (cut->place == NULL || cut->count == NULL || cut->index == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memset(cut->index, 0xff, (size_t) n_blocks * n_each * sizeof(*cut->index));
    return STRADS_OK;
}

static void cut_fini(mf_cut *cut)
{
    strads_free(cut->place);
    strads_free(cut->count);
    strads_free(cut->index);
}

static uint32_t rows_of(const mf_site *site, uint32_t bytes)
{
    const uint32_t rows = bytes / (site->layout.stride * (uint32_t) sizeof(float));
    const uint32_t most = mf_layout_rows_max(&site->layout);
    return rows < 1 ? 1 : rows < most ? rows : most;
}

static strads_status cut(mf_site *site, const data_ratings *train, uint64_t seed)
{
    const bool roams = strcmp(strads_config_text(site->config, "schedule.kind"), "free") == 0;
    const uint32_t n = site->n_workers;
    strads_status status =
        cut_rows(&site->users, train->ids[DATA_USERS].n, 8 * n, rows_of(site, USER_BLOCK_BYTES));
    if (status == STRADS_OK) {
        status = cut_rows(&site->items, train->ids[DATA_ITEMS].n, roams ? 4 * n : n,
                          rows_of(site, ITEM_BLOCK_BYTES));
    }
    for (size_t i = 0; i < train->n && status == STRADS_OK; i++) {
        site->users.count[train->entries[i].row]++;
        site->items.count[train->entries[i].column]++;
    }
    if (status == STRADS_OK) {
        status = deal(&site->users, seed, 0);
    }
    if (status == STRADS_OK) {
        status = deal(&site->items, seed, 1);
    }
    if (status == STRADS_OK) {
        const uint32_t a_trip = USERS_A_TRIP / site->users.n_each;
        site->user_blocks = site->users.n_blocks / n;
        site->blocks_a_row = a_trip < 1                   ? 1
                             : a_trip < site->user_blocks ? a_trip
                                                          : site->user_blocks;
    }
    return status;
}

float mf_lambda_of(const mf_site *site, const mf_cut *of, uint32_t place)
{
    const double lambda = strads_config_real(site->config, "mf.lambda") / site->scale.unit;
    const uint32_t row = of->index[place];
    const bool weighted = strads_config_bool(site->config, "mf.weighted");
    return row == UINT32_MAX || of->count[row] == 0 ? 0.0f
           : weighted                               ? (float) lambda
                                                    : (float) (lambda / of->count[row]);
}

/* ---- grouping ---- */

/* The ratings of this process, by cell. */
typedef struct sorted {
    mf_site *site;
    mf_rating *ratings;
    size_t *starts; /* [n_cells + 1] */
    uint64_t seed;
} sorted;

/* The cell of a rating among those of this process; SIZE_MAX: another's. */
static size_t cell_of(const mf_site *site, const data_rating *rating)
{
    const uint32_t block = site->users.place[rating->row] / site->users.n_each;
    const uint32_t first = site->first * site->user_blocks;
    if (block < first || block >= site->end * site->user_blocks) {
        return SIZE_MAX;
    }
    return (size_t) (block - first) * site->items.n_blocks +
           site->items.place[rating->column] / site->items.n_each;
}

/* A counting sort; starts[c + 1] runs ahead of cell c while it is filled. */
static strads_status sort_ratings(sorted *out, const data_ratings *train)
{
    const mf_site *site = out->site;
    const size_t n_cells =
        (size_t) (site->end - site->first) * site->user_blocks * site->items.n_blocks;
    size_t *starts = strads_calloc(n_cells + 2, sizeof(*starts));
    out->starts = starts;
    if (starts == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < train->n; i++) {
        const size_t cell = cell_of(site, &train->entries[i]);
        if (cell != SIZE_MAX) {
            starts[cell + 2]++;
        }
    }
    for (size_t c = 2; c < n_cells + 2; c++) {
        starts[c] += starts[c - 1];
    }
    out->ratings = strads_alloc_array(starts[n_cells + 1], sizeof(*out->ratings));
    if (out->ratings == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < train->n; i++) {
        const data_rating *from = &train->entries[i];
        const size_t cell = cell_of(site, from);
        if (cell != SIZE_MAX) {
            out->ratings[starts[cell + 1]++] = (mf_rating){
                .row = (uint16_t) (site->users.place[from->row] % site->users.n_each),
                .column = (uint16_t) (site->items.place[from->column] % site->items.n_each),
                .value = (from->value - site->scale.mean) / site->scale.unit};
        }
    }
    return STRADS_OK;
}

/* Groups the cells of one block of users. */
static strads_status group_block(const sorted *from, mf_arranger *arranger, size_t b)
{
    const mf_site *site = from->site;
    const uint32_t n_columns = site->items.n_blocks;
    mf_cells *to = &site->cells[b];
    size_t capacity = 0;
    to->starts = strads_calloc(n_columns + 1, sizeof(*to->starts));
    strads_status status = to->starts == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (uint32_t c = 0; c < n_columns && status == STRADS_OK; c++) {
        const size_t cell = b * n_columns + c;
        const mf_block block = {.ratings = from->ratings + from->starts[cell],
                                .n = from->starts[cell + 1] - from->starts[cell],
                                .n_rows = site->users.n_each,
                                .n_columns = site->items.n_each,
                                .lines = site->layout.stride / MF_LINE};
        const uint64_t seed = from->seed + (site->first * site->user_blocks + b) * n_columns + c;
        const mf_group *groups = NULL;
        size_t n = 0;
        status = mf_arrange(arranger, &block, seed, &groups, &n);
        if (status == STRADS_OK) {
            status = strads_reserve(&to->groups, &capacity, to->starts[c] + n, sizeof(*groups));
        }
        if (status == STRADS_OK) {
            if (n > 0) {
                memcpy(to->groups + to->starts[c], groups, n * sizeof(*groups));
            }
            to->starts[c + 1] = to->starts[c] + n;
        }
    }
    return status;
}

static strads_status group_blocks(void *context, size_t first, size_t last)
{
    const sorted *from = context;
    mf_arranger *arranger = NULL;
    strads_status status = mf_arranger_create(&arranger);
    for (size_t b = first; b < last && status == STRADS_OK; b++) {
        status = group_block(from, arranger, b);
    }
    mf_arranger_destroy(arranger);
    return status;
}

static strads_status group(mf_site *site, const data_ratings *train, uint64_t seed)
{
    const size_t n_blocks = (size_t) (site->end - site->first) * site->user_blocks;
    sorted by_cell = {.site = site, .seed = seed << 32};
    site->cells = strads_calloc(n_blocks, sizeof(*site->cells));
    strads_status status = site->cells == NULL ? STRADS_ERR_NOMEM : sort_ratings(&by_cell, train);
    if (status == STRADS_OK) {
        status = strads_parallel_for(strads_cores(), n_blocks, group_blocks, &by_cell);
    }
    strads_free(by_cell.ratings);
    strads_free(by_cell.starts);
    return status;
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

static strads_status sort_pairs(mf_site *site, const data_ratings *test)
{
    const size_t n_cells = (size_t) (site->end - site->first) * site->items.n_blocks;
    size_t *starts = strads_calloc(n_cells + 2, sizeof(*starts));
    site->pair_starts = starts;
    if (starts == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < test->n; i++) {
        const size_t cell = pair_cell(site, i, &test->entries[i]);
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

/* ---- life ---- */

static strads_status fill(mf_site *site, const data_ratings *train, const data_ratings *test)
{
    const uint64_t seed = (uint64_t) strads_config_int(site->config, "run.seed");
    site->n_train = train->n;
    site->n_test = test->n;
    site->n_unseen = test->n_unseen;
    site->n_duplicates = train->n_duplicates;
    strads_status status = find_scale(site, train);
    if (status == STRADS_OK) {
        status = cut(site, train, seed);
    }
    if (status == STRADS_OK) {
        status = group(site, train, seed);
    }
    return status == STRADS_OK ? sort_pairs(site, test) : status;
}

strads_status mf_open_site(const strads_config *config, strads_part *part, void **out)
{
    data_ratings train = {.n = 0};
    data_ratings test = {.n = 0};
    strads_status status = read_ratings(&train, &test, config);
    if (status != STRADS_OK) {
        return status;
    }
    mf_site *site = strads_calloc(1, sizeof(*site));
    if (site == NULL) {
        status = STRADS_ERR_NOMEM;
        goto done;
    }
    const uint32_t me = strads_part_index(part);
    site->config = config;
    site->n_workers = strads_part_rank(part, strads_part_count(part));
    site->first = strads_part_rank(part, me);
    site->end = strads_part_rank(part, me + 1);
    site->layout = mf_layout_of((uint32_t) strads_config_int(config, "mf.rank"));
    site->kernels = mf_kernels_choose(strads_config_bool(config, "run.deterministic"));
    status = fill(site, &train, &test);
    if (status != STRADS_OK) {
        mf_close_site(site);
        goto done;
    }
    for (int side = 0; side < DATA_N_SIDES; side++) { /* the ids stay */
        site->ids[side] = train.ids[side];
        train.ids[side] = (data_ids){.n = 0};
    }
    *out = site;

done:
    data_ratings_fini(&test);
    data_ratings_fini(&train);
    return status;
}

void mf_close_site(void *context)
{
    mf_site *site = context;
    const size_t n_blocks = (size_t) (site->end - site->first) * site->user_blocks;
    for (size_t b = 0; b < n_blocks && site->cells != NULL; b++) {
        strads_free(site->cells[b].groups);
        strads_free(site->cells[b].starts);
    }
    data_ratings ids = {.n = 0};
    memcpy(ids.ids, site->ids, sizeof(ids.ids));
    data_ratings_fini(&ids);
    strads_free(site->cells);
    strads_free(site->pairs);
    strads_free(site->pair_starts);
    cut_fini(&site->users);
    cut_fini(&site->items);
    strads_free(site);
}

strads_status mf_describe(const void *context, strads_structure *structure)
{
    const mf_site *site = context;
    structure->n_vars = site->items.n_blocks;
    structure->split = STRADS_SPLIT_SAMPLES;
    return STRADS_OK;
}

uint32_t mf_n_rows(const void *context)
{
    const mf_site *site = context;
    return (site->user_blocks + site->blocks_a_row - 1) / site->blocks_a_row;
}
