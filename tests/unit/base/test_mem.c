/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/base/test_mem.c - allocation, its live count and failing on demand. */
#include "base/mem.h"

#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/suite.h"

static void what_is_allocated_is_counted_until_it_is_freed(void)
{
    const size_t live = strads_mem_live();
    void *memory[] = {strads_alloc(8), strads_calloc(2, 8), strads_realloc(NULL, 8),
                      strads_alloc_array(2, 8), strads_strdup("a")};
    CU_ASSERT_EQUAL(strads_mem_live(), live + 5);
    memory[0] = strads_realloc(memory[0], 1000);
    CU_ASSERT_EQUAL(strads_mem_live(), live + 5);
    for (int i = 0; i < 5; i++) {
        REQUIRE(memory[i] != NULL);
        CU_ASSERT_EQUAL((uintptr_t) memory[i] % 16, 0);
        strads_free(memory[i]);
    }
    strads_free(NULL);
    CU_ASSERT_EQUAL(strads_mem_live(), live);
}

static void no_bytes_give_a_pointer_that_may_be_freed(void)
{
    void *memory[] = {strads_alloc(0), strads_calloc(0, 8), strads_calloc(8, 0),
                      strads_alloc_array(0, 0), strads_realloc(strads_alloc(8), 0)};
    for (int i = 0; i < 5; i++) {
        CU_ASSERT_PTR_NOT_NULL(memory[i]);
        strads_free(memory[i]);
    }
}

static void the_nth_allocation_fails_once(void)
{
    const size_t live = strads_mem_live();
    void *memory[6] = {NULL};
    strads_mem_fail_after(3);
    for (int i = 0; i < 6; i++) {
        memory[i] = strads_alloc(8);
        CU_ASSERT_EQUAL(memory[i] == NULL, i == 2);
    }
    CU_ASSERT_EQUAL(strads_mem_live(), live + 5);
    for (int i = 0; i < 6; i++) {
        strads_free(memory[i]);
    }
}

static void each_kind_of_allocation_can_fail(void)
{
    char *text = strads_strdup("kept");
    strads_mem_fail_after(1);
    CU_ASSERT_PTR_NULL(strads_calloc(1, 8));
    strads_mem_fail_after(1);
    CU_ASSERT_PTR_NULL(strads_alloc_array(1, 8));
    strads_mem_fail_after(1);
    CU_ASSERT_PTR_NULL(strads_strdup("a"));
    strads_mem_fail_after(1);
    CU_ASSERT_PTR_NULL(strads_realloc(NULL, 8));
    strads_mem_fail_after(1);
    CU_ASSERT_PTR_NULL(strads_realloc(text, 1000));
    strads_mem_fail_after(2);
    strads_mem_fail_after(0);
    CHECK_TEXT(text, "kept");
    strads_free(text);
}

static void a_product_that_overflows_is_refused(void)
{
    const size_t live = strads_mem_live();
    CU_ASSERT_PTR_NULL(strads_alloc_array(SIZE_MAX / 2, 3));
    CU_ASSERT_PTR_NULL(strads_alloc_array(SIZE_MAX, SIZE_MAX));
    CU_ASSERT_PTR_NULL(strads_alloc_array((SIZE_MAX >> 4) + 2, 16));
    CU_ASSERT_PTR_NULL(strads_calloc((SIZE_MAX >> 4) + 2, 16));
    CU_ASSERT_EQUAL(strads_mem_live(), live);
}

static void calloc_clears(void)
{
    unsigned char *bytes = strads_calloc(100, 3);
    REQUIRE(bytes != NULL);
    for (int i = 0; i < 300; i++) {
        CU_ASSERT_EQUAL(bytes[i], 0);
    }
    strads_free(bytes);
}

static void a_reserved_array_grows_and_keeps_what_is_in_it(void)
{
    double *array = NULL;
    size_t capacity = 0;
    REQUIRE_OK(strads_reserve(&array, &capacity, 3, sizeof(*array)));
    REQUIRE(capacity >= 3);
    array[2] = 7.0;
    REQUIRE_OK(strads_reserve(&array, &capacity, 1000, sizeof(*array)));
    CHECK(capacity >= 1000);
    CHECK_NEAR(array[2], 7.0, 0.0);
    const double *before = array;
    REQUIRE_OK(strads_reserve(&array, &capacity, 10, sizeof(*array)));
    CHECK(array == before);
    strads_free(array);
}

