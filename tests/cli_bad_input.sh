#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Hostile and broken inputs: one clear line, the documented status, nothing written, under 1 s of
# the CPU and 64 MiB beyond the file itself. usage: cli_bad_input.sh CHEXNET WEIGHTS
set -u
chexnet=$1 weights=$2
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cp "$weights" "$dir/good.safetensors" || exit 1
"$chexnet" phantom --out "$dir/set" --images 10 --size 256 >/dev/null || exit 1
python3 "$(dirname "$0")/bad_input.py" "$chexnet" "$dir"
