/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/base/test_random.c - Philox streams against known answers. */
#include "base/random.h"

#include "tests/support/suite.h"

/* The vectors for philox4x32-10 that Random123 publishes (kat_vectors): counter, key,
 * result, each as words from the lowest. */
static void blocks_equal_the_published_vectors(void)
{
    static const struct {
        uint64_t position, stream, seed;
        uint32_t block[4];
    } cases[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x85a308d3243f6a88,
         0x0370734413198a2e,
         0x299f31d0a4093822,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        strads_random random = strads_random_start(cases[i].seed, cases[i].stream);
        random.position = cases[i].position;
        for (int k = 0; k < 4; k++) {
            CU_ASSERT_EQUAL(strads_random_bits(&random), cases[i].block[k]);
        }
    }
}

static void a_uniform_has_53_bits_of_two_words(void)
{
    strads_random random = strads_random_start(0, 0);
    CHECK_NEAR(strads_random_uniform(&random), 0x1.c2d38b1acc4fdp-1, 0.0);
}

static void a_draw_depends_on_its_position_alone(void)
{
    strads_random whole = strads_random_start(7, 3);
    for (uint64_t position = 0; position < 100; position++) {
        strads_random part = strads_random_start(7, 3);
        part.position = position;
        for (int k = 0; k < 4; k++) {
            CU_ASSERT_EQUAL(strads_random_bits(&whole), strads_random_bits(&part));
        }
    }
}

static void streams_and_seeds_differ(void)
{
    strads_random base = strads_random_start(1, 1);
    strads_random other_seed = strads_random_start(2, 1);
    strads_random other_stream = strads_random_start(1, 2);
    size_t n_equal = 0;
    for (int i = 0; i < 1000; i++) {
        const uint32_t bits = strads_random_bits(&base);
        n_equal += bits == strads_random_bits(&other_seed);
        n_equal += bits == strads_random_bits(&other_stream);
    }
    CHECK(n_equal <= 1);
}

/* Mean 1/2 and variance 1/12, within 5 standard errors. */
static void uniforms_fill_the_unit_interval(void)
{
    enum { N = 100000 };
    strads_random random = strads_random_start(11, 0);
    double sum = 0.0;
    double squares = 0.0;
    for (int i = 0; i < N; i++) {
        const double u = strads_random_uniform(&random);
        CHECK(u >= 0.0 && u < 1.0);
        sum += u;
        squares += (u - 0.5) * (u - 0.5);
    }
    CHECK_NEAR(sum / N, 0.5, 5.0 * sqrt(1.0 / 12.0 / N));
    CHECK_NEAR(squares / N, 1.0 / 12.0, 5.0 * sqrt(1.0 / 180.0 / N));
}

/* Chi-square with 6 degrees of freedom: 33 has probability 1e-5. */
static void integers_below_n_are_equally_likely(void)
{
    enum { N = 70000, CELLS = 7 };
    strads_random random = strads_random_start(5, 0);
    double counts[CELLS] = {0};
    for (int i = 0; i < N; i++) {
        const uint64_t drawn = strads_random_below(&random, CELLS);
        REQUIRE(drawn < CELLS);
        counts[drawn]++;
    }
    double chi2 = 0.0;
    for (int k = 0; k < CELLS; k++) {
        const double expected = (double) N / CELLS;
        chi2 += (counts[k] - expected) * (counts[k] - expected) / expected;
    }
    CHECK(chi2 < 33.0);
}

/* With n = 3 * 2^62, a plain product would give every third integer twice as often;
 * a quarter of all draws are thrown away to avoid it. */
static void a_large_n_has_no_bias(void)
{
    enum { N = 30000 };
    const uint64_t n = (uint64_t) 3 << 62;
    strads_random random = strads_random_start(9, 0);
    double by_remainder[3] = {0};
    for (int i = 0; i < N; i++) {
        const uint64_t drawn = strads_random_below(&random, n);
        REQUIRE(drawn < n);
        by_remainder[drawn % 3]++;
    }
    for (int k = 0; k < 3; k++) {
        CHECK_NEAR(by_remainder[k] / N, 1.0 / 3.0, 5.0 * sqrt(2.0 / 9.0 / N));
    }
}

static void the_edges_of_below_hold(void)
{
    strads_random random = strads_random_start(1, 0);
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL(strads_random_below(&random, 1), 0);
        CHECK(strads_random_below(&random, UINT64_MAX) < UINT64_MAX);
        CHECK(strads_random_below(&random, (uint64_t) 1 << 63) < (uint64_t) 1 << 63);
    }
}

static void the_gsl_generator_draws_the_stream_of_its_seed(void)
{
    gsl_rng *gsl = gsl_rng_alloc(strads_random_gsl());
    REQUIRE(gsl != NULL);
    gsl_rng_set(gsl, 42);
    strads_random random = strads_random_start(42, 0);
    CU_ASSERT_EQUAL(gsl_rng_min(gsl), 0);
    CU_ASSERT_EQUAL(gsl_rng_max(gsl), UINT32_MAX);
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL(gsl_rng_get(gsl), strads_random_bits(&random));
        CHECK_NEAR(gsl_rng_uniform(gsl), strads_random_uniform(&random), 0.0);
    }
    gsl_rng *copy = gsl_rng_clone(gsl);
    REQUIRE(copy != NULL);
    CU_ASSERT_EQUAL(gsl_rng_get(copy), gsl_rng_get(gsl));
    gsl_rng_free(copy);
    gsl_rng_free(gsl);
}

SUITE("base/random", {"blocks equal the published vectors", blocks_equal_the_published_vectors},
      {"a uniform has 53 bits of two words", a_uniform_has_53_bits_of_two_words},
      {"a draw depends on its position alone", a_draw_depends_on_its_position_alone},
      {"streams and seeds differ", streams_and_seeds_differ},
      {"uniforms fill the unit interval", uniforms_fill_the_unit_interval},
      {"integers below n are equally likely", integers_below_n_are_equally_likely},
      {"a large n has no bias", a_large_n_has_no_bias},
      {"the edges of below hold", the_edges_of_below_hold},
      {"the GSL generator draws the stream of its seed",
       the_gsl_generator_draws_the_stream_of_its_seed})
