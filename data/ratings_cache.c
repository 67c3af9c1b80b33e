/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/ratings_cache.c - what was read of a file of ratings, in a file of its own.
 *
 * A checksum guards against damage, and every index is checked, so that even a forged file
 * cannot make the reader leave its memory. Whatever is wrong, the text is read instead.
 */
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/tasks.h"
#include "data/cache.h"
#include "data/ratings_parts.h"

static const uint64_t MAGIC = UINT64_C(0x3153474e49544152); /* "RATINGS1", little-endian */

enum { HAS_TIMES = 1, USERS_ARE_TEXTS = 2, ITEMS_ARE_TEXTS = 4, ALL_FLAGS = 7 };

/* ---- the name ---- */

strads_status ratings_cache_name(char **out, uint64_t *key, const data_ratings_source *source)
{
    *key = (source->times ? HAS_TIMES : 0U) | (source->texts[DATA_USERS] ? USERS_ARE_TEXTS : 0U) |
           (source->texts[DATA_ITEMS] ? ITEMS_ARE_TEXTS : 0U);
    return data_cache_find(out, key, source->path, source->cache, ".ratings");
}

/* ---- its parts ---- */

/* A run of bytes of the file, after its head. */
typedef struct section {
    void *memory;
    size_t bytes;
} section;

enum { MAX_SECTIONS = 2 + 2 * DATA_N_SIDES };

static bool are_texts(const ratings_cache_head *head, size_t side)
{
    return (head->flags & (uint32_t) USERS_ARE_TEXTS << side) != 0;
}

/* Where the sections of a set are, in their order; returns how many. */
static size_t list_sections(const ratings_cache_head *head, const data_ratings *ratings,
                            section out[MAX_SECTIONS])
{
    size_t n = 0;
    out[n++] = (section){ratings->entries, head->n * sizeof(*ratings->entries)};
    if ((head->flags & HAS_TIMES) != 0) {
        out[n++] = (section){ratings->times, head->n * sizeof(*ratings->times)};
    }
    for (data_side side = 0; side < DATA_N_SIDES; side++) {
        const data_ids *ids = &ratings->ids[side];
        if (are_texts(head, side)) {
            out[n++] = (section){ids->start, head->n_ids[side] * sizeof(*ids->start)};
            out[n++] = (section){ids->text, head->text_bytes[side]};
        } else {
            out[n++] = (section){ids->number, head->n_ids[side] * sizeof(*ids->number)};
        }
    }
    return n;
}

uint64_t ratings_cache_checksum(const ratings_cache_head *head, const data_ratings *ratings)
{
    section sections[MAX_SECTIONS];
    const size_t n = list_sections(head, ratings, sections);
    uint64_t sum = XXH3_64bits(head, offsetof(ratings_cache_head, checksum));
    for (size_t i = 0; i < n; i++) {
        sum = XXH3_64bits_withSeed(sections[i].memory, sections[i].bytes, sum);
    }
    return sum;
}

/* ---- loading ---- */

static bool is_plausible(const ratings_cache_head *head, uint64_t file_bytes)
{
    bool good = head->magic == MAGIC && head->version == RATINGS_CACHE_VERSION &&
                (head->flags & ~(uint32_t) ALL_FLAGS) == 0 && head->n > 0 && head->n < UINT32_MAX;
    for (data_side side = 0; side < DATA_N_SIDES; side++) {
        good = good && head->n_ids[side] > 0 && head->n_ids[side] < UINT32_MAX &&
               head->text_bytes[side] <= file_bytes;
    }
    if (!good) {
        return false;
    }
    const data_ratings nothing = {.n = 0};
    section sections[MAX_SECTIONS];
    const size_t n = list_sections(head, &nothing, sections);
    uint64_t bytes = sizeof(*head);
    for (size_t i = 0; i < n; i++) {
        bytes += sections[i].bytes;
    }
    return bytes == file_bytes;
}

/* Whether numbers ascend, or texts lie one behind the other, none of them empty. */
static bool are_ids_good(const data_ids *ids)
{
    for (uint32_t i = 1; ids->number != NULL && i < ids->n; i++) {
        if (ids->number[i - 1] >= ids->number[i]) {
            return false;
        }
    }
    size_t at = 0;
    for (uint32_t i = 0; ids->number == NULL && i < ids->n; i++) {
        const char *nul = at < ids->text_bytes && ids->start[i] == at
                              ? memchr(ids->text + at, '\0', ids->text_bytes - at)
                              : NULL;
        if (nul == NULL || nul == ids->text + at) {
            return false;
        }
        at = (size_t) (nul - ids->text) + 1;
    }
    return at == ids->text_bytes;
}

static strads_status check_entries(void *context, size_t first, size_t last)
{
    const data_ratings *ratings = context;
    bool good = true;
    for (size_t i = first; i < last; i++) {
        const data_rating *entry = &ratings->entries[i];
        good &= entry->row < ratings->ids[DATA_USERS].n;
        good &= entry->column < ratings->ids[DATA_ITEMS].n;
        good &= fabsf(entry->value) < INFINITY;
        good &= ratings->times == NULL || fabs(ratings->times[i]) < (double) INFINITY;
    }
    return good ? STRADS_OK : STRADS_ERR_DATA;
}

