/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/support/ssp_history.h - random histories of sessions that share tables, drawn from
 * a seed, each read checked against the full log of increments.
 *
 * Session j increments column j alone, by whole numbers above 0, and logs the sum of each
 * row after each increment. So a number that is read from column j must be one of these
 * sums, and not below that after the periods of j that the bound demands; column i of the
 * reader itself must be what it has added so far; and nothing goes back. When all is done
 * every row must be the sum of all.
 */
#ifndef STRADS_TESTS_SSP_HISTORY_H
#define STRADS_TESTS_SSP_HISTORY_H

#include "ssp/ssp.h"

typedef enum ssp_history_kind {
    SSP_HISTORY_SIM,     /* a part a simulated machine, with delays and stragglers */
    SSP_HISTORY_THREADS, /* threads of one process */
    SSP_HISTORY_LINKS    /* several processes within the test's own, linked by streams */
} ssp_history_kind;

typedef struct ssp_history_mode {
    const char *name;
    uint32_t staleness;
    bool eager;
} ssp_history_mode;

enum { SSP_HISTORY_TEXT = 240 };

typedef struct ssp_history_outcome {
    char wrong[SSP_HISTORY_TEXT]; /* the first read or end that is wrong; "": none */
    uint64_t n_reads, n_fetched, n_waits, n_forgotten;
    uint64_t bytes; /* between parts */
    uint64_t hash;  /* of all that was read, in sim of the times too */
} ssp_history_outcome;

ssp_history_outcome ssp_history_play(uint64_t seed, const ssp_history_mode *mode,
                                     ssp_history_kind kind);

#endif
