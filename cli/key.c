/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/key.c - `strads key new`: the key that the processes of a run share. */
#include <string.h>

#include "cli/cli.h"

int cli_key(int argc, char **argv)
{
    const cli_usage usage = {
        .command = "key",
        .operands = {"new", "FILE"},
        .help = "Makes a random key in the new file FILE, which only its owner may read. Every\n"
                "process of a run needs a copy (scp -p keeps its mode), named by --key FILE,\n"
                "net.key_file or STRADS_KEY_FILE.\n"};
    const char *operands[CLI_MAX_OPERANDS];
    const int code = cli_parse(&usage, argc, argv, operands);
    if (code != CLI_GO_ON) {
        return code;
    }
    if (strcmp(operands[0], "new") != 0) {
        strads_error("key: '%s': there is only strads key new FILE", operands[0]);
        return CLI_USAGE;
    }
    return cli_exit_of(strads_key_make(operands[1]));
}
