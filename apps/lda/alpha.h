/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * apps/lda/alpha.h - the prior of the documents' topics, fitted to their counts.
 *
 * Minka's fixed point ("Estimating a Dirichlet distribution", 2000) on histograms of counts
 * (Wallach 2008):
 *
 *   alpha_k <- alpha_k * sum_d [psi(n_dk + alpha_k) - psi(alpha_k)] / sum_d [psi(n_d + A) -
 * psi(A)],
 *
 * A = sum of alpha. No step lets the likelihood of the counts fall.
 *
 * Counts below 16 have a bin each; longer ones eight bins a doubling, whose middle stands for them,
 * so it is at most a sixteenth off. The histograms of workers, and of processes, are added up.
 */
#ifndef STRADS_LDA_ALPHA_H
#define STRADS_LDA_ALPHA_H

#include "base/base.h"

enum { LDA_ALPHA_EXACT = 16, LDA_ALPHA_A_DOUBLING = 8 };

/* The bin of a count. */
static inline size_t lda_alpha_bin(uint32_t count)
{
    if (count < LDA_ALPHA_EXACT) {
        return count;
    }
    const int log = 31 - __builtin_clz(count);
    return LDA_ALPHA_EXACT + (size_t) (log - 4) * LDA_ALPHA_A_DOUBLING + ((count >> (log - 3)) & 7);
}

/* The bins that counts up to `longest`, tokens of a document, need: at most 240. */
static inline size_t lda_alpha_n_bins(uint32_t longest)
{
    return lda_alpha_bin(longest) + 1;
}

/* Histograms are [n_topics + 1][n_bins]: how many documents have a count in the bin; those of n_dk
 * for each topic, then those of n_d. What is in bin 0 does not matter. */
static inline void lda_alpha_add(double *histograms, size_t n_bins, size_t row, uint32_t count)
{
    histograms[row * n_bins + lda_alpha_bin(count)] += 1.0;
}

/* No alpha_k becomes less, so that a topic which all documents have left may come back. */
#define LDA_ALPHA_FLOOR 1e-5

/* alpha[n_topics] > 0 := the fixed point, after at most n_steps; fewer when a step changes none by
 * a thousandth of A / n_topics. Without documents that have tokens nothing changes. */
void lda_alpha_update(double *alpha, size_t n_topics, const double *histograms, size_t n_bins,
                      size_t n_steps);

#endif
