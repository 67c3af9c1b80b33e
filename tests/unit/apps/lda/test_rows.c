/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/apps/lda/test_rows.c - what rows of documents give back, and where they are. */
#include "apps/lda/rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/suite.h"

enum { MANY = 200000, N_TOPICS = 20, LENGTH = 40, LINE_ROOM = 512 };

static uint32_t lengths[MANY];

static lda_sub sub_of(uint32_t n)
{
    for (uint32_t doc = 0; doc < n; doc++) {
        lengths[doc] = LENGTH;
    }
    return (lda_sub){.n = n, .lengths = lengths};
}

static void rows_are_read_as_they_were_written(void)
{
    static const uint32_t topics[] = {3, 0, 19}, counts[] = {7, 32, 1};
    const lda_sub sub = sub_of(3);
    for (int form = LDA_ROWS_DENSE; form <= LDA_ROWS_LONG; form++) {
        lda_doc_rows rows;
        uint32_t read_topics[N_TOPICS];
        uint32_t read_counts[N_TOPICS];
        REQUIRE_OK(lda_rows_init(&rows, &sub, (lda_rows_form) form, N_TOPICS));
        lda_rows_write(&rows, 1, topics, counts, 3);
        uint32_t of_topic[N_TOPICS] = {0};
        const uint32_t n = lda_rows_read(&rows, 1, read_topics, read_counts);
        for (uint32_t i = 0; i < n; i++) {
            of_topic[read_topics[i]] += read_counts[i];
        }
        CHECK(n == 3 && of_topic[3] == 7 && of_topic[0] == 32 && of_topic[19] == 1);
        CHECK(lda_rows_read(&rows, 0, read_topics, read_counts) == 0);
        CHECK(lda_rows_read(&rows, 2, read_topics, read_counts) == 0);
        lda_rows_fini(&rows);
    }
}

/* Whether the mapping of an address is to be on large pages ("hg" of its flags). */
static bool is_advised(FILE *maps, const void *address)
{
    char line[LINE_ROOM];
    bool inside = false;
    rewind(maps);
    while (fgets(line, sizeof(line), maps) != NULL) {
        uintptr_t first = 0;
        uintptr_t end = 0;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &first, &end) == 2) {
            inside = (uintptr_t) address >= first && (uintptr_t) address < end;
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            return strstr(line, " hg") != NULL;
        }
    }
    return false;
}

static void many_rows_are_on_large_pages(void)
{
    FILE *large = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    FILE *maps = fopen("/proc/self/smaps", "r");
    const lda_sub sub = sub_of(MANY);
    for (int form = LDA_ROWS_DENSE; form <= LDA_ROWS_SPARSE && large != NULL && maps != NULL;
         form++) {
        lda_doc_rows rows;
        REQUIRE_OK(lda_rows_init(&rows, &sub, (lda_rows_form) form, N_TOPICS));
        CHECK(is_advised(maps, form == LDA_ROWS_DENSE ? (void *) rows.dense
                                                      : (void *) rows.sparse.entries));
        lda_rows_fini(&rows);
    }
    if (large != NULL) {
        (void) fclose(large);
    }
    if (maps != NULL) {
        (void) fclose(maps);
    }
}

SUITE("apps/lda/rows", {"rows are read as they were written", rows_are_read_as_they_were_written},
      {"many rows are on large pages", many_rows_are_on_large_pages})
