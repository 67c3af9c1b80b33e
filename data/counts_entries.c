/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/counts_entries.c - sparse counts as Matrix Market text, written as they come. */
#include <assert.h>
#include <string.h>

#include "data/counts.h"
#include "data/input.h"

/* An entry has three numbers of at most 20 digits, each with a blank or newline after it. */
enum { NUMBER_BYTES = 21, ENTRY_BYTES = 3 * NUMBER_BYTES, BLOCK_BYTES = 1 << 14 };

struct data_entries_writer {
    data_writer *file;
    size_t n_rows, n_cols;
    uint64_t n_entries;
    char block[BLOCK_BYTES];
};

/* How many entries there are is known at the end, so that line has room for any number. */
static void put_header(const data_entries_writer *writer)
{
    fprintf(data_writer_stream(writer->file),
            "%%%%MatrixMarket matrix coordinate integer general\n%20zu %20zu %20llu\n",
            writer->n_rows, writer->n_cols, (unsigned long long) writer->n_entries);
}

strads_status data_entries_writer_open(data_entries_writer **out, const char *path, size_t n_rows,
                                       size_t n_cols)
{
    data_entries_writer *writer = strads_alloc(sizeof(*writer));
    if (writer == NULL) {
        return data_no_memory(path);
    }
    writer->n_rows = n_rows;
    writer->n_cols = n_cols;
    writer->n_entries = 0;
    const strads_status status = data_writer_open(&writer->file, path);
    if (status != STRADS_OK) {
        strads_free(writer);
        return status;
    }
    put_header(writer);
    *out = writer;
    return STRADS_OK;
}

/* Prints a number and the byte after it; returns where that ends. */
static char *put_number(char *to, uint64_t number, char after)
{
    char digits[NUMBER_BYTES];
    char *first = digits + sizeof(digits);
    do {
        *--first = (char) ('0' + number % 10);
        number /= 10;
    } while (number > 0);
    const size_t n = (size_t) (digits + sizeof(digits) - first);
    memcpy(to, first, n);
    to[n] = after;
    return to + n + 1;
}

void data_entries_writer_put(data_entries_writer *writer, size_t row, const uint32_t *columns,
                             const uint32_t *values, size_t n)
{
    assert(row < writer->n_rows);
    FILE *stream = data_writer_stream(writer->file);
    char prefix[NUMBER_BYTES];
    const size_t prefix_bytes = (size_t) (put_number(prefix, row + 1, ' ') - prefix);
    char *to = writer->block;
    for (size_t i = 0; i < n; i++) {
        assert(columns[i] < writer->n_cols);
        memcpy(to, prefix, prefix_bytes);
        to = put_number(to + prefix_bytes, (uint64_t) columns[i] + 1, ' ');
        to = put_number(to, values[i], '\n');
        if (to > writer->block + BLOCK_BYTES - ENTRY_BYTES) {
            fwrite(writer->block, 1, (size_t) (to - writer->block), stream);
            to = writer->block;
        }
    }
    fwrite(writer->block, 1, (size_t) (to - writer->block), stream);
    writer->n_entries += n;
}

strads_status data_entries_writer_commit(data_entries_writer *writer)
{
    data_writer *file = writer->file;
    if (fseeko(data_writer_stream(file), 0, SEEK_SET) == 0) {
        put_header(writer);
    }
    strads_free(writer);
    return data_writer_commit(file);
}

void data_entries_writer_abandon(data_entries_writer *writer)
{
    if (writer != NULL) {
        data_writer_abandon(writer->file);
        strads_free(writer);
    }
}
