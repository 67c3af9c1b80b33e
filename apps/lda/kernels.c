/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/kernels.c - the samplers, once for all instruction sets: the build compiles this file
 * with KERNEL_ISA = portable, avx2, avx512 and the flags to match.
 */
#include "apps/lda/kernels.h"

#include "apps/lda/kernels_dense.h"
#if !defined(__AVX512F__)
#include "apps/lda/kernels_sparse.h"
#endif

#define NAME_(a, b) a##b
#define NAME(a, b) NAME_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

#if defined(__AVX512F__)
/* A document has some twenty topics, and a draw waits for its sums: vectors of sixteen would be
 * half empty, and take longer to sum up than those of eight. */
#define SAMPLE_SPARSE lda_sample_sparse_avx2
#else
#define SAMPLE_SPARSE NAME(lda_sample_sparse_, KERNEL_ISA)

uint64_t SAMPLE_SPARSE(lda_sampler *self, const lda_slice *slice, bool first)
{
    return sample_sparse(self, slice, first);
}
#endif

const lda_kernels NAME(lda_kernels_, KERNEL_ISA) = {
    .name = TEXT(KERNEL_ISA), .dense = sample_dense, .sparse = SAMPLE_SPARSE};
