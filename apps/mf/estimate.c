/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/mf/estimate.c - what memory a run takes, from the sizes of its data. */
#include <math.h>
#include <string.h>

#include "apps/mf/ccd.h"

/* Of a rating: as it is read, which is used up on the way to the cells; in groups, with what
 * fills them up; by user, and the residual of each, for ccd. */
static const double READ = sizeof(data_rating), GROUPED = 8.3;
static const double BY_USER = 8.0, RESIDUAL = 4.0;
/* Of an id: itself, and the way back to it; place, count and index of its row. */
static const double BY_ID = 40.0;

/* The program, and what its threads read and sort by. */
static const double BASE = 12e6;

/* Copies of a worker's rows: as they are, and as they were to go back to, or, at the end, on
 * their way to the coordinator. Of its columns' rows: as they are, as the last scan met them,
 * and as they were. A worker with tables has the items in three. */
enum { ROW_COPIES = 2, COLUMN_COPIES = 3, TABLE_COPIES = 3 };

/* Of a process, in turn; and what of `running` and `saving` is of each worker. */
typedef struct memory {
    double loading, running, saving, worker;
} memory;

static memory add_up(const strads_config *config, const mf_sizes *sizes)
{
    const mf_layout layout = mf_layout_of((uint32_t) strads_config_int(config, "mf.rank"));
    const bool tables = strcmp(strads_config_text(config, "schedule.kind"), "data_parallel") == 0;
    const bool descends = mf_ccd_is_on(config);
    const double row = layout.stride * sizeof(float);
    const double n_users = (double) sizes->n_users;
    const double n_items = (double) sizes->n_items;
    const double n_workers = sizes->n_workers;
    const double n_train = (double) sizes->n_train;
    const double mine = n_train * sizes->n_mine / n_workers;
    const double of_ids = BY_ID * (n_users + n_items);
    const double kept = mine * (descends ? BY_USER : GROUPED);
    const double model = (n_users + n_items) * (layout.rank + 1) * sizeof(double);
    memory out = {.loading = BASE + READ * (n_train + (double) sizes->n_test) + of_ids +
                             (descends ? kept + mine * BY_USER : 0.0),
                  .running = BASE + kept + of_ids +
                             (double) sizes->n_test * sizeof(mf_pair) * sizes->n_mine / n_workers,
                  .worker = ROW_COPIES * row * n_users / n_workers};
    /* Of other processes one worker's rows at a time come in. */
    const double comes = sizes->n_mine < sizes->n_workers ? row * n_users / n_workers : 0.0;
    out.saving = out.running - (descends ? 0.0 : kept) + model + comes;
    if (descends) {
        out.worker += RESIDUAL * n_train / n_workers + 2.0 * row * n_items;
    } else if (tables) {
        out.worker += (TABLE_COPIES * row + (layout.rank + 2) * sizeof(double)) * n_items;
    } else {
        out.worker += COLUMN_COPIES * row * n_items / n_workers;
    }
    return out;
}

strads_status mf_estimate(const strads_config *config, strads_size *size)
{
    data_ratings_size train;
    strads_status status = mf_ccd_check(config);
    if (status == STRADS_OK) {
        status = mf_measure_ratings(config, &train);
    }
    if (status != STRADS_OK) {
        return status;
    }
    const double held_out = strads_config_text(config, "data.test") != NULL
                                ? 0.0
                                : strads_config_real(config, "data.test_fraction");
    const size_t n_test = (size_t) (held_out * (double) train.n);
    const mf_sizes sizes = {.n_train = train.n - n_test,
                            .n_test = n_test,
                            .n_users = train.n_ids[DATA_USERS],
                            .n_items = train.n_ids[DATA_ITEMS],
                            .n_workers = size->n_workers,
                            .n_mine =
                                (size->n_workers + size->n_processes - 1) / size->n_processes};
    printf("%s: %zu ratings, %zu users, %zu items\n", strads_config_text(config, "data.train"),
           train.n, sizes.n_users, sizes.n_items);
    const memory needed = add_up(config, &sizes);
    size->n_vars = sizes.n_items;
    size->worker_bytes = (size_t) needed.worker;
    size->site_bytes = (size_t) fmax(fmax(needed.running, needed.saving),
                                     needed.loading - needed.worker * sizes.n_mine);
    return STRADS_OK;
}

strads_status mf_check_memory(const strads_config *config, const mf_sizes *sizes)
{
    const memory needed = add_up(config, sizes);
    const double bytes = fmax(needed.running, needed.saving) + needed.worker * sizes->n_mine;
    const double machine = strads_machine_bytes();
    if (machine == 0.0 || bytes <= machine) {
        return STRADS_OK;
    }
    strads_error("%s: mf.rank: %lld needs %.3g GB of memory for %zu users and %zu items; the "
                 "machine has %.3g GB",
                 strads_config_place(config, "mf.rank"),
                 (long long) strads_config_int(config, "mf.rank"), bytes * 1e-9, sizes->n_users,
                 sizes->n_items, machine * 1e-9);
    return STRADS_ERR_NOMEM;
}
