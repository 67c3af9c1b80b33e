/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/data/test_share_formats.c - CSV, Matrix Market and compressed texts that processes
 * read together: the same matrix as of one, the same refusals, and a part of the bytes.
 */
#include "tests/unit/data/share_case.h"

/* The text under the name, compressed or not; in members of unlike lengths. */
static char *text_file(const char *name, const char *text, bool compressed)
{
    if (!compressed) {
        return suite_file(name, text);
    }
    const size_t n = strlen(text);
    char *path = bytes_file(name, "", 0);
    append_gzip(path, text, n / 3);
    append_gzip(path, text + n / 3, n - n / 3);
    return path;
}

/* Reads the text, plain and compressed, whole and in shares. */
static void check_alike(const char *text, data_source source)
{
    for (int k = 0; k < 2; k++) {
        char *path = text_file("shared", text, k == 1);
        source.path = path;
        check_some_shares(source, k == 1 ? 7 : SUITE_SANITIZED ? 5 : 3);
        strads_free(path);
    }
}

static void check_text(const char *text)
{
    check_alike(text, (data_source){.precision = DATA_EXACT});
}

/* ---- what is read ---- */

static void lines_of_csv_are_cut_wherever_ranges_begin(void)
{
    check_text("a,b,c,y\n1,0,0,1\n0,0,2,2\n0,3,0,3\n0,0,4,4\n");
    check_text("a,b,y\r\n1,2,3\r\n\r\n4,5,6\r\n  \r\n7,8,9");
    check_text("\xef\xbb\xbf\"a \"\"b\"\"\";\"b;c\"; y\n\"1\";2;3\n4;\"5.5\"; \"6\" \n\n\n");
    check_text("a,y\n1,1");
    check_text("a\tb\ty\n0\t0\t1\n0\t1\t0\n");
    check_alike("y,a,b,c\n1,0,0,1\n2,0,2,2\n3,3,0,3\n", (data_source){.target = "y"});
    check_alike("y,a,b,c\n1,0,0,1\n2,0,2,2\n3,3,0,3\n", (data_source){.target = ""});
    char *y_path = suite_file("y", "10\n20\n30\n");
    check_alike("a,b,c\n1,0,0\n0,2,2\n3,0,3\n", (data_source){.y_path = y_path});
    strads_free(y_path);
}

static void all_processes_have_the_names_of_columns(void)
{
    char *path = suite_file("named", "a,b,y,c\n1,0,5,1\n0,0,6,2\n0,3,7,3\n");
    for (int split = 0; split < 2; split++) {
        team self = {.source = {.path = path, .target = "y"},
                     .split = split == 0 ? DATA_BY_ROWS : DATA_BY_COLUMNS,
                     .count = 4,
                     .n_workers = 6};
        read_together(&self);
        REQUIRE_OK(self.status);
        for (uint32_t i = 0; i < self.count; i++) {
            CHECK_TEXT(self.shares[i].names[0], "a");
            CHECK_TEXT(self.shares[i].names[2], "c");
            CHECK(self.shares[i].names[3] == NULL);
            CHECK(self.shares[i].shards[0].y != NULL); /* without rows, too */
        }
        drop(&self);
    }
    strads_free(path);
}

static void entries_of_matrix_market_come_in_any_order(void)
{
    check_text("%%MatrixMarket matrix coordinate real general\n% of old\n4 5 3\n1 1 2\n"
               "3 5 1\n2 2 7\n");
    check_text("%%MatrixMarket matrix coordinate integer general\n\n6 3 7\n6 3 1\n\n1 1 2\n"
               "5 2 0\n  \n4 1 4\n3 3 5\n2 2 6\n1 3 7");
    check_text("%%MatrixMarket matrix coordinate pattern general\r\n3 9 4\r\n3 9\r\n1 1\r\n3 1\r\n"
               "2 5\r\n");
    check_text("%%MatrixMarket matrix coordinate real symmetric\n5 5 6\n1 1 1\n5 1 2\n2 3 3\n"
               "4 4 4\n5 3 5\n5 5 6\n");
    check_text("%%MatrixMarket matrix coordinate real general\n2 3 5\n2 3 1.5\n1 1 1\n1 3 2.25\n"
               "2 1 0.1\n1 2 3\n");
    check_text("%%MatrixMarket matrix coordinate real general\n4 7 0\n");
    char *y_path = suite_file("y", "1\n2\n3\n4\n");
    check_alike("%%MatrixMarket matrix coordinate real general\n4 5 3\n4 1 2\n3 5 1\n2 2 7\n",
                (data_source){.y_path = y_path});
    strads_free(y_path);
}

