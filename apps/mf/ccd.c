/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/mf/ccd.c - a worker's part in CCD++; the loops are in descent.c. */
#include "apps/mf/ccd.h"

#include <string.h>

#include "apps/mf/descent.h"
#include "apps/mf/worker.h"
#include "base/clock.h"

/* Beside the factors there are the biases of users, against ones for items, and those of items,
 * against ones for users. */
enum { USER_BIASES, ITEM_BIASES, N_BIASES };

/* Units of work a rating and factor: to take one off, add one, three products and sums. */
static const double UNITS = 5.0;

struct mf_ccd {
    mf_descent descent;
    uint32_t rank;
    mf_factor *factors; /* [rank + N_BIASES] */
    const mf_factor *last;
    float *users, *items; /* [rank + N_BIASES][n_users], [...][n_items]: of the factors */
    float *residuals, *user_penalty, *item_penalty;
    float *columns;
};

/* ---- keys ---- */

bool mf_ccd_is_on(const strads_config *config)
{
    return strcmp(strads_config_text(config, "mf.method"), "ccd") == 0;
}

strads_status mf_ccd_check(const strads_config *config)
{
    const char *kind = strads_config_text(config, "schedule.kind");
    const bool cyclic = strcmp(kind, "cyclic") == 0;
    const bool by_steps = strcmp(kind, "rotation") == 0 || strcmp(kind, "free") == 0 ||
                          strcmp(kind, "data_parallel") == 0;
    if (mf_ccd_is_on(config) ? cyclic : by_steps) {
        return STRADS_OK;
    }
    strads_error("%s: schedule.kind: %s: mf.method: %s needs %s",
                 strads_config_place(config, "schedule.kind"), kind,
                 strads_config_text(config, "mf.method"),
                 mf_ccd_is_on(config) ? "cyclic" : "rotation, free or data_parallel");
    return STRADS_ERR_USAGE;
}

/* ---- the site ---- */

/* The place of a rating's user among those of this process; SIZE_MAX: another's. */
static size_t own_place(const mf_site *site, const data_rating *rating)
{
    const size_t each = (size_t) site->user_blocks * site->users.n_each;
    const size_t place = site->users.place[rating->row];
    return place >= site->first * each && place < site->end * each ? place - site->first * each
                                                                   : SIZE_MAX;
}

static void add_up(size_t *starts, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        starts[i] += starts[i - 1];
    }
}

/* A rating on its way from its place by item to that by user. */
typedef struct by_item {
    uint32_t user; /* as own_place has it */
    float value;
} by_item;

/* Counts into ends[item + 1], and starts[user + 2]: both run ahead while they are filled. */
static void count(const mf_site *site, const data_ratings *train, size_t *ends, size_t *starts)
{
    for (size_t k = 0; k < train->n; k++) {
        const size_t user = own_place(site, &train->entries[k]);
        if (user != SIZE_MAX) {
            ends[site->items.place[train->entries[k].column] + 1]++;
            starts[user + 2]++;
        }
    }
}

/* The ratings by place of their item; item j's end where ends[j] then says. */
static void deal_to_items(const mf_site *site, const data_ratings *train, size_t *ends, by_item *to)
{
    for (size_t k = 0; k < train->n; k++) {
        const data_rating *from = &train->entries[k];
        const size_t user = own_place(site, from);
        if (user != SIZE_MAX) {
            const float value = (from->value - site->scale.mean) / site->scale.unit;
            to[ends[site->items.place[from->column]]++] = (by_item){(uint32_t) user, value};
        }
    }
}

/* Item after item, so that those of a user ascend. */
static void deal_to_users(const by_item *from, const size_t *ends, uint32_t n_items,
                          const mf_by_user *to)
{
    size_t k = 0;
    for (uint32_t j = 0; j < n_items; j++) {
        for (; k < ends[j]; k++) {
            const size_t at = to->starts[from[k].user + 1]++;
            to->items[at] = j;
            to->values[at] = from[k].value;
        }
    }
}

strads_status mf_ccd_sort(mf_site *site, const data_ratings *train)
{
    mf_by_user *to = &site->by_user;
    const uint32_t n_items = site->items.n_each;
    to->n_users = (size_t) (site->end - site->first) * site->user_blocks * site->users.n_each;
    to->starts = strads_calloc(to->n_users + 2, sizeof(*to->starts));
    size_t *ends = strads_calloc(n_items + 1, sizeof(*ends));
    by_item *ratings = NULL;
    strads_status status = STRADS_ERR_NOMEM;
    if (to->starts == NULL || ends == NULL) {
        goto done;
    }
    count(site, train, ends, to->starts);
    add_up(ends, n_items + 1);
    add_up(to->starts, to->n_users + 2);
    const size_t n = ends[n_items];
    to->items = strads_alloc_array(n, sizeof(*to->items));
    to->values = strads_alloc_array(n, sizeof(*to->values));
    ratings = strads_alloc_array(n, sizeof(*ratings));
    if (to->items != NULL && to->values != NULL && ratings != NULL) {
        deal_to_items(site, train, ends, ratings);
        deal_to_users(ratings, ends, n_items, to);
        status = STRADS_OK;
    }

done:
    strads_free(ratings);
    strads_free(ends);
    return status;
}

