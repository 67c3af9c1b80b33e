/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/mf/kernels_lanes.h - what kernels.c needs of an instruction set: a vector of
 * LANES floats, seen as LANES / 4 quarters of four. Only this file knows how many.
 */
#ifndef STRADS_MF_KERNELS_LANES_H
#define STRADS_MF_KERNELS_LANES_H

#include <stdbool.h>
#include <stdint.h>

/* Four floats, in a register and, with no alignment beyond a float's, in memory. */
typedef float quad __attribute__((vector_size(16)));
typedef float quad_at __attribute__((vector_size(16), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE quad quad_load(const float *from)
{
    return *(const quad_at *) from;
}

INLINE void quad_store(float *to, quad v)
{
    *(quad_at *) to = v;
}

/* SHUFFLE(a, b, i, j, k, l): in each quarter, elements i j k l of eight, a's four before
 * b's. add_quarters(part): quarter i is the sum of the quarters of part[i]. join and split:
 * LANES / 4 quads as one vector, and back. */

#if defined(__AVX512F__)

#include <immintrin.h>

enum { LANES = 16 };
typedef float lanes __attribute__((vector_size(64)));
typedef float lanes_at __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t lanes_mask __attribute__((vector_size(64)));
typedef float half __attribute__((vector_size(32)));
typedef float half_at __attribute__((vector_size(32), aligned(4), may_alias));

#define AT_(i) ((i) < 4 ? (i) : (i) + 12)
#define SHUFFLE(a, b, i, j, k, l)                                                                  \
    __builtin_shufflevector(a, b, AT_(i), AT_(j), AT_(k), AT_(l), AT_(i) + 4, AT_(j) + 4,          \
                            AT_(k) + 4, AT_(l) + 4, AT_(i) + 8, AT_(j) + 8, AT_(k) + 8,            \
                            AT_(l) + 8, AT_(i) + 12, AT_(j) + 12, AT_(k) + 12, AT_(l) + 12)

/* The even quarters of a, then those of b, plus the odd ones. */
INLINE lanes fold(lanes a, lanes b)
{
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
           __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30,
                                   31);
}

INLINE lanes add_quarters(const lanes *part)
{
    return fold(fold(part[0], part[1]), fold(part[2], part[3]));
}

INLINE lanes join(const quad *q)
{
    __m512 v = _mm512_castps128_ps512((__m128) q[0]);
    v = _mm512_insertf32x4(v, (__m128) q[1], 1);
    v = _mm512_insertf32x4(v, (__m128) q[2], 2);
    return (lanes) _mm512_insertf32x4(v, (__m128) q[3], 3);
}

INLINE void split(lanes v, quad *q)
{
    q[0] = (quad) _mm512_castps512_ps128((__m512) v);
    q[1] = (quad) _mm512_extractf32x4_ps((__m512) v, 1);
    q[2] = (quad) _mm512_extractf32x4_ps((__m512) v, 2);
    q[3] = (quad) _mm512_extractf32x4_ps((__m512) v, 3);
}

/* To 2^-14, as is inverse. */
INLINE lanes inverse_root(lanes v)
{
    return (lanes) _mm512_rsqrt14_ps((__m512) v);
}

INLINE lanes inverse(lanes v)
{
    return (lanes) _mm512_rcp14_ps((__m512) v);
}

/* Either of these: b where a is no number. */
INLINE lanes larger(lanes a, lanes b)
{
    return (lanes) _mm512_max_ps((__m512) a, (__m512) b);
}

INLINE lanes smaller(lanes a, lanes b)
{
    return (lanes) _mm512_min_ps((__m512) a, (__m512) b);
}

INLINE bool is_any_below(lanes v, lanes bound)
{
    return _mm512_cmp_ps_mask((__m512) v, (__m512) bound, _CMP_LT_OQ) != 0;
}

/* Eight factors, where the width is an odd number of eights: what vectors of 16 leave. */
typedef half eight;

INLINE eight load_eight(const float *from)
{
    return *(const half_at *) from;
}

INLINE void store_eight(float *to, eight v)
{
    *(half_at *) to = v;
}

INLINE eight first_eight(lanes v)
{
    return (eight) _mm512_castps512_ps256((__m512) v);
}

/* Zeros behind them. */
INLINE lanes widen(eight v)
{
    return (lanes) _mm512_zextps256_ps512((__m256) v);
}

#else

#if defined(__AVX2__)

#include <immintrin.h>

enum { LANES = 8 };
typedef float lanes __attribute__((vector_size(32)));
typedef float lanes_at __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t lanes_mask __attribute__((vector_size(32)));

#define AT_(i) ((i) < 4 ? (i) : (i) + 4)
#define SHUFFLE(a, b, i, j, k, l)                                                                  \
    __builtin_shufflevector(a, b, AT_(i), AT_(j), AT_(k), AT_(l), AT_(i) + 4, AT_(j) + 4,          \
                            AT_(k) + 4, AT_(l) + 4)

INLINE lanes add_quarters(const lanes *part)
{
    return __builtin_shufflevector(part[0], part[1], 0, 1, 2, 3, 8, 9, 10, 11) +
           __builtin_shufflevector(part[0], part[1], 4, 5, 6, 7, 12, 13, 14, 15);
}

INLINE lanes join(const quad *q)
{
    return (lanes) _mm256_insertf128_ps(_mm256_castps128_ps256((__m128) q[0]), (__m128) q[1], 1);
}

INLINE void split(lanes v, quad *q)
{
    q[0] = __builtin_shufflevector(v, v, 0, 1, 2, 3);
    q[1] = __builtin_shufflevector(v, v, 4, 5, 6, 7);
}

/* To 1.5 * 2^-12, as is inverse. */
INLINE lanes inverse_root(lanes v)
{
    return (lanes) _mm256_rsqrt_ps((__m256) v);
}

INLINE lanes inverse(lanes v)
{
    return (lanes) _mm256_rcp_ps((__m256) v);
}

INLINE lanes larger(lanes a, lanes b)
{
    return (lanes) _mm256_max_ps((__m256) a, (__m256) b);
}

INLINE lanes smaller(lanes a, lanes b)
{
    return (lanes) _mm256_min_ps((__m256) a, (__m256) b);
}

INLINE bool is_any_below(lanes v, lanes bound)
{
    return _mm256_movemask_ps(_mm256_cmp_ps((__m256) v, (__m256) bound, _CMP_LT_OQ)) != 0;
}

#else

#include <math.h>

enum { LANES = 4 };
typedef quad lanes;
typedef quad_at lanes_at;
typedef int32_t lanes_mask __attribute__((vector_size(16)));

#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)

INLINE lanes add_quarters(const lanes *part)
{
    return part[0];
}

INLINE lanes join(const quad *q)
{
    return q[0];
}

INLINE void split(lanes v, quad *q)
{
    q[0] = v;
}

/* Rounded as IEEE wants it, so the same on all machines. */
INLINE lanes inverse_root(lanes v)
{
    const lanes root = {sqrtf(v[0]), sqrtf(v[1]), sqrtf(v[2]), sqrtf(v[3])};
    return 1.0F / root;
}

INLINE lanes inverse(lanes v)
{
    return 1.0F / v;
}

INLINE lanes larger(lanes a, lanes b)
{
    const lanes_mask is_a = a > b;
    return (lanes) (((lanes_mask) a & is_a) | ((lanes_mask) b & ~is_a));
}

INLINE lanes smaller(lanes a, lanes b)
{
    const lanes_mask is_a = a < b;
    return (lanes) (((lanes_mask) a & is_a) | ((lanes_mask) b & ~is_a));
}

INLINE bool is_any_below(lanes v, lanes bound)
{
    const lanes_mask is = v < bound;
    return (is[0] | is[1] | is[2] | is[3]) != 0;
}

#endif

/* Never needed: the width is a number of eights. */
typedef lanes eight;

INLINE eight load_eight(const float *from)
{
    return *(const lanes_at *) from;
}

INLINE void store_eight(float *to, eight v)
{
    *(lanes_at *) to = v;
}

INLINE eight first_eight(lanes v)
{
    return v;
}

INLINE lanes widen(eight v)
{
    return v;
}

#endif

INLINE lanes load(const float *from)
{
    return *(const lanes_at *) from;
}

/* v in each. */
INLINE lanes all_lanes(float v)
{
    return v - (lanes){0};
}

INLINE void store(float *to, lanes v)
{
    *(lanes_at *) to = v;
}

/* 0 where v is negative or no number. */
INLINE lanes positive(lanes v)
{
    return (lanes) ((lanes_mask) v & (lanes_mask) (v > 0.0F));
}

#endif
