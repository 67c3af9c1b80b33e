/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/processes.c - forking and waiting, listening and joining; loading together. */
#include "strads/processes.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/tasks.h"
#include "net/shared.h"
#include "net/team.h"
#include "net/wait.h"
#include "strads/identity.h"
#include "strads/job.h"
#include "strads/member.h"
#include "strads/swap.h"

/* What a process that was forked is given to end by itself, after a run that went well or
 * did not. */
static const double CHILD_SECONDS = 30.0;
static const double FAILED_CHILD_SECONDS = 0.5;
static const double LOOK_SECONDS = 0.002;

struct processes {
    net_links *links;
    uint64_t app;       /* of the coordinator, to compare */
    uint32_t *ranks;    /* [count + 1] */
    net_shared *shared; /* with forked processes; NULL: none */
    pid_t *children;    /* [n_children]; 0: it has been waited for */
    uint32_t n_children;
    bool child_failed;
};

uint32_t processes_me(const processes *self)
{
    return net_links_me(self->links);
}

uint32_t processes_workers(const processes *self)
{
    return self->ranks[net_links_count(self->links)];
}

net_links *processes_links(processes *self)
{
    return self->links;
}

strads_part processes_part(processes *self)
{
    return (strads_part){.index = net_links_me(self->links),
                         .count = net_links_count(self->links),
                         .ranks = self->ranks,
                         .context = self->links,
                         .swap = swap_with_all};
}

/* ---- coming together ---- */

/* What the coordinator sends along: this, and its configuration. */
typedef struct brief_head {
    uint64_t app;
} brief_head;

static strads_status read_key(net_key *out, const strads_config *config)
{
    const char *path = strads_config_text(config, "net.key_file");
    path = path != NULL ? path : getenv("STRADS_KEY_FILE");
    *out = (net_key){.given = false};
    return path == NULL ? STRADS_OK : net_key_read(out, path);
}

/* A callback that takes its time would keep the process, and what waits for it, here. */
static void end_at_once(void)
{
    strads_error("this process has not ended by itself since the run failed: it is ended now");
    fflush(NULL);
    _exit(EXIT_FAILURE);
}

static strads_status read_team(net_team_options *out, const strads_config *config, const char *url)
{
    const uint32_t asked = (uint32_t) strads_config_int(config, "run.workers");
    *out = (net_team_options){
        .url = url,
        .tls = {.cert = strads_config_text(config, "net.tls.cert"),
                .key = strads_config_text(config, "net.tls.key"),
                .ca = strads_config_text(config, "net.tls.ca"),
                .name = strads_config_text(config, "net.tls.name")},
        .patience = {.deadline = strads_now() + strads_config_real(config, "net.join_timeout"),
                     .stop = &job_stop_requested},
        .n_workers = asked > 0 ? asked : strads_cores(),
        .queue_messages = PROCESSES_QUEUE,
        .heartbeat = strads_config_real(config, "net.heartbeat"),
        .timeout = strads_config_real(config, "net.timeout"),
        .stuck = end_at_once,
        .report = &job_report_requested};
    if (out->timeout <= out->heartbeat) {
        strads_error("%s: net.timeout: %g s must be longer than net.heartbeat, %g s",
                     strads_config_place(config, "net.timeout"), out->timeout, out->heartbeat);
        return STRADS_ERR_USAGE;
    }
    const strads_status status = identity_of_program(&out->program);
    return status == STRADS_OK ? read_key(&out->key, config) : status;
}

/* Fills in what follows from the links. */
static strads_status settle(processes *self)
{
    const uint32_t n = net_links_count(self->links);
    self->ranks = strads_calloc(n + 1, sizeof(*self->ranks));
    if (self->ranks == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t p = 0; p < n; p++) {
        net_id first = 0;
        net_id n_nodes = 0;
        net_links_nodes(self->links, p, &first, &n_nodes);
        self->ranks[p] = first == NET_COORDINATOR ? 0 : first - 1;
        self->ranks[p + 1] = first + n_nodes - 1;
    }
    return STRADS_OK;
}

/* ---- forked processes ---- */

/* One that gave up has said why, on the same stderr, or was told why here. */
static void say_how_it_ended(pid_t pid, int status)
{
    if (WIFSIGNALED(status)) {
        strads_error("process with pid %d was ended by signal %d (%s)", (int) pid, WTERMSIG(status),
                     strsignal(WTERMSIG(status)));
    } else if (strads_log_n_errors() == 0) {
        strads_error("process with pid %d ended with exit status %d", (int) pid,
                     WEXITSTATUS(status));
    }
}

