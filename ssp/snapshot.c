/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/snapshot.c - a table in files, one of each process: <dir>/<name>.<part>.ssp.
 *
 * A head, the table's name, the rows in any order (key, values, state of the rule), and
 * the XXH3-64 of all that. Numbers are as the processor has them.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "net/frame.h"
#include "ssp/session_state.h"

static const char MAGIC[8] = "SSPTABLE";

typedef struct head {
    char magic[8];
    uint32_t version, columns, n_states;
    uint32_t part, n_parts;
    uint32_t name_bytes;
    uint64_t clock; /* the same in all parts */
    uint64_t n_rows;
} head;

enum { VERSION = 1 };

/* A file and the sum of what went through it. */
typedef struct summed_file {
    FILE *file;
    net_sum sum;
} summed_file;

static void start_sum(summed_file *self)
{
    static const unsigned char none[NET_FRAME_HEAD];
    net_sum_start(&self->sum, none);
}

static bool put(summed_file *self, const void *bytes, size_t n)
{
    net_sum_add(&self->sum, bytes, n);
    return fwrite(bytes, 1, n, self->file) == n;
}

static bool get(summed_file *self, void *bytes, size_t n)
{
    if (fread(bytes, 1, n, self->file) != n) {
        return false;
    }
    net_sum_add(&self->sum, bytes, n);
    return true;
}

static char *path_of(const ssp_shared_table *table, const char *dir, uint32_t part)
{
    const size_t n = strlen(dir) + strlen(table->name) + sizeof("/.4294967295.ssp");
    char *path = strads_alloc(n);
    if (path != NULL) {
        snprintf(path, n, "%s/%s.%u.ssp", dir, table->name, part);
    }
    return path;
}

/* ---- saving ---- */

static bool put_stripe(summed_file *out, const ssp_shared_table *table, const ssp_stripe *stripe)
{
    bool good = true;
    for (size_t i = 0; i < stripe->rows.capacity && good; i++) {
        const ssp_map_entry *entry = &stripe->rows.entries[i];
        const ssp_shared_row *row = entry->value;
        good = row == NULL ||
               (put(out, &entry->key, sizeof(entry->key)) &&
                put(out, row->values, ssp_shared_row_doubles(table) * sizeof(*row->values)));
    }
    return good;
}

/* Nobody changes the table meanwhile: all sessions wait. */
static bool put_table(summed_file *out, const ssp_shared_table *table, const ssp_place *place,
                      uint64_t clock)
{
    head first = {.version = VERSION,
                  .columns = table->options.columns,
                  .n_states = table->options.rule.n_states,
                  .part = place->me,
                  .n_parts = place->n_parts,
                  .name_bytes = (uint32_t) strlen(table->name),
                  .clock = clock};
    memcpy(first.magic, MAGIC, sizeof(MAGIC));
    for (uint32_t i = 0; i < SSP_STRIPES; i++) {
        first.n_rows += table->stripes[i].rows.n;
    }
    start_sum(out);
    bool good = put(out, &first, sizeof(first)) && put(out, table->name, first.name_bytes);
    for (uint32_t i = 0; i < SSP_STRIPES && good; i++) {
        good = put_stripe(out, table, &table->stripes[i]);
    }
    const uint64_t sum = net_sum_end(&out->sum);
    return good && put(out, &sum, sizeof(sum));
}

static strads_status write_file(const ssp_shared_table *table, const char *path,
                                const ssp_place *place, uint64_t clock)
{
    summed_file out = {.file = fopen(path, "wb")};
    if (out.file == NULL) {
        strads_error("%s: cannot be written: %s", path, strerror(errno));
        return STRADS_ERR_IO;
    }
    bool good = put_table(&out, table, place, clock) && fflush(out.file) == 0 &&
                fsync(fileno(out.file)) == 0;
    if (!good) {
        strads_error("%s: cannot be written: %s", path, strerror(errno));
    }
    good = fclose(out.file) == 0 && good;
    return good ? STRADS_OK : STRADS_ERR_IO;
}

/* Under another name first, so that a file is whole or not there. */
static strads_status save_part(const ssp_shared_table *table, const char *dir,
                               const ssp_place *place, uint64_t clock)
{
    static const char SUFFIX[] = ".tmp";
    strads_status status = STRADS_ERR_NOMEM;
    char *path = path_of(table, dir, place->me);
    char *fresh = path == NULL ? NULL : strads_alloc(strlen(path) + sizeof(SUFFIX));
    if (fresh != NULL) {
        sprintf(fresh, "%s%s", path, SUFFIX);
        status = write_file(table, fresh, place, clock);
        if (status == STRADS_OK && rename(fresh, path) != 0) {
            strads_error("%s: cannot be put in place: %s", path, strerror(errno));
            status = STRADS_ERR_IO;
        }
    }
    strads_free(fresh);
    strads_free(path);
    return status;
}

/* The session that does it for all of its part. */
static bool is_first(const ssp_session *session)
{
    const ssp_place *place = &session->store->place;
    return session->rank == (place->firsts == NULL ? 0 : place->firsts[place->me]);
}

