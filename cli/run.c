/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cli/run.c - `strads run` and `strads coordinator`: solve a problem, show how it goes and
 * say what came out.
 */
#include <math.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/sweep.h"

typedef struct run_request {
    const char *command;
    sweep_request sweep; /* of a run alone its `sets` count */
    bool quiet, verbose, trace, print_config;
} run_request;

/* ---- what came out ---- */

static const char *verdict_text(strads_verdict verdict)
{
    switch (verdict) {
    case STRADS_CONVERGED:
        return "converged: the goal was met";
    case STRADS_COMPLETED:
        return "completed: all the work asked for is done";
    case STRADS_STOPPED:
        return cli_caught_signal() != 0 ? "stopped: interrupted before the goal"
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
    if (session->app->grid == NULL) { /* there the state is the program's */
        printf("  found      %zu of %u values are not zero\n", last->nonzeros, result->n_vars);
    }
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
        return cli_caught_signal() != 0 ? CLI_SIGNAL + cli_caught_signal() : CLI_LIMIT;
    default:
        return CLI_FAILED;
    }
}

/* A wait for others that a signal has ended is no failure of its own. */
static int exit_of_failure(strads_status status)
{
    const bool ended = status == STRADS_ERR_CLOSED && strads_log_n_errors() == 0;
    return ended && cli_caught_signal() != 0 ? CLI_SIGNAL + cli_caught_signal()
                                             : cli_exit_of(status);
}

/* ---- the commands ---- */

int cli_solve(const cli_session *session, bool quiet)
{
    cli_progress progress;
    cli_progress_init(&progress);
    cli_catch_signals();
    strads_result result;
    const strads_status status = strads_run(session->app, session->config,
                                            quiet ? NULL : cli_progress_listen, &progress, &result);
    if (!quiet) {
        cli_progress_end(&progress);
    }
    if (status != STRADS_OK) {
        return exit_of_failure(status);
    }
    if (!quiet) {
        print_summary(session, &result);
    }
    return exit_of_verdict(result.verdict);
}

static int run_one(const run_request *request)
{
    cli_session session;
    strads_status status = cli_session_init(&session);
    if (status != STRADS_OK) {
        return cli_exit_of(status);
    }
    status = cli_session_set(&session, &request->sweep.sets);
    if (status == STRADS_OK) {
        status = cli_session_load(&session, request->sweep.config);
    }
    int code = cli_exit_of(status);
    if (status == STRADS_OK) {
        code = request->print_config ? cli_exit_of(strads_config_print(session.config, stdout))
                                     : cli_solve(&session, request->quiet);
    }
    cli_session_close(&session);
    return code;
}

/* Which options go together. */
static int check_request(const run_request *request)
{
    const sweep_request *sweep = &request->sweep;
    const char *problem = NULL;
    if (request->quiet && (request->verbose || request->trace)) {
        problem = request->trace ? "--quiet and --trace contradict each other"
                                 : "--quiet and --verbose contradict each other";
    } else if (sweep->csv == NULL && (sweep->sweeps.n > 0 || sweep->n_seeds > 1 || sweep->curve)) {
        problem = "--sweep, --repeat and --curve need --csv FILE, where the results go";
    } else if (sweep->csv != NULL && request->print_config) {
        problem = "--print-config is for one run, --csv for a sweep of them";
    } else if (sweep->csv != NULL && (request->verbose || request->trace)) {
        problem = request->trace ? "--trace is for one run, --csv for a sweep of them"
                                 : "--verbose is for one run, --csv for a sweep of them";
    }
    if (problem != NULL) {
        strads_error("%s: %s", request->command, problem);
        return CLI_USAGE;
    }
    return CLI_GO_ON;
}

static int run(const run_request *request)
{
    const int code = check_request(request);
    if (code != CLI_GO_ON) {
        return code;
    }
    cli_set_level(request->quiet, request->verbose, request->trace);
    return request->sweep.csv != NULL ? sweep_all(&request->sweep) : run_one(request);
}

