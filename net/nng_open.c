/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/nng_open.c - byte streams over the library nng: listening and dialling. */
#include "net/nng.h"

#include <assert.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "net/certificate.h"
#include "net/url.h"
#include "net/wait.h"

enum {
    PEM_BYTES = 1 << 20, /* the longest file of certificates */
    PAUSE_MS = 100,      /* before accepting again after a failure */
    OWNER_ONLY = 0600    /* a socket file */
};

/* What is sent over TCP, with TLS or without, goes at once: else a small message waits until
 * the one before it is acknowledged, and an exchange takes a round trip instead of half of
 * one. */
static bool is_tcp(const char *url)
{
    return strstr(url, "tcp://") != NULL;
}

/* ---- TLS ---- */

static strads_status refuse(char why[NET_WHY], const char *path, const char *words)
{
    snprintf(why, NET_WHY, "%.120s: %s", path, words);
    return STRADS_ERR_USAGE;
}

/* The text of a file; for strads_free. */
static strads_status read_pem(char **out, const char *path, char why[NET_WHY])
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return refuse(why, path, "cannot be opened");
    }
    char *text = strads_alloc(PEM_BYTES);
    if (text == NULL) {
        fclose(file);
        return net_nng_explain(NNG_ENOMEM, why);
    }
    const size_t n = fread(text, 1, PEM_BYTES, file);
    const bool whole = n < PEM_BYTES && !ferror(file);
    fclose(file);
    if (!whole) {
        strads_free(text);
        return refuse(why, path, "is no PEM file of less than 1 MiB");
    }
    text[n] = '\0';
    *out = text;
    return STRADS_OK;
}

static strads_status trust(nng_tls_config *config, const char *path, char why[NET_WHY])
{
    char *pem = NULL;
    strads_status status = read_pem(&pem, path, why);
    if (status == STRADS_OK && nng_tls_config_ca_chain(config, pem, NULL) != 0) {
        status = refuse(why, path, "holds no certificate to trust");
    }
    strads_free(pem);
    return status;
}

static strads_status show(nng_tls_config *config, const net_tls *tls, char why[NET_WHY])
{
    char *cert = NULL, *key = NULL;
    strads_status status = read_pem(&cert, tls->cert, why);
    if (status == STRADS_OK) {
        status = read_pem(&key, tls->key, why);
    }
    if (status == STRADS_OK) {
        status = net_certificate_check(tls, cert, key, why);
    }
    if (status == STRADS_OK && nng_tls_config_own_cert(config, cert, key, NULL) != 0) {
        status = net_nng_explain(NNG_ECRYPTO, why);
    }
    if (key != NULL) {
        memset(key, 0, strlen(key));
    }
    strads_free(key);
    strads_free(cert);
    return status;
}

static strads_status set_up_tls(nng_tls_config *config, const net_tls *tls, bool listens,
                                char why[NET_WHY])
{
    strads_status status = STRADS_OK;
    if (tls->ca != NULL) {
        status = trust(config, tls->ca, why);
    }
    if (status == STRADS_OK && tls->cert != NULL) {
        status = show(config, tls, why);
    }
    if (status == STRADS_OK &&
        nng_tls_config_auth_mode(config, tls->ca != NULL ? NNG_TLS_AUTH_MODE_REQUIRED
                                                         : NNG_TLS_AUTH_MODE_NONE)) {
        status = net_nng_explain(NNG_ECRYPTO, why);
    }
    if (status == STRADS_OK && !listens && nng_tls_config_server_name(config, tls->name) != 0) {
        status = net_nng_explain(NNG_ENOMEM, why);
    }
    return status;
}

/* The host of a URL as certificates have it: IPv6 without brackets. */
static void name_host(char name[NET_URL], const net_url *url)
{
    const bool bracketed = url->host[0] == '[';
    snprintf(name, NET_URL, "%.*s", (int) strlen(url->host) - 2 * bracketed, url->host + bracketed);
}

