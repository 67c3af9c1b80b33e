#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Matrix factorisation on simulated machines, one of eight four times as slow as the others: what
# rotation, rotation that is agnostic of slow workers, and free columns make of it. Virtual time,
# so the same at every run.
#
#   [TRAIN=FILE TEST=FILE] [TARGET=0.86] [EPOCHS=6] bench/mf-sim.sh
#
# Without files 10 million ratings are generated. Lines of JSON: ratings a second; of the slowed
# ones over what one machine does times the sum of the speeds; and seconds to a test RMSE.
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
target=${TARGET:-0.86}

link_ratings
sets=(--set "data.train=$work/train" --set data.cache=true --set mf.rank=40 --set mf.lambda=0.03
    --set "mf.epochs=${EPOCHS:-6}" --set run.driver=sim --quiet)
[ -z "${TEST:-}" ] || sets+=(--set "data.test=$(realpath "$TEST")")

case_of() { # name ideal settings...
    local name=$1 ideal=$2
    shift 2
    "$strads" run configs/mf.yaml "${sets[@]}" --out "$work/run" "$@" >/dev/null
    rate=$(number ratings_per_second | awk '{ print $1 / 1e6 }')
    seconds_to | awk -F, -v target="$target" -v name="$name" -v rate="$rate" -v ideal="$ideal" '
        { if (NR > 1 && !to && $3 <= target) to = $2; last = $3 }
        END {
            printf "{\"case\": \"%s\", \"mratings\": %.1f, ", name, rate
            if (ideal) printf "\"of_ideal\": %.3f, ", rate / ideal
            printf "\"seconds_to\": %s, \"rmse\": %.4f}\n", to ? sprintf("%.3f", to) : "null", last
        }'
}

case_of "one machine" 0 --set cluster.nodes=1
one=$rate
whole=$(awk -v r="$one" 'BEGIN { print 8 * r }')
part=$(awk -v r="$one" 'BEGIN { print 7.25 * r }')
slowed=(--set cluster.nodes=8 --set "cluster.speed=[1,1,1,0.25,1,1,1,1]")
for kind in rotation free; do
    case_of "$kind" "$whole" --set cluster.nodes=8 --set schedule.kind=$kind
done
case_of "slowed, rotation" "$part" "${slowed[@]}"
case_of "slowed, agnostic" "$part" "${slowed[@]}" --set schedule.slow_worker_agnostic=true
case_of "slowed, free" "$part" "${slowed[@]}" --set schedule.kind=free
