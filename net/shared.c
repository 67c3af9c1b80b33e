/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/shared.c - a mapping that forked processes have in common, and a meeting in it. */
#define _GNU_SOURCE /* MAP_NORESERVE, syscall */
#include "net/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "net/barrier.h"

enum { SLOT_DOUBLES = 1 << 20, LINE = 64 };

/* In the mapping; then the slots. */
typedef struct meeting {
    _Alignas(LINE) _Atomic uint32_t n_come;
    net_seats seats;
    _Alignas(LINE) _Atomic uint32_t generation; /* futex: changes when all have come */
    _Atomic uint32_t n_asleep;
} meeting;

struct net_shared {
    meeting *place;
    double *slots; /* [2][n_workers][SLOT_DOUBLES] */
    uint32_t n_workers;
    size_t bytes; /* of the mapping */
};

/* Memory of no file that children inherit and share; MAP_FAILED, with errno: none. */
static void *map_zeros(size_t bytes)
{
    const int zeros = open("/dev/zero", O_RDWR | O_CLOEXEC);
    if (zeros < 0) {
        return MAP_FAILED;
    }
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, zeros, 0);
    const int failure = errno;
    close(zeros);
    errno = failure;
    return memory;
}

strads_status net_shared_create(net_shared **out, uint32_t n_workers)
{
    net_shared *shared = strads_calloc(1, sizeof(*shared));
    if (shared == NULL) {
        return STRADS_ERR_NOMEM;
    }
    shared->n_workers = n_workers;
    shared->bytes = sizeof(meeting) + 2 * (size_t) n_workers * SLOT_DOUBLES * sizeof(double);
    void *memory = map_zeros(shared->bytes);
    if (memory == MAP_FAILED) {
        strads_error("cannot map %zu bytes for exchanges between processes: %s", shared->bytes,
                     strerror(errno));
        strads_free(shared);
        return STRADS_ERR_SYSTEM;
    }
    shared->place = memory;
    shared->slots = (double *) (shared->place + 1);
    *out = shared;
    return STRADS_OK;
}

void net_shared_destroy(net_shared *shared)
{
    if (shared != NULL) {
        munmap(shared->place, shared->bytes);
        strads_free(shared);
    }
}

size_t net_shared_room(const net_shared *shared)
{
    (void) shared;
    return SLOT_DOUBLES;
}

uint64_t net_shared_turn(const net_shared *shared)
{
    return atomic_load(&shared->place->generation);
}

double *net_shared_slot(net_shared *shared, uint32_t rank, uint64_t turn)
{
    return shared->slots + ((turn % 2) * shared->n_workers + rank) * (size_t) SLOT_DOUBLES;
}

/* Sleeps while the generation is this one, for a moment at most: a process that is killed
 * wakes nobody. */
static void sleep_a_while(meeting *place, uint32_t generation)
{
    static const struct timespec moment = {.tv_nsec = 20000000};
    atomic_fetch_add(&place->n_asleep, 1);
    syscall(SYS_futex, &place->generation, FUTEX_WAIT, generation, &moment, NULL, 0);
    atomic_fetch_sub(&place->n_asleep, 1);
}

bool net_shared_meet(net_shared *shared, uint32_t n, const _Atomic bool *broken)
{
    meeting *place = shared->place;
    const uint32_t generation = atomic_load(&place->generation);
    const int seat = net_seats_take(&place->seats);
    if (atomic_fetch_add(&place->n_come, 1) + 1 == n) {
        net_seats_clear(&place->seats);
        atomic_store(&place->n_come, 0);
        atomic_store(&place->generation, generation + 1);
        if (atomic_load(&place->n_asleep) > 0) {
            syscall(SYS_futex, &place->generation, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
        }
        return true;
    }
    for (int spin = net_spins(n, &place->seats, seat);
         spin > 0 && atomic_load(&place->generation) == generation; spin--) {
        net_pause();
    }
    while (atomic_load(&place->generation) == generation) {
        if (atomic_load(broken)) {
            return false;
        }
        sleep_a_while(place, generation);
    }
    return true;
}
