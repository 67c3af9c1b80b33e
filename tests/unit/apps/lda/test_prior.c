/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_prior.c - two workers learn the prior of all documents together. */
#include <string.h>

#include "apps/lda/alpha.h"
#include "apps/lda/prior.h"
#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { N_TOPICS = 5, N_WORKERS = 2, N_DOCUMENTS = 40, LONGEST = 100, STEPS = 50 };

typedef struct one {
    uint32_t lengths[N_DOCUMENTS];
    lda_documents documents;
    lda_doc_rows rows[LDA_SUBS_MAX];
    uint32_t topics[N_TOPICS], counts[N_TOPICS];
    lda_prior prior;
    ssp_session *session;
} one;

static one workers[N_WORKERS];
static ssp_store *store;

static void open_all(void)
{
    REQUIRE_OK(ssp_store_create(&store, N_WORKERS));
    for (uint32_t w = 0; w < N_WORKERS; w++) {
        one *it = &workers[w];
        memset(it, 0, sizeof(*it));
        it->documents = (lda_documents){.n_subs = 1};
        it->documents.subs[0] = (lda_sub){.n = N_DOCUMENTS, .lengths = it->lengths};
        for (uint32_t d = 0; d < N_DOCUMENTS; d++) {
            it->lengths[d] = d == 0 ? 0 : 1 + d * 13 % LONGEST;
        }
        REQUIRE_OK(ssp_session_open(&it->session, store, w));
        REQUIRE_OK(lda_prior_init(&it->prior, N_TOPICS, LONGEST, it->topics, it->counts));
        REQUIRE_OK(lda_prior_open(&it->prior, it->session));
    }
}

static void close_all(void)
{
    for (uint32_t w = 0; w < N_WORKERS; w++) {
        lda_prior_fini(&workers[w].prior);
        lda_rows_fini(&workers[w].rows[0]);
        ssp_session_close(workers[w].session);
    }
    ssp_store_destroy(store);
}

/* Gives the documents of a worker new topics, more of the later ones. */
static void draw_topics(one *it, strads_random *random)
{
    lda_rows_fini(&it->rows[0]);
    REQUIRE_OK(lda_rows_init(&it->rows[0], &it->documents.subs[0], LDA_ROWS_LONG, N_TOPICS));
    for (uint32_t d = 0; d < N_DOCUMENTS; d++) {
        for (uint32_t t = 0; t < it->lengths[d]; t++) {
            const uint64_t a = strads_random_below(random, N_TOPICS);
            const uint64_t b = strads_random_below(random, N_TOPICS);
            it->rows[0].wide[d * N_TOPICS + (a > b ? a : b)]++;
        }
    }
}

/* Takes the topics from about half of the tokens that have the first or the last one. */
static void forget_topics(one *it)
{
    for (uint32_t d = 0; d < N_DOCUMENTS; d++) {
        it->rows[0].wide[d * N_TOPICS] /= 2;
        it->rows[0].wide[d * N_TOPICS + N_TOPICS - 1] /= 2;
    }
}

/* From the histograms of all documents at once. */
static void expect(double *alpha)
{
    const size_t n_bins = lda_alpha_n_bins(LONGEST);
    double *histograms = strads_calloc((N_TOPICS + 1) * n_bins, sizeof(*histograms));
    for (uint32_t w = 0; w < N_WORKERS; w++) {
        for (uint32_t d = 0; d < N_DOCUMENTS; d++) {
            uint32_t length = 0;
            for (uint32_t k = 0; k < N_TOPICS; k++) {
                const uint32_t count = workers[w].rows[0].wide[d * N_TOPICS + k];
                lda_alpha_add(histograms, n_bins, k, count);
                length += count;
            }
            lda_alpha_add(histograms, n_bins, N_TOPICS, length);
        }
    }
    lda_alpha_update(alpha, N_TOPICS, histograms, n_bins, STEPS);
    strads_free(histograms);
}

/* The last time some tokens have no topic. */
static void all_workers_learn_the_prior_of_all_documents_each_time_anew(void)
{
    strads_random random = strads_random_start(2, 0);
    double expected[N_TOPICS] = {0.1, 0.1, 0.1, 0.1, 0.1};
    double alpha[N_WORKERS][N_TOPICS] = {{0.1, 0.1, 0.1, 0.1, 0.1}, {0.1, 0.1, 0.1, 0.1, 0.1}};
    open_all();
    for (int time = 0; time < 4; time++) {
        for (uint32_t w = 0; w < N_WORKERS; w++) {
            draw_topics(&workers[w], &random);
            if (time == 3) {
                forget_topics(&workers[w]);
            }
            REQUIRE_OK(lda_prior_give(&workers[w].prior, &workers[w].documents, workers[w].rows));
            REQUIRE_OK(ssp_clock(workers[w].session));
        }
        expect(expected);
        for (uint32_t w = 0; w < N_WORKERS; w++) {
            REQUIRE_OK(lda_prior_learn(&workers[w].prior, alpha[w]));
            CHECK(memcmp(alpha[w], expected, sizeof(expected)) == 0);
        }
    }
    CHECK(expected[0] < expected[N_TOPICS - 1]);
    close_all();
}

static void who_gives_the_same_again_changes_nothing(void)
{
    strads_random random = strads_random_start(2, 1);
    double once[N_TOPICS] = {0.1, 0.2, 0.3, 0.4, 0.5};
    double twice[N_TOPICS] = {0.1, 0.2, 0.3, 0.4, 0.5};
    open_all();
    draw_topics(&workers[0], &random);
    draw_topics(&workers[1], &random);
    for (int time = 0; time < 2; time++) {
        for (uint32_t w = 0; w < N_WORKERS; w++) {
            REQUIRE_OK(lda_prior_give(&workers[w].prior, &workers[w].documents, workers[w].rows));
            REQUIRE_OK(ssp_clock(workers[w].session));
        }
        REQUIRE_OK(lda_prior_learn(&workers[0].prior, time == 0 ? once : twice));
    }
    CHECK(memcmp(once, twice, sizeof(once)) == 0);
    close_all();
}

static void init_survives_the_failure_of_every_allocation(void)
{
    const size_t live = strads_mem_live();
    lda_prior prior = {.n_topics = 77};
    strads_status status = STRADS_ERR_NOMEM;
    size_t failed = 0;
    for (; failed < 10 && status != STRADS_OK; failed += status != STRADS_OK) {
        strads_mem_fail_after(failed + 1);
        status = lda_prior_init(&prior, N_TOPICS, LONGEST, NULL, NULL);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || (prior.n_topics == 77 && strads_mem_live() == live));
    }
    CHECK(failed == 4);
    lda_prior_fini(&prior);
    CHECK(strads_mem_live() == live);
}

SUITE("apps/lda/prior",
      {"all workers learn the prior of all documents, each time anew",
       all_workers_learn_the_prior_of_all_documents_each_time_anew},
      {"who gives the same again changes nothing", who_gives_the_same_again_changes_nothing},
      {"init survives the failure of every allocation",
       init_survives_the_failure_of_every_allocation})
