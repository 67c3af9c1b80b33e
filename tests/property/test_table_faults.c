/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/property/test_table_faults.c - faults that are put into the tables, each alone, are
 * found by the histories of test_tables.c: so these can find one.
 *
 * The linker puts what is here between the parts of ssp/ (Makefile, PLANTED).
 */
#include <inttypes.h>
#include <string.h>

#include "ssp/session_state.h"
#include "tests/support/ssp_history.h"
#include "tests/support/suite.h"

typedef enum fault {
    NONE,
    OFF_BY_ONE,    /* reads are content with a period less than they need */
    LOST_BATCH,    /* every seventh update of a session is acknowledged and not applied */
    LOST_ROW,      /* ... its first row is not */
    STALE_OWN,     /* copies pass for having all that the reader has sent */
    EARLY_PROMISE, /* copies pass for a period fresher than they are */
} fault;

static fault planted;

/* ---- between the parts ---- */

strads_status __real_ssp_session_wait(ssp_session *session, uint64_t needed, const char *where);
strads_status __real_ssp_remote_ask(ssp_table *table, const uint64_t *keys, size_t n,
                                    uint64_t needed);
strads_status __real_ssp_remote_refresh(ssp_table *table, ssp_own_row *row, uint64_t needed);
net_message *__real_ssp_message_create(ssp_type type, const ssp_head *head, const uint64_t *keys,
                                       ssp_lists *said, uint32_t columns);
strads_status __real_ssp_message_read_rows(const net_message *message, const ssp_head *head,
                                           ssp_lists *heard, uint32_t columns, bool has_rows,
                                           ssp_rows *rows, const char **why);
void __real_ssp_shared_row_apply(const ssp_shared_table *table, ssp_shared_row *row,
                                 const double *deltas);

strads_status __wrap_ssp_session_wait(ssp_session *session, uint64_t needed, const char *where);
strads_status __wrap_ssp_remote_ask(ssp_table *table, const uint64_t *keys, size_t n,
                                    uint64_t needed);
strads_status __wrap_ssp_remote_refresh(ssp_table *table, ssp_own_row *row, uint64_t needed);
net_message *__wrap_ssp_message_create(ssp_type type, const ssp_head *head, const uint64_t *keys,
                                       ssp_lists *said, uint32_t columns);
strads_status __wrap_ssp_message_read_rows(const net_message *message, const ssp_head *head,
                                           ssp_lists *heard, uint32_t columns, bool has_rows,
                                           ssp_rows *rows, const char **why);
void __wrap_ssp_shared_row_apply(const ssp_shared_table *table, ssp_shared_row *row,
                                 const double *deltas);

static uint64_t bound(uint64_t needed)
{
    return planted == OFF_BY_ONE && needed > 0 ? needed - 1 : needed;
}

strads_status __wrap_ssp_session_wait(ssp_session *session, uint64_t needed, const char *where)
{
    return __real_ssp_session_wait(session, bound(needed), where);
}

strads_status __wrap_ssp_remote_ask(ssp_table *table, const uint64_t *keys, size_t n,
                                    uint64_t needed)
{
    return __real_ssp_remote_ask(table, keys, n, bound(needed));
}

strads_status __wrap_ssp_remote_refresh(ssp_table *table, ssp_own_row *row, uint64_t needed)
{
    return __real_ssp_remote_refresh(table, row, bound(needed));
}

net_message *__wrap_ssp_message_create(ssp_type type, const ssp_head *given, const uint64_t *keys,
                                       ssp_lists *said, uint32_t columns)
{
    ssp_head head = *given;
    head.batch += type == SSP_ROWS && planted == STALE_OWN ? 1000 : 0;
    head.clock += type == SSP_ROWS && planted == EARLY_PROMISE ? 1 : 0;
    return __real_ssp_message_create(type, &head, keys, said, columns);
}

/* Rows of the update that is being read which are not to be applied. */
static uint32_t n_lost;

strads_status __wrap_ssp_message_read_rows(const net_message *message, const ssp_head *head,
                                           ssp_lists *heard, uint32_t columns, bool has_rows,
                                           ssp_rows *rows, const char **why)
{
    const bool loses = message->type == SSP_UPDATE && head->batch % 7 == 0;
    n_lost = loses && planted == LOST_BATCH ? head->n_keys : loses && planted == LOST_ROW ? 1 : 0;
    return __real_ssp_message_read_rows(message, head, heard, columns, has_rows, rows, why);
}

void __wrap_ssp_shared_row_apply(const ssp_shared_table *table, ssp_shared_row *row,
                                 const double *deltas)
{
    if (n_lost == 0) {
        __real_ssp_shared_row_apply(table, row, deltas);
    } else {
        n_lost--;
    }
}

/* ---- what finds them ---- */

enum { SEEDS = 100 };

static const ssp_history_mode modes[] = {{"bsp", 0, false},
                                         {"1", 1, false},
                                         {"3", 3, false},
                                         {"eager-0", 0, true},
                                         {"eager-2", 2, true}};

enum { N_MODES = sizeof(modes) / sizeof(modes[0]) };

/* How many modes find it within as many seeds; own: by a reader's own column. */
static size_t count_finders(fault kind, const char *name, bool own)
{
    size_t n = 0;
    planted = kind;
    for (size_t m = 0; m < N_MODES; m++) {
        ssp_history_outcome outcome = {.wrong = ""};
        uint64_t seed = 0;
        while (seed < SEEDS && outcome.wrong[0] == '\0') {
            outcome = ssp_history_play(++seed, &modes[m], SSP_HISTORY_SIM);
        }
        if (outcome.wrong[0] != '\0') {
            unsigned reader = 0, writer = 0;
            CHECK(sscanf(outcome.wrong, "worker %u at clock %*u reads %*f of worker %u", &reader,
                         &writer) == 2);
            CHECK(!own || reader == writer);
            printf("%s: %s, seed %" PRIu64 ": %s\n", name, modes[m].name, seed, outcome.wrong);
            n++;
        }
    }
    planted = NONE;
    return n;
}

static void a_bound_that_is_off_by_one_is_found(void)
{
    CHECK(count_finders(OFF_BY_ONE, "off by one", false) == N_MODES);
}

static void a_batch_that_is_lost_is_found(void)
{
    CHECK(count_finders(LOST_BATCH, "lost batch", false) == N_MODES);
}

static void a_row_that_is_lost_is_found(void)
{
    CHECK(count_finders(LOST_ROW, "lost row", false) == N_MODES);
}

/* It takes a copy on its way while increments of its row go, which early ones do. */
static void a_copy_without_the_readers_own_writes_is_found(void)
{
    CHECK(count_finders(STALE_OWN, "stale own write", true) == N_MODES);
}

static void a_copy_that_claims_to_be_fresher_than_it_is_is_found(void)
{
    CHECK(count_finders(EARLY_PROMISE, "early promise", false) == N_MODES);
}

static void without_a_fault_none_is_found(void)
{
    CHECK(count_finders(NONE, "none", false) == 0);
}

SUITE("property/table_faults",
      {"a bound that is off by one is found", a_bound_that_is_off_by_one_is_found},
      {"a batch that is lost is found", a_batch_that_is_lost_is_found},
      {"a row that is lost is found", a_row_that_is_lost_is_found},
      {"a copy without the reader's own writes is found",
       a_copy_without_the_readers_own_writes_is_found},
      {"a copy that claims to be fresher than it is is found",
       a_copy_that_claims_to_be_fresher_than_it_is_is_found},
      {"without a fault none is found", without_a_fault_none_is_found})
