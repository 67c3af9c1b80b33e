/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/tokens.c - a text is cut into words. */
#include "data/tokens.h"

enum { ASCII = 0x80, NO_BREAK = 0x80, SIGNS_END = 0xc0, GENERAL = 0x2000, GENERAL_END = 0x2080 };

/* The character of two to four bytes that begins here, in *code; 0: none. */
static size_t decode(const unsigned char *text, size_t room, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t n = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (text[0] < 0xc2 || text[0] > 0xf4 || n > room) {
        return 0;
    }
    uint32_t c = text[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (text[i] & 0x3f);
    }
    *code = c;
    return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

size_t data_utf8_length(const char *text, const char *end)
{
    uint32_t code = 0;
    const unsigned char *bytes = (const unsigned char *) text;
    return bytes[0] < ASCII ? 1 : decode(bytes, (size_t) (end - text), &code);
}

static bool is_letter(char c)
{
    return (unsigned char) ((c | 32) - 'a') < 26;
}

static bool is_digit(char c)
{
    return (unsigned char) (c - '0') < 10;
}

/* The bytes of the letter beyond ASCII that begins here; 0: none does. */
static size_t wide_letter(const char *text, const char *end)
{
    uint32_t code = 0;
    const size_t n = decode((const unsigned char *) text, (size_t) (end - text), &code);
    const bool sign =
        (code >= NO_BREAK && code < SIGNS_END && code != 0xaa && code != 0xb5 && code != 0xba) ||
        (code >= GENERAL && code < GENERAL_END);
    return sign ? 0 : n;
}

/* Takes the run that begins at `text`; false: it has no letter. */
static bool take_run(data_token *out, char *text, char *end, const data_token_rules *rules)
{
    bool has_letter = false;
    size_t n = 0;
    char *p = text;
    for (size_t bytes = 1; p < end; p += bytes, n++) {
        bytes = 1;
        if (is_letter(*p)) {
            *p = rules->lower_case ? (char) (*p | 32) : *p;
            has_letter = true;
        } else if (!is_digit(*p)) {
            bytes = rules->utf8 && (unsigned char) *p >= ASCII ? wide_letter(p, end) : 0;
            has_letter = has_letter || bytes > 0;
        }
        if (bytes == 0) {
            break;
        }
    }
    *out = (data_token){.text = text, .n_bytes = (size_t) (p - text), .n_characters = n};
    return has_letter;
}

bool data_token_next(data_token *out, char **text, char *end, const data_token_rules *rules)
{
    bool found = false;
    char *p = *text;
    while (p < end && !found) {
        found = take_run(out, p, end, rules);
        p += out->n_bytes > 0 ? out->n_bytes : 1;
    }
    *text = p;
    return found;
}
