/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_data_parallel.c - topics whose words are rows of a table. */
#include "apps/lda/data_parallel.h"

#include <string.h>

#include "ssp/ssp.h"
#include "strads/run.h"
#include "tests/support/lda_law.h"
#include "tests/support/lda_run.h"
#include "tests/support/suite.h"

enum { WORKERS = 3, WORDS = LDA_RUN_WORDS, TOPICS = 4, PATH = 4096, TEXT = 8192 };

static strads_config *configure(const char *text, const char *const *settings, size_t n)
{
    return lda_run_configure(text, "data_parallel", settings, n);
}

/* ---- the law ---- */

enum { SAMPLES = SUITE_SANITIZED ? 500 : 4000, APART = 8 };

/* The seed is fixed, so that it does not fail by chance, on whatever machine. */
static const double P_LEAST = 1e-5;

static const lda_case_token ten[] = {{0, 0}, {0, 0}, {0, 1}, {1, 0}, {1, 2},
                                     {1, 2}, {1, 3}, {2, 0}, {2, 1}, {2, 3}};
static const double alphas[] = {0.5, 0.5};
static const lda_case_design design = {.n_topics = 2,
                                       .n_docs = 3,
                                       .n_words = 4,
                                       .tokens = ten,
                                       .n_tokens = 10,
                                       .alpha = alphas,
                                       .beta = 0.3};
static double *counted; /* by state */

/* Of three documents with others between them that are empty: so they are in one stream, where
 * no total is late. */
static const char *ten_tokens(void)
{
    static char text[TEXT];
    size_t n = (size_t) snprintf(text, sizeof(text), "%d\n4\n10\n", 2 * LDA_STREAMS + 1);
    for (size_t t = 0; t < 10; t++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, "%u %u 1\n",
                               LDA_STREAMS * ten[t].doc + 1, ten[t].word + 1);
    }
    return text;
}

static strads_status open_without_lag(const void *site, strads_worker *worker, void **state)
{
    const strads_status status = lda_open_worker(site, worker, state);
    if (status == STRADS_OK) {
        ((lda_worker *) *state)->sampler.lag = 1;
    }
    return status;
}

/* Which token of the design the i-th one is that document and word have. */
static uint32_t find_token(uint32_t doc, uint32_t word, const uint16_t *topics)
{
    uint32_t t = 0;
    while (ten[t].doc != doc || ten[t].word != word || topics[t] != LDA_NO_TOPIC) {
        t++;
    }
    return t;
}

static strads_status count_state(void *state, double *measures)
{
    const lda_worker *worker = state;
    const lda_sub *sub = &worker->documents->subs[0];
    const lda_words *words = &worker->site->words;
    uint16_t topics[LDA_LAW_TOKENS];
    memset(topics, 0xff, sizeof(topics));
    for (uint32_t p = 0; p < words->n && worker->pass > 1 && worker->pass % APART == 0; p++) {
        for (uint64_t i = sub->starts[p]; i < sub->starts[p + 1]; i++) {
            const uint32_t doc = (uint32_t) (sub->numbers[sub->docs[i]] / LDA_STREAMS);
            topics[find_token(doc, words->word[p], topics)] = worker->topics[0][i];
        }
    }
    if (topics[0] != LDA_NO_TOPIC) {
        counted[lda_law_number(&design, topics)] += 1.0;
    }
    return lda_measure_by_tables(state, measures);
}

