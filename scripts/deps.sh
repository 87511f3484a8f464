#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Install the Debian 12 packages that chexnet needs and that are missing, as root or through sudo.
#   scripts/deps.sh               everything that scripts/test.sh uses
#   scripts/deps.sh --build-only  compiler, build tools and libraries
# Quiet, and touches neither apt nor the network, when all is there.
set -euo pipefail

build=(gcc libc6-dev cmake ninja-build pkg-config
    libjansson-dev nettle-dev libdeflate-dev libjpeg62-turbo-dev libcmocka-dev)
tests=(g++ make git clang libclang-rt-14-dev llvm binutils python3 strace
    libopenmpi-dev openmpi-bin iproute2)

case "${1-}" in
'') wanted=("${build[@]}" "${tests[@]}") ;;
--build-only) wanted=("${build[@]}") ;;
*)
    echo "usage: deps.sh [--build-only]" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null; then
    echo "deps.sh: not a Debian system; these packages are needed: ${wanted[*]}" >&2
    exit 0
fi

missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    # A package of several architectures is reported once for each.
    case $state in installed*) ;; *) missing+=("$package") ;; esac
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "deps.sh: run as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "deps.sh: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        echo "deps.sh: apt-get $1 failed" >&2
        exit 1
    }
}
apt update
apt install --no-install-recommends "${missing[@]}"
