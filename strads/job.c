/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/job.c - this process's site, nodes and solve. */
#include "strads/job.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/part.h"
#include "strads/planner.h"

_Atomic bool job_stop_requested;
_Atomic bool job_report_requested;

/* ---- the site ---- */

/* Whether this process has the coordinator. */
static bool is_first(const job *self)
{
    return self->team == NULL || processes_me(self->team) == 0;
}

static strads_status check_structure(const strads_app *app, const strads_structure *structure)
{
    if (structure->n_vars == 0) {
        strads_error("%s: there are no variables", app->name);
        return STRADS_ERR_DATA;
    }
    if (structure->partial_width < 1 || structure->partial_width > 8) {
        strads_error("%s: describe gave a partial_width of %u; it is 1 to 8", app->name,
                     structure->partial_width);
        return STRADS_ERR_APP;
    }
    return STRADS_OK;
}

/* Cuts the variables into ranges of about equal cost. */
static strads_status cut_by_cost(job *self)
{
    const uint32_t n_vars = self->structure.n_vars;
    double total = 0.0;
    double cost = 0.0;
    for (uint32_t j = 0; j < n_vars; j++) {
        const strads_status status = round_cost(self->app, self->site, j, &cost);
        if (status != STRADS_OK) {
            return status;
        }
        total += cost;
    }
    double before = 0.0;
    uint32_t k = 1;
    for (uint32_t j = 0; j < n_vars; j++) {
        while (k < self->run.n_workers && before >= total * k / self->run.n_workers) {
            self->firsts[k++] = j;
        }
        before += self->app->cost == NULL ? 1.0 : self->app->cost(self->site, j);
    }
    while (k < self->run.n_workers) {
        self->firsts[k++] = n_vars;
    }
    return STRADS_OK;
}

static strads_status take_ranges(job *self)
{
    const uint32_t *firsts = self->structure.firsts;
    const uint32_t n_workers = self->run.n_workers;
    bool ascends = firsts[0] == 0 && firsts[n_workers] == self->structure.n_vars;
    for (uint32_t k = 0; k <= n_workers; k++) {
        self->firsts[k] = firsts[k];
        ascends = ascends && (k == 0 || firsts[k] >= firsts[k - 1]);
    }
    if (!ascends) {
        strads_error("%s: describe gave ranges of variables that do not ascend from 0 to %u",
                     self->app->name, self->structure.n_vars);
    }
    return ascends ? STRADS_OK : STRADS_ERR_APP;
}

/* A range of the variables a worker; where samples are split all are rank 0's, whom the
 * others only help. */
static strads_status cut_ranges(job *self)
{
    const uint32_t n_workers = self->run.n_workers;
    self->firsts = strads_calloc(n_workers + 1, sizeof(*self->firsts));
    if (self->firsts == NULL) {
        return STRADS_ERR_NOMEM;
    }
    self->firsts[n_workers] = self->structure.n_vars;
    if (self->structure.split == STRADS_SPLIT_SAMPLES) {
        for (uint32_t k = 1; k < n_workers; k++) {
            self->firsts[k] = self->structure.n_vars;
        }
        return STRADS_OK;
    }
    if (n_workers == 1) {
        return STRADS_OK;
    }
    return self->structure.firsts != NULL ? take_ranges(self) : cut_by_cost(self);
}

static strads_status check_split(const job *self)
{
    if (!schedule_takes_all(self->run.kind) || self->structure.split == STRADS_SPLIT_SAMPLES) {
        return STRADS_OK;
    }
    if (schedule_is_grid(self->run.kind)) {
        strads_error("%s: describe gave a split that is not STRADS_SPLIT_SAMPLES, as a grid needs",
                     self->app->name);
        return STRADS_ERR_APP;
    }
    strads_error("%s: schedule.kind: data_parallel needs samples that are split among the "
                 "workers, as by data.partition: rows",
                 strads_config_place(self->config, "schedule.kind"));
    return STRADS_ERR_USAGE;
}

/* Beside tables nobody may wait for a column that who has it needs too (strads/grid_pass.c), and
 * all open their tables with a column. */
