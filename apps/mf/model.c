/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/mf/model.c - the coordinator: how good the epochs are, and what is left behind. */
#include <math.h>
#include <string.h>

#include "apps/mf/ccd.h"
#include "apps/mf/saved.h"
#include "apps/mf/tables.h"
#include "data/data.h"

/* A pass has diverged when its steps met more than this, ratings having variance 1. */
static const double DIVERGED = 2.0;
enum { MAX_BACK = 30 };

/* A line of summary.json's seconds_to. */
enum { EPOCH_NUMBER, EPOCH_SECONDS, EPOCH_RMSE, EPOCH_N };

typedef struct mf_model {
    const mf_site *site;
    uint32_t n_epochs, epoch; /* asked for; done */
    uint32_t n_back;
    double factor;
    bool was_put_back;         /* the scan that comes is of a state that was judged before */
    double (*epochs)[EPOCH_N]; /* [n_epochs + 1] */
    double mae;
    double seconds, steps; /* of all passes, those that diverged too */
    uint32_t best;
    double objective;              /* of ccd, at the last scan */
    double *factors[DATA_N_SIDES]; /* [rank][n], in units of the ratings */
    double *biases[DATA_N_SIDES];  /* [n] alike */
} mf_model;

static const mf_cut *cut_of(const mf_site *site, int side)
{
    return side == DATA_USERS ? &site->users : &site->items;
}

strads_status mf_open_model(const strads_config *config, const void *site, void **out)
{
    mf_model *model = strads_calloc(1, sizeof(*model));
    if (model == NULL) {
        return STRADS_ERR_NOMEM;
    }
    model->site = site;
    model->n_epochs = (uint32_t) strads_config_int(config, "mf.epochs");
    model->factor = 1.0;
    model->epochs = strads_calloc(model->n_epochs + 1, sizeof(*model->epochs));
    bool whole = model->epochs != NULL;
    for (int side = 0; side < DATA_N_SIDES; side++) {
        const size_t n = cut_of(model->site, side)->n;
        model->factors[side] =
            strads_alloc_array(n, model->site->layout.rank * sizeof(**model->factors));
        model->biases[side] = strads_calloc(n, sizeof(**model->biases));
        whole = whole && model->factors[side] != NULL && model->biases[side] != NULL;
    }
    if (!whole) {
        mf_close_model(model);
        return STRADS_ERR_NOMEM;
    }
    *out = model;
    return STRADS_OK;
}

void mf_close_model(void *context)
{
    mf_model *model = context;
    for (int side = 0; side < DATA_N_SIDES; side++) {
        strads_free(model->factors[side]);
        strads_free(model->biases[side]);
    }
    strads_free(model->epochs);
    strads_free(model);
}

/* ---- epochs ---- */

/* NAN where nothing is held out. */
static double rmse_of(const mf_model *model, const strads_view *view)
{
    const size_t n = model->site->n_test;
    return n == 0 ? (double) NAN : sqrt(view->measures[MF_SQUARED] / (double) n);
}

static void note_epoch(mf_model *model, const strads_view *view)
{
    double *now = model->epochs[model->epoch];
    const double *best = model->epochs[model->best];
    now[EPOCH_NUMBER] = model->epoch;
    now[EPOCH_SECONDS] = model->seconds;
    now[EPOCH_RMSE] = rmse_of(model, view);
    model->mae = view->measures[MF_MAE];
    if (!(best[EPOCH_RMSE] <= now[EPOCH_RMSE])) {
        model->best = model->epoch;
    }
}

static strads_status go_back(mf_model *model, strads_stage *stage, double fitted)
{
    uint32_t to = model->epoch;
    while (!mf_is_kept(to)) {
        to--;
    }
    if (model->n_back == MAX_BACK) {
        strads_error("mf: the steps diverge, however short: halved %d times, to mf.step: %g",
                     MAX_BACK, model->factor * strads_config_real(model->site->config, "mf.step"));
        return STRADS_ERR_NUMERIC;
    }
    model->factor /= 2.0;
    model->n_back++;
    model->epoch = to;
    model->best = 0;
    for (uint32_t e = 1; e <= to; e++) {
        if (!(model->epochs[model->best][EPOCH_RMSE] <= model->epochs[e][EPOCH_RMSE])) {
            model->best = e;
        }
    }
    model->was_put_back = true;
    strads_warn(
        "mf: an epoch diverged, with a mean squared error of %.3g where the mean rating has "
        "1: goes on after epoch %u with half the step, mf.step: %g",
        fitted, to, model->factor * strads_config_real(model->site->config, "mf.step"));
    stage->params[MF_FACTOR] = model->factor;
    stage->params[MF_EPOCH] = to;
    stage->params[MF_BACK] = model->n_back;
    stage->changed = true;
    return STRADS_OK;
}

