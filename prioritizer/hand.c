/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prioritizer/hand.c - slots for the variables in hand. */
#include "prioritizer/hand.h"

#include <assert.h>
#include <math.h>

#include "prioritizer/cache.h"
#include "prioritizer/policy.h"

enum { FIRST_CAPACITY = 1024 };

static const uint32_t EXPECTED = UINT32_MAX;

/* ---- life ---- */

/* A prioritizer over so many slots, all out. */
static strads_status open_slots(prioritizer **out, prio_options options, uint32_t capacity)
{
    options.n_vars = capacity;
    const strads_status status = prio_create(out, &options);
    for (uint32_t slot = 0; slot < capacity && status == STRADS_OK; slot++) {
        prio_take(*out, slot);
    }
    if (status == STRADS_OK && (*out)->policy->range_changed != NULL) {
        (*out)->policy->range_changed(*out, 0, capacity);
    }
    return status;
}

strads_status prio_hand_init(prio_hand *hand, uint32_t n_vars, const prio_options *options)
{
    const uint32_t capacity = n_vars < FIRST_CAPACITY ? n_vars : FIRST_CAPACITY;
    *hand = (prio_hand){.n_vars = n_vars, .capacity = capacity};
    strads_status status = open_slots(&hand->prio, *options, capacity);
    hand->slot_of = strads_calloc(n_vars, sizeof(*hand->slot_of));
    hand->vars = strads_alloc_array(capacity, sizeof(*hand->vars));
    if (status == STRADS_OK && (hand->slot_of == NULL || hand->vars == NULL)) {
        status = STRADS_ERR_NOMEM;
    }
    if (status != STRADS_OK) {
        prio_hand_fini(hand);
    }
    return status;
}

void prio_hand_fini(prio_hand *hand)
{
    prio_destroy(hand->prio);
    strads_free(hand->slot_of);
    strads_free(hand->vars);
    *hand = (prio_hand){.n = 0};
}

/* The slots move to a larger prioritizer, with their scores; who was out is out. */
static strads_status grow(prio_hand *hand, uint32_t capacity)
{
    prioritizer *grown = NULL;
    uint32_t *vars = strads_realloc(hand->vars, capacity * sizeof(*vars));
    if (vars == NULL) {
        return STRADS_ERR_NOMEM;
    }
    hand->vars = vars;
    const strads_status status = open_slots(&grown, hand->prio->options, capacity);
    if (status != STRADS_OK) {
        return status;
    }
    for (uint32_t slot = 0; slot < hand->n; slot++) {
        const float score = prio_score(hand->prio, slot);
        prio_update(grown, &slot, 1, &score);
        if (prio_claim(hand->prio, slot)) {
            prio_return(grown, &slot, 1);
        }
    }
    grown->random = hand->prio->random;
    prio_destroy(hand->prio);
    hand->prio = grown;
    hand->capacity = capacity;
    return STRADS_OK;
}

strads_status prio_hand_reserve(prio_hand *hand, size_t n)
{
    if (n <= hand->capacity - hand->n || hand->capacity == hand->n_vars) {
        return STRADS_OK;
    }
    const uint64_t wanted = 2 * ((uint64_t) hand->n + n);
    return grow(hand, wanted < hand->n_vars ? (uint32_t) wanted : hand->n_vars);
}

/* ---- who is in hand ---- */

bool prio_hand_has(const prio_hand *hand, uint32_t var)
{
    return hand->slot_of[var] != 0 && hand->slot_of[var] != EXPECTED;
}

static uint32_t slot_of(const prio_hand *hand, uint32_t var)
{
    assert(prio_hand_has(hand, var));
    return hand->slot_of[var] - 1;
}

/* Of one that is out, of which the policy knows nothing to change. */
static void set_score(prio_hand *hand, uint32_t slot, float score)
{
    assert(!prio_pool_has(&hand->prio->pool, slot));
    assert(score < INFINITY && score != PRIO_RETIRED); /* false for NaN too */
    hand->prio->scores[slot] = score;
}

bool prio_hand_expect(prio_hand *hand, uint32_t var)
{
    if (hand->slot_of[var] != 0) {
        return false;
    }
    hand->slot_of[var] = EXPECTED;
    return true;
}

void prio_hand_expect_no_more(prio_hand *hand, uint32_t var)
{
    assert(hand->slot_of[var] == EXPECTED);
    hand->slot_of[var] = 0;
}

void prio_hand_add(prio_hand *hand, uint32_t var, float score)
{
    assert(hand->slot_of[var] == EXPECTED && hand->n < hand->capacity);
    const uint32_t slot = hand->n++;
    hand->slot_of[var] = slot + 1;
    hand->vars[slot] = var;
    set_score(hand, slot, score);
}

void prio_hand_clear(prio_hand *hand)
{
    for (uint32_t slot = 0; slot < hand->n; slot++) {
        hand->slot_of[hand->vars[slot]] = 0;
        if (prio_pool_has(&hand->prio->pool, slot)) {
            prio_take(hand->prio, slot);
        }
    }
    if (hand->prio->policy->range_changed != NULL) {
        hand->prio->policy->range_changed(hand->prio, 0, hand->n);
    }
    hand->n = 0;
}

/* ---- draws ---- */

bool prio_hand_claim(prio_hand *hand, uint32_t var)
{
    return prio_claim(hand->prio, slot_of(hand, var));
}

size_t prio_hand_draw(prio_hand *hand, size_t n, double floor, uint32_t *vars)
{
    const size_t n_drawn = prio_draw(hand->prio, n, floor, vars);
    for (size_t i = 0; i < n_drawn; i++) {
        vars[i] = hand->vars[vars[i]];
    }
    return n_drawn;
}

void prio_hand_return(prio_hand *hand, const uint32_t *vars, size_t n, const float *scores)
{
    uint32_t slots[PRIO_BATCH];
    for (size_t done = 0; done < n; done += PRIO_BATCH) {
        const size_t n_batch = n - done < PRIO_BATCH ? n - done : PRIO_BATCH;
        for (size_t i = 0; i < n_batch; i++) {
            slots[i] = slot_of(hand, vars[done + i]);
            if (scores != NULL) {
                set_score(hand, slots[i], scores[done + i]);
            }
        }
        prio_return(hand->prio, slots, n_batch);
    }
}

float prio_hand_score(const prio_hand *hand, uint32_t var)
{
    return prio_score(hand->prio, slot_of(hand, var));
}
