/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_input.c - bytes, lines and gzip. */
#include "data/input.h"

#include "base/random.h"
#include "tests/unit/data/reading.h"

static void check_lines(const char *path, const char *const *lines, size_t n)
{
    data_input input;
    REQUIRE_OK(data_input_open(&input, path));
    char *line = NULL;
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        REQUIRE_OK(data_input_line(&input, &line, &length));
        REQUIRE(line != NULL);
        CHECK(input.line == i + 1);
        CHECK(length == strlen(lines[i]) && memcmp(line, lines[i], length) == 0);
    }
    REQUIRE_OK(data_input_line(&input, &line, &length));
    CHECK(line == NULL);
    data_input_close(&input);
}

static void lines_end_with_lf_crlf_or_the_file(void)
{
    static const char *const lines[] = {"one", "", "three ", "four"};
    char *path = suite_file("lines", "one\r\n\nthree \nfour");
    check_lines(path, lines, 4);
    strads_free(path);
    path = suite_file("lines", "one\n\r\nthree \nfour\n");
    check_lines(path, lines, 4);
    strads_free(path);
    path = suite_file("lines", "");
    check_lines(path, lines, 0);
    strads_free(path);
}

/* Several buffers of random bytes, in members of random size, read in odd pieces. */
static void gzip_of_many_members_reads_as_the_bytes_that_went_in(void)
{
    enum { N = 3 * DATA_INPUT_BYTES + 12345 };
    unsigned char *bytes = strads_alloc(N);
    unsigned char *back = strads_alloc(N + 10);
    REQUIRE(bytes != NULL && back != NULL);
    strads_random random = strads_random_start(1, 0);
    char *path = bytes_file("many.gz", "", 0);
    for (size_t i = 0; i < N; i++) {
        bytes[i] = (unsigned char) strads_random_below(&random, 64);
    }
    for (size_t i = 0; i < N;) {
        const size_t most = N - i < 900000 ? N - i : 900000;
        const size_t n = 1 + strads_random_below(&random, most);
        append_gzip(path, bytes + i, n);
        i += n;
    }
    data_input input;
    REQUIRE_OK(data_input_open(&input, path));
    size_t total = 0;
    size_t n_read = 1;
    while (n_read > 0) {
        size_t wanted = 1 + strads_random_below(&random, 700000);
        wanted = wanted < N + 10 - total ? wanted : N + 10 - total;
        REQUIRE_OK(data_input_read(&input, back + total, wanted, &n_read));
        total += n_read;
    }
    CHECK(total == N && memcmp(bytes, back, N) == 0);
    data_input_close(&input);
    strads_free(bytes);
    strads_free(back);
    strads_free(path);
}

static void gzip_that_is_cut_or_damaged_is_refused(void)
{
    char *path = bytes_file("short.gz", "", 0);
    append_gzip(path, "1 1:2\n3 1:4\n", 12);
    size_t n = 0;
    char *bytes = contents(path, &n);
    for (size_t cut = 2; cut < n; cut++) {
        char *shorter = bytes_file("cut.gz", bytes, cut);
        check_refused_source((data_source){.path = shorter}, STRADS_ERR_DATA, "is cut short");
        strads_free(shorter);
    }
    bytes[n - 6] ^= 1; /* in the checksum */
    check_refused_bytes(bytes, n, "damaged gzip data: incorrect data check");
    bytes[n - 6] ^= 1;
    bytes[n] = 'x';                                 /* the terminator of contents() */
    check_refused_bytes(bytes, n + 1, "cut short"); /* of a second member */
    strads_free(bytes);
    strads_free(path);
}

static void what_cannot_be_opened_or_read_is_named(void)
{
    check_refused_source((data_source){.path = "/nonexistent/x"}, STRADS_ERR_IO,
                         "cannot open /nonexistent/x: No such file");
    check_refused_source((data_source){.path = suite_folder()}, STRADS_ERR_IO, "Is a directory");
    check_refused_source((data_source){.path = "/proc/self/mem"}, STRADS_ERR_IO,
                         "cannot read /proc/self/mem: ");
}

static void a_line_longer_than_the_buffer_is_refused(void)
{
    char *text = strads_alloc(DATA_INPUT_BYTES + 2);
    REQUIRE(text != NULL);
    memset(text, '1', DATA_INPUT_BYTES + 1);
    text[DATA_INPUT_BYTES + 1] = '\0';
    check_refused(text, "refused:1: a line or word of more than 1048576 bytes");
    strads_free(text);
}

/* ---- ranges ---- */

/* Lines of the text that begin in [begin, end), for strads_free; *first: the number of the first.
 */
