/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/infer.c - CVB0 on one document under a fixed model, and document completion. */
#include "apps/lda/infer.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"

/* A sweep that moves less than this share of the tokens is the last. */
static const double SETTLED = 1e-4;
enum { MAX_SWEEPS = 200 };

/* A word of the document: its entries end here and begin where those of the word before it end. */
typedef struct word {
    uint32_t n_tokens;
    size_t end;
} word;

/* A topic that has counts of a word. */
typedef struct entry {
    uint32_t topic;
    double seen;  /* n_wk / (n_k + V beta) */
    double gamma; /* expected tokens in the topic, of one token, by this part */
} entry;

struct lda_infer {
    lda_infer_model model;
    double *alpha;  /* [n_topics] */
    double *scale;  /* [n_topics] 1 / (n_k + V beta) */
    double *weight; /* [n_topics] n_dk + alpha_k */
    double *spread; /* [n_topics] what weight has of tokens by beta / (n_k + V beta) */
    double alpha_sum;
    uint32_t *topics, *counts; /* [n_topics] of a word */

    uint32_t *tokens; /* sorted */
    word *words;
    entry *entries;
    size_t tokens_room, words_room, entries_room;
    size_t n_words;
};

static strads_status no_memory(void)
{
    strads_error("lda: no memory for the topics of a document");
    return STRADS_ERR_NOMEM;
}

strads_status lda_infer_create(lda_infer **out, const lda_infer_model *model)
{
    const size_t n = model->n_topics;
    lda_infer *infer = strads_calloc(1, sizeof(*infer));
    if (infer == NULL) {
        return no_memory();
    }
    infer->model = *model;
    infer->alpha = strads_alloc_array(n, sizeof(*infer->alpha));
    infer->scale = strads_alloc_array(n, sizeof(*infer->scale));
    infer->weight = strads_alloc_array(n, sizeof(*infer->weight));
    infer->spread = strads_alloc_array(n, sizeof(*infer->spread));
    infer->topics = strads_alloc_array(n, sizeof(*infer->topics));
    infer->counts = strads_alloc_array(n, sizeof(*infer->counts));
    if (infer->alpha == NULL || infer->scale == NULL || infer->weight == NULL ||
        infer->spread == NULL || infer->topics == NULL || infer->counts == NULL) {
        lda_infer_destroy(infer);
        return no_memory();
    }
    for (size_t k = 0; k < n; k++) {
        infer->alpha[k] = model->alpha[k];
        infer->alpha_sum += model->alpha[k];
        infer->scale[k] = 1.0 / (model->totals[k] + (double) model->n_words * model->beta);
    }
    *out = infer;
    return STRADS_OK;
}

void lda_infer_destroy(lda_infer *infer)
{
    if (infer == NULL) {
        return;
    }
    strads_free(infer->alpha);
    strads_free(infer->scale);
    strads_free(infer->weight);
    strads_free(infer->spread);
    strads_free(infer->topics);
    strads_free(infer->counts);
    strads_free(infer->tokens);
    strads_free(infer->words);
    strads_free(infer->entries);
    strads_free(infer);
}

/* ---- the words of a document ---- */

static int by_value(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *) a;
    const uint32_t right = *(const uint32_t *) b;
    return (left > right) - (left < right);
}

static strads_status reserve(lda_infer *infer, size_t n_words, size_t n_entries)
{
    strads_status status =
        strads_reserve(&infer->words, &infer->words_room, n_words, sizeof(*infer->words));
    if (status == STRADS_OK) {
        status = strads_reserve(&infer->entries, &infer->entries_room, n_entries,
                                sizeof(*infer->entries));
    }
    return status == STRADS_OK ? status : no_memory();
}

/* Adds a word that is there n_tokens times. */
static strads_status add_word(lda_infer *infer, uint32_t id, uint32_t n_tokens)
{
    const lda_infer_model *model = &infer->model;
    const size_t n = model->counts(model->context, id, infer->topics, infer->counts);
    const size_t begin = infer->n_words == 0 ? 0 : infer->words[infer->n_words - 1].end;
    /* One entry more, so that they are somewhere even if no topic has counts. */
    const strads_status status = reserve(infer, infer->n_words + 1, begin + n + 1);
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        const uint32_t k = infer->topics[i];
        infer->entries[begin + i] = (entry){.topic = k, .seen = infer->counts[i] * infer->scale[k]};
    }
    infer->words[infer->n_words++] = (word){.n_tokens = n_tokens, .end = begin + n};
    return STRADS_OK;
}

/* Takes the words of tokens[n], which it sorts. */
static strads_status take_words(lda_infer *infer, uint32_t *tokens, size_t n)
{
    strads_status status = STRADS_OK;
    infer->n_words = 0;
    if (n > 0) {
        qsort(tokens, n, sizeof(*tokens), by_value);
    }
    for (size_t i = 0, end = 0; i < n && status == STRADS_OK; i = end) {
        for (end = i + 1; end < n && tokens[end] == tokens[i]; end++) {
        }
        status = add_word(infer, tokens[i], (uint32_t) (end - i));
    }
    return status;
}

static strads_status copy_tokens(lda_infer *infer, const uint32_t *tokens, size_t n)
{
    if (strads_reserve(&infer->tokens, &infer->tokens_room, n, sizeof(*tokens)) != STRADS_OK) {
        return no_memory();
    }
    for (size_t i = 0; i < n; i++) {
        infer->tokens[i] = tokens[i];
    }
    return STRADS_OK;
}

