/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/ratings_generate.c - ratings made from a seed.
 *
 * Users and items have weights from Pareto distributions. A user gives ratings by its
 * weight, to items drawn without replacement by theirs. Each user and each item draws from
 * a stream of its own.
 */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "data/ratings_parts.h"

enum { MAX_RANK = 1024, MAX_TRIES = 64 };

static const double MEAN = 3.5, SD_BIAS = 0.4, SD_PRODUCT = 0.65;
static const double USER_TAIL = 1.5, ITEM_TAIL = 1.1; /* exponents of the distributions */

/* What a stream is for: its upper half. The lower is a user or an item. */
typedef enum purpose { USER, ITEM, DEGREE } purpose;

typedef struct maker {
    const data_ratings_design *design;
    uint32_t *degree;  /* [n_rows] ratings of each user */
    double *until;     /* [n_columns] the weights of items, added up */
    float *bias;       /* [n_columns] */
    float *factors;    /* [n_columns][rank] */
    float *user;       /* [rank] of the user at work */
    uint32_t *rated;   /* [n_columns] the last user who did, + 1 */
    data_rating *next; /* where ratings go */
} maker;

static strads_random start(const data_ratings_design *design, purpose what, size_t which)
{
    return strads_random_start(design->seed, (uint64_t) what << 32 | which);
}

/* N(0, 1) (G. E. P. Box, M. E. Muller, 1958). */
static double normal(strads_random *random)
{
    const double radius = sqrt(-2.0 * log(1.0 - strads_random_uniform(random)));
    return radius * cos(2.0 * 3.14159265358979323846 * strads_random_uniform(random));
}

static double pareto(strads_random *random, double tail)
{
    return pow(1.0 - strads_random_uniform(random), -1.0 / tail);
}

static size_t max_degree(const data_ratings_design *design)
{
    return (design->n_columns + 1) / 2;
}

/* Gives each user its share of the ratings, and what is left over to all in turn. */
static void make_degrees(maker *all)
{
    const data_ratings_design *design = all->design;
    const size_t most = max_degree(design);
    double sum = 0.0;
    for (size_t u = 0; u < design->n_rows; u++) {
        strads_random random = start(design, DEGREE, u);
        sum += pareto(&random, USER_TAIL);
    }
    size_t n = 0;
    for (size_t u = 0; u < design->n_rows; u++) {
        strads_random random = start(design, DEGREE, u);
        const double share = (double) design->n * (pareto(&random, USER_TAIL) / sum);
        all->degree[u] = share < (double) most ? (uint32_t) share : (uint32_t) most;
        n += all->degree[u];
    }
    for (size_t u = 0; n < design->n; u = (u + 1) % design->n_rows) {
        const bool room = all->degree[u] < most;
        all->degree[u] += room;
        n += room;
    }
}

/* The standard deviation of a factor, so that p'q has SD_PRODUCT. */
static double factor_scale(const data_ratings_design *design)
{
    return sqrt(SD_PRODUCT / sqrt((double) design->rank));
}

static void make_items(maker *all)
{
    const data_ratings_design *design = all->design;
    const double scale = factor_scale(design);
    double sum = 0.0;
    for (size_t i = 0; i < design->n_columns; i++) {
        strads_random random = start(design, ITEM, i);
        sum += pareto(&random, ITEM_TAIL);
        all->until[i] = sum;
        all->bias[i] = (float) (SD_BIAS * normal(&random));
        for (size_t k = 0; k < design->rank; k++) {
            all->factors[i * design->rank + k] = (float) (scale * normal(&random));
        }
    }
}

