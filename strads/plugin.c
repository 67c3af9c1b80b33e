/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/plugin.c - model programs from shared objects, and what every app must have. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "strads/grid.h"
#include "strads/plugin.h"

strads_status strads_app_check(const strads_app *app)
{
    if (app->abi != STRADS_APP_ABI || app->struct_size != sizeof(strads_app)) {
        strads_error("the model program was built for interface %u (%zu bytes), this is interface "
                     "%u (%zu bytes): build it again with this version's headers",
                     app->abi, app->struct_size, STRADS_APP_ABI, sizeof(strads_app));
        return STRADS_ERR_APP;
    }
    const strads_grid *grid = app->grid;
    const struct {
        const char *name;
        bool present;
    } entries[] = {
        {"name", app->name != NULL},
        {"help", app->help != NULL},
        {"options, since n_options is not 0", app->n_options == 0 || app->options != NULL},
        {"measures, since n_measures is not 0", app->n_measures == 0 || app->measures != NULL},
        {"open_site", app->open_site != NULL},
        {"close_site", app->close_site != NULL},
        {"describe", app->describe != NULL},
        {"open_worker", app->open_worker != NULL},
        {"close_worker", app->close_worker != NULL},
        {"close_model, since there is open_model",
         app->open_model == NULL || app->close_model != NULL},
        {"score", app->score != NULL || grid != NULL},
        {"push", app->push != NULL || grid != NULL},
        {"measure, since there are measures",
         app->n_measures == 0 || app->measure != NULL ||
             (grid != NULL && app->push == NULL && app->step == NULL)},
        {"n_rows, open_column, work or measure of its grid",
         grid == NULL || (grid->n_rows != NULL && grid->open_column != NULL && grid->work != NULL &&
                          grid->measure != NULL)},
        {"give_rows, take_rows or take_column of its grid",
         grid == NULL ||
             (grid->give_rows != NULL && grid->take_rows != NULL && grid->take_column != NULL)},
    };
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        if (!entries[i].present) {
            strads_error("model program %s: there is no %s",
                         app->name == NULL ? "without a name" : app->name, entries[i].name);
            return STRADS_ERR_APP;
        }
    }
    return STRADS_OK;
}

strads_status strads_plugin_load(const strads_app **out, const char *path)
{
    /* dlopen looks for names without a slash elsewhere. */
    char *whole = realpath(path, NULL);
    void *plugin = dlopen(whole == NULL ? path : whole, RTLD_NOW | RTLD_LOCAL);
    free(whole);
    if (plugin == NULL) {
        strads_error("%s: cannot load the model program: %s", path, dlerror());
        return STRADS_ERR_IO;
    }
    void *symbol = dlsym(plugin, STRADS_APP_ENTRY);
    strads_app_entry entry = NULL;
    if (symbol != NULL) {
        memcpy(&entry, &symbol, sizeof(entry)); /* ISO C has no cast for this */
    }
    const strads_app *app = entry == NULL ? NULL : entry();
    strads_status status = app == NULL ? STRADS_ERR_APP : strads_app_check(app);
    if (app == NULL) {
        strads_error("%s: there is no " STRADS_APP_ENTRY " that gives a strads_app", path);
    }
    if (status != STRADS_OK) {
        dlclose(plugin);
        return status;
    }
    *out = app;
    return STRADS_OK;
}
