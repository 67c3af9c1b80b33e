/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_corpus.c - what all kinds of corpora share. */
#include "tests/unit/data/corpus_case.h"

static void shares_number_their_documents(void)
{
    for (uint32_t n = 1; n < 6; n++) {
        for (uint32_t first = 0; first < n; first++) {
            for (uint32_t end = first + 1; end <= n; end++) {
                data_corpus c = {.n_documents = 0};
                corpus_set_share(&c, &(data_corpus_source){
                                         .n_shares = n, .first_share = first, .end_share = end});
                size_t k = 0;
                for (size_t d = 0; d < 40; d++) {
                    const bool kept = d % n >= first && d % n < end;
                    CHECK(corpus_n_kept_before(&c, d) == k);
                    CHECK(corpus_keeps(&c, d) == kept);
                    CHECK(!kept || data_corpus_document(&c, k) == d);
                    k += kept;
                }
            }
        }
    }
}

static void a_share_may_have_no_documents(void)
{
    char *path = suite_file("one", "1\n1\n1\n1 1 1\n");
    data_corpus c = corpus_read(
        (data_corpus_source){.path = path, .n_shares = 4, .first_share = 2, .end_share = 4}, NULL);
    CHECK(c.n_kept == 0 && c.starts[0] == 0 && c.n_tokens == 1 && c.counts[0] == 1);
    data_corpus_fini(&c);
    c = corpus_read(
        (data_corpus_source){
            .path = path, .cache = "", .n_shares = 4, .first_share = 2, .end_share = 4},
        NULL);
    CHECK(c.n_kept == 0 && c.n_tokens == 1);
    data_corpus_fini(&c);
    strads_free(path);
}

static void words_without_a_vocabulary_are_numbers(void)
{
    data_corpus c = corpus_of("1\n40\n1\n1 9 1\n", keep_all);
    char digits[DATA_ID_BYTES];
    CHECK_TEXT(data_corpus_word(&c, 8, digits), "9");
    CHECK_TEXT(data_corpus_word(&c, 39, digits), "40");
    data_corpus_fini(&c);
}

static void a_size_is_known_from_the_header_or_by_reading(void)
{
    data_corpus_size size;
    char *docword = suite_file("docword", "3\n5\n7\nnot read\n");
    REQUIRE_OK(data_corpus_measure(&size, &(data_corpus_source){.path = docword, .cache = ""}));
    CHECK(size.n_documents == 3 && size.n_words == 5 && size.n_entries == 7 && size.n_tokens == 0);
    char *text = suite_file("text", "a b\n\nb c d\n");
    REQUIRE_OK(data_corpus_measure(&size, &(data_corpus_source){.path = text, .text = keep_all}));
    CHECK(size.n_documents == 3 && size.n_words == 4 && size.n_entries == 0 && size.n_tokens == 5);
    strads_free(docword);
    strads_free(text);
}

static void numbers_alone_make_no_docword(void)
{
    data_corpus c = corpus_of("1 2\n3\n4\nword\n", keep_all);
    CHECK(c.n_documents == 4 && c.n_words == 1);
    data_corpus_fini(&c);
    c = corpus_of("1\n2\nw", keep_all);
    CHECK(c.n_documents == 3 && c.n_empty == 2);
    data_corpus_fini(&c);
}

SUITE("data/corpus", {"shares number their documents", shares_number_their_documents},
      {"a share may have no documents", a_share_may_have_no_documents},
      {"words without a vocabulary are numbers", words_without_a_vocabulary_are_numbers},
      {"a size is known from the header, or by reading",
       a_size_is_known_from_the_header_or_by_reading},
      {"numbers alone make no docword", numbers_alone_make_no_docword})
