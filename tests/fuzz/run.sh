#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh PROGRAM NAME: fuzz for CXN_FUZZ_SECONDS (5) from a copy of the seeds and crashers. What
# makes it fail is kept beside the program as NAME-crash-..., to be repeated by PROGRAM FILE.
set -euo pipefail
program=$1 name=$2
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
for folder in tests/fuzz/corpus/"$name" tests/crashers/"$name"; do
    [ -d "$folder" ] && find "$folder" -maxdepth 1 -type f -exec cp {} "$corpus" \;
done
if [ -z "$(ls -A "$corpus")" ]; then
    echo "run.sh: tests/fuzz/corpus/$name has no seeds" >&2
    exit 1
fi
# The limit of one input is of the clock on the wall, which runs on while others compute.
"$program" -max_total_time="${CXN_FUZZ_SECONDS:-5}" -rss_limit_mb=512 -timeout=30 \
    -print_final_stats=1 -artifact_prefix="$(dirname "$program")/$name-" "$corpus"
