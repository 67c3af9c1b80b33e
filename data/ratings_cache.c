/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/ratings_cache.c - what was read of a file of ratings, in a file that is mapped.
 *
 * Hashes guard against damage, and every index is checked, so that even a forged file cannot
 * make the reader leave its memory. Whatever is wrong, the text is read instead. Pages of the
 * file are the entries; ids, which are few, are copied.
 */
#define _DEFAULT_SOURCE /* madvise */
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tasks.h"
#include "data/cache.h"
#include "data/ratings_parts.h"
#include "data/sections.h"

static const uint64_t MAGIC = UINT64_C(0x3153474e49544152); /* "RATINGS1", little-endian */

enum { HAS_TIMES = 1, USERS_ARE_TEXTS = 2, ITEMS_ARE_TEXTS = 4, ALL_FLAGS = 7 };

/* Entries that are gone through at a time. */
enum { STRETCH = 1 << 18 };

/* ---- the name ---- */

strads_status ratings_cache_name(char **out, uint64_t *key, const data_ratings_source *source)
{
    *key = (source->times ? HAS_TIMES : 0U) | (source->texts[DATA_USERS] ? USERS_ARE_TEXTS : 0U) |
           (source->texts[DATA_ITEMS] ? ITEMS_ARE_TEXTS : 0U);
    return data_cache_find(out, key, source->path, source->cache, ".ratings");
}

/* ---- its parts ---- */

/* Of users, then of items: their numbers, or where their texts start; and the texts. */
enum {
    SECTION_ENTRIES,
    SECTION_TIMES,
    SECTION_IDS,
    SECTION_TEXTS = SECTION_IDS + DATA_N_SIDES,
    N_SECTIONS = SECTION_TEXTS + DATA_N_SIDES
};

static bool are_texts(const ratings_cache_head *head, data_side side)
{
    return (head->flags & (uint32_t) USERS_ARE_TEXTS << side) != 0;
}

static data_sections lay_out(const ratings_cache_head *head)
{
    uint64_t bytes[N_SECTIONS] = {
        [SECTION_ENTRIES] = head->n * sizeof(data_rating),
        [SECTION_TIMES] = (head->flags & HAS_TIMES) != 0 ? head->n * sizeof(double) : 0};
    for (data_side side = 0; side < DATA_N_SIDES; side++) {
        bytes[SECTION_IDS + side] =
            head->n_ids[side] * (are_texts(head, side) ? sizeof(size_t) : sizeof(uint32_t));
        bytes[SECTION_TEXTS + side] = are_texts(head, side) ? head->text_bytes[side] : 0;
    }
    return data_sections_of(sizeof(*head), bytes, N_SECTIONS);
}

/* Whether the head is of a file of so many bytes. */
static bool is_plausible(const ratings_cache_head *head, uint64_t file_bytes)
{
    bool good = head->magic == MAGIC && head->version == RATINGS_CACHE_VERSION &&
                (head->flags & ~(uint32_t) ALL_FLAGS) == 0 && head->n > 0 && head->n < UINT32_MAX;
    for (data_side side = 0; side < DATA_N_SIDES; side++) {
        good = good && head->n_ids[side] > 0 && head->n_ids[side] < UINT32_MAX &&
               head->text_bytes[side] <= file_bytes;
    }
    return good && lay_out(head).file_bytes == file_bytes;
}

/* ---- a mapping ---- */

static uint64_t page_bytes(void)
{
    return (uint64_t) sysconf(_SC_PAGESIZE);
}

/* Pages that are only partly of this part come again too: they are in the file. */
static void set_aside(const data_ratings *ratings, const void *part, size_t bytes)
{
    const uint64_t page = page_bytes();
    const uint64_t begin =
        (uint64_t) ((const unsigned char *) part - (unsigned char *) ratings->map);
    const uint64_t first = begin / page * page;
    const uint64_t last = (begin + bytes + page - 1) / page * page;
    if (first < last) {
        (void) madvise((unsigned char *) ratings->map + first, last - first, MADV_DONTNEED);
    }
}

void data_ratings_set_aside(const data_ratings *ratings, size_t first, size_t n)
{
    if (ratings->map != NULL) {
        set_aside(ratings, ratings->entries + first, n * sizeof(*ratings->entries));
    }
}

typedef struct copying {
    const data_ratings *from, *to;
} copying;

