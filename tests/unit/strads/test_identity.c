/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/strads/test_identity.c - what makes two processes alike. */
#include "strads/identity.h"

#include "strads/run.h"
#include "tests/support/suite.h"

/* That of a configuration with these settings, up to NULL. */
static uint64_t identity_of(const char *const *settings)
{
    strads_config *config = NULL;
    size_t n = 0;
    const strads_option *options = strads_options(&n);
    uint64_t identity = 0;
    REQUIRE_OK(strads_config_create(&config));
    REQUIRE_OK(strads_config_declare(config, options, n));
    for (; *settings != NULL; settings++) {
        REQUIRE_OK(strads_config_set(config, *settings));
    }
    REQUIRE_OK(strads_config_resolve(config));
    REQUIRE_OK(identity_of_config(&identity, config));
    strads_config_destroy(config);
    return identity;
}

static void what_is_a_processs_own_makes_no_difference(void)
{
    static const char *const none[] = {NULL};
    static const char *const own[] = {
        "app=/a/plug-in.so", "run.out=there",         "run.workers=7",
        "run.processes=3",   "net.key_file=/etc/key", "net.listen=tcp://*:1",
        "net.timeout=17",    "net.tls.name=strads",   NULL};
    CHECK(identity_of(none) != 0);
    CHECK(identity_of(own) == identity_of(none));
}

static void what_is_asked_for_does(void)
{
    static const char *const all[][2] = {{NULL},
                                         {"run.seed=2", NULL},
                                         {"stop.gap=1e-5", NULL},
                                         {"stop.rounds=1", NULL},
                                         {"schedule.rho=0.3", NULL},
                                         {"run.deterministic=true", NULL}};
    enum { N = sizeof(all) / sizeof(all[0]) };
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < i; k++) {
            CHECK(identity_of(all[i]) != identity_of(all[k]));
        }
    }
}

static void a_program_is_the_same_twice(void)
{
    static const strads_app app = {.name = "of this program"};
    uint64_t one = 0, other = 0;
    CHECK_STATUS(identity_of_program(&one), STRADS_OK);
    CHECK_STATUS(identity_of_program(&other), STRADS_OK);
    CHECK(one == other && one != 0);
    CHECK_STATUS(identity_of_app(&one, &app), STRADS_OK);
    CHECK_STATUS(identity_of_app(&other, &app), STRADS_OK);
    CHECK(one == other && one != 0);
}

SUITE("strads/identity",
      {"what is a process's own makes no difference", what_is_a_processs_own_makes_no_difference},
      {"what is asked for does", what_is_asked_for_does},
      {"a program is the same twice", a_program_is_the_same_twice})
