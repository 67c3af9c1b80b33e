/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/sum.h - the arithmetic of an exchange, one for all drivers, so that they make
 * the same bits.
 */
#ifndef STRADS_NET_SUM_H
#define STRADS_NET_SUM_H

#include "base/base.h"

typedef struct net_summands {
    double *const *vectors; /* [n] */
    uint32_t n;
    uint32_t first, end; /* vectors first .. end - 1 take the sums; the others are not changed */
    const double *base;  /* NULL: zeros */
} net_summands;

/* Adds up the elements [first, last) of all vectors, in their order:
 * s := base + (v_0 - base) + (v_1 - base) + ... */
void net_sum_vectors(const net_summands *of, size_t first, size_t last);

#endif