static void arrays_of_matrix_market_find_their_places(void)
{
    check_text("%%MatrixMarket matrix array real general\n3 4\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n"
               "12\n");
    check_text("%%MatrixMarket matrix array integer general\n% x\n5 1\n0\n-1\n\n0\n7\n1\n");
    check_text("%%MatrixMarket matrix array real general\n4 2\n0\n0\n0\n1\n0\n0\n0\n0\n");
    check_text("%%MatrixMarket matrix array real general\n1 1\n0.1");
    check_text("%%MatrixMarket matrix array real symmetric\n4 4\n1\n2\n3\n4\n5\n-0\n7\n8\n9\n.5\n");
    check_text("%%MatrixMarket matrix array real symmetric\n1 1\n4\n");
}

/* A Matrix Market file in a shuffled order, with about so many of its places taken. */
static char *shuffled(size_t n_rows, size_t n_cols, double density, uint64_t seed)
{
    strads_random random = strads_random_start(seed, 0);
    const size_t n_all = n_rows * n_cols;
    size_t *places = strads_alloc_array(n_all, sizeof(*places));
    char *text = strads_alloc(n_all * 32 + 128);
    REQUIRE(places != NULL && text != NULL);
    const size_t n = (size_t) (density * (double) n_all);
    size_t at = (size_t) sprintf(text,
                                 "%%%%MatrixMarket matrix coordinate real general\n%zu %zu"
                                 " %zu\n",
                                 n_rows, n_cols, n);
    for (size_t i = 0; i < n_all; i++) {
        const size_t other = strads_random_below(&random, i + 1);
        places[i] = places[other];
        places[other] = i;
    }
    for (size_t i = 0; i < n; i++) {
        at += (size_t) sprintf(text + at, "%zu %zu %.3g\n", places[i] % n_rows + 1,
                               places[i] / n_rows + 1, 1.0 + strads_random_uniform(&random));
    }
    strads_free(places);
    return text;
}

static void long_files_are_the_same_in_shares(void)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        char *text = shuffled(31, 40, seed == 1 ? 0.1 : 0.8, seed);
        check_text(text);
        strads_free(text);
        text = random_text(60, 40, seed == 1 ? 0.1 : 0.8, seed);
        check_text(text);
        strads_free(text);
    }
}

/* Of what a process reads all goes to another, and that takes several rounds. */
static void many_entries_are_swapped_in_rounds(void)
{
    enum { N_ROWS = 600, N_COLS = 1200, STEP = 2, MANY = 16, ONE_ROUND = (2 << 20) + 4096 };
    char *path = suite_file("many", "");
    FILE *file = fopen(path, "w");
    REQUIRE(file != NULL);
    fprintf(file, "%%%%MatrixMarket matrix coordinate real general\n%d %d %d\n", N_ROWS, N_COLS,
            N_ROWS / STEP * N_COLS);
    for (int j = N_COLS; j > 0; j--) {
        for (int i = N_ROWS; i > 0; i -= STEP) {
            fprintf(file, "%d %d %d\n", i, j, i + j);
        }
    }
    REQUIRE(fclose(file) == 0);
    for (int split = 0; split < 2; split++) {
        team self = {.source = {.path = path},
                     .split = split == 0 ? DATA_BY_ROWS : DATA_BY_COLUMNS,
                     .count = MANY,
                     .n_workers = MANY};
        size_t row = 0;
        size_t col = 0;
        bool same = true;
        read_together(&self);
        REQUIRE_OK(self.status);
        for (uint32_t p = 0; p < MANY; p++) {
            const data_matrix *x = &self.shares[p].shards[0].x;
            for (size_t j = 0; j < x->n_cols; j++) {
                for (int64_t k = x->col_start[j]; k < x->col_start[j + 1]; k++) {
                    same = same && x->value[k] == (double) (row + x->row[k] + 1 + col + j + 1) &&
                           (row + x->row[k]) % STEP == 1;
                }
            }
            row += split == 0 ? x->n_rows : 0;
            col += split == 0 ? 0 : x->n_cols;
            same = same && data_matrix_entries(x) ==
                               (split == 0 ? (row / STEP - (row - x->n_rows) / STEP) * N_COLS
                                           : x->n_cols * (N_ROWS / STEP));
        }
        CHECK(same && (split == 0 ? row == N_ROWS : col == N_COLS));
        CHECK(parts_most_bytes() > 0 && parts_most_bytes() < ONE_ROUND);
        drop(&self);
    }
    strads_free(path);
}

