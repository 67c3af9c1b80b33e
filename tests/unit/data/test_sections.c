/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/unit/data/test_sections.c - a file of sections is whole, or its damage is found. */
#include "data/sections.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/suite.h"
#include "tests/unit/data/reading.h"

typedef struct head {
    uint64_t kind, checksum;
} head;

enum { LONG = 5 * DATA_CHUNK_BYTES / 2 };

/* Three sections, of which one is empty and one has three chunks. */
static data_sections three(void)
{
    const uint64_t bytes[] = {LONG, 0, 7};
    return data_sections_of(sizeof(head), bytes, 3);
}

static void sections_lie_apart_and_aligned(void)
{
    const data_sections s = three();
    uint64_t end = sizeof(head) + s.n_chunks * sizeof(uint64_t);
    CHECK(s.n == 3 && s.n_chunks == 4);
    for (size_t i = 0; i < s.n; i++) {
        CHECK(s.at[i] % DATA_SECTION_ALIGN == 0 && s.at[i] >= end);
        end = s.at[i] + s.bytes[i];
    }
    CHECK(s.file_bytes >= end && s.file_bytes - end < DATA_SECTION_ALIGN);
    const data_chunk last = data_sections_chunk(&s, 2);
    CHECK(last.section == 0 && last.begin == 2 * DATA_CHUNK_BYTES && last.end == LONG);
    const data_chunk few = data_sections_chunk(&s, 3);
    CHECK(few.section == 2 && few.begin == 0 && few.end == 7);
}

static bool is_whole(const data_sections *s, const unsigned char *file)
{
    bool good = data_sections_head_is_whole(s, file);
    for (uint64_t i = 0; i < s->n_chunks; i++) {
        good = good && data_sections_chunk_is_whole(s, file, i);
    }
    return good;
}

static void what_was_saved_is_whole_until_a_byte_changes(void)
{
    const data_sections s = three();
    char *path = suite_file("sections", "");
    unsigned char *section = strads_alloc(LONG);
    REQUIRE(section != NULL);
    for (size_t i = 0; i < LONG; i++) {
        section[i] = (unsigned char) (i * i >> 5);
    }
    head top = {.kind = 5};
    const void *const memory[] = {section, NULL, "seven.."};
    data_sections_save(&s, &top, memory, path);
    size_t n = 0;
    char *file = contents(path, &n);
    REQUIRE(n == s.file_bytes);
    CHECK(memcmp(file, &top, sizeof(top)) == 0 && top.checksum != 0);
    CHECK(memcmp(file + s.at[0], section, LONG) == 0);
    CHECK(memcmp(file + s.at[2], memory[2], 7) == 0);
    CHECK(is_whole(&s, (unsigned char *) file));
    const uint64_t places[] = {0, 8, 16, 40, s.at[0], s.at[0] + LONG - 1, s.at[2], s.at[2] + 6};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        file[places[i]] ^= 8;
        CHECK(!is_whole(&s, (unsigned char *) file));
        file[places[i]] ^= 8;
    }
    strads_free(file);
    strads_free(section);
    unlink(path);
    strads_free(path);
}

SUITE("data/sections", {"sections lie apart, and aligned", sections_lie_apart_and_aligned},
      {"what was saved is whole until a byte changes",
       what_was_saved_is_whole_until_a_byte_changes})
