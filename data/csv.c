/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/csv.c - CSV: a line of column names, then a row of numbers a line.
 *
 * Fields are read as they come, so a line may be longer than any buffer.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "data/csv_header.h"
#include "data/matrix.h"
#include "data/number.h"
#include "data/readers.h"

typedef struct csv {
    data_input *input;
    const csv_header *header;
    data_columns *columns; /* NULL: entries are counted only */
    double *y;             /* [y_room], NULL when counting or where there is no target */
    size_t y_room;
    size_t n_rows; /* whole ones */
    size_t n_entries;
    uint32_t field; /* the next one of the row */
    bool wide;      /* some value is not exact as a float */
} csv;

static strads_status refuse_cell(const csv *reader, const csv_field *cell)
{
    char name[DATA_EXCERPT_BYTES];
    char value[DATA_EXCERPT_BYTES];
    const char *column = csv_header_name(reader->header, reader->field);
    return data_refuse(reader->input,
                       "column '%s': '%s': expected a finite number; missing values are to be "
                       "filled in, or their rows left out",
                       data_excerpt(name, column, column + strlen(column)),
                       data_excerpt(value, cell->begin, cell->end));
}

/* A field that is a number; returns where it ends, or NULL: it is something else. */
static char *scan_number(const csv_header *header, char *p, double *out)
{
    p = csv_skip_blanks(header->separator, p);
    const bool quoted = *p == '"';
    const char *end = data_number_scan(p + quoted, out);
    if (end == NULL || (quoted && *end != '"') || !isfinite(*out)) {
        return NULL;
    }
    p = csv_skip_blanks(header->separator, p + (end - p) + quoted);
    p += *p == '\r' && p[1] == '\n';
    return *p == header->separator || *p == '\n' ? p : NULL;
}

static strads_status keep(csv *reader, double value)
{
    const uint32_t place = reader->header->place[reader->field];
    if (place == CSV_TARGET) {
        if (reader->columns == NULL) {
            return STRADS_OK;
        }
        if (strads_reserve(&reader->y, &reader->y_room, reader->n_rows + 1, sizeof(*reader->y)) !=
            STRADS_OK) {
            return data_no_memory(reader->input->path);
        }
        reader->y[reader->n_rows] = value;
        return STRADS_OK;
    }
    reader->n_entries += value != 0.0;
    reader->wide |= !data_is_float(value);
    const strads_status status = data_check_value(reader->input, reader->header->precision, value);
    return reader->columns == NULL || status != STRADS_OK
               ? status
               : data_columns_add(reader->columns, (uint32_t) reader->n_rows, place, value);
}

/* Goes on behind a field that ended with `c`. */
static strads_status end_field(csv *reader, char c)
{
    reader->field++;
    if ((c == '\n') != (reader->field == reader->header->names.n)) {
        return data_refuse(reader->input, "%s fields: expected %u, as the first line has",
                           c == '\n' ? "too few" : "too many", reader->header->names.n);
    }
    if (c == '\n') {
        if (reader->n_rows == UINT32_MAX - 2) {
            return data_refuse(reader->input, "more than %u rows", UINT32_MAX - 2);
        }
        reader->field = 0;
        reader->n_rows++;
        reader->input->line++;
    }
    return STRADS_OK;
}

/* Reads the field at *p, whose end may be behind `limit`, where a separator ends; then *p
 * stays. */
static strads_status read_field(csv *reader, char **p, char *limit)
{
    const csv_header *header = reader->header;
    double value = 0.0;
    char *end = NULL;
    strads_status status = STRADS_OK;
    if (header->place[reader->field] != CSV_LEFT_OUT) {
        end = scan_number(header, *p, &value);
    }
    if (end == NULL) {
        csv_field cell;
        status = csv_cut(&cell, &end, reader->input, header->separator, *p, limit);
        if (status != STRADS_OK || end == NULL) {
            return status;
        }
        if (header->place[reader->field] != CSV_LEFT_OUT) {
            return refuse_cell(reader, &cell);
        }
    } else {
        status = keep(reader, value);
    }
    if (status == STRADS_OK) {
        status = end_field(reader, *end);
        *p = end + 1;
    }
    return status;
}

/* Skips a line without anything; false: there is none at *p. */
static bool skip_empty_line(csv *reader, char **p)
{
    char *end = csv_skip_blanks(reader->header->separator, *p);
    end += *end == '\r' && end[1] == '\n';
    if (reader->field > 0 || *end != '\n') {
        return false;
    }
    reader->input->line++;
    *p = end + 1;
    return true;
}

