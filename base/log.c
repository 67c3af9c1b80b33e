/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/log.c - one-line messages on stderr, each in a single write. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { LINE_BYTES = 2048 }; /* with the newline; what is longer is cut */

static _Atomic int threshold = STRADS_LOG_INFO;
static _Atomic size_t n_errors;
static pthread_mutex_t first_lock = PTHREAD_MUTEX_INITIALIZER; /* of `first` */
static char first[LINE_BYTES];

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

void strads_log_forget_first(void)
{
    pthread_mutex_lock(&first_lock);
    first[0] = '\0';
    pthread_mutex_unlock(&first_lock);
}

void strads_log_first(char *text, size_t bytes)
{
    pthread_mutex_lock(&first_lock);
    snprintf(text, bytes, "%s", first);
    pthread_mutex_unlock(&first_lock);
}

static void keep_if_first(const char *text, size_t length)
{
    pthread_mutex_lock(&first_lock);
    if (first[0] == '\0') {
        memcpy(first, text, length);
        first[length] = '\0';
    }
    pthread_mutex_unlock(&first_lock);
}

static void write_all(const char *text, size_t length)
{
    while (length > 0) {
        const ssize_t written = write(STDERR_FILENO, text, length);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return; /* stderr is gone: there is nobody left to tell */
        }
        text += written;
        length -= (size_t) written;
    }
}

/* Names and values from files may hold anything: a message stays one line, and no
 * terminal takes orders from it. */
static void mask_control_bytes(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char) text[i];
        if (byte < ' ' || byte == 0x7f) {
            text[i] = '?';
        }
    }
}

void strads_log(strads_log_level level, const char *format, ...)
{
    static const char *const heads[] = {
        [STRADS_LOG_ERROR] = "strads: error: ", [STRADS_LOG_WARN] = "strads: warning: ",
        [STRADS_LOG_INFO] = "strads: ",         [STRADS_LOG_DEBUG] = "strads: debug: ",
        [STRADS_LOG_TRACE] = "strads: trace: ",
    };
    assert(level >= STRADS_LOG_ERROR && level <= STRADS_LOG_TRACE);
    if (level > strads_log_get_level()) {
        return;
    }
    if (level == STRADS_LOG_ERROR) {
        atomic_fetch_add_explicit(&n_errors, 1, memory_order_relaxed);
    }
    const int saved_errno = errno;
    char line[LINE_BYTES]; /* the newline takes the place of the final zero */
    const size_t head = (size_t) snprintf(line, LINE_BYTES, "%s", heads[level]);
    va_list arguments;
    va_start(arguments, format);
    const int body = vsnprintf(line + head, LINE_BYTES - head, format, arguments);
    va_end(arguments);
    size_t length = head + (size_t) (body > 0 ? body : 0);
    if (length >= LINE_BYTES) {
        length = LINE_BYTES - 1;
        memcpy(line + length - 3, "...", 3);
    }
    mask_control_bytes(line + head, length - head);
    if (level == STRADS_LOG_ERROR) {
        keep_if_first(line + head, length - head);
    }
    line[length++] = '\n';
    write_all(line, length);
    errno = saved_errno;
}
