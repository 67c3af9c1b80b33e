/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/ratings_piece.c - a range of lines becomes ratings.
 *
 * Ids are taken for numbers until one is not. If it is not the first, reading ends, to begin
 * anew with texts: those before have lost their spelling.
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "data/number.h"
#include "data/ratings_parts.h"

/* Notes what is wrong: the text of the field, then the words. */
static void note(ratings_fault *fault, const data_input *input, const ratings_field *field,
                 const char *wanted)
{
    char excerpt[DATA_EXCERPT_BYTES];
    fault->line = data_input_line_number(input);
    snprintf(fault->text, sizeof(fault->text), "'%s': %s",
             data_excerpt(excerpt, field->begin, field->end), wanted);
}

/* ---- ids ---- */

/* Whether a field is a whole number, with a sign or not. */
static bool is_whole(const ratings_field *field)
{
    const char *p = field->begin + (field->begin < field->end && *field->begin == '-');
    const char *const digits = p;
    while (p < field->end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p == field->end && p > digits;
}

static bool take_text(ratings_piece *piece, const data_input *input, data_side side,
                      const ratings_field *field, uint32_t *id)
{
    const char *const end = field->doubled ? ratings_join_doubled(field) : field->end;
    const size_t n = (size_t) (end - field->begin);
    if (memchr(field->begin, '\0', n) != NULL) {
        note(&piece->fault, input, field, "an id cannot hold a byte of 0");
        return false;
    }
    if (data_ids_add(&piece->texts[side], field->begin, n, id) != STRADS_OK) {
        piece->status = data_no_memory(input->path);
        return false;
    }
    return true;
}

/* An id that is none of the numbers allowed: a text, or one to be refused, here or when it
 * is known that no text comes. */
static bool take_strange_id(ratings_piece *piece, const data_input *input, data_side side,
                            const ratings_field *field, uint32_t *id)
{
    const ratings_layout *layout = piece->layout;
    const char *const what = side == DATA_USERS ? "user" : "item";
    char wanted[128];
    if (layout->numbers) {
        snprintf(wanted, sizeof(wanted), "expected %s, 1 to %u", what, layout->max_id[side]);
        note(&piece->fault, input, field, wanted);
        return false;
    }
    if (is_whole(field)) {
        snprintf(wanted, sizeof(wanted),
                 "expected a number from 0 to 4294967295 as %s, unless ids are said to be texts",
                 what);
        if (piece->beyond[side].line == 0) {
            note(&piece->beyond[side], input, field, wanted);
        }
        return true;
    }
    piece->is_text[side] = true;
    piece->lost[side] = piece->n > 0;
    return piece->n == 0 && take_text(piece, input, side, field, id);
}

static bool take_id(ratings_piece *piece, const data_input *input, data_side side,
                    const ratings_field *field, uint32_t *id)
{
    if (field->begin == field->end) {
        note(&piece->fault, input, field,
             side == DATA_USERS ? "expected a user" : "expected an item");
        return false;
    }
    if (piece->is_text[side]) {
        return take_text(piece, input, side, field, id);
    }
    uint64_t number = 0;
    if (data_number_scan_index(field->begin, &number) != field->end ||
        number < piece->layout->min_id || number > piece->layout->max_id[side]) {
        return take_strange_id(piece, input, side, field, id);
    }
    *id = (uint32_t) number;
    piece->max_id[side] = piece->max_id[side] > *id ? piece->max_id[side] : *id;
    return true;
}

/* ---- lines ---- */

static bool take_number(ratings_piece *piece, const data_input *input, const ratings_field *field,
                        const char *wanted, double *out)
{
    if (data_number_scan(field->begin, out) != field->end || !isfinite(*out)) {
        note(&piece->fault, input, field, wanted);
        return false;
    }
    return true;
}

static bool reserve(ratings_piece *piece, const data_input *input)
{
    const size_t n = piece->n + 1;
    strads_status status =
        strads_reserve(&piece->entries, &piece->room, n, sizeof(*piece->entries));
    if (status == STRADS_OK && piece->layout->times) {
        status = strads_reserve(&piece->times, &piece->times_room, n, sizeof(*piece->times));
    }
    if (status != STRADS_OK) {
        piece->status = data_no_memory(input->path);
    }
    return status == STRADS_OK;
}

static bool take_fields(ratings_piece *piece, const data_input *input, const ratings_field *fields)
{
    static const char finite[] = "expected a rating, a finite number";
    const uint32_t *at = piece->layout->at;
    data_rating *entry = &piece->entries[piece->n];
    double value = 0.0;
    if (!take_id(piece, input, DATA_USERS, &fields[at[0]], &entry->row) ||
        !take_id(piece, input, DATA_ITEMS, &fields[at[1]], &entry->column) ||
        !take_number(piece, input, &fields[at[2]], finite, &value)) {
        return false;
    }
    entry->value = (float) value;
    if (!isfinite(entry->value)) {
        note(&piece->fault, input, &fields[at[2]], "expected a rating below 3.4e38 in size");
        return false;
    }
    if (piece->layout->times &&
        !take_number(piece, input, &fields[at[RATINGS_TIME]], "expected a time, a finite number",
                     &piece->times[piece->n])) {
        return false;
    }
    piece->n++;
    return true;
}

static bool take_any_line(ratings_piece *piece, const data_input *input, char *line, char *end)
{
    const ratings_layout *layout = piece->layout;
    ratings_field fields[RATINGS_MAX_FIELDS];
    const size_t room = layout->most < RATINGS_MAX_FIELDS ? layout->most + 1 : layout->least;
    const size_t n = ratings_cut(layout->separator, line, end, fields, room);
    if (n == 0) {
        return true; /* a blank line */
    }
    if (n < layout->least || n > layout->most) {
        const ratings_field whole = {.begin = line, .end = end};
        char wanted[96];
        snprintf(wanted, sizeof(wanted), "%s fields: expected %u%s%s",
                 n < layout->least ? "too few" : "too many", layout->least,
                 layout->most > layout->least ? " or more" : "",
                 layout->times ? ", the time among them" : "");
        note(&piece->fault, input, &whole, wanted);
        return false;
    }
    return take_fields(piece, input, fields);
}

/* ---- the usual line ---- */

/* Digits, not more than an id has; NULL: something else. */
static const char *scan_id(const char *p, uint64_t *out)
{
    enum { MAX_DIGITS = 10 };
    const char *const first = p;
    uint64_t value = 0;
    for (; (unsigned char) (*p - '0') < 10 && p - first <= MAX_DIGITS; p++) {
        value = value * 10 + (uint64_t) (*p - '0');
    }
    *out = value;
    return p > first && p - first <= MAX_DIGITS ? p : NULL;
}

/* Behind the separator at `p`; NULL: there is none. */
static const char *skip_separator(char separator, const char *p)
{
    if (p == NULL || (*p != separator && !(separator == ' ' && *p == '\t'))) {
        return NULL;
    }
    return separator != ':' ? p + 1 : p[1] == ':' ? p + 2 : NULL;
}

/* A line of plain numbers in the usual order, in one go. False: it is another, or something
 * is wrong with it; nothing was taken. */
static bool take_plain_line(ratings_piece *piece, const char *p, const char *end)
{
    const ratings_layout *layout = piece->layout;
    uint64_t id[DATA_N_SIDES];
    for (data_side side = 0; side < DATA_N_SIDES; side++) {
        p = scan_id(p, &id[side]);
        if (p == NULL || id[side] < layout->min_id || id[side] > layout->max_id[side]) {
            return false;
        }
        p = skip_separator(layout->separator, p);
        if (p == NULL) {
            return false;
        }
    }
    double value = 0.0;
    double time = 0.0;
    p = data_number_scan(p, &value);
    if (p != end || layout->times) {
        p = layout->most > RATINGS_TIME ? skip_separator(layout->separator, p) : NULL;
        p = p != NULL ? data_number_scan(p, &time) : NULL;
    }
    if (p != end || !isfinite((float) value) || !isfinite(time)) {
        return false;
    }
    for (data_side side = 0; side < DATA_N_SIDES; side++) {
        const uint32_t max = piece->max_id[side];
        piece->max_id[side] = id[side] > max ? (uint32_t) id[side] : max;
    }
    if (layout->times) {
        piece->times[piece->n] = time;
    }
    piece->entries[piece->n++] =
        (data_rating){.row = (uint32_t) id[0], .column = (uint32_t) id[1], .value = (float) value};
    return true;
}

static bool is_plain(const ratings_piece *piece)
{
    bool plain = true;
    for (uint32_t role = 0; role < RATINGS_N_ROLES; role++) {
        plain = plain && piece->layout->at[role] == role;
    }
    return plain && !piece->is_text[DATA_USERS] && !piece->is_text[DATA_ITEMS];
}

static bool take_line(ratings_piece *piece, const data_input *input, char *line, char *end)
{
    if (piece->n == UINT32_MAX - 1) {
        const ratings_field whole = {.begin = line, .end = end};
        note(&piece->fault, input, &whole, "more than 4294967294 ratings");
        return false;
    }
    return reserve(piece, input) && ((is_plain(piece) && take_plain_line(piece, line, end)) ||
                                     take_any_line(piece, input, line, end));
}

void ratings_piece_read(ratings_piece *piece, data_input *input)
{
    char *line = NULL;
    size_t length = 0;
    do {
        piece->status = data_input_line(input, &line, &length);
    } while (piece->status == STRADS_OK && line != NULL &&
             take_line(piece, input, line, line + length));
}

void ratings_piece_fini(ratings_piece *piece)
{
    strads_free(piece->entries);
    strads_free(piece->times);
    for (data_side side = 0; side < DATA_N_SIDES; side++) {
        data_ids_fini(&piece->texts[side]);
    }
    *piece = (ratings_piece){.n = 0};
}
