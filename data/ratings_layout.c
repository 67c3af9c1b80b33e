/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/ratings_layout.c - how a file of ratings is written: its separator, its header. */
#include <string.h>
#include <strings.h>

#include "data/number.h"
#include "data/ratings_parts.h"
#include "data/readers.h"

/* ---- fields ---- */

static bool separates(char separator, const char *p)
{
    return separator == ' ' ? *p == ' ' || *p == '\t'
                            : *p == separator && (separator != ':' || p[1] == ':');
}

static bool is_padding(char separator, char c)
{
    return c == ' ' || (c == '\t' && separator != '\t');
}

static char *skip_padding(char separator, char *p, const char *end)
{
    while (p < end && is_padding(separator, *p)) {
        p++;
    }
    return p;
}

/* A field in quotes that begins at `p`: where it ends, or NULL when it is none, because more
 * than padding follows the second quote, or there is none. */
static char *cut_quoted(char separator, char *p, char *end, ratings_field *out)
{
    ratings_field field = {.begin = ++p};
    for (; p < end && (*p != '"' || p[1] == '"'); p++) {
        field.doubled |= *p == '"';
        p += *p == '"';
    }
    if (p >= end) {
        return NULL;
    }
    field.end = p;
    p = separator == ' ' ? p + 1 : skip_padding(separator, p + 1, end);
    if (p < end && !separates(separator, p)) {
        return NULL;
    }
    *out = field;
    return p;
}

/* The field that begins at `p`; returns where its separator stands, or the end. */
static char *cut_field(char separator, char *p, char *end, ratings_field *out)
{
    char *stop = p < end && *p == '"' ? cut_quoted(separator, p, end, out) : NULL;
    if (stop != NULL) {
        return stop;
    }
    for (stop = p; stop < end && !separates(separator, stop); stop++) {
    }
    *out = (ratings_field){.begin = p, .end = stop};
    while (out->end > p && is_padding(separator, out->end[-1])) {
        out->end--;
    }
    return stop;
}

size_t ratings_cut(char separator, char *line, char *end, ratings_field *fields, size_t room)
{
    const size_t step = separator == ':' ? 2 : 1;
    size_t n = 0;
    for (char *p = line; n < room; p += step) {
        p = skip_padding(separator, p, end);
        if (p == end && (separator == ' ' || n == 0)) {
            break;
        }
        p = cut_field(separator, p, end, &fields[n++]);
        if (p == end) {
            break;
        }
    }
    return n;
}

char *ratings_join_doubled(const ratings_field *field)
{
    char *to = field->begin;
    for (const char *from = field->begin; from < field->end; from++) {
        *to++ = *from;
        from += *from == '"';
    }
    return to;
}

/* ---- the first line ---- */

static bool is_word(const ratings_field *field, const char *word)
{
    const size_t n = (size_t) (field->end - field->begin);
    return strlen(word) == n && strncasecmp(field->begin, word, n) == 0;
}

/* Whether a field may be meant as a number, if only as one that is refused. */
static bool is_number(const ratings_field *field)
{
    double value = 0.0;
    ratings_field bare = *field;
    bare.begin += bare.begin < bare.end && (*bare.begin == '-' || *bare.begin == '+');
    return bare.begin == bare.end || data_number_scan(field->begin, &value) == field->end ||
           is_word(&bare, "nan") || is_word(&bare, "inf") || is_word(&bare, "infinity");
}

enum { MAX_NAMES = 6 };
static const char *const names[RATINGS_N_ROLES][MAX_NAMES] = {
    {"user", "userid", "user_id", "uid"},
    {"item", "itemid", "item_id", "movie", "movieid", "movie_id"},
    {"rating", "score", "stars"},
    {"time", "timestamp", "unixtime"}};

/* Which field has a name of this role; n when none has. */
static uint32_t find_role(size_t role, const ratings_field *fields, size_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        for (size_t k = 0; k < MAX_NAMES && names[role][k] != NULL; k++) {
            if (is_word(&fields[i], names[role][k])) {
                return i;
            }
        }
    }
    return (uint32_t) n;
}

/* Whether the first line is a header; one of two fields must name them. */
static bool is_header(const ratings_field *fields, size_t n)
{
    return n > 2 ? !is_number(&fields[2])
                 : find_role(DATA_USERS, fields, n) < n || find_role(DATA_ITEMS, fields, n) < n;
}

