/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/key.c - the key that members of a run share. */
#include "net/key.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <mbedtls/md.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGITS = 2 * NET_KEY_BYTES, OWNER_ONLY = 0600 };

/* ---- files ---- */

static int digit_value(char digit)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = digit == '\0' ? NULL : strchr(digits, digit);
    const int value = at == NULL ? -1 : (int) (at - digits);
    return value < 16 ? value : value - 6;
}

/* Whether `text` is the digits of a key and the end of a line. */
static bool parse(net_key *out, const char *text)
{
    net_key key = {.given = true};
    for (int k = 0; k < DIGITS; k++) {
        const int value = digit_value(text[k]);
        if (value < 0) {
            return false;
        }
        key.bytes[k / 2] = (unsigned char) (key.bytes[k / 2] << 4 | value);
    }
    if (strspn(text + DIGITS, "\r\n") != strlen(text + DIGITS)) {
        return false;
    }
    *out = key;
    return true;
}

static strads_status check_owner(int file, const char *path)
{
    struct stat found;
    if (fstat(file, &found) != 0) {
        strads_error("%s: cannot be read: %s", path, strerror(errno));
        return STRADS_ERR_IO;
    }
    if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        strads_error("%s: a key is for its owner alone, and this file has mode %03o; chmod 600 it",
                     path, (unsigned) found.st_mode & 0777U);
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

strads_status net_key_read(net_key *out, const char *path)
{
    assert(out != NULL && path != NULL);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        strads_error("%s: the key cannot be read: %s", path, strerror(errno));
        return STRADS_ERR_IO;
    }
    char text[DIGITS + 4] = "";
    strads_status status = check_owner(file, path);
    const ssize_t n = status == STRADS_OK ? read(file, text, sizeof(text) - 1) : 0;
    if (n < 0) {
        strads_error("%s: the key cannot be read: %s", path, strerror(errno));
        status = STRADS_ERR_IO;
    } else if (status == STRADS_OK && !parse(out, text)) {
        strads_error("%s: holds no key: %d hexadecimal digits and nothing else", path, DIGITS);
        status = STRADS_ERR_USAGE;
    }
    close(file);
    return status;
}

strads_status net_key_make(const char *path)
{
    unsigned char bytes[NET_KEY_BYTES];
    char text[DIGITS + 2];
    const strads_status status = net_random(bytes, sizeof(bytes));
    if (status != STRADS_OK) {
        return status;
    }
    for (int k = 0; k < NET_KEY_BYTES; k++) {
        snprintf(text + 2 * k, 3, "%02x", bytes[k]);
    }
    text[DIGITS] = '\n';
    const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, OWNER_ONLY);
    if (file < 0) {
        strads_error("%s: a new key cannot be written there: %s", path, strerror(errno));
        return STRADS_ERR_IO;
    }
    const bool written = write(file, text, DIGITS + 1) == DIGITS + 1;
    if (close(file) != 0 || !written) {
        strads_error("%s: the new key could not be written: %s", path, strerror(errno));
        unlink(path);
        return STRADS_ERR_IO;
    }
    return STRADS_OK;
}

/* ---- proofs ---- */

strads_status net_random(void *bytes, size_t n)
{
    char *at = bytes;
    while (n > 0) {
        const ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno != EINTR) {
            strads_error("the system has no random bytes: %s", strerror(errno));
            return STRADS_ERR_SYSTEM;
        }
        at += got > 0 ? got : 0;
        n -= got > 0 ? (size_t) got : 0;
    }
    return STRADS_OK;
}

strads_status net_mac(unsigned char mac[NET_MAC_BYTES], const net_key *key,
                      const struct iovec *parts, int n_parts)
{
    mbedtls_md_context_t context;
    mbedtls_md_init(&context);
    int code = mbedtls_md_setup(&context, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1);
    if (code == 0) {
        code = mbedtls_md_hmac_starts(&context, key->bytes, key->given ? NET_KEY_BYTES : 0);
    }
    for (int k = 0; k < n_parts && code == 0; k++) {
        code = mbedtls_md_hmac_update(&context, parts[k].iov_base, parts[k].iov_len);
    }
    if (code == 0) {
        code = mbedtls_md_hmac_finish(&context, mac);
    }
    mbedtls_md_free(&context);
    return code == 0 ? STRADS_OK : STRADS_ERR_NOMEM;
}

bool net_mac_equal(const unsigned char a[NET_MAC_BYTES], const unsigned char b[NET_MAC_BYTES])
{
    unsigned char differs = 0;
    for (int k = 0; k < NET_MAC_BYTES; k++) {
        differs |= a[k] ^ b[k];
    }
    return differs == 0;
}
