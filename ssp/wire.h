/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/wire.h - what sessions and servers tell each other, as bytes. No input or output.
 *
 * A message is a head and, by its type, a table's description, or keys and rows. Keys that
 * the receiver remembers (ssp/lists.h) are left out. A row is all its columns, or those
 * that are not 0, whichever is shorter. Everything is aligned to 8 bytes.
 */
#ifndef STRADS_SSP_WIRE_H
#define STRADS_SSP_WIRE_H

#include "net/net.h"
#include "ssp/lists.h"
#include "ssp/ssp.h"

typedef enum ssp_type {
    SSP_OPEN = 1, /* to a server: `table` is my number of the table described */
    SSP_OPENED,   /* to a session: flags: a strads_status */
    SSP_UPDATE,   /* to a server: increments of rows; `batch`: the number of this, from 1 */
    SSP_TICK,     /* to a server: my clock is `clock` */
    SSP_GET,      /* to a server: rows wanted once no clock is below `clock` */
    SSP_ROWS,     /* to a session: rows as they are after `batch` updates of its own, when
                   * the slowest clock was `clock` */
    SSP_ACK,      /* to a session: `batch` updates were applied */
    SSP_ABORT,    /* to a session: the server has failed, and answers nothing any more */
    SSP_N_TYPES
} ssp_type;

enum {
    SSP_KNOWN = 1,  /* the keys are left out */
    SSP_PUSHED = 2, /* ROWS that nobody asked for; the last of a clock: all others that the
                     * session has read are as they were */
    SSP_ANSWER = 4  /* UPDATE: an ACK is wanted. ROWS: to a GET */
};

typedef struct ssp_head {
    uint32_t table, batch, n_keys, flags;
    uint64_t clock;
    uint64_t sum; /* of the keys */
} ssp_head;

/* A table as OPEN describes it; both names follow, without ends. */
typedef struct ssp_open {
    uint32_t columns, staleness, eager, n_states;
    double params[2];
    uint32_t name_bytes, rule_bytes;
} ssp_open;

/* Rows in one message take about so many bytes at most, if there are several. */
enum { SSP_BATCH_BYTES = 256 * 1024 };
size_t ssp_batch_rows(uint32_t columns);

/* ---- writing ---- */

/* A message with room for n keys and rows, of which none is written yet; NULL: no memory.
 * The keys are left out if `said` has them, and noted there. */
net_message *ssp_message_create(ssp_type type, const ssp_head *head, const uint64_t *keys,
                                ssp_lists *said, uint32_t columns) STRADS_MUST_CHECK;

/* Writes the next row, the i-th. */
void ssp_message_put(net_message *message, uint32_t i, const double *values, uint32_t columns);

/* A message that is a head alone, or a table's description. */
net_message *ssp_message_head(ssp_type type, const ssp_head *head) STRADS_MUST_CHECK;
net_message *ssp_message_open(uint32_t number, const char *name,
                              const ssp_table_options *options) STRADS_MUST_CHECK;

/* ---- reading: DATA, and what is wrong in *why ---- */

/* Of any message; false: it is shorter, or of no type. */
STRADS_MUST_CHECK bool ssp_message_read(const net_message *message, ssp_head *head);

STRADS_MUST_CHECK strads_status ssp_message_read_open(const net_message *message, ssp_open *open,
                                                      const char **name, const char **rule,
                                                      const char **why);

/* Keys and rows of a message, lent by it and by the list. */
typedef struct ssp_rows {
    ssp_list *list;         /* its keys */
    const uint32_t *counts; /* [n] how many columns of each are told, or SSP_DENSE */
    const unsigned char *data;
    uint32_t next;
} ssp_rows;

#define SSP_DENSE UINT32_MAX

/* Holds the message to its size, columns below their number, all numbers finite, and keys
 * known or told; what it tells is noted in `heard`. has_rows: false for GET, which has keys
 * alone. NOMEM. */
STRADS_MUST_CHECK strads_status ssp_message_read_rows(const net_message *message,
                                                      const ssp_head *head, ssp_lists *heard,
                                                      uint32_t columns, bool has_rows,
                                                      ssp_rows *rows, const char **why);

/* The next row: its values where they lie, or in scratch[columns], which is zeros before and
 * has to be zeros again for the next. */
const double *ssp_rows_next(ssp_rows *rows, double *scratch, uint32_t columns);

#endif