strads_status ssp_table_save(ssp_table *table, const char *dir)
{
    ssp_session *session = table->session;
    strads_status status = ssp_barrier(session);
    if (status != STRADS_OK) {
        return status;
    }
    if (is_first(session)) {
        atomic_store(&session->store->saved,
                     save_part(table->shared, dir, &session->store->place, session->clock));
    }
    status = ssp_barrier(session);
    return status == STRADS_OK ? atomic_load(&session->store->saved) : status;
}

/* ---- restoring ---- */

static strads_status refuse(const char *path, const char *why)
{
    strads_error("%s: %s", path, why);
    return STRADS_ERR_DATA;
}

static strads_status read_head(summed_file *in, const ssp_shared_table *table, const char *path,
                               head *first)
{
    char name[SSP_NAME_MAX];
    if (!get(in, first, sizeof(*first)) || memcmp(first->magic, MAGIC, sizeof(MAGIC)) != 0) {
        return refuse(path, "it is no snapshot of a table");
    }
    if (first->version != VERSION) {
        return refuse(path, "it has another version");
    }
    if (first->name_bytes != strlen(table->name) || !get(in, name, first->name_bytes) ||
        memcmp(name, table->name, first->name_bytes) != 0) {
        return refuse(path, "it is of a table of another name");
    }
    if (first->columns != table->options.columns ||
        first->n_states != table->options.rule.n_states) {
        return refuse(path, "its table has other columns, or another rule");
    }
    return STRADS_OK;
}

/* A row of another part is that part's to take. */
static strads_status take_row(const ssp_store *store, ssp_shared_table *table, const char *path,
                              uint64_t key, const double *values)
{
    const size_t n = ssp_shared_row_doubles(table);
    ssp_shared_row *row = NULL;
    if (!ssp_all_finite(values, n)) {
        return refuse(path, "it has a number that is not finite");
    }
    if (ssp_store_part(store, key) != store->place.me) {
        return STRADS_OK;
    }
    const strads_status status = ssp_shared_row_find(table, key, &row);
    if (status == STRADS_OK) {
        memcpy(row->values, values, n * sizeof(*values));
    }
    return status;
}

static strads_status read_rows(summed_file *in, const ssp_store *store, ssp_shared_table *table,
                               const char *path, uint64_t n_rows)
{
    const size_t bytes = ssp_shared_row_doubles(table) * sizeof(double);
    double *values = strads_alloc(bytes);
    strads_status status = values == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    for (uint64_t i = 0; i < n_rows && status == STRADS_OK; i++) {
        uint64_t key = 0;
        status = get(in, &key, sizeof(key)) && get(in, values, bytes)
                     ? take_row(store, table, path, key, values)
                     : refuse(path, "it ends too early");
    }
    strads_free(values);
    return status;
}

static strads_status read_file(const ssp_store *store, ssp_shared_table *table, const char *path,
                               head *first)
{
    summed_file in = {.file = fopen(path, "rb")};
    if (in.file == NULL) {
        strads_error("%s: cannot be read: %s", path, strerror(errno));
        return STRADS_ERR_IO;
    }
    start_sum(&in);
    strads_status status = read_head(&in, table, path, first);
    if (status == STRADS_OK) {
        status = read_rows(&in, store, table, path, first->n_rows);
    }
    const uint64_t sum = net_sum_end(&in.sum);
    uint64_t told = 0;
    if (status == STRADS_OK &&
        (!get(&in, &told, sizeof(told)) || told != sum || fgetc(in.file) != EOF)) {
        status = refuse(path, "it is damaged");
    }
    fclose(in.file);
    return status;
}

static bool is_empty(const ssp_shared_table *table)
{
    size_t n = 0;
    for (uint32_t i = 0; i < SSP_STRIPES; i++) {
        n += table->stripes[i].rows.n;
    }
    return n == 0;
}

static strads_status restore_parts(const ssp_store *store, ssp_shared_table *table, const char *dir)
{
    head first = {.n_parts = 1};
    strads_status status = STRADS_OK;
    if (!is_empty(table)) {
        strads_error("table %s: it has rows already, and cannot be restored", table->name);
        return STRADS_ERR_APP;
    }
    for (uint32_t part = 0; part < first.n_parts && status == STRADS_OK; part++) {
        const head before = first;
        char *path = path_of(table, dir, part);
        status = path == NULL ? STRADS_ERR_NOMEM : read_file(store, table, path, &first);
        if (status == STRADS_OK &&
            (first.part != part || first.n_parts == 0 ||
             (part > 0 && (first.clock != before.clock || first.n_parts != before.n_parts)))) {
            status = refuse(path, "it is of another snapshot than its first part");
        }
        strads_free(path);
    }
    return status;
}

strads_status ssp_table_restore(ssp_table *table, const char *dir)
{
    ssp_session *session = table->session;
    strads_status status = ssp_barrier(session);
    if (status == STRADS_OK && is_first(session)) {
        status = restore_parts(session->store, table->shared, dir);
        if (status != STRADS_OK) {
            ssp_store_abort(session->store);
        }
    }
    return status == STRADS_OK ? ssp_barrier(session) : status;
}