static char *lines_within(const char *text, size_t begin, size_t end, size_t *first)
{
    const size_t length = strlen(text);
    char *out = strads_calloc(length + 2, 1);
    REQUIRE(out != NULL);
    size_t n = 0;
    size_t line = 1;
    *first = 0;
    for (size_t at = 0; at < length; line++) {
        const char *newline = strchr(text + at, '\n');
        const size_t next = newline != NULL ? (size_t) (newline - text) + 1 : length;
        if (at >= begin && at < end) {
            *first = *first == 0 ? line : *first;
            memcpy(out + n, text + at, next - at);
            n += next - at;
            n += newline == NULL ? (size_t) sprintf(out + n, "\n") : 0;
        }
        at = next;
    }
    return out;
}

/* Whether what is left of the range is the lines of the text that begin in it. */
static bool is_range(data_input *input, const char *text, size_t begin, size_t end)
{
    size_t first = 0;
    char *expected = lines_within(text, begin, end, &first);
    size_t at = 0;
    bool same = true;
    char *line = NULL;
    size_t length = 0;
    REQUIRE_OK(data_input_line(input, &line, &length));
    same = line == NULL || data_input_line_number(input) == first;
    while (line != NULL && same) {
        same = strncmp(expected + at, line, length + 1) == 0;
        at += length + 1;
        REQUIRE_OK(data_input_line(input, &line, &length));
    }
    same = same && expected[at] == '\0';
    strads_free(expected);
    return same;
}

static void check_ranges(const char *path, const char *text, size_t step)
{
    const size_t length = strlen(text);
    data_input input;
    for (size_t begin = 0; begin <= length; begin += step) {
        for (size_t end = begin; end <= length + step; end += step) {
            REQUIRE_OK(data_input_open_range(&input, path, begin, end));
            CHECK(is_range(&input, text, begin, end));
            data_input_next_range(&input, end + step);
            CHECK(is_range(&input, text, end, end + step));
            data_input_next_range(&input, UINT64_MAX);
            CHECK(is_range(&input, text, end + step, SIZE_MAX));
            data_input_close(&input);
        }
    }
}

static void check_ranges_of(const char *text, size_t step)
{
    char *path = suite_file("ranges", text);
    uint64_t bytes = 0;
    check_ranges(path, text, step);
    strads_free(path);
    path = bytes_file("ranges.gz", "", 0);
    append_gzip(path, text, strlen(text) / 2);
    append_gzip(path, text + strlen(text) / 2, strlen(text) - strlen(text) / 2);
    check_ranges(path, text, step);
    data_input input;
    REQUIRE_OK(data_input_open(&input, path));
    REQUIRE_OK(data_input_measure(&input, &bytes));
    CHECK(bytes == strlen(text));
    data_input_close(&input);
    strads_free(path);
}

static void ranges_have_the_lines_that_begin_in_them_compressed_or_not(void)
{
    check_ranges_of("one\ntwo\n\nthree\n\n\nfour and more\nfive\n", 1);
    check_ranges_of("one\ntwo\nthree", 1);
    check_ranges_of("\n", 1);
    check_ranges_of("", 1);
}

/* Lines of half a buffer and more, and of a byte. */
static void ranges_may_be_of_many_buffers(void)
{
    enum { N = 3 * DATA_INPUT_BYTES + 77 };
    char *text = strads_alloc(N + 1);
    REQUIRE(text != NULL);
    memset(text, 'a', N);
    text[N] = '\0';
    for (size_t at = 1; at < N; at += at % 2 == 0 ? 1 : DATA_INPUT_BYTES / 2 + 4) {
        text[at] = '\n';
    }
    check_ranges_of(text, N / 4);
    strads_free(text);
}

static void an_excerpt_is_short_and_printable(void)
{
    char out[DATA_EXCERPT_BYTES];
    const char word[] = "a\x01\xff"
                        "b c";
    CHECK_TEXT(data_excerpt(out, word, word + sizeof(word) - 1), "a\\x01\\xffb c");
    char lengthy[200];
    memset(lengthy, '\x02', sizeof(lengthy));
    data_excerpt(out, lengthy, lengthy + sizeof(lengthy));
    CHECK(strlen(out) < DATA_EXCERPT_BYTES && strcmp(out + strlen(out) - 3, "...") == 0);
}

SUITE("data/input", {"lines end with LF, CRLF or the file", lines_end_with_lf_crlf_or_the_file},
      {"gzip of many members reads as the bytes that went in",
       gzip_of_many_members_reads_as_the_bytes_that_went_in},
      {"gzip that is cut or damaged is refused", gzip_that_is_cut_or_damaged_is_refused},
      {"what cannot be opened or read is named", what_cannot_be_opened_or_read_is_named},
      {"a line longer than the buffer is refused", a_line_longer_than_the_buffer_is_refused},
      {"ranges have the lines that begin in them, compressed or not",
       ranges_have_the_lines_that_begin_in_them_compressed_or_not},
      {"ranges may be of many buffers", ranges_may_be_of_many_buffers},
      {"an excerpt is short and printable", an_excerpt_is_short_and_printable})
