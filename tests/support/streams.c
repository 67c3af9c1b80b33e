/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/streams.c - two ends of a connection in one process, and certificates. */
#include "tests/support/streams.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/x509_crt.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "tests/support/suite.h"

enum { MAX_STREAMS = 64, PEM_BYTES = 4096 };

struct streams_host {
    net_listener *listener;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    net_stream *arrived[MAX_STREAMS];
    int n_arrived, n_accepted;
};

static void on_arrived(void *context, net_stream *stream)
{
    streams_host *self = context;
    pthread_mutex_lock(&self->lock);
    REQUIRE(self->n_arrived < MAX_STREAMS);
    self->arrived[self->n_arrived++] = stream;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

streams_host *streams_listen(const char *url, const net_tls *tls)
{
    streams_host *self = strads_calloc(1, sizeof(*self));
    REQUIRE(self != NULL);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    REQUIRE_OK(net_listener_open(&self->listener, url, tls));
    net_listener_start(self->listener, on_arrived, self);
    return self;
}

const char *streams_url(const streams_host *self)
{
    return net_listener_url(self->listener);
}

net_stream *streams_accept(streams_host *self)
{
    pthread_mutex_lock(&self->lock);
    while (self->n_accepted == self->n_arrived) {
        pthread_cond_wait(&self->changed, &self->lock);
    }
    net_stream *stream = self->arrived[self->n_accepted++];
    pthread_mutex_unlock(&self->lock);
    return stream;
}

void streams_close(streams_host *self)
{
    net_listener_close(self->listener);
    while (self->n_accepted < self->n_arrived) {
        net_stream_destroy(self->arrived[self->n_accepted++]);
    }
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    strads_free(self);
}

void streams_connect(net_stream *pair[2], const char *url, const net_tls *tls)
{
    char why[NET_WHY] = "";
    const net_patience patience = streams_patience();
    streams_host *host = streams_listen(url, tls);
    REQUIRE_OK(net_stream_dial(&pair[0], streams_url(host), tls, &patience, why));
    pair[1] = streams_accept(host);
    streams_close(host);
}

net_patience streams_patience(void)
{
    return (net_patience){.deadline = strads_now() + 60.0};
}

/* ---- certificates ---- */

static void sign(mbedtls_pk_context *key, const char *host, const char *until,
                 unsigned char pem[PEM_BYTES], mbedtls_ctr_drbg_context *random)
{
    char subject[128];
    mbedtls_x509write_cert cert;
    mbedtls_mpi serial;
    snprintf(subject, sizeof(subject), "CN=%s", host);
    mbedtls_x509write_crt_init(&cert);
    mbedtls_mpi_init(&serial);
    REQUIRE(mbedtls_mpi_lset(&serial, 1) == 0);
    mbedtls_x509write_crt_set_version(&cert, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&cert, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&cert, key);
    mbedtls_x509write_crt_set_issuer_key(&cert, key);
    REQUIRE(mbedtls_x509write_crt_set_serial(&cert, &serial) == 0);
    REQUIRE(mbedtls_x509write_crt_set_subject_name(&cert, subject) == 0);
    REQUIRE(mbedtls_x509write_crt_set_issuer_name(&cert, subject) == 0);
    REQUIRE(mbedtls_x509write_crt_set_validity(&cert, "20200101000000", until) == 0);
    REQUIRE(mbedtls_x509write_crt_set_basic_constraints(&cert, 1, 0) == 0);
    REQUIRE(mbedtls_x509write_crt_pem(&cert, pem, PEM_BYTES, mbedtls_ctr_drbg_random, random) == 0);
    mbedtls_mpi_free(&serial);
    mbedtls_x509write_crt_free(&cert);
}

void streams_certificate_until(const char *until, const char *name, const char *host, char **cert,
                               char **key)
{
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_pk_context pair;
    unsigned char cert_pem[PEM_BYTES], key_pem[PEM_BYTES];
    char file[64];
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random);
    mbedtls_pk_init(&pair);
    REQUIRE(mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0) == 0);
    REQUIRE(mbedtls_pk_setup(&pair, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0);
    REQUIRE(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(pair),
                                mbedtls_ctr_drbg_random, &random) == 0);
    sign(&pair, host, until, cert_pem, &random);
    REQUIRE(mbedtls_pk_write_key_pem(&pair, key_pem, PEM_BYTES) == 0);
    snprintf(file, sizeof(file), "%s.pem", name);
    *cert = suite_file(file, (const char *) cert_pem);
    snprintf(file, sizeof(file), "%s.key", name);
    *key = suite_file(file, (const char *) key_pem);
    mbedtls_pk_free(&pair);
    mbedtls_ctr_drbg_free(&random);
    mbedtls_entropy_free(&entropy);
}

void streams_certificate(const char *name, const char *host, char **cert, char **key)
{
    streams_certificate_until("20991231235959", name, host, cert, key);
}
