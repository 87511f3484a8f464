#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# base_faults.sh WRITE_FILE: what the operating system refuses, injected by strace: disk errors at
# each call of a write, and threads that cannot be made. Exit 77 where strace cannot trace.
set -uo pipefail
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
# LeakSanitizer cannot run under a tracer.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0

strace -qq -f -o /dev/null -e inject=fsync:error=EIO:when=1 true 2>/dev/null ||
    { echo "skipped: faults of the system (strace cannot trace here)"; exit 77; }

"$program" "$work/whole" || exit 1
[ "$(stat -c %s "$work/whole")" -eq 300000 ] || { echo "the whole file is not whole"; exit 1; }

# traced INJECTION: write over an old file in a folder of its own; sets status.
traced() {
    rm -rf "$work/dir"
    mkdir "$work/dir"
    echo old >"$work/dir/f"
    # A subshell, so that this one does not report who was killed.
    (strace -qq -f -o /dev/null -e "inject=$1" "$program" "$work/dir/f" 2>"$work/err"
        exit $?) 2>/dev/null
    status=$?
}
complain() {
    echo "failed: $*; status $status, folder: $(ls "$work/dir"); $(cat "$work/err")"
    failed=1
}
# refused INJECTION TEXT: status 4, one line with the text (unless writing it fails as well), the
# old file, and nothing beside it.
refused() {
    traced "$1"
    [ $status -eq 4 ] && [ "$(ls "$work/dir")" = f ] && [ "$(cat "$work/dir/f")" = old ] ||
        complain "$1"
    [[ $1 == write*+ ]] || { [ "$(wc -l <"$work/err")" -eq 1 ] && grep -q "$2" "$work/err"; } ||
        complain "the text of $1"
}
# survived INJECTION: the whole new file, and nothing beside it.
survived() {
    traced "$1"
    [ $status -eq 0 ] && [ "$(ls "$work/dir")" = f ] && cmp -s "$work/dir/f" "$work/whole" ||
        complain "$1"
}

for when in 1 2 3 5 1+ 4+; do refused "write:error=ENOSPC:when=$when" 'No space left'; done
refused write:error=EIO:when=2 'Input/output error'
refused write:retval=0:when=2 'Input/output error' # takes nothing: not for ever
refused fsync:error=EIO:when=1 'Input/output error'
refused rename:error=EACCES:when=1 'Permission denied'
for when in 1 3; do
    survived "write:error=EINTR:when=$when"
done

# A folder that cannot be synced: told, but the file is there, and whole.
traced fsync:error=EIO:when=2
[ $status -eq 4 ] && cmp -s "$work/dir/f" "$work/whole" || complain 'sync of the folder'
survived fsync:error=EINVAL:when=2

# Killed at any of its calls: the old file or the whole new one, never a part.
for call in write fsync rename; do
    for when in 1 2 3 4 5; do
        traced "$call:signal=KILL:when=$when"
        [ "$(cat "$work/dir/f")" = old ] || cmp -s "$work/dir/f" "$work/whole" ||
            complain "killed at $call $when"
    done
done

# A disk that is really full, and one that takes half a write: a small tmpfs, where root may mount.
mkdir "$work/small"
if mount -t tmpfs -o size=128k none "$work/small" 2>/dev/null; then
    echo old >"$work/small/f"
    "$program" "$work/small/f" 2>"$work/err"
    status=$?
    left=$(ls "$work/small") content=$(cat "$work/small/f")
    umount "$work/small"
    [ $status -eq 4 ] && [ "$left" = f ] && [ "$content" = old ] || complain 'a full disk'
else
    echo "skipped: a full disk (no permission to mount)"
fi

# Threads that the system refuses: fewer work, and all the work is done.
for refused in 1 3; do
    said=$(strace -qq -f -o /dev/null -e inject=clone3,clone:error=EAGAIN:when=$refused+ \
        "$program" pool 5)
    [ $? -eq 0 ] && [ "$said" = "$refused threads" ] || { echo "failed: threads: $said"; failed=1; }
done
[ "$("$program" pool 5)" = '5 threads' ] || { echo 'failed: five threads'; failed=1; }

[ $failed -eq 0 ] && echo "faults of the system: all as expected"
exit $failed
