/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/url.c - the URLs of net/stream.h, taken apart. */
#include "net/url.h"

#include <assert.h>
#include <string.h>

enum { PATH_MAX_BYTES = 107, PORT_MAX = 65535 }; /* of a socket file; of TCP */

static const char *const prefixes[] = {[NET_IPC] = "ipc://",
                                       [NET_ABSTRACT] = "abstract://",
                                       [NET_TCP] = "tcp://",
                                       [NET_TLS] = "tls+tcp://"};
enum { N_SCHEMES = sizeof(prefixes) / sizeof(prefixes[0]) };

static strads_status refuse(char why[NET_WHY], const char *words)
{
    snprintf(why, NET_WHY, "%s", words);
    return STRADS_ERR_USAGE;
}

/* Reads a port at *text and moves past it. */
static bool read_port(const char **text, uint32_t *port)
{
    const char *from = *text;
    uint32_t value = 0;
    while (**text >= '0' && **text <= '9' && value <= PORT_MAX) {
        value = 10 * value + (uint32_t) (*(*text)++ - '0');
    }
    *port = value;
    return *text > from && value <= PORT_MAX;
}

static bool parse_ports(net_url *url, const char *text)
{
    if (!read_port(&text, &url->first)) {
        return false;
    }
    url->last = url->first;
    if (*text == '-') {
        text++;
        return read_port(&text, &url->last) && *text == '\0' && 0 < url->first &&
               url->first <= url->last;
    }
    return *text == '\0';
}

static bool is_host(const char *host, size_t n)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    static const char number[] = "0123456789abcdefABCDEF:.";
    if (host[0] == '[') {
        return n > 2 && host[n - 1] == ']' && strspn(host + 1, number) == n - 2;
    }
    return strspn(host, name) == n || (n == 1 && host[0] == '*');
}

static strads_status parse_address(net_url *url, const char *text, bool listening,
                                   char why[NET_WHY])
{
    const char *colon = strrchr(text, ':');
    const size_t n = colon == NULL ? 0 : (size_t) (colon - text);
    if (n == 0 || n >= sizeof(url->host) || !is_host(text, n)) {
        return refuse(why, "it must be HOST:PORT, with HOST a name, a number, [IPv6] or *");
    }
    memcpy(url->host, text, n);
    url->host[n] = '\0';
    if (!parse_ports(url, colon + 1)) {
        return refuse(why, "a port is 0 to 65535, or a range such as 5000-5010");
    }
    if (!listening && (url->first != url->last || url->first == 0 || url->host[0] == '*')) {
        return refuse(why, "to connect takes one host and one port from 1");
    }
    return STRADS_OK;
}

strads_status net_url_parse(net_url *out, const char *text, bool listening, char why[NET_WHY])
{
    assert(out != NULL && text != NULL);
    net_url url = {0};
    for (int k = 0; k < N_SCHEMES; k++) {
        const size_t n = strlen(prefixes[k]);
        if (strncmp(text, prefixes[k], n) != 0) {
            continue;
        }
        url.scheme = (net_scheme) k;
        text += n;
        strads_status status = STRADS_OK;
        if (k == NET_TCP || k == NET_TLS) {
            status = parse_address(&url, text, listening, why);
        } else if (strlen(text) > PATH_MAX_BYTES) {
            status = refuse(why, "a path or name has at most 107 bytes");
        } else if (text[0] == '\0' && !(listening && k == NET_ABSTRACT)) {
            status = refuse(why, "the path or name is missing");
        } else {
            snprintf(url.host, sizeof(url.host), "%s", text);
        }
        if (status == STRADS_OK) {
            *out = url;
        }
        return status;
    }
    return refuse(why, "it must begin with tcp://, tls+tcp://, ipc:// or abstract://");
}

strads_status net_url_read(net_url *out, const char *text, bool listening)
{
    char why[NET_WHY];
    const strads_status status = net_url_parse(out, text, listening, why);
    if (status != STRADS_OK) {
        strads_error("%s: %s", text, why);
    }
    return status;
}

void net_url_format(char text[NET_URL], const net_url *url, uint32_t port)
{
    if (url->scheme == NET_TCP || url->scheme == NET_TLS) {
        snprintf(text, NET_URL, "%s%s:%u", prefixes[url->scheme], url->host, port);
    } else {
        snprintf(text, NET_URL, "%s%s", prefixes[url->scheme], url->host);
    }
}

/* "127.1", "127.0.0.1": a number, not a name that begins like one. */
static bool is_loopback_number(const char *host)
{
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host);
}

bool net_url_is_local(const net_url *url)
{
    return url->scheme == NET_IPC || url->scheme == NET_ABSTRACT ||
           strcmp(url->host, "localhost") == 0 || strcmp(url->host, "[::1]") == 0 ||
           is_loopback_number(url->host);
}
