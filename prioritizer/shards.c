/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prioritizer/shards.c - which shard, and what of it: totals, stocks, and the hand.
 *
 * Why a stock that was drawn ahead is as good as a draw now. Drawing one by one without
 * replacement by weight, the order of those that are left is the same whether others are
 * in the race or not (weights are rates, and whose clock rings first is drawn next). So
 * the shard can find its own order at any time, and who comes next of all is the next of
 * some shard, with a chance by what can be drawn there.
 */
#include "prioritizer/shards.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "prioritizer/hand.h"
#include "prioritizer/stock.h"

static const uint32_t NONE = UINT32_MAX; /* no variable, no source */

/* A shard. */
typedef struct source {
    prio_stock stock;
    bool begun; /* it was asked before */
    bool due;   /* it has to be asked before the next draw */
    bool asked; /* and has not answered */
} source;

struct prio_shards {
    prio_shards_options options;
    uint32_t *firsts;
    strads_random random;
    prio_hand hand;
    source *sources; /* [n_shards] */
    prio_stock own;  /* drawn ahead from the hand, within a draw */
    double *weights; /* [n_shards + 1] while variables are drawn; the last is the hand's */
    double floor;    /* of the last draw, or for the first since a scan */
    double weight;   /* of everything, then */
    bool fresh;      /* the shards are to take the scores of the last scan */
    uint32_t urgent; /* NONE: none is */
    uint32_t chosen; /* the source of the next draw, which had nothing in stock; NONE: none is */

    uint32_t *back_vars; /* what goes back, by shard */
    float *back_scores;
    size_t *back_starts; /* [n_shards + 1] */
};

/* ---- totals ---- */

static prio_total plus(prio_total a, prio_total b)
{
    return (prio_total){.sum = a.sum + b.sum,
                        .n_positive = a.n_positive + b.n_positive,
                        .n_open = a.n_open + b.n_open};
}

prio_total prio_shards_left(const prio_shards *shards)
{
    prio_total left = prio_left(shards->hand.prio);
    for (uint32_t s = 0; s < shards->options.n_shards; s++) {
        left = plus(left, prio_stock_left(&shards->sources[s].stock));
    }
    return left;
}

/* What a draw goes by. */
static double weight_of(const prio_shards *shards, prio_total left, double floor)
{
    if (shards->options.policy == PRIO_GREEDY) {
        return left.n_positive;
    }
    return (left.n_positive > 0 ? left.sum : 0.0) + floor * left.n_open;
}

/* Finds the floor, and the weight of everything. */
static void look(prio_shards *shards)
{
    const prio_total left = prio_shards_left(shards);
    shards->floor =
        shards->options.policy == PRIO_GREEDY ? 0.0 : prio_floor(&left, shards->options.eta);
    shards->weight = weight_of(shards, left, shards->floor);
}

/* ---- life ---- */

strads_status prio_shards_create(prio_shards **out, const prio_shards_options *options)
{
    const uint32_t n = options->n_shards;
    assert(options->policy == PRIO_SAMPLED || options->policy == PRIO_GREEDY);
    assert(isfinite(options->eta) && options->eta >= 0.0);
    assert(n > 0 && options->firsts[0] == 0 && options->firsts[n] > 0);
    prio_shards *shards = strads_calloc(1, sizeof(*shards));
    if (shards == NULL) {
        return STRADS_ERR_NOMEM;
    }
    shards->options = *options;
    shards->random = strads_random_start(options->seed, 0);
    shards->urgent = shards->chosen = NONE;
    shards->firsts = strads_alloc_array((size_t) n + 1, sizeof(*shards->firsts));
    shards->sources = strads_calloc(n, sizeof(*shards->sources));
    shards->weights = strads_calloc((size_t) n + 1, sizeof(*shards->weights));
    shards->back_starts = strads_calloc((size_t) n + 1, sizeof(*shards->back_starts));
    const prio_options hand = {.policy = options->policy, .seed = options->seed, .stream = 1};
    const bool whole = shards->firsts != NULL && shards->sources != NULL &&
                       shards->weights != NULL && shards->back_starts != NULL;
    const strads_status status =
        whole ? prio_hand_init(&shards->hand, options->firsts[n], &hand) : STRADS_ERR_NOMEM;
    if (status != STRADS_OK) {
        prio_shards_destroy(shards);
        return status;
    }
    memcpy(shards->firsts, options->firsts, ((size_t) n + 1) * sizeof(*shards->firsts));
    shards->options.firsts = shards->firsts;
    for (uint32_t s = 0; s < n; s++) {
        const uint32_t n_vars = shards->firsts[s + 1] - shards->firsts[s];
        shards->sources[s].stock.rest =
            (prio_total){.sum = n_vars, .n_positive = n_vars, .n_open = n_vars};
        shards->sources[s].due = true;
    }
    look(shards);
    *out = shards;
    return STRADS_OK;
}