void mf_ccd_unsort(mf_site *site)
{
    strads_free(site->by_user.starts);
    strads_free(site->by_user.items);
    strads_free(site->by_user.values);
}

/* ---- life ---- */

static void find_penalties(const mf_site *site, const mf_cut *cut, size_t first, float *to,
                           size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t place = (uint32_t) (first + i);
        const uint32_t row = cut->index[place];
        to[i] = row == UINT32_MAX ? 0.0F : mf_lambda_of(site, cut, place) * (float) cut->count[row];
    }
}

static strads_status allocate(mf_ccd *self, const mf_site *site, size_t n_ratings)
{
    const size_t n_factors = self->rank + N_BIASES;
    const size_t n_users = self->descent.n_users;
    const size_t n_items = self->descent.n_items;
    self->factors = strads_alloc_array(n_factors, sizeof(*self->factors));
    self->users = strads_calloc(n_users * n_factors, sizeof(*self->users));
    self->items = strads_calloc(n_items * n_factors, sizeof(*self->items));
    self->residuals = strads_alloc_array(n_ratings, sizeof(*self->residuals));
    self->user_penalty = strads_alloc_array(n_users, sizeof(*self->user_penalty));
    self->item_penalty = strads_alloc_array(n_items, sizeof(*self->item_penalty));
    self->columns = strads_alloc_array(mf_block_floats(site, &site->items), sizeof(float));
    self->descent.pairs = strads_alloc_array(n_items, sizeof(*self->descent.pairs));
    self->descent.sums = strads_alloc_array(n_items, sizeof(*self->descent.sums));
    const bool whole = self->factors != NULL && self->users != NULL && self->items != NULL &&
                       self->residuals != NULL && self->user_penalty != NULL &&
                       self->item_penalty != NULL && self->columns != NULL &&
                       self->descent.pairs != NULL && self->descent.sums != NULL;
    return whole ? STRADS_OK : STRADS_ERR_NOMEM;
}

/* Users have zeros, so no factor has a part in the residuals yet. */
static void start(mf_ccd *self, const mf_site *site)
{
    const size_t n_users = self->descent.n_users;
    const size_t n_items = self->descent.n_items;
    for (uint32_t f = 0; f < self->rank + N_BIASES; f++) {
        self->factors[f] = (mf_factor){self->users + f * n_users, self->items + f * n_items};
    }
    self->last = &self->factors[0];
    mf_start_block(site, &site->items, 0, self->columns);
    for (size_t j = 0; j < n_items; j++) {
        const float *row = self->columns + (j + 1) * site->layout.stride;
        for (uint32_t f = 0; f < self->rank; f++) {
            self->factors[f].items[j] = row[f];
        }
        self->factors[self->rank + USER_BIASES].items[j] = 1.0F;
    }
    for (size_t i = 0; i < n_users; i++) {
        self->factors[self->rank + ITEM_BIASES].users[i] = 1.0F;
    }
}

strads_status mf_ccd_create(mf_ccd **out, const mf_worker *worker)
{
    const mf_site *site = worker->site;
    const mf_by_user *ratings = &site->by_user;
    const uint32_t rank = strads_worker_rank(worker->worker);
    const size_t n_users = (size_t) site->user_blocks * site->users.n_each;
    const size_t *starts = ratings->starts + (rank - site->first) * n_users;
    const size_t n = starts[n_users] - starts[0];
    mf_ccd *self = strads_calloc(1, sizeof(*self));
    if (self == NULL) {
        return STRADS_ERR_NOMEM;
    }
    self->rank = site->layout.rank;
    self->descent.n_users = n_users;
    self->descent.n_items = site->items.n_each;
    const strads_status status = allocate(self, site, n);
    if (status != STRADS_OK) {
        mf_ccd_destroy(self);
        return status;
    }
    memcpy(self->residuals, ratings->values + starts[0], n * sizeof(*self->residuals));
    find_penalties(site, &site->users, rank * n_users, self->user_penalty, n_users);
    find_penalties(site, &site->items, 0, self->item_penalty, self->descent.n_items);
    self->descent.starts = starts;
    self->descent.items = ratings->items + starts[0];
    self->descent.residuals = self->residuals;
    self->descent.user_penalty = self->user_penalty;
    self->descent.item_penalty = self->item_penalty;
    start(self, site);
    *out = self;
    return STRADS_OK;
}

