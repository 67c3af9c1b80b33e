/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_predict.c - a saved model tells the topics of texts and docword. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/lda/predict.h"
#include "apps/lda/saved.h"
#include "base/mem.h"
#include "tests/support/suite.h"

enum { N_WORDS = 6, N_TOPICS = 12 };

static const char *const words[N_WORDS] = {"font", "glyph", "game", "play", "query", "table"};
static const double alpha[N_TOPICS] = {0.05, 0.05, 0.05, 0.01, 0.01, 0.01,
                                       0.01, 0.01, 0.01, 0.01, 0.01, 0.01};

static char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), name);
    return path;
}

static const char *text_of(const void *context, uint32_t w, char *room)
{
    (void) context;
    (void) room;
    return words[w];
}

/* Words 0 and 1 are of topic 0, 2 and 3 of topic 1, 4 and 5 of topic 2. */
static void write_model(size_t n_vocabulary)
{
    data_counts_writer *writer = NULL;
    REQUIRE_OK(lda_saved_open_words(&writer, suite_folder(), N_WORDS, N_TOPICS));
    for (size_t w = 0; w < N_WORDS; w++) {
        uint32_t row[N_TOPICS] = {0};
        row[w / 2] = 1000;
        data_counts_writer_put(writer, w, row);
    }
    REQUIRE_OK(data_counts_writer_commit(writer));
    REQUIRE_OK(lda_saved_write_priors(suite_folder(), alpha, N_TOPICS, 0.01));
    REQUIRE_OK(lda_saved_write_words(suite_folder(), n_vocabulary, text_of, NULL));
}

typedef struct asked {
    data_corpus_source source;
    FILE *to;          /* NULL: what is written becomes `text` */
    size_t fail_after; /* for strads_mem_fail_after */
    strads_status status;
    char text[4096];
} asked;

static void ask_once(void *context)
{
    asked *a = context;
    FILE *to = a->to != NULL ? a->to : tmpfile();
    REQUIRE(to != NULL);
    strads_mem_fail_after(a->fail_after);
    a->status = lda_predict_topics(&a->source, suite_folder(), to);
    strads_mem_fail_after(0);
    if (a->to == NULL) {
        rewind(to);
        a->text[fread(a->text, 1, sizeof(a->text) - 1, to)] = '\0';
        fclose(to);
    }
}

static asked ask(const char *path, const char *part)
{
    asked a = {.source = {.path = path, .text = {.lower_case = true, .max_documents = 1.0}}};
    char *said = suite_stderr_of(ask_once, &a);
    CHECK(part == NULL ? said[0] == '\0' : strstr(said, part) != NULL);
    strads_free(said);
    return a;
}

/* The third document has no known word: it has the prior, whose largest ten topics are told. */
static void texts(void)
{
    write_model(N_WORDS);
    char *path = suite_file("new.txt", "Font glyph font font glyph font glyph glyph\n"
                                       "game query play table game query play table zzz\n"
                                       "unheard of\n");
    const asked a = ask(path, "3 words that are not in");
    CHECK_STATUS(a.status, STRADS_OK);
    CHECK(strncmp(a.text, "1\t0:0.9", 7) == 0);
    double shares[2] = {0.0};
    const char *second = strchr(a.text, '\n') + 1;
    REQUIRE(sscanf(second, "2\t1:%lf 2:%lf\n", &shares[0], &shares[1]) == 2);
    CHECK_NEAR(shares[0], 0.46, 0.04); /* topics without tokens have every word alike */
    CHECK_NEAR(shares[1], 0.46, 0.04);
    CHECK_TEXT(strchr(second, '\n') + 1,
               "3\t0:0.2083 1:0.2083 2:0.2083 3:0.0417 4:0.0417 5:0.0417 6:0.0417 7:0.0417 "
               "8:0.0417 9:0.0417\n");
    strads_free(path);
}

static void folder(void)
{
    write_model(N_WORDS);
    REQUIRE(mkdir(path_of("texts"), 0777) == 0);
    strads_free(suite_file("texts/b.txt", "glyph glyph glyph font"));
    strads_free(suite_file("texts/a.txt", "table table table query"));
    char path[256];
    snprintf(path, sizeof(path), "%s", path_of("texts"));
    const asked a = ask(path, NULL);
    CHECK_STATUS(a.status, STRADS_OK);
    CHECK(strncmp(a.text, "a.txt\t2:0.9", 11) == 0);
    CHECK(strstr(a.text, "\nb.txt\t0:0.9") != NULL);
}

static void docword(void)
{
    write_model(N_WORDS);
    char *path = suite_file("docword.txt", "3\n6\n2\n3 3 9\n1 1 2\n");
    const asked a = ask(path, NULL);
    CHECK_STATUS(a.status, STRADS_OK);
    CHECK(strncmp(a.text, "1\t0:0.", 6) == 0);
    CHECK(strstr(a.text, "\n2\t0:0.2083 1:0.2083") != NULL);
    CHECK(strstr(a.text, "\n3\t1:0.9") != NULL);
    strads_free(path);
}

static void refused(void)
{
    char *path = suite_file("one.txt", "font game\n");
    write_model(N_WORDS - 1);
    CHECK_STATUS(ask(path, "vocab.txt has 5 words and word_topics.npy 6 rows").status,
                 STRADS_ERR_DATA);
    REQUIRE(unlink(path_of("vocab.txt")) == 0);
    CHECK_STATUS(ask(path, "vocab.txt").status, STRADS_ERR_IO);
    write_model(N_WORDS);
    CHECK_STATUS(ask("/nowhere", "/nowhere").status, STRADS_ERR_IO);
    REQUIRE(unlink(path_of("alpha.npy")) == 0);
    CHECK_STATUS(ask(path, "alpha.npy").status, STRADS_ERR_IO);
    strads_free(path);
}

static void fails(void)
{
    char *path = suite_file("one.txt", "font game\n");
    write_model(N_WORDS);
    asked a = {.source = {.path = path, .n_threads = 1, .text = {.max_documents = 1.0}}};
    a.to = fopen("/dev/full", "w");
    REQUIRE(a.to != NULL);
    setvbuf(a.to, NULL, _IONBF, 0);
    char *said = suite_stderr_of(ask_once, &a);
    CHECK_STATUS(a.status, STRADS_ERR_IO);
    CHECK_TEXT(said, "strads: error: cannot write the topics\n");
    strads_free(said);
    fclose(a.to);
    a.to = NULL;
    const size_t live = strads_mem_live();
    for (a.fail_after = 1; a.status != STRADS_OK; a.fail_after++) {
        strads_free(suite_stderr_of(ask_once, &a));
        CHECK(a.status == STRADS_OK || a.status == STRADS_ERR_NOMEM);
        CHECK(strads_mem_live() == live);
    }
    strads_free(path);
}

SUITE("lda predict", {"a text a line has a line of topics, unknown words are counted", texts},
      {"the files of a folder go by their names", folder},
      {"docword is taken with the model's vocabulary", docword},
      {"what does not fit the model is refused", refused},
      {"a full disk and missing memory are said", fails})
