/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/mf/descent.c - the loops of CCD++. */
#include "apps/mf/descent.h"

#include <string.h>

enum { LANES = 4 };

/* To this, 1.5 2^52 units, a double is added and taken off again to be rounded to units. */
static const double ROUNDING = 0x1.8p52 * 0x1p-28;

/* The ratings of one user. */
typedef struct ratings {
    const uint32_t *items;
    float *residuals;
    size_t n;
} ratings;

static ratings ratings_of(const mf_descent *self, size_t user)
{
    const size_t first = self->starts[user] - self->starts[0];
    return (ratings){.items = self->items + first,
                     .residuals = self->residuals + first,
                     .n = self->starts[user + 1] - self->starts[user]};
}

/* Puts the items' numbers of both factors side by side, for they are wanted together. */
static void pair_up(const mf_descent *self, const mf_factor *last, const mf_factor *next)
{
    for (size_t j = 0; j < self->n_items; j++) {
        self->pairs[j] = (mf_item_pair){last->items[j], next->items[j]};
    }
}

static double round_to_units(double value)
{
    return (value + ROUNDING) - ROUNDING;
}

static float ratio(double above, double below)
{
    return below > 0.0 ? (float) (above / below) : 0.0F;
}

/* r := r - a x + b y; then the y' r / (y' y + penalty) of this user. */
static float refit(const ratings *of, const mf_item_pair *pairs, float a, float b, float penalty)
{
    float products[LANES] = {0};
    float squares[LANES] = {0};
    size_t k = 0;
    for (; k + LANES <= of->n; k += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            const mf_item_pair pair = pairs[of->items[k + l]];
            const float r = of->residuals[k + l] - a * pair.last + b * pair.next;
            of->residuals[k + l] = r;
            products[l] += r * pair.next;
            squares[l] += pair.next * pair.next;
        }
    }
    for (; k < of->n; k++) {
        const mf_item_pair pair = pairs[of->items[k]];
        const float r = of->residuals[k] - a * pair.last + b * pair.next;
        of->residuals[k] = r;
        products[0] += r * pair.next;
        squares[0] += pair.next * pair.next;
    }
    const float product = (products[0] + products[1]) + (products[2] + products[3]);
    const float square = (squares[0] + squares[1]) + (squares[2] + squares[3]);
    return ratio((double) product, (double) square + (double) penalty);
}

static void add_to_items(const ratings *of, float a, mf_item_sums *sums)
{
    const double square = round_to_units((double) a * (double) a);
    for (size_t k = 0; k < of->n; k++) {
        mf_item_sums *to = &sums[of->items[k]];
        to->products += round_to_units((double) of->residuals[k] * (double) a);
        to->squares += square;
    }
}

void mf_descent_users(const mf_descent *self, const mf_factor *last, const mf_factor *next,
                      bool fixed)
{
    pair_up(self, last, next);
    memset(self->sums, 0, self->n_items * sizeof(*self->sums));
    for (size_t i = 0; i < self->n_users; i++) {
        const ratings of = ratings_of(self, i);
        const float best =
            refit(&of, self->pairs, last->users[i], next->users[i], self->user_penalty[i]);
        if (!fixed) {
            next->users[i] = best;
        }
        add_to_items(&of, next->users[i], self->sums);
    }
}

void mf_descent_items(const mf_descent *self, const mf_factor *next)
{
    for (size_t j = 0; j < self->n_items; j++) {
        next->items[j] =
            ratio(self->sums[j].products, self->sums[j].squares + (double) self->item_penalty[j]);
    }
}

double mf_descent_squares(const mf_descent *self, const mf_factor *last)
{
    double sum = 0.0;
    for (size_t i = 0; i < self->n_users; i++) {
        const ratings of = ratings_of(self, i);
        for (size_t k = 0; k < of.n; k++) {
            const double r = (double) (of.residuals[k] - last->users[i] * last->items[of.items[k]]);
            sum += r * r;
        }
    }
    return sum;
}
