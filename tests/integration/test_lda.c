/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/integration/test_lda.c - topic models as their users run them: what is written is as good
 * as the summary says, all schedules and drivers find the same topics, and those the corpus was
 * made of.
 */
#include <jansson.h>
#include <signal.h>
#include <string.h>

#include "tests/support/crew.h"
#include "tests/support/lda_oracle.h"

enum { DOCUMENTS = 200, WORDS = 120, TOPICS = 3 };

/* Of the default of the configuration below. */
static const double ALPHA[TOPICS] = {0.1, 0.1, 0.1}, BETA = 0.01;

static char folder_path[COMMAND_BYTES];

static const char *path_of(const char *folder, const char *name)
{
    snprintf(folder_path, sizeof(folder_path), "%s/%s%s%s", suite_folder(), folder,
             folder[0] == '\0' ? "" : "/", name);
    return folder_path;
}

/* The words of a topic are told apart easily: about 60 of 120 make nine tenths of it. */
static void set_up(void)
{
    static bool made;
    if (made) {
        return;
    }
    made = true;
    CHECK(command_run("generate lda --documents %d --words %d --topics %d --length 50 --beta 0.1 "
                      "--seed 3 --out corpus.txt",
                      DOCUMENTS, WORDS, TOPICS) == 0);
    strads_free(suite_file("lda.yaml", "app: lda\n"
                                       "data: {corpus: corpus.txt}\n"
                                       "lda: {topics: 3, sweeps: 60, start: random,\n"
                                       "      save_assignments: true}\n"
                                       "schedule: {kind: rotation}\n"));
}

static json_t *summary_of(const char *folder)
{
    json_t *summary = json_load_file(path_of(folder, "summary.json"), 0, NULL);
    REQUIRE(summary != NULL);
    return summary;
}

static double number_of(const char *folder, const char *key)
{
    json_t *summary = summary_of(folder);
    const json_t *value = json_object_get(summary, key);
    const double number = json_is_number(value) ? json_number_value(value) : (double) NAN;
    json_decref(summary);
    return number;
}

static bool run(const char *out, const char *more)
{
    const int code = command_run("run lda.yaml --workers 2 --quiet --out %s %s", out, more);
    if (code != 0) {
        printf("%s: exit code %d: %s\n", more, code, command_err);
    }
    return code == 0;
}

/* ---- how good it is ---- */

/* Whether the summary's likelihood is that of the topics as they were written, all tokens having
 * one; returns it. */
static double checked_likelihood(const char *folder)
{
    lda_oracle oracle;
    lda_oracle whole;
    const double told = number_of(folder, "log_likelihood_per_token");
    lda_oracle_read(&oracle, path_of(folder, "assignments.txt"), WORDS, TOPICS, ALPHA, BETA);
    lda_oracle_read(&whole, path_of("one", "assignments.txt"), WORDS, TOPICS, ALPHA, BETA);
    CHECK_NEAR(told, oracle.likelihood, 1e-6);
    CHECK((double) oracle.n_tokens == number_of(folder, "tokens"));
    CHECK(oracle.n_documents == DOCUMENTS);
    CHECK(memcmp(oracle.words, whole.words, WORDS * sizeof(*whole.words)) == 0);
    lda_oracle_fini(&oracle);
    lda_oracle_fini(&whole);
    return told;
}

/* Of many runs all came to between -3.294 and -3.283. */
static void all_ways_come_to_the_same_likelihood(void)
{
    static const char *const ways[] = {
        "--workers 1 --set run.seed=4",
        "",
        "--workers 3",
        "--workers 7",
        "--set ssp.staleness=3 --workers 3",
        "--set schedule.slow_worker_agnostic=true",
        "--processes 2",
        "--processes 2 --set ssp.staleness=0",
        "--workers 3 --set run.driver=sim --set cluster.speed=[1,0.1,1]",
        ("--workers 3 --set run.driver=sim --set cluster.speed=[1,0.1,1]"
         " --set schedule.slow_worker_agnostic=true")};
    set_up();
    CHECK(run("one", "--workers 1"));
    const double first = checked_likelihood("one");
    CHECK_NEAR(first, -3.289, 0.02);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i += SUITE_SANITIZED ? 4 : 1) {
        CHECK(run("other", ways[i]));
        const double other = checked_likelihood("other");
        CHECK_NEAR(other, first, 0.02);
        if (!(fabs(other - first) <= 0.02)) {
            printf("%s: %.4f, not %.4f\n", ways[i], other, first);
        }
    }
    CHECK(run("other", "--set lda.start=growing"));
    CHECK_NEAR(checked_likelihood("other"), first, 0.3); /* of few documents it begins worse */
}

/* ---- what it finds ---- */

