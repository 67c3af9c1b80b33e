/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/kernels_lanes.h - what kernels.c needs of an instruction set: vectors of LANES numbers.
 * Only this file knows how many these are.
 */
#ifndef STRADS_LDA_KERNELS_LANES_H
#define STRADS_LDA_KERNELS_LANES_H

#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__)
enum { LANES = 16 };
#define BYTES_(n) ((n) *16)
#elif defined(__AVX2__)
enum { LANES = 8 };
#define BYTES_(n) ((n) *8)
#else
enum { LANES = 4 };
#define BYTES_(n) ((n) *4)
#endif

typedef float lanes __attribute__((vector_size(BYTES_(4))));
typedef float lanes_at __attribute__((vector_size(BYTES_(4)), aligned(4), may_alias));
typedef int32_t ints __attribute__((vector_size(BYTES_(4))));
typedef int32_t ints_at __attribute__((vector_size(BYTES_(4)), aligned(4), may_alias));
typedef uint32_t words __attribute__((vector_size(BYTES_(4))));
typedef uint32_t words_at __attribute__((vector_size(BYTES_(4)), aligned(4), may_alias));
typedef int16_t shorts __attribute__((vector_size(BYTES_(2))));
typedef uint16_t ushorts __attribute__((vector_size(BYTES_(2))));
typedef uint16_t ushorts_at __attribute__((vector_size(BYTES_(2)), aligned(2), may_alias));

#if defined(__AVX512F__)
#define COUNTING_ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
#elif defined(__AVX2__)
#define COUNTING_ 0, 1, 2, 3, 4, 5, 6, 7
#else
#define COUNTING_ 0, 1, 2, 3
#endif

/* 0, 1, 2, ... */
static const ints counting = {COUNTING_};
static const shorts counting_shorts = {COUNTING_};

INLINE lanes load(const float *from)
{
    return *(const lanes_at *) from;
}

INLINE void store(float *to, lanes v)
{
    *(lanes_at *) to = v;
}

INLINE lanes all(float v)
{
    return v - (lanes){0};
}

INLINE lanes choose(ints mask, lanes yes, lanes no)
{
    return (lanes) ((mask & (ints) yes) | (~mask & (ints) no));
}

/* ---- across lanes ---- */

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)

INLINE uint32_t bits(ints mask)
{
    return _mm512_movepi32_mask((__m512i) mask);
}

INLINE int32_t lane_of(ints v, uint32_t lane)
{
    return _mm_cvtsi128_si32(_mm512_castsi512_si128(
        _mm512_permutexvar_epi32(_mm512_set1_epi32((int) lane), (__m512i) v)));
}

INLINE lanes last(lanes v)
{
    return (lanes) _mm512_permutexvar_ps(_mm512_set1_epi32(15), (__m512) v);
}

#define UP_(n) _mm512_alignr_epi32((__m512i) v, _mm512_setzero_si512(), 16 - (n))

/* Lane i gets lane i - 1; the first one 0. */
INLINE lanes up(lanes v)
{
    return (lanes) UP_(1);
}

/* Lane i gets the sum of the lanes 0 .. i. */
INLINE lanes prefix(lanes v)
{
    v += (lanes) UP_(1);
    v += (lanes) UP_(2);
    v += (lanes) UP_(4);
    return v + (lanes) UP_(8);
}

#elif defined(__AVX2__)

INLINE uint32_t bits(ints mask)
{
    return (uint32_t) _mm256_movemask_ps((__m256) mask);
}

INLINE int32_t lane_of(ints v, uint32_t lane)
{
    return _mm256_cvtsi256_si32(
        _mm256_permutevar8x32_epi32((__m256i) v, _mm256_set1_epi32((int) lane)));
}

INLINE lanes last(lanes v)
{
    return (lanes) _mm256_permutevar8x32_ps((__m256) v, _mm256_set1_epi32(7));
}

INLINE lanes up(lanes v)
{
    const __m256i low = _mm256_permute2x128_si256((__m256i) v, (__m256i) v, 0x08); /* 0, low */
    return (lanes) _mm256_alignr_epi8((__m256i) v, low, 12);
}

INLINE lanes prefix(lanes v)
{
    v += (lanes) _mm256_slli_si256((__m256i) v, 4);
    v += (lanes) _mm256_slli_si256((__m256i) v, 8);
    const __m256 low = _mm256_permute_ps((__m256) v, 0xff);
    return v + (lanes) _mm256_permute2f128_ps(low, low, 0x08);
}

