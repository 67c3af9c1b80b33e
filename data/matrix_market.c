/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/matrix_market.c - the Matrix Market format: coordinate or array; real,
 * integer or pattern; general or symmetric. (R. F. Boisvert, R. Pozo,
 * K. Remington, "The Matrix Market exchange formats", NISTIR 5935, 1996.)
 *
 * A symmetric coordinate file gives each pair once, on either side of the
 * diagonal; a symmetric array gives the lower triangle.
 */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "data/columns.h"
#include "data/matrix.h"
#include "data/number.h"
#include "data/readers.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *p)
{
    while (is_blank(*p)) {
        p++;
    }
    return p;
}

/* The next line that is not blank; NULL: there is none. */
static strads_status find_line(data_input *input, const char **out, const char **end)
{
    char *line = NULL;
    size_t length = 0;
    const char *text = NULL;
    do {
        const strads_status status = data_input_line(input, &line, &length);
        if (status != STRADS_OK) {
            return status;
        }
        text = line != NULL ? skip_blanks(line) : NULL;
    } while (line != NULL && text >= line + length);
    *out = text;
    *end = text != NULL ? line + length : NULL;
    return STRADS_OK;
}

/* The same; DATA with `wanted` at the end of the file. */
static strads_status next_line(data_input *input, const char **out, const char **end,
                               const char *wanted)
{
    const strads_status status = find_line(input, out, end);
    return status == STRADS_OK && *out == NULL
               ? data_refuse(input, "the file ends here: expected %s", wanted)
               : status;
}

/* Takes a word of the banner, which must be one of `words`. */
static strads_status take_choice(const data_input *input, const char **p, const char *end,
                                 const char *const *words, size_t *which)
{
    const char *word = skip_blanks(*p);
    const char *stop = word;
    while (stop < end && !is_blank(*stop)) {
        stop++;
    }
    const size_t n = (size_t) (stop - word);
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strlen(words[i]) == n && strncasecmp(words[i], word, n) == 0) {
            *p = stop;
            *which = i;
            return STRADS_OK;
        }
    }
    char excerpt[DATA_EXCERPT_BYTES];
    return data_refuse(input, "'%s': expected %s%s%s%s%s in the %%%%MatrixMarket line",
                       data_excerpt(excerpt, word, stop), words[0], words[1] != NULL ? " or " : "",
                       words[1] != NULL ? words[1] : "",
                       words[1] != NULL && words[2] != NULL ? " or " : "",
                       words[1] != NULL && words[2] != NULL ? words[2] : "");
}

static strads_status read_banner(data_input *input, data_market *h)
{
    static const char *const words[][4] = {{"%%MatrixMarket"},
                                           {"matrix"},
                                           {"coordinate", "array"},
                                           {"real", "integer", "pattern"},
                                           {"general", "symmetric"}};
    const char *p = NULL;
    const char *end = NULL;
    strads_status status = next_line(input, &p, &end, "%%MatrixMarket matrix ...");
    size_t which[5] = {0};
    for (size_t i = 0; i < 5 && status == STRADS_OK; i++) {
        status = take_choice(input, &p, end, words[i], &which[i]);
    }
    if (status != STRADS_OK) {
        return status;
    }
    if (skip_blanks(p) < end) {
        return data_refuse(input, "%s", "text after the last word of the %%MatrixMarket line");
    }
    h->array = which[2] == 1;
    h->field = (data_market_field) which[3];
    h->symmetric = which[4] == 1;
    if (h->array && h->field == DATA_MARKET_PATTERN) {
        return data_refuse(input, "%s", "'pattern': an array is real or integer");
    }
    return STRADS_OK;
}

/* Scans n whole numbers from the front of [*p, end); false when they are not there. */
static bool scan_indices(const char **p, const char *end, uint64_t *out, size_t n)
{
    const char *at = *p;
    for (size_t i = 0; i < n; i++) {
        at = data_number_scan_index(skip_blanks(at), &out[i]);
        if (at == NULL || (at < end && !is_blank(*at))) {
            return false;
        }
    }
    *p = at;
    return true;
}

