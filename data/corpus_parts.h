/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/corpus_parts.h - what the files of the corpus reader share. */
#ifndef STRADS_DATA_CORPUS_PARTS_H
#define STRADS_DATA_CORPUS_PARTS_H

#include "data/corpus.h"
#include "data/input.h"

#define CORPUS_COUNT_MAX (UINT64_C(1) << 31) /* tokens of one line of docword */

/* A corpus that is being read. */
typedef struct corpus_job {
    const data_corpus_source *source;
    uint32_t n_threads;
    size_t max_bytes; /* of the result */
} corpus_job;

/* A job with this machine's cores and memory. */
corpus_job corpus_job_of(const data_corpus_source *source);
/* Whether the path is one of a folder. */
bool corpus_is_folder(const char *path);
/* Reads without a cache. */
STRADS_MUST_CHECK strads_status corpus_read_files(data_corpus *out, const corpus_job *job);

/* ---- shares (corpus.c) ---- */

/* Sets the share of a corpus; n_shares 0 becomes 1. */
void corpus_set_share(data_corpus *corpus, const data_corpus_source *source);
bool corpus_keeps(const data_corpus *corpus, size_t document);
/* How many documents before this one are kept. */
size_t corpus_n_kept_before(const data_corpus *corpus, size_t document);
/* Sets what is known from the lengths[n_documents] of the documents: n_tokens, n_empty, n_longest,
 * n_kept and starts. NOMEM is not said. */
STRADS_MUST_CHECK strads_status corpus_measure_documents(data_corpus *corpus,
                                                         const uint64_t *lengths);

/* ---- docword (corpus_docword.c) ---- */

typedef struct corpus_header {
    uint64_t n_documents, n_words, n_entries;
    size_t bytes; /* of its three lines */
} corpus_header;

/* Whether a newly opened file is docword: its first three lines have one number each. Nothing is
 * read from it. */
bool corpus_is_docword(const data_input *input);
/* Says what is wrong with the header of one. */
STRADS_MUST_CHECK strads_status corpus_header_read(corpus_header *out, const data_input *input);
/* Reads one whole, with the vocabulary in out->words, which is the caller's, if there is one. */
STRADS_MUST_CHECK strads_status corpus_docword_read(data_corpus *out, data_input *input,
                                                    const corpus_job *job);

/* ---- text (corpus_text.c) ---- */

/* Reads a document a line or, with input NULL, a file of the folder that the source is. Keeps
 * all documents. */
STRADS_MUST_CHECK strads_status corpus_text_read(data_corpus *out, data_input *input,
                                                 const corpus_job *job);
/* The files of a folder that are documents, in order of their names. */
STRADS_MUST_CHECK strads_status corpus_folder_list(data_ids *out, const char *path);

/* ---- the cache (corpus_cache.c) ---- */

enum { CORPUS_CACHE_VERSION = 1 };

/* A cache file: this, the lengths of documents and the counts of words, the hashes of chunks of
 * tokens, the texts of words and names of documents, and the tokens, of all documents. In the
 * byte order of the machine, which `magic` shows. */
typedef struct corpus_cache_head {
    uint64_t magic, version;
    uint64_t key; /* of the source */
    uint64_t n_documents, n_tokens, n_unknown, n_words, words_bytes, names_bytes;
    uint64_t checksum; /* XXH3 of the fields above and of what lies before the tokens */
} corpus_cache_head;

/* The name of the cache of a source, for strads_free, and its key; *out is NULL where there
 * can be none. */
STRADS_MUST_CHECK strads_status corpus_cache_name(char **out, uint64_t *key,
                                                  const data_corpus_source *source);
uint64_t corpus_cache_checksum(const corpus_cache_head *head, const void *memory, size_t bytes);
/* Takes the share of the source, as the job says. True when the file is there, of this key and
 * whole; warns of one that cannot be used. */
bool corpus_cache_load(data_corpus *out, const corpus_job *job, const char *path, uint64_t key);
/* The sizes in its head; false: there is none of this key. */
bool corpus_cache_measure(data_corpus_size *out, const char *path, uint64_t key);
/* Of a corpus that keeps all. Warns when it cannot be written. */
void corpus_cache_save(const data_corpus *corpus, const char *path, uint64_t key);

#endif
