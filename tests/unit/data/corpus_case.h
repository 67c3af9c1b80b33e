/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/corpus_case.h - what the tests of corpora share. */
#ifndef STRADS_TESTS_UNIT_DATA_CORPUS_CASE_H
#define STRADS_TESTS_UNIT_DATA_CORPUS_CASE_H

#include "data/corpus_parts.h"
#include "tests/unit/data/reading.h"

static const data_text_options keep_all = {
    .lower_case = true, .min_length = 1, .min_documents = 1, .max_documents = 1.0};

typedef struct corpus_attempt {
    data_corpus_source source;
    data_corpus corpus;
    size_t fail_after; /* for strads_mem_fail_after */
    strads_status status;
} corpus_attempt;

static inline void attempt_corpus(void *context)
{
    corpus_attempt *a = context;
    a->corpus = (data_corpus){.n_documents = 0};
    strads_mem_fail_after(a->fail_after);
    a->status = data_corpus_read(&a->corpus, &a->source);
    strads_mem_fail_after(0);
}

/* Reads a source, which must be good; *message, when not NULL, is what was said. */
static inline data_corpus corpus_read(data_corpus_source source, char **message)
{
    corpus_attempt a = {.source = source};
    char *said = suite_stderr_of(attempt_corpus, &a);
    REQUIRE_OK(a.status);
    if (message != NULL) {
        *message = said;
    } else {
        strads_free(said);
    }
    return a.corpus;
}

/* The same of a file of this text, by one thread. */
static inline data_corpus corpus_of(const char *text, data_text_options options)
{
    char *path = suite_file("good.corpus.txt", text);
    const data_corpus corpus =
        corpus_read((data_corpus_source){.path = path, .n_threads = 1, .text = options}, NULL);
    strads_free(path);
    return corpus;
}

/* Reading the source must fail with one line that has `part`, the same with any number of
 * threads. */
static inline void check_corpus_source_refused(data_corpus_source source, strads_status status,
                                               const char *part)
{
    const size_t live = strads_mem_live();
    char *first = NULL;
    for (source.n_threads = 1; source.n_threads <= 4; source.n_threads++) {
        corpus_attempt a = {.source = source};
        char *message = suite_stderr_of(attempt_corpus, &a);
        CHECK_STATUS(a.status, status);
        if (strstr(message, part) == NULL) {
            fprintf(stderr, "message '%s' (expected '%s')\n", message, part);
        }
        CHECK(strstr(message, part) != NULL);
        CHECK(strchr(message, '\n') == strrchr(message, '\n'));
        CHECK(first == NULL || strcmp(first, message) == 0);
        strads_free(first);
        first = message;
    }
    strads_free(first);
    CHECK(strads_mem_live() == live);
}

static inline void check_corpus_refused(const char *text, const char *part)
{
    char *path = suite_file("refused", text);
    check_corpus_source_refused((data_corpus_source){.path = path, .text = keep_all},
                                STRADS_ERR_DATA, part);
    strads_free(path);
}

/* Reads with the first, second, ... allocation failing until none does. */
static inline void check_every_corpus_allocation(data_corpus_source source)
{
    const size_t live = strads_mem_live();
    source.n_threads = 1;
    corpus_attempt a = {.source = source, .status = STRADS_ERR_NOMEM};
    while (a.status == STRADS_ERR_NOMEM && a.fail_after < 1000) {
        a.fail_after++;
        char *message = suite_stderr_of(attempt_corpus, &a);
        CHECK((a.status == STRADS_OK) == (message[0] == '\0'));
        strads_free(message);
        data_corpus_fini(&a.corpus);
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(a.status, STRADS_OK);
    CHECK(a.fail_after > 2);
}

static inline bool same_texts(const data_ids *a, const data_ids *b)
{
    return a->n == b->n && a->text_bytes == b->text_bytes &&
           (a->n == 0 || memcmp(a->text, b->text, a->text_bytes) == 0);
}

/* Whether all that is known of the whole is the same. */
static inline bool same_whole(const data_corpus *a, const data_corpus *b)
{
    return a->n_documents == b->n_documents && a->n_tokens == b->n_tokens &&
           a->n_empty == b->n_empty && a->n_longest == b->n_longest && a->n_words == b->n_words &&
           a->n_unknown == b->n_unknown &&
           memcmp(a->counts, b->counts, a->n_words * sizeof(*a->counts)) == 0 &&
           same_texts(&a->words, &b->words) && same_texts(&a->names, &b->names);
}

static inline bool same_corpus(const data_corpus *a, const data_corpus *b)
{
    return same_whole(a, b) && a->n_kept == b->n_kept && a->n_shares == b->n_shares &&
           a->first_share == b->first_share && a->end_share == b->end_share &&
           memcmp(a->starts, b->starts, (a->n_kept + 1) * sizeof(*a->starts)) == 0 &&
           memcmp(a->tokens, b->tokens, a->starts[a->n_kept] * sizeof(*a->tokens)) == 0;
}

/* What a corpus promises of itself, where it keeps all. */
static inline void check_promises(const data_corpus *c)
{
    uint64_t *counts = strads_calloc(c->n_words, sizeof(*counts));
    size_t n_empty = 0;
    size_t n_longest = 0;
    REQUIRE(counts != NULL && c->n_kept == c->n_documents && c->starts[0] == 0);
    for (size_t d = 0; d < c->n_documents; d++) {
        const size_t n = c->starts[d + 1] - c->starts[d];
        n_empty += n == 0;
        n_longest = n > n_longest ? n : n_longest;
        CHECK(data_corpus_document(c, d) == d);
        for (size_t i = c->starts[d]; i < c->starts[d + 1]; i++) {
            REQUIRE(c->tokens[i] < c->n_words);
            counts[c->tokens[i]]++;
        }
    }
    CHECK(c->n_tokens == c->starts[c->n_documents] && c->n_tokens > 0);
    CHECK(c->n_empty == n_empty && c->n_longest == n_longest);
    CHECK(memcmp(counts, c->counts, c->n_words * sizeof(*counts)) == 0);
    strads_free(counts);
}

/* The shares of a source, whatever their width, add up to the whole. */
static inline void check_shares(data_corpus_source source, const data_corpus *whole)
{
    const uint32_t cuts[] = {0, 1, 3, 7};
    for (size_t i = 0; i + 1 < sizeof(cuts) / sizeof(cuts[0]); i++) {
        source.n_shares = 7;
        source.first_share = cuts[i];
        source.end_share = cuts[i + 1];
        data_corpus part = corpus_read(source, NULL);
        size_t k = 0;
        CHECK(same_whole(&part, whole));
        for (size_t d = 0; d < whole->n_documents; d++) {
            if (d % 7 < cuts[i] || d % 7 >= cuts[i + 1]) {
                continue;
            }
            const size_t n = whole->starts[d + 1] - whole->starts[d];
            REQUIRE(k < part.n_kept && data_corpus_document(&part, k) == d);
            REQUIRE(part.starts[k + 1] - part.starts[k] == n);
            CHECK(memcmp(part.tokens + part.starts[k], whole->tokens + whole->starts[d],
                         n * sizeof(*part.tokens)) == 0);
            k++;
        }
        CHECK(k == part.n_kept);
        data_corpus_fini(&part);
    }
}

/* The words of document d with blanks between them. */
static inline const char *document_text(const data_corpus *c, size_t d)
{
    static char text[4096];
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = c->starts[d]; i < c->starts[d + 1]; i++) {
        char digits[DATA_ID_BYTES];
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%s", n > 0 ? " " : "",
                               data_corpus_word(c, c->tokens[i], digits));
    }
    return text;
}

#endif
