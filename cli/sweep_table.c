/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cli/sweep_table.c - the CSV file of a sweep: it grows by whole records, and says what
 * has been done.
 *
 * Only the last line can have been cut short by a crash. Whatever else is not as this
 * program writes it is refused, and the file left as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/sweep.h"
#include "data/data.h"

/* ---- CSV ---- */

void sweep_csv_write(FILE *to, const char *cell)
{
    if (cell[strcspn(cell, ",\"\r\n")] == '\0') {
        fputs(cell, to);
        return;
    }
    putc('"', to);
    for (; *cell != '\0'; cell++) {
        if (*cell == '"') {
            putc('"', to);
        }
        putc(*cell, to);
    }
    putc('"', to);
}

/* The byte behind the cell at `at`, quotes included. */
static const char *cell_end(const char *at, const char *end)
{
    bool quoted = false;
    for (; at < end && (quoted || (*at != ',' && *at != '\n' && *at != '\r')); at++) {
        quoted = quoted != (*at == '"'); /* a doubled quote closes and opens again */
    }
    return at;
}

/* Takes the quotes off. */
static strads_status add_cell(cli_texts *cells, const char *at, size_t n)
{
    const strads_status status = cli_texts_add(cells, at, n);
    if (status == STRADS_OK && n > 0 && at[0] == '"') {
        char *to = cells->items[cells->n - 1];
        for (size_t i = 1; i + 1 < n; i++) {
            i += at[i] == '"' ? 1 : 0;
            *to++ = at[i];
        }
        *to = '\0';
    }
    return status;
}

strads_status sweep_csv_read(const char **at, const char *end, cli_texts *cells)
{
    cli_texts_clear(cells);
    const char *first = *at;
    while (true) {
        const char *last = cell_end(first, end);
        const char *next = last + 1 < end && *last == '\r' ? last + 1 : last;
        if (next >= end || (*next != ',' && *next != '\n') || (next > last && *next != '\n')) {
            return STRADS_ERR_DATA;
        }
        const strads_status status = add_cell(cells, first, (size_t) (last - first));
        if (status != STRADS_OK) {
            return status;
        }
        first = next + 1;
        if (*next == '\n') {
            *at = first;
            return STRADS_OK;
        }
    }
}

static void write_line(FILE *to, const cli_texts *cells)
{
    for (size_t i = 0; i < cells->n; i++) {
        fputs(i > 0 ? "," : "", to);
        sweep_csv_write(to, cells->items[i]);
    }
    putc('\n', to);
}

/* ---- the file ---- */

static strads_status fail(const sweep_table *table, const char *what)
{
    strads_error("%s: cannot %s: %s", table->path, what, strerror(errno));
    return STRADS_ERR_IO;
}

static strads_status open_file(sweep_table *table)
{
    const int fd = open(table->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    struct stat info;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fd < 0 || fstat(fd, &info) != 0) {
        const strads_status status = fail(table, "write");
        if (fd >= 0) {
            close(fd);
        }
        return status;
    }
    strads_status status = STRADS_OK;
    if (!S_ISREG(info.st_mode)) {
        strads_error("%s: not a regular file", table->path);
        status = STRADS_ERR_IO;
    } else if (fcntl(fd, F_SETLK, &lock) != 0) {
        if (errno == EACCES || errno == EAGAIN) {
            strads_error("%s: another sweep is writing to it", table->path);
            status = STRADS_ERR_USAGE;
        } else {
            status = fail(table, "lock");
        }
    }
    if (status != STRADS_OK) {
        close(fd);
        return status;
    }
    table->fd = fd;
    return STRADS_OK;
}

static strads_status read_all(const sweep_table *table, char **out, size_t *n_bytes)
{
    struct stat info;
    if (fstat(table->fd, &info) != 0) {
        return fail(table, "read");
    }
    const size_t size = (size_t) info.st_size;
    char *text = strads_alloc(size + 1);
    if (text == NULL) {
        return STRADS_ERR_NOMEM;
    }
    size_t n = 0;
    for (ssize_t taken = 1; taken > 0 && n<size; n += taken> 0 ? (size_t) taken : 0) {
        taken = pread(table->fd, text + n, size - n, (off_t) n);
    }
    if (n < size) {
        strads_free(text);
        return fail(table, "read");
    }
    *out = text;
    *n_bytes = n;
    return STRADS_OK;
}

/* Appends all of the text or nothing. */
static strads_status append(const sweep_table *table, const char *text, size_t n_bytes)
{
    struct stat before;
    if (fstat(table->fd, &before) != 0) {
        return fail(table, "write");
    }
    for (size_t n = 0; n < n_bytes;) {
        const ssize_t written = write(table->fd, text + n, n_bytes - n);
        if (written < 0 && errno != EINTR) {
            const strads_status status = fail(table, "write");
            return ftruncate(table->fd, before.st_size) == 0 ? status : fail(table, "shorten");
        }
        n += written > 0 ? (size_t) written : 0;
    }
    return STRADS_OK;
}

