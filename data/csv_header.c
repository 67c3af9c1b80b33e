/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/csv_header.c - the first line of a CSV file, and how its fields are cut. */
#include "data/csv_header.h"

#include <string.h>

#include "data/number.h"
#include "data/readers.h"

/* ---- fields ---- */

char *csv_limit(const data_input *input, char separator)
{
    char *p = input->end;
    while (p > input->begin && p[-1] != separator && p[-1] != '\n') {
        p--;
    }
    return p;
}

/* The rest of csv_cut, behind a quote. */
static strads_status cut_quoted(csv_field *out, char **end, const data_input *input, char separator,
                                char *p, char *limit)
{
    char excerpt[DATA_EXCERPT_BYTES];
    csv_field field = {.begin = p};
    for (; p < limit && *p != '\n' && (*p != '"' || p[1] == '"'); p++) {
        field.doubled |= *p == '"';
        p += *p == '"';
    }
    if (p >= limit) {
        *end = NULL;
        return STRADS_OK;
    }
    field.end = p;
    if (*p == '\n') {
        return data_refuse(input, "'%s': the line ends within quotes",
                           data_excerpt(excerpt, field.begin, p));
    }
    p = csv_skip_blanks(separator, p + 1);
    p += *p == '\r' && p[1] == '\n';
    if (*p != separator && *p != '\n') {
        return data_refuse(input, "'%s': more than a quoted field between two separators",
                           data_excerpt(excerpt, field.begin - 1, limit));
    }
    *out = field;
    *end = p;
    return STRADS_OK;
}

strads_status csv_cut(csv_field *out, char **end, const data_input *input, char separator, char *p,
                      char *limit)
{
    p = csv_skip_blanks(separator, p);
    if (*p == '"') {
        return cut_quoted(out, end, input, separator, p + 1, limit);
    }
    csv_field field = {.begin = p};
    while (*p != separator && *p != '\n') {
        p++;
    }
    *end = p;
    p -= *p == '\n' && p > field.begin && p[-1] == '\r';
    while (p > field.begin && (p[-1] == ' ' || p[-1] == '\t')) {
        p--;
    }
    field.end = p;
    *out = field;
    return STRADS_OK;
}

/* ---- what a file looks like ---- */

/* What parts the fields of the line [p, end): of the three the one there is most of, outside of
 * quotes; '\0': none is there. */
static char find_separator(const char *p, const char *end)
{
    static const char separators[] = {'\t', ';', ','};
    size_t counts[sizeof(separators)] = {0};
    bool quoted = false;
    for (; p < end && *p != '\n'; p++) {
        quoted ^= *p == '"';
        for (size_t i = 0; i < sizeof(separators) && !quoted; i++) {
            counts[i] += *p == separators[i];
        }
    }
    size_t most = 0;
    for (size_t i = 1; i < sizeof(separators); i++) {
        most = counts[i] > counts[most] ? i : most;
    }
    return counts[most] > 0 ? separators[most] : '\0';
}

bool data_csv_is(const data_input *input)
{
    const size_t mark = data_input_begins(input, "\xef\xbb\xbf", 3) ? 3 : 0;
    const char *p = input->begin + mark;
    const char *newline = memchr(p, '\n', (size_t) (input->end - p));
    const char *end = newline != NULL ? newline : input->end;
    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }
    const char separator = find_separator(p, end);
    const char *digits = p < end && (*p == '-' || *p == '+' || *p == '.') ? p + 1 : p;
    const bool is_number = digits < end && *digits >= '0' && *digits <= '9';
    if (p == end || *p == '#' || separator == '\0') {
        return false;
    }
    return !is_number || (separator != '\t' && memchr(p, ':', (size_t) (end - p)) == NULL);
}

/* ---- names ---- */

void csv_header_fini(csv_header *header)
{
    data_ids_fini(&header->names);
    strads_free(header->place);
    *header = (csv_header){.n_cols = 0};
}

const char *csv_header_name(const csv_header *header, uint32_t field)
{
    return header->names.text + header->names.start[field];
}

bool csv_header_has_target(const csv_header *header)
{
    bool has = false;
    for (uint32_t i = 0; i < header->names.n && !has; i++) {
        has = header->place[i] == CSV_TARGET;
    }
    return has;
}

void csv_header_say_target(const csv_header *header, const char *path)
{
    if (header->is_last_target) {
        strads_info("%s: the target is the last column, '%s'", path,
                    csv_header_name(header, header->names.n - 1));
    }
}

static void join_doubled(csv_field *field)
{
    char *to = field->begin;
    for (const char *from = field->begin; from < field->end; from++) {
        *to++ = *from;
        from += *from == '"';
    }
    field->end = to;
}

static strads_status take_name(csv_header *header, const data_input *input, csv_field *field)
{
    const uint32_t n = header->names.n;
    if (field->doubled) {
        join_doubled(field);
    }
    const size_t length = (size_t) (field->end - field->begin);
    char excerpt[DATA_EXCERPT_BYTES];
    if (length == 0) {
        return data_refuse(input,
                           "column %u has no name: expected one for each, without row numbers "
                           "before the first",
                           n + 1);
    }
    if (memchr(field->begin, '\0', length) != NULL || n == CSV_TARGET) {
        return data_refuse(input,
                           "column %u: '%s': expected a name without NUL bytes, of at most "
                           "%u columns",
                           n + 1, data_excerpt(excerpt, field->begin, field->end), CSV_TARGET - 1);
    }
    uint32_t index = 0;
    if (data_ids_add(&header->names, field->begin, length, &index) != STRADS_OK) {
        return data_no_memory(input->path);
    }
    return index == n ? STRADS_OK
                      : data_refuse(input, "columns %u and %u are both named '%s'", index + 1,
                                    n + 1, data_excerpt(excerpt, field->begin, field->end));
}

