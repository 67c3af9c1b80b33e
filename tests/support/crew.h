/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/crew.h - the processes of a run, each started as a user starts it, in the
 * folder of tests/support/command.h.
 *
 * What process NAME says is in NAME.out and NAME.err. Waits are bounded, by more than a
 * loaded machine needs: they are no measure of speed.
 */
#ifndef STRADS_TESTS_CREW_H
#define STRADS_TESTS_CREW_H

#include <sys/types.h>

#include "tests/support/command.h"

enum { CREW_MAX = 8, CREW_NAME = 16 };

/* One that has been started. */
typedef struct crew {
    pid_t pid;
    char name[CREW_NAME];
} crew;

/* Starts "BINARY ARGUMENTS" in a process group of its own; crew_start_in: in that of
 * another one. binary NULL: that of the tests. */
crew crew_start(const char *name, const char *arguments, ...) STRADS_PRINTF(2, 3);
crew crew_start_in(const crew *leader, const char *name, const char *binary, const char *arguments);

/* Its exit code, or 128 and the signal that ended it. One that does not end is killed, and
 * fails the test. */
int crew_wait(crew *one);

/* Waits until its NAME.err has the words; false, and failed, when it ends without. */
bool crew_says(const crew *one, const char *words);

/* What NAME.err has; valid until the next call. */
const char *crew_words(const crew *one);

/* A coordinator's URL, once it waits for others: copied from its words. */
bool crew_url(const crew *coordinator, char url[COMMAND_BYTES]);

/* A TCP port of 127.0.0.1 that was free a moment ago. */
int crew_free_port(void);

/* Pauses for milliseconds. */
void crew_pause(double milliseconds);

/* Whether a process of the group is left. */
bool crew_group_is_gone(const crew *leader);

/* How many lines the file has, 0 when there is none; -1: one is no object of JSON. */
int crew_journal_lines(const char *name);

#endif
