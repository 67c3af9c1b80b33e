/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/loan.c - the book of what is lent. */
#include "strads/loan.h"

#include <string.h>

/* What is lent costs at most so many times what a set does, before it is given back. */
static const double MOST_SETS = 4.0;

strads_status loan_init(loan_book *book, uint32_t n_vars)
{
    *book = (loan_book){.n_vars = n_vars};
    book->lent = strads_calloc(n_vars, sizeof(*book->lent));
    return book->lent == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
}

void loan_fini(loan_book *book)
{
    strads_free(book->lent);
    strads_free(book->vars);
    *book = (loan_book){.n_vars = 0};
}

strads_status loan_find(loan_book *book, uint32_t n_borrowers, const uint32_t *vars,
                        const double *costs, size_t n)
{
    const strads_status status =
        strads_reserve(&book->vars, &book->capacity, n, sizeof(*book->vars));
    if (status != STRADS_OK) {
        return status;
    }
    double total = 0.0;
    for (size_t i = 0; i < n; i++) {
        total += costs[i];
    }
    if (book->cost > MOST_SETS * total || n_borrowers > book->n_borrowers) {
        memset(book->lent, 0, book->n_vars * sizeof(*book->lent));
        book->cost = 0.0;
        book->n_borrowers = n_borrowers;
        book->afresh = true;
    }
    book->n = 0;
    book->next_cost = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (book->lent[vars[i]] == 0) {
            book->vars[book->n++] = vars[i];
            book->next_cost += costs[i];
        }
    }
    return STRADS_OK;
}

void loan_made(loan_book *book)
{
    for (size_t i = 0; i < book->n; i++) {
        book->lent[book->vars[i]] = 1;
    }
    book->cost += book->next_cost;
    book->n = 0;
    book->next_cost = 0.0;
    book->afresh = false;
}
