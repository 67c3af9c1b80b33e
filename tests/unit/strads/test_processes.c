/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_processes.c - runs of several processes within one program. */
#include "strads/processes.h"

#include <string.h>

#include "apps/lasso/lasso.h"
#include "tests/support/lasso_run.h"
#include "tests/support/suite.h"

static const char *const forking[] = {"run.workers=2", "run.processes=2", NULL};

static void run_again(void *context)
{
    const lasso_case *self = context;
    lasso_outcome second = lasso_case_run(self, &lasso_app, forking);
    CHECK_STATUS(second.status, STRADS_ERR_USAGE);
    lasso_outcome_fini(&second);
}

static void a_program_forks_for_one_run_and_refuses_another(void)
{
    lasso_case self = lasso_case_draw(20, 30, 1.0, 7);
    self.problem.lambda = 0.1 * lasso_oracle_lambda_max(&self.problem);
    lasso_case_write(&self, false);
    lasso_outcome first = lasso_case_run(&self, &lasso_app, forking);
    CHECK_STATUS(first.status, STRADS_OK);
    char *said = suite_stderr_of(run_again, &self);
    CHECK(strstr(said, "cannot fork others any more") != NULL);
    strads_free(said);
    lasso_outcome_fini(&first);
    lasso_case_fini(&self);
}

SUITE("strads/processes", {"a program forks for one run, and refuses another",
                           a_program_forks_for_one_run_and_refuses_another})
