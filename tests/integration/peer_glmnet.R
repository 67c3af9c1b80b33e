# SPDX-License-Identifier: GPL-3.0-or-later
#
# Solves the problem in FOLDER/peer-*.txt with glmnet, for test_peers.c.
#
# Arguments: FOLDER LAMBDA L1_RATIO INTERCEPT STANDARDIZE, of the objective in
# apps/lasso/lasso.h. glmnet divides its objective by n and scales y to variance 1, which
# changes what the quadratic penalty weighs; so y is scaled here, and with y = s y', b = s b'
# the penalty is LAMBDA L1_RATIO / s on |b'| and LAMBDA (1 - L1_RATIO) on b'^2 / 2.
library(glmnet)
given <- commandArgs(trailingOnly = TRUE)
folder <- given[1]
penalty <- as.numeric(given[2])
l1_ratio <- as.numeric(given[3])
x <- as.matrix(read.table(file.path(folder, "peer-x.txt")))
y <- scan(file.path(folder, "peer-y.txt"), quiet = TRUE)
intercept <- given[4] == "1"
s <- if (intercept) sqrt(mean((y - mean(y))^2)) else sqrt(mean(y^2))
l1 <- penalty * l1_ratio / s
l2 <- penalty * (1 - l1_ratio)
fit <- glmnet(x, y / s, alpha = l1 / (l1 + l2), lambda = (l1 + l2) / length(y),
              standardize = given[5] == "1", intercept = intercept, thresh = 1e-22, maxit = 1e7)
values <- s * c(fit$a0, as.vector(fit$beta))
writeLines(sprintf("%.17g", values), file.path(folder, "peer-b.txt"))
