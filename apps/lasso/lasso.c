/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/lasso.c - the Lasso as a model program: its options and its callbacks. */
#include "apps/lasso/lasso.h"

#include "apps/lasso/data_parallel.h"

#include <math.h>

static const strads_option options[] = {
    {.key = "data.path",
     .type = STRADS_PATH,
     .help = "The data: libsvm text, CSV with a line of column names, Matrix Market or .npy, also "
             "compressed by gzip."},
    {.key = "data.y",
     .type = STRADS_PATH,
     .help = "The target, for formats that hold X alone: .npy, a Matrix Market array, or a number "
             "a line."},
    {.key = "data.format",
     .type = STRADS_CHOICE,
     .fallback = "auto",
     .choices = "auto | libsvm | csv | matrix_market | npy",
     .help = "The format of data.path; auto looks at the first line."},
    {.key = "data.target",
     .type = STRADS_TEXT,
     .help = "The column of a CSV file that is the target; unset: the last, unless data.y is "
             "given."},
    {.key = "data.test",
     .type = STRADS_PATH,
     .help =
         "Data to measure by, in the form of those to train on. Without it mf holds out a part of "
         "data.train."},
    {.key = "data.names",
     .type = STRADS_PATH,
     .help = "Names of the columns, one a line, for coefficients.csv; unset: those of a CSV file."},
    {.key = "data.cache",
     .type = STRADS_BOOL,
     .fallback = "false",
     .help = "Whether what was read is kept in a file beside the data, from which the next run "
             "takes it."},
    {.key = "data.precision",
     .type = STRADS_CHOICE,
     .fallback = "auto",
     .choices = "auto | double | float",
     .help = "How the values of X are held. Floats take half of the memory; all sums are of "
             "doubles. float: every value is rounded to one. auto: floats where nothing is lost "
             "by it; dense columns that lose their mean, for lasso.intercept, stay doubles."},
    {.key = "data.partition",
     .type = STRADS_CHOICE,
     .fallback = "none",
     .choices = "none | columns | rows",
     .help = "What of the data a worker, and so its process, holds: all; the columns that it "
             "updates, for data with many columns; or some of the rows, for data with many rows, "
             "whose columns the workers then update together."},
    {.key = "lasso.loss",
     .type = STRADS_CHOICE,
     .fallback = "squared",
     .choices = "squared | logistic",
     .help = "What is minimised beside the penalty: half the squared errors, or, for a target of "
             "two classes, 0 and 1 or -1 and 1, minus the log of their likelihood."},
    {.key = "lasso.lambda",
     .type = STRADS_REAL,
     .min = 0,
     .max = INFINITY,
     .above_min = true,
     .help = "The weight of the penalty. glmnet's and scikit-learn's lambda (alpha) times the "
             "number of rows."},
    {.key = "lasso.lambda_ratio",
     .type = STRADS_REAL,
     .min = 0,
     .max = INFINITY,
     .above_min = true,
     .help = "The weight of the penalty as a share of lambda_max, the smallest at which all "
             "coefficients are 0. 0.1 where neither it, nor lasso.lambda, nor a path is given."},
    {.key = "lasso.path.count",
     .type = STRADS_INT,
     .fallback = "0",
     .min = 0,
     .max = 100000,
     .unit = "values",
     .help = "Solves for so many values of lambda, from lambda_max down to lasso.path.ratio of it "
             "by equal factors, each from the one before; 100 is usual. 0: for one lambda."},
    {.key = "lasso.path.ratio",
     .type = STRADS_REAL,
     .fallback = "0.01",
     .min = 0,
     .max = 1,
     .above_min = true,
     .help = "The last value of a path as a share of lambda_max."},
    {.key = "lasso.path.values",
     .type = STRADS_REALS,
     .min = 0,
     .max = INFINITY,
     .above_min = true,
     .help = "The values of a path, in the unit of lasso.lambda, each below the one before."},
    {.key = "lasso.folds",
     .type = STRADS_INT,
     .fallback = "0",
     .min = 0,
     .max = 65534,
     .unit = "folds",
     .help =
         "Chooses lambda by cross-validation: the rows are dealt to so many folds, by run.seed, "
         "and each is predicted by what the others train. 0: none; 10 is usual."},
    {.key = "lasso.choose",
     .type = STRADS_CHOICE,
     .fallback = "min",
     .choices = "min | one_se",
     .help = "Which value of lambda to keep: that of the least error, or, with lasso.folds, the "
             "largest whose error is within a standard error of it."},
    {.key = "lasso.validation_fraction",
     .type = STRADS_REAL,
     .fallback = "0",
     .min = 0,
     .max = 0.9,
     .help = "The part of the rows, drawn by run.seed, that is not trained on but measured by; "
             "without lasso.folds it chooses the value of a path."},
    {.key = "lasso.l1_ratio",
     .type = STRADS_REAL,
     .fallback = "1",
     .min = 0,
     .max = 1,
     .above_min = true,
     .help = "The share of l1 in the penalty: 1 is the Lasso, below is the elastic net."},
    {.key = "lasso.step",
     .type = STRADS_REAL,
     .fallback = "0",
     .min = 0,
     .max = INFINITY,
     .help = "Of data_parallel: the step, as a share of what a sweep without delays may take. 0: "
             "the largest that is safe with ssp.staleness s, 1 / (2 s + 1.5); with inf as with 8."},
    {.key = "lasso.intercept",
     .type = STRADS_BOOL,
     .fallback = "true",
     .help = "Whether to fit an intercept, which is not penalised."},
    {.key = "lasso.standardize",
     .type = STRADS_BOOL,
     .fallback = "false",
     .help = "Whether to penalise coefficients in units of their column's standard deviation. The "
             "coefficients are those of the data as they are either way."},
    {.key = "predict.lambda",
     .type = STRADS_REAL,
     .min = 0,
     .max = INFINITY,
     .above_min = true,
     .help = "The value of a path that strads predict takes, the nearest if one is within a "
             "hundredth; unset: the one that was chosen."},
};

