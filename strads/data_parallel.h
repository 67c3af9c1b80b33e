/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/data_parallel.h - schedule.kind: data_parallel. Nothing is scheduled: in a round all
 * workers run the program's step for some periods, each on its own samples, and share their
 * state through tables (ssp/ssp.h). A round ends in a barrier; then all is scanned as ever.
 */
#ifndef STRADS_STRADS_DATA_PARALLEL_H
#define STRADS_STRADS_DATA_PARALLEL_H

#include "strads/strads.h"

/* The push of a worker. */
STRADS_MUST_CHECK strads_status data_parallel_push(strads_worker *worker, const strads_block *block,
                                                   double *partial);

#endif
