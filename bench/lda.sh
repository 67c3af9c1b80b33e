#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Topic models beside other programs, in alternation: training seconds, the start included, to the
# log-likelihood that the yardstick has after 60 sweeps, and tokens a second in sweeps 16 to 30.
#
#   [CORPUS=FILE CORPUS_BIN=FILE] [GENERATED=FILE GENERATED_BIN=FILE] [TOPICS="100 1000"] [RUNS=3]
#   [LDA_ROTATION=PROGRAM] [LDA_FAST=PROGRAM] [WARPLDA_BIN=PROGRAM] bench/lda.sh
#
# CORPUS and GENERATED are docword text. Without CORPUS one is generated. The programs (the
# yardstick, a prototype of samplers like ours, WarpLDA behind a script) take a corpus in binary
# form, K, ALPHA, BETA, SWEEPS and THREADS, and print lines "iter N time SECONDS ll LL ..."; the
# form is int64 D, V, N; int64 off[D + 1]; int32 word[N]. What is not named is left out. Without
# the yardstick the log-likelihood is ours after 30 sweeps.
#
# Lines of JSON: for each number of topics the medians of the runs, and of "over" the medians of
# the ratios within a run, 0 for what was never reached; WarpLDA's are to what it has after 100
# sweeps. Then the large corpus, K = 1000, from a random start, by two workers: tokens a second in
# sweeps 2 to 4, and what it takes to read it and to begin.
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
runs=${RUNS:-3}
declare -A program=([rotation]=${LDA_ROTATION:-} [fast]=${LDA_FAST:-} [warplda]=${WARPLDA_BIN:-})

corpus=${CORPUS:-}
if [ -z "$corpus" ]; then
    corpus=$work/generated
    "$strads" generate lda --documents 60000 --words 25000 --topics 100 --length 38 --seed 1 \
        --out "$corpus" >/dev/null
fi
ln -s "$(realpath "$corpus")" "$work/corpus" # so that the cache is made here
[ -z "${GENERATED:-}" ] || ln -s "$(realpath "$GENERATED")" "$work/large"

# Curves are lines "SWEEP SECONDS LL" in $work/curve.NAME.WORKERS.
run_strads() { # name workers corpus settings...
    local name=$1 workers=$2 corpus=$3
    shift 3
    "$strads" run configs/lda.yaml --quiet --workers "$workers" --out "$work/run" \
        --set "data.corpus=$work/$corpus" --set data.cache=true --set lda.alpha=0.1 \
        --set lda.beta=0.01 --set lda.evaluate_every=5 "$@" >/dev/null
    { seconds_to; echo; } | awk -F, 'NF == 3 { print $1 + 0, $2, $3 }' >"$work/curve.$name.$workers"
}

run_peer() { # name threads corpus.bin K sweeps
    "${program[$1]}" "$3" "$4" 0.1 0.01 "$5" "$2" |
        awk '/^iter/ { print $2, $4, $6 }' >"$work/curve.$1.$2"
}

last() { # curve field
    tail -n 1 "$work/curve.$1" | cut -d' ' -f"$2"
}

# The seconds at which a curve comes to a log-likelihood, between two of its lines; 0: never.
seconds_at() { # curve ll
    awk -v ll="$2" '
        $3 >= ll && !found { found = 1; at = NR == 1 ? $2 : s + ($2 - s) * (ll - l) / ($3 - l) }
        { s = $2; l = $3 } END { print at + 0 }' "$work/curve.$1"
}

# Million tokens a second after one sweep and up to another.
rate() { # curve first last
    awk -v a="$2" -v b="$3" -v n="$tokens" '$1 == a { s = $2 } $1 == b { t = $2 }
        END { print (t > s ? n * (b - a) / (t - s) / 1e6 : 0) }' "$work/curve.$1"
}

say() { # name.workers
    printf ', "%s": {"seconds_to": %.3g, "mtokens": %.4g}' "${1/./_}" \
        "$(column "$work/facts.$1" 1)" "$(column "$work/facts.$1" 2)"
}

