/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prioritizer/shards_draw.c - which shard, or the hand, and then its next.
 *
 * Why a stock that was drawn ahead is as good as a draw now. Drawing one by one without
 * replacement by weight, the order of those that are left is the same whether others are
 * in the race or not (weights are rates, and whose clock rings first is drawn next). So
 * the shard can find its own order at any time, and who comes next of all is the next of
 * some shard, with a chance by what can be drawn there.
 *
 * Within a draw nothing comes to the hand either, and it has a stock like all others.
 */
#include <math.h>

#include "prioritizer/shards_state.h"

/* How far a shard that draws wait for goes beyond its share. */
static const double MOST_HUNGER = 1024.0;

static prio_stock *stock_of(prio_shards *shards, uint32_t s)
{
    return s == shards->options.n_shards ? &shards->own : &shards->sources[s].stock;
}

/* Takes the next of source s; what comes from a shard is in hand then. */
static uint32_t take_next(prio_shards *shards, uint32_t s)
{
    float score = 0.0F;
    const uint32_t var = prio_stock_next(stock_of(shards, s), &score);
    if (s < shards->options.n_shards) {
        prio_hand_add(&shards->hand, var, score);
    }
    return var;
}

/* A draw waits for shard s. */
static void wait_for(prio_shards *shards, uint32_t s)
{
    shards->sources[s].hunger = fmin(2.0 * shards->sources[s].hunger, MOST_HUNGER);
}

/* ---- the hand ---- */

/* Draws n more from the hand; vars[n] is room for them. */
static void restock_hand(prio_shards *shards, size_t n, uint32_t *vars)
{
    const size_t n_drawn = prio_hand_draw(&shards->hand, n, shards->floor, vars);
    for (size_t i = 0; i < n_drawn; i++) {
        prio_stock_add(&shards->own, vars[i], prio_hand_score(&shards->hand, vars[i]));
    }
    prio_stock_sum(&shards->own);
    shards->own.rest = prio_left(shards->hand.prio);
}

/* What was drawn from the hand and not taken goes back. */
static void return_own(prio_shards *shards)
{
    prio_stock *own = &shards->own;
    prio_hand_return(&shards->hand, own->vars + own->head, prio_stock_size(own), NULL);
    own->head = own->n = 0;
    own->n_positive = 0;
}

/* ---- by weight ---- */

static void weigh(prio_shards *shards, uint32_t s)
{
    const prio_total left = prio_stock_left(stock_of(shards, s));
    prio_wheel_set(&shards->wheel, s, prio_shards_weight(shards, left));
}

/* How many to draw ahead from the hand when n are still to be drawn. */
static size_t n_of_hand(const prio_shards *shards, size_t n)
{
    const double share = shards->wheel.weights[shards->options.n_shards] / shards->weight;
    const double expected = (double) n * share;
    const double wanted = fmax(ceil(expected + sqrt(expected)), 1.0);
    return wanted < (double) n ? (size_t) wanted : n;
}

/* The source of the next variable: the one that the draw has waited for, or another. */
static uint32_t choose(prio_shards *shards)
{
    const uint32_t chosen = shards->chosen;
    shards->chosen = PRIO_NONE;
    return chosen != PRIO_NONE && shards->wheel.weights[chosen] > 0.0
               ? chosen
               : prio_wheel_choose(&shards->wheel, strads_random_uniform(&shards->random));
}

static size_t draw_sampled(prio_shards *shards, size_t n, uint32_t *vars, bool *waits)
{
    const uint32_t hand = shards->options.n_shards;
    size_t n_drawn = 0;
    for (uint32_t s = 0; s <= hand; s++) {
        weigh(shards, s);
    }
    while (n_drawn < n) {
        const uint32_t s = choose(shards);
        if (s == PRIO_NONE) {
            break;
        }
        if (s == hand && prio_stock_size(&shards->own) == 0) {
            restock_hand(shards, n_of_hand(shards, n - n_drawn), vars + n_drawn);
        }
        if (prio_stock_size(stock_of(shards, s)) == 0) {
            wait_for(shards, s);
            shards->chosen = s;
            *waits = true;
            break;
        }
        vars[n_drawn++] = take_next(shards, s);
        weigh(shards, s);
    }
    return n_drawn;
}

/* ---- the largest ---- */

/* Notes with what score a source begins; false: its stock is empty but not its shard, which
 * could have the largest of all. */
static bool note_first(prio_shards *shards, uint32_t s)
{
    const prio_stock *stock = stock_of(shards, s);
    const bool has = prio_stock_size(stock) > 0;
    prio_wheel_set(&shards->wheel, s, has ? (double) stock->scores[stock->head] : 0.0);
    if (!has && s < shards->options.n_shards && stock->rest.n_positive > 0) {
        wait_for(shards, s);
        return false;
    }
    return true;
}

static size_t draw_greedy(prio_shards *shards, size_t n, uint32_t *vars, bool *waits)
{
    size_t n_drawn = 0;
    restock_hand(shards, n, vars); /* of which no more can be taken */
    for (uint32_t s = 0; s <= shards->options.n_shards; s++) {
        *waits = !note_first(shards, s) || *waits;
    }
    while (n_drawn < n && !*waits) {
        const uint32_t s = prio_wheel_largest(&shards->wheel);
        if (s == PRIO_NONE) {
            break;
        }
        vars[n_drawn++] = take_next(shards, s);
        *waits = !note_first(shards, s) && n_drawn < n;
    }
    return n_drawn;
}

/* ---- */

static bool any_due(const prio_shards *shards)
{
    bool due = false;
    for (uint32_t s = 0; s < shards->options.n_shards; s++) {
        due = due || shards->sources[s].due;
    }
    return due;
}

strads_status prio_shards_draw(prio_shards *shards, size_t n, uint32_t *vars, size_t *n_drawn,
                               bool *waits)
{
    const uint32_t urgent = shards->urgent;
    *n_drawn = 0;
    *waits = any_due(shards);
    if (*waits || n == 0) {
        return STRADS_OK;
    }
    strads_status status = prio_hand_reserve(&shards->hand, n);
    if (status == STRADS_OK) {
        status = prio_stock_reserve(&shards->own, n);
    }
    if (status != STRADS_OK) {
        return status;
    }
    if (!shards->amid) { /* all of a draw has the same floor */
        prio_shards_look(shards);
    }
    shards->urgent = PRIO_NONE;
    if (urgent != PRIO_NONE && prio_hand_has(&shards->hand, urgent) &&
        prio_hand_claim(&shards->hand, urgent)) {
        vars[(*n_drawn)++] = urgent;
    }
    shards->own.rest = prio_left(shards->hand.prio);
    *n_drawn += shards->options.policy == PRIO_GREEDY
                    ? draw_greedy(shards, n - *n_drawn, vars + *n_drawn, waits)
                    : draw_sampled(shards, n - *n_drawn, vars + *n_drawn, waits);
    return_own(shards);
    shards->amid = *waits;
    return STRADS_OK;
}
