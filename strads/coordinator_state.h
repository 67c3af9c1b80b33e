/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/coordinator_state.h - what the parts of the coordinator share: its state, and
 * what they call of each other. coordinator.c turns events into steps, admit.c
 * checks those from other processes, scans.c looks where work is left and judges, draws.c
 * has shards draw candidates, questions.c asks which of them are correlated, flights.c
 * sends rounds out and commits them, collect.c takes what workers give at the end.
 */
#ifndef STRADS_STRADS_COORDINATOR_STATE_H
#define STRADS_STRADS_COORDINATOR_STATE_H

#include "strads/coordinator.h"
#include "strads/planner.h"
#include "strads/protocol.h"

enum { MAX_FLIGHTS = MAX_PIPELINE + 1 };

/* The coordinator's own work in units, for simulated time: a variable that is drawn,
 * checked and sent, or committed; a score or an edge that is taken. As bench/ has it, a
 * unit being a nanosecond. */
enum { UNITS_PLANNED = 200, UNITS_COMMITTED = 50, UNITS_SCORE = 2, UNITS_EDGE = 20 };

/* A round that was sent out and not yet committed. */
typedef struct flight {
    uint64_t round;
    uint32_t n_members, n_waiting;
    uint32_t n_parts; /* members that have a block */
    bool lent;        /* to the members, by all workers */
    assignment to;
    double *partials; /* [vars of `to`][partial_width] */
    size_t partials_capacity;
    uint64_t n_steps, n_guarded, n_updates;
} flight;

/* What was asked of a worker's shard. */
typedef struct shard_talk {
    bool asked; /* and what was drawn is not taken yet */
    msg_draw request;
    uint64_t round;    /* which was sent out just after the request */
    msg_drawn *answer; /* NULL: has not come */
} shard_talk;

/* What a worker of another process has said so far. */
typedef struct heard {
    bool ready, refused;           /* refused: something was wrong, and nothing more is taken */
    uint64_t n_scans, n_questions; /* as of its last answer */
    uint64_t next_round;           /* those below are answered */
} heard;

struct coordinator {
    coordinator_options options;
    net_node *node;
    planner plan;
    bool opening, scanning, drawing, asking, ending;
    uint32_t n_waiting; /* replies due to a scan or a question, or to opening */
    shard_talk *draws;  /* [n_workers] */
    uint32_t n_lost;    /* workers that have left */
    bool *lost;         /* [n_workers] */
    heard *heard;       /* [n_workers] */

    double *values;     /* [n_vars] committed */
    size_t *n_told;     /* [n_workers] variables that each worker told the scores of */
    prio_total *totals; /* [n_workers] what the scan found to draw of each shard */
    uint32_t worst;     /* of shards: the variable that has worst_score; n_vars: none is above 0 */
    double *measures;   /* [n_measures] reduced */
    double *reported;   /* [n_workers][n_measures] as the workers told them */
    msg_edges **told;   /* [n_workers] answers to a question that wait for those of lower ranks */
    uint32_t n_learned; /* ranks whose answer was taken */
    bool whole;         /* the scan under way is of everything */
    bool at_limit;      /* a limit was reached when the last one was done */
    strads_stage stage;
    double worst_score, first_score; /* first_score < 0: not yet known */

    flight flights[MAX_FLIGHTS]; /* [0 .. n_flights) in order of their rounds */
    uint32_t n_flights;
    uint32_t *in_flight; /* their variables, for the planner */
    size_t in_flight_capacity;
    double *commit_values; /* scratch of commit */
    float *commit_moved;
    uint32_t *commit_owner;
    size_t *n_owned;     /* [n_workers] variables of the commit, by owner */
    net_message **syncs; /* [n_workers] NULL but while they are made */
    size_t commit_capacity;

    bool told_to_stop; /* by a worker */
    uint64_t round, updates, updates_at_scan, round_at_scan;
    uint64_t scored, products;     /* variables, pairs of columns */
    uint64_t n_scans, n_questions; /* begun */
    size_t active;
    double best_gap, best_objective;
    uint64_t n_judged, n_stalled; /* scans of everything; since one was the best */

    double busy_seconds; /* in callbacks here */
    double *worker_busy; /* [n_workers] in callbacks there */
    coordinator_outcome outcome;
};

