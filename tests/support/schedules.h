/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/schedules.h - a random problem under a random configuration, both
 * drawn from a seed.
 */
#ifndef STRADS_TESTS_SCHEDULES_H
#define STRADS_TESTS_SCHEDULES_H

#include "base/base.h"

/* Draws a problem of at most max_vars variables and a configuration of at most
 * max_workers workers, and solves it. False, with the case on stdout, when the run
 * fails, misses the optimum, or breaks a promise of toy_complaint. */
bool schedules_try(uint64_t seed, uint32_t max_vars, uint32_t max_workers);

#endif