static strads_status check_header(const data_input *input, const data_market *h, size_t n_cols)
{
    const strads_status status = data_check_size(input, h->n_rows, h->n_cols, n_cols);
    if (status != STRADS_OK) {
        return status;
    }
    if (h->symmetric && h->n_rows != h->n_cols) {
        return data_refuse(input, "%llu x %llu: a symmetric matrix is square",
                           (unsigned long long) h->n_rows, (unsigned long long) h->n_cols);
    }
    if (h->n_entries > h->n_rows * h->n_cols) {
        return data_refuse(input, "%llu entries: a matrix of %llu x %llu has fewer",
                           (unsigned long long) h->n_entries, (unsigned long long) h->n_rows,
                           (unsigned long long) h->n_cols);
    }
    return STRADS_OK;
}

static strads_status read_sizes(data_input *input, data_market *h, size_t n_cols)
{
    strads_status status = read_banner(input, h);
    const char *const wanted = h->array ? "ROWS COLUMNS" : "ROWS COLUMNS ENTRIES";
    const char *p = "%";
    const char *end = NULL;
    while (status == STRADS_OK && *p == '%') {
        status = next_line(input, &p, &end, wanted);
    }
    if (status != STRADS_OK) {
        return status;
    }
    uint64_t sizes[3] = {0};
    if (!scan_indices(&p, end, sizes, h->array ? 2 : 3) || skip_blanks(p) < end) {
        char excerpt[DATA_EXCERPT_BYTES];
        return data_refuse(input, "'%s': expected %s", data_excerpt(excerpt, p, end), wanted);
    }
    h->n_rows = sizes[0];
    h->n_cols = sizes[1];
    h->n_entries = sizes[2];
    return check_header(input, h, n_cols);
}

/* Takes the value at `p`, the last thing on its line. */
static strads_status take_value(const data_input *input, const data_market *h, const char *p,
                                const char *end, double *out)
{
    char excerpt[DATA_EXCERPT_BYTES];
    const char *word = skip_blanks(p);
    const char *stop = data_number_scan(word, out);
    if (stop == NULL || skip_blanks(stop) != end || !isfinite(*out)) {
        return data_refuse(input, "'%s': expected a finite number to end the line",
                           data_excerpt(excerpt, word, end));
    }
    if (h->field == DATA_MARKET_INTEGER && *out != floor(*out)) {
        return data_refuse(input, "'%s': expected a whole number in a file of integers",
                           data_excerpt(excerpt, word, end));
    }
    return data_check_value(input, h->precision, *out);
}

static strads_status expect_end(data_input *input)
{
    const char *line = NULL;
    const char *end = NULL;
    const strads_status status = find_line(input, &line, &end);
    if (status == STRADS_OK && line != NULL) {
        return data_refuse(input, "%s", "more entries than the header states");
    }
    return status;
}

/* ---- coordinate ---- */

static const char ANOTHER_ENTRY[] = "another entry, as the header states";

/* Takes the line [p, end). */
static strads_status take_entry(const data_input *input, const data_market *h,
                                data_columns *columns, const char *p, const char *end)
{
    strads_status status = STRADS_OK;
    const char *const line = p;
    uint64_t at[2] = {0};
    if (!scan_indices(&p, end, at, 2) || at[0] < 1 || at[0] > h->n_rows || at[1] < 1 ||
        at[1] > h->n_cols || (h->field == DATA_MARKET_PATTERN && skip_blanks(p) < end)) {
        char excerpt[DATA_EXCERPT_BYTES];
        return data_refuse(input, "'%s': expected ROW COLUMN%s within 1 .. %llu, 1 .. %llu",
                           data_excerpt(excerpt, line, end),
                           h->field == DATA_MARKET_PATTERN ? "" : " VALUE",
                           (unsigned long long) h->n_rows, (unsigned long long) h->n_cols);
    }
    double value = 1.0;
    if (h->field != DATA_MARKET_PATTERN) {
        status = take_value(input, h, p, end, &value);
    }
    const uint32_t row = (uint32_t) (at[0] - 1);
    const uint32_t col = (uint32_t) (at[1] - 1);
    if (status == STRADS_OK) {
        status = data_columns_add(columns, row, col, value);
    }
    if (status == STRADS_OK && h->symmetric && row != col) {
        status = data_columns_add(columns, col, row, value);
    }
    return status;
}

