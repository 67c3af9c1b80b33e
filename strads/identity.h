/* SPDX-License-Identifier: GPL-3.0-or-later */
/* strads/identity.h - hashes (XXH3-64) that tell whether two processes are alike. */
#ifndef STRADS_STRADS_IDENTITY_H
#define STRADS_STRADS_IDENTITY_H

#include "strads/strads.h"

/* Of the files of the running program and of this library. */
STRADS_MUST_CHECK strads_status identity_of_program(uint64_t *out);

/* Of the file that holds the model program: the program itself, or a plug-in. */
STRADS_MUST_CHECK strads_status identity_of_app(uint64_t *out, const strads_app *app);

/* Of what a configuration asks for: its values, but for paths and what is a process's own
 * (net.*, run.out and how many share the work). Never 0. */
STRADS_MUST_CHECK strads_status identity_of_config(uint64_t *out, const strads_config *config);

#endif
