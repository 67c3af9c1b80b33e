/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_model.c - the coordinator's part: what it judges passes by, and what it
 * takes of workers, which may be of another process. */
#include <string.h>

#include "apps/lda/worker.h"
#include "base/clock.h"
#include "base/mem.h"
#include "tests/support/lda_run.h"
#include "tests/support/suite.h"

enum { WORKERS = 2, TOPICS = 4, ROW_BYTES = TOPICS * sizeof(double) };

typedef struct bench {
    strads_config *config;
    lda_site *site;
    void *model;
} bench;

static bench set_up(const char *setting)
{
    bench it;
    const char *const settings[] = {"lda.topics=4", "lda.start=random", "lda.sweeps=6",
                                    "lda.evaluate_every=3", setting};
    it.config = lda_run_configure(lda_run_documents(), "rotation", settings, 5);
    it.site = lda_run_open_site(it.config, WORKERS);
    REQUIRE_OK(lda_open_model(it.config, it.site, &it.model));
    return it;
}

static void tear_down(bench *it)
{
    lda_close_model(it->model);
    lda_close_site(it->site);
    strads_config_destroy(it->config);
}

/* ---- passes ---- */

static strads_stage judge(const bench *it, uint64_t round, double likelihood)
{
    double measures[LDA_N_MEASURES] = {
        [LDA_LIKELIHOOD] = likelihood, [LDA_HELDOUT] = INFINITY, [LDA_SAMPLED] = 10.0};
    const strads_view view = {.whole = true, .measures = measures, .round = round};
    strads_stage stage = {.gap = INFINITY};
    REQUIRE_OK(lda_next_stage(it->model, &view, &stage));
    return stage;
}

/* Round 1 counts the even start, round r is sweep r - 1. */
static void the_likelihood_is_told_where_it_was_computed_until_the_last_sweep(void)
{
    static const bool evaluated[] = {false, false, true, false, true, false, false, true};
    bench it = set_up("run.seed=1");
    const double n_tokens = (double) it.site->n_tokens;
    CHECK(n_tokens == 3 * (1 + 2 + 3 + 4) * LDA_RUN_DOCUMENTS / 4);
    for (uint64_t round = 0; round < 8; round++) {
        const strads_stage stage = judge(&it, round, -2.0 * n_tokens);
        CHECK(evaluated[round] ? stage.objective == -2.0 : isnan(stage.objective));
        CHECK(stage.done == (round == 7));
    }
    tear_down(&it);
}

static double now;

static double clock_of_test(void *context)
{
    (void) context;
    return now;
}

static void judge_sweeps(void *context)
{
    for (uint64_t round = 0; round < 8; round++) {
        now += 20.0;
        (void) judge(context, round, -1.0);
    }
}

/* 20 seconds a sweep, and a word every ten: so after each but the first, which is the start, and
 * the last. */
static void a_long_run_tells_how_long_it_will_take(void)
{
    size_t n = 0;
    bench it = set_up("run.seed=1");
    now = 0.0;
    strads_clock_set_source(clock_of_test, NULL);
    char *said = suite_stderr_of(judge_sweeps, &it);
    strads_clock_set_source(NULL, NULL);
    for (const char *at = said; (at = strstr(at, "lda: sweep ")) != NULL; at++) {
        n++;
    }
    CHECK(n == 4);
    CHECK(strstr(said, "lda: sweep 2 of 6; about 80 s left") != NULL);
    CHECK(strstr(said, "lda: sweep 5 of 6; about 20 s left") != NULL);
    strads_free(said);
    tear_down(&it);
}

/* ---- what workers give ---- */

static lda_column *column_of(const lda_site *site, uint32_t column, size_t *bytes)
{
    *bytes = sizeof(lda_column) + site->words.units[column] * sizeof(uint32_t);
    lda_column *made = strads_calloc(1, *bytes);
    REQUIRE(made != NULL);
    made->column = column;
    return made;
}

static void give_column(const bench *it, uint32_t column)
{
    size_t bytes = 0;
    lda_column *data = column_of(it->site, column, &bytes);
    REQUIRE_OK(lda_take_column(it->model, column, data, bytes));
    strads_free(data);
}

/* `units` after the prior. */
static strads_status give_rows(const bench *it, uint32_t rank, const uint32_t *units, size_t n)
{
    double data[TOPICS + 8] = {0.1, 0.1, 0.1, 0.1};
    REQUIRE(n * sizeof(*units) <= 8 * sizeof(double));
    if (n > 0) {
        memcpy(data + TOPICS, units, n * sizeof(*units));
    }
    return lda_take_rows(it->model, rank, data, ROW_BYTES + n * sizeof(*units));
}

static strads_status saved;

static void save(void *context)
{
    const bench *it = context;
    saved = lda_save(it->model, it->site, NULL, suite_folder(), NULL);
}

