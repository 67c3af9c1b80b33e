/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/lda.c - topic models as a model program: its options and its callbacks. */
#include "apps/lda/lda.h"

#include <math.h>

#include "apps/lda/data_parallel.h"
#include "apps/lda/predict.h"

static const strads_option options[] = {
    {.key = "data.corpus",
     .type = STRADS_PATH,
     .help = "The documents: docword (three lines with the numbers of documents, words and "
             "entries, then lines \"document word count\"), a text with a document a line, or a "
             "folder with a text file a document; files may be compressed by gzip."},
    {.key = "data.vocab",
     .type = STRADS_PATH,
     .help = "The words, one a line. Of docword they are its words; of texts, other words are "
             "left out."},
    {.key = "data.cache",
     .type = STRADS_BOOL,
     .fallback = "false",
     .help = "Whether what was read is kept in a file beside the data, from which the next run "
             "takes it."},
    {.key = "lda.heldout_fraction",
     .type = STRADS_REAL,
     .fallback = "0",
     .min = 0,
     .max = 0.9,
     .help = "The part of the documents that is held out, to measure perplexity by: half of a "
             "document's tokens tell its topics, the other half is foretold. Before the last sweep "
             "about one in a hundred of all documents is."},
    {.key = "data.lower_case",
     .type = STRADS_BOOL,
     .fallback = "true",
     .help = "Of texts: whether capital letters are taken as small ones (of ASCII)."},
    {.key = "data.min_length",
     .type = STRADS_INT,
     .fallback = "3",
     .min = 1,
     .max = 1000,
     .unit = "characters",
     .help = "Of texts: the shortest words that are taken."},
    {.key = "data.stop_words",
     .type = STRADS_PATH,
     .help = "Of texts: a text whose words are left out."},
    {.key = "data.min_documents",
     .type = STRADS_INT,
     .fallback = "5",
     .min = 1,
     .max = 4e9,
     .unit = "documents",
     .help = "Of texts: in how many documents a word must be."},
    {.key = "data.max_documents",
     .type = STRADS_REAL,
     .fallback = "0.1",
     .min = 0,
     .max = 1,
     .above_min = true,
     .help = "Of texts: in which share of the documents a word may be at most."},
    {.key = "lda.topics",
     .type = STRADS_INT,
     .fallback = "100",
     .min = 1,
     .max = LDA_TOPICS_MAX,
     .unit = "topics",
     .help = "How many topics there are."},
    {.key = "lda.alpha",
     .type = STRADS_REAL,
     .fallback = "0.1",
     .min = 1e-6,
     .max = 1e6,
     .help = "The prior of each topic in a document, in tokens."},
    {.key = "lda.optimize_alpha",
     .type = STRADS_BOOL,
     .fallback = "false",
     .help = "Whether each topic gets a prior of its own, fitted to the documents every 10 sweeps; "
             "lda.alpha is where it begins."},
    {.key = "lda.beta",
     .type = STRADS_REAL,
     .fallback = "0.01",
     .min = 1e-6,
     .max = 1e6,
     .help = "The prior of each word in a topic, in tokens."},
    {.key = "lda.sweeps",
     .type = STRADS_INT,
     .fallback = "100",
     .min = 1,
     .max = 1e6,
     .unit = "sweeps",
     .help = "Sweeps over the tokens; the first is the start, until each has a topic."},
    {.key = "lda.start",
     .type = STRADS_CHOICE,
     .fallback = "growing",
     .choices = "growing | random",
     .help = "How tokens get their first topics: a few documents one token after the other, by "
             "what is there so far, and swept, then more; or any topic with the same chance."},
    {.key = "lda.evaluate_every",
     .type = STRADS_INT,
     .fallback = "10",
     .min = 1,
     .max = 1e6,
     .unit = "sweeps",
     .help = "How often the log-likelihood is computed; it also is after the first sweep and the "
             "last one."},
    {.key = "lda.save_assignments",
     .type = STRADS_BOOL,
     .fallback = "false",
     .help = "Whether assignments.txt is written: a line a document, its number of tokens and "
             "WORD:TOPIC for each, numbered from 0."},
};

static const strads_measure measures[LDA_N_MEASURES] = {
    [LDA_LIKELIHOOD] = {.name = "log_likelihood", .reduction = STRADS_SUM},
    [LDA_HELDOUT] = {.name = "heldout_log_likelihood", .reduction = STRADS_SUM, .journaled = true},
    [LDA_HELDOUT_TOKENS] = {.name = "heldout_tokens", .reduction = STRADS_SUM, .journaled = true},
    [LDA_SAMPLED] = {.name = "sampled", .reduction = STRADS_SUM},
    [LDA_MOVED] = {.name = "moved", .reduction = STRADS_SUM, .journaled = true},
    [LDA_SECONDS] = {.name = "training_seconds", .reduction = STRADS_MAX},
    [LDA_TOTALS_ERROR] = {.name = "totals_error", .reduction = STRADS_MAX, .journaled = true},
};

static strads_status predict(const strads_config *config, const char *model_dir,
                             const char *data_path, FILE *to)
{
    const data_corpus_source source = {
        .path = data_path,
        .text = {.lower_case = strads_config_bool(config, "data.lower_case"),
                 .max_documents = 1.0}};
    return lda_predict_topics(&source, model_dir, to);
}

static const strads_grid grid = {.n_rows = lda_n_rows,
                                 .open_column = lda_open_column,
                                 .work = lda_work,
                                 .measure = lda_measure,
                                 .give_rows = lda_give_rows,
                                 .take_rows = lda_take_rows,
                                 .take_column = lda_take_column,
                                 .tables = true};

const strads_app lda_app = {
    .struct_size = sizeof(strads_app),
    .abi = STRADS_APP_ABI,
    .name = "lda",
    .help = "Topics of documents, by latent Dirichlet allocation.",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .measures = measures,
    .n_measures = LDA_N_MEASURES,

    .open_site = lda_open_site,
    .close_site = lda_close_site,
    .describe = lda_describe,
    .open_worker = lda_open_worker,
    .close_worker = lda_close_worker,
    .open_model = lda_open_model,
    .close_model = lda_close_model,

    .step = lda_step_by_tables,
    .measure = lda_measure_by_tables,
    .next_stage = lda_next_stage,
    .save = lda_save,
    .predict = predict,
    .estimate = lda_estimate,
    .grid = &grid,
};
