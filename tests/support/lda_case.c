/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/lda_case.c - what samplers keep of tokens. */
#include "tests/support/lda_case.h"

#include <string.h>

#include "base/random.h"
#include "tests/support/suite.h"

enum { READ_AHEAD = 64, NONE = UINT16_MAX, LINE = 16, ALIGN = 64 };

size_t lda_case_variants(const lda_kernels *variants[LDA_CASE_VARIANTS])
{
    static lda_kernels long_rows;
    size_t n = 0;
    variants[n++] = &lda_kernels_portable;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        variants[n++] = &lda_kernels_avx2;
    }
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw")) {
        variants[n++] = &lda_kernels_avx512;
        long_rows = lda_kernels_gather;
        long_rows.sparse = lda_kernels_gather.sparse_long;
        variants[n++] = &long_rows;
    }
#endif
    (void) long_rows;
    return n;
}

static void *room(size_t n, size_t bytes)
{
    void *it = strads_calloc(n + 1, bytes);
    REQUIRE(it != NULL);
    return it;
}

/* ---- life ---- */

static uint32_t sub_of(const lda_case *self, uint32_t doc)
{
    return self->design.spread ? doc % self->n_sub : 0;
}

static uint32_t local_of(const lda_case *self, uint32_t doc)
{
    return self->design.spread ? doc / self->n_sub : doc;
}

/* How many documents of a sub are below `limit`. */
static uint32_t n_below(const lda_case *self, uint32_t s, uint32_t limit)
{
    return self->design.spread ? (limit + self->n_sub - 1 - s) / self->n_sub : s == 0 ? limit : 0;
}

/* Tokens word by word, and in each by document. */
static void sort_tokens(lda_case *self, uint32_t s)
{
    const lda_case_design *design = &self->design;
    lda_sub *sub = &self->subs[s];
    uint32_t *by_doc = room(design->n_tokens, sizeof(*by_doc));
    uint32_t *ends = room(design->n_docs, sizeof(*ends));
    uint64_t *next = room(design->n_words + 1, sizeof(*next));
    for (uint32_t t = 0; t < design->n_tokens; t++) {
        ends[design->tokens[t].doc + 1] += design->tokens[t].doc + 1 < design->n_docs;
    }
    for (uint32_t d = 1; d < design->n_docs; d++) {
        ends[d] += ends[d - 1];
    }
    for (uint32_t t = 0; t < design->n_tokens; t++) {
        by_doc[ends[design->tokens[t].doc]++] = t;
    }
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < design->n_tokens; i++) {
            const lda_case_token *token = &design->tokens[by_doc[i]];
            const uint32_t position = self->words.position[token->word];
            if (sub_of(self, token->doc) != s) {
                continue;
            }
            if (pass == 0) {
                sub->starts[position + 1]++;
                sub->lengths[local_of(self, token->doc)]++;
            } else {
                const uint64_t at = next[position]++;
                sub->docs[at] = local_of(self, token->doc);
                self->ids[s][at] = by_doc[i];
            }
        }
        for (uint32_t p = 0; p < design->n_words && pass == 0; p++) {
            sub->starts[p + 1] += sub->starts[p];
            next[p + 1] = sub->starts[p + 1];
        }
    }
    strads_free(by_doc);
    strads_free(ends);
    strads_free(next);
}

static void init_sub(lda_case *self, uint32_t s)
{
    const lda_case_design *design = &self->design;
    lda_sub *sub = &self->subs[s];
    sub->n = n_below(self, s, design->n_docs);
    sub->lengths = room(sub->n, sizeof(*sub->lengths));
    sub->starts = room(design->n_words, sizeof(*sub->starts));
    sub->docs = room(design->n_tokens + READ_AHEAD, sizeof(*sub->docs));
    self->ids[s] = room(design->n_tokens, sizeof(*self->ids[s]));
    self->topics[s] = room(design->n_tokens + READ_AHEAD, sizeof(*self->topics[s]));
    memset(self->topics[s], 0xff, design->n_tokens * sizeof(*self->topics[s]));
    sort_tokens(self, s);
    REQUIRE_OK(lda_rows_init(&self->rows[s], sub, design->form, design->n_topics));
}

