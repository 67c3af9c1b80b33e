/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lasso/lone_worker.h - the services of strads.h for a model program
 * that is tested alone: one worker that shares nothing, a full table of cosines, and
 * a summary of a few numbers.
 * For inclusion by one source of a program that does not link strads/worker.c.
 */
#ifndef STRADS_TESTS_LONE_WORKER_H
#define STRADS_TESTS_LONE_WORKER_H

#include "strads/strads.h"

enum { LONE_MAX_VARS = 32 };

struct strads_worker {
    uint32_t first, n; /* its range */
    uint64_t n_steps;
    bool stopping;
};

struct strads_gram {
    double cosine[LONE_MAX_VARS][LONE_MAX_VARS];
    int times[LONE_MAX_VARS][LONE_MAX_VARS]; /* that a pair was told */
};

struct strads_summary {
    int n;
    const char *names[32];
    double values[32];
};

uint32_t strads_worker_rank(const strads_worker *worker)
{
    (void) worker;
    return 0;
}

void strads_worker_range(const strads_worker *worker, uint32_t *first, uint32_t *n)
{
    *first = worker->first;
    *n = worker->n;
}

uint32_t strads_worker_members(const strads_worker *worker)
{
    (void) worker;
    return 1;
}

strads_status strads_exchange(strads_worker *worker, double *vector, const double *base, size_t n)
{
    (void) worker;
    (void) vector;
    (void) base;
    (void) n;
    return STRADS_OK;
}

double strads_exchange_units(const strads_worker *worker, size_t n)
{
    (void) worker;
    (void) n;
    return 0.0;
}

bool strads_stopping(const strads_worker *worker)
{
    return worker->stopping;
}

strads_status strads_step_run(strads_worker *worker, const strads_step *step, double *farthest)
{
    worker->n_steps++;
    *farthest = step->sweep(step->self, 0, 1);
    return STRADS_OK;
}

void strads_worker_count(strads_worker *worker, double n_updates, double units)
{
    (void) worker;
    (void) n_updates;
    (void) units;
}

void strads_gram_add(strads_gram *gram, uint32_t a, uint32_t b, double cosine)
{
    gram->cosine[a][b] = cosine;
    gram->times[a][b]++;
}

strads_status strads_summary_add(strads_summary *summary, const char *name, double value)
{
    summary->names[summary->n] = name;
    summary->values[summary->n++] = value;
    return STRADS_OK;
}

#endif
