/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_start.c - an even start gives every token a topic, all with the same
 * chance, one that begins together the first documents one each, and rows and columns are counted
 * from these. */
#include <string.h>

#include "apps/lda/worker.h"
#include "strads/run.h"
#include "tests/support/lda_run.h"
#include "tests/support/suite.h"

enum { TOPICS = 7, FEW = 5, N_DOCS = 60, N_WORDS = 30, COUNT = 40 };

/* What is looked at of each worker when it was opened. */
static void (*look)(lda_worker *self);
static uint32_t n_looked;

static strads_status open_and_look(const void *site, strads_worker *worker, void **state)
{
    const strads_status status = lda_open_worker(site, worker, state);
    if (status == STRADS_OK) {
        look(*state);
        n_looked++;
    }
    return status;
}

/* Of the worker of a run of docword text. */
static void run_text(void (*what)(lda_worker *self), const char *text, const char *start,
                     const char *topics)
{
    const char *const settings[] = {"lda.sweeps=1", "run.workers=1", start, topics};
    strads_app app = lda_app;
    strads_result result;
    strads_config *config = lda_run_configure(text, "rotation", settings, 4);
    app.open_worker = open_and_look;
    look = what;
    n_looked = 0;
    REQUIRE_OK(strads_run(&app, config, NULL, NULL, &result));
    CHECK(n_looked == 1);
    strads_config_destroy(config);
}

static void run(void (*what)(lda_worker *self), const char *start, const char *topics)
{
    static char text[16 * N_DOCS * FEW + 64];
    size_t n = (size_t) snprintf(text, sizeof(text), "%d\n%d\n%d\n", N_DOCS, N_WORDS, N_DOCS * FEW);
    for (int d = 0; d < N_DOCS; d++) {
        for (int i = 0; i < FEW; i++) {
            n += (size_t) snprintf(text + n, sizeof(text) - n, "%d %d %d\n", d + 1,
                                   (d + i * 6) % N_WORDS + 1, i == 0 ? COUNT : 1);
        }
    }
    run_text(what, text, start, topics);
}

static uint64_t tokens_of(const lda_worker *self, uint32_t s)
{
    return self->documents->subs[s].starts[self->site->words.n];
}

/* counts[n_topics] := those of the document, by its tokens. */
static void recount(const lda_worker *self, uint32_t s, uint32_t doc, uint32_t *counts)
{
    memset(counts, 0, self->site->n_topics * sizeof(*counts));
    for (uint64_t t = 0; t < tokens_of(self, s); t++) {
        counts[self->topics[s][t]] += self->documents->subs[s].docs[t] == doc;
    }
}

/* ---- an even start ---- */

static void look_at_topics(lda_worker *self)
{
    double of_topic[TOPICS] = {0.0};
    double n = 0.0;
    for (uint32_t s = 0; s < self->documents->n_subs; s++) {
        for (uint64_t t = 0; t < tokens_of(self, s); t++) {
            REQUIRE(self->topics[s][t] < TOPICS);
            of_topic[self->topics[s][t]] += 1.0;
            n += 1.0;
        }
    }
    CHECK(n == N_DOCS * (COUNT + FEW - 1));
    for (uint32_t k = 0; k < TOPICS; k++) {
        CHECK_NEAR(of_topic[k], n / TOPICS, 5.0 * sqrt(n / TOPICS));
    }
}

static void every_token_has_any_topic_with_the_same_chance(void)
{
    run(look_at_topics, "lda.start=random", "lda.topics=7");
}

static void look_at_rows(lda_worker *self)
{
    const uint32_t n_topics = self->site->n_topics;
    uint32_t *counts = strads_alloc_array(n_topics, sizeof(*counts));
    REQUIRE(counts != NULL);
    for (uint32_t s = 0; s < self->documents->n_subs; s++) {
        for (uint32_t doc = 0; doc < self->documents->subs[s].n; doc++) {
            uint32_t n = lda_rows_read(&self->rows[s], doc, self->row_topics, self->row_counts);
            recount(self, s, doc, counts);
            while (n-- > 0) {
                const uint32_t topic = self->row_topics[n];
                CHECK(topic < n_topics && counts[topic] == self->row_counts[n]);
                counts[topic] = 0;
            }
            for (uint32_t k = 0; k < n_topics; k++) {
                CHECK(counts[k] == 0);
            }
        }
    }
    strads_free(counts);
}

/* Dense rows, and sparse ones. */
static void rows_have_the_topics_of_the_tokens(void)
{
    run(look_at_rows, "lda.start=random", "lda.topics=7");
    run(look_at_rows, "lda.start=random", "lda.topics=150");
}

/* ---- counting ---- */

/* Takes the topics from each fourth token, or gives them back. */
static void swap_topics(lda_worker *self, uint16_t *kept)
{
    for (uint32_t s = 0; s < self->documents->n_subs; s++) {
        for (uint64_t t = 0; t < tokens_of(self, s); t += 4, kept++) {
            const uint16_t topic = self->topics[s][t];
            self->topics[s][t] = *kept;
            *kept = topic;
        }
    }
}

