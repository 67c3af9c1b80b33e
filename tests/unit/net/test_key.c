/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys in files, and MACs against the published ones. */
#include "net/key.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/suite.h"

static const char *path_of(const char *name)
{
    static char path[200];
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), name);
    return path;
}

static void makes_and_reads(void)
{
    net_key one, again, other;
    struct stat found;
    REQUIRE_OK(net_key_make(path_of("one")));
    REQUIRE(stat(path_of("one"), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
    REQUIRE_OK(net_key_read(&one, path_of("one")));
    REQUIRE_OK(net_key_read(&again, path_of("one")));
    REQUIRE_OK(net_key_make(path_of("other")));
    REQUIRE_OK(net_key_read(&other, path_of("other")));
    CHECK(one.given);
    CHECK(memcmp(one.bytes, again.bytes, NET_KEY_BYTES) == 0);
    CHECK(memcmp(one.bytes, other.bytes, NET_KEY_BYTES) != 0);
}

typedef struct attempt {
    const char *path;
    bool makes;
    strads_status status;
} attempt;

static void try_key(void *context)
{
    attempt *self = context;
    net_key key;
    self->status = self->makes ? net_key_make(self->path) : net_key_read(&key, self->path);
}

static void check_refused(const char *path, bool makes, strads_status status, const char *words)
{
    attempt self = {path, makes, STRADS_OK};
    char *said = suite_stderr_of(try_key, &self);
    if (self.status != status || strstr(said, words) == NULL) {
        printf("%s: %s", path, said);
        CHECK(false);
    }
    strads_free(said);
}

static void check_text(const char *text, bool good)
{
    net_key key;
    char *path = suite_file("text", text);
    REQUIRE(chmod(path, 0600) == 0);
    if (good) {
        CHECK_STATUS(net_key_read(&key, path), STRADS_OK);
        CHECK(key.bytes[0] == 0x01 && key.bytes[1] == 0xaf && key.bytes[31] == 0xff);
    } else {
        check_refused(path, false, STRADS_ERR_USAGE, "holds no key: 64 hexadecimal digits");
    }
    strads_free(path);
}

static void files_refused(void)
{
    static const char digits[] = "01af0000000000000000000000000000000000000000000000000000000000";
    char text[80];
    snprintf(text, sizeof(text), "%sff\n", digits);
    check_text(text, true);
    snprintf(text, sizeof(text), "%sFF\r\n", digits);
    check_text(text, true);
    snprintf(text, sizeof(text), "%sff", digits);
    check_text(text, true);
    snprintf(text, sizeof(text), "%sf", digits);
    check_text(text, false);
    snprintf(text, sizeof(text), "%sff0", digits);
    check_text(text, false);
    snprintf(text, sizeof(text), "%sfg", digits);
    check_text(text, false);
    check_text("", false);
    check_refused("/no/such/file", false, STRADS_ERR_IO, "cannot be read");
    check_refused("/no/such/file", true, STRADS_ERR_IO, "cannot be written there");
    REQUIRE_OK(net_key_make(path_of("taken")));
    check_refused(path_of("taken"), true, STRADS_ERR_IO, "File exists");
    REQUIRE(chmod(path_of("taken"), 0640) == 0);
    check_refused(path_of("taken"), false, STRADS_ERR_USAGE, "has mode 640");
}

/* RFC 4231 has no key of 32 bytes; this is HMAC-SHA256 of "what do ya want for nothing?"
 * with the key 00 01 .. 1f, as `openssl dgst -sha256 -mac HMAC` prints it. */
static void macs(void)
{
    static const unsigned char expected[NET_MAC_BYTES] = {
        0x09, 0x98, 0x05, 0xf4, 0xac, 0x31, 0x07, 0x86, 0x96, 0x85, 0x65,
        0xc0, 0x98, 0xdb, 0x51, 0x5c, 0xc5, 0x08, 0x62, 0xb4, 0x20, 0xae,
        0x31, 0xe2, 0x02, 0x38, 0x31, 0x23, 0x44, 0xbe, 0xd3, 0x6a};
    net_key key = {.given = true};
    unsigned char mac[NET_MAC_BYTES], other[NET_MAC_BYTES];
    for (int k = 0; k < NET_KEY_BYTES; k++) {
        key.bytes[k] = (unsigned char) k;
    }
    char text[] = "what do ya want for nothing?";
    const struct iovec whole = {text, 28}, parts[] = {{text, 5}, {text + 5, 0}, {text + 5, 23}};
    REQUIRE_OK(net_mac(mac, &key, &whole, 1));
    CHECK(net_mac_equal(mac, expected));
    REQUIRE_OK(net_mac(other, &key, parts, 3));
    CHECK(net_mac_equal(mac, other));
    for (int k = 0; k < NET_MAC_BYTES; k++) {
        other[k] ^= 0x80;
        CHECK(!net_mac_equal(mac, other));
        other[k] ^= 0x80;
    }
    key.given = false;
    REQUIRE_OK(net_mac(other, &key, &whole, 1));
    CHECK(!net_mac_equal(mac, other));
}

SUITE("net/key", {"a new key is its owner's alone", makes_and_reads},
      {"a file that holds no key is refused in words", files_refused},
      {"macs are HMAC-SHA256 over any number of parts", macs})
