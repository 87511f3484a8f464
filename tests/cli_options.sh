#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli_options.sh CHEXNET: what every command has in common: options, help, exit statuses, streams.
set -uo pipefail
chexnet=$1
. tests/cli_expect.sh

commands=$("$chexnet" --help | sed -n 's/^  \([a-z-]*\)  .*/\1/p')
[ -n "$commands" ] || complain 'no commands in --help'

# About the program.
for word in --help -h help; do expect 0 'COMMAND --help' $word; done
for word in --version -V; do expect 0 '^chexnet [0-9]+\.[0-9]+\.[0-9]+$' $word; done
"$chexnet" >"$work/out" 2>"$work/err"
[ $? -eq 2 ] && grep -q usage: "$work/err" || complain 'without arguments: usage on stderr, 2'
expect 2 "unknown command 'fly'" fly
expect 2 "unknown command '--fly'" --fly
expect 2 "unknown command ''" ''

"$chexnet" --man >"$work/man" || complain --man

# Each command explains itself, refuses what it does not know, and has the common options.
for command in $commands; do
    expect 0 "^  (\\$ )?(mpirun .* )?chexnet $command" "$command" --help
    expect 0 'Research use only, not a medical device\.' "$command" --help
    expect 0 '^example:' "$command" -h
    expect 2 "$command: unknown option '--fly'" "$command" --fly
    expect 2 "$command: unknown option '--fly=high'" "$command" --fly=high
    expect 2 "$command: unknown option '-f'" "$command" -f
    expect 2 '--threads needs a value' "$command" --threads
    grep -q -x -e "$command" <("$chexnet" --completion | grep -o -E "[a-z-]+") ||
        complain "$command is not in the completion"
    grep -q -F ".SS chexnet $command" "$work/man" || complain "$command is not in the manual"
done

# Values, told by `cpu`, which shows what came of them.
expect 0 '^threads: 3$' cpu --threads=3
expect 0 '^threads: 3$' cpu --threads 3
expect 0 '^level: c$' cpu --cpu c
expect 0 '^level: c$' cpu --cpu=c
for bad in 257 -1 +1 ' 1' 1.5 1e1 x '' 99999999999999999999 3x; do
    expect 2 "^chexnet: --threads '.*': expected a whole number 0\.\.256$" cpu "--threads=$bad"
done
expect 2 '^chexnet: --threads is given twice$' cpu --threads 1 --threads 1
expect 2 "^chexnet: cpu: unexpected 'more' \(see chexnet cpu --help\)$" cpu more
expect 2 "^chexnet: cpu: unexpected '--json'" cpu -- --json
for good in 64M 1G 1T 70000K 99999999; do expect 0 '^level:' cpu --memory-limit $good; done
for bad in 0 M 1Q 1MM 1.5G -1M '' 99999999999999T 18446744073709551616; do
    expect 2 "^chexnet: --memory-limit '.*': expected a size" cpu "--memory-limit=$bad"
done
expect 2 "inspect: .* expected" inspect
expect 4 'missing\.pth' inspect "$work/missing.pth"

# The modes offered are the engines there are.
modes=$("$chexnet" cpu | awk 'NF == 0 {on = 0} on {printf "|%s", $1} $1 == "mode" {on = 1}')
expect 0 '.' infer --help
grep -q -F "(auto$modes)" <(tr -d '\n ' <"$work/out") ||
    complain "--mode offers others than auto$modes"
expect 2 "^chexnet: --mode 'fast': expected auto$(printf %s "$modes" | sed 's/|/\\|/g')$" \
    predict model file --mode fast