static strads_status copy_range(void *context, size_t first, size_t last)
{
    const copying *it = context;
    for (size_t i = first; i < last; i += STRETCH) {
        const size_t n = last - i < STRETCH ? last - i : STRETCH;
        memcpy(it->to->entries + i, it->from->entries + i, n * sizeof(*it->to->entries));
        set_aside(it->from, it->from->entries + i, n * sizeof(*it->to->entries));
        if (it->to->times != NULL) {
            memcpy(it->to->times + i, it->from->times + i, n * sizeof(*it->to->times));
            set_aside(it->from, it->from->times + i, n * sizeof(*it->to->times));
        }
    }
    return STRADS_OK;
}

strads_status data_ratings_own(data_ratings *ratings)
{
    if (ratings->map == NULL) {
        return STRADS_OK;
    }
    data_ratings own = *ratings;
    own.map = NULL;
    own.entries = strads_alloc_array(own.n, sizeof(*own.entries));
    own.times = own.times != NULL ? strads_alloc_array(own.n, sizeof(*own.times)) : NULL;
    copying it = {.from = ratings, .to = &own};
    if (own.entries == NULL || (own.times == NULL && ratings->times != NULL) ||
        strads_parallel_for(strads_cores(), own.n, copy_range, &it) != STRADS_OK) {
        strads_free(own.entries);
        strads_free(own.times);
        strads_error("no memory for %zu ratings", ratings->n);
        return STRADS_ERR_NOMEM;
    }
    munmap(ratings->map, ratings->map_bytes);
    *ratings = own;
    return STRADS_OK;
}

/* The set that a mapped file of this head is, but for its ids. */
static data_ratings entries_of(void *map, const data_sections *at)
{
    const ratings_cache_head *head = map;
    unsigned char *bytes = map;
    return (data_ratings){
        .entries = (data_rating *) (bytes + at->at[SECTION_ENTRIES]),
        .times = at->bytes[SECTION_TIMES] > 0 ? (double *) (bytes + at->at[SECTION_TIMES]) : NULL,
        .n = head->n,
        .n_duplicates = head->n_duplicates,
        .map = map,
        .map_bytes = at->file_bytes};
}

/* ---- checking ---- */

typedef struct checking {
    const ratings_cache_head *head;
    data_sections at;
    data_ratings ratings;
} checking;

/* By the largest of each, which takes no branch: an infinity, or what is no number, has bits above
 * those of all finite values of its sign. */
static bool are_entries_good(const checking *it, size_t first, size_t last)
{
    const uint32_t infinite = 0x7f800000;
    uint32_t row = 0;
    uint32_t column = 0;
    uint32_t value = 0;
    for (size_t i = first; i < last; i++) {
        const data_rating *entry = &it->ratings.entries[i];
        uint32_t bits = 0;
        memcpy(&bits, &entry->value, sizeof(bits));
        bits &= 0x7fffffff;
        row = row > entry->row ? row : entry->row;
        column = column > entry->column ? column : entry->column;
        value = value > bits ? value : bits;
    }
    return row < it->head->n_ids[DATA_USERS] && column < it->head->n_ids[DATA_ITEMS] &&
           value < infinite;
}

static bool are_times_good(const double *times, size_t first, size_t last)
{
    bool good = true;
    for (size_t i = first; i < last; i++) {
        good &= fabs(times[i]) < (double) INFINITY;
    }
    return good;
}

/* The elements that begin in a chunk are looked at while it is in the cache, and the chunk is
 * set aside: no more than a few are ever in memory. */
static bool check_chunk(const checking *it, uint64_t i)
{
    const data_chunk chunk = data_sections_chunk(&it->at, i);
    const unsigned char *file = it->ratings.map;
    if (!data_sections_chunk_is_whole(&it->at, file, i)) {
        return false;
    }
    bool good = true;
    if (chunk.section == SECTION_ENTRIES) {
        const size_t bytes = sizeof(data_rating);
        good = are_entries_good(it, (chunk.begin + bytes - 1) / bytes,
                                (chunk.end + bytes - 1) / bytes);
    } else if (chunk.section == SECTION_TIMES) {
        good = are_times_good(it->ratings.times, chunk.begin / sizeof(double),
                              chunk.end / sizeof(double));
    }
    set_aside(&it->ratings, file + it->at.at[chunk.section] + chunk.begin, chunk.end - chunk.begin);
    return good;
}

