/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_documents.c - every token of a corpus is with one worker, in the order
 * in which its kernels want it. */
#include <string.h>

#include "base/mem.h"
#include "tests/support/lda_run.h"
#include "tests/support/suite.h"

enum { N_DOCS = 3000, N_WORDS = 60, LENGTH = 12, MAX_WORKERS = 3, N_STAGES = 3 };

static data_corpus corpus;
static strads_config *config;

typedef struct bench {
    lda_site site;
    lda_documents documents[MAX_WORKERS];
    lda_heldout_documents heldout[MAX_WORKERS];
} bench;

/* Some documents of a corpus get so few tokens that they have none. */
static void make_corpus(const char *heldout)
{
    double *topics = NULL;
    const data_corpus_design design = {.n_documents = N_DOCS,
                                       .n_words = N_WORDS,
                                       .n_topics = 3,
                                       .length = 3.0,
                                       .alpha = 0.1,
                                       .beta = 0.1,
                                       .seed = 5};
    config = lda_run_configure(lda_run_documents(), "rotation", &heldout, 1);
    REQUIRE_OK(data_corpus_generate(&corpus, &topics, &design));
    REQUIRE(corpus.n_empty > 0);
    strads_free(topics);
}

/* A document of each of these lengths, all of word 0 but the last token. */
static void make_long_corpus(const uint32_t *lengths, size_t n)
{
    const char *const none = "lda.heldout_fraction=0";
    config = lda_run_configure(lda_run_documents(), "rotation", &none, 1);
    corpus = (data_corpus){.n_documents = n, .n_words = 2, .n_kept = n, .n_shares = 1};
    corpus.end_share = 1;
    corpus.starts = strads_calloc(n + 1, sizeof(*corpus.starts));
    corpus.counts = strads_calloc(2, sizeof(*corpus.counts));
    REQUIRE(corpus.starts != NULL && corpus.counts != NULL);
    for (size_t d = 0; d < n; d++) {
        corpus.starts[d + 1] = corpus.starts[d] + lengths[d];
    }
    corpus.tokens = strads_calloc(corpus.starts[n], sizeof(*corpus.tokens));
    REQUIRE(corpus.tokens != NULL);
    for (size_t d = 0; d < n; d++) {
        corpus.tokens[corpus.starts[d + 1] - 1] = 1;
        corpus.counts[0] += lengths[d] - 1;
        corpus.counts[1]++;
    }
}

static bench set_up(uint32_t n_workers, uint32_t n_sub)
{
    bench it = {.site = {.config = config,
                         .n_workers = n_workers,
                         .end = n_workers,
                         .n_sub = n_sub,
                         .n_stages = N_STAGES,
                         .n_topics = 4,
                         .seed = 3}};
    REQUIRE_OK(
        lda_words_init(&it.site.words, corpus.counts, corpus.n_words, n_workers, n_sub, 4, false));
    for (uint32_t rank = 0; rank < n_workers; rank++) {
        REQUIRE_OK(
            lda_documents_init(&it.documents[rank], &it.heldout[rank], &it.site, &corpus, rank));
    }
    return it;
}

static void tear_down(bench *it)
{
    for (uint32_t rank = 0; rank < it->site.n_workers; rank++) {
        lda_documents_fini(&it->documents[rank]);
        lda_heldout_fini(&it->heldout[rank]);
    }
    lda_words_fini(&it->site.words);
}

static void drop_corpus(void)
{
    data_corpus_fini(&corpus);
    strads_config_destroy(config);
}

/* ---- where tokens are ---- */

