/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/apps.c - the built-in model programs. */
#include <assert.h>

#include "apps/lasso/lasso.h"
#include "apps/lda/lda.h"
#include "apps/mf/mf.h"
#include "cli/cli.h"

static const strads_app *const apps[] = {&lasso_app, &lda_app, &mf_app};

static_assert(sizeof(apps) <= CLI_MAX_APPS * sizeof(apps[0]), "raise CLI_MAX_APPS");

const strads_app *const *cli_apps(size_t *n)
{
    *n = sizeof(apps) / sizeof(apps[0]);
    return apps;
}
