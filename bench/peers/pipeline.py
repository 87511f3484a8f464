# SPDX-License-Identifier: Apache-2.0
"""From PNG files to probabilities: Python with OpenVINO (Pillow, Resize, TenCrop, ToTensor,
Normalize, infer, mean) beside `chexnet infer`, in turn, both warm. The time is that of the whole
list, from the first file to the last probability; starting and opening models is not in it."""
import argparse
import csv
import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy

import demands
import files as prepared
import levels
import machine
import model
import report
from demands import IN_TURN, OVERLAPPED
from engines import TEN, OpenVino
from forms import PRECISIONS, Form


class InTurn:
    """One image after the other, all threads for each: the reference's own form."""
    engine_name, words, split, batch = IN_TURN, "in turn", False, TEN

    def __init__(self, precision, files, threads):
        import torch
        self.torch, self.precision, self.threads = torch, precision, threads
        self.form = Form("openvino", precision, self.batch, threads if self.split else 1)
        self.name = f"openvino {precision}, {self.words}"
        self.engine = OpenVino(self.form, SimpleNamespace(**files), threads)
        self.pictures, self.prepare = files["pictures"], model.transform()
        self.settings = self.engine.settings()

    def scores(self, pictures):
        return numpy.stack([self.engine.scores(model.crops_of(path, self.prepare)).mean(axis=0)
                            for path in pictures])

    def warm_up(self):
        self.scores(self.pictures[:2 * self.threads])

    def measure(self):
        alone = self.split and self.engine_name == OVERLAPPED  # beside those that compute
        self.torch.set_num_threads(1 if alone else self.threads)
        started = time.perf_counter()
        prob = self.scores(self.pictures)
        return prob, time.perf_counter() - started


class InTurnHalves(InTurn):
    """The same, its ten crops computed as two batches, each by one thread."""
    words, split, batch = "in turn, a batch of 5 a stream", True, TEN // 2


class InTurnCrops(InTurn):
    """The same, crop after crop, each by one thread."""
    words, split, batch = "in turn, batch 1, a stream a thread", True, 1


class Overlapped(InTurn):
    """A picture is prepared while the one before is computed with all threads."""
    engine_name, words = OVERLAPPED, "overlapped"

    def scores(self, pictures):
        out = numpy.empty((len(pictures) * TEN, 14), numpy.float32)
        for i, path in enumerate(pictures):
            self.engine.start(model.crops_of(path, self.prepare), out, i * TEN)
        self.engine.queue.wait_all()
        return out.reshape(-1, TEN, 14).mean(axis=1)


class OverlappedStreams(Overlapped):
    """The same, each image computed by one thread."""
    words, split = "overlapped, a stream a thread", True


class ThreadAnImage(InTurn):
    """As many Python threads as CPUs; each prepares and computes an image at a time."""
    engine_name, words, split = OVERLAPPED, "a thread an image", True

    def __init__(self, precision, files, threads):
        super().__init__(precision, files, threads)
        self.requests = [self.engine.compiled.create_infer_request() for _ in range(threads)]
        self.pool = ThreadPoolExecutor(threads)

    def score(self, path):
        request = self.requests.pop()
        request.infer([model.crops_of(path, self.prepare)], share_inputs=True)
        prob = request.get_output_tensor(0).data.mean(axis=0)
        self.requests.append(request)
        return prob

    def scores(self, pictures):
        return numpy.stack(list(self.pool.map(self.score, pictures)))


PEERS = (InTurn, InTurnHalves, InTurnCrops, Overlapped, OverlappedStreams, ThreadAnImage)


