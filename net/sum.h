/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/sum.h - the arithmetic of an exchange, one for all drivers, so that they make
 * the same bits.
 */
#ifndef STRADS_NET_SUM_H
#define STRADS_NET_SUM_H

#include "base/base.h"

/* Adds up the elements [first, last) of vectors[0 .. n_members-1], in this order, and
 * stores the sums in all of them: s := base + (v_0 - base) + (v_1 - base) + ...
 * base: NULL stands for zeros. */
void net_sum_vectors(double *const *vectors, uint32_t n_members, const double *base, size_t first,
                     size_t last);

#endif
