#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli_quantize.sh CHEXNET WEIGHTS PART: what quantize refuses (part refused); the model that it
# writes, and its gate (part models), as a user runs them.
set -uo pipefail
chexnet=$1 weights=$2 part=$3
. tests/cli_expect.sh

"$chexnet" phantom --out "$work/set" --images 100 --size 256 --seed 3 >"$work/out" 2>"$work/err" ||
    complain 'phantom'
images=$work/set/images
picture=$(ls "$images"/*.png | head -n 1)
# A dozen images with the commonest finding and a dozen without: nearly the least for a gate.
python3 - "$work/set/train_list.txt" "$work/few.txt" <<'END'
import sys
rows = [line.split() for line in open(sys.argv[1])]
column = max(range(1, 15), key=lambda c: sum(row[c] == "1" for row in rows))
few = [row for value in "10" for row in [r for r in rows if r[column] == value][:12]]
assert len(few) == 24, len(few)
open(sys.argv[2], "w").writelines(" ".join(row) + "\n" for row in few)
END
calibration=$work/c.json
"$chexnet" calibrate "$weights" --images "$images" --list "$work/few.txt" -n 12 \
    --out "$calibration" >"$work/out" 2>"$work/err" || complain 'calibrate'
model=$work/int8.safetensors
# edit FROM TO: $work/edited.json, the calibration with one text for another
edit() {
    python3 - "$calibration" "$work/edited.json" "$1" "$2" <<'END'
import sys
text = open(sys.argv[1]).read()
assert sys.argv[3] in text, sys.argv[3]
open(sys.argv[2], "w").write(text.replace(sys.argv[3], sys.argv[4]))
END
}
refuse() { # STATUS PATTERN WEIGHTS CALIBRATION [ARGUMENT...]
    local status=$1 pattern=$2 from=$3 with=$4
    shift 4
    expect "$status" "$pattern" quantize "$from" --calibration "$with" --out "$work/refused" "$@"
    [ -z "$(find "$work" -name 'refused*')" ] || complain "$from: something was written"
    rm -f "$work"/refused*
}
if [ "$part" = refused ]; then
    expect 2 'calibration' quantize "$weights" --out "$work/refused"
    expect 2 'out' quantize "$weights" --calibration "$calibration"
    for lonely in '--max-auc-drop 0.1' "--list $work/set/val_list.txt" "--images $images"; do
        # shellcheck disable=SC2086
        refuse 2 'max-auc-drop, --images and --list go together$' "$weights" "$calibration" $lonely
    done
    refuse 2 "max-auc-drop '2'" "$weights" "$calibration" --max-auc-drop 2 --images "$images" \
        --list "$work/few.txt"
    refuse 4 'none\.pth' "$work/none.pth" "$calibration"
    refuse 4 'none\.json' "$weights" "$work/none.json"
    refuse 3 'not a weights file' "$picture" "$calibration"
    refuse 3 'png: ' "$weights" "$picture"
    refuse 5 'limit' "$weights" "$calibration" --memory-limit 8M
    expect 4 'none/m' quantize "$weights" --calibration "$calibration" --out "$work/none/m"
    hash=$(sha256sum "$weights" | cut -c 1-64)
    edit "$hash" "0123456789${hash:10}"
    other="the calibration of 'formula\.safetensors' with SHA-256 01234567\.\.\."
    refuse 3 "edited\.json: $other, but that of .*formula\.safetensors is ${hash:0:8}\.\.\.\$" \
        "$weights" "$work/edited.json"
    edit '"images": 12' '"images": 0'
    refuse 3 "edited\.json: .*images" "$weights" "$work/edited.json"
    "$chexnet" optimize "$weights" --precision fp32 --out "$work/fp32.safetensors" \
        >"$work/out" 2>"$work/err" || complain 'optimize'
    refuse 3 'already, expected the weights' "$work/fp32.safetensors" "$calibration"
    expect 2 'formula\.safetensors: .*int8' predict "$weights" "$picture" --mode int8
    head -n 5 "$work/few.txt" >"$work/short.txt"
    refuse 3 'short\.txt: no finding with 10 images that have it and as many that do not' \
        "$weights" "$calibration" --max-auc-drop 0.01 --images "$images" --list "$work/short.txt"
    exit $failed
fi

# --- what is told, what the file tells
expect 0 '"precision": "int8"' quantize "$weights" --calibration "$calibration" --out "$model" \
    --json
python3 - "$work/out" "$model" "$weights" "$calibration" <<'END' || complain 'quantize --json'
import hashlib, json, os, sys
o = json.load(open(sys.argv[1]))
sha256 = [hashlib.sha256(open(p, "rb").read()).hexdigest() for p in sys.argv[3:]]
assert o["model"] == sys.argv[2] and o["bytes"] == os.path.getsize(sys.argv[2]) < 8e6, o
assert [o["source_sha256"], o["calibration_sha256"]] == sha256, o
assert (o["method"], o["images"], o["gate"]) == ("minmax", 12, None), o
assert 0 < o["rms"] <= o["difference"] <= o["bound"] == 5e-2, o
assert o["notice"] == "Research use only, not a medical device."
END
expect 0 '^metadata  bit_exact = true$' inspect "$model"
expect 0 '^int8 +c +c .* passed$' selftest "$model"

# --- the same bits at every level, for any number of threads; the same bytes twice
head -n 10 "$work/few.txt" >"$work/ten.txt"
score() { # NAME ARGUMENT...
    local name=$1
    shift
    expect 0 'mode int8' infer "$model" --images "$images" --list "$work/ten.txt" \
        --crops center --out "$work/$name.csv" "$@"
    cmp -s "$work/first.csv" "$work/$name.csv" || complain "infer $*: other bits"
}
"$chexnet" infer "$model" --images "$images" --list "$work/ten.txt" --crops center \
    --out "$work/first.csv" >"$work/out" 2>"$work/err" || complain 'infer'
for threads in 1 2 3; do score threads --threads $threads; done
for level in c avx2 avxvnni avx512 vnni amx; do
    "$chexnet" cpu --cpu $level >"$work/out" 2>&1 || { echo "skipped: level $level"; continue; }
    score "$level" --cpu $level
done
expect 0 'mode int8' quantize "$weights" --calibration "$calibration" --out "$work/twice"
cmp -s "$model" "$work/twice" || complain 'quantize: other bytes'

# --- the gate: what it measures, and what it cannot reach
gate=(--calibration "$calibration" --images "$images" --list "$work/few.txt")
expect 0 '"max_auc_drop": 1' quantize "$weights" "${gate[@]}" --out "$work/gate" \
    --max-auc-drop 1 --json
grep -q 'few\.txt: the list of the calibration' "$work/err" || complain 'gate: no note'
python3 - "$work/out" <<'END' || complain 'gate --json'
import json, sys
gate = json.load(open(sys.argv[1]))["gate"]
assert gate["images"] == 24 and gate["mean_of"] >= 1 and gate["layers"] == [], gate
(only,) = gate["rounds"]
assert only["put_back"] == 0, only
assert abs(gate["reference_auc"] - only["mean_auc"] - only["drop"]) < 1e-12, gate
END
"$chexnet" quantize "$weights" "${gate[@]}" --out "$work/refused" --max-auc-drop -1 \
    >"$work/out" 2>"$work/err"
[ $? -eq 3 ] || complain 'a gate that none passes: not status 3'
grep -q -E 'few\.txt: mean AUC falls by [-+0-9.]+ with all 119 layers put back, at most -1$' \
    "$work/err" || complain 'a gate that none passes: another line'
[ "$(grep -c 'layers put back, mean AUC of' "$work/err")" -eq 6 ] ||
    complain 'a gate that none passes: not 0, 4, 12, 28, 60, 119 layers'
[ -z "$(find "$work" -name 'refused*')" ] || complain 'a gate that none passes: written'
exit $failed
