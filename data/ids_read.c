/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/ids_read.c - maps of ids from files that have one a line. */
#include <string.h>

#include "data/ids.h"
#include "data/input.h"
#include "data/number.h"
#include "data/tokens.h"

static bool is_utf8(const char *text, const char *end)
{
    size_t n = 1;
    for (; text < end && n > 0; text += n) {
        n = data_utf8_length(text, end);
    }
    return n > 0;
}

static strads_status take_text(data_ids *ids, const data_input *input, char *line, char *end,
                               const char *wanted)
{
    const uint32_t n = ids->n;
    uint32_t index = 0;
    char excerpt[DATA_EXCERPT_BYTES];
    if (line == end || memchr(line, '\0', (size_t) (end - line)) != NULL || n == DATA_UNSEEN - 1) {
        return data_refuse(input, "'%s': expected %s", data_excerpt(excerpt, line, end), wanted);
    }
    const strads_status status = data_ids_add(ids, line, (size_t) (end - line), &index);
    if (status != STRADS_OK) {
        return data_no_memory(input->path);
    }
    return index == n ? STRADS_OK
                      : data_refuse(input, "'%s': is in line %u too",
                                    data_excerpt(excerpt, line, end), index + 1);
}

static strads_status take_id(void *ids, const data_input *input, char *line, char *end)
{
    return take_text(ids, input, line, end, "an id");
}

static strads_status take_word(void *ids, const data_input *input, char *line, char *end)
{
    char excerpt[DATA_EXCERPT_BYTES];
    if (!is_utf8(line, end)) {
        return data_refuse(input, "'%s': is not UTF-8", data_excerpt(excerpt, line, end));
    }
    return take_text(ids, input, line, end, "a word");
}

/* Reads a map of texts, `what` each. */
static strads_status read_texts(data_ids *out, const char *path, data_line_taker take,
                                const char *what)
{
    data_input input;
    data_ids ids = {.n = 0};
    strads_status status = data_input_open(&input, path);
    if (status != STRADS_OK) {
        return status;
    }
    data_input_skip_mark(&input);
    status = data_input_lines(&input, take, &ids);
    data_input_close(&input);
    if (status == STRADS_OK && ids.n == 0) {
        strads_error("%s: is empty: expected %s a line", path, what);
        status = STRADS_ERR_DATA;
    }
    if (status != STRADS_OK) {
        data_ids_fini(&ids);
        return status;
    }
    *out = ids;
    return STRADS_OK;
}

/* The number that a text is, written as data_ids_name does, and above the one before it. */
static bool is_next_number(const char *text, int64_t before, uint32_t *out)
{
    uint64_t number = 0;
    const char *end = data_number_scan_index(text, &number);
    if (end == NULL || *end != '\0' || number > UINT32_MAX || (int64_t) number <= before ||
        (text[0] == '0' && text[1] != '\0')) {
        return false;
    }
    *out = (uint32_t) number;
    return true;
}

/* Has the ids be numbers, where all are. */
static strads_status settle_kind(data_ids *ids)
{
    data_ids numbers = {.number = strads_alloc_array(ids->n, sizeof(*numbers.number))};
    if (numbers.number == NULL) {
        return STRADS_ERR_NOMEM;
    }
    int64_t before = -1;
    while (numbers.n < ids->n &&
           is_next_number(ids->text + ids->start[numbers.n], before, &numbers.number[numbers.n])) {
        before = numbers.number[numbers.n++];
    }
    strads_status status = STRADS_OK;
    if (numbers.n == ids->n) {
        status = data_ids_invert(&numbers, numbers.n);
        if (status == STRADS_OK) {
            const data_ids texts = *ids;
            *ids = numbers;
            numbers = texts;
        }
    }
    data_ids_fini(&numbers);
    return status;
}

strads_status data_ids_read(data_ids *out, const char *path)
{
    data_ids ids;
    strads_status status = read_texts(&ids, path, take_id, "an id");
    if (status != STRADS_OK) {
        return status;
    }
    if (settle_kind(&ids) != STRADS_OK) {
        data_ids_fini(&ids);
        return data_no_memory(path);
    }
    *out = ids;
    return STRADS_OK;
}

strads_status data_ids_read_words(data_ids *out, const char *path)
{
    return read_texts(out, path, take_word, "a word");
}
