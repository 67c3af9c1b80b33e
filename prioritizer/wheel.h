/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prioritizer/wheel.h - chooses one of a few thousand by weight, or the largest, when the
 * weights change with every choice. O(sqrt(n)): sums, and largest, of blocks of 32. They are made
 * afresh from the weights, so that none drifts.
 */
#ifndef STRADS_PRIORITIZER_WHEEL_H
#define STRADS_PRIORITIZER_WHEEL_H

#include "base/base.h"

typedef struct prio_wheel {
    uint32_t n;
    double *weights; /* [n], and zeros to a whole block */
    double *sums;    /* [blocks] */
    double *largest; /* [blocks] */
} prio_wheel;

/* A wheel of n > 0 zeros; pair with fini. NOMEM is not logged. */
STRADS_MUST_CHECK strads_status prio_wheel_init(prio_wheel *wheel, uint32_t n);
void prio_wheel_fini(prio_wheel *wheel);

/* weight >= 0, finite. */
void prio_wheel_set(prio_wheel *wheel, uint32_t i, double weight);

double prio_wheel_total(const prio_wheel *wheel);

/* The one on whose stretch of the total `turn`, in [0, 1), comes to rest; UINT32_MAX: all
 * weigh nothing. Never one that does. */
uint32_t prio_wheel_choose(const prio_wheel *wheel, double turn);

/* The first of those that weigh most; UINT32_MAX: all weigh nothing. */
uint32_t prio_wheel_largest(const prio_wheel *wheel);

#endif
