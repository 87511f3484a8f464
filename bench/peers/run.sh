#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [--pipeline] [OPTION...]: this project beside PyTorch, ONNX Runtime and OpenVINO, each in
# its fastest form; --help lists the options. The peers are installed, at the versions of
# requirements.txt, into build/peers-venv; CXN_PEERS_PYTHON names a python that has them already.
# With --pipeline: from PNG files to probabilities, beside Python with OpenVINO.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
python=${CXN_PEERS_PYTHON:-}
if [ -z "$python" ]; then
    venv=build/peers-venv
    python=$venv/bin/python
    if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
        python3 -m venv "$venv"
        "$python" -m pip install --quiet -r "$here/requirements.txt"
        cp "$here/requirements.txt" "$venv/installed.txt"
    fi
fi
[ -x build/release/chexnet ] || { cmake --preset release && cmake --build --preset release; }
export PYTHONDONTWRITEBYTECODE=1
script=compare.py
if [ "${1:-}" = --pipeline ]; then script=pipeline.py && shift; fi
exec "$python" "$here/$script" "$@"
