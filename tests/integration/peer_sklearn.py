# SPDX-License-Identifier: GPL-3.0-or-later
"""Solves the problem in FOLDER/peer-*.txt with scikit-learn, for test_peers.c.

Arguments: FOLDER LAMBDA L1_RATIO INTERCEPT STANDARDIZE, of the objective in
apps/lasso/lasso.h. scikit-learn divides its objective by n and does not standardise:
alpha = LAMBDA / n, and columns are scaled here. Writes the intercept and the coefficients.
"""
import sys

import numpy
from sklearn.linear_model import ElasticNet

folder = sys.argv[1]
penalty, l1_ratio = float(sys.argv[2]), float(sys.argv[3])
intercept, standardize = sys.argv[4] == "1", sys.argv[5] == "1"
x = numpy.loadtxt(folder + "/peer-x.txt")
y = numpy.loadtxt(folder + "/peer-y.txt")
scale = x.std(axis=0) if standardize else numpy.ones(x.shape[1])
model = ElasticNet(alpha=penalty / len(y), l1_ratio=l1_ratio, fit_intercept=intercept,
                   tol=1e-14, max_iter=1000000)
model.fit(x / scale, y)
numpy.savetxt(folder + "/peer-b.txt", [model.intercept_, *(model.coef_ / scale)], "%.17g")
