/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/identity.c - hashes of the program, its library, a model program, a configuration. */
#define _GNU_SOURCE /* dladdr */
#include "strads/identity.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static strads_status hash_file(uint64_t *out, const char *path, uint64_t seed)
{
    enum { PIECE = 1 << 16 };
    unsigned char *piece = strads_alloc(PIECE);
    XXH3_state_t *state = XXH3_createState();
    FILE *file = fopen(path, "rb");
    strads_status status = piece == NULL || state == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    if (status == STRADS_OK && file == NULL) {
        strads_error("%s: cannot be read: %s", path, strerror(errno));
        status = STRADS_ERR_IO;
    }
    if (status == STRADS_OK) {
        XXH3_64bits_reset_withSeed(state, seed);
        for (size_t n = fread(piece, 1, PIECE, file); n > 0; n = fread(piece, 1, PIECE, file)) {
            XXH3_64bits_update(state, piece, n);
        }
        *out = XXH3_64bits_digest(state);
    }
    if (file != NULL) {
        fclose(file);
    }
    XXH3_freeState(state);
    strads_free(piece);
    return status;
}

/* Of the file that `symbol` was loaded from. */
static strads_status hash_home(uint64_t *out, const void *symbol, uint64_t seed)
{
    Dl_info info;
    if (dladdr(symbol, &info) == 0 || info.dli_fname == NULL ||
        strchr(info.dli_fname, '/') == NULL) {
        return hash_file(out, "/proc/self/exe", seed); /* as it was called, not where it is */
    }
    return hash_file(out, info.dli_fname, seed);
}

static const char of_this_library;

strads_status identity_of_program(uint64_t *out)
{
    uint64_t program = 0;
    const strads_status status = hash_file(&program, "/proc/self/exe", 0);
    return status == STRADS_OK ? hash_home(out, &of_this_library, program) : status;
}

strads_status identity_of_app(uint64_t *out, const strads_app *app)
{
    return hash_home(out, app, 0);
}

/* Whether it must be the same for all who work on a run. The model program is compared by
 * its file, the data by what is in them. */
static bool is_shared(const strads_option *option)
{
    static const char *const own[] = {"app", "run.out", "run.workers", "run.processes"};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strcmp(option->key, own[i]) == 0) {
            return false;
        }
    }
    return option->type != STRADS_PATH && strncmp(option->key, "net.", 4) != 0;
}

strads_status identity_of_config(uint64_t *out, const strads_config *config)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    if (to == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_status status = strads_config_print_some(config, to, is_shared);
    if (fclose(to) != 0) {
        status = STRADS_ERR_NOMEM;
    }
    if (status == STRADS_OK) {
        *out = XXH3_64bits(text, n) | 1; /* not 0, which is none */
    }
    free(text);
    return status;
}
