/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/mf/kernels_choose.c - which variant of the kernels this machine runs. */
#include "apps/mf/kernels.h"

const mf_kernels *mf_kernels_choose(bool fixed)
{
#if defined(__x86_64__)
    if (!fixed && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw")) {
        return &mf_kernels_avx512;
    }
    if (!fixed && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return &mf_kernels_avx2;
    }
#endif
    (void) fixed;
    return &mf_kernels_portable;
}
