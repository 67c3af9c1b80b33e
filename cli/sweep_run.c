/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/sweep_run.c - one case of a sweep: a process that runs it, and what it leaves. */
#define _DEFAULT_SOURCE /* strsignal */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/sweep.h"

static const char error_mark[] = "strads: error: ";

/* ---- the process ---- */

/* What it prints goes nowhere, but for its errors. */
static bool redirect(int messages)
{
    const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    return nowhere >= 0 && dup2(nowhere, STDIN_FILENO) >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0 &&
           dup2(messages, STDERR_FILENO) >= 0;
}

/* A group of its own, since Ctrl-C is the sweep's to see; and no life after it. */
static bool settle(pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    return setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
           sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static int run_case(const sweep_run *run, const sweep_plan *plan, const sweep_request *request)
{
    cli_session session;
    const strads_status status =
        sweep_plan_session(plan, run->index, request, run->folder, &session);
    if (status != STRADS_OK) {
        return cli_exit_of(status);
    }
    const int code = cli_solve(&session, true);
    cli_session_close(&session);
    return code;
}

/* "FOLDER/NAME"; for strads_free. */
static char *join(const char *folder, const char *name)
{
    const size_t bytes = strlen(folder) + strlen(name) + 2;
    char *path = strads_alloc(bytes);
    if (path != NULL) {
        snprintf(path, bytes, "%s/%s", folder, name);
    }
    return path;
}

/* What an earlier run left must not be taken for what this one leaves. */
static strads_status remove_results(const char *folder)
{
    static const char *const names[] = {"summary.json", "journal.jsonl"};
    strads_status status = STRADS_OK;
    for (size_t i = 0; status == STRADS_OK && i < 2; i++) {
        char *path = join(folder, names[i]);
        if (path == NULL) {
            return STRADS_ERR_NOMEM;
        }
        if (unlink(path) != 0 && errno != ENOENT && errno != ENAMETOOLONG) {
            strads_error("%s: cannot remove the file of an earlier run: %s", path, strerror(errno));
            status = STRADS_ERR_IO;
        }
        strads_free(path);
    }
    return status;
}

static strads_status prepare(sweep_run *run, const sweep_plan *plan, const char *folder)
{
    char *name = NULL;
    strads_status status = sweep_plan_name(plan, run->index, true, &name);
    if (status != STRADS_OK) {
        return status;
    }
    run->folder = join(folder, name);
    strads_free(name);
    if (run->folder == NULL) {
        return STRADS_ERR_NOMEM;
    }
    run->messages = tmpfile();
    if (run->messages == NULL) {
        strads_error("cannot make a temporary file: %s", strerror(errno));
        return STRADS_ERR_IO;
    }
    return remove_results(run->folder);
}

strads_status sweep_run_start(sweep_run *run, const sweep_plan *plan, size_t index,
                              const sweep_request *request, const char *folder)
{
    sweep_run made = {.index = index, .started = strads_now()};
    strads_status status = prepare(&made, plan, folder);
    if (status == STRADS_OK) {
        const pid_t parent = getpid();
        made.process = fork();
        if (made.process == 0) {
            /* Not exit: what main has buffered or registered is the parent's. */
            const bool ready = redirect(fileno(made.messages)) && settle(parent);
            _exit(ready ? run_case(&made, plan, request) : CLI_FAILED);
        }
        if (made.process < 0) {
            strads_error("cannot start a process: %s", strerror(errno));
            status = STRADS_ERR_SYSTEM;
        }
    }
    if (status != STRADS_OK) {
        sweep_run_fini(&made);
        return status;
    }
    *run = made;
    return STRADS_OK;
}

void sweep_run_fini(sweep_run *run)
{
    if (run->messages != NULL) {
        fclose(run->messages);
    }
    strads_free(run->folder);
}

/* ---- what it leaves ---- */

/* Says in outcome->error how the process ended; "" when it ended well. */
static void tell_end(const sweep_run *run, int wait_status, sweep_outcome *outcome)
{
    char line[SWEEP_ERROR_BYTES];
    const int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    outcome->error[0] = '\0';
    if (code == CLI_DONE || code == CLI_LIMIT) {
        return;
    }
    if (WIFSIGNALED(wait_status)) {
        snprintf(outcome->error, SWEEP_ERROR_BYTES, "ended by signal %d (%s)",
                 WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
        return;
    }
    snprintf(outcome->error, SWEEP_ERROR_BYTES, "ended with exit code %d", code);
    const size_t mark = strlen(error_mark);
    rewind(run->messages);
    while (fgets(line, sizeof(line), run->messages) != NULL) {
        if (strncmp(line, error_mark, mark) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(outcome->error, SWEEP_ERROR_BYTES, "%s", line + mark);
            return;
        }
    }
}

static strads_status read_file(const sweep_run *run, const char *name, sweep_records *records,
                               sweep_outcome *outcome)
{
    bool whole = false;
    char *path = join(run->folder, name);
    const strads_status status =
        path != NULL ? sweep_json_read(records, path, &whole) : STRADS_ERR_NOMEM;
    strads_free(path);
    if (status == STRADS_OK && !whole && outcome->error[0] == '\0') {
        snprintf(outcome->error, SWEEP_ERROR_BYTES, "%s cannot be read", name);
    }
    return status;
}

/* Puts together one record for each of `source`, one alone when that is empty. */
static strads_status make_records(const sweep_run *run, const sweep_plan *plan,
                                  const sweep_records *source, sweep_outcome *outcome)
{
    sweep_facts facts = {.status = outcome->status, .error = outcome->error};
    const size_t n = source->n > 0 ? source->n : 1;
    strads_status status = STRADS_OK;
    for (size_t i = 0; status == STRADS_OK && i < n; i++) {
        char number[24] = "";
        if (source->n > 0) {
            snprintf(number, sizeof(number), "%zu", i + 1);
        }
        facts.measurement = number;
        sweep_record *record = sweep_records_add(&outcome->records);
        status =
            record != NULL ? sweep_plan_record(plan, run->index, &facts, record) : STRADS_ERR_NOMEM;
        if (status == STRADS_OK && source->n > 0) {
            status = sweep_record_put_all(record, &source->items[i]);
        }
    }
    return status;
}

strads_status sweep_run_finish(const sweep_run *run, const sweep_plan *plan, int wait_status,
                               sweep_outcome *outcome)
{
    sweep_records summary = {0}, journal = {0};
    *outcome = (sweep_outcome){0};
    tell_end(run, wait_status, outcome);
    strads_status status = read_file(run, "summary.json", &summary, outcome);
    if (status == STRADS_OK && plan->curve) {
        status = read_file(run, "journal.jsonl", &journal, outcome);
    }
    const char *said = summary.n > 0 ? sweep_record_find(&summary.items[0], "status") : NULL;
    if (said == NULL && outcome->error[0] == '\0') {
        snprintf(outcome->error, SWEEP_ERROR_BYTES, "summary.json has no status");
    }
    snprintf(outcome->status, SWEEP_STATUS_BYTES, "%s",
             outcome->error[0] != '\0' ? "failed" : said);
    if (status == STRADS_OK) {
        status = make_records(run, plan, plan->curve ? &journal : &summary, outcome);
    }
    sweep_records_fini(&summary);
    sweep_records_fini(&journal);
    return status;
}

void sweep_outcome_fini(sweep_outcome *outcome)
{
    sweep_records_fini(&outcome->records);
}
