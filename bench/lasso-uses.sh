#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The Lasso beside one lambda and an idle machine: a path of 100 values beside glmnet, logistic
# regression beside least squares, and two workers beside a program that keeps a core busy.
#
#   [PROBLEM=DIR] [RUNS=3] [WORKERS="1 2"] [ONLY="path classes busy"] bench/lasso-uses.sh
#
# PROBLEM is a folder as bench/problem_files.c reads, sparse; without it one is generated. Classes
# are the signs of y. Where R has glmnet, the path is held against it at its own tolerance: seconds,
# at how many values our objective is not above its, and by how much its is above ours at most.
#
# Lines of JSON, medians of the runs: seconds of the solve, loading excluded. "over" is to one
# value of .01 (path), to least squares of the same labels (classes; "over_of_y": of y itself), to
# one worker beside the same program (busy).
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
runs=${RUNS:-3}
workers=${WORKERS:-1 2}
only=${ONLY:-path classes busy}
make -s build/release/bench/problem_files
if [ -z "${PROBLEM:-}" ]; then
    PROBLEM=$work/problem
    mkdir "$PROBLEM"
    "$strads" generate lasso --rows 5000 --cols 200000 --entries 25 --correlation 0.9 --shared 0.9 \
        --informative 100 --noise 0.3 --seed 1 --out "$work/lasso.libsvm" >/dev/null
else
    build/release/bench/problem_files "$PROBLEM" "$work/lasso"
fi
awk '{ $1 = $1 > 0 ? 1 : -1; print }' "$work/lasso.libsvm" >"$work/classes.libsvm"

# solve FILE WORKERS SETTINGS...: prints the seconds.
solve() {
    local file=$1 w=$2
    shift 2
    "$strads" run bench/lasso.yaml --quiet --workers "$w" --out "$work/run" \
        --set "data.path=$work/$file.libsvm" --set data.cache=true "$@" >/dev/null
    number solve
}

path_of_glmnet() {
    Rscript - "$PROBLEM" "$work/run/path.csv" <<'END' 2>/dev/null
suppressMessages({ library(glmnet); library(Matrix) })
args <- commandArgs(TRUE)
column <- function(name, what, size) {
    file <- file.path(args[1], name)
    readBin(file, what, file.info(file)$size / size, size = size, endian = "little")
}
y <- column("y.f64", "double", 8)
starts <- column("indptr.i64", "integer", 4)
starts <- starts[seq(1, length(starts), 2)]
x <- new("dgCMatrix", i = column("indices.i32", "integer", 4), p = starts,
         x = column("data.f64", "double", 8), Dim = c(length(y), length(starts) - 1L))
ours <- read.csv(args[2])
seconds <- system.time(fit <- glmnet(x, y, standardize = FALSE, intercept = FALSE,
                                     lambda = ours$lambda / length(y)))[["elapsed"]]
theirs <- sapply(seq_along(fit$lambda), function(k) {
    b <- fit$beta[, k]
    r <- y - as.numeric(x %*% b)
    sum(r^2) / 2 + ours$lambda[k] * sum(abs(b))
})
mine <- ours$objective[seq_along(theirs)]
cat(sprintf("%g %d %d %g", seconds, sum(mine <= theirs * (1 + 1e-12)), nrow(ours),
            max(theirs / mine - 1)))
END
}

one_path() { # workers
    local each
    each=$(for _ in $(seq "$runs"); do
        solve lasso "$1" --set lasso.lambda_ratio=0.01 --set stop.gap=1e-4 >"$work/one"
        solve lasso "$1" --set lasso.path.count=100 --set lasso.path.ratio=0.01 \
            --set stop.gap=1e-4 >"$work/all"
        paste "$work/all" "$work/one"
    done)
    echo "$each" | awk '{ print $1 }' | median >"$work/path.$1"
    printf '{"what": "path", "workers": %d, "seconds": %.3g, "over": %.3g' "$1" \
        "$(cat "$work/path.$1")" "$(echo "$each" | awk '{ print $1 / $2 }' | median)"
    if [ -e "$PROBLEM/indptr.i64" ] && path_of_glmnet >"$work/glmnet"; then
        awk '{ printf ", \"glmnet_seconds\": %.3g, \"not_above\": %d, \"of\": %d, \"excess\": %.2g",
            $1, $2, $3, $4 }' "$work/glmnet"
    fi
    echo '}'
}

one_of_classes() { # workers
    local each
    each=$(for _ in $(seq "$runs"); do
        solve lasso "$1" --set lasso.lambda_ratio=0.1 >"$work/squares"
        solve classes "$1" --set lasso.lambda_ratio=0.1 >"$work/same"
        solve classes "$1" --set lasso.lambda_ratio=0.1 --set lasso.loss=logistic >"$work/logistic"
        paste "$work/logistic" "$work/same" "$work/squares"
    done)
    printf '{"what": "classes", "workers": %d, "seconds": %.3g, "over": %.3g, "over_of_y": %.3g}\n' \
        "$1" "$(echo "$each" | awk '{ print $1 }' | median)" \
        "$(echo "$each" | awk '{ print $1 / $2 }' | median)" \
        "$(echo "$each" | awk '{ print $1 / $3 }' | median)"
}

busy() { # ratio
    local each
    each=$(for _ in $(seq "$runs"); do
        solve lasso 1 --set "lasso.lambda_ratio=$1" >"$work/alone"
        solve lasso 2 --set "lasso.lambda_ratio=$1" >"$work/both"
        paste "$work/both" "$work/alone"
    done)
    printf '{"what": "busy", "ratio": %s, "workers": 2, "seconds": %.3g, "over": %.3g}\n' "$1" \
        "$(echo "$each" | awk '{ print $1 }' | median)" \
        "$(echo "$each" | awk '{ print $1 / $2 }' | median)"
}

solve lasso 1 --set lasso.lambda_ratio=0.5 >/dev/null # makes the caches
solve classes 1 --set lasso.lambda_ratio=0.5 --set lasso.loss=logistic >/dev/null
for what in $only; do
    case $what in
    path) for w in $workers; do one_path "$w"; done ;;
    classes) for w in $workers; do one_of_classes "$w"; done ;;
    busy)
        taskset -c 1 sh -c 'while :; do :; done' &
        neighbour=$!
        trap 'kill $neighbour; rm -rf "$work"' EXIT
        for ratio in 0.1 0.01; do busy "$ratio"; done
        ;;
    esac
done
