/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/libsvm.c - libsvm text: a line a row, "TARGET INDEX:VALUE ...", indices
 * from 1 and ascending, a comment from '#' to the end of the line.
 *
 * Words are read as they come, so a line may be longer than any buffer.
 */
#include <math.h>
#include <string.h>

#include "data/columns.h"
#include "data/matrix.h"
#include "data/number.h"
#include "data/readers.h"

enum { FIRST_ROOM = 1024 };

typedef struct libsvm {
    data_input *input;
    data_columns *columns; /* NULL: entries are counted only */
    double *y;             /* [y_room], NULL when counting */
    size_t y_room;
    size_t n_rows;        /* begun */
    size_t n_entries;     /* not zero */
    uint64_t max_index;   /* the largest so far */
    uint64_t index_limit; /* the largest allowed */
    uint64_t last_index;  /* in this row; 0: none yet */
    data_precision precision;
    bool wide; /* some value is not exact as a float */
    bool in_row, in_comment;
} libsvm;

/* Whether `c` may follow a number: a blank, a line end, or '#'. */
static bool ends_word(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '#';
}

static const char *excerpt_word(const libsvm *reader, char out[DATA_EXCERPT_BYTES],
                                const char *word)
{
    const char *end = word;
    while (end < reader->input->end && !ends_word(*end)) {
        end++;
    }
    return data_excerpt(out, word, end);
}

static strads_status refuse_word(const libsvm *reader, const char *word, const char *wanted)
{
    char excerpt[DATA_EXCERPT_BYTES];
    return data_refuse(reader->input, "'%s': expected %s", excerpt_word(reader, excerpt, word),
                       wanted);
}

static strads_status keep_target(libsvm *reader, double value)
{
    if (reader->n_rows == reader->y_room) {
        const size_t room = reader->y_room == 0 ? FIRST_ROOM : 2 * reader->y_room;
        double *y = strads_realloc(reader->y, room * sizeof(*y));
        if (y == NULL) {
            return data_no_memory(reader->input->path);
        }
        reader->y = y;
        reader->y_room = room;
    }
    reader->y[reader->n_rows] = value;
    return STRADS_OK;
}

/* The first word of a line. */
static strads_status read_target(libsvm *reader, const char **word)
{
    double value = 0.0;
    const char *end = data_number_scan(*word, &value);
    if (end == NULL || !ends_word(*end) || !isfinite(value)) {
        return refuse_word(reader, *word,
                           "the target, a finite number, as the first word of the line");
    }
    if (reader->n_rows == UINT32_MAX - 1) {
        return data_refuse(reader->input, "more than %u rows", UINT32_MAX - 1);
    }
    if (reader->columns != NULL) {
        const strads_status status = keep_target(reader, value);
        if (status != STRADS_OK) {
            return status;
        }
    }
    reader->n_rows++;
    reader->last_index = 0;
    reader->in_row = true;
    *word = end;
    return STRADS_OK;
}

static strads_status refuse_index(const libsvm *reader, const char *word, uint64_t index)
{
    if (index <= reader->last_index && index > 0) {
        return data_refuse(reader->input, "index %llu after index %llu: expected ascending indices",
                           (unsigned long long) index, (unsigned long long) reader->last_index);
    }
    char excerpt[DATA_EXCERPT_BYTES];
    return data_refuse(reader->input, "'%s': expected an index from 1 to %llu",
                       excerpt_word(reader, excerpt, word),
                       (unsigned long long) reader->index_limit);
}

static strads_status refuse_entry(const libsvm *reader, const char *word)
{
    if (strncmp(word, "qid:", 4) == 0) {
        return refuse_word(reader, word,
                           "INDEX:VALUE; query ids belong to ranking, not regression");
    }
    return refuse_word(reader, word, "INDEX:VALUE with a finite number as value");
}

static strads_status read_entry(libsvm *reader, const char **word)
{
    uint64_t index = 0;
    double value = 0.0;
    const char *p = data_number_scan_index(*word, &index);
    const char *end = p != NULL && *p == ':' ? data_number_scan(p + 1, &value) : NULL;
    if (end == NULL || !ends_word(*end) || !isfinite(value)) {
        return refuse_entry(reader, *word);
    }
    if (index <= reader->last_index || index > reader->index_limit) {
        return refuse_index(reader, *word, index);
    }
    reader->last_index = index;
    reader->max_index = index > reader->max_index ? index : reader->max_index;
    reader->n_entries += value != 0.0;
    reader->wide |= !data_is_float(value);
    *word = end;
    const strads_status status = data_check_value(reader->input, reader->precision, value);
    return reader->columns == NULL || status != STRADS_OK
               ? status
               : data_columns_add(reader->columns, (uint32_t) (reader->n_rows - 1),
                                  (uint32_t) (index - 1), value);
}

