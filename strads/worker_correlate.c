/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/worker_correlate.c - which pairs are correlated: the answer to a question of the
 * dependency checker. */
#include "strads/worker_state.h"

#include <math.h>
#include <string.h>

struct strads_gram {
    double rho;
    msg_edge *edges;
    size_t n_edges, capacity;
    size_t max_edges; /* 0: no bound */
    bool no_memory;
};

/* A bar this high leaves only copies of each other: then any of them will do. */
static const double HIGHEST_BAR = 0.999;

/* Makes room in a full answer: raises the bar by steps until a quarter is gone. */
static void drop_weakest(strads_gram *gram)
{
    const size_t keep = gram->max_edges / 4 * 3;
    while (gram->n_edges > keep && gram->rho < HIGHEST_BAR) {
        gram->rho += 0.1 * (1.0 - gram->rho);
        size_t n = 0;
        for (size_t i = 0; i < gram->n_edges; i++) {
            if (gram->edges[i].cosine > gram->rho) {
                gram->edges[n++] = gram->edges[i];
            }
        }
        gram->n_edges = n;
    }
    gram->n_edges = gram->n_edges < keep ? gram->n_edges : keep;
}

void strads_gram_add(strads_gram *gram, uint32_t a, uint32_t b, double cosine)
{
    const double size = fmin(fabs(cosine), 1.0);
    if (size <= gram->rho || gram->no_memory) {
        return;
    }
    if (gram->max_edges > 0 && gram->n_edges == gram->max_edges) {
        drop_weakest(gram);
    }
    if (gram->n_edges == gram->capacity) {
        const size_t capacity = 2 * gram->capacity + 64;
        msg_edge *edges = strads_realloc(gram->edges, capacity * sizeof(*edges));
        if (edges == NULL) {
            gram->no_memory = true;
            return;
        }
        gram->edges = edges;
        gram->capacity = capacity;
    }
    gram->edges[gram->n_edges++] = (msg_edge){.a = a, .b = b, .cosine = size};
}

strads_status worker_correlate(strads_worker *worker, const net_message *request)
{
    const msg_correlate *ask = (const msg_correlate *) request->body;
    strads_gram gram = {.rho = ask->rho, .max_edges = ask->max_edges};
    const strads_pairs pairs = {.vars = (const uint32_t *) (ask + 1),
                                .n = (uint32_t) ask->n_vars,
                                .first_new = (uint32_t) ask->first_new,
                                .rank = worker->options.rank,
                                .n_ranks = worker->options.n_workers};
    worker_enter(worker, worker->options.structure.split == STRADS_SPLIT_NONE
                             ? 1
                             : worker->options.n_workers);
    strads_status status = worker->options.app->correlate(worker->state, &pairs, &gram);
    worker_count_pairs(worker, &pairs);
    worker_leave(worker);
    net_message *message = NULL;
    if (status == STRADS_OK && !gram.no_memory) {
        message = net_message_create(MSG_EDGES, NET_DATA,
                                     sizeof(msg_edges) + gram.n_edges * sizeof(msg_edge));
    }
    if (status == STRADS_OK && message == NULL) {
        status = STRADS_ERR_NOMEM;
    }
    if (status == STRADS_OK) {
        msg_edges *edges = (msg_edges *) message->body;
        *edges = (msg_edges){.busy_seconds = worker->busy_seconds, .n_edges = gram.n_edges};
        if (gram.n_edges > 0) {
            memcpy(edges + 1, gram.edges, gram.n_edges * sizeof(msg_edge));
        }
        status = worker_reply(worker, message);
    }
    strads_free(gram.edges);
    return status;
}
