/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/status.c - names of status codes. */
#include <assert.h>

#include "base/base.h"

const char *strads_status_name(strads_status status)
{
    static const char *const names[STRADS_N_STATUSES] = {
        [STRADS_OK] = "ok",
        [STRADS_ERR_USAGE] = "wrong usage",
        [STRADS_ERR_DATA] = "bad data",
        [STRADS_ERR_IO] = "input or output failed",
        [STRADS_ERR_NOMEM] = "out of memory",
        [STRADS_ERR_NUMERIC] = "not a finite number",
        [STRADS_ERR_AGAIN] = "queue full",
        [STRADS_ERR_CLOSED] = "closed",
        [STRADS_ERR_APP] = "model program error",
        [STRADS_ERR_SYSTEM] = "operating system error",
    };
    assert((unsigned) status < STRADS_N_STATUSES);
    return names[status];
}
