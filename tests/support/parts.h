/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/parts.h - processes that load together, played by threads.
 */
#ifndef STRADS_TESTS_PARTS_H
#define STRADS_TESTS_PARTS_H

#include "base/part.h"

enum { PARTS_MOST = 16 };

/* Calls body(context, part) on a thread for each of `count` parts, which host n_workers >=
 * count in all, and returns when all are done: OK, or a status that is not CLOSED of one
 * that failed; the others' swaps then give CLOSED. What body checks it has to leave for the
 * caller, since assertions are of one thread. */
strads_status parts_run(uint32_t count, uint32_t n_workers,
                        strads_status (*body)(void *context, strads_part *part), void *context);

/* The most bytes that one process gave, or was given, in a swap of the last parts_run. */
size_t parts_most_bytes(void);

#endif
