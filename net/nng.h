/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/nng.h - what the files that know the library nng share; private to them.
 */
#ifndef STRADS_NET_NNG_H
#define STRADS_NET_NNG_H

#include <nng/nng.h>

#include "net/stream.h"

/* Takes the library's stream, also when there is no memory. */
STRADS_MUST_CHECK strads_status net_nng_wrap(net_stream **out, nng_stream *stream);

/* The status and the words for a failure of the library. */
strads_status net_nng_explain(int code, char why[NET_WHY]);

#endif