static strads_status check_columns(const job *self)
{
    const uint32_t least = self->run.n_workers * (self->run.kind == SCHEDULE_FREE ? 2 : 1);
    if (!schedule_is_grid(self->run.kind) || !self->run.tables || self->structure.n_vars >= least) {
        return STRADS_OK;
    }
    strads_error("%s: %u column blocks are too few: %s, which has tables, needs %u with %u workers "
                 "and schedule.kind: %s",
                 strads_config_place(self->config, "schedule.kind"), self->structure.n_vars,
                 self->app->name, least, self->run.n_workers,
                 strads_config_text(self->config, "schedule.kind"));
    return STRADS_ERR_USAGE;
}

static strads_status open_site(job *self)
{
    const uint32_t ranks[] = {0, self->run.n_workers};
    strads_part part = {.count = 1, .ranks = ranks};
    if (self->team != NULL) {
        part = processes_part(self->team);
    }
    strads_status status = self->app->open_site(self->config, &part, &self->site);
    if (status != STRADS_OK) {
        return status;
    }
    self->structure.partial_width = 1;
    status = self->app->describe(self->site, &self->structure);
    if (status == STRADS_OK) {
        status = check_structure(self->app, &self->structure);
    }
    if (status == STRADS_OK) {
        status = cut_ranges(self);
    }
    if (status == STRADS_OK) {
        status = check_split(self);
    }
    if (status == STRADS_OK) {
        status = check_columns(self);
    }
    if (status == STRADS_OK && self->app->open_model != NULL && is_first(self)) {
        status = self->app->open_model(self->config, self->site, &self->model);
    }
    return status;
}

/* ---- the nodes ---- */

static strads_status create_grid(const job *self, uint32_t rank, grid_worker **out)
{
    const grid_options options = {.app = self->app,
                                  .site = self->site,
                                  .network = self->network,
                                  .store = self->run.tables ? self->tables.of[rank] : NULL,
                                  .rank = rank,
                                  .n_workers = self->run.n_workers,
                                  .n_columns = self->structure.n_vars,
                                  .kind = self->run.kind,
                                  .agnostic = self->run.agnostic};
    return grid_worker_create(out, &options);
}

/* The variables that a worker keeps the priorities of. */
static void set_shard(const job *self, uint32_t rank, worker_options *options)
{
    const uint32_t n = self->run.n_workers;
    const uint32_t first = round_shard_first(&self->structure, self->firsts, n, rank);
    const uint32_t end = round_shard_first(&self->structure, self->firsts, n, rank + 1);
    options->draws = true;
    options->shard_first = first;
    options->shard = (prio_options){.policy = planner_policy(&self->run),
                                    .n_vars = end - first,
                                    .seed = self->run.seed,
                                    .stream = PRIO_FIRST_STREAM + rank};
}

static strads_status create_worker(job *self, uint32_t rank, double deadline)
{
    const bool samples = self->structure.split == STRADS_SPLIT_SAMPLES;
    const uint32_t *firsts = self->firsts;
    worker_options options = {
        .app = self->app,
        .site = self->site,
        .rank = rank,
        .n_workers = self->run.n_workers,
        .first = samples ? 0 : firsts[rank],
        .n_vars = samples ? self->structure.n_vars : firsts[rank + 1] - firsts[rank],
        .structure = self->structure,
        .deterministic = self->run.deterministic,
        .unguarded = !self->run.guard,
        .limits = {.deadline = deadline, .signal = &job_stop_requested, .alone = !is_first(self)},
        .tables = self->run.tables ? &self->tables : NULL};
    strads_status status = STRADS_OK;
    if (planner_has_shards(&self->run)) {
        set_shard(self, rank, &options);
    }
    if (schedule_is_grid(self->run.kind)) {
        status = create_grid(self, rank, &options.grid);
    }
    if (status == STRADS_OK) {
        status = worker_create(&self->workers[rank], &options);
    }
    if (status == STRADS_OK) {
        net_attach(self->network, rank + 1, worker_handle, self->workers[rank]);
    }
    return status;
}

static strads_status create_tables(job *self)
{
    strads_status status = STRADS_OK;
    if (self->team == NULL) {
        status = table_stores_init(&self->tables, self->config, self->network, &self->run, NULL);
    } else {
        const strads_part part = processes_part(self->team);
        status = table_stores_init(&self->tables, self->config, self->network, &self->run, &part);
    }
    self->tables.totals = &self->table_totals;
    return status;
}

