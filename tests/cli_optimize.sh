#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli_optimize.sh CHEXNET WEIGHTS PART: what optimize and selftest refuse (part refused), both as a
# user runs them, and what every other command makes of an optimised model (part models).
set -uo pipefail
chexnet=$1 weights=$2 part=$3
. tests/cli_expect.sh

"$chexnet" phantom --out "$work/set" --images 10 --size 256 --seed 3 >"$work/out" 2>"$work/err"
picture=$(ls "$work"/set/images/*.png | head -n 1)
refuse() { # STATUS PATTERN WEIGHTS PRECISION
    expect "$1" "$2" optimize "$3" --precision "$4" --out "$work/refused"
    [ -z "$(find "$work" -name 'refused*')" ] || complain "$3: something was written"
    rm -f "$work"/refused*
}
if [ "$part" = refused ]; then
    refuse 4 'none\.pth' "$work/none.pth" fp32
    refuse 3 'not a weights file' "$picture" fp32
    expect 2 "'int4'" optimize "$weights" --precision int4 --out "$work/refused"
    expect 2 'precision' optimize "$weights" --out "$work/refused"
    expect 2 'out' optimize "$weights" --precision fp32
    expect 4 'none/m' optimize "$weights" --precision fp32 --out "$work/none/m"
    expect 5 'limit' optimize "$weights" --precision fp32 --out "$work/refused" --memory-limit 8M
    expect 3 'not a weights file' selftest "$picture"
    expect 4 'none\.pth' selftest "$work/none.pth"
    exit $failed
fi

sha256=$(sha256sum "$weights" | cut -c 1-64)
levels=$("$chexnet" cpu --json | python3 -c '
import json, sys
top = json.load(sys.stdin)["level"]
known = "c avx2 avxvnni avx512 vnni amx".split()
print(*known[:known.index(top) + 1])')

# --- each precision: what is told, the same bits at every level, the self-test
for mode in fp32 bf16; do
    model=$work/$mode.safetensors
    expect 0 '"difference": ' optimize "$weights" --precision $mode --out "$model" --json
    python3 - "$work/out" "$model" $mode "$sha256" <<'END' || complain "optimize --json: see above"
import json, os, sys
o = json.load(open(sys.argv[1]))
assert o["model"] == sys.argv[2] and o["precision"] == sys.argv[3], o
assert o["source_sha256"] == sys.argv[4] and o["bytes"] == os.path.getsize(sys.argv[2]), o
assert 0 <= o["difference"] <= o["bound"] == {"fp32": 1e-5, "bf16": 2e-2}[sys.argv[3]], o
assert o["notice"] == "Research use only, not a medical device."
END
    expect 0 "^modes +$mode\$" inspect "$model"
    grep -q "^metadata  source_sha256 = $sha256\$" "$work/out" || complain "inspect: the source"
    expect 0 "^$mode +c +c .* passed\$" selftest "$model"
    expect 0 "\"mode\": \"$mode\"" predict "$model" "$picture" --crops center --json
    for level in $levels; do
        "$chexnet" cpu --cpu "$level" >"$work/out" 2>&1 || continue
        for file in "$weights" "$model"; do
            expect 0 "mode $mode" predict "$file" "$picture" --crops center --mode $mode \
                --cpu "$level" --out "$work/$(basename "$file").csv"
        done
        cmp -s "$work/$(basename "$weights").csv" "$work/$mode.safetensors.csv" ||
            complain "$mode at level $level: other bits than the weights give"
    done
done
[ "$(stat -c %s "$work/bf16.safetensors")" -lt $((15 << 20)) ] || complain 'bf16: not half the size'
expect 0 'mode fp32' bench "$work/fp32.safetensors" --runs 1 --batch 1
expect 0 'mode fp32, center crops' infer "$work/fp32.safetensors" --images "$work/set/images" \
    --list "$work/set/test_list.txt" --crops center

# --- a file has one mode
for mode in reference bf16; do
    expect 2 "fp32\.safetensors: optimised for mode fp32, has no mode $mode\$" \
        predict "$work/fp32.safetensors" "$picture" --mode $mode
done
expect 2 'optimised for mode bf16, has no mode fp32' bench "$work/bf16.safetensors" --mode fp32
expect 3 'fp32\.safetensors: optimised already, expected the weights' \
    optimize "$work/fp32.safetensors" --precision fp32 --out "$work/again"

# --- the same twice
expect 0 'mode fp32, ' optimize "$weights" --precision fp32 --out "$work/twice.safetensors"
cmp -s "$work/fp32.safetensors" "$work/twice.safetensors" || complain 'optimize: other bytes'

# --- selftest: weights as trained, levels that are left out, a model that answers otherwise
expect 0 '"optimized": true' selftest "$work/fp32.safetensors" --json --cpu c
python3 - "$work/out" <<'END' || complain 'selftest --json: see above'
import json, sys
o = json.load(open(sys.argv[1]))
assert (o["passed"], o["failed"], o["skipped"], len(o["rows"])) == (1, 0, 5, 6), o
row = o["rows"][0]
assert (row["level"], row["kernels"], row["result"]) == ("c", "c", "passed"), row
assert row["difference"] <= row["bound"] == 1e-5 and row["stored_difference"] <= 1e-5, row
assert all(r["result"] == "skipped" and r["skipped"] for r in o["rows"][1:]), o
END
expect 0 '^reference +c +c +0 +- +0  passed$' selftest "$weights" --cpu c
grep -q '^3 passed, 0 failed, 10 skipped$' "$work/out" || complain 'selftest: not three modes'
python3 - "$work/fp32.safetensors" "$work/other.safetensors" <<'END'
import json, struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
size = struct.unpack_from("<Q", data)[0]
header = json.loads(data[8:8 + size])
begin, end = (8 + size + at for at in header["classifier.bias"]["data_offsets"])
for at in range(begin, end, 4):
    struct.pack_into("<f", data, at, struct.unpack_from("<f", data, at)[0] * 0.9 + 0.05)
open(sys.argv[2], "wb").write(data)
END
"$chexnet" selftest "$work/other.safetensors" --cpu c >"$work/out" 2>"$work/err"
[ $? -eq 3 ] || complain 'selftest of a changed model: not status 3'
grep -q 'other\.safetensors: 1 of 1 answers to the probe picture are out of bounds$' "$work/err" ||
    complain 'selftest of a changed model: another line on stderr'
grep -q 'FAILED in [A-Z]' "$work/out" || complain 'selftest of a changed model: not named'

# --- weights that cannot be optimised: too far apart, or not finite
python3 - "$weights" "$work" <<'END'
import array, json, math, struct, sys
def load(path):
    data = bytearray(open(path, "rb").read())
    size = struct.unpack_from("<Q", data)[0]
    return data, size, json.loads(data[8:8 + size])
def read(model, name):
    data, size, header = model
    begin, end = header[name]["data_offsets"]
    return array.array("f", data[8 + size + begin:8 + size + end])
weights = data, size, header = load(sys.argv[1])
def write(out, **tensors):
    changed = bytearray(data)
    for name, values in tensors.items():
        begin, end = header[name.replace("_", ".")]["data_offsets"]
        changed[8 + size + begin:8 + size + end] = array.array("f", values).tobytes()
    open(sys.argv[2] + "/" + out, "wb").write(changed)
# Ten thousand times as steep, about the answers to the probe's first view: differences grow.
prob = read(load(sys.argv[2] + "/fp32.safetensors"), "probe.reference")[:14]
logits = [math.log(p / (1 - p)) for p in prob]
write("steep", classifier_weight=[1e4 * v for v in read(weights, "classifier.weight")],
      classifier_bias=[1e4 * (b - l) for b, l in zip(read(weights, "classifier.bias"), logits)])
write("huge", features_norm5_weight=[3e38] * 1024)
write("nan", features_conv0_weight=[float("nan")] * 64 * 3 * 49)
END
refuse 3 'steep: mode fp32 differs from mode reference by .* of the probe, at most 1e-05$' \
    "$work/steep" fp32
refuse 3 "huge: " "$work/huge" fp32
refuse 3 "nan: tensor 'features.conv0.weight': element 0 is " "$work/nan" fp32
expect 5 'limit' selftest "$work/fp32.safetensors" --memory-limit 8M

# --- a full disk: the file that was there stays
echo before >"$work/kept"
(ulimit -f 1000; "$chexnet" optimize "$weights" --precision bf16 --out "$work/kept" \
    >"$work/out" 2>"$work/err")
[ $? -eq 4 ] || complain 'a full disk: not status 4'
[ "$(cat "$work/kept")" = before ] || complain 'a full disk: the file under that name changed'
[ "$(find "$work" -name 'kept*' | wc -l)" -eq 1 ] || complain 'a full disk: something left behind'
exit $failed
