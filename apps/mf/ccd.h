/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/ccd.h - mf.method: ccd, CCD++ on the framework's variables: the factors.
 *
 * Users are dealt to workers as for steps. A worker has the ratings of its users, and all items'
 * factors, which are the same with every worker: the items' sums are added up by an exchange. A
 * push updates one factor after another; a round is a pass over all of them. Biases are two more
 * factors, of which one side is fixed at 1, once a pass.
 */
#ifndef STRADS_MF_CCD_H
#define STRADS_MF_CCD_H

#include "apps/mf/mf.h"

struct mf_worker;
typedef struct mf_ccd mf_ccd; /* what a worker has for it */

/* mf.method against schedule.kind: USAGE where they do not go together. */
STRADS_MUST_CHECK strads_status mf_ccd_check(const strads_config *config);
bool mf_ccd_is_on(const strads_config *config);

/* Sorts the ratings of this process by user, for site->by_user. */
STRADS_MUST_CHECK strads_status mf_ccd_sort(mf_site *site, const data_ratings *train);
void mf_ccd_unsort(mf_site *site);

/* Users begin with zeros, items at random, alike on all workers. */
STRADS_MUST_CHECK strads_status mf_ccd_create(mf_ccd **out, const struct mf_worker *worker);
void mf_ccd_destroy(mf_ccd *ccd);

/* The factors of all items, in blocks as a column's; as of the last scan. */
const float *mf_ccd_columns(const mf_ccd *ccd);

/* ---- callbacks ---- */

strads_status mf_ccd_push(void *state, const strads_block *block, double *partial);
/* Also lays the factors out in rows. */
strads_status mf_ccd_measure(void *state, double *measures);

#endif
