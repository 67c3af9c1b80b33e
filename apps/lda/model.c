/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/model.c - the coordinator: how good the sweeps are, and what is left behind. */
#include <math.h>
#include <string.h>

#include "apps/lda/coherence.h"
#include "apps/lda/data_parallel.h"
#include "apps/lda/saved.h"
#include "base/clock.h"
#include "data/data.h"

/* A line of summary.json's seconds_to. */
enum { SWEEP_NUMBER, SWEEP_SECONDS, SWEEP_LIKELIHOOD, SWEEP_N };

/* Seconds between two words on how long it will take. */
static const double TELL_EVERY = 10.0;
enum { TOP_WORDS = 10, LINE_CHARACTERS = 100 };

/* What a worker has left, as scan.c writes it. */
typedef struct left {
    uint32_t *units;
    size_t n;
} left;

typedef struct lda_model {
    const lda_site *site;
    uint32_t n_sweeps, sweep; /* asked for; done */
    double (*sweeps)[SWEEP_N];
    size_t n_evaluated;
    double seconds, tokens; /* of all passes */
    double heldout, heldout_tokens;
    double began, told; /* when the first sweep was done; when the time left was told */
    double *alpha;      /* [n_topics] */
    uint32_t **columns; /* [n_columns] counts, NULL until they are given */
    left *workers;      /* [n_workers] units NULL until they are given */
} lda_model;

strads_status lda_open_model(const strads_config *config, const void *context, void **out)
{
    const lda_site *site = context;
    lda_model *model = strads_calloc(1, sizeof(*model));
    if (model == NULL) {
        return STRADS_ERR_NOMEM;
    }
    model->site = site;
    model->n_sweeps = (uint32_t) strads_config_int(config, "lda.sweeps");
    model->sweeps = strads_calloc(model->n_sweeps + 1, sizeof(*model->sweeps));
    model->alpha = strads_calloc(site->n_topics, sizeof(*model->alpha));
    model->columns = strads_calloc(site->words.n_columns, sizeof(*model->columns));
    model->workers = strads_calloc(site->n_workers, sizeof(*model->workers));
    if (model->sweeps == NULL || model->alpha == NULL || model->columns == NULL ||
        model->workers == NULL) {
        lda_close_model(model);
        return STRADS_ERR_NOMEM;
    }
    *out = model;
    return STRADS_OK;
}

void lda_close_model(void *context)
{
    lda_model *model = context;
    for (uint32_t c = 0; c < model->site->words.n_columns && model->columns != NULL; c++) {
        strads_free(model->columns[c]);
    }
    for (uint32_t k = 0; k < model->site->n_workers && model->workers != NULL; k++) {
        strads_free(model->workers[k].units);
    }
    strads_free(model->columns);
    strads_free(model->workers);
    strads_free(model->alpha);
    strads_free(model->sweeps);
    strads_free(model);
}

/* ---- sweeps ---- */

/* How long the rest will take, if its sweeps are like those so far; the first is the start. */
static void tell_time_left(lda_model *model)
{
    const double now = strads_now();
    if (model->sweep <= 1) {
        model->began = now;
    } else if (model->sweep < model->n_sweeps && now - model->told >= TELL_EVERY) {
        model->told = now;
        strads_info("lda: sweep %u of %u; about %.0f s left", model->sweep, model->n_sweeps,
                    (now - model->began) / (model->sweep - 1) * (model->n_sweeps - model->sweep));
    }
}

strads_status lda_next_stage(void *context, const strads_view *view, strads_stage *stage)
{
    lda_model *model = context;
    const lda_site *site = model->site;
    stage->objective = NAN;
    if (view->round == 0) {
        model->told = strads_now();
        return STRADS_OK;
    }
    model->seconds += view->measures[LDA_SECONDS];
    model->tokens += view->measures[LDA_SAMPLED];
    model->sweep = lda_plan_pass(site, view->round - 1).sweep;
    if (lda_plan_evaluates(site->config, model->sweep)) {
        double *now = model->sweeps[model->n_evaluated++];
        now[SWEEP_NUMBER] = model->sweep;
        now[SWEEP_SECONDS] = model->seconds;
        now[SWEEP_LIKELIHOOD] = view->measures[LDA_LIKELIHOOD] / (double) site->n_tokens;
        model->heldout = view->measures[LDA_HELDOUT];
        model->heldout_tokens = view->measures[LDA_HELDOUT_TOKENS];
        stage->objective = now[SWEEP_LIKELIHOOD];
    }
    tell_time_left(model);
    stage->nonzeros = 0;
    stage->done = model->sweep >= model->n_sweeps;
    return STRADS_OK;
}

