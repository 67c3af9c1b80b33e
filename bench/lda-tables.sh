#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Topic models on the grid and with words in a table: P processes over ipc, with a worker each.
# Tokens a second; log-likelihood a token after the last sweep, and sweeps and seconds to what the
# grid of one process has half way; megabytes that a process takes (with several, one that does
# not coordinate). On P simulated machines: tokens a second, and megabytes that each sends in a
# sweep. A line of JSON a case, of the run with the median rate; runs in alternation.
#
#   [CORPUS=FILE] [PROCESSES="1 2 4 8"] [TOPICS=100] [SWEEPS=60] [RUNS=3] [SIMULATED="4 8"]
#   [CASES=...] bench/lda-tables.sh
#
# A case is grid, or tables:PERIODS:STALENESS. Without CORPUS 20,000 documents are generated.
# Simulated runs have so many sweeps, and what is sent is what the second sends more.
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
topics=${TOPICS:-100}
sweeps=${SWEEPS:-60}
runs=${RUNS:-3}
cases=${CASES:-grid tables:4:1 tables:32:1}
read -r few many <<<"${SIMULATED:-4 8}"

corpus=${CORPUS:-}
if [ -z "$corpus" ]; then
    corpus=$work/generated
    "$strads" generate lda --documents 20000 --words 10000 --topics 100 --length 60 --beta 0.05 \
        --seed 1 --out "$corpus" >/dev/null
fi
ln -s "$(realpath "$corpus")" "$work/corpus" # so that the cache is made here

run_case() { # case workers settings...
    local case=$1 p=$2 kind=(--set schedule.kind=rotation)
    shift 2
    if [ "$case" != grid ]; then
        IFS=: read -r _ periods staleness <<<"$case"
        kind=(--set schedule.kind=data_parallel --set "ssp.periods=$periods"
            --set "ssp.staleness=$staleness")
    fi
    "$strads" run configs/lda.yaml --quiet --workers "$p" --out "$work/run" \
        --set "data.corpus=$work/corpus" --set data.cache=true --set "lda.topics=$topics" \
        --set lda.alpha=0.1 --set lda.beta=0.01 --set lda.start=random "${kind[@]}" "$@" >/dev/null
}

# The most memory that a process has taken which the command, run by the shell $1, has forked.
watch_memory() { # pid
    local command="" member="" most=0 now
    while kill -0 "$1" 2>/dev/null; do
        [ -n "$command" ] || command=$(pgrep -P "$1" | head -n 1) || true
        [ -z "$command" ] || [ -n "$member" ] || member=$(pgrep -P "$command" | head -n 1) || true
        now=$(awk '/VmHWM/ { print $2 }' "/proc/${member:-none}/status" 2>/dev/null) || true
        most=${now:-$most}
        sleep 0.1
    done
    awk -v kb="$most" 'BEGIN { print kb / 1e3 }'
}

# "RATE LL SWEEPS_TO SECONDS_TO MB" of a run of processes.
note() { # case processes
    run_case "$1" "$2" --processes "$2" --set "lda.sweeps=$sweeps" --set lda.evaluate_every=2 &
    local mb
    mb=$(watch_memory $!)
    wait $!
    [ "$2" -gt 1 ] || mb=$(number peak_rss_mb)
    [ -n "${target:-}" ] || target=$({ seconds_to; echo; } | awk -F, -v h=$((sweeps / 2)) \
        'NF == 3 && $1 + 0 <= h { ll = $3 } END { print ll }')
    { seconds_to; echo; } | awk -F, -v target="$target" -v rate="$(number tokens_per_second)" \
        -v mb="$mb" 'NF == 3 { ll = $3; if (ll >= target && !n) { n = $1; s = $2 } }
        END { print rate / 1e6, ll, n + 0, s + 0, mb }' >>"$work/facts.$1.$2"
}

# "RATE MB" of simulated machines.
note_simulated() { # case machines
    local rate before=0 after=0
    if [ "$2" -gt 1 ]; then
        run_case "$1" "$2" --set run.driver=sim --set "lda.sweeps=$few" --set lda.evaluate_every=1000
        before=$(number bytes)
    fi
    run_case "$1" "$2" --set run.driver=sim --set "lda.sweeps=$many" --set lda.evaluate_every=1000
    after=$(number bytes)
    rate=$(number tokens_per_second)
    awk -v r="$rate" -v n=$((many - few)) -v p="$2" -v a="$before" -v b="$after" \
        'BEGIN { print r / 1e6, (p > 1 ? (b - a) / n / p / 1e6 : 0) }' >"$work/sim.$1.$2"
}

run_case grid 1 --set lda.sweeps=1 # makes the cache
for p in ${PROCESSES:-1 2 4 8}; do
    for _ in $(seq "$runs"); do
        for case in $cases; do
            note "$case" "$p"
        done
    done
    for case in $cases; do
        note_simulated "$case" "$p"
        sort -g "$work/facts.$case.$p" | sed -n "$(((runs + 1) / 2))p" |
            paste -d' ' - "$work/sim.$case.$p" | awk -v case="$case" -v p="$p" '{
            printf "{\"processes\": %d, \"case\": \"%s\", \"mtokens\": %.3g, \"ll\": %.4f, ", p, case, $1, $2
            printf "\"sweeps_to\": %s, \"seconds_to\": %s, ", $3 ? $3 : "null", $3 ? sprintf("%.3g", $4) : "null"
            printf "\"mb\": %.0f, \"sim_mtokens\": %.3g, \"sent_mb\": %.3g}\n", $5, $6, $7
        }'
    done
done
