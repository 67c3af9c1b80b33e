/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_tokens.c - a text is cut into words. */
#include "base/random.h"
#include "data/tokens.h"
#include "tests/unit/data/reading.h"

/* The words of n bytes, each with a bar behind it. */
static const char *words_of(const char *text, size_t n, data_token_rules rules)
{
    static char out[512];
    char *copy = strads_alloc(n + 1);
    REQUIRE(copy != NULL);
    memcpy(copy, text, n);
    size_t length = 0;
    data_token token;
    out[0] = '\0';
    for (char *at = copy; data_token_next(&token, &at, copy + n, &rules);) {
        length += (size_t) snprintf(out + length, sizeof(out) - length, "%.*s|",
                                    (int) token.n_bytes, token.text);
    }
    strads_free(copy);
    return out;
}

static const data_token_rules wide = {.lower_case = true, .utf8 = true};

static void check_words(const char *text, data_token_rules rules, const char *expected)
{
    CHECK_TEXT(words_of(text, strlen(text), rules), expected);
}

static void runs_with_a_letter_are_words(void)
{
    check_words("", wide, "");
    check_words("The CAT-flap, it's 42; x86_64 3D", wide, "the|cat|flap|it|s|x86|3d|");
    check_words("The CAT", (data_token_rules){.utf8 = true}, "The|CAT|");
    check_words("caf\xc3\xa9s", (data_token_rules){.lower_case = true}, "caf|s|");
}

static void letters_beyond_ascii_are_letters(void)
{
    check_words(
        "Caf\xc3\xa9 \xc3\xa9t\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x90\x90\x80z 7\xc2\xb5", wide,
        "caf\xc3\xa9|\xc3\xa9t\xc3\xa9|\xe6\x97\xa5\xe6\x9c\xac|\xf0\x90\x90\x80z|"
        "7\xc2\xb5|");
}

static void signs_and_bad_bytes_part_words(void)
{
    check_words("\xe2\x80\x9cso\xe2\x80\x9d\xe2\x80\x94the\xc2\xa0"
                "end\xe2\x80\xa6",
                wide, "so|the|end|");
    /* alone, cut short, too long a form, a surrogate, beyond the last character */
    check_words("a\xff"
                "b\xc3 c\xc0\xaf"
                "d\xe0\x80\xaf"
                "e\xed\xa0\x80"
                "f\xf0\x80\x80\xaf"
                "g\xf4\x90\x80\x80"
                "h\xe2\x82",
                wide, "a|b|c|d|e|f|g|h|");
}

static void characters_are_counted_not_bytes(void)
{
    char text[] = "\xc3\xa9t\xc3\xa9";
    char *at = text;
    data_token token;
    CHECK(data_token_next(&token, &at, text + 5, &wide));
    CHECK(token.n_characters == 3 && token.n_bytes == 5 && at == text + 5);
    CHECK(!data_token_next(&token, &at, text + 5, &wide));
}

/* Any bytes: words lie in the text, one behind the other, and are UTF-8. */
static void any_bytes_give_good_words(void)
{
    strads_random random = strads_random_start(4, 0);
    for (int k = 0; k < 2000; k++) {
        const size_t n = strads_random_below(&random, 40);
        char *text = strads_alloc(n);
        REQUIRE(text != NULL);
        for (size_t i = 0; i < n; i++) {
            const uint32_t bits = strads_random_bits(&random);
            text[i] = (char) (bits & 256 ? bits : 0xc0 | (bits & 0x3f));
        }
        data_token token;
        const char *before = text;
        for (char *at = text; data_token_next(&token, &at, text + n, &wide);) {
            const char *end = token.text + token.n_bytes;
            REQUIRE(token.text >= before && token.n_bytes > 0 && end <= at && at <= text + n);
            size_t n_characters = 0;
            for (const char *p = token.text; p < end; n_characters++) {
                const size_t length = data_utf8_length(p, end);
                REQUIRE(length > 0);
                p += length;
            }
            CHECK(n_characters == token.n_characters);
            before = at;
        }
        strads_free(text);
    }
}

SUITE("data/tokens", {"runs with a letter are words", runs_with_a_letter_are_words},
      {"letters beyond ASCII are letters", letters_beyond_ascii_are_letters},
      {"signs and bad bytes part words", signs_and_bad_bytes_part_words},
      {"characters are counted, not bytes", characters_are_counted_not_bytes},
      {"any bytes give good words", any_bytes_give_good_words})
