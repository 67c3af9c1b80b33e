/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/working_set.c - the set, and the pool it is chosen from. */
#include "strads/working_set.h"

#include <math.h>
#include <string.h>

#include "prioritizer/prioritizer.h"

enum {
    LEAST_GROWTH = 500, /* variables taken in by a set, if so many violate */
    LEAST_POOL = 1000,
    POOL_SHARE = 100, /* the pool is one in so many */
    POOL_SCANS = 3    /* between scans of everything */
};

/* When the pool's largest violation has fallen to this share, it is used up. */
static const double USED_UP = 0.1;

strads_status working_set_init(working_set *set, uint32_t n_vars)
{
    *set = (working_set){.n_vars = n_vars};
    set->vars = strads_alloc_array(n_vars, sizeof(*set->vars));
    set->places = strads_alloc_array(n_vars, sizeof(*set->places));
    set->inside = strads_calloc(n_vars, sizeof(*set->inside));
    set->pool = strads_alloc_array(n_vars, sizeof(*set->pool));
    set->scores = strads_alloc_array(n_vars, sizeof(*set->scores));
    set->spare = strads_alloc_array(n_vars, sizeof(*set->spare));
    if (set->vars == NULL || set->places == NULL || set->inside == NULL || set->pool == NULL ||
        set->scores == NULL || set->spare == NULL) {
        working_set_fini(set);
        return STRADS_ERR_NOMEM;
    }
    return STRADS_OK;
}

void working_set_fini(working_set *set)
{
    strads_free(set->vars);
    strads_free(set->places);
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

/* Merges the ascending list more[n_more] into list[n], none of it in there yet, from
 * the back; returns the new length. */
static size_t take_in(uint32_t *list, size_t n, const uint32_t *more, size_t n_more)
{
    size_t i = n;
    size_t j = n_more;
    for (size_t to = n + n_more; j > 0; to--) {
        if (i > 0 && list[i - 1] > more[j - 1]) {
            list[to - 1] = list[--i];
        } else {
            list[to - 1] = more[--j];
        }
    }
    return n + n_more;
}

/* Finds the set's places in the pool, which holds it. */
static void find_places(working_set *set)
{
    uint32_t place = 0;
    for (size_t i = 0; i < set->n; i++) {
        while (set->pool[place] != set->vars[i]) {
            place++;
        }
        set->places[i] = place;
    }
}

size_t working_set_pool_size(const working_set *set)
{
    size_t wanted = set->n_vars / POOL_SHARE;
    wanted = wanted < 4 * set->n ? 4 * set->n : wanted;
    wanted = wanted < LEAST_POOL ? LEAST_POOL : wanted;
    return wanted < set->n_vars ? wanted : set->n_vars;
}

size_t working_set_add_kept(const float *scores, float bar, const uint32_t *kept, size_t n_kept,
                            uint32_t *positions, size_t n, uint32_t *spare)
{
    size_t n_far = 0; /* to be kept, but not above the bar */
    for (size_t i = 0; i < n_kept; i++) {
        spare[n_far] = kept[i];
        n_far += scores[kept[i]] <= bar; /* what is not a number is in already */
    }
    return take_in(positions, n, spare, n_far);
}

void working_set_scan_all(working_set *set, size_t n_pool)
{
    set->n_pool = n_pool;
    find_places(set);
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
    /* The values lie all over memory: load them side by side, before any branch has
     * to wait for one. */
    for (size_t i = 0; i < set->n; i++) {
        set->spare[i] = values[set->vars[i]] != 0.0;
    }
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        float *score = &set->scores[set->places[i]];
        if (set->spare[i] != 0 || *score > 0.0f) {
            set->places[n++] = set->places[i];
            *score = -INFINITY;
        } else {
            set->inside[set->vars[i]] = 0;
        }
    }
    set->n = n;
}

void working_set_choose(working_set *set, const double *values)
{
    keep(set, values);
    const size_t growth = set->n > LEAST_GROWTH ? set->n : LEAST_GROWTH;
    const size_t n_new = prio_select_top(set->scores, set->n_pool, growth, 0.0f, set->spare);
    for (size_t i = 0; i < n_new; i++) {
        set->inside[set->pool[set->spare[i]]] = 1;
    }
    set->n = take_in(set->places, set->n, set->spare, n_new);
    for (size_t i = 0; i < set->n; i++) {
        set->vars[i] = set->pool[set->places[i]];
    }
}
