/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/descent.h - CCD++ (Yu, Hsieh, Si, Dhillon, ICDM 2012): one factor of all users and
 * items after another.
 *
 *   F = 1/2 sum of r^2 + 1/2 sum of penalty_i a_i^2 + 1/2 sum of penalty_j x_j^2
 *
 * where r_ij is what the factors leave of a rating, and a, x are the users' and the items'
 * numbers of a factor. With that factor's a_i x_j added back to r, the a_i that make F least
 * are a_i = (sum over j of r_ij x_j) / (penalty_i + sum of x_j^2), each for itself; the x_j alike
 * from the new a.
 *
 * Memory traffic is what this costs. So there are no ratings by item beside those by user: while
 * a user's ratings are in the nearest cache, r is brought up to date, a_i found, and the user's
 * part of the items' two sums added to them. That is one pass over the ratings a factor.
 *
 * The sums of items are the same bits for every order of users: each part is first rounded to a
 * multiple of 2^-28, and doubles add such numbers without rounding as long as the sums are below
 * 2^25. Parts are about 1, as ratings have variance 1.
 */
#ifndef STRADS_MF_DESCENT_H
#define STRADS_MF_DESCENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers of one factor. */
typedef struct mf_factor {
    float *users, *items;
} mf_factor;

/* An item's, of the two factors that a pass has to do with. */
typedef struct mf_item_pair {
    float last, next;
} mf_item_pair;

typedef struct mf_item_sums {
    double products, squares; /* of r and a; of a */
} mf_item_sums;

typedef struct mf_descent {
    size_t n_users, n_items;
    const size_t *starts;      /* [n_users + 1] where a user's ratings begin, from starts[0] on */
    const uint32_t *items;     /* of each rating, apart within a user */
    float *residuals;          /* alike: r, but that of the last factor that was changed nothing
                                * is taken off yet */
    const float *user_penalty; /* [n_users] >= 0 */
    const float *item_penalty; /* [n_items] >= 0 */
    mf_item_pair *pairs;       /* [n_items] scratch */
    mf_item_sums *sums;        /* [n_items] out */
} mf_descent;

/* Takes the factor `last` off the residuals and adds `next` back, as it is; the two may be the
 * same. Then, where they are not fixed, finds the users' numbers of `next`; who has no rating
 * gets 0. `sums` becomes what these users have in the sums of the items. */
void mf_descent_users(const mf_descent *self, const mf_factor *last, const mf_factor *next,
                      bool fixed);

/* Finds the items' numbers of `next` from the sums of all users; an item without ratings gets 0. */
void mf_descent_items(const mf_descent *self, const mf_factor *next);

/* The sum of r^2, with `last` taken off. */
double mf_descent_squares(const mf_descent *self, const mf_factor *last);

#endif
