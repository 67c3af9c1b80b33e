/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * data/number.c - decimal text to double, correctly rounded and fast.
 *
 * A number w * 10^e with w < 2^64 goes one of three ways. When w and 10^|e| are
 * both doubles, one multiplication or division rounds once (W. D. Clinger, "How
 * to read floating point numbers accurately", PLDI 1990). When 5^|e| fits 64
 * bits, integer arithmetic of 128 bits keeps all that rounding needs. The rest,
 * more than 19 digits or far exponents, is left to strtod.
 */
#include "data/number.h"

#include <math.h>
#include <stdlib.h>

enum {
    MAX_DIGITS = 19,     /* 10^19 - 1 < 2^64 */
    MAX_POW5 = 27,       /* 5^27 < 2^63 */
    MAX_EXACT_POW10 = 22 /* 10^22 is a double */
};
static const uint64_t MAX_EXACT_INTEGER = UINT64_C(1) << 53;
static const int64_t FAR_EXPONENT = 1000000; /* beyond any double; stops the scan's sum */

__extension__ typedef unsigned __int128 uint128;

typedef struct decimal {
    uint64_t digits;    /* the first 19 significant ones */
    uint32_t n_digits;  /* significant ones, all of them */
    int64_t exponent10; /* of the last digit taken into `digits` */
    bool negative;
} decimal;

static bool is_digit(char c)
{
    return (unsigned char) (c - '0') < 10;
}

static void take_digit(decimal *d, char c)
{
    if (d->n_digits < MAX_DIGITS) {
        d->digits = d->digits * 10 + (uint64_t) (c - '0');
        d->n_digits += d->digits != 0; /* zeros in front do not count */
    } else {
        d->n_digits = MAX_DIGITS + 1;
    }
}

/* The exponent after an 'e'; NULL when there are no digits. */
static const char *scan_exponent(const char *p, int64_t *out)
{
    const bool negative = *p == '-';
    p += *p == '-' || *p == '+';
    if (!is_digit(*p)) {
        return NULL;
    }
    int64_t value = 0;
    for (; is_digit(*p); p++) {
        value = value < FAR_EXPONENT ? value * 10 + (*p - '0') : FAR_EXPONENT;
    }
    *out = negative ? -value : value;
    return p;
}

static const char *scan_decimal(const char *p, decimal *d)
{
    d->negative = *p == '-';
    p += *p == '-' || *p == '+';
    const char *const whole = p;
    for (; is_digit(*p); p++) {
        take_digit(d, *p);
    }
    size_t n_seen = (size_t) (p - whole);
    if (*p == '.') {
        const char *const fraction = ++p;
        for (; is_digit(*p); p++) {
            take_digit(d, *p);
        }
        d->exponent10 = fraction - p;
        n_seen += (size_t) (p - fraction);
    }
    if (n_seen == 0) {
        return NULL;
    }
    int64_t exponent = 0;
    if (*p == 'e' || *p == 'E') {
        p = scan_exponent(p + 1, &exponent);
    }
    d->exponent10 += exponent;
    return p;
}

/* 5^0 .. 5^27 */
static const uint64_t pow5[MAX_POW5 + 1] = {1,
                                            5,
                                            25,
                                            125,
                                            625,
                                            3125,
                                            15625,
                                            78125,
                                            390625,
                                            1953125,
                                            9765625,
                                            48828125,
                                            244140625,
                                            1220703125,
                                            UINT64_C(6103515625),
                                            UINT64_C(30517578125),
                                            UINT64_C(152587890625),
                                            UINT64_C(762939453125),
                                            UINT64_C(3814697265625),
                                            UINT64_C(19073486328125),
                                            UINT64_C(95367431640625),
                                            UINT64_C(476837158203125),
                                            UINT64_C(2384185791015625),
                                            UINT64_C(11920928955078125),
                                            UINT64_C(59604644775390625),
                                            UINT64_C(298023223876953125),
                                            UINT64_C(1490116119384765625),
                                            UINT64_C(7450580596923828125)};

/* digits * 10^exponent10 for |exponent10| <= 27 and digits > 0. Both branches end
 * in the one rounding of a 128-bit integer; the powers of two are exact. */
static double scale_by_integers(uint64_t digits, int64_t exponent10)
{
    if (exponent10 >= 0) {
        return ldexp((double) ((uint128) digits * pow5[exponent10]), (int) exponent10);
    }
    const int lead = __builtin_clzll(digits);
    const uint128 dividend = (uint128) (digits << lead) << 64;
    const uint64_t divisor = pow5[-exponent10];
    uint128 quotient = dividend / divisor;      /* more than 64 bits, as divisor < 2^63 */
    quotient |= quotient * divisor != dividend; /* what is cut off, for the rounding */
    return ldexp((double) quotient, (int) exponent10 - 64 - lead);
}

locale_t data_point_begin(void)
{
    return uselocale(newlocale(LC_ALL_MASK, "C", (locale_t) 0));
}

void data_point_end(locale_t saved)
{
    freelocale(uselocale(saved));
}

/* By the C library: the grammar is checked already. */
static double scale_by_strtod(const char *text)
{
    const locale_t saved = data_point_begin();
    const double value = strtod(text, NULL);
    data_point_end(saved);
    return fabs(value);
}

static double magnitude_of(const decimal *d, const char *text)
{
    static const double pow10[MAX_EXACT_POW10 + 1] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    };
    const int64_t e = d->exponent10;
    if (d->n_digits > MAX_DIGITS) {
        return scale_by_strtod(text);
    }
    if (d->digits <= MAX_EXACT_INTEGER && e >= -MAX_EXACT_POW10 && e <= MAX_EXACT_POW10) {
        return e < 0 ? (double) d->digits / pow10[-e] : (double) d->digits * pow10[e];
    }
    if (d->digits == 0) {
        return 0.0;
    }
    return e >= -MAX_POW5 && e <= MAX_POW5 ? scale_by_integers(d->digits, e)
                                           : scale_by_strtod(text);
}

const char *data_number_scan(const char *text, double *out)
{
    decimal d = {0};
    const char *end = scan_decimal(text, &d);
    if (end != NULL) {
        const double magnitude = magnitude_of(&d, text);
        *out = d.negative ? -magnitude : magnitude;
    }
    return end;
}

const char *data_number_scan_index(const char *text, uint64_t *out)
{
    const char *p = text;
    uint64_t value = 0;
    for (; is_digit(*p); p++) {
        const uint64_t digit = (uint64_t) (*p - '0');
        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
    }
    if (p == text) {
        return NULL;
    }
    *out = value;
    return p;
}