/* A matrix of .npy, made doubles; its header says its own length. */
static void read_matrix(const char *path, bool integers, double *out)
{
    unsigned char head[10];
    FILE *from = fopen(path, "rb");
    REQUIRE(from != NULL && fread(head, 1, sizeof(head), from) == sizeof(head));
    REQUIRE(fseek(from, 10 + head[8] + 256 * head[9], SEEK_SET) == 0);
    for (size_t i = 0; i < (size_t) WORDS * TOPICS; i++) {
        uint32_t count = 0;
        double number = 0.0;
        REQUIRE(fread(integers ? (void *) &count : (void *) &number,
                      integers ? sizeof(count) : sizeof(number), 1, from) == 1);
        out[i] = integers ? count : number;
    }
    fclose(from);
}

static double distance_of(const char *folder)
{
    static double found[WORDS * TOPICS], known[WORDS * TOPICS];
    read_matrix(path_of(folder, "word_topics.npy"), true, found);
    read_matrix(path_of("", "corpus.txt.topics.npy"), false, known);
    return lda_oracle_distance(found, known, WORDS, TOPICS);
}

/* 0.035 is what a sample of 10,000 tokens leaves; after one sweep it is 0.54. */
static void the_topics_are_those_that_the_corpus_was_made_of(void)
{
    static const char *const ways[] = {"--workers 1", "",
                                       "--set run.deterministic=true --workers 1",
                                       "--set run.seed=2 --processes 2"};
    set_up();
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        CHECK(run("found", ways[i]));
        CHECK(distance_of("found") < 0.06);
    }
    CHECK(run("found", "--set lda.sweeps=1"));
    CHECK(distance_of("found") > 0.3);
}
/* ---- the schedule ---- */

/* Who meets which column, and when, goes by time: some cells are met late, or twice in a pass. */
static void free_workers_give_every_token_one_topic(void)
{
    static const char *const ways[] = {
        "--set schedule.kind=free", "--set schedule.kind=free --set lda.start=growing --workers 3",
        "--set schedule.kind=free --workers 3 --set run.driver=sim --set cluster.speed=[1,0.2,1]",
        ("--set schedule.kind=free --set lda.start=growing --workers 3 --set run.driver=sim"
         " --set cluster.speed=[1,0.2,1]")};
    set_up();
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i += SUITE_SANITIZED ? 3 : 1) {
        lda_oracle oracle;
        CHECK(run("free", ways[i]));
        lda_oracle_read(&oracle, path_of("free", "assignments.txt"), WORDS, TOPICS, ALPHA, BETA);
        CHECK((double) oracle.n_tokens == number_of("free", "tokens"));
        CHECK(oracle.likelihood > -3.8); /* chance may leave two topics mixed */
        lda_oracle_fini(&oracle);
    }
}

/* ---- what is written ---- */

static void the_summary_has_what_other_programs_read(void)
{
    static const char *const keys[] = {"log_likelihood_per_token", "tokens", "tokens_per_second"};
    set_up();
    CHECK(run("keys", "--set lda.sweeps=25 --set data.vocab=corpus.txt.vocab"));
    json_t *summary = summary_of("keys");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        CHECK(json_is_number(json_object_get(summary, keys[i])));
    }
    const json_t *list = json_object_get(summary, "seconds_to");
    static const double sweeps[] = {1.0, 10.0, 20.0, 25.0};
    REQUIRE(json_array_size(list) == 4);
    double before = 0.0;
    for (size_t i = 0; i < 4; i++) {
        const json_t *line = json_array_get(list, i);
        CHECK(json_array_size(line) == 3);
        CHECK(json_number_value(json_array_get(line, 0)) == sweeps[i]);
        CHECK(json_number_value(json_array_get(line, 1)) > before);
        before = json_number_value(json_array_get(line, 1));
    }
    const double last = json_number_value(json_array_get(json_array_get(list, 3), 2));
    CHECK(last == json_number_value(json_object_get(summary, "log_likelihood_per_token")));
    json_decref(summary);
    CHECK(command_run("predict keys corpus.txt") == 0);
    size_t n_lines = 0;
    for (const char *c = command_out; *c != '\0'; c++) {
        n_lines += *c == '\n';
    }
    CHECK(n_lines == DOCUMENTS);
}

static void an_interrupted_run_leaves_its_topics(void)
{
    set_up();
    crew one = crew_start("one", "run lda.yaml --workers 2 --out endless --set lda.sweeps=1000000");
    CHECK(crew_says(&one, "updates/s"));
    CHECK(kill(one.pid, SIGINT) == 0);
    CHECK(crew_wait(&one) == 128 + SIGINT);
    CHECK(command_left("endless/word_topics.npy") && command_left("endless/summary.json"));
}