for mode in auto ${modes//|/ }; do
    expect 4 missing predict "$work/missing" file --mode "$mode"
done

# The option at fault is named, wherever it stands; an argument may hold anything.
expect 2 "inspect: unknown option '--bogus'" inspect file --bogus
expect 2 "inspect: unknown option '--bogus'" inspect file --bogus --json
expect 2 "inspect: unknown option '-x'" inspect file -x
expect 2 "unknown command 'a\\\\x0ab\\\\x1b\[31m'" $'a\nb\e[31m'
expect 2 "unknown option '--a\\\\x0ab'" inspect $'--a\nb'
expect 2 "'1\\\\xc2\\\\x9b2': expected a whole number" cpu $'--threads=1\xc2\x9b2'

# Instruction levels, by option and by environment.
expect 2 "'nonsense'" cpu --cpu nonsense
CHEXNET_CPU=c expect 0 '^level: c$' cpu
CHEXNET_CPU='' expect 0 '^level:' cpu
CHEXNET_CPU=nonsense expect 2 "CHEXNET_CPU: .*'nonsense'" cpu
CHEXNET_CPU=nonsense expect 0 '^level: c$' cpu --cpu c

# Control bytes of an argument do not reach the terminal.
expect 4 'a\\x1b\[31m\\x0ab' inspect $'a\e[31m\nb'

# Streams. A lost result is an error; a file never takes the place of a closed stdout.
lost() { # NAME STATUS...: what PIPESTATUS or $? said
    [ "$2" -eq 4 ] && grep -q 'cannot write standard output' "$work/err" || complain "$1: status $2"
}
mkfifo "$work/gone"
: >"$work/out"
for words in cpu --help 'cpu --help' --man; do
    "$chexnet" $words >/dev/full 2>"$work/err"
    lost "$words to a full disk" $?
    "$chexnet" $words >&- 2>"$work/err"
    lost "$words to a closed stdout" $?
    { # the reader has gone when the command begins
        read -r <"$work/gone"
        exec "$chexnet" $words 2>"$work/err"
    } | { exec <&-; echo >"$work/gone"; }
    lost "$words to a pipe without reader" "${PIPESTATUS[0]}"
done
"$chexnet" phantom --out "$work/phantom" --images 10 --size 256 >&- 2>"$work/err"
lost 'phantom to a closed stdout' $?
grep -r -q 'Research use' "$work/phantom" && complain 'closed stdout: its text is in a file'
( # a file over the shell's limit: an error, not the end by SIGXFSZ with files left behind
    ulimit -f 1
    expect 4 'File too large' phantom --out "$work/large" --images 10 --size 256
    exit $failed
) || failed=1
ls -d "$work"/large* >/dev/null 2>&1 && complain 'a file over the limit: something is left'

# Signals: one that the caller ignores stays ignored; else work ends and nothing is left.
drawn() { # SIGNAL: the status of phantom, which gets the signal as soon as it has begun
    rm -rf "$work/drawn"*
    env $2 "$chexnet" phantom --out "$work/drawn" --images 60 --size 512 \
        >"$work/out" 2>"$work/err" &
    while ! ls -d "$work/drawn"* >/dev/null 2>&1; do sleep 0.01; done
    kill "-$1" $! && wait $! 2>/dev/null
}
for signal in INT TERM HUP; do
    drawn $signal --ignore-signal=$signal || complain "SIG$signal ignored by the caller: status $?"
    drawn $signal --default-signal=$signal && complain "SIG$signal: not ended"
    ls -d "$work/drawn"* >/dev/null 2>&1 && complain "SIG$signal: something is left"
done

"$chexnet" fly 2>&- >"$work/out"
[ $? -eq 2 ] || complain 'closed stderr: status'
[ -s "$work/out" ] && complain 'closed stderr: the error went to stdout'
"$chexnet" cpu <&- >"$work/out" 2>"$work/err" || complain 'closed stdin'

# The completion works in bash.
bash -c '
    source /dev/stdin
    COMP_WORDS=(chexnet insp) COMP_CWORD=1 && _chexnet && [ "${COMPREPLY[*]}" = inspect ] || exit 1
    COMP_WORDS=(chexnet cpu --thr) COMP_CWORD=2 && _chexnet && [ "${COMPREPLY[*]}" = --threads ]
' < <("$chexnet" --completion) || complain 'bash completion'

[ $failed -eq 0 ] && echo "cli: $(echo "$commands" | wc -w) commands, all as expected"
exit $failed
