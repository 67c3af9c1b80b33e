/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/mf.h - matrix factorisation as a model program on a grid: what its files share.
 *
 *   r_ui ~ mu + b_u + c_i + p_u'q_i
 *
 * by stochastic gradient steps with one AdaGrad step length a row (Duchi et al. 2011), or by
 * coordinate descent (ccd.h), on ratings that are centred and scaled to variance 1. site.c has the
 * data, shared by the workers of a process, as cut.c deals them to blocks and cells.c groups them;
 * worker.c their rows, and what is done with a column that comes by; model.c what the coordinator
 * makes of it.
 */
#ifndef STRADS_MF_MF_H
#define STRADS_MF_MF_H

#include "apps/mf/kernels.h"
#include "data/ratings.h"
#include "strads/grid.h"

extern const strads_app mf_app;

/* Its measures. */
enum {
    MF_FITTED,    /* sum of the squared errors that the steps of the last pass met */
    MF_STEPS,     /* how many these were */
    MF_SQUARED,   /* of the test ratings */
    MF_MAE,       /* the mean absolute error of the test ratings */
    MF_SECONDS,   /* of training, in the last pass */
    MF_OBJECTIVE, /* of ccd, in the scale of the ratings trained on */
    MF_N_MEASURES
};

/* The groups of the cells of one block of rows, column by column. */
typedef struct mf_cells {
    mf_group *groups;
    size_t *starts;      /* [n_columns + 1] */
    uint32_t *n_ratings; /* [n_columns] in them, paddings not counted */
} mf_cells;

/* How rows, or columns, are cut into blocks: index i has the place place[i], which counts all
 * blocks' rows, n_each a block, without paddings. */
typedef struct mf_cut {
    uint32_t n; /* rows */
    uint32_t n_blocks, n_each;
    uint32_t *place; /* [n] */
    uint32_t *count; /* [n] training ratings */
    uint32_t *index; /* [n_blocks * n_each] the row at each place; UINT32_MAX: none */
} mf_cut;

/* Of all ratings to train on. */
typedef struct mf_moments {
    double mean, variance;
} mf_moments;

/* The ratings of a process, by place of their user. */
typedef struct mf_by_user {
    size_t n_users;  /* of this process's workers, one after another */
    size_t *starts;  /* [n_users + 1] */
    uint32_t *items; /* places, ascending within a user */
    float *values;
} mf_by_user;

typedef struct mf_site {
    const strads_config *config;
    uint32_t n_workers, first, end; /* of the run; of this process */
    mf_layout layout;
    const mf_kernels *kernels;
    mf_scale scale;
    uint64_t seed;      /* run.seed */
    double lambda;      /* mf.lambda, in units of the scale */
    double step, decay; /* mf.step, mf.decay */
    bool weighted, biases;
    mf_cut users, items;
    uint32_t user_blocks;   /* of each worker */
    uint32_t blocks_a_row;  /* of them: what the framework calls a row block */
    mf_cells *cells;        /* [(end - first) * user_blocks] */
    mf_by_user by_user;     /* of mf.method: ccd, in place of cells */
    mf_pair *pairs;         /* of the test, by worker and column */
    size_t *pair_starts;    /* [(end - first) * n_columns + 1] */
    size_t n_train, n_test; /* of the whole run */
    size_t n_unseen, n_duplicates;
    data_ids ids[DATA_N_SIDES];
} mf_site;

/* Lines of state of a column's buffer before its rows. */
typedef struct mf_column {
    uint64_t normed; /* the pass for which squared norms were made afresh, and one */
    uint64_t column;
    unsigned char zeros[48];
} mf_column;

/* Whether the state before an epoch is kept, to go back to should a later one diverge: steps
 * only become shorter, so the first are those that may. */
static inline bool mf_is_kept(uint64_t epoch)
{
    return epoch < 4 || epoch % 8 == 0;
}

/* Places with the padding row of each block: where a row is in a worker's memory. */
static inline size_t mf_row_of(const mf_cut *cut, uint32_t place)
{
    return place + place / cut->n_each + 1;
}

