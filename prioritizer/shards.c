/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prioritizer/shards.c - what shards have, are asked for and answer.
 */
#include "prioritizer/shards_state.h"

#include <assert.h>
#include <math.h>
#include <string.h>

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

double prio_shards_weight(const prio_shards *shards, prio_total left)
{
    if (shards->options.policy == PRIO_GREEDY) {
        return left.n_positive;
    }
    return (left.n_positive > 0 ? left.sum : 0.0) + shards->floor * left.n_open;
}

void prio_shards_look(prio_shards *shards)
{
    const prio_total left = prio_shards_left(shards);
    shards->floor =
        shards->options.policy == PRIO_GREEDY ? 0.0 : prio_floor(&left, shards->options.eta);
    shards->weight = prio_shards_weight(shards, left);
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
    shards->urgent = shards->chosen = PRIO_NONE;
    shards->firsts = strads_alloc_array((size_t) n + 1, sizeof(*shards->firsts));
    shards->sources = strads_calloc(n, sizeof(*shards->sources));
    shards->back_starts = strads_calloc((size_t) n + 1, sizeof(*shards->back_starts));
    const prio_options hand = {.policy = options->policy, .seed = options->seed, .stream = 1};
    const bool whole =
        shards->firsts != NULL && shards->sources != NULL && shards->back_starts != NULL;
    strads_status status = whole ? prio_wheel_init(&shards->wheel, n + 1) : STRADS_ERR_NOMEM;
    if (status == STRADS_OK) {
        status = prio_hand_init(&shards->hand, options->firsts[n], &hand);
    }
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
        shards->sources[s].hunger = 1.0;
    }
    prio_shards_look(shards);
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
    prio_wheel_fini(&shards->wheel);
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
        prio_source *of = &shards->sources[s];
        assert(!of->asked);
        of->stock.rest = fresh != NULL ? fresh[s] : with_those_back(shards, s);
        of->due = true;
        of->hunger = 1.0;
        drop(shards, &of->stock);
    }
    prio_hand_clear(&shards->hand);
    shards->fresh = fresh != NULL;
    shards->amid = false;
    shards->urgent = shards->chosen = PRIO_NONE;
    prio_shards_look(shards);
    return STRADS_OK;
}

void prio_shards_urge(prio_shards *shards, uint32_t var)
{
    assert(var < shards->hand.n_vars);
    shards->urgent = var;
}

/* ---- asking ---- */

/* How many more to fetch from a shard of which a round draws `expected` in the mean: none
 * while two rounds are in stock, with what chance adds; then enough for four. `ahead` more are
 * drawn before an answer is taken. */
static double wanted(double expected, size_t ahead, size_t n_stock)
{
    const double low = (double) (2 + ahead) * expected;
    const double full = (double) (4 + ahead) * expected;
    return (double) n_stock < low + 3.0 * sqrt(low) + 3.0
               ? ceil(full + 4.0 * sqrt(full)) + 8.0 - (double) n_stock
               : 0.0;
}

static uint32_t n_to_fetch(const prio_shards *shards, const prio_source *of)
{
    const double weight = prio_shards_weight(shards, prio_stock_left(&of->stock));
    const double share = shards->weight > 0.0 ? weight / shards->weight : 0.0;
    const size_t n_stock = prio_stock_size(&of->stock);
    const double n = wanted((double) shards->options.most * fmin(share * of->hunger, 1.0),
                            shards->options.ahead, n_stock);
    const uint32_t most = shards->floor > 0.0 ? of->stock.rest.n_open : of->stock.rest.n_positive;
    return n < (double) most ? (uint32_t) n : most;
}

bool prio_shards_ask(prio_shards *shards, uint32_t s, prio_request *request)
{
    prio_source *of = &shards->sources[s];
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
        request->claims = shards->urgent != PRIO_NONE && shard_of(shards, shards->urgent) == s;
        request->claimed = request->claims ? shards->urgent : 0;
    }
    of->begun = of->asked = true;
    return true;
}

/* Whether all that a shard had to draw is drawn or left; after a scan what it has was told
 * before it heard who is retired for good. */
static bool adds_up(const prio_source *of, const prio_answer *answer)
{
    const prio_total *before = &of->stock.rest;
    uint32_t n_positive = answer->left.n_positive;
    for (size_t i = 0; i < answer->n; i++) {
        n_positive += answer->scores[i] > 0.0F;
    }
    return of->due ||
           (answer->left.n_open + answer->n == before->n_open && n_positive == before->n_positive);
}

strads_status prio_shards_take(prio_shards *shards, uint32_t s, const prio_answer *answer,
                               uint32_t *twice)
{
    prio_source *of = &shards->sources[s];
    assert(of->asked);
    *twice = shards->hand.n_vars;
    if (!adds_up(of, answer)) {
        return STRADS_ERR_DATA;
    }
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

void prio_shards_return(prio_shards *shards, const uint32_t *vars, size_t n, const float *scores)
{
    prio_hand_return(&shards->hand, vars, n, scores);
}

float prio_shards_score(const prio_shards *shards, uint32_t var)
{
    return prio_hand_score(&shards->hand, var);
}
