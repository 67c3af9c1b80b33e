/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/start.c - topics before the first pass: an even start gives every token any topic with
 * the same chance, one that begins together gives all tokens of a document the same. */
#include <math.h>
#include <string.h>

#include "apps/lda/worker.h"
#include "base/random.h"

/* Streams of run.seed, one a worker's sub. */
static const uint64_t STREAM_START = (uint64_t) 1 << 42;
/* ... one a word. */
static const uint64_t STREAM_TOGETHER = (uint64_t) 1 << 43;

/* From the topics of its tokens to the document's row; counts[n_topics] are 0 before and after. */
static void write_row(lda_doc_rows *rows, uint32_t doc, const uint16_t *topics, uint32_t n,
                      uint32_t *counts, lda_worker *self)
{
    uint32_t n_topics = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (counts[topics[i]]++ == 0) {
            self->row_topics[n_topics++] = topics[i];
        }
    }
    for (uint32_t i = 0; i < n_topics; i++) {
        self->row_counts[i] = counts[self->row_topics[i]];
        counts[self->row_topics[i]] = 0;
    }
    lda_rows_write(rows, doc, self->row_topics, self->row_counts, n_topics);
}

static strads_status start_sub_evenly(lda_worker *self, uint32_t s)
{
    const lda_site *site = self->site;
    const lda_sub *sub = &self->documents->subs[s];
    const uint64_t n_tokens = sub->starts[site->words.n];
    uint16_t *by_doc = strads_alloc_array(n_tokens, sizeof(*by_doc));
    uint64_t *next = strads_calloc((size_t) sub->n + 1, sizeof(*next));
    uint32_t *counts = strads_calloc(site->n_topics, sizeof(*counts));
    strads_status status = STRADS_ERR_NOMEM;
    if (by_doc != NULL && next != NULL && counts != NULL) {
        strads_random random = strads_random_start(
            site->seed,
            STREAM_START + (uint64_t) strads_worker_rank(self->worker) * LDA_SUBS_MAX + s);
        for (uint32_t doc = 0; doc < sub->n; doc++) {
            next[doc + 1] = next[doc] + sub->lengths[doc];
        }
        for (uint64_t token = 0; token < n_tokens; token++) {
            const uint64_t bits = strads_random_bits(&random);
            self->topics[s][token] = (uint16_t) (bits * site->n_topics >> 32);
            by_doc[next[sub->docs[token]]++] = self->topics[s][token];
        }
        uint64_t at = 0;
        for (uint32_t doc = 0; doc < sub->n; doc++) {
            write_row(&self->rows[s], doc, by_doc + at, sub->lengths[doc], counts, self);
            at += sub->lengths[doc];
        }
        status = STRADS_OK;
    }
    strads_free(by_doc);
    strads_free(next);
    strads_free(counts);
    return status;
}

/* words[n] := of each of the first n documents of a sub, the word whose frequency is nearest to
 * `wanted`; far[n]: room, the logarithms of the factors between them. */
static void find_words(const lda_worker *self, const lda_sub *sub, uint32_t n, double wanted,
                       uint32_t *words, double *far)
{
    for (uint32_t doc = 0; doc < n; doc++) {
        far[doc] = INFINITY;
    }
    for (uint32_t position = 0; position < self->site->words.n; position++) {
        const uint64_t begin = sub->starts[position];
        const uint64_t end = sub->starts[position + 1];
        const double distance = fabs(log((double) (end - begin) / wanted));
        for (uint64_t token = begin; token < end && sub->docs[token] < n; token++) {
            const uint32_t doc = sub->docs[token];
            if (distance < far[doc]) {
                far[doc] = distance;
                words[doc] = self->site->words.word[position];
            }
        }
    }
}

static strads_status start_sub_together(lda_worker *self, uint32_t s)
{
    const lda_site *site = self->site;
    const lda_sub *sub = &self->documents->subs[s];
    const uint32_t n = sub->ends[0];
    const double wanted = (double) sub->n / site->n_topics;
    uint32_t *words = strads_calloc(n, sizeof(*words)); /* then their topics */
    double *far = strads_alloc_array(n, sizeof(*far));
    strads_status status = STRADS_ERR_NOMEM;
    if (words != NULL && far != NULL) {
        find_words(self, sub, n, wanted, words, far);
        for (uint32_t doc = 0; doc < n; doc++) {
            strads_random random = strads_random_start(site->seed, STREAM_TOGETHER + words[doc]);
            words[doc] = (uint32_t) strads_random_below(&random, site->n_topics);
            self->row_topics[0] = words[doc];
            self->row_counts[0] = sub->lengths[doc];
            lda_rows_write(&self->rows[s], doc, self->row_topics, self->row_counts,
                           sub->lengths[doc] > 0);
        }
        for (uint64_t token = 0; token < sub->starts[site->words.n]; token++) {
            if (sub->docs[token] < n) {
                self->topics[s][token] = (uint16_t) words[sub->docs[token]];
            }
        }
        status = STRADS_OK;
    }
    strads_free(words);
    strads_free(far);
    return status;
}

strads_status lda_start(lda_worker *self)
{
    const bool evenly = lda_plan_is_random(self->site->config);
    strads_status status = STRADS_OK;
    if (!evenly && !lda_plan_is_together(self->site)) {
        return STRADS_OK;
    }
    for (uint32_t s = 0; s < self->documents->n_subs && status == STRADS_OK; s++) {
        status = evenly ? start_sub_evenly(self, s) : start_sub_together(self, s);
    }
    return status;
}

void lda_count_topics(lda_worker *self, uint32_t *column, uint32_t first, uint32_t end,
                      int32_t *totals)
{
    const lda_site *site = self->site;
    int32_t *counts = (int32_t *) (void *) self->sampler.scratch;
    for (uint32_t word = first; word < end; word++) {
        const lda_place *place = &site->words.places[word];
        lda_row_read(place, column, site->n_topics, counts);
        for (uint32_t s = 0; s < self->documents->n_subs; s++) {
            const uint64_t *starts = self->documents->subs[s].starts;
            for (uint64_t token = starts[word]; token < starts[word + 1]; token++) {
                const uint32_t topic = self->topics[s][token];
                if (topic == LDA_NO_TOPIC) {
                    continue;
                }
                counts[topic]++;
                if (totals != NULL) {
                    totals[topic]++;
                }
            }
        }
        lda_row_write(place, column, site->n_topics, counts);
    }
}
