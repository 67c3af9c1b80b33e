/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lda/test_infer.c - topics of new documents against a slow fixed point with a
 * gamma for every token and topic, and against the exact posterior where it can be enumerated.
 */
#include <string.h>

#include "apps/lda/infer.h"
#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { N_TOPICS = 8, N_WORDS = 60, MAX_TOKENS = 200 };
static const double beta = 0.05;

static uint32_t counts[N_WORDS][N_TOPICS];
static double totals[N_TOPICS], alpha[N_TOPICS];

/* Word w is mostly of topic w % N_TOPICS; the last has no counts. */
static void draw_model(void)
{
    strads_random random = strads_random_start(3, 0);
    memset(totals, 0, sizeof(totals));
    for (size_t k = 0; k < N_TOPICS; k++) {
        alpha[k] = 0.05 + 0.1 * (double) k;
    }
    for (size_t w = 0; w < N_WORDS; w++) {
        for (size_t k = 0; k < N_TOPICS; k++) {
            const bool own = w % N_TOPICS == k;
            const uint64_t drawn = strads_random_below(&random, own ? 500 : 12);
            counts[w][k] = w == N_WORDS - 1 || (!own && drawn > 6) ? 0 : (uint32_t) drawn;
            totals[k] += counts[w][k];
        }
    }
}

static size_t word_counts(const void *context, uint32_t word, uint32_t *topics, uint32_t *values)
{
    (void) context;
    size_t n = 0;
    for (uint32_t k = 0; k < N_TOPICS; k++) {
        if (counts[word][k] > 0) {
            topics[n] = k;
            values[n++] = counts[word][k];
        }
    }
    return n;
}

static const lda_infer_model model = {.n_words = N_WORDS,
                                      .n_topics = N_TOPICS,
                                      .totals = totals,
                                      .alpha = alpha,
                                      .beta = 0.05,
                                      .counts = word_counts};

static lda_infer *make(void)
{
    lda_infer *infer = NULL;
    draw_model();
    REQUIRE_OK(lda_infer_create(&infer, &model));
    return infer;
}

static double probability(uint32_t w, size_t k)
{
    return (counts[w][k] + beta) / (totals[k] + N_WORDS * beta);
}

static double alpha_sum(void)
{
    double sum = 0.0;
    for (size_t k = 0; k < N_TOPICS; k++) {
        sum += alpha[k];
    }
    return sum;
}

/* Tokens of a few topics, from `first` on. */
static void draw_document(uint32_t *tokens, size_t n, uint64_t first)
{
    strads_random random = strads_random_start(5, first);
    for (size_t i = 0; i < n; i++) {
        const uint64_t topic = (first + strads_random_below(&random, 3)) % N_TOPICS;
        const uint64_t group = strads_random_below(&random, N_WORDS / N_TOPICS);
        tokens[i] = (uint32_t) (group * N_TOPICS + topic);
    }
}

/* Every token has a gamma for every topic and for both parts of p(w | k); all are made anew from
 * those before, until nothing moves. */
static void slow_topics(const uint32_t *tokens, size_t n, double *theta)
{
    static double seen[MAX_TOKENS][N_TOPICS], spread[MAX_TOKENS][N_TOPICS];
    memset(seen, 0, sizeof(seen));
    memset(spread, 0, sizeof(spread));
    double weight[N_TOPICS];
    for (size_t k = 0; k < N_TOPICS; k++) {
        weight[k] = alpha[k] * (1.0 + (double) n / alpha_sum());
    }
    for (int round = 0; round < 5000; round++) {
        for (size_t i = 0; i < n; i++) {
            double sum = 0.0;
            for (size_t k = 0; k < N_TOPICS; k++) {
                const double scale = 1.0 / (totals[k] + N_WORDS * beta);
                seen[i][k] = counts[tokens[i]][k] * scale * (weight[k] - seen[i][k]);
                spread[i][k] = beta * scale * weight[k];
                sum += seen[i][k] + spread[i][k];
            }
            for (size_t k = 0; k < N_TOPICS; k++) {
                seen[i][k] /= sum;
                spread[i][k] /= sum;
            }
        }
        for (size_t k = 0; k < N_TOPICS; k++) {
            weight[k] = alpha[k];
            for (size_t i = 0; i < n; i++) {
                weight[k] += seen[i][k] + spread[i][k];
            }
        }
    }
    for (size_t k = 0; k < N_TOPICS; k++) {
        theta[k] = weight[k] / ((double) n + alpha_sum());
    }
}

