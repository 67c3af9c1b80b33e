/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_site.c - the documents of a run: what is counted, cut and refused. */
#include <string.h>

#include "apps/lda/data_parallel.h"
#include "base/mem.h"
#include "base/part.h"
#include "strads/run.h"
#include "tests/support/lda_run.h"
#include "tests/support/suite.h"

enum { N_TOKENS = 3 * (1 + 2 + 3 + 4) * LDA_RUN_DOCUMENTS / 4 };

typedef struct attempt {
    const strads_config *config;
    void *site;
    strads_status status;
} attempt;

static void open_site(void *context)
{
    static const uint32_t ranks[] = {0, 2};
    attempt *it = context;
    strads_part part = {.count = 1, .ranks = ranks};
    it->status = lda_open_site(it->config, &part, &it->site);
}

static attempt try_to_open(const char *text, const char *setting, char **said)
{
    attempt it = {.config = lda_run_configure(text, "rotation", &setting, 1)};
    *said = suite_stderr_of(open_site, &it);
    return it;
}

static void what_is_trained_on_and_held_out_is_all(void)
{
    static const char *const settings[] = {"lda.heldout_fraction=0", "lda.heldout_fraction=0.4"};
    for (int i = 0; i < 2; i++) {
        strads_config *config = lda_run_configure(
            lda_run_documents(), "rotation", (const char *const[]){"lda.topics=4", settings[i]}, 2);
        lda_site *site = lda_run_open_site(config, 3);
        uint64_t held_out = 0;
        uint64_t trained = 0;
        size_t n = 0;
        for (uint32_t k = 0; k < 3; k++) {
            held_out += site->heldout[k].starts[site->heldout[k].n];
            trained += site->documents[k].n_tokens;
            n += site->heldout[k].n;
        }
        CHECK(site->n_workers == 3 && site->first == 0 && site->end == 3);
        CHECK(site->n_tokens == trained && trained + held_out == N_TOKENS);
        CHECK(site->n_heldout == n && (n > 0) == (i == 1));
        CHECK(site->n_documents == LDA_RUN_DOCUMENTS && site->n_empty == 0);
        CHECK(site->n_longest == 12 && site->words.n == LDA_RUN_WORDS);
        lda_close_site(site);
        strads_config_destroy(config);
    }
}

/* One column a worker; two where workers are free; in tables what a worker has room for. */
static void there_are_as_many_columns_as_the_schedule_wants(void)
{
    static const struct {
        const char *kind;
        uint32_t n_columns;
    } cases[] = {{"rotation", 3}, {"free", 6}, {"data_parallel", 3}};
    for (size_t i = 0; i < 3; i++) {
        static const char *const topics = "lda.topics=4";
        strads_config *config = lda_run_configure(lda_run_documents(), cases[i].kind, &topics, 1);
        lda_site *site = lda_run_open_site(config, 3);
        strads_structure structure = {.n_vars = 0};
        CHECK(site->words.n_columns == cases[i].n_columns);
        REQUIRE_OK(lda_describe(site, &structure));
        CHECK(structure.n_vars == cases[i].n_columns);
        CHECK(structure.split == STRADS_SPLIT_SAMPLES);
        lda_close_site(site);
        strads_config_destroy(config);
    }
}

/* More than LDA_DENSE topics have rows of their own kind, and one stream. */
static void many_topics_are_sampled_otherwise_than_few(void)
{
    static const char *const topics[] = {"lda.topics=128", "lda.topics=129"};
    for (int i = 0; i < 2; i++) {
        strads_config *config = lda_run_configure(lda_run_documents(), "rotation", &topics[i], 1);
        lda_site *site = lda_run_open_site(config, 1);
        CHECK(site->dense == (i == 0) && site->n_sub == (i == 0 ? LDA_STREAMS : 1));
        CHECK(site->words.n_sub == site->n_sub && site->n_padded == (i == 0 ? 128 : 144));
        lda_close_site(site);
        strads_config_destroy(config);
    }
}

static void more_topics_than_tokens_are_refused(void)
{
    char *said = NULL;
    const attempt it = try_to_open(lda_run_documents(), "lda.topics=181", &said);
    CHECK_STATUS(it.status, STRADS_ERR_DATA);
    CHECK(strstr(said, "lda.topics: 181 is more than there are tokens to train on in ") != NULL);
    CHECK(strstr(said, "corpus.txt: 180\n") != NULL);
    strads_free(said);
    strads_config_destroy((strads_config *) it.config);
}

static void empty_documents_are_kept_and_told(void)
{
    static const char *const texts[] = {"4\n3\n2\n1 1 2\n4 2 1\n", "2\n3\n2\n1 1 2\n2 2 1\n"};
    for (int i = 0; i < 2; i++) {
        char *said = NULL;
        const attempt it = try_to_open(texts[i], "lda.topics=2", &said);
        REQUIRE_OK(it.status);
        const lda_site *site = it.site;
        CHECK(site->n_documents == (i == 0 ? 4 : 2) && site->n_empty == (i == 0 ? 2 : 0));
        CHECK((strstr(said, "corpus.txt: 2 of 4 documents are empty") != NULL) == (i == 0));
        CHECK((*said == '\0') == (i == 1));
        strads_free(said);
        lda_close_site(it.site);
        strads_config_destroy((strads_config *) it.config);
    }
}

static void without_a_corpus_a_run_is_told_which_key_names_it(void)
{
    size_t n = 0;
    attempt it = {.site = NULL};
    strads_config *config = NULL;
    REQUIRE_OK(strads_config_create(&config));
    const strads_option *options = strads_options(&n);
    REQUIRE_OK(strads_config_declare(config, options, n));
    REQUIRE_OK(strads_config_declare(config, lda_app.options, lda_app.n_options));
    REQUIRE_OK(strads_config_resolve(config));
    it.config = config;
    char *said = suite_stderr_of(open_site, &it);
    CHECK_STATUS(it.status, STRADS_ERR_USAGE);
    CHECK(strstr(said, "data.corpus is not set") != NULL);
    strads_free(said);
    strads_config_destroy(config);
}

SUITE("apps/lda/site",
      {"what is trained on and held out is all", what_is_trained_on_and_held_out_is_all},
      {"there are as many columns as the schedule wants",
       there_are_as_many_columns_as_the_schedule_wants},
      {"many topics are sampled otherwise than few", many_topics_are_sampled_otherwise_than_few},
      {"more topics than tokens are refused", more_topics_than_tokens_are_refused},
      {"empty documents are kept and told", empty_documents_are_kept_and_told},
      {"without a corpus a run is told which key names it",
       without_a_corpus_a_run_is_told_which_key_names_it})
