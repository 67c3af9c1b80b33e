/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/data_parallel.c - topic models by data parallelism: the samplers of the grid, with the
 * words' counts in a table. So do YahooLDA (Ahmed et al. 2012) and the topic models of parameter
 * servers.
 *
 * A round is a pass, a period of it a slice of the worker's documents. For these a worker reads
 * the rows of the words that they have, samples as if it were alone, and adds what has changed;
 * words come by in columns, so that it has room for few of them, and asks for those of the next
 * column before it samples the one it has.
 *
 * What a row shows is the sum of what each worker's own tokens of the word were like at some time,
 * for a worker's increments come in order, and whole: so no count is below 0, none is more than
 * the word has tokens, and the worker's own, which show at once, are always in it. Counts that are
 * late need not be mended anywhere, only those that another process made up be refused.
 */
#include "apps/lda/data_parallel.h"

#include <string.h>

#include "base/clock.h"
#include "ssp/ssp.h"

/* Counts that are read at a time: they stay in the cache until what has changed is added. */
enum { COLUMN_COUNTS = 1 << 16 };

struct lda_tables {
    ssp_table *table;
    uint32_t n_periods, period;  /* of a round; the next */
    uint32_t *counts;            /* of a column */
    double *deltas;              /* [words of a column][n_topics] */
    const double **views;        /* [words of a column] */
    uint64_t *keys;              /* [words] by column, those whose rows are read */
    uint32_t *n_keys;            /* [n_columns] */
    uint32_t *met[LDA_SUBS_MAX]; /* [words] of each sub, how many tokens of a word were met */
};

/* ---- sizes ---- */

bool lda_uses_tables(const strads_config *config)
{
    return strcmp(strads_config_text(config, "schedule.kind"), "data_parallel") == 0;
}

static uint32_t words_of_column(uint32_t n_topics)
{
    return COLUMN_COUNTS / lda_padded(n_topics);
}

uint32_t lda_tables_n_columns(uint32_t n_words, uint32_t n_topics, uint32_t n_workers)
{
    const uint32_t n = n_words / words_of_column(n_topics) + 1;
    return n > n_workers ? n : n_workers;
}

double lda_tables_room_bytes(uint32_t n_topics)
{
    return (sizeof(double) + sizeof(uint32_t)) * (double) words_of_column(n_topics) *
           lda_padded(n_topics);
}

double lda_tables_row_bytes(uint32_t n_topics, double n_words)
{
    enum { HEAD = 128 }; /* of a row: key, version, places in maps */
    return n_words * (HEAD + sizeof(double) * (double) n_topics);
}

/* ---- life ---- */

static uint32_t first_of(const lda_words *words, uint32_t column)
{
    return words->firsts[column * words->n_sub];
}

static uint32_t most_words(const lda_words *words)
{
    uint32_t most = 0;
    for (uint32_t c = 0; c < words->n_columns; c++) {
        const uint32_t n = first_of(words, c + 1) - first_of(words, c);
        most = n > most ? n : most;
    }
    return most;
}

static size_t most_units(const lda_words *words)
{
    size_t most = 0;
    for (uint32_t c = 0; c < words->n_columns; c++) {
        most = words->units[c] > most ? words->units[c] : most;
    }
    return most;
}

strads_status lda_tables_create(lda_tables **out, const lda_worker *worker)
{
    const lda_site *site = worker->site;
    const lda_words *words = &site->words;
    const uint32_t n_each = most_words(words);
    lda_tables *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        return STRADS_ERR_NOMEM;
    }
    self->n_periods = (uint32_t) strads_config_int(site->config, "ssp.periods");
    self->counts = strads_calloc(most_units(words), sizeof(*self->counts));
    self->deltas = strads_alloc_array(n_each, site->n_topics * sizeof(*self->deltas));
    self->views = strads_calloc(n_each, sizeof(*self->views));
    self->keys = strads_alloc_array(words->n, sizeof(*self->keys));
    self->n_keys = strads_calloc(words->n_columns, sizeof(*self->n_keys));
    if (self->counts == NULL || self->deltas == NULL || self->views == NULL || self->keys == NULL ||
        self->n_keys == NULL) {
        lda_tables_destroy(self);
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t s = 0; s < worker->documents->n_subs; s++) {
        self->met[s] = strads_calloc(words->n, sizeof(*self->met[s]));
        if (self->met[s] == NULL) {
            lda_tables_destroy(self);
            return STRADS_ERR_NOMEM;
        }
    }
    for (uint32_t c = strads_worker_rank(worker->worker); c < words->n_columns;
         c += site->n_workers) {
        worker->mine[c] = true;
    }
    *out = self;
    return STRADS_OK;
}

