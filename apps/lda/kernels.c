/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/kernels.c - the samplers, once for all instruction sets: the build compiles this file
 * with KERNEL_ISA = portable, avx2, avx512 and the flags to match.
 */
#include "apps/lda/kernels.h"

#include "apps/lda/kernels_dense.h"
#include "apps/lda/kernels_sparse.h"

#define NAME_(a, b) a##b
#define NAME(a, b) NAME_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
#define OWN_SPARSE NAME(lda_sample_sparse_, KERNEL_ISA)

uint64_t OWN_SPARSE(lda_sampler *self, const lda_slice *slice, bool first)
{
    return sample_sparse(self, slice, first);
}

#if defined(__AVX512F__)
/* Of thirty topics, as a short document has, vectors of sixteen would be half empty; and a draw
 * waits for their sums, which take longer than those of eight. */
#define SPARSE lda_sample_sparse_avx2

const lda_kernels lda_kernels_gather = {
    .name = "gather", .dense = sample_dense, .sparse = SPARSE, .sparse_long = OWN_SPARSE};
#else
#define SPARSE OWN_SPARSE
#endif

const lda_kernels NAME(lda_kernels_, KERNEL_ISA) = {
    .name = TEXT(KERNEL_ISA), .dense = sample_dense, .sparse = SPARSE, .sparse_long = SPARSE};
