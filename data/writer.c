/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/writer.c - files that appear under their name whole or not at all.
 *
 * Where the system can, a file has no name while it is written, so that nothing is left of one
 * whose process is killed.
 */
#define _GNU_SOURCE /* O_TMPFILE */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/data.h"
#include "data/input.h"

enum { BUFFER_BYTES = 1 << 18, MAX_ATTEMPTS = 100, SUFFIX_BYTES = 48, DESCRIPTOR_BYTES = 32 };

struct data_writer {
    FILE *stream;
    char *path;
    char *temporary; /* the file's name until it is whole, beside path */
    bool named;      /* it has that */
    char buffer[BUFFER_BYTES];
};

static strads_status fail(const char *path, int error)
{
    strads_error("cannot write %s: %s", path, strerror(error));
    return STRADS_ERR_IO;
}

/* Renaming onto a device or a folder would do harm or fail late. */
static strads_status check_target(const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        strads_error("cannot write %s: it is there and not a regular file", path);
        return STRADS_ERR_IO;
    }
    return STRADS_OK;
}

/* A temporary of a process that died may be in the way of the last one. */
static void next_name(data_writer *writer)
{
    static atomic_uint counter;
    snprintf(writer->temporary, strlen(writer->path) + SUFFIX_BYTES, "%s.tmp-%ld-%u", writer->path,
             (long) getpid(), atomic_fetch_add(&counter, 1));
}

static int open_named(data_writer *writer)
{
    int fd = -1;
    for (int i = 0; i < MAX_ATTEMPTS && fd < 0; i++) {
        next_name(writer);
        fd = open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST) {
            break;
        }
    }
    writer->named = fd >= 0;
    return fd;
}

/* dirname changes its argument. */
static const char *folder_of(data_writer *writer)
{
    strcpy(writer->temporary, writer->path);
    return dirname(writer->temporary);
}

/* By which a file without a name is known. */
static void find_descriptor(char path[DESCRIPTOR_BYTES], int fd)
{
    snprintf(path, DESCRIPTOR_BYTES, "/proc/self/fd/%d", fd);
}

/* Not all file systems have such files. */
static int open_unnamed(data_writer *writer)
{
    char descriptor[DESCRIPTOR_BYTES];
    const int fd = open(folder_of(writer), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    find_descriptor(descriptor, fd);
    if (fd >= 0 && access(descriptor, F_OK) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* 0 or what went wrong. */
static int give_name(data_writer *writer)
{
    char descriptor[DESCRIPTOR_BYTES];
    find_descriptor(descriptor, fileno(writer->stream));
    for (int i = 0; i < MAX_ATTEMPTS && !writer->named; i++) {
        next_name(writer);
        writer->named =
            linkat(AT_FDCWD, descriptor, AT_FDCWD, writer->temporary, AT_SYMLINK_FOLLOW) == 0;
        if (!writer->named && errno != EEXIST) {
            break;
        }
    }
    return writer->named ? 0 : errno;
}

/* Opens a file for what will be at the path, unless asked to without a name until it is. Sets
 * errno. */
static FILE *open_temporary(data_writer *writer, bool named)
{
    int fd = named ? -1 : open_unnamed(writer);
    if (fd < 0) {
        fd = open_named(writer);
    }
    return fd >= 0 ? fdopen(fd, "w") : NULL;
}

static void free_writer(data_writer *writer)
{
    strads_free(writer->path);
    strads_free(writer->temporary);
    strads_free(writer);
}

strads_status data_writer_open_as(data_writer **out, const char *path, bool named)
{
    const strads_status status = check_target(path);
    if (status != STRADS_OK) {
        return status;
    }
    data_writer *writer = strads_alloc(sizeof(*writer));
    if (writer == NULL) {
        return data_no_memory(path);
    }
    writer->named = false;
    writer->path = strads_strdup(path);
    writer->temporary = strads_alloc(strlen(path) + SUFFIX_BYTES);
    if (writer->path == NULL || writer->temporary == NULL) {
        free_writer(writer);
        return data_no_memory(path);
    }
    writer->stream = open_temporary(writer, named);
    if (writer->stream == NULL) {
        const int error = errno;
        free_writer(writer);
        return fail(path, error);
    }
    setvbuf(writer->stream, writer->buffer, _IOFBF, BUFFER_BYTES);
    *out = writer;
    return STRADS_OK;
}

strads_status data_writer_open(data_writer **out, const char *path)
{
    return data_writer_open_as(out, path, false);
}

FILE *data_writer_stream(data_writer *writer)
{
    return writer->stream;
}

/* Makes the rename itself durable. Not all file systems can sync a folder; those
 * that cannot say EINVAL. */
static int sync_folder(data_writer *writer)
{
    const int fd = open(folder_of(writer), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0; /* a folder may be writable and not readable */
    }
    const int error = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
    close(fd);
    return error;
}

/* Flushes, and syncs if asked to; 0 or what went wrong. The stream only remembers that
 * an earlier write failed: one more byte, to a file that is lost anyway, asks why. */
static int flush_all(FILE *stream, bool sync)
{
    if (ferror(stream)) {
        errno = 0;
        return write(fileno(stream), "", 1) < 0 ? errno : EIO;
    }
    if (fflush(stream) != 0) {
        return errno;
    }
    return sync && fsync(fileno(stream)) != 0 && errno != EINVAL ? errno : 0;
}

static void forget(const data_writer *writer)
{
    if (writer->named) {
        unlink(writer->temporary);
    }
}

static strads_status finish(data_writer *writer, bool sync)
{
    int error = flush_all(writer->stream, sync);
    error = error == 0 ? give_name(writer) : error;
    if (fclose(writer->stream) != 0 && error == 0) {
        error = errno;
    }
    if (error == 0 && rename(writer->temporary, writer->path) != 0) {
        error = errno;
    }
    if (error != 0) {
        forget(writer);
    } else if (sync) {
        error = sync_folder(writer);
    }
    const strads_status status = error == 0 ? STRADS_OK : fail(writer->path, error);
    free_writer(writer);
    return status;
}

strads_status data_writer_commit(data_writer *writer)
{
    return finish(writer, true);
}

strads_status data_writer_publish(data_writer *writer)
{
    return finish(writer, false);
}

void data_writer_abandon(data_writer *writer)
{
    if (writer != NULL) {
        fclose(writer->stream);
        forget(writer);
        free_writer(writer);
    }
}
