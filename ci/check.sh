#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check.sh [ROOT [BUILD]]: rules that a reader of a change should not have to check by eye, in a
# few seconds. One line a finding, `file:line: rule: what`; status 1 when there is any. With a
# build folder (build/release where it exists), also what the library exports.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${1:-$here/..}
build=${2:-$root/build/release}
export PYTHONDONTWRITEBYTECODE=1
status=0
python3 "$here/check_source.py" "$root" || status=1
python3 "$here/check_project.py" "$root" || status=1
if [ -e "$build/src/libchexnet.so" ]; then
    "$here/check_symbols.sh" "$build" || status=1
else
    echo "skipped: exported symbols (no build in $build)"
fi
[ $status -eq 0 ] && echo "check.sh: no findings"
exit $status
