/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/grid_hub.c - who gets which column next: no barrier, nobody waits for the slowest. */
#include "strads/grid_state.h"

strads_status grid_hub_init(grid_hub *hub, uint32_t n_workers, uint32_t n_columns)
{
    *hub = (grid_hub){.n_workers = n_workers, .n_columns = n_columns};
    if (pthread_mutex_init(&hub->lock, NULL) != 0) {
        return STRADS_ERR_SYSTEM;
    }
    hub->visits = strads_calloc(n_workers, n_columns * sizeof(*hub->visits));
    hub->holder = strads_calloc(n_columns, sizeof(*hub->holder));
    hub->busy = strads_calloc(n_columns, sizeof(*hub->busy));
    hub->asks = strads_calloc(n_workers, sizeof(*hub->asks));
    if (hub->visits == NULL || hub->holder == NULL || hub->busy == NULL || hub->asks == NULL) {
        grid_hub_fini(hub);
        return STRADS_ERR_NOMEM;
    }
    return STRADS_OK;
}

void grid_hub_fini(grid_hub *hub)
{
    if (hub->n_workers == 0) {
        return;
    }
    strads_free(hub->visits);
    strads_free(hub->holder);
    strads_free(hub->busy);
    strads_free(hub->asks);
    pthread_mutex_destroy(&hub->lock);
    *hub = (grid_hub){.n_workers = 0};
}

static uint32_t home_of(const grid_hub *hub, uint32_t column)
{
    uint32_t rank = (uint32_t) ((uint64_t) column * hub->n_workers / hub->n_columns);
    while (grid_first(hub->n_columns, hub->n_workers, rank + 1) <= column) {
        rank++;
    }
    return rank;
}

/* All columns are home, and nobody has asked yet. */
static void begin_pass_locked(grid_hub *hub, uint64_t pass, uint64_t n_cells)
{
    hub->pass = pass + 1;
    hub->n_cells = hub->n_left = n_cells;
    hub->n_over = hub->n_home = 0;
    for (uint32_t c = 0; c < hub->n_columns; c++) {
        hub->holder[c] = home_of(hub, c);
        hub->busy[c] = false;
    }
}

void grid_hub_ask(grid_hub *hub, uint32_t rank, uint64_t pass, uint64_t n_cells)
{
    pthread_mutex_lock(&hub->lock);
    if (hub->pass != pass + 1) {
        begin_pass_locked(hub, pass, n_cells);
    }
    hub->asks[rank] = true;
    pthread_mutex_unlock(&hub->lock);
}

void grid_hub_free(grid_hub *hub, uint32_t column)
{
    pthread_mutex_lock(&hub->lock);
    hub->busy[column] = false;
    pthread_mutex_unlock(&hub->lock);
}

bool grid_hub_is_done(grid_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    const bool done = hub->pass == 0 || (hub->n_home == hub->n_columns && !hub->has_second);
    pthread_mutex_unlock(&hub->lock);
    return done;
}

bool grid_hub_done(grid_hub *hub, uint64_t *n_steps)
{
    pthread_mutex_lock(&hub->lock);
    const bool all = ++hub->n_done == hub->n_workers;
    if (all) {
        hub->n_done = 0;
        hub->n_steps++;
    }
    *n_steps = hub->n_steps;
    pthread_mutex_unlock(&hub->lock);
    return all;
}

/* The column that the worker's rows have met least; of several one that lies there. Those of
 * equal standing are tried from its own on, so that workers do not want the same. n_columns:
 * none is free. */
static uint32_t choose_locked(const grid_hub *hub, uint32_t rank)
{
    const uint32_t *visits = hub->visits + (size_t) rank * hub->n_columns;
    const uint32_t own = grid_first(hub->n_columns, hub->n_workers, rank);
    uint32_t best = hub->n_columns;
    uint64_t least = UINT64_MAX;
    for (uint32_t k = 0; k < hub->n_columns; k++) {
        const uint32_t c = (own + k) % hub->n_columns;
        const uint64_t cost = 2 * (uint64_t) visits[c] + (hub->holder[c] != rank);
        if (!hub->busy[c] && cost < least) {
            least = cost;
            best = c;
        }
    }
    return best;
}

/* Gives `rank` a column: it hears of it, and whoever has it that it has to go there. */
static bool give_locked(grid_hub *hub, uint32_t rank, grid_order *out)
{
    const uint32_t c = choose_locked(hub, rank);
    if (c == hub->n_columns) {
        return false;
    }
    *out = (grid_order){
        .type = GRID_NEXT, .to = rank, .word = {.column = c, .value = hub->n_cells - hub->n_left}};
    if (hub->holder[c] != rank) {
        hub->second = (grid_order){
            .type = GRID_SEND, .to = hub->holder[c], .word = {.column = c, .value = rank}};
        hub->has_second = true;
        hub->holder[c] = rank;
    }
    hub->busy[c] = true;
    hub->visits[(size_t) rank * hub->n_columns + c]++;
    hub->asks[rank] = false;
    hub->n_left--;
    return true;
}

static bool decide_locked(grid_hub *hub, grid_order *out)
{
    if (hub->has_second) {
        hub->has_second = false;
        *out = hub->second;
        return true;
    }
    for (uint32_t k = 0; k < hub->n_workers; k++) {
        if (!hub->asks[k]) {
            continue;
        }
        if (hub->n_left > 0 && give_locked(hub, k, out)) {
            return true;
        }
        if (hub->n_left == 0) {
            *out = (grid_order){.type = GRID_NEXT, .to = k, .word = {.column = hub->n_columns}};
            hub->asks[k] = false;
            hub->n_over++;
            return true;
        }
    }
    while (hub->pass > 0 && hub->n_over == hub->n_workers && hub->n_home < hub->n_columns &&
           !hub->busy[hub->n_home]) {
        const uint32_t c = hub->n_home++;
        if (hub->holder[c] != home_of(hub, c)) {
            *out = (grid_order){.type = GRID_SEND,
                                .to = hub->holder[c],
                                .word = {.column = c, .value = home_of(hub, c)}};
            return true;
        }
    }
    return false;
}

bool grid_hub_decide(grid_hub *hub, grid_order *out)
{
    pthread_mutex_lock(&hub->lock);
    const bool some = decide_locked(hub, out);
    pthread_mutex_unlock(&hub->lock);
    return some;
}
