/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/share_agree.c - processes that read together tell each other what they found. */
#include <string.h>

#include "data/shares.h"

strads_status data_share_gather(strads_part *part, const void *mine, size_t bytes, void *all)
{
    const uint32_t count = strads_part_count(part);
    void **got = strads_calloc(count, sizeof(*got));
    size_t *got_bytes = strads_calloc(count, sizeof(*got_bytes));
    strads_status status = got == NULL || got_bytes == NULL
                               ? STRADS_ERR_NOMEM
                               : strads_part_gather(part, mine, bytes, got, got_bytes);
    for (uint32_t i = 0; i < count && got != NULL && got_bytes != NULL; i++) {
        if (status == STRADS_OK && got_bytes[i] != bytes) {
            strads_error("process %u sent %zu bytes where %zu were due: the processes do not load "
                         "alike",
                         i, got_bytes[i], bytes);
            status = STRADS_ERR_APP;
        }
        if (status == STRADS_OK) {
            memcpy((char *) all + i * bytes, got[i], bytes);
        }
        strads_free(got[i]);
    }
    strads_free(got_bytes);
    strads_free(got);
    return status;
}

strads_status data_share_follow_first(strads_part *part, strads_status status)
{
    const uint64_t failed = status != STRADS_OK;
    uint64_t *all = strads_alloc_array(strads_part_count(part), sizeof(*all));
    if (all == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_status told = data_share_gather(part, &failed, sizeof(failed), all);
    if (told == STRADS_OK && status == STRADS_OK && all[0] != 0) {
        told = data_share_gather(part, &failed, sizeof(failed), all); /* which process 0 leaves */
        told = told == STRADS_OK ? STRADS_ERR_CLOSED : told;
    }
    strads_free(all);
    return status != STRADS_OK ? status : told;
}