static inline uint32_t coordinator_workers(const coordinator *self)
{
    return self->options.run.n_workers;
}

/* Whose part of a request worker `rank` gets: its own, but where samples are split all
 * get that of rank 0, who has all. */
static inline uint32_t coordinator_answers_for(const coordinator *self, uint32_t rank)
{
    return self->options.structure.split == STRADS_SPLIT_SAMPLES ? 0 : rank;
}

/* Where the shard of a worker begins. */
static inline uint32_t coordinator_shard_first(const coordinator *self, uint32_t rank)
{
    return round_shard_first(&self->options.structure, self->options.firsts,
                             coordinator_workers(self), rank);
}

/* ---- coordinator.c ---- */

/* Closes all workers; the run ends when they have left. */
void coordinator_end(coordinator *self, strads_verdict verdict);
/* The same after an error, of which the first is kept. */
void coordinator_fail(coordinator *self, strads_status status);
/* Sends out rounds until the pipeline is full, or scans when that is due. */
void coordinator_advance(coordinator *self);
/* Takes the message, sent or not. */
STRADS_MUST_CHECK strads_status coordinator_send(coordinator *self, uint32_t rank,
                                                 net_message *message);
STRADS_MUST_CHECK strads_status coordinator_broadcast(coordinator *self, uint32_t type,
                                                      const void *body, size_t bytes);
/* Whether Ctrl-C, the clock or the number of rounds says that it is enough. */
bool coordinator_limit_reached(const coordinator *self);

/* Goes on with a plan that has answers now, if the status is OK. */
void coordinator_resume(coordinator *self, strads_status status, plan_outcome outcome);

/* ---- questions.c ---- */

/* Asks all workers the plan's question. */
STRADS_MUST_CHECK strads_status coordinator_ask(coordinator *self);
void coordinator_on_edges(coordinator *self, uint32_t rank, const net_message *message);

/* ---- draws.c ---- */

/* Asks the shards that have to be asked, or run low. */
STRADS_MUST_CHECK strads_status coordinator_ask_shards(coordinator *self);
/* Whether one that was asked has not answered. */
bool coordinator_awaits_draws(const coordinator *self);
/* Takes what they have answered: what was asked just before round `round` was sent out, or all. */
#define ANY_ROUND UINT64_MAX
STRADS_MUST_CHECK strads_status coordinator_take_draws(coordinator *self, uint64_t round);
void coordinator_on_drawn(coordinator *self, uint32_t rank, const net_message *message);

/* ---- admit.c ---- */

/* Whether a message of another process may be acted on; if not, the run has failed. */
bool coordinator_admits(coordinator *self, uint32_t rank, const net_message *message);

/* ---- collect.c ---- */

/* Whether a message is what a worker gives at the end. */
bool coordinator_collects(const coordinator *self, const net_message *message);
void coordinator_collect(coordinator *self, uint32_t rank, const net_message *message);

/* ---- scans.c ---- */

/* The place in an ascending list of the first variable that worker `rank` owns. */
size_t coordinator_list_start(const coordinator *self, const uint32_t *vars, size_t n,
                              uint32_t rank);

STRADS_MUST_CHECK strads_status coordinator_scan_all(coordinator *self);
/* The same when it is due, or the last time; ends the run where no round was sent since the last
 * one: a limit that is reached just after that was judged leaves nothing new to see. */
STRADS_MUST_CHECK strads_status coordinator_scan_rest(coordinator *self);
STRADS_MUST_CHECK strads_status coordinator_scan_pool(coordinator *self);
void coordinator_on_scores(coordinator *self, uint32_t rank, const net_message *message);
/* Ends a run in which nothing is left to update. */
void coordinator_stop_idle(coordinator *self);

/* ---- flights.c ---- */

/* Sends out the blocks that the planner has made. */
STRADS_MUST_CHECK strads_status coordinator_dispatch(coordinator *self);
/* Lists the variables of the rounds in flight for the planner. */
STRADS_MUST_CHECK strads_status coordinator_list_in_flight(coordinator *self);
/* Takes what a worker has pushed. */
void coordinator_take_partials(coordinator *self, uint32_t rank, const msg_done *reply);
/* Commits the oldest round, which is complete, and takes it out of the flights. */
STRADS_MUST_CHECK strads_status coordinator_commit(coordinator *self);

#endif