/* ---- bad input ---- */

static void mistakes_are_refused_with_their_place(void)
{
    static const struct {
        const char *corpus, *vocab, *words;
    } cases[] = {
        {"2\n3\n2\n1 1 2\n2 9 1\n", NULL, "bad.txt:5: '2 9 1': expected a word from 1 to 3"},
        {"2\n3\n2\n1 1 2\n3 2 1\n", NULL, "bad.txt:5: '3 2 1': expected a document from 1 to 2"},
        {"2\n3\n2\n1 1 0\n2 2 1\n", NULL, "bad.txt:4: '1 1 0': expected a count from 1"},
        {"2\n3\n2\n1 1 -4\n2 2 1\n", NULL, "bad.txt:4: '1 1 -4': expected DOCUMENT WORD COUNT"},
        {"2\n3\n2\n1 1 2147483649\n2 2 1\n", NULL, "bad.txt:4: '1 1 2147483649': expected a count"},
        {"2\n3\n5\n1 1 2\n2 2 1\n", NULL, "bad.txt:3: states 5 entries, but 2 follow"},
        {"2\n3\n1\n1 1 2\n2 2 1\n", NULL, "bad.txt:3: states 1 entries, but 2 follow"},
        {"2\n0\n2\n1 1 2\n2 2 1\n", NULL, "bad.txt:2: '0': expected the number of words"},
        {"2\n3\n2\n1 1 2\n2 2 1\n", "a\nb\n", "bad.txt:2: states 3 words, but words.txt has 2"},
        {"", NULL, "bad.txt: is empty"},
        {"\n\n", NULL, "bad.txt: none of the words of 2 documents stay"},
        {"one two\nthree\n", "a\nb\n",
         "bad.txt: none of the words of 2 documents are in words.txt"},
        {"2\n3\n2\n1 1 2\n2 2 1\n", "a\nb\na\n", "words.txt:3: 'a': is in line 1 too"},
        {"2\n3\n2\n1 1 2\n2 2 1\n", "a\n\xff\nb\n", "words.txt:2: '\\xff': is not UTF-8"},
        {"2\n3\n2\n1 1 1\n2 2 1\n", NULL,
         "lda.topics: 3 is more than there are tokens to train on in bad.txt: 2"}};
    set_up();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        strads_free(suite_file("bad.txt", cases[i].corpus));
        strads_free(suite_file("words.txt", cases[i].vocab != NULL ? cases[i].vocab : "a\nb\nc\n"));
        CHECK(command_run("run lda.yaml --quiet --out bad --set data.corpus=bad.txt %s",
                          cases[i].vocab != NULL ? "--set data.vocab=words.txt" : "") == 3);
        CHECK_HAS(command_err, cases[i].words);
        CHECK(!command_left("bad/word_topics.npy") && !command_left("bad/assignments.txt"));
    }
    static const char *const settings[] = {"lda.alpha=0",     "lda.alpha=-1", "lda.alpha=nan",
                                           "lda.beta=0",      "lda.beta=-.1", "lda.topics=0",
                                           "lda.topics=65536"};
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        CHECK(command_run("run lda.yaml --out bad --set %s", settings[i]) == 2);
        CHECK_HAS(command_err, "lda.");
    }
}

static void empty_documents_are_kept_and_counted(void)
{
    lda_oracle oracle;
    set_up();
    strads_free(suite_file("gaps.txt", "4\n3\n2\n1 1 2\n4 2 1\n"));
    CHECK(run("gaps", "--set data.corpus=gaps.txt --processes 2"));
    const char *said = strstr(command_err, "warning: gaps.txt: 2 of 4 documents are empty");
    CHECK(said != NULL && strstr(said + 1, "warning: gaps.txt") == NULL); /* once, not twice */
    CHECK(number_of("gaps", "empty_documents") == 2.0 && number_of("gaps", "documents") == 4.0);
    lda_oracle_read(&oracle, path_of("gaps", "assignments.txt"), 3, TOPICS, ALPHA, BETA);
    CHECK(oracle.n_documents == 4 && oracle.n_tokens == 3);
    lda_oracle_fini(&oracle);
}

SUITE("integration/lda",
      {"all ways come to the same likelihood", all_ways_come_to_the_same_likelihood},
      {"the topics are those that the corpus was made of",
       the_topics_are_those_that_the_corpus_was_made_of},
      {"free workers give every token one topic", free_workers_give_every_token_one_topic},
      {"the summary has what other programs read", the_summary_has_what_other_programs_read},
      {"an interrupted run leaves its topics", an_interrupted_run_leaves_its_topics},
      {"mistakes are refused with their place", mistakes_are_refused_with_their_place},
      {"empty documents are kept and counted", empty_documents_are_kept_and_counted})
