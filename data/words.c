/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/words.c - documents with a target become binary words in libsvm text.
 *
 * One pass over the input gives each word an id by first appearance and keeps the
 * ids of each document; then the words that are frequent enough get their columns
 * in alphabetical order, and the documents are written.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "data/data.h"
#include "data/input.h"
#include "data/number.h"
#include "data/tokens.h"

/* A word that does not fit is an error to report, not the end of the process. */
#define HASH_NONFATAL_OOM 1
#define uthash_malloc(bytes) strads_alloc(bytes)
#define uthash_free(memory, bytes) strads_free(memory)
#define uthash_nonfatal_oom(item) (item)->hashed = false
#include <uthash.h>

enum { FIRST_ROOM = 1024, WORD_MIN_BYTES = 2 };
static const uint32_t NO_COLUMN = UINT32_MAX;
static const data_token_rules ascii_words = {.lower_case = true};

typedef struct word {
    UT_hash_handle hh;
    bool hashed;
    uint32_t n_documents;
    uint32_t last_document; /* from 1: that counted this word */
    uint32_t column;
    uint32_t length;
    char text[]; /* ends with a NUL */
} word;

typedef struct document {
    double target;
    size_t end; /* of its words; they begin where those before end */
} document;

typedef struct corpus {
    const char *path; /* of the input, for messages */
    word *words;      /* a hash */
    word **ids;       /* [n_ids], lent by `words` */
    uint32_t *list;   /* [n_list] ids of words, document after document */
    document *documents;
    size_t n_ids, n_list, n_documents;
    size_t ids_room, list_room, documents_room;
} corpus;

/* The array, grown where it holds n items already; NULL, and the array as it was,
 * when there is no memory. */
static void *with_room(void *array, size_t *room, size_t n, size_t item_bytes, const char *path)
{
    if (n < *room) {
        return array;
    }
    const size_t wanted = *room == 0 ? FIRST_ROOM : 2 * *room;
    void *grown = strads_realloc(array, wanted * item_bytes);
    if (grown == NULL) {
        data_no_memory(path);
    } else {
        *room = wanted;
    }
    return grown;
}

static void free_corpus(corpus *c)
{
    HASH_CLEAR(hh, c->words);
    for (size_t i = 0; i < c->n_ids; i++) {
        strads_free(c->ids[i]);
    }
    strads_free(c->ids);
    strads_free(c->list);
    strads_free(c->documents);
}

/* ---- reading ---- */

static strads_status add_word(corpus *c, const char *text, size_t length, word **out)
{
    word **ids = with_room(c->ids, &c->ids_room, c->n_ids, sizeof(*c->ids), c->path);
    if (ids == NULL) {
        return STRADS_ERR_NOMEM;
    }
    c->ids = ids;
    word *w = strads_calloc(1, sizeof(*w) + length + 1);
    if (w == NULL) {
        return data_no_memory(c->path);
    }
    memcpy(w->text, text, length);
    w->length = (uint32_t) length;
    w->column = (uint32_t) c->n_ids; /* its id until the columns are named */
    w->hashed = true;
    HASH_ADD_KEYPTR(hh, c->words, w->text, length, w);
    if (!w->hashed) {
        strads_free(w);
        return data_no_memory(c->path);
    }
    c->ids[c->n_ids++] = w;
    *out = w;
    return STRADS_OK;
}

/* Counts a word of the document that is being read, once. */
static strads_status take_word(corpus *c, const char *text, size_t length)
{
    word *w = NULL;
    strads_status status = STRADS_OK;
    HASH_FIND(hh, c->words, text, length, w);
    if (w == NULL) {
        status = add_word(c, text, length, &w);
    }
    if (status != STRADS_OK || w->last_document == c->n_documents + 1) {
        return status;
    }
    uint32_t *list = with_room(c->list, &c->list_room, c->n_list, sizeof(*list), c->path);
    if (list == NULL) {
        return STRADS_ERR_NOMEM;
    }
    c->list = list;
    c->list[c->n_list++] = w->column;
    w->last_document = (uint32_t) c->n_documents + 1;
    w->n_documents++;
    return STRADS_OK;
}

