/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/processes.h - the processes of a run: how they come together, what they load
 * together, and how they part.
 */
#ifndef STRADS_STRADS_PROCESSES_H
#define STRADS_STRADS_PROCESSES_H

#include "base/part.h"
#include "net/team.h"
#include "strads/options.h"

/* Messages that a worker and the coordinator may have under way to each other: a
 * round's PUSH and SYNC for each round in flight, a SCAN, a STAGE, a question; and at the end of a
 * run on a grid all the columns that the worker has, of which there may be thousands. */
enum { PROCESSES_QUEUE = 1 << 20 };

typedef struct processes processes;

/* The coordinator's side: forks the others, or, with net.listen, waits for them to come.
 * *out is NULL in a run of one process. A forked process does not return from here: it
 * works, and exits. */
STRADS_MUST_CHECK strads_status processes_form(processes **out, const strads_app *app,
                                               const strads_config *config, const run_options *run);

/* A member's side; *brief: the run's configuration, YAML, for strads_free. With `compare`
 * the coordinator refuses who has another one. */
STRADS_MUST_CHECK strads_status processes_join(processes **out, char **brief,
                                               const strads_config *config, const char *url,
                                               bool compare);

/* The same with options of its own, for a process that was forked. */
STRADS_MUST_CHECK strads_status processes_knock(processes **out, char **brief,
                                                const net_team_options *options);

/* Whether `app` is the one that the coordinator runs. */
STRADS_MUST_CHECK strads_status processes_check_app(const processes *self, const strads_app *app);

/* Parts: the first of `status`, what another process failed with, and, of those that were
 * forked, how they ended. NULL: `status`. */
strads_status processes_end(processes *self, strads_status status);

uint32_t processes_me(const processes *self);
uint32_t processes_workers(const processes *self); /* of all of them */
net_links *processes_links(processes *self);
strads_part processes_part(processes *self);

#endif
