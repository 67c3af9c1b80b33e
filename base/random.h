/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * base/random.h - counter-based random streams (Philox 4x32-10: Salmon, Moraes,
 * Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 *
 * A stream is named by (seed, stream) and has no other state than its position,
 * so the same draws come out under any number of workers.
 */
#ifndef STRADS_BASE_RANDOM_H
#define STRADS_BASE_RANDOM_H

#include <gsl/gsl_rng.h>

#include "base/base.h"

typedef struct strads_random {
    uint64_t seed, stream;
    uint64_t position; /* blocks of four words drawn so far */
    uint32_t block[4]; /* the current block */
    uint32_t n_left;   /* words of it not handed out yet */
} strads_random;

/* A stream at its beginning. */
STRADS_API strads_random strads_random_start(uint64_t seed, uint64_t stream);

/* 32 uniform bits; a uniform double in [0, 1) of 53 bits; a uniform integer in
 * [0, n), n > 0, without bias. */
STRADS_API uint32_t strads_random_bits(strads_random *random);
STRADS_API double strads_random_uniform(strads_random *random);
STRADS_API uint64_t strads_random_below(strads_random *random, uint64_t n);

/* The same generator for GSL's distributions: gsl_rng_alloc(strads_random_gsl()),
 * seeded by gsl_rng_set; its streams equal (seed, 0). */
STRADS_API const gsl_rng_type *strads_random_gsl(void);

#endif