static const strads_measure measures[LASSO_N_MEASURES] = {
    [LASSO_RR] = {.name = "residual_squares", .reduction = STRADS_SUM},
    [LASSO_RY] = {.name = "residual_target", .reduction = STRADS_SUM},
    [LASSO_L1] = {.name = "l1", .reduction = STRADS_SUM},
    [LASSO_L2] = {.name = "l2", .reduction = STRADS_SUM},
    [LASSO_NONZEROS] = {.name = "nonzeros", .reduction = STRADS_SUM},
    [LASSO_CENTRE] = {.name = "centre", .reduction = STRADS_SUM},
    [LASSO_RATIO] = {.name = "gradient", .reduction = STRADS_MAX},
    [LASSO_INSIDE] = {.name = "worst_inside", .reduction = STRADS_MAX},
    [LASSO_OUTSIDE] = {.name = "worst_outside", .reduction = STRADS_MAX},
    [LASSO_LOSS] = {.name = "loss", .reduction = STRADS_SUM},
    [LASSO_RIGHT] = {.name = "right", .reduction = STRADS_SUM},
    [LASSO_AUC] = {.name = "auc", .reduction = STRADS_SUM},
    [LASSO_HELD_LOSS] = {.name = "held_loss", .reduction = STRADS_SUM},
    [LASSO_HELD_RIGHT] = {.name = "held_right", .reduction = STRADS_SUM},
    [LASSO_HELD_AUC] = {.name = "held_auc", .reduction = STRADS_SUM},
    [LASSO_HELD_ROWS] = {.name = "held_rows", .reduction = STRADS_SUM},
    [LASSO_DUAL] = {.name = "dual", .reduction = STRADS_SUM},
};

const strads_app lasso_app = {
    .struct_size = sizeof(strads_app),
    .abi = STRADS_APP_ABI,
    .name = "lasso",
    .help = "Least squares with an l1 or elastic-net penalty.",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .measures = measures,
    .n_measures = LASSO_N_MEASURES,

    .open_site = lasso_open_site,
    .close_site = lasso_close_site,
    .describe = lasso_describe,
    .open_worker = lasso_open_worker,
    .close_worker = lasso_close_worker,
    .open_model = lasso_open_model,
    .close_model = lasso_close_model,

    .score = lasso_score,
    .correlate = lasso_correlate,
    .lend = lasso_lend,
    .cost = lasso_cost,

    .push = lasso_push,
    .step = lasso_step_by_tables,
    .pull = lasso_pull,
    .sync = lasso_sync,

    .measure = lasso_measure,
    .next_stage = lasso_next_stage,
    .begin_stage = lasso_begin_stage,
    .save = lasso_save,
    .predict = lasso_predict,
    .estimate = lasso_estimate,
};
