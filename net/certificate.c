/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/certificate.c - a certificate, its key and its dates. */
#include "net/certificate.h"

#include <mbedtls/x509_crt.h>
#include <string.h>

static bool is_pair(mbedtls_x509_crt *cert, mbedtls_pk_context *key, const char *cert_pem,
                    const char *key_pem)
{
    return mbedtls_x509_crt_parse(cert, (const unsigned char *) cert_pem, strlen(cert_pem) + 1) ==
               0 &&
           mbedtls_pk_parse_key(key, (const unsigned char *) key_pem, strlen(key_pem) + 1, NULL,
                                0) == 0 &&
           mbedtls_pk_check_pair(&cert->pk, key) == 0;
}

strads_status net_certificate_check(const net_tls *tls, const char *cert, const char *key,
                                    char why[NET_WHY])
{
    mbedtls_x509_crt own;
    mbedtls_pk_context secret;
    strads_status status = STRADS_OK;
    mbedtls_x509_crt_init(&own);
    mbedtls_pk_init(&secret);
    const mbedtls_x509_time *from = &own.valid_from, *to = &own.valid_to;
    if (!is_pair(&own, &secret, cert, key)) {
        snprintf(why, NET_WHY, "%.100s and %.100s are no certificate and its key", tls->cert,
                 tls->key);
        status = STRADS_ERR_USAGE;
    } else if (mbedtls_x509_time_is_past(to) || mbedtls_x509_time_is_future(from)) {
        snprintf(why, NET_WHY, "%.100s is valid from %04d-%02d-%02d to %04d-%02d-%02d, and not now",
                 tls->cert, from->year, from->mon, from->day, to->year, to->mon, to->day);
        status = STRADS_ERR_USAGE;
    }
    mbedtls_pk_free(&secret);
    mbedtls_x509_crt_free(&own);
    return status;
}
