/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/log.c - one-line messages on stderr, each in a single write. */
#include <stdarg.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/base.h"

enum { LINE_BYTES = 2048 };

static _Atomic int threshold = STRADS_LOG_INFO;
static _Atomic size_t n_errors;

void strads_log_set_level(strads_log_level level)
{
    atomic_store_explicit(&threshold, (int) level, memory_order_relaxed);
}

strads_log_level strads_log_get_level(void)
{
    return (strads_log_level) atomic_load_explicit(&threshold, memory_order_relaxed);
}

size_t strads_log_n_errors(void)
{
    return atomic_load_explicit(&n_errors, memory_order_relaxed);
}

static void write_all(const char *text, size_t length)
{
    while (length > 0) {
        const ssize_t written = write(STDERR_FILENO, text, length);
        if (written <= 0) {
            return; /* stderr is gone: there is nobody left to tell */
        }
        text += written;
        length -= (size_t) written;
    }
}

void strads_log(strads_log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug", "trace"};
    if (level > strads_log_get_level()) {
        return;
    }
    if (level == STRADS_LOG_ERROR) {
        atomic_fetch_add_explicit(&n_errors, 1, memory_order_relaxed);
    }
    char line[LINE_BYTES];
    const int head = level == STRADS_LOG_INFO
                         ? snprintf(line, sizeof(line), "strads: ")
                         : snprintf(line, sizeof(line), "strads: %s: ", names[level]);
    size_t length = (size_t) head;
    va_list arguments;
    va_start(arguments, format);
    const int body = vsnprintf(line + length, sizeof(line) - length - 1, format, arguments);
    va_end(arguments);
    if (body > 0) {
        const size_t room = sizeof(line) - length - 2;
        length += (size_t) body < room ? (size_t) body : room;
    }
    line[length++] = '\n';
    write_all(line, length);
}
