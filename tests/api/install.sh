#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install.sh BUILD CC: installs into an empty prefix, moves it, and builds the program of
# chexnet.h's first comment against it: by pkg-config and by find_package, in C and in C++, with
# the shared and with the static library.
set -euo pipefail
build=$1 cc=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved"
prefix=$work/moved
lib=$(dirname "$(find "$prefix" -name libchexnet.so)")

# The program is the indented part of the comment; in C99 and in C++ alike.
sed -n '/A complete program/,/^ \*     }/s/^ \*     //p' include/chexnet/chexnet.h >"$work/app.c"
cp "$work/app.c" "$work/app.cc"
grep -q 'int main' "$work/app.c"

try() { # NAME PROGRAM: it says 2 without arguments, and 4 for files that are not there
    local status=0
    LD_LIBRARY_PATH=$lib "$2" || status=$?
    [ $status -eq 2 ] || { echo "$1: status $status, expected 2"; exit 1; }
    status=0
    LD_LIBRARY_PATH=$lib "$2" missing.pth missing.png 2>"$work/said" || status=$?
    [ $status -eq 4 ] && grep -q missing.pth "$work/said" ||
        { echo "$1: status $status, expected 4; $(cat "$work/said")"; exit 1; }
    echo "built and run: $1"
}

export PKG_CONFIG_PATH=$lib/pkgconfig
flags=$(pkg-config --cflags --libs chexnet)
"$cc" -std=c99 -Wall -Wextra -Wpedantic -Werror "$work/app.c" $flags -o "$work/by-pkg-config"
try 'C, pkg-config' "$work/by-pkg-config"
pkg-config --static --libs chexnet | grep -q -- -ljansson

languages=C
if command -v g++ >/dev/null; then
    g++ -std=c++11 -Wall -Wextra -Werror "$work/app.cc" $flags -o "$work/by-pkg-config-cc"
    try 'C++, pkg-config' "$work/by-pkg-config-cc"
    languages='C CXX'
else
    echo "skipped: installed library from C++ (no g++)"
fi

cat >"$work/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.25)
project(app $languages)
find_package(chexnet 0.1 REQUIRED COMPONENTS static)
add_executable(shared app.c)
target_link_libraries(shared chexnet::chexnet)
add_executable(static app.c)
target_link_libraries(static chexnet::chexnet_static)
if(CMAKE_CXX_COMPILER)
  add_executable(shared_cc app.cc)
  target_link_libraries(shared_cc chexnet::chexnet)
endif()
EOF
cmake -S "$work" -B "$work/build" -G Ninja -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_PREFIX_PATH="$prefix" >"$work/log" 2>&1 &&
    cmake --build "$work/build" >>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
for program in shared static shared_cc; do
    if [ -x "$work/build/$program" ]; then try "find_package, $program" "$work/build/$program"; fi
done
ldd "$work/build/static" | grep -q libchexnet && { echo "static is linked with the .so"; exit 1; }

# The rest of what is installed.
"$prefix/bin/chexnet" --version
grep -q '^\.TH CHEXNET 1' "$prefix/share/man/man1/chexnet.1"
grep -q 'complete .* chexnet' "$prefix/share/bash-completion/completions/chexnet"

# The module of MPI is found from where the command is now.
if [ -e "$build/src/chexnet/libchexnet-mpi.so" ]; then
    cp "$build/mpi_job" "$prefix/bin/mpi_job"
    "$prefix/bin/mpi_job" check 60 | grep '^1 ranks: all as expected'
else
    echo "skipped: the module of MPI, installed (built without MPI)"
fi

# The program gives what the command gives.
weights=../shared/weights/nih-sample.pth
image=$(ls ../shared/nih-sample/images/*.png 2>/dev/null | head -n 1 || true)
if [ ! -e "$weights" ] || [ -z "$image" ]; then
    echo "skipped: installed program on a real picture (no ../shared/weights)"
    exit 0
fi
"$prefix/bin/chexnet" predict "$weights" "$image" --json >"$work/predict.json"
"$work/build/static" "$weights" "$image" >"$work/printed"
python3 - "$work/predict.json" "$work/printed" <<'EOF'
import json, sys
text = open(sys.argv[1]).read()
printed = dict(line.split() for line in open(sys.argv[2]))
assert len(printed) == 14, printed
def find(o):
    if isinstance(o, dict):
        if 'Hernia' in o: return o
        o = list(o.values())
    for v in o if isinstance(o, list) else []:
        got = find(v)
        if got: return got
predicted = find(json.loads(text))
for name, value in printed.items():
    assert abs(predicted[name] - float(value)) < 6e-5, (name, predicted[name], value)
EOF
echo "the installed program and the command agree"
