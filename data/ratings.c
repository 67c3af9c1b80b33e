/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/ratings.c - reading a file of ratings.
 *
 * Threads read ranges of bytes, cut at line ends, into pieces; the pieces are joined in
 * their order, so that the result does not depend on how many there are. Then ids become
 * indices.
 */
#include "data/ratings.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/tasks.h"
#include "data/ratings_parts.h"

enum { MIN_PIECE_BYTES = 1 << 20 };

typedef struct reading {
    const data_ratings_source *source;
    uint32_t n_threads;
    bool is_text[DATA_N_SIDES];
    ratings_layout layout;
    uint64_t begin, end; /* where the ratings lie in a file that has ranges */
    ratings_piece *pieces;
    size_t n_pieces;
} reading;

void data_ratings_fini(data_ratings *ratings)
{
    if (ratings->map != NULL) {
        munmap(ratings->map, ratings->map_bytes);
    } else {
        strads_free(ratings->entries);
        strads_free(ratings->times);
    }
    for (data_side side = 0; side < DATA_N_SIDES; side++) {
        data_ids_fini(&ratings->ids[side]);
    }
    *ratings = (data_ratings){.n = 0};
}

/* Says it when memory ran out; passes the status on. */
static strads_status explain(const reading *job, strads_status status)
{
    return status == STRADS_ERR_NOMEM ? data_no_memory(job->source->path) : status;
}

/* ---- pieces ---- */

/* Finds where line n + 1 begins. */
static strads_status find_offset(const data_input *input, size_t n, uint64_t *out)
{
    enum { BYTES = 1 << 14 };
    char bytes[BYTES];
    uint64_t at = 0;
    while (n > 0) {
        size_t n_read = 0;
        const strads_status status = data_input_read_at(input, at, bytes, BYTES, &n_read);
        if (status != STRADS_OK || n_read == 0) {
            return status;
        }
        for (size_t i = 0; i < n_read && n > 0; i++, at++) {
            n -= bytes[i] == '\n';
        }
        *out = at;
    }
    return STRADS_OK;
}

static uint64_t cut_at(const reading *job, size_t piece)
{
    const uint64_t n = job->end - job->begin;
    return job->begin + n / job->n_pieces * piece + n % job->n_pieces * piece / job->n_pieces;
}

/* What fails is noted in the piece. */
static strads_status read_ranges(void *context, size_t first, size_t last)
{
    reading *job = context;
    for (size_t i = first; i < last; i++) {
        ratings_piece *piece = &job->pieces[i];
        const uint64_t begin = cut_at(job, i);
        data_input input;
        piece->status = data_input_open_range(&input, job->source->path, begin, cut_at(job, i + 1));
        if (piece->status == STRADS_OK) {
            if (begin == 0) {
                data_input_skip_mark(&input);
            }
            ratings_piece_read(piece, &input);
            data_input_close(&input);
        }
    }
    return STRADS_OK;
}

static strads_status make_pieces(reading *job, size_t n)
{
    job->pieces = strads_calloc(n, sizeof(*job->pieces));
    if (job->pieces == NULL) {
        return STRADS_ERR_NOMEM;
    }
    job->n_pieces = n;
    for (size_t i = 0; i < n; i++) {
        job->pieces[i].layout = &job->layout;
        memcpy(job->pieces[i].is_text, job->is_text, sizeof(job->is_text));
    }
    return STRADS_OK;
}

static void drop_pieces(reading *job)
{
    for (size_t i = 0; i < job->n_pieces; i++) {
        ratings_piece_fini(&job->pieces[i]);
    }
    strads_free(job->pieces);
    job->pieces = NULL;
    job->n_pieces = 0;
}

static size_t count_pieces(const reading *job)
{
    const uint64_t most = (job->end - job->begin) / MIN_PIECE_BYTES + 1;
    return job->source->n_threads == 0 && most < job->n_threads ? (size_t) most : job->n_threads;
}

/* Reads an opened file whole. */
static strads_status read_pieces(reading *job, data_input *input)
{
    strads_status status = ratings_layout_find(&job->layout, input,
                                               job->source->times ? RATINGS_TIMED : RATINGS_RATED);
    if (status != STRADS_OK) {
        return status;
    }
    if (!data_input_has_ranges(input, &job->end)) {
        status = make_pieces(job, 1);
        if (status == STRADS_OK) {
            ratings_piece_read(&job->pieces[0], input);
        }
        return explain(job, status);
    }
    job->begin = 0;
    status = find_offset(input, input->line, &job->begin);
    if (status != STRADS_OK) {
        return status;
    }
    status = make_pieces(job, count_pieces(job));
    if (status == STRADS_OK) {
        status = strads_parallel_for(job->n_threads, job->n_pieces, read_ranges, job);
    }
    return explain(job, status);
}

