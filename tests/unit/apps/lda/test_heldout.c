/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_heldout.c - what is foretold from copies of the columns' counts is
 * what is foretold from a plain matrix of all counts. */
#include <string.h>

#include "apps/lda/heldout.h"
#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { N_TOPICS = 40, N_WORDS = 30, N_COLUMNS = 3, N_DOCUMENTS = 5, COMMON = 70000 };

static uint32_t matrix[N_WORDS][N_TOPICS];
static double totals[N_TOPICS], alpha[N_TOPICS];
static lda_site site;
static uint32_t *columns[N_COLUMNS];

/* Word 0 is so frequent that its counts need 32 bits; odd words are lists where these are allowed,
 * even ones arrays; the last has no counts. */
static void make_columns(bool lists)
{
    uint64_t counts[N_WORDS] = {0};
    strads_random random = strads_random_start(5, 0);
    memset(matrix, 0, sizeof(matrix));
    memset(totals, 0, sizeof(totals));
    for (uint32_t w = 0; w + 1 < N_WORDS; w++) {
        for (uint32_t i = 0; i < (w % 2 == 0 ? 60U : 12U); i++) {
            matrix[w][strads_random_below(&random, N_TOPICS)] += w == 0 ? COMMON / 60 + 1 : 1;
        }
    }
    for (uint32_t k = 0; k < N_TOPICS; k++) {
        alpha[k] = 0.1 + 0.01 * k;
        for (uint32_t w = 0; w < N_WORDS; w++) {
            counts[w] += matrix[w][k];
            totals[k] += matrix[w][k];
        }
    }
    site =
        (lda_site){.n_topics = N_TOPICS, .n_padded = lda_padded(N_TOPICS), .beta = 0.01, .seed = 9};
    REQUIRE_OK(lda_words_init(&site.words, counts, N_WORDS, N_COLUMNS, 1, N_TOPICS, lists));
    for (uint32_t c = 0; c < N_COLUMNS; c++) {
        columns[c] = strads_calloc(site.words.units[c], sizeof(uint32_t));
        for (uint32_t p = site.words.firsts[c]; p < site.words.firsts[c + 1]; p++) {
            lda_row_write(&site.words.places[p], columns[c], N_TOPICS,
                          (const int32_t *) matrix[site.words.word[p]]);
        }
    }
}

static void free_columns(void)
{
    for (uint32_t c = 0; c < N_COLUMNS; c++) {
        strads_free(columns[c]);
    }
    lda_words_fini(&site.words);
}

/* The middle one is empty; words 2 and 20 to 24 are in none. */
static size_t starts[N_DOCUMENTS + 1] = {0, 6, 11, 11, 12, 20};
static uint32_t tokens[20] = {0, 1, 1, 29, 4, 5, 7, 7, 0, 9, 11, 3, 12, 13, 14, 15, 16, 17, 18, 19};
static uint64_t numbers[N_DOCUMENTS] = {3, 8, 9, 40, 41};
static const lda_heldout_documents documents = {
    .n = N_DOCUMENTS, .starts = starts, .tokens = tokens, .numbers = numbers};

static size_t of_matrix(const void *context, uint32_t word, uint32_t *topics, uint32_t *counts)
{
    (void) context;
    size_t n = 0;
    for (uint32_t k = 0; k < N_TOPICS; k++) {
        if (matrix[word][k] > 0) {
            topics[n] = k;
            counts[n++] = matrix[word][k];
        }
    }
    return n;
}

static lda_heldout of_plain_matrix(size_t step)
{
    const lda_infer_model model = {.n_words = N_WORDS,
                                   .n_topics = N_TOPICS,
                                   .totals = totals,
                                   .alpha = alpha,
                                   .beta = site.beta,
                                   .counts = of_matrix};
    lda_heldout sum = {.n_tokens = 0.0};
    lda_infer *infer = NULL;
    REQUIRE_OK(lda_infer_create(&infer, &model));
    for (size_t i = 0; i < N_DOCUMENTS; i += step) {
        REQUIRE_OK(lda_infer_complete(infer, tokens + starts[i], starts[i + 1] - starts[i],
                                      site.seed, numbers[i], &sum));
    }
    lda_infer_destroy(infer);
    return sum;
}

