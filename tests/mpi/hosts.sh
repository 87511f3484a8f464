#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# hosts.sh MPI_JOB MODE: two hosts made of network namespaces, two ranks on each.
#   check   sums over the link, then over one of 20 Mbit/s: the same bits
#   train   MPI_JOB is chexnet: a training on both hosts gives the bits of one process
#   cut     the link is cut within sums: every process ends within the deadline, with the line
# Exit 77 where there is no mpirun, or namespaces are not allowed.
set -uo pipefail
job=$(realpath "$1") mode=$2 what="two hosts, $2"
source "$(dirname "$0")/start.sh"
command -v ip >/dev/null && command -v tc >/dev/null || skip 'no iproute2'
a=cxn-a-$$ b=cxn-b-$$
clean() {
    local pids
    for name in "$a" "$b"; do
        pids=$(ip netns pids "$name" 2>/dev/null) && [ -n "$pids" ] && kill -KILL $pids
        ip netns del "$name" 2>/dev/null
    done
    rm -rf "$work"
}
trap clean EXIT
ip netns add "$a" 2>/dev/null || skip 'network namespaces are not allowed'
# 198.18.0.0/15 is for tests of this kind.
{ ip netns add "$b" && ip link add cxn0 netns "$a" type veth peer name cxn0 netns "$b"; } \
    2>"$work/err" || skip "$(tail -n 1 "$work/err")"
number=1
for name in "$a" "$b"; do
    ip -n "$name" addr add 198.18.77.$number/24 dev cxn0
    ip -n "$name" link set cxn0 up
    ip -n "$name" link set lo up
    number=$((number + 1))
done

# Called by mpirun as `ssh HOST COMMAND`; a host of its own has its own name and session folder.
cat >"$work/agent" <<AGENT
#!/bin/sh
host=\$1
shift
mkdir -p $work/far
export TMPDIR=$work/far
exec ip netns exec $b unshare --uts sh -c "hostname cxn-far; \$*"
AGENT
chmod +x "$work/agent"

# on_two_hosts ARGUMENT...
on_two_hosts() {
    ip netns exec "$a" env MPI_JOB_RANKS=4 "${mpirun[@]}" \
        --host 198.18.77.1:2,198.18.77.2:2 --mca plm_rsh_agent "$work/agent" \
        --mca btl tcp,self --mca btl_tcp_if_include cxn0 \
        --mca oob_tcp_if_include cxn0 "$job" "$@"
}

fail() {
    echo "failed: $*"
    cat "$work/out"
    exit 1
}

check() {
    on_two_hosts check 20 >"$work/out" 2>&1 || fail "sums between two hosts: status $?"
    grep -q '^4 ranks: all as expected' "$work/out" || fail 'nothing was checked'
    echo "two hosts: sums, gather and broadcast as in one process"
    for name in "$a" "$b"; do
        ip netns exec "$name" tc qdisc add dev cxn0 root tbf rate 20mbit burst 32kbit \
            latency 400ms 2>"$work/out" || { echo "skipped: a slow link (no tbf)"; exit 0; }
    done
    local begin=$SECONDS
    on_two_hosts check 20 >"$work/out" 2>&1 || fail "sums over a slow link: status $?"
    grep -q '^4 ranks: all as expected' "$work/out" || fail 'nothing was checked'
    echo "two hosts, 20 Mbit/s: the same bits after $((SECONDS - begin)) s"
}

train() {
    "$job" phantom --out "$work/set" --images 20 --size 256 --seed 3 >"$work/out" 2>&1 ||
        fail 'no pictures'
    cat "$work"/set/{train,val,test}_list.txt >"$work/all.txt"
    head -n 8 "$work/all.txt" >"$work/train.txt"
    tail -n 2 "$work/all.txt" >"$work/val.txt"
    local inputs=(--images "$work/set/images" --train "$work/train.txt" --val "$work/val.txt"
        --batch 4 --shards 4 --max-steps 3 --threads 1)
    "$job" train "${inputs[@]}" --out "$work/alone" >"$work/out" 2>&1 || fail "alone: status $?"
    on_two_hosts train "${inputs[@]}" --out "$work/both" >"$work/out" 2>&1 ||
        fail "a training on two hosts: status $?"
    grep -q ' 4 ranks, ' "$work/out" || fail 'not on four ranks'
    cmp "$work"/{alone,both}/last/weights.safetensors >"$work/out" 2>&1 || fail 'other weights'
    echo "two hosts: a training of 4 ranks gives the weights of one process"
}

cut() {
    mkdir "$work/pids"
    on_two_hosts endless 4 "$work/pids" >"$work/out" 2>&1 &
    local mpirun=$! waited=0
    until [ "$(ls "$work/pids" | wc -l)" -eq 4 ]; do
        sleep 0.1
        waited=$((waited + 1))
        [ $waited -lt 600 ] || fail 'the ranks have not started'
    done
    sleep 0.5
    ip -n "$a" link set cxn0 down
    local begin=$SECONDS left=4
    while [ $left -gt 0 ] && [ $((SECONDS - begin)) -lt 15 ]; do
        sleep 0.2
        left=$(for pid in $(cat "$work"/pids/*); do
            grep -s '^State:' "/proc/$pid/status" | grep -v Z; done | wc -l)
    done
    local took=$((SECONDS - begin))
    [ $left -eq 0 ] || fail "$left of 4 processes are left after $took s"
    # mpirun goes on waiting for its daemon behind the link, until TCP gives up: not ours to test.
    for name in "$a" "$b"; do kill -KILL $(ip netns pids "$name") 2>/dev/null; done
    wait $mpirun 2>/dev/null
    grep -q 'mpi_job: .*rank [0-3]' "$work/out" || fail 'no line names a rank'
    echo "a cut link: all ranks gone after $took s"
    grep mpi_job: "$work/out"
}

"$mode"
