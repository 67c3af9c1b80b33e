/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_number.c - decimal text against the C library's strtod. */
#include "data/number.h"

#include <string.h>

#include "base/random.h"
#include "tests/support/suite.h"

static void check_as_strtod(const char *digits)
{
    char text[1200];
    snprintf(text, sizeof(text), "%s\n", digits);
    char *expected_end = NULL;
    const double expected = strtod(text, &expected_end);
    double value = -77.0;
    const char *end = data_number_scan(text, &value);
    if (end != expected_end || memcmp(&value, &expected, sizeof(value)) != 0) {
        fprintf(stderr, "'%s': %a, expected %a\n", digits, value, expected);
        CHECK(false);
    }
}

static const char *const edges[] = {
    "0",
    "-0",
    "0.0",
    "-0.0e5",
    "1",
    "-1",
    "+1",
    "1.",
    ".5",
    "-.5",
    "00012",
    "0.00012",
    "9007199254740992",
    "9007199254740993",
    "9007199254740995",
    "9007199254740993.0",
    "9007199254740992.5",
    "90071992547409.935",
    "1e22",
    "1e23",
    "9e22",
    "1e-22",
    "1e-23",
    "123456789012345678",
    "1234567890123456789",
    "12345678901234567890",
    "9999999999999999999",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807e27",
    "9223372036854775809e-27",
    "1e27",
    "1e28",
    "1e-27",
    "1e-28",
    "3e-27",
    "7450580596923828125e-27",
    "1.7976931348623157e308",
    "1.7976931348623159e308",
    "1e308",
    "1e309",
    "-1e400",
    "4.9e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "2.2250738585072011e-308",
    "2.2250738585072014e-308",
    "1e-400",
    "0e999999999999999999999",
    "1e999999999999999999999",
    "1e-999999999999999999999",
    "0.1",
    "0.2",
    "0.3",
    "8.5",
    "4503599627370496.5",
    "4503599627370497.5",
    "0.500000000000000166533453693773481063",
    "0.50000000000000016653345369377348106354475021362304687",
    "3.50000000000000000000000000000000000000000000000000001",
    "179769313486231580793e289",
    "5e-324",
    "3e-324",
    "0.000000000000000000000000000000000000000000000000000000000000005"};

static void numbers_on_every_edge_are_rounded_as_strtod_does(void)
{
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        check_as_strtod(edges[i]);
    }
}

static void random_doubles_of_17_digits_are_read_back_exactly(void)
{
    strads_random random = strads_random_start(1, 0);
    for (int i = 0; i < 200000; i++) {
        const uint64_t bits =
            (uint64_t) strads_random_bits(&random) << 32 | strads_random_bits(&random);
        double value = 0.0;
        memcpy(&value, &bits, sizeof(value));
        char text[64];
        if (isfinite(value)) {
            snprintf(text, sizeof(text), "%.17g", value);
            check_as_strtod(text);
        }
        snprintf(text, sizeof(text), "%.17g", strads_random_uniform(&random) - 0.5);
        check_as_strtod(text);
    }
}

static void random_digits_with_random_points_are_rounded_as_strtod_does(void)
{
    strads_random random = strads_random_start(2, 0);
    for (int i = 0; i < 300000; i++) {
        char text[64];
        size_t n = 0;
        const size_t n_digits = 1 + strads_random_below(&random, 22);
        const size_t point = strads_random_below(&random, n_digits + 1);
        for (size_t k = 0; k < n_digits; k++) {
            if (k == point) {
                text[n++] = '.';
            }
            text[n++] = (char) ('0' + strads_random_below(&random, 10));
        }
        snprintf(text + n, sizeof(text) - n, "e%d", (int) strads_random_below(&random, 61) - 30);
        check_as_strtod(text);
    }
}

/* Halfway between two doubles, exactly, and one unit of the last digit off. */
static void ties_of_19_digits_are_rounded_as_strtod_does(void)
{
    strads_random random = strads_random_start(3, 0);
    for (int i = 0; i < 100000; i++) {
        const uint64_t odd = (UINT64_C(1) << 53) + 2 * strads_random_below(&random, 1ULL << 52) + 1;
        for (int64_t off = -1; off <= 1; off++) {
            char text[64];
            const unsigned shift = (unsigned) strads_random_below(&random, 10);
            snprintf(text, sizeof(text), "%llu", (unsigned long long) ((odd << shift) + off));
            check_as_strtod(text);
            snprintf(text, sizeof(text), "%llu.5", (unsigned long long) ((odd >> 1) + off));
            check_as_strtod(text);
        }
    }
}

static void digits_by_the_hundred_are_rounded_as_strtod_does(void)
{
    char text[1100] = "0.";
    memset(text + 2, '3', 1000);
    check_as_strtod(text);
    memset(text, '9', 400);
    text[400] = '\0';
    check_as_strtod(text);
}

static void what_is_no_decimal_number_is_refused(void)
{
    static const char *const wrong[] = {"",  "-",   "+",   ".",    "e5", "-.e1", "1e",  "1e+",
                                        "x", "nan", "inf", "-inf", " 1", "--1",  "+-1", "1e++2"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        double value = 0.0;
        CHECK(data_number_scan(wrong[i], &value) == NULL);
    }
    double value = 0.0;
    CHECK_TEXT(data_number_scan("0x10", &value), "x10");
    CHECK_TEXT(data_number_scan("1.5.2", &value), ".2");
}

static void an_index_beyond_64_bits_gives_the_largest(void)
{
    uint64_t index = 0;
    CHECK_TEXT(data_number_scan_index("18446744073709551615:", &index), ":");
    CHECK(index == UINT64_MAX);
    CHECK_TEXT(data_number_scan_index("18446744073709551616", &index), "");
    CHECK(index == UINT64_MAX);
    CHECK_TEXT(data_number_scan_index("99999999999999999999999999", &index), "");
    CHECK(index == UINT64_MAX);
    CHECK_TEXT(data_number_scan_index("0007 8", &index), " 8");
    CHECK(index == 7);
    CHECK(data_number_scan_index("-1", &index) == NULL);
}

SUITE("data/number",
      {"numbers on every edge are rounded as strtod does",
       numbers_on_every_edge_are_rounded_as_strtod_does},
      {"random doubles of 17 digits are read back exactly",
       random_doubles_of_17_digits_are_read_back_exactly},
      {"random digits with random points are rounded as strtod does",
       random_digits_with_random_points_are_rounded_as_strtod_does},
      {"ties of 19 digits are rounded as strtod does",
       ties_of_19_digits_are_rounded_as_strtod_does},
      {"digits by the hundred are rounded as strtod does",
       digits_by_the_hundred_are_rounded_as_strtod_does},
      {"what is no decimal number is refused", what_is_no_decimal_number_is_refused},
      {"an index beyond 64 bits gives the largest", an_index_beyond_64_bits_gives_the_largest})
