#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# train as a user runs it, on a few phantom images: what each option does to the result, what is
# refused, and that threads, ranks and a stop in the middle change no bit.
# usage: cli_train.sh CHEXNET
set -u
chexnet=$1
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
failures=0

fail() { printf 'FAILED: %s\n' "$1"; failures=$((failures + 1)); }

# expect STATUS WHAT COMMAND...: its exit status; when it fails one line, on stderr
expect() {
    local want=$1 what=$2 got
    shift 2
    "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    [ "$got" -eq "$want" ] || { fail "$what: exit $got, expected $want"; cat "$dir/err"; }
    if [ "$want" -ne 0 ]; then
        [ "$(grep -c '^chexnet: ' "$dir/err")" -eq 1 ] ||
            { fail "$what: not one line"; cat "$dir/err"; }
        [ ! -s "$dir/out" ] || fail "$what: something on stdout"
    fi
}
says() { grep -qE -- "$2" "$dir/err" || fail "$1: '$(cat "$dir/err")' does not say '$2'"; }

"$chexnet" phantom --out "$dir/set" --images 20 --size 256 --seed 3 --balanced >/dev/null || exit 1
cat "$dir"/set/{train,val,test}_list.txt >"$dir/all.txt"
head -n 8 "$dir/all.txt" >"$dir/train.txt"
tail -n 4 "$dir/all.txt" >"$dir/val.txt"
inputs=(--images "$dir/set/images" --train "$dir/train.txt" --val "$dir/val.txt")
# Two images a step, nothing drawn but the weights.
plain=(--batch 2 --crops center --shuffle off --optimizer sgd --lr 0.01)
# train RUN OPTION VALUE...: the last value of an option counts.
train() {
    local run=$1 name
    local -A value=()
    local all=()
    shift
    while [ $# -gt 0 ]; do
        if [ "$1" = --json ]; then all+=(--json); shift; continue; fi
        value[$1]=$2
        shift 2
    done
    for name in "${!value[@]}"; do all+=("$name" "${value[$name]}"); done
    "$chexnet" train "${inputs[@]}" --out "$dir/$run" "${all[@]}"
}
ok() { local run=$1; shift; expect 0 "$run" train "$run" "$@"; }
sum() { sha256sum <"$dir/$1/last/weights.safetensors"; }
same() { [ "$(sum "$1")" = "$(sum "$2")" ] || fail "$1 and $2: other weights"; }
differ() { [ "$(sum "$1")" != "$(sum "$2")" ] || fail "$1 and $2: the same weights"; }

# check CODE: Python with `log(run)`, the lines of its log, and `tensor(file, name)`, its numbers.
check() {
    python3 - "$dir" 3<<<"$1" <<'P' || fail "check: $1"
import array, json, os, struct, sys
base = sys.argv[1]
def log(run):
    with open(f"{base}/{run}/log.jsonl") as f:
        return [json.loads(line) for line in f]
def losses(run):
    return [o["loss"] for o in log(run) if "loss" in o]
def tensor(path, name):
    with open(f"{base}/{path}", "rb") as f:
        n, = struct.unpack("<Q", f.read(8))
        at = json.loads(f.read(n))[name]
        f.seek(8 + n + at["data_offsets"][0])
        return array.array("f", f.read(at["data_offsets"][1] - at["data_offsets"][0]))
def weights(run, name): return tensor(f"{run}/last/weights.safetensors", name)
def near(a, b, most): return len(a) == len(b) and max(abs(x - y) for x, y in zip(a, b)) <= most
HEAD, BIAS, CONV = "classifier.weight", "classifier.bias", "features.conv0.weight"
exec(os.fdopen(3).read())
P
}

# --- the folder, and what --help says of the settings
ok base "${plain[@]}" --epochs 1 --max-steps 2
check '
step, done, epoch = log("base")
assert [step["step"], step["epoch"], done["step"]] == [1, 1, 2], step
assert {"loss", "lr", "images_per_second"} <= step.keys() and step["lr"] == 0.01
assert {"val_loss", "val_mean_auc", "findings"} <= epoch.keys() and len(epoch["findings"]) == 14
run = json.load(open(f"{base}/base/run.json"))
assert run["train_images"] == 8 and len(run["weights_sha256"]) == 64 and run["level"]
'
"$chexnet" train --help | tr -s '\n ' ' ' >"$dir/help"
ok defaults --max-steps 1 --batch 2
check '
text = open(f"{base}/help").read()
given = {"max-steps", "batch", "shards", "augment"}  # given here, or chosen by what is
for name, value in json.load(open(f"{base}/defaults/run.json"))["settings"].items():
    at = text.index(f" --{name} ")
    initial = text[at:].split("[", 1)[1].split("]", 1)[0]
    words = (str(value), f"{value:g}" if type(value) is float else "")
    assert name in given or initial in words, name
'
expect 0 "infer takes the best" "$chexnet" infer "$dir/base/best.safetensors" \
    --images "$dir/set/images" --list "$dir/val.txt" --crops center --mode fp32 --json
check '
auc = json.load(open(f"{base}/out"))["mean_auc"]
assert abs(auc - log("base")[-1]["val_mean_auc"]) < 1e-12'

# --- what an option does, each in the way that its definition foretells
ok other-seed "${plain[@]}" --max-steps 1 --seed 2
ok step "${plain[@]}" --max-steps 1
differ step other-seed
w=(--weights "$dir/step/best.safetensors" "${plain[@]}" --max-steps 1)
ok from-file "${w[@]}"
ok from-file-2 "${w[@]}" --seed 2
same from-file from-file-2 # nothing is drawn
ok shuffled "${w[@]}" --shuffle on
ok shuffled-2 "${w[@]}" --shuffle on --seed 2
ok random "${w[@]}" --crops random --augment off
ok augmented "${w[@]}" --crops random --augment on
ok augmented-2 "${w[@]}" --crops random # what auto means
same augmented augmented-2
differ from-file shuffled
differ shuffled shuffled-2
differ from-file random
differ random augmented
ok frozen "${w[@]}" --freeze backbone
ok still "${w[@]}" --freeze backbone --lr 0
ok nesterov "${w[@]}" --freeze backbone --nesterov on
ok decayed "${w[@]}" --freeze backbone --weight-decay 0.5
ok rate "${w[@]}" --freeze backbone --lr 0.02
ok clipped "${w[@]}" --freeze backbone --clip 0.001
ok averaged "${w[@]}" --freeze backbone --ema 0.75
check '
old, new = weights("still", HEAD), weights("frozen", HEAD)
step = [n - o for n, o in zip(new, old)]
size = max(map(abs, step))
for name in (CONV, "features.norm0.running_mean", "features.norm5.weight"):
    assert weights("frozen", name) == tensor("step/best.safetensors", name), name
assert weights("from-file", CONV) != weights("frozen", CONV)
assert old == tensor("step/best.safetensors", HEAD) and size > 0
def foretold(run, expected):  # to a rounding of the weight and of the step
    assert near(weights(run, HEAD), expected, 2 ** -24 * 4 * max(map(abs, old))), run
foretold("nesterov", [o + 1.9 * s for o, s in zip(old, step)])
foretold("rate", [o + 2 * s for o, s in zip(old, step)])
foretold("decayed", [o + s - 0.01 * 0.5 * o for o, s in zip(old, step)])
assert near(tensor("averaged/best.safetensors", HEAD), [0.75 * o + 0.25 * n for o, n in
            zip(old, new)], 2 ** -24 * 4 * max(map(abs, old)))
move = [n - o for n, o in zip(weights("clipped", HEAD), old)]
move += [n - o for n, o in zip(weights("clipped", BIAS), weights("still", BIAS))]
norm = sum(m * m for m in move) ** 0.5
assert abs(norm / (0.01 * 0.001) - 1) < 0.01, norm'

# Two steps of each rule, whose first is along the first gradient and alike in its moments.
two=("${w[@]}" --freeze backbone --max-steps 2)
ok free "${two[@]}" --momentum 0
ok carried "${two[@]}" --momentum 0.5
adam=("${two[@]}" --optimizer adamw --lr 0.001)
ok adam-1 "${adam[@]}" --max-steps 1
ok adam-first "${adam[@]}" --beta1 0.5 --beta2 0
ok adam-second "${adam[@]}" --beta1 0 --beta2 0.5
check '
step = [n - o for n, o in zip(weights("frozen", HEAD), weights("still", HEAD))]
assert near([c - f for c, f in zip(weights("carried", HEAD), weights("free", HEAD))],
            [0.5 * s for s in step], 2 ** -24)
# In units of the rate, with r the first gradient over the second: with beta1 alone the second step
# is (r + 2) / 3 along the gradient, with beta2 alone sqrt(3 / (r r + 2)).
moved = [[(a - b) / 0.001 for a, b in zip(weights(run, HEAD), weights("adam-1", HEAD))]
         for run in ("adam-first", "adam-second")]
found = 0
for first, second in zip(*moved):
    r = 3 * first * (1 if second > 0 else -1) - 2
    found += abs(abs(second) - (3 / (r * r + 2)) ** 0.5) < 1e-3
assert found > 0.85 * len(step), (found, len(step))  # not where gradients are as small as epsilon'

# Rates are in the log; what the schedules are is in test_train_parts.
ok cosine "${w[@]}" --freeze backbone --max-steps 4 --schedule cosine --warmup 2
ok stepped "${w[@]}" --freeze backbone --batch 8 --max-steps 4 --schedule step --decay 0.5 \
    --decay-epochs 2
ok plateau "${w[@]}" --freeze backbone --batch 8 --max-steps 6 --lr 1e-30 --schedule plateau \
    --decay-epochs 1 --decay 0.5
ok cycle "${w[@]}" --freeze backbone --max-steps 4 --schedule one-cycle
ok patient "${w[@]}" --freeze backbone --batch 8 --max-steps 9 --lr 0 --early-stop 2
check '
rates = [o["lr"] for o in log("cosine") if "lr" in o]
assert near(rates, [0.005, 0.01, 0.01, 0.005], 1e-15), rates
rates = [o["lr"] for o in log("stepped") if "lr" in o]
assert near(rates, [0.01, 0.01, 0.005, 0.005], 1e-15), rates
rates = [o["lr"] * 1e30 for o in log("plateau") if "lr" in o]  # nothing gets better
assert near(rates, [1, 1, 1, 0.5, 0.5, 0.25], 1e-12), rates
rates = [o["lr"] for o in log("cycle") if "lr" in o]
assert near(rates[::3], [0.01 / 25, 0.01 / 25 / 1e4], 1e-15) and 0.005 < rates[1] < 0.01, rates
assert len(losses("patient")) == 3'
grep -q 'early stop after 3 steps' "$dir/out" || fail "early stop: $(cat "$dir/out")"

# Two passes of a batch are one of both: frozen, where no statistics tell them apart.
ok whole "${w[@]}" --freeze backbone --batch 4 --shards 1
ok halves "${w[@]}" --freeze backbone --batch 2 --accumulate 2
check 'assert near(weights("whole", HEAD), weights("halves", HEAD), 1e-8)
assert abs(losses("whole")[0] - losses("halves")[0]) < 1e-12'

# Losses of the same outputs are in order: focal below bce; a CheXNet weight is below 1.
for loss in bce weighted-bce focal seed-ce; do ok "loss-$loss" "${w[@]}" --loss $loss; done
ok loss-mild "${w[@]}" --loss focal --focal-gamma 0
check '
l = {n: losses("loss-" + n)[0] for n in ("bce", "weighted-bce", "focal", "seed-ce", "mild")}
assert l["focal"] < l["bce"] and l["weighted-bce"] < l["bce"] and l["seed-ce"] > 0, l
assert abs(l["mild"] - l["bce"]) < 1e-12, l'

# The reference: ten crops, and how long 15,000 such images would take here.
ok ten --weights "$dir/step/best.safetensors" --crops ten --batch 2 --loss seed-ce \
    --optimizer sgd --lr 1e-4 --shards 1 --max-steps 1
manner='^15,000 images .* [0-9]+ s here \(reference: V100 1045 s, eight Gaudi 860 s\)$'
grep -qE "$manner" "$dir/out" || fail "ten crops: $(cat "$dir/out")"

# bfloat16 keeps 8 bits of a number: another loss, within what PyTorch's autocast keeps (1 %).
ok full "${w[@]}" --max-steps 2
ok half "${w[@]}" --max-steps 2 --precision bf16
check '
a, b = losses("full"), losses("half")
assert len(a) == len(b) == 2 and a != b, (a, b)
assert all(abs(y / x - 1) < 0.01 for x, y in zip(a, b)), (a, b)'

# --- the same bits on threads, and after a stop
bits=(--batch 2 --shards 2 --accumulate 2 --max-steps 4 --seed 5 --save-every 1)
ok one "${bits[@]}" --threads 1
ok two "${bits[@]}" --threads 2
same one two
cmp -s "$dir/one/best.safetensors" "$dir/two/best.safetensors" || fail "threads: another best"
"$chexnet" train "${inputs[@]}" --out "$dir/stopped" "${bits[@]}" --json >"$dir/json" 2>"$dir/err" &
pid=$!
until grep -qs '"step": *1' "$dir/stopped/log.jsonl"; do kill -0 $pid || break; sleep 0.05; done
kill -TERM $pid
wait $pid || fail "SIGTERM: status $?, expected 0"
check '
end = json.load(open(f"{base}/json"))
assert end["end"] == "stopped" and 1 <= end["steps"] < 4, end'
expect 0 resume "$chexnet" train --resume "$dir/stopped"
same one stopped
cmp -s "$dir/one/best.safetensors" "$dir/stopped/best.safetensors" || fail "resume: another best"
check 'assert losses("one") == losses("stopped")'
"$chexnet" train "${inputs[@]}" --out "$dir/killed" "${bits[@]}" >/dev/null 2>&1 &
pid=$!
until grep -qs '"step": *2' "$dir/killed/log.jsonl"; do kill -0 $pid || break; sleep 0.05; done
kill -KILL $pid
wait $pid 2>/dev/null
expect 0 "resume of a killed run" "$chexnet" train --resume "$dir/killed"
same one killed
expect 0 "resume of a finished run" "$chexnet" train --resume "$dir/one"
same one two

# --- what ends it in a validation costs no step
mkdir "$dir/more"
cp "$dir/val.txt" "$dir/val-bad.txt"
printf 'broken.png 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n' >>"$dir/val-bad.txt"
echo none >"$dir/more/broken.png"
sets=(--images "$dir/set/images" --images "$dir/more" --train "$dir/train.txt")
expect 3 "a bad image of the val list" "$chexnet" train "${sets[@]}" --val "$dir/val-bad.txt" \
    --out "$dir/bad-val" "${plain[@]}" --max-steps 2
says "a bad image of the val list" 'broken\.png'
grep -qs '"step": *2' "$dir/bad-val/last/state.json" || fail "a bad image: its steps are lost"
cp "$dir/set/images/$(head -n 1 "$dir/val.txt" | cut -d' ' -f1)" "$dir/more/broken.png"
expect 0 "resume behind a bad image" "$chexnet" train --resume "$dir/bad-val"
check 'assert [o.get("step") for o in log("bad-val")] == [1, 2, 2], log("bad-val")'
same base bad-val
# 20 images are two batches of one thread: the stop comes before the second one.
slow=("${sets[@]}" --val "$dir/all.txt" --batch 8 --epochs 2 --threads 1)
expect 0 slow "$chexnet" train "${slow[@]}" --out "$dir/slow"
"$chexnet" train "${slow[@]}" --out "$dir/stop-val" --json >"$dir/json" 2>"$dir/err" &
pid=$!
until [ -e "$dir/stop-val/last/state.json" ]; do kill -0 $pid || break; sleep 0.02; done
kill -USR1 $pid
wait $pid || fail "SIGUSR1 in a validation: status $?, expected 0"
check '
end = json.load(open(f"{base}/json"))
assert end["end"] == "stopped" and (end["steps"], end["epochs"]) == (1, 0), end'
expect 0 "resume of a validation" "$chexnet" train --resume "$dir/stop-val"
same slow stop-val
cmp -s "$dir/slow/best.safetensors" "$dir/stop-val/best.safetensors" || fail "stop: other best"

# A list in which no finding has an AUC has a best all the same.
head -n 1 "$dir/val.txt" >"$dir/val-1.txt"
expect 0 no-auc "$chexnet" train "${sets[@]}" --val "$dir/val-1.txt" "${plain[@]}" --max-steps 1 \
    --out "$dir/no-auc"
expect 0 "inspect without an AUC" "$chexnet" inspect "$dir/no-auc" --verify
grep -q '^last .*, best model by its loss, no finding has an AUC$' "$dir/out" ||
    fail "inspect without an AUC: $(cat "$dir/out")"

# --- ranks
module=$(dirname "$chexnet")/src/chexnet/libchexnet-mpi.so
if [ -e "$module" ] && command -v mpirun >/dev/null; then
    ranks() {
        local n=$1 run=$2
        shift 2
        mpirun -n "$n" --allow-run-as-root --oversubscribe --mca mpi_yield_when_idle 1 \
            "$chexnet" train "${inputs[@]}" --out "$dir/$run" --threads 1 "$@"
    }
    expect 0 "2 ranks" ranks 2 ranks2 "${bits[@]}"
    same one ranks2
    cmp -s "$dir/one/best.safetensors" "$dir/ranks2/best.safetensors" ||
        fail "2 ranks: another best"
    expect 2 "three ranks" ranks 3 three "${bits[@]}" # one line, not three
    says "three ranks" '3 ranks: their number must be a power of two'
    pair() { # COMMAND...: rank 1 has another rate
        mpirun --allow-run-as-root --oversubscribe --mca mpi_yield_when_idle 1 \
            -n 1 "$@" : -n 1 "$@" --lr 0.5 2>"$dir/both"
        local got=$?
        grep '^chexnet: ' "$dir/both" >&2 # without what mpirun says of it
        return $got
    }
    expect 2 "ranks that differ" pair "$chexnet" train "${inputs[@]}" --out "$dir/unlike" \
        "${bits[@]}" --threads 1
    says "ranks that differ" 'rank 1 and rank 0 differ in their settings'
    expect 4 "a launcher of another MPI" env PMI_SIZE=2 "$chexnet" train "${inputs[@]}" \
        "${bits[@]}" --out "$dir/lonely"
    says "a launcher of another MPI" 'PMI_SIZE tells of several processes, but MPI knows of one'
    expect 2 "more ranks than shards" ranks 4 toomany --batch 4 --shards 2
    says "more ranks than shards" '4 ranks cannot share 2 shards, expected 2 ranks'
else
    echo "skipped: ranks (no MPI)"
fi

# --- what a terminal sees meanwhile
cat >"$dir/terminal.py" <<'P'
import os, pty, sys
status = pty.spawn(sys.argv[1:], lambda fd: os.read(fd, 4096))
sys.exit(os.waitstatus_to_exitcode(status))
P
python3 "$dir/terminal.py" "$chexnet" train "${inputs[@]}" --out "$dir/live" "${plain[@]}" \
    --epochs 1 >"$dir/out" 2>&1 </dev/null || fail "on a terminal: status $?"
for word in 'step [1-4] of 4, epoch 1, loss [0-9.]+, [0-9.]+ images/s, [0-9]+:[0-9]{2} left' \
    'epoch 1 of 1' 'done after 4 steps'; do
    grep -qE "$word" "$dir/out" || fail "on a terminal: no '$word': $(cat "$dir/out")"
done

# --- what is refused
expect 2 "a value" train no --lr x
says "a value" "--lr 'x': expected a number"
expect 2 "shards" train no --batch 6 --shards 4
says shards 'expected --shards 2 or --batch 8'
expect 3 "a short list" train no --batch 16
says "a short list" 'train.txt: 8 images, expected at least the 16 of one step'
expect 2 "an option beside --resume" "$chexnet" train --resume "$dir/one" --lr 1
says "an option beside --resume" 'unexpected --lr'
expect 2 "no list" "$chexnet" train --images "$dir/set/images" --out "$dir/no"
says "no list" '--train is needed, or --resume'
expect 4 "a run in the folder" train one --max-steps 1 --batch 2
expect 4 "no run to resume" "$chexnet" train --resume "$dir/none"
printf 'none.png 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n' | cat - "$dir/train.txt" >"$dir/long.txt"
bad=(--train "$dir/long.txt" --val "$dir/val.txt" --images "$dir/set/images" "${plain[@]}")
expect 4 "an image that is missing" "$chexnet" train "${bad[@]}" --out "$dir/missing"
says "an image that is missing" "1 of the list's 9 images is missing.*, first 'none.png'"
[ ! -e "$dir/missing" ] || fail "an image that is missing: there is a RUN"
printf 'gone.png 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n' | cat "$dir/long.txt" - >"$dir/longer.txt"
expect 4 "val images that are missing" "$chexnet" train "${sets[@]}" --val "$dir/longer.txt" \
    "${plain[@]}" --out "$dir/missing"
says "val images that are missing" "2 of the list's 10 images are missing.*, first 'none.png'"
expect 0 "--on-bad skip" "$chexnet" train "${bad[@]}" --on-bad skip --max-steps 1 \
    --out "$dir/skip" --json
check 'assert json.load(open(f"{base}/out"))["skipped"] == 1'
expect 3 "numbers that overflow" train overflow "${plain[@]}" --lr 1e30 --save-every 1
says "numbers that overflow" '^chexnet: step [0-9]+: .*not finite'
[ -s "$dir/overflow/last/weights.safetensors" ] || fail "numbers that overflow: no checkpoint left"
expect 0 "bad images" "$chexnet" train --images "$dir/set/images" --train "$dir/long.txt" \
    --val "$dir/long.txt" --out "$dir/skip2" --on-bad skip --epochs 2 --batch 8 --shuffle off \
    --freeze backbone
says "bad images" "none.png.*; replaced by "
says "bad images" '1 of 9 images of the validation list cannot be read'
[ "$(grep -c 'none.png.*; left out of the validation' "$dir/err")" -eq 1 ] ||
    fail "bad images: not named once: $(cat "$dir/err")"

# --- what a resume looks at in run.json
edit() { # CODE: Python on `o`, the object of run `two`
    cp "$dir/two/run.json" "$dir/run.json" && python3 - "$dir/two/run.json" "$1" <<'P'
import json, sys
o = json.load(open(sys.argv[1]))
exec(sys.argv[2])
json.dump(o, open(sys.argv[1], "w"))
P
}
edited() { # WHAT STATUS CODE SENTENCE
    edit "$3"
    expect "$2" "$1" "$chexnet" train --resume "$dir/two"
    says "$1" "$4"
    cp "$dir/run.json" "$dir/two/run.json"
}
edited "no setting" 3 'del o["settings"]["decay"]' "run.json: no setting 'decay'"
edited "a strange setting" 3 'o["settings"]["fly"] = 1' "run.json: unknown setting 'fly'"
edited "unfit settings" 3 'o["settings"]["batch"] = 3' 'run.json: a batch of 3 cannot be cut'
edited "other labels" 3 'o["val_labels_sha256"] = "0" * 64' \
    'the labels of the val list: changed since the run began'
edited "a hash less" 3 'del o["train_sha256"]' "run.json: no text 'train_sha256'"
edited "no images" 3 'o["images"] = []' 'run.json: images: expected a list of paths'
edited "another rule" 3 'o["settings"]["optimizer"] = "sgd"' \
    'the checkpoint has 2 moments, no average, float numbers; its settings need 1, none, float'
edited "an average more" 3 'o["settings"]["ema"] = 0.5' 'no average,.* need 2, one, float'
edited "fewer steps" 3 'o["settings"]["max-steps"] = 2' \
    'the checkpoint is of step 4 with 2 validations, which 2 steps in epochs of 2 do not come to'
edited "another build" 0 'o["build_sha256"] = "0" * 64' 'the run began with another build'
# An AUC that none can be, in a checkpoint that is whole.
cp -r "$dir/two" "$dir/strange"
python3 - "$dir/strange/last/state.json" <<'P'
import json, sys
o = json.load(open(sys.argv[1]))
o["state"]["epochs"][0][1] = 7.0
json.dump(o, open(sys.argv[1], "w"))
P
(cd "$dir/strange/last" && sha256sum $(cut -c67- SHA256SUMS) >sums && mv sums SHA256SUMS)
expect 3 "an AUC of 7" "$chexnet" train --resume "$dir/strange"
says "an AUC of 7" 'the state of the checkpoint: an epoch without loss and AUC'
# What is larger than a model is not hashed.
cp -r "$dir/two" "$dir/vast"
truncate -s 200G "$dir/vast/best.safetensors"
expect 0 "a vast best" timeout 20 "$chexnet" train --resume "$dir/vast"
says "a vast best" 'best.safetensors: larger than a model; it is written again'
expect 2 "a deadline of 0" "$chexnet" train --resume "$dir/two" --deadline 0
says "a deadline of 0" "--deadline '0': expected a number"
expect 0 "a deadline" "$chexnet" train --resume "$dir/two" --deadline 7
# The list is the same file still; what it comes to is not.
cut -d' ' -f1 "$dir/train.txt" >"$dir/names.txt"
entries=$dir/entries.csv
cp "$dir/set/Data_Entry_2017_v2020.csv" "$entries"
expect 0 entries "$chexnet" train --images "$dir/set/images" --train "$dir/names.txt" \
    --val "$dir/val.txt" --entries "$entries" --out "$dir/entries" "${plain[@]}" --max-steps 1 \
    --freeze backbone
sed -i "/^$(head -n 1 "$dir/names.txt"),/s/,[^,]*/,Hernia/" "$entries"
expect 3 "other entries" "$chexnet" train --resume "$dir/entries"
says "other entries" 'the labels of the train list: changed since the run began'
cp "$dir/train.txt" "$dir/kept.txt"
tac "$dir/kept.txt" >"$dir/train.txt"
expect 3 "a changed list" "$chexnet" train --resume "$dir/one"
says "a changed list" 'train.txt: changed since the run began'

[ $failures -eq 0 ] && echo "cli_train: all as expected"
exit $((failures > 0))
