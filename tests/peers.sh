#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# peers.sh SCRIPT CHEXNET: tests/SCRIPT with a Python that has the packages of bench/peers:
# CXN_PEERS_PYTHON, build/peers-venv or python3. Skipped by name where none has.
set -u
export PYTHONDONTWRITEBYTECODE=1
for try in "${CXN_PEERS_PYTHON:-}" build/peers-venv/bin/python; do
    [ -x "$try" ] && exec "$try" "tests/$1" "$2" ../shared
done
exec python3 "tests/$1" "$2" ../shared
