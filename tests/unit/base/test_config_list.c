/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/base/test_config_list.c - options whose value is a list. */
#include "tests/unit/base/config_sample.h"

static strads_config *resolved(const char *text, const char *set)
{
    strads_config *config = sample_config();
    REQUIRE_OK(config_load_text(config, "x.yaml", text, strlen(text)));
    if (set != NULL) {
        REQUIRE_OK(strads_config_set(config, set));
    }
    REQUIRE_OK(strads_config_resolve(config));
    return config;
}

/* Checks the items of cluster.faults; `expected` joins them by '|'. */
static void check_faults(const char *text, const char *set, const char *expected)
{
    char joined[256] = "";
    strads_config *config = resolved(text, set);
    const size_t n = strads_config_list_size(config, "cluster.faults");
    for (size_t i = 0; i < n; i++) {
        strcat(joined, i > 0 ? "|" : "");
        strcat(joined, strads_config_list_item(config, "cluster.faults", i));
    }
    CHECK_TEXT(joined, expected);
    strads_config_destroy(config);
}

static void a_list_is_written_in_brackets_or_one_item_a_line(void)
{
    check_faults("cluster.faults: [lose 3 at 0.5, b c]\n", NULL, "lose 3 at 0.5|b c");
    check_faults("cluster:\n  faults:\n    - lose 3 at 0.5\n    - 'b, c'\n", NULL,
                 "lose 3 at 0.5|b, c");
    check_faults("cluster:\n  faults:\n  - a\n  - b\nrun.workers: 2\n", NULL, "a|b");
    check_faults("cluster.faults: [a,]", NULL, "a");
    check_faults("cluster.faults: [\n  a, # one\n  'null', '']", NULL, "a|null|");
}

static void a_single_value_is_a_list_of_one(void)
{
    check_faults("cluster.faults: lose 3 at 0.5\n", NULL, "lose 3 at 0.5");
    check_faults("cluster.faults: '[a, b]'\n", NULL, "[a, b]");
    check_faults("", "cluster.faults=cut 1-3, then mend", "cut 1-3, then mend");
}

static void a_setting_in_brackets_is_a_list(void)
{
    check_faults("cluster.faults: [a, b]", "cluster.faults=[lose 3 at 0.5, c]", "lose 3 at 0.5|c");
    check_faults("cluster.faults: [a, b]", "cluster.faults=[]", "");
    check_faults("", "cluster.faults=", "");
    strads_config *config = resolved("", "app=[a, b]");
    CHECK_TEXT(strads_config_text(config, "app"), "[a, b]");
    strads_config_destroy(config);
}

static void a_list_without_items_is_a_value(void)
{
    strads_config *config = resolved("cluster: {speed: [], faults: ~}", NULL);
    CU_ASSERT_EQUAL(strads_config_list_size(config, "cluster.speed"), 0);
    CHECK(strads_config_given(config, "cluster.speed"));
    CU_ASSERT_EQUAL(strads_config_list_size(config, "cluster.faults"), 0);
    CHECK(!strads_config_given(config, "cluster.faults"));
    strads_config_destroy(config);
}

static void a_list_of_numbers_is_read_as_numbers(void)
{
    strads_config *config = resolved("cluster: {speed: [1, 1, 5e-1]}", NULL);
    REQUIRE(strads_config_list_size(config, "cluster.speed") == 3);
    CHECK_NEAR(strads_config_list_real(config, "cluster.speed", 0), 1.0, 0.0);
    CHECK_NEAR(strads_config_list_real(config, "cluster.speed", 1), 1.0, 0.0);
    CHECK_NEAR(strads_config_list_real(config, "cluster.speed", 2), 0.5, 0.0);
    strads_config_destroy(config);

    config = resolved("", NULL);
    REQUIRE(strads_config_list_size(config, "cluster.speed") == 1);
    CHECK_NEAR(strads_config_list_real(config, "cluster.speed", 0), 1.0, 0.0);
    CHECK_TEXT(strads_config_list_place(config, "cluster.speed", 0), "default");
    strads_config_destroy(config);
}