/* ---- what workers give ---- */

strads_status lda_take_column(void *context, uint32_t column, const void *data, size_t bytes)
{
    lda_model *model = context;
    const lda_site *site = model->site;
    const strads_status status = lda_check_column(site, column, data, bytes);
    if (status != STRADS_OK) {
        return status;
    }
    const size_t n = site->words.units[column];
    strads_free(model->columns[column]); /* of a peer that gives it twice */
    model->columns[column] = strads_alloc_array(n, sizeof(**model->columns));
    if (model->columns[column] == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(model->columns[column], (const lda_column *) data + 1, n * sizeof(uint32_t));
    return STRADS_OK;
}

strads_status lda_take_rows(void *context, uint32_t rank, const void *data, size_t bytes)
{
    lda_model *model = context;
    const lda_site *site = model->site;
    const size_t alphas = site->n_topics * sizeof(double);
    const size_t n_words = lda_uses_tables(site->config) ? lda_tables_units(site) : 0;
    const uint32_t *units = (const uint32_t *) data + alphas / sizeof(uint32_t);
    if (bytes < alphas + n_words * sizeof(uint32_t) || bytes % sizeof(uint32_t) != 0) {
        strads_error("lda: worker %u gave %zu bytes, which are no documents", rank, bytes);
        return STRADS_ERR_DATA;
    }
    left *mine = &model->workers[rank];
    strads_free(mine->units); /* of a peer that gives them twice */
    mine->n = (bytes - alphas) / sizeof(uint32_t) - n_words;
    mine->units = strads_alloc_array(mine->n, sizeof(*mine->units));
    if (mine->units == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(model->alpha, data, alphas);
    memcpy(mine->units, units + n_words, mine->n * sizeof(uint32_t));
    return n_words > 0 ? lda_tables_take(site, model->columns, units) : STRADS_OK;
}

/* ---- documents ---- */

/* A document that a worker has left. */
typedef struct document {
    uint64_t number;
    uint32_t n, n_tokens;
    const uint32_t *topics; /* [n] pairs with their counts */
    const uint32_t *tokens; /* [n_tokens] pairs of word and topic */
} document;

/* Reads the document at *at, and moves on; false: what is there is none. */
static bool next_document(const lda_model *model, const left *from, size_t *at, document *out)
{
    const bool assignments = strads_config_bool(model->site->config, "lda.save_assignments");
    const uint32_t *units = from->units + *at;
    size_t room = from->n - *at;
    if (room < 3 || (room - 3) / 2 < units[2]) {
        return false;
    }
    *out = (document){
        .number = units[0] | (uint64_t) units[1] << 32, .n = units[2], .topics = units + 3};
    size_t used = 3 + 2 * (size_t) out->n;
    for (uint32_t i = 0; i < out->n; i++) {
        if (out->topics[2 * i] >= model->site->n_topics) {
            return false;
        }
    }
    if (assignments) {
        room -= used;
        if (room < 1 || (room - 1) / 2 < units[used]) {
            return false;
        }
        out->n_tokens = units[used];
        out->tokens = units + used + 1;
        used += 1 + 2 * (size_t) out->n_tokens;
    }
    *at += used;
    return out->number < model->site->n_documents;
}

typedef struct documents_out {
    data_entries_writer *topics;
    const uint32_t **tokens;    /* [n_documents] how many, and pairs; NULL: they are not wanted */
    uint32_t *columns, *counts; /* [n_topics] */
} documents_out;

static strads_status write_documents_of(const lda_model *model, const left *from,
                                        const documents_out *out)
{
    document it;
    for (size_t at = 0; at < from->n;) {
        if (!next_document(model, from, &at, &it) || it.n > model->site->n_topics) {
            strads_error("lda: what a worker gave are no documents");
            return STRADS_ERR_DATA;
        }
        for (uint32_t i = 0; i < it.n; i++) {
            out->columns[i] = it.topics[2 * i];
            out->counts[i] = it.topics[2 * i + 1];
        }
        data_entries_writer_put(out->topics, it.number, out->columns, out->counts, it.n);
        if (out->tokens != NULL) {
            out->tokens[it.number] = it.tokens - 1;
        }
    }
    return STRADS_OK;
}

/* A line a document of the corpus; those that were held out, or are empty, have no tokens. */
static strads_status write_assignments(const lda_model *model, const char *dir,
                                       const uint32_t *const *tokens)
{
    data_writer *writer = NULL;
    const strads_status status = lda_saved_open_assignments(&writer, dir);
    if (status != STRADS_OK) {
        return status;
    }
    FILE *to = data_writer_stream(writer);
    for (size_t doc = 0; doc < model->site->n_documents; doc++) {
        const uint32_t n = tokens[doc] == NULL ? 0 : tokens[doc][0];
        fprintf(to, "%u", n);
        for (uint32_t i = 0; i < n; i++) {
            fprintf(to, " %u:%u", tokens[doc][1 + 2 * i], tokens[doc][2 + 2 * i]);
        }
        fputc('\n', to);
    }
    return data_writer_commit(writer);
}

static strads_status write_topics_of_documents(const lda_model *model, const char *dir,
                                               documents_out *out)
{
    const lda_site *site = model->site;
    strads_status status =
        lda_saved_open_documents(&out->topics, dir, site->n_documents, site->n_topics);
    if (status != STRADS_OK) {
        return status;
    }
    for (uint32_t k = 0; k < site->n_workers && status == STRADS_OK; k++) {
        status = write_documents_of(model, &model->workers[k], out);
    }
    if (status != STRADS_OK) {
        data_entries_writer_abandon(out->topics);
        return status;
    }
    return data_entries_writer_commit(out->topics);
}

static strads_status write_documents(const lda_model *model, const char *dir)
{
    const lda_site *site = model->site;
    const bool assignments = strads_config_bool(site->config, "lda.save_assignments");
    documents_out out = {
        .tokens = assignments ? strads_calloc(site->n_documents, sizeof(*out.tokens)) : NULL,
        .columns = strads_alloc_array(site->n_topics, sizeof(*out.columns)),
        .counts = strads_alloc_array(site->n_topics, sizeof(*out.counts))};
    strads_status status =
        out.columns == NULL || out.counts == NULL || (assignments && out.tokens == NULL)
            ? STRADS_ERR_NOMEM
            : write_topics_of_documents(model, dir, &out);
    if (status == STRADS_OK && assignments) {
        status = write_assignments(model, dir, out.tokens);
    }
    strads_free(out.tokens);
    strads_free(out.columns);
    strads_free(out.counts);
    return status;
}

/* ---- words ---- */

/* The text of a word, for tables and files. */
static const char *word_text(const void *context, uint32_t w, char *room)
{
    const lda_site *site = context;
    if (site->texts.n > 0) {
        return data_ids_name(&site->texts, w, room);
    }
    snprintf(room, LDA_WORD_BYTES, "%u", w + 1);
    return room;
}

/* The counts of all words, in the vocabulary's order. */
static strads_status write_words(const lda_model *model, const char *dir, lda_tops *tops,
                                 double *totals)
{
    const lda_site *site = model->site;
    const lda_words *words = &site->words;
    data_counts_writer *writer = NULL;
    uint32_t *row = strads_calloc(site->n_topics, sizeof(*row));
    strads_status status = row == NULL
                               ? STRADS_ERR_NOMEM
                               : lda_saved_open_words(&writer, dir, words->n, site->n_topics);
    for (uint32_t c = 0; status == STRADS_OK && c < words->n_columns; c++) {
        const uint32_t end = words->firsts[(c + 1) * words->n_sub];
        for (uint32_t p = words->firsts[c * words->n_sub]; p < end; p++) {
            lda_row_read(&words->places[p], model->columns[c], site->n_topics, (int32_t *) row);
            data_counts_writer_put(writer, words->word[p], row);
            lda_tops_add_row(tops, words->word[p], row);
            for (uint32_t k = 0; k < site->n_topics; k++) {
                totals[k] += row[k];
            }
        }
    }
    if (status == STRADS_OK) {
        status = data_counts_writer_commit(writer);
    }
    strads_free(row);
    return status;
}

/* ---- files ---- */

static strads_status summarize(const lda_model *model, double coherence, strads_summary *summary)
{
    const lda_site *site = model->site;
    const bool evaluated = model->n_evaluated > 0;
    const double *last = model->sweeps[evaluated ? model->n_evaluated - 1 : 0];
    const struct {
        const char *name;
        double value;
    } facts[] = {
        {"log_likelihood_per_token", evaluated ? last[SWEEP_LIKELIHOOD] : (double) NAN},
        {"perplexity",
         model->heldout_tokens > 0.0 ? exp(-model->heldout / model->heldout_tokens) : (double) NAN},
        {"coherence", coherence},
        {"sweeps", model->sweep},
        {"tokens", (double) site->n_tokens},
        {"tokens_per_second", model->seconds > 0.0 ? model->tokens / model->seconds : (double) NAN},
        {"training_seconds", model->seconds},
        {"topics", site->n_topics},
        {"words", site->words.n},
        {"documents", (double) site->n_documents},
        {"empty_documents", (double) site->n_empty},
        {"heldout_documents", (double) site->n_heldout},
        {"heldout_tokens", model->heldout_tokens},
        {"unknown_words", (double) site->n_unknown},
    };
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]) && status == STRADS_OK; i++) {
        status = strads_summary_add(summary, facts[i].name, facts[i].value);
    }
    return status == STRADS_OK ? strads_summary_add_rows(summary, "seconds_to", model->sweeps[0],
                                                         model->n_evaluated, SWEEP_N)
                               : status;
}

