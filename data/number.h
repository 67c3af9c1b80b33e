/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/number.h - decimal text to double, correctly rounded and fast. */
#ifndef STRADS_DATA_NUMBER_H
#define STRADS_DATA_NUMBER_H

#include <locale.h>

#include "base/base.h"

/* Scans [+-] digits [. digits] [e [+-] digits] at the start of `text`, whatever
 * the locale; no leading blanks, no hexadecimal, no inf or nan. Returns where it
 * ends, or NULL when there is no number. The text must go on with a byte that no
 * number contains (a newline, a NUL). A number too large for a double gives an
 * infinity: the caller checks. */
const char *data_number_scan(const char *text, double *out) STRADS_MUST_CHECK;

/* Scans digits alone; a value above UINT64_MAX gives UINT64_MAX. As above. */
const char *data_number_scan_index(const char *text, uint64_t *out) STRADS_MUST_CHECK;

/* Between begin and end the thread reads and prints numbers with a point, whatever
 * the locale of the program; pass what begin returned. */
locale_t data_point_begin(void);
void data_point_end(locale_t saved);

#endif