static void every_item_knows_its_place(void)
{
    static const char text[] = "cluster:\n  speed: [1,\n    2]\n  faults:\n    - a\n    - b\n";
    strads_config *config = resolved(text, NULL);
    CHECK_TEXT(strads_config_place(config, "cluster.speed"), "x.yaml:2:3");
    CHECK_TEXT(strads_config_list_place(config, "cluster.speed", 0), "x.yaml:2:11");
    CHECK_TEXT(strads_config_list_place(config, "cluster.speed", 1), "x.yaml:3:5");
    CHECK_TEXT(strads_config_list_place(config, "cluster.faults", 1), "x.yaml:6:7");
    strads_config_destroy(config);

    config = resolved("cluster.faults: a", "cluster.speed=[2, 3]");
    CHECK_TEXT(strads_config_list_place(config, "cluster.faults", 0), "x.yaml:1:1");
    CHECK_TEXT(strads_config_list_place(config, "cluster.speed", 1), "--set");
    strads_config_destroy(config);
}

static void every_wrong_item_is_refused_where_it_stands(void)
{
    static const char not [] = "is not a number above 0 and at most 100\n";
    char said[256];
    snprintf(said, sizeof(said),
             "x.yaml:2:14: cluster.speed: '0' %sx.yaml:2:20: cluster.speed: 'x' %s", not, not );
    sample_says("cluster:\n  speed: [1, 0, 2, x]\n", said);
    snprintf(said, sizeof(said), "--set: cluster.speed: '101' %s", not );
    sample_says_of("", 0, "cluster.speed=[101]", said);
    snprintf(said, sizeof(said), "--set: cluster.speed: '1, 2' %s", not );
    sample_says_of("", 0, "cluster.speed=1, 2", said);
    snprintf(said, sizeof(said), "x.yaml:1:1: cluster.speed: '[1, 2]' %s", not );
    sample_says("cluster.speed: '[1, 2]'", said);
}

static void a_list_holds_single_values_only(void)
{
    sample_says("cluster.faults: [a, [b]]", "x.yaml:1:21: cluster.faults: a list inside a list\n");
    sample_says("cluster.faults:\n- - a\n", "x.yaml:2:3: cluster.faults: a list inside a list\n");
    sample_says("cluster.faults:\n- a: b\n", "x.yaml:2:3: cluster.faults: a section inside a "
                                             "list; quote a text that has ': ' in it\n");
    sample_says("cluster.faults: [a, ~]", "x.yaml:1:21: cluster.faults: an empty item in a list\n");
    sample_says("cluster.faults:\n-\n- a\n",
                "x.yaml:2:2: cluster.faults: an empty item in a list\n");
    sample_says("cluster.faults: &a [b]",
                "x.yaml:1:17: cluster.faults: anchors and tags are not used here\n");
    sample_says("cluster.faults: [*a]", "x.yaml:1:18: cluster.faults: aliases are not used here\n");
}

static void a_setting_that_is_no_whole_list_is_refused(void)
{
    sample_says_of("", 0, "cluster.faults=[a",
                   "--set: cluster.faults: did not find expected ',' "
                   "or ']'\n");
    sample_says_of("", 0, "cluster.faults=[a] b",
                   "--set: cluster.faults: did not find expected <document start>\n");
    sample_says_of("", 0, "cluster.faults=[a, [b]]",
                   "--set: cluster.faults: a list inside a list\n");
    sample_says_of("", 0, "cluster.faults=[a, ~]",
                   "--set: cluster.faults: an empty item in a list\n");
}

static void a_list_for_another_key_is_refused(void)
{
    sample_says("run:\n  workers: [1, 2]\n  seed:\n  - 1\n",
                "x.yaml:2:3: run.workers: a list where a single value is expected\n"
                "x.yaml:3:3: run.seed: a list where a single value is expected\n");
    sample_says("run: [1]", "x.yaml:1:1: run: a list, but run is a section of keys\n");
    sample_says("rum: [1]", "x.yaml:1:1: rum: unknown key\n");
    sample_says("cluster.fault: [1]",
                "x.yaml:1:1: cluster.fault: unknown key, did you mean cluster.faults?\n");
    sample_says_of("run.workers: [1]", 16, "run.workers=2", "");
}

