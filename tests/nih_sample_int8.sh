#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# INT8 on real X-rays, from ../shared (see README.md there):
#   nih_sample_int8.sh CHEXNET short    calibrated on 12 pictures, 10 of the test list
#   nih_sample_int8.sh CHEXNET long     on all of the train list, gated on the val list, one look at
#                                       the test list; both lists with the same bits at every level
# Skipped by name where that folder is absent.
set -u
cd "$(dirname "$0")/.."
chexnet=$1 suite=$2
sample=../shared/nih-sample weights=../shared/weights/nih-sample.pth
if [ ! -d $sample ] || [ ! -e $weights ]; then
    echo "skipped: INT8 on real X-rays, $suite (no ../shared/nih-sample, ../shared/weights)"
    exit 77
fi
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
images=$sample/images calibrated=12 scored=10 gate=()
if [ "$suite" = long ]; then
    calibrated=1000 scored=1000
    gate=(--max-auc-drop 0.001 --images $images --list $sample/val_list.txt)
fi
failures=0
fail() {
    echo "failed: $*"
    failures=$((failures + 1))
}

model=$dir/int8.safetensors
"$chexnet" calibrate $weights --images $images --list $sample/train_list.txt -n $calibrated \
    --out "$dir/c.json" 2>"$dir/err" || fail "calibrate: $(cat "$dir/err")"
"$chexnet" quantize $weights --calibration "$dir/c.json" --out "$model" "${gate[@]}" \
    2>"$dir/err" || fail "quantize: $(cat "$dir/err")"

# score NAME MODEL LIST ARGUMENT...
score() {
    local name=$1 from=$2 list=$3
    shift 3
    "$chexnet" infer "$from" --images $images --list "$list" --out "$dir/$name.csv" "$@" \
        >"$dir/$name.txt" 2>"$dir/err" || fail "infer $name: $(cat "$dir/err")"
}

head -n $scored $sample/test_list.txt >"$dir/test.txt"
score fp32 $weights "$dir/test.txt" --mode fp32
score int8 "$model" "$dir/test.txt"
python3 - "$dir/fp32.csv" "$dir/int8.csv" <<'P' || fail "probabilities"
import csv, math, sys
a, b = (list(csv.reader(open(p))) for p in sys.argv[1:3])
assert len(a) == len(b) > 3 and all(x[0] == y[0] for x, y in zip(a, b)), "other names or order"
changes = [abs(float(x) - float(y)) for r, s in zip(a[1:], b[1:]) for x, y in zip(r[1:], s[1:])]
most, rms = max(changes), math.sqrt(sum(c * c for c in changes) / len(changes))
print("%d x 14 probabilities, int8 against fp32: largest change %.4f of 0.05, RMS %.5f of 0.01"
      % (len(a) - 1, most, rms))
sys.exit(not (0 < most <= 0.05 and rms <= 0.01))
P
if [ "$suite" = long ]; then
    # Findings with fewer than 10 positives lose them, and so have no AUC in the mean.
    python3 - "$dir/test.txt" "$dir/often.txt" <<'P' || fail "list"
import sys
rows = [line.split() for line in open(sys.argv[1])]
often = [c for c in range(1, 15) if sum(row[c] == "1" for row in rows) >= 10]
assert often, "no finding has 10 positives"
for row in rows:
    row[1:] = [v if c in often else "0" for c, v in enumerate(row[1:], 1)]
open(sys.argv[2], "w").writelines(" ".join(row) + "\n" for row in rows)
P
    "$chexnet" compare "$dir/fp32.csv" "$dir/int8.csv" --list "$dir/often.txt" >"$dir/table.txt" ||
        fail "compare"
    grep -v 'n/a .* n/a .* n/a .* 0$' "$dir/table.txt"
    "$chexnet" compare "$dir/fp32.csv" "$dir/int8.csv" --list "$dir/often.txt" --json |
        python3 -c '
import json, sys
o = json.load(sys.stdin)
print(o["mean"])
sys.exit(not abs(o["mean"]["difference"]) <= 0.003)' || fail "mean AUC"
fi

# The same bits at every level, for any number of threads.
for list in $sample/val_list.txt "$dir/test.txt"; do
    [ "$suite" = long ] || list=$dir/test.txt
    score all "$model" "$list"
    for level in c avx2 avxvnni avx512 vnni amx; do
        "$chexnet" cpu --cpu $level >"$dir/cpu.txt" 2>&1 ||
            { echo "skipped: level $level (not on this CPU)"; continue; }
        score level "$model" "$list" --cpu $level --threads 3
        cmp "$dir/all.csv" "$dir/level.csv" || fail "level $level: other bits"
    done
    [ "$suite" = long ] || break
done
[ $failures -eq 0 ] || { echo "$failures checks failed"; exit 1; }
