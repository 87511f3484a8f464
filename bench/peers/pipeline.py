# SPDX-License-Identifier: Apache-2.0
"""From PNG files to probabilities: Python with OpenVINO as the reference does it (Pillow, Resize,
TenCrop, ToTensor, Normalize, infer, mean) beside `chexnet infer`, in turn, both warm. The time is
that of the whole list, from the first file to the last probability; opening models is not in it."""
import argparse
import csv
import json
import os
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import numpy

import files as prepared
import machine
import model
import report
from compare import our_modes
from engines import OpenVino
from forms import ISA, Form, isa_environment

TEN = 10


class InTurn:
    """One image after the other, all threads for each."""
    words, split = "in turn", False

    def __init__(self, precision, files, threads):
        import torch
        torch.set_num_threads(threads)
        self.form = Form("openvino", precision, TEN, threads if self.split else 1)
        self.name = f"{self.form.name}, {self.words}"
        self.engine = OpenVino(self.form, SimpleNamespace(**files), threads)
        self.pictures, self.prepare = files["pictures"], model.transform()

    def scores(self):
        return numpy.stack([self.engine(model.crops_of(path, self.prepare)).mean(axis=0)
                            for path in self.pictures])

    def measure(self):
        started = time.perf_counter()
        prob = self.scores()
        return prob, time.perf_counter() - started


class Overlapped(InTurn):
    """Pictures are prepared while those before are computed."""
    words = "overlapped"

    def scores(self):
        out = numpy.empty((len(self.pictures) * TEN, 14), numpy.float32)
        for i, path in enumerate(self.pictures):
            self.engine.queue.start_async([model.crops_of(path, self.prepare)], (out, i * TEN))
        self.engine.queue.wait_all()
        return out.reshape(-1, TEN, 14).mean(axis=1)


class OverlappedStreams(Overlapped):
    """The same, each image computed by one thread."""
    split = True


class Ours:
    def __init__(self, command, mode, files, threads, level):
        self.name = f"chexnet infer --mode {mode}"
        self.folder = Path(files["onnx"]).parent
        pictures = [Path(path) for path in files["pictures"]]
        names = self.folder / "names.txt"
        names.write_text("".join(f"{path.name}\n" for path in pictures))
        self.csv = self.folder / "ours.csv"
        self.command = [command, "infer", files["weights"], "--images", pictures[0].parent,
                        "--list", names, "--mode", mode, "--threads", str(threads), "--json",
                        "--out", self.csv] + (["--cpu", level] if level else [])

    def measure(self):
        done = subprocess.run(self.command, check=True, capture_output=True, text=True)
        with open(self.csv) as file:
            rows = list(csv.reader(file))[1:]
        prob = numpy.array([[float(p) for p in row[1:]] for row in rows])
        return prob, json.loads(done.stdout)["seconds"]


def parse():
    parser = argparse.ArgumentParser(prog="run.sh --pipeline", description=__doc__)
    parser.add_argument("--chexnet", default="build/release/chexnet")
    parser.add_argument("--weights", help="default: the NIH sample's, or random ones")
    parser.add_argument("--precision", default="fp32,bf16")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--isa", choices=ISA, help="cap both at this level")
    parser.add_argument("--images", type=int, default=48, help="of the list, at most")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS",
                        help="before each turn, for a quiet moment")
    parser.add_argument("--no-record", action="store_true", help="print, write no file")
    return parser.parse_args()


def open_all(arguments, files, precision):
    modes = our_modes(arguments, precision)
    ours = [Ours(arguments.chexnet, mode, files, arguments.threads, arguments.isa)
            for mode in modes]
    peers = [kind(precision, files, arguments.threads)
             for kind in (InTurn, Overlapped, OverlappedStreams)]
    return ours + peers


def run_rounds(competitors, rounds, wait):
    """{name: [seconds]}, {name: probabilities}; the round before the first is not counted."""
    seconds, prob = {c.name: [] for c in competitors}, {}
    for number in range(rounds + 1):
        for c in competitors if number % 2 == 0 else competitors[::-1]:
            if wait:
                machine.wait_for_quiet(wait)
            prob[c.name], taken = c.measure()
            if number > 0:
                seconds[c.name].append(taken)
    return seconds, prob


def rows_of(competitors, seconds, prob, images):
    """First of competitors: ours, where there is one in this precision."""
    base = competitors[0].name
    ours = base if base.startswith("chexnet") else None
    rows = []
    for c in competitors:
        ms = [s * 1e3 / images for s in seconds[c.name]]
        low, middle = min(ms), float(numpy.median(ms))
        rows.append({"name": c.name, "min_ms": low, "median_ms": middle,
                     "ratio_min": low / rows[0]["min_ms"] if ours and rows else None,
                     "ratio_median": middle / rows[0]["median_ms"] if ours and rows else None,
                     "largest_difference_from_ours":
                         report.difference(prob[c.name], prob.get(ours))})
    return rows


def text_of(record):
    shown = lambda value, how: "-" if value is None else format(value, how)
    lines = [[r["name"], f"{r['min_ms']:.1f}", f"{r['median_ms']:.1f}",
              shown(r["ratio_min"], ".2f"), shown(r["ratio_median"], ".2f"),
              shown(r["largest_difference_from_ours"], ".1e")]
             for r in record["rows"]]
    head = ["ms an image", "min", "median", "ratio min", "median", "difference"]
    return "\n".join([f"# From PNG files, {record['about']['cpu']}, {record['about']['date']}", ""]
                     + [f"- {key}: {value}" for key, value in record["about"].items()]
                     + ["", report.table(head, lines), ""])


def main():
    arguments = parse()
    os.environ.update(isa_environment(arguments.isa))
    machine.pin(arguments.threads)
    files = prepared.prepare(arguments, 1)
    files["pictures"] = files["pictures"][:arguments.images]
    about = {**machine.describe(arguments.chexnet), "threads": arguments.threads,
             "isa": arguments.isa or "all", "images": len(files["pictures"]),
             "rounds": arguments.rounds}
    rows = []
    for precision in arguments.precision.split(","):
        competitors = open_all(arguments, files, precision)
        found = run_rounds(competitors, arguments.rounds, arguments.wait)
        rows += rows_of(competitors, *found, len(files["pictures"]))
    record = {"about": about, "rows": rows}
    print(text_of(record))
    if not arguments.no_record:
        report.write(record, text_of(record), "pipeline")


if __name__ == "__main__":
    main()
