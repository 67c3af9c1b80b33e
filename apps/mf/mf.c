/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/mf/mf.c - matrix factorisation as a model program: its options and its callbacks. */
#include "apps/mf/mf.h"

#include <math.h>

#include "apps/mf/ccd.h"
#include "apps/mf/saved.h"
#include "apps/mf/tables.h"
#include "apps/mf/worker.h"

static const strads_option options[] = {
    {.key = "data.train",
     .type = STRADS_PATH,
     .help = "The ratings, a line \"user item rating [time]\": text with any separator, CSV or "
             "Matrix Market, also compressed by gzip."},
    {.key = "data.test",
     .type = STRADS_PATH,
     .help =
         "Data to measure by, in the form of those to train on. Without it mf holds out a part of "
         "data.train."},
    {.key = "data.test_fraction",
     .type = STRADS_REAL,
     .fallback = "0.1",
     .min = 0,
     .max = 0.9,
     .help = "The part of data.train that is held out where there is no data.test."},
    {.key = "data.split",
     .type = STRADS_CHOICE,
     .fallback = "random",
     .choices = "random | latest",
     .help = "Which ratings are held out: any, by run.seed, or those with the latest time."},
    {.key = "data.cache",
     .type = STRADS_BOOL,
     .fallback = "false",
     .help = "Whether what was read is kept in a file beside the data, from which the next run "
             "takes it."},
    {.key = "mf.method",
     .type = STRADS_CHOICE,
     .fallback = "sgd",
     .choices = "sgd | ccd",
     .help = "How: by stochastic gradient steps, with schedule.kind: rotation, free or "
             "data_parallel; or by CCD++, exact coordinate descent on one factor after another, "
             "with schedule.kind: cyclic."},
    {.key = "mf.rank",
     .type = STRADS_INT,
     .fallback = "40",
     .min = 1,
     .max = MF_RANK_MAX,
     .unit = "factors",
     .help = "Factors of each user and item."},
    {.key = "mf.lambda",
     .type = STRADS_REAL,
     .fallback = "0.04",
     .min = 0,
     .max = INFINITY,
     .help =
         "The weight of the penalty lambda / 2 (|p|^2 + b^2) of each rating's step, p being the "
         "factors and b the bias of its user or item, in units of the ratings."},
    {.key = "mf.weighted",
     .type = STRADS_BOOL,
     .fallback = "true",
     .help = "Whether a row is penalised once for each of its ratings; else once in all, so that "
             "rows with many ratings are hardly penalised."},
    {.key = "mf.biases",
     .type = STRADS_BOOL,
     .fallback = "true",
     .help = "Whether users and items have biases beside their factors."},
    {.key = "mf.epochs",
     .type = STRADS_INT,
     .fallback = "12",
     .min = 1,
     .max = 1e6,
     .unit = "passes",
     .help = "Passes over the ratings; of ccd over the factors. It also ends when a pass lowers "
             "its objective by the share stop.gap or less."},
    {.key = "mf.step",
     .type = STRADS_REAL,
     .fallback = "0.15",
     .min = 0,
     .max = 100,
     .above_min = true,
     .help = "Of sgd: the length of the first steps, which AdaGrad then shortens row by row."},
    {.key = "mf.decay",
     .type = STRADS_REAL,
     .fallback = "0.7",
     .min = 0,
     .max = 1,
     .above_min = true,
     .help = "Of sgd: what the step is multiplied by from pass to pass."},
    {.key = "predict.top",
     .type = STRADS_INT,
     .min = 1,
     .max = 4e9,
     .unit = "items",
     .help = "How many items strads predict recommends to each user in its file, of those that "
             "the user has not rated in data.train; it may name fewer."},
    {.key = "predict.nearest",
     .type = STRADS_INT,
     .min = 1,
     .max = 4e9,
     .unit = "items",
     .help = "How many items strads predict finds for each item in its file, by the cosine of "
             "their factors."},
};

static const strads_measure measures[MF_N_MEASURES] = {
    [MF_FITTED] = {.name = "fitted_squares", .reduction = STRADS_SUM},
    [MF_STEPS] = {.name = "steps", .reduction = STRADS_SUM},
    [MF_SQUARED] = {.name = "test_squares", .reduction = STRADS_SUM},
    [MF_MAE] = {.name = "test_mae", .reduction = STRADS_SUM, .journaled = true},
    [MF_SECONDS] = {.name = "training_seconds", .reduction = STRADS_MAX},
    [MF_OBJECTIVE] = {.name = "objective", .reduction = STRADS_SUM},
};

static const strads_grid grid = {.n_rows = mf_n_rows,
                                 .open_column = mf_open_column,
                                 .work = mf_work,
                                 .measure = mf_measure,
                                 .give_rows = mf_give_rows,
                                 .take_rows = mf_take_rows,
                                 .take_column = mf_take_column};

/* Where columns do not travel. */
static strads_status measure(void *state, double *out)
{
    const mf_worker *worker = state;
    return worker->ccd != NULL ? mf_ccd_measure(state, out) : mf_measure_by_tables(state, out);
}

const strads_app mf_app = {
    .struct_size = sizeof(strads_app),
    .abi = STRADS_APP_ABI,
    .name = "mf",
    .help = "Matrix factorisation of ratings, with biases.",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .measures = measures,
    .n_measures = MF_N_MEASURES,

    .open_site = mf_open_site,
    .close_site = mf_close_site,
    .describe = mf_describe,
    .open_worker = mf_open_worker,
    .close_worker = mf_close_worker,
    .open_model = mf_open_model,
    .close_model = mf_close_model,

    .step = mf_step_by_tables,
    .push = mf_ccd_push,
    .measure = measure,
    .begin_stage = mf_begin_stage,
    .next_stage = mf_next_stage,
    .save = mf_save,
    .predict = mf_predict,
    .estimate = mf_estimate,
    .grid = &grid,
};
