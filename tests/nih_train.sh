#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Training from random weights on the real X-rays of ../shared/nih-sample: three seeds, and the
# medians of what the test list says of them against their floors; in bfloat16 also whether the
# loss ends where float32's does. Half an hour to an hour; the times are printed, not judged.
# Skipped by name where that folder is absent.
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

# train PRECISION SEED; settings chosen on the val list
train() {
    SECONDS=0
    "$chexnet" train --images "$dir/cache" --train $sample/train_list.txt \
        --val $sample/val_list.txt --out "$dir/$1-$2" --precision "$1" --seed "$2" \
        --epochs 18 --batch 20 --schedule one-cycle --lr 0.0015 >"$dir/out" 2>&1 \
        || { cat "$dir/out"; exit 1; }
    echo "$1, seed $2: trained in $SECONDS s"
}

"$chexnet" prepare --images $sample/images --list $sample/train_list.txt \
    --list $sample/val_list.txt --list $sample/test_list.txt --out "$dir/cache" >/dev/null || exit 1
for seed in 1 2 3; do
    train $precision $seed
    "$chexnet" infer "$dir/$precision-$seed/best.safetensors" --images "$dir/cache" \
        --list $sample/test_list.txt --json >"$dir/$seed.json" || exit 1
done
[ $precision = fp32 ] || train fp32 1

python3 - "$dir" $precision <<'P'
import json, statistics, sys
folder, precision = sys.argv[1:]
failed = False

def judge(holds, text):
    global failed
    failed |= not holds
    print(("" if holds else "failed: ") + text)

lungs, means = [], []
for seed in 1, 2, 3:
    with open(f"{folder}/{seed}.json") as f:
        found = json.load(f)["findings"]
    often = [f["auc"] for f in found.values() if f["positives"] >= 10]
    judge(len(often) >= 5, f"{len(often)} findings with 10 positives")
    lungs.append(found["Pneumonia"]["auc"])
    means.append(sum(often) / len(often))
    print(f"{precision}, seed {seed}: Pneumonia {lungs[-1]:.4f}, mean {means[-1]:.4f}")
judge(statistics.median(lungs) >= 0.80, f"Pneumonia, median {statistics.median(lungs):.4f} of .80")
judge(statistics.median(means) >= 0.74, f"mean, median {statistics.median(means):.4f} of .74")

def last_epoch(run):
    with open(f"{folder}/{run}/log.jsonl") as f:
        steps = [row for row in map(json.loads, f) if "lr" in row]
    losses = [row["loss"] for row in steps if row["epoch"] == steps[-1]["epoch"]]
    return sum(losses) / len(losses)

if precision == "bf16":
    ours, exact = last_epoch("bf16-1"), last_epoch("fp32-1")
    judge(abs(ours / exact - 1) <= 0.05,
          f"mean loss of the last epoch, bf16 {ours:.4f}, fp32 {exact:.4f}: within 5 %")
sys.exit(failed)
P
