# SPDX-License-Identifier: Apache-2.0
"""One engine in one form, in a process of its own that waits for its turn.

    worker.py FILES.json FORM.json THREADS

Each line on standard input asks for a measurement, "many SECONDS" or "single SECONDS", and is
answered with one line of JSON; the first line answered, without being asked, tells the settings and
the probabilities. compare.py asks.
"""
import json
import os
import sys
import time
from types import SimpleNamespace

import machine
from engines import ENGINES, TEN
from forms import Form

BUSY_SHARE = 0.2  # of the time measured, from which on a thread counts as working


def thread_seconds(process):
    """{thread: CPU seconds so far}"""
    tick = os.sysconf("SC_CLK_TCK")
    seconds = {}
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        seconds[thread] = (int(fields[11]) + int(fields[12])) / tick
    return seconds


def measure(run, crops, seconds, process="self"):
    """Milliseconds a crop, a value a pass over all crops, and how many threads of the process
    worked."""
    times = []
    before, started = thread_seconds(process), time.perf_counter()
    while not times or time.perf_counter() - started < seconds:
        at = time.perf_counter()
        run()
        times.append((time.perf_counter() - at) * 1e3 / crops)
    wall = time.perf_counter() - started
    used = [after - before.get(thread, 0) for thread, after in thread_seconds(process).items()]
    return {"ms": times, "cpu_per_wall": sum(used) / wall,
            "busy_threads": sum(u > BUSY_SHARE * wall for u in used)}


def say(answer):
    print(json.dumps(answer), flush=True)


def main():
    files, form, threads = json.loads(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
    engine = ENGINES[form["engine"]](Form(**form), SimpleNamespace(**files), threads)
    engine.many()  # compiles, allocates, touches memory
    prob = engine.many()
    say({"settings": engine.settings(), "first": prob.tolist()})
    for line in sys.stdin:
        what, seconds = line.split()
        run, crops = {"many": (engine.many, TEN * len(prob)), "single": (engine.single, 1)}[what]
        say({**measure(run, crops, float(seconds)), "peak_rss_bytes": machine.peak_bytes()})


if __name__ == "__main__":
    main()