static strads_status read_rows(csv *reader)
{
    data_input *input = reader->input;
    input->line = input->line > 0 ? input->line : 1;
    strads_status status = STRADS_OK;
    while (status == STRADS_OK && !(input->ended && input->begin == input->end)) {
        char *limit = csv_limit(input, reader->header->separator);
        char *p = input->begin;
        char *before = NULL;
        while (p < limit && p != before && status == STRADS_OK) {
            before = p;
            if (!skip_empty_line(reader, &p)) {
                status = read_field(reader, &p, limit);
            }
        }
        if (status == STRADS_OK && p == input->begin) {
            status = data_input_more(input);
        } else {
            input->begin = p;
        }
    }
    return status;
}

/* Without rows there is a target too. */
static strads_status fit_target(csv *reader)
{
    double *y = strads_realloc(reader->y, reader->n_rows * sizeof(*y));
    if (y == NULL) {
        return data_no_memory(reader->input->path);
    }
    reader->y = y;
    return STRADS_OK;
}

strads_status data_csv_read_piece(data_piece *out, data_input *input, const void *header,
                                  bool counts_only)
{
    csv reader = {.input = input, .header = header};
    strads_status status =
        counts_only ? STRADS_OK
                    : data_columns_create(&reader.columns, input->path, reader.header->n_cols);
    if (status == STRADS_OK) {
        status = read_rows(&reader);
    }
    if (status == STRADS_OK && !counts_only && csv_header_has_target(header)) {
        status = fit_target(&reader);
    }
    data_piece piece = {.columns = reader.columns,
                        .y = reader.y,
                        .n_rows = reader.n_rows,
                        .n_entries = reader.n_entries,
                        .wide = reader.wide};
    if (status != STRADS_OK) {
        data_piece_fini(&piece);
        return status;
    }
    *out = piece;
    return STRADS_OK;
}

strads_status data_csv_check_rows(const char *path, size_t n_rows)
{
    if (n_rows == 0) {
        strads_error("%s: holds no rows behind the names of its columns", path);
        return STRADS_ERR_DATA;
    }
    return STRADS_OK;
}

/* Reads or counts the rows. */
static strads_status read_all(data_piece *out, data_input *input, const data_source *source,
                              const csv_header *header, bool counts_only)
{
    const strads_status status =
        data_pieces_read(out, input, source, data_csv_read_piece, header, counts_only);
    if (status == STRADS_OK && data_csv_check_rows(input->path, out->n_rows) != STRADS_OK) {
        data_piece_fini(out);
        return STRADS_ERR_DATA;
    }
    return status;
}

strads_status data_csv_read(data_regression *out, data_input *input, const data_source *source)
{
    csv_header header;
    data_piece piece;
    data_regression data = {.y = NULL};
    strads_status status = csv_header_read(&header, input, source);
    if (status != STRADS_OK) {
        return status;
    }
    status = read_all(&piece, input, source, &header, false);
    if (status == STRADS_OK) {
        const bool dense = data_columns_dense(piece.n_rows, header.n_cols, piece.n_entries);
        status = data_piece_finish(&piece, header.n_cols, dense, data_threads_of(source), &data);
    }
    if (status == STRADS_OK) {
        status = csv_header_names(&data.names, &header, input->path);
    }
    if (status == STRADS_OK) {
        csv_header_say_target(&header, input->path);
    }
    csv_header_fini(&header);
    if (status != STRADS_OK) {
        data_regression_fini(&data);
        return status;
    }
    *out = data;
    return STRADS_OK;
}

strads_status data_csv_target_name(char **out, data_input *input, const data_source *source)
{
    csv_header header;
    char *name = NULL;
    strads_status status = csv_header_read(&header, input, source);
    if (status != STRADS_OK) {
        return status;
    }
    for (uint32_t i = 0; i < header.names.n && status == STRADS_OK; i++) {
        if (header.place[i] == CSV_TARGET) {
            name = strads_strdup(csv_header_name(&header, i));
            status = name == NULL ? data_no_memory(input->path) : STRADS_OK;
        }
    }
    csv_header_fini(&header);
    if (status == STRADS_OK) {
        *out = name;
    }
    return status;
}

strads_status data_csv_measure(data_size *out, data_input *input, const data_source *source)
{
    csv_header header;
    data_piece piece;
    strads_status status = csv_header_read(&header, input, source);
    if (status != STRADS_OK) {
        return status;
    }
    status = read_all(&piece, input, source, &header, true);
    if (status == STRADS_OK) {
        *out = data_piece_size(&piece, header.n_cols, source->precision);
    }
    csv_header_fini(&header);
    return status;
}
