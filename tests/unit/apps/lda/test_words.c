/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_words.c - every word has one place, and blocks about as many tokens. */
#include "apps/lda/lda.h"

#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/suite.h"

enum { N_WORDS = 1000, N_TOPICS = 40, FREQUENT = 70000 };

typedef struct deal {
    uint32_t n_words, n_columns, n_sub, n_topics;
    bool lists;
} deal;

static const deal deals[] = {{N_WORDS, 1, 1, N_TOPICS, true},    {N_WORDS, 3, 1, N_TOPICS, true},
                             {N_WORDS, 4, 3, N_TOPICS, false},   {N_WORDS, 7, 3, 1, false},
                             {N_WORDS, 2, 1, 5000, true},        {5, 4, 3, N_TOPICS, false},
                             {1, 1, LDA_STREAMS, N_TOPICS, true}};
enum { N_DEALS = sizeof(deals) / sizeof(deals[0]) };

static uint64_t counts[N_WORDS];

/* Few words have most tokens, one too many for 16 bits, and some none. */
static lda_words make(const deal *of)
{
    lda_words words;
    for (uint32_t w = 0; w < N_WORDS; w++) {
        const uint64_t rank = 1 + (uint64_t) w * 37 % N_WORDS;
        counts[w] = rank == 1 ? FREQUENT : rank % 10 == 0 ? 0 : 6000 / rank;
    }
    REQUIRE_OK(lda_words_init(&words, counts, of->n_words, of->n_columns, of->n_sub, of->n_topics,
                              of->lists));
    return words;
}

static void every_word_has_one_position(void)
{
    for (size_t i = 0; i < N_DEALS; i++) {
        lda_words words = make(&deals[i]);
        const uint32_t n_blocks = words.n_columns * words.n_sub;
        bool right = words.firsts[0] == 0 && words.firsts[n_blocks] == words.n;
        for (uint32_t b = 0; b < n_blocks; b++) {
            right = right && words.firsts[b] <= words.firsts[b + 1];
        }
        for (uint32_t w = 0; w < words.n; w++) {
            right = right && words.position[w] < words.n && words.word[words.position[w]] == w;
        }
        CHECK(right);
        lda_words_fini(&words);
    }
}

/* A block without its last, least frequent word had the least when it got that one. */
static void no_block_has_more_than_another_but_for_one_word(void)
{
    for (size_t i = 0; i < N_DEALS; i++) {
        lda_words words = make(&deals[i]);
        const uint32_t n_blocks = words.n_columns * words.n_sub;
        uint64_t least = UINT64_MAX;
        uint64_t most = 0;
        bool falls = true;
        for (uint32_t b = 0; b < n_blocks; b++) {
            uint64_t sum = 0;
            uint64_t last = 0;
            for (uint32_t p = words.firsts[b]; p < words.firsts[b + 1]; p++) {
                const uint64_t n = counts[words.word[p]];
                falls = falls && (p == words.firsts[b] || n <= last);
                last = n;
                sum += n + 1;
            }
            const uint64_t before = sum == 0 ? 0 : sum - last - 1;
            least = sum < least ? sum : least;
            most = before > most ? before : most;
        }
        CHECK(falls && most <= least);
        lda_words_fini(&words);
    }
}

/* So many tokens of the word in topics drawn evenly. */
static void draw_row(uint64_t n, uint32_t n_topics, strads_random *random, int32_t *row)
{
    memset(row, 0, n_topics * sizeof(*row));
    for (uint64_t i = 0; i < n; i++) {
        row[strads_random_below(random, n_topics)]++;
    }
}

/* All rows of a column are written before any is read. */
static void a_column_has_room_for_what_its_words_may_have(void)
{
    int32_t row[5000];
    int32_t expected[5000];
    for (size_t i = 0; i < N_DEALS; i++) {
        lda_words words = make(&deals[i]);
        bool right = true;
        for (uint32_t c = 0; c < words.n_columns; c++) {
            const uint32_t first = words.firsts[c * words.n_sub];
            const uint32_t end = words.firsts[(c + 1) * words.n_sub];
            uint32_t *column = strads_calloc(words.units[c], sizeof(*column));
            REQUIRE(column != NULL);
            for (int reads = 0; reads < 2; reads++) {
                strads_random random = strads_random_start(3, c);
                for (uint32_t p = first; p < end; p++) {
                    draw_row(counts[words.word[p]], deals[i].n_topics, &random, expected);
                    if (reads == 0) {
                        lda_row_write(&words.places[p], column, deals[i].n_topics, expected);
                        continue;
                    }
                    lda_row_read(&words.places[p], column, deals[i].n_topics, row);
                    right = right && memcmp(row, expected, deals[i].n_topics * sizeof(*row)) == 0 &&
                            lda_row_is_sound(&words.places[p], column, deals[i].n_topics);
                }
            }
            strads_free(column); /* a row beyond it is for the address sanitizer */
        }
        CHECK(right);
        lda_words_fini(&words);
    }
}

static void init_survives_the_failure_of_every_allocation(void)
{
    const size_t live = strads_mem_live();
    lda_words words = {.n = 77};
    strads_status status = STRADS_ERR_NOMEM;
    size_t failed = 0;
    for (; failed < 20 && status != STRADS_OK; failed += status != STRADS_OK) {
        strads_mem_fail_after(failed + 1);
        status = lda_words_init(&words, counts, N_WORDS, 3, 3, N_TOPICS, true);
        strads_mem_fail_after(0);
        CHECK(status == STRADS_OK || (words.n == 77 && strads_mem_live() == live));
    }
    CHECK(failed == 8);
    lda_words_fini(&words);
    CHECK(strads_mem_live() == live);
}

SUITE("apps/lda/words", {"every word has one position", every_word_has_one_position},
      {"no block has more than another but for one word",
       no_block_has_more_than_another_but_for_one_word},
      {"a column has room for what its words may have",
       a_column_has_room_for_what_its_words_may_have},
      {"init survives the failure of every allocation",
       init_survives_the_failure_of_every_allocation})