/* What a pass of descent took off its objective, as a share of it. */
static void judge_descent(mf_model *model, const strads_view *view, strads_stage *stage)
{
    const double now = view->measures[MF_OBJECTIVE];
    const double before = view->round == 0 ? INFINITY : model->objective;
    stage->gap = before > 0.0 ? 1.0 - now / before : 0.0;
    stage->done = stage->done || stage->gap <= strads_config_real(model->site->config, "stop.gap");
    model->objective = now;
}

strads_status mf_next_stage(void *context, const strads_view *view, strads_stage *stage)
{
    mf_model *model = context;
    const double fitted = view->measures[MF_FITTED] / fmax(view->measures[MF_STEPS], 1.0);
    const double rmse = rmse_of(model, view);
    model->seconds += view->measures[MF_SECONDS];
    model->steps += view->measures[MF_STEPS];
    stage->objective = rmse;
    if (model->was_put_back) {
        model->was_put_back = false;
        model->mae = view->measures[MF_MAE];
    } else if (view->round == 0) {
        note_epoch(model, view);
    } else if (!(fitted <= DIVERGED) || (model->site->n_test > 0 && !isfinite(rmse))) {
        return go_back(model, stage, fitted);
    } else {
        model->epoch++;
        note_epoch(model, view);
    }
    stage->nonzeros = 0;
    stage->done = model->epoch == model->n_epochs;
    if (mf_ccd_is_on(model->site->config)) {
        judge_descent(model, view, stage);
    }
    return STRADS_OK;
}

/* ---- what workers give ---- */

/* A block of rows, with its padding before it; from the framework's scale to the ratings'. */
static void take_block(mf_model *model, int side, uint32_t block, const float *rows)
{
    const mf_layout *layout = &model->site->layout;
    const mf_cut *cut = cut_of(model->site, side);
    const double root = sqrt((double) model->site->scale.unit);
    for (uint32_t k = 0; k < cut->n_each; k++) {
        const uint32_t row = cut->index[(size_t) block * cut->n_each + k];
        const float *from = rows + (size_t) (k + 1) * layout->stride;
        if (row == UINT32_MAX) {
            continue;
        }
        const double scale = root * (double) from[layout->width + MF_SCALE];
        for (uint32_t f = 0; f < layout->rank; f++) {
            model->factors[side][(size_t) f * cut->n + row] = scale * (double) from[f];
        }
        model->biases[side][row] =
            (double) model->site->scale.unit * (double) from[layout->width + MF_BIAS];
    }
}

/* Blocks of a side one after another, the first being block `first`. */
static void take_blocks(mf_model *model, int side, uint32_t first, uint32_t n, const float *rows)
{
    const size_t floats = mf_block_floats(model->site, cut_of(model->site, side));
    for (uint32_t b = 0; b < n; b++) {
        take_block(model, side, first + b, rows + b * floats);
    }
}

strads_status mf_take_rows(void *context, uint32_t rank, const void *data, size_t bytes)
{
    mf_model *model = context;
    const mf_site *site = model->site;
    const size_t floats = site->user_blocks * mf_block_floats(site, &site->users);
    const bool all = rank == 0 && (mf_uses_tables(site) || mf_ccd_is_on(site->config));
    const size_t due = (floats + (all ? mf_tables_floats(site) : 0)) * sizeof(float);
    if (bytes != due) {
        strads_error("mf: worker %u gave rows of %zu bytes; they have %zu", rank, bytes, due);
        return STRADS_ERR_DATA;
    }
    take_blocks(model, DATA_USERS, rank * site->user_blocks, site->user_blocks, data);
    if (all) {
        take_blocks(model, DATA_ITEMS, 0, site->items.n_blocks, (const float *) data + floats);
    }
    return STRADS_OK;
}

