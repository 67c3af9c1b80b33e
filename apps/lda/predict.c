/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/predict.c - the topics of documents under a saved model, a line each. */
#include "apps/lda/predict.h"

#include "apps/lda/infer.h"
#include "apps/lda/saved.h"
#include "base/tasks.h"

/* What is told of a document. */
typedef struct told {
    uint32_t n;
    struct {
        uint32_t topic;
        float share;
    } topics[LDA_PREDICT_TOPICS];
} told;

typedef struct prediction {
    const lda_saved *saved;
    const data_corpus *corpus;
    told *told; /* [corpus->n_kept] */
} prediction;

/* As lda_word_counts, of an lda_saved. */
static size_t counts_of_word(const void *context, uint32_t word, uint32_t *topics, uint32_t *counts)
{
    const lda_saved *saved = context;
    const uint32_t *row = saved->words.values + word * saved->n_topics;
    size_t n = 0;
    for (size_t k = 0; k < saved->n_topics; k++) {
        if (row[k] > 0) {
            topics[n] = (uint32_t) k;
            counts[n++] = row[k];
        }
    }
    return n;
}

/* Puts a topic in its place among the largest; of the same share the lower number comes first. */
static void insert(told *out, uint32_t topic, float share)
{
    uint32_t at = out->n;
    if (at == LDA_PREDICT_TOPICS) {
        if (share <= out->topics[--at].share) {
            return;
        }
    } else {
        out->n++;
    }
    for (; at > 0 && out->topics[at - 1].share < share; at--) {
        out->topics[at] = out->topics[at - 1];
    }
    out->topics[at].topic = topic;
    out->topics[at].share = share;
}

static void choose_topics(told *out, const double *theta, size_t n_topics)
{
    double sum = 0.0;
    uint32_t n = 0;
    out->n = 0;
    for (size_t k = 0; k < n_topics; k++) {
        insert(out, (uint32_t) k, (float) theta[k]);
    }
    while (n < out->n && sum < LDA_PREDICT_SHARE) {
        sum += (double) out->topics[n++].share;
    }
    out->n = n;
}

/* Documents first .. last-1, on one thread. */
static strads_status infer_range(void *context, size_t first, size_t last)
{
    const prediction *p = context;
    const data_corpus *corpus = p->corpus;
    const lda_infer_model model = {.n_words = p->saved->n_words,
                                   .n_topics = p->saved->n_topics,
                                   .totals = p->saved->totals,
                                   .alpha = p->saved->alpha,
                                   .beta = p->saved->beta,
                                   .counts = counts_of_word,
                                   .context = p->saved};
    lda_infer *infer = NULL;
    strads_status status = lda_infer_create(&infer, &model);
    if (status != STRADS_OK) {
        return status;
    }
    double *theta = strads_alloc_array(model.n_topics, sizeof(*theta));
    if (theta == NULL) {
        strads_error("lda: no memory for the topics of a document");
        status = STRADS_ERR_NOMEM;
    }
    for (size_t d = first; d < last && status == STRADS_OK; d++) {
        const size_t begin = corpus->starts[d];
        status =
            lda_infer_topics(infer, corpus->tokens + begin, corpus->starts[d + 1] - begin, theta);
        if (status == STRADS_OK) {
            choose_topics(&p->told[d], theta, model.n_topics);
        }
    }
    strads_free(theta);
    lda_infer_destroy(infer);
    return status;
}

static strads_status print(const prediction *p, FILE *to)
{
    for (size_t d = 0; d < p->corpus->n_kept; d++) {
        const told *line = &p->told[d];
        char digits[DATA_ID_BYTES];
        if (p->corpus->names.n > 0) {
            fputs(data_ids_name(&p->corpus->names, (uint32_t) d, digits), to);
        } else {
            fprintf(to, "%zu", d + 1);
        }
        for (uint32_t i = 0; i < line->n; i++) {
            fprintf(to, "%c%u:%.4f", i == 0 ? '\t' : ' ', line->topics[i].topic,
                    (double) line->topics[i].share);
        }
        fputc('\n', to);
    }
    if (ferror(to)) {
        strads_error("cannot write the topics");
        return STRADS_ERR_IO;
    }
    return STRADS_OK;
}

static strads_status predict(const lda_saved *saved, const data_corpus *corpus, FILE *to)
{
    prediction p = {.saved = saved,
                    .corpus = corpus,
                    .told = strads_alloc_array(corpus->n_kept, sizeof(*p.told))};
    if (p.told == NULL) {
        strads_error("lda: no memory for the topics of %zu documents", corpus->n_kept);
        return STRADS_ERR_NOMEM;
    }
    strads_status status = strads_parallel_for(strads_cores(), corpus->n_kept, infer_range, &p);
    if (status == STRADS_OK) {
        status = print(&p, to);
    }
    strads_free(p.told);
    return status;
}

/* Reads all documents of the source with the model's vocabulary. */
static strads_status read_documents(data_corpus *out, const data_corpus_source *source,
                                    const char *model_dir)
{
    char *vocab = lda_saved_vocab_path(model_dir);
    if (vocab == NULL) {
        return STRADS_ERR_NOMEM;
    }
    data_corpus_source whole = *source;
    whole.vocab = vocab;
    whole.cache = NULL;
    whole.n_shares = 0;
    const strads_status status = data_corpus_read(out, &whole);
    strads_free(vocab);
    return status;
}

strads_status lda_predict_topics(const data_corpus_source *source, const char *model_dir, FILE *to)
{
    lda_saved saved;
    data_corpus corpus;
    strads_status status = lda_saved_read(&saved, model_dir);
    if (status != STRADS_OK) {
        return status;
    }
    status = read_documents(&corpus, source, model_dir);
    if (status == STRADS_OK) {
        if (corpus.n_words == saved.n_words) {
            status = predict(&saved, &corpus, to);
        } else {
            strads_error("%s: vocab.txt has %u words and word_topics.npy %zu rows: expected as "
                         "many",
                         model_dir, corpus.n_words, saved.n_words);
            status = STRADS_ERR_DATA;
        }
        data_corpus_fini(&corpus);
    }
    lda_saved_fini(&saved);
    return status;
}