static void a_lone_worker_draws_from_the_posterior(void)
{
    char sweeps[PATH];
    snprintf(sweeps, sizeof(sweeps), "lda.sweeps=%d", SAMPLES * APART);
    const char *const settings[] = {"lda.topics=2",  "lda.alpha=0.5",
                                    "lda.beta=0.3",  "lda.start=random",
                                    "ssp.periods=3", "lda.evaluate_every=1000000",
                                    "run.workers=1", sweeps};
    strads_app app = lda_app;
    strads_result result;
    strads_config *config = configure(ten_tokens(), settings, 8);
    const uint32_t n_states = lda_law_n_states(&design);
    double *law = lda_law_posterior(&design);
    counted = strads_calloc(n_states, sizeof(*counted));
    REQUIRE(counted != NULL);
    app.open_worker = open_without_lag;
    app.measure = count_state;
    REQUIRE_OK(strads_run(&app, config, NULL, NULL, &result));
    const double p = lda_law_p_value(law, counted, n_states, SAMPLES);
    if (!(p >= P_LEAST)) {
        printf("p %g, distance %.3f\n", p, lda_law_distance(law, counted, n_states, SAMPLES));
    }
    CHECK(p >= P_LEAST);
    strads_free(law);
    strads_free(counted);
    strads_config_destroy(config);
}

/* ---- counts ---- */

/* What each worker's own tokens have, written by its thread before the barrier that ends a round;
 * and the table, as worker 0 sees it. */
static double own[WORKERS][WORDS][TOPICS];
static ssp_session *sessions[WORKERS];
static uint32_t n_compared;

static void count_own(const lda_worker *worker, double counts[WORDS][TOPICS])
{
    memset(counts, 0, WORDS * sizeof(*counts));
    for (uint32_t s = 0; s < worker->documents->n_subs; s++) {
        const lda_sub *sub = &worker->documents->subs[s];
        for (uint32_t p = 0; p < WORDS; p++) {
            for (uint64_t i = sub->starts[p]; i < sub->starts[p + 1]; i++) {
                const uint32_t topic = worker->topics[s][i];
                counts[p][topic == LDA_NO_TOPIC ? 0 : topic] += topic != LDA_NO_TOPIC;
            }
        }
    }
}

static strads_status step_and_count(void *state, ssp_session *session, const strads_block *block,
                                    double *partial)
{
    const lda_worker *worker = state;
    const uint32_t rank = strads_worker_rank(worker->worker);
    const strads_status status = lda_step_by_tables(state, session, block, partial);
    sessions[rank] = session;
    if (partial != NULL) {
        count_own(worker, own[rank]);
    }
    return status;
}

static ssp_table *table_of(ssp_session *session)
{
    ssp_table *table = NULL;
    ssp_table_options options = ssp_session_options(session);
    options.columns = TOPICS;
    REQUIRE_OK(ssp_table_open(&table, session, "lda.words", &options));
    return table;
}

static strads_status compare_counts(void *state, double *measures)
{
    const lda_worker *worker = state;
    if (strads_worker_rank(worker->worker) > 0 || worker->pass == 0) {
        return lda_measure_by_tables(state, measures);
    }
    ssp_table *table = table_of(sessions[0]);
    const double *totals = NULL;
    double sums[TOPICS] = {0.0};
    for (uint64_t p = 0; p < WORDS; p++) {
        const double *row = NULL;
        REQUIRE_OK(ssp_read_row_within(table, p, 0, &row));
        for (uint32_t k = 0; k < TOPICS; k++) {
            CHECK(row[k] == own[0][p][k] + own[1][p][k] + own[2][p][k]);
            sums[k] += row[k];
        }
    }
    REQUIRE_OK(ssp_read_row_within(worker->totals, 0, 0, &totals));
    CHECK(memcmp(totals, sums, sizeof(sums)) == 0);
    n_compared++;
    return lda_measure_by_tables(state, measures);
}

static void after_a_round_the_table_has_what_all_tokens_have(void)
{
    static const char *const modes[] = {"ssp.staleness=0", "ssp.staleness=3", "ssp.staleness=inf"};
    static const char *const starts[] = {"lda.start=random", "lda.start=growing"};
    for (size_t i = 0; i < 6; i++) {
        const char *const settings[] = {"lda.topics=4",  "lda.sweeps=12", "run.workers=3",
                                        "ssp.periods=5", modes[i / 2],    starts[i % 2]};
        strads_app app = lda_app;
        strads_result result;
        strads_config *config = configure(lda_run_documents(), settings, 6);
        app.step = step_and_count;
        app.measure = compare_counts;
        n_compared = 0;
        REQUIRE_OK(strads_run(&app, config, NULL, NULL, &result));
        CHECK(n_compared >= 12);
        strads_config_destroy(config);
    }
}

