/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/planner.h - what the next round does: prioritizer -> dependency checker,
 * by the configured schedule.
 *
 * A plan is made in steps, because the workers may have to be asked first. planner_begin
 * chooses candidates. Where scores count, these are drawn from shards at the workers:
 * when a stock has run out planner_go_on takes over once there is more. The checker may
 * ask which of them are correlated, and planner_finish, once the answers are in, makes the
 * blocks.
 */
#ifndef STRADS_STRADS_PLANNER_H
#define STRADS_STRADS_PLANNER_H

#include "prioritizer/shards.h"
#include "strads/dependency.h"
#include "strads/guard.h"
#include "strads/loan.h"
#include "strads/options.h"
#include "strads/working_set.h"

typedef enum plan_outcome {
    PLAN_WAIT,  /* ask planner->shards, then planner_go_on */
    PLAN_ASK,   /* put planner->question to the workers, then planner_finish */
    PLAN_READY, /* planner->blocks, at most planner->width.width of them to be parallel */
    PLAN_NONE   /* no variable wants to be updated */
} plan_outcome;

typedef struct planner_options {
    const strads_app *app;
    const void *site; /* for costs */
    void *model;      /* for schedule */
    strads_structure structure;
    const uint32_t *firsts; /* [n_workers + 1] ranges of variables, lent */
    run_options run;
} planner_options;

typedef struct planner {
    planner_options options;
    width_guard width;
    crowd_guard crowd;
    strads_round blocks;
    strads_pairs question;

    prioritizer *prio;   /* random and cyclic, and what takes all variables; else NULL */
    prio_shards *shards; /* structure_aware rounds; else NULL */
    working_set set;     /* working sets only */
    uint32_t set_width;  /* blocks that the set is to be cut into */
    loan_book loans;     /* of a split */
    bool lends;          /* the plan needs loans.vars to be lent to who solves its blocks */
    dependency *check;   /* NULL: no check */

    uint32_t *candidates; /* drawn for the round that is being planned */
    size_t n_wanted;      /* so many, when all are drawn */
    size_t n_known;       /* of these the checker has picked some */
    double *costs;        /* of the candidates, or of the working set */
    uint8_t *picked;
    uint32_t *asked; /* candidates and what is in flight */
    size_t n_candidates, costs_capacity;
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

/* What a scan of everything found. */
typedef struct plan_scan {
    const prio_total *totals; /* [n_workers] what can be drawn of each shard, by its scores */
    uint32_t worst;           /* the variable with the largest score above 0; n_vars: none */
    uint64_t n_stalled;       /* scans in a row that found nothing better */
} plan_scan;

/* After a scan, of a schedule that draws by scores. Priorities by movement take scores only
 * when there were a few scans without progress, or when they leave nothing to draw. After any
 * of these the next round begins with the worst variable: the check may have refused it each
 * time that it was drawn, in favour of others that have nothing left to gain. */
STRADS_MUST_CHECK strads_status planner_scan_all(planner *plan, const plan_scan *scan);

/* Variables that a scan has retired, of a schedule that draws without looking at scores. */
void planner_retire(planner *plan, const uint32_t *vars, size_t n);

/* Plans round `round`. values[n_vars] are the committed ones; worst: the largest
 * score of the last scan over that of the first. plan->in_flight, set by the caller
 * and lent until finish: the variables of rounds not yet committed. */
STRADS_MUST_CHECK strads_status planner_begin(planner *plan, uint64_t round, const double *values,
                                              double worst, plan_outcome *outcome);
STRADS_MUST_CHECK strads_status planner_go_on(planner *plan, plan_outcome *outcome);
STRADS_MUST_CHECK strads_status planner_finish(planner *plan, plan_outcome *outcome);

/* How many edges each worker may answer plan->question with; 0: any number. */
size_t planner_question_edges(const planner *plan);

/* The policy by which candidates are drawn. */
prio_policy planner_policy(const run_options *run);
/* Whether they are drawn from shards at the workers. */
bool planner_has_shards(const run_options *run);

/* Variables of a committed round: give them back, with how far they moved. */
void planner_commit(planner *plan, const uint32_t *vars, size_t n, const float *moved);

#endif
