/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/saved.c - the files of a topic model, out and in. */
#include "apps/lda/saved.h"

#include <string.h>

/* "DIR/NAME", for strads_free. */
static char *path_of(const char *dir, const char *name)
{
    const size_t bytes = strlen(dir) + strlen(name) + 2;
    char *path = strads_alloc(bytes);
    if (path == NULL) {
        strads_error("%s: no memory", dir);
        return NULL;
    }
    snprintf(path, bytes, "%s/%s", dir, name);
    return path;
}

char *lda_saved_vocab_path(const char *dir)
{
    return path_of(dir, "vocab.txt");
}

/* ---- writing ---- */

strads_status lda_saved_open_words(data_counts_writer **out, const char *dir, size_t n_words,
                                   size_t n_topics)
{
    char *path = path_of(dir, "word_topics.npy");
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = data_counts_writer_open(out, path, n_words, n_topics);
    strads_free(path);
    return status;
}

strads_status lda_saved_open_documents(data_entries_writer **out, const char *dir,
                                       size_t n_documents, size_t n_topics)
{
    char *path = path_of(dir, "document_topics.mtx");
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = data_entries_writer_open(out, path, n_documents, n_topics);
    strads_free(path);
    return status;
}

strads_status lda_saved_open_assignments(data_writer **out, const char *dir)
{
    char *path = path_of(dir, "assignments.txt");
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = data_writer_open(out, path);
    strads_free(path);
    return status;
}

static strads_status write_numbers(const char *dir, const char *name, const double *values,
                                   size_t n)
{
    char *path = path_of(dir, name);
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = data_npy_write(path, values, n, 0);
    strads_free(path);
    return status;
}

strads_status lda_saved_write_priors(const char *dir, const double *alpha, size_t n_topics,
                                     double beta)
{
    const strads_status status = write_numbers(dir, "alpha.npy", alpha, n_topics);
    return status == STRADS_OK ? write_numbers(dir, "beta.npy", &beta, 1) : status;
}

static strads_status open_text(data_writer **out, const char *dir, const char *name)
{
    char *path = path_of(dir, name);
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = data_writer_open(out, path);
    strads_free(path);
    return status;
}

strads_status lda_saved_write_words(const char *dir, size_t n_words, lda_word_text word,
                                    const void *context)
{
    data_writer *writer = NULL;
    const strads_status status = open_text(&writer, dir, "vocab.txt");
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t w = 0; w < n_words; w++) {
        char room[LDA_WORD_BYTES];
        fprintf(data_writer_stream(writer), "%s\n", word(context, (uint32_t) w, room));
    }
    return data_writer_commit(writer);
}

strads_status lda_saved_write_table(const char *dir, const lda_topics_table *table)
{
    data_writer *writer = NULL;
    strads_status status = open_text(&writer, dir, "topics.txt");
    if (status != STRADS_OK) {
        return status;
    }
    status = lda_topics_print(table, data_writer_stream(writer));
    if (status != STRADS_OK) {
        data_writer_abandon(writer);
        return status;
    }
    return data_writer_commit(writer);
}

/* ---- reading ---- */

/* Reads n numbers > 0. */
static strads_status read_priors(double **out, size_t n, const char *dir, const char *name)
{
    char *path = path_of(dir, name);
    double *values = NULL;
    size_t n_read = 0;
    strads_status status = path == NULL ? STRADS_ERR_NOMEM : data_npy_read(&values, &n_read, path);
    if (status == STRADS_OK && n_read != n) {
        strads_error("%s: %zu numbers: expected %zu", path, n_read, n);
        status = STRADS_ERR_DATA;
    }
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        if (values[i] <= 0.0) { /* it is finite */
            strads_error("%s: %g at %zu: expected a number above 0", path, values[i], i + 1);
            status = STRADS_ERR_DATA;
        }
    }
    strads_free(path);
    if (status != STRADS_OK) {
        strads_free(values);
        return status;
    }
    *out = values;
    return STRADS_OK;
}

static strads_status read_words(lda_saved *saved, const char *dir)
{
    char *path = path_of(dir, "word_topics.npy");
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status = data_counts_map(&saved->words, path);
    strads_free(path);
    saved->n_words = saved->words.n_rows;
    saved->n_topics = saved->words.n_cols;
    return status;
}

static strads_status add_totals(lda_saved *saved, const char *dir)
{
    saved->totals = strads_calloc(saved->n_topics, sizeof(*saved->totals));
    if (saved->totals == NULL) {
        strads_error("%s: no memory", dir);
        return STRADS_ERR_NOMEM;
    }
    const uint32_t *row = saved->words.values;
    double all = 0.0;
    for (size_t w = 0; w < saved->n_words; w++, row += saved->n_topics) {
        for (size_t k = 0; k < saved->n_topics; k++) {
            saved->totals[k] += row[k];
        }
    }
    for (size_t k = 0; k < saved->n_topics; k++) {
        all += saved->totals[k];
    }
    if (!(all > 0.0)) {
        strads_error("%s/word_topics.npy: %zu words, %zu topics and no token in them: expected the "
                     "counts of a model",
                     dir, saved->n_words, saved->n_topics);
        return STRADS_ERR_DATA;
    }
    return STRADS_OK;
}

strads_status lda_saved_read(lda_saved *out, const char *dir)
{
    lda_saved saved = {.n_words = 0};
    double *beta = NULL;
    strads_status status = read_words(&saved, dir);
    if (status == STRADS_OK) {
        status = read_priors(&saved.alpha, saved.n_topics, dir, "alpha.npy");
    }
    if (status == STRADS_OK) {
        status = read_priors(&beta, 1, dir, "beta.npy");
    }
    if (status == STRADS_OK) {
        saved.beta = *beta;
        strads_free(beta);
        status = add_totals(&saved, dir);
    }
    if (status != STRADS_OK) {
        lda_saved_fini(&saved);
        return status;
    }
    *out = saved;
    return STRADS_OK;
}

void lda_saved_fini(lda_saved *saved)
{
    data_counts_fini(&saved->words);
    strads_free(saved->totals);
    strads_free(saved->alpha);
    *saved = (lda_saved){.n_words = 0};
}
