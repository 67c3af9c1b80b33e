/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/wait.c - one thread waits for one callback. */
#include "net/wait.h"

#include <assert.h>
#include <math.h>

#include "base/clock.h"

void net_wait_init(net_wait *self)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    *self = (net_wait){.has_ended = false};
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void net_wait_end(net_wait *self, strads_status status, size_t n)
{
    pthread_mutex_lock(&self->lock);
    assert(!self->has_ended);
    self->has_ended = true;
    self->status = status;
    self->n = n;
    pthread_cond_signal(&self->ended);
    pthread_mutex_unlock(&self->lock);
}

/* strads_now is the monotonic clock: only simulated runs replace it. */
static void wait_until(net_wait *self, double moment)
{
    const double whole = floor(moment);
    const struct timespec until = {.tv_sec = (time_t) whole,
                                   .tv_nsec = (long) (1e9 * (moment - whole))};
    pthread_cond_timedwait(&self->ended, &self->lock, &until);
}

strads_status net_wait_for(net_wait *self, const net_patience *patience)
{
    enum { LOOKS = 10 }; /* at `stop`, a second */
    strads_status status = STRADS_OK;
    pthread_mutex_lock(&self->lock);
    while (!self->has_ended && status == STRADS_OK) {
        const double now = strads_now();
        if (patience == NULL) {
            pthread_cond_wait(&self->ended, &self->lock);
        } else if (patience->stop != NULL && atomic_load(patience->stop)) {
            status = STRADS_ERR_CLOSED;
        } else if (now >= patience->deadline) {
            status = STRADS_ERR_IO;
        } else {
            wait_until(self, fmin(patience->deadline, now + 1.0 / LOOKS));
            if (patience->look != NULL) {
                patience->look(patience->context);
            }
        }
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

strads_status net_wait_fini(net_wait *self, size_t *n)
{
    /* Whoever ended it may still hold the lock. */
    pthread_mutex_lock(&self->lock);
    assert(self->has_ended);
    const strads_status status = self->status;
    *n = self->n;
    pthread_mutex_unlock(&self->lock);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->ended);
    return status;
}

strads_status net_wait_pause(const net_patience *patience)
{
    net_wait never;
    size_t n = 0;
    net_wait_init(&never);
    const strads_status status = net_wait_for(&never, patience);
    net_wait_end(&never, STRADS_OK, 0);
    (void) net_wait_fini(&never, &n);
    return status == STRADS_ERR_CLOSED ? status : STRADS_OK;
}