static int parse_and_run(run_request *request, int argc, char **argv)
{
    sweep_request *sweep = &request->sweep;
    const cli_flag flags[] = {
        {"workers", "N", "as --set run.workers=N", .texts = &sweep->sets, .key = "run.workers"},
        {"processes", "N", "as --set run.processes=N: started here, sharing the workers",
         .texts = &sweep->sets, .key = "run.processes"},
        {"out", "DIR", "as --set run.out=DIR", .texts = &sweep->sets, .key = "run.out"},
        {"set", "KEY=VALUE", "overrides a key of CONFIG; repeatable", .texts = &sweep->sets},
        {"quiet", NULL, "nothing but warnings and errors", .on = &request->quiet},
        {"verbose", NULL, "tells what the scheduler does", .on = &request->verbose},
        {"trace", NULL, "and the schedule of every round: candidates, rejections, blocks",
         .on = &request->trace},
        {"print-config", NULL, "prints the whole configuration instead of running",
         .on = &request->print_config},
        {"sweep", "KEY=A,B,C", "runs every value, and all combinations; repeatable",
         .texts = &sweep->sweeps},
        {"repeat", "N", "runs each with N seeds, from run.seed on", .count = &sweep->n_seeds,
         .min = 1, .max = SWEEP_MAX_CASES},
        {"csv", "FILE", "makes it a sweep: a row a run; those in it are done", .text = &sweep->csv},
        {"curve", NULL, "with --csv: a row a measurement", .on = &sweep->curve},
    };
    const cli_usage usage = {
        .command = "run",
        .operands = {"CONFIG"},
        .help = "Solves the problem that the YAML file CONFIG describes, and leaves in the run\n"
                "directory (run.out) the model, summary.json, journal.jsonl and config.yaml.\n"
                "Ctrl-C ends the run in good order with what it has; twice, at once.\n"
                "With --csv it is a sweep of runs, which goes on where it was interrupted; their\n"
                "directories are kept with --out DIR, below it, and else removed.\n"
                "strads help KEY explains a key of CONFIG.\n",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const char *operands[CLI_MAX_OPERANDS];
    const int code = cli_parse(&usage, argc, argv, operands);
    if (code != CLI_GO_ON) {
        return code;
    }
    sweep->config = operands[0];
    return run(request);
}

int cli_run(int argc, char **argv)
{
    run_request request = {.command = "run", .sweep = {.n_seeds = 1}};
    const int code = parse_and_run(&request, argc, argv);
    cli_texts_fini(&request.sweep.sets);
    cli_texts_fini(&request.sweep.sweeps);
    return code;
}

static int parse_and_coordinate(run_request *request, int argc, char **argv)
{
    cli_texts *sets = &request->sweep.sets;
    const cli_flag flags[] = {
        {"listen", "URL", "as --set net.listen=URL: where to wait", .texts = sets,
         .key = "net.listen", .required = true},
        {"processes", "N", "as --set run.processes=N: how many, with this one", .texts = sets,
         .key = "run.processes"},
        {"workers", "N", "as --set run.workers=N: in all; default one a core", .texts = sets,
         .key = "run.workers"},
        {"key", "FILE", "as --set net.key_file=FILE", .texts = sets, .key = "net.key_file"},
        {"out", "DIR", "as --set run.out=DIR", .texts = sets, .key = "run.out"},
        {"set", "KEY=VALUE", "overrides a key of CONFIG; repeatable", .texts = sets},
        {"quiet", NULL, "nothing but warnings and errors", .on = &request->quiet},
        {"verbose", NULL, "tells what the scheduler does", .on = &request->verbose},
        {"trace", NULL, "and the schedule of every round", .on = &request->trace},
    };
    const cli_usage usage = {
        .command = "coordinator",
        .operands = {"CONFIG"},
        .help = "As strads run, with processes that others start: waits at URL until they have\n"
                "come (strads worker --join URL, here or on other machines), then solves.\n"
                "URL is tcp://HOST:PORT, tls+tcp://HOST:PORT (port 0: any; 5000-5010: the first\n"
                "free; HOST *: all addresses of this machine) or ipc:///PATH. What other machines\n"
                "can reach needs a key: strads key new FILE. See docs/CLUSTER.md.\n",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const char *operands[CLI_MAX_OPERANDS];
    const int code = cli_parse(&usage, argc, argv, operands);
    if (code != CLI_GO_ON) {
        return code;
    }
    request->sweep.config = operands[0];
    return run(request);
}

int cli_coordinator(int argc, char **argv)
{
    run_request request = {.command = "coordinator", .sweep = {.n_seeds = 1}};
    const int code = parse_and_coordinate(&request, argc, argv);
    cli_texts_fini(&request.sweep.sets);
    return code;
}
