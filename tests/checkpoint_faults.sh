#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# checkpoint_faults.sh WRITE_CHECKPOINT SUITE: what the operating system refuses while a checkpoint
# is saved or resumed, injected by strace: after each fault the old checkpoint or the new one is
# whole, under its name, and nothing is lost. SUITE long tries every combination, short those of a
# run with two checkpoints. Exit 77 where strace cannot trace.
set -uo pipefail
program=$1 suite=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 tried=0
run=$work/run
# LeakSanitizer cannot run under a tracer.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0

strace -qq -f -o /dev/null -e inject=fsync:error=EIO:when=1 true 2>/dev/null ||
    { echo "skipped: faults of the system (strace cannot trace here)"; exit 77; }

complain() {
    echo "failed: $*; status $status: $(tail -n 3 "$work/err")"
    echo "  the run: $(ls -R "$run" 2>&1 | tr '\n' ' ')"
    failed=1
}
# traced INJECTION... -- VERB ARGUMENTS: the program with these injections; sets status.
traced() {
    local inject=()
    while [ "$1" != -- ]; do
        inject+=(-e "inject=$1")
        shift
    done
    shift
    tried=$((tried + 1))
    # A subshell, so that this one does not report who was killed.
    (strace -qq -f -o "$work/calls" "${inject[@]}" "$program" "$@" >"$work/out" 2>"$work/err"
        exit $?) 2>/dev/null
    status=$?
}
# A folder is a checkpoint of STEP, by the tools of the system.
is_whole() { # FOLDER STEP
    (cd "$1" 2>/dev/null && sha256sum --status --strict -c SHA256SUMS &&
        grep -q "\"step\": $2," state.json)
}
# Resuming finds one of STEPS to the bit and leaves no leftovers; the log ends with its line.
goes_on() { # WHAT STEPS
    local what=$1 step
    shift
    "$program" check "$run" >"$work/out" 2>"$work/err"
    status=$?
    step=$(sed -n 's/^step //p' "$work/out")
    [ $status -eq 0 ] && [[ " $* " == *" $step "* ]] ||
        { complain "$what: resumes '$step', not $*"; return; }
    [ -z "$(find "$run" -name '*.tmp')" ] || complain "$what: leftovers after a resume"
    [ "$(tail -n 1 "$run/log.jsonl")" = "{\"step\":$step,\"loss\":0.5}" ] ||
        complain "$what: the log"
}
# start [NAME]: a fresh copy of a run with steps 1 and 2, or another one.
start() {
    rm -rf "$run"
    cp -r "$work/${1-two}" "$run"
}
# No leftovers, but for the new checkpoint, whole, where names had been moved and moved back.
no_leftovers() {
    local found
    found=$(find "$run" -name '*.tmp')
    [ -z "$found" ] || { [ "$found" = "$run/last.tmp" ] && is_whole "$found" 3; }
}
# refused INJECTION [TEXT]: status 4, one line, the old checkpoints as they were, no leftovers.
refused() {
    start
    traced "$1" -- save "$run" 3
    [ $status -eq 4 ] || complain "$1"
    [[ $1 == write:*+ ]] || { [ "$(wc -l <"$work/err")" -eq 1 ] && grep -q "${2-}" "$work/err"; } ||
        complain "the text of $1"
    no_leftovers || complain "$1: leftovers"
    is_whole "$run/last" 2 && is_whole "$run/before" 1 || complain "$1: not as it was"
    goes_on "$1" 2
}

"$program" create "$work/two" || exit 1
cp -r "$work/two" "$work/none"
"$program" save "$work/two" 1 || exit 1
cp -r "$work/two" "$work/one"
"$program" save "$work/two" 2 || exit 1

# --- how often a save makes each call, so that every one of them can fail
calls='openat mkdir write pwrite64 fsync rename renameat2 unlinkat unlink flock ftruncate'
start
traced "fsync:retval=0:when=1000" -- save "$run" 3
[ $status -eq 0 ] && is_whole "$run/last" 3 && is_whole "$run/before" 2 || complain 'no fault'
declare -A count
for call in $calls; do count[$call]=$(grep -c "^[0-9]* *$call(" "$work/calls"); done
for call in mkdir write pwrite64 fsync rename renameat2; do
    [ "${count[$call]}" -gt 0 ] || complain "a save without $call"
done

