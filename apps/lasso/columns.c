/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/columns.c - means, weights and squares of the columns of X. A sparse X is centred
 * without being changed; a dense one in place, because columns far from zero would drown the
 * residual in rounding. */
#include <math.h>

#include "apps/lasso/lasso.h"
#include "base/tasks.h"

/* A column whose squares about its mean come to less than this share of the mean's is
 * constant: what is left of them is rounding. */
static const double CONSTANT = 1e-24;
/* Squares below it have lost digits to underflow. */
static const double LEAST_SQUARES = 1e-290;

double lasso_dot(const lasso_site *site, uint32_t var, const double *v)
{
    const lasso_columns columns = lasso_columns_from(site, 0);
    return site->kernels->dot_column(&columns, var - site->first_col, v);
}

void lasso_add(const lasso_site *site, uint32_t var, double a, double *v)
{
    const lasso_columns columns = lasso_columns_from(site, 0);
    site->kernels->add_column(a, &columns, var - site->first_col, v);
}

static size_t count_entries(const data_matrix *x, size_t col)
{
    return x->col_start == NULL ? x->n_rows : (size_t) (x->col_start[col + 1] - x->col_start[col]);
}

const double *lasso_column_values(const data_matrix *x, size_t col, double *scratch, size_t *n)
{
    const size_t first = x->col_start == NULL ? col * x->n_rows : (size_t) x->col_start[col];
    *n = count_entries(x, col);
    if (x->narrow == NULL) {
        return x->value + first;
    }
    for (size_t i = 0; i < *n; i++) {
        scratch[i] = (double) x->narrow[first + i];
    }
    return scratch;
}

double lasso_share_of_squares(const lasso_site *site, const double *value, size_t n, double mean)
{
    return site->kernels->sum_of_squares(value, -mean, n) +
           (double) (site->x.n_rows - n) * mean * mean;
}

double lasso_squares(const lasso_site *site, double squares, double mean)
{
    return squares > CONSTANT * (double) site->n_rows * mean * mean ? squares : 0.0;
}

double lasso_cost(const void *state, uint32_t var)
{
    const lasso_site *site = state;
    if (site->entries == NULL) {
        return (double) count_entries(&site->x, var) + 1.0;
    }
    const double n_sharing = site->split == STRADS_SPLIT_SAMPLES ? site->n_workers : 1.0;
    return (double) site->entries[var] / n_sharing + 1.0;
}

/* ---- means and weights ---- */

double lasso_mean_of(const double *value, size_t n, size_t n_zeros)
{
    const double count = (double) n + (double) n_zeros;
    double sum = 0.0;
    for (size_t k = 0; k < n; k++) {
        sum += value[k];
    }
    const double mean = sum / count;
    double left = -mean * (double) n_zeros;
    for (size_t k = 0; k < n; k++) {
        left += value[k] - mean;
    }
    return mean + left / count;
}

bool lasso_all_are(double mean, const double *value, size_t n)
{
    size_t k = 0;
    while (k < n && value[k] == mean) {
        k++;
    }
    return k == n;
}

bool lasso_is_sound(double squares, bool same)
{
    return isfinite(squares) && (squares >= LEAST_SQUARES || same);
}

bool lasso_in_range(double squares, const double *value, size_t n, double mean)
{
    return lasso_is_sound(squares, squares < LEAST_SQUARES && lasso_all_are(mean, value, n));
}

strads_status lasso_refuse_column(const lasso_site *site, size_t col, double squares)
{
    strads_error("%s: column %zu (the first is 0): the squares of its values add up to %g, which "
                 "is out of range: use another unit",
                 strads_config_text(site->config, "data.path"), site->first_col + col, squares);
    return STRADS_ERR_NUMERIC;
}

strads_status lasso_refuse_centred(const lasso_site *site, size_t col)
{
    strads_error("%s: column %zu (the first is 0): a value less their mean is beyond the range of "
                 "float: use another unit, or data.precision: double",
                 strads_config_text(site->config, "data.path"), site->first_col + col);
    return STRADS_ERR_NUMERIC;
}

bool lasso_centre_column(data_matrix *x, size_t col, double mean, bool is_constant)
{
    const size_t end = (col + 1) * x->n_rows;
    bool finite = true;
    for (size_t k = col * x->n_rows; k < end; k++) {
        const double value = is_constant ? 0.0 : data_matrix_value(x, k) - mean;
        if (x->narrow != NULL) {
            x->narrow[k] = (float) value;
            finite &= isfinite(x->narrow[k]) != 0;
        } else {
            x->value[k] = value;
        }
    }
    return finite;
}

/* What is wrong with a column; its squares are in norm2 then. */
typedef enum trouble { NO_TROUBLE, OUT_OF_RANGE, BEYOND_FLOAT } trouble;

