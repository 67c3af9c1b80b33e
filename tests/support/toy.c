/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/toy.c - the callbacks: ridge regression by coordinate descent. */
#include <math.h>
#include <string.h>

#include "tests/support/suite.h"
#include "tests/support/toy_state.h"

enum { MAX_SWEEPS = 20000, CUSTOM_TURNS = 3 };

/* ---- a worker ---- */

typedef struct toy_worker {
    strads_worker *worker;
    double *values;   /* [n_vars] committed, from sync */
    double *residual; /* [n_rows] shared: y - X b */
    double *own;      /* [n_vars] of the block */
    const strads_block *block;
    double ridge;
} toy_worker;

static strads_status toy_open_site(const strads_config *config, strads_part *part, void **site)
{
    (void) config;
    (void) part;
    const strads_status status = toy_begin_plain(TOY_OPEN_SITE);
    if (status == STRADS_OK) {
        atomic_fetch_add(&toy_n_open, 1);
        *site = toy_in_use;
    }
    return status;
}

static void toy_close(void *anything)
{
    (void) anything;
    atomic_fetch_sub(&toy_n_open, 1);
}

static strads_status toy_describe(const void *site, strads_structure *structure)
{
    (void) site;
    structure->n_vars = toy_in_use->shape.n_vars;
    structure->partial_width = toy_in_use->partial_width;
    return toy_begin_plain(TOY_DESCRIBE);
}

static strads_status toy_open_worker(const void *site, strads_worker *worker, void **state)
{
    (void) site;
    const strads_status status = toy_begin_plain(TOY_OPEN_WORKER);
    if (status != STRADS_OK) {
        return status;
    }
    const toy_shape *shape = &toy_in_use->shape;
    toy_worker *self = toy_must(calloc(1, sizeof(*self)));
    self->worker = worker;
    self->ridge = shape->ridge;
    self->values = toy_must(calloc(shape->n_vars, sizeof(double)));
    self->own = toy_must(calloc(shape->n_vars, sizeof(double)));
    self->residual = toy_must(calloc(shape->n_rows, sizeof(double)));
    atomic_fetch_add(&toy_n_open, 1);
    *state = self;
    return STRADS_OK;
}

static void toy_close_worker(void *state)
{
    toy_worker *self = state;
    free(self->residual);
    free(self->own);
    free(self->values);
    free(self);
    atomic_fetch_sub(&toy_n_open, 1);
}

static strads_status toy_open_model(const strads_config *config, const void *site, void **model)
{
    (void) config;
    (void) site;
    const strads_status status = toy_begin_plain(TOY_OPEN_MODEL);
    if (status == STRADS_OK) {
        atomic_fetch_add(&toy_n_open, 1);
        *model = toy_in_use;
    }
    return status;
}

/* residual := y - X b, every worker adding the part of its own variables. */
static strads_status refresh(toy_worker *self)
{
    const size_t rows = toy_in_use->shape.n_rows;
    uint32_t first = 0;
    uint32_t n = 0;
    strads_worker_range(self->worker, &first, &n);
    memset(self->residual, 0, rows * sizeof(double));
    for (uint32_t j = first; j < first + n; j++) {
        for (size_t i = 0; i < rows; i++) {
            self->residual[i] -= toy_column(j)[i] * self->values[j];
        }
    }
    const strads_status status = strads_exchange(self->worker, self->residual, NULL, rows);
    for (size_t i = 0; i < rows; i++) {
        self->residual[i] += toy_in_use->y[i];
    }
    return status;
}

/* The step that is optimal for variable j alone, which has value b. */
static double step_of(const toy_worker *self, uint32_t j, double b)
{
    const size_t rows = toy_in_use->shape.n_rows;
    return (toy_dot(toy_column(j), self->residual, rows) - self->ridge * b) /
           (toy_dot(toy_column(j), toy_column(j), rows) + self->ridge);
}

static strads_status toy_score(void *state, const uint32_t *vars, size_t n, float *scores)
{
    toy_worker *self = state;
    bool nan = false;
    strads_status status = toy_begin(TOY_SCORE, &nan);
    uint32_t first = 0;
    uint32_t n_range = 0;
    strads_worker_range(self->worker, &first, &n_range);
    if (status == STRADS_OK) {
        status = refresh(self);
    }
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        const uint32_t j = vars == NULL ? first + (uint32_t) i : vars[i];
        scores[i] = nan ? NAN : (float) fabs(step_of(self, j, self->values[j]));
    }
    return status;
}

