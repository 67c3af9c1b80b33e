/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/site.c - the documents of a run, as its processes have them. */
#include <string.h>

#include "apps/lda/data_parallel.h"
#include "base/tasks.h"

static strads_status find_source(const strads_config *config, data_corpus_source *out)
{
    *out = (data_corpus_source){
        .path = strads_config_text(config, "data.corpus"),
        .vocab = strads_config_text(config, "data.vocab"),
        .cache = strads_config_bool(config, "data.cache") ? "" : NULL,
        .text = {.lower_case = strads_config_bool(config, "data.lower_case"),
                 .min_length = (uint32_t) strads_config_int(config, "data.min_length"),
                 .stop_words = strads_config_text(config, "data.stop_words"),
                 .min_documents = (uint32_t) strads_config_int(config, "data.min_documents"),
                 .max_documents = strads_config_real(config, "data.max_documents")}};
    if (out->path == NULL) {
        strads_error("data.corpus is not set: name the file or folder with the documents, in the "
                     "configuration or by --set data.corpus=FILE");
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

strads_status lda_measure_corpus(const strads_config *config, data_corpus_size *out)
{
    data_corpus_source source;
    const strads_status status = find_source(config, &source);
    return status == STRADS_OK ? data_corpus_measure(out, &source) : status;
}

static strads_status read_corpus(const lda_site *site, data_corpus *out)
{
    data_corpus_source source;
    const strads_status status = find_source(site->config, &source);
    source.n_shares = site->n_workers;
    source.first_share = site->first;
    source.end_share = site->end;
    return status == STRADS_OK ? data_corpus_read(out, &source) : status;
}

/* Two columns a worker where each may work on what it likes, and where one is on its way between
 * processes while the other is worked on. */
static strads_status cut_words(lda_site *site, const data_corpus *corpus, bool travels)
{
    const bool roams = strcmp(strads_config_text(site->config, "schedule.kind"), "free") == 0;
    const uint32_t n_columns =
        lda_uses_tables(site->config)
            ? lda_tables_n_columns(corpus->n_words, site->n_topics, site->n_workers)
            : (roams || travels ? 2 : 1) * site->n_workers;
    return lda_words_init(&site->words, corpus->counts, corpus->n_words, n_columns, site->n_sub,
                          site->n_topics, !site->dense);
}

/* Empty documents stay, so that the numbers of those behind them do. */
static void warn_of_empty(const data_corpus *corpus, const strads_config *config)
{
    if (corpus->n_empty > 0) {
        strads_warn("%s: %zu of %zu documents are empty: they are kept, and have no topics",
                    strads_config_text(config, "data.corpus"), corpus->n_empty,
                    corpus->n_documents);
    }
}

typedef struct filling {
    lda_site *site;
    const data_corpus *corpus;
} filling;

static strads_status fill_documents(void *context, size_t first, size_t last)
{
    const filling *it = context;
    strads_status status = STRADS_OK;
    for (size_t i = first; i < last && status == STRADS_OK; i++) {
        status = lda_documents_init(&it->site->documents[i], &it->site->heldout[i], it->site,
                                    it->corpus, it->site->first + (uint32_t) i);
    }
    return status;
}

/* What all processes have together. */
static strads_status add_up(lda_site *site, strads_part *part)
{
    double sums[2] = {0.0};
    for (uint32_t i = 0; i < site->end - site->first; i++) {
        sums[0] += (double) site->documents[i].n_tokens;
        sums[1] += (double) site->heldout[i].n;
    }
    const strads_status status = strads_part_sum(part, sums, 1, 2);
    site->n_tokens = (uint64_t) sums[0];
    site->n_heldout = (size_t) sums[1];
    return status;
}

static strads_status check(const lda_site *site)
{
    const char *path = strads_config_text(site->config, "data.corpus");
    if (site->n_topics > site->n_tokens) {
        strads_error("%s: lda.topics: %u is more than there are tokens to train on in %s: %llu",
                     strads_config_place(site->config, "lda.topics"), site->n_topics, path,
                     (unsigned long long) site->n_tokens);
        return STRADS_ERR_DATA;
    }
    for (uint32_t i = 0; i < site->end - site->first; i++) {
        if (site->documents[i].n_tokens > INT32_MAX) {
            strads_error("%s: worker %u has %llu tokens, and can have 2147483647: take more "
                         "workers, by run.workers",
                         path, site->first + i, (unsigned long long) site->documents[i].n_tokens);
            return STRADS_ERR_DATA;
        }
    }
    return STRADS_OK;
}

/* The counts of a word are 32 bits with a sign in the kernels. */
static strads_status check_words(const lda_site *site, const data_corpus *corpus)
{
    for (uint32_t w = 0; w < corpus->n_words; w++) {
        if (corpus->counts[w] > INT32_MAX) {
            strads_error("%s: word %u has %llu tokens, and can have 2147483647",
                         strads_config_text(site->config, "data.corpus"), w + 1,
                         (unsigned long long) corpus->counts[w]);
            return STRADS_ERR_DATA;
        }
    }
    return STRADS_OK;
}

static strads_status fill(lda_site *site, data_corpus *corpus, strads_part *part)
{
    const uint32_t n = site->end - site->first;
    filling it = {.site = site, .corpus = corpus};
    const lda_sizes sizes = {.n_documents = (double) corpus->n_documents,
                             .n_words = corpus->n_words,
                             .n_tokens = (double) corpus->n_tokens,
                             .longest = (uint32_t) corpus->n_longest,
                             .n_workers = site->n_workers,
                             .n_mine = n};
    strads_status status = lda_check_memory(site->config, &sizes);
    if (status == STRADS_OK) {
        status = check_words(site, corpus);
    }
    if (status == STRADS_OK) {
        status = cut_words(site, corpus, strads_part_count(part) > 1);
    }
    site->documents = strads_calloc(n, sizeof(*site->documents));
    site->heldout = strads_calloc(n, sizeof(*site->heldout));
    if (status == STRADS_OK && (site->documents == NULL || site->heldout == NULL)) {
        status = STRADS_ERR_NOMEM;
    }
    if (status == STRADS_OK) {
        status = strads_parallel_for(n, n, fill_documents, &it);
    }
    if (status == STRADS_OK) {
        status = add_up(site, part);
    }
    return status == STRADS_OK ? check(site) : status;
}

strads_status lda_open_site(const strads_config *config, strads_part *part, void **out)
{
    const uint32_t me = strads_part_index(part);
    data_corpus corpus = {.n_documents = 0};
    lda_site *site = strads_calloc(1, sizeof(*site));
    if (site == NULL) {
        return STRADS_ERR_NOMEM;
    }
    site->config = config;
    site->n_workers = strads_part_rank(part, strads_part_count(part));
    site->first = strads_part_rank(part, me);
    site->end = strads_part_rank(part, me + 1);
    site->n_topics = (uint32_t) strads_config_int(config, "lda.topics");
    site->n_padded = lda_padded(site->n_topics);
    site->dense = site->n_topics <= LDA_DENSE;
    site->n_sub = site->dense ? LDA_STREAMS : 1;
    site->alpha = strads_config_real(config, "lda.alpha");
    site->beta = strads_config_real(config, "lda.beta");
    site->seed = (uint64_t) strads_config_int(config, "run.seed");
    site->kernels = lda_kernels_choose(strads_config_bool(config, "run.deterministic"));
    strads_status status = read_corpus(site, &corpus);
    if (status == STRADS_OK && me == 0) {
        warn_of_empty(&corpus, config);
    }
    if (status == STRADS_OK) {
        site->n_stages = lda_plan_n_stages(config, corpus.n_documents);
        status = fill(site, &corpus, part);
    }
    if (status == STRADS_OK) {
        site->n_documents = corpus.n_documents;
        site->n_empty = corpus.n_empty;
        site->n_longest = (uint32_t) corpus.n_longest;
        site->n_unknown = corpus.n_unknown;
        site->texts = corpus.words;
        site->names = corpus.names;
        corpus.words = corpus.names = (data_ids){.n = 0};
        *out = site;
    } else {
        lda_close_site(site);
    }
    data_corpus_fini(&corpus);
    return status;
}

void lda_close_site(void *context)
{
    lda_site *site = context;
    data_corpus texts = {.words = site->texts, .names = site->names};
    data_corpus_fini(&texts);
    for (uint32_t i = 0; i < site->end - site->first; i++) {
        if (site->documents != NULL) {
            lda_documents_fini(&site->documents[i]);
        }
        if (site->heldout != NULL) {
            lda_heldout_fini(&site->heldout[i]);
        }
    }
    strads_free(site->documents);
    strads_free(site->heldout);
    lda_words_fini(&site->words);
    strads_free(site);
}

strads_status lda_describe(const void *context, strads_structure *structure)
{
    const lda_site *site = context;
    structure->n_vars = site->words.n_columns;
    structure->split = STRADS_SPLIT_SAMPLES;
    return STRADS_OK;
}

uint32_t lda_n_rows(const void *site)
{
    (void) site;
    return 1;
}
