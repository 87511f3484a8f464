# SPDX-License-Identifier: Apache-2.0
# Sourced by the cli_*.sh tests, which set $chexnet first: a folder $work for files, removed at the
# end, and expect. The caller ends with `exit $failed`.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
    echo "failed: $*"
    sed 's/^/    /' "$work/out" "$work/err"
    failed=1
}

# expect STATUS PATTERN ARGUMENT...: the exit status, and an extended regular expression in what
# was printed: on stdout for 0, else as the one line on stderr.
expect() {
    local want=$1 pattern=$2 status=0 at=err
    shift 2
    "$chexnet" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    [ "$want" -eq 0 ] && at=out
    [ $status -eq "$want" ] || complain "chexnet $*: status $status, expected $want"
    grep -q -E -e "$pattern" "$work/$at" || complain "chexnet $*: no '$pattern' on std$at"
    if [ "$want" -ne 0 ]; then
        [ "$(wc -l <"$work/err")" -eq 1 ] || complain "chexnet $*: not one line on stderr"
        [ -s "$work/out" ] && complain "chexnet $*: an error, and something on stdout"
    fi
}
