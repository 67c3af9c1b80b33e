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

strads_status strads_estimate(const strads_app *app, const strads_config *config,
                              strads_memory *memory)
{
    run_options run;
    net_cluster *cluster = NULL;
    strads_status status = run_options_read(&run, app, config, &cluster);
    net_cluster_destroy(cluster);
    if (status != STRADS_OK) {
        return status;
    }
    if (run.n_processes > 1 && !run.deals_workers) { /* others have as many cores */
        run_options_set_workers(&run, config, run.n_workers * run.n_processes);
    }
    strads_size size = {.n_processes = run.n_processes, .n_workers = run.n_workers};
    strads_memory needed = {.n_processes = run.n_processes};
    if (app->estimate != NULL) {
        const size_t n_mine = (run.n_workers + run.n_processes - 1) / run.n_processes;
        status = app->estimate(config, &size);
        needed.bytes = size.site_bytes + n_mine * (size.worker_bytes + WORKER_BYTES +
                                                   waiting_bytes(&run, size.n_vars));
    }
    if (status == STRADS_OK) {
        *memory = needed;
    }
    return status;
}
