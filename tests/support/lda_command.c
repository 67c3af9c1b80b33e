/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/lda_command.c - topic models of the command. */
#include "tests/support/lda_command.h"

#include <signal.h>
#include <string.h>

#include "tests/support/crew.h"
#include "tests/support/lda_oracle.h"

enum { DOCUMENTS = LDA_COMMAND_DOCUMENTS, WORDS = LDA_COMMAND_WORDS, TOPICS = LDA_COMMAND_TOPICS };

const double lda_command_alpha[TOPICS] = {0.1, 0.1, 0.1}, lda_command_beta = 0.01;

void lda_command_set_up(const char *more)
{
    static char text[COMMAND_BYTES];
    if (text[0] != '\0') {
        return;
    }
    CHECK(command_run("generate lda --documents %d --words %d --topics %d --length 50 --beta 0.1 "
                      "--seed 3 --out corpus.txt",
                      DOCUMENTS, WORDS, TOPICS) == 0);
    snprintf(text, sizeof(text),
             "app: lda\n"
             "data: {corpus: corpus.txt}\n"
             "lda: {topics: 3, sweeps: 60, start: random,\n"
             "      save_assignments: true}\n"
             "%s",
             more);
    strads_free(suite_file("lda.yaml", text));
}

bool lda_command_run(const char *out, const char *more)
{
    const int code = command_run("run lda.yaml --workers 2 --quiet --out %s %s", out, more);
    if (code != 0) {
        printf("%s: exit code %d: %s\n", more, code, command_err);
    }
    return code == 0;
}

double lda_command_likelihood(const char *folder)
{
    static size_t words[WORDS]; /* of the first that was read: all have the same */
    static bool known;
    lda_oracle oracle;
    const double told = command_number(folder, "log_likelihood_per_token");
    lda_oracle_read(&oracle, command_path(folder, "assignments.txt"), WORDS, TOPICS,
                    lda_command_alpha, lda_command_beta);
    if (!known) {
        memcpy(words, oracle.words, sizeof(words));
        known = true;
    }
    CHECK_NEAR(told, oracle.likelihood, 1e-9);
    CHECK((double) oracle.n_tokens == command_number(folder, "tokens"));
    CHECK(oracle.n_documents == DOCUMENTS);
    CHECK(memcmp(oracle.words, words, sizeof(words)) == 0);
    lda_oracle_fini(&oracle);
    return told;
}

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

double lda_command_distance(const char *folder)
{
    static double found[WORDS * TOPICS], known[WORDS * TOPICS];
    double n_tokens = 0.0;
    read_matrix(command_path(folder, "word_topics.npy"), true, found);
    read_matrix(command_path("", "corpus.txt.topics.npy"), false, known);
    for (size_t i = 0; i < (size_t) WORDS * TOPICS; i++) {
        n_tokens += found[i];
    }
    CHECK(n_tokens == command_number(folder, "tokens"));
    return lda_oracle_distance(found, known, WORDS, TOPICS);
}

void lda_command_interrupt(void)
{
    crew one = crew_start("one", "run lda.yaml --workers 2 --out endless --set lda.sweeps=1000000");
    CHECK(crew_says(&one, "updates/s"));
    CHECK(kill(one.pid, SIGINT) == 0);
    CHECK(crew_wait(&one) == 128 + SIGINT);
    CHECK(command_left("endless/word_topics.npy") && command_left("endless/summary.json"));
}
