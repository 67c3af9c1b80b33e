/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prioritizer/cache.h - what the code knows of the memory below it. */
#ifndef STRADS_PRIORITIZER_CACHE_H
#define STRADS_PRIORITIZER_CACHE_H

#include "base/base.h"

enum {
    PRIO_LINE_BYTES = 64, /* a cache line */
    PRIO_BATCH = 256      /* variables handled together, so that their cache misses overlap */
};

/* `bytes` of zeros that start on a cache line, in *lines. Returns what to free,
 * which holds PRIO_LINE_BYTES more; NULL when there is no memory. */
void *prio_alloc_lines(size_t bytes, void **lines) STRADS_MUST_CHECK;

#endif
