/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lasso/kernels_codes.h - the part of kernels.c that makes codes and multiplies them. */
#ifndef STRADS_LASSO_KERNELS_CODES_H
#define STRADS_LASSO_KERNELS_CODES_H

#if defined(__AVX2__)
#include <immintrin.h>
#endif
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "apps/lasso/kernels_vectors.h"

/* As many floats as one instruction takes, or two; and the codes that are made floats. */
#if defined(__AVX512F__)
typedef float floats __attribute__((vector_size(64), aligned(4), may_alias));
enum { CODES = 16 };
#else
typedef float floats __attribute__((vector_size(32), aligned(4), may_alias));
typedef int8_t bytes __attribute__((vector_size(8), aligned(1), may_alias));
typedef int16_t shorts __attribute__((vector_size(16)));
typedef int32_t words __attribute__((vector_size(32)));
enum { CODES = 8 };
#endif

enum {
    CODE_STRIP = 4 * CODES,
    AHEAD_CODES = 1024, /* fetched, maybe of the next column */
    LARGEST_CODE = 127
};

/* Added and taken off again it rounds to a whole number. */
static const double ROUNDER = 0x1.8p52;

/* Codes a value, and adds to the squares that are lost. */
INLINED void encode_one(double x, double inverse, double step, int8_t *code, double *lost)
{
    const double rounded = x * inverse + ROUNDER - ROUNDER;
    const double left = x - step * rounded;
    *lost += left * left;
    *code = (int8_t) (int32_t) rounded;
}

static double encode(const double *restrict x, size_t n, int8_t *restrict code, double *step)
{
    double largest[LANES] = {0};
    double lost[LANES] = {0};
    const size_t n_whole = n / LANES * LANES;
    for (size_t i = 0; i < n_whole; i += LANES) {
        for (size_t k = 0; k < LANES; k++) {
            largest[k] = larger(fabs(x[i + k]), largest[k]);
        }
    }
    for (size_t i = n_whole; i < n; i++) {
        largest[0] = larger(fabs(x[i]), largest[0]);
    }
    for (size_t k = 1; k < LANES; k++) {
        largest[0] = larger(largest[k], largest[0]);
    }
    *step = largest[0] / LARGEST_CODE;
    const double inverse = *step > 0.0 ? 1.0 / *step : 0.0;
    for (size_t i = 0; i < n_whole; i += LANES) {
        for (size_t k = 0; k < LANES; k++) {
            encode_one(x[i + k], inverse, *step, code + i + k, lost + k);
        }
    }
    for (size_t i = n_whole; i < n; i++) {
        encode_one(x[i], inverse, *step, code + i, lost);
    }
    return sum_of((const vec8 *) lost);
}

/* sum += code_i y_i of those from i on. Without their names compilers take a dozen instructions to
 * make bytes floats, where the processor has two. */
INLINED void add_coded(floats *sum, const int8_t *restrict code, const float *restrict y, size_t i)
{
#if defined(__AVX512F__)
    const __m512i whole = _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i_u *) (code + i)));
    const floats wide = (floats) _mm512_cvtepi32_ps(whole);
#elif defined(__AVX2__)
    const __m256i whole = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i_u *) (code + i)));
    const floats wide = (floats) _mm256_cvtepi32_ps(whole);
#else
    const shorts half = __builtin_convertvector(*(const bytes *) (code + i), shorts);
    const floats wide = __builtin_convertvector(__builtin_convertvector(half, words), floats);
#endif
    *sum += wide * *(const floats *) (y + i);
}

INLINED double dot_coded(const int8_t *restrict code, const float *restrict y, size_t n)
{
    floats s0 = {0};
    floats s1 = {0};
    floats s2 = {0};
    floats s3 = {0};
    size_t i = 0;
    for (; i + CODE_STRIP <= n; i += CODE_STRIP) {
        __builtin_prefetch(code + i + AHEAD_CODES);
        add_coded(&s0, code, y, i);
        add_coded(&s1, code, y, i + CODES);
        add_coded(&s2, code, y, i + 2 * CODES);
        add_coded(&s3, code, y, i + 3 * CODES);
    }
    for (; i + CODES <= n; i += CODES) {
        add_coded(&s0, code, y, i);
    }
    float rest[CODES] = {0.0F};
    for (size_t k = 0; i + k < n; k++) {
        rest[k] = (float) code[i + k] * y[i + k];
    }
    s1 += *(const floats *) rest;
    s0 = (s0 + s1) + (s2 + s3);
    float sums[CODES];
    double wide[LANES];
    memcpy(sums, &s0, sizeof(sums));
    for (size_t k = 0; k < LANES; k++) {
        wide[k] = (double) sums[k];
    }
    for (size_t k = LANES; k < CODES; k++) {
        wide[k - LANES] += (double) sums[k];
    }
    return sum_of((const vec8 *) wide);
}

static void dots_coded(const int8_t *code, size_t n_rows, const uint32_t *which, size_t n,
                       const float *restrict y, double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = dot_coded(code + (which == NULL ? i : which[i]) * n_rows, y, n_rows);
    }
}

#endif
