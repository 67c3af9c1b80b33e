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

/* Reads up to n bytes of the file as it is, less at its end. */
static strads_status read_file(void *context, void *out, size_t n, size_t *n_read)
{
    return read_bytes(context, NULL, out, n, n_read);
}

/* Reads up to n bytes of content, less at its end only. */
static strads_status read_content(data_input *input, void *out, size_t n, size_t *n_read)
{
    const strads_status status =
        input->gunzip == NULL ? read_file(input, out, n, n_read)
                              : data_gunzip_read(input->gunzip, read_file, input, out, n, n_read);
    if (status == STRADS_OK) {
        input->offset += *n_read;
    }
    return status;
}

/* Ends the range behind the line that has the byte before its limit, if the end of that line is
 * there: [from, held) was not looked at yet. */
static void cut_at_limit(data_input *input, char *from)
{
    const uint64_t at = input->offset - (uint64_t) (input->held - from);
    const uint64_t n = (uint64_t) (input->held - from);
    uint64_t skipped = input->limit > at + 1 ? input->limit - 1 - at : 0;
    input->end = input->held;
    input->drained = input->exhausted;
    if (input->first >= input->limit) {
        input->end = input->begin;
        input->drained = true;
        skipped = n;
    }
    char *newline = skipped < n ? memchr(from + skipped, '\n', (size_t) (n - skipped)) : NULL;
    if (newline != NULL) {
        input->end = newline + 1;
        input->drained = true;
    }
    input->last = input->end > from ? input->end[-1] : input->last;
}

/* Moves what is held to the front of the buffer and fills the rest. */
static strads_status fill_buffer(data_input *input)
{
    const size_t held = (size_t) (input->held - input->begin);
    memmove(input->buffer, input->begin, held);
    input->begin = input->buffer;
    input->held = input->buffer + held;
    const size_t room = DATA_INPUT_BYTES - held;
    size_t n = 0;
    const strads_status status = read_content(input, input->held, room, &n);
    if (status == STRADS_OK) {
        input->held += n;
        input->exhausted = n < room;
    }
    return status;
}

static strads_status fill(data_input *input)
{
    const size_t held = (size_t) (input->held - input->begin);
    const strads_status status = fill_buffer(input);
    if (status == STRADS_OK) {
        cut_at_limit(input, input->buffer + held);
    }
    return status;
}

static bool is_gzip(const void *bytes, size_t n)
{
    return n >= 2 && memcmp(bytes, "\x1f\x8b", 2) == 0;
}

static strads_status read_first_block(data_input *input)
{
    size_t n = 0;
    strads_status status = read_file(input, input->buffer, DATA_GZIP_BYTES, &n);
    if (status != STRADS_OK) {
        return status;
    }
    if (is_gzip(input->buffer, n)) {
        status = data_gunzip_create(&input->gunzip, input->path, input->buffer, n);
    } else {
        input->held += n;
        input->offset = n;
    }
    return status == STRADS_OK ? fill_buffer(input) : status;
}

