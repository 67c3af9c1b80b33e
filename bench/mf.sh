#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Matrix factorisation on the grid beside other programs, in alternation: ratings a second of
# training, training seconds to a test RMSE, and the whole command from text to model.
#
#   [TRAIN=FILE TEST=FILE] [RANKS="16 40 100"] [RUNS=5] [TARGET=0.851] [LAMBDA=0.03]
#   [MF_DSGD=PREFIX] [MF_FAST=PREFIX] [TRAIN_BIN=FILE TEST_BIN=FILE] [LIBMF_BIN=FILE]
#   bench/mf.sh
#
# Without files 10 million ratings are generated. MF_DSGD and MF_FAST name yardsticks built for
# each rank (PREFIX16, PREFIX40, PREFIX100), which take TRAIN_BIN and TEST_BIN: three 64-bit
# counts, then a user, an item and a rating of 32 bits each. LIBMF_BIN is LIBMF's mf-train. What
# is not named is left out.
#
# Lines of JSON: of each rank the medians of the runs, and of "over" the medians of the ratios
# within a run, with two workers; then the processes over the threads, and the whole command.
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
ranks=${RANKS:-16 40 100}
runs=${RUNS:-5}
target=${TARGET:-0.851}
lambda=${LAMBDA:-0.03}

test=${TEST:-}
link_ratings
sets=(--set "data.train=$work/train" --set "mf.lambda=$lambda" --quiet)
if [ -n "$test" ]; then
    ln -s "$(realpath "$test")" "$work/test"
    sets+=(--set "data.test=$work/test")
fi

# Each prints "MILLIONS_A_SECOND SECONDS_TO_TARGET BEST_RMSE"; 0 seconds: never.
run_strads() { # rank workers settings...
    local rank=$1 workers=$2
    shift 2
    "$strads" run configs/mf.yaml "${sets[@]}" --set data.cache=true --set "mf.rank=$rank" \
        --set mf.epochs=8 --workers "$workers" --out "$work/run" "$@" >/dev/null
    seconds_to | awk -F, -v target="$target" -v rate="$(number ratings_per_second)" '
        { if (NR == 1 || $3 < best) best = $3; if ($3 <= target && !to) to = $2 }
        END { print rate / 1e6, to + 0, best }'
}

run_yardstick() { # program workers step decay
    "$1" "$TRAIN_BIN" "$TEST_BIN" 8 "$2" "$3" "$lambda" "$4" |
        awk -v target="$target" '/^ep/ {
            if (!n++ || $NF < best) best = $NF
            rate = n > 1 ? n / $6 : 0 # epochs a second so far
            if ($NF <= target && !to) to = $6
            ratings = $7 * $3
        } END { print rate * ratings, to + 0, best }'
}

libmf_seconds() { # rank epochs
    local begin end
    begin=$(date +%s.%N)
    "$LIBMF_BIN" -s 2 -k "$1" -t "$2" -l2 0.05 ${test:+-p "$work/test"} "$work/train" \
        "$work/model" >"$work/libmf.out"
    end=$(date +%s.%N)
    awk -v a="$begin" -v b="$end" 'BEGIN { print b - a }'
}

say() { # name file
    printf ', "%s": {"mratings": %.4g, "seconds_to": %.3g, "best_rmse": %.4f}' "$1" \
        "$(column "$2" 1)" "$(column "$2" 2)" "$(column "$2" 3)"
}

run_strads 8 1 >/dev/null # makes the cache
for k in $ranks; do
    for _ in $(seq "$runs"); do
        for w in 1 2; do
            run_strads "$k" $w >>"$work/strads.$k.$w"
            [ -z "${MF_DSGD:-}" ] || run_yardstick "$MF_DSGD$k" $w 0.08 1 >>"$work/dsgd.$k.$w"
            [ -z "${MF_FAST:-}" ] || run_yardstick "$MF_FAST$k" $w 0.15 0.7 >>"$work/fast.$k.$w"
        done
        run_strads "$k" 2 --processes 2 >>"$work/processes.$k"
    done
    printf '{"rank": %d' "$k"
    say strads_1 "$work/strads.$k.1"
    say strads_2 "$work/strads.$k.2"
    say processes_2 "$work/processes.$k"
    printf ', "over": {"one_worker": %s, "threads": %s' \
        "$(over "$work/strads.$k.2" "$work/strads.$k.1" 1)" \
        "$(over "$work/processes.$k" "$work/strads.$k.2" 1)"
    for peer in dsgd fast; do
        [ -e "$work/$peer.$k.2" ] || continue
        printf ', "%s": %s, "%s_seconds_to": %s' "$peer" \
            "$(over "$work/strads.$k.2" "$work/$peer.$k.2" 1)" "$peer" \
            "$(over "$work/strads.$k.2" "$work/$peer.$k.2" 2)"
    done
    printf '}'
    for peer in dsgd fast; do
        [ ! -e "$work/$peer.$k.1" ] || say "${peer}_1" "$work/$peer.$k.1"
        [ ! -e "$work/$peer.$k.2" ] || say "${peer}_2" "$work/$peer.$k.2"
    done
    echo '}'
done

# The whole command, from text and from the cache, at rank 40; LIBMF with 20 epochs.
for _ in $(seq "$runs"); do
    for cache in false true; do
        begin=$(date +%s.%N)
        "$strads" run configs/mf.yaml "${sets[@]}" --set data.cache=$cache --set mf.rank=40 \
            --set mf.epochs=8 --workers 2 --out "$work/run" >/dev/null
        end=$(date +%s.%N)
        awk -v a="$begin" -v b="$end" -F'[:,]' '/"load"/ { l = $2 } /"peak_rss_mb"/ { m = $2 }
            END { print b - a, l + 0, m + 0 }' "$work/run/summary.json" >>"$work/whole.$cache"
    done
    [ -z "${LIBMF_BIN:-}" ] || libmf_seconds 40 1 >>"$work/libmf.1"
    [ -z "${LIBMF_BIN:-}" ] || libmf_seconds 40 20 >>"$work/libmf.20"
done
for cache in false true; do
    printf '{"from": "%s", "command_seconds": %.3g, "setup_seconds": %.3g, "peak_mb": %.0f}\n' \
        "$([ $cache = true ] && echo cache || echo text)" "$(column "$work/whole.$cache" 1)" \
        "$(column "$work/whole.$cache" 2)" "$(column "$work/whole.$cache" 3)"
done
if [ -n "${LIBMF_BIN:-}" ]; then
    printf '{"libmf_seconds": {"1": %.3g, "20": %.3g}, "best_rmse": %s, "over": %s}\n' \
        "$(column "$work/libmf.1" 1)" "$(column "$work/libmf.20" 1)" \
        "$(awk '/^ *[0-9]/ { if (!b || $3 < b) b = $3 } END { print b + 0 }' "$work/libmf.out")" \
        "$(paste "$work/whole.false" "$work/libmf.20" | awk '{ print $1 / $4 }' | sort -g |
            awk '{ v[NR] = $1 } END { printf "%.3g", v[int((NR + 1) / 2)] }')"
fi
