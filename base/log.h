/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * base/log.h - what a program that fails may say to others than the reader of its stderr:
 * the first error is mostly the cause, and the others come of it.
 */
#ifndef STRADS_BASE_LOG_H
#define STRADS_BASE_LOG_H

#include "base/base.h"

/* The next error is the first. */
void strads_log_forget_first(void);

/* Copies the first error, cut to bytes - 1; "" when there was none. */
void strads_log_first(char *text, size_t bytes);

#endif