static void check_refused(bench *it, const char *words)
{
    char *said = suite_stderr_of(save, it);
    CHECK_STATUS(saved, STRADS_ERR_DATA);
    CHECK(strstr(said, words) != NULL);
    strads_free(said);
}

static void topics_of_which_a_part_is_missing_are_not_saved(void)
{
    bench it = set_up("run.seed=1");
    check_refused(&it, "lda: nobody gave column 0 of 2");
    give_column(&it, 0);
    REQUIRE_OK(give_rows(&it, 0, NULL, 0));
    check_refused(&it, "lda: nobody gave column 1 of 2");
    give_column(&it, 1);
    check_refused(&it, "lda: worker 1 of 2 gave no documents");
    tear_down(&it);
}

static void what_is_given_twice_is_kept_once(void)
{
    const size_t live = strads_mem_live();
    bench it = set_up("run.seed=1");
    for (int time = 0; time < 2; time++) {
        give_column(&it, 1);
        REQUIRE_OK(give_rows(&it, 1, NULL, 0));
    }
    tear_down(&it);
    CHECK(strads_mem_live() == live);
}

typedef struct offer {
    const bench *to;
    const void *data;
    size_t bytes;
    strads_status status;
} offer;

static void offer_column(void *context)
{
    offer *it = context;
    it->status = lda_take_column(it->to->model, 0, it->data, it->bytes);
}

static void a_column_of_another_size_or_name_is_refused(void)
{
    bench it = set_up("run.seed=1");
    size_t bytes = 0;
    lda_column *data = column_of(it.site, 0, &bytes);
    offer offers[] = {{&it, data, 0, STRADS_OK},
                      {&it, data, bytes - sizeof(uint32_t), STRADS_OK},
                      {&it, data, bytes + sizeof(uint32_t), STRADS_OK},
                      {&it, data, bytes, STRADS_OK}};
    for (size_t i = 0; i < 4; i++) {
        data->column = i == 3 ? 1 : 0;
        char *said = suite_stderr_of(offer_column, &offers[i]);
        CHECK_STATUS(offers[i].status, STRADS_ERR_DATA);
        CHECK(strstr(said, "lda: column 0 came with ") != NULL);
        strads_free(said);
    }
    strads_free(data);
    tear_down(&it);
}

static void offer_rows(void *context)
{
    offer *it = context;
    it->status = lda_take_rows(it->to->model, 0, it->data, it->bytes);
}

static void rows_without_a_prior_are_refused(void)
{
    static const double data[TOPICS + 1];
    static const size_t sizes[] = {0, ROW_BYTES - 4, ROW_BYTES + 3};
    bench it = set_up("run.seed=1");
    for (size_t i = 0; i < 3; i++) {
        offer one = {&it, data, sizes[i], STRADS_OK};
        char *said = suite_stderr_of(offer_rows, &one);
        CHECK_STATUS(one.status, STRADS_ERR_DATA);
        CHECK(strstr(said, "lda: worker 0 gave ") != NULL);
        strads_free(said);
    }
    tear_down(&it);
}

/* A document is its number in two units, how many topics, these and their counts; and, with
 * lda.save_assignments, how many tokens, and these. */
static void documents_that_are_none_are_refused(void)
{
    static const struct {
        uint32_t units[8];
        size_t n;
    } bad[] = {{{0, 0}, 2},
               {{0, 0, 1}, 3},
               {{0, 0, 1, 0}, 4},
               {{LDA_RUN_DOCUMENTS, 0, 1, 0, 1, 0}, 6},
               {{0, 1, 1, 0, 1, 0}, 6},
               {{0, 0, 1, TOPICS, 1, 0}, 6},
               {{0, 0, UINT32_MAX, 0, 1, 0}, 6},
               {{0, 0, 1, 0, 1}, 5},
               {{0, 0, 1, 0, 1, 1, 3}, 7},
               {{0, 0, 1, 0, 1, UINT32_MAX, 3, 0}, 8}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        bench it = set_up("lda.save_assignments=true");
        give_column(&it, 0);
        give_column(&it, 1);
        REQUIRE_OK(give_rows(&it, 0, bad[i].units, bad[i].n));
        REQUIRE_OK(give_rows(&it, 1, NULL, 0));
        check_refused(&it, "lda: what a worker gave are no documents");
        tear_down(&it);
    }
}

SUITE("apps/lda/model",
      {"the likelihood is told where it was computed, until the last sweep",
       the_likelihood_is_told_where_it_was_computed_until_the_last_sweep},
      {"a long run tells how long it will take", a_long_run_tells_how_long_it_will_take},
      {"topics of which a part is missing are not saved",
       topics_of_which_a_part_is_missing_are_not_saved},
      {"what is given twice is kept once", what_is_given_twice_is_kept_once},
      {"a column of another size or name is refused", a_column_of_another_size_or_name_is_refused},
      {"rows without a prior are refused", rows_without_a_prior_are_refused},
      {"documents that are none are refused", documents_that_are_none_are_refused})
