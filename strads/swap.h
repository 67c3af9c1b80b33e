/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/swap.h - what processes tell each other while they load. */
#ifndef STRADS_STRADS_SWAP_H
#define STRADS_STRADS_SWAP_H

#include "net/links.h"

/* The swap of base/part.h; its context is the net_links. CLOSED: a process is lost. */
STRADS_MUST_CHECK strads_status swap_with_all(void *context, const void *const *out,
                                              const size_t *out_bytes, void **in, size_t *in_bytes);

#endif
