/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/coherence.c - counting where top words meet, and NPMI of the counts. */
#include "apps/lda/coherence.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { N_PAIRS = LDA_COHERENCE_WORDS * (LDA_COHERENCE_WORDS - 1) / 2 };
static const uint32_t NO_WORD = UINT32_MAX;

static strads_status no_memory(void)
{
    strads_error("lda: no memory for the coherence of topics");
    return STRADS_ERR_NOMEM;
}

/* Numbers the top words by first appearance, and counts the places of each in starts[index + 1]. */
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
            c->starts[c->index[w] + 1]++;
        }
    }
}

/* Lists the places of each word. starts[] comes as counts and becomes where they begin. */
static void list_places(lda_coherence *c)
{
    for (size_t u = 1; u <= c->n_words; u++) {
        c->starts[u] += c->starts[u - 1];
    }
    for (size_t k = 0; k < c->n_topics; k++) {
        for (size_t i = 0; i < c->n_top[k]; i++) {
            const size_t at = c->starts[c->top[k * LDA_COHERENCE_WORDS + i]]++;
            c->topic_of[at] = (uint32_t) k;
            c->rank_of[at] = (uint8_t) i;
        }
    }
    /* Each has come to where the places of the next word begin. */
    memmove(c->starts + 1, c->starts, c->n_words * sizeof(*c->starts));
    c->starts[0] = 0;
}

strads_status lda_coherence_init(lda_coherence *out, const lda_tops *tops, size_t n_vocabulary)
{
    const size_t n_places = tops->n_topics * LDA_COHERENCE_WORDS;
    lda_coherence made = {.n_topics = tops->n_topics,
                          .n_vocabulary = n_vocabulary,
                          .index = strads_alloc_array(n_vocabulary, sizeof(*made.index)),
                          .top = strads_alloc_array(n_places, sizeof(*made.top)),
                          .n_top = strads_alloc_array(tops->n_topics, sizeof(*made.n_top)),
                          .starts = strads_calloc(n_places + 1, sizeof(*made.starts)),
                          .topic_of = strads_alloc_array(n_places, sizeof(*made.topic_of)),
                          .rank_of = strads_alloc(n_places)};
    if (made.index == NULL || made.top == NULL || made.n_top == NULL || made.starts == NULL ||
        made.topic_of == NULL || made.rank_of == NULL) {
        lda_coherence_fini(&made);
        return no_memory();
    }
    number_words(&made, tops);
    list_places(&made);
    *out = made;
    return STRADS_OK;
}

void lda_coherence_fini(lda_coherence *coherence)
{
    strads_free(coherence->index);
    strads_free(coherence->top);
    strads_free(coherence->n_top);
    strads_free(coherence->starts);
    strads_free(coherence->topic_of);
    strads_free(coherence->rank_of);
    *coherence = (lda_coherence){.n_topics = 0};
}

/* ---- counting ---- */

size_t lda_coherence_n_counts(const lda_coherence *coherence)
{
    return 1 + coherence->n_words + coherence->n_topics * N_PAIRS;
}

/* Where the pairs of a topic begin, and one of ranks i < j in them. */
static size_t pairs_at(const lda_coherence *c, size_t topic)
{
    return 1 + c->n_words + topic * N_PAIRS;
}

static size_t pair(size_t i, size_t j)
{
    return j * (j - 1) / 2 + i;
}

/* What the document being counted has. */
typedef struct document {
    uint32_t *last;    /* [n_words] the document, from 1, that had the word last */
    uint16_t *ranks;   /* [n_topics] a bit for each top word that it has */
    uint32_t *touched; /* [n_topics] those with a bit */
    size_t n_touched;
} document;

static void take_word(const lda_coherence *c, document *has, uint32_t u)
{
    for (size_t p = c->starts[u]; p < c->starts[u + 1]; p++) {
        const uint32_t k = c->topic_of[p];
        if (has->ranks[k] == 0) {
            has->touched[has->n_touched++] = k;
        }
        has->ranks[k] |= (uint16_t) (1U << c->rank_of[p]);
    }
}

/* Adds all pairs of the bits to those of one topic. */
static void count_pairs(double *pairs, unsigned ranks)
{
    for (; (ranks & (ranks - 1)) != 0; ranks &= ranks - 1) {
        const size_t i = (size_t) __builtin_ctz(ranks);
        for (unsigned rest = ranks & (ranks - 1); rest != 0; rest &= rest - 1) {
            pairs[pair(i, (size_t) __builtin_ctz(rest))] += 1.0;
        }
    }
}

/* The d-th document, from 1, of tokens[n]. */
static void count_document(const lda_coherence *c, document *has, uint32_t d,
                           const uint32_t *tokens, size_t n, double *counts)
{
    counts[0] += 1.0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t u = c->index[tokens[i]];
        if (u != NO_WORD && has->last[u] != d) {
            has->last[u] = d;
            counts[1 + u] += 1.0;
            take_word(c, has, u);
        }
    }
    for (size_t i = 0; i < has->n_touched; i++) {
        const uint32_t k = has->touched[i];
        count_pairs(counts + pairs_at(c, k), has->ranks[k]);
        has->ranks[k] = 0;
    }
    has->n_touched = 0;
}

strads_status lda_coherence_count(const lda_coherence *coherence, const uint32_t *tokens,
                                  const size_t *starts, size_t n, double *counts)
{
    document has = {.last = strads_calloc(coherence->n_words, sizeof(*has.last)),
                    .ranks = strads_calloc(coherence->n_topics, sizeof(*has.ranks)),
                    .touched = strads_alloc_array(coherence->n_topics, sizeof(*has.touched))};
    const bool made = has.last != NULL && has.ranks != NULL && has.touched != NULL;
    for (size_t d = 0; d < n && made; d++) {
        count_document(coherence, &has, (uint32_t) d + 1, tokens + starts[d],
                       starts[d + 1] - starts[d], counts);
    }
    strads_free(has.last);
    strads_free(has.ranks);
    strads_free(has.touched);
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

static double score_topic(const lda_coherence *c, const double *counts, size_t topic)
{
    const uint32_t *top = c->top + topic * LDA_COHERENCE_WORDS;
    const size_t n = c->n_top[topic];
    double sum = 0.0;
    for (size_t j = 1; j < n; j++) {
        for (size_t i = 0; i < j; i++) {
            sum += npmi(counts[pairs_at(c, topic) + pair(i, j)], counts[1 + top[i]],
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