/* ---- what is held ---- */

/* A table of numbers, all but one in `every` of which are 0; or a Matrix Market array. */
static char *table(int n_rows, int n_cols, int every, bool is_array)
{
    strads_random random = strads_random_start(31, (uint64_t) every);
    char *text = strads_alloc((size_t) n_rows * n_cols * 8 + 16 * (size_t) n_cols + 64);
    REQUIRE(text != NULL);
    size_t n = 0;
    for (int j = 0; j < n_cols && !is_array; j++) {
        n += (size_t) sprintf(text + n, "c%d%s", j, j + 1 < n_cols ? "," : "\n");
    }
    if (is_array) {
        n = (size_t) sprintf(text, "%%%%MatrixMarket matrix array real general\n%d %d\n", n_rows,
                             n_cols);
    }
    for (int k = 0; k < n_rows * n_cols; k++) {
        const double value = 1.0 + strads_random_uniform(&random);
        const bool zero = strads_random_below(&random, (uint64_t) every) != 0;
        n += (size_t) sprintf(text + n, "%.3f", zero ? 0.0 : value);
        n += (size_t) sprintf(text + n, is_array || (k + 1) % n_cols == 0 ? "\n" : ",");
    }
    return text;
}

static void check_bytes_of(char *text, bool compressed)
{
    char *path = text_file("held", text, compressed);
    check_bytes(path);
    strads_free(path);
    strads_free(text);
}

static void a_process_holds_little_more_than_its_part(void)
{
    check_bytes_of(table(800, 97, 1, false), false);
    check_bytes_of(table(800, 61, 5, false), true);
    check_bytes_of(table(800, 96, 1, true), false);
    check_bytes_of(shuffled(1500, 60, 0.1, 7), false);
    check_bytes_of(shuffled(300, 80, 0.9, 8), true);
    check_bytes_of(random_text(1500, 60, 0.1, 17), true);
}

/* ---- refusals ---- */

/* What the whole is refused with, its parts are, in one line. */
static void check_refused_alike(const char *text)
{
    for (int k = 0; k < 2; k++) {
        char *path = text_file("refused", text, k == 1);
        attempt whole = {.source = {.path = path}};
        char *message = suite_stderr_of(read_and_drop, &whole);
        CHECK_STATUS(whole.status, STRADS_ERR_DATA);
        CHECK(strchr(message, '\n') != NULL);
        check_some_refused(whole.source, STRADS_ERR_DATA, message,
                           k == 1 || SUITE_SANITIZED ? 5 : 3);
        strads_free(message);
        strads_free(path);
    }
}

#define MARKET "%%MatrixMarket matrix coordinate real general\n"
#define ARRAY "%%MatrixMarket matrix array real general\n"

