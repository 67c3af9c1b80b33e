/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/ratings_write.c - ratings as text, "USER ITEM RATING". */
#include <stdlib.h>

#include "data/data.h"
#include "data/number.h"
#include "data/ratings.h"

/* With as many digits as it takes to read the same value. */
static void put_entry(FILE *to, const data_ratings *ratings, const data_rating *entry)
{
    char user[DATA_ID_BYTES];
    char item[DATA_ID_BYTES];
    char value[32];
    snprintf(value, sizeof(value), "%.6g", (double) entry->value);
    if (strtof(value, NULL) != entry->value) {
        snprintf(value, sizeof(value), "%.9g", (double) entry->value);
    }
    fprintf(to, "%s %s %s\n", data_ids_name(&ratings->ids[DATA_USERS], entry->row, user),
            data_ids_name(&ratings->ids[DATA_ITEMS], entry->column, item), value);
}

strads_status data_ratings_write(const char *path, const data_ratings *ratings)
{
    data_writer *writer = NULL;
    const strads_status status = data_writer_open(&writer, path);
    if (status != STRADS_OK) {
        return status;
    }
    const locale_t saved = data_point_begin();
    for (size_t i = 0; i < ratings->n; i++) {
        put_entry(data_writer_stream(writer), ratings, &ratings->entries[i]);
    }
    data_point_end(saved);
    return data_writer_commit(writer);
}
