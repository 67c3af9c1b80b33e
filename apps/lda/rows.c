/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/rows.c - the topics of documents. */
#define _DEFAULT_SOURCE /* madvise */
#include "apps/lda/rows.h"

#include <string.h>
#include <sys/mman.h>

enum {
    ONE = 1 << 16, /* a count of an entry */
    LINE = 16,     /* entries */
    READ_AHEAD = 64
};
static const size_t HUGE_PAGE = (size_t) 1 << 21;

/* Zeros, aligned to a cache line. Rows are met in no order: on large pages their addresses are
 * found sooner. */
static strads_status allocate(lda_doc_rows *rows, size_t bytes, void **out)
{
    const size_t align = bytes >= 2 * HUGE_PAGE ? HUGE_PAGE : 64;
    rows->memory = strads_alloc(bytes + align);
    if (rows->memory == NULL) {
        return STRADS_ERR_NOMEM;
    }
    unsigned char *at = rows->memory;
    at += -(uintptr_t) at % align;
#ifdef MADV_HUGEPAGE
    if (align == HUGE_PAGE) {
        (void) madvise(at, bytes, MADV_HUGEPAGE);
    }
#endif
    memset(at, 0, bytes);
    *out = at;
    return STRADS_OK;
}

static strads_status init_sparse(lda_doc_rows *self, const lda_sub *sub)
{
    uint32_t *lines = strads_calloc((size_t) sub->n + READ_AHEAD, sizeof(*lines));
    void *entries = NULL;
    uint32_t n_lines = 0;
    self->sparse.lines = lines;
    self->sparse.n_entries =
        strads_calloc((size_t) sub->n + READ_AHEAD, sizeof(*self->sparse.n_entries));
    if (lines == NULL || self->sparse.n_entries == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t doc = 0; doc < sub->n; doc++) {
        const uint32_t most =
            sub->lengths[doc] < self->n_topics ? sub->lengths[doc] : self->n_topics;
        lines[doc] = n_lines;
        n_lines += (most + LINE - 1) / LINE;
    }
    const strads_status status = allocate(self, ((size_t) n_lines + 1) * LINE * 4, &entries);
    if (status == STRADS_OK) {
        self->sparse.entries = entries;
        for (size_t i = 0; i < (size_t) n_lines * LINE; i++) {
            self->sparse.entries[i] = self->n_topics;
        }
    }
    return status;
}

strads_status lda_rows_init(lda_doc_rows *out, const lda_sub *sub, lda_rows_form form,
                            uint32_t n_topics)
{
    *out = (lda_doc_rows){.form = form, .n_topics = n_topics};
    strads_status status = STRADS_OK;
    void *rows = NULL;
    if (form == LDA_ROWS_SPARSE) {
        status = init_sparse(out, sub);
    } else if (form == LDA_ROWS_DENSE) {
        status =
            allocate(out, ((size_t) sub->n + 1) * lda_padded(n_topics) * sizeof(uint16_t), &rows);
        out->dense = rows;
    } else {
        out->wide = strads_calloc((size_t) sub->n * n_topics, sizeof(*out->wide));
        status = out->wide == NULL ? STRADS_ERR_NOMEM : STRADS_OK;
    }
    if (status != STRADS_OK) {
        lda_rows_fini(out);
    }
    return status;
}

void lda_rows_fini(lda_doc_rows *rows)
{
    strads_free((void *) rows->sparse.lines);
    strads_free(rows->sparse.n_entries);
    strads_free(rows->wide);
    strads_free(rows->memory);
    *rows = (lda_doc_rows){.n_topics = 0};
}

void *lda_rows_of(lda_doc_rows *rows)
{
    return rows->form == LDA_ROWS_DENSE    ? (void *) rows->dense
           : rows->form == LDA_ROWS_SPARSE ? (void *) &rows->sparse
                                           : (void *) rows->wide;
}

uint32_t lda_rows_read(const lda_doc_rows *rows, uint32_t doc, uint32_t *topics, uint32_t *counts)
{
    uint32_t n = 0;
    if (rows->form == LDA_ROWS_SPARSE) {
        const uint32_t *row = rows->sparse.entries + (size_t) rows->sparse.lines[doc] * LINE;
        for (; n < rows->sparse.n_entries[doc]; n++) {
            topics[n] = row[n] % ONE;
            counts[n] = row[n] / ONE;
        }
        return n;
    }
    const uint16_t *dense = rows->form == LDA_ROWS_DENSE
                                ? rows->dense + (size_t) doc * lda_padded(rows->n_topics)
                                : NULL;
    const uint32_t *wide = dense == NULL ? rows->wide + (size_t) doc * rows->n_topics : NULL;
    for (uint32_t k = 0; k < rows->n_topics; k++) {
        const uint32_t count = dense != NULL ? dense[k] : wide[k];
        topics[n] = k;
        counts[n] = count;
        n += count > 0;
    }
    return n;
}

void lda_rows_write(lda_doc_rows *rows, uint32_t doc, const uint32_t *topics,
                    const uint32_t *counts, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (rows->form == LDA_ROWS_DENSE) {
            rows->dense[(size_t) doc * lda_padded(rows->n_topics) + topics[i]] =
                (uint16_t) counts[i];
        } else if (rows->form == LDA_ROWS_LONG) {
            rows->wide[(size_t) doc * rows->n_topics + topics[i]] = counts[i];
        } else {
            rows->sparse.entries[(size_t) rows->sparse.lines[doc] * LINE + i] =
                topics[i] | counts[i] * ONE;
        }
    }
    if (rows->form == LDA_ROWS_SPARSE) {
        rows->sparse.n_entries[doc] = (uint16_t) n;
    }
}
