/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_alpha.c - a fitted prior against known ones and a slow fixed point. */
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sf_psi.h>
#include <string.h>

#include "apps/lda/alpha.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { N_TOPICS = 5, N_DOCUMENTS = 20000, MAX_BINS = 240 };

static uint32_t counts[N_DOCUMENTS][N_TOPICS], lengths[N_DOCUMENTS];
static double histograms[(N_TOPICS + 1) * MAX_BINS];

/* Documents of `length` tokens in the mean, from a tenth of it on, with topics of a known prior. */
static void draw(const double *alpha, uint32_t length)
{
    gsl_rng *random = gsl_rng_alloc(strads_random_gsl());
    gsl_rng_set(random, 17);
    for (size_t d = 0; d < N_DOCUMENTS; d++) {
        double theta[N_TOPICS];
        unsigned drawn[N_TOPICS];
        lengths[d] = length / 10 + (uint32_t) gsl_rng_uniform_int(random, length * 9 / 5);
        gsl_ran_dirichlet(random, N_TOPICS, alpha, theta);
        gsl_ran_multinomial(random, N_TOPICS, lengths[d], theta, drawn);
        for (size_t k = 0; k < N_TOPICS; k++) {
            counts[d][k] = drawn[k];
        }
    }
    gsl_rng_free(random);
}

static size_t fill(size_t n_documents)
{
    uint32_t longest = 0;
    for (size_t d = 0; d < n_documents; d++) {
        longest = lengths[d] > longest ? lengths[d] : longest;
    }
    const size_t n_bins = lda_alpha_n_bins(longest);
    memset(histograms, 0, sizeof(histograms));
    for (size_t d = 0; d < n_documents; d++) {
        for (size_t k = 0; k < N_TOPICS; k++) {
            lda_alpha_add(histograms, n_bins, k, counts[d][k]);
        }
        lda_alpha_add(histograms, n_bins, N_TOPICS, lengths[d]);
    }
    return n_bins;
}

/* One step by digammas of every document's counts. */
static void slow_step(double *alpha, size_t n_documents)
{
    double sum = 0.0;
    double below = 0.0;
    for (size_t k = 0; k < N_TOPICS; k++) {
        sum += alpha[k];
    }
    for (size_t d = 0; d < n_documents; d++) {
        below += gsl_sf_psi(lengths[d] + sum) - gsl_sf_psi(sum);
    }
    for (size_t k = 0; k < N_TOPICS; k++) {
        double above = 0.0;
        for (size_t d = 0; d < n_documents; d++) {
            above += gsl_sf_psi(counts[d][k] + alpha[k]) - gsl_sf_psi(alpha[k]);
        }
        alpha[k] *= above / below;
    }
}

/* log p(z | alpha) of all documents. */
static double likelihood(const double *alpha, size_t n_documents)
{
    double sum = 0.0;
    double logs = 0.0;
    for (size_t k = 0; k < N_TOPICS; k++) {
        sum += alpha[k];
    }
    for (size_t d = 0; d < n_documents; d++) {
        logs += gsl_sf_lngamma(sum) - gsl_sf_lngamma(lengths[d] + sum);
        for (size_t k = 0; k < N_TOPICS; k++) {
            logs += gsl_sf_lngamma(counts[d][k] + alpha[k]) - gsl_sf_lngamma(alpha[k]);
        }
    }
    return logs;
}

static void bins(void)
{
    size_t last = 0;
    for (uint32_t c = 0; c < 100000; c++) {
        const size_t bin = lda_alpha_bin(c);
        CHECK(bin == last || bin == last + 1);
        CHECK(c > 17 || bin == (c < 16 ? c : 16));
        last = bin;
    }
    CHECK(lda_alpha_n_bins(UINT32_MAX) == MAX_BINS);
    CHECK(lda_alpha_n_bins(0) == 1);
}

