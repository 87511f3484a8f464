#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# train on several ranks, as a cluster treats it: stopped, killed, silent, resumed on another number
# of ranks. Skipped without MPI.
# usage: cli_train_ranks.sh CHEXNET
set -u
chexnet=$1
module=$(dirname "$chexnet")/src/chexnet/libchexnet-mpi.so
if [ ! -e "$module" ] || ! command -v mpirun >/dev/null; then
    echo "skipped: no MPI"
    exit 77
fi
. tests/cli_expect.sh
mpirun=(mpirun --allow-run-as-root --oversubscribe --mca mpi_yield_when_idle 1)

"$chexnet" phantom --out "$work/set" --images 20 --size 256 --seed 3 --balanced >/dev/null || exit 1
cat "$work"/set/{train,val,test}_list.txt >"$work/all.txt"
head -n 8 "$work/all.txt" >"$work/train.txt"
tail -n 4 "$work/all.txt" >"$work/val.txt"
inputs=(--images "$work/set/images" --train "$work/train.txt" --val "$work/val.txt")
bits=(--batch 4 --shards 4 --seed 5 --threads 1 --save-every 1)

alive() { # ID
    local state
    state=$(sed -n 's/^State:[^A-Z]*//p' "/proc/$1/status" 2>/dev/null)
    case $state in '' | Z*) return 1 ;; esac
}
left() { local id; for id in $ids; do alive "$id" && echo "$id"; done; }

# start RUN STEP ARGUMENT...: mpirun in the background, until the log has that step. $ids: the
# ranks, in the order of their starts.
start() {
    local run=$1 step=$2
    shift 2
    "${mpirun[@]}" "$@" >"$work/out" 2>"$work/err" &
    job=$!
    until grep -qs "\"step\": *$step," "$work/$run/log.jsonl"; do
        alive $job || { complain "$run: ended before step $step"; return; }
        sleep 0.05
    done
    ids=$(pgrep -P $job -x chexnet)
}
# gone WHAT SECONDS: all ranks within that; sets status to mpirun's.
gone() {
    local tries=$(($2 * 10))
    while [ -n "$(left)" ] && [ $tries -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
    if [ -n "$(left)" ]; then
        complain "$1: left after $2 s: $(left | tr '\n' ' ')"
        kill -KILL $(left)
    fi
    wait $job
    status=$?
}
same() {
    cmp -s "$work/$1/last/weights.safetensors" "$work/$2/last/weights.safetensors" ||
        complain "$1 and $2: other weights"
    cmp -s "$work/$1/best.safetensors" "$work/$2/best.safetensors" ||
        complain "$1 and $2: another best"
}
said() { grep -qE -- "$2" "$work/err" || complain "$1: no '$2'"; }

"$chexnet" train "${inputs[@]}" --out "$work/one" "${bits[@]}" --max-steps 4 >/dev/null || exit 1

# SIGUSR1 to mpirun: saved, status 0; then on four ranks, and on one.
start stopped 1 -n 2 "$chexnet" train "${inputs[@]}" --out "$work/stopped" "${bits[@]}" \
    --max-steps 4
kill -USR1 $job
gone SIGUSR1 60
[ $status -eq 0 ] || complain "SIGUSR1: status $status"
grep -q ': stopped after [123] steps' "$work/out" || complain "SIGUSR1: not stopped early"
cp -r "$work/stopped" "$work/stopped2"
"${mpirun[@]}" -n 4 "$chexnet" train --resume "$work/stopped" --threads 1 \
    >"$work/out" 2>"$work/err" || complain "resume on 4 ranks"
same one stopped
expect 0 'done after 4 steps' train --resume "$work/stopped2"
same one stopped2

# A killed rank ends all; the run goes on from its checkpoint.
start killed 2 -n 2 "$chexnet" train "${inputs[@]}" --out "$work/killed" "${bits[@]}" \
    --max-steps 4
kill -KILL $(echo $ids | cut -d' ' -f2)
gone "a killed rank" 10
[ $status -ne 0 ] || complain "a killed rank: status 0"
"${mpirun[@]}" -n 2 "$chexnet" train --resume "$work/killed" --threads 1 \
    >"$work/out" 2>"$work/err" || complain "resume of a killed run"
same one killed

# A silent rank is waited for as long as the run says, or as a resume does.
silent() { # SECONDS STEP ARGUMENT...
    start quiet "$2" -n 2 "$chexnet" train "${@:3}"
    kill -STOP $(echo $ids | cut -d' ' -f2)
    gone "a silent rank" $((3 * $1 + 10))
    [ $status -ne 0 ] || complain "a silent rank: status 0"
    said "a silent rank" "rank [01] has said nothing for $1 s"
}
steps() { grep -c '"loss"' "$work/quiet/log.jsonl"; }
silent 8 1 "${inputs[@]}" --out "$work/quiet" "${bits[@]}" --epochs 40 --deadline 8
silent 8 $(($(steps) + 2)) --resume "$work/quiet" --threads 1
silent 5 $(($(steps) + 2)) --resume "$work/quiet" --threads 1 --deadline 5

# Each rank names the first image that it cannot read.
sed '1s/^[^ ]*/none0.png/; 2s/^[^ ]*/none1.png/; 3s/^[^ ]*/none2.png/; 4s/^[^ ]*/none3.png/' \
    "$work/train.txt" >"$work/bad.txt"
"${mpirun[@]}" -n 2 "$chexnet" train --images "$work/set/images" --train "$work/bad.txt" \
    --val "$work/bad.txt" --out "$work/bad" --batch 4 --shards 4 --shuffle off --on-bad skip \
    --max-steps 1 --threads 1 >"$work/out" 2>"$work/err" || complain "bad images"
said "bad images" 'rank 0: .*none0.png.*; replaced by'
said "bad images" 'rank 1: .*none2.png.*; replaced by'
said "bad images" 'rank 0: .*none0.png.*; left out of the validation'
said "bad images" '4 of 8 images of the validation list'

[ $failed -eq 0 ] && echo "cli_train_ranks: all as expected"
exit $failed