static strads_status end_line(libsvm *reader)
{
    if (!reader->in_row && !reader->in_comment) {
        return data_refuse(reader->input, "%s", "an empty line: expected TARGET INDEX:VALUE ...");
    }
    reader->in_row = reader->in_comment = false;
    reader->input->line++;
    return STRADS_OK;
}

/* Reads the words of [p, end), which ends with a blank or a line end. */
static strads_status read_words(libsvm *reader, const char *p, const char *end)
{
    strads_status status = STRADS_OK;
    while (p < end && status == STRADS_OK) {
        if (*p == '\n') {
            status = end_line(reader);
            p++;
        } else if (reader->in_comment || *p == '#') {
            reader->in_comment = true;
            const char *newline = memchr(p, '\n', (size_t) (end - p));
            p = newline != NULL ? newline : end;
        } else if (*p == ' ' || *p == '\t' || *p == '\r') {
            p++;
        } else if (reader->in_row) {
            status = read_entry(reader, &p);
        } else {
            status = read_target(reader, &p);
        }
    }
    return status;
}

/* The end of the last whole word held. */
static char *whole_words(const data_input *input)
{
    char *p = input->end;
    while (p > input->begin && p[-1] != ' ' && p[-1] != '\n' && p[-1] != '\t') {
        p--;
    }
    return p;
}

static strads_status read_rows(libsvm *reader)
{
    data_input *input = reader->input;
    input->line = 1;
    strads_status status = STRADS_OK;
    while (status == STRADS_OK && !(input->ended && input->begin == input->end)) {
        char *end = whole_words(input);
        if (end > input->begin) {
            status = read_words(reader, input->begin, end);
            input->begin = end;
        } else {
            status = data_input_more(input);
        }
    }
    return status;
}

strads_status data_libsvm_width(const char *path, size_t n_rows, uint64_t max_index, size_t *n_cols)
{
    if (n_rows == 0) {
        strads_error("%s: holds no rows: expected lines of TARGET INDEX:VALUE ...", path);
        return STRADS_ERR_DATA;
    }
    if (*n_cols == 0 && max_index == 0) {
        strads_error("%s: holds no INDEX:VALUE, so its number of columns is unknown", path);
        return STRADS_ERR_DATA;
    }
    *n_cols = *n_cols != 0 ? *n_cols : (size_t) max_index;
    return STRADS_OK;
}

strads_status data_libsvm_read_piece(data_piece *out, data_input *input, const void *source,
                                     bool counts_only)
{
    const data_source *of = source;
    const size_t stated = of->n_cols;
    libsvm reader = {.input = input,
                     .index_limit = stated != 0 ? stated : UINT32_MAX,
                     .precision = of->precision};
    strads_status status =
        counts_only ? STRADS_OK : data_columns_create(&reader.columns, input->path, stated);
    if (status == STRADS_OK) {
        status = read_rows(&reader);
    }
    data_piece piece = {.columns = reader.columns,
                        .y = reader.y,
                        .n_rows = reader.n_rows,
                        .n_entries = reader.n_entries,
                        .max_index = reader.max_index,
                        .wide = reader.wide};
    if (status != STRADS_OK) {
        data_piece_fini(&piece);
        return status;
    }
    if (!counts_only) {
        /* Without rows there is a target too. */
        double *fitting = strads_realloc(piece.y, piece.n_rows * sizeof(*fitting));
        piece.y = fitting != NULL ? fitting : piece.y;
    }
    *out = piece;
    return STRADS_OK;
}

/* Reads or counts the whole, and finds its width. */
static strads_status read_whole(data_piece *out, size_t *n_cols, data_input *input,
                                const data_source *source, bool counts_only)
{
    data_piece piece;
    strads_status status =
        data_pieces_read(&piece, input, source, data_libsvm_read_piece, source, counts_only);
    if (status != STRADS_OK) {
        return status;
    }
    *n_cols = source->n_cols;
    status = data_libsvm_width(input->path, piece.n_rows, piece.max_index, n_cols);
    if (status != STRADS_OK) {
        data_piece_fini(&piece);
        return status;
    }
    *out = piece;
    return STRADS_OK;
}

strads_status data_libsvm_read(data_regression *out, data_input *input, const data_source *source)
{
    data_piece piece;
    size_t n_cols = 0;
    const strads_status status = read_whole(&piece, &n_cols, input, source, false);
    return status != STRADS_OK
               ? status
               : data_piece_finish(&piece, n_cols,
                                   data_columns_dense(piece.n_rows, n_cols, piece.n_entries),
                                   data_threads_of(source), out);
}

strads_status data_libsvm_measure(data_size *out, data_input *input, const data_source *source)
{
    data_piece piece;
    size_t n_cols = 0;
    const strads_status status = read_whole(&piece, &n_cols, input, source, true);
    if (status == STRADS_OK) {
        *out = data_piece_size(&piece, n_cols, source->precision);
    }
    return status;
}
