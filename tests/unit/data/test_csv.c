/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_csv.c - CSV with a line of names, good and bad. */
#include "base/random.h"
#include "tests/unit/data/reading.h"

/* Reads a file of this text as the source says. */
static data_regression read_as(const char *text, data_source source)
{
    char *path = suite_file("good.csv", text);
    data_regression data = {0};
    source.path = path;
    REQUIRE_OK(data_regression_read(&data, &source));
    strads_free(path);
    return data;
}

static void check_names(const data_regression *d, const char *const *names)
{
    REQUIRE(d->names != NULL);
    size_t j = 0;
    for (; names[j] != NULL; j++) {
        REQUIRE(j < d->x.n_cols);
        CHECK_TEXT(d->names[j], names[j]);
    }
    CHECK(j == d->x.n_cols && d->names[j] == NULL);
}

static void the_last_column_is_the_target_unless_another_is_named(void)
{
    static const char text[] = "size,rooms,price\n1.5,2,-3e2\n4,0,5\n";
    data_regression d = read_as(text, (data_source){.target = NULL});
    CHECK(d.x.n_rows == 2 && d.x.n_cols == 2 && d.x.col_start == NULL);
    CHECK(at(&d.x, 0, 0) == 1.5 && at(&d.x, 0, 1) == 2.0 && at(&d.x, 1, 0) == 4.0);
    CHECK(d.y[0] == -300.0 && d.y[1] == 5.0);
    check_names(&d, (const char *const[]){"size", "rooms", NULL});
    data_regression_fini(&d);
    d = read_as(text, (data_source){.target = "size"});
    CHECK(d.y[0] == 1.5 && d.y[1] == 4.0 && at(&d.x, 1, 1) == 5.0);
    check_names(&d, (const char *const[]){"rooms", "price", NULL});
    data_regression_fini(&d);
}

