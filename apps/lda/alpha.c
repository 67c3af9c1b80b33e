/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/alpha.c - Minka's fixed point for the prior of the documents' topics. */
#include "apps/lda/alpha.h"

#include <gsl/gsl_sf_psi.h>
#include <math.h>

/* A step that changes all by less than this share of their mean is the last. */
static const double SETTLED = 1e-3;

/* The count that stands for a bin. */
static double count_of(size_t bin)
{
    if (bin < LDA_ALPHA_EXACT) {
        return (double) bin;
    }
    const size_t doubling = (bin - LDA_ALPHA_EXACT) / LDA_ALPHA_A_DOUBLING;
    const size_t eighth = (bin - LDA_ALPHA_EXACT) % LDA_ALPHA_A_DOUBLING;
    const double width = ldexp(2.0, (int) doubling);
    return width * (double) (LDA_ALPHA_A_DOUBLING + eighth) + (width - 1.0) / 2.0;
}

/* sum_c histogram[c] [psi(c + a) - psi(a)]; for small c the difference is sum_{i < c} 1 / (a + i).
 */
static double sum_digammas(const double *histogram, size_t n_bins, double a)
{
    const size_t n_exact = n_bins < LDA_ALPHA_EXACT ? n_bins : LDA_ALPHA_EXACT;
    double sum = 0.0;
    double difference = 0.0;
    for (size_t c = 1; c < n_exact; c++) {
        difference += 1.0 / (a + (double) (c - 1));
        sum += histogram[c] * difference;
    }
    double base = NAN; /* psi(a), where it is needed */
    for (size_t bin = n_exact; bin < n_bins; bin++) {
        if (histogram[bin] > 0.0) {
            base = isnan(base) ? gsl_sf_psi(a) : base;
            sum += histogram[bin] * (gsl_sf_psi(count_of(bin) + a) - base);
        }
    }
    return sum;
}

/* One step; returns the largest change, or 0 where there is no document to learn from. */
static double step(double *alpha, size_t n_topics, const double *histograms, size_t n_bins,
                   double sum)
{
    const double lengths = sum_digammas(histograms + n_topics * n_bins, n_bins, sum);
    double largest = 0.0;
    for (size_t k = 0; k < n_topics && lengths > 0.0; k++) {
        const double counts = sum_digammas(histograms + k * n_bins, n_bins, alpha[k]);
        const double next = fmax(alpha[k] * counts / lengths, LDA_ALPHA_FLOOR);
        largest = fmax(largest, fabs(next - alpha[k]));
        alpha[k] = next;
    }
    return largest;
}

void lda_alpha_update(double *alpha, size_t n_topics, const double *histograms, size_t n_bins,
                      size_t n_steps)
{
    for (size_t i = 0; i < n_steps; i++) {
        double sum = 0.0;
        for (size_t k = 0; k < n_topics; k++) {
            sum += alpha[k];
        }
        if (step(alpha, n_topics, histograms, n_bins, sum) < SETTLED * sum / (double) n_topics) {
            return;
        }
    }
}
