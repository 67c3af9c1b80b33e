/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_saved.c - a model's folder: written, read back, damaged. */
#include <string.h>
#include <unistd.h>

#include "apps/lda/saved.h"
#include "base/mem.h"
#include "tests/support/suite.h"

enum { N_WORDS = 6, N_TOPICS = 3 };

static const uint32_t counts[N_WORDS][N_TOPICS] = {{1, 0, 2}, {0, 0, 0}, {7, 8, 9},
                                                   {0, 1, 0}, {4, 4, 4}, {0, 0, 4294967295U}};
static const double alpha[] = {0.1, 0.2, 0.3};

static const char *text_of(const void *context, uint32_t w, char *room)
{
    (void) context;
    snprintf(room, LDA_WORD_BYTES, "w%u", w + 1);
    return room;
}

static char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), name);
    return path;
}

static void write_words(size_t n_words)
{
    data_counts_writer *writer = NULL;
    REQUIRE_OK(lda_saved_open_words(&writer, suite_folder(), n_words, N_TOPICS));
    for (size_t w = n_words; w-- > 0;) {
        data_counts_writer_put(writer, w, counts[w]);
    }
    REQUIRE_OK(data_counts_writer_commit(writer));
}

static void write_model(void)
{
    write_words(N_WORDS);
    REQUIRE_OK(lda_saved_write_priors(suite_folder(), alpha, N_TOPICS, 0.01));
    REQUIRE_OK(lda_saved_write_words(suite_folder(), N_WORDS, text_of, NULL));
}

static void check_text(const char *name, const char *expected)
{
    char text[512] = "";
    FILE *from = fopen(path_of(name), "r");
    REQUIRE(from != NULL);
    text[fread(text, 1, sizeof(text) - 1, from)] = '\0';
    fclose(from);
    CHECK_TEXT(text, expected);
}

static void back(void)
{
    lda_saved saved;
    write_model();
    REQUIRE_OK(lda_saved_read(&saved, suite_folder()));
    CHECK(saved.n_words == N_WORDS && saved.n_topics == N_TOPICS);
    CHECK(memcmp(saved.words.values, counts, sizeof(counts)) == 0);
    CHECK(memcmp(saved.alpha, alpha, sizeof(alpha)) == 0);
    CHECK(saved.totals[0] == 12.0 && saved.totals[1] == 13.0 && saved.totals[2] == 4294967310.0);
    CHECK_NEAR(saved.beta, 0.01, 0.0);
    lda_saved_fini(&saved);
}

static void texts(void)
{
    write_model();
    check_text("vocab.txt", "w1\nw2\nw3\nw4\nw5\nw6\n");
    lda_tops tops;
    REQUIRE_OK(lda_tops_init(&tops, N_TOPICS, 2));
    for (uint32_t w = 0; w < N_WORDS; w++) {
        lda_tops_add_row(&tops, w, counts[w]);
    }
    lda_tops_sort(&tops);
    const double totals[] = {1, 2, 1};
    const lda_topics_table table = {.tops = &tops, .totals = totals, .word = text_of};
    REQUIRE_OK(lda_saved_write_table(suite_folder(), &table));
    check_text("topics.txt", "topic    share  words\n"
                             "    1   50.00%  w3 w5\n"
                             "    0   25.00%  w3 w5\n"
                             "    2   25.00%  w6 w3\n");
    lda_tops_fini(&tops);
    data_entries_writer *writer = NULL;
    const uint32_t topics[] = {0, 2};
    const uint32_t values[] = {5, 1};
    REQUIRE_OK(lda_saved_open_documents(&writer, suite_folder(), 4, N_TOPICS));
    data_entries_writer_put(writer, 3, topics, values, 2);
    REQUIRE_OK(data_entries_writer_commit(writer));
    check_text("document_topics.mtx", "%%MatrixMarket matrix coordinate integer general\n"
                                      "                   4                    3"
                                      "                    2\n"
                                      "4 1 5\n4 3 1\n");
}

/* ---- what is refused ---- */

static strads_status status_of_call;
static size_t fail_after; /* for strads_mem_fail_after */

