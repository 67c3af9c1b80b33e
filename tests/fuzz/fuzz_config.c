/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/fuzz/fuzz_config.c - random bytes as a configuration.
 *
 * Bytes up to the first zero are the file, bytes behind it a --set text. What is
 * accepted must print as YAML that loads to the same values. Run with
 * -close_fd_mask=2: refusals are many.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static const strads_option options[] = {
    {.key = "text", .type = STRADS_TEXT, .help = ""},
    {.key = "a.path", .type = STRADS_PATH, .help = ""},
    {.key = "a.int", .type = STRADS_INT, .fallback = "1", .min = -10, .max = 1e15, .help = ""},
    {.key = "a.b.real",
     .type = STRADS_REAL,
     .fallback = "1",
     .min = 0,
     .max = INFINITY,
     .above_min = true,
     .help = ""},
    {.key = "a.b.bool", .type = STRADS_BOOL, .fallback = "no", .help = ""},
    {.key = "c.choice", .type = STRADS_CHOICE, .choices = "one | two", .help = ""},
    {.key = "c.list", .type = STRADS_LIST, .help = ""},
    {.key = "c.reals", .type = STRADS_REALS, .fallback = "1", .min = 0, .max = 10, .help = ""},
};
enum { N_OPTIONS = sizeof(options) / sizeof(options[0]) };

/* NULL when the text, or the assignment (may be NULL), is refused. */
static strads_config *resolve(const char *text, size_t n_bytes, const char *assignment)
{
    strads_config *config = NULL;
    if (strads_config_create(&config) != STRADS_OK ||
        strads_config_declare(config, options, N_OPTIONS) != STRADS_OK) {
        abort();
    }
    if (config_load_text(config, "folder/fuzz.yaml", text, n_bytes) != STRADS_OK ||
        (assignment != NULL && strads_config_set(config, assignment) != STRADS_OK) ||
        strads_config_resolve(config) != STRADS_OK) {
        strads_config_destroy(config);
        return NULL;
    }
    return config;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_same_lists(const strads_config *a, const strads_config *b)
{
    const size_t n_texts = strads_config_list_size(a, "c.list");
    const size_t n_reals = strads_config_list_size(a, "c.reals");
    assert(strads_config_list_size(b, "c.list") == n_texts);
    assert(strads_config_list_size(b, "c.reals") == n_reals);
    for (size_t i = 0; i < n_texts; i++) {
        assert(same_text(strads_config_list_item(a, "c.list", i),
                         strads_config_list_item(b, "c.list", i)));
    }
    for (size_t i = 0; i < n_reals; i++) {
        const double number = strads_config_list_real(a, "c.reals", i);
        assert(fabs(number - strads_config_list_real(b, "c.reals", i)) <= 0.0);
    }
}

static void check_same(const strads_config *a, const strads_config *b)
{
    const char *path = strads_config_text(a, "a.path");
    const char *again = strads_config_text(b, "a.path");
    assert(same_text(strads_config_text(a, "text"), strads_config_text(b, "text")));
    assert(same_text(strads_config_text(a, "c.choice"), strads_config_text(b, "c.choice")));
    assert(strads_config_int(a, "a.int") == strads_config_int(b, "a.int"));
    assert(strads_config_bool(a, "a.b.bool") == strads_config_bool(b, "a.b.bool"));
    assert(fabs(strads_config_real(a, "a.b.real") - strads_config_real(b, "a.b.real")) <= 0.0);
    assert((path == NULL) == (again == NULL));
    assert(path == NULL || same_text(path, again + strlen(again) - strlen(path)));
}

static void check_round_trip(const strads_config *config)
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *to = open_memstream(&text, &n_bytes);
    assert(to != NULL);
    const strads_status printed = strads_config_print(config, to);
    fclose(to);
    /* A --set text may be no UTF-8, which no YAML can hold. */
    if (printed == STRADS_OK) {
        strads_config *again = resolve(text, n_bytes, NULL);
        assert(again != NULL);
        check_same(config, again);
        check_same_lists(config, again);
        strads_config_destroy(again);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    char *copy = malloc(n_bytes + 1);
    assert(copy != NULL);
    memcpy(copy, bytes, n_bytes);
    copy[n_bytes] = '\0';
    const size_t text_bytes = strlen(copy);
    const char *assignment = text_bytes < n_bytes ? copy + text_bytes + 1 : NULL;
    strads_config *config = resolve(copy, text_bytes, assignment);
    if (config != NULL) {
        check_round_trip(config);
    }
    strads_config_destroy(config);
    free(copy);
    return 0;
}
