/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/mem.c - allocation with a live count and failure injection for tests. */
#define _DEFAULT_SOURCE /* madvise */
#include "base/mem.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(alignof(max_align_t) >= 16, "malloc aligns to 16 bytes");

/* Relaxed order: the counters synchronise nothing, tests read them on the thread
 * that allocates. */
static _Atomic size_t live;
static _Atomic size_t fail_countdown;

void strads_mem_fail_after(size_t n)
{
    atomic_store_explicit(&fail_countdown, n, memory_order_relaxed);
}

size_t strads_mem_live(void)
{
    return atomic_load_explicit(&live, memory_order_relaxed);
}

void strads_mem_keep(void)
{
#ifdef M_TRIM_THRESHOLD
    (void) mallopt(M_MMAP_THRESHOLD, 32 << 20);
    (void) mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

static bool must_fail(void)
{
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) == 0) {
        return false;
    }
    return atomic_fetch_sub_explicit(&fail_countdown, 1, memory_order_relaxed) == 1;
}

static void *counted(void *memory)
{
    if (memory != NULL) {
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    }
    return memory;
}

void *strads_alloc(size_t bytes)
{
    return must_fail() ? NULL : counted(malloc(bytes > 0 ? bytes : 1));
}

void *strads_calloc(size_t count, size_t bytes)
{
    size_t total = 0;
    if (__builtin_mul_overflow(count, bytes, &total) || must_fail()) {
        return NULL;
    }
    return counted(calloc(total > 0 ? total : 1, 1));
}

void strads_populate(void *memory, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
    const uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t) memory + page - 1) / page * page;
    const uintptr_t last = ((uintptr_t) memory + bytes) / page * page;
    if (first < last) {
        /* Where the kernel is too old for it, pages come at the first touch. */
        (void) madvise((void *) first, last - first, MADV_POPULATE_WRITE);
    }
#else
    (void) memory;
    (void) bytes;
#endif
}

void strads_discard(void *memory, size_t bytes)
{
    const uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t) memory + page - 1) / page * page;
    const uintptr_t last = ((uintptr_t) memory + bytes) / page * page;
    if (first < last) {
        (void) madvise((void *) first, last - first, MADV_DONTNEED);
    }
}

void *strads_realloc(void *memory, size_t bytes)
{
    if (memory == NULL) {
        return strads_alloc(bytes);
    }
    return must_fail() ? NULL : realloc(memory, bytes > 0 ? bytes : 1);
}

void strads_free(void *memory)
{
    if (memory != NULL) {
        atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
        free(memory);
    }
}

void *strads_alloc_array(size_t count, size_t bytes)
{
    size_t total = 0;
    return __builtin_mul_overflow(count, bytes, &total) ? NULL : strads_alloc(total);
}

strads_status strads_reserve(void *array, size_t *capacity, size_t n, size_t bytes)
{
    size_t total = 0;
    if (n <= *capacity) {
        return STRADS_OK;
    }
    const size_t roomy = n + n / 2;
    if (__builtin_mul_overflow(roomy, bytes, &total)) {
        return STRADS_ERR_NOMEM;
    }
    /* The pointer is copied, for its type is not known here. */
    void *old = NULL;
    memcpy(&old, array, sizeof(old));
    void *grown = strads_realloc(old, total);
    if (grown == NULL) {
        return STRADS_ERR_NOMEM;
    }
    memcpy(array, &grown, sizeof(grown));
    *capacity = roomy;
    return STRADS_OK;
}

char *strads_strdup(const char *text)
{
    const size_t bytes = strlen(text) + 1;
    char *copy = strads_alloc(bytes);
    if (copy != NULL) {
        memcpy(copy, text, bytes);
    }
    return copy;
}

double strads_machine_bytes(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page_bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0 ? (double) pages * (double) page_bytes : 0.0;
}