static strads_status take_text(corpus *c, char *text, char *end)
{
    data_token token;
    strads_status status = STRADS_OK;
    while (status == STRADS_OK && data_token_next(&token, &text, end, &ascii_words)) {
        status = token.n_characters >= WORD_MIN_BYTES ? take_word(c, token.text, token.n_bytes)
                                                      : STRADS_OK;
    }
    return status;
}

static strads_status take_line(corpus *c, const data_input *input, char *line, size_t length)
{
    char *end = line + length;
    double target = 0.0;
    const char *stop = data_number_scan(line, &target);
    if (stop == NULL || stop >= end || *stop != '\t' || !isfinite(target)) {
        char excerpt[DATA_EXCERPT_BYTES];
        return data_refuse(input, "'%s': expected TARGET, a finite number, a tab and the text",
                           data_excerpt(excerpt, line, end));
    }
    if (c->n_documents == UINT32_MAX - 2) {
        return data_refuse(input, "more than %u documents", UINT32_MAX - 2);
    }
    document *documents =
        with_room(c->documents, &c->documents_room, c->n_documents, sizeof(*documents), c->path);
    if (documents == NULL) {
        return STRADS_ERR_NOMEM;
    }
    c->documents = documents;
    const strads_status status = take_text(c, line + (stop - line), end);
    if (status == STRADS_OK) {
        c->documents[c->n_documents++] = (document){.target = target, .end = c->n_list};
    }
    return status;
}

static strads_status read_corpus(corpus *c, data_input *input)
{
    char *line = NULL;
    size_t length = 0;
    strads_status status = data_input_line(input, &line, &length);
    while (status == STRADS_OK && line != NULL) {
        status = take_line(c, input, line, length);
        if (status == STRADS_OK) {
            status = data_input_line(input, &line, &length);
        }
    }
    if (status == STRADS_OK && c->n_documents == 0) {
        strads_error("%s: is empty: expected lines of TARGET, a tab and a text", c->path);
        return STRADS_ERR_DATA;
    }
    return status;
}

/* ---- naming the columns ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp((*(word *const *) a)->text, (*(word *const *) b)->text);
}

/* Sorts the words that stay into columns[0 .. *n_words-1] and tells each its
 * column; ids[] still leads from id to word. */
static strads_status name_columns(corpus *c, uint32_t min_documents, word ***columns,
                                  size_t *n_words)
{
    word **kept = strads_alloc_array(c->n_ids, sizeof(*kept));
    if (kept == NULL) {
        return data_no_memory(c->path);
    }
    size_t n = 0;
    for (size_t i = 0; i < c->n_ids; i++) {
        c->ids[i]->column = NO_COLUMN;
        if (c->ids[i]->n_documents >= min_documents) {
            kept[n++] = c->ids[i];
        }
    }
    if (n == 0) {
        strads_error("%s: no word is in %u documents or more", c->path, min_documents);
        strads_free(kept);
        return STRADS_ERR_DATA;
    }
    qsort(kept, n, sizeof(*kept), by_text);
    for (size_t j = 0; j < n; j++) {
        kept[j]->column = (uint32_t) j;
    }
    *columns = kept;
    *n_words = n;
    return STRADS_OK;
}

static int by_value(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *) a;
    const uint32_t right = *(const uint32_t *) b;
    return (left > right) - (left < right);
}

/* Turns the ids of each document into columns, ascending, the dropped words last
 * as NO_COLUMN. */
static void number_documents(corpus *c)
{
    size_t begin = 0;
    for (size_t i = 0; i < c->n_list; i++) {
        c->list[i] = c->ids[c->list[i]]->column;
    }
    for (size_t d = 0; d < c->n_documents; d++) {
        qsort(c->list + begin, c->documents[d].end - begin, sizeof(*c->list), by_value);
        begin = c->documents[d].end;
    }
}

/* ---- writing ---- */

/* Whether document d is for testing: each has a stream of its own. */
static bool is_test(const data_words_options *options, size_t d)
{
    strads_random random = strads_random_start(options->seed, d);
    return strads_random_uniform(&random) < options->test_fraction;
}

