/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ridge_main.c - ridge.c as a program of its own, without the strads command:
 *
 *   ridge CONFIG
 */
#include "strads/run.h"

const strads_app *strads_app_v1(void);

/* A configuration is loaded, declared by every table that has a part in it, and resolved. */
static strads_status configure(strads_config *config, const char *path, const strads_app *app)
{
    size_t n_options = 0;
    const strads_option *options = strads_options(&n_options);
    strads_status status = strads_config_load(config, path);
    if (status == STRADS_OK) {
        status = strads_config_declare(config, options, n_options);
    }
    if (status == STRADS_OK) {
        status = strads_config_declare(config, app->options, app->n_options);
    }
    return status == STRADS_OK ? strads_config_resolve(config) : status;
}

int main(int argc, char **argv)
{
    const strads_app *app = strads_app_v1();
    strads_config *config = NULL;
    strads_result result;
    if (argc != 2 || strads_config_create(&config) != STRADS_OK) {
        return 2;
    }
    strads_status status = configure(config, argv[1], app);
    if (status == STRADS_OK) {
        status = strads_run(app, config, NULL, NULL, &result);
    }
    if (status == STRADS_OK) {
        printf("%s after %.3f s\n", strads_verdict_name(result.verdict), result.solve_seconds);
    }
    strads_config_destroy(config);
    return status == STRADS_OK && result.verdict == STRADS_CONVERGED ? 0 : 1;
}
