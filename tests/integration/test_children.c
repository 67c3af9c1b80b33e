/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/integration/test_children.c - processes that are forked, in odd surroundings. */
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/support/command.h"

/* Some launchers hand down that they want to hear of no child; then none can be waited for. */
static void a_run_ends_well_where_ended_children_are_not_told(void)
{
    char command[2 * COMMAND_BYTES];
    command_set_up();
    snprintf(command, sizeof(command),
             "cd %s && trap '' CHLD && exec %s run small.yaml --processes 2 --out deaf 2>err.txt "
             ">out.txt </dev/null",
             suite_folder(), command_binary());
    const int status = system(command);
    command_read("err.txt", command_err);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK_LACKS(command_err, "killed");
    CHECK(command_left("deaf/coefficients.npy"));
}

SUITE("forked processes", {"a run ends well where ended children are not told",
                           a_run_ends_well_where_ended_children_are_not_told})
