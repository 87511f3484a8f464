#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli_run.sh CHEXNET WRITE_CHECKPOINT: what inspect tells of the folder of a training, whole and
# broken, and that its models are models.
set -uo pipefail
chexnet=$1 program=$2
. tests/cli_expect.sh
run=$work/run

# wrong PATTERN PATH [--json]: status 3 and the pattern on stderr, what there is on stdout.
wrong() {
    local pattern=$1
    shift
    "$chexnet" inspect --verify "$@" >"$work/out" 2>"$work/err"
    [ $? -eq 3 ] && [ -s "$work/out" ] && [ "$(wc -l <"$work/err")" -eq 1 ] &&
        grep -q -E "$pattern" "$work/err" || complain "inspect --verify $*: no '$pattern'"
}

expect 4 "cannot open '.*/run\.json': No such file" inspect "$work"
"$program" create "$run" || exit 1
expect 0 '^last      no checkpoint$' inspect "$run" --verify
grep -q '^verified  everything is whole$' "$work/out" || complain 'a run without a checkpoint'
"$program" save "$run" 1 full && "$program" save "$run" 12 full || exit 1

# --- whole: text, JSON, hashes as sha256sum has them, models that other commands take
expect 0 '^verified  everything is whole$' inspect "$run" --verify
grep -q '^last      step 12, epoch 1, best mean AUC 0.0667$' "$work/out" || complain 'last'
grep -q '^before    step 1, epoch 0, best mean AUC 0.2500$' "$work/out" || complain 'before'
grep -q '^log       2 lines$' "$work/out" || complain 'the log'
expect 0 '"verified": true' inspect "$run" --verify --json
python3 - "$work/out" "$run" <<'END' || complain 'inspect --json: see above'
import hashlib, json, os, sys
o, run = json.load(open(sys.argv[1])), sys.argv[2]
assert o["run"] == run and o["config"] == {"model": "small"} and o["problems"] == [], o
assert [(c["name"], c["step"], c["epoch"]) for c in o["checkpoints"]] == \
    [("last", 12, 1), ("before", 1, 0)], o
assert abs(o["checkpoints"][0]["best_auc"] - 1 / 15) < 1e-15 and o["log_lines"] == 2, o
seen = {f["name"]: f for f in o["files"]}
there = {os.path.relpath(os.path.join(d, f), run) for d, _, fs in os.walk(run) for f in fs}
assert set(seen) == there - {"lock"}, (seen, there)
hashed = 0
for name, f in seen.items():
    data = open(os.path.join(run, name), "rb").read()
    assert f["bytes"] == len(data), f
    if f["sha256"] is not None:
        hashed += 1
        assert f["sha256"] == hashlib.sha256(data).hexdigest(), f
assert hashed == 9, hashed
END
expect 0 '"verified": false' inspect "$run" --json
for model in best.safetensors last/weights.safetensors before/average.safetensors; do
    expect 0 '^fits      DenseNet-121 with 14 findings$' inspect "$run/$model" --verify
done
wrong "moments\.safetensors: .* is missing" "$run/last/moments.safetensors"
expect 5 'limit' inspect "$run" --verify --memory-limit 8M

# --- broken: only --verify reads everything, and ends with status 3 and the first thing wrong
broken() { # FILE PATTERN
    wrong "$2" "$run"
    grep -q '^wrong     ' "$work/out" || complain "$1: not in the table"
    wrong "$2" "$run" --json
    python3 -c 'import json, sys; assert len(json.load(open(sys.argv[1]))["problems"]) == 1' \
        "$work/out" || complain "$1: not in the JSON"
    cp "$work/kept" "$run/$1"
}
flip() { # FILE PLACE
    cp "$run/$1" "$work/kept"
    printf '~' | dd of="$run/$1" bs=1 seek="$2" conv=notrunc status=none
}
flip last/weights.safetensors 20000000
expect 0 '^last      step 12' inspect "$run"
broken last/weights.safetensors 'last/weights\.safetensors: SHA-256 is .*, SHA256SUMS has '
flip before/state.json 20
expect 0 '^wrong     .*before/state\.json: SHA-256 is' inspect "$run"
broken before/state.json 'before/state\.json: SHA-256 is '
flip last/SHA256SUMS 66
broken last/SHA256SUMS 'last/SHA256SUMS: line 1: expected 64 lower-case hex digits'
flip best.safetensors 60
broken best.safetensors 'best\.safetensors: '
cp "$run/best.safetensors" "$work/kept"
cp "$run/before/weights.safetensors" "$run/best.safetensors"
expect 0 '^last      step 12' inspect "$run"
broken best.safetensors 'best\.safetensors: SHA-256 is .*, the checkpoint has '
rm "$run/best.safetensors"
broken best.safetensors 'best\.safetensors: missing, the checkpoint tells of one'
cp "$run/log.jsonl" "$work/kept"
sed -i '$d' "$run/log.jsonl"
broken log.jsonl 'log\.jsonl: [0-9]+ bytes, the checkpoint has [0-9]+: lines are lost'
flip log.jsonl 23
broken log.jsonl 'log\.jsonl: line 2: JSON: '
flip run.json 0
broken run.json 'run\.json: JSON: byte '
cp "$run/last/moments.safetensors" "$work/kept"
truncate -s 1000000 "$run/last/moments.safetensors"
broken last/moments.safetensors 'last/moments\.safetensors: SHA-256 is '
printf '{"step": 13, "lo' >>"$run/log.jsonl" # a line that is being written is none yet
expect 0 '^log       2 lines$' inspect "$run" --verify
exit $failed
