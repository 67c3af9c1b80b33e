/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/share_case.h - processes that read a source together, beside reading it whole. */
#ifndef STRADS_TESTS_UNIT_DATA_SHARE_CASE_H
#define STRADS_TESTS_UNIT_DATA_SHARE_CASE_H

#include <string.h>

#include "base/random.h"
#include "tests/support/parts.h"
#include "tests/unit/data/reading.h"

enum { MOST = 8, MORE_WORKERS = 3 };

/* What all processes have read. */
typedef struct team {
    data_source source;
    data_split split;
    uint32_t count, n_workers;
    data_share shares[PARTS_MOST];
    strads_status status;
} team;

static inline strads_status read_share(void *context, strads_part *part)
{
    team *self = context;
    return data_share_read(&self->shares[strads_part_index(part)], &self->source, self->split,
                           part);
}

static inline void read_together(void *context)
{
    team *self = context;
    memset(self->shares, 0, sizeof(self->shares));
    self->status = parts_run(self->count, self->n_workers, read_share, self);
}

static inline void drop(team *self)
{
    for (uint32_t i = 0; i < self->count; i++) {
        data_share_fini(&self->shares[i]);
    }
}

/* Whether y and the part of `whole` that begins at `row`, `col` are what the shard has. */
static inline bool same_part(const data_regression *shard, const data_regression *whole, size_t row,
                             size_t col)
{
    const data_matrix *x = &shard->x;
    bool same = (x->col_start == NULL) == (whole->x.col_start == NULL) &&
                (shard->y == NULL) == (whole->y == NULL);
    for (size_t i = 0; i < x->n_rows && shard->y != NULL; i++) {
        same = same && shard->y[i] == whole->y[row + i];
    }
    size_t n_entries = 0;
    for (size_t j = 0; j < x->n_cols; j++) {
        for (size_t i = 0; i < x->n_rows; i++) {
            const double value = at(x, i, j);
            same = same && value == at(&whole->x, row + i, col + j);
            n_entries += value != 0.0;
        }
    }
    return same && (x->col_start == NULL || n_entries == data_matrix_entries(x));
}

static inline size_t entries_of(const data_matrix *x, size_t col)
{
    return x->col_start == NULL ? x->n_rows : (size_t) (x->col_start[col + 1] - x->col_start[col]);
}

static inline bool same_facts(const data_share *share, const data_regression *whole)
{
    bool same = share->n_rows == whole->x.n_rows && share->n_cols == whole->x.n_cols;
    for (size_t j = 0; j < share->n_cols && same; j++) {
        same = share->entries[j] == entries_of(&whole->x, j);
    }
    return same;
}

static inline bool check_rows(const team *self, const data_regression *whole)
{
    size_t row = 0;
    bool same = true;
    for (uint32_t i = 0; i < self->count; i++) {
        const data_share *share = &self->shares[i];
        same = same && same_facts(share, whole) && share->firsts == NULL;
        for (size_t k = 0; k < share->n_shards && same; k++) {
            same = share->shards[k].x.n_cols == share->n_cols &&
                   row + share->shards[k].x.n_rows <= share->n_rows &&
                   same_part(&share->shards[k], whole, row, 0);
            row += share->shards[k].x.n_rows;
        }
    }
    return same && row == whole->x.n_rows;
}

static inline bool check_columns(const team *self, const data_regression *whole)
{
    bool same = true;
    for (uint32_t i = 0; i < self->count && same; i++) {
        const data_share *share = &self->shares[i];
        const uint32_t *firsts = share->firsts;
        const uint32_t first = firsts[self->n_workers * i / self->count];
        const uint32_t last = firsts[self->n_workers * (i + 1) / self->count];
        same =
            same_facts(share, whole) && share->n_shards == 1 && firsts[0] == 0 &&
            firsts[self->n_workers] == share->n_cols &&
            memcmp(firsts, self->shares[0].firsts, (self->n_workers + 1) * sizeof(*firsts)) == 0 &&
            share->shards[0].x.n_rows == share->n_rows &&
            share->shards[0].x.n_cols == last - first &&
            same_part(&share->shards[0], whole, 0, first);
    }
    return same;
}

/* Reads the source by 1 to 8 processes, both ways, every `step`-th case of 32, and compares with
 * reading it whole. */
static inline void check_some_shares(data_source source, uint32_t step)
{
    data_regression whole;
    REQUIRE_OK(data_regression_read(&whole, &source));
    const size_t live = strads_mem_live();
    for (uint32_t k = 0; k < 4 * MOST; k += step) {
        team self = {.source = source,
                     .split = k % 2 == 0 ? DATA_BY_ROWS : DATA_BY_COLUMNS,
                     .count = 1 + k / 4};
        self.n_workers = self.count + (k / 2 % 2) * MORE_WORKERS;
        read_together(&self);
        REQUIRE_OK(self.status);
        CHECK(self.split == DATA_BY_ROWS ? check_rows(&self, &whole)
                                         : check_columns(&self, &whole));
        drop(&self);
        CHECK(strads_mem_live() == live);
    }
    data_regression_fini(&whole);
}

