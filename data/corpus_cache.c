/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/corpus_cache.c - what was read of a corpus, whole, in a file of its own.
 *
 * Checksums guard against damage, and lengths and words are checked, so that even a forged file
 * cannot make the reader leave its memory. Whatever is wrong, the corpus is read instead.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/tasks.h"
#include "data/cache.h"
#include "data/corpus_parts.h"

static const uint64_t MAGIC = UINT64_C(0x3130535550524f43); /* "CORPUS01", little-endian */

enum { CHUNK_TOKENS = 1 << 18 };

/* ---- the key ---- */

typedef struct options_stamp {
    uint64_t seed, has_vocab, has_stop_words, lower_case, min_length, min_documents;
    double max_documents;
} options_stamp;

/* Has the key depend on all files of a folder. */
static strads_status add_folder(uint64_t *key, const char *path)
{
    data_ids names;
    const strads_status status = corpus_folder_list(&names, path);
    if (status != STRADS_OK) {
        return status;
    }
    for (uint32_t i = 0; i < names.n; i++) {
        char file[PATH_MAX];
        const int n = snprintf(file, sizeof(file), "%s/%s", path, names.text + names.start[i]);
        if (n < (int) sizeof(file)) {
            (void) data_cache_add_file(key, file);
        }
    }
    data_ids_fini(&names);
    return STRADS_OK;
}

/* Has the key depend on the files; false: one of them is not there. */
static bool add_files(uint64_t *key, const data_corpus_source *source, const char *path)
{
    const data_text_options *text = &source->text;
    const options_stamp options = {.has_vocab = source->vocab != NULL,
                                   .has_stop_words = text->stop_words != NULL,
                                   .lower_case = text->lower_case,
                                   .min_length = text->min_length,
                                   .min_documents = text->min_documents,
                                   .max_documents = text->max_documents};
    *key = XXH3_64bits(&options, sizeof(options));
    return data_cache_add_file(key, path) &&
           (source->vocab == NULL || data_cache_add_file(key, source->vocab)) &&
           (text->stop_words == NULL || data_cache_add_file(key, text->stop_words));
}

strads_status corpus_cache_name(char **out, uint64_t *key, const data_corpus_source *source)
{
    char path[PATH_MAX];
    if (source->cache == NULL || realpath(source->path, path) == NULL ||
        !add_files(key, source, path)) {
        *out = NULL; /* what is not there, reading says */
        return STRADS_OK;
    }
    if (corpus_is_folder(path)) {
        const strads_status status = add_folder(key, path);
        if (status != STRADS_OK) {
            return status;
        }
    }
    char *name = data_cache_name(path, source->cache, ".corpus");
    if (name == NULL) {
        return data_no_memory(source->path);
    }
    *out = name;
    return STRADS_OK;
}

/* ---- its parts ---- */

/* The sections before the tokens, in the order of the file. */
typedef struct sections {
    uint64_t *lengths; /* [n_documents] */
    uint64_t *counts;  /* [n_words] */
    uint64_t *hashes;  /* [n_chunks] of the tokens of each chunk */
    char *words;       /* [words_bytes] texts with their NUL */
    char *names;       /* [names_bytes] likewise */
    size_t bytes;      /* of all; they lie behind each other */
} sections;

static size_t count_chunks(const corpus_cache_head *head)
{
    return (size_t) (head->n_tokens / CHUNK_TOKENS + (head->n_tokens % CHUNK_TOKENS != 0));
}

/* Where the sections are in memory that begins at `memory`. */
static sections place_sections(const corpus_cache_head *head, uint64_t *memory)
{
    const size_t n_chunks = count_chunks(head);
    const size_t n = head->n_documents + head->n_words + n_chunks;
    sections s = {.bytes = n * sizeof(*memory) + head->words_bytes + head->names_bytes};
    if (memory != NULL) {
        s.lengths = memory;
        s.counts = s.lengths + head->n_documents;
        s.hashes = s.counts + head->n_words;
        s.words = (char *) (s.hashes + n_chunks);
        s.names = s.words + head->words_bytes;
    }
    return s;
}

uint64_t corpus_cache_checksum(const corpus_cache_head *head, const void *memory, size_t bytes)
{
    const uint64_t sum = XXH3_64bits(head, offsetof(corpus_cache_head, checksum));
    return XXH3_64bits_withSeed(memory, bytes, sum);
}

static bool is_plausible(const corpus_cache_head *head, uint64_t file_bytes)
{
    if (head->magic != MAGIC || head->version != CORPUS_CACHE_VERSION || head->n_documents == 0 ||
        head->n_documents >= UINT32_MAX || head->n_words == 0 || head->n_words >= UINT32_MAX ||
        head->n_tokens == 0 || head->n_tokens > file_bytes || head->words_bytes > file_bytes ||
        head->names_bytes > file_bytes) {
        return false;
    }
    return sizeof(*head) + place_sections(head, NULL).bytes + head->n_tokens * sizeof(uint32_t) ==
           file_bytes;
}

/* ---- loading ---- */

