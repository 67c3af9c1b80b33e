/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/corpus.c - what all kinds of corpora share: their documents, shares and words. */
#include "data/corpus.h"

#include <assert.h>
#include <string.h>
#include <sys/stat.h>

#include "base/tasks.h"
#include "data/corpus_parts.h"

void data_corpus_fini(data_corpus *corpus)
{
    strads_free(corpus->counts);
    strads_free(corpus->starts);
    strads_free(corpus->tokens);
    data_ids_fini(&corpus->words);
    data_ids_fini(&corpus->names);
    *corpus = (data_corpus){.n_documents = 0};
}

/* ---- shares ---- */

void corpus_set_share(data_corpus *corpus, const data_corpus_source *source)
{
    const bool whole = source->n_shares == 0;
    corpus->n_shares = whole ? 1 : source->n_shares;
    corpus->first_share = whole ? 0 : source->first_share;
    corpus->end_share = whole ? 1 : source->end_share;
    assert(corpus->first_share < corpus->end_share && corpus->end_share <= corpus->n_shares);
}

bool corpus_keeps(const data_corpus *corpus, size_t document)
{
    const size_t share = document % corpus->n_shares;
    return share >= corpus->first_share && share < corpus->end_share;
}

size_t corpus_n_kept_before(const data_corpus *corpus, size_t document)
{
    const size_t width = corpus->end_share - corpus->first_share;
    const size_t share = document % corpus->n_shares;
    const size_t some = share <= corpus->first_share ? 0 : share - corpus->first_share;
    return document / corpus->n_shares * width + (some < width ? some : width);
}

size_t data_corpus_document(const data_corpus *corpus, size_t k)
{
    const size_t width = corpus->end_share - corpus->first_share;
    return k / width * corpus->n_shares + corpus->first_share + k % width;
}

strads_status corpus_measure_documents(data_corpus *corpus, const uint64_t *lengths)
{
    corpus->n_kept = corpus_n_kept_before(corpus, corpus->n_documents);
    corpus->starts = strads_alloc_array(corpus->n_kept + 1, sizeof(*corpus->starts));
    if (corpus->starts == NULL) {
        return STRADS_ERR_NOMEM;
    }
    corpus->starts[0] = 0;
    for (size_t d = 0, k = 0; d < corpus->n_documents; d++) {
        corpus->n_tokens += lengths[d];
        corpus->n_empty += lengths[d] == 0;
        corpus->n_longest = corpus->n_longest > lengths[d] ? corpus->n_longest : lengths[d];
        if (corpus_keeps(corpus, d)) {
            corpus->starts[k + 1] = corpus->starts[k] + lengths[d];
            k++;
        }
    }
    return STRADS_OK;
}

const char *data_corpus_word(const data_corpus *corpus, uint32_t w, char digits[DATA_ID_BYTES])
{
    if (corpus->words.n > 0) {
        return data_ids_name(&corpus->words, w, digits);
    }
    snprintf(digits, DATA_ID_BYTES, "%u", w + 1);
    return digits;
}

/* ---- reading ---- */

corpus_job corpus_job_of(const data_corpus_source *source)
{
    const double bytes = strads_machine_bytes();
    return (corpus_job){.source = source,
                        .n_threads = source->n_threads > 0 ? source->n_threads : strads_cores(),
                        .max_bytes = bytes > 0.0 ? (size_t) bytes : SIZE_MAX};
}

/* Of a corpus that keeps all leaves the share of the source. */
static strads_status select_share(data_corpus *corpus, const data_corpus_source *source)
{
    const size_t n_documents = corpus->n_documents;
    corpus_set_share(corpus, source);
    if (corpus->end_share - corpus->first_share == corpus->n_shares) {
        return STRADS_OK;
    }
    size_t k = 0;
    size_t end = 0;
    for (size_t d = 0; d < n_documents; d++) {
        const size_t first = corpus->starts[d];
        const size_t n = corpus->starts[d + 1] - first;
        if (corpus_keeps(corpus, d)) {
            memmove(corpus->tokens + end, corpus->tokens + first, n * sizeof(*corpus->tokens));
            corpus->starts[k++] = end;
            end += n;
        }
    }
    corpus->starts[k] = end;
    corpus->n_kept = k;
    uint32_t *tokens = strads_realloc(corpus->tokens, end * sizeof(*tokens));
    size_t *starts = strads_realloc(corpus->starts, (k + 1) * sizeof(*starts));
    corpus->tokens = tokens != NULL ? tokens : corpus->tokens;
    corpus->starts = starts != NULL ? starts : corpus->starts;
    return tokens != NULL && starts != NULL ? STRADS_OK : data_no_memory(source->path);
}

