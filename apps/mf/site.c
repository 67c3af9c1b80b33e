/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/site.c - the ratings of a run, as its processes have them.
 *
 * All processes read all ratings and cut them alike; each keeps those of its own users.
 */
#include <math.h>
#include <string.h>

#include "apps/mf/ccd.h"

/* How large blocks are at most: so many bytes, which the second cache holds. But a group has no two
 * ratings of the same user or item, so a cell in which one has more than a sixteenth of the ratings
 * leaves lanes empty; and the smaller cells are, the more do. So blocks are of so many users and
 * items whatever their bytes, where that leaves each worker a few blocks. Rows come to the few
 * columns that are in the nearest cache as a stream, which need not end within the second.
 *
 * Then how many users come between two trips of an item block: what the second cache holds beside
 * it, but no more than that many; and how many times as many where a trip is a message to another
 * process. */
enum {
    USER_BLOCK_BYTES = 180 * 1024,
    ITEM_BLOCK_BYTES = 288 * 1024,
    USERS_A_BLOCK = 2000,
    ITEMS_A_BLOCK = 1280,
    BLOCKS_A_WORKER = 4,
    TRIP_BYTES = 1024 * 1024,
    USERS_A_TRIP = 4000,
    FARTHER = 4
};

/* ---- reading ---- */

static strads_status hold_out(data_ratings *train, data_ratings *test, const strads_config *config,
                              bool latest)
{
    const double fraction = strads_config_real(config, "data.test_fraction");
    const uint64_t seed = (uint64_t) strads_config_int(config, "run.seed");
    return latest ? data_ratings_split_latest(train, test, fraction)
                  : data_ratings_split(train, test, fraction, seed);
}

static bool splits_by_time(const strads_config *config)
{
    return strcmp(strads_config_text(config, "data.split"), "latest") == 0 &&
           strads_config_text(config, "data.test") == NULL;
}