/* ---- what goes wrong ---- */

static double wrong; /* is added to a row */

static strads_status spoil(void *state, ssp_session *session, const strads_block *block,
                           double *partial)
{
    const strads_status status = lda_step_by_tables(state, session, block, partial);
    return status == STRADS_OK ? ssp_inc(table_of(session), 0, 1, wrong) : status;
}

static void run_spoilt(void *context)
{
    strads_app app = lda_app;
    strads_result result;
    app.step = spoil;
    CHECK_STATUS(strads_run(&app, context, NULL, NULL, &result), STRADS_ERR_DATA);
}

static void a_row_that_is_no_counts_is_refused(void)
{
    static const double wrongs[] = {0.5, -1e3, 1e6};
    static const char *const settings[] = {"lda.topics=4", "run.workers=1"};
    for (size_t i = 0; i < 3; i++) {
        strads_config *config = configure(lda_run_documents(), settings, 2);
        wrong = wrongs[i];
        char *said = suite_stderr_of(run_spoilt, config);
        CHECK(strstr(said, "table lda.words: row 0: what it has are no counts of word ") != NULL);
        strads_free(said);
        strads_config_destroy(config);
    }
}

static void what_a_worker_gives_is_refused_unless_it_is_counts(void)
{
    static const char *const settings[] = {"lda.topics=300", "run.workers=1", "lda.alpha=0.1"};
    char text[TEXT];
    size_t n = (size_t) snprintf(text, sizeof(text), "1\n2\n2\n1 1 400\n1 2 5\n");
    REQUIRE(n < sizeof(text));
    strads_config *config = configure(text, settings, 3);
    lda_site *site = lda_run_open_site(config, 1);
    uint32_t *units = strads_calloc(lda_tables_units(site), sizeof(*units));
    uint32_t *columns[1] = {NULL};
    REQUIRE(units != NULL && site->words.n_columns == 1);
    const lda_place *rare = &site->words.places[site->words.position[1]];
    uint32_t *list = units + rare->offset;
    REQUIRE(rare->form == LDA_LIST && rare->capacity == 5);
    list[0] = 1;
    list[1] = 299 | 2 << 16;
    REQUIRE_OK(lda_tables_take(site, columns, units));
    REQUIRE_OK(lda_tables_take(site, columns, units));
    CHECK(columns[0][rare->offset] == 1 && columns[0][rare->offset + 1] == (299 | 4 << 16));
    list[1] = 300 | 1 << 16;
    CHECK_STATUS(lda_tables_take(site, columns, units), STRADS_ERR_DATA);
    list[0] = 6;
    CHECK_STATUS(lda_tables_take(site, columns, units), STRADS_ERR_DATA);
    strads_free(columns[0]);
    strads_free(units);
    lda_close_site(site);
    strads_config_destroy(config);
}

static void without_memory_a_run_ends_cleanly(void)
{
    static const char *const settings[] = {"lda.topics=4",  "lda.start=random",
                                           "lda.sweeps=1",  "run.workers=1",
                                           "ssp.periods=2", "lda.heldout_fraction=0.3"};
    strads_config *config = configure(lda_run_documents(), settings, 6);
    lda_run_fail_each(config);
    strads_config_destroy(config);
}

SUITE("lda data_parallel",
      {"a lone worker draws from the posterior", a_lone_worker_draws_from_the_posterior},
      {"after a round the table has what all tokens have",
       after_a_round_the_table_has_what_all_tokens_have},
      {"a row that is no counts is refused", a_row_that_is_no_counts_is_refused},
      {"what a worker gives is refused unless it is counts",
       what_a_worker_gives_is_refused_unless_it_is_counts},
      {"without memory a run ends cleanly", without_memory_a_run_ends_cleanly})
