#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli_export.sh CHEXNET WEIGHTS refused|models: export as a user runs it: what it refuses and what
# it tells; its models in the weights' place.
set -uo pipefail
chexnet=$1 weights=$2 part=$3
. tests/cli_expect.sh

if [ "$part" = refused ]; then
    refuse() { # STATUS PATTERN ARGUMENT...
        local status=$1 pattern=$2
        shift 2
        expect "$status" "$pattern" export "$@" --out "$work/refused"
        [ -z "$(find "$work" -name 'refused*')" ] || complain "$*: something was written"
        rm -f "$work"/refused*
    }
    echo 'no weights at all' >"$work/text"
    refuse 4 'none\.pth' "$work/none.pth"
    refuse 3 'not a weights file' "$work/text"
    refuse 2 'batch' "$weights" --batch 0
    refuse 2 'batch' "$weights" --batch 1025
    refuse 2 'batch' "$weights" --batch many
    refuse 5 'limit' "$weights" --memory-limit 8M
    expect 2 'out' export "$weights"
    expect 4 'none/m' export "$weights" --out "$work/none/m"

    # --- models that are none
    expect 0 'opset 17' export "$weights" --out "$work/plain.onnx"
    head -c 20000 "$work/plain.onnx" >"$work/cut.onnx"
    expect 3 'cut\.onnx: onnx: ModelProto, byte .* are left$' inspect "$work/cut.onnx"
    refuse 3 'cut\.onnx: onnx: ' "$work/cut.onnx"
    sed 's/Sigmoid/Sigmoig/' "$work/plain.onnx" >"$work/odd.onnx"
    refuse 3 "node 427 'probabilities' \(Sigmoig\): an operator" "$work/odd.onnx"
    expect 0 "^fits      no: onnx: node 427 'probabilities'" inspect "$work/odd.onnx"

    # --- a full disk: the file that was there stays
    echo before >"$work/kept"
    (ulimit -f 1000; "$chexnet" export "$weights" --out "$work/kept" >"$work/out" 2>"$work/err")
    [ $? -eq 4 ] || complain 'a full disk: not status 4'
    [ "$(cat "$work/kept")" = before ] || complain 'a full disk: the file under that name changed'
    [ "$(find "$work" -name 'kept*' | wc -l)" -eq 1 ] || complain 'a full disk: something is left'
    ln -s "$work/kept" "$work/link"
    expect 4 'not a regular file' export "$weights" --out "$work/link"
    exit $failed
fi

# --- what is told, and the same bytes again
sha256=$(sha256sum "$weights" | cut -c 1-64)
expect 0 '"bytes": ' export "$weights" --out "$work/plain.onnx" --json
python3 - "$work/out" "$work/plain.onnx" "$sha256" <<'OBJECT' || complain 'export --json: see above'
import json, os, sys
o = json.load(open(sys.argv[1]))
assert o["model"] == sys.argv[2] and o["source_sha256"] == sys.argv[3], o
assert o["bytes"] == os.path.getsize(sys.argv[2]) and (o["nodes"], o["opset"]) == (428, 17), o
assert o["batch"] is None and o["with_preprocessing"] is False, o
assert o["notice"] == "Research use only, not a medical device."
OBJECT
expect 0 'input batch x 3 x 224 x 224, normalised; output batch x 14' \
    export "$weights" --out "$work/again.onnx" --batch dynamic
cmp "$work/plain.onnx" "$work/again.onnx" || complain 'export: other bytes'
expect 0 'input 3 x 1 or 3 x 224 x 224, samples of 0 to 255; output 3 x 14' \
    export "$weights" --out "$work/three.onnx" --batch 3 --with-preprocessing

# --- the model in the weights' place
set=$work/set
expect 0 '' phantom --out "$set" --images 10 --size 256 --seed 3
picture=$(ls "$set"/images/*.png | head -n 1)
for file in "$weights" "$work/plain.onnx" "$work/three.onnx"; do
    expect 0 'mode fp32' predict "$file" "$picture" --crops center --mode fp32 \
        --out "$work/$(basename "$file").csv"
    cmp "$work/$(basename "$weights").csv" "$work/$(basename "$file").csv" ||
        complain "$file: other bits than the weights give"
done
expect 0 'opset 17' export "$work/three.onnx" --out "$work/again.onnx"
cmp "$work/plain.onnx" "$work/again.onnx" || complain 'export of an exported model: other bytes'
expect 0 '^format +onnx$' inspect "$work/plain.onnx"
grep -q "^metadata  source_sha256 = $sha256\$" "$work/out" || complain 'inspect: the source'
grep -q '^fits      DenseNet-121' "$work/out" || complain 'inspect: it does not fit'
for file in "$weights" "$work/plain.onnx"; do
    expect 0 'mode fp32' optimize "$file" --precision fp32 --out "$work/fp32.safetensors"
    expect 0 '' predict "$work/fp32.safetensors" "$picture" --crops center --out "$work/csv"
    cmp "$work/$(basename "$weights").csv" "$work/csv" || complain "$file: optimised to others"
done
expect 0 'done after 1 steps' train --images "$set/images" --out "$work/run" \
    --train "$set/train_list.txt" --val "$set/val_list.txt" --batch 1 --max-steps 1 \
    --weights "$work/plain.onnx"
expect 0 '' calibrate "$work/plain.onnx" --images "$set/images" --list "$set/train_list.txt" \
    -n 2 --out "$work/calibration.json"
grep -q "$(sha256sum "$work/plain.onnx" | cut -c 1-64)" "$work/calibration.json" ||
    complain 'calibrate: the hash of the model'

# --- weights for one mode only
expect 3 'optimised already, expected the weights that it was made from' \
    export "$work/fp32.safetensors" --out "$work/refused"
[ -z "$(find "$work" -name 'refused*')" ] || complain 'refused, and written all the same'
exit $failed