/* *out is NULL for what is not TLS, and to be freed. */
static strads_status open_tls(nng_tls_config **out, const net_url *url, const net_tls *tls,
                              bool listens, char why[NET_WHY])
{
    *out = NULL;
    if (url->scheme != NET_TLS) {
        return STRADS_OK;
    }
    net_tls all = {NULL, NULL, NULL, NULL};
    char name[NET_URL];
    name_host(name, url);
    if (tls != NULL) {
        all = *tls;
    }
    if (all.name == NULL) {
        all.name = name;
    }
    if ((all.cert == NULL) != (all.key == NULL) || (listens && all.cert == NULL) ||
        (!listens && all.ca == NULL)) {
        snprintf(why, NET_WHY, "%s",
                 listens ? "tls takes a certificate and its key (net.tls.cert, net.tls.key)"
                         : "tls takes the certificate to trust (net.tls.ca), and with a "
                           "certificate its key");
        return STRADS_ERR_USAGE;
    }
    nng_tls_config *config = NULL;
    const int code =
        nng_tls_config_alloc(&config, listens ? NNG_TLS_MODE_SERVER : NNG_TLS_MODE_CLIENT);
    if (code != 0) {
        return net_nng_explain(code, why);
    }
    const strads_status status = set_up_tls(config, &all, listens, why);
    if (status != STRADS_OK) {
        nng_tls_config_free(config);
        return status;
    }
    *out = config;
    return STRADS_OK;
}

/* ---- listening ---- */

struct net_listener {
    nng_stream_listener *nng;
    nng_aio *accept, *pause;
    char url[NET_URL];
    net_arrived arrived;
    void *context;
    bool warned; /* of the callbacks, of which one runs at a time */

    pthread_mutex_t lock; /* guards `closed`, so that nothing is accepted after */
    bool closed;
};

static void accept_next(net_listener *self)
{
    pthread_mutex_lock(&self->lock);
    if (!self->closed) {
        nng_stream_listener_accept(self->nng, self->accept);
    }
    pthread_mutex_unlock(&self->lock);
}

static void on_accept(void *context)
{
    net_listener *self = context;
    net_stream *stream = NULL;
    int code = nng_aio_result(self->accept);
    if (code == 0 && net_nng_wrap(&stream, nng_aio_get_output(self->accept, 0)) != STRADS_OK) {
        code = NNG_ENOMEM;
    }
    if (code == 0) {
        self->warned = false;
        self->arrived(self->context, stream);
        accept_next(self);
        return;
    }
    char why[NET_WHY];
    pthread_mutex_lock(&self->lock);
    if (!self->closed) {
        (void) net_nng_explain(code, why);
        nng_sleep_aio(PAUSE_MS, self->pause);
    }
    const bool warns = !self->closed && !self->warned;
    self->warned = true;
    pthread_mutex_unlock(&self->lock);
    if (warns) {
        strads_warn("%s: a client cannot be let in yet: %s", self->url, why);
    }
}

static void on_pause(void *context)
{
    accept_next(context);
}

static int listen_at(net_listener *self, const net_url *url, uint32_t port, nng_tls_config *config)
{
    net_url_format(self->url, url, port);
    int code = nng_stream_listener_alloc(&self->nng, self->url);
    if (code != 0) {
        self->nng = NULL;
        return code;
    }
    if (config != NULL) {
        code = nng_stream_listener_set_ptr(self->nng, NNG_OPT_TLS_CONFIG, config);
    } else if (url->scheme == NET_IPC) {
        code = nng_stream_listener_set_int(self->nng, NNG_OPT_IPC_PERMISSIONS, OWNER_ONLY);
    }
    if (code == 0 && is_tcp(self->url)) {
        code = nng_stream_listener_set_bool(self->nng, NNG_OPT_TCP_NODELAY, true);
    }
    if (code == 0) {
        code = nng_stream_listener_listen(self->nng);
    }
    if (code != 0) {
        nng_stream_listener_free(self->nng);
        self->nng = NULL;
    }
    return code;
}

/* The address that the system has chosen. */
static void learn_address(net_listener *self, net_url url)
{
    nng_sockaddr address;
    int port = 0;
    if (url.first == 0 && url.scheme != NET_IPC && url.scheme != NET_ABSTRACT &&
        nng_stream_listener_get_int(self->nng, NNG_OPT_TCP_BOUND_PORT, &port) == 0) {
        net_url_format(self->url, &url, (uint32_t) port);
    } else if (url.scheme == NET_ABSTRACT &&
               nng_stream_listener_get_addr(self->nng, NNG_OPT_LOCADDR, &address) == 0 &&
               address.s_family == NNG_AF_ABSTRACT) {
        snprintf(url.host, sizeof(url.host), "%.*s", (int) address.s_abstract.sa_len,
                 (const char *) address.s_abstract.sa_name);
        net_url_format(self->url, &url, 0);
    }
}