void lda_tables_destroy(lda_tables *self)
{
    if (self == NULL) {
        return;
    }
    for (uint32_t s = 0; s < LDA_SUBS_MAX; s++) {
        strads_free(self->met[s]);
    }
    strads_free(self->counts);
    strads_free(self->deltas);
    strads_free(self->views);
    strads_free(self->keys);
    strads_free(self->n_keys);
    strads_free(self);
}

static strads_status open_tables(lda_worker *worker, ssp_session *session)
{
    ssp_table_options options = ssp_session_options(session);
    options.columns = worker->site->n_topics;
    const strads_status status =
        ssp_table_open(&worker->tables->table, session, "lda.words", &options);
    return status == STRADS_OK ? lda_open_tables(worker, session) : status;
}

/* ---- rows ---- */

static uint64_t *keys_of(const lda_worker *worker, uint32_t column)
{
    return worker->tables->keys + first_of(&worker->site->words, column);
}

/* counts[n] := view; false: it is no row of such a word. By whole numbers, for the compiler then
 * takes several at a time: 2^52 + n has n in its last bits. */
static bool convert(const double *view, const lda_place *place, uint32_t n, int32_t *counts)
{
    const uint64_t most = place->form == LDA_ARRAY_32 ? INT32_MAX : UINT16_MAX;
    const double shift = 0x1p52;
    uint64_t shift_bits = 0;
    uint64_t whole = 0;
    uint64_t rest = 0;
    uint64_t sum = 0;
    memcpy(&shift_bits, &shift, sizeof(shift_bits));
    for (uint32_t k = 0; k < n; k++) {
        const double shifted = view[k] + shift;
        const double fraction = view[k] - (shifted - shift);
        uint64_t bits[2];
        memcpy(&bits[0], &shifted, sizeof(shifted));
        memcpy(&bits[1], &fraction, sizeof(fraction));
        whole |= bits[0] ^ shift_bits;
        rest |= bits[1] << 1;
        counts[k] = (int32_t) bits[0];
    }
    for (uint32_t k = 0; place->form == LDA_LIST && k < n; k++) {
        sum += (uint32_t) counts[k];
    }
    return whole <= most && rest == 0 && (place->form != LDA_LIST || sum <= place->capacity);
}

/* Reads the rows of the column's keys into `counts`; those of other words are left as they are. */
static strads_status read_column(lda_worker *worker, uint32_t column, uint32_t staleness)
{
    lda_tables *self = worker->tables;
    const lda_words *words = &worker->site->words;
    const uint32_t n_topics = worker->site->n_topics;
    const uint64_t *keys = keys_of(worker, column);
    int32_t *row = (int32_t *) (void *) worker->sampler.scratch;
    const strads_status status =
        ssp_read_rows_within(self->table, keys, self->n_keys[column], staleness, self->views);
    for (uint32_t i = 0; i < self->n_keys[column] && status == STRADS_OK; i++) {
        const lda_place *place = &words->places[keys[i]];
        if (!convert(self->views[i], place, n_topics, row)) {
            strads_error("table lda.words: row %llu: what it has are no counts of word %u",
                         (unsigned long long) keys[i], words->word[keys[i]] + 1);
            return STRADS_ERR_DATA;
        }
        lda_row_write(place, self->counts, n_topics, row);
    }
    return status;
}

/* Adds what has changed since the column was read; nothing was read since. */
static strads_status add_column(lda_worker *worker, uint32_t column)
{
    lda_tables *self = worker->tables;
    const uint32_t n_topics = worker->site->n_topics;
    const uint64_t *keys = keys_of(worker, column);
    int32_t *row = (int32_t *) (void *) worker->sampler.scratch;
    double *deltas = self->deltas;
    for (uint32_t i = 0; i < self->n_keys[column]; i++) {
        lda_row_read(&worker->site->words.places[keys[i]], self->counts, n_topics, row);
        for (uint32_t k = 0; k < n_topics; k++) {
            deltas[k] = row[k] - self->views[i][k];
        }
        deltas += n_topics;
    }
    return ssp_inc_rows(self->table, keys, self->n_keys[column], self->deltas);
}