/* Floats of a block, its padding row included. */
static inline size_t mf_block_floats(const mf_site *site, const mf_cut *cut)
{
    return (size_t) (cut->n_each + 1) * site->layout.stride;
}

/* The penalty of a row's steps. */
float mf_lambda_of(const mf_site *site, const mf_cut *cut, uint32_t place);

/* ---- estimate.c ---- */

typedef struct mf_sizes {
    size_t n_train, n_test, n_users, n_items;
    uint32_t n_workers, n_mine; /* of the run; of the process */
} mf_sizes;

strads_status mf_estimate(const strads_config *config, strads_size *size);
/* NOMEM, and said so, when what is beside the ratings does not fit into this machine. */
STRADS_MUST_CHECK strads_status mf_check_memory(const strads_config *config, const mf_sizes *sizes);

/* ---- cut.c ---- */

/* At least `least` blocks, doubled until each has at most so many rows. What it holds is the
 * caller's to release, after NOMEM too. */
STRADS_MUST_CHECK strads_status mf_cut_init(mf_cut *cut, uint32_t n, uint32_t least, uint32_t most);
void mf_cut_fini(mf_cut *cut);
/* Counts the ratings of each row, and adds them up, by as many threads as there are cores; the
 * same for any number of them. */
STRADS_MUST_CHECK strads_status mf_cut_count(mf_cut *users, mf_cut *items,
                                             const data_ratings *train, mf_moments *moments);
/* Deals rows to the blocks to and fro, those with most ratings (cut->count) first; DATA_USERS or
 * DATA_ITEMS says whose ties are drawn. */
STRADS_MUST_CHECK strads_status mf_cut_deal(mf_cut *cut, uint64_t seed, uint32_t side);

/* ---- cells.c ---- */

/* The groups of this process's cells, site->cells, by as many threads as there are cores; the same
 * for any number of them. The entries of train are used up: they are never in memory as a whole
 * beside what becomes of them. */
STRADS_MUST_CHECK strads_status mf_cells_create(mf_site *site, data_ratings *train);
void mf_cells_destroy(mf_site *site);
/* site->pairs. */
STRADS_MUST_CHECK strads_status mf_pairs_create(mf_site *site, const data_ratings *test);

/* ---- site.c ---- */

/* How large data.train is. */
STRADS_MUST_CHECK strads_status mf_measure_ratings(const strads_config *config,
                                                   data_ratings_size *out);

strads_status mf_open_site(const strads_config *config, strads_part *part, void **site);
void mf_close_site(void *site);
strads_status mf_describe(const void *site, strads_structure *structure);
uint32_t mf_n_rows(const void *site);

/* ---- worker.c ---- */

strads_status mf_open_worker(const void *site, strads_worker *worker, void **state);
void mf_close_worker(void *state);
strads_status mf_begin_stage(void *state, const strads_stage *stage);
strads_status mf_open_column(void *state, uint32_t column, strads_buffer *buffer);
strads_status mf_work(void *state, const strads_cell *cell, strads_buffer *buffer);
strads_status mf_measure(void *state, uint32_t column, strads_buffer *buffer, double *measures);
strads_status mf_give_rows(void *state, strads_buffer *buffer);

/* What next_stage has the workers go on with. */
enum {
    MF_FACTOR, /* of the step */
    MF_EPOCH,  /* that the next pass is, from 0 */
    MF_BACK    /* how often the state was put back */
};

/* ---- model.c ---- */

strads_status mf_open_model(const strads_config *config, const void *site, void **model);
void mf_close_model(void *model);
strads_status mf_next_stage(void *model, const strads_view *view, strads_stage *stage);
strads_status mf_take_rows(void *model, uint32_t rank, const void *data, size_t bytes);
strads_status mf_take_column(void *model, uint32_t column, const void *data, size_t bytes);
strads_status mf_save(void *model, const void *site, const double *values, const char *dir,
                      strads_summary *summary);

#endif
