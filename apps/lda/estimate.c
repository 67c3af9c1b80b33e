/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/estimate.c - what memory a run takes, from the sizes of its data. */
#include <math.h>
#include <string.h>

#include "apps/lda/data_parallel.h"
#include "apps/lda/heldout.h"
#include "apps/lda/likelihood.h"

/* Of a token: as it was read, its document, its topic. Reading and sorting are over before topics
 * are there. */
static const double READ = sizeof(uint32_t), DOC = sizeof(uint32_t), TOPIC = sizeof(uint16_t);
/* Of an entry of a row, or of a list of counts; of a topic of a document, or of a token with its
 * topic, that is being saved. */
static const double ENTRY = sizeof(uint32_t), SAVED = 2 * sizeof(uint32_t);
/* Half a line of 16 entries, by which rows are rounded up; its number, length, and place. */
static const double LINE = 8.0, BY_DOCUMENT = 20.0;
/* Of a word: text, index of texts, position, word, place, count. */
static const double BY_WORD = 80.0;
/* Of a word in each stream: where its tokens begin. Of a topic: n_k, alpha, and the like. */
static const double BY_PLACE = sizeof(uint64_t), BY_TOPIC = 64.0;
/* A document's tokens share topics: so many there are of a token. */
static const double TOPICS_A_TOKEN = 0.45;
/* Where docword says how many entries it has, so many tokens each, in usual texts. */
static const double TOKENS_AN_ENTRY = 1.3;
/* The program, and what its threads read by. */
static const double BASE = 8e6;
/* A document of which nothing is known is at most so many times as long as the mean. */
static const double LONGEST = 50.0;

/* Of a process, in turn; and what of `running` and `saving` is of each worker. */
typedef struct memory {
    double loading, running, saving, worker;
} memory;

/* Of words in a table: the process's share of the rows, which comes to `running` and `saving`, and
 * what each worker has: copies of the rows that it reads, increments of a period, and room. */
static void add_tables(memory *to, const strads_config *config, const lda_sizes *sizes,
                       double tokens)
{
    const uint32_t n_topics = (uint32_t) strads_config_int(config, "lda.topics");
    const double n_periods = (double) strads_config_int(config, "ssp.periods");
    const double mine = (double) sizes->n_mine / sizes->n_workers;
    const double read = fmin(sizes->n_words, tokens);
    const double changed = fmin(sizes->n_words, tokens / n_periods);
    to->running += mine * lda_tables_row_bytes(n_topics, sizes->n_words);
    to->saving += mine * lda_tables_row_bytes(n_topics, sizes->n_words);
    to->worker += lda_tables_row_bytes(n_topics, read + changed) + lda_tables_room_bytes(n_topics);
}

/* What a worker judges by: tables of rising factorials, of which there are two of fitted priors for
 * a moment; and copies of the counts of words that are held out. */
static double judging_bytes(const strads_config *config, const lda_sizes *sizes)
{
    const uint32_t n_topics = (uint32_t) strads_config_int(config, "lda.topics");
    const double held_out = strads_config_real(config, "lda.heldout_fraction");
    double sum = 2.0 * (double) lda_rising_bytes(1);
    if (strads_config_bool(config, "lda.optimize_alpha")) {
        sum +=
            2.0 * (double) lda_rising_bytes(n_topics) + lda_prior_bytes(n_topics, sizes->longest);
    }
    if (held_out > 0.0) {
        sum += sizeof(lda_copied) * sizes->n_words +
               sizeof(lda_copy) * fmin(TOPICS_A_TOKEN * (1.0 - held_out) * sizes->n_tokens,
                                       n_topics * sizes->n_words);
    }
    return sum;
}

/* Of each worker's documents that are too long for the kernels, of which there are as many as there
 * can be: rows of all topics, and a stream. */
static double long_bytes(const strads_config *config, const lda_sizes *sizes)
{
    const double n_topics = (double) strads_config_int(config, "lda.topics");
    const double n = fmin(sizes->n_documents, sizes->n_tokens / LDA_LENGTH_MAX);
    return sizes->longest > LDA_LENGTH_MAX
               ? n / sizes->n_workers * n_topics * sizeof(uint32_t) + BY_PLACE * sizes->n_words
               : 0.0;
}

/* What documents are saved from: their topics, which the coordinator gets from all and a worker has
 * of its own; of assignments the tokens too, which a worker sorts, a stream after the other. */
static double saved_bytes(const strads_config *config, const lda_sizes *sizes)
{
    const uint32_t n_topics = (uint32_t) strads_config_int(config, "lda.topics");
    const double tokens =
        (1.0 - strads_config_real(config, "lda.heldout_fraction")) * sizes->n_tokens;
    const double share = 1.0 / sizes->n_workers;
    const double n_streams = n_topics <= LDA_DENSE ? LDA_STREAMS : 1.0;
    const double pairs = fmin(TOPICS_A_TOKEN * tokens, sizes->n_documents * n_topics);
    return strads_config_bool(config, "lda.save_assignments")
               ? SAVED * ((pairs + tokens) * (1.0 + share) + tokens * share / n_streams) +
                     sizeof(void *) * sizes->n_documents
               : SAVED * pairs * (1.0 + share);
}

