/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/session.c - a configuration, the model program it names, and both resolved. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static bool is_plugin(const char *name)
{
    const size_t length = strlen(name);
    return length > 3 && strcmp(name + length - 3, ".so") == 0;
}

/* Loads the plug-in that `app` names, and leaves its absolute path there, so that the
 * configuration kept in the run directory can be used from anywhere. */
static strads_status load_plugin(cli_session *session)
{
    char *named = NULL;
    strads_status status = strads_config_peek_path(session->config, "app", &named);
    if (status != STRADS_OK) {
        return status;
    }
    char assignment[PATH_MAX + 8] = "app=";
    char *path = assignment + strlen(assignment);
    if (realpath(named, path) == NULL) {
        strads_error("app: the plug-in %s cannot be found: %s", named, strerror(errno));
        status = STRADS_ERR_IO;
    }
    strads_free(named);
    if (status == STRADS_OK) {
        status = strads_plugin_load(&session->app, path);
    }
    return status == STRADS_OK ? strads_config_set(session->config, assignment) : status;
}

static strads_status find_builtin(cli_session *session, const char *place, const char *name)
{
    size_t n_apps = 0;
    const strads_app *const *apps = cli_apps(&n_apps);
    const char *names[CLI_MAX_APPS];
    for (size_t i = 0; i < n_apps; i++) {
        if (strcmp(apps[i]->name, name) == 0) {
            session->app = apps[i];
            return STRADS_OK;
        }
        names[i] = apps[i]->name;
    }
    const char *nearest = strads_nearest(name, names, n_apps);
    strads_error("%s: app: '%s' is not a built-in model program (%s) nor a plug-in (a file .so)",
                 place, name, nearest != NULL ? nearest : names[0]);
    return STRADS_ERR_USAGE;
}

static strads_status find_app(cli_session *session, const char *path)
{
    const char *name = strads_config_peek(session->config, "app");
    const char *place = NULL;
    const char *kind = strads_config_peek_kind(session->config, "app", &place);
    if (name == NULL) {
        size_t n_apps = 0;
        strads_error(
            "%s: app: %s, where a built-in model program (%s) or a plug-in (a file .so) is "
            "expected",
            place != NULL ? place : path, kind, cli_apps(&n_apps)[0]->name);
        return STRADS_ERR_USAGE;
    }
    return is_plugin(name) ? load_plugin(session) : find_builtin(session, place, name);
}

strads_status cli_session_init(cli_session *session)
{
    *session = (cli_session){0};
    return strads_config_create(&session->config);
}

strads_status cli_session_set(cli_session *session, const cli_texts *sets)
{
    strads_status status = STRADS_OK;
    for (size_t i = 0; status == STRADS_OK && i < sets->n; i++) {
        status = strads_config_set(session->config, sets->items[i]);
    }
    return status;
}

static strads_status declare_framework(cli_session *session)
{
    size_t n = 0;
    const strads_option *options = strads_options(&n);
    return strads_config_declare(session->config, options, n);
}

/* Of what was loaded from `name`. */
static strads_status resolve(cli_session *session, const char *name)
{
    strads_status status = find_app(session, name);
    if (status == STRADS_OK) {
        status = declare_framework(session);
    }
    if (status == STRADS_OK) {
        const strads_app *app = session->app;
        status = strads_config_declare(session->config, app->options, app->n_options);
    }
    return status == STRADS_OK ? strads_config_resolve(session->config) : status;
}

strads_status cli_session_load(cli_session *session, const char *path)
{
    const strads_status status = strads_config_load(session->config, path);
    return status == STRADS_OK ? resolve(session, path) : status;
}

strads_status cli_session_load_text(cli_session *session, const char *name, const char *text)
{
    const strads_status status = strads_config_load_text(session->config, name, text);
    return status == STRADS_OK ? resolve(session, name) : status;
}

strads_status cli_session_load_none(cli_session *session)
{
    const strads_status status = declare_framework(session);
    return status == STRADS_OK ? strads_config_resolve(session->config) : status;
}

void cli_session_close(cli_session *session)
{
    strads_config_destroy(session->config);
}
