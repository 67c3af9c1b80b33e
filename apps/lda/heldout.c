/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/heldout.c - copies of the counts of held-out words, and what these foretell. */
#include "apps/lda/heldout.h"

strads_status lda_foretelling_init(lda_foretelling *out, const lda_site *site,
                                   const lda_heldout_documents *documents, size_t step)
{
    lda_foretelling self = {
        .words = &site->words, .documents = documents, .n_topics = site->n_topics, .step = step};
    self.copied = strads_calloc(site->words.n, sizeof(*self.copied));
    self.row = strads_alloc_array(site->n_padded, sizeof(*self.row));
    if (self.copied == NULL || self.row == NULL) {
        lda_foretelling_fini(&self);
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < documents->n; i += step) {
        for (size_t t = documents->starts[i]; t < documents->starts[i + 1]; t++) {
            self.copied[site->words.position[documents->tokens[t]]].wanted = true;
        }
    }
    *out = self;
    return STRADS_OK;
}

void lda_foretelling_fini(lda_foretelling *self)
{
    strads_free(self->copied);
    strads_free(self->entries);
    strads_free(self->row);
    *self = (lda_foretelling){.n_topics = 0};
}

static uint32_t copy_list(const uint32_t *list, lda_copy *to)
{
    for (uint32_t i = 0; i < list[0]; i++) {
        to[i] = (lda_copy){.topic = list[i + 1] & 0xffff, .count = list[i + 1] >> 16};
    }
    return list[0];
}

static uint32_t copy_array(const int32_t *row, uint32_t n_topics, lda_copy *to)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < n_topics; k++) {
        to[n] = (lda_copy){.topic = k, .count = (uint32_t) row[k]};
        n += row[k] != 0;
    }
    return n;
}

strads_status lda_foretelling_take(lda_foretelling *self, uint32_t column, const uint32_t *counts)
{
    const lda_words *words = self->words;
    const uint32_t end = words->firsts[(column + 1) * words->n_sub];
    for (uint32_t p = words->firsts[column * words->n_sub]; p < end; p++) {
        const lda_place *place = &words->places[p];
        lda_copied *copied = &self->copied[p];
        const uint32_t most = place->form == LDA_LIST ? place->capacity : self->n_topics;
        if (!copied->wanted) {
            continue;
        }
        /* One entry more, which copy_array may write behind its last. */
        if (strads_reserve(&self->entries, &self->room, self->n_entries + most + 1,
                           sizeof(*self->entries)) != STRADS_OK) {
            return STRADS_ERR_NOMEM;
        }
        lda_copy *to = self->entries + self->n_entries;
        copied->first = self->n_entries;
        if (place->form == LDA_LIST) {
            copied->n = copy_list(counts + place->offset, to);
        } else {
            lda_row_read(place, counts, self->n_topics, self->row);
            copied->n = copy_array(self->row, self->n_topics, to);
        }
        self->n_entries += copied->n;
    }
    return STRADS_OK;
}

static size_t counts_of(const void *context, uint32_t word, uint32_t *topics, uint32_t *counts)
{
    const lda_foretelling *self = context;
    const lda_copied *copied = &self->copied[self->words->position[word]];
    for (uint32_t i = 0; i < copied->n; i++) {
        topics[i] = self->entries[copied->first + i].topic;
        counts[i] = self->entries[copied->first + i].count;
    }
    return copied->n;
}

strads_status lda_foretelling_complete(const lda_foretelling *self, const lda_site *site,
                                       const double *totals, const double *alpha, lda_heldout *sum)
{
    const lda_heldout_documents *documents = self->documents;
    const lda_infer_model model = {.n_words = self->words->n,
                                   .n_topics = self->n_topics,
                                   .totals = totals,
                                   .alpha = alpha,
                                   .beta = site->beta,
                                   .counts = counts_of,
                                   .context = self};
    lda_heldout added = *sum;
    lda_infer *infer = NULL;
    strads_status status = lda_infer_create(&infer, &model);
    for (size_t i = 0; i < documents->n && status == STRADS_OK; i += self->step) {
        const size_t start = documents->starts[i];
        status =
            lda_infer_complete(infer, documents->tokens + start, documents->starts[i + 1] - start,
                               site->seed, documents->numbers[i], &added);
    }
    lda_infer_destroy(infer);
    if (status == STRADS_OK) {
        *sum = added;
    }
    return status;
}