static strads_status read_entry(data_input *input, const data_market *h, data_columns *columns)
{
    const char *line = NULL;
    const char *end = NULL;
    const strads_status status = next_line(input, &line, &end, ANOTHER_ENTRY);
    return status == STRADS_OK ? take_entry(input, h, columns, line, end) : status;
}

static strads_status read_coordinate(data_matrix *out, data_input *input, const data_market *h)
{
    data_columns *columns = NULL;
    strads_status status = data_columns_create(&columns, input->path, h->n_cols);
    if (status != STRADS_OK) {
        return status;
    }
    for (uint64_t i = 0; i < h->n_entries && status == STRADS_OK; i++) {
        status = read_entry(input, h, columns);
    }
    if (status == STRADS_OK) {
        status = expect_end(input);
    }
    if (status == STRADS_OK) {
        status = data_columns_finish(
            columns, h->n_rows, h->n_cols,
            data_columns_dense(h->n_rows, h->n_cols, data_columns_entries(columns)), 1, out);
    }
    data_columns_destroy(columns);
    return status;
}

/* ---- array ---- */

static const char ANOTHER_VALUE[] = "another value, as the header states";

/* Takes the value at `p`; a zero has no sign, as in a coordinate file. */
static strads_status take_cell(const data_input *input, const data_market *h, const char *p,
                               const char *end, double *out)
{
    const strads_status status = take_value(input, h, p, end, out);
    *out = status == STRADS_OK ? *out + 0.0 : 0.0;
    return status;
}

/* Reads column after column; of a symmetric matrix from the diagonal down. */
static strads_status read_values(double *values, data_input *input, const data_market *h)
{
    const size_t n_rows = h->n_rows;
    for (size_t j = 0; j < h->n_cols; j++) {
        for (size_t i = h->symmetric ? j : 0; i < n_rows; i++) {
            const char *p = NULL;
            const char *end = NULL;
            strads_status status = next_line(input, &p, &end, ANOTHER_VALUE);
            if (status == STRADS_OK) {
                status = take_cell(input, h, p, end, &values[j * n_rows + i]);
            }
            if (status != STRADS_OK) {
                return status;
            }
            if (h->symmetric) {
                values[i * n_rows + j] = values[j * n_rows + i];
            }
        }
    }
    return expect_end(input);
}

static strads_status read_array(data_matrix *out, data_input *input, const data_market *h)
{
    double *values = strads_alloc_array(h->n_rows * h->n_cols, sizeof(*values));
    if (values == NULL) {
        return data_no_memory(input->path);
    }
    const strads_status status = read_values(values, input, h);
    if (status != STRADS_OK) {
        strads_free(values);
        return status;
    }
    *out = (data_matrix){.n_rows = h->n_rows, .n_cols = h->n_cols, .value = values};
    return STRADS_OK;
}

/* ---- ranges ---- */

strads_status data_market_begin(data_market *out, data_input *input, const data_source *source)
{
    data_market h = {.precision = source->precision};
    const strads_status status = read_sizes(input, &h, source->n_cols);
    if (status == STRADS_OK) {
        *out = h;
    }
    return status;
}

uint64_t data_market_lines(const data_market *h)
{
    return !h->array      ? h->n_entries
           : h->symmetric ? h->n_rows * (h->n_rows + 1) / 2
                          : h->n_rows * h->n_cols;
}