static void an_array_that_cannot_grow_stays_as_it_is(void)
{
    double *array = NULL;
    size_t capacity = 0;
    REQUIRE_OK(strads_reserve(&array, &capacity, 3, sizeof(*array)));
    const double *before = array;
    const size_t room = capacity;
    strads_mem_fail_after(1);
    CHECK_STATUS(strads_reserve(&array, &capacity, 100, sizeof(*array)), STRADS_ERR_NOMEM);
    strads_mem_fail_after(0);
    CHECK_STATUS(strads_reserve(&array, &capacity, SIZE_MAX / 4, sizeof(*array)), STRADS_ERR_NOMEM);
    CHECK(array == before);
    CHECK(capacity == room);
    strads_free(array);
}

static void populating_keeps_what_is_there(void)
{
    const size_t sizes[] = {0, 1, 4096, 100000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        unsigned char *bytes = strads_alloc(sizes[i] + 2);
        REQUIRE(bytes != NULL);
        memset(bytes, 0xA5, sizes[i] + 2);
        strads_populate(bytes + 1, sizes[i]);
        for (size_t k = 0; k < sizes[i] + 2; k++) {
            CHECK(bytes[k] == 0xA5);
        }
        strads_free(bytes);
    }
}

static void what_is_discarded_is_lost_and_its_surroundings_are_not(void)
{
    static const size_t sizes[] = {0, 1, 5000, 1 << 20};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        unsigned char *bytes = strads_alloc(sizes[i] + 2);
        REQUIRE(bytes != NULL);
        memset(bytes, 0xA5, sizes[i] + 2);
        strads_discard(bytes + 1, sizes[i]);
        CHECK(bytes[0] == 0xA5 && bytes[sizes[i] + 1] == 0xA5);
        CHECK(sizes[i] < 1 << 20 || bytes[1 << 19] == 0);
        strads_free(bytes);
    }
}

static long count_faults(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_minflt : LONG_MAX;
}

/* Faults of pages while large blocks come and go. */
static long use_large_blocks(void)
{
    enum { N_BLOCKS = 8, N_ROUNDS = 20, BYTES = 1 << 20 };
    void *blocks[N_BLOCKS];
    const long before = count_faults();
    for (int round = 0; round < N_ROUNDS; round++) {
        for (int i = 0; i < N_BLOCKS; i++) {
            blocks[i] = strads_alloc(BYTES);
            if (blocks[i] == NULL) {
                return LONG_MAX;
            }
            memset(blocks[i], round, BYTES);
        }
        for (int i = 0; i < N_BLOCKS; i++) {
            strads_free(blocks[i]);
        }
    }
    return count_faults() - before;
}

/* In a process of its own, for it stays so. */
static void what_is_freed_is_kept_when_that_is_wished(void)
{
    int status = -1;
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        strads_mem_keep();
        const long first = use_large_blocks(), then = use_large_blocks();
        _exit(first > then && then < 100 ? 0 : 1);
    }
    REQUIRE(waitpid(child, &status, 0) == child);
#if defined(__GLIBC__)
    CHECK(SUITE_SANITIZED || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
#endif
}

SUITE("base/mem",
      {"what is freed is kept when that is wished", what_is_freed_is_kept_when_that_is_wished},
      {"what is discarded is lost, and its surroundings are not",
       what_is_discarded_is_lost_and_its_surroundings_are_not},
      {"a reserved array grows and keeps what is in it",
       a_reserved_array_grows_and_keeps_what_is_in_it},
      {"an array that cannot grow stays as it is", an_array_that_cannot_grow_stays_as_it_is},
      {"what is allocated is counted until it is freed",
       what_is_allocated_is_counted_until_it_is_freed},
      {"no bytes give a pointer that may be freed", no_bytes_give_a_pointer_that_may_be_freed},
      {"the n-th allocation fails, once", the_nth_allocation_fails_once},
      {"each kind of allocation can fail", each_kind_of_allocation_can_fail},
      {"a product that overflows is refused", a_product_that_overflows_is_refused},
      {"calloc clears", calloc_clears},
      {"populating keeps what is there", populating_keeps_what_is_there})