/* A load of tokens, chunk by chunk. */
typedef struct loading {
    int file;
    const corpus_cache_head *head;
    const sections *s;
    uint64_t *ends; /* [n_documents] in all tokens */
    data_corpus *corpus;
} loading;

/* Whether numbers that are to add up to `sum` do. */
static bool adds_up(const uint64_t *numbers, size_t n, uint64_t sum)
{
    for (size_t i = 0; i < n; i++) {
        if (numbers[i] > sum) {
            return false;
        }
        sum -= numbers[i];
    }
    return sum == 0;
}

/* Makes a map of n texts, none of them empty or twice. */
static bool load_texts(data_ids *out, const char *text, size_t bytes, size_t n)
{
    const char *end = text + bytes;
    while (text < end) {
        const char *nul = memchr(text, '\0', (size_t) (end - text));
        const uint32_t i = out->n;
        uint32_t index = 0;
        if (nul == NULL || nul == text || i == n ||
            data_ids_add(out, text, (size_t) (nul - text), &index) != STRADS_OK || index != i) {
            return false;
        }
        text = nul + 1;
    }
    return bytes == 0 || out->n == n;
}

/* The first document that ends behind token `at`. */
static size_t find_document(const loading *job, uint64_t at)
{
    size_t first = 0;
    size_t last = job->head->n_documents;
    while (first < last) {
        const size_t middle = first + (last - first) / 2;
        if (job->ends[middle] > at) {
            last = middle;
        } else {
            first = middle + 1;
        }
    }
    return first;
}

/* Copies those of the tokens [at, end) that are in kept documents. */
static void copy_kept(const loading *job, const uint32_t *tokens, uint64_t at, uint64_t end)
{
    data_corpus *corpus = job->corpus;
    for (size_t d = find_document(job, at); at < end; d++) {
        const uint64_t stop = job->ends[d] < end ? job->ends[d] : end;
        if (corpus_keeps(corpus, d)) {
            const size_t k = corpus_n_kept_before(corpus, d);
            const uint64_t before_end = job->ends[d] - at;
            memcpy(corpus->tokens + corpus->starts[k + 1] - before_end, tokens,
                   (stop - at) * sizeof(*tokens));
        }
        tokens += stop - at;
        at = stop;
    }
}

/* Whether the chunk of n tokens is what was written, and good. */
static bool check_chunk(const loading *job, size_t i, const uint32_t *tokens, size_t n)
{
    uint32_t most = 0;
    for (size_t k = 0; k < n; k++) {
        most = tokens[k] > most ? tokens[k] : most;
    }
    return XXH3_64bits(tokens, n * sizeof(*tokens)) == job->s->hashes[i] &&
           most < job->head->n_words;
}

static strads_status load_chunks(void *context, size_t first, size_t last)
{
    const loading *job = context;
    const uint64_t begin = sizeof(*job->head) + job->s->bytes;
    uint32_t *buffer = strads_alloc(CHUNK_TOKENS * sizeof(*buffer));
    uint64_t *seen = strads_calloc(job->head->n_words, sizeof(*seen));
    bool good = buffer != NULL && seen != NULL;
    for (size_t i = first; i < last && good; i++) {
        const uint64_t at = (uint64_t) i * CHUNK_TOKENS;
        const uint64_t left = job->head->n_tokens - at;
        const size_t n = left < CHUNK_TOKENS ? (size_t) left : CHUNK_TOKENS;
        good =
            data_cache_read(job->file, begin + at * sizeof(*buffer), buffer, n * sizeof(*buffer)) &&
            check_chunk(job, i, buffer, n);
        for (size_t k = 0; good && k < n; k++) {
            seen[buffer[k]]++;
        }
        if (good) {
            copy_kept(job, buffer, at, at + n);
        }
    }
    for (size_t w = 0; good && w < job->head->n_words; w++) { /* other threads do it too */
        __atomic_fetch_sub(&job->s->counts[w], seen[w], __ATOMIC_RELAXED);
    }
    strads_free(seen);
    strads_free(buffer);
    return good ? STRADS_OK : STRADS_ERR_IO;
}

/* Makes all but the tokens of the corpus. */
static bool load_documents(data_corpus *corpus, const corpus_cache_head *head, const sections *s)
{
    corpus->n_documents = head->n_documents;
    corpus->n_words = (uint32_t) head->n_words;
    corpus->n_unknown = head->n_unknown;
    if (!adds_up(s->lengths, head->n_documents, head->n_tokens) ||
        !adds_up(s->counts, head->n_words, head->n_tokens) ||
        !load_texts(&corpus->words, s->words, head->words_bytes, head->n_words) ||
        !load_texts(&corpus->names, s->names, head->names_bytes, head->n_documents) ||
        corpus_measure_documents(corpus, s->lengths) != STRADS_OK) {
        return false;
    }
    corpus->counts = strads_alloc_array(head->n_words, sizeof(*corpus->counts));
    corpus->tokens = strads_alloc_array(corpus->starts[corpus->n_kept], sizeof(*corpus->tokens));
    if (corpus->counts == NULL || corpus->tokens == NULL) {
        return false;
    }
    memcpy(corpus->counts, s->counts, head->n_words * sizeof(*corpus->counts));
    return true;
}

