#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# headers.sh CC: each public header compiles alone, as C99 and as C++11, without a warning.
set -euo pipefail
cc=$1
cxx=$(command -v g++ || command -v clang++ || true)
[ -n "$cxx" ] || echo "skipped: public headers as C++ (no C++ compiler)"
strict=(-Wall -Wextra -Wpedantic -Werror -fsyntax-only -Iinclude)
for header in include/chexnet/*.h; do
    line="#include <${header#include/}>"
    echo "$line" | "$cc" -x c -std=c99 "${strict[@]}" -
    [ -z "$cxx" ] || echo "$line" | "$cxx" -x c++ -std=c++11 "${strict[@]}" -
    echo "$header"
done
