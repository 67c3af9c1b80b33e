/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/counts.c - dense counts as .npy of uint32, written row by row and read in place. */
#include "data/counts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/input.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "counts are read in place, as little-endian numbers"
#endif

/* Version 1.0: magic, version, two bytes of length, then a text that ends the header, of
 * HEADER_BYTES in all, with a newline. The shape has its room in it whatever it is. */
enum { PREFIX_BYTES = 10, HEADER_BYTES = 128 };

static const char PREFIX[] = "\x93NUMPY\x01\x00";

/* ---- writing ---- */

struct data_counts_writer {
    data_writer *file;
    size_t n_rows, n_cols;
    size_t next; /* the row at which the stream stands */
    size_t n_put;
};

static void put_header(FILE *to, size_t n_rows, size_t n_cols)
{
    char text[HEADER_BYTES - PREFIX_BYTES];
    snprintf(text, sizeof(text), "{'descr': '<u4', 'fortran_order': False, 'shape': (%zu, %zu), }",
             n_rows, n_cols);
    fwrite(PREFIX, 1, sizeof(PREFIX) - 1, to);
    fputc((int) sizeof(text), to);
    fputc(0, to);
    fprintf(to, "%-*s\n", (int) sizeof(text) - 1, text);
}

strads_status data_counts_writer_open(data_counts_writer **out, const char *path, size_t n_rows,
                                      size_t n_cols)
{
    data_counts_writer *writer = strads_alloc(sizeof(*writer));
    if (writer == NULL) {
        return data_no_memory(path);
    }
    *writer = (data_counts_writer){.n_rows = n_rows, .n_cols = n_cols};
    const strads_status status = data_writer_open(&writer->file, path);
    if (status != STRADS_OK) {
        strads_free(writer);
        return status;
    }
    put_header(data_writer_stream(writer->file), n_rows, n_cols);
    *out = writer;
    return STRADS_OK;
}

void data_counts_writer_put(data_counts_writer *writer, size_t row, const uint32_t *values)
{
    assert(row < writer->n_rows);
    FILE *to = data_writer_stream(writer->file);
    const size_t bytes = writer->n_cols * sizeof(*values);
    if (row != writer->next && fseeko(to, (off_t) (HEADER_BYTES + row * bytes), SEEK_SET) != 0) {
        return; /* what waits cannot be written, which the stream remembers */
    }
    fwrite(values, 1, bytes, to);
    writer->next = row + 1;
    writer->n_put++;
}

strads_status data_counts_writer_commit(data_counts_writer *writer)
{
    data_writer *file = writer->file;
    assert(writer->n_put == writer->n_rows || ferror(data_writer_stream(file)));
    strads_free(writer);
    return data_writer_commit(file);
}

void data_counts_writer_abandon(data_counts_writer *writer)
{
    if (writer != NULL) {
        data_writer_abandon(writer->file);
        strads_free(writer);
    }
}

/* ---- reading ---- */

static strads_status fail(const char *path)
{
    strads_error("cannot read %s: %s", path, strerror(errno));
    return STRADS_ERR_IO;
}

static strads_status refuse_header(const char *path)
{
    strads_error("%s: expected a .npy file of version 1 with 'descr' '<u4', 'fortran_order' False "
                 "and 'shape' of two dimensions",
                 path);
    return STRADS_ERR_DATA;
}

/* Scans the header in the first `held` bytes of the file; *values_at: where it ends. */
static bool scan_header(const char *bytes, size_t held, data_counts *out, size_t *values_at)
{
    char text[HEADER_BYTES + 1] = "";
    if (held < PREFIX_BYTES || memcmp(bytes, PREFIX, sizeof(PREFIX) - 1) != 0) {
        return false;
    }
    const size_t length = (size_t) (unsigned char) bytes[8] | (size_t) (unsigned char) bytes[9]
                                                                  << 8;
    *values_at = PREFIX_BYTES + length;
    if (*values_at > held || *values_at % sizeof(*out->values) != 0) {
        return false;
    }
    memcpy(text, bytes + PREFIX_BYTES, length < HEADER_BYTES ? length : HEADER_BYTES);
    int end = 0;
    return sscanf(text, "{'descr': '<u4', 'fortran_order': False, 'shape': (%zu, %zu), }%n",
                  &out->n_rows, &out->n_cols, &end) == 2 &&
           end > 0;
}

/* A file of `held` bytes that begins at `bytes`. */
static strads_status read_map(data_counts *out, const char *bytes, size_t held, const char *path)
{
    size_t values_at = 0;
    size_t n = 0;
    if (!scan_header(bytes, held, out, &values_at)) {
        return refuse_header(path);
    }
    const size_t n_held = (held - values_at) / sizeof(*out->values);
    if (__builtin_mul_overflow(out->n_rows, out->n_cols, &n) || n != n_held ||
        (held - values_at) % sizeof(*out->values) != 0) {
        strads_error("%s: %zu bytes of values: expected %zu x %zu numbers of 4 bytes, as its "
                     "header states",
                     path, held - values_at, out->n_rows, out->n_cols);
        return STRADS_ERR_DATA;
    }
    out->values = (const uint32_t *) (const void *) (bytes + values_at);
    return STRADS_OK;
}

static strads_status map_file(data_counts *out, int fd, const char *path)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return fail(path);
    }
    if (!S_ISREG(info.st_mode) || info.st_size == 0) {
        return refuse_header(path);
    }
    data_counts counts = {.map_bytes = (size_t) info.st_size};
    counts.map = mmap(NULL, counts.map_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (counts.map == MAP_FAILED) {
        return fail(path);
    }
    const strads_status status = read_map(&counts, counts.map, counts.map_bytes, path);
    if (status != STRADS_OK) {
        munmap(counts.map, counts.map_bytes);
        return status;
    }
    *out = counts;
    return STRADS_OK;
}

strads_status data_counts_map(data_counts *out, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail(path);
    }
    const strads_status status = map_file(out, fd, path);
    close(fd);
    return status;
}

void data_counts_fini(data_counts *counts)
{
    if (counts->map != NULL) {
        munmap(counts->map, counts->map_bytes);
    }
    *counts = (data_counts){.n_rows = 0};
}