#else

INLINE uint32_t bits(ints mask)
{
    return (uint32_t) ((mask[0] & 1) | (mask[1] & 2) | (mask[2] & 4) | (mask[3] & 8));
}

INLINE int32_t lane_of(ints v, uint32_t lane)
{
    return v[lane];
}

INLINE lanes last(lanes v)
{
    return all(v[3]);
}

INLINE lanes up(lanes v)
{
    return __builtin_shufflevector(v, (lanes){0}, 4, 0, 1, 2);
}

INLINE lanes prefix(lanes v)
{
    v += __builtin_shufflevector(v, (lanes){0}, 4, 0, 1, 2);
    return v + __builtin_shufflevector(v, (lanes){0}, 4, 4, 0, 1);
}

#endif

/* How many lanes but the last are at most `bound`. */
INLINE uint32_t n_below(lanes v, lanes bound)
{
    return (uint32_t) __builtin_popcount(bits(v <= bound) & ((1U << (LANES - 1)) - 1));
}

INLINE float lane_float(lanes v, uint32_t lane)
{
    const union {
        int32_t bits;
        float value;
    } it = {.bits = lane_of((ints) v, lane)};
    return it.value;
}

/* LANES counts of 16 bits. */
INLINE ints load_shorts(const uint16_t *from)
{
#if defined(__AVX512F__)
    return (ints) _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *) from));
#elif defined(__AVX2__)
    return (ints) _mm256_cvtepu16_epi32(_mm_loadu_si128((const void *) from));
#else
    return __builtin_convertvector(*(const ushorts_at *) from, ints);
#endif
}

/* Those of `from` that the entries have in their low halves. Of eight, loads one by one are faster
 * than the instruction that gathers. */
INLINE lanes gather(const float *from, const uint32_t *entries)
{
#define AT_(i) from[(uint16_t) entries[i]]
#if defined(__AVX512F__)
    const words topics = *(const words_at *) entries & UINT16_MAX;
    return (lanes) _mm512_i32gather_ps((__m512i) topics, from, sizeof(*from));
#elif defined(__AVX2__)
    return (lanes){AT_(0), AT_(1), AT_(2), AT_(3), AT_(4), AT_(5), AT_(6), AT_(7)};
#else
    return (lanes){AT_(0), AT_(1), AT_(2), AT_(3)};
#endif
#undef AT_
}

/* ---- one lane of many, in memory ----
 *
 * All of the vector is stored, since a narrower store is not seen by the next wide load until
 * it has gone to the cache. */

INLINE void put_float(float *array, uint32_t at, float value)
{
    float *chunk = array + at / LANES * LANES;
    store(chunk, choose(counting == (int32_t) (at % LANES), all(value), load(chunk)));
}

INLINE void put_word(uint32_t *array, uint32_t at, uint32_t value)
{
    words_at *chunk = (words_at *) (array + at / LANES * LANES);
    const words hot = (words) (counting == (int32_t) (at % LANES));
    *chunk = (hot & (value - (words){0})) | (~hot & *chunk);
}

INLINE void add_word(uint32_t *array, uint32_t at, uint32_t value)
{
    words_at *chunk = (words_at *) (array + at / LANES * LANES);
    const words hot = (words) (counting == (int32_t) (at % LANES));
    *chunk += hot & (value - (words){0});
}

INLINE void add_short(uint16_t *array, uint32_t at, int16_t value)
{
    ushorts_at *chunk = (ushorts_at *) (array + at / LANES * LANES);
    const ushorts hot = (ushorts) (counting_shorts == (int16_t) (at % LANES));
    *chunk += hot & (ushorts) (value - (shorts){0});
}

/* ---- random numbers: xoshiro128+ (Blackman & Vigna 2018), one in each lane ---- */

/* In [0, 1), multiples of 2^-24. */
INLINE lanes uniform(uint32_t (*state)[16])
{
    words a = *(words_at *) state[0];
    words b = *(words_at *) state[1];
    words c = *(words_at *) state[2];
    words d = *(words_at *) state[3];
    const words sum = a + d;
    const words t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = d << 11 | d >> 21;
    *(words_at *) state[0] = a;
    *(words_at *) state[1] = b;
    *(words_at *) state[2] = c;
    *(words_at *) state[3] = d;
    return __builtin_convertvector((ints) (sum >> 8), lanes) * 0x1p-24F;
}

#endif
