/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/command.h - driving the real command as a user drives it.
 *
 * STRADS_BIN names the binary. Everything runs in one temporary folder, suite_folder(),
 * that holds a small generated problem, small.libsvm, and a configuration for it,
 * small.yaml.
 */
#ifndef STRADS_TESTS_COMMAND_H
#define STRADS_TESTS_COMMAND_H

#include "tests/support/suite.h"

enum { COMMAND_TEXT_BYTES = 1 << 16, COMMAND_BYTES = 4096 };

#define CHECK_HAS(text, part) CHECK(strstr((text), (part)) != NULL)
#define CHECK_LACKS(text, part) CHECK(strstr((text), (part)) == NULL)

/* What the last command_run left on stdout and stderr. */
extern char command_out[COMMAND_TEXT_BYTES], command_err[COMMAND_TEXT_BYTES];

/* The absolute path of the binary. */
const char *command_binary(void);

/* Runs "strads ARGUMENTS" through the shell in the folder; returns its exit code. */
int command_run(const char *arguments, ...) STRADS_PRINTF(1, 2);

/* Makes the problem and its configuration, once. */
void command_set_up(void);

/* The path of a file that a run has left in `folder`, or of one beside it, with "": until the next
 * call. */
const char *command_path(const char *folder, const char *name);

/* A number of the summary that a run has left in `folder`; NAN: it has none of that name. */
double command_number(const char *folder, const char *key);

/* The text of a file of the folder, "" when there is none; whether there is one. */
void command_read(const char *name, char text[COMMAND_TEXT_BYTES]);
bool command_left(const char *name);

#endif
