/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/fiber.c - fibers that ucontext starts and longjmp switches, known to the
 * sanitizers. swapcontext does both, but sets the signal mask at every switch, by a
 * system call that costs many times what the rest does: so it is for the sanitizers
 * alone, which follow no longjmp to another stack.
 *
 * What tells a sanitizer of a switch must stand in the very function that switches,
 * since entering and leaving a function is noted for the fiber that is current: so
 * these helpers are always inlined.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE, MAP_STACK */
#undef _FORTIFY_SOURCE  /* its longjmp takes another stack for a mistake */

#include "net/fiber.h"

#include <assert.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

/* gcc and clang tell which sanitizer is on in different ways. */
#if defined(__SANITIZE_ADDRESS__)
#define KNOWN_TO_ADDRESS
#elif defined(__SANITIZE_THREAD__)
#define KNOWN_TO_THREAD
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KNOWN_TO_ADDRESS
#elif __has_feature(thread_sanitizer)
#define KNOWN_TO_THREAD
#endif
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Where a stack goes on. */
#if defined(KNOWN_TO_ADDRESS) || defined(KNOWN_TO_THREAD)
typedef ucontext_t place;

ALWAYS_INLINE void go(place *from, const place *to)
{
    const int failed = swapcontext(from, to);
    assert(failed == 0);
}

ALWAYS_INLINE void go_first(place *from, const ucontext_t *to)
{
    go(from, to);
}

#else
typedef jmp_buf place;

static void go(place *from, place *to)
{
    if (setjmp(*from) == 0) {
        longjmp(*to, 1);
    }
}

static void go_first(place *from, const ucontext_t *to)
{
    if (setjmp(*from) == 0) {
        setcontext(to);
        assert(false && "setcontext returned");
    }
}

#endif

/* A worker on a thread has megabytes; what is not touched costs addresses only. */
static const size_t STACK_BYTES = (size_t) 1 << 20;
static const size_t GUARD_BYTES = (size_t) 1 << 16; /* a multiple of any page */

/* Of one side of a switch, what its sanitizer keeps. */
typedef struct fiber_side {
    void *sanitizer;   /* thread: its fiber; address: its fake stack */
    const void *stack; /* address: the lowest byte */
    size_t stack_bytes;
} fiber_side;

struct net_fiber {
    place here, caller; /* where each of them waits */
    fiber_side own, callers;
    unsigned char *memory;        /* the guard, and above it the stack */
    void (*body)(void *argument); /* NULL: the fiber is to end */
    void *argument;
    bool started, busy; /* busy: the body has not returned */
};

#if defined(KNOWN_TO_ADDRESS)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

ALWAYS_INLINE void side_create(fiber_side *own)
{
    (void) own;
}

ALWAYS_INLINE void side_destroy(fiber_side *own)
{
    __asan_unpoison_memory_region(own->stack, own->stack_bytes);
}

ALWAYS_INLINE void before_switch(fiber_side *from, const fiber_side *to, bool last)
{
    __sanitizer_start_switch_fiber(last ? NULL : &from->sanitizer, to->stack, to->stack_bytes);
}

/* On the side `to`: learns where the other side's stack is. */
ALWAYS_INLINE void after_switch(fiber_side *from, const fiber_side *to)
{
    __sanitizer_finish_switch_fiber(to->sanitizer, &from->stack, &from->stack_bytes);
}

#elif defined(KNOWN_TO_THREAD)
#include <sanitizer/tsan_interface.h>

ALWAYS_INLINE void side_create(fiber_side *own)
{
    own->sanitizer = __tsan_create_fiber(0);
}

ALWAYS_INLINE void side_destroy(fiber_side *own)
{
    __tsan_destroy_fiber(own->sanitizer);
}

ALWAYS_INLINE void before_switch(fiber_side *from, const fiber_side *to, bool last)
{
    (void) last;
    from->sanitizer = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->sanitizer, 0);
}

ALWAYS_INLINE void after_switch(fiber_side *from, const fiber_side *to)
{
    (void) from;
    (void) to;
}

#else

