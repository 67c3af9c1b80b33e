/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_fiber.c - bodies that wait in the middle. */
#include "net/fiber.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/suite.h"

enum { N_FIBERS = 1024, N_TURNS = 3, N_LINES = 64 };

typedef struct counter {
    net_fiber *fiber;
    unsigned n_steps, n_ends;
    double sum;
} counter;

/* Deep enough to use a good part of a stack, and checked when taken up again. */
static double fill(counter *self, unsigned depth)
{
    double line[N_LINES];
    for (int i = 0; i < N_LINES; i++) {
        line[i] = depth + 0.5 * i;
    }
    if (depth > 0) {
        self->sum += fill(self, depth - 1);
    } else {
        self->n_steps++;
        net_fiber_wait(self->fiber);
    }
    double sum = 0.0;
    for (int i = 0; i < N_LINES; i++) {
        sum += line[i] - 0.5 * i;
    }
    return sum;
}

static void count(void *argument)
{
    counter *self = argument;
    for (int i = 0; i < N_TURNS; i++) {
        self->sum += fill(self, 20);
    }
    self->n_ends++;
}

static void return_at_once(void *argument)
{
    ((counter *) argument)->n_ends++;
}

static void a_body_goes_on_where_it_waited(void)
{
    counter self = {0};
    REQUIRE_OK(net_fiber_create(&self.fiber));
    CHECK(!net_fiber_call(self.fiber, count, &self));
    for (unsigned i = 1; i < N_TURNS; i++) {
        CHECK(self.n_steps == i && self.n_ends == 0);
        CHECK(!net_fiber_resume(self.fiber));
    }
    CHECK(net_fiber_resume(self.fiber));
    CHECK(self.n_steps == N_TURNS && self.n_ends == 1);
    CHECK_NEAR(self.sum, N_TURNS * N_LINES * 20.0 * 21.0 / 2.0, 0.0);
    net_fiber_destroy(self.fiber);
}

static void a_fiber_runs_one_body_after_another(void)
{
    counter self = {0};
    REQUIRE_OK(net_fiber_create(&self.fiber));
    for (unsigned i = 1; i <= 100; i++) {
        CHECK(net_fiber_call(self.fiber, return_at_once, &self));
        CHECK(self.n_ends == i);
    }
    net_fiber_destroy(self.fiber);
}

static void a_thousand_fibers_wait_at_once(void)
{
    counter *all = strads_calloc(N_FIBERS, sizeof(*all));
    REQUIRE(all != NULL);
    for (int i = 0; i < N_FIBERS; i++) {
        REQUIRE_OK(net_fiber_create(&all[i].fiber));
        CHECK(!net_fiber_call(all[i].fiber, count, &all[i]));
    }
    for (int turn = 1; turn <= N_TURNS; turn++) {
        for (int i = N_FIBERS - 1; i >= 0; i--) {
            CHECK(net_fiber_resume(all[i].fiber) == (turn == N_TURNS));
        }
    }
    for (int i = 0; i < N_FIBERS; i++) {
        CHECK(all[i].n_ends == 1);
        net_fiber_destroy(all[i].fiber);
    }
    strads_free(all);
}

static void call_inner(void *argument)
{
    counter *self = argument;
    counter inner = {0};
    REQUIRE_OK(net_fiber_create(&inner.fiber));
    CHECK(!net_fiber_call(inner.fiber, count, &inner));
    net_fiber_wait(self->fiber);
    while (!net_fiber_resume(inner.fiber)) {
    }
    self->n_ends += inner.n_ends;
    net_fiber_destroy(inner.fiber);
}

static void a_body_may_call_another_fiber(void)
{
    counter self = {0};
    REQUIRE_OK(net_fiber_create(&self.fiber));
    CHECK(!net_fiber_call(self.fiber, call_inner, &self));
    CHECK(net_fiber_resume(self.fiber));
    CHECK(self.n_ends == 1);
    net_fiber_destroy(self.fiber);
}

static void a_fiber_that_never_ran_is_destroyed(void)
{
    const size_t live_before = strads_mem_live();
    net_fiber *fiber = NULL;
    REQUIRE_OK(net_fiber_create(&fiber));
    net_fiber_destroy(fiber);
    net_fiber_destroy(NULL);
    CHECK(strads_mem_live() == live_before);
}

static void a_failed_allocation_is_reported(void)
{
    net_fiber *fiber = NULL;
    strads_mem_fail_after(1);
    CHECK_STATUS(net_fiber_create(&fiber), STRADS_ERR_NOMEM);
    strads_mem_fail_after(0);
    CHECK(fiber == NULL);
}

static double overflow(counter *self, double depth)
{
    volatile double line[N_LINES];
    line[0] = depth;
    return depth < 1e9 ? line[0] + overflow(self, depth + 1.0) + line[N_LINES - 1] : depth;
}

static void run_over(void *argument)
{
    counter *self = argument;
    self->sum = overflow(self, 0.0);
}

/* Any signal will do: a sanitizer turns the fault into its own end. */
static void an_overflow_of_the_stack_is_a_fault(void)
{
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const struct rlimit no_core = {0, 0};
        counter self = {0};
        setrlimit(RLIMIT_CORE, &no_core);
        fclose(stderr);
        close(STDERR_FILENO);
        if (net_fiber_create(&self.fiber) == STRADS_OK) {
            (void) !net_fiber_call(self.fiber, run_over, &self);
        }
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
}

SUITE("net/fiber", {"a body goes on where it waited", a_body_goes_on_where_it_waited},
      {"a fiber runs one body after another", a_fiber_runs_one_body_after_another},
      {"a thousand fibers wait at once", a_thousand_fibers_wait_at_once},
      {"a body may call another fiber", a_body_may_call_another_fiber},
      {"a fiber that never ran is destroyed", a_fiber_that_never_ran_is_destroyed},
      {"a failed allocation is reported", a_failed_allocation_is_reported},
      {"an overflow of the stack is a fault", an_overflow_of_the_stack_is_a_fault})
