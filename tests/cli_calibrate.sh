#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli_calibrate.sh CHEXNET WEIGHTS: what calibrate writes and refuses; a run that is stopped, or
# killed, and run again gives the bytes of one that nothing disturbed, on any number of threads.
set -uo pipefail
chexnet=$1 weights=$2
. tests/cli_expect.sh

"$chexnet" phantom --out "$work/set" --images 30 --size 256 --seed 3 >"$work/out" 2>"$work/err" ||
    complain 'phantom'
cat "$work"/set/{train,val,test}_list.txt >"$work/all.txt"
inputs=("$weights" --images "$work/set/images" --list "$work/all.txt")
out=$work/c.json

# ---- refused -------------------------------------------------------------------------------------
expect 2 'MODEL expected' calibrate --images "$work" --list "$work/all.txt" --out "$out"
expect 2 '^chexnet: calibrate: --out FILE is needed' calibrate "${inputs[@]}"
expect 2 "--method 'median'" calibrate "${inputs[@]}" --out "$out" --method median
expect 2 "--count '0'" calibrate "${inputs[@]}" --out "$out" -n 0
expect 2 "-n needs a value" calibrate "${inputs[@]}" --out "$out" -n
expect 2 "--seed '9223372036854775808'" calibrate "${inputs[@]}" --out "$out" \
    --seed 9223372036854775808
expect 2 'percentile 50, expected' calibrate "${inputs[@]}" --out "$out" --method percentile \
    --percentile 50
expect 4 'none/c' calibrate "${inputs[@]}" --out "$work/none/c"
expect 4 'not a regular file' calibrate "${inputs[@]}" --out "$work"
expect 4 'nowhere' calibrate "$work/nowhere" "${inputs[@]:1}" --out "$out"
expect 5 'limit' calibrate "${inputs[@]}" --out "$out" --memory-limit 8M
: >"$work/empty.txt"
expect 3 'empty, expected a list' calibrate "$weights" --images "$work/set/images" \
    --list "$work/empty.txt" --out "$out"
echo 'missing.png' >"$work/missing.txt"
expect 4 'missing.png' calibrate "$weights" --images "$work/set/images" \
    --list "$work/missing.txt" --out "$out"
"$chexnet" optimize "$weights" --precision fp32 --out "$work/fp32.safetensors" >"$work/out" \
    2>"$work/err" || complain 'optimize'
expect 3 'already, expected the weights' calibrate "$work/fp32.safetensors" \
    "${inputs[@]:1}" --out "$out"
[ -e "$out" ] && complain 'refused, and written all the same'
ls "$work" | grep -q partial && complain 'refused, and a partial file'

# ---- written -------------------------------------------------------------------------------------
expect 0 '"images": 4' calibrate "${inputs[@]}" --out "$out" -n 4 --threads 2 --json
python3 - "$out" "$work/out" "$weights" "$work/all.txt" <<'END' || complain 'see above'
import hashlib, json, math, sys
c, told = (json.load(open(p)) for p in sys.argv[1:3])
assert list(c) == ["chexnet_format", "chexnet_format_version", "chexnet_version", "model_name",
                   "model_sha256", "list_sha256", "method", "images", "seed", "tensors"], list(c)
hashes = [hashlib.sha256(open(p, "rb").read()).hexdigest() for p in sys.argv[3:5]]
assert [c["model_sha256"], c["list_sha256"]] == hashes
assert [told["model_sha256"], told["list_sha256"]] == hashes and told["resumed"] == 0
assert (c["method"], c["images"], c["seed"]) == ("minmax", 4, 1)
kinds = {("lo", "hi"): 0, ("max", "mean"): 0, ("mean", "share"): 0}
for name, arrays in c["tensors"].items():
    kinds[tuple(arrays)] += len(next(iter(arrays.values())))
    for array in arrays.values():
        assert all(math.isfinite(x) for x in array), name
assert list(kinds.values()) == [2816, 7424, 34336], kinds
assert len(c["tensors"]) == 1 + 3 * 58 + 7
END
expect 0 '4 images' calibrate "${inputs[@]}" --out "$work/one.json" -n 4 --threads 1
cmp -s "$out" "$work/one.json" || complain 'one thread: other bytes'
expect 0 '4 images' calibrate "${inputs[@]}" --out "$work/seed.json" -n 4 --seed 2
cmp -s "$out" "$work/seed.json" && complain 'another seed: the same bytes'
expect 0 '1 images' calibrate "${inputs[@]}" --out "$work/lone.json" -n 1
cp "$work/all.txt" "$work/test_list.txt"
expect 0 '1 images' calibrate "$weights" --images "$work/set/images" -n 1 \
    --list "$work/test_list.txt" --out "$work/lone.json"
grep -q 'test_list.txt: by its name a list to evaluate on' "$work/err" || complain 'no warning'
for method in percentile entropy mse; do
    expect 0 "2 images, method $method" calibrate "${inputs[@]}" -n 2 --method $method \
        --out "$work/$method.json"
done

# ---- interrupted ---------------------------------------------------------------------------------
many=("${inputs[@]}" -n 24)
expect 0 '24 images, method minmax' calibrate "${many[@]}" --threads 2 --out "$work/whole.json"
stopped=$work/stopped.json

# stop SIGNAL STATUS: a run that is sent a signal soon, unless it is done by then
stop() {
    "$chexnet" calibrate "${many[@]}" --threads 1 --out "$stopped" >"$work/out" 2>"$work/err" &
    local job=$! status=0
    sleep 0.7
    kill -s "$1" $job 2>/dev/null
    wait $job 2>/dev/null || status=$?
    [ $status -eq "$2" ] || [ $status -eq 0 ] || complain "SIG$1: status $status"
}
stop TERM 143
if [ -e "$stopped.partial" ]; then
    grep -q "kept in '.*stopped.json.partial'" "$work/err" || complain 'the stop says nothing'
    expect 4 'of another calibration, seed 1, not 2' calibrate "${many[@]}" --seed 2 \
        --out "$stopped"
    expect 4 'images 24, not 23' calibrate "${inputs[@]}" -n 23 --out "$stopped"
elif [ ! -e "$stopped" ]; then
    complain 'nothing was kept'
fi
stop KILL 137
stop INT 130
expect 0 '24 images' calibrate "${many[@]}" --out "$stopped" --threads 2
cmp -s "$work/whole.json" "$stopped" || complain 'resumed: other bytes'
ls "$work" | grep -q partial && complain 'a partial file is left'
echo 'not one' >"$work/p.json.partial"
expect 3 'p.json.partial: ' calibrate "${inputs[@]}" -n 1 --out "$work/p.json"
grep -q 'not one' "$work/p.json.partial" || complain 'the file of somebody else was replaced'
exit $failed
