/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/ssp/test_snapshot.c - tables that are saved, restored, and refused. */
#include <string.h>

#include "base/mem.h"
#include "ssp/ssp.h"
#include "tests/support/suite.h"

enum { COLUMNS = 3, ROWS = 300 };

typedef struct alone {
    ssp_store *store;
    ssp_session *session;
    ssp_table *table;
} alone;

static void open_named(alone *self, const char *name, uint32_t columns)
{
    const ssp_table_options options = {.columns = columns, .rule = ssp_rule_adagrad(0.5, 1e-3)};
    REQUIRE_OK(ssp_store_create(&self->store, 1));
    REQUIRE_OK(ssp_session_open(&self->session, self->store, 0));
    REQUIRE_OK(ssp_table_open(&self->table, self->session, name, &options));
}

static void close_alone(alone *self)
{
    ssp_session_close(self->session);
    ssp_store_destroy(self->store);
}

static void increment(alone *self)
{
    for (uint64_t key = 0; key < ROWS; key++) {
        REQUIRE_OK(ssp_inc(self->table, key * key, (uint32_t) key % COLUMNS, (double) key));
    }
}

static void compare(alone *a, alone *b)
{
    for (uint64_t key = 0; key < ROWS; key++) {
        const double *x = NULL, *y = NULL;
        REQUIRE_OK(ssp_read_row(a->table, key * key, &x));
        REQUIRE_OK(ssp_read_row(b->table, key * key, &y));
        CHECK(memcmp(x, y, COLUMNS * sizeof(*x)) == 0);
    }
}

/* The rule's state comes back too, or the steps after it would be others. */
static void a_table_goes_on_where_it_was_saved(void)
{
    const char *dir = suite_folder();
    alone first, second;
    open_named(&first, "t", COLUMNS);
    increment(&first);
    REQUIRE_OK(ssp_table_save(first.table, dir));
    CHECK(ssp_clock_own(first.session) == 2);
    open_named(&second, "t", COLUMNS);
    REQUIRE_OK(ssp_table_restore(second.table, dir));
    CHECK(ssp_clock_own(second.session) == 2);
    compare(&first, &second);
    increment(&first);
    increment(&second);
    REQUIRE_OK(ssp_clock(first.session));
    REQUIRE_OK(ssp_clock(second.session));
    compare(&first, &second);
    close_alone(&first);
    close_alone(&second);
}

typedef struct attempt {
    const char *dir, *name;
    uint32_t columns;
    strads_status status;
} attempt;

static void try_restore(void *context)
{
    attempt *one = context;
    alone self;
    open_named(&self, one->name, one->columns);
    one->status = ssp_table_restore(self.table, one->dir);
    CHECK_STATUS(ssp_clock(self.session), one->status == STRADS_OK ? STRADS_OK : STRADS_ERR_CLOSED);
    close_alone(&self);
}

static strads_status restore(const char *dir, const char *name, uint32_t columns)
{
    attempt one = {.dir = dir, .name = name, .columns = columns};
    char *words = suite_stderr_of(try_restore, &one);
    CHECK((one.status == STRADS_OK) == (words[0] == '\0'));
    strads_free(words);
    return one.status;
}

/* Each byte of the file in turn is changed; then it is cut at each length. */
static void a_snapshot_that_is_damaged_anywhere_is_refused(void)
{
    const char *dir = suite_folder();
    char path[512], bytes[512];
    alone self;
    open_named(&self, "t", COLUMNS);
    REQUIRE_OK(ssp_inc(self.table, 7, 1, 1.0));
    REQUIRE_OK(ssp_table_save(self.table, dir));
    close_alone(&self);
    snprintf(path, sizeof(path), "%s/t.0.ssp", dir);
    FILE *file = fopen(path, "rb");
    REQUIRE(file != NULL);
    const size_t n = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    REQUIRE(n > 0 && n < sizeof(bytes));
    for (size_t i = 0; i < 2 * n; i++) {
        file = fopen(path, "wb");
        REQUIRE(file != NULL);
        bytes[i % n] ^= i < n ? 0x10 : 0;
        CHECK(fwrite(bytes, 1, i < n ? n : i - n, file) == (i < n ? n : i - n));
        fclose(file);
        bytes[i % n] ^= i < n ? 0x10 : 0;
        const strads_status status = restore(dir, "t", COLUMNS);
        CHECK(status == STRADS_ERR_DATA || (status == STRADS_ERR_IO && i < 32));
    }
}

static void a_snapshot_of_another_table_is_refused(void)
{
    const char *dir = suite_folder();
    alone self;
    open_named(&self, "t", COLUMNS);
    REQUIRE_OK(ssp_inc(self.table, 7, 1, 1.0));
    REQUIRE_OK(ssp_table_save(self.table, dir));
    CHECK_STATUS(ssp_table_restore(self.table, dir), STRADS_ERR_APP); /* it has rows */
    close_alone(&self);
    CHECK_STATUS(restore(dir, "t", COLUMNS), STRADS_OK);
    CHECK_STATUS(restore(dir, "t", COLUMNS + 1), STRADS_ERR_DATA);
    CHECK_STATUS(restore(dir, "u", COLUMNS), STRADS_ERR_IO);
}

static void a_folder_that_is_not_there_is_refused(void)
{
    alone self;
    open_named(&self, "t", COLUMNS);
    CHECK_STATUS(ssp_table_save(self.table, "/nowhere/at/all"), STRADS_ERR_IO);
    REQUIRE_OK(ssp_clock(self.session));
    close_alone(&self);
}

SUITE("ssp/snapshot", {"a table goes on where it was saved", a_table_goes_on_where_it_was_saved},
      {"a snapshot that is damaged anywhere is refused",
       a_snapshot_that_is_damaged_anywhere_is_refused},
      {"a snapshot of another table is refused", a_snapshot_of_another_table_is_refused},
      {"a folder that is not there is refused", a_folder_that_is_not_there_is_refused})
