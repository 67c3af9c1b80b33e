/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/lda.h - latent Dirichlet allocation (Blei, Ng & Jordan 2003) as a model program on a
 * grid of documents and words: what its files share.
 *
 * Every token, a word in a document, has a topic, drawn by collapsed Gibbs sampling (kernels.h).
 * Documents stay with a worker, words travel in columns, and the totals of the topics are a row of
 * a table that all workers read a little late. site.c has the documents, as words.c and
 * documents.c order them; plan.c tells what each pass does; worker.c does it; model.c is what the
 * coordinator makes of it.
 */
#ifndef STRADS_LDA_LDA_H
#define STRADS_LDA_LDA_H

#include "apps/lda/kernels.h"
#include "data/corpus.h"
#include "strads/grid.h"

extern const strads_app lda_app;

enum { LDA_TOPICS_MAX = 65535 };

/* Its measures. */
enum {
    LDA_LIKELIHOOD,     /* joint log-likelihood, in a scan that evaluates; else 0 */
    LDA_HELDOUT,        /* log-likelihood of what is foretold of held-out documents, in a scan that
                         * evaluates; else, and where there are none, INFINITY */
    LDA_HELDOUT_TOKENS, /* how many tokens that is */
    LDA_SAMPLED,        /* tokens in the last pass */
    LDA_MOVED,          /* of them, that got another topic */
    LDA_SECONDS,        /* of sampling, in the last pass */
    LDA_TOTALS_ERROR,   /* sum over the topics of |n_k as it was known - n_k| / tokens, the worst */
    LDA_N_MEASURES
};

/* ---- words.c: which words travel together ---- */

/* Words in the order in which columns have them: a column has n_sub blocks of words, which
 * kernels work on side by side, and a block its words from the most frequent one on. */
typedef struct lda_words {
    uint32_t n, n_columns, n_sub;
    uint32_t *position; /* [n] of each word */
    uint32_t *word;     /* [n] at each position */
    uint32_t *firsts;   /* [n_columns * n_sub + 1] positions where blocks begin */
    lda_place *places;  /* [n] by position, where in its column its counts are */
    size_t *units;      /* [n_columns] how many 32-bit units its counts take */
} lda_words;

/* Deals the words, with counts[n] tokens each, to blocks of about equal tokens. */
STRADS_MUST_CHECK strads_status lda_words_init(lda_words *out, const uint64_t *counts, uint32_t n,
                                               uint32_t n_columns, uint32_t n_sub,
                                               uint32_t n_topics, bool lists);
void lda_words_fini(lda_words *words); /* one of zeros is allowed */

/* ---- documents.c: the tokens of a worker, in the order of its columns ---- */

enum { LDA_SUBS_MAX = LDA_STREAMS + 1, LDA_STAGES_MAX = 16 };

/* Some of a worker's documents, numbered by themselves. */
typedef struct lda_sub {
    uint32_t n;                    /* documents */
    uint64_t *numbers;             /* [n] in the corpus */
    uint32_t *lengths;             /* [n] tokens */
    uint32_t ends[LDA_STAGES_MAX]; /* the documents of stages 0 .. i come before ends[i] */
    uint64_t *starts;              /* [words + 1] by position: where a word's tokens begin */
    uint32_t *docs;                /* [tokens + 64] the document of each token */
} lda_sub;

/* Those with at most LDA_LENGTH_MAX tokens are in the first n_sub, the others in one of their
 * own behind these. */
typedef struct lda_documents {
    lda_sub subs[LDA_SUBS_MAX];
    uint32_t n_subs;
    uint64_t n_tokens;
    uint32_t n_longest;
} lda_documents;

/* Documents that are not trained on. */
typedef struct lda_heldout_documents {
    size_t n;
    size_t *starts;    /* [n + 1] */
    uint32_t *tokens;  /* words */
    uint64_t *numbers; /* [n] in the corpus */
} lda_heldout_documents;

struct lda_site;
/* Those of worker `rank`, of this process; and its held-out ones. */
STRADS_MUST_CHECK strads_status lda_documents_init(lda_documents *out,
                                                   lda_heldout_documents *heldout,
                                                   const struct lda_site *site,
                                                   const data_corpus *corpus, uint32_t rank);
/* Of zeros are allowed. */
void lda_documents_fini(lda_documents *documents);
void lda_heldout_fini(lda_heldout_documents *heldout);

/* ---- site.c ---- */

