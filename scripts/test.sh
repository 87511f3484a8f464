#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything a change must pass, on a bare Debian 12: installs what is missing, checks the source,
# builds with gcc and clang, runs the tests plain and under the sanitizers, fuzzes each reader.
#   scripts/test.sh           some minutes
#   scripts/test.sh --long    also the tests labelled `long`, and a minute of fuzzing a target
# Works from any folder. Logs are in build/logs/. The first stage that fails ends it, by name.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

leave_out=long
export CXN_FUZZ_SECONDS=${CXN_FUZZ_SECONDS:-5}
case "${1-}" in
'') ;;
--long) leave_out=none CXN_FUZZ_SECONDS=60 ;;
*)
    echo "usage: test.sh [--long]" >&2
    exit 2
    ;;
esac

jobs=$(nproc)
logs=$PWD/build/logs
mkdir -p "$logs"
# Sanitizers of these compilers cannot lay out their shadow memory where the kernel randomises
# addresses more than they knew; containers may forbid turning that off.
fixed_addresses=()
if setarch "$(uname -m)" -R true 2>/dev/null; then fixed_addresses=(setarch "$(uname -m)" -R); fi

# stage NAME COMMAND...: quiet while it works, its log when it does not.
stage() {
    local name=$1 begin=$SECONDS status
    shift
    printf '== %-34s ' "$name"
    # Not in a condition: there `set -e` would have no effect inside.
    set +e
    (set -e; "$@") >"$logs/$name.log" 2>&1 </dev/null
    status=$?
    set -e
    if [ $status -ne 0 ]; then
        printf 'FAILED\n'
        tail -n 80 "$logs/$name.log"
        echo "test.sh: stage $name failed with status $status; the whole log: $logs/$name.log" >&2
        exit 1
    fi
    printf '%4d s\n' $((SECONDS - begin))
}

# build PRESET [TARGET]
build() {
    cmake --preset "$1" -DCXN_TESTS=ON -DCMAKE_COMPILE_WARNING_AS_ERROR=ON
    cmake --build --preset "$1" --target "${2-all}" -- -j"$jobs"
}

# run_tests PRESET [CTEST ARGUMENT...]
run_tests() {
    "${fixed_addresses[@]}" ctest --test-dir "build/$1" --output-on-failure -j"$jobs" \
        --no-tests=error "${@:2}"
}

# As a packager builds it, without the tests and what they need.
build_without_tests() {
    cmake -S . -B build/plain -G Ninja -DCMAKE_BUILD_TYPE=Release -DCXN_TESTS=OFF \
        -DCMAKE_COMPILE_WARNING_AS_ERROR=ON
    cmake --build build/plain -- -j"$jobs"
    build/plain/chexnet --version
}

# What this machine could not run, by name: whole programs, and parts that say `skipped: ...`, the
# rows of kernels among them with their names before it.
list_skipped() {
    local log=build/release/Testing/Temporary/LastTest.log
    grep -h -o -E '^([a-z0-9_]+ )?skipped: .*' "$log" | sort | uniq >"$logs/skipped" || true
    echo "$(wc -l <"$logs/skipped") skipped by name:"
    sed 's/^/  /' "$logs/skipped"
}

stage deps scripts/deps.sh
stage build-release build release
stage check ci/check.sh
stage check-selftest ci/check_selftest.sh
stage build-without-tests build_without_tests
stage build-clang build clang
stage build-asan build asan
stage test-asan run_tests asan -LE "$leave_out"
stage build-tsan build tsan programs_of_threads
stage test-tsan run_tests tsan -L threads
stage build-fuzz build fuzz programs_of_fuzz
stage test-fuzz run_tests fuzz -L fuzz
echo "== test-release"
run_tests release -LE "$leave_out" </dev/null
list_skipped
echo "test.sh: all stages passed in $SECONDS s"