static void the_target_is_named_by_the_first_line_alone(void)
{
    static const struct {
        const char *text, *target, *y_path, *expected;
    } cases[] = {{"a,b\nnone,1\n", NULL, NULL, "b"}, {"a,\"b c\"\n", NULL, NULL, "b c"},
                 {"a,b\n", "a", NULL, "a"},          {"a,b\n", "", NULL, NULL},
                 {"a,b\n", NULL, "/none", NULL},     {"1 1:2\n", NULL, NULL, NULL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *path = suite_file("named.csv", cases[i].text);
        const data_source source = {
            .path = path, .target = cases[i].target, .y_path = cases[i].y_path};
        char *name = NULL;
        REQUIRE_OK(data_target_name(&name, &source));
        CHECK((name == NULL) == (cases[i].expected == NULL));
        if (name != NULL && cases[i].expected != NULL) {
            CHECK_TEXT(name, cases[i].expected);
        }
        strads_free(name);
        strads_free(path);
    }
}

static void a_target_of_its_own_leaves_all_columns(void)
{
    char *y_path = suite_file("y", "7\n8\n");
    data_regression d = read_as("a,b\n1,2\n3,4\n", (data_source){.y_path = y_path});
    CHECK(d.x.n_cols == 2 && d.y[0] == 7.0 && d.y[1] == 8.0);
    data_regression_fini(&d);
    d = read_as("a\n1\n3\n", (data_source){.y_path = y_path, .format = DATA_CSV});
    CHECK(d.x.n_cols == 1 && d.x.value[1] == 3.0 && d.y[1] == 8.0);
    data_regression_fini(&d);
    d = read_as("a,b\n1,2\n3,4\n", (data_source){.y_path = y_path, .target = "b"});
    CHECK(d.x.n_cols == 1 && d.y[1] == 8.0);
    data_regression_fini(&d);
    strads_free(y_path);
}

static void spelling_changes_nothing(void)
{
    static const char *const texts[] = {
        "a b,\"c,\"\"d\"\"\",y\n1,0,3\n-4,50,6\n",
        "a b;c,\"d\";y\n1;0;3\n-4;50;6",
        "a b\tc,\"d\"\ty\n1\t0\t3\n-4\t5e1\t6\n",
        "\xef\xbb\xbf a b ; c,\"d\" ; y \r\n 1 ; 0.0 ;\t3\r\n\r\n-4;50;6 \r\n\n",
        "\"a b\";\"c,\"\"d\"\"\";\"y\"\n\"1\";\"0\" ; \"3\"\n\"-4\";\"50\";6\r\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        data_regression d = read_as(texts[i], (data_source){.target = "y"});
        CHECK(d.x.n_rows == 2 && at(&d.x, 0, 0) == 1.0 && at(&d.x, 1, 0) == -4.0);
        CHECK(at(&d.x, 0, 1) == 0.0 && at(&d.x, 1, 1) == 50.0);
        CHECK(d.y[0] == 3.0 && d.y[1] == 6.0);
        check_names(&d, (const char *const[]){"a b", "c,\"d\"", NULL});
        data_regression_fini(&d);
    }
}

static void more_than_half_zeros_make_a_sparse_matrix(void)
{
    data_regression d = read_as("a,b,y\n0,1,1\n0,2,2\n", (data_source){.n_cols = 2});
    CHECK(d.x.col_start != NULL && data_matrix_entries(&d.x) == 2);
    data_regression_fini(&d);
    d = read_as("a,b,y\n3,1,1\n0,2,2\n", (data_source){.n_cols = 2});
    CHECK(d.x.col_start == NULL);
    data_regression_fini(&d);
}

static void columns_are_taken_by_their_names(void)
{
    const data_source source = {.names = (const char *const[]){"b", "a"}, .n_cols = 2};
    data_regression d = read_as("id,a,b,y\nx 1,1,2,3\n\"y,2\",4,5,6\n", source);
    CHECK(d.x.n_cols == 2 && at(&d.x, 0, 0) == 2.0 && at(&d.x, 1, 1) == 4.0 && d.y[1] == 6.0);
    check_names(&d, (const char *const[]){"b", "a", NULL});
    data_regression_fini(&d);
    d = read_as("b,a\n2,1\n", source); /* without a target */
    CHECK(d.y == NULL && at(&d.x, 0, 0) == 2.0 && at(&d.x, 0, 1) == 1.0);
    data_regression_fini(&d);
    data_source named = source;
    named.target = "y";
    d = read_as("y,b,a,note\n9,2,1,-\n", named);
    CHECK(d.y[0] == 9.0 && at(&d.x, 0, 1) == 1.0);
    data_regression_fini(&d);
    d = read_as("b,note,a\n2,-,1\n", named);
    CHECK(d.y == NULL && at(&d.x, 0, 1) == 1.0);
    data_regression_fini(&d);
}

static void every_mistake_is_named_with_line_column_and_value(void)
{
    static const char *const cases[][2] = {
        {"a,b,y\n1,,3\n", "refused:2: column 'b': '': expected a finite number; missing values"},
        {"a,b,y\n1,2,3\n1,NA,3\n", "refused:3: column 'b': 'NA': expected a finite number"},
        {"a,b,y\n1,2,NaN\n", "refused:2: column 'y': 'NaN': expected"},
        {"a,b,y\n1,2,1e999\n", "refused:2: column 'y': '1e999': expected"},
        {"a,b,y\n\"one\",2,3\n", "refused:2: column 'a': 'one': expected"},
        {"a;b;y\n1;2,5;3\n", "refused:2: column 'b': '2,5': expected"},
        {"a,b,y\n1,2\n", "refused:2: too few fields: expected 3"},
        {"a,b,y\n1,2,3,4\n", "refused:2: too many fields: expected 3"},
        {"a,b,y\n1,2,3\n1\n", "refused:3: too few fields: expected 3"},
        {"a,b,y\n1,\"2\n,3\"\n", "refused:2: '2': the line ends within quotes"},
        {"a,b,y\n1,\"2\"2,3\n", "refused:2: '\"2\"2,3': more than a quoted field"},
        {"a,\"b\ny\"\n", "refused:1: 'b': the line ends within quotes"},
        {"\"\",a,y\n1,2,3\n",
         "refused:1: column 1 has no name: expected one for each, without row"},
        {"a,,y\n1,2,3\n", "refused:1: column 2 has no name"},
        {"a,b,a\n1,2,3\n", "refused:1: columns 1 and 3 are both named 'a'"},
        {"1,2,3\n4,5,6\n", "refused:1: expected the names of the columns, not numbers alone"},
        {"a,y\n", "refused: holds no rows behind the names of its columns"},
        {"a,y", "refused: holds no rows"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_refused(cases[i][0], cases[i][1]);
    }
    check_refused_bytes("a,y\n1,\0\n", 8, "refused:2: column 'y': '\\x00': expected");
    check_refused_bytes("a\0,y\n1,2\n", 9, "refused:1: column 1: 'a\\x00': expected a name");
}

static void check_refused_as(const char *text, data_source source, const char *part)
{
    char *path = suite_file("refused", text);
    source.path = path;
    check_refused_source(source, STRADS_ERR_DATA, part);
    strads_free(path);
}

static void columns_that_are_not_there_are_named(void)
{
    const data_source named = {.names = (const char *const[]){"a", "q"}, .n_cols = 2};
    const data_source twice = {.names = (const char *const[]){"a", "a"}, .n_cols = 2};
    check_refused_as("a,b\n1,2\n", (data_source){.target = "c"},
                     "refused:1: there is no column 'c', which is to be the target: expected one "
                     "of a, b");
    check_refused_as("a,b\n1,2\n", named, "refused:1: there is no column 'q', which the model has");
    check_refused_as("a,b\n1,2\n", twice, "refused: column 'a' is asked for twice");
    check_refused_as("a,b,y\n1,2,3\n", (data_source){.n_cols = 3},
                     "refused: has 2 columns: expected 3");
    check_refused_as("y\n1\n", (data_source){.format = DATA_CSV}, "has no column but the target");
    check_refused_as("", (data_source){.format = DATA_CSV}, "not an empty file");
}

static void libsvm_text_is_not_taken_for_csv(void)
{
    static const char *const texts[] = {"1\t1:2\t2:3\n", "# a, b\n1 1:2 2:3\n",
                                        "1 1:2 2:3 # a,b,c\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        data_regression d = read_text(texts[i]);
        CHECK(d.x.n_cols == 2 && d.names == NULL);
        data_regression_fini(&d);
    }
}

/* Random numbers in random spelling, some of them 0; the oracle is by strtod. */
enum { ROWS = 300, COLS = 41 };

static char *random_text(double oracle[ROWS][COLS], double density, strads_random *random)
{
    char *text = strads_alloc((size_t) (ROWS + 1) * COLS * 40);
    REQUIRE(text != NULL);
    char *p = text;
    for (size_t j = 0; j < COLS; j++) {
        p += sprintf(p, "v%zu%c", j, j + 1 < COLS ? ',' : '\n');
    }
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < COLS; j++) {
            char word[64] = "0";
            if (strads_random_uniform(random) < density) {
                snprintf(word, sizeof(word), "%.*g", 1 + (int) strads_random_below(random, 18),
                         strads_random_uniform(random) - 0.5);
            }
            oracle[i][j] = strtod(word, NULL);
            const char *quote = strads_random_below(random, 5) == 0 ? "\"" : "";
            p += sprintf(p, "%s%s%s%c", quote, word, quote, j + 1 < COLS ? ',' : '\n');
        }
    }
    return text;
}

