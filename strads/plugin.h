/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/plugin.h - whether a model program can be run. */
#ifndef STRADS_STRADS_PLUGIN_H
#define STRADS_STRADS_PLUGIN_H

#include "strads/run.h"

/* Checks an app's table: size, ABI, the entries that must be there. */
STRADS_MUST_CHECK strads_status strads_app_check(const strads_app *app);

#endif