/* ---- a period ---- */

/* How many tokens that were not met in this pass, of the word at a position, documents of the sub
 * below `end` have; they are met now. */
static uint32_t meet(lda_tables *self, const lda_sub *sub, uint32_t s, uint32_t position,
                     uint32_t end)
{
    const uint32_t *docs = sub->docs + sub->starts[position];
    const uint32_t n = (uint32_t) (sub->starts[position + 1] - sub->starts[position]);
    const uint32_t before = self->met[s][position];
    uint32_t at = before;
    while (at < n && docs[at] < end) {
        at++;
    }
    self->met[s][position] = at;
    return at - before;
}

/* How many tokens the documents of the part have of the word at a position. */
static uint64_t count_tokens(lda_worker *worker, const lda_pass *plan, uint32_t position)
{
    lda_tables *self = worker->tables;
    uint64_t n = 0;
    for (uint32_t s = 0; s < worker->documents->n_subs; s++) {
        const lda_sub *sub = &worker->documents->subs[s];
        uint32_t low = 0;
        uint32_t high = 0;
        lda_plan_documents(plan, sub, &low, &high);
        if (plan->part == 0) {
            self->met[s][position] = 0;
            (void) meet(self, sub, s, position, low);
        }
        n += meet(self, sub, s, position, high);
    }
    return n;
}

/* Finds the words of the period, and counts its work: two passes over a row, and its tokens. */
static void find_keys(lda_worker *worker, const lda_pass *plan)
{
    lda_tables *self = worker->tables;
    const lda_site *site = worker->site;
    double n_tokens = 0.0;
    double n_rows = 0.0;
    for (uint32_t c = 0; c < site->words.n_columns; c++) {
        uint64_t *keys = keys_of(worker, c);
        self->n_keys[c] = 0;
        for (uint32_t p = first_of(&site->words, c); p < first_of(&site->words, c + 1); p++) {
            const uint64_t n = count_tokens(worker, plan, p);
            keys[self->n_keys[c]] = p;
            self->n_keys[c] += n > 0;
            n_tokens += (double) n;
        }
        n_rows += self->n_keys[c];
    }
    strads_worker_count(worker->worker, n_tokens,
                        (site->dense ? site->n_topics : 64.0) * n_tokens +
                            4.0 * site->n_topics * n_rows);
}

static strads_status prefetch(lda_worker *worker, uint32_t column)
{
    const lda_tables *self = worker->tables;
    return ssp_prefetch(self->table, keys_of(worker, column), self->n_keys[column]);
}

/* Counts the topics of the words that were read. */
static void count_keys(lda_worker *worker, uint32_t column)
{
    const lda_tables *self = worker->tables;
    const uint64_t *keys = keys_of(worker, column);
    for (uint32_t i = 0; i < self->n_keys[column]; i++) {
        const uint32_t position = (uint32_t) keys[i];
        lda_count_topics(worker, self->counts, position, position + 1, worker->sampler.changes);
    }
}

static strads_status visit(lda_worker *worker, const lda_pass *plan, uint32_t column)
{
    const strads_cell cell = {.column = column, .n_parts = 1};
    const strads_status status = read_column(worker, column, SSP_ASYNC);
    if (status != STRADS_OK) {
        return status;
    }
    if (plan->counts) {
        count_keys(worker, column);
    } else {
        lda_sample(worker, plan, &cell, worker->tables->counts);
    }
    return add_column(worker, column);
}

/* Each worker begins with another column, so that they do not all ask the same process. */
static strads_status visit_all(lda_worker *worker, const lda_pass *plan)
{
    const uint32_t n = worker->site->words.n_columns;
    const uint32_t first =
        (uint32_t) ((uint64_t) n * strads_worker_rank(worker->worker) / worker->site->n_workers);
    strads_status status = prefetch(worker, first);
    for (uint32_t i = 0; i < n && status == STRADS_OK; i++) {
        if (i + 1 < n) {
            status = prefetch(worker, (first + i + 1) % n);
        }
        if (status == STRADS_OK) {
            status = visit(worker, plan, (first + i) % n);
        }
    }
    return status;
}