static strads_status create_nodes(job *self, const coordinator_options *options, double deadline)
{
    uint32_t first = 0;
    uint32_t end = self->run.n_workers;
    if (self->team != NULL) {
        const strads_part part = processes_part(self->team);
        first = part.ranks[part.index];
        end = part.ranks[part.index + 1];
    }
    self->workers = strads_calloc(self->run.n_workers, sizeof(*self->workers));
    strads_status status = self->workers == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    if (status == STRADS_OK && self->run.tables) {
        status = create_tables(self);
    }
    for (uint32_t k = first; k < end && status == STRADS_OK; k++) {
        status = create_worker(self, k, deadline);
    }
    if (status == STRADS_OK && options != NULL) {
        status = coordinator_create(&self->head, options);
    }
    if (status == STRADS_OK && options != NULL) {
        net_attach(self->network, NET_COORDINATOR, coordinator_handle, self->head);
    }
    return status;
}

static void destroy_nodes(job *self)
{
    for (uint32_t k = 0; k < self->run.n_workers && self->workers != NULL; k++) {
        worker_destroy(self->workers[k]);
    }
    strads_free(self->workers);
    self->workers = NULL;
    table_stores_fini(&self->tables);
    net_destroy(self->network);
    self->network = NULL;
}

/* What the mean worker's machine did. */
static net_sim_account mean_account(const job *self)
{
    net_sim_account mean = {.computing = 0.0};
    const uint32_t n = self->run.n_workers;
    for (uint32_t k = 0; k < n; k++) {
        const net_sim_account one = net_sim_report(self->network, k + 1);
        mean.computing += one.computing / n;
        mean.idle += one.idle / n;
        mean.waiting += one.waiting / n;
        mean.exchanging += one.exchanging / n;
        mean.sending += one.sending / n;
        mean.n_messages += one.n_messages;
        mean.n_bytes += one.n_bytes;
    }
    mean.n_messages /= n;
    mean.n_bytes /= n;
    return mean;
}

static void fill_options(const job *self, coordinator_options *options, double started)
{
    options->app = self->app;
    options->tables = self->run.tables ? &self->table_totals : NULL;
    options->site = self->site;
    options->model = self->model;
    options->structure = self->structure;
    options->run = self->run;
    options->firsts = self->firsts;
    options->signal = &job_stop_requested;
    options->started = started;
    options->deadline = started + self->run.seconds;
}

/* Afterwards only the coordinator, with the values, is left. */
strads_status job_solve(job *self, coordinator_options *options)
{
    const net_options nodes = {.n_nodes = self->run.n_workers + 1,
                               .queue_messages = PROCESSES_QUEUE,
                               .cluster = self->cluster,
                               .links = self->team == NULL ? NULL : processes_links(self->team),
                               .apart = self->run.pipeline > 0}; /* it plans meanwhile */
    strads_status status = net_create(&self->network, self->run.driver, &nodes);
    if (status != STRADS_OK) {
        return status;
    }
    const double started = strads_now(); /* of sim, virtual */
    if (options != NULL) {
        fill_options(self, options, started);
    }
    status = create_nodes(self, options, started + self->run.seconds);
    if (status == STRADS_OK) {
        status = net_run(self->network);
    }
    self->solve_seconds = strads_now() - started;
    if (status == STRADS_OK && self->cluster != NULL) {
        self->machines = mean_account(self);
    }
    destroy_nodes(self);
    return status;
}

/* ---- life ---- */

strads_status job_load(job *self, bool *stopped)
{
    const double started = strads_now();
    strads_status status = STRADS_OK;
    *stopped = atomic_load_explicit(&job_stop_requested, memory_order_relaxed);
    if (!*stopped || self->team != NULL) { /* the others may be loading: they need this part */
        status = open_site(self);
        *stopped = atomic_load_explicit(&job_stop_requested, memory_order_relaxed);
    }
    self->callback_seconds = strads_now() - started;
    return status;
}

void job_fini(job *self)
{
    coordinator_destroy(self->head);
    if (self->model != NULL) {
        self->app->close_model(self->model);
    }
    if (self->site != NULL) {
        self->app->close_site(self->site);
    }
    table_totals_fini(&self->table_totals);
    strads_free(self->firsts);
    net_cluster_destroy(self->cluster);
}
