# SPDX-License-Identifier: Apache-2.0
"""This project beside PyTorch, ONNX Runtime and OpenVINO: same crops, threads and precision, in
turn (A B A B), so that a slower spell of the machine hits all. See run.sh for how to start it."""
import argparse
import os
import time

import numpy

import demands
import files as prepared
import levels
import machine
import report
from competitors import Competitor, Lost
from forms import BASELINE, OURS, PRECISIONS, forms_of

SCREENING_SECONDS = 0.5  # a spell in which the machine is slow may be as long as one pass
WHAT = ("many", "single")
HOPEFUL = 1.5  # a form this many times slower than its engine's best in the first turn sits out,
HOPELESS = 8   # as does one this many times slower than the best of all engines


def parse():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__)
    parser.add_argument("--build", default="build/release", help="folder with this project's")
    parser.add_argument("--weights", help="default: the NIH sample's, or random ones")
    parser.add_argument("--precision", default=",".join(PRECISIONS))
    parser.add_argument("--engines", default="torch,onnxruntime,openvino",
                        help="at this CPU's own level; at lower ones OpenVINO is the rival")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--isa", choices=levels.LEVELS,
                        help="this level alone; default: the CPU's own, then caps below it")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn")
    parser.add_argument("--pictures", type=int, default=2, help="ten crops each are one pass")
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS",
                        help="before each turn, for a quiet moment")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--no-record", action="store_true", help="print, write no file")
    return parser.parse_args()


def open_forms(forms, files, threads, level, capped, kind=Competitor):
    """Competitors that run here, and {name: why} of those that do not."""
    found, lost = [], {}
    for form in forms:
        started = time.perf_counter()
        try:
            found.append(kind(form, files, threads, level, capped))
            print(f"{form.name}: ready in {time.perf_counter() - started:.0f} s", flush=True)
        except Lost as why:
            lost[form.name] = str(why)
            print(f"skipped: {form.name}: {why}", flush=True)
    return found, lost


def take_turn(competitor, what, seconds, wait):
    """What competitors.py measures, and how many CPUs all other processes used meanwhile."""
    if wait:
        machine.wait_for_quiet(wait)
    before, at = machine.busy_seconds(), time.perf_counter()
    turn = competitor.measure(what, seconds)
    wall = time.perf_counter() - at
    used = (machine.busy_seconds() - before) / wall
    turn["others"] = max(0.0, used - turn["cpu_per_wall"])
    time.sleep(0.05)  # threads that spin after their work give up
    return turn


def hopeful(competitors, first):
    """Ours, the baseline, and the forms of each engine and precision that may be its fastest.
    first: {name: milliseconds a crop of its first turn}, of many crops for `single` too"""

    def may_win(c, what):
        same = [o for o in competitors if o.precision == c.precision and o.does(what)]
        best = min(first[o.name] for o in same)
        own = min(first[o.name] for o in same if o.form.engine == c.form.engine)
        return first[c.name] <= min(HOPEFUL * own, HOPELESS * best)

    return [c for c in competitors
            if c.form == BASELINE or c.form.engine in OURS
            or any(may_win(c, what) for what in WHAT if c.does(what))]


def run_rounds(competitors, arguments):
    """{name: {what: [turn]}}, all in turn, the order of a round reversed in the next. Before the
    first round everyone has one short turn, whose best pass decides who takes part."""
    turns = {c.name: {what: [] for what in WHAT} for c in competitors}
    for c in competitors:
        turns[c.name]["many"].append(take_turn(c, "many", SCREENING_SECONDS, arguments.wait))
    taking_part = hopeful(competitors, {name: found["many"][0]["min"]
                                        for name, found in turns.items()})
    for number in range(arguments.rounds):
        order = taking_part if number % 2 == 0 else taking_part[::-1]
        for what in WHAT:
            for c in order:
                if c.does(what):
                    turn = take_turn(c, what, arguments.seconds, arguments.wait)
                    turns[c.name][what].append(turn)
        print(f"round {number + 1} of {arguments.rounds}", flush=True)
    return turns


def run_level(level, capped, arguments, files):
    """The section of the record for one level: {"level", "capped", "rows", "skipped"}."""
    print(f"level {level}" + ", all engines capped" * capped, flush=True)
    engines = ("openvino",) if capped else arguments.engines.split(",")
    precisions = [p for p in arguments.precision.split(",") if not capped or levels.has(level, p)]
    forms = [form for precision in precisions for form in
             forms_of(precision, level, arguments.threads, engines, not arguments.no_compile)]
    competitors, lost = open_forms(forms, files, arguments.threads, level, capped)
    try:
        turns = run_rounds(competitors, arguments)
    finally:
        for c in competitors:
            c.close()
    rows = report.rows_of(competitors, turns, numpy.load(files["expected"]))
    return {"level": level, "capped": capped, "rows": rows, "skipped": lost}


def main():
    arguments = parse()
    machine.pin(arguments.threads)
    files = prepared.prepare(arguments, arguments.pictures, arguments.precision.split(","))
    prepared.cut(files)
    about = {**machine.describe(arguments.build), "threads": arguments.threads,
             "crops": 10 * arguments.pictures, "rounds": arguments.rounds,
             "seconds": arguments.seconds, "weights": os.path.basename(files["weights"]),
             "pictures": "NIH sample" if "nih-sample" in files["pictures"][0] else "phantoms"}
    sections = [run_level(level, capped, arguments, files)
                for level, capped in levels.to_run(files["chexnet"], arguments.isa)]
    record = {"about": about, "levels": sections,
              "demands": demands.check(demands.CROPS, sections)}
    text = report.text_of_crops(record)
    print(text)
    if not arguments.no_record:
        report.write(record, text, "crops", arguments.isa)


if __name__ == "__main__":
    main()
