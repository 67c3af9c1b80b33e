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

const lda_kernels NAME(lda_kernels_, KERNEL_ISA) = {
    .name = TEXT(KERNEL_ISA), .dense = sample_dense, .sparse = sample_sparse};
