/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/sim_queue.c - a binary heap. */
#include "net/sim_queue.h"

#include <assert.h>

static bool before(const sim_event *a, const sim_event *b)
{
    return a->time < b->time || (a->time == b->time && a->sequence < b->sequence);
}

void sim_queue_fini(sim_queue *queue)
{
    strads_free(queue->heap);
}

strads_status sim_queue_reserve(sim_queue *queue)
{
    return strads_reserve(&queue->heap, &queue->capacity, queue->n + 1, sizeof(*queue->heap));
}

void sim_queue_put(sim_queue *queue, sim_event event)
{
    assert(queue->n < queue->capacity);
    event.sequence = queue->n_put++;
    size_t at = queue->n++;
    while (at > 0 && before(&event, &queue->heap[(at - 1) / 2])) {
        queue->heap[at] = queue->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    queue->heap[at] = event;
}

bool sim_queue_take(sim_queue *queue, sim_event *event)
{
    if (queue->n == 0) {
        return false;
    }
    *event = queue->heap[0];
    const sim_event last = queue->heap[--queue->n];
    size_t at = 0;
    for (size_t child = 1; child < queue->n; child = 2 * at + 1) {
        if (child + 1 < queue->n && before(&queue->heap[child + 1], &queue->heap[child])) {
            child++;
        }
        if (!before(&queue->heap[child], &last)) {
            break;
        }
        queue->heap[at] = queue->heap[child];
        at = child;
    }
    queue->heap[at] = last;
    return true;
}