static void a_mistake_is_said_as_of_the_whole_wherever_it_is(void)
{
    static const char *const texts[] = {
        "a,b\n1,2\n3,4\n5,6\n7,\n9,0\n",
        "a,b\n1,2\n3,x\n5,6\n\n7\n9,0,1\n",
        "a,b\n1,2\n3,4\n5,6\n7,8\n9,0,1",
        "a,b\n1,2\n3,4\n\n\n5,6\n7,8\n9,\"0\n",
        MARKET "4 4 6\n1 1 1\n2 2 2\n3 3 3\n4 4 4\n1 2 x\n1 3 1\n",
        MARKET "4 4 6\n1 1 1\n2 2 2\n5 3 3\n4 4 4\n1 2 x\n1 3 1\n",
        MARKET "4 4 6\n1 1 1\n2 2 2\n\n\n3 3 3\n4 4 4\n1 2 1\n1 3 1 1",
        ARRAY "2 3\n1\n2\n3\n4\n5\nsix\n",
        ARRAY "2 3\n1\n\n2\nnan\n4\n5 6\n7\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        check_refused_alike(texts[i]);
    }
}

static void what_is_wrong_with_the_whole_is_said_once(void)
{
    static const char *const texts[] = {
        "a,b,y\n",
        "a,b,y",
        "a,a,y\n1,2,3\n",
        MARKET "4 4 17\n1 1 1\n",
        MARKET "4 4\n1 1 1\n",
        MARKET "4 4 5\n1 1 1\n2 2 2\n3 3 3\n",
        MARKET "4 4 5\n1 1 1\n2 2 2\n3 3 3\n4 4 4",
        MARKET "4 4 2\n1 1 1\n2 2 2\n3 3 3\n4 4 4\n1 2 1\n",
        MARKET "4 4 2\n1 1 1\n2 2 2\n\n\n3 3 3\n4 4 4\n1 2 x\n", /* more before a mistake, */
        MARKET "4 4 2\n1 1 1\n2 2 x\n3 3 3\n4 4 4\n1 2 1\n",     /* behind it, */
        MARKET "4 4 2\n1 1 1\n2 2 2\n3 x 3\n4 4 4\n1 2 1\n",     /* and that itself */
        MARKET "4 4 4\n1 1 1\n2 2 2\n3 3 3\n",
        ARRAY "2 2\n1\n2\n3\n",
        ARRAY "2 2\n1\n2\n3\n4\n5\n6\n7\n8\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        check_refused_alike(texts[i]);
    }
}

static void what_is_given_twice_is_said_as_of_the_whole(void)
{
    static const char *const texts[] = {
        MARKET "9 9 6\n1 2 1\n9 9 1\n8 3 1\n7 8 1\n9 9 2\n8 3 1\n",
        MARKET "9 9 4\n1 2 1\n9 9 0\n1 2 3\n9 9 2\n",
        MARKET "2 2 4\n2 2 1\n1 1 1\n2 2 1\n1 1 2\n",
        MARKET "3 2 5\n3 2 1\n1 1 1\n3 1 2\n3 1 1\n3 2 2\n",
        "%%MatrixMarket matrix coordinate real symmetric\n5 5 3\n5 1 1\n2 2 4\n1 5 2\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        check_refused_alike(texts[i]);
    }
}

/* Cut short anywhere, or damaged behind what the header takes. */
/* A good text in which some bytes are others: what the whole is, or is refused with, the parts are.
 */
static void check_changed(const char *good, uint64_t seed)
{
    static const char bytes[] = "0123456789-.:,;\" \n\n\n\r%ex";
    strads_random random = strads_random_start(seed, 7);
    char *text = strads_strdup(good);
    REQUIRE(text != NULL);
    for (uint64_t n = 1 + strads_random_below(&random, 3); n > 0; n--) {
        text[strads_random_below(&random, strlen(text))] =
            bytes[strads_random_below(&random, sizeof(bytes) - 1)];
    }
    char *path = text_file("changed", text, seed % 4 == 0);
    attempt whole = {.source = {.path = path}};
    char *message = suite_stderr_of(read_and_drop, &whole);
    if (whole.status == STRADS_OK) {
        check_some_shares(whole.source, 9);
    } else {
        check_some_refused(whole.source, whole.status, message, 5);
    }
    strads_free(message);
    strads_free(path);
    strads_free(text);
}

