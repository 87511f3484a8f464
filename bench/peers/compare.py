# SPDX-License-Identifier: Apache-2.0
"""This project beside PyTorch, ONNX Runtime and OpenVINO: same crops, threads and precision, in
turn (A B A B), so that a slower spell of the machine hits all. See run.sh for how to start it."""
import argparse
import os
import re
import subprocess
import time

import files as prepared
import machine
import report
from competitors import Lost, Ours, Peer
from forms import ISA, forms_of

WHAT = ("many", "single")


def parse():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__)
    parser.add_argument("--chexnet", default="build/release/chexnet")
    parser.add_argument("--weights", help="default: the NIH sample's, or random ones")
    parser.add_argument("--precision", default="fp32,bf16")
    parser.add_argument("--engines", default="torch,onnxruntime,openvino")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--isa", choices=ISA, help="cap every engine at this level")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.8, help="of a turn")
    parser.add_argument("--pictures", type=int, default=2, help="ten crops each are one pass")
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS",
                        help="before each turn, for a quiet moment")
    parser.add_argument("--compile", action="store_true", help="torch.compile as well")
    parser.add_argument("--no-record", action="store_true", help="print, write no file")
    return parser.parse_args()


def our_modes(arguments, precision):
    """What there is in this precision; the slow reference where there is nothing else."""
    text = subprocess.run([arguments.chexnet, "bench", "--help"], capture_output=True, text=True)
    known = re.search(r"\bauto\|([a-z0-9|]+)", text.stdout).group(1).split("|")
    if precision in known:
        return [precision]
    return ["reference"] if precision == "fp32" else []


def open_all(arguments, files):
    """Competitors that run here, and {name: why} of those that do not."""
    found, lost = [], {}
    engines = arguments.engines.split(",")
    for precision in arguments.precision.split(","):
        for mode in our_modes(arguments, precision):
            found.append(Ours(arguments.chexnet, mode, precision, files, arguments.pictures,
                              arguments.threads, arguments.isa))
        for form in forms_of(precision, arguments.threads, engines, arguments.compile):
            try:
                found.append(Peer(form, files, arguments.threads, arguments.isa))
            except Lost as why:
                lost[form.name] = str(why)
                print(f"skipped: {form.name}: {why}", flush=True)
    return found, lost


def take_turn(competitor, what, arguments):
    if arguments.wait:
        machine.wait_for_quiet(arguments.wait)
    before, at = machine.busy_seconds(), time.perf_counter()
    turn = competitor.measure(what, arguments.seconds)
    wall = time.perf_counter() - at
    used = (machine.busy_seconds() - before) / wall
    turn["others"] = max(0.0, used - turn["cpu_per_wall"])
    time.sleep(0.05)  # threads that spin after their work give up
    return turn


def run_rounds(competitors, arguments):
    """{name: {what: [turn]}}, all in turn, the order of a round reversed in the next."""
    turns = {c.name: {what: [] for what in WHAT if c.does(what)} for c in competitors}
    for number in range(arguments.rounds):
        order = competitors if number % 2 == 0 else competitors[::-1]
        for what in WHAT:
            for c in order:
                if c.does(what):
                    turns[c.name][what].append(take_turn(c, what, arguments))
        print(f"round {number + 1} of {arguments.rounds}", flush=True)
    return turns


def main():
    arguments = parse()
    machine.pin(arguments.threads)
    files = prepared.prepare(arguments, arguments.pictures)
    about = {**machine.describe(arguments.chexnet), "threads": arguments.threads,
             "isa": arguments.isa or "all", "crops": 10 * arguments.pictures,
             "rounds": arguments.rounds, "seconds": arguments.seconds,
             "weights": os.path.basename(files["weights"]),
             "pictures": "NIH sample" if "nih-sample" in files["pictures"][0] else "phantoms"}
    competitors, lost = open_all(arguments, files)
    try:
        turns = run_rounds(competitors, arguments)
    finally:
        for c in competitors:
            c.close()
    record = report.record_of(about, competitors, turns, lost)
    print(report.text_of(record))
    if not arguments.no_record:
        report.write(record, report.text_of(record), "crops")


if __name__ == "__main__":
    main()
