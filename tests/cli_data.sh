#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli_data.sh CHEXNET: phantom and prepare as commands, killed and failed at every call that
# touches the disk. Those parts need strace and are skipped by name without it.
set -uo pipefail
chexnet=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

complain() {
    echo "failed: $*"
    failed=1
}

run() { # STATUS ARGUMENT...: one line on stderr unless STATUS is 0
    local want=$1 status=0
    shift
    "$chexnet" "$@" >out 2>err </dev/null || status=$?
    [ $status -eq "$want" ] || complain "$*: status $status, expected $want: $(cat err)"
    [ "$want" -eq 0 ] || [ "$(wc -l <err)" -eq 1 ] || complain "$*: not one line on stderr"
}

run 0 phantom --out set --images 12 --size 256 --seed 4 --balanced
grep -q 'Research use only' out || complain 'phantom: no notice'
run 0 phantom --out again --images 12 --size 256 --seed 4 --balanced --threads 3 --json
grep -q '"images": 12' out || complain 'phantom --json: no count'
diff -r set again >/dev/null || complain 'phantom: other bytes with other threads'
run 0 phantom --out other --images 12 --size 256 --seed 5 --balanced
diff -r set other >/dev/null && complain 'phantom: the seed changes nothing'
run 4 phantom --out set --images 12 --size 256
run 2 phantom --out new --images 9
run 2 phantom --out new --images 12 --size 4000
[ -e new ] && complain 'phantom: something is left after an error'

prepare=(prepare --images set/images --list set/train_list.txt --list set/val_list.txt
         --list set/test_list.txt)
run 0 "${prepare[@]}" --out whole.cache --threads 1
run 0 "${prepare[@]}" --out same.cache --threads 3 --json
grep -q '"decoded": 12' out || complain 'prepare --json: no count'
cmp -s whole.cache same.cache || complain 'prepare: other bytes with other threads'
run 0 "${prepare[@]}" --out same.cache
grep -q '0 decoded, 12 kept' out || complain 'prepare: decoded again what is there'
cp -r set far && touch -d 2400-01-01 far/images/* # the nanoseconds since 1970 do not fit 63 bits
run 0 prepare --images far/images --list set/test_list.txt --out far.cache
run 0 prepare --images far/images --list set/test_list.txt --out far.cache
grep -q ' (0 decoded' out || complain 'prepare: decoded again what is of the year 2400'
run 4 prepare --images none --list set/val_list.txt --out x.cache
run 4 prepare --images set/images --list none.txt --out x.cache
run 2 prepare --images whole.cache --list set/val_list.txt --out x.cache
run 4 prepare --images set/images --list set/val_list.txt --out none/x.cache
run 4 prepare --images set/images --list set/val_list.txt --out set/test_list.txt
printf 'gone.png 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n' >gone.txt
run 4 prepare --images set/images --list gone.txt --list set/val_list.txt --out x.cache
[ -e x.cache ] && complain 'prepare: a cache after an error'
run 0 prepare --images set/images --list gone.txt --out y.cache --on-bad skip
grep -q '1 bad' out || complain 'prepare: no count of what was skipped'
grep -q 'skipped:.*gone.png' err || complain 'prepare: no name of what was skipped'

export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 # LeakSanitizer cannot run under a tracer
if ! strace -f -o /dev/null true 2>/dev/null; then
    echo 'skipped: kills and failing disk calls (no strace, or it may not trace)'
    exit $failed
fi

# Killed at call number n: what is there is no cache or a whole one, and a second run makes the same
# bytes as one that was never stopped.
for n in 1 2 3 8 15 24 25 30 36 37 38 39; do
    rm -f killed.cache*
    (strace -f -qq -o /dev/null -e trace=pwrite64,fsync,rename,ftruncate \
        -e inject=pwrite64,fsync,rename,ftruncate:signal=KILL:when=$n \
        "$chexnet" "${prepare[@]}" --out killed.cache --threads 2; true) >/dev/null 2>&1
    if [ -e killed.cache ]; then
        cmp -s killed.cache whole.cache || complain "kill at call $n: half a cache has the name"
    fi
    run 0 "${prepare[@]}" --out killed.cache
    cmp -s killed.cache whole.cache || complain "kill at call $n: other bytes after going on"
done

# Each call fails once: a clear error, no cache under the name, and a second run works.
for fault in pwrite64:ENOSPC:1 pwrite64:ENOSPC:2 pwrite64:ENOSPC:9 pwrite64:ENOSPC:26 \
             pwrite64:ENOSPC:38 fsync:EIO:1 fsync:EIO:2 rename:EACCES:1 ftruncate:EIO:1; do
    IFS=: read -r call errno n <<<"$fault"
    rm -f faulty.cache* && status=0
    strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:error=$errno:when=$n" \
        "$chexnet" "${prepare[@]}" --out faulty.cache >/dev/null 2>err || status=$?
    [ $status -eq 4 ] || complain "$fault: status $status, expected 4: $(cat err)"
    [ "$(wc -l <err)" -eq 1 ] || complain "$fault: not one line on stderr"
    [ -e faulty.cache ] && complain "$fault: a cache under its name"
    run 0 "${prepare[@]}" --out faulty.cache
    cmp -s faulty.cache whole.cache || complain "$fault: other bytes after going on"
done

for fault in write:ENOSPC:5 fsync:EIO:4 rename:EACCES:3 rename:EACCES:18 mkdir:EACCES:2; do
    IFS=: read -r call errno n <<<"$fault"
    status=0
    strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:error=$errno:when=$n" \
        "$chexnet" phantom --out broken --images 12 --size 256 --threads 1 >/dev/null 2>err ||
        status=$?
    [ $status -eq 4 ] || complain "phantom $fault: status $status, expected 4: $(cat err)"
    ls -d broken* >/dev/null 2>&1 && complain "phantom $fault: something is left"
done
exit $failed