/* ---- what the pieces found ---- */

/* Takes over which ids are texts; true when some piece took them for numbers. */
static bool settle_kinds(reading *job)
{
    bool again = false;
    for (size_t i = 0; i < job->n_pieces; i++) {
        for (data_side side = 0; side < DATA_N_SIDES; side++) {
            job->is_text[side] |= job->pieces[i].is_text[side];
            again |= job->pieces[i].lost[side];
        }
    }
    for (size_t i = 0; i < job->n_pieces; i++) {
        for (data_side side = 0; side < DATA_N_SIDES; side++) {
            again |= job->pieces[i].n > 0 && job->is_text[side] != job->pieces[i].is_text[side];
        }
    }
    return again;
}

static strads_status refuse(const reading *job, const ratings_fault *fault)
{
    strads_error("%s:%zu: %s", job->source->path, fault->line, fault->text);
    return STRADS_ERR_DATA;
}

/* Says the first thing that is wrong. */
static strads_status check_pieces(const reading *job)
{
    for (size_t i = 0; i < job->n_pieces; i++) {
        const ratings_piece *piece = &job->pieces[i];
        if (piece->status != STRADS_OK || piece->fault.line > 0) {
            return piece->status != STRADS_OK ? piece->status : refuse(job, &piece->fault);
        }
    }
    size_t n = 0;
    for (size_t i = 0; i < job->n_pieces; i++) {
        for (data_side side = 0; side < DATA_N_SIDES; side++) {
            if (!job->is_text[side] && job->pieces[i].beyond[side].line > 0) {
                return refuse(job, &job->pieces[i].beyond[side]);
            }
        }
        n += job->pieces[i].n;
    }
    if (n == 0 || n >= UINT32_MAX || (job->layout.numbers && n != job->layout.n_stated)) {
        strads_error("%s: holds %zu ratings: expected %s", job->source->path, n,
                     n == 0            ? "some"
                     : n >= UINT32_MAX ? "fewer than 4294967295"
                                       : "as many as its header states");
        return STRADS_ERR_DATA;
    }
    return STRADS_OK;
}

static bool can_read_again(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

/* Reads the file, once more where it turns out late that ids are texts. */
static strads_status read_file(reading *job)
{
    for (bool again = true; again;) {
        data_input input;
        drop_pieces(job);
        strads_status status = data_input_open(&input, job->source->path);
        if (status != STRADS_OK) {
            return status;
        }
        status = read_pieces(job, &input);
        data_input_close(&input);
        if (status != STRADS_OK) {
            return status;
        }
        again = settle_kinds(job);
        if (again && !can_read_again(job->source->path)) {
            strads_error("%s: has numbers and texts as ids, and cannot be read twice: say that "
                         "ids are texts",
                         job->source->path);
            return STRADS_ERR_DATA;
        }
    }
    return check_pieces(job);
}

/* ---- joining ---- */

/* Adds the texts of a piece to those of the first, and has the piece's ids follow. */
static strads_status join_texts(data_ids *all, ratings_piece *piece, data_side side)
{
    data_ids *own = &piece->texts[side];
    uint32_t *map = strads_alloc_array(own->n, sizeof(*map));
    strads_status status = map != NULL ? STRADS_OK : STRADS_ERR_NOMEM;
    for (uint32_t i = 0; i < own->n && status == STRADS_OK; i++) {
        const char *text = own->text + own->start[i];
        status = data_ids_add(all, text, strlen(text), &map[i]);
    }
    for (size_t i = 0; i < piece->n && status == STRADS_OK; i++) {
        uint32_t *id = ratings_index(&piece->entries[i], side);
        *id = map[*id];
    }
    strads_free(map);
    return status;
}

/* Copies n elements of `bytes` each, giving those back that were copied: large pieces are not
 * in memory twice. */
static void move_out(void *to, void *from, size_t n, size_t bytes)
{
    const size_t stretch = 1 << 18;
    for (size_t i = 0; i < n; i += stretch) {
        const size_t some = (n - i < stretch ? n - i : stretch) * bytes;
        memcpy((unsigned char *) to + i * bytes, (unsigned char *) from + i * bytes, some);
        strads_discard((unsigned char *) from + i * bytes, some);
    }
}

/* Moves the ratings of all pieces into the first, in order. */
static strads_status join_pieces(reading *job)
{
    ratings_piece *all = &job->pieces[0];
    size_t n = 0;
    for (size_t i = 0; i < job->n_pieces; i++) {
        n += job->pieces[i].n;
    }
    data_rating *entries = strads_realloc(all->entries, n * sizeof(*entries));
    all->entries = entries != NULL ? entries : all->entries;
    double *times = job->layout.times ? strads_realloc(all->times, n * sizeof(*times)) : NULL;
    all->times = times != NULL ? times : all->times;
    if (entries == NULL || (job->layout.times && times == NULL)) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t i = 1; i < job->n_pieces; i++) {
        ratings_piece *piece = &job->pieces[i];
        if (piece->n == 0) {
            continue;
        }
        for (data_side side = 0; side < DATA_N_SIDES; side++) {
            const strads_status status =
                job->is_text[side] ? join_texts(&all->texts[side], piece, side) : STRADS_OK;
            if (status != STRADS_OK) {
                return status;
            }
            all->max_id[side] =
                all->max_id[side] > piece->max_id[side] ? all->max_id[side] : piece->max_id[side];
        }
        move_out(all->entries + all->n, piece->entries, piece->n, sizeof(*entries));
        if (times != NULL) {
            move_out(all->times + all->n, piece->times, piece->n, sizeof(*times));
        }
        all->n += piece->n;
        ratings_piece_fini(piece);
    }
    return STRADS_OK;
}

