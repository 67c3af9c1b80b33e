/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * base/mem.h - the sides of strads_alloc that programs do not see: what the process keeps of
 * what is freed, and for tests, failing the n-th allocation and counting what is live.
 */
#ifndef STRADS_BASE_MEM_H
#define STRADS_BASE_MEM_H

#include "base/base.h"

/* The n-th allocation from now on fails, once (1 = the next one); 0 switches it
 * off. Process wide: for tests that allocate on one thread. */
void strads_mem_fail_after(size_t n);

/* From now on memory of freed blocks of up to 32 MiB stays with this process, at most 64 MiB at
 * the end of each arena, where the allocator would give it back and fetch it again, page by
 * page: for who sends and receives large messages. That is what glibc's comes to by itself once
 * a block of 32 MiB was freed; another allocator does as it likes. */
void strads_mem_keep(void);

/* How many allocations are live in this process. */
size_t strads_mem_live(void);

#endif
