/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/cluster_draw.c - draws a case: everything comes from one stream. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/random.h"
#include "tests/support/cluster_case.h"
#include "tests/support/suite.h"

enum { WHO_TEXT = 32, FAULT_TEXT = 100 };

/* The toy's own schedule takes every third variable by turns, so that the third round
 * after one names the same again. */
enum { CUSTOM = 3, TURNS = 3 };

/* Of the cases, the few that take longer to converge are cut off here. */
enum { MOST_ROUNDS = 3000 };

typedef struct drawing {
    cluster_case drawn;
    strads_random random;
    double latency; /* of the case: its times are drawn as multiples of it */
} drawing;

static uint32_t below(drawing *self, uint32_t n)
{
    return (uint32_t) strads_random_below(&self->random, n);
}

/* True once in n times. */
static bool once_in(drawing *self, uint32_t n)
{
    return below(self, n) == 0;
}

/* From low to high, each power of ten as likely as the others. */
static double scale(drawing *self, double low, double high)
{
    return low * pow(high / low, strads_random_uniform(&self->random));
}

static STRADS_PRINTF(2, 3) void set(drawing *self, const char *format, ...)
{
    cluster_case *drawn = &self->drawn;
    REQUIRE(drawn->n_settings < CLUSTER_SETTINGS);
    va_list list;
    va_start(list, format);
    const int n = vsnprintf(drawn->settings[drawn->n_settings++], CLUSTER_TEXT, format, list);
    va_end(list);
    REQUIRE(n < CLUSTER_TEXT);
}

static void draw_problem(drawing *self)
{
    cluster_case *drawn = &self->drawn;
    drawn->lasso = once_in(self, 3);
    drawn->sparse = drawn->lasso && once_in(self, 2);
    drawn->n_vars = 1 + below(self, drawn->lasso ? 30 : 40);
    drawn->n_vars += drawn->seed >= CLUSTER_WIDE ? 160 : 0;
    drawn->n_rows = 4 + below(self, 40);
    if (drawn->lasso) {
        drawn->n_rows += 10;
    }
    drawn->n_workers = 1 + below(self, 12);
    set(self, "run.workers=%u", drawn->n_workers);
    set(self, "run.seed=%u", below(self, 1000));
}

/* ---- the cluster ---- */

static void draw_machines(drawing *self)
{
    const uint32_t n_workers = self->drawn.n_workers;
    self->latency = once_in(self, 5) ? 0.0 : scale(self, 1e-6, 1e-2);
    set(self, "run.driver=sim");
    set(self, "cluster.latency=%g", self->latency);
    set(self, "cluster.bandwidth=%g", scale(self, 1e-3, 100.0));
    set(self, "cluster.unit_ns=%g", scale(self, 0.1, 1000.0));
    set(self, "cluster.jitter=%g", once_in(self, 2) ? 0.0 : scale(self, 0.1, 10.0));
    self->latency = fmax(self->latency, 1e-6);
    if (once_in(self, 3) && n_workers > 1) {
        set(self, "cluster.links=workers 0-%u to workers 0-%u latency %g bandwidth %g",
            n_workers / 2, n_workers - 1, scale(self, 1e-6, 1e-2), scale(self, 1e-3, 100.0));
    }
    if (once_in(self, 2)) {
        char text[CLUSTER_TEXT] = "";
        int length = 0;
        for (uint32_t k = 0; k < n_workers; k++) {
            length += snprintf(text + length, sizeof(text) - (size_t) length, "%s%.2g",
                               k > 0 ? "," : "", scale(self, 0.1, 10.0));
        }
        set(self, "cluster.speed=[%s]", text);
    }
}

/* "coordinator", a worker, or some of them. */
static void draw_who(drawing *self, char who[WHO_TEXT])
{
    const uint32_t n_workers = self->drawn.n_workers;
    const uint32_t first = below(self, n_workers);
    if (once_in(self, 8)) {
        snprintf(who, WHO_TEXT, "coordinator");
    } else if (once_in(self, 2)) {
        snprintf(who, WHO_TEXT, "worker %u", first);
    } else {
        snprintf(who, WHO_TEXT, "workers %u-%u", first, first + below(self, n_workers - first));
    }
}

/* A machine is lost for good; the run goes by the time as it is written. */
static void set_fatal(drawing *self, double from)
{
    char text[FAULT_TEXT];
    snprintf(text, FAULT_TEXT, "%.6g", from);
    self->drawn.fatal = fmin(self->drawn.fatal, strtod(text, NULL));
}