static void the_number_of_items_is_bounded(void)
{
    static char text[2 * CONFIG_MAX_ITEMS + 64] = "cluster.faults: [a";
    for (int i = 1; i < CONFIG_MAX_ITEMS; i++) {
        memcpy(text + 16 + 2 * i, ",a", 3);
    }
    const size_t n_bytes = strlen(text);
    strcpy(text + n_bytes, "]");
    sample_says(text, "");
    strcpy(text + n_bytes, ",a]");
    sample_says(text, "x.yaml:1:8210: cluster.faults: more than 4096 items\n");
}

static void a_printed_list_loads_to_the_same_list(void)
{
    static const char *const texts[] = {
        "[]",     "a b",         "'[a, b]'",           "['null', '', '~']",
        "[a, a]", "['a: b', c]", "['- x', '#y', '\"']"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char text[128];
        char *printed = NULL;
        size_t n_bytes = 0;
        snprintf(text, sizeof(text), "cluster: {speed: [2, 0.1, 2], faults: %s}\n", texts[i]);
        strads_config *config = resolved(text, NULL);
        FILE *to = open_memstream(&printed, &n_bytes);
        REQUIRE(to != NULL);
        REQUIRE_OK(strads_config_print(config, to));
        fclose(to);
        CHECK(strstr(printed, "\n  speed: [2, 0.1, 2]\n") != NULL);
        strads_config *again = resolved(printed, NULL);
        const size_t n = strads_config_list_size(config, "cluster.faults");
        REQUIRE(strads_config_list_size(again, "cluster.faults") == n);
        for (size_t k = 0; k < n; k++) {
            CHECK_TEXT(strads_config_list_item(again, "cluster.faults", k),
                       strads_config_list_item(config, "cluster.faults", k));
        }
        free(printed);
        strads_config_destroy(again);
        strads_config_destroy(config);
    }
}

/* The n-th allocation fails. */
static strads_status read_lists(size_t nth)
{
    static const char text[] = "cluster:\n  faults:\n  - a\n  - b c\n";
    strads_config *config = sample_config();
    strads_mem_fail_after(nth);
    strads_status status = config_load_text(config, "x.yaml", text, strlen(text));
    if (status == STRADS_OK) {
        status = strads_config_set(config, "cluster.speed=[1, 2]");
    }
    if (status == STRADS_OK) {
        status = strads_config_resolve(config);
    }
    strads_mem_fail_after(0);
    if (status == STRADS_ERR_NOMEM && strads_config_peek(config, "cluster.speed") != NULL) {
        /* What a failure left is not in the way of another attempt. */
        REQUIRE_OK(strads_config_resolve(config));
        CU_ASSERT_EQUAL(strads_config_list_size(config, "cluster.speed"), 2);
    }
    strads_config_destroy(config);
    return status;
}

static void every_allocation_may_fail(void)
{
    const size_t live = strads_mem_live();
    strads_status status = STRADS_ERR_NOMEM;
    size_t failed = 0;
    while (failed < 200 && status == STRADS_ERR_NOMEM) {
        status = read_lists(failed + 1);
        CU_ASSERT_EQUAL(strads_mem_live(), live);
        failed += status == STRADS_ERR_NOMEM ? 1 : 0;
    }
    CHECK_STATUS(status, STRADS_OK);
    CHECK(failed > 15);
}

SUITE("base/config_list",
      {"a list is written in brackets or one item a line",
       a_list_is_written_in_brackets_or_one_item_a_line},
      {"a single value is a list of one", a_single_value_is_a_list_of_one},
      {"a setting in brackets is a list", a_setting_in_brackets_is_a_list},
      {"a list without items is a value", a_list_without_items_is_a_value},
      {"a list of numbers is read as numbers", a_list_of_numbers_is_read_as_numbers},
      {"every item knows its place", every_item_knows_its_place},
      {"every wrong item is refused where it stands", every_wrong_item_is_refused_where_it_stands},
      {"a list holds single values only", a_list_holds_single_values_only},
      {"a setting that is no whole list is refused", a_setting_that_is_no_whole_list_is_refused},
      {"a list for another key is refused", a_list_for_another_key_is_refused},
      {"the number of items is bounded", the_number_of_items_is_bounded},
      {"a printed list loads to the same list", a_printed_list_loads_to_the_same_list},
      {"every allocation may fail", every_allocation_may_fail})
