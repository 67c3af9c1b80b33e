/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/regression_cache.c - what was read of a matrix with a target, in a file that is mapped.
 *
 * Hashes guard against damage, and every number that is used as a place is checked, so that even
 * a forged file cannot make a reader leave its memory. Whatever is wrong, the source is read
 * instead. Pages of the file are the matrix; those that are written to become the process's own.
 */
#include "data/regression_cache.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/tasks.h"
#include "data/cache.h"
#include "data/matrix.h"
#include "data/sections.h"

static const uint64_t MAGIC = UINT64_C(0x3152474552445453); /* "STDREGR1", little-endian */

/* ---- the name ---- */

strads_status regression_cache_name(char **out, uint64_t *key, const data_source *source)
{
    const uint64_t options[] = {REGRESSION_CACHE_VERSION, (uint64_t) source->format,
                                source->n_cols,           source->target != NULL,
                                source->y_path != NULL,   (uint64_t) source->precision};
    *key = XXH3_64bits(options, sizeof(options));
    if (source->target != NULL) {
        *key = XXH3_64bits_withSeed(source->target, strlen(source->target), *key);
    }
    return data_cache_find(out, key, source->path, source->names == NULL ? source->cache : NULL,
                           ".matrix");
}

/* ---- its parts ---- */

enum { SECTION_STARTS, SECTION_ROWS, SECTION_VALUES, SECTION_TARGET, SECTION_NAMES, N_SECTIONS };

static data_sections lay_out(const regression_cache_head *head)
{
    const uint64_t bytes[N_SECTIONS] = {
        [SECTION_STARTS] = head->is_sparse * (head->n_cols + 1) * sizeof(int64_t),
        [SECTION_ROWS] = head->is_sparse * head->n_values * sizeof(uint32_t),
        [SECTION_VALUES] = head->n_values * data_value_bytes(head->is_narrow == 1),
        [SECTION_TARGET] = head->n_targets * sizeof(double),
        [SECTION_NAMES] = head->names_bytes};
    return data_sections_of(sizeof(*head), bytes, N_SECTIONS);
}

/* Whether the head is of a file of so many bytes. */
static bool is_plausible(const regression_cache_head *head, uint64_t file_bytes)
{
    const uint64_t most = file_bytes / sizeof(uint32_t);
    return head->magic == MAGIC && head->version == REGRESSION_CACHE_VERSION &&
           head->is_sparse <= 1 && head->is_narrow <= 1 && head->n_rows > 0 &&
           head->n_rows < UINT32_MAX && head->n_cols > 0 && head->n_cols <= UINT32_MAX &&
           head->n_values <= most &&
           (head->is_sparse == 1 || head->n_values == head->n_rows * head->n_cols) &&
           (head->n_targets == 0 || head->n_targets == head->n_rows) &&
           head->names_bytes <= file_bytes && lay_out(head).file_bytes == file_bytes;
}

/* ---- checking ---- */

/* A file that is mapped. */
typedef struct mapped {
    unsigned char *bytes;
    const regression_cache_head *head;
    data_sections at;
    const unsigned char *sections[N_SECTIONS];
    data_matrix x;
} mapped;

static mapped parts_of(void *file)
{
    mapped m = {.bytes = file, .head = file};
    m.at = lay_out(m.head);
    for (size_t s = 0; s < N_SECTIONS; s++) {
        m.sections[s] = m.bytes + m.at.at[s];
    }
    const bool sparse = m.head->is_sparse == 1;
    const bool narrow = m.head->is_narrow == 1;
    unsigned char *values = m.bytes + m.at.at[SECTION_VALUES];
    m.x =
        (data_matrix){.n_rows = m.head->n_rows,
                      .n_cols = m.head->n_cols,
                      .col_start = sparse ? (int64_t *) (m.bytes + m.at.at[SECTION_STARTS]) : NULL,
                      .row = sparse ? (uint32_t *) (m.bytes + m.at.at[SECTION_ROWS]) : NULL,
                      .value = narrow ? NULL : (double *) values,
                      .narrow = narrow ? (float *) values : NULL,
                      .map = file,
                      .map_bytes = m.at.file_bytes};
    return m;
}

static strads_status check_chunks(void *context, size_t first, size_t last)
{
    const mapped *m = context;
    bool good = true;
    for (size_t i = first; i < last && good; i++) {
        good = data_sections_chunk_is_whole(&m->at, m->bytes, i);
    }
    return good ? STRADS_OK : STRADS_ERR_DATA;
}

