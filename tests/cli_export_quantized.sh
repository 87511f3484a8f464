#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli_export_quantized.sh CHEXNET QUANTIZED: a quantised model as ONNX: what is told, the same bytes
# again, and the file in the quantised model's place.
set -uo pipefail
chexnet=$1 model=$2
. tests/cli_expect.sh

expect 0 '"bytes": ' export "$model" --out "$work/plain.onnx" --json
python3 - "$work/out" "$work/plain.onnx" "$model" <<'OBJECT' || complain 'export --json: see above'
import json, os, struct, sys
o, data = json.load(open(sys.argv[1])), open(sys.argv[3], "rb").read()
about = json.loads(data[8:8 + struct.unpack_from("<Q", data)[0]])["__metadata__"]
assert o["quantized"] is True and o["source_sha256"] == about["source_sha256"], o
assert o["bytes"] == os.path.getsize(sys.argv[2]) and o["opset"] == 17, o
# Two nodes more for each of the layers that were put back.
assert o["nodes"] == 794 + 2 * len(about["put_back"].split(",")), o
onnx = open(sys.argv[2], "rb").read()
for key, value in about.items():
    assert key == "preprocessing" or (key.encode() in onnx and value.encode() in onnx), key
OBJECT
expect 0 'ONNX, INT8, opset 17' \
    export "$model" --out "$work/three.onnx" --batch 3 --with-preprocessing
grep -q 'input 3 x 1 or 3 x 224 x 224, samples of 0 to 255; output 3 x 14' "$work/out" ||
    complain 'export: the shapes'
for file in "$work/plain.onnx" "$work/three.onnx"; do
    expect 0 'ONNX, INT8' export "$file" --out "$work/again.onnx"
    cmp "$work/plain.onnx" "$work/again.onnx" || complain "$file, exported: other bytes"
done
expect 0 'ONNX, INT8' \
    export "$work/plain.onnx" --out "$work/again.onnx" --batch 3 --with-preprocessing
cmp "$work/three.onnx" "$work/again.onnx" || complain 'export of an exported model: other bytes'

# --- in the quantised model's place
expect 0 '' phantom --out "$work/set" --images 10 --size 256 --seed 3
picture=$(ls "$work"/set/images/*.png | head -n 1)
for file in "$model" "$work/plain.onnx" "$work/three.onnx"; do
    scores=$work/$(basename "$file").csv
    expect 0 'mode int8' predict "$file" "$picture" --crops ten --out "$scores"
    cmp "$work/$(basename "$model").csv" "$scores" ||
        complain "$file: other bits than the model gives"
done
expect 0 '^int8 .* 0 +0\.05  passed$' selftest "$work/three.onnx"
expect 0 '^modes +int8$' inspect "$work/plain.onnx"
grep -q '^features.denseblock1.denselayer1.conv2.scale  F32 \[32\]' "$work/out" ||
    complain 'inspect: the tensors'
grep -q 'features.conv0.grey' "$work/out" && complain 'inspect: bytes of tensors as metadata'
expect 2 'plain\.onnx: quantised for mode int8, has no mode fp32$' \
    predict "$work/plain.onnx" "$picture" --mode fp32
expect 3 'plain\.onnx: quantised already, expected the weights' \
    optimize "$work/plain.onnx" --precision fp32 --out "$work/refused"

# --- other graphs
sed 's/Sigmoid/Softmax/' "$work/plain.onnx" >"$work/odd.onnx"
expect 3 "odd\.onnx: onnx: byte [0-9]+, in or behind 'probabilities', is not what export writes$" \
    predict "$work/odd.onnx" "$picture"
expect 0 "^fits      no: onnx: byte [0-9]+, in or behind 'probabilities'" inspect "$work/odd.onnx"
sed 's/chexnet_format/chexnet_farmot/' "$work/plain.onnx" >"$work/bare.onnx"
expect 3 "\(QuantizeLinear\): an operator that DenseNet-121 does not have$" \
    predict "$work/bare.onnx" "$picture"
expect 5 'limit' export "$model" --out "$work/refused" --memory-limit 4M
expect 5 'limit' predict "$work/plain.onnx" "$picture" --memory-limit 8M
[ -z "$(find "$work" -name 'refused*')" ] || complain 'refused, and written all the same'
exit $failed