static strads_status toy_correlate(void *state, const strads_pairs *pairs, strads_gram *gram)
{
    (void) state;
    for (uint32_t a = pairs->first_new; a < pairs->n; a++) {
        for (uint32_t b = 0; b < a && a % pairs->n_ranks == pairs->rank; b++) {
            strads_gram_add(gram, a, b, toy_cosine(pairs->vars[a], pairs->vars[b]));
        }
    }
    return toy_begin_plain(TOY_CORRELATE);
}

/* In order of their index most of the time; dearer ones are at the front. */
static double toy_cost(const void *site, uint32_t var)
{
    (void) site;
    return 1.0 + 2.0 * (var % 4 == 0);
}

/* ---- a round ---- */

/* Every third variable, by turns, in two blocks. */
static strads_status toy_schedule(void *model, uint64_t round, const double *values,
                                  strads_round *blocks)
{
    (void) model;
    (void) values;
    strads_status status = toy_begin_plain(TOY_SCHEDULE);
    const uint32_t beyond = toy_in_use->shape.n_vars;
    for (uint32_t half = 0; half < 2 && status == STRADS_OK; half++) {
        for (uint32_t j = (uint32_t) (round % CUSTOM_TURNS); j < beyond && status == STRADS_OK;
             j += CUSTOM_TURNS) {
            if (j % 2 == half) {
                status = strads_round_add(blocks, &j, 1);
            }
        }
    }
    const uint32_t twice = (uint32_t) (round % CUSTOM_TURNS);
    if (toy_in_use->names_a_variable_twice && status == STRADS_OK) {
        status = strads_round_add(blocks, &twice, 1);
    }
    if (toy_in_use->names_one_beyond && status == STRADS_OK) {
        status = strads_round_add(blocks, &beyond, 1);
    }
    return status;
}

static double sweep(void *state, uint32_t part, uint32_t n_parts)
{
    toy_worker *self = state;
    const size_t n = self->block->n_vars;
    double farthest = 0.0;
    for (size_t k = n * part / n_parts; k < n * (part + 1) / n_parts; k++) {
        const uint32_t j = self->block->vars[k];
        const double step = step_of(self, j, self->own[k]);
        self->own[k] += step;
        for (uint32_t i = 0; i < toy_in_use->shape.n_rows; i++) {
            self->residual[i] -= step * toy_column(j)[i];
        }
        farthest = fmax(farthest, fabs(step));
    }
    atomic_fetch_add(&toy_n_sweeps, 1);
    return farthest;
}

static double shared_objective(void *state)
{
    const toy_worker *self = state;
    return 0.5 * toy_dot(self->residual, self->residual, toy_in_use->shape.n_rows);
}

static double own_objective(void *state)
{
    const toy_worker *self = state;
    return 0.5 * self->ridge * toy_dot(self->own, self->own, self->block->n_vars);
}

static strads_status toy_push(void *state, const strads_block *block, double *partial)
{
    toy_worker *self = state;
    bool nan = false;
    const uint32_t rank = strads_worker_rank(self->worker);
    /* An empty block counts as no call: it has nothing to give NaN for. */
    strads_status status = block->n_vars > 0 ? toy_begin(TOY_PUSH, &nan) : STRADS_OK;
    if (status != STRADS_OK) {
        return status;
    }
    toy_note(
        (toy_event){
            .kind = TOY_PUSHED, .round = block->round, .rank = rank, .n_vars = block->n_vars},
        block->vars);
    if (block->round == toy_in_use->stop_in_round) {
        strads_stop_all();
    }
    self->block = block;
    if (block->n_vars > 0) {
        memcpy(self->own, block->values, block->n_vars * sizeof(double));
    }
    const strads_step step = {.self = self,
                              .shared = self->residual,
                              .n_shared = toy_in_use->shape.n_rows,
                              .own = self->own,
                              .n_own = block->n_vars,
                              .n_updates = block->n_vars,
                              .sweep = sweep,
                              .n_parts = block->solve ? 2 : 1,
                              .shared_objective = shared_objective,
                              .own_objective = own_objective};
    double farthest = INFINITY;
    const int most = block->solve ? MAX_SWEEPS : 1;
    for (int i = 0; i < most && farthest > block->target && status == STRADS_OK; i++) {
        status = strads_step_run(self->worker, &step, &farthest);
        farthest = strads_stopping(self->worker) ? 0.0 : farthest;
    }
    for (uint32_t k = 0; k < block->n_vars; k++) {
        partial[(size_t) k * toy_in_use->partial_width] = nan ? NAN : self->own[k];
    }
    return status;
}

