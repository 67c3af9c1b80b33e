/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/corpus_write.c - a corpus as lines "DOCUMENT WORD COUNT". */
#include <stdlib.h>
#include <string.h>

#include "data/corpus.h"
#include "data/data.h"
#include "data/input.h"

static int by_value(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *) a;
    const uint32_t right = *(const uint32_t *) b;
    return (left > right) - (left < right);
}

/* Writes the entries of the k-th kept document, or counts them where `to` is NULL; scratch has
 * room for its tokens. */
static size_t put_document(FILE *to, const data_corpus *corpus, size_t k, uint32_t *scratch)
{
    const size_t n = corpus->starts[k + 1] - corpus->starts[k];
    size_t n_entries = 0;
    memcpy(scratch, corpus->tokens + corpus->starts[k], n * sizeof(*scratch));
    qsort(scratch, n, sizeof(*scratch), by_value);
    for (size_t i = 0, count = 1; i < n; i += count, n_entries++) {
        for (count = 1; i + count < n && scratch[i + count] == scratch[i]; count++) {
        }
        if (to != NULL) {
            fprintf(to, "%zu %u %zu\n", data_corpus_document(corpus, k) + 1, scratch[i] + 1, count);
        }
    }
    return n_entries;
}

static size_t put_documents(FILE *to, const data_corpus *corpus, uint32_t *scratch)
{
    size_t n_entries = 0;
    for (size_t k = 0; k < corpus->n_kept; k++) {
        n_entries += put_document(to, corpus, k, scratch);
    }
    return n_entries;
}

strads_status data_corpus_write(const char *path, const data_corpus *corpus)
{
    data_writer *writer = NULL;
    uint32_t *scratch = strads_alloc_array(corpus->n_longest, sizeof(*scratch));
    if (scratch == NULL) {
        return data_no_memory(path);
    }
    strads_status status = data_writer_open(&writer, path);
    if (status == STRADS_OK) {
        FILE *to = data_writer_stream(writer);
        fprintf(to, "%zu\n%u\n%zu\n", corpus->n_documents, corpus->n_words,
                put_documents(NULL, corpus, scratch));
        (void) put_documents(to, corpus, scratch);
        status = data_writer_commit(writer);
    }
    strads_free(scratch);
    return status;
}
