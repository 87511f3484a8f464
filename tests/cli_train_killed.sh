#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A training that is killed at random moments, and resumed each time, ends with the weights of one
# that nothing disturbed; in the long suite one on more threads and one on more ranks, too.
# usage: cli_train_killed.sh CHEXNET short|long [SEED]
set -u
chexnet=$1 suite=$2
seed=${3:-$SRANDOM}
RANDOM=$((seed % 32768))
steps=8 kills=1
[ "$suite" = long ] && steps=30 kills=10
. tests/cli_expect.sh
again="to repeat: tests/cli_train_killed.sh CHEXNET $suite $seed"

"$chexnet" phantom --out "$work/set" --images 20 --size 256 --seed 3 --balanced >/dev/null || exit 1
cat "$work"/set/{train,val,test}_list.txt >"$work/all.txt"
head -n 16 "$work/all.txt" >"$work/train.txt"
tail -n 4 "$work/all.txt" >"$work/val.txt"
inputs=(--images "$work/set/images" --train "$work/train.txt" --val "$work/val.txt" --batch 4
    --shards 4 --seed 5 --save-every 1 --epochs 99 --max-steps $steps)
sum() { sha256sum <"$work/$1/last/weights.safetensors"; }
same() {
    [ "$(sum "$1")" = "$(sum whole)" ] || complain "$1: other weights"
    cmp -s "$work/$1/best.safetensors" "$work/whole/best.safetensors" || complain "$1: another best"
}

began=$(date +%s%N)
expect 0 "done after $steps steps" train "${inputs[@]}" --out "$work/whole" --threads 2
most=$((($(date +%s%N) - began) * 9 / 10 / kills / 1000000)) # ms: all kills come before the end

# go_on ARGUMENT...: the run as it is, or from the start where it was killed before there was one
go_on() {
    if [ -e "$work/killed/run.json" ]; then
        "$chexnet" train --resume "$work/killed" --threads 2 "$@"
    else
        rm -rf "$work/killed"
        "$chexnet" train "${inputs[@]}" --out "$work/killed" --threads 2 "$@"
    fi
}
killed=0
for ((i = 0; i < kills; i++)); do
    after=$((RANDOM * 32768 + RANDOM))
    after=$((after % most))
    go_on >"$work/out" 2>"$work/err" &
    job=$!
    sleep "$((after / 1000)).$(printf '%03d' $((after % 1000)))"
    kill -KILL $(pgrep -P $job -x chexnet) 2>/dev/null
    wait $job 2>/dev/null
    status=$?
    [ $status -eq 137 ] && killed=$((killed + 1))
    [ $status -eq 137 ] || [ $status -eq 0 ] || complain "after $i kills: status $status"
done
[ $killed -gt $((kills / 2)) ] || complain "killed only $killed times"
go_on >"$work/out" 2>"$work/err" || complain "after the last kill: status $?"
grep -q "done after $steps steps" "$work/out" || complain "after the last kill: not done"
same killed

if [ "$suite" = long ]; then
    expect 0 "done after $steps steps" train "${inputs[@]}" --out "$work/one" --threads 1
    same one
    module=$(dirname "$chexnet")/src/chexnet/libchexnet-mpi.so
    if [ -e "$module" ] && command -v mpirun >/dev/null; then
        for ranks in 2 4; do
            threads=$((4 / ranks))
            mpirun --allow-run-as-root --oversubscribe --mca mpi_yield_when_idle 1 -n $ranks \
                "$chexnet" train "${inputs[@]}" --out "$work/ranks$ranks" --threads $threads \
                >"$work/out" 2>"$work/err" || complain "$ranks ranks: status $?"
            same ranks$ranks
        done
    else
        echo "skipped: ranks (no MPI)"
    fi
fi

[ $failed -eq 0 ] && echo "cli_train_killed: $killed kills, all as expected" || echo "$again"
exit $failed
