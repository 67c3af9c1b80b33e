/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/mf/saved.h - the model that a run left in its folder, and what it is asked. */
#ifndef STRADS_MF_SAVED_H
#define STRADS_MF_SAVED_H

#include "data/data.h"
#include "data/ratings.h"

typedef struct mf_saved {
    double mean;
    data_matrix factors[DATA_N_SIDES]; /* dense; a row for each user, or item */
    double *biases[DATA_N_SIDES];      /* of each row */
    data_ids ids[DATA_N_SIDES];        /* alike */
} mf_saved;

/* ---- saved.c ---- */

/* The files of a side. */
enum { MF_FILE_FACTORS, MF_FILE_BIASES, MF_FILE_IDS, MF_N_FILES };
extern const char *const mf_file_names[DATA_N_SIDES][MF_N_FILES];

/* Reads the model in the folder `dir`; files that do not fit each other are refused. */
STRADS_MUST_CHECK strads_status mf_saved_read(mf_saved *out, const char *dir);
void mf_saved_fini(mf_saved *saved);

/* mu + b_u + c_i + p_u'q_i, without what is not known of DATA_UNSEEN. */
double mf_saved_predict(const mf_saved *saved, uint32_t user, uint32_t item);

/* ---- rank.c ---- */

/* Writes the best n items for each of users[n_users], a line "USER <tab> ITEM <tab> SCORE" each;
 * of the same score, the item that is first in the map first. No user is given what it has in
 * `rated`, whose indices are those of the model, the unseen ones at its end. */
STRADS_MUST_CHECK strads_status mf_rank_top(const mf_saved *saved, const data_ratings *rated,
                                            const uint32_t *users, size_t n_users, size_t n,
                                            FILE *to);

/* For each of items[n_items] the n others with the greatest cosine of their factors, alike; that
 * of factors that are all 0 is 0. */
STRADS_MUST_CHECK strads_status mf_rank_nearest(const mf_saved *saved, const uint32_t *items,
                                                size_t n_items, size_t n, FILE *to);

/* ---- predict.c ---- */

/* `strads predict`: a prediction for each pair in a file; or, where predict.top or
 * predict.nearest is given, as above for the ids in it. */
strads_status mf_predict(const strads_config *config, const char *model_dir, const char *data_path,
                         FILE *to);

#endif
