/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cli/sweep.h - many runs of one configuration into one CSV file: `strads run --csv`.
 *
 * The plan is the product of the swept keys, times the seeds. Each case of it is a run
 * in a process and a folder of its own, and becomes one record of the table, or one a
 * measurement with --curve. The table is a file: a case that has a record there is
 * done, so a sweep that was interrupted goes on where it was.
 */
#ifndef STRADS_CLI_SWEEP_H
#define STRADS_CLI_SWEEP_H

#include <sys/types.h>

#include "cli/cli.h"

/* ---- records: named cells in order ---- */

typedef struct sweep_record {
    cli_texts names, cells; /* as many of either */
} sweep_record;

typedef struct sweep_records {
    sweep_record *items;
    size_t n, room;
} sweep_records;

/* Appends copies; a name that is there already keeps its cell. */
STRADS_MUST_CHECK strads_status sweep_record_put(sweep_record *record, const char *name,
                                                 const char *cell);
STRADS_MUST_CHECK strads_status sweep_record_put_all(sweep_record *record,
                                                     const sweep_record *other);
const char *sweep_record_find(const sweep_record *record, const char *name); /* NULL: none */
void sweep_record_fini(sweep_record *record);

/* Appends an empty record, lent until the next is added. NULL: no memory. */
sweep_record *sweep_records_add(sweep_records *records);
void sweep_records_fini(sweep_records *records);

/* Appends a record for every JSON object in the file, one after another: numbers, texts
 * and truths under their names, those within objects and lists as in seconds.solve and
 * waits.0, null as "". *whole: the file is there and all of it was read. */
STRADS_MUST_CHECK strads_status sweep_json_read(sweep_records *records, const char *path,
                                                bool *whole);

/* ---- the plan ---- */

enum { SWEEP_MAX_CASES = 1000000, SWEEP_SEED_BYTES = 24 };

/* What the command line asks for. */
typedef struct sweep_request {
    const char *config; /* the file */
    cli_texts sets;     /* key=value, for every case */
    cli_texts sweeps;   /* key=a,b,c */
    uint64_t n_seeds;
    const char *csv;
    bool curve;
} sweep_request;

typedef struct sweep_axis {
    char *key;
    cli_texts values; /* distinct */
} sweep_axis;

typedef struct sweep_plan {
    sweep_axis *axes; /* [n_axes] the last one turns fastest but for the seeds */
    size_t n_axes, room;
    uint64_t first_seed, n_seeds;
    size_t n_cases; /* the product of all */
    bool curve;
    char *driver; /* run.driver, unless it is swept */
    char *folder; /* run.out, where the command line gives it; NULL: it does not */
} sweep_plan;

/* Reads "key=a,b,c" texts; commas inside [] do not split. USAGE, having said why, for an
 * empty list or value, one given twice, and keys that cannot be swept. */
STRADS_MUST_CHECK strads_status sweep_plan_init(sweep_plan *plan, const cli_texts *sweeps,
                                                uint64_t n_seeds, bool curve);
void sweep_plan_fini(sweep_plan *plan);

/* The value of an axis in a case. */
const char *sweep_plan_value(const sweep_plan *plan, size_t index, size_t axis);
/* The value that a case gives to `key`, or NULL where the key is not swept. */
const char *sweep_plan_value_of(const sweep_plan *plan, size_t index, const char *key);
const char *sweep_plan_seed(const sweep_plan *plan, size_t index, char text[SWEEP_SEED_BYTES]);

/* The case whose values and seed are cells[n_axes + 1]; n_cases: none. */
size_t sweep_plan_find(const sweep_plan *plan, char *const *cells);

/* What a record begins with beside the keys of its case. */
typedef struct sweep_facts {
    const char *measurement; /* its number; with --curve alone */
    const char *status;      /* converged, completed, stopped or failed */
    const char *error;       /* why it failed, or "" */
} sweep_facts;

/* Puts the columns that every record of this plan begins with: the swept keys, run.seed,
 * with --curve measurement, then status and error. */
STRADS_MUST_CHECK strads_status sweep_plan_record(const sweep_plan *plan, size_t index,
                                                  const sweep_facts *facts, sweep_record *record);

/* "key=value ... run.seed=1", for people; as_file: with commas between, and every other
 * byte of a value than letters, digits and ._+- as %XX, so that distinct cases have
 * distinct names of files, or "case-1" where that is longer than a name can be. For
 * strads_free. */
STRADS_MUST_CHECK strads_status sweep_plan_name(const sweep_plan *plan, size_t index, bool as_file,
                                                char **out);

/* Resolves a configuration for every value, refusals being logged, and takes the first
 * seed, the driver and the folder from the first. */
STRADS_MUST_CHECK strads_status sweep_plan_check(sweep_plan *plan, const sweep_request *request);

/* Makes and loads the session of one case, for cli_session_close. With folder, run.out
 * is that and run.seed the case's own; NULL leaves both as they are given. */
STRADS_MUST_CHECK strads_status sweep_plan_session(const sweep_plan *plan, size_t index,
                                                   const sweep_request *request, const char *folder,
                                                   cli_session *session);

/* ---- the table ---- */

/* Writes a cell as RFC 4180 has it: quoted where it must be. */
void sweep_csv_write(FILE *to, const char *cell);

/* Reads the record at *at, which then goes behind its line. DATA, not logged, for what
 * is not CSV or does not end in a line end. */
STRADS_MUST_CHECK strads_status sweep_csv_read(const char **at, const char *end, cli_texts *cells);

typedef struct sweep_table {
    char *path;
    int fd; /* open for appending, and locked */
    cli_texts columns;
} sweep_table;

typedef enum sweep_state { SWEEP_TODO, SWEEP_DONE, SWEEP_FAILED } sweep_state;

/* Opens or makes the file; states[n_cases] say what is in it already. A last line that
 * was cut short is dropped, with the other records of its case. USAGE when the file is
 * not of this plan, or another sweep writes to it; it is not changed then. */
STRADS_MUST_CHECK strads_status sweep_table_open(sweep_table *table, const char *path,
                                                 const sweep_plan *plan, uint8_t *states);
void sweep_table_close(sweep_table *table);

/* Appends records, all or none. New names become columns at the right end, for which
 * the file is written anew. */
STRADS_MUST_CHECK strads_status sweep_table_add(sweep_table *table, const sweep_record *records,
                                                size_t n);

/* ---- a case ---- */

typedef struct sweep_run {
    size_t index; /* of the case */
    pid_t process;
    FILE *messages; /* the process's stderr */
    char *folder;
    double started;
} sweep_run;

STRADS_MUST_CHECK strads_status sweep_run_start(sweep_run *run, const sweep_plan *plan,
                                                size_t index, const sweep_request *request,
                                                const char *folder);

enum { SWEEP_ERROR_BYTES = 2100, SWEEP_STATUS_BYTES = 16 };
typedef struct sweep_outcome {
    sweep_records records;
    char status[SWEEP_STATUS_BYTES];
    char error[SWEEP_ERROR_BYTES]; /* "": none */
} sweep_outcome;

/* Reads what a process that ended with `wait_status` left. What cannot be read has
 * failed; only a lack of memory is an error here. Pair with sweep_outcome_fini. */
STRADS_MUST_CHECK strads_status sweep_run_finish(const sweep_run *run, const sweep_plan *plan,
                                                 int wait_status, sweep_outcome *outcome);
void sweep_outcome_fini(sweep_outcome *outcome);
void sweep_run_fini(sweep_run *run);

/* ---- the command ---- */

/* Runs all cases that are not done. Returns the exit code. */
int sweep_all(const sweep_request *request);

#endif