static void what_is_changed_is_read_or_refused_as_of_the_whole(void)
{
    static const char *const texts[] = {
        "a,b,c,y\n1,0,0,1\n0,0,2,2\n0,3,0,3\n0,0,4,4\n5,0,0,5\n",
        MARKET "4 5 7\n1 1 2\n3 5 1\n2 2 7\n4 4 4\n1 5 3\n3 1 6\n2 3 1.5\n",
        "%%MatrixMarket matrix coordinate real symmetric\n4 4 5\n1 1 1\n2 1 2\n4 3 3\n2 4 4\n3 3 "
        "1\n",
        ARRAY "3 3\n1\n2\n3\n4\n5\n6\n7\n8\n9\n",
        "%%MatrixMarket matrix array integer symmetric\n3 3\n1\n2\n3\n4\n5\n6\n",
        "1 1:2 3:4\n2 2:5\n3\n4 1:1\n5 7:2\n6 1:3 2:3 3:3\n",
    };
    enum { N = sizeof(texts) / sizeof(texts[0]), SEEDS = 12 };
    for (uint64_t seed = 0; seed < SEEDS * N; seed++) {
        check_changed(texts[seed % N], seed);
    }
}

static void damaged_gzip_is_said_once(void)
{
    char *texts[] = {random_text(40, 10, 0.3, 5), shuffled(20, 20, 0.3, 6), table(30, 8, 2, false)};
    for (size_t i = 0; i < 3; i++) {
        char *path = text_file("whole.gz", texts[i], true);
        size_t n = 0;
        char *bytes = contents(path, &n);
        char *other = bytes_file("damaged.gz", bytes, n - 9);
        check_some_refused((data_source){.path = other}, STRADS_ERR_DATA, "is cut short", 3);
        strads_free(other);
        bytes[n - 6] ^= 1;
        other = bytes_file("damaged.gz", bytes, n);
        check_some_refused((data_source){.path = other}, STRADS_ERR_DATA, "damaged gzip data", 3);
        strads_free(other);
        strads_free(bytes);
        strads_free(path);
        strads_free(texts[i]);
    }
}

/* Process 1 reads another file. */
typedef struct unlike {
    data_source sources[2];
    strads_status status;
} unlike;
static strads_status read_unlike(void *context, strads_part *part)
{
    unlike *it = context;
    data_share share = {.n_shards = 0};
    const strads_status status =
        data_share_read(&share, &it->sources[strads_part_index(part) == 1], DATA_BY_COLUMNS, part);
    data_share_fini(&share);
    return status;
}

static void read_all_unlike(void *context)
{
    ((unlike *) context)->status = parts_run(3, 3, read_unlike, context);
}

/* Of as many bytes. */
static void files_that_differ_are_refused(void)
{
    static const char *const texts[][2] = {
        {"a,b,c,y\n1,0,0,1\n0,0,2,10\n", "a,b,c,d,y\n1,0,0,0,1\n1,22\n"},
        {MARKET "3 4 1\n1 2 3\n", MARKET "3 5 1\n1 2 3\n"},
        {MARKET "3 4 1\n1 2 3\n", MARKET "4 4 1\n1 2 3\n"},
    };
    for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++) {
        char *path = suite_file("one", texts[k][0]);
        char *other = suite_file("other", texts[k][1]);
        unlike it = {.sources = {{.path = path}, {.path = other}}};
        char *message = suite_stderr_of(read_all_unlike, &it);
        CHECK(it.status != STRADS_OK);
        CHECK(strstr(message, "expected the same file everywhere") != NULL);
        strads_free(message);
        strads_free(other);
        strads_free(path);
    }
}

/* Less than a column, and less than an entry, of each process. */
static void the_size_of_few_entries_is_known(void)
{
    static const char *const texts[] = {"1 1:2\n2\n3\n", MARKET "4 7 0\n", "y,a\n1,2\n"};
    for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++) {
        char *path = suite_file("few", texts[k]);
        const data_source source = {.path = path};
        for (int split = DATA_BY_ROWS; split <= DATA_BY_COLUMNS; split++) {
            data_size size = {0};
            REQUIRE_OK(data_share_measure(&size, &source, (data_split) split, 8, 8));
            CHECK(size.bytes > 0 && size.peak_bytes >= size.bytes);
        }
        strads_free(path);
    }
}

