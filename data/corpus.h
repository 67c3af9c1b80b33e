/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/corpus.h - documents as rows of words: reading, a cache of what was read, and a
 * generator.
 *
 * A corpus is told by its content, gzip or not:
 *
 *   docword   three lines with a number each, D documents, W words and NNZ entries, then NNZ
 *             lines "DOCUMENT WORD COUNT", both numbered from 1. Lines of a document need
 *             not be together; a pair that comes again is added.
 *   text      a document a line
 *   folder    of text files, a document each, in order of their names; files whose name
 *             begins with a dot, and folders, are left out
 *
 * Lines may be up to 1 MiB long. What is wrong with a file is said with FILE:LINE, the
 * value and what is allowed. On failure nothing is left allocated. What is read does not
 * depend on the number of threads.
 */
#ifndef STRADS_DATA_CORPUS_H
#define STRADS_DATA_CORPUS_H

#include "data/ids.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- words of a text ---- */

/* A word is a run of letters and digits with at least one letter. What is not ASCII is a
 * letter, but for the signs of U+0080 to U+00BF and U+2000 to U+207F and for bytes that are not
 * UTF-8, which part words. Without a vocabulary the words of a corpus are those that stay, the
 * most frequent first, and of equally frequent ones in alphabetical order. */
typedef struct data_text_options {
    bool lower_case; /* of ASCII letters */
    /* The others are ignored with a vocabulary. */
    uint32_t min_length;    /* of a word, in characters */
    const char *stop_words; /* a text whose words are left out; NULL: none */
    uint32_t min_documents; /* a word must be in so many documents */
    double max_documents;   /* and in at most this share of them, (0, 1] */
} data_text_options;

/* ---- reading ---- */

typedef struct data_corpus_source {
    const char *path;
    const char *vocab;  /* a word a line, UTF-8, none twice; NULL: none. The words of docword are
                         * its lines; of text, those that are not in it are left out */
    const char *cache;  /* where caches are; "": beside the corpus; NULL: no cache. As of ratings */
    uint32_t n_threads; /* 0: as many as there are cores */
    /* Document d is kept when first_share <= d % n_shares < end_share; n_shares 0: all are. */
    uint32_t n_shares, first_share, end_share;
    data_text_options text; /* ignored for docword */
} data_corpus_source;

typedef struct data_corpus {
    size_t n_documents, n_tokens; /* of the whole corpus, whatever is kept; tokens > 0 */
    size_t n_empty;               /* documents without a token: they count, and are kept */
    size_t n_longest;             /* tokens of the longest document */
    size_t n_unknown;             /* words of texts that the given vocabulary has not */
    uint32_t n_words;             /* of the vocabulary */
    uint64_t *counts;             /* [n_words] tokens of each in the whole corpus */
    data_ids words;               /* their texts; none, n = 0, for docword without vocab */
    data_ids names;               /* of all documents, for a folder; else none */

    size_t n_kept;    /* documents; the k-th is data_corpus_document(corpus, k) */
    size_t *starts;   /* [n_kept + 1] */
    uint32_t *tokens; /* [starts[n_kept]] words from 0 of the kept documents: of text in its order,
                       * of docword in that of the lines, each word count times in a row */
    uint32_t n_shares, first_share, end_share; /* n_shares > 0 */
} data_corpus;

STRADS_API STRADS_MUST_CHECK strads_status data_corpus_read(data_corpus *out,
                                                            const data_corpus_source *source);
/* A corpus of zeros is allowed. */
STRADS_API void data_corpus_fini(data_corpus *corpus);

/* The number, from 0, in the whole corpus of the k-th kept document. */
STRADS_API size_t data_corpus_document(const data_corpus *corpus, size_t k);
/* The text of word w; without a vocabulary its number from 1, printed to `digits`. */
STRADS_API const char *data_corpus_word(const data_corpus *corpus, uint32_t w,
                                        char digits[DATA_ID_BYTES]);

/* How large a corpus is: as its cache says where there is one; else of docword as its header
 * says, of text by reading it. */
typedef struct data_corpus_size {
    size_t n_documents, n_words;
    size_t n_tokens;  /* 0: not known, for docword that was not read */
    size_t n_entries; /* pairs of document and word; 0: not known, for other than docword */
} data_corpus_size;

STRADS_API STRADS_MUST_CHECK strads_status data_corpus_measure(data_corpus_size *out,
                                                               const data_corpus_source *source);

/* ---- writing and generating ---- */

/* Writes the kept documents as docword. */
STRADS_API STRADS_MUST_CHECK strads_status data_corpus_write(const char *path,
                                                             const data_corpus *corpus);

/* Latent Dirichlet allocation: phi_k ~ Dirichlet(beta), theta_d ~ Dirichlet(alpha); a document
 * has a Poisson number of tokens. */
typedef struct data_corpus_design {
    uint32_t n_documents, n_words, n_topics; /* > 0 */
    double length;                           /* mean tokens of a document, > 0 */
    double alpha, beta;                      /* > 0, of each topic and of each word */
    uint64_t seed;
} data_corpus_design;

/* The same for the same design. *topics, for strads_free, has phi_k(w) at w * n_topics + k. Word
 * w, from 0, has the text "w" and its number from 1. */
STRADS_API STRADS_MUST_CHECK strads_status data_corpus_generate(data_corpus *out, double **topics,
                                                                const data_corpus_design *design);

#ifdef __cplusplus
}
#endif

#endif
