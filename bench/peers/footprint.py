# SPDX-License-Identifier: Apache-2.0
"""How much memory one picture takes, how soon its answer is there, and how large the program is;
beside it OpenVINO doing the same with Pillow and numpy."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import files as prepared
import machine
import report
from forms import FLOATS, PRECISIONS

HERE = Path(__file__).resolve().parent
MIB = 2**20
MEMORY_LIMIT = {"fp32": 120 * MIB, "bf16": 80 * MIB, "int8": 48 * MIB}
INT8_FILE_LIMIT = 8e6  # bytes
SIZE_LIMIT = 1.5 * MIB
FIRST_ANSWER_LIMIT = {"plain": 0.30, "optimized": 0.15}  # seconds


def parse():
    parser = argparse.ArgumentParser(prog="run.sh --footprint", description=__doc__)
    parser.add_argument("--build", default="build/release", help="folder with this project's")
    parser.add_argument("--weights", help="default: the NIH sample's, or random ones")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=11, help="of each program, for the time")
    parser.add_argument("--no-record", action="store_true", help="print, write no file")
    return parser.parse_args()


def run_json(command):
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return json.loads(done.stdout)


class Ours:
    def __init__(self, files, threads):
        self.chexnet, self.files, self.threads = files["chexnet"], files, threads

    def predict(self, model, mode, crops):
        return [self.chexnet, "predict", model, self.files["pictures"][0], "--crops", crops,
                "--mode", mode, "--threads", str(self.threads), "--json"]

    def optimized(self, precision):
        """A model made by `chexnet optimize`, or None where that command does not exist."""
        text = subprocess.run([self.chexnet, "--help"], capture_output=True, text=True).stdout
        if "\n  optimize " not in text:
            return None
        path = Path(self.files["folder"]) / f"optimized-{precision}.safetensors"
        path.unlink(missing_ok=True)
        subprocess.run([self.chexnet, "optimize", self.files["weights"], "--precision", precision,
                        "--out", path], check=True, capture_output=True)
        return path


def openvino_command(files, precision, threads, crops):
    model = files["int8_ir" if precision == "int8" else "ir"]
    return [sys.executable, HERE / "one_picture.py", model, files["pictures"][0], precision,
            str(threads), crops]


def write_ir(files):
    """What OpenVINO reads fastest: its own form, mapped into memory."""
    files["ir"] = str(Path(files["folder"]) / "model.xml")
    code = ("import sys, openvino\nmodel = openvino.Core().read_model(sys.argv[1])\n"
            "openvino.save_model(model, sys.argv[2], compress_to_fp16=False)")
    subprocess.run([sys.executable, "-c", code, files["onnx"], files["ir"]], check=True,
                   capture_output=True)


def seconds_of(command, runs):
    """From the start of the process to its end, the files in the page cache: (minimum, median)."""
    taken = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        taken.append(time.perf_counter() - started)
    return min(taken[1:]), statistics.median(taken[1:])


def row(what, ours, limit, theirs=None, skipped=None):
    return {"what": what, "ours": ours, "limit": limit, "openvino": theirs, "skipped": skipped}


def memory_rows(ours, files, threads):
    for precision in PRECISIONS:
        what = f"{precision}: peak memory of a picture of ten crops, MiB"
        mine = run_json(ours.predict(files["ours"][precision], precision, "ten"))["peak_rss_bytes"]
        theirs = run_json(openvino_command(files, precision, threads, "ten"))
        same = theirs["computes"] in (precision, {"fp32": "f32"}.get(precision))
        yield row(what, mine / MIB, MEMORY_LIMIT[precision] / MIB,
                  theirs["peak_rss_bytes"] / MIB if same else None)


def first_answer_rows(ours, files, threads, runs):
    theirs, _ = seconds_of(openvino_command(files, "fp32", threads, "center"), runs)
    what = "start to answer, centre crop, s"
    mine, _ = seconds_of(ours.predict(files["weights"], "auto", "center"), runs)
    yield row(f"{Path(files['weights']).suffix}, mode auto: {what}", mine,
              FIRST_ANSWER_LIMIT["plain"], theirs)
    for precision in FLOATS:
        label, limit = f"optimized {precision}: {what}", FIRST_ANSWER_LIMIT["optimized"]
        model = ours.optimized(precision)
        if model:
            yield row(label, seconds_of(ours.predict(model, "auto", "center"), runs)[0], limit)
        else:
            yield row(label, None, limit, skipped="no command optimize")
    yield row(f"int8: {what}",
              seconds_of(ours.predict(files["ours"]["int8"], "int8", "center"), runs)[0], None)


def size_rows(files, build):
    theirs = Path(files["int8_ir"]).with_suffix(".bin").stat().st_size / 1e6
    yield row("int8: file of the model, MB", Path(files["ours"]["int8"]).stat().st_size / 1e6,
              INT8_FILE_LIMIT / 1e6, theirs)
    for path in (Path(build) / "chexnet", Path(build) / "src" / "libchexnet.so"):
        with tempfile.NamedTemporaryFile() as stripped:
            subprocess.run(["strip", "-o", stripped.name, path], check=True)
            yield row(f"{path.name}, stripped, MiB", os.path.getsize(stripped.name) / MIB,
                      SIZE_LIMIT / MIB)


def verdict(r):
    if r["skipped"]:
        return f"skipped: {r['skipped']}"
    if r["limit"] is None:
        return "reported"
    return "yes" if r["ours"] <= r["limit"] else "MISSED"


EXPLAINED = ("One 1024x1024 PNG, a process of its own each time, files in the page cache; times "
             "are minima. OpenVINO reads its own form of the model and is helped by Pillow and "
             "numpy alone; a dash where it does not compute in that precision here.")


def text_of(record):
    shown = lambda value: report.figure(value, ".3g")
    lines = [[r["what"], shown(r["ours"]), shown(r["limit"]), verdict(r), shown(r["openvino"])]
             for r in record["rows"]]
    return "\n\n".join([
        *report.about_parts("Footprint", record["about"], EXPLAINED),
        report.table(["what", "chexnet", "limit", "met", "OpenVINO"], lines)]) + "\n"


def main():
    arguments = parse()
    machine.pin(arguments.threads)
    files = prepared.prepare(arguments, 1, PRECISIONS)
    write_ir(files)
    ours = Ours(files, arguments.threads)
    about = {**machine.describe(arguments.build), "threads": arguments.threads,
             "runs": arguments.runs}
    rows = [*memory_rows(ours, files, arguments.threads),
            *first_answer_rows(ours, files, arguments.threads, arguments.runs),
            *size_rows(files, arguments.build)]
    record = {"about": about, "rows": rows}
    print(text_of(record))
    if not arguments.no_record:
        report.write(record, text_of(record), "footprint")


if __name__ == "__main__":
    main()
