#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A Lasso by two workers: threads of one process, two processes of this machine, and two
# machines joined by a slow network, real and simulated. Seconds of the solve to a relative
# suboptimality GAP, in alternation; medians and ratios to the threads.
#
#   [DATA=FILE.libsvm] [RATIO=0.01] [RUNS=5] [RELAY_BIN=FILE] bench/processes.sh
#
# Without DATA a problem is generated; rows are measured on one with many of them. RELAY_BIN NS_A IP_A NS_B IP_B MICROSECONDS MBIT
# joins two network namespaces by a link of that latency and rate until it is killed; with
# it, and as root, two processes in such namespaces are measured too: 0.5 ms, 1 Gbit/s.
set -euo pipefail
cd "$(dirname "$0")/.."
ratio=${RATIO:-0.01}
runs=${RUNS:-5}
strads=$PWD/build/bin/strads
make -s all
work=$(mktemp -d "${TMPDIR:-/tmp}/strads-bench-XXXXXX")
spaces=()
relay=
cleanup() {
    [ -z "$relay" ] || kill "$relay" 2>/dev/null || true
    for space in "${spaces[@]}"; do ip netns del "$space" || true; done
    rm -rf "$work"
}
trap cleanup EXIT

data=${DATA:-}
if [ -z "$data" ]; then
    "$strads" generate lasso --rows 2000 --cols 100000 --entries 25 --correlation 0.9 \
        --shared 0.9 --informative 500 --noise 0.3 --seed 1 --out "$work/data" >/dev/null
    data=$work/data.libsvm
fi
"$strads" generate lasso --rows 100000 --cols 2000 --entries 1000 --correlation 0.5 \
    --shared 0.5 --informative 100 --noise 0.3 --seed 1 --out "$work/tall" >/dev/null
use() { # FILE.libsvm RATIO
    sets=(--set "data.path=$1" --set "lasso.lambda_ratio=$2" --set run.workers=2 --quiet)
    # The optimum is that of a tight run.
    threads none 1e-7
    optimum=$(awk -F'[:,]' '/"objective"/ { print $2 + 0; exit }' OFMT=%.17g "$work/run/summary.json")
}

# The seconds at which a run's objective was first within GAP of the optimum.
seconds_to() { # folder gap
    awk -F'[:,}]' -v optimum="$optimum" -v gap="$2" '{
        for (i = 1; i < NF; i++) {
            if ($i ~ /"seconds"/) s = $(i + 1)
            if ($i ~ /"objective"/) f = $(i + 1)
        }
        if (!found && f <= optimum * (1 + gap)) { print s; found = 1 }
    } END { if (!found) print "never" }' "$1/journal.jsonl"
}

threads() { # partition gap
    "$strads" run bench/lasso.yaml "${sets[@]}" --set data.partition="$1" --set stop.gap="$2" \
        --out "$work/run" >/dev/null
}

forked() {
    "$strads" run bench/lasso.yaml "${sets[@]}" --set data.partition="$1" --set stop.gap="$2" \
        --processes 2 --out "$work/run" >/dev/null
}

# On both sides of the relay.
joined() {
    "$strads" key new "$work/key" >/dev/null 2>&1 || true
    STRADS_KEY_FILE=$work/key ip netns exec strads-b "$strads" worker \
        --join tcp://10.83.0.1:7100 >/dev/null 2>&1 &
    STRADS_KEY_FILE=$work/key ip netns exec strads-a "$strads" coordinator bench/lasso.yaml \
        "${sets[@]}" --set data.partition="$1" --set stop.gap="$2" --processes 2 \
        --listen tcp://10.83.0.1:7100 --out "$work/run" >/dev/null
    wait $!
}

simulated() {
    "$strads" run bench/lasso.yaml "${sets[@]}" --set data.partition="$1" --set stop.gap="$2" \
        --set run.driver=sim --set cluster.nodes=2 --set cluster.latency=0.0005 \
        --set cluster.bandwidth=1 --out "$work/run" >/dev/null
}

median() {
    sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# compare GAP CASE...: a case is WHO:PARTITION; the first is what the ratios are to.
compare() {
    local gap=$1 case base='' middle
    shift
    rm -f "$work"/times.*
    for _ in $(seq "$runs"); do
        for case in "$@"; do
            "${case%:*}" "${case#*:}" "$certified"
            seconds_to "$work/run" "$gap" >>"$work/times.$case"
        done
    done
    for case in "$@"; do
        middle=$(median <"$work/times.$case")
        base=${base:-$middle}
        awk -v c="$case" -v g="$gap" -v m="$middle" -v b="$base" -v n="$runs" 'BEGIN {
            split(c, of, ":")
            printf "{\"who\":\"%s\",\"partition\":\"%s\",\"gap\":%s,\"seconds\":%.4g,", of[1], of[2], g, m
            printf "\"ratio\":%.3g,\"runs\":%d}\n", m / b, n }'
    done
}

certified=1e-3
use "$work/tall.libsvm" 0.1
compare 1e-6 threads:none threads:rows forked:rows
use "$data" "$ratio"
compare 1e-6 threads:columns forked:columns threads:none forked:none
if [ -n "${RELAY_BIN:-}" ]; then
    for space in strads-a strads-b; do
        ip netns add $space
        spaces+=("$space")
        ip netns exec $space ip link set lo up
    done
    "$RELAY_BIN" strads-a 10.83.0.1 strads-b 10.83.0.2 500 1000 &
    relay=$!
    sleep 1
    certified=1e-1
    compare 1e-3 threads:columns joined:columns joined:none simulated:columns simulated:none
fi
