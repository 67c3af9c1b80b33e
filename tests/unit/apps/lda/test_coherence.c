/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_coherence.c - NPMI against counting pair by pair. */
#include <string.h>

#include "apps/lda/coherence.h"
#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { N_WORDS = 40, N_TOPICS = 12, N_DOCUMENTS = 60, MAX_TOKENS = 2000, MAX_COUNTS = 1000 };

static uint32_t tokens[MAX_TOKENS];
static size_t starts[N_DOCUMENTS + 1];

/* Documents of up to 30 tokens, some empty; word 0 is in all that are not. */
static void draw_documents(void)
{
    strads_random random = strads_random_start(6, 0);
    for (size_t d = 0; d < N_DOCUMENTS; d++) {
        const size_t n = (size_t) strads_random_below(&random, 31);
        for (size_t i = 0; i < n; i++) {
            const uint64_t bound = 1 + strads_random_below(&random, N_WORDS);
            tokens[starts[d] + i] =
                i == 0 ? 0 : (uint32_t) strads_random_below(&random, bound); /* low words often */
        }
        starts[d + 1] = starts[d] + n;
    }
}

/* Topics of 12 top words, of which 10 are looked at; the last three of 0, 1 and 2. */
static void draw_tops(lda_tops *tops)
{
    strads_random random = strads_random_start(7, 0);
    REQUIRE_OK(lda_tops_init(tops, N_TOPICS, 12));
    for (size_t k = 0; k < N_TOPICS; k++) {
        const uint32_t n = k >= N_TOPICS - 3 ? (uint32_t) (k - (N_TOPICS - 3)) : N_WORDS;
        for (uint32_t w = 0; w < n; w++) {
            lda_tops_add(tops, k, w, 1 + (uint32_t) strads_random_below(&random, 1000));
        }
    }
    lda_tops_sort(tops);
}

static bool has(size_t d, uint32_t w)
{
    for (size_t i = starts[d]; i < starts[d + 1]; i++) {
        if (tokens[i] == w) {
            return true;
        }
    }
    return false;
}

static double slow_npmi(uint32_t v, uint32_t w, size_t n_documents)
{
    double n_v = 0.0;
    double n_w = 0.0;
    double both = 0.0;
    for (size_t d = 0; d < n_documents; d++) {
        n_v += has(d, v);
        n_w += has(d, w);
        both += has(d, v) && has(d, w);
    }
    const double n = (double) n_documents;
    return both > 0.0 ? log(both / n / (n_v / n * n_w / n)) / -log(both / n) : -1.0;
}

static void scores(void)
{
    lda_tops tops;
    lda_coherence coherence;
    double counts[MAX_COUNTS] = {0.0};
    double found[N_TOPICS];
    draw_documents();
    draw_tops(&tops);
    REQUIRE_OK(lda_coherence_init(&coherence, &tops, N_WORDS));
    REQUIRE(lda_coherence_n_counts(&coherence) <= MAX_COUNTS);
    REQUIRE_OK(lda_coherence_count(&coherence, tokens, starts, N_DOCUMENTS, counts));
    const double mean = lda_coherence_scores(&coherence, counts, found);
    double expected = 0.0;
    for (size_t k = 0; k < N_TOPICS - 2; k++) {
        const size_t n = tops.used[k] < 10 ? tops.used[k] : 10;
        double sum = 0.0;
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < i; j++) {
                sum +=
                    slow_npmi(tops.tops[k * 12 + i].word, tops.tops[k * 12 + j].word, N_DOCUMENTS);
            }
        }
        if (n > 1) {
            CHECK_NEAR(found[k], sum / (double) (n * (n - 1) / 2), 1e-12);
            expected += found[k];
        } else {
            CHECK(isnan(found[k]));
        }
    }
    CHECK(isnan(found[N_TOPICS - 2]));
    double last = slow_npmi(0, 1, N_DOCUMENTS);
    CHECK_NEAR(found[N_TOPICS - 1], last, 1e-12);
    CHECK_NEAR(mean, (expected + last) / (N_TOPICS - 2), 1e-12);
    lda_coherence_fini(&coherence);
    lda_tops_fini(&tops);
}

