/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/input.h - an input file as bytes, lines or words, gzip or not, in one pass
 * and bounded memory.
 *
 * A word or a line of text may be at most DATA_INPUT_BYTES long; words are for
 * formats whose lines may be longer than that.
 */
#ifndef STRADS_DATA_INPUT_H
#define STRADS_DATA_INPUT_H

#include "base/base.h"

enum { DATA_INPUT_BYTES = 1 << 20, DATA_EXCERPT_BYTES = 48, DATA_FAULT_BYTES = 512 };

typedef struct data_input {
    const char *path; /* lent */
    size_t line;      /* the line being read, from 1 where reading began; for messages */
    char *begin;      /* the bytes held and not read yet: [begin, end) */
    char *end;
    bool ended;  /* nothing comes after `end` */
    char *fault; /* [DATA_FAULT_BYTES] where a refusal is put, lent; NULL: it is said at once */

    /* private; places are those of the content, not compressed */
    int fd;
    uint64_t first;  /* where reading began */
    uint64_t offset; /* of `held` */
    uint64_t limit;  /* lines that begin from here on are not read; UINT64_MAX: all are */
    char *buffer;    /* [DATA_INPUT_BYTES + 1] */
    char *held;      /* the end of what is in the buffer, >= end */
    char last;       /* the last byte before `end`, or before the range */
    bool drained;    /* nothing is to be read behind `end` */
    bool exhausted;  /* the file has been read to its end */
    struct data_gunzip *gunzip; /* NULL: not compressed */
} data_input;

/* Opens and reads the first block. */
STRADS_MUST_CHECK strads_status data_input_open(data_input *input, const char *path);
/* The lines that begin in bytes [begin, end) of the content of a regular file. Of a compressed one
 * all before is read too. */
STRADS_MUST_CHECK strads_status data_input_open_range(data_input *input, const char *path,
                                                      uint64_t begin, uint64_t end);
/* Goes on behind a range that was read to its end, with the lines that begin before `end`. */
void data_input_next_range(data_input *input, uint64_t end);
void data_input_close(data_input *input);

/* Whether what is at a path can be read more than once: no pipe, nor anything alike. True where
 * nothing is. */
bool data_is_rereadable(const char *path);

/* Whether it is a regular file: its size is *bytes, compressed or not. */
bool data_input_is_file(const data_input *input, uint64_t *bytes);
/* Whether reading a range costs no more than its bytes: it is a regular file and not compressed.
 * Its size is *bytes. */
bool data_input_has_ranges(const data_input *input, uint64_t *bytes);

/* Where reading stands in the content. */
uint64_t data_input_offset(const data_input *input);
/* Reads to the end: how many bytes the content has. */
STRADS_MUST_CHECK strads_status data_input_measure(data_input *input, uint64_t *bytes);

/* Reads n bytes of the file as it is from `at`, less at its end, wherever reading stands. */
STRADS_MUST_CHECK strads_status data_input_read_at(const data_input *input, uint64_t at, void *out,
                                                   size_t n, size_t *n_read);

/* The line being read, from 1 at the beginning of the file. */
size_t data_input_line_number(const data_input *input);

/* Whether the content begins with these bytes. */
bool data_input_begins(const data_input *input, const char *bytes, size_t n);

/* Skips the byte order mark that a text may begin with. */
void data_input_skip_mark(data_input *input);

/* Binary: copies the next n bytes; *n_read is less at the end of the file only. */
STRADS_MUST_CHECK strads_status data_input_read(data_input *input, void *out, size_t n,
                                                size_t *n_read);

/* Binary: leaves out the next n bytes; *n_skipped is less at the end of the file only. */
STRADS_MUST_CHECK strads_status data_input_skip(data_input *input, uint64_t n, uint64_t *n_skipped);

/* Text: gets more bytes behind those of [begin, end), which may move; or sets
 * `ended`, after a last newline was supplied where the file has none. DATA when a
 * whole buffer is held already. */
STRADS_MUST_CHECK strads_status data_input_more(data_input *input);

/* The next line, lent until the next call; NULL at the end. Its end (\n or \r\n)
 * is not counted in `length` but is there to be read. Counts `line`. */
STRADS_MUST_CHECK strads_status data_input_line(data_input *input, char **line, size_t *length);

/* Takes the line [line, end), which it may change, as it may *end. */
typedef strads_status (*data_line_taker)(void *context, const data_input *input, char *line,
                                         char *end);
/* Hands over all lines, until one is not OK. */
STRADS_MUST_CHECK strads_status data_input_lines(data_input *input, data_line_taker take,
                                                 void *context);

/* Copies [text, end), or its first line, for a message: cut and made printable. */
const char *data_excerpt(char out[DATA_EXCERPT_BYTES], const char *text, const char *end);

/* "PATH: no memory"; returns NOMEM. */
strads_status data_no_memory(const char *path);

/* Refuses what is being read: says "PATH:LINE: ...", or puts it in input->fault. Returns DATA. */
strads_status data_refuse(const data_input *input, const char *format, ...) STRADS_PRINTF(2, 3);

#endif
