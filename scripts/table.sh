#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# table.sh [OPTION...]: one list of images scored in every mode, and one table of it: mean AUC, its
# paired difference from mode reference, images a second, memory. --help lists the options.
set -euo pipefail
help='usage: table.sh [--model M --images DIR --list F] [OPTION...]
  --model M         weights; default: those of the NIH sample, or some trained on phantoms
  --images DIR      folder of images or a cache of `chexnet prepare`; default: as the weights
  --list F          images to score, with labels; default: the test list of either
  --first N         only so many lines of it: mode reference takes a second an image and more
  --crops C         ten (default), center (a tenth of the time) or full
  --modes A,B       default reference,fp32,bf16,int8; differences need reference
  --int8 M          a quantised model; default: calibrated and quantised here
  --calibrate F     the list for that, of the same images; default: the training list of either, or
                    with --images the list that is scored
  --torch PYTHON    also PyTorch, of this python (that of bench/peers/run.sh)
  --threads N
  --md FILE, --json FILE   write the table as Markdown, as JSON
  --out DIR         for models, predictions and reports; default build/table
  --chexnet FILE    default build/release/chexnet'

usage_error() {
    echo "table.sh: $1; see --help" >&2
    exit 2
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sample=$root/../shared/nih-sample
declare -A given=([crops]=ten [modes]=reference,fp32,bf16,int8 [out]=$root/build/table
                  [chexnet]=$root/build/release/chexnet)
options=' model images list first crops modes int8 calibrate torch threads md json out chexnet '
while [ $# -gt 0 ]; do
    [ "$1" = --help ] && { echo "$help"; exit; }
    name=${1#--}
    [ "$name" != "$1" ] && [[ $options == *" $name "* ]] || usage_error "unknown option '$1'"
    [ $# -ge 2 ] || usage_error "$1 needs a value"
    given[$name]=$2
    shift 2
done
named=${given[model]+x}${given[images]+x}${given[list]+x}
[ -z "$named" ] || [ "$named" = xxx ] || usage_error '--model, --images and --list go together'
out=${given[out]} chexnet=${given[chexnet]}
threads=(${given[threads]+--threads "${given[threads]}"})
mkdir -p "$out"

# The phantoms' weights: one short training, which tells something of each finding.
train_on_phantoms() {
    local set=$out/phantom
    given[model]=$out/run/best.safetensors
    given[images]=$set/images given[list]=$set/test_list.txt
    : "${given[calibrate]:=$set/train_list.txt}"
    [ -e "${given[model]}" ] && return
    rm -rf "$set" "$out/run"
    echo 'table.sh: no weights named: training some on phantoms, some minutes' >&2
    "$chexnet" phantom --out "$set" --images 860 --size 256 --seed 1 --balanced >"$out/phantom.log"
    "$chexnet" train --images "$set/images" --train "$set/train_list.txt" \
        --val "$set/val_list.txt" --out "$out/run" --epochs 3 --batch 8 --crops center \
        --schedule one-cycle --lr 0.001 "${threads[@]}" >"$out/train.log"
}

choose_defaults() {
    if [ -n "$named" ]; then
        : "${given[calibrate]:=${given[list]}}"
    elif [ -r "$sample/test_list.txt" ]; then
        given[model]=$sample/../weights/nih-sample.pth
        given[images]=$sample/images given[list]=$sample/test_list.txt
        : "${given[calibrate]:=$sample/train_list.txt}"
    else
        train_on_phantoms
    fi
}

quantize() {
    given[int8]=$out/int8.safetensors
    "$chexnet" calibrate "${given[model]}" --images "${given[images]}" \
        --list "${given[calibrate]}" --out "$out/calibration.json" "${threads[@]}"
    "$chexnet" quantize "${given[model]}" --calibration "$out/calibration.json" \
        --out "${given[int8]}" "${threads[@]}"
}

score() {
    local mode=$1 model=${given[model]}
    [ "$mode" = int8 ] && model=${given[int8]}
    "$chexnet" infer "$model" --images "${given[images]}" --list "$list" --mode "$mode" \
        --crops "${given[crops]}" --out "$out/$mode.csv" --json "${threads[@]}" >"$out/$mode.json"
}

# differ NAME: how its predictions differ from those of mode reference, where there are both.
differ() {
    [ -e "$out/reference.csv" ] && [ "$1" != reference ] || return 0
    "$chexnet" compare "$out/reference.csv" "$out/$1.csv" --list "$list" --json \
        >"$out/$1.compare.json"
}

choose_defaults
list=$out/list.txt
head -n "${given[first]:--0}" "${given[list]}" >"$list"
IFS=, read -ra rows <<<"${given[modes]}"
rm -f "$out"/{reference,fp32,bf16,int8,torch}.{csv,json,compare.json}
[[ ",${given[modes]}," != *,int8,* ]] || [ -n "${given[int8]-}" ] || quantize >"$out/quantize.log"
for mode in "${rows[@]}"; do
    score "$mode"
    differ "$mode"
done
if [ -n "${given[torch]-}" ]; then
    PYTHONDONTWRITEBYTECODE=1 "${given[torch]}" "$root/bench/peers/torch_infer.py" \
        "${given[model]}" "${given[images]}" "$list" "${given[crops]}" "$out/torch.csv" \
        "${given[threads]:-$(nproc)}" >"$out/torch.json"
    differ torch
    rows+=(torch)
fi
exec python3 "$root/scripts/table.py" "$out" "${given[md]-}" "${given[json]-}" "${rows[@]}"
