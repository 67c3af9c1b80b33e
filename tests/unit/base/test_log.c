/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/base/test_log.c - messages are one line, levelled, and bounded. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "tests/support/suite.h"

static void say_at_every_level(void *context)
{
    strads_log_set_level(*(const strads_log_level *) context);
    strads_error("e%d", 1);
    strads_warn("w%d", 2);
    strads_info("i%d", 3);
    strads_debug("d%d", 4);
    strads_log(STRADS_LOG_TRACE, "t%d", 5);
    strads_log_set_level(STRADS_LOG_INFO);
}

static void check_said(strads_log_level level, const char *expected)
{
    char *said = suite_stderr_of(say_at_every_level, &level);
    CHECK_TEXT(said, expected);
    strads_free(said);
}

static void messages_above_the_level_are_dropped(void)
{
    CU_ASSERT_EQUAL(strads_log_get_level(), STRADS_LOG_INFO);
    check_said(STRADS_LOG_ERROR, "strads: error: e1\n");
    check_said(STRADS_LOG_INFO, "strads: error: e1\nstrads: warning: w2\nstrads: i3\n");
    check_said(STRADS_LOG_TRACE, "strads: error: e1\nstrads: warning: w2\nstrads: i3\n"
                                 "strads: debug: d4\nstrads: trace: t5\n");
}

static void say(void *context)
{
    strads_error("%s", (const char *) context);
}

static void a_message_is_one_line_without_control_bytes(void)
{
    char *said = suite_stderr_of(say, "a\nb\tc\033[31m\177 caf\xc3\xa9");
    CHECK_TEXT(said, "strads: error: a?b?c?[31m? caf\xc3\xa9\n");
    strads_free(said);
}

/* The longest message that is whole, and one byte more. */
static void a_message_that_is_too_long_ends_in_dots(void)
{
    static const size_t head = sizeof("strads: error: ") - 1;
    char text[4096];
    memset(text, 'x', sizeof(text));
    text[2047 - head] = '\0';
    char *said = suite_stderr_of(say, text);
    CU_ASSERT_EQUAL(strlen(said), 2048);
    CHECK_TEXT(said + 2040, "xxxxxxx\n");
    strads_free(said);

    text[2047 - head] = 'x';
    text[2048 - head] = '\0';
    said = suite_stderr_of(say, text);
    CU_ASSERT_EQUAL(strlen(said), 2048);
    CHECK_TEXT(said + 2040, "xxxx...\n");
    strads_free(said);
}

static void fail_and_say(void *context)
{
    (void) context;
    errno = ENOSPC;
    strads_error("something else");
    CU_ASSERT_EQUAL(errno, ENOSPC);
}

static void a_message_keeps_errno(void)
{
    strads_free(suite_stderr_of(fail_and_say, NULL));
}

static void say_several(void *context)
{
    (void) context;
    strads_warn("not yet");
    strads_error("the %s\n", "cause");
    strads_error("what came of it");
}

static void the_first_error_is_kept(void)
{
    char text[64], brief[4];
    strads_log_forget_first();
    strads_log_first(text, sizeof(text));
    CHECK_TEXT(text, "");
    strads_free(suite_stderr_of(say_several, NULL));
    strads_log_first(text, sizeof(text));
    CHECK_TEXT(text, "the cause?");
    strads_log_first(brief, sizeof(brief));
    CHECK_TEXT(brief, "the");
    strads_log_forget_first();
    strads_free(suite_stderr_of(say, "another"));
    strads_log_first(text, sizeof(text));
    CHECK_TEXT(text, "another");
}

SUITE("base/log", {"messages above the level are dropped", messages_above_the_level_are_dropped},
      {"a message is one line without control bytes", a_message_is_one_line_without_control_bytes},
      {"a message that is too long ends in dots", a_message_that_is_too_long_ends_in_dots},
      {"a message keeps errno", a_message_keeps_errno},
      {"the first error is kept", the_first_error_is_kept})