static void a_bad_target_is_said_once(void)
{
    char *path = suite_file("x", MARKET "3 2 2\n1 1 1\n2 2 3\n");
    char *y_path = suite_file("y", "1\ntwo\n3\n");
    check_refused_together((data_source){.path = path, .y_path = y_path}, STRADS_ERR_DATA,
                           "y:2: 'two': expected one finite number");
    strads_free(y_path);
    y_path = suite_file("y", "1\n2\n");
    check_refused_together((data_source){.path = path, .y_path = y_path}, STRADS_ERR_DATA,
                           "2 values: expected 3, a row of");
    strads_free(y_path);
    check_refused_together((data_source){.path = "/nonexistent/x"}, STRADS_ERR_IO, "cannot open");
    strads_free(path);
}

static void values_beyond_float_are_refused_with_their_line(void)
{
    char *path = suite_file("beyond", MARKET "4 4 4\n1 1 1\n2 2 1e300\n3 3 3\n4 4 1e-300\n");
    check_refused_together((data_source){.path = path, .precision = DATA_FLOAT}, STRADS_ERR_DATA,
                           "beyond:4: 1e+300: beyond the range of float");
    strads_free(path);
    path = suite_file("beyond", "a,b\n1,2\n3,4\n5,6\n1e-300,2\n");
    check_refused_together((data_source){.path = path, .precision = DATA_FLOAT}, STRADS_ERR_DATA,
                           "beyond:5: 1e-300: beyond the range of float");
    strads_free(path);
}

static void every_allocation_of_a_lone_process_may_fail(void)
{
    char *texts[] = {shuffled(9, 7, 0.3, 3), table(8, 5, 1, false), table(8, 5, 1, true),
                     random_text(20, 10, 0.2, 3)};
    for (size_t i = 0; i < 4; i++) {
        char *path = text_file("text", texts[i], i == 3);
        const size_t live = strads_mem_live();
        const uint32_t ranks[] = {0, 3};
        strads_part part = {.count = 1, .ranks = ranks};
        team self = {.source = {.path = path}, .split = DATA_BY_ROWS};
        strads_status status = STRADS_ERR_NOMEM;
        for (size_t n = 1; status == STRADS_ERR_NOMEM && n < 1000; n++) {
            strads_mem_fail_after(n);
            status = read_share(&self, &part);
            strads_mem_fail_after(0);
            if (status == STRADS_OK) {
                data_share_fini(&self.shares[0]);
            }
            CHECK(strads_mem_live() == live);
        }
        CHECK_STATUS(status, STRADS_OK);
        strads_free(path);
        strads_free(texts[i]);
    }
}

SUITE("data/share_formats",
      {"lines of CSV are cut wherever ranges begin", lines_of_csv_are_cut_wherever_ranges_begin},
      {"all processes have the names of columns", all_processes_have_the_names_of_columns},
      {"entries of Matrix Market come in any order", entries_of_matrix_market_come_in_any_order},
      {"arrays of Matrix Market find their places", arrays_of_matrix_market_find_their_places},
      {"long files are the same in shares", long_files_are_the_same_in_shares},
      {"many entries are swapped in rounds", many_entries_are_swapped_in_rounds},
      {"a process holds little more than its part", a_process_holds_little_more_than_its_part},
      {"a mistake is said as of the whole, wherever it is",
       a_mistake_is_said_as_of_the_whole_wherever_it_is},
      {"what is wrong with the whole is said once", what_is_wrong_with_the_whole_is_said_once},
      {"what is given twice is said as of the whole", what_is_given_twice_is_said_as_of_the_whole},
      {"what is changed is read or refused as of the whole",
       what_is_changed_is_read_or_refused_as_of_the_whole},
      {"damaged gzip is said once", damaged_gzip_is_said_once},
      {"a bad target is said once", a_bad_target_is_said_once},
      {"values beyond float are refused with their line",
       values_beyond_float_are_refused_with_their_line},
      {"every allocation of a lone process may fail", every_allocation_of_a_lone_process_may_fail},
      {"files that differ are refused", files_that_differ_are_refused},
      {"the size of few entries is known", the_size_of_few_entries_is_known})
