/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/lda_command.h - the command's topic models of a corpus whose topics are known, and
 * what they leave.
 */
#ifndef STRADS_TESTS_LDA_COMMAND_H
#define STRADS_TESTS_LDA_COMMAND_H

#include "tests/support/command.h"

enum { LDA_COMMAND_DOCUMENTS = 200, LDA_COMMAND_WORDS = 120, LDA_COMMAND_TOPICS = 3 };

/* Of the default of lda.yaml. */
extern const double lda_command_alpha[LDA_COMMAND_TOPICS], lda_command_beta;

/* Makes corpus.txt, once, and lda.yaml with what `more` says of the schedule: 60 sweeps from a
 * random start. The words of a topic are told apart easily: about 60 of 120 make nine tenths of
 * it. */
void lda_command_set_up(const char *more);

/* Runs lda.yaml with two workers, or as `more` says; false, and prints why: it failed. */
bool lda_command_run(const char *out, const char *more);

/* log_likelihood_per_token, which is checked to be that of the topics as they were written, all
 * tokens of the corpus having one. */
double lda_command_likelihood(const char *folder);

/* The mean total variation from the topics that a run has left to those of the corpus. Checks that
 * all tokens are in these. */
double lda_command_distance(const char *folder);

/* Checks that a run leaves its topics when it is interrupted. */
void lda_command_interrupt(void);

#endif
