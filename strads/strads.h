/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * strads/strads.h - the whole interface of a model program; running one is in strads/run.h.
 *
 * A model program is a table of callbacks, strads_app. A run meets them in this
 * order ([P] once a process, [W] on each worker's thread, [C] on the coordinator):
 *
 *   [P] open_site, describe                 the data, and what depends on what
 *   [W] open_worker        [C] open_model
 *   then, until the goal is met:
 *     [W] score, measure                    a scan: where is there work left?
 *     [C] next_stage                        how good is it; what next, or done?
 *     [W] begin_stage                       when next_stage changed its parameters
 *     [W] correlate                         may these variables move side by side?
 *     [W] lend                              their data, to who solves a working set
 *     [C] schedule                          only with schedule.kind: custom
 *     [W] push                              update a block
 *     [C] pull                              commit what the workers found
 *     [W] sync                              hear what was committed
 *   [C] save, close_model   [P] close_worker, close_site
 *
 * Variables are numbered 0 .. J-1 and have one double each, its value, which the framework
 * keeps and starts at 0. A block is a list of variables that one worker updates one after
 * another; the blocks of a round run side by side. Workers own the data, each a range of
 * variables, and copies of the state that all share (a residual), which strads_step keeps equal.
 *
 * Callbacks return STRADS_OK or the status of an error they have logged. A worker's callbacks
 * run on its thread, one at a time; the workers of a process share the site, read-only. Only
 * push, score, lend and, where variables are split, correlate may wait, in an exchange.
 */
#ifndef STRADS_STRADS_H
#define STRADS_STRADS_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define STRADS_VERSION "0.1.0"
#define STRADS_APP_ABI 7
#define STRADS_RETIRED (-__builtin_inff()) /* a score that takes a variable out for good */

typedef struct strads_worker strads_worker; /* one worker, as push sees it */
typedef struct strads_gram strads_gram;     /* takes the answers of correlate */
typedef struct strads_round strads_round;   /* takes the blocks of schedule */
typedef struct strads_summary strads_summary;
struct ssp_session;
struct strads_grid;

/* What of the data a worker holds, and so what it can do. */
typedef enum strads_split {
    STRADS_SPLIT_NONE,      /* all: it updates any variable */
    STRADS_SPLIT_VARIABLES, /* its range of variables: it updates these, and what is lent to it */
    STRADS_SPLIT_SAMPLES /* its samples, of all variables: all are given the same, answer alike */
} strads_split;

/* What the variables are, told by describe. */
typedef struct strads_structure {
    uint32_t n_vars;        /* J > 0 */
    uint32_t partial_width; /* doubles a variable in push's answer, 1 .. 8; default 1 */
    size_t n_shared;        /* of steps, as in strads_step; default 0 */
    double parallel_cost;   /* working sets of less (units of `cost`) are not shared; 0 */
    strads_split split;     /* default NONE */
    const uint32_t *firsts; /* [workers + 1] where ranges begin, lent; NULL: of equal cost */
} strads_structure;

/* A worker's part of a round. */
typedef struct strads_block {
    uint64_t round;
    uint32_t n_vars;      /* may be 0: push then only takes part in the exchange */
    const uint32_t *vars; /* [n_vars] in the order to update them */
    const double *values; /* [n_vars] their committed values */
    bool solve;           /* until none is farther from its optimum than target; false: once */
    double target;        /* in units of the score */
} strads_block;

/* The pairs that correlate is asked about. */
typedef struct strads_pairs {
    const uint32_t *vars; /* [n], distinct, in any order */
    uint32_t n, rank, n_ranks;
    uint32_t first_new; /* pairs below it are known already */
} strads_pairs;

/* What all workers lend to those who solve a working set. */
typedef struct strads_loan {
    const uint32_t *vars; /* [n] not lent before */
    uint32_t n;           /* > 0 */
    uint32_t n_borrowers; /* the workers with a rank below */
    bool afresh;          /* what was lent before is not needed any more */
} strads_loan;

typedef enum strads_reduction { STRADS_SUM, STRADS_MAX, STRADS_MIN } strads_reduction;
typedef struct strads_measure {
    const char *name;
    strads_reduction reduction; /* over the workers */
    bool journaled;             /* the journal has it, by its name */
} strads_measure;

/* What next_stage decides from. */
typedef struct strads_view {
    bool whole;             /* every variable was scored, not only a part of them */
    bool stalled;           /* it gets no better: without a change of stage the run ends here */
    const double *measures; /* [n_measures] reduced over the workers */
    const double *values;   /* [n_vars] committed */
    float worst_score;      /* the largest of the variables scored */
    double first_score;     /* worst_score of the run's first scan */
    uint64_t round;         /* rounds finished */
    bool ending;            /* a limit was reached: when the view is whole, the run ends here */
} strads_view;

enum { STRADS_STAGE_PARAMS = 4 };
/* The state of the outer loop; next_stage changes what it likes. */
typedef struct strads_stage {
    double params[STRADS_STAGE_PARAMS]; /* the program's own, 0 at first; for begin_stage */
    bool changed;                       /* out: the workers must hear of params, and score again */
    bool restart;     /* out, with changed: before that all values are 0 again; not with tables */
    double accuracy;  /* out: solve a working set to this share of worst_score; 0.3 */
    double objective; /* out: NAN where there is none */
    double gap;       /* out, when the view is whole: relative; what stop.gap bounds */
    size_t nonzeros;  /* out */
    bool done;        /* out: nothing is left to do, be the goal met or not */
} strads_stage;

/* What memory a run takes. */
typedef struct strads_size {
    uint32_t n_processes, n_workers; /* in: of the run, dealt evenly */
    size_t n_vars;                   /* out */
    size_t site_bytes;               /* out: of a process, loading or later */
    size_t worker_bytes;             /* out: of each worker beside that */
} strads_size;

/* A model program. Entries marked (may be NULL) have the default given there. */
typedef struct strads_app {
    size_t struct_size; /* sizeof(strads_app) */
    uint32_t abi;       /* STRADS_APP_ABI */
    const char *name;   /* also the section of its own options */
    const char *help;   /* one sentence */
    const strads_option *options;
    size_t n_options;
    const strads_measure *measures;
    size_t n_measures;

    /* ---- life ---- */

    /* Loads the process's data, all of it or its part (see strads_part in base/base.h);
     * `config` is resolved and outlives the site, `part` only the call. */
    strads_status (*open_site)(const strads_config *config, strads_part *part, void **site);
    void (*close_site)(void *site);
    strads_status (*describe)(const void *site, strads_structure *structure);
    /* strads_worker_range tells the variables this worker scores; keep `worker`. */
    strads_status (*open_worker)(const void *site, strads_worker *worker, void **state);
    void (*close_worker)(void *state);
    /* The coordinator's own state (may be NULL: none). */
    strads_status (*open_model)(const strads_config *config, const void *site, void **model);
    void (*close_model)(void *model);

    /* ---- structure ---- */

    /* How far each of vars[n] (ascending, of this worker's range; NULL: all of it) is from its
     * optimum: > 0 the farther the more urgent, < 0 at its optimum with that much margin,
     * STRADS_RETIRED never again; not NaN. All workers score at the same time, so shared state may
     * be made afresh with strads_exchange, and shares of samples added up: then alike in all. */
    strads_status (*score)(void *state, const uint32_t *vars, size_t n, float *scores);
    /* Adds with strads_gram_add the cosine of the angle between the columns of vars[a]
     * and vars[b] for all a >= first_new and b < a where a is `rank` modulo `n_ranks`;
     * zeros may be left out (may be NULL: nothing is correlated). With variables split all
     * workers are asked at the same time, and may exchange columns; with samples split it is
     * not called, for all that moves in a round moves in one block. */
    strads_status (*correlate)(void *state, const strads_pairs *pairs, strads_gram *gram);
    /* All workers at the same time give the borrowers what they need to update loan->vars, by
     * strads_exchange: where variables are split and the network is slow, a working set
     * is then solved by these alone (may be NULL: each worker solves its own part). */
    strads_status (*lend)(void *state, const strads_loan *loan);
    /* Units of work of one update of `var`, > 0 and finite (may be NULL: 1 each). A unit
     * should be about a multiplication. */
    double (*cost)(const void *site, uint32_t var);

    /* ---- a round ---- */

    /* Names the blocks of round `round` with strads_round_add (may be NULL: then
     * schedule.kind: custom is refused). values[n_vars] are the committed ones. */
    strads_status (*schedule)(void *model, uint64_t round, const double *values,
                              strads_round *blocks);
    /* Updates the block; partial[n_vars][partial_width], zeroed, takes the outcome. With samples
     * split all workers get the same block and have to find the same, by adding up shares. */
    strads_status (*push)(void *state, const strads_block *block, double *partial);
    /* Commits: values[n_vars] hold the block's old values and take the new ones,
     * moved[n_vars] how far each moved in units of the score (may be NULL: values =
     * the first of each variable's partial, moved = |change|). */
    strads_status (*pull)(void *model, const strads_block *block, const double *partial,
                          double *values, float *moved);
    /* schedule.kind: data_parallel (may be NULL: refused): a worker's part of a period, on its
     * samples, through tables of `session` (ssp/ssp.h), which is clocked after it; and, with
     * `partial`, push's outcome, once the round's periods are over for all. */
    strads_status (*step)(void *state, struct ssp_session *session, const strads_block *block,
                          double *partial);
    /* Hears that a round was committed, and of the new values of this worker's range, if
     * there are any (may be NULL: strads_worker_values has them). */
    strads_status (*sync)(void *state, const uint32_t *vars, size_t n, const double *values);

    /* ---- around the rounds ---- */

    /* This worker's part of each of `measures`; out starts at 0 (may be NULL without). */
    strads_status (*measure)(void *state, double *out);
    /* May be NULL: gap = worst_score / first_score, done when stop.gap is reached. */
    strads_status (*next_stage)(void *model, const strads_view *view, strads_stage *stage);
    strads_status (*begin_stage)(void *state, const strads_stage *stage); /* may be NULL */
    /* Writes the model into folder `dir`, numbers into summary (may be NULL: values.npy). */
    strads_status (*save)(void *model, const void *site, const double *values, const char *dir,
                          strads_summary *summary);
    /* `strads predict`: model folder and data file in, a line a row out (may be NULL). */
    strads_status (*predict)(const strads_config *config, const char *model_dir,
                             const char *data_path, FILE *to);
    /* From sizes alone; says what the data are (may be NULL). */
    strads_status (*estimate)(const strads_config *config, strads_size *size);
    const struct strads_grid *grid; /* of strads/grid.h; then score and push may be NULL too */
} strads_app;

typedef const strads_app *(*strads_app_entry)(void);
#define STRADS_APP_ENTRY "strads_app_v1" /* the one symbol of a plug-in */

/* ---- services for callbacks ---- */

STRADS_API uint32_t strads_worker_rank(const strads_worker *worker);
/* The variables first .. first+n-1 that this worker scores. */
STRADS_API void strads_worker_range(const strads_worker *worker, uint32_t *first, uint32_t *n);
/* The committed values [n] of that range, for programs that have no sync. */
STRADS_API const double *strads_worker_values(const strads_worker *worker);
/* In push, score and open_worker: how many share the exchanges, the ranks below it. */
STRADS_API uint32_t strads_worker_members(const strads_worker *worker);

/* vector[n] := base[n] + sum over the members of (vector - base), added in order of rank; base
 * NULL: zeros. base must be the same on all members, who all must call with the same n. CLOSED
 * when the run has failed elsewhere: return it. */
STRADS_API STRADS_MUST_CHECK strads_status strads_exchange(strads_worker *worker, double *vector,
                                                           const double *base, size_t n);

/* What an exchange of n numbers takes beside the summing, in units of `cost`: next to
 * nothing within a process, much between machines. Not the same on all members. */
STRADS_API double strads_exchange_units(const strads_worker *worker, size_t n);

/* Whether the run is to end early (Ctrl-C, stop.seconds): as of the last exchange, so the same on
 * all members. A long push then returns with what it has. */
STRADS_API bool strads_stopping(const strads_worker *worker);

/* A guarded parallel step: every member sweeps over its own variables on its own copy of the
 * shared state, the changes are added up, and if the objective rose the step is undone and done
 * again with the members one after another, so that no choice of blocks can make a convex run
 * diverge. A step that is alone is neither copied nor checked. */
typedef struct strads_step {
    void *self;
    double *shared; /* this worker's copy of the shared state, changed by sweep */
    size_t n_shared;
    double *own; /* the values of this worker's block, changed by sweep */
    size_t n_own;
    size_t n_updates; /* variables that one sweep updates, to count them; 0: n_own */
    /* Updates the `part`-th of n_parts slices of the block; returns the farthest
     * move in units of the score. */
    double (*sweep)(void *self, uint32_t part, uint32_t n_parts);
    uint32_t n_parts; /* exchanges a step: changes are added up after each slice; 0: 1 */
    /* The objective's part of `shared`, and of `own`. */
    double (*shared_objective)(void *self);
    double (*own_objective)(void *self);
} strads_step;

/* Runs one step; farthest: the largest move of all members. */
STRADS_API STRADS_MUST_CHECK strads_status strads_step_run(strads_worker *worker,
                                                           const strads_step *step,
                                                           double *farthest);

/* What push has to do with a block: a step, or, to solve it, steps down to its target. */
STRADS_API STRADS_MUST_CHECK strads_status strads_step_solve(strads_worker *worker,
                                                             const strads_step *step,
                                                             const strads_block *block);

/* Counts updates that push makes outside of steps, and the units of work that they and what
 * they need take. A push that counts none has made one of each variable. */
STRADS_API void strads_worker_count(strads_worker *worker, double n_updates, double units);

STRADS_API void strads_gram_add(strads_gram *gram, uint32_t a, uint32_t b, double cosine);

/* Copies a block into a custom round; APP for a variable that is in it or in flight. */
STRADS_API STRADS_MUST_CHECK strads_status strads_round_add(strads_round *round,
                                                            const uint32_t *vars, size_t n);

/* Adds "name": value to summary.json, or n_rows lists of n_cols numbers each, of which those that
 * are not finite become null; APP when it has that name already. */
STRADS_API STRADS_MUST_CHECK strads_status strads_summary_add(strads_summary *summary,
                                                              const char *name, double value);
STRADS_API STRADS_MUST_CHECK strads_status strads_summary_add_rows(strads_summary *summary,
                                                                   const char *name,
                                                                   const double *values,
                                                                   size_t n_rows, size_t n_cols);

#ifdef __cplusplus
}
#endif

#endif
