#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Matrix factorisation by CCD++ beside gradient steps, by one worker and by two: seconds of a pass,
# seconds and passes to a test RMSE, and the best RMSE. Each has the mf.lambda that is best for it on
# syn10m. A line of JSON a case; runs in alternation, of which the one with the median time of a pass
# is told.
#
#   [TRAIN=FILE TEST=FILE] [TARGET=0.853] [PASSES=30] [RUNS=3] bench/mf-ccd.sh
#
# Without files 10 million ratings are generated, of which a tenth is held out.
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
target=${TARGET:-0.853}
passes=${PASSES:-30}
runs=${RUNS:-3}

link_ratings
sets=(--set "data.train=$work/train" --set data.cache=true --set mf.rank=40 --quiet)
[ -z "${TEST:-}" ] || sets+=(--set "data.test=$(realpath "$TEST")")

run() { # method kind lambda passes workers
    "$strads" run configs/mf.yaml "${sets[@]}" --set mf.method="$1" --set schedule.kind="$2" \
        --set mf.lambda="$3" --set mf.epochs="$4" --workers "$5" --out "$work/run" >/dev/null
    seconds_to | awk -F, -v method="$1" -v workers="$5" -v target="$target" '
        { n = $1; s = $2; if (NR == 1 || $3 < best) { best = $3; at = n } }
        $3 <= target && !to_n { to_n = n; to_s = s }
        END {
            printf "%.6g {\"method\":\"%s\",\"workers\":%d,\"pass_seconds\":%.3g,", s / n, method, workers, s / n
            printf "\"passes_to\":%s,\"seconds_to\":%s,", to_n ? sprintf("%d", to_n) : "null", to_n ? sprintf("%.3g", to_s) : "null"
            printf "\"best_rmse\":%.4f,\"best_pass\":%d}\n", best, at
        }' >>"$work/$1.$5"
}

for _ in $(seq "$runs"); do
    for workers in 1 2; do
        run sgd rotation 0.04 12 "$workers"
        run ccd cyclic 0.06 "$passes" "$workers"
    done
done
for case in sgd.1 sgd.2 ccd.1 ccd.2; do
    sort -g "$work/$case" | sed -n "$(((runs + 1) / 2))s/^[^ ]* //p"
done
