/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/part.c - what processes that load together do with each other's data. */
#include "base/part.h"

#include <assert.h>
#include <string.h>

uint32_t strads_part_index(const strads_part *part)
{
    return part->index;
}

uint32_t strads_part_count(const strads_part *part)
{
    return part->count;
}

uint32_t strads_part_rank(const strads_part *part, uint32_t index)
{
    assert(index <= part->count);
    return part->ranks[index];
}

/* n rank / n_workers without the product, which might not fit. */
size_t strads_part_start(const strads_part *part, size_t n, uint32_t rank)
{
    const size_t n_workers = part->ranks[part->count];
    assert(rank <= n_workers);
    return n / n_workers * rank + n % n_workers * rank / n_workers;
}

static strads_status swap_alone(const void *out, size_t bytes, void **in, size_t *in_bytes)
{
    *in = strads_alloc(bytes);
    if (*in == NULL) {
        return STRADS_ERR_NOMEM;
    }
    if (bytes > 0) {
        memcpy(*in, out, bytes);
    }
    *in_bytes = bytes;
    return STRADS_OK;
}

strads_status strads_part_swap(strads_part *part, const void *const *out, const size_t *out_bytes,
                               void **in, size_t *in_bytes)
{
    return part->count == 1 ? swap_alone(out[0], out_bytes[0], in, in_bytes)
                            : part->swap(part->context, out, out_bytes, in, in_bytes);
}

/* Arrays of a swap: what goes to each process, and what comes. */
typedef struct parcels {
    void **out, **in; /* [count] */
    size_t *out_bytes, *in_bytes;
} parcels;

static void parcels_fini(parcels *all, uint32_t count)
{
    for (uint32_t i = 0; i < count && all->in != NULL; i++) {
        strads_free(all->in[i]);
    }
    strads_free(all->out);
    strads_free(all->in);
    strads_free(all->out_bytes);
    strads_free(all->in_bytes);
}

static strads_status parcels_init(parcels *all, uint32_t count)
{
    *all = (parcels){.out = strads_calloc(count, sizeof(void *)),
                     .in = strads_calloc(count, sizeof(void *)),
                     .out_bytes = strads_calloc(count, sizeof(size_t)),
                     .in_bytes = strads_calloc(count, sizeof(size_t))};
    if (all->out == NULL || all->in == NULL || all->out_bytes == NULL || all->in_bytes == NULL) {
        parcels_fini(all, count);
        *all = (parcels){.out = NULL};
        return STRADS_ERR_NOMEM;
    }
    return STRADS_OK;
}

strads_status strads_part_gather(strads_part *part, const void *mine, size_t bytes, void **all,
                                 size_t *all_bytes)
{
    parcels one;
    strads_status status = parcels_init(&one, part->count);
    if (status != STRADS_OK) {
        return status;
    }
    for (uint32_t i = 0; i < part->count; i++) {
        one.out[i] = (void *) mine;
        one.out_bytes[i] = bytes;
    }
    status = strads_part_swap(part, (const void *const *) one.out, one.out_bytes, all, all_bytes);
    parcels_fini(&one, part->count);
    return status;
}

/* The slice of a vector that process `index` adds up. */
static size_t slice_start(const strads_part *part, size_t n, uint32_t index)
{
    return n / part->count * index + n % part->count * index / part->count;
}

/* Packs the slice of process `to` of all shares. */
static strads_status pack_slice(const strads_part *part, const double *shares, size_t n_shares,
                                size_t n, uint32_t to, parcels *all)
{
    const size_t first = slice_start(part, n, to);
    const size_t length = slice_start(part, n, to + 1) - first;
    double *packed = strads_alloc_array(n_shares * length, sizeof(*packed));
    if (packed == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (size_t k = 0; k < n_shares && length > 0; k++) {
        memcpy(packed + k * length, shares + k * n + first, length * sizeof(*packed));
    }
    all->out[to] = packed;
    all->out_bytes[to] = n_shares * length * sizeof(*packed);
    return STRADS_OK;
}

static strads_status refuse(uint32_t from, size_t bytes)
{
    strads_error("process %u sent %zu bytes of a sum of another length: the processes do not load "
                 "alike",
                 from, bytes);
    return STRADS_ERR_APP;
}

/* sum[length] := what came of this process's slice, added in order. */
static strads_status add_slices(const parcels *all, uint32_t count, double *sum, size_t length)
{
    memset(sum, 0, length * sizeof(*sum));
    for (uint32_t from = 0; from < count; from++) {
        const double *shares = all->in[from];
        const size_t n = all->in_bytes[from] / sizeof(*shares);
        if (all->in_bytes[from] % sizeof(*shares) != 0 || (length > 0 ? n % length : n) != 0) {
            return refuse(from, all->in_bytes[from]);
        }
        for (size_t at = 0; at < n; at += length) {
            for (size_t i = 0; i < length; i++) {
                sum[i] += shares[at + i];
            }
        }
    }
    return STRADS_OK;
}

static strads_status add_my_slice(strads_part *part, double *shares, size_t n_shares, size_t n)
{
    parcels all;
    strads_status status = parcels_init(&all, part->count);
    for (uint32_t to = 0; to < part->count && status == STRADS_OK; to++) {
        status = pack_slice(part, shares, n_shares, n, to, &all);
    }
    if (status == STRADS_OK) {
        status = strads_part_swap(part, (const void *const *) all.out, all.out_bytes, all.in,
                                  all.in_bytes);
    }
    if (status == STRADS_OK) {
        const size_t first = slice_start(part, n, part->index);
        status = add_slices(&all, part->count, shares + first,
                            slice_start(part, n, part->index + 1) - first);
    }
    for (uint32_t to = 0; to < part->count && all.out != NULL; to++) {
        strads_free(all.out[to]);
    }
    parcels_fini(&all, part->count);
    return status;
}

/* Each process adds up a slice, and gives it to all. */
strads_status strads_part_sum(strads_part *part, double *shares, size_t n_shares, size_t n)
{
    parcels all;
    strads_status status = add_my_slice(part, shares, n_shares, n);
    if (status == STRADS_OK) {
        status = parcels_init(&all, part->count);
    }
    if (status != STRADS_OK) {
        return status;
    }
    const size_t mine = slice_start(part, n, part->index);
    const size_t length = slice_start(part, n, part->index + 1) - mine;
    status =
        strads_part_gather(part, shares + mine, length * sizeof(*shares), all.in, all.in_bytes);
    for (uint32_t from = 0; from < part->count && status == STRADS_OK; from++) {
        const size_t first = slice_start(part, n, from);
        const size_t bytes = (slice_start(part, n, from + 1) - first) * sizeof(*shares);
        if (all.in_bytes[from] != bytes) {
            status = refuse(from, all.in_bytes[from]);
        } else if (bytes > 0) {
            memcpy(shares + first, all.in[from], bytes);
        }
    }
    parcels_fini(&all, part->count);
    return status;
}
