/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/planner.h - what the next round does: prioritizer -> dependency checker,
 * by the configured schedule.
 *
 * A plan is made in two steps, because the checker may have to ask the workers
 * first: planner_begin chooses candidates and says whether there is a question, and
 * planner_finish, once the answers are in, makes the blocks.
 */
#ifndef STRADS_STRADS_PLANNER_H
#define STRADS_STRADS_PLANNER_H

#include "prioritizer/prioritizer.h"
#include "strads/dependency.h"
#include "strads/guard.h"
#include "strads/loan.h"
#include "strads/options.h"
#include "strads/working_set.h"

typedef enum plan_outcome {
    PLAN_ASK,   /* put planner->question to the workers, then planner_finish */
    PLAN_READY, /* planner->blocks, at most planner->width.width of them to be parallel */
    PLAN_NONE   /* no variable wants to be updated */
} plan_outcome;

typedef struct planner_options {
    const strads_app *app;
    const void *site; /* for costs */
    void *model;      /* for schedule */
    strads_structure structure;
    const uint32_t *firsts; /* [n_workers + 1] ranges of variables, lent; for a split */
    run_options run;
} planner_options;

typedef struct planner {
    planner_options options;
    width_guard width;
    crowd_guard crowd;
    strads_round blocks;
    strads_pairs question;

    prioritizer *prio;  /* NULL for working sets and custom */
    working_set set;    /* working sets only */
    uint32_t set_width; /* blocks that the set is to be cut into */
    loan_book loans;    /* of a split */
    bool lends;         /* the plan needs loans.vars to be lent to who solves its blocks */
    dependency *check;  /* NULL: no check */

    uint32_t *candidates; /* drawn for the round that is being planned */
    double *costs;        /* of the candidates, or of the working set */
    uint8_t *picked;
    uint32_t *asked; /* candidates and what is in flight */
    size_t n_candidates, costs_capacity;
    uint32_t urgent; /* the first candidate of the next draw; n_vars: none */
    uint32_t n_refills;
    uint64_t round; /* that is being planned */
    const uint32_t *in_flight;
    size_t n_in_flight;
    const net_node *node; /* knows what an exchange costs; set by the caller; NULL: nothing */
} planner;

STRADS_MUST_CHECK strads_status planner_init(planner *plan, const planner_options *options);
void planner_fini(planner *plan);
/* Forgets all that was learned of the variables, none of which is in flight. */
STRADS_MUST_CHECK strads_status planner_restart(planner *plan);

/* Scores at most this are alike to a schedule that draws, but for PRIO_RETIRED: to
 * planner_scan_all they may all be 0. 0, or INFINITY where no score is looked at. */
double planner_draws_above(const planner *plan);

/* The scores of everything: scores[n_vars], for a schedule that draws, and how many scans
 * in a row found nothing better. Priorities by movement take scores only when there were a
 * few of these, or when they leave nothing to draw. After any of these structure_aware
 * begins the next round with the worst variable: the check may have refused it each time
 * that it was drawn, in favour of others that have nothing left to gain. */
void planner_scan_all(planner *plan, const float *scores, uint64_t n_stalled);

/* Plans round `round`. values[n_vars] are the committed ones; worst: the largest
 * score of the last scan over that of the first. plan->in_flight, set by the caller
 * and lent until finish: the variables of rounds not yet committed. */
STRADS_MUST_CHECK strads_status planner_begin(planner *plan, uint64_t round, const double *values,
                                              double worst, plan_outcome *outcome);
STRADS_MUST_CHECK strads_status planner_finish(planner *plan, plan_outcome *outcome);

/* How many edges each worker may answer plan->question with; 0: any number. */
size_t planner_question_edges(const planner *plan);

/* Variables of a committed round: give them back, with how far they moved. */
void planner_commit(planner *plan, const uint32_t *vars, size_t n, const float *moved);

#endif