static void random_files_are_read_as_strtod_reads_them_by_any_number_of_threads(void)
{
    static double oracle[ROWS][COLS];
    strads_random random = strads_random_start(3, 0);
    for (uint32_t n_threads = 1; n_threads <= 6; n_threads++) {
        char *text = random_text(oracle, n_threads % 2 == 0 ? 0.1 : 0.8, &random);
        data_regression d = read_as(text, (data_source){.target = "v0", .n_threads = n_threads});
        REQUIRE(d.x.n_rows == ROWS && d.x.n_cols == COLS - 1);
        bool same = (d.x.col_start != NULL) == (n_threads % 2 == 0);
        for (size_t i = 0; i < ROWS; i++) {
            same = same && d.y[i] == oracle[i][0];
            for (size_t j = 1; j < COLS; j++) {
                same = same && at(&d.x, i, j - 1) == oracle[i][j];
            }
        }
        CHECK(same);
        data_regression_fini(&d);
        strads_free(text);
    }
}

static void a_line_longer_than_any_buffer_is_read(void)
{
    enum { LONG = 300000 };
    char *text = strads_alloc((size_t) LONG * 16);
    REQUIRE(text != NULL);
    char *p = text;
    for (int j = 0; j < LONG; j++) {
        p += sprintf(p, "c%d,", j);
    }
    p += sprintf(p, "y\n");
    for (int j = 0; j < LONG; j++) {
        p += sprintf(p, "%d.5,", j % 10);
    }
    sprintf(p, "7\n");
    data_regression d = read_as(text, (data_source){.target = "y"});
    REQUIRE(d.x.n_rows == 1 && d.x.n_cols == LONG && d.y[0] == 7.0);
    bool same = true;
    for (size_t j = 0; j < LONG; j++) {
        same = same && d.x.value[j] == (double) (j % 10) + 0.5;
    }
    CHECK(same);
    CHECK_TEXT(d.names[LONG - 1], "c299999");
    data_regression_fini(&d);
    strads_free(text);
}