static strads_status find_source(const strads_config *config, data_ratings_source *out)
{
    *out = (data_ratings_source){
        .path = strads_config_text(config, "data.train"),
        .times = splits_by_time(config),
        .cache = strads_config_bool(config, "data.cache") ? "" : NULL,
    };
    if (out->path == NULL) {
        strads_error("data.train is not set: name the file with the ratings, in the configuration "
                     "or by --set data.train=FILE");
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

strads_status mf_measure_ratings(const strads_config *config, data_ratings_size *out)
{
    data_ratings_source source;
    const strads_status status = find_source(config, &source);
    return status == STRADS_OK ? data_ratings_measure(out, &source) : status;
}

static strads_status read_ratings(data_ratings *train, data_ratings *test,
                                  const strads_config *config)
{
    const char *test_path = strads_config_text(config, "data.test");
    data_ratings_source source;
    strads_status status = find_source(config, &source);
    if (status == STRADS_OK) {
        status = data_ratings_read(train, &source);
    }
    if (status != STRADS_OK) {
        return status;
    }
    if (test_path != NULL) {
        source.path = test_path;
        status = data_ratings_read_test(test, train, &source);
    } else {
        status = hold_out(train, test, config, splits_by_time(config));
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

static strads_status set_scale(mf_site *site, const mf_moments *moments)
{
    const double mean = moments->mean;
    const double unit = sqrt(moments->variance);
    /* Where all ratings are the same there is nothing to scale. */
    site->scale =
        (mf_scale){.mean = (float) mean, .unit = unit > 1e-6 * fabs(mean) ? (float) unit : 1.0f};
    if (!isfinite(site->scale.mean) || !isfinite(site->scale.unit)) {
        strads_error("%s: the ratings' mean is %g and their variance %g: they are too large",
                     strads_config_text(site->config, "data.train"), mean, moments->variance);
        return STRADS_ERR_DATA;
    }
    site->lambda /= (double) site->scale.unit;
    return STRADS_OK;
}

/* ---- cutting ---- */

/* How many rows these bytes hold. */
static uint32_t rows_of(const mf_site *site, uint32_t bytes)
{
    return bytes / (site->layout.stride * (uint32_t) sizeof(float));
}

static uint32_t least_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t most_of(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* How many of n rows a block has at most. */
static uint32_t rows_a_block(const mf_site *site, uint32_t n, uint32_t bytes, uint32_t enough)
{
    const uint32_t n_blocks = BLOCKS_A_WORKER * site->n_workers;
    const uint32_t many = least_of(enough, n / n_blocks + (n % n_blocks > 0));
    const uint32_t rows = most_of(many, rows_of(site, bytes));
    return most_of(1, least_of(rows, mf_layout_rows_max(&site->layout)));
}

/* How many of a worker's blocks an item block meets between two trips. Where columns roam, few
 * users: at the end of a pass all wait for the last one. A deterministic run does
 * not hang on how many processes there are. */
static uint32_t blocks_a_trip(const mf_site *site, bool roams)
{
    const bool far = site->end - site->first < site->n_workers &&
                     !strads_config_bool(site->config, "run.deterministic");
    const uint32_t n_each = site->users.n_each;
    const uint32_t users = roams ? USERS_A_BLOCK
                           : far ? FARTHER * USERS_A_TRIP
                                 : least_of(USERS_A_TRIP, rows_of(site, TRIP_BYTES));
    const uint32_t n_near = (users + (roams ? 0 : n_each / 2)) / n_each;
    return most_of(1, least_of(n_near, site->user_blocks));
}

static strads_status cut(mf_site *site, const data_ratings *train)
{
    const bool roams = strcmp(strads_config_text(site->config, "schedule.kind"), "free") == 0;
    const bool whole = mf_ccd_is_on(site->config); /* all workers have all items */
    const uint32_t n = site->n_workers;
    const uint32_t least = whole ? 1 : roams ? 2 * n : n;
    const uint32_t n_users = train->ids[DATA_USERS].n;
    const uint32_t n_items = train->ids[DATA_ITEMS].n;
    mf_moments moments = {.mean = 0.0};
    strads_status status = mf_cut_init(
        &site->items, n_items, least,
        whole ? UINT32_MAX : rows_a_block(site, n_items, ITEM_BLOCK_BYTES, ITEMS_A_BLOCK));
    if (status == STRADS_OK) {
        status = mf_cut_init(&site->users, n_users, n,
                             rows_a_block(site, n_users, USER_BLOCK_BYTES, USERS_A_BLOCK));
    }
    if (status == STRADS_OK) {
        status = mf_cut_count(&site->users, &site->items, train, &moments);
    }
    if (status == STRADS_OK) {
        status = set_scale(site, &moments);
    }
    if (status == STRADS_OK) {
        status = mf_cut_deal(&site->users, site->seed, DATA_USERS);
    }
    if (status == STRADS_OK) {
        status = mf_cut_deal(&site->items, site->seed, DATA_ITEMS);
    }
    if (status == STRADS_OK) {
        site->user_blocks = site->users.n_blocks / n;
        site->blocks_a_row = blocks_a_trip(site, roams);
    }
    return status;
}

float mf_lambda_of(const mf_site *site, const mf_cut *of, uint32_t place)
{
    const uint32_t row = of->index[place];
    return row == UINT32_MAX || of->count[row] == 0
               ? 0.0f
               : (float) (site->weighted ? site->lambda : site->lambda / of->count[row]);
}

/* ---- life ---- */

static strads_status fill(mf_site *site, data_ratings *train, const data_ratings *test)
{
    const mf_sizes sizes = {.n_train = train->n,
                            .n_test = test->n,
                            .n_users = train->ids[DATA_USERS].n,
                            .n_items = train->ids[DATA_ITEMS].n,
                            .n_workers = site->n_workers,
                            .n_mine = site->end - site->first};
    site->n_train = train->n;
    site->n_test = test->n;
    site->n_duplicates = train->n_duplicates;
    strads_status status = mf_check_memory(site->config, &sizes);
    if (status == STRADS_OK) {
        status = cut(site, train);
    }
    if (status == STRADS_OK) {
        status =
            mf_ccd_is_on(site->config) ? mf_ccd_sort(site, train) : mf_cells_create(site, train);
    }
    return status == STRADS_OK ? mf_pairs_create(site, test) : status;
}

strads_status mf_open_site(const strads_config *config, strads_part *part, void **out)
{
    data_ratings train = {.n = 0};
    data_ratings test = {.n = 0};
    strads_status status = mf_ccd_check(config);
    if (status == STRADS_OK) {
        status = read_ratings(&train, &test, config);
    }
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
    site->seed = (uint64_t) strads_config_int(config, "run.seed");
    site->lambda = strads_config_real(config, "mf.lambda");
    site->step = strads_config_real(config, "mf.step");
    site->decay = strads_config_real(config, "mf.decay");
    site->weighted = strads_config_bool(config, "mf.weighted");
    site->biases = strads_config_bool(config, "mf.biases");
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
    data_ratings ids = {.n = 0};
    memcpy(ids.ids, site->ids, sizeof(ids.ids));
    data_ratings_fini(&ids);
    mf_cells_destroy(site);
    mf_ccd_unsort(site);
    strads_free(site->pairs);
    strads_free(site->pair_starts);
    mf_cut_fini(&site->users);
    mf_cut_fini(&site->items);
    strads_free(site);
}

strads_status mf_describe(const void *context, strads_structure *structure)
{
    const mf_site *site = context;
    structure->n_vars = mf_ccd_is_on(site->config) ? site->layout.rank : site->items.n_blocks;
    structure->split = STRADS_SPLIT_SAMPLES;
    return STRADS_OK;
}

uint32_t mf_n_rows(const void *context)
{
    const mf_site *site = context;
    return (site->user_blocks + site->blocks_a_row - 1) / site->blocks_a_row;
}
