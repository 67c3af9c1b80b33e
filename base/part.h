/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/part.h - what a strads_part is, for those who make one. */
#ifndef STRADS_BASE_PART_H
#define STRADS_BASE_PART_H

#include "base/base.h"

struct strads_part {
    uint32_t index, count;
    const uint32_t *ranks; /* [count + 1] as strads_part_rank tells; lent */
    void *context;
    /* strads_part_swap between processes, count > 1; NULL: there is one. Gives what is
     * addressed to the process itself back too. */
    strads_status (*swap)(void *context, const void *const *out, const size_t *out_bytes, void **in,
                          size_t *in_bytes);
};

#endif
