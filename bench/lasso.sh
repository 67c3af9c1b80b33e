#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Lasso against other solvers, in one run and in alternation: seconds, loading
# excluded, to relative suboptimality 1e-6 and to a certified gap of 1e-6.
#
#   PROBLEMS=DIR [LASSO_CD_BIN=FILE] [LASSO_SAP_BIN=FILE] [RUNS=5] [WORKERS="1 2"] bench/lasso.sh
#
# DIR has a folder a problem, in the form that bench/problem_files.c reads; one whose
# name is strads_synth or dense_ar1 is known with its optimum, of others the best
# objective seen counts as the optimum. Without PROBLEMS, generated ones are used.
# LASSO_CD_BIN FOLDER RATIO GAP prints lines "it N t SECONDS P OBJECTIVE ..." on
# stderr, LASSO_SAP_BIN FOLDER RATIO GAP THREADS with TRACE=1 "SECONDS OBJECTIVE";
# both end with a JSON line that has "secs" and "rss_mb" on stdout. What is not named
# is left out. "floats" is strads with data.precision: float. Prints one JSON line a case; ratios
# are to LASSO_CD_BIN.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-5}
workers=${WORKERS:-1 2}
strads=${STRADS:-build/bin/strads}
make -s all build/release/bench/problem_files
work=$(mktemp -d "${TMPDIR:-/tmp}/strads-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=active

if [ -z "${PROBLEMS:-}" ]; then
    $strads generate lasso --rows 2000 --cols 100000 --entries 25 --correlation 0.9 \
        --shared 0.9 --informative 500 --noise 0.3 --seed 1 --out "$work/sparse" >/dev/null
    $strads generate lasso --rows 500 --cols 20000 --entries 0 --correlation 0.9 \
        --informative 100 --noise 0.3 --seed 1 --format npy --out "$work/dense" >/dev/null
    problems="sparse dense"
else
    problems=
    for folder in "$PROBLEMS"/*/; do
        name=$(basename "$folder")
        build/release/bench/problem_files "$folder" "$work/$name"
        problems="$problems $name"
    done
fi

# Known optima, lambda as a share of lambda_max.
optimum() {
    case $1.$2 in
    strads_synth.0.1) echo 416.17293114637994 ;;
    strads_synth.0.01) echo 49.042755171139916 ;;
    dense_ar1.0.1) echo 42.911786447329604 ;;
    dense_ar1.0.01) echo 4.941256658418966 ;;
    *) echo unknown ;;
    esac
}

# Each run leaves "SECONDS OBJECTIVE" lines in TRACE and "TOTAL RSS OVERHEAD" in FACTS.
run_strads() { # problem ratio workers trace facts [precision]
    local data="--set data.path=$work/$1.libsvm"
    if [ -e "$work/$1.npy" ]; then
        data="--set data.path=$work/$1.npy --set data.y=$work/$1.y.npy"
    fi
    # shellcheck disable=SC2086
    $strads run bench/lasso.yaml $data --set lasso.lambda_ratio="$2" --workers "$3" \
        --set "data.precision=${6:-auto}" --out "$work/run" --quiet >/dev/null
    awk -F'[:,}]' '{ for (i = 1; i < NF; i++) { if ($i ~ /"seconds"/) s = $(i + 1);
        if ($i ~ /"objective"/) f = $(i + 1) } print s, f }' "$work/run/journal.jsonl" >"$4"
    awk -F'[:,]' '/"solve"/ { t = $2 } /"peak_rss_mb"/ { m = $2 } /"overhead_seconds"/ { o = $2 }
        END { print t + 0, m + 0, o / t }' "$work/run/summary.json" >"$5"
}

run_floats() {
    run_strads "$@" float
}

facts_of_json() {
    sed -E 's/.*"secs":([0-9.]+).*"rss_mb":([0-9]+).*/\1 \2 0/' "$1"
}

run_cd() {
    "$LASSO_CD_BIN" "$PROBLEMS/$1" "$2" 1e-6 >"$work/json" 2>"$work/log"
    facts_of_json "$work/json" >"$5"
    # Its clock starts after the set-up, which the total has.
    awk -v total="$(cut -d' ' -f1 "$5")" '$1 == "it" { t[n] = $4; f[n++] = $6 }
        END { for (i = 0; i < n; i++) print t[i] + total - t[n - 1], f[i] }' "$work/log" >"$4"
}

run_sap() {
    TRACE=1 "$LASSO_SAP_BIN" "$PROBLEMS/$1" "$2" 1e-6 "$3" >"$work/json" 2>"$4"
    facts_of_json "$work/json" >"$5"
}

median() {
    sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

seconds_to() { # trace optimum
    awk -v best="$2" 'BEGIN { at = "null" } at == "null" && $2 - best <= 1e-6 * best { at = $1 }
        END { print at }' "$1"
}

solvers=
for w in $workers; do
    solvers="$solvers strads:$w floats:$w"
done
if [ -n "${PROBLEMS:-}" ] && [ -n "${LASSO_SAP_BIN:-}" ]; then
    for w in $workers; do
        solvers="sap:$w $solvers"
    done
fi
if [ -n "${PROBLEMS:-}" ] && [ -n "${LASSO_CD_BIN:-}" ]; then
    solvers="cd:1 $solvers"
fi

for problem in $problems; do
    for ratio in 0.1 0.01; do
        rm -f "$work"/trace.* "$work"/facts.*
        for run in $(seq "$runs"); do
            for solver in $solvers; do
                "run_${solver%:*}" "$problem" "$ratio" "${solver#*:}" \
                    "$work/trace.$solver.$run" "$work/facts.$solver.$run"
            done
        done
        best=$(optimum "$problem" "$ratio")
        if [ "$best" = unknown ]; then
            best=$(cat "$work"/trace.* | awk '{ print $2 }' | sort -g | sed -n 1p)
        fi
        base=null
        for solver in $solvers; do
            at=$(for run in $(seq "$runs"); do
                seconds_to "$work/trace.$solver.$run" "$best"
            done | median)
            [ "$solver" != cd:1 ] || base=$at
            total=$(cat "$work"/facts."$solver".* | cut -d' ' -f1 | median)
            rss=$(cat "$work"/facts."$solver".* | cut -d' ' -f2 | median)
            overhead=$(cat "$work"/facts."$solver".* | cut -d' ' -f3 | median)
            share=$(awk -v a="$at" -v b="$base" 'BEGIN { if (b + 0 > 0) printf "%.3f", a / b; else print "null" }')
            printf '{"bench":"lasso","problem":"%s","ratio":%s,"solver":"%s","workers":%s,' \
                "$problem" "$ratio" "${solver%:*}" "${solver#*:}"
            printf '"seconds_to_1e-6":%s,"share_of_cd":%s,"seconds_certified":%s,"peak_rss_mb":%s,"overhead_of_solve":%s}\n' \
                "$at" "$share" "$total" "$rss" "$overhead"
        done
    done
done