# All programs once; a line of facts each in $work/facts.NAME.WORKERS: "SECONDS_TO MTOKENS".
run_all() { # K
    local k=$1 w name
    for w in 1 2; do
        for name in rotation fast; do
            [ -z "${program[$name]}" ] || run_peer $name $w "$CORPUS_BIN" "$k" 60
        done
        run_strads strads $w corpus --set "lda.topics=$k" --set lda.sweeps=60
        tokens=$(number tokens)
        if [ -n "${program[warplda]}" ] && [ "$k" = 1000 ]; then
            run_peer warplda $w "$CORPUS_BIN" "$k" 100
            echo "$(seconds_at strads.$w "$(last warplda.$w 3)") 0" >>"$work/facts.to_warplda.$w"
            echo "$(last warplda.$w 2) $(rate warplda.$w 15 30)" >>"$work/facts.warplda.$w"
        fi
    done
    run_strads processes 2 corpus --set "lda.topics=$k" --set lda.sweeps=60 --processes 2
    if [ -n "${program[rotation]}" ]; then
        target=$(last rotation.1 3)
    else
        target=$(awk '$1 == 30 { print $3 }' "$work/curve.strads.1")
    fi
    for name in "$work"/curve.{strads,processes,rotation,fast}.[12]; do
        [ -e "$name" ] || continue
        name=${name##*/curve.}
        echo "$(seconds_at "$name" "$target") $(rate "$name" 15 30)" >>"$work/facts.$name"
    done
    # What the yardstick took is all that it took: with two threads it may end a little below.
    [ -z "${program[rotation]}" ] || sed -i "\$s/^[^ ]*/$(last rotation.2 2)/" "$work/facts.rotation.2"
}

run_strads strads 2 corpus --set lda.sweeps=1 # makes the cache
for k in ${TOPICS:-100 1000}; do
    rm -f "$work"/facts.*
    for _ in $(seq "$runs"); do
        run_all "$k"
    done
    printf '{"topics": %d, "ll": %.4f' "$k" "$target"
    for file in "$work"/facts.{strads,processes,rotation,fast,warplda}.[12]; do
        [ ! -e "$file" ] || say "${file##*/facts.}"
    done
    printf ', "over": {"one_worker": {"speedup_to": %s, "mtokens": %s}, "threads": {"mtokens": %s}' \
        "$(over "$work"/facts.strads.{1,2} 1)" "$(over "$work"/facts.strads.{2,1} 2)" \
        "$(over "$work"/facts.{processes,strads}.2 2)"
    for name in rotation fast; do
        for w in 1 2; do
            [ ! -e "$work/facts.$name.$w" ] || printf ', "%s_%d": {"seconds_to": %s, "mtokens": %s}' \
                $name $w "$(over "$work/facts.strads.$w" "$work/facts.$name.$w" 1)" \
                "$(over "$work/facts.strads.$w" "$work/facts.$name.$w" 2)"
        done
    done
    for w in 1 2; do
        [ ! -e "$work/facts.warplda.$w" ] || printf ', "warplda_%d": {"seconds_to": %s}' $w \
            "$(over "$work/facts.to_warplda.$w" "$work/facts.warplda.$w" 1)"
    done
    echo '}}'
done
[ -n "${GENERATED:-}" ] || exit 0

# A line of facts: the seconds of reading, those until the first sweep, and the peak of memory.
note_start() { # name
    local begin
    begin=$(head -n 1 "$work/run/journal.jsonl" | sed 's/.*"seconds": *\([^,}]*\).*/\1/')
    echo "$(number load) $(awk -v l="$(number load)" -v b="$begin" 'BEGIN { print l + b }')" \
        "$(number peak_rss_mb)" >>"$work/start.$1"
}

large=(--set lda.topics=1000 --set lda.start=random)
rm -f "$work"/facts.*
for _ in $(seq "$runs"); do
    run_strads large 2 large "${large[@]}" --set lda.sweeps=1 --set data.cache=false
    note_start text
    [ -e "$work/cached" ] || run_strads large 2 large "${large[@]}" --set lda.sweeps=1
    touch "$work/cached"
    run_strads large 2 large "${large[@]}" --set lda.sweeps=4 --set lda.evaluate_every=1
    note_start cache
    tokens=$(number tokens)
    echo "0 $(rate large.2 1 4)" >>"$work/facts.strads.2"
    for name in rotation fast; do
        [ -n "${program[$name]}" ] || continue
        G0=0 run_peer $name 2 "$GENERATED_BIN" 1000 4 # G0=0: a random start, for the prototype
        echo "0 $(rate $name.2 1 4)" >>"$work/facts.$name.2"
    done
done
printf '{"large": %.0f, "mtokens": {"strads_2": %.3g' "$tokens" "$(column "$work/facts.strads.2" 2)"
for name in rotation fast; do
    [ ! -e "$work/facts.$name.2" ] || printf ', "%s_2": %.3g, "over_%s": %s' $name \
        "$(column "$work/facts.$name.2" 2)" $name "$(over "$work"/facts.{strads,$name}.2 2)"
done
echo '}}'
for from in text cache; do
    printf '{"large_from": "%s", "load_seconds": %.3g, "start_seconds": %.3g, "peak_mb": %.0f}\n' \
        $from "$(column "$work/start.$from" 1)" "$(column "$work/start.$from" 2)" \
        "$(column "$work/start.$from" 3)"
done
