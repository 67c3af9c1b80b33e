#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How mf.lambda, mf.step and mf.decay were chosen: the RMSE after 12 epochs on a tenth of the
# ratings trained on, on data of several sizes. Test sets are not looked at.
#
#   [DATA="FILE..."] [LAMBDAS=0.02,0.03,0.04,0.05,0.07] [STEPS=0.1,0.15,0.2] [DECAYS=0.6,0.7,0.8]
#   bench/mf-defaults.sh
#
# Without files 600,000 and 10 million ratings are generated. Prints for each file the best
# setting and that of the defaults, as JSON lines.
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"

data=${DATA:-}
if [ -z "$data" ]; then
    "$strads" generate ratings --rows 6000 --cols 3000 --ratings 600000 --rank 16 --noise 0.8 \
        --seed 9 --out "$work/small.txt" >/dev/null
    "$strads" generate ratings --rows 100000 --cols 10000 --ratings 10000000 --rank 32 \
        --noise 0.8 --seed 1 --out "$work/large.txt" >/dev/null
    data="$work/small.txt $work/large.txt"
fi
# One line of the table, as JSON.
say() { # what
    awk -F, -v what="$1" '{ printf "\"%s\": {\"lambda\": %s, \"step\": %s, \"decay\": %s, \"rmse\": %.4f}", what, $1, $2, $3, $15 }'
}

default_of() { # key
    "$strads" help "$1" | sed -n 's/.*(default: \(.*\)).*/\1/p'
}
default="$(default_of mf.lambda),$(default_of mf.step),$(default_of mf.decay),"

for file in $data; do
    table=$work/$(basename "$file").csv
    ln -sf "$(realpath "$file")" "$work/train" # so that the cache is made here
    "$strads" run configs/mf.yaml --quiet --set "data.train=$work/train" --set data.cache=true \
        --set mf.rank=40 --set mf.epochs=12 --sweep "mf.lambda=${LAMBDAS:-0.02,0.03,0.04,0.05,0.07}" \
        --sweep "mf.step=${STEPS:-0.1,0.15,0.2}" --sweep "mf.decay=${DECAYS:-0.6,0.7,0.8}" \
        --csv "$table" >/dev/null
    printf '{"data": "%s", %s, %s}\n' "$(basename "$file")" \
        "$(tail -n +2 "$table" | sort -t, -k15,15g | head -n 1 | say best)" \
        "$(grep "^$default" "$table" | say default)"
done
