/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/run.c - `strads run`: solves a problem, shows how it goes and says what came out. */
#include <math.h>
#include <signal.h>

#include "cli/cli.h"
#include "cli/progress.h"

typedef struct run_request {
    cli_session session;
    bool quiet, verbose, print_config;
} run_request;

/* ---- signals ---- */

static volatile sig_atomic_t caught_signal;

static void on_signal(int number)
{
    caught_signal = number;
    strads_stop_all();
}

/* The first signal ends the run in good order, the second at once. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- what came out ---- */

static const char *verdict_text(strads_verdict verdict)
{
    switch (verdict) {
    case STRADS_CONVERGED:
        return "converged: the goal was met";
    case STRADS_COMPLETED:
        return "completed: all the work asked for is done";
    case STRADS_STOPPED:
        return caught_signal != 0 ? "stopped: interrupted before the goal"
                                  : "stopped: a limit came before the goal";
    default:
        return "failed";
    }
}

static void print_summary(const cli_session *session, const strads_result *result)
{
    const char *folder = strads_config_text(session->config, "run.out");
    const strads_progress *last = &result->last;
    char updates[CLI_SHORT_BYTES], rate[CLI_SHORT_BYTES];
    printf("%s %s\n", session->app->name, verdict_text(result->verdict));
    if (!isnan(last->objective)) {
        printf("  objective  %.10g\n", last->objective);
    }
    if (isfinite(last->gap)) {
        printf("  gap        %.2g relative, the goal is %g\n", last->gap,
               strads_config_real(session->config, "stop.gap"));
    }
    printf("  found      %zu of %u values are not zero\n", last->nonzeros, result->n_vars);
    printf("  work       %llu rounds, %s updates (%s a second)\n", (unsigned long long) last->round,
           cli_short((double) last->updates, updates),
           cli_short((double) last->updates / fmax(result->solve_seconds, 1e-9), rate));
    printf("  time       %.2f s: loading %.2f s, solving %.2f s\n", result->total_seconds,
           result->load_seconds, result->solve_seconds);
    printf("  written    %s (summary.json has all of the above)\n", folder);
    if (session->app->predict != NULL && result->solve_seconds > 0.0) { /* else: no model */
        printf("next: strads predict %s DATA\n", folder);
    }
}

static int exit_of_verdict(strads_verdict verdict)
{
    switch (verdict) {
    case STRADS_CONVERGED:
    case STRADS_COMPLETED:
        return CLI_DONE;
    case STRADS_STOPPED:
        return caught_signal != 0 ? CLI_SIGNAL + caught_signal : CLI_LIMIT;
    default:
        return CLI_FAILED;
    }
}

/* ---- the command ---- */

static int solve(const run_request *request)
{
    const cli_session *session = &request->session;
    cli_progress progress;
    cli_progress_init(&progress);
    catch_signals();
    strads_result result;
    const strads_status status =
        strads_run(session->app, session->config, request->quiet ? NULL : cli_progress_listen,
                   &progress, &result);
    if (!request->quiet) {
        cli_progress_end(&progress);
    }
    if (status != STRADS_OK) {
        return cli_exit_of(status);
    }
    if (!request->quiet) {
        print_summary(session, &result);
    }
    return exit_of_verdict(result.verdict);
}

static int load_and_solve(run_request *request, const char *path)
{
    if (request->quiet) {
        strads_log_set_level(STRADS_LOG_WARN);
    } else if (request->verbose) {
        strads_log_set_level(STRADS_LOG_DEBUG);
    }
    strads_status status = cli_session_load(&request->session, path);
    if (status == STRADS_OK && request->print_config) {
        status = strads_config_print(request->session.config, stdout);
        return cli_exit_of(status);
    }
    return status == STRADS_OK ? solve(request) : cli_exit_of(status);
}

static int parse_and_run(run_request *request, int argc, char **argv)
{
    strads_config *config = request->session.config;
    const cli_flag flags[] = {
        {"workers", "N", "as --set run.workers=N", .config = config, .key = "run.workers"},
        {"out", "DIR", "as --set run.out=DIR", .config = config, .key = "run.out"},
        {"set", "KEY=VALUE", "overrides a key of CONFIG; repeatable", .config = config},
        {"quiet", NULL, "nothing but warnings and errors", .on = &request->quiet},
        {"verbose", NULL, "tells what the scheduler does", .on = &request->verbose},
        {"print-config", NULL, "prints the whole configuration instead of running",
         .on = &request->print_config},
    };
    const cli_usage usage = {
        .command = "run",
        .operands = {"CONFIG"},
        .help = "Solves the problem that the YAML file CONFIG describes, and leaves in the run\n"
                "directory (run.out) the model, summary.json, journal.jsonl and config.yaml.\n"
                "Ctrl-C ends the run in good order with what it has; twice, at once.\n"
                "strads help KEY explains a key of CONFIG.\n",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const char *operands[CLI_MAX_OPERANDS];
    const int code = cli_parse(&usage, argc, argv, operands);
    if (code != CLI_GO_ON) {
        return code;
    }
    if (request->quiet && request->verbose) {
        strads_error("run: --quiet and --verbose contradict each other");
        return CLI_USAGE;
    }
    return load_and_solve(request, operands[0]);
}

int cli_run(int argc, char **argv)
{
    run_request request = {0};
    const strads_status status = cli_session_init(&request.session);
    if (status != STRADS_OK) {
        return cli_exit_of(status);
    }
    const int code = parse_and_run(&request, argc, argv);
    cli_session_close(&request.session);
    return code;
}
