/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/documents.c - the documents of a worker, their tokens word by word. */
#include "apps/lda/lda.h"
#include "base/random.h"

/* Streams of run.seed, one a document: what becomes of it. */
static const uint64_t STREAM_DOCUMENTS = (uint64_t) 1 << 40;

static const uint32_t HELD_OUT = UINT32_MAX; /* a sub */
enum { READ_AHEAD = 64 };

/* What becomes of the documents of a worker. */
typedef struct sorting {
    const lda_site *site;
    const data_corpus *corpus;
    uint32_t rank;
    size_t n;        /* documents of the worker */
    size_t *kept;    /* [n] where they are in the corpus */
    uint32_t *sub;   /* [n] in which sub, HELD_OUT */
    uint32_t *stage; /* [n] */
    lda_documents *out;
} sorting;

static size_t length_of(const sorting *it, size_t i)
{
    return it->corpus->starts[it->kept[i] + 1] - it->corpus->starts[it->kept[i]];
}

static strads_status find_documents(sorting *it)
{
    const data_corpus *corpus = it->corpus;
    const lda_site *site = it->site;
    const double held_out = strads_config_real(site->config, "lda.heldout_fraction");
    const uint32_t n_stages = site->n_stages;
    const size_t room = corpus->n_kept / (site->end - site->first) + 1;
    uint32_t next = 0;
    it->kept = strads_alloc_array(room, sizeof(*it->kept));
    it->sub = strads_alloc_array(room, sizeof(*it->sub));
    it->stage = strads_alloc_array(room, sizeof(*it->stage));
    if (it->kept == NULL || it->sub == NULL || it->stage == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t k = 0; k < corpus->n_kept; k++) {
        const size_t number = data_corpus_document(corpus, k);
        if (number % site->n_workers != it->rank) {
            continue;
        }
        strads_random random = strads_random_start(site->seed, STREAM_DOCUMENTS + number);
        const bool out = strads_random_uniform(&random) < held_out;
        const double chance = strads_random_uniform(&random);
        const size_t i = it->n++;
        it->kept[i] = k;
        it->stage[i] = 0;
        while (it->stage[i] + 1 < n_stages && chance >= lda_plan_share(site, it->stage[i])) {
            it->stage[i]++;
        }
        it->sub[i] = out                                 ? HELD_OUT
                     : length_of(it, i) > LDA_LENGTH_MAX ? site->n_sub
                                                         : next++ % site->n_sub;
    }
    return STRADS_OK;
}

/* The documents of a sub, stage by stage, in each in the order of the corpus: neighbours often
 * share words. local[i]: the number in the sub of document i. */
static strads_status number(sorting *it, uint32_t s, uint32_t *local)
{
    lda_sub *sub = &it->out->subs[s];
    uint32_t at[LDA_STAGES_MAX] = {0};
    for (size_t i = 0; i < it->n; i++) {
        if (it->sub[i] == s) {
            sub->ends[it->stage[i]]++;
            sub->n++;
        }
    }
    for (uint32_t stage = 1; stage < LDA_STAGES_MAX; stage++) {
        at[stage] = sub->ends[stage - 1];
        sub->ends[stage] += sub->ends[stage - 1];
    }
    sub->numbers = strads_calloc(sub->n, sizeof(*sub->numbers));
    sub->lengths = strads_calloc(sub->n, sizeof(*sub->lengths));
    if (sub->numbers == NULL || sub->lengths == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 0; i < it->n; i++) {
        if (it->sub[i] == s) {
            const uint32_t doc = at[it->stage[i]]++;
            local[doc] = (uint32_t) i;
            sub->numbers[doc] = data_corpus_document(it->corpus, it->kept[i]);
            sub->lengths[doc] = (uint32_t) length_of(it, i);
        }
    }
    return STRADS_OK;
}

