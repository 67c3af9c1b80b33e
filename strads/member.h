/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/member.h - what a process does that another one coordinates. */
#ifndef STRADS_STRADS_MEMBER_H
#define STRADS_STRADS_MEMBER_H

#include "net/team.h"
#include "strads/run.h"

/* In a process that was forked: joins, works, and exits. */
void member_run(const strads_app *app, const strads_config *config, const net_team_options *options)
    __attribute__((noreturn));

#endif
