/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/suite.h - a test program in one macro, over CUnit.
 *
 * SUITE(name, {sentence, function}, ...) defines main: it runs the cases, prints
 * the failed assertions, and then one line "suite NAME: N passed, N failed",
 * which scripts/test adds up. The exit status is 1 when anything failed, which
 * CUnit does not do by itself.
 */
#ifndef STRADS_TESTS_SUITE_H
#define STRADS_TESTS_SUITE_H

#include <CUnit/Basic.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

/* Whether a sanitizer looks on: all takes several times as long, and memory has a shadow, which
 * counts too. */
#if defined(__has_feature)
#define SUITE_BUILT_WITH(feature) __has_feature(feature)
#else
#define SUITE_BUILT_WITH(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    SUITE_BUILT_WITH(address_sanitizer) || SUITE_BUILT_WITH(thread_sanitizer)
enum { SUITE_SANITIZED = 1 };
#else
enum { SUITE_SANITIZED = 0 };
#endif

typedef struct suite_case {
    const char *sentence;
    void (*run)(void);
} suite_case;

int suite_main(const char *name, const suite_case *cases, size_t n_cases);

#define SUITE(name, ...)                                                                           \
    int main(void)                                                                                 \
    {                                                                                              \
        static const suite_case cases[] = {__VA_ARGS__};                                           \
        return suite_main(name, cases, sizeof(cases) / sizeof(cases[0]));                          \
    }

#define CHECK(condition) CU_ASSERT(condition)
#define REQUIRE(condition) CU_ASSERT_FATAL(condition)
#define CHECK_STATUS(call, expected) CU_ASSERT_EQUAL((call), (expected))
#define REQUIRE_OK(call) CU_ASSERT_EQUAL_FATAL((call), STRADS_OK)
/* |actual - expected| <= tolerance; false for NaN. */
#define CHECK_NEAR(actual, expected, tolerance)                                                    \
    CU_ASSERT(fabs((actual) - (expected)) <= (tolerance))
#define CHECK_TEXT(actual, expected) CU_ASSERT_STRING_EQUAL((actual), (expected))

/* Makes a fresh folder for the calling test and returns its path, valid until
 * exit, when it is removed with all it holds. */
const char *suite_folder(void);

/* Writes `text` to suite_folder()/name and returns the path; for strads_free. */
char *suite_file(const char *name, const char *text);

/* Runs `body` with stderr captured; returns what was written, for strads_free. */
char *suite_stderr_of(void (*body)(void *context), void *context);

#endif