static void fixed_point(void)
{
    lda_infer *infer = make();
    for (uint64_t first = 0; first < 40; first++) {
        uint32_t tokens[MAX_TOKENS];
        double theta[N_TOPICS];
        double slow[N_TOPICS];
        double sum = 0.0;
        const size_t n = 1 + (size_t) first * first % MAX_TOKENS;
        draw_document(tokens, n, first);
        tokens[n / 2] = N_WORDS - 1;
        REQUIRE_OK(lda_infer_topics(infer, tokens, n, theta));
        slow_topics(tokens, n, slow);
        for (size_t k = 0; k < N_TOPICS; k++) {
            CHECK_NEAR(theta[k], slow[k], 2e-3);
            CHECK(theta[k] > 0.0);
            sum += theta[k];
        }
        CHECK_NEAR(sum, 1.0, 1e-12);
    }
    lda_infer_destroy(infer);
}

/* E[theta | w], by all assignments of three topics to seven tokens. */
static void exact_topics(const uint32_t *tokens, double *theta)
{
    enum { N = 7, K = 3, N_ALL = 2187 };
    double sum = 0.0;
    memset(theta, 0, K * sizeof(*theta));
    for (size_t z = 0; z < N_ALL; z++) {
        double p = 1.0;
        double n[K] = {0.0};
        for (size_t i = 0, rest = z; i < N; i++, rest /= K) {
            const size_t k = rest % K;
            p *= probability(tokens[i], k) * (n[k]++ + alpha[k]);
        }
        for (size_t k = 0; k < K; k++) {
            theta[k] += p * (n[k] + alpha[k]) / (N + alpha[0] + alpha[1] + alpha[2]);
        }
        sum += p;
    }
    for (size_t k = 0; k < K; k++) {
        theta[k] /= sum;
    }
}

static size_t three_counts(const void *context, uint32_t word, uint32_t *topics, uint32_t *values)
{
    (void) context;
    for (uint32_t k = 0; k < 3; k++) {
        topics[k] = k;
        values[k] = counts[word][k];
    }
    return 3;
}

static void exact(void)
{
    lda_infer *infer = NULL;
    lda_infer_model three = model;
    three.n_topics = 3;
    three.counts = three_counts;
    draw_model();
    REQUIRE_OK(lda_infer_create(&infer, &three));
    double error = 0.0;
    for (uint64_t d = 0; d < 30; d++) {
        uint32_t tokens[7];
        double theta[3];
        double expected[3];
        strads_random random = strads_random_start(8, d);
        for (size_t i = 0; i < 7; i++) {
            tokens[i] = (uint32_t) strads_random_below(&random, N_WORDS - 1);
        }
        REQUIRE_OK(lda_infer_topics(infer, tokens, 7, theta));
        exact_topics(tokens, expected);
        for (size_t k = 0; k < 3; k++) {
            error += fabs(theta[k] - expected[k]) / (30 * 3);
        }
    }
    CHECK_NEAR(error, 0.0, 0.03);
    lda_infer_destroy(infer);
}

static void order(void)
{
    lda_infer *infer = make();
    uint32_t tokens[MAX_TOKENS];
    uint32_t turned[MAX_TOKENS];
    double theta[N_TOPICS];
    double again[N_TOPICS];
    draw_document(tokens, MAX_TOKENS, 1);
    for (size_t i = 0; i < MAX_TOKENS; i++) {
        turned[i] = tokens[MAX_TOKENS - 1 - i];
    }
    REQUIRE_OK(lda_infer_topics(infer, tokens, MAX_TOKENS, theta));
    REQUIRE_OK(lda_infer_topics(infer, tokens, 3, again)); /* leaves nothing behind */
    REQUIRE_OK(lda_infer_topics(infer, turned, MAX_TOKENS, again));
    CHECK(memcmp(theta, again, sizeof(theta)) == 0);
    lda_infer_destroy(infer);
}

static void empty(void)
{
    lda_infer *infer = make();
    double theta[N_TOPICS];
    lda_heldout sum = {.n_tokens = 0.0};
    const uint32_t lone = 3;
    REQUIRE_OK(lda_infer_topics(infer, NULL, 0, theta));
    for (size_t k = 0; k < N_TOPICS; k++) {
        CHECK_NEAR(theta[k], alpha[k] / alpha_sum(), 1e-15);
    }
    REQUIRE_OK(lda_infer_complete(infer, NULL, 0, 1, 1, &sum));
    REQUIRE_OK(lda_infer_complete(infer, &lone, 1, 1, 1, &sum));
    CHECK(sum.n_tokens == 0.0 && sum.log_likelihood == 0.0);
    lda_infer_destroy(infer);
}