/* ---- the fixed point ---- */

/* sum_k weight_k beta / (n_k + V beta): what every word has of all topics. */
static double common_part(const lda_infer *infer)
{
    double sum = 0.0;
    for (size_t k = 0; k < infer->model.n_topics; k++) {
        sum += infer->weight[k] * infer->scale[k];
    }
    return infer->model.beta * sum;
}

/* New gammas of one word, in its n entries; returns how far its tokens moved, and adds to *spread
 * those that the common part takes. */
static double update_word(double *weight, entry *entries, size_t n, double n_tokens, double common,
                          double *spread)
{
    double sum = common;
    double moved = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += entries[i].seen * (weight[entries[i].topic] - entries[i].gamma);
    }
    for (size_t i = 0; i < n; i++) {
        entry *e = &entries[i];
        const double gamma = e->seen * (weight[e->topic] - e->gamma) / sum;
        const double change = n_tokens * (gamma - e->gamma);
        weight[e->topic] += change;
        moved += fabs(change);
        e->gamma = gamma;
    }
    *spread += n_tokens * common / sum;
    return moved;
}

/* Gives the topics `spread` tokens in proportion of the common part, in place of what they had;
 * returns how far tokens moved. */
static double update_spread(lda_infer *infer, double spread)
{
    const double common = common_part(infer);
    double moved = 0.0;
    for (size_t k = 0; k < infer->model.n_topics; k++) {
        const double share =
            spread * infer->model.beta * infer->weight[k] * infer->scale[k] / common;
        const double change = share - infer->spread[k];
        infer->weight[k] += change;
        infer->spread[k] = share;
        moved += fabs(change);
    }
    return moved;
}

static double sweep(lda_infer *infer)
{
    const double common = common_part(infer);
    double moved = 0.0;
    double spread = 0.0;
    size_t begin = 0;
    for (size_t i = 0; i < infer->n_words; i++) {
        const word *w = &infer->words[i];
        moved += update_word(infer->weight, infer->entries + begin, w->end - begin, w->n_tokens,
                             common, &spread);
        begin = w->end;
    }
    return moved + update_spread(infer, spread);
}

/* weight := n_dk + alpha_k of tokens[n], which it sorts. All begins spread as the prior is. */
static strads_status settle(lda_infer *infer, uint32_t *tokens, size_t n)
{
    const strads_status status = take_words(infer, tokens, n);
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t k = 0; k < infer->model.n_topics; k++) {
        infer->spread[k] = (double) n * infer->alpha[k] / infer->alpha_sum;
        infer->weight[k] = infer->alpha[k] + infer->spread[k];
    }
    double moved = n > 0 ? INFINITY : 0.0;
    for (int i = 0; i < MAX_SWEEPS && moved > SETTLED * (double) n; i++) {
        moved = sweep(infer);
    }
    return STRADS_OK;
}

strads_status lda_infer_topics(lda_infer *infer, const uint32_t *tokens, size_t n, double *theta)
{
    strads_status status = copy_tokens(infer, tokens, n);
    if (status == STRADS_OK) {
        status = settle(infer, infer->tokens, n);
    }
    for (size_t k = 0; k < infer->model.n_topics && status == STRADS_OK; k++) {
        theta[k] = infer->weight[k] / ((double) n + infer->alpha_sum);
    }
    return status;
}

/* ---- document completion ---- */

/* Puts n of tokens[of], drawn without replacement, first. */
static void draw_first(uint32_t *tokens, size_t n, size_t of, strads_random random)
{
    for (size_t i = 0; i < n; i++) {
        const size_t j = i + strads_random_below(&random, of - i);
        const uint32_t token = tokens[j];
        tokens[j] = tokens[i];
        tokens[i] = token;
    }
}

/* sum of log sum_k weight_k p(w | k) over the words' tokens. */
static double words_likelihood(const lda_infer *infer)
{
    const double common = common_part(infer);
    double logs = 0.0;
    size_t begin = 0;
    for (size_t i = 0; i < infer->n_words; i++) {
        const word *w = &infer->words[i];
        double sum = common;
        for (; begin < w->end; begin++) {
            sum += infer->entries[begin].seen * infer->weight[infer->entries[begin].topic];
        }
        logs += w->n_tokens * log(sum);
    }
    return logs;
}

strads_status lda_infer_complete(lda_infer *infer, const uint32_t *tokens, size_t n, uint64_t seed,
                                 uint64_t document, lda_heldout *sum)
{
    const size_t n_given = n - n / 2;
    const size_t n_asked = n / 2;
    strads_status status = n_asked > 0 ? copy_tokens(infer, tokens, n) : STRADS_OK;
    if (n_asked == 0 || status != STRADS_OK) {
        return status;
    }
    draw_first(infer->tokens, n_given, n, strads_random_start(seed, document));
    status = settle(infer, infer->tokens, n_given);
    if (status == STRADS_OK) {
        status = take_words(infer, infer->tokens + n_given, n_asked);
    }
    if (status == STRADS_OK) {
        sum->log_likelihood +=
            words_likelihood(infer) - (double) n_asked * log((double) n_given + infer->alpha_sum);
        sum->n_tokens += (double) n_asked;
    }
    return status;
}