static void read_once(void *context)
{
    strads_mem_fail_after(fail_after);
    status_of_call = lda_saved_read(context, suite_folder());
    strads_mem_fail_after(0);
}

static void check_refused(strads_status status, const char *part)
{
    const size_t live = strads_mem_live();
    lda_saved saved = {.n_words = 77};
    char *said = suite_stderr_of(read_once, &saved);
    CHECK_STATUS(status_of_call, status);
    if (strstr(said, part) == NULL) {
        fprintf(stderr, "'%s' (expected '%s')\n", said, part);
        CHECK(false);
    }
    CHECK(saved.n_words == 77);
    strads_free(said);
    CHECK(strads_mem_live() == live);
}

static void refused(void)
{
    static const double bad[] = {0.1, 0.0, 0.3};
    static const char *const names[] = {"word_topics.npy", "alpha.npy", "beta.npy"};
    for (size_t i = 0; i < 3; i++) {
        write_model();
        REQUIRE(unlink(path_of(names[i])) == 0);
        check_refused(STRADS_ERR_IO, names[i]);
        strads_free(suite_file(names[i], "not numbers"));
        check_refused(STRADS_ERR_DATA, names[i]);
    }
    write_model();
    REQUIRE_OK(lda_saved_write_priors(suite_folder(), alpha, 2, 0.01));
    check_refused(STRADS_ERR_DATA, "alpha.npy: 2 numbers: expected 3");
    REQUIRE_OK(lda_saved_write_priors(suite_folder(), bad, 3, 0.01));
    check_refused(STRADS_ERR_DATA, "alpha.npy: 0 at 2: expected a number above 0");
    REQUIRE_OK(lda_saved_write_priors(suite_folder(), alpha, 3, -1.0));
    check_refused(STRADS_ERR_DATA, "beta.npy: -1 at 1: expected a number above 0");
    write_model();
    data_counts_writer *writer = NULL;
    const uint32_t none[N_TOPICS] = {0};
    REQUIRE_OK(lda_saved_open_words(&writer, suite_folder(), 1, N_TOPICS));
    data_counts_writer_put(writer, 0, none);
    REQUIRE_OK(data_counts_writer_commit(writer));
    check_refused(STRADS_ERR_DATA, "1 words, 3 topics and no token in them");
}

static void memory(void)
{
    write_model();
    strads_status status = STRADS_ERR_NOMEM;
    for (fail_after = 1; status != STRADS_OK; fail_after++) {
        lda_saved saved = {.n_words = 0};
        const size_t live = strads_mem_live();
        char *said = suite_stderr_of(read_once, &saved);
        status = status_of_call;
        CHECK(status == STRADS_OK || status == STRADS_ERR_NOMEM);
        CHECK((strstr(said, "no memory") != NULL) == (status == STRADS_ERR_NOMEM));
        strads_free(said);
        lda_saved_fini(&saved);
        CHECK(strads_mem_live() == live);
    }
    fail_after = 0;
}

static void write_nowhere(void *context)
{
    (void) context;
    data_counts_writer *words = NULL;
    data_entries_writer *documents = NULL;
    CHECK_STATUS(lda_saved_open_words(&words, "/nowhere", 1, 1), STRADS_ERR_IO);
    CHECK_STATUS(lda_saved_open_documents(&documents, "/nowhere", 1, 1), STRADS_ERR_IO);
    CHECK_STATUS(lda_saved_write_priors("/nowhere", alpha, 3, 1.0), STRADS_ERR_IO);
    CHECK_STATUS(lda_saved_write_words("/nowhere", 1, text_of, NULL), STRADS_ERR_IO);
    CHECK(words == NULL && documents == NULL);
}

static void nowhere(void)
{
    strads_free(suite_stderr_of(write_nowhere, NULL));
}

SUITE("lda saved", {"a model is read back as it was written", back},
      {"vocabulary, table and documents are texts", texts},
      {"damaged and mismatched files are refused", refused},
      {"missing memory is said and nothing is kept", memory},
      {"a folder that is not there is said", nowhere})
