/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_corpus_text.c - corpora from texts. */
#include <sys/stat.h>

#include "base/random.h"
#include "tests/unit/data/corpus_case.h"

static void a_line_is_a_document(void)
{
    data_corpus c = corpus_of("The cat and the dog\n\ncat 42 Dog!\r\nthe", keep_all);
    check_promises(&c);
    CHECK(c.n_documents == 4 && c.n_empty == 1 && c.n_longest == 5 && c.n_words == 4);
    CHECK_TEXT(document_text(&c, 0), "the cat and the dog");
    CHECK_TEXT(document_text(&c, 1), "");
    CHECK_TEXT(document_text(&c, 2), "cat dog");
    data_corpus_fini(&c);
}

static void words_are_ordered_by_use_and_then_by_name(void)
{
    data_corpus c = corpus_of("b d a c\nd c\nd e\n", keep_all);
    static const char *const order[] = {"d", "c", "a", "b", "e"};
    char digits[DATA_ID_BYTES];
    REQUIRE(c.n_words == 5);
    for (uint32_t w = 0; w < 5; w++) {
        CHECK_TEXT(data_corpus_word(&c, w, digits), order[w]);
        CHECK(data_ids_find(&c.words, order[w]) == w);
    }
    CHECK(c.counts[0] == 3 && c.counts[1] == 2 && c.counts[4] == 1);
    data_corpus_fini(&c);
}

/* All that stays of the text under the options. */
static void check_kept(data_text_options options, const char *expected)
{
    data_corpus c = corpus_of("The cat is the k\xc3\xb6 of it\nThe dog\nthe cat the\n", options);
    char all[256] = "";
    check_promises(&c);
    for (size_t d = 0; d < c.n_documents; d++) {
        strcat(strcat(all, document_text(&c, d)), "/");
    }
    CHECK_TEXT(all, expected);
    data_corpus_fini(&c);
}

static void options_say_which_words_stay(void)
{
    data_text_options options = keep_all;
    options.lower_case = false;
    check_kept(options, "The cat is the k\xc3\xb6 of it/The dog/the cat the/");
    options = keep_all;
    options.min_length = 3;
    check_kept(options, "the cat the/the dog/the cat the/");
    options = keep_all;
    options.min_documents = 2;
    check_kept(options, "the cat the/the/the cat the/");
    options.max_documents = 0.7;
    check_kept(options, "cat//cat/");
    options = keep_all;
    char *stop = suite_file("stop", "the\n\nof IT, is\nthe\n");
    options.stop_words = stop;
    check_kept(options, "cat k\xc3\xb6/dog/cat/");
    strads_free(stop);
}

static void words_beyond_a_vocabulary_are_left_out_with_a_warning(void)
{
    char *path = suite_file("text", "The cat\nbird bird\nCAT dog the\n");
    char *vocab = suite_file("vocab", "dog\nzebra\ncat\n");
    char *message = NULL;
    data_text_options options = {.lower_case = true, .min_length = 9, .min_documents = 9};
    const data_corpus_source source = {.path = path, .vocab = vocab, .text = options};
    data_corpus c = corpus_read(source, &message);
    check_promises(&c);
    CHECK(strstr(message, "4 words that are not in ") != NULL && c.n_unknown == 4);
    CHECK(c.n_words == 3 && c.counts[1] == 0 && c.n_empty == 1);
    CHECK_TEXT(document_text(&c, 2), "cat dog");
    check_shares(source, &c);
    data_corpus_fini(&c);
    strads_free(message);
    strads_free(path);
    strads_free(vocab);
}

/* Writes suite_folder()/docs with three texts and what is to be left out. */
static char *make_folder(void)
{
    char *folder = suite_file("docs", "");
    char path[300];
    REQUIRE(remove(folder) == 0 && mkdir(folder, 0700) == 0);
    snprintf(path, sizeof(path), "%s/sub", folder);
    REQUIRE(mkdir(path, 0700) == 0);
    strads_free(suite_file("docs/b.txt", "two\nlines of it\n"));
    strads_free(suite_file("docs/a.txt", "\xef\xbb\xbf"
                                         "one"));
    strads_free(suite_file("docs/c", ""));
    strads_free(suite_file("docs/.hidden", "nothing"));
    return folder;
}

static void a_file_of_a_folder_is_a_document(void)
{
    char *folder = make_folder();
    char digits[DATA_ID_BYTES];
    const data_corpus_source source = {.path = folder, .text = keep_all};
    data_corpus c = corpus_read(source, NULL);
    check_promises(&c);
    REQUIRE(c.n_documents == 3 && c.names.n == 3);
    CHECK_TEXT(data_ids_name(&c.names, 0, digits), "a.txt");
    CHECK_TEXT(data_ids_name(&c.names, 1, digits), "b.txt");
    CHECK_TEXT(document_text(&c, 0), "one");
    CHECK_TEXT(document_text(&c, 1), "two lines of it");
    CHECK_TEXT(document_text(&c, 2), "");
    check_shares(source, &c);
    data_corpus_fini(&c);
    check_every_corpus_allocation(source);
    strads_free(folder);
}

