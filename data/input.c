/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/input.c - an input file as bytes, lines or words, gzip or not. */
#include "data/input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/gunzip.h"

strads_status data_no_memory(const char *path)
{
    strads_error("%s: no memory", path);
    return STRADS_ERR_NOMEM;
}

const char *data_excerpt(char out[DATA_EXCERPT_BYTES], const char *text, const char *end)
{
    size_t n = 0;
    for (; text < end && *text != '\r' && *text != '\n'; text++) {
        if (n + sizeof("\\xff...") > DATA_EXCERPT_BYTES) {
            memcpy(out + n, "...", sizeof("..."));
            return out;
        }
        const unsigned char c = (unsigned char) *text;
        n += (size_t) snprintf(out + n, DATA_EXCERPT_BYTES - n,
                               c >= ' ' && c < 127 ? "%c" : "\\x%02x", c);
    }
    out[n] = '\0';
    return out;
}

/* Reads n bytes, less at the end of the file only: from *at, or from where reading stands. */
static strads_status read_bytes(const data_input *input, const uint64_t *at, void *out, size_t n,
                                size_t *n_read)
{
    size_t total = 0;
    while (total < n) {
        char *to = (char *) out + total;
        const ssize_t got = at == NULL ? read(input->fd, to, n - total)
                                       : pread(input->fd, to, n - total, (off_t) (*at + total));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            strads_error("cannot read %s: %s", input->path, strerror(errno));
            return STRADS_ERR_IO;
        }
        if (got == 0) {
            break;
        }
        total += (size_t) got;
    }
    *n_read = total;
    return STRADS_OK;
}

/* Reads up to `wanted` bytes of the file as it is, less at its end or that of the range. */
static strads_status read_file(data_input *input, void *out, size_t wanted, size_t *n_read)
{
    const size_t n = wanted < input->n_left ? wanted : (size_t) input->n_left;
    const strads_status status = read_bytes(input, NULL, out, n, n_read);
    if (status == STRADS_OK && input->n_left != UINT64_MAX) {
        input->n_left -= *n_read;
    }
    return status;
}

static strads_status read_compressed(void *context, void *out, size_t n, size_t *n_read)
{
    return read_file(context, out, n, n_read);
}

/* Reads up to n bytes of content, less at its end only. */
static strads_status read_content(data_input *input, void *out, size_t n, size_t *n_read)
{
    return input->gunzip == NULL
               ? read_file(input, out, n, n_read)
               : data_gunzip_read(input->gunzip, read_compressed, input, out, n, n_read);
}

/* Moves what is held to the front of the buffer and fills the rest. */
static strads_status fill(data_input *input)
{
    const size_t held = (size_t) (input->end - input->begin);
    memmove(input->buffer, input->begin, held);
    input->begin = input->buffer;
    input->end = input->buffer + held;
    const size_t room = DATA_INPUT_BYTES - held;
    size_t n = 0;
    const strads_status status = read_content(input, input->end, room, &n);
    if (status != STRADS_OK) {
        return status;
    }
    input->end += n;
    input->last = n > 0 ? input->end[-1] : input->last;
    input->drained = n < room;
    return STRADS_OK;
}

static strads_status read_first_block(data_input *input)
{
    size_t n = 0;
    strads_status status = read_file(input, input->buffer, DATA_GZIP_BYTES, &n);
    if (status != STRADS_OK) {
        return status;
    }
    if (n >= 2 && memcmp(input->buffer, "\x1f\x8b", 2) == 0) {
        status = data_gunzip_create(&input->gunzip, input->path, input->buffer, n);
    } else {
        input->end += n;
        input->last = n > 0 ? input->end[-1] : input->last;
    }
    return status == STRADS_OK ? fill(input) : status;
}