/* Topics that were given evenly are counted all at once. */
static strads_status work_period(lda_worker *worker)
{
    lda_tables *self = worker->tables;
    lda_pass plan = worker->plan;
    plan.part = self->period++;
    plan.n_parts = self->n_periods;
    if (plan.counts) {
        plan.n_parts = 1;
    }
    if (plan.part >= plan.n_parts) {
        return STRADS_OK;
    }
    find_keys(worker, &plan);
    strads_status status = lda_read_totals(worker);
    if (status == STRADS_OK) {
        status = visit_all(worker, &plan);
    }
    return status == STRADS_OK ? lda_add_to_totals(worker) : status;
}

/* ---- callbacks ---- */

strads_status lda_step_by_tables(void *state, ssp_session *session, const strads_block *block,
                                 double *partial)
{
    lda_worker *worker = state;
    lda_tables *self = worker->tables;
    if (partial != NULL) {
        self->period = 0;
        worker->ended = strads_now();
        return STRADS_OK;
    }
    strads_status status = self->table == NULL ? open_tables(worker, session) : STRADS_OK;
    if (status == STRADS_OK && self->period == 0) {
        status = lda_begin_pass(worker, block->round);
    }
    return status == STRADS_OK ? work_period(worker) : status;
}

/* Nobody works now. */
strads_status lda_measure_by_tables(void *state, double *measures)
{
    lda_worker *worker = state;
    lda_tables *self = worker->tables;
    const lda_words *words = &worker->site->words;
    strads_status status = STRADS_OK;
    for (uint32_t c = 0; c < words->n_columns && status == STRADS_OK; c++) {
        const bool needed = lda_scan_needs(worker, c);
        self->n_keys[c] = 0;
        for (uint32_t p = first_of(words, c); p < first_of(words, c + 1) && needed; p++) {
            keys_of(worker, c)[self->n_keys[c]++] = p;
        }
        if (needed) {
            status = read_column(worker, c, 0);
        }
        if (status == STRADS_OK) {
            status = lda_scan_column(worker, c, needed ? self->counts : NULL, measures);
        }
    }
    return status;
}

/* ---- what is left ---- */

size_t lda_tables_units(const lda_site *site)
{
    size_t n = 0;
    for (uint32_t c = 0; c < site->words.n_columns; c++) {
        n += site->words.units[c];
    }
    return n;
}

void lda_tables_give(lda_worker *worker, uint32_t *units)
{
    const lda_words *words = &worker->site->words;
    memset(units, 0, lda_tables_units(worker->site) * sizeof(*units));
    for (uint32_t c = 0; c < words->n_columns; c++) {
        lda_count_topics(worker, units, first_of(words, c), first_of(words, c + 1), NULL);
        units += words->units[c];
    }
}

/* column += units, both counts of column c; rows[2][n_topics] are room. */
static strads_status add_units(const lda_site *site, uint32_t c, const uint32_t *units,
                               uint32_t *column, int32_t *rows)
{
    int32_t *more = rows + site->n_topics;
    for (uint32_t p = first_of(&site->words, c); p < first_of(&site->words, c + 1); p++) {
        const lda_place *place = &site->words.places[p];
        if (!lda_row_is_sound(place, units, site->n_topics)) {
            strads_error("lda: column %u: the counts of word %u are none", c, site->words.word[p]);
            return STRADS_ERR_DATA;
        }
        lda_row_read(place, column, site->n_topics, rows);
        lda_row_read(place, units, site->n_topics, more);
        for (uint32_t k = 0; k < site->n_topics; k++) {
            rows[k] = (int32_t) ((uint32_t) rows[k] + (uint32_t) more[k]);
        }
        lda_row_write(place, column, site->n_topics, rows);
    }
    return STRADS_OK;
}

strads_status lda_tables_take(const lda_site *site, uint32_t **columns, const uint32_t *units)
{
    int32_t *rows = strads_alloc_array(site->n_topics, 2 * sizeof(*rows));
    strads_status status = rows == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (uint32_t c = 0; c < site->words.n_columns && status == STRADS_OK; c++) {
        if (columns[c] == NULL) {
            columns[c] = strads_calloc(site->words.units[c], sizeof(**columns));
        }
        status =
            columns[c] == NULL ? STRADS_ERR_NOMEM : add_units(site, c, units, columns[c], rows);
        units += site->words.units[c];
    }
    strads_free(rows);
    return status;
}
