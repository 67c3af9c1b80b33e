/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_corpus_docword.c - corpora from lines DOCUMENT WORD COUNT. */
#include "base/random.h"
#include "tests/unit/data/corpus_case.h"

static void entries_become_rows_of_words(void)
{
    data_corpus c = corpus_of("3\n4\n4\n1 2 3\n1 1 1\n3 4 1\n3 2 2\n", keep_all);
    check_promises(&c);
    CHECK(c.n_documents == 3 && c.n_words == 4 && c.n_tokens == 7);
    CHECK(c.n_empty == 1 && c.n_longest == 4);
    CHECK_TEXT(document_text(&c, 0), "2 2 2 1");
    CHECK_TEXT(document_text(&c, 1), "");
    CHECK_TEXT(document_text(&c, 2), "4 2 2");
    data_corpus_fini(&c);
}

static void lines_may_be_anyhow(void)
{
    data_corpus c = corpus_of("\xef\xbb\xbf 2 \r\n3\t\n 5\n2 1 1\n\n 1\t3   1 \r\n2 2 1\r\n"
                              "1 00000000003 2\n1 3 1",
                              keep_all);
    CHECK_TEXT(document_text(&c, 0), "3 3 3 3");
    CHECK_TEXT(document_text(&c, 1), "1 2");
    data_corpus_fini(&c);
}

static void a_vocabulary_names_the_words(void)
{
    char *path = suite_file("docword", "1\n2\n2\n1 2 1\n1 1 1\n");
    char *vocab = suite_file("vocab", "apple\r\np\xc3\xaa"
                                      "che");
    data_corpus c = corpus_read((data_corpus_source){.path = path, .vocab = vocab}, NULL);
    CHECK_TEXT(document_text(&c, 0), "p\xc3\xaa"
                                     "che apple");
    CHECK(data_ids_find(&c.words, "apple") == 0);
    data_corpus_fini(&c);
    check_every_corpus_allocation((data_corpus_source){.path = path, .vocab = vocab});
    strads_free(path);
    strads_free(vocab);
}

/* ---- at random, against a table of counts ---- */

enum { N_DOCUMENTS = 60, N_WORDS = 30, N_ENTRIES = 900 };

/* A file of entries at random, most of them in order, and what it holds. */
static char *random_file(uint64_t seed, uint32_t table[N_DOCUMENTS][N_WORDS])
{
    static char text[N_ENTRIES * 24];
    strads_random random = strads_random_start(seed, 0);
    size_t n =
        (size_t) snprintf(text, sizeof(text), "%d\n%d\n%d\n", N_DOCUMENTS, N_WORDS, N_ENTRIES);
    memset(table, 0, sizeof(uint32_t[N_DOCUMENTS][N_WORDS]));
    for (size_t i = 0; i < N_ENTRIES; i++) {
        const bool stray = strads_random_below(&random, 10) == 0;
        const size_t d =
            stray ? strads_random_below(&random, N_DOCUMENTS) : i * N_DOCUMENTS / N_ENTRIES;
        const size_t w = strads_random_below(&random, N_WORDS);
        const uint32_t count = 1 + (uint32_t) strads_random_below(&random, 4);
        table[d][w] += count;
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%zu %zu %u\n", d + 1, w + 1, count);
    }
    return suite_file("random", text);
}

static void check_table(const data_corpus *c, uint32_t table[N_DOCUMENTS][N_WORDS])
{
    check_promises(c);
    REQUIRE(c->n_documents == N_DOCUMENTS && c->n_words == N_WORDS);
    for (size_t d = 0; d < N_DOCUMENTS; d++) {
        uint32_t counts[N_WORDS] = {0};
        for (size_t i = c->starts[d]; i < c->starts[d + 1]; i++) {
            counts[c->tokens[i]]++;
        }
        CHECK(memcmp(counts, table[d], sizeof(counts)) == 0);
    }
}

