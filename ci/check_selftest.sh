#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Proves that check.sh can fail: a small tree that passes, then one violation of each rule at a
# time, which must be told with its file and rule.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
spdx='/* SPDX-License-Identifier: Apache-2.0 */'
failed=0 planted=0

fresh() {
    rm -rf "$tree"
    mkdir -p "$tree"/{include/chexnet,src/{base,nn,api,cpu,kern/avx2},tools,docs}
    printf '%s\n#include <stddef.h>\n' "$spdx" >"$tree/include/chexnet/chexnet.h"
    printf '%s\n#include "base/a.h"\n' "$spdx" >"$tree/src/nn/a.c"
    printf '%s\n#include <chexnet/status.h>\n' "$spdx" >"$tree/src/base/a.h"
    printf '%s\n#include <immintrin.h>\n#include <stdio.h>\n' "$spdx" >"$tree/src/kern/avx2/a.c"
    printf '%s\n#include "own.h"\n&cmd_predict,\n' "$spdx" >"$tree/tools/chexnet.c"
    printf '%s\n.name = "predict"\n.name = "crops"\n' "$spdx" >"$tree/tools/cmd_predict.c"
    printf 'Run `chexnet predict --crops ten`.\n' >"$tree/docs/a.md"
}

expect() { # PATH RULE: what check.sh must say about the tree as it is
    planted=$((planted + 1))
    local said
    said=$("$here/check.sh" "$tree" "$tree/build" 2>&1) && said="$said (status 0)"
    if [[ $said != *"$1"*": $2: "* || $said == *'(status 0)' ]]; then
        printf 'not found: %s in %s; check.sh said:\n%s\n' "$2" "$1" "$said" >&2
        failed=1
    fi
}

plant() { # PATH RULE TEXT: append the text to the file
    fresh
    printf '%b\n' "$3" >>"$tree/$1"
    expect "$1" "$2"
}

lines() { for ((i = 0; i < $1; i++)); do printf '%s' "${2-;\\n}"; done; }

fresh
"$here/check.sh" "$tree" "$tree/build" >/dev/null || {
    echo "the tree without violations is not accepted" >&2
    "$here/check.sh" "$tree" "$tree/build" >&2 || exit 1
}

plant src/base/a.c include "$spdx\n#include \"nn/a.h\""
plant src/nn/a.c include '#include <chexnet/chexnet.h>'
plant src/base/a.h include '#include <chexnet/chexnet.h>'
plant src/nn/a.c include '#include "a.h"'
plant tools/chexnet.c include '#include "base/a.h"'
plant include/chexnet/chexnet.h include '#include <stdio.h>'
mkdir -p "$tree/src/odd" && printf '%s\n#include "base/a.h"\n' "$spdx" >"$tree/src/odd/a.c"
expect src/odd/a.c include
plant src/nn/a.c x86 '#include <immintrin.h>'
plant tools/chexnet.c x86 '#include <cpuid.h>'
plant src/nn/a.c 'function length' "int f(void)\n{\n$(lines 99)}"
plant src/kern/avx2/a.c 'function length' "int f(void)\n{\n$(lines 199)}"
plant src/nn/a.c 'file length' "$(lines 900)"
plant src/base/a.h 'file length' "$(lines 400)"
plant src/nn/a.c 'line length' "int a; /* $(lines 100 x) */"
plant src/nn/a.c parameters 'int f(int a, int b, int c, int d, int e, int f, int g, int h, int i,
       int j, int k)\n{\n}'
plant src/nn/a.c complexity "int f(int a)\n{\n$(lines 25 'if (a) a++;\n')}"
plant src/nn/a.c '#if in function' 'int f(void)\n{\n#if A\n#endif\n#ifdef B\n#endif\n}'
for name in sprintf strcpy strcat gets atoi strtok alloca; do
    plant src/nn/a.c banned "int x = $name (y);"
done
plant src/nn/a.c 'library prints or exits' 'void f(void) { exit(1); }'
plant src/nn/a.c 'library prints or exits' 'void f(void) { fputs("", stderr); }'
plant src/nn/a.c tab '\tint a;'
plant src/nn/a.c 'trailing space' 'int a; '
plant src/nn/b.c 'licence line' 'int a;'
plant docs/a.md 'unknown command' 'Run `chexnet fly`.'
plant docs/a.md 'unknown command' '```\n$ build/release/chexnet fly\n```'
plant docs/a.md 'unknown command' '\n    $ chexnet fly'
plant docs/a.md 'unknown option' 'Run `chexnet predict --wings`.'
plant docs/a.md 'machine path' "See /$(printf home)/someone/file."
plant docs/a.md 'registry host' "See pypi$(printf .)org."

plant README.md 'undocumented command' 'Only `chexnet --help`.'

for subject in 'No area' 'nn: ends with a stop.' "nn: $(lines 72 x)"; do
    fresh
    git -C "$tree" init -q
    git -C "$tree" -c user.name=a -c user.email=a@b commit -q --allow-empty -m "$subject"
    expect '' 'commit subject'
done

# Symbols: a library with an export and a variable that it must not have.
fresh
mkdir -p "$tree/build/src"
printf 'static int count; int foreign(void); int foreign(void) { return count++; }\n' >"$tree/a.c"
gcc -fPIC -c "$tree/a.c" -o "$tree/a.o"
gcc -shared "$tree/a.o" -o "$tree/build/src/libchexnet.so"
ar rc "$tree/build/src/libchexnet.a" "$tree/a.o"
mkdir "$tree/build/src/chexnet"
cp "$tree/build/src/libchexnet.so" "$tree/build/src/chexnet/libchexnet-a.so"
rm "$tree/a.c" "$tree/a.o"
expect libchexnet.so 'exported symbol'
expect libchexnet-a.so 'exported symbol'
expect libchexnet.a 'mutable variable'

[ $failed -eq 0 ] || exit 1
echo "check_selftest.sh: all of $planted planted violations were told"
