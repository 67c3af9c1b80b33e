/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/kernels_choose.c - which variant of the samplers this machine runs. */
#include "apps/lda/kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* The instruction to gather is slow on AMD's processors, and on Intel's before Sapphire Rapids,
 * where it was made so to keep it from leaking what others have loaded. That one and later ones
 * have numbers of half precision, the others do not. */
static bool gathers_fast(void)
{
    enum { FEATURES = 7, HALF_PRECISION = 1 << 23 };
    uint32_t a = 0;
    uint32_t b = 0;
    uint32_t c = 0;
    uint32_t d = 0;
    return __get_cpuid_count(FEATURES, 0, &a, &b, &c, &d) != 0 && (d & HALF_PRECISION) != 0;
}
#endif

const lda_kernels *lda_kernels_choose(bool fixed)
{
#if defined(__x86_64__)
    if (!fixed && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw")) {
        return gathers_fast() ? &lda_kernels_gather : &lda_kernels_avx512;
    }
    if (!fixed && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return &lda_kernels_avx2;
    }
#endif
    (void) fixed;
    return &lda_kernels_portable;
}