/* Reads the lines of a range, whatever their number. */
static strads_status read_lines(data_piece *piece, data_input *input, const data_market *h)
{
    const char *line = NULL;
    const char *end = NULL;
    strads_status status = find_line(input, &line, &end);
    while (status == STRADS_OK && line != NULL) {
        if (h->array) {
            double value = 0.0;
            const data_entry to = data_market_put(piece->n_lines);
            status = take_cell(input, h, line, end, &value);
            if (status == STRADS_OK) {
                status = data_columns_add(piece->columns, to.row, to.col, value);
            }
        } else {
            status = take_entry(input, h, piece->columns, line, end);
        }
        piece->n_lines++;
        if (status == STRADS_OK) {
            status = find_line(input, &line, &end);
        }
    }
    return status;
}

strads_status data_market_read_piece(data_piece *out, data_input *input, const void *header,
                                     bool counts_only)
{
    (void) counts_only; /* the header has the numbers */
    const data_market *h = header;
    data_piece piece = {.n_rows = 0};
    strads_status status =
        data_columns_create(&piece.columns, input->path, h->array ? 0 : h->n_cols);
    if (status == STRADS_OK) {
        status = read_lines(&piece, input, h);
    }
    if (status != STRADS_OK) {
        data_piece_fini(&piece);
        return status;
    }
    piece.n_entries = data_columns_entries(piece.columns);
    *out = piece;
    return STRADS_OK;
}

strads_status data_market_check_lines(const data_source *source, size_t last)
{
    data_input input;
    data_market h;
    const char *line = NULL;
    const char *end = NULL;
    strads_status status = data_input_open(&input, source->path);
    if (status != STRADS_OK) {
        return status;
    }
    status = data_market_begin(&h, &input, source);
    const uint64_t n = status == STRADS_OK ? data_market_lines(&h) : 0;
    uint64_t i = 0;
    for (; i < n && status == STRADS_OK && input.line < last; i++) {
        status = next_line(&input, &line, &end, h.array ? ANOTHER_VALUE : ANOTHER_ENTRY);
    }
    if (status == STRADS_OK && i == n && input.line < last) {
        status = expect_end(&input);
    }
    data_input_close(&input);
    return status;
}

/* ---- both ---- */

strads_status data_matrix_market_read(data_matrix *out, data_input *input,
                                      const data_source *source)
{
    data_market h = {.precision = source->precision};
    const strads_status status = read_sizes(input, &h, source->n_cols);
    if (status != STRADS_OK) {
        return status;
    }
    return h.array ? read_array(out, input, &h) : read_coordinate(out, input, &h);
}

strads_status data_matrix_market_begin(uint64_t sizes[3], data_input *input)
{
    data_market h = {.array = false};
    const strads_status status = read_sizes(input, &h, 0);
    if (status != STRADS_OK) {
        return status;
    }
    if (h.array || h.symmetric || h.field == DATA_MARKET_PATTERN) {
        return data_refuse(input, "%s", "expected a coordinate file, real or integer, general");
    }
    sizes[0] = h.n_rows;
    sizes[1] = h.n_cols;
    sizes[2] = h.n_entries;
    return STRADS_OK;
}

strads_status data_matrix_market_measure(data_size *out, data_input *input,
                                         const data_source *source)
{
    data_market h = {.array = false};
    const strads_status status = read_sizes(input, &h, source->n_cols);
    if (status != STRADS_OK) {
        return status;
    }
    const size_t all = h.n_rows * h.n_cols;
    *out = (data_size){.n_rows = h.n_rows, .n_cols = h.n_cols, .n_entries = all, .dense = true};
    out->peak_bytes = DATA_INPUT_BYTES + all * sizeof(double);
    if (!h.array) {
        const size_t n = h.symmetric ? 2 * h.n_entries : h.n_entries;
        out->n_entries = n < all ? n : all;
        out->dense = data_columns_dense(h.n_rows, h.n_cols, out->n_entries);
        out->peak_bytes = data_columns_peak_bytes(h.n_rows, h.n_cols, out->n_entries);
    }
    out->narrow = data_is_narrow(source->precision, out->dense, h.field == DATA_MARKET_PATTERN);
    return STRADS_OK;
}
