#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a bare Debian 12 to what chexnet does: installs what building needs, builds, draws a small
# data set and works on it.
#   scripts/demo.sh                          what needs no trained weights
#   scripts/demo.sh WEIGHTS                  also scores the drawn images with them
#   scripts/demo.sh WEIGHTS IMAGES LIST      scores the first 8 images of LIST, found in IMAGES
# Results stay in build/demo/.
set -euo pipefail
usage='usage: demo.sh [WEIGHTS [IMAGES LIST]]'
case $# in
0 | 1 | 3) ;;
*)
    echo "$usage" >&2
    exit 2
    ;;
esac
for path in "$@"; do
    [ -r "$path" ] || { echo "demo.sh: cannot read '$path'; $usage" >&2; exit 4; }
done
weights=${1:+$(realpath "$1")} images=${2:+$(realpath "$2")} list=${3:+$(realpath "$3")}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

echo "== build"
scripts/deps.sh --build-only
mkdir -p build
{ cmake --preset release && cmake --build --preset release --target chexnet_command; } \
    >build/demo.log 2>&1 </dev/null || { tail -n 40 build/demo.log; exit 1; }
PATH=$PWD/build/release:$PATH

rm -rf build/demo
mkdir build/demo
cd build/demo
show() {
    printf '\n$ %s\n' "$*"
    "$@" </dev/null
}

show chexnet --version
show chexnet cpu
show chexnet phantom --out phantom --images 48 --size 512 --seed 1 --balanced
show chexnet stats --train phantom/train_list.txt --val phantom/val_list.txt \
    --test phantom/test_list.txt
show chexnet prepare --images phantom/images --list phantom/train_list.txt \
    --list phantom/val_list.txt --list phantom/test_list.txt --out phantom.cache

if [ -z "$weights" ]; then
    printf '\nskipped: inspect, infer, predict, optimize, selftest (no weights; %s)\n' "$usage"
    exit 0
fi
printf '\n$ chexnet inspect %s | tail -n 8\n' "$weights"
chexnet inspect "$weights" | tail -n 8
if [ -n "$list" ]; then
    head -n 8 "$list" >list.txt
else
    # What these weights say about drawn chests means nothing; it shows the commands.
    images=phantom/images
    head -n 8 phantom/test_list.txt >list.txt
fi
show chexnet infer "$weights" --images "$images" --list list.txt --out predictions.csv
picture=$images/$(awk 'NR == 1 { print $1 }' list.txt)
show chexnet predict "$weights" "$picture"
show chexnet optimize "$weights" --precision fp32 --out fp32.safetensors
show chexnet selftest fp32.safetensors
show chexnet predict fp32.safetensors "$picture" --mode fp32
