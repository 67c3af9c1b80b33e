/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/working_set.c - the set, and the pool it is chosen from. */
#include "strads/working_set.h"

#include <math.h>
#include <string.h>

#include "prioritizer/prioritizer.h"

enum {
    LEAST_GROWTH = 500, /* variables taken in by a set, if so many violate */
    LEAST_POOL = 1000,
    POOL_SHARE = 32, /* the pool is one in so many */
    POOL_SCANS = 3   /* between scans of everything */
};

/* When the pool's largest violation has fallen to this share, it is used up. */
static const double USED_UP = 0.1;

strads_status working_set_init(working_set *set, uint32_t n_vars)
{
    *set = (working_set){.n_vars = n_vars};
    set->vars = strads_alloc_array(n_vars, sizeof(*set->vars));
    set->inside = strads_calloc(n_vars, sizeof(*set->inside));
    set->pool = strads_alloc_array(n_vars, sizeof(*set->pool));
    set->scores = strads_alloc_array(n_vars, sizeof(*set->scores));
    set->spare = strads_alloc_array(n_vars, sizeof(*set->spare));
    if (set->vars == NULL || set->inside == NULL || set->pool == NULL || set->scores == NULL ||
        set->spare == NULL) {
        working_set_fini(set);
        return STRADS_ERR_NOMEM;
    }
    return STRADS_OK;
}

void working_set_fini(working_set *set)
{
    strads_free(set->vars);
    strads_free(set->inside);
    strads_free(set->pool);
    strads_free(set->scores);
    strads_free(set->spare);
    *set = (working_set){.n_vars = 0};
}

static double largest_outside(const working_set *set)
{
    float largest = -INFINITY;
    for (size_t i = 0; i < set->n_pool; i++) {
        if (set->scores[i] > largest && !set->inside[set->pool[i]]) {
            largest = set->scores[i];
        }
    }
    return largest;
}

/* The union of two ascending lists. */
static size_t unite(uint32_t *to, const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b)
{
    size_t n = 0;
    size_t i = 0;
    size_t j = 0;
    while (i < n_a || j < n_b) {
        if (j == n_b || (i < n_a && a[i] <= b[j])) {
            j += j < n_b && a[i] == b[j] ? 1 : 0;
            to[n++] = a[i++];
        } else {
            to[n++] = b[j++];
        }
    }
    return n;
}

void working_set_scan_all(working_set *set, const float *scores)
{
    size_t wanted = set->n_vars / POOL_SHARE;
    wanted = wanted < 4 * set->n ? 4 * set->n : wanted;
    wanted = wanted < LEAST_POOL ? LEAST_POOL : wanted;
    const float bar = prio_guess_bar(scores, set->n_vars, wanted, -INFINITY);
    const size_t n_near = prio_select_above(scores, set->n_vars, bar, set->spare);
    set->n_pool = unite(set->pool, set->spare, n_near, set->vars, set->n);
    for (size_t i = 0; i < set->n_pool; i++) {
        set->scores[i] = scores[set->pool[i]];
    }
    set->outside = largest_outside(set);
    set->whole_outside = set->outside;
    set->scans_left = set->outside > 0.0 ? POOL_SCANS : 0;
}

void working_set_scan_pool(working_set *set)
{
    set->outside = largest_outside(set);
    set->scans_left--;
    if (set->outside <= USED_UP * set->whole_outside) {
        set->scans_left = 0;
    }
}

/* Drops from the set what is 0 and satisfied. What stays is given the lowest score, so
 * that it is not chosen a second time. */
static void keep(working_set *set, const double *values)
{
    size_t n = 0;
    size_t at = 0; /* in the pool, which holds the set */
    for (size_t i = 0; i < set->n; i++) {
        const uint32_t var = set->vars[i];
        while (set->pool[at] != var) {
            at++;
        }
        if (values[var] != 0.0 || set->scores[at] > 0.0f) {
            set->vars[n++] = var;
            set->scores[at] = -INFINITY;
        } else {
            set->inside[var] = 0;
        }
    }
    set->n = n;
}

/* Merges the ascending list more[n_more], of others, into the set, from the back. */
static void take_in(working_set *set, const uint32_t *more, size_t n_more)
{
    size_t i = set->n;
    size_t j = n_more;
    set->n += n_more;
    for (size_t to = set->n; j > 0; to--) {
        if (i > 0 && set->vars[i - 1] > more[j - 1]) {
            set->vars[to - 1] = set->vars[--i];
        } else {
            set->vars[to - 1] = more[--j];
        }
    }
}

void working_set_choose(working_set *set, const double *values)
{
    keep(set, values);
    const size_t growth = set->n > LEAST_GROWTH ? set->n : LEAST_GROWTH;
    const size_t n_new = prio_select_top(set->scores, set->n_pool, growth, 0.0f, set->spare);
    for (size_t i = 0; i < n_new; i++) {
        set->spare[i] = set->pool[set->spare[i]];
        set->inside[set->spare[i]] = 1;
    }
    take_in(set, set->spare, n_new);
}