strads_status mf_take_column(void *context, uint32_t column, const void *data, size_t bytes)
{
    mf_model *model = context;
    const size_t due =
        sizeof(mf_column) + mf_block_floats(model->site, &model->site->items) * sizeof(float);
    if (bytes != due) {
        strads_error("mf: column %u was given with %zu bytes; it has %zu", column, bytes, due);
        return STRADS_ERR_DATA;
    }
    take_block(model, DATA_ITEMS, column, (const float *) ((const mf_column *) data + 1));
    return STRADS_OK;
}

/* ---- files ---- */

static strads_status write_array(const char *dir, const char *name, const double *values,
                                 size_t n_rows, size_t n_cols)
{
    const size_t bytes = strlen(dir) + strlen(name) + 2;
    char *path = strads_alloc(bytes);
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    snprintf(path, bytes, "%s/%s", dir, name);
    const strads_status status = data_npy_write(path, values, n_rows, n_cols);
    strads_free(path);
    return status;
}

/* The ids, one a line, in the order of the factors. */
static strads_status write_ids(const char *dir, const char *name, const data_ids *ids)
{
    const size_t bytes = strlen(dir) + strlen(name) + 2;
    char *path = strads_alloc(bytes);
    data_writer *writer = NULL;
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    snprintf(path, bytes, "%s/%s", dir, name);
    strads_status status = data_writer_open(&writer, path);
    if (status == STRADS_OK) {
        for (uint32_t i = 0; i < ids->n; i++) {
            char digits[DATA_ID_BYTES];
            fprintf(data_writer_stream(writer), "%s\n", data_ids_name(ids, i, digits));
        }
        status = data_writer_commit(writer);
    }
    strads_free(path);
    return status;
}

static strads_status write_side(const mf_model *model, const char *dir, int side)
{
    const char *const *names = mf_file_names[side];
    const size_t n = cut_of(model->site, side)->n;
    strads_status status =
        write_array(dir, names[MF_FILE_FACTORS], model->factors[side], n, model->site->layout.rank);
    if (status == STRADS_OK) {
        status = write_array(dir, names[MF_FILE_BIASES], model->biases[side], n, 0);
    }
    return status == STRADS_OK ? write_ids(dir, names[MF_FILE_IDS], &model->site->ids[side])
                               : status;
}

static strads_status summarize(const mf_model *model, strads_summary *summary)
{
    const mf_site *site = model->site;
    const struct {
        const char *name;
        double value;
    } facts[] = {
        {"test_rmse", model->epochs[model->epoch][EPOCH_RMSE]},
        {"test_mae", model->mae},
        {"best_epoch", model->best},
        {"best_rmse", model->epochs[model->best][EPOCH_RMSE]},
        {"epochs", model->epoch},
        {"training_seconds", model->seconds},
        {"ratings_per_second", model->seconds > 0.0 ? model->steps / model->seconds : (double) NAN},
        {"train_ratings", (double) site->n_train},
        {"test_ratings", (double) site->n_test},
        {"unseen_test_ratings", (double) site->n_unseen},
        {"duplicates", (double) site->n_duplicates},
        {"users", site->users.n},
        {"items", site->items.n},
        {"mean", (double) site->scale.mean},
        {"halved", model->n_back},
    };
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]) && status == STRADS_OK; i++) {
        status = strads_summary_add(summary, facts[i].name, facts[i].value);
    }
    return status == STRADS_OK ? strads_summary_add_rows(summary, "seconds_to", model->epochs[0],
                                                         model->epoch + 1, EPOCH_N)
                               : status;
}

strads_status mf_save(void *context, const void *site, const double *values, const char *dir,
                      strads_summary *summary)
{
    (void) site;
    (void) values;
    const mf_model *model = context;
    const double mean = (double) model->site->scale.mean;
    strads_status status = write_array(dir, "mean.npy", &mean, 1, 0);
    for (int side = 0; side < DATA_N_SIDES && status == STRADS_OK; side++) {
        status = write_side(model, dir, side);
    }
    return status == STRADS_OK ? summarize(model, summary) : status;
}