static strads_status toy_pull(void *model, const strads_block *block, const double *partial,
                              double *values, float *moved)
{
    (void) model;
    bool nan = false;
    const strads_status status = toy_begin(TOY_PULL, &nan);
    for (uint32_t k = 0; k < block->n_vars; k++) {
        const double value = partial[(size_t) k * toy_in_use->partial_width];
        moved[k] = nan ? NAN : (float) fabs(value - values[k]);
        values[k] = value;
    }
    toy_note((toy_event){.kind = TOY_PULLED, .round = block->round, .n_vars = block->n_vars},
             block->vars);
    return status;
}

static strads_status toy_sync(void *state, const uint32_t *vars, size_t n, const double *values)
{
    toy_worker *self = state;
    for (size_t i = 0; i < n; i++) {
        self->values[vars[i]] = values[i];
    }
    return toy_begin_plain(TOY_SYNC);
}

/* ---- around the rounds ---- */

enum { MEASURE_OWN, MEASURE_SHARED, N_MEASURES };

static const strads_measure toy_measures[] = {
    [MEASURE_OWN] = {.name = "own", .reduction = STRADS_SUM},
    [MEASURE_SHARED] = {.name = "shared", .reduction = STRADS_MAX},
};

static strads_status toy_measure(void *state, double *out)
{
    toy_worker *self = state;
    bool nan = false;
    const strads_status status = toy_begin(TOY_MEASURE, &nan);
    uint32_t first = 0;
    uint32_t n = 0;
    strads_worker_range(self->worker, &first, &n);
    out[MEASURE_OWN] = 0.5 * self->ridge * toy_dot(self->values + first, self->values + first, n);
    out[MEASURE_SHARED] = nan ? NAN : shared_objective(self);
    return status;
}

static strads_status toy_next_stage(void *model, const strads_view *view, strads_stage *stage)
{
    (void) model;
    bool nan = false;
    const strads_status status = toy_begin(TOY_NEXT_STAGE, &nan);
    stage->objective = view->measures[MEASURE_OWN] + view->measures[MEASURE_SHARED];
    if (view->whole) {
        stage->gap = nan ? NAN : (double) view->worst_score / view->first_score;
        if ((stage->gap < 1e-3 && stage->params[0] + 1.0 < toy_in_use->n_stages) ||
            toy_in_use->always_changed) {
            stage->params[0] += 1.0;
            stage->changed = true;
            stage->restart = toy_in_use->restarts;
        }
    }
    return status;
}

static strads_status toy_begin_stage(void *state, const strads_stage *stage)
{
    toy_worker *self = state;
    self->ridge = toy_ridge(stage->params[0]);
    if (stage->restart) {
        memset(self->values, 0, toy_in_use->shape.n_vars * sizeof(double));
    }
    return toy_begin_plain(TOY_BEGIN_STAGE);
}

static strads_status toy_save(void *model, const void *site, const double *values, const char *dir,
                              strads_summary *summary)
{
    (void) model;
    (void) site;
    (void) dir;
    toy_keep(values);
    const strads_status status = toy_begin_plain(TOY_SAVE);
    return status != STRADS_OK ? status : strads_summary_add(summary, "toy.answer", 42.0);
}

strads_app toy_app(void)
{
    return (strads_app){.struct_size = sizeof(strads_app),
                        .abi = STRADS_APP_ABI,
                        .name = "toy",
                        .help = "Ridge regression for tests.",
                        .measures = toy_measures,
                        .n_measures = N_MEASURES,
                        .open_site = toy_open_site,
                        .close_site = toy_close,
                        .describe = toy_describe,
                        .open_worker = toy_open_worker,
                        .close_worker = toy_close_worker,
                        .open_model = toy_open_model,
                        .close_model = toy_close,
                        .score = toy_score,
                        .correlate = toy_correlate,
                        .cost = toy_cost,
                        .schedule = toy_schedule,
                        .push = toy_push,
                        .pull = toy_pull,
                        .sync = toy_sync,
                        .measure = toy_measure,
                        .next_stage = toy_next_stage,
                        .begin_stage = toy_begin_stage,
                        .save = toy_save};
}
