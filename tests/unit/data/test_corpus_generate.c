/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_corpus_generate.c - documents of known topics, and writing them. */
#include "tests/unit/data/corpus_case.h"

static const data_corpus_design small = {.n_documents = 400,
                                         .n_words = 50,
                                         .n_topics = 3,
                                         .length = 200.0,
                                         .alpha = 0.2,
                                         .beta = 0.1,
                                         .seed = 4};

static data_corpus generate(data_corpus_design design, double **topics)
{
    data_corpus c;
    REQUIRE_OK(data_corpus_generate(&c, topics, &design));
    return c;
}

static void topics_are_distributions(void)
{
    double *topics = NULL;
    data_corpus c = generate(small, &topics);
    check_promises(&c);
    for (size_t k = 0; k < small.n_topics; k++) {
        double sum = 0.0;
        for (size_t w = 0; w < small.n_words; w++) {
            CHECK(topics[w * small.n_topics + k] >= 0.0);
            sum += topics[w * small.n_topics + k];
        }
        CHECK_NEAR(sum, 1.0, 1e-12);
    }
    strads_free(topics);
    data_corpus_fini(&c);
}

/* With one topic the counts are multinomial: chi-square, 49 degrees of freedom at most. */
static void words_are_drawn_by_their_topic(void)
{
    data_corpus_design design = small;
    double *topics = NULL;
    design.n_topics = 1;
    design.beta = 5.0;
    data_corpus c = generate(design, &topics);
    double chi = 0.0;
    for (size_t w = 0; w < design.n_words; w++) {
        const double expected = topics[w] * (double) c.n_tokens;
        chi += pow((double) c.counts[w] - expected, 2) / expected;
    }
    CHECK(chi < 85.4); /* passed by 999 of 1000 */
    CHECK_NEAR((double) c.n_tokens / 400.0, 200.0, 4.0 * sqrt(200.0 / 400.0));
    strads_free(topics);
    data_corpus_fini(&c);
}

/* Documents of few topics differ in their words; those of many are alike. */
static double mean_distance(double alpha)
{
    data_corpus_design design = small;
    double *topics = NULL;
    design.alpha = alpha;
    data_corpus c = generate(design, &topics);
    double sum = 0.0;
    for (size_t d = 0; d < c.n_documents; d++) {
        double share[50] = {0};
        for (size_t i = c.starts[d]; i < c.starts[d + 1]; i++) {
            share[c.tokens[i]] += 1.0 / (double) (c.starts[d + 1] - c.starts[d]);
        }
        for (size_t w = 0; w < 50; w++) {
            sum += fabs(share[w] - (double) c.counts[w] / (double) c.n_tokens) / 2.0;
        }
    }
    strads_free(topics);
    data_corpus_fini(&c);
    return sum / 400.0;
}

static void alpha_says_how_many_topics_a_document_has(void)
{
    CHECK(mean_distance(0.01) > 0.4);
    CHECK(mean_distance(1000.0) < 0.2);
}

static void tiny_parameters_are_no_trouble(void)
{
    data_corpus_design design = small;
    double *topics = NULL;
    design.alpha = design.beta = 1e-6;
    design.n_documents = 3;
    data_corpus c = generate(design, &topics);
    check_promises(&c);
    for (size_t i = 0; i < (size_t) design.n_words * design.n_topics; i++) {
        CHECK(isfinite(topics[i]));
    }
    strads_free(topics);
    data_corpus_fini(&c);
}

/* Where read_back puts what it writes. */
static data_corpus read_back(const data_corpus *c)
{
    char *path = suite_file("written", "");
    REQUIRE_OK(data_corpus_write(path, c));
    const data_corpus back = corpus_read((data_corpus_source){.path = path}, NULL);
    strads_free(path);
    return back;
}

static void what_is_written_has_the_same_counts(void)
{
    double *topics = NULL;
    data_corpus c = generate(small, &topics);
    data_corpus back = read_back(&c);
    check_promises(&back);
    CHECK(back.n_documents == c.n_documents && back.n_words == c.n_words);
    CHECK(memcmp(back.counts, c.counts, c.n_words * sizeof(*c.counts)) == 0);
    CHECK(memcmp(back.starts, c.starts, (c.n_kept + 1) * sizeof(*c.starts)) == 0);
    data_corpus again = read_back(&back);
    CHECK(same_corpus(&again, &back));
    data_corpus_fini(&again);
    data_corpus_fini(&back);
    data_corpus_fini(&c);
    strads_free(topics);
}

static void the_seed_decides(void)
{
    double *topics[3];
    data_corpus c[3];
    for (size_t i = 0; i < 3; i++) {
        data_corpus_design design = small;
        design.seed += i / 2;
        c[i] = generate(design, &topics[i]);
    }
    CHECK(same_corpus(&c[0], &c[1]));
    CHECK(!same_corpus(&c[0], &c[2]));
    CHECK(memcmp(topics[0], topics[1], 150 * sizeof(double)) == 0);
    for (size_t i = 0; i < 3; i++) {
        strads_free(topics[i]);
        data_corpus_fini(&c[i]);
    }
}

typedef struct attempt_design {
    data_corpus_design design;
    size_t fail_after;
    strads_status status;
} attempt_design;

static void generate_and_drop(void *context)
{
    attempt_design *a = context;
    data_corpus c;
    double *topics = NULL;
    strads_mem_fail_after(a->fail_after);
    a->status = data_corpus_generate(&c, &topics, &a->design);
    strads_mem_fail_after(0);
    if (a->status == STRADS_OK) {
        data_corpus_fini(&c);
        strads_free(topics);
    }
}

static void every_allocation_may_fail(void)
{
    const size_t live = strads_mem_live();
    attempt_design a = {.design = small, .status = STRADS_ERR_NOMEM};
    while (a.status == STRADS_ERR_NOMEM && a.fail_after < 100) {
        a.fail_after++;
        char *message = suite_stderr_of(generate_and_drop, &a);
        CHECK((a.status == STRADS_OK) == (message[0] == '\0'));
        strads_free(message);
        CHECK(strads_mem_live() == live);
    }
    CHECK_STATUS(a.status, STRADS_OK);
}

static void no_tokens_at_all_are_refused(void)
{
    attempt_design a = {.design = small};
    a.design.n_documents = 1;
    a.design.length = 1e-9;
    char *message = suite_stderr_of(generate_and_drop, &a);
    CHECK_STATUS(a.status, STRADS_ERR_USAGE);
    CHECK(strstr(message, "got any") != NULL);
    strads_free(message);
}

SUITE("data/corpus_generate", {"topics are distributions", topics_are_distributions},
      {"words are drawn by their topic", words_are_drawn_by_their_topic},
      {"alpha says how many topics a document has", alpha_says_how_many_topics_a_document_has},
      {"tiny parameters are no trouble", tiny_parameters_are_no_trouble},
      {"what is written has the same counts", what_is_written_has_the_same_counts},
      {"the seed decides", the_seed_decides},
      {"every allocation may fail", every_allocation_may_fail},
      {"no tokens at all are refused", no_tokens_at_all_are_refused})