/* Whether these are finite, and none is 0 unless zeros are allowed. */
static bool are_values_good(const double *values, size_t n, bool zeros)
{
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        good &= fabs(values[i]) < (double) INFINITY;
        good &= zeros | (values[i] != 0.0);
    }
    return good;
}

static bool are_floats_good(const float *values, size_t n, bool zeros)
{
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        good &= fabsf(values[i]) < INFINITY;
        good &= zeros | (values[i] != 0.0F);
    }
    return good;
}

static strads_status check_values(void *context, size_t first, size_t last)
{
    const data_matrix *x = &((const mapped *) context)->x;
    const bool zeros = x->col_start == NULL;
    const bool good = x->narrow != NULL ? are_floats_good(x->narrow + first, last - first, zeros)
                                        : are_values_good(x->value + first, last - first, zeros);
    return good ? STRADS_OK : STRADS_ERR_DATA;
}

/* Whether the rows of each of these columns ascend, below n_rows. */
static strads_status check_columns(void *context, size_t first, size_t last)
{
    const data_matrix *x = &((const mapped *) context)->x;
    bool good = true;
    for (size_t j = first; j < last; j++) {
        const int64_t begin = x->col_start[j];
        const int64_t end = x->col_start[j + 1];
        for (int64_t k = begin + 1; k < end; k++) {
            good &= x->row[k - 1] < x->row[k];
        }
        good &= begin == end || x->row[end - 1] < x->n_rows;
    }
    return good ? STRADS_OK : STRADS_ERR_DATA;
}

/* Whether columns begin one behind the other, from the first value to the last. */
static bool are_starts_good(const mapped *m)
{
    const int64_t *start = m->x.col_start;
    bool good = start[0] == 0 && start[m->x.n_cols] == (int64_t) m->head->n_values;
    for (size_t j = 0; j < m->x.n_cols; j++) {
        good &= start[j] <= start[j + 1];
    }
    return good;
}

static bool are_names_good(const mapped *m)
{
    const char *names = (const char *) m->sections[SECTION_NAMES];
    uint64_t n = 0;
    for (uint64_t i = 0; i < m->head->names_bytes; i++) {
        n += names[i] == '\0';
    }
    return m->head->names_bytes == 0 ||
           (n == m->head->n_cols && names[m->head->names_bytes - 1] == '\0');
}

static bool is_whole(mapped *m, uint32_t n_threads)
{
    return data_sections_head_is_whole(&m->at, m->bytes) &&
           strads_parallel_for(n_threads, m->at.n_chunks, check_chunks, m) == STRADS_OK &&
           (m->x.col_start == NULL || are_starts_good(m)) &&
           (m->x.col_start == NULL ||
            strads_parallel_for(n_threads, m->x.n_cols, check_columns, m) == STRADS_OK) &&
           strads_parallel_for(n_threads, m->head->n_values, check_values, m) == STRADS_OK &&
           are_values_good((const double *) m->sections[SECTION_TARGET], m->head->n_targets,
                           true) &&
           are_names_good(m);
}

/* ---- loading ---- */

/* The n names, and a NULL behind them. */
static char **copy_names(const char *text, size_t n)
{
    char **names = strads_calloc(n + 1, sizeof(*names));
    for (size_t j = 0; names != NULL && j < n; j++) {
        names[j] = strads_strdup(text);
        if (names[j] == NULL) {
            data_names_free(names, n);
            return NULL;
        }
        text += strlen(text) + 1;
    }
    return names;
}

/* Makes a matrix of the mapping, which becomes its own; false: no memory, it does not. */
static bool take(data_regression *out, const mapped *m)
{
    data_regression data = {.x = m->x};
    const size_t y_bytes = m->at.bytes[SECTION_TARGET];
    if (y_bytes > 0) {
        data.y = strads_alloc(y_bytes);
    }
    if (data.y != NULL) {
        memcpy(data.y, m->sections[SECTION_TARGET], y_bytes);
    }
    if (m->head->names_bytes > 0) {
        data.names = copy_names((const char *) m->sections[SECTION_NAMES], m->x.n_cols);
    }
    if ((y_bytes > 0 && data.y == NULL) || (m->head->names_bytes > 0 && data.names == NULL)) {
        data.x = (data_matrix){.n_rows = 0};
        data_regression_fini(&data);
        return false;
    }
    *out = data;
    return true;
}