/* Takes the words of a document off the counts of the corpus: left[documents][words]. */
static bool take_sub(const lda_words *words, const lda_sub *sub, int32_t (*left)[N_WORDS])
{
    bool right = sub->starts[0] == 0;
    uint64_t n_tokens = 0;
    for (uint32_t p = 0; p < words->n; p++) {
        for (uint64_t t = sub->starts[p]; t < sub->starts[p + 1]; t++) {
            right = right && sub->docs[t] < sub->n &&
                    (t == sub->starts[p] || sub->docs[t - 1] <= sub->docs[t]);
            left[sub->numbers[sub->docs[t]]][words->word[p]]--;
        }
    }
    for (uint32_t doc = 0; doc < sub->n; doc++) {
        n_tokens += sub->lengths[doc];
    }
    return right && n_tokens == sub->starts[words->n];
}

static bool take_worker(const bench *it, uint32_t rank, int32_t (*left)[N_WORDS], bool *met)
{
    const lda_documents *documents = &it->documents[rank];
    const lda_heldout_documents *heldout = &it->heldout[rank];
    bool right = true;
    for (uint32_t s = 0; s < documents->n_subs; s++) {
        const lda_sub *sub = &documents->subs[s];
        right = right && take_sub(&it->site.words, sub, left);
        for (uint32_t doc = 0; doc < sub->n; doc++) {
            right =
                right && sub->numbers[doc] % it->site.n_workers == rank && !met[sub->numbers[doc]];
            met[sub->numbers[doc]] = true;
        }
    }
    for (size_t i = 0; i < heldout->n; i++) {
        right =
            right && heldout->numbers[i] % it->site.n_workers == rank && !met[heldout->numbers[i]];
        met[heldout->numbers[i]] = true;
        for (size_t t = heldout->starts[i]; t < heldout->starts[i + 1]; t++) {
            left[heldout->numbers[i]][heldout->tokens[t]]--;
        }
    }
    return right;
}

/* Sorted by word, and by document in each; none lost, none twice, empty documents there too. */
static void every_token_is_with_one_worker(void)
{
    static int32_t left[N_DOCS][N_WORDS];
    make_corpus("lda.heldout_fraction=0.3");
    for (uint32_t n_workers = 1; n_workers <= MAX_WORKERS; n_workers++) {
        bool met[N_DOCS] = {false};
        bench it = set_up(n_workers, n_workers == 2 ? 1 : LDA_STREAMS);
        bool right = true;
        memset(left, 0, sizeof(left));
        for (size_t d = 0; d < N_DOCS; d++) {
            for (size_t t = corpus.starts[d]; t < corpus.starts[d + 1]; t++) {
                left[d][corpus.tokens[t]]++;
            }
        }
        for (uint32_t rank = 0; rank < n_workers; rank++) {
            right = right && take_worker(&it, rank, left, met);
        }
        for (size_t d = 0; d < N_DOCS; d++) {
            right = right && met[d];
            for (uint32_t w = 0; w < N_WORDS; w++) {
                right = right && left[d][w] == 0;
            }
        }
        CHECK(right);
        tear_down(&it);
    }
    drop_corpus();
}

static void who_is_held_out_does_not_depend_on_the_workers(void)
{
    bool out[MAX_WORKERS][N_DOCS] = {{false}};
    size_t n = 0;
    make_corpus("lda.heldout_fraction=0.3");
    for (uint32_t n_workers = 1; n_workers <= MAX_WORKERS; n_workers++) {
        bench it = set_up(n_workers, 1);
        for (uint32_t rank = 0; rank < n_workers; rank++) {
            for (size_t i = 0; i < it.heldout[rank].n; i++) {
                out[n_workers - 1][it.heldout[rank].numbers[i]] = true;
                n += n_workers == 1;
            }
        }
        tear_down(&it);
        CHECK(memcmp(out[n_workers - 1], out[0], sizeof(out[0])) == 0);
    }
    CHECK_NEAR((double) n, 0.3 * N_DOCS, 5.0 * sqrt(0.3 * 0.7 * N_DOCS));
    drop_corpus();
}

/* ---- how they are dealt ---- */

