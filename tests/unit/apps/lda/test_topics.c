/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_topics.c - top words against a full sort, and the table they print. */
#include <string.h>

#include "apps/lda/topics.h"
#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { N_TOPICS = 9, N_WORDS = 200, N_EACH = 7 };

static uint32_t counts[N_WORDS][N_TOPICS];

/* Small counts, so that many are the same; topic 0 has none, topic 1 two. */
static void draw_counts(void)
{
    strads_random random = strads_random_start(11, 0);
    memset(counts, 0, sizeof(counts));
    for (size_t w = 0; w < N_WORDS; w++) {
        for (size_t k = 2; k < N_TOPICS; k++) {
            counts[w][k] = (uint32_t) strads_random_below(&random, 9);
        }
    }
    counts[5][1] = 3;
    counts[4][1] = 3;
}

/* The i-th word of a topic: so many are before it. */
static bool has_rank(size_t topic, uint32_t word, size_t rank)
{
    size_t n_before = 0;
    for (size_t w = 0; w < N_WORDS; w++) {
        n_before += counts[w][topic] > counts[word][topic] ||
                    (counts[w][topic] == counts[word][topic] && w < word);
    }
    return n_before == rank;
}

static void best_words(void)
{
    lda_tops tops;
    draw_counts();
    for (uint32_t step = 1; step < N_WORDS; step += 66) { /* orders of adding; odd and prime to 5 */
        REQUIRE_OK(lda_tops_init(&tops, N_TOPICS, N_EACH));
        for (uint32_t i = 0; i < N_WORDS; i++) {
            const uint32_t w = (i * step + 3) % N_WORDS;
            lda_tops_add_row(&tops, w, counts[w]);
        }
        lda_tops_sort(&tops);
        CHECK(tops.used[0] == 0);
        CHECK(tops.used[1] == 2);
        for (size_t k = 1; k < N_TOPICS; k++) {
            for (size_t i = 0; i < tops.used[k]; i++) {
                const lda_top top = tops.tops[k * N_EACH + i];
                CHECK(top.count == counts[top.word][k]);
                CHECK(has_rank(k, top.word, i));
            }
            CHECK(k == 1 || tops.used[k] == N_EACH);
        }
        lda_tops_fini(&tops);
    }
}

/* ---- the table ---- */

static const char *const texts[] = {"font",
                                    "gl\xC3\xBC"
                                    "ck",
                                    "a\033[1m",
                                    "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"
                                    "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"
                                    "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"
                                    "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"
                                    "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"};

static const char *text_of(const void *context, uint32_t w, char *room)
{
    (void) context;
    if (w < 4) {
        return texts[w];
    }
    snprintf(room, LDA_WORD_BYTES, "word%u", w);
    return room;
}

static void fill(lda_tops *tops)
{
    REQUIRE_OK(lda_tops_init(tops, 3, 5));
    for (uint32_t w = 0; w < 3; w++) {
        lda_tops_add(tops, 0, w, 10 - w);
    }
    for (uint32_t w = 3; w < 6; w++) {
        lda_tops_add(tops, 2, w, 100 - w);
    }
    lda_tops_sort(tops);
}

static void check_table(const lda_topics_table *table, const char *expected)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&text, &bytes);
    REQUIRE(to != NULL);
    CHECK_STATUS(lda_topics_print(table, to), STRADS_OK);
    fclose(to);
    CHECK_TEXT(text, expected);
    free(text);
}

static void prints(void)
{
    lda_tops tops;
    fill(&tops);
    const double totals[] = {27.0, 0.0, 973.0};
    const double coherence[] = {0.25, -1.0, 0.5};
    lda_topics_table table = {
        .tops = &tops, .totals = totals, .coherence = coherence, .word = text_of};
    char expected[512];
    snprintf(expected, sizeof(expected),
             "topic    share  coherence  words\n"
             "    2   97.30%%      0.500  %s word4 word5\n"
             "    0    2.70%%      0.250  font gl\xC3\xBC"
             "ck a?[1m\n"
             "    1    0.00%%     -1.000  \n",
             texts[3]);
    check_table(&table, expected);
    table.coherence = NULL;
    table.n_rows = 2;
    table.width = 40; /* 24 of them for words */
    snprintf(expected, sizeof(expected),
             "topic    share  words\n"
             "    2   97.30%%  %.72s\n"
             "    0    2.70%%  font gl\xC3\xBC"
             "ck a?[1m\n",
             texts[3]);
    check_table(&table, expected);
    lda_tops_fini(&tops);
}

static void no_tokens(void)
{
    lda_tops tops;
    const double totals[] = {0.0};
    REQUIRE_OK(lda_tops_init(&tops, 1, 5));
    lda_tops_sort(&tops);
    const lda_topics_table table = {.tops = &tops, .totals = totals, .word = text_of};
    check_table(&table, "topic    share  words\n    0    0.00%  \n");
    lda_tops_fini(&tops);
}

/* ---- what fails ---- */

static strads_status status_of_call;

static void init_once(void *context)
{
    status_of_call = lda_tops_init(context, 4, 10);
}

static void print_once(void *context)
{
    FILE *to = fopen("/dev/full", "w");
    REQUIRE(to != NULL);
    setvbuf(to, NULL, _IONBF, 0);
    status_of_call = lda_topics_print(context, to);
    fclose(to);
}

static void fails(void)
{
    const size_t live = strads_mem_live();
    lda_tops tops = {.n_topics = 0};
    for (size_t n = 1; n <= 2; n++) {
        strads_mem_fail_after(n);
        strads_free(suite_stderr_of(init_once, &tops));
        strads_mem_fail_after(0);
        CHECK_STATUS(status_of_call, STRADS_ERR_NOMEM);
        CHECK(tops.n_topics == 0 && tops.tops == NULL);
    }
    fill(&tops);
    const double totals[] = {1.0, 0.0, 1.0};
    lda_topics_table table = {.tops = &tops, .totals = totals, .word = text_of};
    char *said = suite_stderr_of(print_once, &table);
    CHECK_STATUS(status_of_call, STRADS_ERR_IO);
    CHECK_TEXT(said, "strads: error: cannot write the table of topics\n");
    strads_free(said);
    strads_mem_fail_after(1);
    strads_free(suite_stderr_of(print_once, &table));
    strads_mem_fail_after(0);
    CHECK_STATUS(status_of_call, STRADS_ERR_NOMEM);
    lda_tops_fini(&tops);
    CHECK(strads_mem_live() == live);
}

SUITE("lda topics",
      {"the top words are those of a full sort, in whatever order they come", best_words},
      {"the table is aligned, cut between characters, and harmless to a terminal", prints},
      {"a model without tokens has a table", no_tokens},
      {"a full disk and missing memory are said", fails})