/* Adds to what is there, in a part of the words; tokens without a topic do not count. */
static void look_at_counts(lda_worker *self)
{
    const lda_site *site = self->site;
    const uint32_t first = site->words.n / 3;
    uint16_t kept[N_DOCS * (COUNT + FEW)];
    int32_t *row = strads_calloc(site->n_topics, sizeof(*row));
    int32_t *totals = strads_calloc(site->n_topics, sizeof(*totals));
    uint32_t *column = strads_calloc(site->words.units[0], sizeof(*column));
    REQUIRE(row != NULL && totals != NULL && column != NULL);
    memset(kept, 0xff, sizeof(kept)); /* LDA_NO_TOPIC */
    swap_topics(self, kept);
    for (int time = 0; time < 2; time++) {
        lda_count_topics(self, column, first, site->words.n, time == 0 ? totals : NULL);
    }
    for (uint32_t p = 0; p < site->words.n; p++) {
        lda_row_read(&site->words.places[p], column, site->n_topics, row);
        for (uint32_t s = 0; s < self->documents->n_subs && p >= first; s++) {
            const uint64_t *starts = self->documents->subs[s].starts;
            for (uint64_t t = starts[p]; t < starts[p + 1]; t++) {
                if (self->topics[s][t] != LDA_NO_TOPIC) {
                    row[self->topics[s][t]] -= 2;
                    totals[self->topics[s][t]]--;
                }
            }
        }
        for (uint32_t k = 0; k < site->n_topics; k++) {
            CHECK(row[k] == 0);
        }
    }
    for (uint32_t k = 0; k < site->n_topics; k++) {
        CHECK(totals[k] == 0);
    }
    swap_topics(self, kept);
    strads_free(row);
    strads_free(totals);
    strads_free(column);
}

static void topics_of_words_are_added_to_the_column(void)
{
    run(look_at_counts, "lda.start=random", "lda.topics=7");
}

static void look_for_none(lda_worker *self)
{
    for (uint32_t s = 0; s < self->documents->n_subs; s++) {
        for (uint64_t t = 0; t < tokens_of(self, s); t++) {
            CHECK(self->topics[s][t] == LDA_NO_TOPIC);
        }
        for (uint32_t doc = 0; doc < self->documents->subs[s].n; doc++) {
            CHECK(lda_rows_read(&self->rows[s], doc, self->row_topics, self->row_counts) == 0);
        }
    }
}

static void a_growing_start_begins_without_topics(void)
{
    run(look_for_none, "lda.start=growing", "lda.topics=7");
}

/* ---- a start together ---- */

/* Enough for two stages; with 800 topics 10 documents a topic. Each has a word that all have, and
 * one that 10 have, N_RARE of them, which tells where it begins. */
enum { N_MANY = 8000, N_RARE = 800, IN_FIRST = 2000 };

static void look_at_documents(lda_worker *self)
{
    uint32_t topic_of[1 + N_RARE];
    uint32_t n_first = 0;
    uint32_t n_alike = 0;
    memset(topic_of, 0xff, sizeof(topic_of));
    for (uint32_t s = 0; s < self->documents->n_subs; s++) {
        const lda_sub *sub = &self->documents->subs[s];
        for (uint32_t doc = 0; doc < sub->n; doc++) {
            const uint32_t n =
                lda_rows_read(&self->rows[s], doc, self->row_topics, self->row_counts);
            CHECK(n == (doc < sub->ends[0]));
            CHECK(n == 0 || self->row_counts[0] == 2);
            n_first += n;
        }
        for (uint32_t p = 0; p < self->site->words.n; p++) {
            const uint32_t word = self->site->words.word[p];
            for (uint64_t t = sub->starts[p]; t < sub->starts[p + 1]; t++) {
                if (sub->docs[t] >= sub->ends[0]) {
                    CHECK(self->topics[s][t] == LDA_NO_TOPIC);
                    continue;
                }
                (void) lda_rows_read(&self->rows[s], sub->docs[t], self->row_topics,
                                     self->row_counts);
                CHECK(self->topics[s][t] == self->row_topics[0]);
                if (word > 0) { /* of few */
                    n_alike += topic_of[word] == self->topics[s][t];
                    CHECK(topic_of[word] == UINT32_MAX || topic_of[word] == self->topics[s][t]);
                    topic_of[word] = self->topics[s][t];
                }
            }
        }
    }
    CHECK(n_first > IN_FIRST / 2 && n_first < 2 * IN_FIRST);
    CHECK(n_alike > n_first / 3);
}

/* Valid until the next call. */
static const char *many_documents(void)
{
    static char text[32 * N_MANY];
    size_t n =
        (size_t) snprintf(text, sizeof(text), "%d\n%d\n%d\n", N_MANY, 1 + N_RARE, 2 * N_MANY);
    for (int d = 0; d < N_MANY; d++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%d 1 1\n%d %d 1\n", d + 1, d + 1,
                               2 + d % N_RARE);
    }
    return text;
}

static void first_documents_that_share_a_word_begin_with_its_topic(void)
{
    run_text(look_at_documents, many_documents(), "lda.start=growing", "lda.topics=800");
}

/* Words that none of the first documents has are not read, so that what is in their place counts
 * nothing. */
static void only_words_of_the_first_documents_are_counted_in_a_table(void)
{
    const char *const settings[] = {"lda.topics=800", "lda.sweeps=1", "run.workers=4",
                                    "stop.rounds=2"};
    strads_result result;
    strads_config *config = lda_run_configure(many_documents(), "data_parallel", settings, 4);
    REQUIRE_OK(strads_run(&lda_app, config, NULL, NULL, &result));
    strads_config_destroy(config);
}

SUITE("apps/lda/start",
      {"every token has any topic with the same chance",
       every_token_has_any_topic_with_the_same_chance},
      {"rows have the topics of the tokens", rows_have_the_topics_of_the_tokens},
      {"topics of words are added to the column", topics_of_words_are_added_to_the_column},
      {"a growing start begins without topics", a_growing_start_begins_without_topics},
      {"first documents that share a word begin with its topic",
       first_documents_that_share_a_word_begin_with_its_topic},
      {"only words of the first documents are counted in a table",
       only_words_of_the_first_documents_are_counted_in_a_table})