static inline void check_shares(data_source source)
{
    check_some_shares(source, 1);
}

/* Sparse lines of unlike lengths. */
static inline char *random_text(size_t n_rows, size_t n_cols, double density, uint64_t seed)
{
    strads_random random = strads_random_start(seed, 0);
    char *text = NULL;
    size_t n = 0;
    size_t room = 0;
    for (size_t i = 0; i < n_rows; i++) {
        REQUIRE_OK(strads_reserve(&text, &room, n + 32 * (n_cols + 2), 1));
        n += (size_t) sprintf(text + n, "%zu", i);
        for (size_t j = 0; j < n_cols; j++) {
            if (strads_random_uniform(&random) < density) {
                n += (size_t) sprintf(text + n, " %zu:%.3g", j + 1,
                                      1.0 + strads_random_uniform(&random));
            }
        }
        n += (size_t) sprintf(text + n, "\n");
    }
    return text;
}

/* ---- what is held ---- */

static inline size_t matrix_bytes(const data_share *share)
{
    size_t bytes = 0;
    for (size_t k = 0; k < share->n_shards; k++) {
        const data_matrix *x = &share->shards[k].x;
        bytes += data_matrix_entries(x) * (x->narrow != NULL ? sizeof(float) : sizeof(double));
        bytes += x->col_start == NULL ? 0
                                      : data_matrix_entries(x) * sizeof(*x->row) +
                                            (x->n_cols + 1) * sizeof(*x->col_start);
    }
    return bytes;
}

/* What is foretold, targets and counts of entries apart, is about what the largest holds. */
static inline void check_measured(const team *self, size_t most)
{
    data_size size;
    REQUIRE_OK(data_share_measure(&size, &self->source, self->split, self->count, self->n_workers));
    const size_t n_targets = self->split == DATA_BY_ROWS ? size.n_rows / self->count : size.n_rows;
    const double matrix = (double) size.bytes - (double) n_targets * sizeof(double) -
                          (double) size.n_cols * sizeof(uint32_t);
    CHECK(size.n_rows == self->shares[0].n_rows && size.n_cols == self->shares[0].n_cols);
    CHECK(matrix > (double) most / 1.2 && matrix < 1.2 * (double) most);
    CHECK(size.peak_bytes >= size.bytes);
}

static inline void check_bytes(const char *path)
{
    for (uint32_t k = 0; k < 4; k++) {
        size_t whole = 0;
        for (uint32_t count = 1; count <= MOST; count *= 2) {
            team self = {.source = {.path = path, .precision = k < 2 ? DATA_DOUBLE : DATA_FLOAT},
                         .split = k % 2 == 0 ? DATA_BY_ROWS : DATA_BY_COLUMNS,
                         .count = count,
                         .n_workers = count};
            read_together(&self);
            REQUIRE_OK(self.status);
            size_t most = 0;
            for (uint32_t i = 0; i < count; i++) {
                const size_t bytes = matrix_bytes(&self.shares[i]);
                whole = count == 1 ? bytes : whole;
                most = bytes > most ? bytes : most;
                CHECK((double) bytes <= 1.2 * (double) whole / count);
            }
            check_measured(&self, most);
            drop(&self);
        }
    }
}

/* Reading by 1 to 8, every `step`-th case of 16, must fail so, with one message. */
static inline void check_some_refused(data_source source, strads_status status, const char *message,
                                      uint32_t step)
{
    for (uint32_t k = 0; k < 2 * MOST; k += step) {
        const size_t live = strads_mem_live();
        team self = {.source = source,
                     .split = k % 2 == 0 ? DATA_BY_ROWS : DATA_BY_COLUMNS,
                     .count = 1 + k / 2,
                     .n_workers = 1 + k / 2};
        char *said = suite_stderr_of(read_together, &self);
        CHECK_STATUS(self.status, status);
        CHECK(strstr(said, message) != NULL);
        CHECK(strchr(said, '\n') == strrchr(said, '\n'));
        strads_free(said);
        CHECK(strads_mem_live() == live);
    }
}

/* Reading by one that has three workers, of which any allocation fails. */
static inline void check_alone_without_memory(data_source source)
{
    const size_t live = strads_mem_live();
    for (int k = 0; k < 2; k++) {
        const uint32_t ranks[] = {0, 3};
        strads_part part = {.count = 1, .ranks = ranks};
        team self = {.source = source, .split = k == 0 ? DATA_BY_ROWS : DATA_BY_COLUMNS};
        strads_status status = STRADS_ERR_NOMEM;
        for (size_t n = 1; status == STRADS_ERR_NOMEM && n < 1000; n++) {
            strads_mem_fail_after(n);
            status = read_share(&self, &part);
            strads_mem_fail_after(0);
            if (status == STRADS_OK) {
                data_share_fini(&self.shares[0]);
            }
            CHECK(strads_mem_live() == live);
        }
        CHECK_STATUS(status, STRADS_OK);
    }
}

static inline void check_refused_together(data_source source, strads_status status,
                                          const char *message)
{
    check_some_refused(source, status, message, 1);
}

#endif
