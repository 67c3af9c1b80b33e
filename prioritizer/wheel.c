/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prioritizer/wheel.c - two levels: weights, and blocks of them. */
#include "prioritizer/wheel.h"

#include <assert.h>
#include <math.h>

enum { BLOCK = 32 };

static const uint32_t NONE = UINT32_MAX;

static uint32_t n_blocks(const prio_wheel *wheel)
{
    return (wheel->n + BLOCK - 1) / BLOCK;
}

strads_status prio_wheel_init(prio_wheel *wheel, uint32_t n)
{
    assert(n > 0);
    *wheel = (prio_wheel){.n = n};
    wheel->weights = strads_calloc((size_t) n_blocks(wheel) * BLOCK, sizeof(*wheel->weights));
    wheel->sums = strads_calloc(n_blocks(wheel), sizeof(*wheel->sums));
    wheel->largest = strads_calloc(n_blocks(wheel), sizeof(*wheel->largest));
    if (wheel->weights == NULL || wheel->sums == NULL || wheel->largest == NULL) {
        prio_wheel_fini(wheel);
        return STRADS_ERR_NOMEM;
    }
    return STRADS_OK;
}

void prio_wheel_fini(prio_wheel *wheel)
{
    strads_free(wheel->weights);
    strads_free(wheel->sums);
    strads_free(wheel->largest);
    *wheel = (prio_wheel){.n = 0};
}

void prio_wheel_set(prio_wheel *wheel, uint32_t i, double weight)
{
    const uint32_t b = i / BLOCK;
    const double *block = wheel->weights + (size_t) b * BLOCK;
    assert(i < wheel->n && isfinite(weight) && weight >= 0.0);
    wheel->weights[i] = weight;
    double sum = 0.0;
    double largest = 0.0;
    for (size_t k = 0; k < BLOCK; k++) {
        sum += block[k];
        largest = block[k] > largest ? block[k] : largest;
    }
    wheel->sums[b] = sum;
    wheel->largest[b] = largest;
}

double prio_wheel_total(const prio_wheel *wheel)
{
    double total = 0.0;
    for (uint32_t b = 0; b < n_blocks(wheel); b++) {
        total += wheel->sums[b];
    }
    return total;
}

/* The one of values[n] on whose stretch *target lies, which is then counted from its beginning;
 * one of the last above 0 should rounding lead beyond; NONE: none is. */
static uint32_t walk(const double *values, uint32_t n, double *target)
{
    uint32_t last = NONE;
    for (uint32_t i = 0; i < n; i++) {
        if (values[i] > 0.0) {
            last = i;
            if (*target < values[i]) {
                break;
            }
        }
        *target -= values[i];
    }
    return last;
}

uint32_t prio_wheel_choose(const prio_wheel *wheel, double turn)
{
    double target = turn * prio_wheel_total(wheel);
    const uint32_t b = walk(wheel->sums, n_blocks(wheel), &target);
    return b == NONE ? NONE : b * BLOCK + walk(wheel->weights + (size_t) b * BLOCK, BLOCK, &target);
}

uint32_t prio_wheel_largest(const prio_wheel *wheel)
{
    double largest = 0.0;
    uint32_t best = NONE;
    for (uint32_t b = 0; b < n_blocks(wheel); b++) {
        if (wheel->largest[b] > largest) {
            largest = wheel->largest[b];
            best = b * BLOCK;
        }
    }
    while (best != NONE && wheel->weights[best] < largest) {
        best++;
    }
    return best;
}
