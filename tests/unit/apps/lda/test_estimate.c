/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_estimate.c - what a run of topics needs is told from its sizes, and
 * what does not fit into the machine is refused before it is asked for. */
#include <string.h>

#include "apps/lda/lda.h"
#include "strads/run.h"
#include "tests/support/suite.h"

static strads_config *configure(const char *const *settings, size_t n)
{
    strads_config *config = NULL;
    size_t n_options = 0;
    REQUIRE_OK(strads_config_create(&config));
    for (size_t i = 0; i < n; i++) {
        REQUIRE_OK(strads_config_set(config, settings[i]));
    }
    const strads_option *options = strads_options(&n_options);
    REQUIRE_OK(strads_config_declare(config, options, n_options));
    REQUIRE_OK(strads_config_declare(config, lda_app.options, lda_app.n_options));
    REQUIRE_OK(strads_config_resolve(config));
    return config;
}

typedef struct attempt {
    const strads_config *config;
    lda_sizes sizes;
    strads_status status;
} attempt;

static void check_memory(void *context)
{
    attempt *it = context;
    it->status = lda_check_memory(it->config, &it->sizes);
}

static void a_run_beyond_memory_is_refused_with_both_sizes(void)
{
    static const char *const topics[] = {"lda.topics=100", "lda.topics=65535"};
    for (size_t i = 0; i < 2; i++) {
        strads_config *config = configure(&topics[i], 1);
        attempt it = {.config = config,
                      .sizes = {.n_documents = 1e12,
                                .n_words = 1e5,
                                .n_tokens = 1e14,
                                .longest = 1000,
                                .n_workers = 2,
                                .n_mine = 2}};
        char *said = suite_stderr_of(check_memory, &it);
        CHECK_STATUS(it.status, STRADS_ERR_NOMEM);
        CHECK(strstr(said, topics[i] + strlen("lda.topics=")) != NULL);
        CHECK(strstr(said, "1000000000000 documents of 100000000000000 tokens; the machine has ") !=
              NULL);
        strads_free(said);
        it.sizes.n_documents = 1e3;
        it.sizes.n_tokens = 1e5;
        it.sizes.n_words = 1e3;
        check_memory(&it);
        CHECK_STATUS(it.status, STRADS_OK);
        strads_config_destroy(config);
    }
}

enum { MANY = 800 * 100 };

/* Every line is a document of so many words. */
static char *write_corpus(int n_tokens, int length)
{
    static char text[MANY * 6];
    size_t n = 0;
    for (int i = 0; i < n_tokens; i++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, "w%03d%c", (i / 100 + i * 7) % 900,
                               i % length == length - 1 ? '\n' : ' ');
    }
    return suite_file("corpus.txt", text);
}

static strads_size estimate_file(char *file, const char *topics, const char *more,
                                 uint32_t n_processes)
{
    char path[4096];
    snprintf(path, sizeof(path), "data.corpus=%s", file);
    const char *const settings[] = {path, "data.max_documents=1", "data.min_documents=1", topics,
                                    more};
    strads_config *config = configure(settings, 5);
    strads_size size = {.n_processes = n_processes, .n_workers = 4};
    REQUIRE_OK(lda_estimate(config, &size));
    strads_config_destroy(config);
    strads_free(file);
    return size;
}

static strads_size estimate_of(const char *topics, const char *more, uint32_t n_processes)
{
    return estimate_file(write_corpus(400 * 100, 100), topics, more, n_processes);
}

static void more_topics_and_fitted_priors_need_more(void)
{
    const strads_size few = estimate_of("lda.topics=10", "run.seed=1", 1);
    const strads_size many = estimate_of("lda.topics=500", "run.seed=1", 1);
    const strads_size fitted = estimate_of("lda.topics=500", "lda.optimize_alpha=true", 1);
    CHECK(few.n_vars == 4 && few.worker_bytes > 0);
    CHECK(few.site_bytes < many.site_bytes);
    CHECK(fitted.worker_bytes > many.worker_bytes && fitted.site_bytes == many.site_bytes);
}

static void a_process_with_few_of_the_workers_needs_no_more(void)
{
    const strads_size whole = estimate_of("lda.topics=100", "run.seed=1", 1);
    const strads_size part = estimate_of("lda.topics=100", "run.seed=1", 4);
    CHECK(whole.worker_bytes == part.worker_bytes);
    CHECK(part.site_bytes <= whole.site_bytes);
}

static void words_in_a_table_are_copied_by_every_worker(void)
{
    const strads_size grid = estimate_of("lda.topics=100", "run.seed=1", 4);
    const strads_size tables = estimate_of("lda.topics=100", "schedule.kind=data_parallel", 4);
    CHECK(tables.n_vars >= 4);
    CHECK(tables.worker_bytes > grid.worker_bytes && tables.site_bytes > grid.site_bytes);
}

/* A token with its topic is eight bytes, which the coordinator has of all. */
static void assignments_that_are_saved_need_more(void)
{
    const strads_size without = estimate_of("lda.topics=100", "run.seed=1", 1);
    const strads_size with = estimate_of("lda.topics=100", "lda.save_assignments=true", 1);
    CHECK(with.site_bytes > without.site_bytes + 8 * 400 * 100);
    CHECK(with.worker_bytes == without.worker_bytes);
}

/* A document takes less where it is held out; so do copies of counts but for very few. */
static void copies_for_documents_that_are_held_out_need_more(void)
{
    const strads_size none = estimate_of("lda.topics=100", "run.seed=1", 1);
    const strads_size few = estimate_of("lda.topics=100", "lda.heldout_fraction=1e-6", 1);
    CHECK(few.worker_bytes > none.worker_bytes + sizeof(uint64_t) * 10000);
}

/* Up to 4096 counts of each topic, twice for a moment. */
static void the_logs_of_a_fitted_prior_need_more(void)
{
    const strads_size even = estimate_of("lda.topics=200", "run.seed=1", 1);
    const strads_size fitted = estimate_of("lda.topics=200", "lda.optimize_alpha=true", 1);
    CHECK(fitted.worker_bytes > even.worker_bytes + (size_t) 2 * 200 * 4096 * sizeof(double));
}

static void documents_that_are_too_long_for_the_kernels_need_more(void)
{
    const strads_size many =
        estimate_file(write_corpus(MANY, 100), "lda.topics=60000", "run.seed=1", 1);
    const strads_size one =
        estimate_file(write_corpus(MANY, MANY), "lda.topics=60000", "run.seed=1", 1);
    CHECK(one.worker_bytes > many.worker_bytes + 60000 / 4);
}

SUITE("apps/lda/estimate",
      {"a run beyond memory is refused with both sizes",
       a_run_beyond_memory_is_refused_with_both_sizes},
      {"more topics and fitted priors need more", more_topics_and_fitted_priors_need_more},
      {"a process with few of the workers needs no more",
       a_process_with_few_of_the_workers_needs_no_more},
      {"words in a table are copied by every worker", words_in_a_table_are_copied_by_every_worker},
      {"assignments that are saved need more", assignments_that_are_saved_need_more},
      {"copies for documents that are held out need more",
       copies_for_documents_that_are_held_out_need_more},
      {"the logs of a fitted prior need more", the_logs_of_a_fitted_prior_need_more},
      {"documents that are too long for the kernels need more",
       documents_that_are_too_long_for_the_kernels_need_more})
