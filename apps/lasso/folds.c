/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/folds.c - which rows are held out, and when. */
#include <math.h>

#include "apps/lasso/path.h"
#include "base/random.h"

enum { FOLDS_STREAM = 0x464f4c44 }; /* of run.seed */

/* A random order of n rows. */
static strads_status draw_order(uint32_t **out, size_t n, uint64_t seed)
{
    uint32_t *order = strads_alloc_array(n, sizeof(*order));
    if (order == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_random random = strads_random_start(seed, FOLDS_STREAM);
    for (size_t i = 0; i < n; i++) {
        const size_t j = strads_random_below(&random, i + 1);
        order[i] = order[j];
        order[j] = (uint32_t) i;
    }
    *out = order;
    return STRADS_OK;
}

/* Deals the rows that train to the folds: their sizes differ by at most one, and, of two
 * classes, the numbers of each class too. */
static void deal(lasso_site *site, const uint32_t *order, uint32_t n_folds)
{
    const bool classes = site->loss == LASSO_LOGISTIC;
    size_t n_dealt = 0;
    for (int turn = 0; turn < (classes ? 2 : 1); turn++) {
        for (size_t i = 0; i < site->n_rows; i++) {
            const uint32_t row = order[i];
            if (site->fold[row] == 0 && (!classes || (site->target[row] > 0.0) == (turn == 0))) {
                site->fold[row] = (uint16_t) (1 + n_dealt++ % n_folds);
            }
        }
    }
}

static strads_status check_sizes(const lasso_site *site, size_t n_folds, size_t n_held)
{
    const strads_config *config = site->config;
    const char *key = "lasso.validation_fraction";
    const double fraction = strads_config_real(config, key);
    const size_t n_rows = site->n_rows;
    const size_t n_train = n_rows - n_held;
    if (n_train < 2) {
        strads_error("%s: %s is %g: of %zu rows it leaves %zu to train on; it takes 2 or more",
                     strads_config_place(config, key), key, fraction, n_rows, n_train);
        return STRADS_ERR_USAGE;
    }
    if (n_held == 0 && fraction > 0.0) {
        strads_error("%s: %s is %g: of %zu rows it holds out none; for one it is %.3g or more, "
                     "and 0 for none",
                     strads_config_place(config, key), key, fraction, n_rows,
                     0.5 / (double) n_rows);
        return STRADS_ERR_USAGE;
    }
    if (n_folds > n_train) {
        strads_error("%s: lasso.folds is %zu, but there are %zu rows to train on",
                     strads_config_place(config, "lasso.folds"), n_folds, n_train);
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

static strads_status refuse_class(size_t n_train, uint32_t fold)
{
    char what[32] = "validation rows are";
    if (fold > 0) {
        snprintf(what, sizeof(what), "rows of fold %u are", fold);
    }
    strads_error("lasso: the %zu rows that train when the %s held out are all of one class; use "
                 "another run.seed, or hold out less",
                 n_train, what);
    return STRADS_ERR_DATA;
}

/* Refuses classes of which one has no row that trains while some fold is held out. */
static strads_status check_classes(const lasso_site *site, uint32_t n_folds)
{
    size_t *count = strads_calloc(n_folds + (size_t) 1, 2 * sizeof(*count)); /* 0: all that train */
    strads_status status = count == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (size_t i = 0; i < site->n_rows && status == STRADS_OK; i++) {
        const size_t fold = site->fold[i];
        const bool first = site->target[i] > 0.0;
        if (fold != LASSO_ALWAYS_OUT) {
            count[first]++;
            count[2 * fold + first] += fold > 0;
        }
    }
    for (uint32_t k = 0; k <= n_folds && status == STRADS_OK; k++) {
        const size_t n_second = count[0] - (k > 0 ? count[2 * k] : 0);
        const size_t n_first = count[1] - (k > 0 ? count[2 * k + 1] : 0);
        if (n_first == 0 || n_second == 0) {
            status = refuse_class(n_first + n_second, k);
        }
    }
    strads_free(count);
    return status;
}

strads_status lasso_draw_folds(lasso_site *site)
{
    const double fraction = strads_config_real(site->config, "lasso.validation_fraction");
    const size_t n_folds = (size_t) strads_config_int(site->config, "lasso.folds");
    const size_t n_held = (size_t) floor(fraction * (double) site->n_rows + 0.5);
    uint32_t *order = NULL;
    if (fraction == 0.0 && n_folds == 0) {
        return STRADS_OK;
    }
    strads_status status = check_sizes(site, n_folds, n_held);
    if (status == STRADS_OK) {
        status = draw_order(&order, site->n_rows,
                            (uint64_t) strads_config_int(site->config, "run.seed"));
    }
    if (status != STRADS_OK) {
        return status;
    }
    site->fold = strads_calloc(site->n_rows, sizeof(*site->fold));
    if (site->fold == NULL) {
        strads_free(order);
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < n_held; i++) {
        site->fold[order[i]] = LASSO_ALWAYS_OUT;
    }
    if (n_folds > 0) {
        deal(site, order, (uint32_t) n_folds);
    }
    strads_free(order);
    return site->loss == LASSO_LOGISTIC ? check_classes(site, (uint32_t) n_folds) : STRADS_OK;
}
