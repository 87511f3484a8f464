# SPDX-License-Identifier: Apache-2.0
"""Whole steps of training, this project beside PyTorch: same weights, crops, labels, threads and
precision, in turn (A B A B) within a batch and a precision. Then what ranks cost."""
import argparse
import os

import demands
import files as prepared
import levels
import machine
import ranks
import report
from compare import hopeful, open_forms, take_turn
from competitors import Competitor
from forms import FLOATS, Form, training_forms

BATCHES = (8, 40)


class Trainer(Competitor):
    worker = "train_worker.py"


def parse():
    parser = argparse.ArgumentParser(prog="run.sh --training", description=__doc__)
    parser.add_argument("--build", default="build/release", help="folder with this project's")
    parser.add_argument("--weights", help="default: the NIH sample's, or random ones")
    parser.add_argument("--precision", default=",".join(FLOATS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--isa", choices=levels.LEVELS, help="cap all at this level")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a turn, at least one step")
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS",
                        help="before each turn, for a quiet moment")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--no-record", action="store_true", help="print, write no file")
    return parser.parse_args()


def run_rounds(competitors, arguments):
    """{name: [turn]}, all in turn, the order of a round reversed in the next. Before the first
    round everyone has one turn of one step, which decides who takes part."""
    turns = {c.name: [take_turn(c, "step", 0, arguments.wait)] for c in competitors}
    taking_part = hopeful(competitors, {name: found[0]["min"] for name, found in turns.items()})
    for number in range(arguments.rounds):
        for c in taking_part if number % 2 == 0 else taking_part[::-1]:
            turns[c.name].append(take_turn(c, "step", arguments.seconds, arguments.wait))
        print(f"round {number + 1} of {arguments.rounds}", flush=True)
    return turns


def rows_of(competitors, turns, what, expected):
    """expected: PyTorch's losses in float32 before the first steps."""
    return [{
        "name": c.name, "engine": c.form.engine, "precision": c.precision, "settings": c.settings,
        what: report.summary(turns[c.name]), "losses": c.first.tolist(),
        "peak_rss_bytes": max(turn["peak_rss_bytes"] for turn in turns[c.name]),
        "largest_difference_of_loss": report.difference(c.first, expected),
    } for c in competitors]


def run_batch(batch, level, capped, arguments, files):
    """The section of the record for one batch: {"what", "level", "capped", "rows", "skipped"}. A
    precision at a time, so that the processes of few forms hold memory at once."""
    what = f"batch {batch}"
    baseline = Trainer(Form("torch", "fp32", batch), files, arguments.threads, level, capped)
    baseline.close()
    rows, skipped = [], {}
    for precision in arguments.precision.split(","):
        print(f"{what} {precision}, level {level}" + ", all engines capped" * capped, flush=True)
        forms = training_forms(precision, batch, not arguments.no_compile)
        competitors, lost = open_forms(forms, files, arguments.threads, level, capped, Trainer)
        try:
            turns = run_rounds(competitors, arguments)
        finally:
            for c in competitors:
                c.close()
        rows += rows_of(competitors, turns, what, baseline.first)
        skipped |= lost
    return {"what": what, "level": level, "capped": capped, "rows": rows, "skipped": skipped}


def main():
    arguments = parse()
    machine.pin(arguments.threads)
    files = prepared.prepare_training(arguments, max(BATCHES))
    [(level, capped)] = levels.to_run(files["chexnet"], arguments.isa)[:1]
    files["level"] = level
    about = {**machine.describe(arguments.build), "threads": arguments.threads,
             "rounds": arguments.rounds, "seconds": arguments.seconds,
             "weights": os.path.basename(files["weights"])}
    sections = [run_batch(batch, level, capped, arguments, files) for batch in BATCHES]
    of_ranks = {"level": level, **ranks.measure(files, arguments)}
    record = {"about": about, "batches": sections, "ranks": of_ranks,
              "demands": demands.check(demands.TRAINING, [*sections, of_ranks]),
              "limits": demands.check_limits(demands.TRAINING_LIMITS, sections)}
    text = report.text_of_training(record)
    print(text)
    if not arguments.no_record:
        report.write(record, text, "training", arguments.isa)


if __name__ == "__main__":
    main()
