/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lda/test_likelihood.c - logs of rising factorials against plain sums of logs, and
 * the joint likelihood against the probability of drawing one token after another.
 */
#include "apps/lda/likelihood.h"
#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { N_TOPICS = 5, N_WORDS = 7, N_DOCUMENTS = 6, LENGTH = 40 };

static double slow(double a, size_t n)
{
    long double sum = 0.0L;
    for (size_t i = 0; i < n; i++) {
        sum += logl((long double) a + (long double) i);
    }
    return (double) sum;
}

static bool is_near(double actual, double expected)
{
    return fabs(actual - expected) <= 1e-12 * fabs(expected);
}

static void accurate(void)
{
    static const double values[] = {1e-6, 0.01, 0.1, 0.5, 1.0, 3.7, 50.0, 1000.0, 1e6};
    static const uint32_t counts[] = {0, 1, 2, 3, 17, 4095, 4096, 4097, 70000, 3000000};
    for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
        lda_rising rising;
        REQUIRE_OK(lda_rising_init(&rising, &values[v], 1));
        for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
            const double expected = slow(values[v], counts[c]);
            CHECK(is_near(lda_rising_of(&rising, 0, counts[c]), expected));
            CHECK(is_near(lda_rising_log(values[v], counts[c]), expected));
        }
        lda_rising_fini(&rising);
    }
}

static void different_values(void)
{
    static double a[65535];
    static uint32_t counts[65535];
    const size_t n = sizeof(a) / sizeof(a[0]);
    double expected = 0.0;
    for (size_t i = 0; i < n; i++) {
        a[i] = 0.001 * (double) (1 + i % 321);
        counts[i] = i % 100 == 0 ? 5000 : (uint32_t) (i % 7);
        expected += slow(a[i], counts[i]);
    }
    lda_rising rising;
    REQUIRE_OK(lda_rising_init(&rising, a, n));
    CHECK(n * rising.width * sizeof(double) <= 16 << 20);
    CHECK_NEAR(lda_rising_sum(&rising, counts, n), expected, 1e-12 * fabs(expected));
    lda_rising_fini(&rising);
}

static void histograms(void)
{
    const double a[] = {0.05, 0.05, 0.05};
    const uint32_t counts[] = {0, 1, 1, 1, 2, 9, 9, 5000, 0, 1};
    static uint64_t histogram[5001];
    for (size_t i = 0; i < 10; i++) {
        histogram[counts[i]]++;
    }
    lda_rising rising;
    REQUIRE_OK(lda_rising_init(&rising, a, 3));
    const double sum = lda_rising_sum(&rising, counts, 10);
    CHECK_NEAR(sum, 4 * slow(0.05, 1) + slow(0.05, 2) + 2 * slow(0.05, 9) + slow(0.05, 5000), 1e-9);
    CHECK_NEAR(lda_rising_sum_histogram(&rising, histogram, 5001), sum, 1e-9);
    CHECK(lda_rising_sum(&rising, counts, 0) == 0.0);
    lda_rising_fini(&rising);
}

/* A corpus with topics, and its counts. */
typedef struct drawn {
    uint32_t word[N_DOCUMENTS][LENGTH], topic[N_DOCUMENTS][LENGTH];
    uint32_t by_word[N_WORDS * N_TOPICS], by_document[N_DOCUMENTS][N_TOPICS], length[N_DOCUMENTS];
    double totals[N_TOPICS];
} drawn;

static void draw(drawn *c)
{
    strads_random random = strads_random_start(4, 0);
    *c = (drawn){.length = {0}};
    for (uint32_t d = 0; d < N_DOCUMENTS; d++) {
        c->length[d] = d * LENGTH / N_DOCUMENTS; /* the first is empty */
        for (uint32_t i = 0; i < c->length[d]; i++) {
            const uint32_t w = (uint32_t) strads_random_below(&random, N_WORDS);
            const uint32_t k = (uint32_t) strads_random_below(&random, N_TOPICS);
            c->word[d][i] = w;
            c->topic[d][i] = k;
            c->by_word[w * N_TOPICS + k]++;
            c->by_document[d][k]++;
            c->totals[k]++;
        }
    }
}

/* log p(w, z) by the chain rule: each token's topic, then its word, given those before it. */
static double chain(const drawn *c, const double *alpha, double sum, double beta)
{
    double logs = 0.0;
    double by_word[N_WORDS][N_TOPICS] = {{0.0}};
    double totals[N_TOPICS] = {0.0};
    for (size_t d = 0; d < N_DOCUMENTS; d++) {
        double by_topic[N_TOPICS] = {0.0};
        for (uint32_t i = 0; i < c->length[d]; i++) {
            const uint32_t w = c->word[d][i];
            const uint32_t k = c->topic[d][i];
            logs += log((by_topic[k]++ + alpha[k]) / (i + sum));
            logs += log((by_word[w][k]++ + beta) / (totals[k]++ + N_WORDS * beta));
        }
    }
    return logs;
}

static void joint(void)
{
    static drawn c;
    draw(&c);
    const double beta = 0.03;
    const double alphas[2][N_TOPICS] = {{0.2, 0.2, 0.2, 0.2, 0.2}, {0.7, 0.01, 0.3, 1.9, 0.1}};
    for (size_t v = 0; v < 2; v++) {
        double sum = 0.0;
        for (size_t k = 0; k < N_TOPICS; k++) {
            sum += alphas[v][k];
        }
        lda_rising words;
        lda_rising topics;
        lda_rising lengths;
        REQUIRE_OK(lda_rising_init(&words, &beta, 1));
        REQUIRE_OK(lda_rising_init(&topics, alphas[v], N_TOPICS));
        REQUIRE_OK(lda_rising_init(&lengths, &sum, 1));
        double found = lda_rising_sum(&words, c.by_word, N_WORDS * N_TOPICS) +
                       lda_totals_likelihood(c.totals, N_TOPICS, N_WORDS * beta) -
                       lda_rising_sum(&lengths, c.length, N_DOCUMENTS);
        for (size_t d = 0; d < N_DOCUMENTS; d++) {
            found += lda_rising_sum(&topics, c.by_document[d], N_TOPICS);
        }
        const double expected = chain(&c, alphas[v], sum, beta);
        CHECK_NEAR(found, expected, 1e-11 * fabs(expected));
        lda_rising_fini(&words);
        lda_rising_fini(&topics);
        lda_rising_fini(&lengths);
    }
}

static strads_status status_of_init;

static void init_once(void *context)
{
    const double a[] = {1.0, 2.0};
    status_of_init = lda_rising_init(context, a, 2);
}

static void memory(void)
{
    const size_t live = strads_mem_live();
    lda_rising rising = {.n_values = 7};
    for (size_t n = 1; n <= 2; n++) {
        strads_mem_fail_after(n);
        char *said = suite_stderr_of(init_once, &rising);
        strads_mem_fail_after(0);
        CHECK_STATUS(status_of_init, STRADS_ERR_NOMEM);
        CHECK_TEXT(said, "strads: error: lda: no memory for the likelihood\n");
        CHECK(rising.n_values == 7);
        strads_free(said);
    }
    CHECK(strads_mem_live() == live);
}

SUITE("lda likelihood", {"the log of a rising factorial is the sum of its logs", accurate},
      {"65,535 different values fit in 16 MB and are as accurate", different_values},
      {"a histogram of counts says the same as the counts", histograms},
      {"the joint likelihood is that of one token after another", joint},
      {"without memory nothing is made", memory})