void mf_ccd_destroy(mf_ccd *self)
{
    if (self == NULL) {
        return;
    }
    strads_free(self->factors);
    strads_free(self->users);
    strads_free(self->items);
    strads_free(self->residuals);
    strads_free(self->user_penalty);
    strads_free(self->item_penalty);
    strads_free(self->columns);
    strads_free(self->descent.pairs);
    strads_free(self->descent.sums);
    strads_free(self);
}

const float *mf_ccd_columns(const mf_ccd *self)
{
    return self->columns;
}

/* ---- a round ---- */

static strads_status update(mf_worker *worker, uint32_t f)
{
    mf_ccd *self = worker->ccd;
    const mf_factor *next = &self->factors[f];
    const mf_descent *descent = &self->descent;
    strads_status status = STRADS_OK;
    mf_descent_users(descent, self->last, next, f == self->rank + ITEM_BIASES);
    self->last = next;
    if (f != self->rank + USER_BIASES) {
        status = strads_exchange(worker->worker, &descent->sums[0].products, NULL,
                                 descent->n_items * (sizeof(*descent->sums) / sizeof(double)));
        if (status == STRADS_OK) {
            mf_descent_items(descent, next);
        }
    }
    const size_t n = descent->starts[descent->n_users] - descent->starts[0];
    strads_worker_count(worker->worker, f < self->rank ? 1.0 : 0.0, UNITS * (double) n);
    return status;
}

/* Biases go before the first factor, once a pass. */
static strads_status update_variable(mf_worker *worker, uint32_t var)
{
    const uint32_t rank = worker->ccd->rank;
    strads_status status = STRADS_OK;
    if (var == 0 && worker->site->biases) {
        status = update(worker, rank + USER_BIASES);
        if (status == STRADS_OK) {
            status = update(worker, rank + ITEM_BIASES);
        }
    }
    return status == STRADS_OK ? update(worker, var) : status;
}

strads_status mf_ccd_push(void *state, const strads_block *block, double *partial)
{
    (void) partial; /* a factor is too many numbers to be the framework's value */
    mf_worker *worker = state;
    strads_status status = STRADS_OK;
    worker->begun = strads_now();
    for (uint32_t v = 0; v < block->n_vars && status == STRADS_OK; v++) {
        if (strads_stopping(worker->worker)) {
            break;
        }
        status = update_variable(worker, block->vars[v]);
    }
    worker->ended = strads_now();
    return status;
}

/* ---- a scan ---- */

/* Lays the numbers of n users or items, and their biases, out in rows. */
static void lay_out(const mf_site *site, const mf_cut *cut, const float *numbers, size_t n,
                    const float *biases, float *rows)
{
    for (size_t i = 0; i < n; i++) {
        float *row = rows + mf_row_of(cut, (uint32_t) i) * site->layout.stride;
        for (uint32_t f = 0; f < site->layout.rank; f++) {
            row[f] = numbers[f * n + i];
        }
        row[site->layout.width + MF_BIAS] = biases[i];
    }
}

/* Half of the sum of penalty[i] x[i]^2. */
static double penalty_of(const float *x, const float *penalty, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += (double) penalty[i] * (double) x[i] * (double) x[i];
    }
    return 0.5 * sum;
}

/* The items' part is worker 0's to tell. */
static double objective_of(const mf_ccd *self, double squares, bool items)
{
    const mf_descent *of = &self->descent;
    double sum = 0.5 * squares;
    for (uint32_t f = 0; f < self->rank + N_BIASES; f++) {
        if (f != self->rank + ITEM_BIASES) {
            sum += penalty_of(self->factors[f].users, of->user_penalty, of->n_users);
        }
        if (f != self->rank + USER_BIASES && items) {
            sum += penalty_of(self->factors[f].items, of->item_penalty, of->n_items);
        }
    }
    return sum;
}

strads_status mf_ccd_measure(void *state, double *measures)
{
    mf_worker *worker = state;
    const mf_ccd *self = worker->ccd;
    const mf_site *site = worker->site;
    const mf_descent *descent = &self->descent;
    lay_out(site, &site->users, self->users, descent->n_users,
            self->factors[self->rank + USER_BIASES].users, worker->rows);
    lay_out(site, &site->items, self->items, descent->n_items,
            self->factors[self->rank + ITEM_BIASES].items, self->columns);
    mf_add_errors(worker, 0, self->columns, measures);
    worker->fitted = mf_descent_squares(descent, self->last);
    worker->n_steps = (double) (descent->starts[descent->n_users] - descent->starts[0]);
    measures[MF_OBJECTIVE] =
        objective_of(self, worker->fitted, strads_worker_rank(worker->worker) == 0);
    strads_worker_count(worker->worker, 0.0, worker->n_steps);
    mf_end_scan(worker, measures);
    return STRADS_OK;
}
