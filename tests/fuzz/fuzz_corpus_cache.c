/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/fuzz/fuzz_corpus_cache.c - any bytes as a cache of a corpus.
 *
 * A checksum cannot be guessed, so the bytes are tried twice: as they are, and as changes of a
 * corpus that is then saved, with checksums of its own.
 */
#include <string.h>

#include "data/corpus_parts.h"
#include "tests/fuzz/fuzz_file.h"

static void load(const char *path, uint64_t key, bool whole)
{
    const data_corpus_source source = {
        .path = path, .n_shares = whole ? 0 : 3, .first_share = 1, .end_share = 3};
    const corpus_job job = {.source = &source, .n_threads = 1};
    data_corpus c;
    if (corpus_cache_load(&c, &job, path, key)) {
        for (size_t i = 0; i < c.starts[c.n_kept]; i++) {
            fuzz_require(c.tokens[i] < c.n_words);
        }
        for (uint32_t w = 0; w < c.words.n; w++) {
            char digits[DATA_ID_BYTES];
            fuzz_require(data_ids_find(&c.words, data_corpus_word(&c, w, digits)) == w);
        }
        data_corpus_fini(&c);
    }
}

/* A corpus of three documents, with the bytes over it. */
static void save_changed(const char *path, const uint8_t *bytes, size_t n)
{
    size_t starts[] = {0, 2, 2, 5};
    uint32_t tokens[] = {0, 1, 1, 0, 1};
    uint64_t counts[] = {2, 3};
    char text[] = "ab\0cd";
    struct {
        void *at;
        size_t bytes;
    } parts[] = {{starts + 1, 2 * sizeof(*starts)},
                 {tokens, sizeof(tokens)},
                 {counts, sizeof(counts)},
                 {text, sizeof(text)}};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const size_t take = n < parts[i].bytes ? n : parts[i].bytes;
        for (size_t k = 0; k < take; k++) {
            ((uint8_t *) parts[i].at)[k] ^= bytes[k];
        }
        bytes += take;
        n -= take;
    }
    const data_corpus c = {.n_documents = 3,
                           .n_tokens = 5,
                           .n_words = 2,
                           .n_kept = 3,
                           .starts = starts,
                           .tokens = tokens,
                           .counts = counts,
                           .words = {.n = 2, .text = text, .text_bytes = sizeof(text)}};
    corpus_cache_save(&c, path, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char path[64];
    const size_t live = strads_mem_live();
    uint64_t key = 0;
    if (n > offsetof(corpus_cache_head, key) + sizeof(key)) {
        memcpy(&key, bytes + offsetof(corpus_cache_head, key), sizeof(key));
    }
    load(fuzz_file(bytes, n), key, true);
    snprintf(path, sizeof(path), "/tmp/strads-fuzz-corpus-%ld", (long) getpid());
    save_changed(path, bytes, n);
    load(path, 1, true);
    load(path, 1, false);
    unlink(path);
    fuzz_require(strads_mem_live() == live);
    return 0;
}
