/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/fuzz/fuzz_corpus.c - any bytes as docword or text; the first one picks options. */
#include <string.h>

#include "data/corpus_parts.h"
#include "tests/fuzz/fuzz_file.h"

static void check_corpus(const data_corpus *c)
{
    uint64_t *counts = strads_calloc(c->n_words, sizeof(*counts));
    fuzz_require(counts != NULL && c->n_tokens == c->starts[c->n_documents]);
    for (size_t d = 0; d < c->n_documents; d++) {
        fuzz_require(c->starts[d] <= c->starts[d + 1]);
    }
    for (size_t i = 0; i < c->n_tokens; i++) {
        fuzz_require(c->tokens[i] < c->n_words);
        counts[c->tokens[i]]++;
    }
    fuzz_require(memcmp(counts, c->counts, c->n_words * sizeof(*counts)) == 0);
    for (uint32_t w = 0; w < c->words.n; w++) {
        char digits[DATA_ID_BYTES];
        fuzz_require(data_ids_find(&c->words, data_corpus_word(c, w, digits)) == w);
    }
    strads_free(counts);
}

/* Whatever is read keeps the promises of data_corpus, and is read so by more threads too. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0) {
        return 0;
    }
    const size_t live = strads_mem_live();
    const data_corpus_source source = {.path = fuzz_file(bytes + 1, n - 1),
                                       .n_threads = 1,
                                       .text = {.lower_case = bytes[0] & 1,
                                                .min_length = bytes[0] >> 1 & 3,
                                                .min_documents = bytes[0] >> 3 & 3,
                                                .max_documents = bytes[0] & 32 ? 0.5 : 1.0}};
    data_corpus_source several = source;
    several.n_threads = 3;
    corpus_job job = {.source = &source, .n_threads = 1, .max_bytes = FUZZ_MAX_BYTES};
    data_corpus one;
    data_corpus more;
    const strads_status status = corpus_read_files(&one, &job);
    job.source = &several;
    job.n_threads = 3;
    fuzz_require(corpus_read_files(&more, &job) == status);
    if (status == STRADS_OK) {
        check_corpus(&one);
        fuzz_require(one.n_tokens == more.n_tokens && one.n_documents == more.n_documents);
        fuzz_require(memcmp(one.tokens, more.tokens, one.n_tokens * sizeof(*one.tokens)) == 0);
        data_corpus_fini(&one);
        data_corpus_fini(&more);
    }
    fuzz_require(strads_mem_live() == live);
    return 0;
}
