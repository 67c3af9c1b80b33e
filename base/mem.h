/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * base/mem.h - the side of strads_alloc that only tests see: failing the n-th
 * allocation and counting what is live.
 */
#ifndef STRADS_BASE_MEM_H
#define STRADS_BASE_MEM_H

#include "base/base.h"

/* The n-th allocation from now on fails, once (1 = the next one); 0 switches it
 * off. Process wide: for tests that allocate on one thread. */
void strads_mem_fail_after(size_t n);

/* How many allocations are live in this process. */
size_t strads_mem_live(void);

#endif