class Ours:
    engine_name = "chexnet"

    def __init__(self, precision, files, threads):
        self.name, self.precision = f"chexnet infer --mode {precision}", precision
        folder = Path(files["folder"])
        pictures = [Path(path) for path in files["pictures"]]
        names, self.csv = folder / "names.txt", folder / "ours.csv"
        names.write_text("".join(f"{path.name}\n" for path in pictures))
        self.command = [files["chexnet"], "infer", files["ours"][precision], "--images",
                        pictures[0].parent, "--list", names, "--mode", precision, "--threads",
                        str(threads), "--json", "--out", self.csv]
        self.settings = {}

    def warm_up(self):
        """Nothing to do: each measurement is a process of its own, which opens the model first."""

    def measure(self):
        done = subprocess.run(self.command, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout)
        self.settings = {"mode": found["mode"], "peak_rss_bytes": found["peak_rss_bytes"]}
        with open(self.csv) as file:
            rows = list(csv.reader(file))[1:]
        return numpy.array([row[1:] for row in rows], numpy.float32), found["seconds"]


def parse():
    parser = argparse.ArgumentParser(prog="run.sh --pipeline", description=__doc__)
    parser.add_argument("--build", default="build/release", help="folder with this project's")
    parser.add_argument("--weights", help="default: the NIH sample's, or random ones")
    parser.add_argument("--precision", default=",".join(PRECISIONS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--isa", choices=levels.LEVELS, help="cap all at this level")
    parser.add_argument("--images", type=int, default=48, help="of the list, at most")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS",
                        help="before each turn, for a quiet moment")
    parser.add_argument("--no-record", action="store_true", help="print, write no file")
    return parser.parse_args()


def open_all(arguments, files):
    """Competitors, warmed up, and {name: why} of those that do not run here."""
    found, lost = [], {}
    for precision in arguments.precision.split(","):
        for kind in (Ours, *PEERS):
            try:
                found.append(kind(precision, files, arguments.threads))
                found[-1].warm_up()
            except RuntimeError as why:
                lost[f"{kind.engine_name} {precision}"] = str(why)
    for name, why in lost.items():
        print(f"skipped: {name}: {why}", flush=True)
    return found, lost


def run_rounds(competitors, rounds, wait):
    """{name: [seconds]}, {name: probabilities}; the order of a round is reversed in the next."""
    seconds, prob = {c.name: [] for c in competitors}, {}
    for number in range(rounds):
        for c in competitors if number % 2 == 0 else competitors[::-1]:
            if wait:
                machine.wait_for_quiet(wait)
            prob[c.name], taken = c.measure()
            seconds[c.name].append(taken)
        print(f"round {number + 1} of {rounds}", flush=True)
    return seconds, prob


def rows_of(competitors, seconds, prob, expected):
    """expected: PyTorch's probabilities, float32 [images][14]."""
    rows = []
    for c in competitors:
        ms = [s * 1e3 / len(expected) for s in seconds[c.name]]
        rows.append({
            "name": c.name, "engine": c.engine_name, "precision": c.precision,
            "settings": c.settings,
            "image": {"min_ms": min(ms), "median_ms": float(numpy.median(ms)), "passes": len(ms)},
            "largest_difference_from_pytorch": report.difference(prob[c.name], expected)})
    return rows


def main():
    arguments = parse()
    machine.pin(arguments.threads)
    files = prepared.prepare(arguments, arguments.images, arguments.precision.split(","))
    [(level, capped)] = levels.to_run(files["chexnet"], arguments.isa)[:1]
    if capped:
        os.environ.update(levels.environment(level))
    about = {**machine.describe(arguments.build), "threads": arguments.threads,
             "images": len(files["pictures"]), "rounds": arguments.rounds}
    competitors, lost = open_all(arguments, files)
    found = run_rounds(competitors, arguments.rounds, arguments.wait)
    rows = rows_of(competitors, *found, numpy.load(files["expected"]))
    sections = [{"level": level, "capped": capped, "rows": rows, "skipped": lost}]
    record = {"about": about, "levels": sections,
              "demands": demands.check(demands.PIPELINE, sections)}
    text = report.text_of_pipeline(record)
    print(text)
    if not arguments.no_record:
        report.write(record, text, "pipeline", arguments.isa)


if __name__ == "__main__":
    main()
