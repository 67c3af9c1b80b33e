/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/data_parallel.c - rounds without a schedule, through tables. */
#include "strads/data_parallel.h"

#include "strads/worker_state.h"

strads_status data_parallel_push(strads_worker *worker, const strads_block *block, double *partial)
{
    const strads_app *app = worker->options.app;
    const uint32_t n_periods = worker->options.tables->n_periods;
    strads_status status = table_session_open(worker);
    ssp_session *session = worker->tables.session;
    for (uint32_t i = 0; i < n_periods && status == STRADS_OK; i++) {
        status = app->step(worker->state, session, block, NULL);
        if (status == STRADS_OK) {
            status = i + 1 < n_periods ? ssp_clock(session) : ssp_barrier(session);
        }
    }
    if (status == STRADS_OK) {
        status = app->step(worker->state, session, block, partial);
    }
    if (status == STRADS_OK) {
        status = ssp_barrier(session); /* nobody is ahead while others read the outcome */
    }
    return status == STRADS_OK ? table_session_add_up(worker) : status;
}