/* Reads the fields of the first line. */
static strads_status read_names(csv_header *header, data_input *input)
{
    strads_status status = STRADS_OK;
    input->line = 1;
    while (status == STRADS_OK && !(input->ended && input->begin == input->end)) {
        char *limit = csv_limit(input, header->separator);
        char *end = NULL;
        csv_field field;
        if (limit > input->begin) {
            status = csv_cut(&field, &end, input, header->separator, input->begin, limit);
        }
        if (status == STRADS_OK && end == NULL) {
            status = data_input_more(input);
            continue;
        }
        const char last = status == STRADS_OK ? *end : '\0';
        if (status == STRADS_OK) {
            status = take_name(header, input, &field);
            input->begin = end + 1;
        }
        if (last == '\n') {
            input->line++;
            break;
        }
    }
    return status;
}

/* Numbers alone are most likely the first row of a file without names. */
static strads_status check_names(const csv_header *header, const char *path)
{
    bool any = false;
    for (uint32_t i = 0; i < header->names.n; i++) {
        double value = 0.0;
        const char *end = data_number_scan(csv_header_name(header, i), &value);
        any |= end == NULL || *end != '\0';
    }
    if (!any) {
        strads_error("%s:1: expected the names of the columns, not %s", path,
                     header->names.n == 0 ? "an empty file" : "numbers alone");
        return STRADS_ERR_DATA;
    }
    return STRADS_OK;
}

/* ---- what is wanted ---- */

static strads_status refuse_missing(const csv_header *header, const char *path, const char *name,
                                    const char *what)
{
    char list[160] = "";
    size_t n = 0;
    for (uint32_t i = 0; i < header->names.n && n < sizeof(list); i++) {
        n += (size_t) snprintf(list + n, sizeof(list) - n, "%s%s", i > 0 ? ", " : "",
                               csv_header_name(header, i));
    }
    strads_error("%s:1: there is no column '%s', %s: expected one of %s%s", path, name, what, list,
                 n < sizeof(list) ? "" : "...");
    return STRADS_ERR_DATA;
}

/* Which field is the target; that many as there are: none. */
static strads_status find_target(uint32_t *out, csv_header *header, const data_source *source)
{
    const uint32_t n = header->names.n;
    if (source->target != NULL) {
        const uint32_t found = data_ids_find(&header->names, source->target);
        if (found == DATA_UNSEEN && source->names == NULL && source->target[0] != '\0') {
            return refuse_missing(header, source->path, source->target,
                                  "which is to be the target");
        }
        *out = found == DATA_UNSEEN ? n : found;
        return STRADS_OK;
    }
    header->is_last_target = source->y_path == NULL && source->names == NULL;
    *out = source->y_path == NULL ? n - 1 : n;
    return STRADS_OK;
}

/* Has the fields of these names be the columns. */
static strads_status place_named(csv_header *header, const data_source *source)
{
    for (size_t j = 0; j < source->n_cols; j++) {
        const uint32_t field = data_ids_find(&header->names, source->names[j]);
        if (field == DATA_UNSEEN) {
            return refuse_missing(header, source->path, source->names[j],
                                  "which the model has a coefficient for");
        }
        if (header->place[field] < CSV_TARGET) {
            strads_error("%s: column '%s' is asked for twice", source->path, source->names[j]);
            return STRADS_ERR_DATA;
        }
        header->place[field] = (uint32_t) j;
    }
    header->n_cols = source->n_cols;
    return STRADS_OK;
}

static strads_status place_fields(csv_header *header, const data_input *input,
                                  const data_source *source)
{
    const uint32_t n = header->names.n;
    uint32_t target = n;
    const strads_status status = find_target(&target, header, source);
    if (status != STRADS_OK) {
        return status;
    }
    header->place = strads_alloc_array(n, sizeof(*header->place));
    if (header->place == NULL) {
        return data_no_memory(source->path);
    }
    for (uint32_t i = 0; i < n; i++) {
        header->place[i] = i == target             ? CSV_TARGET
                           : source->names != NULL ? CSV_LEFT_OUT
                                                   : (uint32_t) header->n_cols++;
    }
    if (source->names != NULL) {
        return place_named(header, source);
    }
    if (header->n_cols == 0) {
        strads_error("%s: has no column but the target, '%s'", source->path,
                     csv_header_name(header, target));
        return STRADS_ERR_DATA;
    }
    return data_check_size(input, 1, header->n_cols, source->n_cols);
}

strads_status csv_header_read(csv_header *out, data_input *input, const data_source *source)
{
    data_input_skip_mark(input);
    const char separator = find_separator(input->begin, input->end);
    csv_header header = {.separator = separator != '\0' ? separator : ',',
                         .precision = source->precision};
    strads_status status = read_names(&header, input);
    if (status == STRADS_OK) {
        status = check_names(&header, source->path);
    }
    if (status == STRADS_OK) {
        status = place_fields(&header, input, source);
    }
    if (status != STRADS_OK) {
        csv_header_fini(&header);
        return status;
    }
    *out = header;
    return STRADS_OK;
}

strads_status csv_header_names(char ***out, const csv_header *header, const char *path)
{
    char **names = strads_calloc(header->n_cols + 1, sizeof(*names));
    bool good = names != NULL;
    for (uint32_t i = 0; i < header->names.n && good; i++) {
        if (header->place[i] < CSV_TARGET) {
            char **name = &names[header->place[i]];
            *name = strads_strdup(csv_header_name(header, i));
            good = *name != NULL;
        }
    }
    if (!good) {
        data_names_free(names, header->n_cols);
        return data_no_memory(path);
    }
    *out = names;
    return STRADS_OK;
}
