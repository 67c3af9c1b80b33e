/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/loan.h - which variables' data have been lent to those who solve working sets.
 *
 * Where variables are split and an exchange is dear, fewer workers solve a working set than
 * have its data; the others lend them what they need, each variable once.
 */
#ifndef STRADS_STRADS_LOAN_H
#define STRADS_STRADS_LOAN_H

#include "strads/strads.h"

typedef struct loan_book {
    uint8_t *lent; /* [n_vars] NULL: nothing is ever lent */
    uint32_t n_vars;
    double cost;          /* of all that are lent, in units */
    uint32_t n_borrowers; /* who have it: the workers with a rank below */

    /* The next loan: what a set still needs. */
    uint32_t *vars;
    size_t n, capacity;
    double next_cost;
    bool afresh; /* all that was lent before is given back first */
} loan_book;

STRADS_MUST_CHECK strads_status loan_init(loan_book *book, uint32_t n_vars);
void loan_fini(loan_book *book);

/* Finds the next loan, so that n_borrowers have the set vars[n] with costs[n]. It is afresh
 * when there are more borrowers than before, or when much more is lent than the set needs:
 * what they hold is bounded by a few working sets. */
STRADS_MUST_CHECK strads_status loan_find(loan_book *book, uint32_t n_borrowers,
                                          const uint32_t *vars, const double *costs, size_t n);

/* The next loan, to book->n_borrowers, was made. */
void loan_made(loan_book *book);

#endif
