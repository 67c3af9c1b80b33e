/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/certificate.h - what is wrong with a certificate of one's own, before others are asked. */
#ifndef STRADS_NET_CERTIFICATE_H
#define STRADS_NET_CERTIFICATE_H

#include "net/stream.h"

/* Checks that the texts of tls->cert and tls->key, in PEM, are a certificate that is valid
 * today, and its key. USAGE, and `why`, when not. */
STRADS_MUST_CHECK strads_status net_certificate_check(const net_tls *tls, const char *cert,
                                                      const char *key, char why[NET_WHY]);

#endif