static void every_allocation_may_fail(void)
{
    char *path = suite_file("alloc.csv", "a,b,c\n1,2,3\n4,5,6\n");
    check_every_allocation((data_source){.path = path, .target = "a"});
    check_every_allocation((data_source){.path = path, .target = "a", .n_threads = 1});
    strads_free(path);
}

static void every_truncation_ends_in_a_status(void)
{
    static const char text[] =
        "\xef\xbb\xbf\"a \"\"b\"\"\",c,d\r\n1.25,\"-4e5\", 7\r\n0,0,1\n3,4,5\n";
    char *path = suite_file("truncate.csv", text);
    const size_t live = strads_mem_live();
    for (size_t cut = 0; cut < sizeof(text) - 1; cut++) {
        char *shorter = bytes_file("cut.csv", text, cut);
        attempt a = {.source = {.path = shorter, .target = "d", .format = DATA_CSV}};
        char *message = suite_stderr_of(read_and_drop, &a);
        CHECK(a.status == STRADS_OK || a.status == STRADS_ERR_DATA);
        CHECK((a.status == STRADS_OK) == (message[0] == '\0'));
        strads_free(message);
        strads_free(shorter);
    }
    char *zipped = bytes_file("truncate.csv.gz", "", 0);
    append_gzip(zipped, text, sizeof(text) - 1);
    data_regression d = {0};
    REQUIRE_OK(data_regression_read(&d, &(data_source){.path = zipped, .target = "d"}));
    CHECK(d.x.n_rows == 3 && d.y[0] == 7.0);
    data_regression_fini(&d);
    strads_free(zipped);
    strads_free(path);
    CHECK(strads_mem_live() <= live);
}

SUITE("data/csv",
      {"the last column is the target unless another is named",
       the_last_column_is_the_target_unless_another_is_named},
      {"the target is named by the first line alone", the_target_is_named_by_the_first_line_alone},
      {"a target of its own leaves all columns", a_target_of_its_own_leaves_all_columns},
      {"spelling changes nothing", spelling_changes_nothing},
      {"more than half zeros make a sparse matrix", more_than_half_zeros_make_a_sparse_matrix},
      {"columns are taken by their names", columns_are_taken_by_their_names},
      {"every mistake is named with line, column and value",
       every_mistake_is_named_with_line_column_and_value},
      {"columns that are not there are named", columns_that_are_not_there_are_named},
      {"libsvm text is not taken for CSV", libsvm_text_is_not_taken_for_csv},
      {"random files are read as strtod reads them, by any number of threads",
       random_files_are_read_as_strtod_reads_them_by_any_number_of_threads},
      {"a line longer than any buffer is read", a_line_longer_than_any_buffer_is_read},
      {"every allocation may fail", every_allocation_may_fail},
      {"every truncation ends in a status", every_truncation_ends_in_a_status})
