/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/coherence.c - counting where top words meet, and NPMI of the counts. */
#include "apps/lda/coherence.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { N_PAIRS = LDA_COHERENCE_WORDS * (LDA_COHERENCE_WORDS - 1) / 2 };
static const uint32_t NO_WORD = UINT32_MAX;

static strads_status no_memory(void)
{
    strads_error("lda: no memory for the coherence of topics");
    return STRADS_ERR_NOMEM;
}

/* Numbers the top words by first appearance. */
static void number_words(lda_coherence *c, const lda_tops *tops)
{
    for (size_t w = 0; w < c->n_vocabulary; w++) {
        c->index[w] = NO_WORD;
    }
    for (size_t k = 0; k < c->n_topics; k++) {
        const uint32_t used = tops->used[k];
        c->n_top[k] = used < LDA_COHERENCE_WORDS ? used : LDA_COHERENCE_WORDS;
        for (size_t i = 0; i < c->n_top[k]; i++) {
            const uint32_t w = tops->tops[k * tops->n_each + i].word;
            assert(w < c->n_vocabulary);
            if (c->index[w] == NO_WORD) {
                c->index[w] = (uint32_t) c->n_words++;
            }
            c->top[k * LDA_COHERENCE_WORDS + i] = c->index[w];
        }
    }
}

/* Of two words that are numbered, the first in the upper half: in order of these, pairs are in
 * order. */
static uint64_t pair_of(uint32_t v, uint32_t w)
{
    return v < w ? (uint64_t) v << 32 | w : (uint64_t) w << 32 | v;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *) a;
    const uint64_t right = *(const uint64_t *) b;
    return (left > right) - (left < right);
}

/* Lists the pairs of all topics, each once: topics share many when they are young. */
static void list_pairs(lda_coherence *c, uint64_t *pairs)
{
    size_t n = 0;
    size_t n_different = 0;
    for (size_t k = 0; k < c->n_topics; k++) {
        const uint32_t *top = c->top + k * LDA_COHERENCE_WORDS;
        for (size_t j = 1; j < c->n_top[k]; j++) {
            for (size_t i = 0; i < j; i++) {
                pairs[n++] = pair_of(top[i], top[j]);
            }
        }
    }
    qsort(pairs, n, sizeof(*pairs), by_value);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || pairs[i] != pairs[i - 1]) {
            c->starts[(pairs[i] >> 32) + 1]++;
            c->partners[n_different++] = (uint32_t) pairs[i];
        }
    }
    for (size_t u = 0; u < c->n_words; u++) {
        c->starts[u + 1] += c->starts[u];
    }
}

strads_status lda_coherence_init(lda_coherence *out, const lda_tops *tops, size_t n_vocabulary)
{
    const size_t n_places = tops->n_topics * LDA_COHERENCE_WORDS;
    uint64_t *pairs = strads_alloc_array(tops->n_topics * N_PAIRS, sizeof(*pairs));
    lda_coherence made = {.n_topics = tops->n_topics,
                          .n_vocabulary = n_vocabulary,
                          .index = strads_alloc_array(n_vocabulary, sizeof(*made.index)),
                          .top = strads_alloc_array(n_places, sizeof(*made.top)),
                          .n_top = strads_alloc_array(tops->n_topics, sizeof(*made.n_top)),
                          .starts = strads_calloc(n_places + 1, sizeof(*made.starts)),
                          .partners =
                              strads_alloc_array(tops->n_topics * N_PAIRS, sizeof(*made.partners))};
    if (pairs == NULL || made.index == NULL || made.top == NULL || made.n_top == NULL ||
        made.starts == NULL || made.partners == NULL) {
        strads_free(pairs);
        lda_coherence_fini(&made);
        return no_memory();
    }
    number_words(&made, tops);
    list_pairs(&made, pairs);
    strads_free(pairs);
    *out = made;
    return STRADS_OK;
}

void lda_coherence_fini(lda_coherence *coherence)
{
    strads_free(coherence->index);
    strads_free(coherence->top);
    strads_free(coherence->n_top);
    strads_free(coherence->starts);
    strads_free(coherence->partners);
    *coherence = (lda_coherence){.n_topics = 0};
}

/* ---- counting ---- */

size_t lda_coherence_n_counts(const lda_coherence *coherence)
{
    return 1 + coherence->n_words + coherence->starts[coherence->n_words];
}

/* What the document being counted has. */
typedef struct document {
    uint32_t *last;  /* [n_words] the document, from 1, that had the word last */
    uint32_t *words; /* [n_words] those that it has */
} document;

/* The d-th document, from 1, of tokens[n]. */
static void count_document(const lda_coherence *c, document *has, uint32_t d,
                           const uint32_t *tokens, size_t n, double *counts)
{
    double *pairs = counts + 1 + c->n_words;
    size_t n_words = 0;
    counts[0] += 1.0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t u = c->index[tokens[i]];
        if (u != NO_WORD && has->last[u] != d) {
            has->last[u] = d;
            has->words[n_words++] = u;
            counts[1 + u] += 1.0;
        }
    }
    for (size_t i = 0; i < n_words; i++) {
        const uint32_t u = has->words[i];
        for (size_t p = c->starts[u]; p < c->starts[u + 1]; p++) {
            if (has->last[c->partners[p]] == d) {
                pairs[p] += 1.0;
            }
        }
    }
}

