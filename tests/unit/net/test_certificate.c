/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_certificate.c - certificates that nobody could accept. */
#include <string.h>

#include "net/stream.h"
#include "tests/support/streams.h"
#include "tests/support/suite.h"

static void listen_with(void *tls)
{
    net_listener *listener = NULL;
    CHECK_STATUS(net_listener_open(&listener, "tls+tcp://127.0.0.1:0", tls), STRADS_ERR_USAGE);
    net_listener_close(listener);
}

/* Refused by who listens and by who dials, with the same words. */
static void check_refused(char *cert, char *key, const char *words)
{
    net_tls tls = {.cert = cert, .key = key, .ca = cert};
    char why[NET_WHY] = "";
    net_stream *stream = NULL;
    const net_patience patience = streams_patience();
    char *said = suite_stderr_of(listen_with, &tls);
    CHECK(strstr(said, words) != NULL);
    CHECK(strstr(said, cert) != NULL);
    strads_free(said);
    CHECK_STATUS(net_stream_dial(&stream, "tls+tcp://localhost:1", &tls, &patience, why),
                 STRADS_ERR_USAGE);
    CHECK(strstr(why, words) != NULL);
}

static void a_key_of_another(void)
{
    char *cert = NULL, *key = NULL, *other_cert = NULL, *other_key = NULL;
    streams_certificate("one", "strads", &cert, &key);
    streams_certificate("other", "strads", &other_cert, &other_key);
    check_refused(cert, other_key, "are no certificate and its key");
    check_refused(cert, cert, "are no certificate and its key");
    char *const files[] = {cert, key, other_cert, other_key};
    for (size_t k = 0; k < sizeof(files) / sizeof(files[0]); k++) {
        strads_free(files[k]);
    }
}

static void dates(void)
{
    char *cert = NULL, *key = NULL;
    streams_certificate_until("20210630235959", "old", "strads", &cert, &key);
    check_refused(cert, key, "is valid from 2020-01-01 to 2021-06-30, and not now");
    strads_free(cert);
    strads_free(key);
}

SUITE("net/certificate",
      {"a certificate with the key of another is refused before it is shown", a_key_of_another},
      {"a certificate that has expired is refused, with its dates", dates})