/* Four workers' documents against all at once. */
static void added_up(void)
{
    lda_tops tops;
    lda_coherence coherence;
    double all[MAX_COUNTS] = {0.0};
    double parts[MAX_COUNTS] = {0.0};
    draw_documents();
    draw_tops(&tops);
    REQUIRE_OK(lda_coherence_init(&coherence, &tops, N_WORDS));
    REQUIRE_OK(lda_coherence_count(&coherence, tokens, starts, N_DOCUMENTS, all));
    for (size_t first = 0; first < N_DOCUMENTS; first += N_DOCUMENTS / 4) {
        REQUIRE_OK(lda_coherence_count(&coherence, tokens, starts + first, N_DOCUMENTS / 4, parts));
    }
    CHECK(memcmp(all, parts, sizeof(all)) == 0);
    REQUIRE_OK(lda_coherence_count(&coherence, tokens, starts, 0, all));
    CHECK(memcmp(all, parts, sizeof(all)) == 0);
    lda_coherence_fini(&coherence);
    lda_tops_fini(&tops);
}

/* Words 0 and 1 are together, or each alone, or in all documents. */
static void extremes(void)
{
    static const uint32_t together[] = {0, 1, 2, 1, 0, 2};
    static const size_t three[] = {0, 2, 3, 6};
    static const uint32_t alone[] = {0, 1, 2};
    static const size_t ones[] = {0, 1, 2, 3};
    static const uint32_t always[] = {0, 1, 1, 0};
    static const size_t two[] = {0, 2, 4, 4};
    const struct {
        const uint32_t *tokens;
        const size_t *starts;
        size_t n;
        double expected;
    } cases[] = {{together, three, 3, 1.0}, {alone, ones, 3, -1.0}, {always, two, 2, 1.0}};
    lda_tops tops;
    lda_coherence coherence;
    REQUIRE_OK(lda_tops_init(&tops, 1, 10));
    lda_tops_add(&tops, 0, 0, 5);
    lda_tops_add(&tops, 0, 1, 4);
    REQUIRE_OK(lda_coherence_init(&coherence, &tops, 3));
    for (size_t i = 0; i < 3; i++) {
        double counts[4] = {0.0};
        double counted[1 + 2 + 45] = {0.0};
        REQUIRE_OK(
            lda_coherence_count(&coherence, cases[i].tokens, cases[i].starts, cases[i].n, counted));
        CHECK_NEAR(lda_coherence_scores(&coherence, counted, counts), cases[i].expected, 1e-12);
    }
    lda_coherence_fini(&coherence);
    lda_tops_fini(&tops);
}

/* ---- memory ---- */

static size_t fail_after;
static strads_status status_of_call;

static void all_once(void *context)
{
    lda_coherence coherence = {.n_topics = 0};
    double counts[MAX_COUNTS] = {0.0};
    strads_mem_fail_after(fail_after);
    status_of_call = lda_coherence_init(&coherence, context, N_WORDS);
    if (status_of_call == STRADS_OK) {
        status_of_call = lda_coherence_count(&coherence, tokens, starts, N_DOCUMENTS, counts);
    }
    strads_mem_fail_after(0);
    CHECK((counts[0] > 0.0) == (status_of_call == STRADS_OK));
    lda_coherence_fini(&coherence);
}

static void memory(void)
{
    const size_t live = strads_mem_live();
    lda_tops tops;
    draw_documents();
    draw_tops(&tops);
    status_of_call = STRADS_ERR_NOMEM;
    for (fail_after = 1; status_of_call != STRADS_OK; fail_after++) {
        char *said = suite_stderr_of(all_once, &tops);
        CHECK(status_of_call == STRADS_OK || status_of_call == STRADS_ERR_NOMEM);
        CHECK((strstr(said, "no memory") != NULL) == (status_of_call != STRADS_OK));
        strads_free(said);
    }
    lda_tops_fini(&tops);
    CHECK(strads_mem_live() == live);
}

SUITE("lda coherence", {"scores are those of pairs counted one by one", scores},
      {"documents may be counted in parts", added_up},
      {"words always together score 1, words never together -1", extremes},
      {"missing memory is said and counts nothing", memory})