ALWAYS_INLINE void side_create(fiber_side *own)
{
    (void) own;
}

ALWAYS_INLINE void side_destroy(fiber_side *own)
{
    (void) own;
}

ALWAYS_INLINE void before_switch(fiber_side *from, const fiber_side *to, bool last)
{
    (void) from;
    (void) to;
    (void) last;
}

ALWAYS_INLINE void after_switch(fiber_side *from, const fiber_side *to)
{
    (void) from;
    (void) to;
}

#endif

static void switch_in(net_fiber *fiber)
{
    before_switch(&fiber->callers, &fiber->own, false);
    go(&fiber->caller, &fiber->here);
    after_switch(&fiber->own, &fiber->callers);
}

static void switch_out(net_fiber *fiber, bool last)
{
    before_switch(&fiber->own, &fiber->callers, last);
    go(&fiber->here, &fiber->caller);
    after_switch(&fiber->callers, &fiber->own);
}

/* makecontext passes ints only, so the fiber's address comes in two halves. */
static void run_bodies(unsigned high, unsigned low)
{
    net_fiber *fiber = (net_fiber *) (((uintptr_t) high << 16 << 16) | low);
    after_switch(&fiber->callers, &fiber->own);
    while (fiber->body != NULL) {
        fiber->body(fiber->argument);
        fiber->busy = false;
        switch_out(fiber, false);
    }
    switch_out(fiber, true);
}

static void switch_in_first(net_fiber *fiber)
{
    ucontext_t first;
    const int failed = getcontext(&first);
    assert(failed == 0);
    first.uc_stack.ss_sp = fiber->memory + GUARD_BYTES;
    first.uc_stack.ss_size = STACK_BYTES;
    first.uc_link = NULL;
    const uintptr_t address = (uintptr_t) fiber;
    makecontext(&first, (void (*)(void)) run_bodies, 2, (unsigned) (address >> 16 >> 16),
                (unsigned) address);
    fiber->started = true;
    before_switch(&fiber->callers, &fiber->own, false);
    go_first(&fiber->caller, &first);
    after_switch(&fiber->own, &fiber->callers);
}

strads_status net_fiber_create(net_fiber **out)
{
    net_fiber *fiber = strads_calloc(1, sizeof(*fiber));
    if (fiber == NULL) {
        return STRADS_ERR_NOMEM;
    }
    const int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    // cppcheck-suppress invalidFunctionArg ; what is anonymous has no file
    void *memory = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE, how, -1, 0);
    if (memory == MAP_FAILED) {
        goto err_free;
    }
    if (mprotect(memory, GUARD_BYTES, PROT_NONE) != 0) {
        goto err_unmap;
    }
    fiber->memory = memory;
    fiber->own.stack = fiber->memory + GUARD_BYTES;
    fiber->own.stack_bytes = STACK_BYTES;
    side_create(&fiber->own);
    *out = fiber;
    return STRADS_OK;

err_unmap:
    munmap(memory, GUARD_BYTES + STACK_BYTES);
err_free:
    strads_free(fiber);
    return STRADS_ERR_NOMEM;
}

void net_fiber_destroy(net_fiber *fiber)
{
    if (fiber == NULL) {
        return;
    }
    assert(!fiber->busy);
    if (fiber->started) {
        fiber->body = NULL;
        switch_in(fiber);
    }
    side_destroy(&fiber->own);
    munmap(fiber->memory, GUARD_BYTES + STACK_BYTES);
    strads_free(fiber);
}

bool net_fiber_call(net_fiber *fiber, void (*body)(void *argument), void *argument)
{
    assert(!fiber->busy && body != NULL);
    fiber->body = body;
    fiber->argument = argument;
    fiber->busy = true;
    return net_fiber_resume(fiber);
}

bool net_fiber_resume(net_fiber *fiber)
{
    assert(fiber->busy);
    if (fiber->started) {
        switch_in(fiber);
    } else {
        switch_in_first(fiber);
    }
    return !fiber->busy;
}

void net_fiber_wait(net_fiber *fiber)
{
    assert(fiber->busy);
    switch_out(fiber, false);
}