static void init_words(lda_case *self)
{
    const lda_case_design *design = &self->design;
    uint64_t *counts = room(design->n_words, sizeof(*counts));
    for (uint32_t t = 0; t < design->n_tokens; t++) {
        counts[design->tokens[t].word]++;
    }
    REQUIRE_OK(lda_words_init(&self->words, counts, design->n_words, design->n_columns, self->n_sub,
                              design->n_topics, design->form == LDA_ROWS_SPARSE));
    strads_free(counts);
    self->columns = room(design->n_columns, sizeof(*self->columns));
    for (uint32_t c = 0; c < design->n_columns; c++) {
        self->columns[c] = room(self->words.units[c], sizeof(**self->columns));
    }
}

static void init_sampler(lda_case *self)
{
    const lda_case_design *design = &self->design;
    const uint32_t n = lda_padded(design->n_topics);
    float *alpha = room(n, sizeof(*alpha));
    for (uint32_t k = 0; k < design->n_topics; k++) {
        alpha[k] = design->alpha != NULL ? (float) design->alpha[k] : 0.1F;
    }
    self->scratch = room(lda_scratch_floats(design->n_topics) + ALIGN, sizeof(float));
    self->sampler = (lda_sampler){
        .n_topics = design->n_topics,
        .n_padded = n,
        .beta = (float) design->beta,
        .alpha = alpha,
        .totals = room(n, sizeof(float)),
        .changes = room(n, sizeof(int32_t)),
        .lag = design->lag,
        .random = self->random,
        .scratch = (void *) ((char *) self->scratch + (-(uintptr_t) self->scratch % ALIGN))};
    strads_random random = strads_random_start(design->seed, 0);
    for (uint32_t i = 0; i < 4 * 16; i++) {
        self->random[i / 16][i % 16] = strads_random_bits(&random);
    }
    self->known = room(design->n_topics, sizeof(*self->known));
    lda_case_tell(self);
}

void lda_case_init(lda_case *self, const lda_case_design *design)
{
    *self =
        (lda_case){.design = *design, .n_sub = design->form == LDA_ROWS_DENSE ? LDA_STREAMS : 1};
    init_words(self);
    for (uint32_t s = 0; s < self->n_sub; s++) {
        init_sub(self, s);
    }
    init_sampler(self);
}

void lda_case_fini(lda_case *self)
{
    for (uint32_t s = 0; s < self->n_sub; s++) {
        strads_free(self->subs[s].lengths);
        strads_free(self->subs[s].starts);
        strads_free(self->subs[s].docs);
        strads_free(self->ids[s]);
        strads_free(self->topics[s]);
        lda_rows_fini(&self->rows[s]);
    }
    for (uint32_t c = 0; c < self->design.n_columns; c++) {
        strads_free(self->columns[c]);
    }
    strads_free(self->columns);
    lda_words_fini(&self->words);
    strads_free((void *) self->sampler.alpha);
    strads_free(self->sampler.totals);
    strads_free(self->sampler.changes);
    strads_free(self->scratch);
    strads_free(self->known);
}

/* ---- counts ---- */

/* counts[docs of the sub][n_topics] := n_dk, by counting tokens that have topics. */
static void count_docs(const lda_case *self, uint32_t s, uint32_t *counts)
{
    const lda_sub *sub = &self->subs[s];
    memset(counts, 0, (size_t) sub->n * self->design.n_topics * sizeof(*counts));
    for (uint64_t i = 0; i < sub->starts[self->design.n_words]; i++) {
        if (self->topics[s][i] != NONE) {
            counts[(size_t) sub->docs[i] * self->design.n_topics + self->topics[s][i]]++;
        }
    }
}

/* counts[n_topics] := n_wk of the word at position p. */
static void count_word(const lda_case *self, uint32_t p, int32_t *counts)
{
    memset(counts, 0, self->design.n_topics * sizeof(*counts));
    for (uint32_t s = 0; s < self->n_sub; s++) {
        for (uint64_t i = self->subs[s].starts[p]; i < self->subs[s].starts[p + 1]; i++) {
            if (self->topics[s][i] != NONE) {
                counts[self->topics[s][i]]++;
            }
        }
    }
}