void prio_shards_destroy(prio_shards *shards)
{
    if (shards == NULL) {
        return;
    }
    for (uint32_t s = 0; shards->sources != NULL && s < shards->options.n_shards; s++) {
        prio_stock_fini(&shards->sources[s].stock);
    }
    prio_stock_fini(&shards->own);
    prio_hand_fini(&shards->hand);
    strads_free(shards->firsts);
    strads_free(shards->sources);
    strads_free(shards->weights);
    strads_free(shards->back_vars);
    strads_free(shards->back_scores);
    strads_free(shards->back_starts);
    strads_free(shards);
}

/* ---- after a scan ---- */

static uint32_t shard_of(const prio_shards *shards, uint32_t var)
{
    uint32_t low = 0;
    uint32_t high = shards->options.n_shards;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (shards->firsts[middle] <= var) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Lists what is in hand by shard; back_starts is all 0. */
static strads_status list_hand(prio_shards *shards)
{
    const prio_hand *hand = &shards->hand;
    size_t *starts = shards->back_starts;
    strads_free(shards->back_vars);
    strads_free(shards->back_scores);
    shards->back_vars = strads_alloc_array((size_t) hand->n + 1, sizeof(*shards->back_vars));
    shards->back_scores = strads_alloc_array((size_t) hand->n + 1, sizeof(*shards->back_scores));
    if (shards->back_vars == NULL || shards->back_scores == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const uint32_t n_shards = shards->options.n_shards;
    for (uint32_t slot = 0; slot < hand->n; slot++) {
        starts[shard_of(shards, hand->vars[slot]) + 1]++;
    }
    for (uint32_t s = 0; s < n_shards; s++) {
        starts[s + 1] += starts[s];
    }
    for (uint32_t slot = 0; slot < hand->n; slot++) {
        const size_t at = starts[shard_of(shards, hand->vars[slot])]++;
        shards->back_vars[at] = hand->vars[slot];
        shards->back_scores[at] = prio_score(hand->prio, slot);
    }
    memmove(starts + 1, starts, n_shards * sizeof(*starts));
    starts[0] = 0;
    return STRADS_OK;
}

/* What can be drawn of shard s once all is back. */
static prio_total with_those_back(const prio_shards *shards, uint32_t s)
{
    prio_total left = prio_stock_left(&shards->sources[s].stock);
    for (size_t i = shards->back_starts[s]; i < shards->back_starts[s + 1]; i++) {
        const float score = shards->back_scores[i];
        left = plus(left, (prio_total){.sum = score > 0.0F ? (double) score : 0.0,
                                       .n_positive = score > 0.0F,
                                       .n_open = 1});
    }
    return left;
}

static void drop(prio_shards *shards, prio_stock *stock)
{
    while (prio_stock_size(stock) > 0) {
        float score = 0.0F;
        prio_hand_expect_no_more(&shards->hand, prio_stock_next(stock, &score));
    }
}

strads_status prio_shards_scanned(prio_shards *shards, const prio_total *fresh)
{
    assert(prio_left(shards->hand.prio).n_open == shards->hand.n); /* none is out */
    const size_t n_starts = (size_t) shards->options.n_shards + 1;
    memset(shards->back_starts, 0, n_starts * sizeof(*shards->back_starts));
    const strads_status status = fresh == NULL ? list_hand(shards) : STRADS_OK;
    if (status != STRADS_OK) {
        return status;
    }
    for (uint32_t s = 0; s < shards->options.n_shards; s++) {
        source *of = &shards->sources[s];
        assert(!of->asked);
        of->stock.rest = fresh != NULL ? fresh[s] : with_those_back(shards, s);
        of->due = true;
        drop(shards, &of->stock);
    }
    prio_hand_clear(&shards->hand);
    shards->fresh = fresh != NULL;
    shards->urgent = shards->chosen = NONE;
    look(shards);
    return STRADS_OK;
}

void prio_shards_urge(prio_shards *shards, uint32_t var)
{
    assert(var < shards->hand.n_vars);
    shards->urgent = var;
}

/* ---- asking ---- */

/* How many more to fetch from a shard of which a round draws `expected` in the mean: none
 * while two rounds are in stock, with what chance adds; then enough for four. */
static double wanted(double expected, size_t n_stock)
{
    const double low = 2.0 * expected + 3.0 * sqrt(2.0 * expected) + 3.0;
    const double full = 4.0 * expected + 4.0 * sqrt(4.0 * expected) + 8.0;
    return (double) n_stock < low ? ceil(full) - (double) n_stock : 0.0;
}

static uint32_t n_to_fetch(const prio_shards *shards, const source *of)
{
    const double weight = weight_of(shards, prio_stock_left(&of->stock), shards->floor);
    const double share = shards->weight > 0.0 ? weight / shards->weight : 0.0;
    const double n = wanted((double) shards->options.most * share, prio_stock_size(&of->stock));
    const uint32_t most = shards->floor > 0.0 ? of->stock.rest.n_open : of->stock.rest.n_positive;
    return n < (double) most ? (uint32_t) n : most;
}

bool prio_shards_ask(prio_shards *shards, uint32_t s, prio_request *request)
{
    source *of = &shards->sources[s];
    const uint32_t n_draws = n_to_fetch(shards, of);
    if (of->asked || (!of->due && n_draws == 0)) {
        return false;
    }
    *request = (prio_request){.n_draws = n_draws, .floor = shards->floor};
    if (of->due) {
        const size_t first = shards->back_starts[s];
        request->restart = !of->begun;
        request->back = true;
        request->n = shards->back_starts[s + 1] - first;
        request->vars = request->n > 0 ? shards->back_vars + first : NULL;
        request->scores = request->n > 0 ? shards->back_scores + first : NULL;
        request->fresh = shards->fresh;
        request->claims = shards->urgent != NONE && shard_of(shards, shards->urgent) == s;
        request->claimed = request->claims ? shards->urgent : 0;
    }
    of->begun = of->asked = true;
    return true;
}

strads_status prio_shards_take(prio_shards *shards, uint32_t s, const prio_answer *answer,
                               uint32_t *twice)
{
    source *of = &shards->sources[s];
    assert(of->asked);
    strads_status status = prio_stock_reserve(&of->stock, answer->n);
    if (status == STRADS_OK) {
        status = prio_hand_reserve(&shards->hand, 1);
    }
    if (status != STRADS_OK) {
        return status;
    }
    for (size_t i = 0; i < answer->n; i++) {
        const uint32_t var = answer->vars[i];
        if (!prio_hand_expect(&shards->hand, var)) {
            *twice = var;
            return STRADS_ERR_DATA;
        }
        if (i == 0 && of->due && var == shards->urgent) {
            prio_hand_add(&shards->hand, var, answer->scores[i]);
            prio_hand_return(&shards->hand, &var, 1, NULL);
        } else {
            prio_stock_add(&of->stock, var, answer->scores[i]);
        }
    }
    prio_stock_sum(&of->stock);
    of->stock.rest = answer->left;
    of->asked = of->due = false;
    return STRADS_OK;
}

/* ---- drawing ---- */

static prio_stock *stock_of(const prio_shards *shards, uint32_t s)
{
    return s == shards->options.n_shards ? (prio_stock *) &shards->own : &shards->sources[s].stock;
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

/* Chooses a source by weight; NONE when none has any. */
static uint32_t choose(prio_shards *shards)
{
    const uint32_t n_shards = shards->options.n_shards;
    double total = 0.0;
    for (uint32_t s = 0; s <= n_shards; s++) {
        total += shards->weights[s];
    }
    if (!(total > 0.0)) {
        return NONE;
    }
    double target = strads_random_uniform(&shards->random) * total;
    uint32_t last = NONE; /* with a weight, should rounding leave some of the target */
    for (uint32_t s = 0; s <= n_shards; s++) {
        if (shards->weights[s] > 0.0) {
            last = s;
            if (target < shards->weights[s]) {
                break;
            }
        }
        target -= shards->weights[s];
    }
    return last;
}

static void weigh(prio_shards *shards, uint32_t s)
{
    shards->weights[s] = weight_of(shards, prio_stock_left(stock_of(shards, s)), shards->floor);
}

/* How many to draw ahead from the hand when n are still to be drawn. */
static size_t n_of_hand(const prio_shards *shards, size_t n)
{
    const double expected =
        (double) n * (shards->weights[shards->options.n_shards] / shards->weight);
    const double wanted = fmax(ceil(expected + sqrt(expected)), 1.0);
    return wanted < (double) n ? (size_t) wanted : n;
}

static size_t draw_sampled(prio_shards *shards, size_t n, uint32_t *vars, bool *waits)
{
    const uint32_t hand = shards->options.n_shards;
    size_t n_drawn = 0;
    for (uint32_t s = 0; s <= hand; s++) {
        weigh(shards, s);
    }
    while (n_drawn < n) {
        const uint32_t s = shards->chosen != NONE ? shards->chosen : choose(shards);
        if (s == NONE) {
            break;
        }
        shards->chosen = NONE;
        if (s == hand && prio_stock_size(&shards->own) == 0) {
            restock_hand(shards, n_of_hand(shards, n - n_drawn), vars + n_drawn);
        }
        if (prio_stock_size(stock_of(shards, s)) == 0) {
            shards->chosen = s;
            *waits = true;
            break;
        }
        vars[n_drawn++] = take_next(shards, s);
        weigh(shards, s);
    }
    return n_drawn;
}

/* The source that begins with the largest score; NONE: none is left. A shard that has more
 * than its empty stock could have the largest of all: *waits. */
static uint32_t find_largest(const prio_shards *shards, bool *waits)
{
    uint32_t best = NONE;
    float largest = 0.0F;
    for (uint32_t s = 0; s <= shards->options.n_shards; s++) {
        const prio_stock *stock = stock_of(shards, s);
        if (prio_stock_size(stock) == 0) {
            *waits = *waits || stock->rest.n_positive > 0;
        } else if (best == NONE || stock->scores[stock->head] > largest) {
            best = s;
            largest = stock->scores[stock->head];
        }
    }
    return best;
}

static size_t draw_greedy(prio_shards *shards, size_t n, uint32_t *vars, bool *waits)
{
    size_t n_drawn = 0;
    restock_hand(shards, n, vars); /* of which no more can be taken */
    shards->own.rest.n_positive = 0;
    while (n_drawn < n) {
        const uint32_t s = find_largest(shards, waits);
        if (*waits || s == NONE) {
            break;
        }
        vars[n_drawn++] = take_next(shards, s);
    }
    return n_drawn;
}

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
    shards->urgent = NONE;
    if (urgent != NONE && prio_hand_has(&shards->hand, urgent) &&
        prio_hand_claim(&shards->hand, urgent)) {
        vars[(*n_drawn)++] = urgent;
    }
    look(shards);
    shards->own.rest = prio_left(shards->hand.prio);
    *n_drawn += shards->options.policy == PRIO_GREEDY
                    ? draw_greedy(shards, n - *n_drawn, vars + *n_drawn, waits)
                    : draw_sampled(shards, n - *n_drawn, vars + *n_drawn, waits);
    return_own(shards);
    return STRADS_OK;
}

void prio_shards_return(prio_shards *shards, const uint32_t *vars, size_t n, const float *scores)
{
    prio_hand_return(&shards->hand, vars, n, scores);
}

float prio_shards_score(const prio_shards *shards, uint32_t var)
{
    return prio_hand_score(&shards->hand, var);
}
