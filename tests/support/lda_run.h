/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/lda_run.h - small runs of topic models in suite_folder(): their documents, their
 * configurations, and sites without a run.
 */
#ifndef STRADS_TESTS_LDA_RUN_H
#define STRADS_TESTS_LDA_RUN_H

#include "apps/lda/lda.h"

enum { LDA_RUN_DOCUMENTS = 24, LDA_RUN_WORDS = 9 };

/* So many documents on three subjects, as docword text that is valid until the next call: document
 * d has three of the words, each 1 + d % 4 times. */
const char *lda_run_documents(void);

/* A configuration of these documents, docword text, with a schedule.kind and settings[n]; for
 * strads_config_destroy. */
strads_config *lda_run_configure(const char *text, const char *kind, const char *const *settings,
                                 size_t n);

/* The site of a run of n_workers in one process, for lda_close_site. */
lda_site *lda_run_open_site(const strads_config *config, uint32_t n_workers);

/* Makes a run's allocations fail, one after the other, and later ones with gaps: each time it has
 * to end with NOMEM, and nothing left allocated. */
void lda_run_fail_each(const strads_config *config);

#endif