/* The first item whose weights add up to more than a drawn number. */
static size_t draw_item(const maker *all, strads_random *random)
{
    size_t low = 0;
    size_t high = all->design->n_columns - 1;
    const double at = strads_random_uniform(random) * all->until[high];
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (all->until[middle] > at) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* An item that the user has not rated; after some tries any, so that it ends. */
static size_t draw_new_item(const maker *all, strads_random *random, uint32_t mark)
{
    size_t item = draw_item(all, random);
    for (size_t n = 0; n < MAX_TRIES && all->rated[item] == mark; n++) {
        item = draw_item(all, random);
    }
    while (all->rated[item] == mark) {
        item = (item + 1) % all->design->n_columns;
    }
    all->rated[item] = mark;
    return item;
}

static void make_user(maker *all, size_t u)
{
    const data_ratings_design *design = all->design;
    strads_random random = start(design, USER, u);
    const double scale = factor_scale(design);
    const double bias = SD_BIAS * normal(&random);
    for (size_t k = 0; k < design->rank; k++) {
        all->user[k] = (float) (scale * normal(&random));
    }
    for (size_t n = 0; n < all->degree[u]; n++) {
        const size_t item = draw_new_item(all, &random, (uint32_t) u + 1);
        double value = MEAN + bias + (double) all->bias[item];
        for (size_t k = 0; k < design->rank; k++) {
            value += (double) all->user[k] * (double) all->factors[item * design->rank + k];
        }
        value += design->noise * normal(&random);
        *all->next++ = (data_rating){.row = (uint32_t) u,
                                     .column = (uint32_t) item,
                                     .value = (float) (round(1000.0 * value) / 1000.0)};
    }
}

/* The numbers 0 .. n-1 as ids. */
static strads_status number_all(data_ids *ids, size_t n, size_t n_entries)
{
    ids->number = strads_alloc_array(n, sizeof(*ids->number));
    if (ids->number == NULL) {
        return STRADS_ERR_NOMEM;
    }
    ids->n = (uint32_t) n;
    for (uint32_t i = 0; i < ids->n; i++) {
        ids->number[i] = i;
    }
    return data_ids_invert(ids, n_entries);
}

static strads_status make_ratings(data_ratings *out, maker *all)
{
    const data_ratings_design *design = all->design;
    all->degree = strads_alloc_array(design->n_rows, sizeof(*all->degree));
    all->until = strads_alloc_array(design->n_columns, sizeof(*all->until));
    all->bias = strads_alloc_array(design->n_columns, sizeof(*all->bias));
    all->factors = strads_alloc_array(design->n_columns, design->rank * sizeof(*all->factors));
    all->user = strads_alloc_array(design->rank, sizeof(*all->user));
    all->rated = strads_calloc(design->n_columns, sizeof(*all->rated));
    out->entries = strads_alloc_array(design->n, sizeof(*out->entries));
    if (all->degree == NULL || all->until == NULL || all->bias == NULL || all->factors == NULL ||
        all->user == NULL || all->rated == NULL || out->entries == NULL) {
        return STRADS_ERR_NOMEM;
    }
    out->n = design->n;
    all->next = out->entries;
    make_degrees(all);
    make_items(all);
    for (size_t u = 0; u < design->n_rows; u++) {
        make_user(all, u);
    }
    const strads_status status = number_all(&out->ids[DATA_USERS], design->n_rows, design->n);
    return status == STRADS_OK ? number_all(&out->ids[DATA_ITEMS], design->n_columns, design->n)
                               : status;
}

static strads_status check_design(const data_ratings_design *design)
{
    const char *wrong = NULL;
    if (design->n_rows < 1 || design->n_rows >= UINT32_MAX) {
        wrong = "users must be from 1 to 2^32 - 2";
    } else if (design->n_columns < 1 || design->n_columns >= UINT32_MAX) {
        wrong = "items must be from 1 to 2^32 - 2";
    } else if (design->n < 1 || design->n >= UINT32_MAX ||
               design->n > design->n_rows * max_degree(design)) {
        wrong = "ratings must be from 1 to half of all pairs, below 2^32 - 1";
    } else if (design->rank > MAX_RANK) {
        wrong = "the rank must be from 0 to 1024";
    } else if (!(design->noise >= 0.0) || !isfinite(design->noise)) {
        wrong = "the noise must be 0 or more, and finite";
    }
    if (wrong != NULL) {
        strads_error("generate ratings: %s", wrong);
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

strads_status data_ratings_generate(data_ratings *out, const data_ratings_design *design)
{
    strads_status status = check_design(design);
    if (status != STRADS_OK) {
        return status;
    }
    maker all = {.design = design};
    data_ratings ratings = {.n = 0};
    status = make_ratings(&ratings, &all);
    strads_free(all.degree);
    strads_free(all.until);
    strads_free(all.bias);
    strads_free(all.factors);
    strads_free(all.user);
    strads_free(all.rated);
    if (status != STRADS_OK) {
        strads_error("generate ratings: no memory for %zu ratings", design->n);
        data_ratings_fini(&ratings);
        return status;
    }
    *out = ratings;
    return STRADS_OK;
}