/* Of two tokens one is given and the other asked for; the draw says which. */
static void completion(void)
{
    lda_infer *infer = make();
    const uint32_t tokens[] = {9, 20};
    double logs[2];
    bool met[2] = {false, false};
    for (size_t i = 0; i < 2; i++) {
        double theta[N_TOPICS];
        double sum = 0.0;
        REQUIRE_OK(lda_infer_topics(infer, &tokens[i], 1, theta));
        for (size_t k = 0; k < N_TOPICS; k++) {
            sum += theta[k] * probability(tokens[1 - i], k);
        }
        logs[i] = log(sum);
    }
    for (uint64_t d = 0; d < 20; d++) {
        lda_heldout sum = {.log_likelihood = 1.0, .n_tokens = 5.0};
        REQUIRE_OK(lda_infer_complete(infer, tokens, 2, 4, d, &sum));
        CHECK(sum.n_tokens == 6.0);
        const size_t i = fabs(sum.log_likelihood - 1.0 - logs[0]) < 1e-12 ? 0 : 1;
        CHECK_NEAR(sum.log_likelihood - 1.0, logs[i], 1e-12);
        met[i] = true;
    }
    CHECK(met[0] && met[1]);
    lda_infer_destroy(infer);
}

/* Documents of a few topics are foretold better with their own topics than with the prior's. */
static void perplexity(void)
{
    lda_infer *infer = make();
    lda_heldout sum = {.n_tokens = 0.0};
    double prior = 0.0;
    double n_prior = 0.0;
    for (uint64_t d = 0; d < 50; d++) {
        uint32_t tokens[101];
        draw_document(tokens, 101, d);
        REQUIRE_OK(lda_infer_complete(infer, tokens, 101, 4, d, &sum));
        for (size_t i = 0; i < 101; i++) {
            double p = 0.0;
            for (size_t k = 0; k < N_TOPICS; k++) {
                p += alpha[k] / alpha_sum() * probability(tokens[i], k);
            }
            prior += log(p);
            n_prior++;
        }
    }
    CHECK(sum.n_tokens == 50 * 50);
    CHECK(sum.log_likelihood / sum.n_tokens > prior / n_prior + 0.3);
    lda_infer_destroy(infer);
}

/* ---- memory ---- */

static size_t fail_after;
static strads_status status_of_call;

static void all_once(void *context)
{
    lda_infer *infer = NULL;
    uint32_t tokens[50];
    double theta[N_TOPICS];
    lda_heldout *sum = context;
    draw_document(tokens, 50, 2);
    strads_mem_fail_after(fail_after);
    status_of_call = lda_infer_create(&infer, &model);
    if (status_of_call == STRADS_OK) {
        status_of_call = lda_infer_topics(infer, tokens, 20, theta);
    }
    if (status_of_call == STRADS_OK) {
        status_of_call = lda_infer_complete(infer, tokens, 50, 1, 1, sum);
    }
    strads_mem_fail_after(0);
    lda_infer_destroy(infer);
}

static void memory(void)
{
    const size_t live = strads_mem_live();
    draw_model();
    status_of_call = STRADS_ERR_NOMEM;
    for (fail_after = 1; status_of_call != STRADS_OK; fail_after++) {
        lda_heldout sum = {.n_tokens = 0.0};
        char *said = suite_stderr_of(all_once, &sum);
        CHECK(status_of_call == STRADS_OK || status_of_call == STRADS_ERR_NOMEM);
        CHECK((sum.n_tokens > 0.0) == (status_of_call == STRADS_OK));
        CHECK((strstr(said, "no memory") != NULL) == (status_of_call != STRADS_OK));
        strads_free(said);
        CHECK(strads_mem_live() == live);
    }
    lda_infer_destroy(NULL);
}

SUITE("lda infer",
      {"topics are the fixed point that a slow sweep over all gammas has", fixed_point},
      {"topics are near the exact posterior mean", exact},
      {"topics do not depend on the order of tokens or on documents before", order},
      {"a document without tokens has the topics of the prior", empty},
      {"completion gives one half and asks for the other", completion},
      {"a document's own topics foretell it better than the prior's", perplexity},
      {"missing memory is said and changes nothing", memory})
