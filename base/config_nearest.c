/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/config_nearest.c - what the user may have meant. */
#include "base/config.h"

#include <assert.h>
#include <string.h>

static size_t min2(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: row i holds the edits from a[0..i) to every b[0..j). */
size_t config_distance(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    assert(a_bytes <= CONFIG_MAX_KEY && b_bytes <= CONFIG_MAX_KEY);
    size_t rows[3][CONFIG_MAX_KEY + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_bytes; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_bytes; i++) {
        size_t *const oldest = before;
        before = above;
        above = row;
        row = oldest;
        row[0] = i;
        for (size_t j = 1; j <= b_bytes; j++) {
            const size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0);
            row[j] = min2(replaced, 1 + min2(above[j], row[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = min2(row[j], before[j - 2] + 1);
            }
        }
    }
    return row[b_bytes];
}

/* How many edits of a word of that length still look like a slip. */
static size_t tolerated(size_t bytes)
{
    return min2((bytes + 1) / 3, 3);
}

const char *config_nearest_key(const strads_config *config, const char *key)
{
    const size_t key_bytes = strlen(key);
    if (key_bytes > CONFIG_MAX_KEY) {
        return NULL;
    }
    const char *last = key + config_section_bytes(key);
    const size_t last_bytes = strlen(last);
    const size_t limit = tolerated(last_bytes);
    const char *nearest = NULL;
    size_t least = 2 * (limit + 1);
    for (size_t i = 0; i < config->n_values; i++) {
        const char *known = config->values[i].option->key;
        const char *known_last = known + config_section_bytes(known);
        const size_t whole = config_distance(key, key_bytes, known, strlen(known));
        const size_t part = config_distance(last, last_bytes, known_last, strlen(known_last));
        /* In another section, an equally good match counts as the farther one. */
        const size_t edits = whole <= limit ? 2 * whole : part <= limit ? 2 * part + 1 : least;
        if (edits < least) {
            least = edits;
            nearest = known;
        }
    }
    return nearest;
}

const char *config_next_choice(const char **rest, size_t *length)
{
    const char *word = *rest + strspn(*rest, " |");
    *length = strcspn(word, " |");
    *rest = word + *length;
    return *length > 0 ? word : NULL;
}

const char *config_nearest_choice(const strads_option *option, const char *text, size_t *length)
{
    const size_t bytes = strlen(text);
    if (bytes > CONFIG_MAX_KEY) {
        return NULL;
    }
    const char *nearest = NULL;
    size_t least = tolerated(bytes) + 1;
    size_t word_bytes = 0;
    const char *rest = option->choices;
    for (const char *word; (word = config_next_choice(&rest, &word_bytes)) != NULL;) {
        const size_t edits = config_distance(text, bytes, word, word_bytes);
        if (edits < least) {
            least = edits;
            nearest = word;
            *length = word_bytes;
        }
    }
    return nearest;
}

const char *strads_nearest(const char *word, const char *const *words, size_t n)
{
    const size_t bytes = strlen(word);
    if (bytes > CONFIG_MAX_KEY) {
        return NULL;
    }
    const char *nearest = NULL;
    size_t least = tolerated(bytes) + 1;
    for (size_t i = 0; i < n; i++) {
        const size_t edits = config_distance(word, bytes, words[i], strlen(words[i]));
        if (edits < least) {
            least = edits;
            nearest = words[i];
        }
    }
    return nearest;
}
