/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/ratings.h - ratings of items by users: reading, splitting, a cache of what was
 * read, writing, and a generator.
 *
 * A file is text, a rating a line, "USER ITEM RATING [TIME]", or a Matrix Market
 * coordinate file; gzip or not. What separates the fields is seen from the first line:
 * "::", a tab, '|', ';', ',' or blanks. A field in double quotes may hold it. When the
 * third field of the first line is no number, the line is a header, which may name the
 * fields, in any order and letter case, among others:
 *
 *   user, userid, user_id, uid          item, itemid, item_id, movie, movieid, movie_id
 *   rating, score, stars                time, timestamp, unixtime
 *
 * A header that names none of the first three leaves them in the usual order.
 *
 * What is wrong with a file is said with FILE:LINE, the value and what is allowed. On
 * failure nothing is left allocated. What is read does not depend on the number of threads.
 */
#ifndef STRADS_DATA_RATINGS_H
#define STRADS_DATA_RATINGS_H

#include "data/ids.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct data_rating {
    uint32_t row;    /* the user's index */
    uint32_t column; /* the item's */
    float value;     /* finite */
} data_rating;

typedef enum data_side { DATA_USERS, DATA_ITEMS, DATA_N_SIDES } data_side;

/* ---- reading ---- */

typedef struct data_ratings {
    data_rating *entries; /* [n] in the file's order; see data_ratings_own */
    double *times;        /* [n] where they were asked for, else NULL */
    size_t n;             /* below 2^32 - 1 */
    size_t n_unseen;      /* entries at the end whose user or item is DATA_UNSEEN; see below */
    size_t n_duplicates;  /* ratings dropped, for the same pair came again later */
    data_ids ids[DATA_N_SIDES];

    /* private */
    void *map; /* NULL, or a cache that is mapped, which entries and times are parts of */
    size_t map_bytes;
} data_ratings;

typedef struct data_ratings_source {
    const char *path;
    /* The ids are texts, whatever they look like. Else a whole number that is negative or
     * beyond 32 bits, in a file where all are numbers, is refused. */
    bool texts[DATA_N_SIDES];
    bool times;         /* are wanted: seconds, or any number that grows */
    uint32_t n_threads; /* 0: as many as there are cores */
    /* Where caches are; "": beside the file; NULL: no cache. What was read of a regular file
     * is taken from there, when the file still has the same path, size and time of change,
     * else put there. They are the key, not the content: to hash it costs as much as to read
     * it. A cache that is damaged is said so, and made anew; none is ever an error. */
    const char *cache;
} data_ratings_source;

STRADS_API STRADS_MUST_CHECK strads_status data_ratings_read(data_ratings *out,
                                                             const data_ratings_source *source);
/* How large a file is: as its cache says where there is one, else it is read. */
typedef struct data_ratings_size {
    size_t n, n_ids[DATA_N_SIDES];
} data_ratings_size;

STRADS_API STRADS_MUST_CHECK strads_status data_ratings_measure(data_ratings_size *out,
                                                                const data_ratings_source *source);
/* A set of zeros is allowed. */
STRADS_API void data_ratings_fini(data_ratings *ratings);
/* Entries and times may be read from a cache only as they are wanted, and must not be written to;
 * after this they are in memory, and may. */
STRADS_API STRADS_MUST_CHECK strads_status data_ratings_own(data_ratings *ratings);
/* These entries have been gone through: what of them is in a cache need not stay in memory until
 * they are looked at again. Any thread may call. */
STRADS_API void data_ratings_set_aside(const data_ratings *ratings, size_t first, size_t n);

/* ---- a test part: test gets no maps of its own, its indices are those of train ---- */

/* Takes a fraction [0, 1) of the ratings out of train: each by a hash of seed and position, so
 * about so many. */
STRADS_API STRADS_MUST_CHECK strads_status data_ratings_split(data_ratings *train,
                                                              data_ratings *test, double fraction,
                                                              uint64_t seed);
/* Takes the latest ones, floor(fraction * n), of two at the same time the later in the file;
 * train must have times (asserted), which are dropped then. */
STRADS_API STRADS_MUST_CHECK strads_status data_ratings_split_latest(data_ratings *train,
                                                                     data_ratings *test,
                                                                     double fraction);
/* Reads a file with the maps of train, whose kinds of ids it takes. Ratings of users or items
 * that train does not know stand at the end and are counted in n_unseen. */
STRADS_API STRADS_MUST_CHECK strads_status data_ratings_read_test(
    data_ratings *test, const data_ratings *train, const data_ratings_source *source);
/* Gives ratings that were read from `path` with maps of their own the indices of others, as
 * above. On failure they are good for data_ratings_fini alone. */
STRADS_API STRADS_MUST_CHECK strads_status data_ratings_adopt(data_ratings *ratings,
                                                              const data_ids ids[DATA_N_SIDES],
                                                              const char *path);

/* ---- what a model is asked for ---- */

/* Reads a file with the id of one user, or item, a line, as indices list[n], n > 0, for
 * strads_free; an id that is not in the map is refused. */
STRADS_API STRADS_MUST_CHECK strads_status data_ids_read_list(uint32_t **list, size_t *n,
                                                              const data_ids ids[DATA_N_SIDES],
                                                              data_side side, const char *path);

/* Reads a file of pairs, or of ratings, with these maps: an entry a line, in the file's order,
 * those that come again too. A pair without a rating has NAN; those of which a side is
 * DATA_UNSEEN are counted in n_unseen and stay where they are. There are no maps in it. */
STRADS_API STRADS_MUST_CHECK strads_status data_ratings_read_pairs(data_ratings *out,
                                                                   const data_ids ids[DATA_N_SIDES],
                                                                   const char *path);

/* ---- writing and generating ---- */

/* Writes lines "USER ITEM RATING", with the original ids; nine digits where a rating needs
 * them. Texts must have no blanks in them. */
STRADS_API STRADS_MUST_CHECK strads_status data_ratings_write(const char *path,
                                                              const data_ratings *ratings);

/* r = 3.5 + b_u + c_i + p_u'q_i + noise. The parts have standard deviations .4, .4 and .65;
 * how many ratings a user gives and an item gets falls off by power laws. */
typedef struct data_ratings_design {
    size_t n_rows, n_columns; /* users and items, each from 1 to 2^32 - 2 */
    size_t n;                 /* ratings, at most half of all pairs */
    uint32_t rank;            /* of p'q */
    double noise;             /* standard deviation */
    uint64_t seed;
} data_ratings_design;

/* The same for the same design. Ids are the numbers from 0 on; users and items that got no
 * rating are in the maps too. */
STRADS_API STRADS_MUST_CHECK strads_status data_ratings_generate(data_ratings *out,
                                                                 const data_ratings_design *design);

#ifdef __cplusplus
}
#endif

#endif
