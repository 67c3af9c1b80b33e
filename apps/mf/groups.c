/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/groups.c - orders the ratings of a block and packs them into groups.
 *
 * Order: rounds follow each other, the ratings of each by row. The ratings of a column are in
 * one round, or, by eights, in several. So a round has few columns, which stay in the nearest
 * cache while the rows pass by; but of a column with many ratings it has no more than there is
 * room for in its groups.
 *
 * Packing is first fit: a rating goes to the first open group that has neither its row
 * nor its column. Open are the 64 groups from `first` on, so that a mask of 64 bits a
 * row and a column says in which of them it is. When all of them are full or have its
 * row or column, the oldest is closed as it is, padded.
 */
#include "apps/mf/groups.h"

#include <assert.h>
#include <string.h>

enum {
    OPEN = 64,           /* groups open at once: the bits of a mask */
    ROUND = 1024,        /* ratings of a round at most, which fill the open groups */
    ROUND_BYTES = 20000, /* of its columns at most: half of a small nearest cache, or less */
    PIECE = 8,           /* ratings of a column that are in a round together */
    LINE_BYTES = 64,
    ROUNDS_MAX = 65536
};

/* In which groups a row or a column is: bit i for group since + i. */
typedef struct places {
    uint64_t groups;
    uint32_t since;
} places;

struct mf_arranger {
    mf_rating *by_row, *in_order; /* [n] */
    uint16_t *round;              /* [n] of by_row[] */
    uint32_t *start;              /* where each row begins, or each round */
    uint32_t *piece;              /* [n_columns + 1] where those of each column begin */
    uint32_t *next;               /* [n_columns] of its pieces */
    places *row, *column;
    mf_group *group;
    size_t by_row_max, in_order_max, round_max, start_max, piece_max, next_max, row_max, column_max,
        group_max;
};

strads_status mf_arranger_create(mf_arranger **out)
{
    mf_arranger *arranger = strads_calloc(1, sizeof(*arranger));
    if (arranger == NULL) {
        return STRADS_ERR_NOMEM;
    }
    *out = arranger;
    return STRADS_OK;
}

void mf_arranger_destroy(mf_arranger *arranger)
{
    if (arranger == NULL) {
        return;
    }
    strads_free(arranger->by_row);
    strads_free(arranger->in_order);
    strads_free(arranger->round);
    strads_free(arranger->start);
    strads_free(arranger->piece);
    strads_free(arranger->next);
    strads_free(arranger->row);
    strads_free(arranger->column);
    strads_free(arranger->group);
    strads_free(arranger);
}

#define RESERVE(a, array, n) strads_reserve(&(a)->array, &(a)->array##_max, n, sizeof(*(a)->array))

/* Room for one more than there is of each, so that no array is NULL. */
static strads_status reserve(mf_arranger *a, const mf_block *block)
{
    strads_status status = RESERVE(a, by_row, block->n + 1);
    status = status != STRADS_OK ? status : RESERVE(a, in_order, block->n + 1);
    status = status != STRADS_OK ? status : RESERVE(a, round, block->n + 1);
    status = status != STRADS_OK ? status : RESERVE(a, start, block->n_rows + 1);
    status = status != STRADS_OK ? status : RESERVE(a, piece, block->n_columns + 1);
    status = status != STRADS_OK ? status : RESERVE(a, next, block->n_columns + 1);
    status = status != STRADS_OK ? status : RESERVE(a, row, block->n_rows + 1);
    status = status != STRADS_OK ? status : RESERVE(a, column, block->n_columns + 1);
    return status != STRADS_OK ? status : RESERVE(a, group, block->n / MF_GROUP + OPEN);
}

/* ---- the order ---- */

/* count[1 ... n] := where each of the n kinds that were counted there begins, [0 ... n). */
static void add_up(uint32_t *count, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        count[i + 1] += count[i];
    }
}

/* Sorts the ratings by row; start[i + 1] is then where row i ends. */
static void sort_by_row(mf_arranger *a, const mf_block *block)
{
    uint32_t *start = a->start;
    memset(start, 0, (block->n_rows + 1) * sizeof(*start));
    for (size_t k = 0; k < block->n; k++) {
        start[block->ratings[k].row + 1]++;
    }
    add_up(start, block->n_rows);
    for (size_t k = 0; k < block->n; k++) {
        a->by_row[start[block->ratings[k].row]++] = block->ratings[k];
    }
}

/* The next 32 bits of SplitMix (Steele, Lea, Flood, OOPSLA 2014), which takes a fifth of
 * the time of the streams of base/random.h. */
static uint32_t next_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (uint32_t) (z >> 32);
}

/* Cuts the columns into pieces, and says how many rounds these make. */
static uint32_t cut_columns(mf_arranger *a, const mf_block *block)
{
    uint32_t *piece = a->piece;
    memset(piece, 0, (block->n_columns + 1) * sizeof(*piece));
    for (size_t k = 0; k < block->n; k++) {
        piece[block->ratings[k].column + 1]++;
    }
    for (uint32_t c = 0; c < block->n_columns; c++) {
        piece[c + 1] = piece[c] + (piece[c + 1] + PIECE - 1) / PIECE;
    }
    const size_t bytes = (size_t) piece[block->n_columns] * block->lines * LINE_BYTES;
    const size_t by_bytes = bytes / ROUND_BYTES;
    const size_t by_ratings = block->n / ROUND;
    const size_t n_rounds = (by_bytes > by_ratings ? by_bytes : by_ratings) + 1;
    return n_rounds < ROUNDS_MAX ? (uint32_t) n_rounds : ROUNDS_MAX;
}