strads_status lda_coherence_count(const lda_coherence *coherence, const uint32_t *tokens,
                                  const size_t *starts, size_t n, double *counts)
{
    document has = {.last = strads_calloc(coherence->n_words, sizeof(*has.last)),
                    .words = strads_alloc_array(coherence->n_words, sizeof(*has.words))};
    const bool made = has.last != NULL && has.words != NULL;
    for (size_t d = 0; d < n && made; d++) {
        count_document(coherence, &has, (uint32_t) d + 1, tokens + starts[d],
                       starts[d + 1] - starts[d], counts);
    }
    strads_free(has.last);
    strads_free(has.words);
    return made ? STRADS_OK : no_memory();
}

/* ---- scores ---- */

static double npmi(double n_both, double n_v, double n_w, double n)
{
    if (n_both <= 0.0) {
        return -1.0;
    }
    return n_both < n ? log(n_both * n / (n_v * n_w)) / -log(n_both / n) : 1.0;
}

/* How many documents have both words, a pair of some topic. */
static double count_of_pair(const lda_coherence *c, const double *counts, uint32_t v, uint32_t w)
{
    const uint32_t first = v < w ? v : w;
    const uint32_t second = v < w ? w : v;
    size_t low = c->starts[first];
    size_t high = c->starts[first + 1];
    while (low + 1 < high) {
        const size_t middle = low + (high - low) / 2;
        if (c->partners[middle] <= second) {
            low = middle;
        } else {
            high = middle;
        }
    }
    assert(c->partners[low] == second);
    return counts[1 + c->n_words + low];
}

static double score_topic(const lda_coherence *c, const double *counts, size_t topic)
{
    const uint32_t *top = c->top + topic * LDA_COHERENCE_WORDS;
    const size_t n = c->n_top[topic];
    double sum = 0.0;
    for (size_t j = 1; j < n; j++) {
        for (size_t i = 0; i < j; i++) {
            sum += npmi(count_of_pair(c, counts, top[i], top[j]), counts[1 + top[i]],
                        counts[1 + top[j]], counts[0]);
        }
    }
    return n > 1 ? sum / (double) (n * (n - 1) / 2) : (double) NAN;
}

double lda_coherence_scores(const lda_coherence *coherence, const double *counts, double *scores)
{
    double sum = 0.0;
    size_t n_scored = 0;
    for (size_t k = 0; k < coherence->n_topics; k++) {
        scores[k] = score_topic(coherence, counts, k);
        if (!isnan(scores[k])) {
            sum += scores[k];
            n_scored++;
        }
    }
    return n_scored > 0 ? sum / (double) n_scored : (double) NAN;
}

/* ---- the documents of a process ---- */

/* Documents as far as they have words that are asked about. */
typedef struct reduced {
    uint32_t *tokens;
    size_t *starts;
    size_t n;
} reduced;

static strads_status reduce(const lda_site *site, const lda_sub *sub, const lda_coherence *asked,
                            reduced *out)
{
    *out =
        (reduced){.starts = strads_calloc((size_t) sub->n + 2, sizeof(*out->starts)), .n = sub->n};
    if (out->starts == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (int fills = 0; fills < 2; fills++) {
        for (uint32_t p = 0; p < site->words.n; p++) {
            const uint32_t word = site->words.word[p];
            if (asked->index[word] == NO_WORD) {
                continue;
            }
            for (uint64_t t = sub->starts[p]; t < sub->starts[p + 1]; t++) {
                if (fills == 0) {
                    out->starts[sub->docs[t] + 2]++;
                } else {
                    out->tokens[out->starts[sub->docs[t] + 1]++] = word;
                }
            }
        }
        for (uint32_t doc = 0; fills == 0 && doc <= sub->n; doc++) {
            out->starts[doc + 1] += out->starts[doc];
        }
        if (fills == 0) {
            out->tokens = strads_alloc_array(out->starts[sub->n + 1], sizeof(*out->tokens));
        }
        if (out->tokens == NULL) {
            return STRADS_ERR_NOMEM;
        }
    }
    return STRADS_OK;
}

strads_status lda_coherence_of_site(const lda_site *site, const lda_tops *tops, double *scores,
                                    double *mean)
{
    lda_coherence asked = {.n_topics = 0};
    double *counts = NULL;
    strads_status status = lda_coherence_init(&asked, tops, site->words.n);
    if (status == STRADS_OK) {
        counts = strads_calloc(lda_coherence_n_counts(&asked), sizeof(*counts));
        status = counts == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    }
    for (uint32_t i = 0; status == STRADS_OK && i < site->end - site->first; i++) {
        for (uint32_t s = 0; status == STRADS_OK && s < site->documents[i].n_subs; s++) {
            reduced it;
            status = reduce(site, &site->documents[i].subs[s], &asked, &it);
            if (status == STRADS_OK) {
                status = lda_coherence_count(&asked, it.tokens, it.starts, it.n, counts);
            }
            strads_free(it.tokens);
            strads_free(it.starts);
        }
    }
    if (status == STRADS_OK) {
        *mean = lda_coherence_scores(&asked, counts, scores);
    }
    strads_free(counts);
    lda_coherence_fini(&asked);
    return status;
}