/* Sorts the tokens of a sub by the position of their word, and in each word by document. */
static strads_status sort_tokens(sorting *it, uint32_t s, const uint32_t *local)
{
    const uint32_t *position = it->site->words.position;
    const data_corpus *corpus = it->corpus;
    lda_sub *sub = &it->out->subs[s];
    const uint32_t n_words = it->site->words.n;
    uint64_t *starts = strads_calloc((size_t) n_words + 2, sizeof(*starts));
    sub->starts = starts;
    if (starts == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t doc = 0; doc < sub->n; doc++) {
        const size_t k = it->kept[local[doc]];
        for (size_t t = corpus->starts[k]; t < corpus->starts[k + 1]; t++) {
            starts[position[corpus->tokens[t]] + 2]++;
        }
    }
    for (uint32_t p = 0; p <= n_words; p++) {
        starts[p + 1] += starts[p];
    }
    sub->docs = strads_calloc(starts[n_words + 1] + READ_AHEAD, sizeof(*sub->docs));
    if (sub->docs == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t doc = 0; doc < sub->n; doc++) {
        const size_t k = it->kept[local[doc]];
        for (size_t t = corpus->starts[k]; t < corpus->starts[k + 1]; t++) {
            sub->docs[starts[position[corpus->tokens[t]] + 1]++] = doc;
        }
        it->out->n_tokens += length_of(it, local[doc]);
        if (sub->lengths[doc] > it->out->n_longest) {
            it->out->n_longest = sub->lengths[doc];
        }
    }
    return STRADS_OK;
}

static strads_status hold_out(const sorting *it, lda_heldout_documents *out)
{
    size_t n_tokens = 0;
    for (size_t i = 0; i < it->n; i++) {
        out->n += it->sub[i] == HELD_OUT;
        n_tokens += it->sub[i] == HELD_OUT ? length_of(it, i) : 0;
    }
    out->starts = strads_calloc(out->n + 1, sizeof(*out->starts));
    out->numbers = strads_alloc_array(out->n, sizeof(*out->numbers));
    out->tokens = strads_alloc_array(n_tokens, sizeof(*out->tokens));
    if (out->starts == NULL || out->numbers == NULL || out->tokens == NULL) {
        return STRADS_ERR_NOMEM;
    }
    size_t at = 0;
    size_t doc = 0;
    for (size_t i = 0; i < it->n; i++) {
        if (it->sub[i] == HELD_OUT) {
            const uint32_t *tokens = it->corpus->tokens + it->corpus->starts[it->kept[i]];
            out->numbers[doc++] = data_corpus_document(it->corpus, it->kept[i]);
            for (size_t t = 0; t < length_of(it, i); t++) {
                out->tokens[at++] = tokens[t];
            }
            out->starts[doc] = at;
        }
    }
    return STRADS_OK;
}

static strads_status sort_documents(sorting *it)
{
    uint32_t *local = strads_alloc_array(it->n, sizeof(*local));
    strads_status status = local == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    it->out->n_subs = it->site->n_sub;
    for (size_t i = 0; i < it->n; i++) {
        if (it->sub[i] == it->site->n_sub) {
            it->out->n_subs = it->site->n_sub + 1;
        }
    }
    for (uint32_t s = 0; s < it->out->n_subs && status == STRADS_OK; s++) {
        status = number(it, s, local);
        if (status == STRADS_OK) {
            status = sort_tokens(it, s, local);
        }
    }
    strads_free(local);
    return status;
}

strads_status lda_documents_init(lda_documents *out, lda_heldout_documents *heldout,
                                 const lda_site *site, const data_corpus *corpus, uint32_t rank)
{
    *out = (lda_documents){.n_subs = 0};
    *heldout = (lda_heldout_documents){.n = 0};
    sorting it = {.site = site, .corpus = corpus, .rank = rank, .out = out};
    strads_status status = find_documents(&it);
    if (status == STRADS_OK) {
        status = sort_documents(&it);
    }
    if (status == STRADS_OK) {
        status = hold_out(&it, heldout);
    }
    if (status != STRADS_OK) {
        lda_documents_fini(out);
        lda_heldout_fini(heldout);
    }
    strads_free(it.kept);
    strads_free(it.sub);
    strads_free(it.stage);
    return status;
}

void lda_documents_fini(lda_documents *documents)
{
    for (uint32_t s = 0; s < LDA_SUBS_MAX; s++) {
        lda_sub *sub = &documents->subs[s];
        strads_free(sub->numbers);
        strads_free(sub->lengths);
        strads_free(sub->starts);
        strads_free(sub->docs);
    }
    *documents = (lda_documents){.n_subs = 0};
}

void lda_heldout_fini(lda_heldout_documents *heldout)
{
    strads_free(heldout->starts);
    strads_free(heldout->tokens);
    strads_free(heldout->numbers);
    *heldout = (lda_heldout_documents){.n = 0};
}
