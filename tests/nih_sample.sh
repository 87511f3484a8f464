#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Predictions on real X-rays against PyTorch's own, from ../shared (see README.md there):
#   nih_sample.sh CHEXNET short    6 pictures
#   nih_sample.sh CHEXNET long     the 150 of the test list and the 48 originals
# Skipped by name where that folder is absent.
set -u
cd "$(dirname "$0")/.."
chexnet=$1 suite=$2
sample=../shared/nih-sample weights=../shared/weights
if [ ! -d $sample ] || [ ! -d $weights ]; then
    echo "skipped: predictions on real X-rays, $suite (no ../shared/nih-sample, ../shared/weights)"
    exit 77
fi
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
count=6 originals=3
[ "$suite" = long ] && count=1000 originals=1000
failures=0

# score NAME WEIGHTS IMAGES LIST [COUNT [MODE]]
score() {
    head -n "${5-$count}" "$4" >"$dir/list.txt"
    "$chexnet" infer "$weights/$2" --images "$3" --list "$dir/list.txt" --mode "${6-reference}" \
        --out "$dir/$1.csv" --json >"$dir/$1.json" || failures=$((failures + 1))
}

# agree NAME GOLDEN [BOUND]: every value to 3e-6, or to BOUND
agree() {
    python3 - "$dir/$1.csv" "$weights/$2" "${3-3e-6}" <<'P' || failures=$((failures + 1))
import csv, sys
ours, theirs = (list(csv.reader(open(p))) for p in sys.argv[1:3])
assert ours[0] == theirs[0], "another header"
pairs = list(zip(ours[1:], theirs[1:]))
assert len(ours) > 3 and all(a[0] == b[0] for a, b in pairs), "other names or order"
worst = max(abs(float(x) - float(y)) for a, b in pairs for x, y in zip(a[1:], b[1:]))
print("%s: %d x 14 values, largest difference %.2e" % (sys.argv[2], len(pairs), worst))
sys.exit(not worst <= float(sys.argv[3]))
P
}

# rank NAME: mean AUC over the findings with 10 positives or more within 0.002 of mode reference's
rank() {
    python3 - "$dir/$1.json" "$dir/test.json" <<'P' || failures=$((failures + 1))
import json, sys
ours, theirs = (json.load(open(p))["findings"] for p in sys.argv[1:3])
often = [name for name, f in theirs.items() if f["positives"] >= 10]
assert often, "no finding has 10 positives"
mean, want = (sum(f[name]["auc"] for name in often) / len(often) for f in (ours, theirs))
print("mean AUC of %d findings: %.6f, reference %.6f" % (len(often), mean, want))
sys.exit(not abs(mean - want) <= 0.002)
P
}

score test nih-sample.pth $sample/images $sample/test_list.txt
agree test torch-test-ten.csv
score fp32 nih-sample.pth $sample/images $sample/test_list.txt $count fp32
agree fp32 torch-test-ten.csv 1e-5
score bf16 nih-sample.pth $sample/images $sample/test_list.txt $count bf16
agree bf16 torch-test-ten.csv 2e-2
[ "$suite" = short ] || rank bf16
# An optimised model gives the bits of the weights that it was made from.
for mode in fp32 bf16; do
    "$chexnet" optimize "$weights/nih-sample.pth" --precision $mode --out "$dir/$mode.safetensors" \
        2>/dev/null || failures=$((failures + 1))
    "$chexnet" infer "$dir/$mode.safetensors" --images $sample/images --list "$dir/list.txt" \
        --out "$dir/optimized.csv" >"$dir/optimized.txt" || failures=$((failures + 1))
    cmp "$dir/$mode.csv" "$dir/optimized.csv" || failures=$((failures + 1))
done
few=$count
[ "$suite" = short ] && few=1
score old nih-sample-old.pth.tar $sample/images $sample/test_list.txt $few
head -n $((few + 1)) "$dir/test.csv" | cmp - "$dir/old.csv" || failures=$((failures + 1))
score original nih-sample.pth $sample/original $sample/original_list.txt $originals
agree original torch-original-ten.csv
[ $failures -eq 0 ] || { echo "$failures checks failed"; exit 1; }
