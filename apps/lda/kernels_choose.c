/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/kernels_choose.c - which variant of the samplers this machine runs. */
#include "apps/lda/kernels.h"

const lda_kernels *lda_kernels_choose(bool fixed)
{
#if defined(__x86_64__)
    if (!fixed && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw")) {
        return &lda_kernels_avx512;
    }
    if (!fixed && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return &lda_kernels_avx2;
    }
#endif
    (void) fixed;
    return &lda_kernels_portable;
}