static uint32_t column_of(const lda_case *self, uint32_t p)
{
    uint32_t c = 0;
    while (p >= self->words.firsts[(c + 1) * self->n_sub]) {
        c++;
    }
    return c;
}

static void write_rows(lda_case *self, uint32_t s)
{
    const uint32_t n_topics = self->design.n_topics;
    const lda_sub *sub = &self->subs[s];
    uint32_t *counts = room((size_t) sub->n * n_topics, sizeof(*counts));
    uint32_t *topics = room(n_topics, sizeof(*topics));
    count_docs(self, s, counts);
    lda_rows_fini(&self->rows[s]);
    REQUIRE_OK(lda_rows_init(&self->rows[s], sub, self->design.form, n_topics));
    for (uint32_t d = 0; d < sub->n; d++) {
        uint32_t *row = counts + (size_t) d * n_topics;
        uint32_t n = 0;
        for (uint32_t k = 0; k < n_topics; k++) {
            if (row[k] > 0) {
                topics[n] = k;
                row[n++] = row[k];
            }
        }
        lda_rows_write(&self->rows[s], d, topics, row, n);
    }
    strads_free(counts);
    strads_free(topics);
}

void lda_case_set(lda_case *self, const uint16_t *topics)
{
    const lda_case_design *design = &self->design;
    int32_t *counts = room(design->n_topics, sizeof(*counts));
    memset(self->known, 0, design->n_topics * sizeof(*self->known));
    memset(self->sampler.changes, 0, design->n_topics * sizeof(*self->sampler.changes));
    for (uint32_t s = 0; s < self->n_sub; s++) {
        for (uint64_t i = 0; i < self->subs[s].starts[design->n_words]; i++) {
            self->topics[s][i] = topics[self->ids[s][i]];
        }
        write_rows(self, s);
    }
    for (uint32_t p = 0; p < design->n_words; p++) {
        count_word(self, p, counts);
        lda_row_write(&self->words.places[p], self->columns[column_of(self, p)], design->n_topics,
                      counts);
        for (uint32_t k = 0; k < design->n_topics; k++) {
            self->known[k] += counts[k];
        }
    }
    lda_case_tell(self);
    strads_free(counts);
}

void lda_case_get(const lda_case *self, uint16_t *topics)
{
    for (uint32_t s = 0; s < self->n_sub; s++) {
        for (uint64_t i = 0; i < self->subs[s].starts[self->design.n_words]; i++) {
            topics[self->ids[s][i]] = self->topics[s][i];
        }
    }
}

void lda_case_tell(lda_case *self)
{
    const lda_case_design *design = &self->design;
    for (uint32_t k = 0; k < self->sampler.n_padded; k++) {
        if (k < design->n_topics) {
            self->known[k] += self->sampler.changes[k];
        }
        self->sampler.changes[k] = 0;
        self->sampler.totals[k] = k < design->n_topics
                                      ? (float) (self->known[k] + design->beta * design->n_words)
                                      : INFINITY;
    }
}

/* ---- sampling ---- */

uint64_t lda_case_meet(lda_case *self, const lda_kernels *kernels, uint32_t column, bool first,
                       const uint32_t limits[2])
{
    const uint32_t n = self->n_sub;
    uint64_t n_moved = 0;
    for (uint32_t turn = 0; turn < n; turn++) {
        lda_slice slices[LDA_STREAMS];
        for (uint32_t s = 0; s < n; s++) {
            const uint32_t block = column * n + (s + turn) % n;
            slices[s] = (lda_slice){.docs = self->subs[s].docs,
                                    .topics = self->topics[s],
                                    .starts = self->subs[s].starts,
                                    .places = self->words.places,
                                    .column = self->columns[column],
                                    .first = self->words.firsts[block],
                                    .end = self->words.firsts[block + 1],
                                    .low = n_below(self, s, limits[0]),
                                    .high = n_below(self, s, limits[1]),
                                    .rows = lda_rows_of(&self->rows[s])};
        }
        n_moved +=
            self->design.form == LDA_ROWS_DENSE    ? kernels->dense(&self->sampler, slices, first)
            : self->design.form == LDA_ROWS_SPARSE ? kernels->sparse(&self->sampler, slices, first)
                                                   : lda_sample_long(&self->sampler, slices, first);
    }
    return n_moved;
}

