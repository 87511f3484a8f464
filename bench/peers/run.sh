#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [--pipeline|--footprint|--training] [OPTION...]: this project beside PyTorch, ONNX Runtime
# and OpenVINO, each in its fastest form; --help lists the options. With --pipeline: from PNG files
# to probabilities, beside Python with OpenVINO. With --footprint: memory, time to the first answer,
# size. With --training: whole steps of training, beside PyTorch.
# The peers are installed, at the versions of requirements.txt, into build/peers-venv (6 GB, for
# PyTorch's wheels bring CUDA); CXN_PEERS_PYTHON names a python that has them already.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
mkdir -p build

# The lock names one wheel a package, with its hash; its first line says for which Python.
install_peers() {
    local python=$1 kind
    kind=$("$python" -c 'import platform as p; print("#", p.python_version()[:4], p.machine())')
    if [ "$(head -n 1 "$here/requirements.lock")" = "$kind" ]; then
        "$python" -m pip install --quiet --require-hashes -r "$here/requirements.lock"
    else
        echo "note: requirements.lock is not for ${kind#\# }: versions are pinned, hashes are not"
        "$python" -m pip install --quiet -r "$here/requirements.txt"
    fi
}

python=${CXN_PEERS_PYTHON:-}
if [ -z "$python" ]; then
    venv=build/peers-venv
    python=$venv/bin/python
    if ! cmp -s "$here/requirements.lock" "$venv/installed.lock"; then
        python3 -m venv "$venv"
        install_peers "$python"
        cp "$here/requirements.lock" "$venv/installed.lock"
    fi
fi
{ cmake --preset release && cmake --build --preset release; } > build/peers-build.log
export PYTHONDONTWRITEBYTECODE=1
case ${1:-} in
    --pipeline) script=pipeline.py && shift ;;
    --footprint) script=footprint.py && shift ;;
    --training) script=training.py && shift ;;
    *) script=compare.py ;;
esac
exec "$python" "$here/$script" "$@"
