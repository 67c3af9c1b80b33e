/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prioritizer/stock.c - a queue that knows what its variables weigh. */
#include "prioritizer/stock.h"

#include <assert.h>
#include <string.h>

void prio_stock_fini(prio_stock *stock)
{
    strads_free(stock->vars);
    strads_free(stock->scores);
    strads_free(stock->sums);
    *stock = (prio_stock){.n = 0};
}

prio_total prio_stock_left(const prio_stock *stock)
{
    const size_t n = prio_stock_size(stock);
    return (prio_total){.sum = stock->rest.sum + (n > 0 ? stock->sums[stock->head] : 0.0),
                        .n_positive = stock->rest.n_positive + stock->n_positive,
                        .n_open = stock->rest.n_open + (uint32_t) n};
}

/* What is left moves to the front. */
static void close_up(prio_stock *stock)
{
    const size_t n = prio_stock_size(stock);
    if (n > 0 && stock->head > 0) {
        memmove(stock->vars, stock->vars + stock->head, n * sizeof(*stock->vars));
        memmove(stock->scores, stock->scores + stock->head, n * sizeof(*stock->scores));
        memmove(stock->sums, stock->sums + stock->head, n * sizeof(*stock->sums));
    }
    stock->head = 0;
    stock->n = n;
}

strads_status prio_stock_reserve(prio_stock *stock, size_t n)
{
    close_up(stock);
    const size_t wanted = stock->n + n;
    size_t capacity = stock->capacity;
    strads_status status = strads_reserve(&stock->vars, &capacity, wanted, sizeof(*stock->vars));
    if (status == STRADS_OK) {
        capacity = stock->capacity;
        status = strads_reserve(&stock->scores, &capacity, wanted, sizeof(*stock->scores));
    }
    if (status == STRADS_OK) {
        capacity = stock->capacity;
        status = strads_reserve(&stock->sums, &capacity, wanted, sizeof(*stock->sums));
    }
    if (status == STRADS_OK) {
        stock->capacity = capacity;
    }
    return status;
}

void prio_stock_add(prio_stock *stock, uint32_t var, float score)
{
    assert(stock->n < stock->capacity);
    stock->vars[stock->n] = var;
    stock->scores[stock->n++] = score;
}

/* Afresh, from the end: nothing is ever taken away from a sum, so none drifts. */
void prio_stock_sum(prio_stock *stock)
{
    double sum = 0.0;
    stock->n_positive = 0;
    for (size_t i = stock->n; i-- > stock->head;) {
        const float score = stock->scores[i];
        sum += score > 0.0F ? (double) score : 0.0;
        stock->n_positive += score > 0.0F;
        stock->sums[i] = sum;
    }
}

uint32_t prio_stock_next(prio_stock *stock, float *score)
{
    assert(prio_stock_size(stock) > 0);
    *score = stock->scores[stock->head];
    stock->n_positive -= *score > 0.0F;
    return stock->vars[stock->head++];
}
