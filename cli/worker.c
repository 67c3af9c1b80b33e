/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/worker.c - `strads worker`: a process that helps in a run which another coordinates. */
#include <string.h>

#include "cli/cli.h"

typedef struct worker_request {
    const char *url;
    const char *config; /* NULL: whatever the coordinator runs */
    cli_texts sets;     /* as given */
    cli_texts own;      /* those of this process: net.*, run.workers */
    cli_texts local;    /* those that stand in for the run's: data.*, app */
    bool quiet, verbose;
} worker_request;

static bool begins_with(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Tells a process's own settings from those that stand in for the coordinator's. */
static strads_status sort_sets(worker_request *request)
{
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < request->sets.n && status == STRADS_OK; i++) {
        const char *set = request->sets.items[i];
        if (begins_with(set, "net.") || begins_with(set, "run.workers=")) {
            status = cli_texts_add(&request->own, set, strlen(set));
        } else if (begins_with(set, "data.") || begins_with(set, "app=")) {
            status = cli_texts_add(&request->local, set, strlen(set));
        } else {
            strads_error("worker: --set %s: what to run is the coordinator's to say; a worker sets "
                         "net.*, data.* and app, where they are not the same here",
                         set);
            status = STRADS_ERR_USAGE;
        }
    }
    return status;
}

static strads_status join(strads_team **team, const worker_request *request)
{
    cli_session own;
    strads_status status = cli_session_init(&own);
    if (status != STRADS_OK) {
        return status;
    }
    status = strads_config_set(own.config, "net.listen="); /* CONFIG's is the coordinator's */
    if (status == STRADS_OK) {
        status = cli_session_set(&own, &request->own);
    }
    if (status == STRADS_OK) {
        status = request->config != NULL ? cli_session_load(&own, request->config)
                                         : cli_session_load_none(&own);
    }
    if (status == STRADS_OK) {
        status = strads_team_join(team, own.config, request->url, request->config != NULL);
    }
    cli_session_close(&own);
    return status;
}

/* Takes the team. */
static strads_status work(strads_team *team, const worker_request *request)
{
    cli_session session;
    strads_status status = cli_session_init(&session);
    if (status != STRADS_OK) {
        return strads_team_leave(team, status);
    }
    status = cli_session_set(&session, &request->local);
    if (status == STRADS_OK) {
        status = cli_session_load_text(&session, "the coordinator's configuration",
                                       strads_team_config(team));
    }
    status = status == STRADS_OK ? strads_team_work(team, session.app, session.config)
                                 : strads_team_leave(team, status);
    cli_session_close(&session);
    return status;
}

static int help_in_run(worker_request *request)
{
    cli_set_level(request->quiet, request->verbose, false);
    cli_catch_signals();
    strads_team *team = NULL;
    strads_status status = sort_sets(request);
    if (status == STRADS_OK) {
        status = join(&team, request);
    }
    if (status == STRADS_OK) {
        status = work(team, request);
        if (status == STRADS_OK) {
            strads_info("the run has ended");
        }
    }
    const bool asked = cli_caught_signal() != 0 && strads_log_n_errors() == 0;
    return asked ? CLI_SIGNAL + cli_caught_signal() : cli_exit_of(status);
}

static int parse_and_help(worker_request *request, int argc, char **argv)
{
    cli_texts *sets = &request->sets;
    const cli_flag flags[] = {
        {"join", "URL", "where the coordinator listens, as it says", .text = &request->url,
         .required = true},
        {"key", "FILE", "as --set net.key_file=FILE", .texts = sets, .key = "net.key_file"},
        {"listen", "URL", "as --set net.listen=URL: where other workers reach it; any port",
         .texts = sets, .key = "net.listen"},
        {"workers", "N", "threads here, if the coordinator does not say; default one a core",
         .texts = sets, .key = "run.workers"},
        {"set", "KEY=VALUE", "a net.* key, or a data.* key that differs here; repeatable",
         .texts = sets},
        {"quiet", NULL, "nothing but warnings and errors", .on = &request->quiet},
        {"verbose", NULL, "tells more", .on = &request->verbose},
    };
    const cli_usage usage = {
        .command = "worker",
        .operands = {"[CONFIG]"},
        .help =
            "Helps in the run that strads coordinator leads at URL, which may be started later.\n"
            "What to run the coordinator says, paths included: files that lie elsewhere on this\n"
            "machine are named by --set data.path=FILE and the like. With CONFIG its net.* keys\n"
            "are taken, and the coordinator refuses a worker whose CONFIG differs from its own.\n"
            "Ends with the run. See docs/CLUSTER.md.\n",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const char *operands[CLI_MAX_OPERANDS];
    const int code = cli_parse(&usage, argc, argv, operands);
    if (code != CLI_GO_ON) {
        return code;
    }
    request->config = operands[0];
    return help_in_run(request);
}

int cli_worker(int argc, char **argv)
{
    worker_request request = {0};
    const int code = parse_and_help(&request, argc, argv);
    cli_texts_fini(&request.sets);
    cli_texts_fini(&request.own);
    cli_texts_fini(&request.local);
    return code;
}
