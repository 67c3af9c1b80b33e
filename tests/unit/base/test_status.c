/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/base/test_status.c - every status has a name of its own. */
#include <string.h>

#include "tests/support/suite.h"

static void every_status_has_a_name_of_its_own(void)
{
    for (int i = 0; i < STRADS_N_STATUSES; i++) {
        const char *name = strads_status_name((strads_status) i);
        REQUIRE(name != NULL);
        CHECK(name[0] != '\0');
        for (int k = 0; k < i; k++) {
            CHECK(strcmp(name, strads_status_name((strads_status) k)) != 0);
        }
    }
}

SUITE("base/status", {"every status has a name of its own", every_status_has_a_name_of_its_own})