static strads_status check_chunks(void *context, size_t first, size_t last)
{
    const checking *it = context;
    bool good = true;
    for (size_t i = first; i < last && good; i++) {
        good = check_chunk(it, i);
    }
    return good ? STRADS_OK : STRADS_ERR_DATA;
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

/* ---- loading ---- */

/* Copies the ids of one side; false: no memory, some may be there. */
static bool copy_ids(data_ids *out, const checking *it, data_side side)
{
    const size_t bytes = it->at.bytes[SECTION_IDS + side];
    const unsigned char *from = it->ratings.map;
    void *ids = strads_alloc(bytes);
    out->n = (uint32_t) it->head->n_ids[side];
    if (ids != NULL) {
        memcpy(ids, from + it->at.at[SECTION_IDS + side], bytes);
    }
    if (!are_texts(it->head, side)) {
        out->number = ids;
        return ids != NULL;
    }
    out->start = ids;
    out->text_bytes = it->at.bytes[SECTION_TEXTS + side];
    out->text = strads_alloc(out->text_bytes);
    if (out->text != NULL) {
        memcpy(out->text, from + it->at.at[SECTION_TEXTS + side], out->text_bytes);
    }
    return ids != NULL && out->text != NULL;
}

/* Checks all of a mapping, which becomes the set's own; false: it does not. */
static bool take(data_ratings *out, void *map, uint64_t bytes)
{
    if (!is_plausible(map, bytes)) { /* once more: it may be another file by now */
        return false;
    }
    checking it = {.head = map, .at = lay_out(map)};
    it.ratings = entries_of(map, &it.at);
    data_ratings ratings = it.ratings;
    bool good = data_sections_head_is_whole(&it.at, map) &&
                strads_parallel_for(strads_cores(), it.at.n_chunks, check_chunks, &it) == STRADS_OK;
    for (data_side side = 0; side < DATA_N_SIDES && good; side++) {
        good = copy_ids(&ratings.ids[side], &it, side) && are_ids_good(&ratings.ids[side]) &&
               data_ids_invert(&ratings.ids[side], ratings.n) == STRADS_OK;
    }
    if (!good) {
        ratings.map = NULL;
        ratings.entries = NULL;
        ratings.times = NULL;
        data_ratings_fini(&ratings);
        return false;
    }
    *out = ratings;
    return true;
}

static bool load_mapped(data_ratings *out, int file, uint64_t bytes)
{
    void *map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, file, 0);
    if (map == MAP_FAILED) {
        return false;
    }
    const bool good = take(out, map, bytes);
    if (!good) {
        munmap(map, bytes);
    }
    return good;
}

/* Opens a cache and reads its head; *file < 0: it is not there. False: it is none. */
static bool open_cache(int *file, ratings_cache_head *head, uint64_t *bytes, const char *path)
{
    struct stat about;
    *file = open(path, O_RDONLY | O_CLOEXEC);
    if (*file < 0 || fstat(*file, &about) != 0 || !S_ISREG(about.st_mode)) {
        return false;
    }
    *bytes = (uint64_t) about.st_size;
    return data_cache_read(*file, 0, head, sizeof(*head)) && is_plausible(head, *bytes);
}

bool ratings_cache_measure(data_ratings_size *out, const char *path, uint64_t key)
{
    int file = -1;
    uint64_t bytes = 0;
    ratings_cache_head head;
    const bool good = open_cache(&file, &head, &bytes, path) && head.key == key;
    if (file >= 0) {
        close(file);
    }
    if (good) {
        *out = (data_ratings_size){.n = head.n,
                                   .n_ids = {head.n_ids[DATA_USERS], head.n_ids[DATA_ITEMS]}};
    }
    return good;
}

bool ratings_cache_load(data_ratings *out, const char *path, uint64_t key)
{
    int file = -1;
    uint64_t bytes = 0;
    ratings_cache_head head;
    bool good = open_cache(&file, &head, &bytes, path);
    if (file < 0) {
        return false;
    }
    const bool stale = good && head.key != key;
    good = good && !stale && load_mapped(out, file, bytes);
    close(file);
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
    const void *sections[N_SECTIONS] = {
        [SECTION_ENTRIES] = ratings->entries, [SECTION_TIMES] = ratings->times};
    for (data_side side = 0; side < DATA_N_SIDES; side++) {
        const data_ids *ids = &ratings->ids[side];
        const bool texts = ids->number == NULL;
        head.n_ids[side] = ids->n;
        head.text_bytes[side] = ids->text_bytes;
        head.flags |= texts ? (uint32_t) USERS_ARE_TEXTS << side : 0;
        sections[SECTION_IDS + side] = texts ? (const void *) ids->start : ids->number;
        sections[SECTION_TEXTS + side] = ids->text;
    }
    const data_sections at = lay_out(&head);
    data_sections_save(&at, &head, sections, path);
}
