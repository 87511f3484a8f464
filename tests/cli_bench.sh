#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli_bench.sh CHEXNET WEIGHTS QUANTIZED PART: what bench prints and refuses (part fast), and its
# figures of level c and of mode reference (part c).
set -uo pipefail
chexnet=$1 weights=$2 quantized=$3 part=$4
. tests/cli_expect.sh

"$chexnet" phantom --out "$work/set" --images 10 --size 256 --seed 3 >"$work/out" 2>"$work/err"
pictures=("$work"/set/images/*.png)
# check_json LEVEL...: of the JSON object just printed
check_json() {
    python3 - "$work/out" "$@" <<'END' || complain 'bench --json: see above'
import json, sys
o = json.load(open(sys.argv[1]))
assert o["level"] in sys.argv[2:], o["level"]
fixed = {"batch": 3, "threads": 2, "runs": 2, "pictures": 10}
for key, value in fixed.items():
    assert o[key] == value, (key, o[key])
for what in "crop", "image":
    low, middle, high = (o[f"ms_per_{what}_{part}"] for part in ("min", "median", "p95"))
    assert 0 < low <= middle <= high, what
assert o["ms_per_image_min"] > o["ms_per_crop_min"]
weights = 7 if o["mode"] == "int8" else 28
assert o["peak_rss_bytes"] > weights << 20, "less than the weights alone"
# Every product of DenseNet-121 on 224x224 is told, 2 x 2.834 G of them with the sums.
rows = o["operations"]
total = sum(row["ms"] * row["gflops"] / 1e3 for row in rows if row["gflops"])
assert abs(total - 5.668) < 0.01, total
if o["mode"] == "reference":
    assert sum(row["calls"] for row in rows if row["name"].startswith("conv")) == 120
assert o["peak_int8_gops" if o["mode"] == "int8" else "peak_gflops"] > 0
assert o["notice"] == "Research use only, not a medical device."
END
}
json=("${pictures[@]}" --runs 2 --batch 3 --threads 2 --json --per-op)

if [ "$part" = c ]; then
    expect 0 '^224x224 crop +[0-9.]+ +[0-9.]+ +[0-9.]+$' \
        bench "$weights" --runs 1 --batch 1 --threads 2 --mode reference --per-op
    grep -q '^conv 3x3 14x14 -> 32 *24 ' "$work/out" || complain 'no row of an operation'
    for mode in fp32 reference; do
        expect 0 "\"mode\": \"$mode\"" bench "$weights" "${json[@]}" --cpu c --mode $mode
        check_json c
    done
    exit $failed
fi

for mode in fp32 bf16; do
    expect 0 '^conv 3x3 14x14 -> 32 +[0-9]+ ' \
        bench "$weights" --runs 1 --batch 1 --threads 2 --mode $mode --per-op
    for what in samples 'conv 7x7' 'max pool' 'norm, ReLU' 'conv 1x1' 'norm, ReLU, pool' head; do
        grep -q -E "^$what [0-9]+x[0-9]+ " "$work/out" || complain "mode $mode: no row of $what"
    done
done
grep -q '^Research use only, not a medical device\.$' "$work/out" || complain 'no notice'
expect 0 '"mode": "bf16"' bench "$weights" "${json[@]}" --mode bf16
check_json c avx2 avx512 vnni amx
expect 0 '"mode": "int8"' bench "$quantized" "${json[@]}"
check_json c avx2 avxvnni avx512 vnni amx

for bad in 0 1025 -1 x ''; do
    expect 2 "^chexnet: --batch '.*': expected a whole number 1\.\.1024" \
        bench "$weights" "--batch=$bad"
done
expect 2 "^chexnet: --runs '0': expected a whole number 1\.\.100000" bench "$weights" --runs 0
expect 2 "^chexnet: --seconds '0': expected a number" bench "$weights" --seconds 0
expect 2 'exclude each other' bench "$weights" --runs 1 --seconds 1
expect 2 "'fast'" bench "$weights" --mode fast
expect 2 'MODEL' bench
expect 4 'none\.pth' bench "$work/none.pth"
expect 4 'none\.png' bench "$weights" "$work/none.png"
expect 5 'limit' bench "$weights" --memory-limit 8M

# A signal ends it.
"$chexnet" bench "$weights" --seconds 600 --threads 1 >"$work/out" 2>"$work/err" &
sleep 1
kill -TERM $!
wait $!
[ $? -eq 143 ] || complain 'SIGTERM: not ended by the signal'
exit $failed
