/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prioritizer/cache.c - memory that starts on a cache line. */
#include "prioritizer/cache.h"

void *prio_alloc_lines(size_t bytes, void **lines)
{
    char *memory = strads_calloc(bytes + PRIO_LINE_BYTES, 1);
    if (memory != NULL) {
        *lines = memory + (-(uintptr_t) memory & (PRIO_LINE_BYTES - 1));
    }
    return memory;
}