/* Makes the result of what was read. */
static strads_status finish(reading *job, data_ratings *out)
{
    strads_status status = join_pieces(job);
    if (status != STRADS_OK) {
        return status;
    }
    ratings_piece *all = &job->pieces[0];
    data_ratings ratings = {.entries = all->entries, .times = all->times, .n = all->n};
    all->entries = NULL;
    all->times = NULL;
    for (data_side side = 0; side < DATA_N_SIDES && status == STRADS_OK; side++) {
        if (job->is_text[side]) {
            ratings.ids[side] = all->texts[side];
            all->texts[side] = (data_ids){.n = 0};
        } else {
            status = ratings_ids_number(&ratings.ids[side], ratings.entries, ratings.n, side,
                                        all->max_id[side], job->n_threads);
        }
    }
    if (status == STRADS_OK) {
        status = ratings_drop_duplicates(&ratings, job->n_threads);
    }
    if (status != STRADS_OK) {
        data_ratings_fini(&ratings);
        return status;
    }
    *out = ratings;
    return STRADS_OK;
}

/* ---- the whole ---- */

static strads_status read_text(data_ratings *out, const data_ratings_source *source)
{
    reading job = {.source = source,
                   .n_threads = source->n_threads > 0 ? source->n_threads : strads_cores()};
    memcpy(job.is_text, source->texts, sizeof(job.is_text));
    strads_status status = read_file(&job);
    if (status == STRADS_OK) {
        status = explain(&job, finish(&job, out));
    }
    drop_pieces(&job);
    return status;
}

strads_status data_ratings_read(data_ratings *out, const data_ratings_source *source)
{
    char *cache = NULL;
    uint64_t key = 0;
    strads_status status = ratings_cache_name(&cache, &key, source);
    if (status != STRADS_OK) {
        return status;
    }
    if (cache == NULL || !ratings_cache_load(out, cache, key)) {
        status = read_text(out, source);
        if (status == STRADS_OK && cache != NULL) {
            ratings_cache_save(out, cache, key);
        }
    }
    strads_free(cache);
    if (status == STRADS_OK && out->n_duplicates > 0) {
        strads_warn("%s: %zu ratings came again later for the same user and item: the last counts",
                    source->path, out->n_duplicates);
    }
    return status;
}

strads_status data_ratings_measure(data_ratings_size *out, const data_ratings_source *source)
{
    char *cache = NULL;
    uint64_t key = 0;
    strads_status status = ratings_cache_name(&cache, &key, source);
    if (status != STRADS_OK) {
        return status;
    }
    const bool known = cache != NULL && ratings_cache_measure(out, cache, key);
    strads_free(cache);
    if (known) {
        return STRADS_OK;
    }
    data_ratings ratings;
    status = data_ratings_read(&ratings, source);
    if (status == STRADS_OK) {
        *out = (data_ratings_size){.n = ratings.n,
                                   .n_ids = {ratings.ids[DATA_USERS].n, ratings.ids[DATA_ITEMS].n}};
        data_ratings_fini(&ratings);
    }
    return status;
}
