#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli_quantized.sh CHEXNET WEIGHTS QUANTIZED: what every command makes of a quantised model, and of
# mode int8 where there is none.
set -uo pipefail
chexnet=$1 weights=$2 model=$3
. tests/cli_expect.sh

"$chexnet" phantom --out "$work/set" --images 10 --size 256 --seed 3 >"$work/out" 2>"$work/err"
picture=$(ls "$work"/set/images/*.png | head -n 1)

# --- commands that take a model
expect 0 '^modes +int8$' inspect "$model"
grep -q '^metadata  chexnet_format = quantized$' "$work/out" || complain 'inspect: the format'
grep -q '^features.norm5.knot  U8 ' "$work/out" || complain 'inspect: the tensors'
expect 0 'mode int8' bench "$model" --runs 1 --batch 1
for mode in auto int8; do
    expect 0 'mode int8, center crops' infer "$model" --images "$work/set/images" \
        --list "$work/set/test_list.txt" --crops center --mode $mode --out "$work/$mode.csv"
done
cmp -s "$work/auto.csv" "$work/int8.csv" || complain 'infer: other bits with --mode int8'
expect 0 "^mean of " compare "$work/auto.csv" "$work/int8.csv" --list "$work/set/test_list.txt"

# --- the same bits at every level and number of threads
expect 0 '"mode": "int8"' predict "$model" "$picture" --crops ten --json --out "$work/top.csv"
for level in c avx2 avxvnni avx512 vnni amx; do
    "$chexnet" cpu --cpu "$level" >"$work/out" 2>&1 || continue
    expect 0 'mode int8' predict "$model" "$picture" --crops ten --cpu "$level" --threads 2 \
        --out "$work/level.csv"
    cmp -s "$work/level.csv" "$work/top.csv" || complain "level $level: other bits"
done

# --- selftest: at every level, and a model whose answers are one bit off
expect 0 '^int8 +c +c .* 0 +0\.05  passed$' selftest "$model"
grep -q '^every level must give the stored answers to the bit$' "$work/out" ||
    complain 'selftest: what is wanted of stored answers'
expect 0 '"quantized": true' selftest "$model" --json --cpu c
python3 - "$work/out" "$model" "$work/other.safetensors" <<'END' || complain 'selftest: see above'
import json, struct, sys
o = json.load(open(sys.argv[1]))
assert (o["passed"], o["failed"], o["skipped"], len(o["rows"])) == (1, 0, 5, 6), o
row = o["rows"][0]
assert (row["mode"], row["bound"], row["stored_bound"]) == ("int8", 0.05, 0), row
assert row["stored_difference"] == 0 and not o["optimized"], o
data = bytearray(open(sys.argv[2], "rb").read())
size = struct.unpack_from("<Q", data)[0]
header = json.loads(data[8:8 + size])
assert header["__metadata__"]["probe_difference"] == "0", header["__metadata__"]
for name in "probe.answers", "probe.reference":
    data[8 + size + header[name]["data_offsets"][0]] ^= 1
open(sys.argv[3], "wb").write(data)
END
"$chexnet" selftest "$work/other.safetensors" --cpu c >"$work/out" 2>"$work/err"
[ $? -eq 3 ] || complain 'selftest of changed answers: not status 3'
grep -q 'FAILED in [A-Z]' "$work/out" || complain 'selftest of changed answers: not named'
expect 0 '^3 passed, 0 failed, 10 skipped$' selftest "$weights" --cpu c

# --- one mode, and that no other file has
expect 2 'quantised for mode int8, has no mode fp32$' predict "$model" "$picture" --mode fp32
expect 2 "$(basename "$weights"): not quantised, has no mode int8: see chexnet quantize\$" \
    predict "$weights" "$picture" --mode int8
"$chexnet" optimize "$weights" --precision fp32 --out "$work/fp32.safetensors" >"$work/out" 2>&1
expect 2 'fp32\.safetensors: not quantised, has no mode int8: see chexnet quantize$' \
    bench "$work/fp32.safetensors" --mode int8
expect 3 'quantised already, expected the weights' \
    optimize "$model" --precision fp32 --out "$work/again"
expect 3 'already, expected the weights' calibrate "$model" --images "$work/set/images" \
    --list "$work/set/train_list.txt" --out "$work/again"
expect 5 'limit' selftest "$model" --memory-limit 4M
exit $failed