/* Opens, with an empty buffer. */
static strads_status start(data_input *input, const char *path)
{
    *input = (data_input){
        .path = path, .last = '\n', .n_left = UINT64_MAX, .fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (input->fd < 0) {
        strads_error("cannot open %s: %s", path, strerror(errno));
        return STRADS_ERR_IO;
    }
    input->buffer = strads_alloc(DATA_INPUT_BYTES + 1);
    if (input->buffer == NULL) {
        data_input_close(input);
        return data_no_memory(path);
    }
    input->begin = input->end = input->buffer;
    return STRADS_OK;
}

strads_status data_input_open(data_input *input, const char *path)
{
    strads_status status = start(input, path);
    if (status == STRADS_OK) {
        status = read_first_block(input);
        if (status != STRADS_OK) {
            data_input_close(input);
        }
    }
    return status;
}

bool data_input_has_ranges(const data_input *input, uint64_t *bytes)
{
    struct stat about;
    if (input->gunzip != NULL || fstat(input->fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        return false;
    }
    *bytes = (uint64_t) about.st_size;
    return true;
}

uint64_t data_input_offset(const data_input *input)
{
    return (uint64_t) lseek(input->fd, 0, SEEK_CUR) - (uint64_t) (input->end - input->begin);
}

strads_status data_input_read_at(const data_input *input, uint64_t at, void *out, size_t n,
                                 size_t *n_read)
{
    return read_bytes(input, &at, out, n, n_read);
}

/* The first place from `at` on where a line begins, or the end of the file; the buffer is
 * scratch. */
static strads_status find_line(const data_input *input, uint64_t at, uint64_t *begin)
{
    uint64_t from = at > 0 ? at - 1 : 0;
    size_t n = DATA_INPUT_BYTES;
    *begin = 0;
    while (at > 0 && n == DATA_INPUT_BYTES) {
        const strads_status status =
            data_input_read_at(input, from, input->buffer, DATA_INPUT_BYTES, &n);
        if (status != STRADS_OK) {
            return status;
        }
        const char *newline = memchr(input->buffer, '\n', n);
        if (newline != NULL) {
            *begin = from + (uint64_t) (newline - input->buffer) + 1;
            return STRADS_OK;
        }
        from += n;
        *begin = from;
    }
    return STRADS_OK;
}

strads_status data_input_open_range(data_input *input, const char *path, uint64_t begin,
                                    uint64_t end)
{
    strads_status status = start(input, path);
    uint64_t last = 0;
    if (status != STRADS_OK) {
        return status;
    }
    status = find_line(input, begin, &input->first);
    if (status == STRADS_OK) {
        status = find_line(input, end, &last);
    }
    if (status == STRADS_OK && lseek(input->fd, (off_t) input->first, SEEK_SET) < 0) {
        strads_error("cannot read %s: %s", path, strerror(errno));
        status = STRADS_ERR_IO;
    }
    if (status == STRADS_OK) {
        input->n_left = last - input->first;
        status = fill(input);
    }
    if (status != STRADS_OK) {
        data_input_close(input);
    }
    return status;
}

/* What cannot be read is not counted: the message matters more. */
size_t data_input_line_number(const data_input *input)
{
    enum { BYTES = 1 << 14 };
    char bytes[BYTES];
    size_t line = input->line;
    for (uint64_t at = 0; at < input->first;) {
        const uint64_t left = input->first - at;
        size_t n = 0;
        if (data_input_read_at(input, at, bytes, left < BYTES ? (size_t) left : BYTES, &n) !=
                STRADS_OK ||
            n == 0) {
            break;
        }
        for (size_t i = 0; i < n; i++) {
            line += bytes[i] == '\n';
        }
        at += n;
    }
    return line;
}

strads_status data_refuse(const data_input *input, const char *format, ...)
{
    char text[DATA_FAULT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    const size_t line = data_input_line_number(input);
    if (input->fault != NULL) {
        snprintf(input->fault, DATA_FAULT_BYTES, "%s:%zu: %.*s", input->path, line,
                 DATA_FAULT_BYTES / 2, text);
    } else {
        strads_error("%s:%zu: %s", input->path, line, text);
    }
    return STRADS_ERR_DATA;
}

void data_input_close(data_input *input)
{
    data_gunzip_destroy(input->gunzip);
    strads_free(input->buffer);
    close(input->fd);
    *input = (data_input){.fd = -1};
}

bool data_input_begins(const data_input *input, const char *bytes, size_t n)
{
    return (size_t) (input->end - input->begin) >= n && memcmp(input->begin, bytes, n) == 0;
}

void data_input_skip_mark(data_input *input)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (data_input_begins(input, mark, sizeof(mark) - 1)) {
        input->begin += sizeof(mark) - 1;
    }
}

strads_status data_input_read(data_input *input, void *out, size_t n, size_t *n_read)
{
    const size_t held = (size_t) (input->end - input->begin);
    const size_t first = n < held ? n : held;
    memcpy(out, input->begin, first);
    size_t rest = 0;
    if (n > first && !input->drained) {
        const strads_status status = read_content(input, (char *) out + first, n - first, &rest);
        if (status != STRADS_OK) {
            return status;
        }
    }
    input->begin += first;
    *n_read = first + rest;
    return STRADS_OK;
}

strads_status data_input_more(data_input *input)
{
    assert(!input->ended);
    if (!input->drained && input->end - input->begin == DATA_INPUT_BYTES) {
        return data_refuse(input, "a line or word of more than %d bytes", DATA_INPUT_BYTES);
    }
    if (!input->drained) {
        return fill(input);
    }
    if (input->last != '\n') {
        *input->end++ = '\n';
    }
    input->ended = true;
    return STRADS_OK;
}

strads_status data_input_line(data_input *input, char **line, size_t *length)
{
    input->line++;
    for (size_t searched = 0;;) {
        const size_t held = (size_t) (input->end - input->begin);
        char *newline = memchr(input->begin + searched, '\n', held - searched);
        if (newline != NULL) {
            *line = input->begin;
            *length = (size_t) (newline - input->begin);
            *length -= *length > 0 && newline[-1] == '\r';
            input->begin = newline + 1;
            return STRADS_OK;
        }
        if (input->ended) {
            *line = NULL;
            return STRADS_OK;
        }
        searched = held;
        const strads_status status = data_input_more(input);
        if (status != STRADS_OK) {
            return status;
        }
    }
}

strads_status data_input_lines(data_input *input, data_line_taker take, void *context)
{
    char *line = NULL;
    size_t length = 0;
    strads_status status = data_input_line(input, &line, &length);
    while (status == STRADS_OK && line != NULL) {
        status = take(context, input, line, line + length);
        if (status == STRADS_OK) {
            status = data_input_line(input, &line, &length);
        }
    }
    return status;
}
