/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/one_worker.h - one worker and a coordinator of the test, both on this thread.
 */
#ifndef STRADS_TESTS_ONE_WORKER_H
#define STRADS_TESTS_ONE_WORKER_H

#include <unistd.h>

#include "net/driver.h"
#include "strads/worker.h"
#include "tests/support/suite.h"

/* Runs a worker whose coordinator hears its messages by `listen_in`, until both have left. */
static inline void one_worker_run(const worker_options *options, net_handler listen_in, void *self)
{
    const net_options nodes = {.n_nodes = 2, .queue_messages = 4};
    net *network = NULL;
    strads_worker *worker = NULL;
    alarm(60); /* a hang is a failure */
    REQUIRE_OK(net_create(&network, "threads", &nodes));
    REQUIRE_OK(worker_create(&worker, options));
    net_attach(network, NET_COORDINATOR, listen_in, self);
    net_attach(network, 1, worker_handle, worker);
    CHECK_STATUS(net_run(network), STRADS_OK);
    worker_destroy(worker);
    net_destroy(network);
    alarm(0);
}

#endif