/* Takes the fields' places from a header. */
static strads_status take_header(ratings_layout *layout, const data_input *input,
                                 const ratings_field *fields, size_t n)
{
    static const char *const expected[] = {[RATINGS_PAIR] = "user and item",
                                           [RATINGS_RATED] = "user, item and rating",
                                           [RATINGS_TIMED] = "user, item, rating and time"};
    const uint32_t wanted = layout->least;
    uint32_t at[RATINGS_N_ROLES];
    bool any = false;
    for (size_t role = 0; role < RATINGS_N_ROLES; role++) {
        at[role] = find_role(role, fields, n);
        any |= role < RATINGS_TIME && at[role] < n;
    }
    layout->most = UINT32_MAX;
    if (!any) {
        return STRADS_OK;
    }
    layout->least = 0;
    for (size_t role = 0; role < wanted; role++) {
        if (at[role] == n) {
            return data_refuse(input, "the header names no %s: expected %s", names[role][0],
                               expected[wanted]);
        }
        layout->least = layout->least > at[role] ? layout->least : at[role] + 1;
    }
    memcpy(layout->at, at, (wanted > RATINGS_RATED ? wanted : RATINGS_RATED) * sizeof(at[0]));
    return STRADS_OK;
}

/* The next line that is not blank, which stays to be read; counts it. NULL: there is none. */
static strads_status peek_line(data_input *input, char **line, char **end)
{
    strads_status status = STRADS_OK;
    input->line++;
    *line = NULL;
    while (status == STRADS_OK && *line == NULL) {
        char *newline = memchr(input->begin, '\n', (size_t) (input->end - input->begin));
        if (newline == NULL && input->ended) {
            break;
        }
        if (newline == NULL) {
            status = data_input_more(input);
        } else if (strspn(input->begin, " \t\r") == (size_t) (newline - input->begin)) {
            input->begin = newline + 1;
            input->line++;
        } else {
            *line = input->begin;
            *end = newline - (newline[-1] == '\r');
        }
    }
    return status;
}

static strads_status find_text(ratings_layout *layout, data_input *input)
{
    static const char separators[] = {':', '\t', '|', ';', ',', ' '};
    char *line = NULL;
    char *end = NULL;
    strads_status status = peek_line(input, &line, &end);
    if (status != STRADS_OK || line == NULL) {
        return status;
    }
    ratings_field fields[RATINGS_MAX_FIELDS];
    const bool is_pair = layout->least == RATINGS_PAIR;
    const size_t least = is_pair ? RATINGS_PAIR : RATINGS_RATED;
    size_t n = 0;
    for (size_t i = 0; i < sizeof(separators) && n < least; i++) {
        layout->separator = separators[i];
        n = ratings_cut(separators[i], line, end, fields, RATINGS_MAX_FIELDS);
    }
    if (n < least) {
        char excerpt[DATA_EXCERPT_BYTES];
        return data_refuse(input, "'%s': expected USER ITEM%s", data_excerpt(excerpt, line, end),
                           is_pair ? "" : " RATING");
    }
    if (!is_header(fields, n)) {
        input->line--;
        return STRADS_OK;
    }
    status = take_header(layout, input, fields, n);
    input->begin = end + (*end == '\r') + 1;
    return status;
}

/* ---- Matrix Market ---- */

static strads_status find_market(ratings_layout *layout, data_input *input)
{
    uint64_t sizes[3] = {0};
    const strads_status status = data_matrix_market_begin(sizes, input);
    if (status != STRADS_OK) {
        return status;
    }
    if (layout->times) {
        return data_refuse(input, "%s", "a Matrix Market file holds no times");
    }
    layout->numbers = true;
    layout->least = RATINGS_RATED;
    layout->most = layout->least;
    layout->min_id = 1;
    layout->max_id[DATA_USERS] = (uint32_t) sizes[0];
    layout->max_id[DATA_ITEMS] = (uint32_t) sizes[1];
    layout->n_stated = sizes[2];
    return STRADS_OK;
}

strads_status ratings_layout_find(ratings_layout *out, data_input *input, ratings_wanted wanted)
{
    ratings_layout layout = {.separator = ' ',
                             .at = {0, 1, 2, RATINGS_TIME},
                             .least = wanted,
                             .most = 4,
                             .times = wanted == RATINGS_TIMED,
                             .max_id = {UINT32_MAX, UINT32_MAX},
                             .n_stated = UINT64_MAX};
    data_input_skip_mark(input);
    const strads_status status = data_input_begins(input, "%%MatrixMarket", 14)
                                     ? find_market(&layout, input)
                                     : find_text(&layout, input);
    if (status == STRADS_OK) {
        *out = layout;
    }
    return status;
}