static void any_number_of_threads_reads_the_same(void)
{
    static uint32_t table[N_DOCUMENTS][N_WORDS];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        char *path = random_file(seed, table);
        data_corpus_source source = {.path = path, .n_threads = 1};
        data_corpus one = corpus_read(source, NULL);
        check_table(&one, table);
        for (source.n_threads = 2; source.n_threads <= 9; source.n_threads++) {
            data_corpus many = corpus_read(source, NULL);
            CHECK(same_corpus(&many, &one));
            data_corpus_fini(&many);
        }
        check_shares(source, &one);
        data_corpus_fini(&one);
        strads_free(path);
    }
}

static void compressed_files_are_read_alike(void)
{
    static uint32_t table[N_DOCUMENTS][N_WORDS];
    char *path = random_file(5, table);
    size_t n = 0;
    char *bytes = contents(path, &n);
    char *gz = bytes_file("random.gz", "", 0);
    append_gzip(gz, bytes, n);
    data_corpus c = corpus_read((data_corpus_source){.path = gz, .n_threads = 3}, NULL);
    check_table(&c, table);
    data_corpus_fini(&c);
    strads_free(gz);
    strads_free(bytes);
    strads_free(path);
}

/* ---- refusals ---- */

static void bad_entries_are_refused(void)
{
    check_corpus_refused("2\n3\n2\n1 1 1\n3 1 1\n", "refused:5: '3 1 1': expected a document from "
                                                    "1 to 2");
    check_corpus_refused("2\n3\n1\n0 1 1\n", ":4: '0 1 1': expected a document");
    check_corpus_refused("2\n3\n1\n1 4 1\n", ":4: '1 4 1': expected a word from 1 to 3");
    check_corpus_refused("2\n3\n1\n1 0 1\n", "expected a word from 1 to 3");
    check_corpus_refused("2\n3\n1\n1 1 0\n", "expected a count from 1 to 2147483648");
    check_corpus_refused("2\n3\n1\n1 1 2147483649\n", "expected a count from 1 to 2147483648");
    check_corpus_refused("2\n3\n1\n1 1 99999999999999999999999\n", "expected a count from 1");
    /* 2^32 + 1 */
    check_corpus_refused("2\n3\n1\n4294967297 1 1\n", "expected a document from 1");
    check_corpus_refused("2\n3\n1\n1 1 4294967297\n", "expected a count from 1");
    check_corpus_refused("2\n3\n1\n1 1 -1\n", ":4: '1 1 -1': expected DOCUMENT WORD COUNT");
    check_corpus_refused("2\n3\n1\n1 1 1.5\n", "expected DOCUMENT WORD COUNT");
    check_corpus_refused("2\n3\n1\n1 1\n", "expected DOCUMENT WORD COUNT");
    check_corpus_refused("2\n3\n1\n1 1 1 1\n", "expected DOCUMENT WORD COUNT");
    check_corpus_refused("2\n3\n1\n1 x 1\n", "expected DOCUMENT WORD COUNT");
    check_corpus_refused("2\n3\n3\n1 1 1\n1 9 1\n9 1 1\n", ":5: '1 9 1'");
}

static void bad_headers_are_refused(void)
{
    check_corpus_refused("0\n3\n1\n1 1 1\n", ":1: '0': expected the number of documents, from 1");
    check_corpus_refused("1\n-3\n1\n1 1 1\n", ":2: '-3': expected the number of words, from 1");
    check_corpus_refused("1\n3\n1.5\n1 1 1\n", ":3: '1.5': expected the number of entries");
    check_corpus_refused("1\n3\n0\n", ":3: '0': expected the number of entries, from 1");
    check_corpus_refused("4294967295\n3\n1\n1 1 1\n", "from 1 to 4294967294");
    check_corpus_refused("1\n3\n2\n1 1 1\n", ":3: states 2 entries, but 1 follow");
    check_corpus_refused("1\n3\n1\n1 1 1\n1 2 1\n", ":3: states 1 entries, but 2 follow");
}

