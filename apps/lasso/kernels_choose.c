/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/kernels_choose.c - which variant of the kernels this machine runs. */
#include "apps/lasso/kernels.h"

const lasso_kernels *lasso_kernels_choose(int fixed)
{
#if defined(__x86_64__)
    if (!fixed && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw")) {
        return &lasso_kernels_avx512;
    }
    if (!fixed && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return &lasso_kernels_avx2;
    }
#endif
    (void) fixed;
    return &lasso_kernels_portable;
}
