/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/random.c - streams over Random123's Philox 4x32-10, and their GSL form. */
#include "base/random.h"

#include <Random123/philox.h>
#include <assert.h>

strads_random strads_random_start(uint64_t seed, uint64_t stream)
{
    return (strads_random){.seed = seed, .stream = stream};
}

/* block := philox(counter = (position, stream), key = seed), low words first. */
static void next_block(strads_random *random)
{
    const philox4x32_ctr_t counter = {
        {(uint32_t) random->position, (uint32_t) (random->position >> 32),
         (uint32_t) random->stream, (uint32_t) (random->stream >> 32)}};
    const philox4x32_key_t key = {{(uint32_t) random->seed, (uint32_t) (random->seed >> 32)}};
    const philox4x32_ctr_t block = philox4x32(counter, key);
    for (int i = 0; i < 4; i++) {
        random->block[i] = block.v[i];
    }
    random->position++;
    random->n_left = 4;
}

uint32_t strads_random_bits(strads_random *random)
{
    if (random->n_left == 0) {
        next_block(random);
    }
    return random->block[4 - random->n_left--];
}

static uint64_t bits64(strads_random *random)
{
    const uint64_t low = strads_random_bits(random);
    return low | (uint64_t) strads_random_bits(random) << 32;
}

double strads_random_uniform(strads_random *random)
{
    return (double) (bits64(random) >> 11) * 0x1p-53;
}

__extension__ typedef unsigned __int128 product128;

/* The high half of bits * n, bits uniform in [0, 2^64): floor(bits * n / 2^64). Each
 * result has equally many `bits` once those are thrown away whose low half is below
 * 2^64 mod n (Lemire, "Fast random integer generation in an interval", 2019). */
uint64_t strads_random_below(strads_random *random, uint64_t n)
{
    assert(n > 0);
    product128 product = (product128) bits64(random) * n;
    if ((uint64_t) product < n) {
        const uint64_t n_rejected = (0 - n) % n;
        while ((uint64_t) product < n_rejected) {
            product = (product128) bits64(random) * n;
        }
    }
    return (uint64_t) (product >> 64);
}

static void gsl_set(void *state, unsigned long seed)
{
    *(strads_random *) state = strads_random_start(seed, 0);
}

static unsigned long gsl_get(void *state)
{
    return strads_random_bits(state);
}

static double gsl_get_double(void *state)
{
    return strads_random_uniform(state);
}

const gsl_rng_type *strads_random_gsl(void)
{
    static const gsl_rng_type type = {.name = "philox4x32-10",
                                      .max = UINT32_MAX,
                                      .min = 0,
                                      .size = sizeof(strads_random),
                                      .set = gsl_set,
                                      .get = gsl_get,
                                      .get_double = gsl_get_double};
    return &type;
}
