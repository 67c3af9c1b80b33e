/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/ratings_duplicates.c - of several ratings of a pair the last one counts.
 *
 * Positions are sorted by row, by counting, unless the file is, as most are. Then each row's are
 * gone through from the last to the first, with a stamp on every column that was met. Threads
 * have ranges of rows. A rating that is dropped has no value then; those that were read have one.
 */
#include <math.h>
#include <string.h>

#include "base/tasks.h"
#include "data/ratings_parts.h"

typedef struct search {
    data_ratings *ratings;
    uint32_t *next;     /* [n_rows + 1] where the next position of each row goes; at the end
                         * where those of the next row begin */
    uint32_t *position; /* [n] by row, ascending; NULL: they are as they stand */
} search;

/* next[r + 1] := how many ratings row r has, for rows [first, last). */
static strads_status count_rows(void *context, size_t first, size_t last)
{
    const search *all = context;
    const size_t n_rows = last - first;
    for (size_t i = 0; i < all->ratings->n; i++) {
        const size_t row = all->ratings->entries[i].row - first;
        if (row < n_rows) {
            all->next[first + row + 1]++;
        }
    }
    return STRADS_OK;
}

static strads_status sort_rows(void *context, size_t first, size_t last)
{
    const search *all = context;
    const size_t n_rows = last - first;
    for (size_t i = 0; i < all->ratings->n; i++) {
        const size_t row = all->ratings->entries[i].row - first;
        if (row < n_rows) {
            all->position[all->next[first + row]++] = (uint32_t) i;
        }
    }
    return STRADS_OK;
}

static strads_status mark_rows(void *context, size_t first, size_t last)
{
    const search *all = context;
    data_rating *entries = all->ratings->entries;
    uint32_t *stamp = strads_calloc(all->ratings->ids[DATA_ITEMS].n, sizeof(*stamp));
    if (stamp == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t row = first; row < last; row++) {
        const size_t begin = row > 0 ? all->next[row - 1] : 0;
        for (size_t k = all->next[row]; k-- > begin;) {
            const size_t at = all->position != NULL ? all->position[k] : k;
            uint32_t *seen = &stamp[entries[at].column];
            entries[at].value = *seen == row + 1 ? NAN : entries[at].value;
            *seen = (uint32_t) row + 1;
        }
    }
    strads_free(stamp);
    return STRADS_OK;
}

/* Closes the gaps, if there are any. */
static void drop(data_ratings *ratings)
{
    size_t n = 0;
    while (n < ratings->n && !isnan(ratings->entries[n].value)) {
        n++;
    }
    for (size_t i = n; i < ratings->n; i++) {
        if (isnan(ratings->entries[i].value)) {
            continue;
        }
        ratings->entries[n] = ratings->entries[i];
        if (ratings->times != NULL) {
            ratings->times[n] = ratings->times[i];
        }
        n++;
    }
    ratings->n_duplicates += ratings->n - n;
    ratings->n = n;
}

static bool are_by_row(const data_ratings *ratings)
{
    for (size_t i = 1; i < ratings->n; i++) {
        if (ratings->entries[i - 1].row > ratings->entries[i].row) {
            return false;
        }
    }
    return true;
}

strads_status ratings_drop_duplicates(data_ratings *ratings, uint32_t n_threads)
{
    const size_t n_rows = ratings->ids[DATA_USERS].n;
    const bool by_row = are_by_row(ratings);
    search all = {.ratings = ratings,
                  .next = strads_calloc(n_rows + 1, sizeof(uint32_t)),
                  .position = by_row ? NULL : strads_alloc_array(ratings->n, sizeof(uint32_t))};
    strads_status status = STRADS_ERR_NOMEM;
    if (all.next != NULL && (by_row || all.position != NULL)) {
        status = strads_parallel_for(n_threads, n_rows, count_rows, &all);
        for (size_t row = 0; row < n_rows; row++) {
            all.next[row + 1] += all.next[row];
        }
    }
    if (status == STRADS_OK && by_row) {
        memmove(all.next, all.next + 1, n_rows * sizeof(*all.next));
    } else if (status == STRADS_OK) {
        status = strads_parallel_for(n_threads, n_rows, sort_rows, &all);
    }
    if (status == STRADS_OK) {
        status = strads_parallel_for(n_threads, n_rows, mark_rows, &all);
    }
    if (status == STRADS_OK) {
        drop(ratings);
    }
    strads_free(all.next);
    strads_free(all.position);
    return status;
}
