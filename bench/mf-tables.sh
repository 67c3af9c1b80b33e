#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Matrix factorisation through tables beside the grid: two processes that are joined by tcp on this
# machine, with a worker each. Seconds of a pass and which share of them workers waited, what was
# sent in a pass, seconds and passes to a test RMSE, and the RMSE at the end. A line of JSON a
# case, of the run with the median time of a pass; runs in alternation.
#
#   [TRAIN=FILE TEST=FILE] [TARGET=0.853] [PASSES=12] [RUNS=3] [PORT=7130] [CASES=...]
#     bench/mf-tables.sh
#
# A case is grid, or tables:STALENESS:EAGER. Without files 10 million ratings are generated, of
# which a tenth is held out.
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
target=${TARGET:-0.853}
passes=${PASSES:-12}
runs=${RUNS:-3}
port=${PORT:-7130}
cases=${CASES:-grid tables:0:false tables:1:false tables:4:false tables:16:false tables:4:true tables:inf:false}

link_ratings
sets=(--set "data.train=$work/train" --set data.cache=true --set mf.rank=40 --quiet
    --set "mf.epochs=$passes" --workers 2 --processes 2)
[ -z "${TEST:-}" ] || sets+=(--set "data.test=$(realpath "$TEST")")

joined() { # settings...
    "$strads" worker --join "tcp://127.0.0.1:$port" >/dev/null 2>&1 &
    "$strads" coordinator configs/mf.yaml "${sets[@]}" "$@" --listen "tcp://127.0.0.1:$port" \
        --out "$work/run" >/dev/null 2>&1
    wait $!
}

tell() { # case
    seconds_to | awk -F, -v case="$1" -v target="$target" -v waited="$(number ssp_wait_seconds)" \
        -v bytes="$(number ssp_bytes)" '
        { n = $1; s = $2; rmse = $3 }
        $3 <= target && !to_n { to_n = n; to_s = s }
        END {
            printf "%.6g {\"case\":\"%s\",\"pass_seconds\":%.3g,", s / n, case, s / n
            printf "\"waiting\":%s,\"mb\":%s,", case == "grid" ? "null" : sprintf("%.2f", waited / 2 / s), \
                case == "grid" ? "null" : sprintf("%.3g", bytes / n / 1e6)
            printf "\"passes_to\":%s,\"seconds_to\":%s,", to_n ? to_n : "null", to_n ? sprintf("%.3g", to_s) : "null"
            printf "\"rmse\":%.4f}\n", rmse
        }' >>"$work/$1"
}

for _ in $(seq "$runs"); do
    for case in $cases; do
        if [ "$case" = grid ]; then
            joined --set schedule.kind=rotation
        else
            IFS=: read -r _ staleness eager <<<"$case"
            joined --set schedule.kind=data_parallel --set "ssp.staleness=$staleness" \
                --set "ssp.eager=$eager"
        fi
        tell "$case"
    done
done
for case in $cases; do
    sort -g "$work/$case" | sed -n "$(((runs + 1) / 2))s/^[^ ]* //p"
done
