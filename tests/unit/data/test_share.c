/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_share.c - what processes read together is the whole, cut. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/input.h"
#include "data/regression_cache.h"
#include "tests/unit/data/share_case.h"

static void check_text(const char *text)
{
    char *path = suite_file("shared", text);
    check_shares((data_source){.path = path, .precision = DATA_EXACT});
    strads_free(path);
}

static void lines_are_cut_wherever_ranges_begin(void)
{
    check_text("1 1:2 3:4\n2 2:5\n3\n4 1:1\n5 7:2\n6 1:3 2:3 3:3\n7 4:1\n8 5:5\n9 6:6\n10 7:7\n");
    check_text("1 1:2 3:4\r\n2 2:5\r\n3\r\n4 1:1\r\n5 7:2\r\n");
    check_text("1 1:2 9:4\n2 2:5\n3 3:1");
    check_text("# only 1:1\n#\n1 1:2 9:4# 2\n# 3 1:1\n2 2:5\n# end");
    check_text("1 1:1");
    check_text("1 5:1\n2 6:1\n");
}

static void a_dense_file_is_dense_in_every_share(void)
{
    check_text("1 1:1 2:2\n2\n3 1:3 2:4\n4 1:5\n");
    check_text("1 1:1 2:1 3:1\n2 1:1 2:2 3:3\n3\n");
}

static void a_long_file_is_the_same_in_shares(void)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        char *text = random_text(60 * seed, 40, seed % 2 == 0 ? 0.1 : 0.8, seed);
        check_text(text);
        strads_free(text);
    }
}

static void a_line_longer_than_a_buffer_is_one_processes(void)
{
    enum { LONG = 200000 };
    char *text = strads_alloc(16 * LONG);
    REQUIRE(text != NULL);
    size_t n = (size_t) sprintf(text, "1 2:1\n2");
    for (int j = 1; j <= LONG; j += 2) {
        n += (size_t) sprintf(text + n, " %d:0", j);
    }
    sprintf(text + n, " %d:5\n3 1:1\n", LONG + 1);
    char *path = suite_file("long", text);
    team self = {.source = {.path = path}, .count = 5, .n_workers = 5};
    read_together(&self);
    REQUIRE_OK(self.status);
    CHECK(self.shares[0].n_rows == 3 && self.shares[0].n_cols == LONG + 1);
    size_t n_rows = 0;
    for (int i = 0; i < 5; i++) {
        n_rows += self.shares[i].shards[0].x.n_rows;
    }
    CHECK(n_rows == 3);
    drop(&self);
    strads_free(path);
    strads_free(text);
}

/* The cache is given another target, so that one sees what is taken. */
static void a_cache_is_cut_like_the_text_that_it_was_made_of(void)
{
    static const char *const texts[] = {"1 1:2 3:4\n2 2:5\n3\n4 1:1\n5 7:2\n6 1:3 2:3 3:3\n",
                                        "1 1:1 2:2\n2\n3 1:3 2:4\n4 1:5\n"};
    for (size_t i = 0; i < 2; i++) {
        char *path = suite_file("cached", texts[i]);
        const data_source source = {.path = path, .cache = ""};
        char *cache = NULL;
        uint64_t key = 0;
        data_regression data = {.y = NULL};
        REQUIRE_OK(regression_cache_name(&cache, &key, &source));
        unlink(cache);
        check_shares((data_source){.path = path});
        REQUIRE_OK(data_regression_read(&data, &source));
        data.y[1] = 77.0;
        regression_cache_save(&data, cache, key);
        data_regression_fini(&data);
        check_shares(source);
        data_size by_rows = {0};
        REQUIRE_OK(data_share_measure(&by_rows, &source, DATA_BY_ROWS, 2, 2));
        CHECK(by_rows.peak_bytes > by_rows.bytes);
        strads_free(cache);
        strads_free(path);
    }
}

static void a_target_of_its_own_is_cut_like_the_rows(void)
{
    char *path = suite_file("x", "1 1:2 3:4\n2 2:5\n3\n4 1:1\n5 7:2\n");
    char *y_path = suite_file("y", "50\n40\n30\n20\n10\n");
    check_shares((data_source){.path = path, .y_path = y_path});
    check_shares((data_source){.path = path, .n_cols = 12});
    strads_free(y_path);
    strads_free(path);
}

