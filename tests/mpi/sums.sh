#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sums.sh MPI_JOB RANKS: sums, gather and broadcast of so many ranks against one process's own tree.
set -uo pipefail
job=$1 count=$2 what="sums of $2 ranks"
source "$(dirname "$0")/start.sh"
trap 'rm -rf "$work"' EXIT
if ! ranks "$count" check 120 >"$work/out" 2>&1 ||
    ! grep -q "^$count ranks: all as expected" "$work/out"; then
    cat "$work/out"
    exit 1
fi
cat "$work/out"