/* The library takes whatever is there, and nobody listens at, for a socket that was left
 * behind, and removes it. */
static bool is_taken(const net_url *url)
{
    struct stat found;
    return url->scheme == NET_IPC && lstat(url->host, &found) == 0 && !S_ISSOCK(found.st_mode);
}

/* At the first port that is free. */
static strads_status bind_listener(net_listener *self, const net_url *url, nng_tls_config *config,
                                   char why[NET_WHY])
{
    int code = 0;
    if (is_taken(url)) {
        snprintf(why, NET_WHY, "there is a file that is no socket");
        return STRADS_ERR_IO;
    }
    for (uint32_t port = url->first; port <= url->last; port++) {
        code = listen_at(self, url, port, config);
        if (code != NNG_EADDRINUSE) {
            break;
        }
    }
    if (code == NNG_EADDRINUSE && url->first < url->last) {
        snprintf(why, NET_WHY, "all ports of the range are in use");
        return STRADS_ERR_IO;
    }
    if (code == NNG_EADDRINVAL) {
        snprintf(why, NET_WHY, "the name does not resolve, or is no address of this machine");
        return STRADS_ERR_IO;
    }
    if (code != 0) {
        return net_nng_explain(code, why);
    }
    learn_address(self, *url);
    return STRADS_OK;
}

static strads_status open_listener(net_listener *self, const char *text, const net_tls *tls,
                                   char why[NET_WHY])
{
    net_url url;
    nng_tls_config *config = NULL;
    strads_status status = net_url_parse(&url, text, true, why);
    if (status == STRADS_OK) {
        status = open_tls(&config, &url, tls, true, why);
    }
    if (status == STRADS_OK) {
        status = bind_listener(self, &url, config, why);
        if (config != NULL) {
            nng_tls_config_free(config); /* the listener holds it too */
        }
    }
    if (status == STRADS_OK && (nng_aio_alloc(&self->accept, on_accept, self) != 0 ||
                                nng_aio_alloc(&self->pause, on_pause, self) != 0)) {
        status = net_nng_explain(NNG_ENOMEM, why);
    }
    return status;
}

strads_status net_listener_open(net_listener **out, const char *url, const net_tls *tls)
{
    assert(out != NULL && url != NULL);
    char why[NET_WHY] = "no memory";
    net_listener *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        strads_error("%s: %s", url, why);
        return STRADS_ERR_NOMEM;
    }
    pthread_mutex_init(&self->lock, NULL);
    const strads_status status = open_listener(self, url, tls, why);
    if (status != STRADS_OK) {
        strads_error("%s: cannot listen there: %s", url, why);
        net_listener_close(self);
        return status;
    }
    *out = self;
    return STRADS_OK;
}

const char *net_listener_url(const net_listener *listener)
{
    return listener->url;
}

void net_listener_start(net_listener *listener, net_arrived arrived, void *context)
{
    assert(listener->arrived == NULL);
    listener->arrived = arrived;
    listener->context = context;
    accept_next(listener);
}

void net_listener_close(net_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    pthread_mutex_lock(&listener->lock);
    listener->closed = true;
    pthread_mutex_unlock(&listener->lock);
    if (listener->nng != NULL) {
        nng_stream_listener_close(listener->nng);
    }
    /* The library takes NULL for an aio here. */
    nng_aio_stop(listener->accept);
    nng_aio_stop(listener->pause);
    nng_aio_free(listener->accept);
    nng_aio_free(listener->pause);
    nng_stream_listener_free(listener->nng);
    pthread_mutex_destroy(&listener->lock);
    strads_free(listener);
}

/* ---- dialling ---- */

typedef struct dial {
    nng_aio *aio;
    net_wait wait;
} dial;

