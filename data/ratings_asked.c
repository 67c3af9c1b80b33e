/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/ratings_asked.c - what a model is asked for: files of ids. */
#include <math.h>
#include <string.h>

#include "data/number.h"
#include "data/ratings_parts.h"

static const char *const kinds[DATA_N_SIDES] = {"user", "item"};

/* ---- lists of ids ---- */

/* The index of the id in a field, whose end is changed. */
static uint32_t find(const data_ids *ids, const ratings_field *field)
{
    char *const end = field->doubled ? ratings_join_doubled(field) : field->end;
    *end = '\0';
    return memchr(field->begin, '\0', (size_t) (end - field->begin)) == NULL
               ? data_ids_find(ids, field->begin)
               : DATA_UNSEEN;
}

typedef struct listing {
    const data_ids *ids;
    data_side side;
    uint32_t *list;
    size_t n, room;
} listing;

static strads_status take_listed(void *context, const data_input *input, char *line, char *end)
{
    listing *all = context;
    ratings_field field;
    if (ratings_cut('\n', line, end, &field, 1) == 0) {
        return STRADS_OK; /* a blank line */
    }
    const uint32_t index = find(all->ids, &field);
    if (index == DATA_UNSEEN) {
        char excerpt[DATA_EXCERPT_BYTES];
        return data_refuse(input, "'%s': there is no such %s: expected one of the model's %u",
                           data_excerpt(excerpt, field.begin, field.end), kinds[all->side],
                           all->ids->n);
    }
    if (strads_reserve(&all->list, &all->room, all->n + 1, sizeof(*all->list)) != STRADS_OK) {
        return data_no_memory(input->path);
    }
    all->list[all->n++] = index;
    return STRADS_OK;
}

strads_status data_ids_read_list(uint32_t **out, size_t *n, const data_ids ids[DATA_N_SIDES],
                                 data_side side, const char *path)
{
    data_input input;
    listing all = {.ids = &ids[side], .side = side};
    strads_status status = data_input_open(&input, path);
    if (status != STRADS_OK) {
        return status;
    }
    data_input_skip_mark(&input);
    status = data_input_lines(&input, take_listed, &all);
    data_input_close(&input);
    if (status == STRADS_OK && all.n == 0) {
        strads_error("%s: is empty: expected the id of one %s a line", path, kinds[side]);
        status = STRADS_ERR_DATA;
    }
    if (status != STRADS_OK) {
        strads_free(all.list);
        return status;
    }
    *out = all.list;
    *n = all.n;
    return STRADS_OK;
}

/* ---- pairs ---- */

typedef struct pairing {
    const data_ids *ids;
    ratings_layout layout;
    data_ratings pairs;
    size_t room;
} pairing;

static strads_status take_rating(const data_input *input, const ratings_field *field, float *out)
{
    double value = 0.0;
    if (data_number_scan(field->begin, &value) != field->end || !isfinite((float) value)) {
        char excerpt[DATA_EXCERPT_BYTES];
        return data_refuse(input, "'%s': expected a rating, a finite number, or none",
                           data_excerpt(excerpt, field->begin, field->end));
    }
    *out = (float) value;
    return STRADS_OK;
}

static strads_status take_pair(void *context, const data_input *input, char *line, char *end)
{
    pairing *all = context;
    const ratings_layout *layout = &all->layout;
    ratings_field fields[RATINGS_MAX_FIELDS];
    const size_t n = ratings_cut(layout->separator, line, end, fields, RATINGS_MAX_FIELDS);
    if (n == 0) {
        return STRADS_OK; /* a blank line */
    }
    if (n < layout->least || n > layout->most) {
        char excerpt[DATA_EXCERPT_BYTES];
        return data_refuse(input, "'%s': too %s fields: expected USER ITEM [RATING]",
                           data_excerpt(excerpt, line, end), n < layout->least ? "few" : "many");
    }
    data_rating pair = {.value = NAN};
    const uint32_t *at = layout->at;
    strads_status status = STRADS_OK;
    if (at[2] < n) { /* before `find` puts an end behind the ids */
        status = take_rating(input, &fields[at[2]], &pair.value);
    }
    if (status != STRADS_OK) {
        return status;
    }
    pair.row = find(&all->ids[DATA_USERS], &fields[at[0]]);
    pair.column = find(&all->ids[DATA_ITEMS], &fields[at[1]]);
    data_ratings *pairs = &all->pairs;
    if (strads_reserve(&pairs->entries, &all->room, pairs->n + 1, sizeof(*pairs->entries)) !=
        STRADS_OK) {
        return data_no_memory(input->path);
    }
    pairs->n_unseen += pair.row == DATA_UNSEEN || pair.column == DATA_UNSEEN;
    pairs->entries[pairs->n++] = pair;
    return STRADS_OK;
}

strads_status data_ratings_read_pairs(data_ratings *out, const data_ids ids[DATA_N_SIDES],
                                      const char *path)
{
    data_input input;
    pairing all = {.ids = ids};
    strads_status status = data_input_open(&input, path);
    if (status != STRADS_OK) {
        return status;
    }
    status = ratings_layout_find(&all.layout, &input, RATINGS_PAIR);
    if (status == STRADS_OK) {
        status = data_input_lines(&input, take_pair, &all);
    }
    data_input_close(&input);
    const uint64_t n_stated = all.layout.n_stated;
    if (status == STRADS_OK &&
        (all.pairs.n == 0 || (all.layout.numbers && all.pairs.n != n_stated))) {
        strads_error("%s: holds %zu pairs of a user and an item: expected %s", path, all.pairs.n,
                     all.pairs.n == 0 ? "some" : "as many as its header states");
        status = STRADS_ERR_DATA;
    }
    if (status != STRADS_OK) {
        data_ratings_fini(&all.pairs);
        return status;
    }
    *out = all.pairs;
    return STRADS_OK;
}