static size_t put_document(FILE *to, const corpus *c, size_t d)
{
    size_t n = 0;
    fprintf(to, "%.17g", c->documents[d].target);
    for (size_t i = d > 0 ? c->documents[d - 1].end : 0;
         i < c->documents[d].end && c->list[i] != NO_COLUMN; i++) {
        fprintf(to, " %u:1", c->list[i] + 1);
        n++;
    }
    fputc('\n', to);
    return n;
}

static void put_documents(FILE *train, FILE *test, const corpus *c,
                          const data_words_options *options, data_words_counts *counts)
{
    const locale_t saved = data_point_begin();
    for (size_t d = 0; d < c->n_documents; d++) {
        const bool tests = test != NULL && is_test(options, d);
        counts->n_entries += put_document(tests ? test : train, c, d);
        counts->n_test += tests;
        counts->n_train += !tests;
    }
    data_point_end(saved);
}

enum { TRAIN, TEST, WORDS, N_FILES };

static strads_status open_files(data_writer *files[N_FILES], const char *out_prefix, bool with_test)
{
    static const char *const suffixes[N_FILES] = {".libsvm", ".test.libsvm", ".words"};
    const size_t bytes = strlen(out_prefix) + sizeof(".test.libsvm");
    char *path = strads_alloc(bytes);
    if (path == NULL) {
        return data_no_memory(out_prefix);
    }
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < N_FILES && status == STRADS_OK; i++) {
        if (i != TEST || with_test) {
            snprintf(path, bytes, "%s%s", out_prefix, suffixes[i]);
            status = data_writer_open(&files[i], path);
        }
    }
    strads_free(path);
    return status;
}

/* Commits all files, or gives up those that are left after a failure. */
static strads_status close_files(data_writer *files[N_FILES], strads_status status)
{
    for (size_t i = 0; i < N_FILES; i++) {
        if (status == STRADS_OK && files[i] != NULL) {
            status = data_writer_commit(files[i]);
        } else {
            data_writer_abandon(files[i]);
        }
    }
    return status;
}

static strads_status write_corpus(corpus *c, const char *out_prefix,
                                  const data_words_options *options, data_words_counts *counts)
{
    word **columns = NULL;
    data_words_counts result = {0};
    strads_status status = name_columns(c, options->min_documents, &columns, &result.n_words);
    if (status != STRADS_OK) {
        return status;
    }
    number_documents(c);
    data_writer *files[N_FILES] = {NULL};
    status = open_files(files, out_prefix, options->test_fraction > 0.0);
    if (status == STRADS_OK) {
        FILE *test = files[TEST] != NULL ? data_writer_stream(files[TEST]) : NULL;
        put_documents(data_writer_stream(files[TRAIN]), test, c, options, &result);
        for (size_t j = 0; j < result.n_words; j++) {
            fprintf(data_writer_stream(files[WORDS]), "%s\n", columns[j]->text);
        }
        if (result.n_train == 0 || (test != NULL && result.n_test == 0)) {
            strads_error("%s: a test fraction of %g leaves %zu documents to train and %zu to "
                         "test: expected some of each",
                         c->path, options->test_fraction, result.n_train, result.n_test);
            status = STRADS_ERR_DATA;
        }
    }
    status = close_files(files, status);
    strads_free(columns);
    if (status == STRADS_OK) {
        *counts = result;
    }
    return status;
}

strads_status data_words_convert(const char *path, const char *out_prefix,
                                 const data_words_options *options, data_words_counts *counts)
{
    assert(options->min_documents >= 1);
    assert(options->test_fraction >= 0.0 && options->test_fraction < 1.0);
    data_input input;
    strads_status status = data_input_open(&input, path);
    if (status != STRADS_OK) {
        return status;
    }
    corpus c = {.path = path};
    status = read_corpus(&c, &input);
    data_input_close(&input);
    if (status == STRADS_OK) {
        status = write_corpus(&c, out_prefix, options, counts);
    }
    free_corpus(&c);
    return status;
}
