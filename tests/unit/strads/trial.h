/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/trial.h - a whole run of the toy program, and what came of it. */
#ifndef STRADS_TESTS_UNIT_STRADS_TRIAL_H
#define STRADS_TESTS_UNIT_STRADS_TRIAL_H

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/suite.h"
#include "tests/support/toy.h"

static const toy_shape trial_shape = {
    .n_rows = 30, .n_vars = 12, .n_copies = 3, .noise = 0.5, .ridge = 1.0, .seed = 5};

enum { TRIAL_SETTINGS = 8, TRIAL_SECONDS = 60 };

/* A run and what came of it. */
typedef struct trial {
    toy_problem *problem;
    strads_app app;
    const char *settings[TRIAL_SETTINGS];
    size_t n_settings;
    strads_status status;
    strads_result result;
    char *said; /* on stderr */
} trial;

static inline trial trial_begin(void)
{
    return (trial){.problem = toy_create(&trial_shape), .app = toy_app()};
}

static inline void trial_set(trial *self, const char *setting)
{
    REQUIRE(self->n_settings < TRIAL_SETTINGS);
    self->settings[self->n_settings++] = setting;
}

static inline void trial_run_quietly(void *context)
{
    trial *self = context;
    self->status =
        toy_run(self->problem, &self->app, self->settings, self->n_settings, &self->result);
}

/* Runs it; whatever happens, nothing may be left open. */
static inline void trial_run(trial *self)
{
    strads_free(self->said);
    self->said = NULL;
    const size_t live = strads_mem_live();
    alarm(TRIAL_SECONDS); /* a hang is a failure */
    self->said = suite_stderr_of(trial_run_quietly, self);
    alarm(0);
    CHECK(strads_mem_live() == live + 1); /* what it said */
    CHECK(toy_open() == 0);
}

static inline void trial_end(trial *self)
{
    strads_free(self->said);
    toy_destroy(self->problem);
}

/* ---- summary.json ---- */

static inline json_t *trial_summary(void)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/summary.json", toy_folder());
    return json_load_file(path, 0, NULL);
}

static inline void trial_check_summary(const char *verdict)
{
    json_t *object = trial_summary();
    const char *status = json_string_value(json_object_get(object, "status"));
    CHECK(status != NULL && strcmp(status, verdict) == 0);
    json_decref(object);
}

#endif