/* Notes those that have ended. Where SIGCHLD is ignored, as a process may inherit it, they
 * are gone without a status; what they did is known from their links. */
static void look_at_children(processes *self)
{
    for (uint32_t i = 0; i < self->n_children; i++) {
        int status = 0;
        if (self->children[i] != 0 && waitpid(self->children[i], &status, WNOHANG) != 0) {
            if (status != 0) {
                say_how_it_ended(self->children[i], status);
                self->child_failed = true;
            }
            self->children[i] = 0;
        }
    }
}

/* While they are awaited none may end. */
static strads_status check_children(void *context)
{
    processes *self = context;
    look_at_children(self);
    for (uint32_t i = 0; i < self->n_children; i++) {
        if (self->children[i] == 0) {
            return STRADS_ERR_CLOSED;
        }
    }
    return STRADS_OK;
}

static bool any_child(const processes *self)
{
    for (uint32_t i = 0; i < self->n_children; i++) {
        if (self->children[i] != 0) {
            return true;
        }
    }
    return false;
}

static void end_children(processes *self, bool well)
{
    const double deadline = strads_now() + (well ? CHILD_SECONDS : FAILED_CHILD_SECONDS);
    look_at_children(self);
    while (any_child(self) && strads_now() < deadline) {
        const net_patience moment = {.deadline = strads_now() + LOOK_SECONDS};
        if (net_wait_pause(&moment) == STRADS_OK) {
            look_at_children(self);
        }
    }
    for (uint32_t i = 0; i < self->n_children; i++) {
        if (self->children[i] != 0) {
            strads_error("process with pid %d does not end: it is killed", (int) self->children[i]);
            kill(self->children[i], SIGKILL);
            waitpid(self->children[i], NULL, 0);
            self->child_failed = true;
        }
    }
}

/* A process that was forked ends with the one that did, which may be gone already. */
static void end_with(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent) {
        raise(SIGTERM);
    }
}

/* Whether the library of the network has run: it does not survive a fork. */
static _Atomic bool is_networked;