bool corpus_is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* Reads a corpus of any kind; *whole: it keeps all documents, whatever its share. */
static strads_status read_any(data_corpus *corpus, const corpus_job *job, bool *whole)
{
    data_input input;
    const char *path = job->source->path;
    *whole = true;
    if (corpus_is_folder(path)) {
        return corpus_text_read(corpus, NULL, job);
    }
    strads_status status = data_input_open(&input, path);
    if (status != STRADS_OK) {
        return status;
    }
    data_input_skip_mark(&input);
    if (corpus_is_docword(&input)) {
        corpus_set_share(corpus, job->source);
        *whole = false;
        status = corpus_docword_read(corpus, &input, job);
    } else {
        status = corpus_text_read(corpus, &input, job);
    }
    data_input_close(&input);
    return status;
}

strads_status corpus_read_files(data_corpus *out, const corpus_job *job)
{
    bool whole = false;
    data_corpus corpus = {.n_shares = 1, .end_share = 1};
    strads_status status = STRADS_OK;
    if (job->source->vocab != NULL) {
        status = data_ids_read_words(&corpus.words, job->source->vocab);
    }
    if (status == STRADS_OK) {
        status = read_any(&corpus, job, &whole);
    }
    if (status == STRADS_OK && whole) {
        status = select_share(&corpus, job->source);
    }
    if (status != STRADS_OK) {
        data_corpus_fini(&corpus);
        return status;
    }
    *out = corpus;
    return STRADS_OK;
}

/* Reads all, to fill a cache, and then leaves the share. */
static strads_status read_and_save(data_corpus *out, const data_corpus_source *source,
                                   const char *cache, uint64_t key)
{
    data_corpus_source whole = *source;
    whole.n_shares = 0;
    const corpus_job job = corpus_job_of(&whole);
    data_corpus corpus;
    strads_status status = corpus_read_files(&corpus, &job);
    if (status != STRADS_OK) {
        return status;
    }
    corpus_cache_save(&corpus, cache, key);
    status = select_share(&corpus, source);
    if (status != STRADS_OK) {
        data_corpus_fini(&corpus);
        return status;
    }
    *out = corpus;
    return STRADS_OK;
}

strads_status data_corpus_read(data_corpus *out, const data_corpus_source *source)
{
    char *cache = NULL;
    uint64_t key = 0;
    strads_status status = corpus_cache_name(&cache, &key, source);
    if (status != STRADS_OK) {
        return status;
    }
    const corpus_job job = corpus_job_of(source);
    if (cache == NULL) {
        status = corpus_read_files(out, &job);
    } else if (!corpus_cache_load(out, &job, cache, key)) {
        status = read_and_save(out, source, cache, key);
    }
    strads_free(cache);
    if (status == STRADS_OK && out->n_unknown > 0 && source->vocab != NULL) {
        strads_warn("%s: %zu words that are not in %s are left out", source->path, out->n_unknown,
                    source->vocab);
    }
    return status;
}

/* ---- how large one is ---- */

/* What the header of docword states; *known: it is docword. */
static strads_status measure_docword(data_corpus_size *out, const char *path, bool *known)
{
    data_input input;
    corpus_header header = {.n_documents = 0};
    *known = false;
    if (corpus_is_folder(path)) {
        return STRADS_OK;
    }
    strads_status status = data_input_open(&input, path);
    if (status != STRADS_OK) {
        return status;
    }
    data_input_skip_mark(&input);
    *known = corpus_is_docword(&input);
    status = *known ? corpus_header_read(&header, &input) : STRADS_OK;
    data_input_close(&input);
    if (status == STRADS_OK && *known) {
        *out = (data_corpus_size){.n_documents = header.n_documents,
                                  .n_words = header.n_words,
                                  .n_entries = header.n_entries};
    }
    return status;
}

strads_status data_corpus_measure(data_corpus_size *out, const data_corpus_source *source)
{
    char *cache = NULL;
    uint64_t key = 0;
    strads_status status = corpus_cache_name(&cache, &key, source);
    if (status != STRADS_OK) {
        return status;
    }
    bool known = cache != NULL && corpus_cache_measure(out, cache, key);
    strads_free(cache);
    status = known ? STRADS_OK : measure_docword(out, source->path, &known);
    if (status != STRADS_OK || known) {
        return status;
    }
    data_corpus corpus;
    status = data_corpus_read(&corpus, source);
    if (status == STRADS_OK) {
        *out = (data_corpus_size){.n_documents = corpus.n_documents,
                                  .n_words = corpus.n_words,
                                  .n_tokens = corpus.n_tokens};
        data_corpus_fini(&corpus);
    }
    return status;
}
