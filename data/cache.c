/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/cache.c - what the caches of readers share. */
#define _XOPEN_SOURCE 700 /* pread, realpath */
#include "data/cache.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "data/input.h"

/* What is hashed of a file; all fields fill their bytes. */
typedef struct file_stamp {
    uint64_t seed, bytes, seconds, nanoseconds;
} file_stamp;

bool data_cache_add_file(uint64_t *key, const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0) {
        return false;
    }
    const file_stamp stamp = {.seed = XXH3_64bits_withSeed(path, strlen(path), *key),
                              .bytes = (uint64_t) about.st_size,
                              .seconds = (uint64_t) about.st_mtim.tv_sec,
                              .nanoseconds = (uint64_t) about.st_mtim.tv_nsec};
    *key = XXH3_64bits(&stamp, sizeof(stamp));
    return S_ISREG(about.st_mode) || S_ISDIR(about.st_mode);
}

strads_status data_cache_find(char **out, uint64_t *key, const char *path, const char *folder,
                              const char *suffix)
{
    char real[PATH_MAX];
    struct stat about;
    if (folder == NULL || realpath(path, real) == NULL || stat(real, &about) != 0 ||
        !S_ISREG(about.st_mode) || !data_cache_add_file(key, real)) {
        *out = NULL; /* what is not there, reading says */
        return STRADS_OK;
    }
    char *name = data_cache_name(real, folder, suffix);
    if (name == NULL) {
        return data_no_memory(path);
    }
    *out = name;
    return STRADS_OK;
}

char *data_cache_name(const char *path, const char *folder, const char *suffix)
{
    const size_t room =
        strlen(path) + strlen(folder) + strlen(suffix) + sizeof("/-0123456789abcdef");
    char *name = strads_alloc(room);
    if (name != NULL && folder[0] == '\0') {
        snprintf(name, room, "%s%s", path, suffix);
    } else if (name != NULL) {
        snprintf(name, room, "%s/%s-%016llx%s", folder, strrchr(path, '/') + 1,
                 (unsigned long long) XXH3_64bits(path, strlen(path)), suffix);
    }
    return name;
}

static bool is_writable_beside(const char *path)
{
    char *folder = strads_strdup(path);
    if (folder == NULL) {
        return false;
    }
    *strrchr(folder, '/') = '\0';
    const bool writable = access(folder[0] != '\0' ? folder : "/", W_OK) == 0;
    strads_free(folder);
    return writable;
}

data_writer *data_cache_open(const char *path)
{
    data_writer *writer = NULL;
    if (!is_writable_beside(path) || data_writer_open(&writer, path) != STRADS_OK) {
        strads_warn("%s: no cache can be written there", path);
    }
    return writer;
}

void data_cache_close(data_writer *writer, const char *path)
{
    if (data_writer_publish(writer) != STRADS_OK) {
        strads_warn("%s: goes on without a cache", path);
    }
}

bool data_cache_read(int file, uint64_t at, void *to, size_t n)
{
    for (size_t done = 0; done < n;) {
        const ssize_t got = pread(file, (unsigned char *) to + done, n - done, (off_t) (at + done));
        if (got <= 0 && !(got < 0 && errno == EINTR)) {
            return false;
        }
        done += got > 0 ? (size_t) got : 0;
    }
    return true;
}
