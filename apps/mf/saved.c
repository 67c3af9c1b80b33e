/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/mf/saved.c - reading the model that a run left in its folder. */
#include "apps/mf/saved.h"

#include <string.h>

const char *const mf_file_names[DATA_N_SIDES][MF_N_FILES] = {
    [DATA_USERS] = {"user_factors.npy", "user_biases.npy", "users.txt"},
    [DATA_ITEMS] = {"item_factors.npy", "item_biases.npy", "items.txt"}};

/* "DIR/NAME", for strads_free. */
static char *path_of(const char *dir, const char *name)
{
    const size_t bytes = strlen(dir) + strlen(name) + 2;
    char *path = strads_alloc(bytes);
    if (path == NULL) {
        strads_error("%s: no memory", dir);
        return NULL;
    }
    snprintf(path, bytes, "%s/%s", dir, name);
    return path;
}

static strads_status read_factors(data_matrix *out, const char *path)
{
    const data_source source = {.path = path, .format = DATA_NPY};
    data_regression read = {.y = NULL};
    const strads_status status = data_regression_read(&read, &source);
    if (status == STRADS_OK) {
        *out = read.x;
    }
    return status;
}

static strads_status read_biases(double **out, size_t n_rows, const char *path)
{
    double *biases = NULL;
    size_t n = 0;
    const strads_status status = data_npy_read(&biases, &n, path);
    if (status != STRADS_OK) {
        return status;
    }
    if (n != n_rows) {
        strads_error("%s: %zu numbers: expected %zu", path, n, n_rows);
        strads_free(biases);
        return STRADS_ERR_DATA;
    }
    *out = biases;
    return STRADS_OK;
}

static strads_status read_ids(data_ids *out, size_t n_rows, const char *path)
{
    const strads_status status = data_ids_read(out, path);
    if (status == STRADS_OK && out->n != n_rows) {
        strads_error("%s: %u ids: expected %zu, as there are rows of factors", path, out->n,
                     n_rows);
        return STRADS_ERR_DATA;
    }
    return status;
}

static strads_status read_side(mf_saved *saved, const char *dir, int side)
{
    strads_status status = STRADS_OK;
    for (int file = 0; file < MF_N_FILES && status == STRADS_OK; file++) {
        char *path = path_of(dir, mf_file_names[side][file]);
        if (path == NULL) {
            return STRADS_ERR_NOMEM;
        }
        const size_t n = saved->factors[side].n_rows;
        status = file == MF_FILE_FACTORS  ? read_factors(&saved->factors[side], path)
                 : file == MF_FILE_BIASES ? read_biases(&saved->biases[side], n, path)
                                          : read_ids(&saved->ids[side], n, path);
        strads_free(path);
    }
    return status;
}

static strads_status read_mean(double *out, const char *dir)
{
    double *mean = NULL;
    char *path = path_of(dir, "mean.npy");
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = read_biases(&mean, 1, path);
    strads_free(path);
    if (status == STRADS_OK) {
        *out = *mean;
        strads_free(mean);
    }
    return status;
}

static strads_status check_ranks(const mf_saved *saved, const char *dir)
{
    const data_matrix *users = &saved->factors[DATA_USERS];
    const data_matrix *items = &saved->factors[DATA_ITEMS];
    if (users->n_cols != items->n_cols) {
        strads_error("%s: user_factors.npy is %zu x %zu and item_factors.npy %zu x %zu: expected "
                     "as many columns in both",
                     dir, users->n_rows, users->n_cols, items->n_rows, items->n_cols);
        return STRADS_ERR_DATA;
    }
    return STRADS_OK;
}

strads_status mf_saved_read(mf_saved *out, const char *dir)
{
    mf_saved saved = {.mean = 0.0};
    strads_status status = read_mean(&saved.mean, dir);
    for (int side = 0; side < DATA_N_SIDES && status == STRADS_OK; side++) {
        status = read_side(&saved, dir, side);
    }
    if (status == STRADS_OK) {
        status = check_ranks(&saved, dir);
    }
    if (status != STRADS_OK) {
        mf_saved_fini(&saved);
        return status;
    }
    *out = saved;
    return STRADS_OK;
}

void mf_saved_fini(mf_saved *saved)
{
    for (int side = 0; side < DATA_N_SIDES; side++) {
        data_matrix_fini(&saved->factors[side]);
        strads_free(saved->biases[side]);
        data_ids_fini(&saved->ids[side]);
    }
    *saved = (mf_saved){.mean = 0.0};
}

double mf_saved_predict(const mf_saved *saved, uint32_t user, uint32_t item)
{
    const data_matrix *users = &saved->factors[DATA_USERS];
    const data_matrix *items = &saved->factors[DATA_ITEMS];
    double sum = saved->mean;
    sum += user == DATA_UNSEEN ? 0.0 : saved->biases[DATA_USERS][user];
    sum += item == DATA_UNSEEN ? 0.0 : saved->biases[DATA_ITEMS][item];
    if (user == DATA_UNSEEN || item == DATA_UNSEEN) {
        return sum;
    }
    for (size_t f = 0; f < users->n_cols; f++) {
        sum += users->value[f * users->n_rows + user] * items->value[f * items->n_rows + item];
    }
    return sum;
}