static void a_process_holds_little_more_than_its_part(void)
{
    char *text = random_text(1500, 60, 0.1, 17);
    char *path = suite_file("sparse", text);
    check_bytes(path);
    strads_free(path);
    strads_free(text);
}

/* ---- refusals ---- */

static void a_mistake_is_named_with_its_line_in_whichever_part_it_is(void)
{
    enum { LINES = 12 };
    for (int bad = 1; bad <= LINES; bad += 3) {
        char text[LINES * 16] = "";
        char message[64];
        for (int line = 1; line <= LINES; line++) {
            strcat(text, line == bad ? "1 2:x\n" : line % 3 == 0 ? "# 1\n" : "1 1:2 2:3\n");
        }
        char *path = suite_file("bad", text);
        snprintf(message, sizeof(message), "bad:%d: '2:x': expected INDEX:VALUE", bad);
        check_refused_together((data_source){.path = path}, STRADS_ERR_DATA, message);
        strads_free(path);
    }
}

static void what_is_wrong_with_the_whole_is_said_once(void)
{
    static const char *const cases[][2] = {
        {"", "holds no rows"}, {"# 1\n#\n# 3\n", "holds no rows"}, {"1\n2\n3\n", "no INDEX:VALUE"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *path = suite_file("whole", cases[i][0]);
        check_refused_together((data_source){.path = path}, STRADS_ERR_DATA, cases[i][1]);
        strads_free(path);
    }
}

/* Nobody opens it, which would wait for a writer. */
static void a_pipe_is_refused_by_several(void)
{
    char *path = suite_file("pipe", "");
    REQUIRE(unlink(path) == 0 && mkfifo(path, S_IRUSR | S_IWUSR) == 0);
    CHECK(!data_is_rereadable(path) && data_is_rereadable(suite_folder()));
    team self = {.source = {.path = path}, .count = 3, .n_workers = 3};
    for (int k = 0; k < 2; k++) {
        self.split = k == 0 ? DATA_BY_ROWS : DATA_BY_COLUMNS;
        char *said = suite_stderr_of(read_together, &self);
        CHECK_STATUS(self.status, STRADS_ERR_DATA);
        CHECK(strstr(said, "pipe: is no regular file, and 3 processes cannot all read") != NULL);
        CHECK(strchr(said, '\n') == strrchr(said, '\n'));
        strads_free(said);
        data_size size;
        CHECK_STATUS(data_share_measure(&size, &self.source, self.split, 3, 3), STRADS_ERR_DATA);
    }
    char *text = suite_file("x", "1 1:1\n2 1:2\n");
    self.source = (data_source){.path = text, .y_path = path};
    read_together(&self);
    CHECK_STATUS(self.status, STRADS_ERR_DATA);
    strads_free(text);
    strads_free(path);
}

static void every_allocation_of_a_lone_process_may_fail(void)
{
    char *text = random_text(20, 10, 0.2, 3);
    char *path = suite_file("text", text);
    check_alone_without_memory((data_source){.path = path});
    strads_free(path);
    strads_free(text);
}

SUITE("data/share", {"lines are cut wherever ranges begin", lines_are_cut_wherever_ranges_begin},
      {"a dense file is dense in every share", a_dense_file_is_dense_in_every_share},
      {"a long file is the same in shares", a_long_file_is_the_same_in_shares},
      {"a line longer than a buffer is one process's",
       a_line_longer_than_a_buffer_is_one_processes},
      {"a target of its own is cut like the rows", a_target_of_its_own_is_cut_like_the_rows},
      {"a process holds little more than its part", a_process_holds_little_more_than_its_part},
      {"a mistake is named with its line in whichever part it is",
       a_mistake_is_named_with_its_line_in_whichever_part_it_is},
      {"what is wrong with the whole is said once", what_is_wrong_with_the_whole_is_said_once},
      {"a pipe is refused by several", a_pipe_is_refused_by_several},
      {"a cache is cut like the text that it was made of",
       a_cache_is_cut_like_the_text_that_it_was_made_of},
      {"every allocation of a lone process may fail", every_allocation_of_a_lone_process_may_fail})