static memory add_up(const strads_config *config, const lda_sizes *sizes)
{
    const uint32_t n_topics = (uint32_t) strads_config_int(config, "lda.topics");
    const bool dense = n_topics <= LDA_DENSE;
    const double share = 1.0 / sizes->n_workers;
    const double mine = share * sizes->n_mine;
    const double tokens = sizes->n_tokens * share;
    const double documents = sizes->n_documents * share;
    const double trained = 1.0 - strads_config_real(config, "lda.heldout_fraction");
    const double row = lda_padded(n_topics);
    /* A word has a list of its tokens or an array of 16 bits a topic, whichever is shorter. */
    const double columns =
        dense ? row * sizeof(uint16_t) * sizes->n_words
              : ENTRY * fmin(sizes->n_tokens + sizes->n_words, row / 2.0 * sizes->n_words);
    const double rows = dense ? documents * row * sizeof(uint16_t)
                              : ENTRY * (tokens + documents * fmin(LINE, row / 2.0));
    const double of_worker = trained * (DOC * tokens + rows) + BY_DOCUMENT * documents +
                             (dense ? LDA_STREAMS : 1) * BY_PLACE * sizes->n_words;
    const double held_out = (1.0 - trained) * DOC * tokens;
    const double by_topics =
        sizeof(float) * (double) lda_scratch_floats(n_topics) + BY_TOPIC * n_topics;
    memory out = {.worker = of_worker + trained * TOPIC * tokens + held_out + by_topics +
                            judging_bytes(config, sizes) + long_bytes(config, sizes)};
    const double words = BASE + BY_WORD * sizes->n_words;
    out.loading = words + sizes->n_mine * tokens * (READ + DOC);
    out.running = words + columns * mine;
    /* The coordinator gets all columns and all documents; workers give theirs in turn. */
    out.saving = words + columns + saved_bytes(config, sizes);
    if (lda_uses_tables(config)) { /* workers give their own counts, one after the other */
        out.running -= columns * mine;
        out.saving += 2.0 * columns;
        add_tables(&out, config, sizes, trained * tokens);
    }
    return out;
}

strads_status lda_estimate(const strads_config *config, strads_size *size)
{
    data_corpus_size corpus;
    const strads_status status = lda_measure_corpus(config, &corpus);
    if (status != STRADS_OK) {
        return status;
    }
    const bool known = corpus.n_tokens > 0;
    const double n_tokens =
        known ? (double) corpus.n_tokens : TOKENS_AN_ENTRY * (double) corpus.n_entries;
    const lda_sizes sizes = {
        .n_documents = (double) corpus.n_documents,
        .n_words = (double) corpus.n_words,
        .n_tokens = n_tokens,
        .longest = (uint32_t) fmin(LONGEST * n_tokens / fmax((double) corpus.n_documents, 1.0),
                                   fmin(n_tokens, UINT32_MAX)),
        .n_workers = size->n_workers,
        .n_mine = (size->n_workers + size->n_processes - 1) / size->n_processes};
    printf("%s: %zu documents, %zu words, ", strads_config_text(config, "data.corpus"),
           corpus.n_documents, corpus.n_words);
    if (known) {
        printf("%zu tokens\n", corpus.n_tokens);
    } else {
        printf("about %.2g tokens in %zu entries\n", n_tokens, corpus.n_entries);
    }
    const memory needed = add_up(config, &sizes);
    const bool roams = strcmp(strads_config_text(config, "schedule.kind"), "free") == 0;
    size->n_vars = lda_uses_tables(config)
                       ? lda_tables_n_columns((uint32_t) corpus.n_words,
                                              (uint32_t) strads_config_int(config, "lda.topics"),
                                              size->n_workers)
                       : (size_t) (roams ? 2 : 1) * size->n_workers;
    size->worker_bytes = (size_t) needed.worker;
    size->site_bytes = (size_t) fmax(fmax(needed.running, needed.saving),
                                     needed.loading - needed.worker * sizes.n_mine);
    return STRADS_OK;
}

strads_status lda_check_memory(const strads_config *config, const lda_sizes *sizes)
{
    const memory needed = add_up(config, sizes);
    const double bytes =
        fmax(needed.loading, fmax(needed.running, needed.saving) + needed.worker * sizes->n_mine);
    const double machine = strads_machine_bytes();
    if (machine == 0.0 || bytes <= machine) {
        return STRADS_OK;
    }
    strads_error("%s: lda.topics: %lld needs %.3g GB of memory for %.0f documents of %.0f tokens; "
                 "the machine has %.3g GB",
                 strads_config_place(config, "lda.topics"),
                 (long long) strads_config_int(config, "lda.topics"), bytes * 1e-9,
                 sizes->n_documents, sizes->n_tokens, machine * 1e-9);
    return STRADS_ERR_NOMEM;
}
