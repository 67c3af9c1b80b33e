# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What the scripts of this folder begin with: the root of the tree, $strads (STRADS, or what is
# built now), a folder $work that is gone at the end, and what several of them need.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ -n "${STRADS:-}" ] || make -s all
strads=$(realpath "${STRADS:-build/bin/strads}")
work=$(mktemp -d "${TMPDIR:-/tmp}/strads-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT

# $work/train: TRAIN, or 10 million ratings. It is a link, so that the cache is made here.
link_ratings() {
    local train=${TRAIN:-}
    if [ -z "$train" ]; then
        train=$work/ratings.txt
        "$strads" generate ratings --rows 100000 --cols 10000 --ratings 10000000 --rank 32 \
            --noise 0.8 --seed 1 --out "$train" >/dev/null
    fi
    ln -s "$(realpath "$train")" "$work/train"
}

# The number of that key in the summary of the run in $work/run; 0, where it has none.
number() { # key
    awk -F'[:,]' -v key="\"$1\"" '$1 ~ key { print $2 + 0; found = 1; exit } END { if (!found) print 0 }' \
        OFMT=%.9g "$work/run/summary.json"
}

# The rows of seconds_to in that summary, a line each: pass,seconds,value.
seconds_to() {
    tr -d '\n ' <"$work/run/summary.json" | sed 's/.*"seconds_to":\[//; s/\]\].*//; s/\],*/\n/g' |
        tr -d '['
}

median() {
    sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] + 0 }'
}

# Of files with the same columns and a line a run: the median of a column, and of its ratios.
column() { # file column
    awk -v c="$2" '{ print $c }' "$1" | median
}
over() { # file file column
    paste -d' ' "$1" "$2" |
        awk -v c="$3" '{ d = c + NF / 2 } $c > 0 && $d > 0 { print $c / $d }' | median |
        awk '{ printf "%.3g", $1 }'
}
