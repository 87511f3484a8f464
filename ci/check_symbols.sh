#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_symbols.sh BUILD: libchexnet.so exports only cxn_..., and no object of the library has
# variables that live as long as the process (cpu/ alone remembers what it was once told).
set -euo pipefail
build=$1
status=0

foreign=$(nm -D --defined-only "$build/src/libchexnet.so" | awk '{ print $NF }' |
    grep -v '^cxn_' || true)
if [ -n "$foreign" ]; then
    printf 'libchexnet.so: exported symbol: %s\n' $foreign
    status=1
fi

# A module exports the one symbol that it is opened by.
for module in "$build"/src/chexnet/*.so; do
    [ -e "$module" ] || continue
    exported=$(nm -D --defined-only "$module" | awk '{ print $NF }' | tr '\n' ' ')
    if [[ ! $exported =~ ^cxn_[a-z]+_[a-z]+_module\ $ ]]; then
        printf '%s: exported symbol: %s(one is expected)\n' "$(basename "$module")" "$exported"
        status=1
    fi
done

# objdump -t: "value flags section size name" after a heading with the object's name.
variables=$(objdump -t "$build/src/libchexnet.a" | awk '
    /^[^ ]+\.o:/ { object = $1 }
    / \.t?(data|bss)(\.[^ ]*)?\t/ && / O / && !/\.data\.rel\.ro/ && object !~ /^cpu/ {
        print object, $NF }')
if [ -n "$variables" ]; then
    printf 'libchexnet.a: mutable variable: %s\n' "$variables"
    status=1
fi
exit $status