/* Appends what `write` writes. */
static strads_status append_written(const sweep_table *table,
                                    void (*write)(FILE *to, const void *context),
                                    const void *context)
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *to = open_memstream(&text, &n_bytes);
    if (to == NULL) {
        return STRADS_ERR_NOMEM;
    }
    write(to, context);
    const bool whole = !ferror(to);
    const strads_status status =
        fclose(to) == 0 && whole ? append(table, text, n_bytes) : STRADS_ERR_NOMEM;
    free(text);
    return status;
}

/* ---- opening ---- */

static void write_header(FILE *to, const void *columns)
{
    write_line(to, columns);
}

static strads_status start_file(sweep_table *table, const sweep_record *fixed)
{
    strads_status status = STRADS_OK;
    for (size_t i = 0; status == STRADS_OK && i < fixed->names.n; i++) {
        const char *name = fixed->names.items[i];
        status = cli_texts_add(&table->columns, name, strlen(name));
    }
    return status == STRADS_OK ? append_written(table, write_header, &table->columns) : status;
}

static strads_status check_header(const sweep_table *table, const sweep_record *fixed)
{
    for (size_t i = 0; i < fixed->names.n; i++) {
        const char *wanted = fixed->names.items[i];
        const char *found = i < table->columns.n ? table->columns.items[i] : "missing";
        if (strcmp(found, wanted) != 0) {
            strads_error("%s: not the table of this sweep: column %zu is %s, here it would be %s; "
                         "name another file",
                         table->path, i + 1, found, wanted);
            return STRADS_ERR_USAGE;
        }
    }
    return STRADS_OK;
}

/* Notes what case a record is of; *index is n_cases for one that is not in the plan. */
static strads_status note_record(const sweep_table *table, const sweep_plan *plan,
                                 const cli_texts *cells, uint8_t *states, size_t *index)
{
    if (cells->n != table->columns.n) {
        strads_error("%s: a record of %zu cells under %zu columns", table->path, cells->n,
                     table->columns.n);
        return STRADS_ERR_USAGE;
    }
    *index = sweep_plan_find(plan, cells->items);
    if (*index < plan->n_cases) {
        const size_t status = plan->n_axes + (plan->curve ? 2 : 1);
        states[*index] = strcmp(cells->items[status], "failed") == 0 ? SWEEP_FAILED : SWEEP_DONE;
    }
    return STRADS_OK;
}

static strads_status refuse_text(const sweep_table *table, strads_status status)
{
    if (status == STRADS_ERR_DATA) {
        strads_error("%s: not CSV as a sweep writes it; name another file", table->path);
        return STRADS_ERR_USAGE;
    }
    return status;
}

/* A file that is being read in. */
typedef struct table_text {
    char *text;
    const char *at, *end;   /* what is to be read; end: behind the last whole line */
    const char *last_start; /* the first of the records of the last case */
    size_t last;            /* that case; n_cases: none, or not of this plan */
} table_text;

static strads_status note_records(const sweep_table *table, const sweep_plan *plan, table_text *in,
                                  uint8_t *states)
{
    cli_texts cells = {0};
    strads_status status = STRADS_OK;
    in->last = plan->n_cases;
    in->last_start = in->at;
    while (status == STRADS_OK && in->at < in->end) {
        const char *start = in->at;
        size_t index = plan->n_cases;
        status = refuse_text(table, sweep_csv_read(&in->at, in->end, &cells));
        if (status == STRADS_OK) {
            status = note_record(table, plan, &cells, states, &index);
        }
        if (index != in->last) {
            in->last = index;
            in->last_start = start;
        }
    }
    cli_texts_fini(&cells);
    return status;
}

/* Drops a line that was cut short. Of a curve the lines before it may be of the same
 * case, so this is run again whole. */
static strads_status drop_cut_line(const sweep_table *table, const sweep_plan *plan,
                                   const table_text *in, uint8_t *states)
{
    const char *keep = in->end;
    if (plan->curve && in->last < plan->n_cases) {
        states[in->last] = SWEEP_TODO;
        keep = in->last_start;
    }
    return ftruncate(table->fd, keep - in->text) == 0 ? STRADS_OK : fail(table, "shorten");
}

