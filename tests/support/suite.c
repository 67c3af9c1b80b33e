/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/suite.c - the CUnit wrapper of suite.h. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "tests/support/suite.h"

#include <ftw.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void) info;
    (void) kind;
    (void) walk;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *suite_folder(void)
{
    if (folder[0] == '\0') {
        snprintf(folder, sizeof(folder), "/tmp/strads-test-XXXXXX");
        if (mkdtemp(folder) == NULL) {
            perror("mkdtemp");
            exit(2);
        }
        atexit(remove_folder);
    }
    return folder;
}

char *suite_file(const char *name, const char *text)
{
    const size_t bytes = strlen(suite_folder()) + strlen(name) + 2;
    char *path = strads_alloc(bytes);
    FILE *file = NULL;
    if (path != NULL) {
        snprintf(path, bytes, "%s/%s", suite_folder(), name);
        file = fopen(path, "w");
    }
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        perror(name);
        exit(2);
    }
    return path;
}

char *suite_stderr_of(void (*body)(void *context), void *context)
{
    FILE *capture = tmpfile();
    const int saved = dup(STDERR_FILENO);
    if (capture == NULL || saved < 0) {
        perror("capture");
        exit(2);
    }
    fflush(stderr);
    dup2(fileno(capture), STDERR_FILENO);
    body(context);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    const long length = (fseek(capture, 0, SEEK_END), ftell(capture));
    rewind(capture);
    char *text = strads_calloc((size_t) length + 1, 1);
    if (text == NULL || fread(text, 1, (size_t) length, capture) != (size_t) length) {
        perror("capture");
        exit(2);
    }
    fclose(capture);
    return text;
}

int suite_main(const char *name, const suite_case *cases, size_t n_cases)
{
    if (CU_initialize_registry() != CUE_SUCCESS) {
        return 2;
    }
    CU_pSuite suite = CU_add_suite(name, NULL, NULL);
    for (size_t i = 0; i < n_cases; i++) {
        if (suite == NULL || CU_add_test(suite, cases[i].sentence, cases[i].run) == NULL) {
            fprintf(stderr, "%s: %s\n", name, CU_get_error_msg());
            return 2;
        }
    }
    CU_basic_set_mode(CU_BRM_SILENT);
    CU_basic_run_tests();
    CU_basic_show_failures(CU_get_failure_list()); /* ends inside a line */
    const unsigned n_failed = CU_get_number_of_tests_failed();
    printf("\nsuite %s: %u passed, %u failed\n", name, (unsigned) n_cases - n_failed, n_failed);
    CU_cleanup_registry();
    return n_failed > 0 ? 1 : 0;
}
