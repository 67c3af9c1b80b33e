/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/estimate.c - what memory a run would take. */
#include "strads/options.h"

/* Of a worker beside what its program keeps: what it has touched of its stack, its node,
 * its buffers. Measured on simulated machines. */
static const size_t WORKER_BYTES = 28 << 10;

/* Variables that a working set takes in at first. */
enum { FIRST_SET = 500 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What each worker may have waiting: the values that were committed, and a question,
 * which goes to all. */
static size_t waiting_bytes(const run_options *run, size_t n_vars)
{
    const size_t ahead = 1 + (size_t) run->pipeline;
    const size_t round = least(n_vars, run->solve ? FIRST_SET : ahead * run->round);
    const bool asks = run->kind == SCHEDULE_STRUCTURE_AWARE && run->check != CHECK_OFF &&
                      run->rho < 1.0 && run->n_workers > 1;
    const size_t asked = run->solve ? round : run->candidates + ahead * (size_t) run->round;
    return round * (sizeof(double) + sizeof(uint32_t)) +
           (asks ? least(n_vars, asked) * sizeof(uint32_t) : 0);
}

strads_status strads_estimate(const strads_app *app, const strads_config *config, size_t *bytes)
{
    run_options run;
    net_cluster *cluster = NULL;
    size_t n_vars = 0;
    size_t site_bytes = 0;
    size_t worker_bytes = 0;
    strads_status status = run_options_read(&run, app, config, &cluster);
    net_cluster_destroy(cluster);
    if (status != STRADS_OK) {
        return status;
    }
    if (app->estimate == NULL) {
        *bytes = 0;
        return STRADS_OK;
    }
    status = app->estimate(config, &n_vars, &site_bytes, &worker_bytes);
    if (status == STRADS_OK) {
        *bytes = site_bytes +
                 run.n_workers * (worker_bytes + WORKER_BYTES + waiting_bytes(&run, n_vars));
    }
    return status;
}
