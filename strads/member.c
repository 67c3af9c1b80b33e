/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/member.c - a process of a run that another one coordinates. */
#include "strads/member.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "strads/job.h"
#include "strads/plugin.h"

struct strads_team {
    processes *processes;
    char *config; /* YAML */
};

strads_status strads_team_join(strads_team **out, const strads_config *config, const char *url,
                               bool compare)
{
    strads_team *team = strads_calloc(1, sizeof(*team));
    if (team == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const strads_status status =
        processes_join(&team->processes, &team->config, config, url, compare);
    if (status != STRADS_OK) {
        strads_free(team);
        return status;
    }
    const strads_part part = processes_part(team->processes);
    strads_info("joined as process %u of %u, with workers %u to %u of %u", part.index, part.count,
                part.ranks[part.index], part.ranks[part.index + 1] - 1, part.ranks[part.count]);
    *out = team;
    return STRADS_OK;
}

const char *strads_team_config(const strads_team *team)
{
    return team->config;
}

strads_status strads_team_leave(strads_team *team, strads_status status)
{
    status = processes_end(team->processes, status);
    strads_free(team->config);
    strads_free(team);
    return status;
}

/* Works, as a member of what it has joined. */
static strads_status work(processes *team, const strads_app *app, const strads_config *config)
{
    job self = {.app = app, .config = config, .team = team, .started = strads_now()};
    strads_status status = strads_app_check(app);
    if (status == STRADS_OK) {
        status = run_options_read(&self.run, app, config, &self.cluster);
    }
    if (status == STRADS_OK) {
        bool stopped = false; /* then it loads and hears from the coordinator that it is over */
        run_options_set_workers(&self.run, config, processes_workers(team));
        status = job_load(&self, &stopped);
    }
    if (status == STRADS_OK) {
        status = job_solve(&self, NULL);
    }
    job_fini(&self);
    return status;
}

strads_status strads_team_work(strads_team *team, const strads_app *app,
                               const strads_config *config)
{
    strads_status status = processes_check_app(team->processes, app);
    if (status == STRADS_OK) {
        status = work(team->processes, app, config);
    }
    return strads_team_leave(team, status);
}

strads_status strads_key_make(const char *path)
{
    return net_key_make(path);
}

void member_run(const strads_app *app, const strads_config *config, const net_team_options *options)
{
    const pid_t parent = getppid();
    processes *team = NULL;
    char *brief = NULL;
    strads_status status = processes_knock(&team, &brief, options);
    if (status != STRADS_OK && getppid() != parent) {
        strads_error("process %d, which coordinates the run, has ended", (int) parent);
    }
    if (status == STRADS_OK) {
        prctl(PR_SET_PDEATHSIG, 0); /* from now on its connection says when it ends */
        status = processes_end(team, work(team, app, config));
    }
    strads_free(brief);
    fflush(NULL);
    _exit(status == STRADS_OK ? EXIT_SUCCESS : EXIT_FAILURE);
}