uint64_t lda_case_sweep(lda_case *self, const lda_kernels *kernels, bool first)
{
    const uint32_t all[2] = {0, self->design.n_docs};
    uint64_t n_moved = 0;
    for (uint32_t c = 0; c < self->design.n_columns; c++) {
        lda_case_tell(self);
        n_moved += lda_case_meet(self, kernels, c, first, all);
    }
    return n_moved;
}

/* ---- recounts ---- */

/* Beside what a document has there is nothing: topics from n_topics on, entries not taken. */
static bool is_clean(const lda_case *self, uint32_t s, uint32_t d, uint32_t n)
{
    const lda_doc_rows *rows = &self->rows[s];
    const uint32_t n_topics = self->design.n_topics;
    const uint32_t padded = lda_padded(n_topics);
    bool clean = true;
    for (uint32_t k = n_topics; rows->form == LDA_ROWS_DENSE && k < padded; k++) {
        clean = clean && rows->dense[(size_t) d * padded + k] == 0;
    }
    if (rows->form == LDA_ROWS_SPARSE) {
        const uint32_t length = self->subs[s].lengths[d];
        const uint32_t end = ((length < n_topics ? length : n_topics) + LINE - 1) / LINE * LINE;
        for (uint32_t i = n; i < end; i++) {
            clean = clean && rows->sparse.entries[rows->sparse.lines[d] * LINE + i] == n_topics;
        }
        clean = clean && n <= end;
    }
    return clean;
}

static bool rows_add_up(const lda_case *self, uint32_t s)
{
    const uint32_t n_topics = self->design.n_topics;
    const lda_sub *sub = &self->subs[s];
    uint32_t *counts = room((size_t) sub->n * n_topics, sizeof(*counts));
    uint32_t *topics = room(n_topics, sizeof(*topics));
    uint32_t *ns = room(n_topics, sizeof(*ns));
    bool right = true;
    count_docs(self, s, counts);
    for (uint32_t d = 0; d < sub->n; d++) {
        uint32_t *row = counts + (size_t) d * n_topics;
        const uint32_t n = lda_rows_read(&self->rows[s], d, topics, ns);
        for (uint32_t i = 0; i < n; i++) {
            right = right && topics[i] < n_topics && ns[i] > 0 && row[topics[i]] == ns[i];
            row[topics[i] < n_topics ? topics[i] : 0] = 0; /* a topic that comes twice is wrong */
        }
        for (uint32_t k = 0; k < n_topics; k++) {
            right = right && row[k] == 0;
        }
        right = right && is_clean(self, s, d, n);
    }
    strads_free(counts);
    strads_free(topics);
    strads_free(ns);
    return right;
}

bool lda_case_adds_up(const lda_case *self, uint32_t high)
{
    const uint32_t n_topics = self->design.n_topics;
    int32_t *expected = room(n_topics, sizeof(*expected));
    int32_t *counts = room(n_topics, sizeof(*counts));
    int64_t *totals = room(n_topics, sizeof(*totals));
    bool right = true;
    for (uint32_t s = 0; s < self->n_sub; s++) {
        for (uint64_t i = 0; i < self->subs[s].starts[self->design.n_words]; i++) {
            const bool has = self->design.tokens[self->ids[s][i]].doc < high;
            right = right && (has ? self->topics[s][i] < n_topics : self->topics[s][i] == NONE);
        }
    }
    for (uint32_t s = 0; s < self->n_sub && right; s++) {
        right = rows_add_up(self, s);
    }
    for (uint32_t p = 0; p < self->design.n_words && right; p++) {
        const uint32_t *column = self->columns[column_of(self, p)];
        count_word(self, p, expected);
        right = lda_row_is_sound(&self->words.places[p], column, n_topics);
        lda_row_read(&self->words.places[p], column, n_topics, counts);
        right = right && memcmp(counts, expected, n_topics * sizeof(*counts)) == 0;
        for (uint32_t k = 0; k < n_topics; k++) {
            totals[k] += expected[k];
        }
    }
    for (uint32_t k = 0; k < n_topics; k++) {
        right = right && self->known[k] + self->sampler.changes[k] == (double) totals[k];
    }
    strads_free(expected);
    strads_free(counts);
    strads_free(totals);
    return right;
}