/* A sentence of cluster.faults. */
static void draw_fault(drawing *self, double timeout, char text[FAULT_TEXT])
{
    char who[WHO_TEXT];
    draw_who(self, who);
    const double from = self->latency * scale(self, 1.0, 1e4);
    switch (below(self, 5)) {
    case 0:
        snprintf(text, FAULT_TEXT, "lose %s at %.6g", who, from);
        set_fatal(self, from);
        break;
    case 1: /* heals in time */
        snprintf(text, FAULT_TEXT, "cut %s from %.6g to %.6g", who, from,
                 from + timeout * 0.9 * strads_random_uniform(&self->random));
        break;
    case 2: /* heals, or not, too late */
        if (once_in(self, 2)) {
            snprintf(text, FAULT_TEXT, "cut %s from %.6g", who, from);
        } else {
            snprintf(text, FAULT_TEXT, "cut %s from %.6g to %.6g", who, from, from + 2.0 * timeout);
        }
        set_fatal(self, from);
        break;
    case 3:
        snprintf(text, FAULT_TEXT, "slow %s by %.3g from %.6g to %.6g", who,
                 scale(self, 1.0, 100.0), from, from + self->latency * scale(self, 1.0, 1e4));
        break;
    default:
        snprintf(text, FAULT_TEXT, "straggle workers by %.3g every %.6g for %.6g",
                 scale(self, 1.0, 50.0), 100.0 * self->latency,
                 self->latency * scale(self, 1.0, 99.0));
    }
}

static void draw_faults(drawing *self)
{
    const double timeout = self->latency * scale(self, 3.0, 1000.0);
    char text[3][FAULT_TEXT];
    uint32_t n = 0;
    self->drawn.fatal = INFINITY;
    set(self, "cluster.timeout=%.6g", timeout);
    if (once_in(self, 2)) {
        return;
    }
    for (n = 0; n < 3 && (n == 0 || once_in(self, 2)); n++) {
        draw_fault(self, timeout, text[n]);
    }
    set(self, "cluster.faults=[%s%s%s%s%s]", text[0], n > 1 ? ", " : "", n > 1 ? text[1] : "",
        n > 2 ? ", " : "", n > 2 ? text[2] : "");
}

/* ---- the schedule, and when to stop ---- */

static void draw_rounds(drawing *self, uint32_t kind, bool by_delta, uint32_t round)
{
    static const char *const checks[] = {"in_flight", "round", "off"};
    static const double rhos[] = {0.0, 0.05, 0.2, 0.6, 1.0};
    cluster_case *drawn = &self->drawn;
    const uint32_t check = once_in(self, 2) ? 0 : below(self, 3);
    const double rho = rhos[below(self, 5)];
    const uint32_t candidates = round * below(self, 5);
    drawn->rho = 1.0;
    set(self, "schedule.check=%s", checks[check]);
    set(self, "schedule.rho=%g", rho);
    if (round > 0) {
        drawn->pipeline = once_in(self, 3) ? 0 : below(self, kind == CUSTOM ? TURNS : 8);
        set(self, "schedule.round=%u", round);
        set(self, "schedule.candidates=%u", kind == 0 || candidates == 0 ? candidates : 1);
        set(self, "schedule.pipeline=%u", drawn->pipeline);
    }
    drawn->solve = kind == 0 && round == 0 && !by_delta;
    if (kind == 0 && (round > 0 || by_delta) && check < 2 && drawn->n_workers > 1) {
        drawn->rho = rho;
        drawn->in_flight = check == 0;
    }
}

static void draw_schedule(drawing *self)
{
    static const char *const kinds[] = {"structure_aware", "random", "cyclic", "custom"};
    static const char *const priorities[] = {"violation", "delta", "greedy"};
    const bool custom = !self->drawn.lasso && self->drawn.n_vars >= TURNS;
    const uint32_t kind = once_in(self, 2) ? 0 : below(self, custom ? 4 : 3);
    const uint32_t priority = below(self, 3);
    set(self, "schedule.kind=%s", kinds[kind]);
    set(self, "schedule.priority=%s", priorities[priority]);
    set(self, "schedule.eta=%g", once_in(self, 2) ? 0.001 : 1.0);
    draw_rounds(self, kind, priority == 1, once_in(self, 4) ? 0 : 1 + below(self, 30));
}

static void draw_stop(drawing *self)
{
    cluster_case *drawn = &self->drawn;
    drawn->rounds = MOST_ROUNDS;
    drawn->seconds = INFINITY;
    drawn->gap = scale(self, 1e-6, 1e-2);
    if (once_in(self, 6)) {
        drawn->rounds = 1 + below(self, 40);
        /* Without a goal a working set is solved to the last bit, a million steps. */
        drawn->gap = drawn->solve || once_in(self, 2) ? drawn->gap : 0.0;
    }
    set(self, "stop.rounds=%g", drawn->rounds);
    if (once_in(self, 8)) {
        drawn->seconds = self->latency * scale(self, 1.0, 1e4);
        set(self, "stop.seconds=%g", drawn->seconds);
    }
    set(self, "stop.gap=%g", drawn->gap);
}

cluster_case cluster_case_draw(uint64_t seed)
{
    drawing self = {.drawn = {.seed = seed}, .random = strads_random_start(seed, 7)};
    draw_problem(&self);
    draw_machines(&self);
    draw_faults(&self);
    draw_schedule(&self);
    draw_stop(&self);
    /* Last, so that seeds keep the rest of what they stood for. */
    self.drawn.columns = self.drawn.lasso && once_in(&self, 3);
    self.drawn.rows = self.drawn.lasso && !self.drawn.columns && once_in(&self, 2);
    if (self.drawn.columns || self.drawn.rows) {
        set(&self, "data.partition=%s", self.drawn.columns ? "columns" : "rows");
    }
    self.drawn.rho = self.drawn.rows ? 1.0 : self.drawn.rho; /* a round is one block */
    return self.drawn;
}
