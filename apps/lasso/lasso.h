/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lasso/lasso.h - what the rooms of the Lasso program share.
 *
 *   F(b) = 1/2 |y - X b - b0|^2 + lambda (a sum w_j |b_j| + (1 - a)/2 sum w_j^2 b_j^2)
 *
 * or, of y in {-1, 1}, sum_i log(1 + exp(-y_i (x_i'b + b0))) in the place of the squares,
 * with a = lasso.l1_ratio, b0 the intercept (0 without one), and w_j = 1, or, with
 * lasso.standardize, the standard deviation of column j: the coefficients stay those
 * of the data as they are.
 *
 *   data.c    the site: X and y
 *   columns.c the columns' means, weights and squares
 *   rows.c    the same when each worker has only some rows; solving a block then
 *   solver.c  a worker: scores, and the update of blocks
 *   slack.c   which columns a scan of everything may leave out
 *   codes.c   a dense X in a byte a value, for these scans
 *   on_products.c  blocks on the products of their columns (quadratic.c keeps them)
 *   whole.c        a working set as each of its members knows it
 *   fit.c     a worker's rows: which of them train, what they come to, the intercept
 *   logistic.c  blocks under the logistic loss
 *   gather.c  columns of other workers, copied; lending them (borrowed.c keeps them)
 *   loss.c    what is minimised, and its dual, from what workers measured
 *   model.c   the coordinator: objective, duality gap, the walk along a path of lambdas
 *   path.c    the values of lambda, what came of each, and the choice of one; folds.c
 *   save.c    what a run leaves; tables.c the path, metrics.c how good it is, predict.c,
 *             saved.c for another lambda
 *   lasso.c   the table of callbacks and the options
 *   estimate.c  what memory a run takes
 */
#ifndef STRADS_LASSO_LASSO_H
#define STRADS_LASSO_LASSO_H

#include "apps/lasso/codes.h"
#include "apps/lasso/kernels.h"
#include "apps/lasso/loss.h"
#include "data/data.h"
#include "strads/strads.h"

extern const strads_app lasso_app;

/* ---- data.c ---- */

enum { LASSO_ALWAYS_OUT = UINT16_MAX }; /* a fold that never trains */

typedef struct lasso_site {
    const strads_config *config;
    strads_split split;
    size_t n_rows, n_cols; /* of all the data */
    uint32_t first_col;    /* variable j is column j - first_col of x */
    data_matrix x;         /* what this process holds; by rows empty: see shards */
    char **names;          /* [n_cols] of all columns, to call them by; NULL: none */
    char **file_names;     /* [n_cols] in the file, where data.names gives others; else NULL */
    double *target;        /* [x.n_rows + 1] y less its mean; a 0 behind it, for the offset;
                            * logistic: -1 or 1 */
    double y_mean;         /* 0 without an intercept, and of classes */
    double y_squares;      /* |y - mean(y)|^2 */
    double *centre;        /* [x.n_cols] the columns' means; NULL without an intercept */
    double *mean;          /* what x still has to lose of them: centre, lent, when it is sparse;
                            * NULL when it is dense, for then x is centred */
    double *scale;         /* [x.n_cols] 1 / w_j, 0 for constant columns; NULL: all 1 */
    double *norm2;         /* [x.n_cols, or by rows n_cols] |x_j - mean|^2 of all rows */
    bool *alike;           /* [x.n_cols] of a sparse x: whether all entries of a column are the
                            * same; NULL: of none, or it is not known */
    lasso_codes codes;     /* of a dense x, where a worker has all rows of its columns */
    const lasso_kernels *kernels;
    lasso_loss loss;
    double l1_ratio;
    uint16_t *fold; /* [n_rows] 0, or the stage's fold in which the row is held out, or
                     * LASSO_ALWAYS_OUT; NULL: no row ever is */

    /* Of a partition, else NULL. */
    uint32_t *entries; /* [n_cols] stored ones of each column, in all rows */
    uint32_t *firsts;  /* by columns, [workers + 1]: the ranges */

    /* By rows: what each worker of the process works on, in order of rank. A shard is a site
     * of its own that lends all but its x and target. */
    struct lasso_site *shards;
    uint32_t n_shards, first_rank;
    uint32_t n_workers; /* of all processes */
} lasso_site;

/* What worker `rank`, of this process, works on. */
const lasso_site *lasso_site_of(const lasso_site *site, uint32_t rank);

strads_status lasso_open_site(const strads_config *config, strads_part *part, void **site);
void lasso_close_site(void *site);
strads_status lasso_describe(const void *site, strads_structure *structure);
double lasso_cost(const void *site, uint32_t var);

static inline double lasso_mean(const lasso_site *site, uint32_t var)
{
    return site->mean == NULL ? 0.0 : site->mean[var - site->first_col];
}

static inline double lasso_scale(const lasso_site *site, uint32_t var)
{
    return site->scale == NULL ? 1.0 : site->scale[var - site->first_col];
}

/* The column's mean where there is an intercept, whether x has lost it or not. */
static inline double lasso_centre(const lasso_site *site, uint32_t var)
{
    return site->centre == NULL ? 0.0 : site->centre[var - site->first_col];
}

/* A matrix as the kernels take it. */
static inline lasso_columns lasso_columns_of(const data_matrix *x)
{
    return (lasso_columns){.start = x->col_start,
                           .row = x->row,
                           .value = x->value,
                           .narrow = x->narrow,
                           .n_rows = x->n_rows};
}

/* The site's columns from `first` on. */
static inline lasso_columns lasso_columns_from(const lasso_site *site, size_t first)
{
    lasso_columns columns = lasso_columns_of(&site->x);
    columns.alike = site->alike == NULL ? NULL : site->alike + first;
    if (site->x.col_start != NULL) {
        columns.start += first;
    } else if (site->x.narrow != NULL) {
        columns.narrow += first * site->x.n_rows;
    } else {
        columns.value += first * site->x.n_rows;
    }
    return columns;
}

/* x_j'v for the stored column; v += a x_j. */
double lasso_dot(const lasso_site *site, uint32_t var, const double *v);
void lasso_add(const lasso_site *site, uint32_t var, double a, double *v);

/* What files of such data call the columns; NULL: nothing. */
static inline const char *const *lasso_own_names(const lasso_site *site)
{
    return (const char *const *) (site->file_names != NULL ? site->file_names : site->names);
}

static inline bool lasso_alike(const lasso_site *site, uint32_t var)
{
    return site->alike != NULL && site->alike[var - site->first_col];
}

/* |x_j - mean|^2; 0 for a constant column. */
static inline double lasso_norm2(const lasso_site *site, uint32_t var)
{
    return site->norm2[var - site->first_col];
}

/* ---- of data.c, for rows.c ---- */

/* Makes *y the target of the site's rows, and NULL. */
strads_status lasso_take_target(lasso_site *site, double **y);
strads_status lasso_refuse_target(const lasso_site *site, double squares);

/* ---- columns.c ---- */

/* Makes the means, weights and squares of all columns of a site that has all rows, and the codes
 * of dense ones. */
strads_status lasso_prepare_columns(lasso_site *site);

/* Makes room for centre, mean and scale of n columns, as the configuration wants them. */
strads_status lasso_reserve_columns(lasso_site *site, size_t n, bool sparse);
/* The *n stored values of column `col`: in x, or in scratch[n_rows] where those are floats. */
const double *lasso_column_values(const data_matrix *x, size_t col, double *scratch, size_t *n);
/* The mean of n values and n_zeros zeros, corrected by the mean of what it leaves: that of equal
 * values is exact. */
double lasso_mean_of(const double *value, size_t n, size_t n_zeros);
/* Squares about `mean` of a column with these n values, and 0 in the other rows of the site. */
double lasso_share_of_squares(const lasso_site *site, const double *value, size_t n, double mean);
/* 0 for squares about the mean, of all rows, that are rounding only. */
double lasso_squares(const lasso_site *site, double squares, double mean);
/* Whether all is well with squares of values less their mean: they neither overflow nor come
 * to (almost) nothing where the values are not all the same. */
bool lasso_is_sound(double squares, bool same);
bool lasso_in_range(double squares, const double *value, size_t n, double mean);
bool lasso_all_are(double mean, const double *value, size_t n);
/* Takes the mean off a dense column, or all that is in it. What is left of floats is rounded to
 * floats; false: some overflows. */
bool lasso_centre_column(data_matrix *x, size_t col, double mean, bool is_constant);
strads_status lasso_refuse_centred(const lasso_site *site, size_t col);
strads_status lasso_refuse_column(const lasso_site *site, size_t col, double squares);

/* ---- rows.c ---- */

/* Makes the shards of a site by rows, and takes what the share has of them. */
strads_status lasso_prepare_rows(lasso_site *site, data_share *share, strads_part *part);

/* What the source of the configuration is. */
data_source lasso_source(const strads_config *config);

/* What of the data a worker holds, and what is minimised. */
strads_split lasso_split_of(const strads_config *config);
lasso_loss lasso_loss_of(const strads_config *config);
/* Refuses a configuration without a source, or options that do not go together. */
strads_status lasso_check_source(const strads_config *config);

/* ---- estimate.c ---- */

strads_status lasso_estimate(const strads_config *config, strads_size *size);

/* ---- model.c: what is measured, in this order ---- */

enum {
    LASSO_RR,         /* |r|^2 of the true residual */
    LASSO_RY,         /* r'y, y centred */
    LASSO_L1,         /* sum w_j |b_j| */
    LASSO_L2,         /* sum w_j^2 b_j^2 */
    LASSO_NONZEROS,   /* */
    LASSO_CENTRE,     /* sum mean_j b_j, which the intercept makes up for */
    LASSO_RATIO,      /* max |x_j'r - l2_j b_j| / w_j of the variables scored */
    LASSO_INSIDE,     /* the worst score where b_j is not 0 */
    LASSO_OUTSIDE,    /* the worst score where it is */
    LASSO_LOSS,       /* sum of the loss of the rows that train */
    LASSO_RIGHT,      /* logistic: how many of them are on the right side */
    LASSO_AUC,        /* logistic, of a whole scan: the area under their curve */
    LASSO_HELD_LOSS,  /* the same of the rows held out ... */
    LASSO_HELD_RIGHT, /* */
    LASSO_HELD_AUC,   /* */
    LASSO_HELD_ROWS,  /* ... and how many these are */
    LASSO_DUAL,       /* logistic, of a whole scan: the dual objective */
    LASSO_N_MEASURES
};

/* The stage's parameters. Of fold 0 all rows train but those that never do. */
enum { LASSO_LAMBDA, LASSO_FOLD };

strads_status lasso_open_model(const strads_config *config, const void *site, void **model);
void lasso_close_model(void *model);
strads_status lasso_next_stage(void *model, const strads_view *view, strads_stage *stage);
strads_status lasso_pull(void *model, const strads_block *block, const double *partial,
                         double *values, float *moved);
strads_status lasso_save(void *model, const void *site, const double *values, const char *dir,
                         strads_summary *summary);
strads_status lasso_predict(const strads_config *config, const char *model_dir,
                            const char *data_path, FILE *to);

/* ---- solver.c ---- */

enum { LASSO_PARTIAL_VALUE, LASSO_PARTIAL_MOVE, LASSO_PARTIAL_WIDTH };

strads_status lasso_open_worker(const void *site, strads_worker *worker, void **state);
void lasso_close_worker(void *state);
strads_status lasso_begin_stage(void *state, const strads_stage *stage);
strads_status lasso_score(void *state, const uint32_t *vars, size_t n, float *scores);
strads_status lasso_measure(void *state, double *out);
strads_status lasso_correlate(void *state, const strads_pairs *pairs, strads_gram *gram);
strads_status lasso_lend(void *state, const strads_loan *loan);
strads_status lasso_push(void *state, const strads_block *block, double *partial);
strads_status lasso_sync(void *state, const uint32_t *vars, size_t n, const double *values);

#endif
