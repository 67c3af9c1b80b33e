/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/links_case.c - connections of the test's process to itself. */
#include "tests/support/links_case.h"

#include <math.h>
#include <pthread.h>

#include "tests/support/suite.h"

typedef struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t came;
    net_stream *stream;
} waiting;

static void arrived(void *context, net_stream *stream)
{
    waiting *self = context;
    pthread_mutex_lock(&self->lock);
    self->stream = stream;
    pthread_cond_signal(&self->came);
    pthread_mutex_unlock(&self->lock);
}

void links_case_streams(net_stream *ends[2])
{
    waiting door = {.lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER};
    net_listener *listener = NULL;
    const net_patience patience = {.deadline = INFINITY};
    char why[NET_WHY];
    REQUIRE_OK(net_listener_open(&listener, "abstract://", NULL));
    net_listener_start(listener, arrived, &door);
    REQUIRE_OK(net_stream_dial(&ends[1], net_listener_url(listener), NULL, &patience, why));
    pthread_mutex_lock(&door.lock);
    while (door.stream == NULL) {
        pthread_cond_wait(&door.came, &door.lock);
    }
    pthread_mutex_unlock(&door.lock);
    ends[0] = door.stream;
    net_listener_close(listener);
}

enum { MAX_PROCESSES = 16 };

void links_case_make(net_links **links, uint32_t n_processes, uint32_t n_nodes,
                     const net_links_options *options)
{
    net_peer peers[MAX_PROCESSES][MAX_PROCESSES] = {{{.stream = NULL}}};
    REQUIRE(n_processes <= MAX_PROCESSES && n_processes <= n_nodes);
    for (uint32_t p = 0; p < n_processes; p++) {
        for (uint32_t q = 0; q < n_processes; q++) {
            char name[32];
            snprintf(name, sizeof(name), "process %u", q);
            peers[p][q].name = strads_strdup(name);
            peers[p][q].first = n_nodes * q / n_processes;
            peers[p][q].n = n_nodes * (q + 1) / n_processes - peers[p][q].first;
        }
        for (uint32_t q = 0; q < p; q++) {
            net_stream *ends[2];
            links_case_streams(ends);
            peers[p][q].stream = ends[0];
            peers[q][p].stream = ends[1];
        }
    }
    for (uint32_t p = 0; p < n_processes; p++) {
        net_links_options own = *options;
        own.n_processes = n_processes;
        own.me = p;
        REQUIRE_OK(net_links_create(&links[p], &own, peers[p]));
    }
}

typedef struct ending {
    net_links *links;
    strads_status status;
    pthread_t thread;
} ending;

static void *end(void *argument)
{
    ending *self = argument;
    self->status = net_links_end(self->links, STRADS_OK);
    return NULL;
}

void links_case_end(net_links **links, uint32_t n_processes, strads_status *statuses)
{
    ending endings[MAX_PROCESSES];
    for (uint32_t p = 0; p < n_processes; p++) {
        endings[p].links = links[p];
        pthread_create(&endings[p].thread, NULL, end, &endings[p]);
    }
    for (uint32_t p = 0; p < n_processes; p++) {
        pthread_join(endings[p].thread, NULL);
        statuses[p] = endings[p].status;
    }
}
