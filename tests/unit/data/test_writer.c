/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_writer.c - files that are whole or not there. */
#define _GNU_SOURCE /* O_TMPFILE */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/data/reading.h"

typedef struct writing {
    const char *path;
    size_t n_bytes;     /* to write */
    size_t limit_bytes; /* of any file, 0: none; stands for a full disk */
    bool freed;         /* the disk has room again before the end */
    bool named;         /* for data_writer_open_as */
    size_t fail_after;  /* for strads_mem_fail_after */
    strads_status status;
} writing;

static void write_file(void *context)
{
    writing *w = context;
    struct rlimit saved;
    getrlimit(RLIMIT_FSIZE, &saved);
    if (w->limit_bytes > 0) {
        const struct rlimit limit = {.rlim_cur = w->limit_bytes, .rlim_max = saved.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    strads_mem_fail_after(w->fail_after);
    data_writer *writer = NULL;
    w->status = data_writer_open_as(&writer, w->path, w->named);
    strads_mem_fail_after(0);
    if (w->status == STRADS_OK) {
        for (size_t i = 0; i < w->n_bytes; i++) {
            fputc('x', data_writer_stream(writer));
        }
        if (w->freed) {
            setrlimit(RLIMIT_FSIZE, &saved);
        }
        w->status = data_writer_commit(writer);
    }
    setrlimit(RLIMIT_FSIZE, &saved);
}

static void check_not_written_so(writing w, strads_status status, const char *part)
{
    const size_t live = strads_mem_live();
    char *message = suite_stderr_of(write_file, &w);
    CHECK_STATUS(w.status, status);
    if (strstr(message, part) == NULL) {
        fprintf(stderr, "'%s' (expected '%s')\n", message, part);
        CHECK(false);
    }
    strads_free(message);
    CHECK(strads_mem_live() == live);
}

/* Either way. */
static void check_not_written(writing w, strads_status status, const char *part)
{
    check_not_written_so(w, status, part);
    w.named = true;
    check_not_written_so(w, status, part);
}

/* How many entries a folder has. */
static size_t n_files(const char *path)
{
    size_t n = 0;
    DIR *folder = opendir(path);
    REQUIRE(folder != NULL);
    while (readdir(folder) != NULL) {
        n++;
    }
    closedir(folder);
    return n - 2;
}

static char *fresh_folder(const char *name)
{
    char *path = suite_file(name, "");
    REQUIRE(unlink(path) == 0 && mkdir(path, 0777) == 0);
    return path;
}

static void a_file_appears_under_its_name_on_commit_only(void)
{
    char *folder = fresh_folder("commit");
    char path[200];
    snprintf(path, sizeof(path), "%s/out", folder);
    for (int named = 0; named < 2; named++) {
        data_writer *writer = NULL;
        REQUIRE_OK(data_writer_open_as(&writer, path, named != 0));
        fputs("new", data_writer_stream(writer));
        CHECK(access(path, F_OK) != 0 && (named == 0 || n_files(folder) == 1));
        REQUIRE_OK(data_writer_commit(writer));
        size_t n = 0;
        char *bytes = contents(path, &n);
        CHECK_TEXT(bytes, "new");
        CHECK(n_files(folder) == 1 && unlink(path) == 0);
        strads_free(bytes);
    }
    strads_free(folder);
}

static bool has_unnamed_files(const char *folder)
{
    const int fd = open(folder, O_TMPFILE | O_WRONLY, 0666);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static void a_process_that_is_killed_leaves_nothing(void)
{
    char *folder = fresh_folder("killed");
    char path[200];
    snprintf(path, sizeof(path), "%s/out", folder);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        data_writer *writer = NULL;
        if (data_writer_open(&writer, path) == STRADS_OK) {
            fputs("new", data_writer_stream(writer));
            fflush(data_writer_stream(writer));
            raise(SIGKILL);
        }
        _exit(1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    CHECK(n_files(folder) == (has_unnamed_files(folder) ? 0 : 1));
    strads_free(folder);
}

static void a_file_given_up_leaves_what_was_there(void)
{
    char *path = suite_file("kept", "old");
    const size_t n = n_files(suite_folder());
    for (int named = 0; named < 2; named++) {
        data_writer *writer = NULL;
        REQUIRE_OK(data_writer_open_as(&writer, path, named != 0));
        fputs("new", data_writer_stream(writer));
        data_writer_abandon(writer);
    }
    data_writer_abandon(NULL);
    size_t n_bytes = 0;
    char *bytes = contents(path, &n_bytes);
    CHECK_TEXT(bytes, "old");
    CHECK(n_files(suite_folder()) == n);
    strads_free(bytes);
    strads_free(path);
}

static void a_full_disk_is_reported_and_leaves_nothing(void)
{
    signal(SIGXFSZ, SIG_IGN);
    char *folder = fresh_folder("full");
    char path[200];
    snprintf(path, sizeof(path), "%s/out", folder);
    /* Failing inside fputc, and in the last flush only. */
    check_not_written((writing){.path = path, .n_bytes = 3 << 20, .limit_bytes = 1 << 20},
                      STRADS_ERR_IO, "out: File too large");
    check_not_written((writing){.path = path, .n_bytes = 5000, .limit_bytes = 4096}, STRADS_ERR_IO,
                      "out: File too large");
    /* With a hole where the disk was full. */
    check_not_written(
        (writing){.path = path, .n_bytes = 3 << 20, .limit_bytes = 1 << 20, .freed = true},
        STRADS_ERR_IO, "cannot write ");
    CHECK(n_files(folder) == 0);
    strads_free(folder);
}

static void a_place_that_cannot_be_written_is_named(void)
{
    check_not_written((writing){.path = "/nonexistent/out"}, STRADS_ERR_IO,
                      "cannot write /nonexistent/out: No such file or directory");
    check_not_written((writing){.path = "/proc/out"}, STRADS_ERR_IO, "cannot write /proc/out: ");
    check_not_written((writing){.path = suite_folder()}, STRADS_ERR_IO,
                      "it is there and not a regular file");
    check_not_written((writing){.path = "/dev/full"}, STRADS_ERR_IO,
                      "cannot write /dev/full: it is there and not a regular file");
}

static void an_unwritable_folder_is_refused(void)
{
    if (geteuid() == 0) {
        return; /* the rule does not hold for root */
    }
    char *folder = fresh_folder("locked");
    char path[200];
    snprintf(path, sizeof(path), "%s/out", folder);
    REQUIRE(chmod(folder, 0555) == 0);
    check_not_written((writing){.path = path}, STRADS_ERR_IO, "out: Permission denied");
    REQUIRE(chmod(folder, 0777) == 0);
    strads_free(folder);
}

static void a_file_has_the_usual_permissions(void)
{
    char *path = suite_file("mode", "");
    const mode_t mask = umask(027);
    for (int named = 0; named < 2; named++) {
        writing w = {.path = path, .n_bytes = 1, .named = named != 0};
        write_file(&w);
        struct stat info;
        REQUIRE(stat(path, &info) == 0);
        CHECK((info.st_mode & 0777) == 0640);
    }
    umask(mask);
    strads_free(path);
}

static void no_memory_leaves_nothing(void)
{
    char *folder = fresh_folder("memory");
    char path[200];
    snprintf(path, sizeof(path), "%s/out", folder);
    for (size_t n = 1; n <= 3; n++) {
        check_not_written((writing){.path = path, .fail_after = n}, STRADS_ERR_NOMEM,
                          "out: no memory");
    }
    CHECK(n_files(folder) == 0);
    strads_free(folder);
}

SUITE("data/writer",
      {"a file appears under its name on commit only",
       a_file_appears_under_its_name_on_commit_only},
      {"a process that is killed leaves nothing", a_process_that_is_killed_leaves_nothing},
      {"a file given up leaves what was there", a_file_given_up_leaves_what_was_there},
      {"a full disk is reported and leaves nothing", a_full_disk_is_reported_and_leaves_nothing},
      {"a place that cannot be written is named", a_place_that_cannot_be_written_is_named},
      {"an unwritable folder is refused", an_unwritable_folder_is_refused},
      {"a file has the usual permissions", a_file_has_the_usual_permissions},
      {"no memory leaves nothing", no_memory_leaves_nothing})
