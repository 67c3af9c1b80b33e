/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/lda_oracle.c - how good topics are, by the formulas. */
#include "tests/support/lda_oracle.h"

#include <math.h>

#include "tests/support/suite.h"

enum { TOPICS_MAX = 8 };

static void *zeros(size_t n, size_t bytes)
{
    void *it = strads_calloc(n + 1, bytes);
    REQUIRE(it != NULL);
    return it;
}

/* log of a (a + 1) ... (a + n - 1). */
static double log_rising(double a, double n)
{
    return n > 0.0 ? lgamma(a + n) - lgamma(a) : 0.0;
}

/* Of the topics of a document, and of how many tokens it has. */
static double log_document(const double *alpha, const double *counts, size_t n_topics)
{
    double sum = 0.0;
    double a = 0.0;
    double n = 0.0;
    for (size_t k = 0; k < n_topics; k++) {
        sum += log_rising(alpha[k], counts[k]);
        a += alpha[k];
        n += counts[k];
    }
    return sum - log_rising(a, n);
}

void lda_oracle_read(lda_oracle *out, const char *path, size_t n_words, size_t n_topics,
                     const double *alpha, double beta)
{
    double *n_wk = zeros(n_words * n_topics, sizeof(*n_wk));
    double *n_dk = zeros(n_topics, sizeof(*n_dk));
    double *n_k = zeros(n_topics, sizeof(*n_k));
    size_t n = 0;
    FILE *from = fopen(path, "r");
    REQUIRE(from != NULL);
    *out = (lda_oracle){.words = zeros(n_words, sizeof(*out->words))};
    while (fscanf(from, "%zu", &n) == 1) {
        for (size_t k = 0; k < n_topics; k++) {
            n_dk[k] = 0.0;
        }
        for (size_t i = 0; i < n; i++) {
            size_t word = 0;
            size_t topic = 0;
            REQUIRE(fscanf(from, " %zu:%zu", &word, &topic) == 2);
            REQUIRE(word < n_words && topic < n_topics);
            n_wk[word * n_topics + topic] += 1.0;
            n_dk[topic] += 1.0;
            n_k[topic] += 1.0;
            out->words[word]++;
        }
        REQUIRE(fgetc(from) == '\n');
        out->likelihood += log_document(alpha, n_dk, n_topics);
        out->n_tokens += n;
        out->n_documents++;
    }
    REQUIRE(feof(from));
    fclose(from);
    for (size_t i = 0; i < n_words * n_topics; i++) {
        out->likelihood += log_rising(beta, n_wk[i]);
    }
    for (size_t k = 0; k < n_topics; k++) {
        out->likelihood -= log_rising(beta * (double) n_words, n_k[k]);
    }
    out->likelihood /= (double) out->n_tokens;
    strads_free(n_wk);
    strads_free(n_dk);
    strads_free(n_k);
}

void lda_oracle_fini(lda_oracle *oracle)
{
    strads_free(oracle->words);
}

/* ---- topics that are known ---- */

static double sum_of(const double *matrix, size_t n_words, size_t n_topics, size_t k)
{
    double sum = 0.0;
    for (size_t w = 0; w < n_words; w++) {
        sum += matrix[w * n_topics + k];
    }
    return sum;
}

static double variation(const double *found, const double *known, size_t n_words, size_t n_topics,
                        size_t i, size_t k)
{
    const double found_sum = sum_of(found, n_words, n_topics, i);
    const double known_sum = sum_of(known, n_words, n_topics, k);
    double sum = 0.0;
    for (size_t w = 0; w < n_words && found_sum > 0.0; w++) {
        sum += fabs(found[w * n_topics + i] / found_sum - known[w * n_topics + k] / known_sum);
    }
    return found_sum > 0.0 ? sum / 2.0 : 1.0;
}

/* best[set]: the least sum with the known topics of the bit set matched to as many found ones,
 * the first. */
double lda_oracle_distance(const double *found, const double *known, size_t n_words,
                           size_t n_topics)
{
    double best[1 << TOPICS_MAX] = {0.0};
    REQUIRE(n_topics <= TOPICS_MAX);
    for (size_t set = 1; set < (size_t) 1 << n_topics; set++) {
        const size_t i = (size_t) __builtin_popcountll(set) - 1;
        best[set] = INFINITY;
        for (size_t k = 0; k < n_topics; k++) {
            if (set >> k & 1) {
                const double sum = best[set & ~((size_t) 1 << k)] +
                                   variation(found, known, n_words, n_topics, i, k);
                best[set] = sum < best[set] ? sum : best[set];
            }
        }
    }
    return best[((size_t) 1 << n_topics) - 1] / (double) n_topics;
}
