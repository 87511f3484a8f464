#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# faults.sh MPI_JOB: ranks that die, are stopped, leave or do something else, and an mpirun that is
# killed. Each job ends with a status other than 0 and a line that names the rank, and no process of
# it is left 10 s after.
set -uo pipefail
job=$1 what='ranks that are lost'
source "$(dirname "$0")/start.sh"
mpirun_id=0 failed=0
export MPI_JOB_SAID=$work/said
clean() {
    local ids
    ids=$(cat "$work"/ranks/* 2>/dev/null)
    [ -n "$ids" ] && kill -KILL $ids 2>/dev/null
    rm -rf "$work"
}
trap clean EXIT

complain() {
    echo "failed: $*"
    sed 's/^/    /' "$work/out"
    failed=1
}

# start RANKS DEADLINE [OPTION...]: a job that sums without end; goes on once every rank has summed.
start() {
    local count=$1 deadline=$2 waited=0
    rm -rf "$work/ranks"
    mkdir "$work/ranks"
    "${mpirun[@]}" "${@:3}" -n "$count" "$job" endless "$deadline" "$work/ranks" \
        >"$work/out" 2>&1 &
    mpirun_id=$!
    until [ "$(ls "$work/ranks" | wc -l)" -eq "$count" ]; do
        sleep 0.1
        waited=$((waited + 1))
        [ $waited -lt 1200 ] || { complain 'the ranks have not started'; exit 1; }
    done
    sleep 0.3
    begin=$(date +%s%N)
}

# Whoever adopts orphans may be slow to bury them: a zombie is gone.
left() {
    local id state
    for id in $(cat "$work"/ranks/*); do
        state=$(sed -n 's/^State:[^A-Z]*//p' "/proc/$id/status" 2>/dev/null)
        case $state in '' | Z*) ;; *) echo "$id" ;; esac
    done
}

# gone NAME: all ranks within 10 s; sets status to mpirun's.
gone() {
    local waited=0
    while [ -n "$(left)" ] && [ $waited -lt 100 ]; do
        sleep 0.1
        waited=$((waited + 1))
    done
    [ -z "$(left)" ] || complain "$1: ranks are left after 10 s: $(left | tr '\n' ' ')"
    kill -KILL $(left) 2>/dev/null
    wait "$mpirun_id" 2>/dev/null
    status=$?
    echo "$1: all gone after $((($(date +%s%N) - begin) / 1000000)) ms, mpirun's status $status"
}

# ended NAME PATTERN: and a line of that pattern, and not status 0
ended() {
    gone "$1"
    [ $status -ne 0 ] || complain "$1: mpirun ended with status 0"
    grep -q -E "$2" "$work/out" || complain "$1: no line '$2'"
}

signal() { # NAME RANK
    kill "-$1" "$(cat "$work/ranks/$2")"
}

start 4 5
signal KILL 3
ended 'killed' 'rank 3 '

# As under a launcher that does not end the others.
start 4 5 --enable-recovery
signal KILL 3
gone 'killed, and the others left alone'
grep -q -E '^mpi_job: (rank 3 has said nothing for 5 s|exchange with rank 3 failed)' "$work/out" ||
    complain 'killed, and the others left alone: no line'

start 4 5
signal STOP 2
ended 'stopped' '^mpi_job: rank 2 has said nothing for 5 s$'

# Shorter than the deadline, it is only waited for; then mpirun itself goes.
start 2 8
signal STOP 1
sleep 3
signal CONT 1
sleep 1
[ "$(left | wc -l)" -eq 2 ] || complain 'a rank that was stopped for less than the deadline'
begin=$(date +%s%N)
kill -KILL "$mpirun_id"
gone 'mpirun killed'
grep -q '^what started this rank is gone$' "$MPI_JOB_SAID" ||
    complain "mpirun killed: said $(cat "$MPI_JOB_SAID")"

# refused STATUS PATTERN COMMAND...: the job ends by itself
refused() {
    local want=$1 pattern=$2
    shift 2
    timeout 60 "$@" >"$work/out" 2>&1
    status=$?
    [ $status -eq "$want" ] || complain "$*: status $status, expected $want"
    grep -q -E "$pattern" "$work/out" || complain "$*: no line '$pattern'"
}

refused 6 '^mpi_job: rank 3 has left the job$' "${mpirun[@]}" -n 4 "$job" leave 20 3
refused 6 '^mpi_job: rank 1 sent 3996 bytes, expected 4000' "${mpirun[@]}" -n 2 "$job" short 5 1
refused 6 '^mpi_job: rank 1 answers, but has sent nothing for 4 s$' \
    "${mpirun[@]}" -n 2 "$job" late 1 1
refused 2 '^mpi_job: 3 ranks: their number must be a power of two, so 2 or 4$' \
    "${mpirun[@]}" -n 3 "$job" check 20
refused 6 '^mpi_job: MPI has not started within 4 s: some rank or its host is missing$' \
    "${mpirun[@]}" -n 1 "$job" check 4 : -n 1 sleep 100

[ $failed -eq 0 ] && echo "lost ranks: all as expected"
exit $failed
