/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/unit/apps/lda/test_worker.c - runs that get no memory, at any place: the site, a worker and
 * the model give back what they have.
 */
#include "apps/lda/worker.h"

#include "tests/support/lda_run.h"
#include "tests/support/suite.h"

static void fail_each(const char *const settings[4])
{
    strads_config *config = lda_run_configure(lda_run_documents(), "rotation", settings, 4);
    lda_run_fail_each(config);
    strads_config_destroy(config);
}

static void without_memory_a_run_ends_cleanly(void)
{
    static const char *const even[4] = {"lda.topics=4", "lda.start=random", "lda.sweeps=2",
                                        "run.workers=1"};
    static const char *const growing[4] = {"lda.topics=4", "lda.save_assignments=true",
                                           "lda.heldout_fraction=0.3", "lda.sweeps=1"};
    fail_each(even);
    fail_each(growing);
}

SUITE("lda worker", {"without memory a run ends cleanly", without_memory_a_run_ends_cleanly})