static strads_status check_can_fork(void)
{
    if (atomic_load(&is_networked)) {
        strads_error("run.processes: this program has had a run of several processes, and cannot "
                     "fork others any more; run each in a process of its own");
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

/* Forks the others; in them `member_run` works and exits. */
static strads_status fork_all(processes *self, uint32_t n, const strads_app *app,
                              const strads_config *config, const net_team_options *options)
{
    self->children = strads_calloc(n, sizeof(*self->children));
    if (self->children == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const pid_t parent = getpid();
    fflush(NULL);
    for (uint32_t i = 0; i < n; i++) {
        const pid_t pid = fork();
        if (pid < 0) {
            strads_error("cannot start a process: %s", strerror(errno));
            return STRADS_ERR_SYSTEM;
        }
        if (pid == 0) {
            end_with(parent);
            strads_free(self->children);
            strads_free(self);
            member_run(app, config, options); /* does not return */
        }
        self->children[self->n_children++] = pid;
    }
    return STRADS_OK;
}

/* ---- life ---- */

static void destroy(processes *self)
{
    net_shared_destroy(self->shared);
    strads_free(self->ranks);
    strads_free(self->children);
    strads_free(self);
}

/* A URL and a key that the forked processes inherit. */
static strads_status make_own_team(processes *self, net_team_options *options, char url[64],
                                   uint32_t n_workers)
{
    uint64_t name = 0;
    strads_status status = net_shared_create(&self->shared, n_workers);
    options->shared = self->shared;
    if (status == STRADS_OK) {
        status = net_random(&name, sizeof(name));
    }
    if (status == STRADS_OK) {
        status = net_random(options->key.bytes, sizeof(options->key.bytes));
    }
    options->key.given = true;
    options->quiet = true;
    snprintf(url, 64, "abstract://strads-%016llx", (unsigned long long) name);
    options->url = url;
    return status;
}

/* *brief is for free(). */
static strads_status make_brief(char **brief, size_t *bytes, const strads_app *app,
                                const strads_config *config)
{
    brief_head head;
    strads_status status = identity_of_app(&head.app, app);
    if (status != STRADS_OK) {
        return status;
    }
    FILE *to = open_memstream(brief, bytes);
    if (to == NULL) {
        return STRADS_ERR_NOMEM;
    }
    fwrite(&head, sizeof(head), 1, to);
    status = strads_config_print(config, to);
    if (fclose(to) != 0) {
        status = STRADS_ERR_NOMEM;
    }
    if (status != STRADS_OK) {
        free(*brief);
        *brief = NULL;
    }
    return status;
}

static strads_status form(processes *self, const strads_app *app, const strads_config *config,
                          const run_options *run, net_team_options *options)
{
    char url[64];
    char *brief = NULL;
    size_t brief_bytes = 0;
    strads_status status = identity_of_config(&options->config, config);
    if (status == STRADS_OK && options->url == NULL) {
        status = check_can_fork();
        if (status == STRADS_OK) {
            status = make_own_team(self, options, url, run->n_workers);
        }
        if (status == STRADS_OK) {
            status = fork_all(self, run->n_processes - 1, app, config, options);
        }
    }
    if (status == STRADS_OK) {
        status = make_brief(&brief, &brief_bytes, app, config);
    }
    if (status == STRADS_OK) {
        const net_team_plan plan = {.n_processes = run->n_processes,
                                    .n_workers = run->deals_workers ? run->n_workers : 0,
                                    .brief = brief,
                                    .brief_bytes = brief_bytes,
                                    .check = check_children,
                                    .context = self};
        atomic_store(&is_networked, true);
        status = net_team_form(&self->links, options, &plan);
    }
    free(brief);
    return status == STRADS_OK ? settle(self) : status;
}

strads_status processes_form(processes **out, const strads_app *app, const strads_config *config,
                             const run_options *run)
{
    *out = NULL;
    if (run->n_processes == 1) {
        return STRADS_OK;
    }
    net_team_options options;
    strads_status status = read_team(&options, config, strads_config_text(config, "net.listen"));
    if (status != STRADS_OK) {
        return status;
    }
    processes *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        return STRADS_ERR_NOMEM;
    }
    status = form(self, app, config, run, &options);
    if (status != STRADS_OK) {
        (void) processes_end(self, status);
        return status;
    }
    *out = self;
    return STRADS_OK;
}

strads_status processes_knock(processes **out, char **brief, const net_team_options *options)
{
    processes *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        return STRADS_ERR_NOMEM;
    }
    void *answer = NULL;
    size_t bytes = 0;
    atomic_store(&is_networked, true);
    strads_status status = net_team_join(&self->links, &answer, &bytes, options);
    if (status == STRADS_OK && bytes < sizeof(brief_head)) {
        strads_error("%s: the coordinator sent no configuration", options->url);
        status = STRADS_ERR_USAGE;
    }
    if (status == STRADS_OK) {
        memcpy(&self->app, answer, sizeof(self->app));
        *brief = strads_strdup((char *) answer + sizeof(brief_head));
        status = *brief == NULL ? STRADS_ERR_NOMEM : settle(self);
    }
    strads_free(answer);
    if (status != STRADS_OK) {
        (void) processes_end(self, status);
        return status;
    }
    *out = self;
    return STRADS_OK;
}

strads_status processes_join(processes **out, char **brief, const strads_config *config,
                             const char *url, bool compare)
{
    net_team_options options;
    strads_status status = read_team(&options, config, url);
    options.door = strads_config_text(config, "net.listen");
    if (status == STRADS_OK && compare) {
        status = identity_of_config(&options.config, config);
    }
    return status == STRADS_OK ? processes_knock(out, brief, &options) : status;
}

strads_status processes_check_app(const processes *self, const strads_app *app)
{
    uint64_t mine = 0;
    const strads_status status = identity_of_app(&mine, app);
    if (status == STRADS_OK && mine != self->app) {
        strads_error("%s: the file of the model program is another than the coordinator's "
                     "(%016llx, there %016llx)",
                     app->name, (unsigned long long) mine, (unsigned long long) self->app);
        return STRADS_ERR_USAGE;
    }
    return status;
}

strads_status processes_end(processes *self, strads_status status)
{
    if (self == NULL) {
        return status;
    }
    if (self->links != NULL) {
        status = net_links_end(self->links, status);
    }
    end_children(self, status == STRADS_OK);
    if (status == STRADS_OK && self->child_failed) {
        status = STRADS_ERR_CLOSED;
    }
    destroy(self);
    return status;
}