static void every_allocation_may_fail(void)
{
    char *path = suite_file("text", "the cat\nthe dog and a cat\n");
    char *stop = suite_file("stop", "and\n");
    data_text_options options = keep_all;
    options.stop_words = stop;
    check_every_corpus_allocation((data_corpus_source){.path = path, .text = options});
    strads_free(path);
    strads_free(stop);
}

static void what_leaves_nothing_is_refused(void)
{
    check_corpus_refused("", "refused: is empty: expected a corpus");
    check_corpus_refused("\n\n42\n", "none of the words of 3 documents stay");
    char *path = suite_file("text", "cat\n");
    char *vocab = suite_file("vocab", "dog\nzebra\n");
    data_text_options options = keep_all;
    check_corpus_source_refused((data_corpus_source){.path = path, .vocab = vocab, .text = options},
                                STRADS_ERR_DATA, "text: none of the words of 1 documents are in ");
    strads_free(vocab);
    options.stop_words = "/none/stop";
    check_corpus_source_refused((data_corpus_source){.path = path, .text = options}, STRADS_ERR_IO,
                                "cannot open /none/stop");
    check_corpus_source_refused((data_corpus_source){.path = "/none/text", .text = keep_all},
                                STRADS_ERR_IO, "cannot open /none/text");
    char *folder = suite_file("empty", "");
    REQUIRE(remove(folder) == 0 && mkdir(folder, 0700) == 0);
    check_corpus_source_refused((data_corpus_source){.path = folder, .text = keep_all},
                                STRADS_ERR_DATA, "has no files");
    check_corpus_source_refused((data_corpus_source){.path = folder, .cache = "", .text = keep_all},
                                STRADS_ERR_DATA, "has no files");
    strads_free(folder);
    strads_free(path);
}

/* ---- at random, against counting in the plainest way ---- */

enum { N_DOCUMENTS = 40, N_WORDS = 12, MAX_LENGTH = 9 };

typedef struct plain {
    uint32_t word[N_DOCUMENTS][MAX_LENGTH]; /* of "w0", "w1", ... */
    size_t length[N_DOCUMENTS];
    size_t n_tokens[N_WORDS], n_documents[N_WORDS];
} plain;

static char *random_texts(uint64_t seed, plain *p)
{
    static char text[N_DOCUMENTS * MAX_LENGTH * 6];
    strads_random random = strads_random_start(seed, 0);
    size_t n = 0;
    *p = (plain){.length = {0}};
    for (size_t d = 0; d < N_DOCUMENTS; d++) {
        bool has[N_WORDS] = {false};
        p->length[d] = strads_random_below(&random, MAX_LENGTH);
        for (size_t i = 0; i < p->length[d]; i++) {
            const size_t w =
                strads_random_below(&random, 1 + strads_random_below(&random, N_WORDS));
            p->word[d][i] = (uint32_t) w;
            p->n_tokens[w]++;
            p->n_documents[w] += !has[w];
            has[w] = true;
            n += (size_t) snprintf(text + n, sizeof(text) - n, "W%zu, ", w);
        }
        text[n++] = '\n';
    }
    text[n] = '\0';
    return suite_file("texts", text);
}

static void random_texts_are_what_counting_says(void)
{
    static plain p;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        char *path = random_texts(seed, &p);
        data_text_options options = keep_all;
        options.min_documents = 3;
        options.max_documents = 0.5;
        const data_corpus_source source = {.path = path, .text = options};
        data_corpus c = corpus_read(source, NULL);
        check_promises(&c);
        for (size_t d = 0; d < N_DOCUMENTS; d++) {
            char expected[200] = "";
            for (size_t i = 0, n = 0; i < p.length[d]; i++) {
                const size_t w = p.word[d][i];
                if (p.n_documents[w] >= 3 && p.n_documents[w] <= N_DOCUMENTS / 2) {
                    n += (size_t) snprintf(expected + n, sizeof(expected) - n, "%sw%zu",
                                           n > 0 ? " " : "", w);
                }
            }
            CHECK_TEXT(document_text(&c, d), expected);
        }
        for (uint32_t w = 1; w < c.n_words; w++) {
            char digits[DATA_ID_BYTES];
            const char *name = data_corpus_word(&c, w, digits);
            CHECK(c.counts[w] == p.n_tokens[atoi(name + 1)]);
            CHECK(c.counts[w - 1] > c.counts[w] ||
                  (c.counts[w - 1] == c.counts[w] &&
                   strcmp(data_corpus_word(&c, w - 1, digits), name) < 0));
        }
        check_shares(source, &c);
        data_corpus_fini(&c);
        strads_free(path);
    }
}

SUITE("data/corpus_text", {"a line is a document", a_line_is_a_document},
      {"words are ordered by use, and then by name", words_are_ordered_by_use_and_then_by_name},
      {"options say which words stay", options_say_which_words_stay},
      {"words beyond a vocabulary are left out with a warning",
       words_beyond_a_vocabulary_are_left_out_with_a_warning},
      {"a file of a folder is a document", a_file_of_a_folder_is_a_document},
      {"every allocation may fail", every_allocation_may_fail},
      {"what leaves nothing is refused", what_leaves_nothing_is_refused},
      {"random texts are what counting says", random_texts_are_what_counting_says})