/* Says in which round each rating goes: pieces are dealt to the rounds in turn, and the ratings
 * of a column to its pieces. */
static void deal_to_rounds(mf_arranger *a, const mf_block *block, uint32_t n_rounds, uint64_t seed)
{
    const uint32_t first = next_bits(&seed) % n_rounds;
    memset(a->next, 0, block->n_columns * sizeof(*a->next));
    for (size_t k = 0; k < block->n; k++) {
        const uint32_t column = a->by_row[k].column;
        const uint32_t n_pieces = a->piece[column + 1] - a->piece[column];
        const uint32_t next = a->next[column];
        a->next[column] = next + 1 < n_pieces ? next + 1 : 0;
        a->round[k] = (uint16_t) ((first + a->piece[column] + next) % n_rounds);
    }
}

/* in_order[] := the ratings by round, those of a round by row. start[] has room for it. */
static void sort_by_round(mf_arranger *a, size_t n, uint32_t n_rounds)
{
    uint32_t *start = a->start;
    memset(start, 0, (n_rounds + 1) * sizeof(*start));
    for (size_t k = 0; k < n; k++) {
        start[a->round[k] + 1]++;
    }
    add_up(start, n_rounds);
    for (size_t k = 0; k < n; k++) {
        a->in_order[start[a->round[k]]++] = a->by_row[k];
    }
}

/* ---- packing ---- */

/* The open groups. Those before `first` are closed, those from `end` on empty. */
typedef struct packer {
    mf_arranger *arranger;
    uint64_t full; /* bit i: group first + i */
    uint32_t first, end;
    uint32_t lines;
    uint32_t fill[OPEN]; /* of group g at g % OPEN */
} packer;

/* Fills the oldest group and closes it; and those behind it that are full. */
static strads_status close_first(packer *p)
{
    mf_group *group = &p->arranger->group[p->first];
    for (uint32_t i = p->fill[p->first % OPEN]; i < MF_GROUP; i++) {
        group->r[i] = 0.0F;
        group->row[i] = 0;
        group->column[i] = 0;
    }
    p->full |= 1;
    while (p->full & 1) {
        p->fill[p->first % OPEN] = 0;
        p->full >>= 1;
        p->first++;
    }
    return RESERVE(p->arranger, group, (size_t) p->first + OPEN);
}

/* In which open groups this row or column is; without a branch, for it could not be
 * foreseen: a row comes again after about as many groups as are open. */
static uint64_t open_places(const places *at, uint32_t first)
{
    const uint32_t age = first - at->since;
    return at->groups >> (age % OPEN) & (0 - (uint64_t) (age < OPEN));
}

static strads_status pack(packer *p, const mf_rating *rating)
{
    places *row = &p->arranger->row[rating->row];
    places *column = &p->arranger->column[rating->column];
    uint64_t in_row = open_places(row, p->first);
    uint64_t in_column = open_places(column, p->first);
    while ((in_row | in_column | p->full) == UINT64_MAX) {
        strads_status status = close_first(p);
        if (status != STRADS_OK) {
            return status;
        }
        in_row = open_places(row, p->first);
        in_column = open_places(column, p->first);
    }
    const uint32_t which = (uint32_t) __builtin_ctzll(~(in_row | in_column | p->full));
    const uint64_t bit = (uint64_t) 1 << which;
    const uint32_t g = p->first + which;
    *row = (places){in_row | bit, p->first};
    *column = (places){in_column | bit, p->first};
    p->end = g < p->end ? p->end : g + 1;

    const uint32_t i = p->fill[g % OPEN]++;
    mf_group *group = &p->arranger->group[g];
    group->r[i] = rating->value;
    group->row[i] = (uint16_t) ((rating->row + 1) * p->lines);
    group->column[i] = (uint16_t) ((rating->column + 1) * p->lines);
    if (i + 1 < MF_GROUP) {
        return STRADS_OK;
    }
    p->full |= bit;
    return which == 0 ? close_first(p) : STRADS_OK;
}

static strads_status pack_all(mf_arranger *a, const mf_block *block, size_t *n_groups)
{
    packer p = {.arranger = a, .lines = block->lines};
    memset(a->row, 0, block->n_rows * sizeof(*a->row));
    memset(a->column, 0, block->n_columns * sizeof(*a->column));
    strads_status status = STRADS_OK;
    for (size_t k = 0; k < block->n && status == STRADS_OK; k++) {
        status = pack(&p, &a->in_order[k]);
    }
    while (p.first < p.end && status == STRADS_OK) {
        status = close_first(&p);
    }
    if (status == STRADS_OK) {
        *n_groups = p.end;
    }
    return status;
}

strads_status mf_arrange(mf_arranger *arranger, const mf_block *block, uint64_t seed,
                         const mf_group **groups, size_t *n_groups)
{
    assert(block->n < UINT32_MAX);
    strads_status status = reserve(arranger, block);
    if (status != STRADS_OK) {
        return status;
    }
    const uint32_t n_rounds = cut_columns(arranger, block);
    status = RESERVE(arranger, start, (size_t) n_rounds + 1);
    if (status != STRADS_OK) {
        return status;
    }
    sort_by_row(arranger, block);
    deal_to_rounds(arranger, block, n_rounds, seed);
    sort_by_round(arranger, block->n, n_rounds);
    status = pack_all(arranger, block, n_groups);
    if (status == STRADS_OK) {
        *groups = arranger->group;
    }
    return status;
}