/* Opens, with an empty buffer. */
static strads_status start(data_input *input, const char *path)
{
    *input = (data_input){
        .path = path, .last = '\n', .limit = UINT64_MAX, .fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (input->fd < 0) {
        strads_error("cannot open %s: %s", path, strerror(errno));
        return STRADS_ERR_IO;
    }
    input->buffer = strads_alloc(DATA_INPUT_BYTES + 1);
    if (input->buffer == NULL) {
        data_input_close(input);
        return data_no_memory(path);
    }
    input->begin = input->end = input->held = input->buffer;
    return STRADS_OK;
}

strads_status data_input_open(data_input *input, const char *path)
{
    strads_status status = start(input, path);
    if (status == STRADS_OK) {
        status = read_first_block(input);
        if (status == STRADS_OK) {
            cut_at_limit(input, input->begin);
        } else {
            data_input_close(input);
        }
    }
    return status;
}

bool data_is_rereadable(const char *path)
{
    struct stat about;
    return stat(path, &about) != 0 || S_ISREG(about.st_mode) || S_ISDIR(about.st_mode);
}

bool data_input_is_file(const data_input *input, uint64_t *bytes)
{
    struct stat about;
    if (fstat(input->fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        return false;
    }
    *bytes = (uint64_t) about.st_size;
    return true;
}

bool data_input_has_ranges(const data_input *input, uint64_t *bytes)
{
    return input->gunzip == NULL && data_input_is_file(input, bytes);
}

uint64_t data_input_offset(const data_input *input)
{
    const uint64_t held = input->begin < input->held ? (uint64_t) (input->held - input->begin) : 0;
    return input->offset - held;
}

strads_status data_input_measure(data_input *input, uint64_t *bytes)
{
    strads_status status = STRADS_OK;
    while (!input->exhausted && status == STRADS_OK) {
        input->begin = input->held;
        status = fill(input);
    }
    if (status == STRADS_OK) {
        *bytes = input->offset;
    }
    return status;
}

strads_status data_input_read_at(const data_input *input, uint64_t at, void *out, size_t n,
                                 size_t *n_read)
{
    return read_bytes(input, &at, out, n, n_read);
}

/* Goes to the first place from `at` on where a line begins, or to the end. */
static strads_status skip_to_line(data_input *input, uint64_t at)
{
    strads_status status = fill_buffer(input);
    while (at > 0 && status == STRADS_OK) {
        const uint64_t from = data_input_offset(input);
        const uint64_t n = input->offset - from;
        const uint64_t skipped = at - 1 > from ? at - 1 - from : 0;
        char *newline =
            skipped < n ? memchr(input->begin + skipped, '\n', (size_t) (n - skipped)) : NULL;
        input->begin = newline != NULL ? newline + 1 : input->held;
        if (newline != NULL || input->exhausted) {
            break;
        }
        status = fill_buffer(input);
    }
    return status;
}

/* Goes to where bytes from `at` on, or all of a compressed file, can be read. */
static strads_status seek_near(data_input *input, uint64_t at)
{
    char magic[2];
    size_t n = 0;
    const strads_status status = data_input_read_at(input, 0, magic, sizeof(magic), &n);
    if (status != STRADS_OK) {
        return status;
    }
    if (is_gzip(magic, n)) {
        return data_gunzip_create(&input->gunzip, input->path, NULL, 0);
    }
    input->offset = at;
    if (lseek(input->fd, (off_t) at, SEEK_SET) < 0) {
        strads_error("cannot read %s: %s", input->path, strerror(errno));
        return STRADS_ERR_IO;
    }
    return STRADS_OK;
}

strads_status data_input_open_range(data_input *input, const char *path, uint64_t begin,
                                    uint64_t end)
{
    strads_status status = start(input, path);
    if (status != STRADS_OK) {
        return status;
    }
    status = seek_near(input, begin > 0 ? begin - 1 : 0);
    if (status == STRADS_OK) {
        status = skip_to_line(input, begin);
    }
    if (status != STRADS_OK) {
        data_input_close(input);
        return status;
    }
    input->end = input->begin;
    data_input_next_range(input, end);
    return STRADS_OK;
}

void data_input_next_range(data_input *input, uint64_t end)
{
    const bool supplied = input->end > input->held; /* a newline that is not in the file */
    input->begin = input->end = supplied ? input->held : input->end;
    input->first = data_input_offset(input);
    input->limit = end;
    input->line = 0;
    input->ended = false;
    input->last = '\n';
    cut_at_limit(input, input->begin);
}

/* What cannot be read is not counted: the message matters more. */
size_t data_input_line_number(const data_input *input)
{
    size_t line = input->line;
    data_input again;
    if (input->first == 0 || data_input_open(&again, input->path) != STRADS_OK) {
        return line;
    }
    strads_status status = STRADS_OK;
    for (uint64_t at = 0; at < input->first && status == STRADS_OK;) {
        const uint64_t left = input->first - at;
        const uint64_t held = (uint64_t) (again.held - again.begin);
        const size_t n = (size_t) (left < held ? left : held);
        for (size_t i = 0; i < n; i++) {
            line += again.begin[i] == '\n';
        }
        at += n;
        again.begin = again.held;
        status = at < input->first && again.exhausted ? STRADS_ERR_DATA : fill(&again);
    }
    data_input_close(&again);
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

strads_status data_input_skip(data_input *input, uint64_t n, uint64_t *n_skipped)
{
    uint64_t rest = n;
    strads_status status = STRADS_OK;
    while (status == STRADS_OK) {
        const uint64_t held = (uint64_t) (input->end - input->begin);
        const uint64_t some = rest < held ? rest : held;
        input->begin += some;
        rest -= some;
        if (rest == 0 || input->drained) {
            break;
        }
        status = fill(input);
    }
    *n_skipped = n - rest;
    return status;
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
