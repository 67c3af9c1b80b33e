#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What simulating costs: the wall time of a Lasso of 5,000 x 500,000 on simulated
# machines over that of the same updates on one thread, in alternation. Every round
# updates 1,000 variables a machine, about 100 us of work; lambda is close to lambda_max,
# so that hardly any variable moves and 256,000 may go side by side.
#
#   [RUNS=5] [MACHINES="16 256"] bench/sim.sh
#
# Prints one JSON line a size: the seconds of both, medians, their ratio, and the peak
# memory of the simulation beside that of the thread.
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
runs=${RUNS:-5}
machines=${MACHINES:-16 256}

$strads generate lasso --rows 5000 --cols 500000 --entries 25 --correlation 0.9 --shared 0.9 \
    --informative 500 --noise 0.3 --seed 1 --out "$work/data" >/dev/null
printf 'app: lasso\nlasso: {lambda_ratio: 0.99, intercept: false}\nstop: {gap: 0}\n' \
    >"$work/bench.yaml"

# Prints "SECONDS MB", loading excluded.
run() { # name settings...
    local name=$1
    shift
    $strads run "$work/bench.yaml" --quiet --out "$work/$name" --set "data.path=$work/data.libsvm" \
        "$@" >/dev/null
    awk -F'[:,]' '/"load"/ { l = $2 } /"total"/ { t = $2 } /"peak_rss_mb"/ { m = $2 }
        END { print t - l, m + 0 }' "$work/$name/summary.json"
}

for p in $machines; do
    round=(--set schedule.kind=cyclic --set "schedule.round=$((1000 * p))"
        --set "stop.rounds=$((6000000 / (1000 * p)))")
    for _ in $(seq "$runs"); do
        run thread "${round[@]}" --workers 1 >>"$work/thread.$p"
        run sim "${round[@]}" --set run.driver=sim --set "cluster.nodes=$p" >>"$work/sim.$p"
    done
    a=$(cut -d' ' -f1 "$work/thread.$p" | median)
    b=$(cut -d' ' -f1 "$work/sim.$p" | median)
    echo "$p $a $b $(cut -d' ' -f2 "$work/thread.$p" | median) $(cut -d' ' -f2 "$work/sim.$p" | median)" |
        awk '{ printf "{\"machines\": %d, \"thread_s\": %.3f, \"sim_s\": %.3f, \"ratio\": %.2f, " \
            "\"thread_mb\": %.0f, \"sim_mb\": %.0f}\n", $1, $2, $3, $3 / $2, $4, $5 }'
done
