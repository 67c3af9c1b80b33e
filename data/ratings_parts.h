/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/ratings_parts.h - what the files of the ratings reader share. */
#ifndef STRADS_DATA_RATINGS_PARTS_H
#define STRADS_DATA_RATINGS_PARTS_H

#include "data/input.h"
#include "data/ratings.h"

static inline uint32_t *ratings_index(data_rating *rating, data_side side)
{
    return side == DATA_USERS ? &rating->row : &rating->column;
}

/* ---- ids (ids.c) ---- */

/* Makes the map of the numbers on one side of the entries, none above `max`, and puts
 * their indices in their place. NOMEM is not said. */
STRADS_MUST_CHECK strads_status ratings_ids_number(data_ids *out, data_rating *entries, size_t n,
                                                   data_side side, uint32_t max,
                                                   uint32_t n_threads);

/* ---- the form of a file (ratings_layout.c) ---- */

enum { RATINGS_MAX_FIELDS = 64, RATINGS_TIME = 3, RATINGS_N_ROLES = 4 };

/* What must be found in a line; its value is how many fields that are. */
typedef enum ratings_wanted {
    RATINGS_PAIR = 2, /* the user and the item; there may be a rating */
    RATINGS_RATED,    /* the rating too */
    RATINGS_TIMED     /* and the time */
} ratings_wanted;

/* A field as it stands in the line, its quotes left out. */
typedef struct ratings_field {
    char *begin, *end;
    bool doubled; /* there are doubled quotes in it */
} ratings_field;

typedef struct ratings_layout {
    char separator;               /* ' ': blanks; ':': "::" */
    bool numbers;                 /* Matrix Market: ids are numbers */
    uint32_t at[RATINGS_N_ROLES]; /* which field is the user, item, rating, time; one that is
                                   * not wanted may be beyond all */
    uint32_t least, most;         /* how many fields a line may have; most may be without end */
    bool times;                   /* are read */
    uint32_t min_id, max_id[DATA_N_SIDES];
    uint64_t n_stated; /* ratings in the file; UINT64_MAX: not stated */
} ratings_layout;

/* Cuts a line into fields, at most `room`; returns how many. */
size_t ratings_cut(char separator, char *line, char *end, ratings_field *fields, size_t room);

/* Makes "" in quotes ", in place; returns the new end, where a byte that was there is left. */
char *ratings_join_doubled(const ratings_field *field);

/* Finds the form of a newly opened file and reads its head; no line has been read, or as
 * many as input->line says. */
STRADS_MUST_CHECK strads_status ratings_layout_find(ratings_layout *out, data_input *input,
                                                    ratings_wanted wanted);

/* ---- pieces (ratings_piece.c) ---- */

/* What is wrong with a line, said when it is known that none before it is wrong. */
typedef struct ratings_fault {
    size_t line; /* 0: nothing */
    char text[192];
} ratings_fault;

/* The lines of a range, while ids are the file's numbers, or indices of `texts`. */
typedef struct ratings_piece {
    const ratings_layout *layout;
    bool is_text[DATA_N_SIDES]; /* what ids are taken for; set when one is no number */
    data_rating *entries;
    double *times;
    size_t n, room, times_room;
    data_ids texts[DATA_N_SIDES];
    uint32_t max_id[DATA_N_SIDES];
    ratings_fault fault;
    ratings_fault beyond[DATA_N_SIDES]; /* the first number that has more than 32 bits */
    bool lost[DATA_N_SIDES];            /* reading ended there: texts before it were lost */
    strads_status status;               /* what has been said already */
} ratings_piece;

/* Reads all lines of the input into a piece that has its layout and is_text. */
void ratings_piece_read(ratings_piece *piece, data_input *input);
void ratings_piece_fini(ratings_piece *piece);

/* ---- pairs that came again (ratings_duplicates.c) ---- */

/* Drops all but the last rating of a pair, and counts them. NOMEM is not said. */
STRADS_MUST_CHECK strads_status ratings_drop_duplicates(data_ratings *ratings, uint32_t n_threads);

/* ---- the cache (ratings_cache.c) ---- */

enum { RATINGS_CACHE_VERSION = 2 };

/* A cache file (sections.h): this, the entries, the times where flags say so, and for each side
 * the numbers, or the starts and the texts. In the byte order of the machine, which `magic`
 * shows. */
typedef struct ratings_cache_head {
    uint64_t magic;
    uint32_t version, flags;
    uint64_t key; /* of the source */
    uint64_t n, n_duplicates;
    uint64_t n_ids[DATA_N_SIDES], text_bytes[DATA_N_SIDES];
    uint64_t checksum; /* XXH3 of the fields above and the hashes */
} ratings_cache_head;

/* The name of the cache of a source, for strads_free, and its key; *out is NULL where there
 * can be none. */
STRADS_MUST_CHECK strads_status ratings_cache_name(char **out, uint64_t *key,
                                                   const data_ratings_source *source);
/* True when the file is there, of this key and whole; warns of one that cannot be used. */
bool ratings_cache_load(data_ratings *out, const char *path, uint64_t key);
/* The sizes in its head; false: there is none of this key. */
bool ratings_cache_measure(data_ratings_size *out, const char *path, uint64_t key);
/* Warns when it cannot be written. */
void ratings_cache_save(const data_ratings *ratings, const char *path, uint64_t key);

#endif