static strads_status write_topics(const lda_model *model, const char *dir, strads_summary *summary)
{
    const lda_site *site = model->site;
    lda_tops tops = {.n_topics = 0};
    double coherence = NAN;
    double *totals = strads_calloc(site->n_topics, sizeof(*totals));
    double *scores = strads_calloc(site->n_topics, sizeof(*scores));
    strads_status status = totals == NULL || scores == NULL
                               ? STRADS_ERR_NOMEM
                               : lda_tops_init(&tops, site->n_topics, TOP_WORDS);
    if (status == STRADS_OK) {
        status = write_words(model, dir, &tops, totals);
    }
    if (status == STRADS_OK) {
        lda_tops_sort(&tops);
        status = lda_coherence_of_site(site, &tops, scores, &coherence);
    }
    if (status == STRADS_OK) {
        const lda_topics_table table = {.tops = &tops,
                                        .totals = totals,
                                        .coherence = scores,
                                        .word = word_text,
                                        .context = site,
                                        .width = LINE_CHARACTERS};
        status = lda_saved_write_table(dir, &table);
    }
    if (status == STRADS_OK) {
        status = summarize(model, coherence, summary);
    }
    lda_tops_fini(&tops);
    strads_free(totals);
    strads_free(scores);
    return status;
}

/* Whether all have given what they have: a peer of another build may not. */
static bool is_whole(const lda_model *model)
{
    const lda_site *site = model->site;
    for (uint32_t c = 0; c < site->words.n_columns; c++) {
        if (model->columns[c] == NULL) {
            strads_error("lda: nobody gave column %u of %u: the topics are not saved", c,
                         site->words.n_columns);
            return false;
        }
    }
    for (uint32_t k = 0; k < site->n_workers; k++) {
        if (model->workers[k].units == NULL) {
            strads_error("lda: worker %u of %u gave no documents: the topics are not saved", k,
                         site->n_workers);
            return false;
        }
    }
    return true;
}

strads_status lda_save(void *context, const void *site, const double *values, const char *dir,
                       strads_summary *summary)
{
    (void) values;
    const lda_model *model = context;
    const uint32_t n_words = model->site->words.n;
    if (!is_whole(model)) {
        return STRADS_ERR_DATA;
    }
    strads_status status =
        lda_saved_write_priors(dir, model->alpha, model->site->n_topics, model->site->beta);
    if (status == STRADS_OK) {
        status = lda_saved_write_words(dir, n_words, word_text, site);
    }
    if (status == STRADS_OK) {
        status = write_documents(model, dir);
    }
    return status == STRADS_OK ? write_topics(model, dir, summary) : status;
}
