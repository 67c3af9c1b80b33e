/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/counts.c - the rows of words, outside of the kernels. */
#include "apps/lda/counts.h"

#include <string.h>

enum { ONE = 1 << 16 }; /* a count of an entry */

size_t lda_place_at(lda_place *place, size_t offset, uint64_t n, uint32_t n_topics, bool lists)
{
    const size_t padded = lda_padded(n_topics);
    *place = (lda_place){.offset = offset, .form = n < ONE ? LDA_ARRAY_16 : LDA_ARRAY_32};
    if (lists && n < n_topics / 2) {
        place->form = LDA_LIST;
        place->capacity = (uint32_t) n;
        return offset + 1 + n;
    }
    return offset + (n < ONE ? padded / 2 : padded);
}

bool lda_row_is_sound(const lda_place *place, const uint32_t *column, uint32_t n_topics)
{
    const uint32_t *row = column + place->offset;
    if (place->form != LDA_LIST) {
        return true;
    }
    bool sound = row[0] <= place->capacity;
    for (uint32_t i = 0; sound && i < row[0]; i++) {
        sound = row[1 + i] % ONE < n_topics;
    }
    return sound;
}

void lda_row_read(const lda_place *place, const uint32_t *column, uint32_t n_topics,
                  int32_t *counts)
{
    const uint32_t *row = column + place->offset;
    const uint16_t *narrow = (const uint16_t *) (const void *) row;
    memset(counts, 0, n_topics * sizeof(*counts));
    for (uint32_t i = 0; place->form == LDA_LIST && i < row[0]; i++) {
        counts[row[1 + i] % ONE] += (int32_t) (row[1 + i] / ONE);
    }
    for (uint32_t k = 0; place->form != LDA_LIST && k < n_topics; k++) {
        counts[k] = place->form == LDA_ARRAY_16 ? narrow[k] : (int32_t) row[k];
    }
}

void lda_row_write(const lda_place *place, uint32_t *column, uint32_t n_topics,
                   const int32_t *counts)
{
    uint32_t *row = column + place->offset;
    uint16_t *narrow = (uint16_t *) (void *) row;
    uint32_t n = 0;
    for (uint32_t k = 0; k < n_topics; k++) {
        if (place->form == LDA_ARRAY_16) {
            narrow[k] = (uint16_t) counts[k];
        } else if (place->form == LDA_ARRAY_32) {
            row[k] = (uint32_t) counts[k];
        } else if (counts[k] > 0 && n < place->capacity) {
            row[++n] = k | (uint32_t) counts[k] * ONE;
        }
    }
    if (place->form == LDA_LIST) {
        row[0] = n;
    }
}
