/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/csv_header.h - the first line of a CSV file, and how its fields are cut. */
#ifndef STRADS_DATA_CSV_HEADER_H
#define STRADS_DATA_CSV_HEADER_H

#include "data/data.h"
#include "data/ids.h"
#include "data/input.h"

#define CSV_TARGET (UINT32_MAX - 1) /* the place of the field that is the target */
#define CSV_LEFT_OUT UINT32_MAX     /* and of those that are not wanted */

typedef struct csv_header {
    char separator;
    data_ids names;      /* of the fields */
    uint32_t *place;     /* [names.n] the column of each field, or one of the above */
    size_t n_cols;       /* of the matrix */
    bool is_last_target; /* because nothing says what is */
    data_precision precision;
} csv_header;

/* Reads the line of names of a newly opened file, and finds what the source wants. */
STRADS_MUST_CHECK strads_status csv_header_read(csv_header *out, data_input *input,
                                                const data_source *source);
void csv_header_fini(csv_header *header);
/* The name of a field, lent. */
const char *csv_header_name(const csv_header *header, uint32_t field);
bool csv_header_has_target(const csv_header *header);
/* Tells which column is the target where nothing says it. */
void csv_header_say_target(const csv_header *header, const char *path);
/* The names of the columns, as in data_regression. */
STRADS_MUST_CHECK strads_status csv_header_names(char ***out, const csv_header *header,
                                                 const char *path);

/* ---- fields ---- */

/* A field as it stands, without quotes and blanks around it. */
typedef struct csv_field {
    char *begin, *end;
    bool doubled; /* there are doubled quotes in it */
} csv_field;

static inline char *csv_skip_blanks(char separator, char *p)
{
    while (*p == ' ' || (*p == '\t' && separator != '\t')) {
        p++;
    }
    return p;
}

/* Behind the last separator or line end that is held; that may be within quotes. */
char *csv_limit(const data_input *input, char separator);

/* Cuts the field at p < limit; *end: its separator or line end, NULL: that is not held yet. */
STRADS_MUST_CHECK strads_status csv_cut(csv_field *out, char **end, const data_input *input,
                                        char separator, char *p, char *limit);

#endif
