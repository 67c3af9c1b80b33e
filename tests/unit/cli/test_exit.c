/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/cli/test_exit.c - every way to end has a code, and every code a meaning. */
#include "cli/cli.h"
#include "tests/support/suite.h"

static int rows_of(int code)
{
    size_t n = 0;
    const cli_exit_row *rows = cli_exit_rows(&n);
    int found = 0;
    for (size_t i = 0; i < n; i++) {
        found += rows[i].code == code && rows[i].meaning[0] != '\0';
    }
    return found;
}

static void every_status_ends_with_a_code_that_is_explained_once(void)
{
    for (int status = STRADS_OK; status <= STRADS_ERR_SYSTEM; status++) {
        const int code = cli_exit_of((strads_status) status);
        CHECK((code == CLI_DONE) == (status == STRADS_OK));
        CHECK(rows_of(code) == 1);
    }
    CHECK(rows_of(CLI_LIMIT) == 1);
    CHECK(cli_exit_of(STRADS_ERR_USAGE) == 2 && cli_exit_of(STRADS_ERR_DATA) == 3);
    CHECK(cli_exit_of(STRADS_ERR_IO) == 4 && cli_exit_of(STRADS_ERR_NOMEM) == 5);
}

SUITE("cli/exit", {"every status ends with a code that is explained once",
                   every_status_ends_with_a_code_that_is_explained_once})
