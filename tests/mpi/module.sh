#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# module.sh MPI_JOB: a module of MPI that is missing, broken, foreign or of another version is one
# line and status 4.
set -uo pipefail
job=$1
module=src/chexnet/libchexnet-mpi.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/src/chexnet"
cp "$job" "$work/mpi_job"
failed=0
refused() { # PATTERN
    "$work/mpi_job" check 20 >"$work/out" 2>&1
    status=$?
    [ $status -eq 4 ] && [ "$(wc -l <"$work/out")" -eq 1 ] && grep -q -E "$1" "$work/out" && return
    echo "failed: status $status, expected 4 and '$1': $(cat "$work/out")"
    failed=1
}
refused "^mpi_job: several ranks need libchexnet-mpi\.so, which is neither near '$work/' nor in"
echo broken >"$work/$module"
refused "^mpi_job: cannot load '$work/$module': .*(file too short|invalid ELF header)$"
cp "$(dirname "$job")/src/libchexnet.so" "$work/$module"
refused "^mpi_job: '$work/$module' is not a module of chexnet$"
if [ -e "$(dirname "$job")/$module" ]; then
    LC_ALL=C sed 's/\x000\.1\.0\x00/\x009.9.9\x00/' "$(dirname "$job")/$module" >"$work/$module"
    refused "^mpi_job: '$work/$module' is of version 9\.9\.9, expected"
else
    echo "skipped: a module of another version (built without MPI)"
fi
exit $failed
