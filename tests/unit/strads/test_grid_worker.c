/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_grid_worker.c - a worker whose service fails hears of it wherever it
 * waits: the others do not know, and would leave it there. */
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "ssp/place.h"
#include "strads/grid_state.h"
#include "tests/support/suite.h"

static const double LONG = 60.0; /* seconds: only a worker that hears of nothing waits so */

/* Two workers: the first waits for the other's session, who sends it what cannot be. */
typedef struct scene {
    net *network;
    ssp_store *store;
    strads_status waited, told; /* what came of it for each */
    _Atomic bool over;
} scene;

static bool is_over(void *context)
{
    scene *self = context;
    return atomic_load(&self->over);
}

static void leave_on_loss(void *context, net_node *node, const net_event *event)
{
    (void) context;
    if (event->kind == NET_LOST) {
        net_leave(node);
    }
}

static void wait_for_the_other(void *context, net_node *node, const net_event *event)
{
    scene *self = context;
    ssp_session *session = NULL;
    if (event->kind == NET_STARTED) {
        self->waited = ssp_session_open(&session, self->store, 0);
        self->waited = self->waited == STRADS_OK ? ssp_barrier(session) : self->waited;
        ssp_session_close(session);
        atomic_store(&self->over, true);
        net_wake(self->network, 2);
        net_leave(node);
    }
}

static void send_nonsense(void *context, net_node *node, const net_event *event)
{
    scene *self = context;
    if (event->kind == NET_STARTED) {
        net_message *message = net_message_create(GRID_SEND + 1, NET_DATA, 0);
        self->told = message == NULL ? STRADS_ERR_NOMEM : net_tell(self->network, 2, 1, message);
        if (self->told == STRADS_OK) {
            self->told = net_wait_until(self->network, 2, LONG, is_over, self);
        }
        net_leave(node);
    }
}

static uint32_t one_row(const void *site)
{
    (void) site;
    return 1;
}

static void play(void *context)
{
    static const strads_grid grid = {.n_rows = one_row, .tables = true};
    static const strads_app app = {.name = "grid", .grid = &grid};
    const net_options nodes = {.n_nodes = 3, .queue_messages = 4};
    const uint32_t firsts[] = {0, 2};
    scene *self = context;
    grid_worker *worker = NULL;
    REQUIRE_OK(net_create(&self->network, "threads", &nodes));
    const ssp_place place = {.network = self->network, .n_parts = 1, .firsts = firsts};
    REQUIRE_OK(ssp_store_create_at(&self->store, &place));
    const grid_options options = {.app = &app,
                                  .network = self->network,
                                  .store = self->store,
                                  .n_workers = 2,
                                  .n_columns = 4,
                                  .kind = SCHEDULE_ROTATION};
    REQUIRE_OK(grid_worker_create(&worker, &options));
    net_attach(self->network, 0, leave_on_loss, self);
    net_attach(self->network, 1, wait_for_the_other, self);
    net_attach(self->network, 2, send_nonsense, self);
    REQUIRE_OK(net_run(self->network));
    grid_worker_destroy(worker);
    ssp_store_destroy(self->store);
    net_destroy(self->network);
}

static void a_service_that_fails_ends_its_workers_wait_for_a_table(void)
{
    scene self = {.waited = STRADS_OK, .told = STRADS_ERR_APP};
    char *text = suite_stderr_of(play, &self);
    CHECK_STATUS(self.waited, STRADS_ERR_CLOSED);
    CHECK_STATUS(self.told, STRADS_OK);
    CHECK(strstr(text, "worker 1 sent worker 0 a message 24 that cannot be") != NULL);
    strads_free(text);
}

SUITE("strads/grid_worker", {"a service that fails ends its worker's wait for a table",
                             a_service_that_fails_ends_its_workers_wait_for_a_table})
