#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Load and Resize(256) of picture files: this library beside Pillow, on one core.

    python3 bench/image_vs_pillow.py [--rounds N] [--mode RGB|L] [--program P] FILE...

Both read each file in turn, A B A B, so that a slower spell of the machine hits both. Printed are
ms a file (mean over the files of the minimum, and of the median, over the rounds) and the ratio.
Needs Pillow (measured with 13.0.0).
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

import PIL
from PIL import Image


def time_pillow(path, mode):
    start = time.perf_counter()
    image = Image.open(path).convert(mode)
    loaded = time.perf_counter()
    short = min(image.size)
    image.resize(tuple(256 * side // short for side in image.size), Image.Resampling.BILINEAR)
    return (loaded - start) * 1e3, (time.perf_counter() - loaded) * 1e3


def time_library(child, path):
    child.stdin.write(path + "\n")
    child.stdin.flush()
    answer = child.stdout.readline().split()
    if len(answer) != 2:
        sys.exit("image_vs_pillow: image_bench failed")
    return tuple(float(ms) for ms in answer)


def summarise(rounds, pick):
    """rounds: {file: [(load, resize)]}; pick over the rounds, then the mean over the files"""
    return [statistics.fmean(pick([part(r) for r in times]) for times in rounds.values())
            for part in (lambda r: r[0], lambda r: r[1], sum)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mode", default="RGB", help="what Pillow converts to; RGB is what the "
                        "reference does, L spares it two channels")
    parser.add_argument("--program", default="build/release/image_bench")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # the child inherits it
    child = subprocess.Popen([arguments.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True)
    ours = {path: [] for path in arguments.files}
    theirs = {path: [] for path in arguments.files}
    for _ in range(arguments.rounds):
        for path in arguments.files:
            ours[path].append(time_library(child, path))
            theirs[path].append(time_pillow(path, arguments.mode))
    child.stdin.close()
    print(f"{len(ours)} files, {arguments.rounds} rounds, ms a file  load  resize  both")
    for name, pick in (("minimum", min), ("median", statistics.median)):
        a, b = summarise(ours, pick), summarise(theirs, pick)
        print(f"{name:8} chexnet {a[0]:20.2f} {a[1]:7.2f} {a[2]:6.2f}")
        print(f"{name:8} Pillow {PIL.__version__:7} {b[0]:13.2f} {b[1]:7.2f} {b[2]:6.2f}")
        print(f"{name:8} ratio {'':8} {a[0] / b[0]:13.2f} {a[1] / b[1]:7.2f} {a[2] / b[2]:6.2f}")


if __name__ == "__main__":
    main()