static strads_status take_file(sweep_table *table, const sweep_plan *plan,
                               const sweep_record *fixed, uint8_t *states)
{
    table_text in = {0};
    size_t n_bytes = 0;
    strads_status status = read_all(table, &in.text, &n_bytes);
    if (status != STRADS_OK) {
        return status;
    }
    in.at = in.text;
    in.end = in.text + n_bytes;
    while (in.end > in.text && in.end[-1] != '\n') {
        in.end--;
    }
    if (n_bytes == 0) {
        status = start_file(table, fixed);
    } else {
        status = refuse_text(table, sweep_csv_read(&in.at, in.end, &table->columns));
        if (status == STRADS_OK) {
            status = check_header(table, fixed);
        }
        if (status == STRADS_OK) {
            status = note_records(table, plan, &in, states);
        }
        if (status == STRADS_OK && in.end < in.text + n_bytes) {
            status = drop_cut_line(table, plan, &in, states);
        }
    }
    strads_free(in.text);
    return status;
}

strads_status sweep_table_open(sweep_table *table, const char *path, const sweep_plan *plan,
                               uint8_t *states)
{
    const sweep_facts none = {.measurement = "", .status = "", .error = ""};
    sweep_table made = {.path = strads_strdup(path), .fd = -1};
    sweep_record fixed = {0};
    strads_status status = STRADS_ERR_NOMEM;
    if (made.path != NULL) {
        status = sweep_plan_record(plan, 0, &none, &fixed);
    }
    if (status == STRADS_OK) {
        status = open_file(&made);
    }
    if (status == STRADS_OK) {
        status = take_file(&made, plan, &fixed, states);
    }
    sweep_record_fini(&fixed);
    if (status != STRADS_OK) {
        sweep_table_close(&made);
        return status;
    }
    *table = made;
    return STRADS_OK;
}

void sweep_table_close(sweep_table *table)
{
    if (table->fd >= 0) {
        close(table->fd);
    }
    cli_texts_fini(&table->columns);
    strads_free(table->path);
    *table = (sweep_table){.fd = -1};
}

/* ---- adding ---- */

/* Adds a column for every name that has none. */
static strads_status add_columns(sweep_table *table, const sweep_record *record)
{
    strads_status status = STRADS_OK;
    for (size_t i = 0; status == STRADS_OK && i < record->names.n; i++) {
        const char *name = record->names.items[i];
        if (cli_texts_find(&table->columns, name) == table->columns.n) {
            status = cli_texts_add(&table->columns, name, strlen(name));
        }
    }
    return status;
}

/* Copies the records of a file with n_more empty cells each. */
static strads_status copy_widened(const sweep_table *table, size_t n_more, FILE *to)
{
    char *text = NULL;
    size_t n_bytes = 0;
    strads_status status = read_all(table, &text, &n_bytes);
    if (status != STRADS_OK) {
        return status;
    }
    cli_texts cells = {0};
    const char *at = text;
    const char *end = text + n_bytes;
    status = sweep_csv_read(&at, end, &cells); /* the old header */
    while (status == STRADS_OK && at < end) {
        const char *start = at;
        status = sweep_csv_read(&at, end, &cells);
        if (status == STRADS_OK) {
            fwrite(start, 1, (size_t) (at - start - 1), to);
            for (size_t i = 0; i < n_more; i++) {
                putc(',', to);
            }
            putc('\n', to);
        }
    }
    cli_texts_fini(&cells);
    strads_free(text);
    return refuse_text(table, status);
}

/* Writes the file anew, with the columns there are now. */
static strads_status widen(sweep_table *table, size_t n_more)
{
    data_writer *writer = NULL;
    strads_status status = data_writer_open(&writer, table->path);
    if (status != STRADS_OK) {
        return status;
    }
    write_line(data_writer_stream(writer), &table->columns);
    status = copy_widened(table, n_more, data_writer_stream(writer));
    if (status != STRADS_OK) {
        data_writer_abandon(writer);
        return status;
    }
    status = data_writer_commit(writer);
    const int old = table->fd;
    if (status == STRADS_OK) {
        status = open_file(table);
    }
    if (status == STRADS_OK) {
        close(old);
    }
    return status;
}

typedef struct table_addition {
    const sweep_table *table;
    const sweep_record *records;
    size_t n;
} table_addition;

static void write_records(FILE *to, const void *context)
{
    const table_addition *added = context;
    const cli_texts *columns = &added->table->columns;
    for (size_t i = 0; i < added->n; i++) {
        for (size_t k = 0; k < columns->n; k++) {
            const char *cell = sweep_record_find(&added->records[i], columns->items[k]);
            fputs(k > 0 ? "," : "", to);
            sweep_csv_write(to, cell != NULL ? cell : "");
        }
        putc('\n', to);
    }
}

strads_status sweep_table_add(sweep_table *table, const sweep_record *records, size_t n)
{
    const size_t n_before = table->columns.n;
    strads_status status = STRADS_OK;
    for (size_t i = 0; status == STRADS_OK && i < n; i++) {
        status = add_columns(table, &records[i]);
    }
    if (status == STRADS_OK && table->columns.n > n_before) {
        status = widen(table, table->columns.n - n_before);
    }
    const table_addition added = {table, records, n};
    return status == STRADS_OK ? append_written(table, write_records, &added) : status;
}