/* Maps an open file with a plausible head, and checks all. */
static bool load_mapped(data_regression *out, uint64_t *checksum, int file, uint64_t bytes,
                        uint32_t n_threads)
{
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (map == MAP_FAILED) {
        return false;
    }
    bool good = is_plausible(map, bytes);
    if (good) {
        mapped m = parts_of(map);
        *checksum = m.head->checksum;
        good = is_whole(&m, n_threads) && take(out, &m);
    }
    if (!good) {
        munmap(map, bytes);
    }
    return good;
}

/* Opens a cache and reads its head; *file < 0: it is not there. False: it is none. */
static bool open_cache(int *file, regression_cache_head *head, uint64_t *bytes, const char *path)
{
    struct stat about;
    *file = open(path, O_RDONLY | O_CLOEXEC);
    if (*file < 0 || fstat(*file, &about) != 0 || !S_ISREG(about.st_mode)) {
        return false;
    }
    *bytes = (uint64_t) about.st_size;
    return data_cache_read(*file, 0, head, sizeof(*head)) && is_plausible(head, *bytes);
}

bool regression_cache_load(data_regression *out, uint64_t *checksum, const char *path, uint64_t key,
                           uint32_t n_threads)
{
    int file = -1;
    uint64_t bytes = 0;
    regression_cache_head head;
    bool good = open_cache(&file, &head, &bytes, path);
    if (file < 0) {
        return false;
    }
    const bool stale = good && head.key != key;
    good = good && !stale && load_mapped(out, checksum, file, bytes, n_threads);
    close(file);
    if (stale) {
        strads_info("%s: is of an older file, or for other options: the data are read anew", path);
    } else if (!good) {
        strads_warn(
            "%s: cannot be used as a cache, damaged or something else: the data are read anew",
            path);
    }
    return good;
}

bool regression_cache_measure(data_size *out, const char *path, uint64_t key)
{
    int file = -1;
    uint64_t bytes = 0;
    regression_cache_head head;
    const bool good = open_cache(&file, &head, &bytes, path) && head.key == key;
    if (file >= 0) {
        close(file);
    }
    if (good) {
        *out = (data_size){.n_rows = head.n_rows,
                           .n_cols = head.n_cols,
                           .n_entries = head.n_values,
                           .dense = head.is_sparse == 0,
                           .narrow = head.is_narrow == 1};
    }
    return good;
}

/* ---- saving ---- */

/* Names one behind the other, for strads_free; NULL: no memory. */
static char *join_names(char *const *names, size_t n, uint64_t *bytes)
{
    *bytes = 0;
    for (size_t j = 0; j < n; j++) {
        *bytes += strlen(names[j]) + 1;
    }
    char *text = strads_alloc(*bytes);
    char *to = text;
    for (size_t j = 0; text != NULL && j < n; j++) {
        const size_t length = strlen(names[j]) + 1;
        memcpy(to, names[j], length);
        to += length;
    }
    return text;
}

void regression_cache_save(const data_regression *data, const char *path, uint64_t key)
{
    regression_cache_head head = {.magic = MAGIC,
                                  .version = REGRESSION_CACHE_VERSION,
                                  .key = key,
                                  .n_rows = data->x.n_rows,
                                  .n_cols = data->x.n_cols,
                                  .n_values = data_matrix_entries(&data->x),
                                  .is_sparse = data->x.col_start != NULL,
                                  .is_narrow = data->x.narrow != NULL,
                                  .n_targets = data->y != NULL ? data->x.n_rows : 0};
    char *names = NULL;
    if (data->names != NULL) {
        names = join_names(data->names, data->x.n_cols, &head.names_bytes);
    }
    if (data->names != NULL && names == NULL) {
        strads_warn("%s: no memory for a cache", path);
        return;
    }
    const data_sections at = lay_out(&head);
    const void *const sections[N_SECTIONS] = {[SECTION_STARTS] = data->x.col_start,
                                              [SECTION_ROWS] = data->x.row,
                                              [SECTION_VALUES] = data_values_from(&data->x, 0),
                                              [SECTION_TARGET] = data->y,
                                              [SECTION_NAMES] = names};
    data_sections_save(&at, &head, sections, path);
    strads_free(names);
}
