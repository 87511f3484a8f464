#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# table.sh CHEXNET WEIGHTS QUANTIZED: scripts/table.sh on phantoms, against what infer and compare
# say. The quantised model is of other weights: figures of its own, a difference of either sign.
set -uo pipefail
chexnet=$1 weights=$2 quantized=$3
. tests/cli_expect.sh
table() {
    scripts/table.sh --chexnet "$chexnet" --out "$work/table" "$@" >"$work/out" 2>"$work/err"
}

"$chexnet" phantom --out "$work/set" --images 12 --size 256 --seed 3 --balanced >"$work/out"
cat "$work"/set/{train,val,test}_list.txt >"$work/list.txt"
given=(--model "$weights" --images "$work/set/images" --list "$work/list.txt" --crops center)

table "${given[@]}" --first 8 --modes reference,fp32,bf16,int8 --int8 "$quantized" \
    --threads 2 --md "$work/t.md" --json "$work/t.json" || complain "status $?"
for mode in reference fp32 bf16 int8; do
    grep -q -E "^$mode +[0-9.]+ " "$work/out" || complain "no row of $mode"
    grep -q -E "^\| $mode \| [0-9.]+ \|" "$work/t.md" || complain "no row of $mode in Markdown"
done
grep -q '^8 images, center crops, 2 threads;' "$work/out" || complain 'not what was scored'
grep -q '^Research use only, not a medical device\.$' "$work/out" || complain 'no notice'

# The figures are those of the two commands on the same list.
head -n 8 "$work/list.txt" >"$work/eight.txt"
model=$weights
for mode in reference bf16 int8; do
    [ $mode = int8 ] && model=$quantized
    expect 0 '"mean_auc"' infer "$model" --images "$work/set/images" --list "$work/eight.txt" \
        --crops center --mode $mode --out "$work/$mode.csv" --json
    cp "$work/out" "$work/$mode.json"
done
for mode in bf16 int8; do
    expect 0 '"difference"' compare "$work/reference.csv" "$work/$mode.csv" --json \
        --list "$work/eight.txt"
    cp "$work/out" "$work/$mode-compared.json"
done
python3 - "$work" <<'END_OF_CHECK' || complain 'other figures than infer and compare: see above'
import json, sys
read = lambda name: json.load(open(f"{sys.argv[1]}/{name}"))
rows = {row["mode"]: row for row in read("t.json")["rows"]}
assert list(rows) == ["reference", "fp32", "bf16", "int8"], list(rows)
assert rows["reference"]["auc_difference"] is None and rows["reference"]["over_reference"] is None
for mode in "bf16", "int8":
    compared = read(f"{mode}-compared.json")["mean"]
    assert rows[mode]["auc_difference"] == compared["difference"], mode
    assert rows[mode]["ci95"] == compared["ci95"], mode
assert rows["int8"]["auc_difference"] != 0, "no sign to see"
for mode in "reference", "bf16", "int8":
    assert rows[mode]["mean_auc"] == read(f"{mode}.json")["mean_auc"], mode
for row in rows.values():
    weights = 7 if row["mode"] == "int8" else 28
    assert row["images_per_second"] > 0 and row["peak_rss_bytes"] > weights << 20
    speed = row["images_per_second"] / rows["reference"]["images_per_second"]
    assert row["over_reference"] in (None, speed), row
END_OF_CHECK

# Without the reference there is nothing to differ from.
table "${given[@]}" --first 4 --modes bf16 || complain "one mode: status $?"
grep -q -E '^bf16 +[0-9.]+ +- +- ' "$work/out" || complain 'one mode: a difference from nothing'

for bad in '--fast 1' '--first' "--model $weights" 'list.txt'; do
    table $bad
    [ $? -eq 2 ] || complain "table.sh $bad: not status 2"
    [ "$(wc -l <"$work/err")" -eq 1 ] || complain "table.sh $bad: not one line on stderr"
done
table "${given[@]}" --modes fast
[ $? -ne 0 ] || complain 'mode fast: no error'
exit $failed