/* Room for all sections; false: no memory, some may be there. */
static bool make_room(data_ratings *ratings, const ratings_cache_head *head)
{
    ratings->entries = strads_alloc(head->n * sizeof(*ratings->entries));
    bool good = ratings->entries != NULL;
    if ((head->flags & HAS_TIMES) != 0) {
        ratings->times = strads_alloc(head->n * sizeof(*ratings->times));
        good = good && ratings->times != NULL;
    }
    for (data_side side = 0; side < DATA_N_SIDES; side++) {
        data_ids *ids = &ratings->ids[side];
        ids->n = (uint32_t) head->n_ids[side];
        ids->text_bytes = head->text_bytes[side];
        if (are_texts(head, side)) {
            ids->start = strads_alloc(ids->n * sizeof(*ids->start));
            ids->text = strads_alloc(ids->text_bytes);
        } else {
            ids->number = strads_alloc(ids->n * sizeof(*ids->number));
        }
        good = good && (ids->number != NULL || (ids->start != NULL && ids->text != NULL));
    }
    return good;
}

/* A section, and where it is in the file. */
typedef struct reading {
    section to;
    int file;
    uint64_t at;
} reading;

static strads_status read_range(void *context, size_t first, size_t last)
{
    const reading *it = context;
    unsigned char *to = (unsigned char *) it->to.memory + first;
    return data_cache_read(it->file, it->at + first, to, last - first) ? STRADS_OK : STRADS_ERR_IO;
}

/* By all cores: bringing in the pages costs more than copying. */
static bool read_sections(const section *sections, size_t n, int file)
{
    reading it = {.file = file, .at = sizeof(ratings_cache_head)};
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < n && status == STRADS_OK; i++) {
        it.to = sections[i];
        status = strads_parallel_for(strads_cores(), it.to.bytes, read_range, &it);
        it.at += it.to.bytes;
    }
    return status == STRADS_OK;
}

/* Reads what follows a plausible head, and checks all. */
static bool load_sections(data_ratings *out, int file, const ratings_cache_head *head)
{
    data_ratings ratings = {.n = head->n, .n_duplicates = head->n_duplicates};
    bool good = make_room(&ratings, head);
    section sections[MAX_SECTIONS];
    const size_t n = list_sections(head, &ratings, sections);
    good = good && read_sections(sections, n, file);
    good = good && ratings_cache_checksum(head, &ratings) == head->checksum;
    for (data_side side = 0; side < DATA_N_SIDES && good; side++) {
        good = are_ids_good(&ratings.ids[side]) &&
               data_ids_invert(&ratings.ids[side], ratings.n) == STRADS_OK;
    }
    good = good &&
           strads_parallel_for(strads_cores(), ratings.n, check_entries, &ratings) == STRADS_OK;
    if (!good) {
        data_ratings_fini(&ratings);
        return false;
    }
    *out = ratings;
    return true;
}

bool ratings_cache_measure(data_ratings_size *out, const char *path, uint64_t key)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    ratings_cache_head head;
    struct stat about;
    const bool good = fstat(fileno(file), &about) == 0 && S_ISREG(about.st_mode) &&
                      fread(&head, sizeof(head), 1, file) == 1 &&
                      is_plausible(&head, (uint64_t) about.st_size) && head.key == key;
    fclose(file);
    if (good) {
        *out = (data_ratings_size){.n = head.n,
                                   .n_ids = {head.n_ids[DATA_USERS], head.n_ids[DATA_ITEMS]}};
    }
    return good;
}

bool ratings_cache_load(data_ratings *out, const char *path, uint64_t key)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    ratings_cache_head head;
    struct stat about;
    bool good = fstat(fileno(file), &about) == 0 && S_ISREG(about.st_mode) &&
                fread(&head, sizeof(head), 1, file) == 1 &&
                is_plausible(&head, (uint64_t) about.st_size);
    const bool stale = good && head.key != key;
    good = good && !stale && load_sections(out, fileno(file), &head);
    fclose(file);
    if (stale) {
        strads_debug("%s: a cache of an older file, or for other options", path);
    } else if (!good) {
        strads_warn("%s: cannot be used as a cache: damaged, or something else", path);
    }
    return good;
}

/* ---- saving ---- */

void ratings_cache_save(const data_ratings *ratings, const char *path, uint64_t key)
{
    ratings_cache_head head = {.magic = MAGIC,
                               .version = RATINGS_CACHE_VERSION,
                               .flags = ratings->times != NULL ? HAS_TIMES : 0,
                               .key = key,
                               .n = ratings->n,
                               .n_duplicates = ratings->n_duplicates};
    for (data_side side = 0; side < DATA_N_SIDES; side++) {
        head.n_ids[side] = ratings->ids[side].n;
        head.text_bytes[side] = ratings->ids[side].text_bytes;
        head.flags |= ratings->ids[side].number == NULL ? (uint32_t) USERS_ARE_TEXTS << side : 0;
    }
    head.checksum = ratings_cache_checksum(&head, ratings);
    data_writer *writer = data_cache_open(path);
    if (writer == NULL) {
        return;
    }
    section sections[MAX_SECTIONS];
    const size_t n = list_sections(&head, ratings, sections);
    fwrite(&head, sizeof(head), 1, data_writer_stream(writer));
    for (size_t i = 0; i < n; i++) {
        fwrite(sections[i].memory, 1, sections[i].bytes, data_writer_stream(writer));
    }
    data_cache_close(writer, path);
}
