/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/corpus_generate.c - documents drawn from known topics: latent Dirichlet allocation
 * (D. M. Blei, A. Y. Ng, M. I. Jordan, 2003).
 *
 * Each topic and each document draws from a stream of its own.
 */
#include <assert.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "data/corpus_parts.h"

/* What a stream is for: its upper half. The lower is a topic or a document. */
typedef enum purpose { TOPIC, DOCUMENT } purpose;

typedef struct maker {
    const data_corpus_design *design;
    double *topics; /* [n_words][n_topics] */
    double *until;  /* [n_topics][n_words] the same, added up */
    double *theta;  /* [n_topics] of the document at work, added up */
    uint64_t *lengths;
    data_corpus corpus;
    size_t tokens_room;
} maker;

/* A generator in the memory of its caller. */
static gsl_rng start(strads_random *state, const data_corpus_design *design, purpose what,
                     size_t which)
{
    *state = strads_random_start(design->seed, (uint64_t) what << 32 | which);
    return (gsl_rng){.type = strads_random_gsl(), .state = state};
}

/* The logarithm of a Gamma(a) variate, which may itself be too small for a double. */
static double log_gamma_draw(const gsl_rng *rng, double a)
{
    const double boost = log(1.0 - gsl_rng_uniform(rng)) / a;
    return log(gsl_ran_gamma(rng, a + 1.0, 1.0)) + boost;
}

/* p := a draw of the symmetric Dirichlet(a), n numbers. */
static void draw_dirichlet(const gsl_rng *rng, double a, double *p, size_t n)
{
    double most = -INFINITY;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        p[i] = log_gamma_draw(rng, a);
        most = fmax(most, p[i]);
    }
    for (size_t i = 0; i < n; i++) {
        p[i] = exp(p[i] - most);
        sum += p[i];
    }
    for (size_t i = 0; i < n; i++) {
        p[i] /= sum;
    }
}

static void add_up(double *p, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        p[i] += p[i - 1];
    }
}

/* An index by weights that are added up: the first whose sum is above a uniform draw. */
static uint32_t draw_index(const gsl_rng *rng, const double *until, uint32_t n)
{
    const double at = gsl_rng_uniform(rng) * until[n - 1];
    uint32_t first = 0;
    uint32_t last = n - 1;
    while (first < last) {
        const uint32_t middle = first + (last - first) / 2;
        if (until[middle] > at) {
            last = middle;
        } else {
            first = middle + 1;
        }
    }
    return first;
}

static void draw_topics(maker *all)
{
    const data_corpus_design *design = all->design;
    for (size_t k = 0; k < design->n_topics; k++) {
        strads_random state;
        const gsl_rng rng = start(&state, design, TOPIC, k);
        double *phi = all->until + k * design->n_words;
        draw_dirichlet(&rng, design->beta, phi, design->n_words);
        for (size_t w = 0; w < design->n_words; w++) {
            all->topics[w * design->n_topics + k] = phi[w];
        }
        add_up(phi, design->n_words);
    }
}

static strads_status draw_document(maker *all, size_t d)
{
    const data_corpus_design *design = all->design;
    data_corpus *corpus = &all->corpus;
    strads_random state;
    const gsl_rng rng = start(&state, design, DOCUMENT, d);
    const size_t n = gsl_ran_poisson(&rng, design->length);
    const strads_status status = strads_reserve(&corpus->tokens, &all->tokens_room,
                                                corpus->n_tokens + n, sizeof(*corpus->tokens));
    if (status != STRADS_OK) {
        return status;
    }
    draw_dirichlet(&rng, design->alpha, all->theta, design->n_topics);
    add_up(all->theta, design->n_topics);
    for (size_t i = 0; i < n; i++) {
        const size_t k = draw_index(&rng, all->theta, design->n_topics);
        const uint32_t w = draw_index(&rng, all->until + k * design->n_words, design->n_words);
        corpus->tokens[corpus->n_tokens + i] = w;
        corpus->counts[w]++;
    }
    corpus->n_tokens += n;
    all->lengths[d] = n;
    return STRADS_OK;
}

static strads_status name_words(data_ids *words, uint32_t n)
{
    strads_status status = STRADS_OK;
    for (uint32_t w = 0; w < n && status == STRADS_OK; w++) {
        char name[DATA_ID_BYTES + 1];
        uint32_t index = 0;
        const int length = snprintf(name, sizeof(name), "w%u", w + 1);
        status = data_ids_add(words, name, (size_t) length, &index);
    }
    return status;
}

static strads_status make(maker *all)
{
    const data_corpus_design *design = all->design;
    const size_t cells = (size_t) design->n_topics * design->n_words;
    data_corpus *corpus = &all->corpus;
    all->topics = strads_alloc_array(cells, sizeof(double));
    all->until = strads_alloc_array(cells, sizeof(double));
    all->theta = strads_alloc_array(design->n_topics, sizeof(double));
    all->lengths = strads_calloc(design->n_documents, sizeof(*all->lengths));
    corpus->counts = strads_calloc(design->n_words, sizeof(*corpus->counts));
    if (all->topics == NULL || all->until == NULL || all->theta == NULL || all->lengths == NULL ||
        corpus->counts == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_status status = name_words(&corpus->words, design->n_words);
    draw_topics(all);
    for (size_t d = 0; d < design->n_documents && status == STRADS_OK; d++) {
        status = draw_document(all, d);
    }
    corpus->n_tokens = 0;
    return status == STRADS_OK ? corpus_measure_documents(corpus, all->lengths) : status;
}

strads_status data_corpus_generate(data_corpus *out, double **topics,
                                   const data_corpus_design *design)
{
    assert(design->n_documents > 0 && design->n_words > 0 && design->n_topics > 0);
    assert(design->length > 0.0 && design->alpha > 0.0 && design->beta > 0.0);
    maker all = {.design = design,
                 .corpus = {.n_documents = design->n_documents, .n_words = design->n_words}};
    corpus_set_share(&all.corpus, &(data_corpus_source){.n_shares = 0});
    strads_status status = make(&all);
    strads_free(all.until);
    strads_free(all.theta);
    strads_free(all.lengths);
    if (status == STRADS_OK && all.corpus.n_tokens == 0) {
        strads_error("generate: none of %u documents of %g tokens got any: expected more",
                     design->n_documents, design->length);
        status = STRADS_ERR_USAGE;
    } else if (status != STRADS_OK) {
        strads_error("generate: no memory for %u documents of %u words and %u topics",
                     design->n_documents, design->n_words, design->n_topics);
    }
    if (status != STRADS_OK) {
        strads_free(all.topics);
        data_corpus_fini(&all.corpus);
        return status;
    }
    *out = all.corpus;
    *topics = all.topics;
    return STRADS_OK;
}