static void bad_vocabularies_are_refused(void)
{
    const struct {
        const char *text, *part;
    } cases[] = {{"a\nb\n", ":2: states 3 words, but "},
                 {"a\nb\nc\nd\n", "has 4"},
                 {"a\nb\na\n", "vocab:3: 'a': is in line 1 too"},
                 {"a\n\nc\n", "vocab:2: '': expected a word"},
                 {"a\nb\xff\nc\n", "vocab:2: 'b\\xff': is not UTF-8"},
                 {"", "is empty: expected a word a line"}};
    char *path = suite_file("docword", "1\n3\n1\n1 1 1\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *vocab = suite_file("vocab", cases[i].text);
        check_corpus_source_refused((data_corpus_source){.path = path, .vocab = vocab},
                                    STRADS_ERR_DATA, cases[i].part);
        strads_free(vocab);
    }
    strads_free(path);
}

typedef struct small_memory {
    corpus_job job;
    data_corpus corpus;
    strads_status status;
} small_memory;

static void read_in_small_memory(void *context)
{
    small_memory *s = context;
    s->status = corpus_read_files(&s->corpus, &s->job);
}

/* What is stated, or added up, may be far more than there is. */
static void what_memory_cannot_hold_is_refused(void)
{
    const char *const texts[] = {"9\n2\n2\n1 1 1000000\n1 2 1000000\n", "4000000\n2\n1\n1 1 1\n",
                                 "2\n4000000\n1\n1 1 1\n"};
    const size_t live = strads_mem_live();
    for (size_t i = 0; i < 3; i++) {
        char *path = suite_file("large", texts[i]);
        const data_corpus_source source = {.path = path};
        small_memory s = {.job = {.source = &source, .n_threads = 2, .max_bytes = 1 << 20}};
        char *message = suite_stderr_of(read_in_small_memory, &s);
        CHECK_STATUS(s.status, STRADS_ERR_NOMEM);
        CHECK(strstr(message, "more than memory holds") != NULL);
        strads_free(message);
        strads_free(path);
    }
    CHECK(strads_mem_live() == live);
}

/* Any beginning, and any byte changed, ends in a status. */
static void damaged_files_are_read_or_refused(void)
{
    static uint32_t table[N_DOCUMENTS][N_WORDS];
    char *path = random_file(9, table);
    size_t n = 0;
    char *bytes = contents(path, &n);
    const size_t live = strads_mem_live();
    strads_random random = strads_random_start(3, 0);
    for (size_t i = 0; i < 300; i++) {
        const size_t at = 10 + strads_random_below(&random, n - 10);
        const char old = bytes[at];
        bytes[at] = (char) strads_random_bits(&random);
        char *damaged = bytes_file("damaged", bytes, i % 2 == 0 ? n : at);
        corpus_attempt a = {.source = {.path = damaged, .n_threads = 2, .text = keep_all}};
        char *message = suite_stderr_of(attempt_corpus, &a);
        CHECK(a.status == STRADS_OK || a.status == STRADS_ERR_DATA);
        CHECK((a.status == STRADS_OK) == (message[0] == '\0'));
        data_corpus_fini(&a.corpus);
        strads_free(message);
        strads_free(damaged);
        bytes[at] = old;
        CHECK(strads_mem_live() == live);
    }
    strads_free(bytes);
    strads_free(path);
}

SUITE("data/corpus_docword", {"entries become rows of words", entries_become_rows_of_words},
      {"lines may be anyhow", lines_may_be_anyhow},
      {"a vocabulary names the words", a_vocabulary_names_the_words},
      {"any number of threads reads the same", any_number_of_threads_reads_the_same},
      {"compressed files are read alike", compressed_files_are_read_alike},
      {"bad entries are refused", bad_entries_are_refused},
      {"bad headers are refused", bad_headers_are_refused},
      {"bad vocabularies are refused", bad_vocabularies_are_refused},
      {"what memory cannot hold is refused", what_memory_cannot_hold_is_refused},
      {"damaged files are read or refused", damaged_files_are_read_or_refused})
