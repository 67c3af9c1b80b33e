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

typedef enum field { REAL, INTEGER, PATTERN } field;

typedef struct header {
    bool array, symmetric;
    field field;
    uint64_t n_rows, n_cols, n_entries; /* n_entries: as stated, coordinate only */
    data_precision precision;
} header;

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

/* The next line that is not blank; DATA with `wanted` at the end of the file. */
static strads_status next_line(data_input *input, const char **out, const char **end,
                               const char *wanted)
{
    char *line = NULL;
    size_t length = 0;
    const char *text = NULL;
    do {
        const strads_status status = data_input_line(input, &line, &length);
        if (status != STRADS_OK) {
            return status;
        }
        if (line == NULL) {
            return data_refuse(input, "the file ends here: expected %s", wanted);
        }
        text = skip_blanks(line);
    } while (text >= line + length);
    *out = text;
    *end = line + length;
    return STRADS_OK;
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

static strads_status read_banner(data_input *input, header *h)
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
    h->field = (field) which[3];
    h->symmetric = which[4] == 1;
    if (h->array && h->field == PATTERN) {
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

static strads_status check_header(const data_input *input, const header *h, size_t n_cols)
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

static strads_status read_header(data_input *input, header *h, size_t n_cols)
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
static strads_status take_value(const data_input *input, const header *h, const char *p,
                                const char *end, double *out)
{
    char excerpt[DATA_EXCERPT_BYTES];
    const char *word = skip_blanks(p);
    const char *stop = data_number_scan(word, out);
    if (stop == NULL || skip_blanks(stop) != end || !isfinite(*out)) {
        return data_refuse(input, "'%s': expected a finite number to end the line",
                           data_excerpt(excerpt, word, end));
    }
    if (h->field == INTEGER && *out != floor(*out)) {
        return data_refuse(input, "'%s': expected a whole number in a file of integers",
                           data_excerpt(excerpt, word, end));
    }
    return data_check_value(input, h->precision, *out);
}

static strads_status expect_end(data_input *input)
{
    char *line = NULL;
    size_t length = 0;
    strads_status status = STRADS_OK;
    do {
        status = data_input_line(input, &line, &length);
    } while (status == STRADS_OK && line != NULL && skip_blanks(line) >= line + length);
    if (status == STRADS_OK && line != NULL) {
        return data_refuse(input, "%s", "more entries than the header states");
    }
    return status;
}

/* ---- coordinate ---- */

static strads_status read_entry(data_input *input, const header *h, data_columns *columns)
{
    const char *p = NULL;
    const char *end = NULL;
    strads_status status = next_line(input, &p, &end, "another entry, as the header states");
    if (status != STRADS_OK) {
        return status;
    }
    const char *const line = p;
    uint64_t at[2] = {0};
    if (!scan_indices(&p, end, at, 2) || at[0] < 1 || at[0] > h->n_rows || at[1] < 1 ||
        at[1] > h->n_cols || (h->field == PATTERN && skip_blanks(p) < end)) {
        char excerpt[DATA_EXCERPT_BYTES];
        return data_refuse(input, "'%s': expected ROW COLUMN%s within 1 .. %llu, 1 .. %llu",
                           data_excerpt(excerpt, line, end), h->field == PATTERN ? "" : " VALUE",
                           (unsigned long long) h->n_rows, (unsigned long long) h->n_cols);
    }
    double value = 1.0;
    if (h->field != PATTERN) {
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

static strads_status read_coordinate(data_matrix *out, data_input *input, const header *h)
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

/* Reads column after column; of a symmetric matrix from the diagonal down. */
static strads_status read_values(double *values, data_input *input, const header *h)
{
    const size_t n_rows = h->n_rows;
    for (size_t j = 0; j < h->n_cols; j++) {
        for (size_t i = h->symmetric ? j : 0; i < n_rows; i++) {
            const char *p = NULL;
            const char *end = NULL;
            strads_status status =
                next_line(input, &p, &end, "another value, as the header states");
            if (status == STRADS_OK) {
                status = take_value(input, h, p, end, &values[j * n_rows + i]);
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

static strads_status read_array(data_matrix *out, data_input *input, const header *h)
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

/* ---- both ---- */

strads_status data_matrix_market_read(data_matrix *out, data_input *input,
                                      const data_source *source)
{
    header h = {.precision = source->precision};
    const strads_status status = read_header(input, &h, source->n_cols);
    if (status != STRADS_OK) {
        return status;
    }
    return h.array ? read_array(out, input, &h) : read_coordinate(out, input, &h);
}

strads_status data_matrix_market_begin(uint64_t sizes[3], data_input *input)
{
    header h = {0};
    const strads_status status = read_header(input, &h, 0);
    if (status != STRADS_OK) {
        return status;
    }
    if (h.array || h.symmetric || h.field == PATTERN) {
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
    header h = {0};
    const strads_status status = read_header(input, &h, source->n_cols);
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
    out->narrow = data_is_narrow(source->precision, out->dense, h.field == PATTERN);
    return STRADS_OK;
}
