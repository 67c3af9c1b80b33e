/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/tokens.h - a text is cut into words.
 *
 * A word is a run of letters and digits with at least one letter. With `utf8` a character that
 * is not ASCII is a letter too, but for the signs of U+0080 to U+00BF (save ª, µ and º) and the
 * punctuation of U+2000 to U+207F; what is not UTF-8 parts words.
 */
#ifndef STRADS_DATA_TOKENS_H
#define STRADS_DATA_TOKENS_H

#include "base/base.h"

typedef struct data_token_rules {
    bool lower_case; /* ASCII letters, in place */
    bool utf8;
} data_token_rules;

typedef struct data_token {
    const char *text; /* lent */
    size_t n_bytes, n_characters;
} data_token;

/* The bytes of the character at text < end, at most 4; 0: not UTF-8. */
size_t data_utf8_length(const char *text, const char *end);

/* Finds the next word of [*text, end) and moves *text behind it; false: there is none. */
bool data_token_next(data_token *out, char **text, char *end, const data_token_rules *rules);

#endif
