# SPDX-License-Identifier: GPL-3.0-or-later
#
# Cross-validates the path of a run by cv.glmnet, at the same lambdas and folds, for
# test_lasso_path.c.
#
# Arguments: X.npy Y.npy FOLDER, of the run. Prints the largest relative differences of the
# errors, their spreads and the coefficients at the smallest lambda, and whether both choices
# of lambda are the same.
library(glmnet)
read_npy <- function(path) {
  from <- file(path, "rb")
  on.exit(close(from))
  invisible(readBin(from, "raw", 8))
  head <- readChar(from, readBin(from, "integer", 1, size = 2), useBytes = TRUE)
  shape <- as.numeric(strsplit(sub(".*shape': \\(([^)]*)\\).*", "\\1", head), ",")[[1]])
  values <- readBin(from, "double", prod(shape, na.rm = TRUE))
  if (length(shape) > 1 && !is.na(shape[2])) matrix(values, shape[1]) else values
}
given <- commandArgs(trailingOnly = TRUE)
x <- read_npy(given[1])
y <- read_npy(given[2])
left <- function(name) file.path(given[3], name)
path <- read.csv(left("path.csv"))
cv <- read.csv(left("cv.csv"))
fit <- cv.glmnet(x, y, lambda = path$lambda / length(y), foldid = read_npy(left("folds.npy")),
                 standardize = FALSE, thresh = 1e-18, maxit = 1e7)
chosen <- c(which.min(cv$error),
            which(cv$error <= min(cv$error) + cv$spread[which.min(cv$error)])[1])
theirs <- match(c(fit$lambda.min, fit$lambda.1se), fit$lambda)
ours <- read_npy(left("coefficients.npy"))
b <- as.vector(fit$glmnet.fit$beta[, chosen[1]])
cat(max(abs(fit$cvm / cv$error - 1)), max(abs(fit$cvsd / cv$spread - 1)),
    max(abs(b - ours)) / max(abs(b)), as.numeric(all(chosen == theirs)), "\n")