typedef struct lda_site {
    const strads_config *config;
    uint32_t n_workers, first, end; /* of the run; of this process */
    uint32_t n_topics, n_padded, n_sub;
    uint32_t n_stages; /* of the start */
    bool dense;        /* documents have rows of all topics */
    double alpha, beta;
    uint64_t seed;
    uint64_t n_tokens; /* of the whole run, held-out documents apart */
    size_t n_documents, n_empty, n_heldout, n_unknown; /* of the whole run */
    uint32_t n_longest;                                /* tokens of its longest document */
    const lda_kernels *kernels;
    lda_words words;
    lda_documents *documents;       /* [end - first] */
    lda_heldout_documents *heldout; /* [end - first] */
    data_ids texts;                 /* of the words */
    data_ids names;                 /* of the documents, if they have any */
} lda_site;

/* ---- plan.c: what each pass does ---- */

/* A growing start (a few documents in sequence, swept, then four times as many, ...) brings the
 * likelihood up at a fraction of the cost of sweeps over everything. */
typedef struct lda_pass {
    bool counts;            /* adds up the topics that tokens were given when workers opened */
    bool first;             /* draws topics for documents that have none: those of `stage`; */
    uint32_t stage;         /* else it sweeps over the documents up to it */
    uint32_t sweep;         /* what it completes, 1 when all documents have topics; 0: not yet */
    uint32_t part, n_parts; /* only the part-th of so many slices of its documents; 0 of 0: all */
} lda_pass;

/* A corpus that is small has but one. */
uint32_t lda_plan_n_stages(const strads_config *config, size_t n_documents);
/* The share of the documents, chosen at random, that are in stages 0 .. stage. */
double lda_plan_share(const lda_site *site, uint32_t stage);
lda_pass lda_plan_pass(const lda_site *site, uint64_t pass);
/* What stands for lda.beta in the pass: from the first sweep on, that itself. */
double lda_plan_beta(const lda_site *site, const lda_pass *plan);
/* Topics are drawn in the pass by so many times lda.alpha: once when all documents have some. */
double lda_plan_alpha(const lda_pass *plan);
/* The documents of a sub that the pass works on: low <= d < high. */
void lda_plan_documents(const lda_pass *plan, const lda_sub *sub, uint32_t *low, uint32_t *high);
/* Whether topics are drawn evenly before the first pass; */
bool lda_plan_is_random(const strads_config *config);
/* and whether the documents of stage 0 are given one each. */
bool lda_plan_is_together(const lda_site *site);
/* Whether the likelihood is computed after it. */
bool lda_plan_evaluates(const strads_config *config, uint32_t sweep);
/* Of the held-out documents each so many-th is foretold after the sweep: all after the last one;
 * earlier about one in a hundred of the documents of the run, for time. */
uint32_t lda_plan_foretells(const strads_config *config, uint32_t sweep);
/* Whether workers tell in this pass how its documents were before it, and learn a prior after it,
 * which holds from the next pass on. */
bool lda_plan_learns(const lda_site *site, uint64_t pass);

/* ---- estimate.c ---- */

/* Of a run. */
typedef struct lda_sizes {
    double n_documents, n_words, n_tokens;
    uint32_t longest;           /* tokens of a document, or a guess */
    uint32_t n_workers, n_mine; /* n_mine of them in this process, > 0 */
} lda_sizes;

/* NOMEM, and says so, when the machine has less memory than the run takes at its peak. */
STRADS_MUST_CHECK strads_status lda_check_memory(const strads_config *config,
                                                 const lda_sizes *sizes);

/* site.c: how large data.corpus is; USAGE when it is not set. */
STRADS_MUST_CHECK strads_status lda_measure_corpus(const strads_config *config,
                                                   data_corpus_size *out);

/* ---- the program ---- */

strads_status lda_estimate(const strads_config *config, strads_size *size);

strads_status lda_open_site(const strads_config *config, strads_part *part, void **site);
void lda_close_site(void *site);
strads_status lda_describe(const void *site, strads_structure *structure);
uint32_t lda_n_rows(const void *site);

/* ---- worker.c ---- */

strads_status lda_open_worker(const void *site, strads_worker *worker, void **state);
void lda_close_worker(void *state);
strads_status lda_open_column(void *state, uint32_t column, strads_buffer *buffer);
strads_status lda_work(void *state, const strads_cell *cell, strads_buffer *buffer);
strads_status lda_measure(void *state, uint32_t column, strads_buffer *buffer, double *measures);
strads_status lda_give_rows(void *state, strads_buffer *buffer);

/* ---- model.c ---- */

strads_status lda_open_model(const strads_config *config, const void *site, void **model);
void lda_close_model(void *model);
strads_status lda_next_stage(void *model, const strads_view *view, strads_stage *stage);
strads_status lda_take_rows(void *model, uint32_t rank, const void *data, size_t bytes);
strads_status lda_take_column(void *model, uint32_t column, const void *data, size_t bytes);
strads_status lda_save(void *model, const void *site, const double *values, const char *dir,
                       strads_summary *summary);

#endif
