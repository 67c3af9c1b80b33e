/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/support/links_case.h - several "processes" of a run within the test's own. */
#ifndef STRADS_TESTS_LINKS_CASE_H
#define STRADS_TESTS_LINKS_CASE_H

#include "net/links.h"

/* Two ends of one connection. */
void links_case_streams(net_stream *ends[2]);

/* Links n_processes with each other; process p has the nodes n_nodes p / n_processes up
 * to those of the next. links[p] is for net_links_end. */
void links_case_make(net_links **links, uint32_t n_processes, uint32_t n_nodes,
                     const net_links_options *options);

/* Ends all of them at the same time, as each process does; their outcomes. */
void links_case_end(net_links **links, uint32_t n_processes, strads_status *statuses);

#endif