/* Stages 0 .. i have 1/16, 1/4 and all of the documents, at random; streams about as many each. */
static void stages_and_streams_have_their_shares(void)
{
    uint32_t n_until[N_STAGES] = {0};
    make_corpus("lda.heldout_fraction=0");
    bench it = set_up(2, LDA_STREAMS);
    for (uint32_t rank = 0; rank < 2; rank++) {
        const lda_documents *documents = &it.documents[rank];
        CHECK(documents->n_subs == LDA_STREAMS && it.heldout[rank].n == 0);
        for (uint32_t s = 0; s < documents->n_subs; s++) {
            const lda_sub *sub = &documents->subs[s];
            CHECK(sub->n == N_DOCS / 2 / LDA_STREAMS);
            CHECK(sub->ends[N_STAGES - 1] == sub->n && sub->ends[LDA_STAGES_MAX - 1] == sub->n);
            for (uint32_t stage = 0; stage < N_STAGES; stage++) {
                n_until[stage] += sub->ends[stage];
                uint32_t doc = stage == 0 ? 0 : sub->ends[stage - 1];
                for (doc++; doc < sub->ends[stage]; doc++) {
                    CHECK(sub->numbers[doc - 1] < sub->numbers[doc]);
                }
            }
        }
    }
    CHECK_NEAR((double) n_until[0], N_DOCS / 16.0, 5.0 * sqrt(N_DOCS / 16.0));
    CHECK_NEAR((double) n_until[1], N_DOCS / 4.0, 5.0 * sqrt(N_DOCS / 4.0));
    CHECK(n_until[2] == N_DOCS);
    tear_down(&it);
    drop_corpus();
}

static void documents_too_long_for_the_kernels_are_apart(void)
{
    static const uint32_t lengths[] = {2, LDA_LENGTH_MAX, LDA_LENGTH_MAX + 1, 1, 80000};
    make_long_corpus(lengths, 5);
    bench it = set_up(1, 1);
    const lda_documents *documents = &it.documents[0];
    CHECK(documents->n_subs == 2 && documents->n_longest == 80000);
    CHECK(documents->n_tokens == corpus.starts[5]);
    CHECK(documents->subs[0].n == 3 && documents->subs[1].n == 2);
    for (uint32_t doc = 0; doc < 3; doc++) {
        CHECK(documents->subs[0].lengths[doc] <= LDA_LENGTH_MAX);
    }
    for (uint32_t doc = 0; doc < 2; doc++) {
        const lda_sub *sub = &documents->subs[1];
        CHECK(sub->lengths[doc] == lengths[sub->numbers[doc]]);
        CHECK(sub->lengths[doc] > LDA_LENGTH_MAX);
    }
    tear_down(&it);
    drop_corpus();
}

static void init_survives_the_failure_of_every_allocation(void)
{
    make_corpus("lda.heldout_fraction=0.3");
    bench it = set_up(1, LDA_STREAMS);
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    size_t failed = 0;
    for (; failed < 100 && status != STRADS_OK; failed += status != STRADS_OK) {
        lda_documents documents;
        lda_heldout_documents heldout;
        strads_mem_fail_after(failed + 1);
        status = lda_documents_init(&documents, &heldout, &it.site, &corpus, 0);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        lda_documents_fini(&documents); /* of zeros where it failed */
        lda_heldout_fini(&heldout);
        CHECK(strads_mem_live() == live);
    }
    CHECK(failed == 4 + 4 * LDA_STREAMS + 3);
    tear_down(&it);
    drop_corpus();
}

SUITE("apps/lda/documents", {"every token is with one worker", every_token_is_with_one_worker},
      {"who is held out does not depend on the workers",
       who_is_held_out_does_not_depend_on_the_workers},
      {"stages and streams have their shares", stages_and_streams_have_their_shares},
      {"documents too long for the kernels are apart",
       documents_too_long_for_the_kernels_are_apart},
      {"init survives the failure of every allocation",
       init_survives_the_failure_of_every_allocation})
