#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Training from random weights on the real X-rays of ../shared/nih-sample, three seeds: what the
# test list says of each, and the median against its floors. Skipped by name where that folder is
# absent.
# usage: nih_train.sh CHEXNET
set -u
cd "$(dirname "$0")/.." || exit 1
chexnet=$1
sample=../shared/nih-sample
if [ ! -d $sample ]; then
    echo "skipped: training on real X-rays (no ../shared/nih-sample)"
    exit 77
fi
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
precision=fp32
[[ $("$chexnet" cpu) =~ AMX\ BF16\ +yes ]] && precision=bf16

"$chexnet" prepare --images $sample/images --list $sample/train_list.txt \
    --list $sample/val_list.txt --list $sample/test_list.txt --out "$dir/cache" >/dev/null || exit 1
for seed in 1 2 3; do
    "$chexnet" train --images "$dir/cache" --train $sample/train_list.txt \
        --val $sample/val_list.txt --out "$dir/$seed" --precision $precision --seed $seed \
        --epochs 18 --batch 20 --schedule one-cycle --lr 0.0015 || exit 1
    "$chexnet" infer "$dir/$seed/best.safetensors" --images "$dir/cache" \
        --list $sample/test_list.txt --json >"$dir/$seed.json" || exit 1
done

python3 - "$dir" $precision <<'P'
import json, statistics, sys
folder, precision = sys.argv[1:]
lungs, means = [], []
for seed in 1, 2, 3:
    with open(f"{folder}/{seed}.json") as f:
        found = json.load(f)["findings"]
    often = [f["auc"] for f in found.values() if f["positives"] >= 10]
    assert len(often) >= 5, "findings with 10 positives: %d" % len(often)
    lungs.append(found["Pneumonia"]["auc"])
    means.append(sum(often) / len(often))
    print("%s, seed %d: Pneumonia %.4f, mean of %d %.4f"
          % (precision, seed, lungs[-1], len(often), means[-1]))
sys.exit(statistics.median(lungs) < 0.80 or statistics.median(means) < 0.74)
P