/* A column's mean, scale and squares; a dense one loses its mean, and is coded. */
static trouble prepare_column(lasso_site *site, size_t col, double *scratch)
{
    size_t n = 0;
    const double *value = lasso_column_values(&site->x, col, scratch, &n);
    const bool has_mean = site->centre != NULL || site->scale != NULL;
    const double mean = has_mean ? lasso_mean_of(value, n, site->x.n_rows - n) : 0.0;
    const double centre = site->centre != NULL ? mean : 0.0;
    const double squares = site->kernels->sum_of_squares(value, -centre, n);
    site->norm2[col] = squares;
    if (!lasso_in_range(squares, value, n, centre)) {
        return OUT_OF_RANGE;
    }
    if (has_mean) {
        const double about_mean =
            lasso_squares(site, lasso_share_of_squares(site, value, n, mean), mean);
        if (site->scale != NULL) {
            site->scale[col] = about_mean > 0.0 ? sqrt((double) site->x.n_rows / about_mean) : 0.0;
        }
        if (site->centre != NULL) {
            site->norm2[col] = about_mean;
            site->centre[col] = mean;
        }
    }
    if (site->centre != NULL && site->mean == NULL &&
        !lasso_centre_column(&site->x, col, mean, site->norm2[col] == 0.0)) {
        return BEYOND_FLOAT;
    }
    if (site->alike != NULL) {
        site->alike[col] = n > 0 && lasso_all_are(value[0], value, n);
    }
    if (site->codes.code != NULL) {
        value = lasso_column_values(&site->x, col, scratch, &n); /* less its mean */
        lasso_codes_put(&site->codes, site->kernels, col, value, site->norm2[col]);
    }
    return NO_TROUBLE;
}

strads_status lasso_reserve_columns(lasso_site *site, size_t n, bool sparse)
{
    if (strads_config_bool(site->config, "lasso.intercept")) {
        site->centre = strads_alloc_array(n, sizeof(*site->centre));
        if (site->centre == NULL) {
            return STRADS_ERR_NOMEM;
        }
        site->mean = sparse ? site->centre : NULL;
    }
    if (strads_config_bool(site->config, "lasso.standardize")) {
        site->scale = strads_alloc_array(n, sizeof(*site->scale));
        if (site->scale == NULL) {
            return STRADS_ERR_NOMEM;
        }
    }
    return STRADS_OK;
}

typedef struct preparing {
    lasso_site *site;
    pthread_mutex_t lock;
    size_t col; /* the first one in trouble, or n_cols */
    trouble what;
} preparing;

static void note(preparing *all, size_t col, trouble what)
{
    pthread_mutex_lock(&all->lock);
    if (col < all->col) {
        all->col = col;
        all->what = what;
    }
    pthread_mutex_unlock(&all->lock);
}

/* Prepares columns up to the first one in trouble. */
static strads_status prepare_some(void *context, size_t first, size_t last)
{
    preparing *all = context;
    double *scratch = strads_alloc_array(all->site->x.n_rows, sizeof(*scratch));
    if (scratch == NULL) {
        return STRADS_ERR_NOMEM;
    }
    trouble what = NO_TROUBLE;
    for (size_t j = first; j < last && what == NO_TROUBLE; j++) {
        what = prepare_column(all->site, j, scratch);
        if (what != NO_TROUBLE) {
            note(all, j, what);
        }
    }
    strads_free(scratch);
    return STRADS_OK;
}

/* Side by side; the same, and the same column is refused, for any number of threads. */
static strads_status prepare_all(lasso_site *site)
{
    preparing all = {.site = site, .lock = PTHREAD_MUTEX_INITIALIZER, .col = site->x.n_cols};
    const strads_status status =
        strads_parallel_for(strads_cores(), site->x.n_cols, prepare_some, &all);
    pthread_mutex_destroy(&all.lock);
    if (status != STRADS_OK || all.what == NO_TROUBLE) {
        return status;
    }
    return all.what == OUT_OF_RANGE ? lasso_refuse_column(site, all.col, site->norm2[all.col])
                                    : lasso_refuse_centred(site, all.col);
}

/* Where no column is alike none has to be asked. */
static void forget_unlike(lasso_site *site)
{
    size_t n = 0;
    for (size_t j = 0; j < site->x.n_cols && site->alike != NULL; j++) {
        n += site->alike[j];
    }
    if (n == 0) {
        strads_free(site->alike);
        site->alike = NULL;
    }
}

strads_status lasso_prepare_columns(lasso_site *site)
{
    strads_status status = lasso_reserve_columns(site, site->x.n_cols, site->x.col_start != NULL);
    if (status == STRADS_OK) {
        site->norm2 = strads_alloc_array(site->x.n_cols, sizeof(*site->norm2));
        status = site->norm2 == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    }
    if (status == STRADS_OK && site->x.col_start == NULL) {
        status = lasso_codes_init(&site->codes, site->x.n_rows, site->x.n_cols);
    } else if (status == STRADS_OK) {
        site->alike = strads_alloc_array(site->x.n_cols, sizeof(*site->alike));
        status = site->alike == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    }
    status = status == STRADS_OK ? prepare_all(site) : status;
    if (status == STRADS_OK) {
        forget_unlike(site);
    }
    return status;
}
