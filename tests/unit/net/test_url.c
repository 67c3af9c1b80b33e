/* SPDX-License-Identifier: GPL-3.0-or-later */
/* URLs: what they are taken for, and what is refused. */
#include "net/url.h"

#include <string.h>

#include "tests/support/suite.h"

static void check(const char *text, bool listening, net_scheme scheme, const char *host,
                  uint32_t first, uint32_t last, bool local)
{
    char why[NET_WHY], again[NET_URL];
    net_url url;
    REQUIRE_OK(net_url_parse(&url, text, listening, why));
    CHECK(url.scheme == scheme && url.first == first && url.last == last);
    CHECK_TEXT(url.host, host);
    CHECK(net_url_is_local(&url) == local);
    net_url_format(again, &url, first);
    CHECK(strncmp(again, text, strlen(again)) == 0);
}

static void taken(void)
{
    check("tcp://127.0.0.1:5000", false, NET_TCP, "127.0.0.1", 5000, 5000, true);
    check("tcp://localhost:0", true, NET_TCP, "localhost", 0, 0, true);
    check("tcp://[::1]:65535", false, NET_TCP, "[::1]", 65535, 65535, true);
    check("tcp://*:5000-5010", true, NET_TCP, "*", 5000, 5010, false);
    check("tls+tcp://anna.example:1", false, NET_TLS, "anna.example", 1, 1, false);
    check("tcp://127.example:1", false, NET_TCP, "127.example", 1, 1, false);
    check("ipc:///tmp/a b", false, NET_IPC, "/tmp/a b", 0, 0, true);
    check("abstract://", true, NET_ABSTRACT, "", 0, 0, true);
    check("abstract://x", false, NET_ABSTRACT, "x", 0, 0, true);
}

static void check_refused(const char *text, bool listening, const char *words)
{
    char why[NET_WHY] = "";
    net_url url;
    CHECK_STATUS(net_url_parse(&url, text, listening, why), STRADS_ERR_USAGE);
    if (strstr(why, words) == NULL) {
        printf("%s: %s\n", text, why);
        CHECK(false);
    }
}

static void refused(void)
{
    char path[130] = "ipc://", host[300] = "tcp://";
    memset(path + 6, 'x', 108);
    memset(host + 6, 'x', 260);
    memcpy(host + 266, ":1", 3);
    check_refused("", false, "must begin with");
    check_refused("http://x:1", false, "must begin with");
    check_refused("tcp://", false, "HOST:PORT");
    check_refused("tcp://:1", false, "HOST:PORT");
    check_refused("tcp://host", false, "HOST:PORT");
    check_refused("tcp://ho st:1", false, "HOST:PORT");
    check_refused("tcp://user@host:1", false, "HOST:PORT");
    check_refused("tcp://[]:1", false, "HOST:PORT");
    check_refused("tcp://::1:1", false, "HOST:PORT");
    check_refused(host, false, "HOST:PORT");
    check_refused("tcp://host:", false, "a port is");
    check_refused("tcp://host:65536", false, "a port is");
    check_refused("tcp://host:99999999999999999999", false, "a port is");
    check_refused("tcp://host:1/path", false, "a port is");
    check_refused("tcp://host:2-1", true, "a port is");
    check_refused("tcp://host:0-1", true, "a port is");
    check_refused("tcp://host:0", false, "one port");
    check_refused("tcp://host:1-2", false, "one port");
    check_refused("tcp://*:1", false, "one host");
    check_refused("ipc://", true, "missing");
    check_refused("abstract://", false, "missing");
    check_refused(path, true, "107 bytes");
}

SUITE("net/url", {"a URL is taken apart and put together", taken},
      {"what is none is refused in words", refused})