static void on_dial(void *context)
{
    dial *self = context;
    net_wait_end(&self->wait, STRADS_OK, (size_t) nng_aio_result(self->aio));
}

/* Waits for the dialler; *code is what it ended with. */
static strads_status run_dialer(nng_stream_dialer *dialer, nng_stream **stream,
                                const net_patience *patience, int *code)
{
    dial self;
    if (nng_aio_alloc(&self.aio, on_dial, &self) != 0) {
        *code = NNG_ENOMEM;
        return STRADS_OK;
    }
    net_wait_init(&self.wait);
    nng_stream_dialer_dial(dialer, self.aio);
    const strads_status impatient = net_wait_for(&self.wait, patience);
    if (impatient != STRADS_OK) {
        nng_aio_cancel(self.aio);
        (void) net_wait_for(&self.wait, NULL);
    }
    size_t result = 0;
    (void) net_wait_fini(&self.wait, &result);
    *code = (int) result;
    if (result == 0) {
        *stream = nng_aio_get_output(self.aio, 0);
    }
    nng_aio_free(self.aio);
    return result == 0 ? STRADS_OK : impatient;
}

static strads_status dial_once(nng_stream **stream, const char *text, nng_tls_config *config,
                               const net_patience *patience, char why[NET_WHY])
{
    nng_stream_dialer *dialer = NULL;
    int code = nng_stream_dialer_alloc(&dialer, text);
    if (code != 0) {
        return net_nng_explain(code, why);
    }
    if (config != NULL) {
        code = nng_stream_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG, config);
    }
    if (code == 0 && is_tcp(text)) {
        code = nng_stream_dialer_set_bool(dialer, NNG_OPT_TCP_NODELAY, true);
    }
    strads_status status = STRADS_OK;
    if (code == 0) {
        status = run_dialer(dialer, stream, patience, &code);
    }
    nng_stream_dialer_close(dialer);
    nng_stream_dialer_free(dialer);
    if (status == STRADS_ERR_CLOSED) {
        snprintf(why, NET_WHY, "stopped");
    } else if (status != STRADS_OK) {
        status = net_nng_explain(NNG_ETIMEDOUT, why);
    } else if (code != 0) {
        status = net_nng_explain(code, why);
        status = status == STRADS_ERR_CLOSED ? STRADS_ERR_IO : status; /* not by us */
    }
    return status;
}

/* A name may have an IPv6 address at which nobody listens; the library tries the first
 * of its addresses alone. */
static strads_status dial_either(nng_stream **stream, const net_url *url, nng_tls_config *config,
                                 const net_patience *patience, char why[NET_WHY])
{
    char text[NET_URL + 1], scheme[16];
    net_url_format(text, url, url->first);
    strads_status status = dial_once(stream, text, config, patience, why);
    const bool named = (url->scheme == NET_TCP || url->scheme == NET_TLS) && url->host[0] != '[' &&
                       strspn(url->host, "0123456789.") != strlen(url->host);
    if (status == STRADS_ERR_IO && named) {
        char ignored[NET_WHY];
        snprintf(scheme, sizeof(scheme), "%s", url->scheme == NET_TLS ? "tls+tcp4" : "tcp4");
        snprintf(text, sizeof(text), "%s://%s:%u", scheme, url->host, url->first);
        const strads_status second = dial_once(stream, text, config, patience, ignored);
        status = second == STRADS_ERR_IO ? status : second;
    }
    return status;
}

strads_status net_stream_dial(net_stream **out, const char *url, const net_tls *tls,
                              const net_patience *patience, char why[NET_WHY])
{
    assert(out != NULL && url != NULL && patience != NULL);
    net_url parsed;
    nng_tls_config *config = NULL;
    nng_stream *stream = NULL;
    strads_status status = net_url_parse(&parsed, url, false, why);
    if (status == STRADS_OK) {
        status = open_tls(&config, &parsed, tls, false, why);
    }
    if (status == STRADS_OK) {
        status = dial_either(&stream, &parsed, config, patience, why);
        if (config != NULL) {
            nng_tls_config_free(config);
        }
    }
    if (status == STRADS_OK && net_nng_wrap(out, stream) != STRADS_OK) {
        status = net_nng_explain(NNG_ENOMEM, why);
    }
    return status;
}
