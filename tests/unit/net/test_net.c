/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/net/test_net.c - messages, and the choice of a driver. */
#include "net/net.h"

#include <string.h>

#include "base/mem.h"
#include "tests/support/suite.h"

static void a_message_has_its_head_and_an_aligned_body(void)
{
    net_message *message = net_message_create(7, NET_CONTROL, 100);
    REQUIRE(message != NULL);
    CHECK(message->type == 7);
    CHECK(message->lane == NET_CONTROL);
    CHECK(message->bytes == 100);
    CHECK((uintptr_t) message->body % 16 == 0);
    memset(message->body, 1, 100);
    net_message_destroy(message);
    net_message_destroy(NULL);
}

static void a_message_without_memory_is_null(void)
{
    CHECK(net_message_create(1, NET_DATA, SIZE_MAX) == NULL);
    strads_mem_fail_after(1);
    CHECK(net_message_create(1, NET_DATA, 8) == NULL);
    strads_mem_fail_after(0);
}

static void ask_for_pigeons(void *context)
{
    const net_options options = {.n_nodes = 2, .queue_messages = 1};
    CHECK_STATUS(net_create(context, "pigeons", &options), STRADS_ERR_USAGE);
}

static void an_unknown_driver_is_refused_by_name(void)
{
    net *network = NULL;
    char *text = suite_stderr_of(ask_for_pigeons, &network);
    CHECK_TEXT(text, "strads: error: no driver is called pigeons\n");
    CHECK(network == NULL);
    strads_free(text);
}

static void every_failed_allocation_of_create_is_reported_and_leaks_nothing(void)
{
    const net_options options = {.n_nodes = 4, .queue_messages = 2};
    const size_t live = strads_mem_live();
    net *network = NULL;
    strads_status status = STRADS_ERR_NOMEM;
    size_t n_failed = 0;
    while (status != STRADS_OK && n_failed < 100) {
        strads_mem_fail_after(n_failed + 1);
        status = net_create(&network, "threads", &options);
        strads_mem_fail_after(0);
        if (status != STRADS_OK) {
            CHECK_STATUS(status, STRADS_ERR_NOMEM);
            CHECK(network == NULL);
            CHECK(strads_mem_live() == live);
            n_failed++;
        }
    }
    CHECK(n_failed > 4 && n_failed < 100);
    net_destroy(network);
    net_destroy(NULL);
    CHECK(strads_mem_live() == live);
}

SUITE("net/net",
      {"a message has its head and an aligned body", a_message_has_its_head_and_an_aligned_body},
      {"a message without memory is null", a_message_without_memory_is_null},
      {"an unknown driver is refused by name", an_unknown_driver_is_refused_by_name},
      {"every failed allocation of create is reported and leaks nothing",
       every_failed_allocation_of_create_is_reported_and_leaks_nothing})
