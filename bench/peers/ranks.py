# SPDX-License-Identifier: Apache-2.0
"""`chexnet train` on ranks of one thread beside one rank of as many threads: the same batch of 8 in
the same shards, which is the same job and gives the same bits. One shard of the whole batch, how
one rank is fastest, is another job with other batch statistics, and stands beside them."""
import json
import shutil
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

import machine
from demands import ONE_RANK

BATCH, STEPS = 8, 8
TURNS = 3  # for each round of the others: the slowest of several processes is who meets the noise
MPIRUN = ("mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none")


@dataclass(frozen=True)
class Job:
    precision: str
    ranks: int
    threads: int  # of a rank
    shards: int

    @property
    def name(self):
        return (f"chexnet {self.precision}, ranks {self.ranks}, threads of each {self.threads}, "
                f"shards {self.shards}")

    @property
    def engine(self):
        if self.ranks > 1:
            return "chexnet"
        return ONE_RANK if self.shards > 1 else "one shard"


def prepare(files):
    """A small set of phantoms, made once, and lists of it: {option: value} of `chexnet train`."""
    folder, count = Path(files["folder"]), BATCH * STEPS + BATCH
    pictures = folder / f"ranks-{count}"
    train, val = folder / "ranks-train.txt", folder / "ranks-val.txt"
    if not pictures.exists():
        subprocess.run([files["chexnet"], "phantom", "--out", pictures, "--images", str(count),
                        "--size", "256", "--seed", "1"], check=True, stdout=subprocess.DEVNULL)
    lines = [line for kind in ("train", "val", "test")
             for line in (pictures / f"{kind}_list.txt").read_text().splitlines()]
    train.write_text("".join(f"{line}\n" for line in lines[:BATCH * STEPS]))
    val.write_text("".join(f"{line}\n" for line in lines[BATCH * STEPS:]))
    return {"--images": pictures / "images", "--train": train, "--val": val,
            "--weights": files["weights"], "--cpu": files["level"], "--batch": BATCH,
            "--epochs": 1, "--crops": "center", "--shuffle": "off", "--optimizer": "sgd"}


def run(job, options, files):
    """The lines of its log that are of steps."""
    out = Path(files["folder"]) / "ranks-run"
    shutil.rmtree(out, ignore_errors=True)
    given = {**options, "--out": out, "--precision": job.precision, "--shards": job.shards,
             "--threads": job.threads}
    command = [files["chexnet"], "train", *(str(word) for pair in given.items() for word in pair)]
    start = [*MPIRUN, "-n", str(job.ranks)] if job.ranks > 1 else []
    subprocess.run([*start, *command], check=True, capture_output=True, text=True)
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if "lr" in line]


def row_of(job, rounds, expected):
    """The first step of each round is left out: it touches memory. expected: the losses of the same
    job on other ranks, or None."""
    ms = [[1e3 / step["images_per_second"] for step in steps[1:]] for steps in rounds]
    row = {"name": job.name, "engine": job.engine, "precision": job.precision,
           "ranks": {"min_ms": min(map(min, ms)), "passes": sum(map(len, ms)),
                     "median_ms": statistics.median(map(statistics.median, ms))}}
    if expected is None:
        return row
    difference = max(abs(a["loss"] - b["loss"]) for a, b in zip(rounds[0], expected))
    return {**row, "largest_difference_of_loss": difference}


def rows_of_precision(precision, files, arguments, options):
    count = arguments.threads
    same = Job(precision, 1, count, count)
    jobs = [Job(precision, count, 1, count), same, Job(precision, 1, count, 1)]
    rounds = {job: [] for job in jobs}
    for number in range(TURNS * arguments.rounds):
        for job in jobs if number % 2 == 0 else jobs[::-1]:
            if arguments.wait:
                machine.wait_for_quiet(arguments.wait)
            rounds[job].append(run(job, options, files))
    return [row_of(job, rounds[job], rounds[same][0] if job.ranks > 1 else None) for job in jobs]


def measure(files, arguments):
    """{"rows", "skipped"}"""
    why = ("one thread cannot be divided" if arguments.threads == 1 else
           None if shutil.which("mpirun") else "no mpirun")
    if why:
        return {"rows": [], "skipped": {"ranks": why}}
    options, rows, skipped = prepare(files), [], {}
    for precision in arguments.precision.split(","):
        print(f"ranks {precision}", flush=True)
        try:
            rows += rows_of_precision(precision, files, arguments, options)
        except subprocess.CalledProcessError as why:
            said = [line for line in why.stderr.splitlines() if line.startswith("chexnet: ")]
            skipped[f"ranks {precision}"] = said[0] if said else f"status {why.returncode}"
    return {"rows": rows, "skipped": skipped}