# --- errors: once, and from then on
n=${count[write]}
for when in $(seq 1 "$n") 1+ "$n"+; do refused "write:error=ENOSPC:when=$when" 'No space left'; done
refused 'write:retval=0:when=2' 'Input/output error' # takes nothing: not for ever
refused 'pwrite64:error=ENOSPC:when=1' 'log\.jsonl.*No space left'
for when in $(seq 1 "${count[fsync]}"); do
    start
    traced "fsync:error=EIO:when=$when" -- save "$run" 3
    [ $status -eq 4 ] && grep -q 'Input/output error' "$work/err" || complain "fsync $when"
    no_leftovers || complain "fsync $when: leftovers"
    is_whole "$run/last" 2 && is_whole "$run/before" 1 || complain "fsync $when: not as it was"
    goes_on "fsync $when" 2
done
# After the sync of the folder failed nothing is taken for certain: the new one stays whole.
start
traced "fsync:error=EIO:when=${count[fsync]}" -- save "$run" 3
is_whole "$run/last.tmp" 3 || complain 'a failed sync of the folder: the new one is gone'
for when in $(seq 1 "${count[rename]}"); do
    refused "rename:error=EACCES:when=$when" 'Permission denied'
done
refused 'rename:error=EACCES:when=1+' 'Permission denied'
refused 'renameat2:error=EACCES:when=1' 'Permission denied'
refused 'mkdir:error=EROFS:when=1' 'Read-only file system'
# Each opening, the loader's too: reported, or done without it.
for when in $(seq 1 "${count[openat]}"); do
    start
    traced "openat:error=EMFILE:when=$when" -- save "$run" 3
    step=2
    [ $status -ne 0 ] || step=3
    is_whole "$run/last" $step || complain "openat $when"
    [ $status -eq 0 ] || no_leftovers || complain "openat $when: leftovers"
    goes_on "openat $when" $step
done
# What is in the way of removing the oldest one does not make a save fail.
start
traced 'unlinkat:error=EIO:when=1+' -- save "$run" 3
[ $status -eq 0 ] && is_whole "$run/last" 3 && is_whole "$run/before" 2 || complain 'unlinkat'
goes_on 'unlinkat' 3

# --- a file system that cannot exchange names: two renames, and each of them may fail
for why in EINVAL ENOSYS; do
    start
    traced "renameat2:error=$why" -- save "$run" 3
    [ $status -eq 0 ] && is_whole "$run/last" 3 && is_whole "$run/before" 2 ||
        complain "without exchange"
done
n=$(grep -c '^[0-9]* *rename(' "$work/calls")
for when in $(seq 1 "$n"); do
    start
    traced renameat2:error=EINVAL "rename:error=EACCES:when=$when" -- save "$run" 3
    [ $status -eq 4 ] && is_whole "$run/last" 2 && is_whole "$run/before" 1 ||
        complain "without exchange, rename $when"
    goes_on "without exchange, rename $when" 2
    # The steps back fail as well: a whole one stays, if under the other name.
    start
    traced renameat2:error=EINVAL "rename:error=EACCES:when=$when+" -- save "$run" 3
    [ $status -eq 4 ] || complain "without exchange, renames from $when"
    goes_on "without exchange, renames from $when" 2
done

# --- short and interrupted writes: the whole new one
for what in write:error=EINTR:when=2 pwrite64:error=EINTR:when=1 fsync:error=EINVAL:when=8; do
    start
    traced "$what" -- save "$run" 3
    [[ $what == fsync* ]] || { [ $status -eq 0 ] && is_whole "$run/last" 3; } || complain "$what"
    goes_on "$what" 3 2
done

# --- killed at every call that touches the disk: the old or the new one, never neither
froms=two places='1 3 1+'
[ "$suite" = short ] || { froms='none one two' places='1 2 3 4 5 6 7 8 9 1+'; }
for exchange in with without; do
    for from in $froms; do
        for call in $calls; do
            # Without exchange only the end of a save differs.
            [ "$suite$exchange" != shortwithout ] || [[ $call == @(rename|fsync|unlinkat) ]] ||
                continue
            for when in $(seq 1 "${count[$call]}"); do
                start $from
                extra=()
                [ $exchange = with ] || extra=(renameat2:error=EINVAL)
                [ $exchange$call != withoutrenameat2 ] || continue
                traced ${extra[@]+"${extra[@]}"} "$call:signal=KILL:when=$when" -- save "$run" 3
                what="killed at $call $when, $exchange exchange, from $from"
                case $from in
                    two) is_whole "$run/last" 2 || is_whole "$run/last" 3 ||
                        { [ $exchange = without ] && is_whole "$run/before" 2; } ||
                        complain "$what: neither"
                        goes_on "$what" 2 3 ;;
                    one) goes_on "$what" 1 3 ;;
                    none) "$program" check "$run" >"$work/out" 2>"$work/err"
                        status=$?
                        grep -qxE 'no checkpoint|step 3' "$work/out" || complain "$what" ;;
                esac
            done
        done
    done