static strads_status foretell(const lda_heldout_documents *of, size_t step, lda_heldout *sum)
{
    lda_foretelling it = {.n_topics = 0};
    strads_status status = lda_foretelling_init(&it, &site, of, step);
    for (uint32_t c = 0; c < N_COLUMNS && status == STRADS_OK; c++) { /* as they may come */
        status = lda_foretelling_take(&it, (c + 2) % N_COLUMNS, columns[(c + 2) % N_COLUMNS]);
    }
    if (status == STRADS_OK) {
        status = lda_foretelling_complete(&it, &site, totals, alpha, sum);
    }
    lda_foretelling_fini(&it);
    return status;
}

static void copies_foretell_what_all_counts_do(void)
{
    for (int lists = 0; lists < 2; lists++) {
        make_columns(lists != 0);
        for (size_t step = 1; step <= N_DOCUMENTS + 1; step++) {
            lda_heldout sum = {.log_likelihood = 1.0, .n_tokens = 2.0};
            const lda_heldout expected = of_plain_matrix(step);
            REQUIRE_OK(foretell(&documents, step, &sum));
            CHECK_NEAR(sum.log_likelihood - 1.0, expected.log_likelihood, 1e-12);
            CHECK(sum.n_tokens - 2.0 == expected.n_tokens);
        }
        CHECK(of_plain_matrix(1).n_tokens == 3 + 2 + 0 + 0 + 4);
        free_columns();
    }
}

static void only_words_that_are_asked_about_are_copied(void)
{
    lda_foretelling it;
    make_columns(true);
    REQUIRE_OK(lda_foretelling_init(&it, &site, &documents, 1));
    size_t n = 0;
    for (uint32_t c = 0; c < N_COLUMNS; c++) {
        REQUIRE_OK(lda_foretelling_take(&it, c, columns[c]));
    }
    for (uint32_t w = 0; w < N_WORDS; w++) {
        const bool asked = w != 2 && w != 6 && w != 8 && w != 10 && (w < 20 || w == 29);
        for (uint32_t k = 0; k < N_TOPICS; k++) {
            n += asked && matrix[w][k] > 0;
        }
    }
    CHECK(it.n_entries == n);
    lda_foretelling_fini(&it);
    free_columns();
}

static void no_documents_foretell_nothing(void)
{
    const lda_heldout_documents none = {.n = 0, .starts = starts};
    lda_heldout sum = {.log_likelihood = -4.0, .n_tokens = 3.0};
    make_columns(true);
    REQUIRE_OK(foretell(&none, 1, &sum));
    CHECK(sum.log_likelihood == -4.0 && sum.n_tokens == 3.0);
    free_columns();
}

typedef struct attempt {
    size_t fail_after;
    lda_heldout sum;
    strads_status status;
} attempt;

static void try_to_foretell(void *context)
{
    attempt *it = context;
    strads_mem_fail_after(it->fail_after);
    it->status = foretell(&documents, 1, &it->sum);
    strads_mem_fail_after(0);
}

static void a_failed_allocation_is_told_and_adds_nothing(void)
{
    attempt it = {.status = STRADS_ERR_NOMEM};
    make_columns(true);
    const size_t live = strads_mem_live();
    while (it.fail_after < 100 && it.status != STRADS_OK) {
        it = (attempt){.fail_after = it.fail_after + 1};
        strads_free(suite_stderr_of(try_to_foretell, &it));
        CHECK(strads_mem_live() == live);
        CHECK(it.status == STRADS_OK || (it.status == STRADS_ERR_NOMEM && it.sum.n_tokens == 0.0));
    }
    CHECK_STATUS(it.status, STRADS_OK);
    free_columns();
}

SUITE("apps/lda/heldout",
      {"copies foretell what all counts do", copies_foretell_what_all_counts_do},
      {"only words that are asked about are copied", only_words_that_are_asked_about_are_copied},
      {"no documents foretell nothing", no_documents_foretell_nothing},
      {"a failed allocation is told and adds nothing",
       a_failed_allocation_is_told_and_adds_nothing})