/* Loads what follows a plausible head into a corpus that has its share. */
static bool load_sections(data_corpus *corpus, int file, const corpus_cache_head *head,
                          uint32_t n_threads)
{
    const size_t bytes = place_sections(head, NULL).bytes;
    uint64_t *memory = strads_alloc(bytes);
    const sections s = place_sections(head, memory);
    bool good = memory != NULL && data_cache_read(file, sizeof(*head), memory, bytes) &&
                corpus_cache_checksum(head, memory, bytes) == head->checksum &&
                load_documents(corpus, head, &s);
    if (good) {
        const loading job = {
            .file = file, .head = head, .s = &s, .ends = s.lengths, .corpus = corpus};
        for (size_t d = 1; d < head->n_documents; d++) {
            s.lengths[d] += s.lengths[d - 1];
        }
        good = strads_parallel_for(n_threads, count_chunks(head), load_chunks, (void *) &job) ==
               STRADS_OK;
        for (size_t w = 0; w < head->n_words && good; w++) { /* what was read is taken off */
            good = s.counts[w] == 0;
        }
    }
    strads_free(memory);
    return good;
}

/* Reads the head; false: there is no file, or no head of a whole one. */
static bool read_head(FILE *file, corpus_cache_head *head)
{
    struct stat about;
    return fstat(fileno(file), &about) == 0 && S_ISREG(about.st_mode) &&
           fread(head, sizeof(*head), 1, file) == 1 && is_plausible(head, (uint64_t) about.st_size);
}

bool corpus_cache_measure(data_corpus_size *out, const char *path, uint64_t key)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    corpus_cache_head head;
    const bool good = read_head(file, &head) && head.key == key;
    fclose(file);
    if (good) {
        *out = (data_corpus_size){
            .n_documents = head.n_documents, .n_words = head.n_words, .n_tokens = head.n_tokens};
    }
    return good;
}

bool corpus_cache_load(data_corpus *out, const corpus_job *job, const char *path, uint64_t key)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    corpus_cache_head head;
    data_corpus corpus = {.n_documents = 0};
    corpus_set_share(&corpus, job->source);
    bool good = read_head(file, &head);
    const bool stale = good && head.key != key;
    good = good && !stale && load_sections(&corpus, fileno(file), &head, job->n_threads);
    fclose(file);
    if (stale) {
        strads_debug("%s: a cache of an older corpus, or for other options", path);
    } else if (!good) {
        strads_warn("%s: cannot be used as a cache: damaged, or something else", path);
    }
    if (!good) {
        data_corpus_fini(&corpus);
        return false;
    }
    *out = corpus;
    return true;
}

/* ---- saving ---- */

static void fill_sections(const data_corpus *corpus, const corpus_cache_head *head,
                          const sections *s)
{
    for (size_t d = 0; d < corpus->n_documents; d++) {
        s->lengths[d] = corpus->starts[d + 1] - corpus->starts[d];
    }
    memcpy(s->counts, corpus->counts, corpus->n_words * sizeof(*s->counts));
    for (size_t i = 0; i < count_chunks(head); i++) {
        const size_t at = i * CHUNK_TOKENS;
        const size_t n =
            corpus->n_tokens - at < CHUNK_TOKENS ? corpus->n_tokens - at : (size_t) CHUNK_TOKENS;
        s->hashes[i] = XXH3_64bits(corpus->tokens + at, n * sizeof(*corpus->tokens));
    }
    if (head->words_bytes > 0) {
        memcpy(s->words, corpus->words.text, head->words_bytes);
    }
    if (head->names_bytes > 0) {
        memcpy(s->names, corpus->names.text, head->names_bytes);
    }
}

void corpus_cache_save(const data_corpus *corpus, const char *path, uint64_t key)
{
    corpus_cache_head head = {.magic = MAGIC,
                              .version = CORPUS_CACHE_VERSION,
                              .key = key,
                              .n_documents = corpus->n_documents,
                              .n_tokens = corpus->n_tokens,
                              .n_unknown = corpus->n_unknown,
                              .n_words = corpus->n_words,
                              .words_bytes = corpus->words.text_bytes,
                              .names_bytes = corpus->names.text_bytes};
    const size_t bytes = place_sections(&head, NULL).bytes;
    uint64_t *memory = strads_alloc(bytes);
    data_writer *writer = memory != NULL ? data_cache_open(path) : NULL;
    if (writer != NULL) {
        const sections s = place_sections(&head, memory);
        fill_sections(corpus, &head, &s);
        head.checksum = corpus_cache_checksum(&head, memory, bytes);
        FILE *to = data_writer_stream(writer);
        fwrite(&head, sizeof(head), 1, to);
        fwrite(memory, 1, bytes, to);
        fwrite(corpus->tokens, sizeof(*corpus->tokens), corpus->n_tokens, to);
        data_cache_close(writer, path);
    } else if (memory == NULL) {
        strads_warn("%s: no memory to write a cache", path);
    }
    strads_free(memory);
}