done

# --- a fault while recovering from one: the second resume works
start
traced renameat2:error=EINVAL rename:signal=KILL:when=8 -- save "$run" 3
cp -r "$run" "$work/killed"
[ -n "$(find "$run" -name '*.tmp')" ] || complain 'a kill that leaves nothing to recover from'
traced "fsync:retval=0:when=1000" -- check "$run"
removals=$(grep -c '^[0-9]* *unlinkat(' "$work/calls")
[ "$removals" -gt 3 ] || complain 'recovering removes nothing'
for call in openat fsync unlinkat ftruncate flock; do
    for when in $places $([ $call = unlinkat ] && seq 4 "$removals"); do
        for fault in error=EIO signal=KILL; do
            start killed
            traced "$call:$fault:when=$when" -- check "$run"
            goes_on "recovering, $call:$fault:when=$when" 2
            start killed
            traced "$call:$fault:when=$when" -- save "$run" 3
            goes_on "recovering and saving, $call:$fault:when=$when" 2 3
        done
    done
done
for when in 1 2 5 9 1+; do
    start killed
    traced "write:error=ENOSPC:when=$when" -- save "$run" 3
    goes_on "recovering and saving on a full disk, $when" 2 3
done

# --- last/ is broken: before/ serves, and the next save keeps it until the new one stands
for when in $(seq 1 12); do
    start
    printf x | dd of="$run/last/weights.safetensors" bs=1 seek=30000 conv=notrunc status=none
    traced "rename:signal=KILL:when=$when" -- save "$run" 3
    goes_on "broken last, killed at rename $when" 1 3
done

# --- a disk that is really full, at every size from nothing to enough
small=$work/small
mkdir "$small"
if mount -t tmpfs -o size=4m none "$small" 2>/dev/null; then
    need=$(du -sk "$work/two" | cut -f 1)
    for extra in 4 16 40 80 120 160 200 220 240 400; do
        mount -o "remount,size=4m" "$small"
        rm -rf "$small/run"
        cp -r "$work/two" "$small/run"
        mount -o "remount,size=$((need + extra))k" "$small"
        "$program" save "$small/run" 3 >"$work/out" 2>"$work/err"
        status=$?
        rm -rf "$run"
        cp -r "$small/run" "$run"
        case $status in
            0) is_whole "$run/last" 3 || complain "a disk with $extra KiB left" ;;
            4) is_whole "$run/last" 2 && is_whole "$run/before" 1 &&
                [ -z "$(find "$run" -name '*.tmp')" ] && grep -q 'No space left' "$work/err" ||
                complain "a full disk with $extra KiB left" ;;
            *) complain "a full disk with $extra KiB left" ;;
        esac
        [ "$extra$status" != 44 ] || filled=1
        [ "$extra$status" != 4000 ] || fitted=1
    done
    [ "${filled-}${fitted-}" = 11 ] || complain 'a full disk: not both outcomes'
    mount -o remount,ro "$small"
    "$program" save "$small/run" 4 >"$work/out" 2>"$work/err"
    status=$?
    [ $status -eq 4 ] && grep -q 'Read-only file system' "$work/err" || complain 'a read-only disk'
    umount "$small"
else
    echo "skipped: a full disk, a read-only one (no permission to mount)"
fi

# --- two trainers: the second is told, and neither is disturbed; a killed one leaves no lock
start
mkfifo "$work/stdin"
"$program" hold "$run" <"$work/stdin" >"$work/held" &
holder=$!
exec 9>"$work/stdin"
until grep -q held "$work/held"; do sleep 0.05; done
for verb in check save; do
    "$program" $verb "$run" 3 >"$work/out" 2>"$work/err"
    status=$?
    [ $status -eq 4 ] && [ "$(cat "$work/err")" = \
        "cannot write '$run': another process is training there" ] || complain "a second: $verb"
done
kill -9 $holder
wait $holder 2>/dev/null
exec 9>&-
goes_on 'after a killed holder' 2

# --- what stands in the place of a folder
for name in last before; do
    start
    mv "$run/$name" "$work/elsewhere"
    ln -s "$work/elsewhere" "$run/$name"
    "$program" save "$run" 3 >"$work/out" 2>"$work/err"
    status=$?
    [ $status -eq 4 ] && grep -q "$name': it exists and is not a folder" "$work/err" &&
        [ -L "$run/$name" ] || complain "a symbolic link as $name"
    rm -rf "$work/elsewhere"
done

[ $failed -eq 0 ] && echo "faults of a checkpoint: $tried injected, all as expected"
exit $failed
