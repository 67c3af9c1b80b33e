/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/toy_run.c - runs of the toy program, and what their record must show. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/suite.h"
#include "tests/support/toy.h"

enum { TEXT = 200 };

const char *toy_folder(void)
{
    static char folder[TEXT];
    snprintf(folder, sizeof(folder), "%s/run", suite_folder());
    return folder;
}

static strads_status set(strads_config *config, const char *key, const char *value)
{
    char text[2 * TEXT];
    snprintf(text, sizeof(text), "%s=%s", key, value);
    return strads_config_set(config, text);
}

static strads_status configure(strads_config *config, const char *const *settings, size_t n)
{
    size_t n_options = 0;
    const strads_option *options = strads_options(&n_options);
    strads_status status = set(config, "run.out", toy_folder());
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        status = strads_config_set(config, settings[i]);
    }
    if (status == STRADS_OK) {
        status = strads_config_declare(config, options, n_options);
    }
    return status == STRADS_OK ? strads_config_resolve(config) : status;
}

strads_status toy_run(const toy_problem *problem, const strads_app *app,
                      const char *const *settings, size_t n, strads_result *result)
{
    strads_config *config = NULL;
    toy_start();
    strads_status status = strads_config_create(&config);
    if (status == STRADS_OK) {
        status = configure(config, settings, n);
    }
    if (status == STRADS_OK) {
        strads_mem_fail_after(problem->fail_allocation);
        status = strads_run(app, config, NULL, NULL, result);
        strads_mem_fail_after(0);
    }
    strads_config_destroy(config);
    return status;
}

/* ---- the record ---- */

static char complaint[TEXT];

/* What is known of a variable while the record is read. */
typedef struct hold {
    bool held; /* pushed and not yet pulled */
    uint64_t round;
    uint32_t rank;
} hold;

static const char *push_of(const toy_event *event, const uint32_t *vars, hold *holds)
{
    for (uint32_t i = 0; i < event->n_vars; i++) {
        hold *of = &holds[vars[i]];
        if (of->held) {
            snprintf(complaint, TEXT, "variable %u is pushed in round %llu, held since %llu",
                     vars[i], (unsigned long long) event->round, (unsigned long long) of->round);
            return complaint;
        }
        *of = (hold){.held = true, .round = event->round, .rank = event->rank};
    }
    return NULL;
}

static const char *pull_of(const toy_event *event, const uint32_t *vars, hold *holds)
{
    for (uint32_t i = 0; i < event->n_vars; i++) {
        hold *of = &holds[vars[i]];
        if (!of->held || of->round != event->round) {
            snprintf(complaint, TEXT, "variable %u is pulled in round %llu, not pushed in it",
                     vars[i], (unsigned long long) event->round);
            return complaint;
        }
        of->held = false;
    }
    return NULL;
}

/* Variables just pushed against all others that are held by other workers. */
static const char *beside(const toy_event *event, const uint32_t *vars, const hold *holds,
                          uint32_t n_vars, double rho)
{
    for (uint32_t i = 0; i < event->n_vars; i++) {
        for (uint32_t k = 0; k < n_vars; k++) {
            if (holds[k].held && holds[k].rank != event->rank &&
                fabs(toy_cosine(vars[i], k)) > rho + 1e-12) {
                snprintf(complaint, TEXT, "round %llu: %u runs beside %u, cosine %g",
                         (unsigned long long) event->round, vars[i], k, toy_cosine(vars[i], k));
                return complaint;
            }
        }
    }
    return NULL;
}

const char *toy_complaint(const toy_problem *problem, double rho)
{
    const uint32_t n_vars = problem->shape.n_vars;
    const toy_event *events = NULL;
    const uint32_t *vars = NULL;
    const size_t n = toy_record(&events, &vars);
    hold *holds = calloc(n_vars, sizeof(*holds));
    const char *found = holds == NULL ? "no memory" : NULL;
    for (size_t i = 0; i < n && found == NULL; i++) {
        const toy_event *event = &events[i];
        const uint32_t *list = vars + event->first;
        found =
            event->kind == TOY_PUSHED ? push_of(event, list, holds) : pull_of(event, list, holds);
        if (found == NULL && event->kind == TOY_PUSHED && rho < 1.0) {
            found = beside(event, list, holds, n_vars, rho);
        }
    }
    for (uint32_t j = 0; j < n_vars && found == NULL; j++) {
        if (holds[j].held) {
            snprintf(complaint, TEXT, "variable %u was pushed in round %llu and never pulled", j,
                     (unsigned long long) holds[j].round);
            found = complaint;
        }
    }
    free(holds);
    return found;
}
