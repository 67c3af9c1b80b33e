/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_plugin.c - what a model program must have, and what loading
 * one refuses. */
#include "strads/plugin.h"

#include <string.h>

#include "strads/grid.h"
#include "tests/support/suite.h"

/* Entries that are there; none is called. */
static strads_status open_site(const strads_config *config, strads_part *part, void **site)
{
    (void) config;
    (void) part;
    (void) site;
    return STRADS_OK;
}

static void close_any(void *state)
{
    (void) state;
}

static strads_status describe(const void *site, strads_structure *structure)
{
    (void) site;
    (void) structure;
    return STRADS_OK;
}

static strads_status open_worker(const void *site, strads_worker *worker, void **state)
{
    (void) site;
    (void) worker;
    (void) state;
    return STRADS_OK;
}

static strads_status open_model(const strads_config *config, const void *site, void **model)
{
    (void) config;
    (void) site;
    (void) model;
    return STRADS_OK;
}

static strads_status score(void *state, const uint32_t *vars, size_t n, float *scores)
{
    (void) state;
    (void) vars;
    (void) n;
    (void) scores;
    return STRADS_OK;
}

static strads_status push(void *state, const strads_block *block, double *partial)
{
    (void) state;
    (void) block;
    (void) partial;
    return STRADS_OK;
}

static const strads_app whole = {.struct_size = sizeof(strads_app),
                                 .abi = STRADS_APP_ABI,
                                 .name = "whole",
                                 .help = "Has what it needs.",
                                 .open_site = open_site,
                                 .close_site = close_any,
                                 .describe = describe,
                                 .open_worker = open_worker,
                                 .close_worker = close_any,
                                 .score = score,
                                 .push = push};

typedef struct request {
    strads_app app;
    const char *path;
    strads_status status;
} request;

static void check_app(void *context)
{
    request *self = context;
    self->status = strads_app_check(&self->app);
}

static void load(void *context)
{
    request *self = context;
    const strads_app *app = NULL;
    self->status = strads_plugin_load(&app, self->path);
    CHECK(app == NULL);
}

static void check_said(void (*body)(void *), request *ask, strads_status status,
                       const char *said_what)
{
    char *said = suite_stderr_of(body, ask);
    CHECK_STATUS(ask->status, status);
    CHECK(strstr(said, said_what) != NULL);
    strads_free(said);
}

static void an_app_with_all_it_needs_is_taken(void)
{
    CHECK_STATUS(strads_app_check(&whole), STRADS_OK);
}

static void another_interface_is_refused(void)
{
    request ask = {.app = whole};
    ask.app.abi = STRADS_APP_ABI + 1;
    check_said(check_app, &ask, STRADS_ERR_APP, "build it again");
    ask.app = whole;
    ask.app.struct_size -= sizeof(void *);
    check_said(check_app, &ask, STRADS_ERR_APP, "build it again");
}

static void a_missing_entry_is_named(void)
{
    static const strads_measure measures[] = {{.name = "m", .reduction = STRADS_SUM}};
    static const strads_grid grid = {.n_rows = NULL};
    request ask = {.app = whole};
    ask.app.push = NULL;
    check_said(check_app, &ask, STRADS_ERR_APP, "whole: there is no push");
    ask.app = whole;
    ask.app.score = NULL;
    check_said(check_app, &ask, STRADS_ERR_APP, "there is no score");
    ask.app = whole;
    ask.app.open_model = open_model;
    check_said(check_app, &ask, STRADS_ERR_APP, "close_model");
    ask.app = whole;
    ask.app.name = NULL;
    check_said(check_app, &ask, STRADS_ERR_APP, "there is no name");
    ask.app = whole;
    ask.app.n_measures = 1;
    check_said(check_app, &ask, STRADS_ERR_APP, "measure");
    ask.app.grid = &grid; /* that has one, but push runs without it */
    ask.app.measures = measures;
    check_said(check_app, &ask, STRADS_ERR_APP, "there is no measure, since there are measures");
}

static void what_is_not_a_plug_in_is_refused_by_its_path(void)
{
    char *text = suite_file("text.so", "this is no shared object\n");
    request ask = {.path = text};
    check_said(load, &ask, STRADS_ERR_IO, text);
    ask.path = "/nowhere/to/be/found.so";
    check_said(load, &ask, STRADS_ERR_IO, ask.path);
    strads_free(text);
}

static void a_library_without_the_entry_is_refused(void)
{
    request ask = {.path = "libm.so.6"};
    check_said(load, &ask, STRADS_ERR_APP, STRADS_APP_ENTRY);
}

SUITE("strads/plugin", {"an app with all it needs is taken", an_app_with_all_it_needs_is_taken},
      {"another interface is refused", another_interface_is_refused},
      {"a missing entry is named", a_missing_entry_is_named},
      {"what is not a plug-in is refused by its path",
       what_is_not_a_plug_in_is_refused_by_its_path},
      {"a library without the entry is refused", a_library_without_the_entry_is_refused})