static void recovers(void)
{
    static const double known[] = {0.05, 0.1, 0.3, 1.0, 2.0};
    static const uint32_t means[] = {20, 150, 1000};
    for (size_t m = 0; m < 3; m++) {
        double alpha[] = {0.5, 0.5, 0.5, 0.5, 0.5};
        draw(known, means[m]);
        lda_alpha_update(alpha, N_TOPICS, histograms, fill(N_DOCUMENTS), 1000);
        for (size_t k = 0; k < N_TOPICS; k++) {
            CHECK_NEAR(alpha[k] / known[k], 1.0, 0.05);
        }
    }
}

/* Counts below 16 are exact. */
static void short_documents(void)
{
    static const double known[] = {0.05, 0.1, 0.3, 1.0, 2.0};
    double alpha[] = {0.1, 0.2, 0.1, 0.3, 4.0};
    double slow[N_TOPICS];
    draw(known, 8);
    const size_t n_bins = fill(500);
    for (int i = 0; i < 10; i++) {
        memcpy(slow, alpha, sizeof(slow));
        lda_alpha_update(alpha, N_TOPICS, histograms, n_bins, 1);
        slow_step(slow, 500);
        for (size_t k = 0; k < N_TOPICS; k++) {
            CHECK_NEAR(alpha[k], slow[k], 1e-12 * slow[k]);
        }
    }
}

static void long_documents(void)
{
    static const double known[] = {0.05, 0.1, 0.3, 1.0, 2.0};
    double alpha[] = {1.0, 1.0, 1.0, 1.0, 1.0};
    double slow[] = {1.0, 1.0, 1.0, 1.0, 1.0};
    draw(known, 3000);
    const size_t n_bins = fill(500);
    for (int i = 0; i < 10; i++) {
        lda_alpha_update(alpha, N_TOPICS, histograms, n_bins, 1);
        slow_step(slow, 500);
    }
    for (size_t k = 0; k < N_TOPICS; k++) {
        CHECK_NEAR(alpha[k], slow[k], 2e-3 * slow[k]);
    }
}

static void never_falls(void)
{
    static const double known[] = {0.02, 0.5, 0.1, 5.0, 0.2};
    double alpha[] = {3.0, 0.001, 1.0, 1.0, 40.0};
    draw(known, 8);
    const size_t n_bins = fill(400);
    double before = likelihood(alpha, 400);
    for (int i = 0; i < 100; i++) {
        lda_alpha_update(alpha, N_TOPICS, histograms, n_bins, 1);
        const double after = likelihood(alpha, 400);
        CHECK(after >= before - 1e-9 * fabs(before));
        before = after;
    }
}

/* Topic 1 has no token. */
static void floor_holds(void)
{
    double alpha[] = {0.5, 0.5, 0.5, 0.5, 0.5};
    static const double known[] = {0.5, 1e-9, 0.5, 0.5, 0.5};
    draw(known, 8);
    const size_t n_bins = fill(100);
    lda_alpha_update(alpha, N_TOPICS, histograms, n_bins, 100);
    CHECK_NEAR(alpha[1], LDA_ALPHA_FLOOR, 0.0);
    CHECK(alpha[0] > 0.1);
}

static void nothing_to_learn(void)
{
    double alpha[] = {0.5, 0.25, 0.5, 0.5, 0.5};
    memset(histograms, 0, sizeof(histograms));
    for (size_t k = 0; k <= N_TOPICS; k++) {
        lda_alpha_add(histograms, 1, k, 0);
    }
    lda_alpha_update(alpha, N_TOPICS, histograms, 1, 10);
    CHECK(alpha[0] == 0.5 && alpha[1] == 0.25);
}

SUITE("lda alpha", {"bins ascend with the count, small ones have one each", bins},
      {"a known prior is recovered from documents of any length", recovers},
      {"with short documents a step is that of all digammas", short_documents},
      {"with long documents it is so to two thousandths", long_documents},
      {"the likelihood never falls", never_falls},
      {"a topic that no document has keeps a little", floor_holds},
      {"without tokens nothing changes", nothing_to_learn})
