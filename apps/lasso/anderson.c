/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/anderson.c - the best combination of the last iterates. */
#include "apps/lasso/anderson.h"

#include <math.h>
#include <string.h>

enum { DEPTH = ANDERSON_DEPTH };

static const double RIDGE = 1e-12;

void anderson_fini(anderson *mix)
{
    for (int i = 0; i <= DEPTH; i++) {
        strads_free(mix->own[i]);
        strads_free(mix->shared[i]);
    }
    *mix = (anderson){.n_kept = 0};
}

static strads_status reserve(double **arrays, size_t *capacity, size_t n)
{
    if (n <= *capacity) {
        return STRADS_OK;
    }
    *capacity = 0;
    for (int i = 0; i <= DEPTH; i++) {
        strads_free(arrays[i]);
        arrays[i] = strads_alloc_array(n + n / 2, sizeof(double));
        if (arrays[i] == NULL) {
            return STRADS_ERR_NOMEM;
        }
    }
    *capacity = n + n / 2;
    return STRADS_OK;
}

strads_status anderson_start(anderson *mix, size_t n_own, size_t n_shared)
{
    mix->n_own = n_own;
    mix->n_shared = n_shared;
    mix->n_kept = 0;
    const strads_status status = reserve(mix->own, &mix->own_capacity, n_own);
    return status != STRADS_OK ? status : reserve(mix->shared, &mix->shared_capacity, n_shared);
}

bool anderson_note(anderson *mix, const double *own, const double *shared)
{
    if (mix->n_own > 0) {
        memcpy(mix->own[mix->n_kept], own, mix->n_own * sizeof(*own));
    }
    memcpy(mix->shared[mix->n_kept], shared, mix->n_shared * sizeof(*shared));
    mix->n_kept++;
    return mix->n_kept == DEPTH + 1;
}

/* This member's share of the inner products of the iterates' differences. */
static void multiply(const anderson *mix, double products[DEPTH * DEPTH])
{
    for (int a = 0; a < DEPTH; a++) {
        for (int b = 0; b <= a; b++) {
            double sum = 0.0;
            for (size_t i = 0; i < mix->n_own; i++) {
                sum +=
                    (mix->own[a + 1][i] - mix->own[a][i]) * (mix->own[b + 1][i] - mix->own[b][i]);
            }
            products[a * DEPTH + b] = sum;
            products[b * DEPTH + a] = sum;
        }
    }
}

/* Solves A z = 1 by Gauss for A symmetric, positive and perhaps nearly singular, which
 * a small share of its trace mends; false when A is zero or not finite. */
static bool solve_ones(double a[DEPTH * DEPTH], double z[DEPTH])
{
    double trace = 0.0;
    for (int i = 0; i < DEPTH; i++) {
        trace += a[i * DEPTH + i];
        z[i] = 1.0;
    }
    if (!(trace > 0.0) || !isfinite(trace)) {
        return false;
    }
    for (int i = 0; i < DEPTH; i++) {
        for (int j = 0; j < DEPTH; j++) {
            a[i * DEPTH + j] = a[i * DEPTH + j] / trace + (i == j ? RIDGE : 0.0);
        }
    }
    for (int k = 0; k < DEPTH; k++) {
        for (int i = k + 1; i < DEPTH; i++) {
            const double factor = a[i * DEPTH + k] / a[k * DEPTH + k];
            for (int j = k; j < DEPTH; j++) {
                a[i * DEPTH + j] -= factor * a[k * DEPTH + j];
            }
            z[i] -= factor * z[k];
        }
    }
    for (int i = DEPTH - 1; i >= 0; i--) {
        for (int j = i + 1; j < DEPTH; j++) {
            z[i] -= a[i * DEPTH + j] * z[j];
        }
        z[i] /= a[i * DEPTH + i];
    }
    return true;
}

static void combine(double *const *iterates, const double z[DEPTH], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (int a = 0; a < DEPTH; a++) {
            sum += z[a] * iterates[a + 1][i];
        }
        iterates[0][i] = sum;
    }
}

strads_status anderson_combine(anderson *mix, strads_worker *worker, bool *possible)
{
    double products[DEPTH * DEPTH];
    double z[DEPTH];
    multiply(mix, products);
    const strads_status status = strads_exchange(worker, products, NULL, DEPTH * DEPTH);
    if (status != STRADS_OK) {
        return status;
    }
    mix->n_kept = 0;
    double total = 0.0;
    *possible = solve_ones(products, z);
    for (int a = 0; a < DEPTH && *possible; a++) {
        total += z[a];
    }
    *possible = *possible && total != 0.0 && isfinite(total);
    if (*possible) {
        for (int a = 0; a < DEPTH; a++) {
            z[a] /= total;
        }
        combine(mix->own, z, mix->n_own);
        combine(mix->shared, z, mix->n_shared);
    }
    return STRADS_OK;
}
