/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/mf/predict.c - a saved model is asked: for pairs, for users, or for items. */
#include <math.h>
#include <string.h>

#include "apps/mf/saved.h"

/* ---- pairs ---- */

/* How good the predictions are is said where every pair has a rating. */
static void say_how_good(const data_ratings *pairs, double squares, double absolute)
{
    const double n = (double) pairs->n;
    char quality[64] = "";
    if (!isnan(squares)) {
        snprintf(quality, sizeof(quality), "  RMSE %.4f  MAE %.4f", sqrt(squares / n),
                 absolute / n);
    }
    strads_info("%zu pairs, %zu with an unseen user or item%s", pairs->n, pairs->n_unseen, quality);
}

static strads_status predict_pairs(const mf_saved *saved, const char *path, FILE *to)
{
    data_ratings pairs = {.n = 0};
    const strads_status status = data_ratings_read_pairs(&pairs, saved->ids, path);
    if (status != STRADS_OK) {
        return status;
    }
    bool written = true;
    double squares = 0.0;
    double absolute = 0.0;
    for (size_t i = 0; i < pairs.n && written; i++) {
        const data_rating *pair = &pairs.entries[i];
        const double predicted = mf_saved_predict(saved, pair->row, pair->column);
        const double error = (double) pair->value - predicted; /* NAN where it has none */
        squares += error * error;
        absolute += fabs(error);
        written = fprintf(to, "%.7g\n", predicted) > 0;
    }
    if (written) {
        say_how_good(&pairs, squares, absolute);
    } else {
        strads_error("cannot write the predictions");
    }
    data_ratings_fini(&pairs);
    return written ? STRADS_OK : STRADS_ERR_IO;
}

/* ---- users ---- */

/* Reads what users rated, the held-out part too, as the run did, which may have left a cache. */
static strads_status read_rated(data_ratings *out, const mf_saved *saved,
                                const strads_config *config)
{
    data_ratings rated = {.n = 0};
    const data_ratings_source source = {
        .path = strads_config_text(config, "data.train"),
        .times = strads_config_text(config, "data.test") == NULL &&
                 strcmp(strads_config_text(config, "data.split"), "latest") == 0,
        .cache = strads_config_bool(config, "data.cache") ? "" : NULL,
    };
    if (source.path == NULL) {
        strads_error("data.train is not set: it names the ratings that users gave, which are not "
                     "recommended to them");
        return STRADS_ERR_USAGE;
    }
    strads_status status = data_ratings_read(&rated, &source);
    if (status == STRADS_OK) {
        status = data_ratings_adopt(&rated, saved->ids, source.path);
    } else if (status == STRADS_ERR_IO) {
        strads_info("what users rated is not recommended to them: --set data.train=FILE says where "
                    "it is, should it have moved");
    }
    if (status != STRADS_OK) {
        data_ratings_fini(&rated);
        return status;
    }
    if (rated.n_unseen > 0) {
        strads_warn("%s: %zu ratings of users or items that the model does not know: is it the "
                    "file of the run?",
                    source.path, rated.n_unseen);
    }
    *out = rated;
    return STRADS_OK;
}

static strads_status recommend(const mf_saved *saved, const strads_config *config, const char *path,
                               FILE *to)
{
    const size_t n = (size_t) strads_config_int(config, "predict.top");
    data_ratings rated = {.n = 0};
    uint32_t *users = NULL;
    size_t n_users = 0;
    strads_status status = data_ids_read_list(&users, &n_users, saved->ids, DATA_USERS, path);
    if (status != STRADS_OK) {
        return status;
    }
    status = read_rated(&rated, saved, config);
    if (status == STRADS_OK) {
        status = mf_rank_top(saved, &rated, users, n_users, n, to);
        data_ratings_fini(&rated);
    }
    strads_free(users);
    return status;
}

/* ---- items ---- */

static strads_status find_nearest(const mf_saved *saved, const strads_config *config,
                                  const char *path, FILE *to)
{
    const size_t n = (size_t) strads_config_int(config, "predict.nearest");
    uint32_t *items = NULL;
    size_t n_items = 0;
    strads_status status = data_ids_read_list(&items, &n_items, saved->ids, DATA_ITEMS, path);
    if (status == STRADS_OK) {
        status = mf_rank_nearest(saved, items, n_items, n, to);
        strads_free(items);
    }
    return status;
}

strads_status mf_predict(const strads_config *config, const char *model_dir, const char *data_path,
                         FILE *to)
{
    const bool top = strads_config_given(config, "predict.top");
    const bool nearest = strads_config_given(config, "predict.nearest");
    if (top && nearest) {
        strads_error("predict.top and predict.nearest are both given: expected one of them");
        return STRADS_ERR_USAGE;
    }
    mf_saved saved;
    strads_status status = mf_saved_read(&saved, model_dir);
    if (status != STRADS_OK) {
        return status;
    }
    status = top       ? recommend(&saved, config, data_path, to)
             : nearest ? find_nearest(&saved, config, data_path, to)
                       : predict_pairs(&saved, data_path, to);
    mf_saved_fini(&saved);
    return status;
}
