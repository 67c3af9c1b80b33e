/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/prior.c - histograms of all workers' documents in a table, and the prior of them. */
#include "apps/lda/prior.h"

#include <string.h>

#include "apps/lda/alpha.h"

enum { STEPS = 50 };

/* The histograms that a worker has itself, and those of its session: what it has incremented and
 * what it has read; and a share of the table's. */
enum { COPIES = 5 };

static size_t n_cells(const lda_prior *self)
{
    return ((size_t) self->n_topics + 1) * self->n_bins;
}

strads_status lda_prior_init(lda_prior *out, uint32_t n_topics, uint32_t longest, uint32_t *topics,
                             uint32_t *counts)
{
    lda_prior self = {.n_topics = n_topics,
                      .n_bins = lda_alpha_n_bins(longest),
                      .topics = topics,
                      .counts = counts};
    self.given = strads_calloc(n_cells(&self), sizeof(*self.given));
    self.room = strads_alloc_array(n_cells(&self), sizeof(*self.room));
    self.keys = strads_alloc_array((size_t) n_topics + 1, sizeof(*self.keys));
    self.views = strads_alloc_array((size_t) n_topics + 1, sizeof(*self.views));
    if (self.given == NULL || self.room == NULL || self.keys == NULL || self.views == NULL) {
        lda_prior_fini(&self);
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t k = 0; k <= n_topics; k++) {
        self.keys[k] = k;
    }
    *out = self;
    return STRADS_OK;
}

void lda_prior_fini(lda_prior *prior)
{
    strads_free(prior->given);
    strads_free(prior->room);
    strads_free(prior->keys);
    strads_free(prior->views);
    *prior = (lda_prior){.n_topics = 0};
}

strads_status lda_prior_open(lda_prior *prior, ssp_session *session)
{
    ssp_table_options options = ssp_session_options(session);
    options.columns = (uint32_t) prior->n_bins;
    return ssp_table_open(&prior->table, session, "lda.prior", &options);
}

/* A document is as long as it has tokens with a topic: who is free to meet columns may not have met
 * all yet. */
static void count(lda_prior *self, const lda_documents *documents, const lda_doc_rows *rows)
{
    memset(self->room, 0, n_cells(self) * sizeof(*self->room));
    for (uint32_t s = 0; s < documents->n_subs; s++) {
        for (uint32_t doc = 0; doc < documents->subs[s].n; doc++) {
            const uint32_t n = lda_rows_read(&rows[s], doc, self->topics, self->counts);
            uint32_t length = 0;
            for (uint32_t i = 0; i < n; i++) {
                lda_alpha_add(self->room, self->n_bins, self->topics[i], self->counts[i]);
                length += self->counts[i];
            }
            lda_alpha_add(self->room, self->n_bins, self->n_topics, length);
        }
    }
}

strads_status lda_prior_give(lda_prior *prior, const lda_documents *documents,
                             const lda_doc_rows *rows)
{
    const size_t n = n_cells(prior);
    count(prior, documents, rows);
    for (size_t i = 0; i < n; i++) {
        prior->given[i] = prior->room[i] - prior->given[i];
    }
    const strads_status status =
        ssp_inc_rows(prior->table, prior->keys, (size_t) prior->n_topics + 1, prior->given);
    memcpy(prior->given, prior->room, n * sizeof(*prior->given));
    return status;
}

strads_status lda_prior_learn(lda_prior *prior, double *alpha)
{
    const strads_status status = ssp_read_rows_within(
        prior->table, prior->keys, (size_t) prior->n_topics + 1, 0, prior->views);
    if (status != STRADS_OK) {
        return status;
    }
    for (uint32_t k = 0; k <= prior->n_topics; k++) {
        memcpy(prior->room + k * prior->n_bins, prior->views[k],
               prior->n_bins * sizeof(*prior->room));
    }
    lda_alpha_update(alpha, prior->n_topics, prior->room, prior->n_bins, STEPS);
    return STRADS_OK;
}

double lda_prior_bytes(uint32_t n_topics, uint32_t longest)
{
    return COPIES * (n_topics + 1.0) * (double) lda_alpha_n_bins(longest) * sizeof(double);
}
