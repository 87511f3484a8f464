# SPDX-License-Identifier: Apache-2.0
"""What a figure was taken on, and whether the machine was quiet meanwhile."""
import os
import platform
import re
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def text_of(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()


def cpu():
    """{field: value} of the first processor."""
    fields = {}
    for line in Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines():
        name, _, value = line.partition(":")
        fields[name.strip()] = value.strip()
    return fields


def compiler(build):
    cache = (build / "CMakeCache.txt").read_text()
    path = re.search(r"^CMAKE_C_COMPILER:\w+=(.*)$", cache, re.M).group(1)
    return text_of(path, "--version").splitlines()[0]


def describe(build):
    fields = cpu()
    changed = text_of("git", "status", "--porcelain", "--untracked-files=no")
    features = [f for f in fields["flags"].split() if re.match(r"avx|amx|fma", f)]
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": f"{fields['model name']}, family {fields['cpu family']} model {fields['model']}",
        "features": " ".join(features),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "compiler": compiler(Path(build)),
        "commit": text_of("git", "rev-parse", "--short", "HEAD") + " and changes" * bool(changed),
    }


def slug(about):
    return re.sub(r"[^a-z0-9]+", "-", about["cpu"].lower()).strip("-")


def pin(threads):
    """Keep this process, and those it starts, on so many CPUs, each of another core."""
    chosen, cores = [], set()
    for number in sorted(os.sched_getaffinity(0)):
        path = Path(f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list")
        core = path.read_text() if path.exists() else str(number)
        if core not in cores and len(chosen) < threads:
            chosen.append(number)
            cores.add(core)
    if len(chosen) < threads:
        raise SystemExit(f"{threads} threads asked for, {len(chosen)} cores to be had")
    os.sched_setaffinity(0, chosen)


def busy_seconds():
    """CPU seconds of all processes since start, on the CPUs of this one; stolen time too."""
    total = 0
    for line in Path("/proc/stat").read_text().splitlines():
        match = re.match(r"cpu(\d+) (.*)", line)
        if match and int(match.group(1)) in os.sched_getaffinity(0):
            ticks = [int(t) for t in match.group(2).split()]
            total += sum(ticks[:8]) - ticks[3] - ticks[4]
    return total / os.sysconf("SC_CLK_TCK")


def peak_bytes(process="self"):
    """The largest resident memory of the process so far."""
    with open(f"/proc/{process}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def wait_for_quiet(limit_seconds):
    """Until others leave the CPUs alone for a moment, but not longer than the limit."""
    end = time.perf_counter() + limit_seconds
    while True:
        before, at = busy_seconds(), time.perf_counter()
        time.sleep(0.2)
        if busy_seconds() - before < 0.1 * (time.perf_counter() - at):
            return
        if time.perf_counter() > end:
            return
