/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/base/test_config_nearest.c - the distance of words, and suggestions. */
#include "tests/unit/base/config_sample.h"

static size_t distance(const char *a, const char *b)
{
    return config_distance(a, strlen(a), b, strlen(b));
}

/* The definition itself, exponential in the lengths. */
static size_t slow_distance(const char *a, size_t m, const char *b, size_t n)
{
    if (m == 0 || n == 0) {
        return m + n;
    }
    size_t best = slow_distance(a, m - 1, b, n - 1) + (a[m - 1] != b[n - 1] ? 1 : 0);
    const size_t removed = slow_distance(a, m - 1, b, n) + 1;
    const size_t inserted = slow_distance(a, m, b, n - 1) + 1;
    best = removed < best ? removed : best;
    best = inserted < best ? inserted : best;
    if (m > 1 && n > 1 && a[m - 1] == b[n - 2] && a[m - 2] == b[n - 1]) {
        const size_t swapped = slow_distance(a, m - 2, b, n - 2) + 1;
        best = swapped < best ? swapped : best;
    }
    return best;
}

static void a_slip_counts_as_one_edit(void)
{
    CU_ASSERT_EQUAL(distance("lambda", "lambda"), 0);
    CU_ASSERT_EQUAL(distance("lamda", "lambda"), 1);
    CU_ASSERT_EQUAL(distance("lambdda", "lambda"), 1);
    CU_ASSERT_EQUAL(distance("lambca", "lambda"), 1);
    CU_ASSERT_EQUAL(distance("labmda", "lambda"), 1);
    CU_ASSERT_EQUAL(distance("", "rho"), 3);
    CU_ASSERT_EQUAL(distance("rho", ""), 3);
}

/* All pairs of words of up to four letters out of "ab". */
static void the_distance_equals_its_definition(void)
{
    char words[31][5] = {""};
    size_t n_words = 0;
    for (size_t length = 0; length <= 4; length++) {
        for (size_t code = 0; code < (size_t) 1 << length; code++) {
            for (size_t i = 0; i < length; i++) {
                words[n_words][i] = code >> i & 1 ? 'b' : 'a';
            }
            words[n_words++][length] = '\0';
        }
    }
    for (size_t i = 0; i < n_words; i++) {
        for (size_t j = 0; j < n_words; j++) {
            CU_ASSERT_EQUAL(distance(words[i], words[j]),
                            slow_distance(words[i], strlen(words[i]), words[j], strlen(words[j])));
        }
    }
}

static void the_nearest_key_is_found_by_its_last_part_or_as_a_whole(void)
{
    strads_config *config = sample_config();
    CHECK_TEXT(config_nearest_key(config, "lamda"), "lasso.lambda");
    CHECK_TEXT(config_nearest_key(config, "lasso.lamda"), "lasso.lambda");
    CHECK_TEXT(config_nearest_key(config, "lasso_lambda"), "lasso.lambda");
    CHECK_TEXT(config_nearest_key(config, "laso.lambda"), "lasso.lambda");
    CHECK_TEXT(config_nearest_key(config, "ap"), "app");
    CHECK_TEXT(config_nearest_key(config, "data.out"), "run.out");
    CU_ASSERT_PTR_NULL(config_nearest_key(config, "unheard_of"));
    CU_ASSERT_PTR_NULL(config_nearest_key(config, "x"));
    CU_ASSERT_PTR_NULL(config_nearest_key(config, ""));
    strads_config_destroy(config);
}

static void a_key_of_the_same_section_is_nearer_than_one_of_another(void)
{
    static const strads_option options[] = {{.key = "a.key", .type = STRADS_TEXT, .help = ""},
                                            {.key = "b.key", .type = STRADS_TEXT, .help = ""}};
    strads_config *config = NULL;
    REQUIRE_OK(strads_config_create(&config));
    REQUIRE_OK(strads_config_declare(config, options, 2));
    CHECK_TEXT(config_nearest_key(config, "a.kay"), "a.key");
    CHECK_TEXT(config_nearest_key(config, "b.kay"), "b.key");
    strads_config_destroy(config);
}

static void no_key_is_near_a_text_that_is_too_long(void)
{
    char text[CONFIG_MAX_KEY + 2] = "";
    memset(text, 'a', CONFIG_MAX_KEY + 1);
    strads_config *config = sample_config();
    size_t length = 0;
    CU_ASSERT_PTR_NULL(config_nearest_key(config, text));
    CU_ASSERT_PTR_NULL(config_nearest_choice(&sample[6], text, &length));
    strads_config_destroy(config);
}

static void the_nearest_choice_is_found(void)
{
    size_t length = 0;
    const char *word = config_nearest_choice(&sample[6], "structure-aware", &length);
    REQUIRE(word != NULL);
    CU_ASSERT_EQUAL(length, 15);
    CU_ASSERT_EQUAL(strncmp(word, "structure_aware", length), 0);
    CU_ASSERT_PTR_NULL(config_nearest_choice(&sample[6], "rotation", &length));
}

SUITE("base/config_nearest", {"a slip counts as one edit", a_slip_counts_as_one_edit},
      {"the distance equals its definition", the_distance_equals_its_definition},
      {"the nearest key is found by its last part or as a whole",
       the_nearest_key_is_found_by_its_last_part_or_as_a_whole},
      {"a key of the same section is nearer than one of another",
       a_key_of_the_same_section_is_nearer_than_one_of_another},
      {"no key is near a text that is too long", no_key_is_near_a_text_that_is_too_long},
      {"the nearest choice is found", the_nearest_choice_is_found})
