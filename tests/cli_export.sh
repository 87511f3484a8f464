#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli_export.sh CHEXNET WEIGHTS: export as a user runs it: what it refuses and what it tells.
set -uo pipefail
chexnet=$1 weights=$2
. tests/cli_expect.sh

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

# --- what is told, and the same bytes again
sha256=$(sha256sum "$weights" | cut -c 1-64)
expect 0 '"bytes": ' export "$weights" --out "$work/plain.onnx" --json
python3 - "$work/out" "$work/plain.onnx" "$sha256" <<'END' || complain 'export --json: see above'
import json, os, sys
o = json.load(open(sys.argv[1]))
assert o["model"] == sys.argv[2] and o["source_sha256"] == sys.argv[3], o
assert o["bytes"] == os.path.getsize(sys.argv[2]) and (o["nodes"], o["opset"]) == (428, 17), o
assert o["batch"] is None and o["with_preprocessing"] is False, o
assert o["notice"] == "Research use only, not a medical device."
END
expect 0 'input batch x 3 x 224 x 224, normalised; output batch x 14' \
    export "$weights" --out "$work/again.onnx" --batch dynamic
cmp "$work/plain.onnx" "$work/again.onnx" || complain 'export: other bytes'
expect 0 'input 3 x 1 or 3 x 224 x 224, samples of 0 to 255; output 3 x 14' \
    export "$weights" --out "$work/three.onnx" --batch 3 --with-preprocessing

# --- weights for one mode only
expect 0 'mode fp32' optimize "$weights" --precision fp32 --out "$work/fp32.safetensors"
refuse 3 'optimised already, expected the weights that it was made from' "$work/fp32.safetensors"

# --- a full disk: the file that was there stays
echo before >"$work/kept"
(ulimit -f 1000; "$chexnet" export "$weights" --out "$work/kept" >"$work/out" 2>"$work/err")
[ $? -eq 4 ] || complain 'a full disk: not status 4'
[ "$(cat "$work/kept")" = before ] || complain 'a full disk: the file under that name changed'
[ "$(find "$work" -name 'kept*' | wc -l)" -eq 1 ] || complain 'a full disk: something left behind'
ln -s "$work/kept" "$work/link"
expect 4 'not a regular file' export "$weights" --out "$work/link"
exit $failed
