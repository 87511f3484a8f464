# SPDX-License-Identifier: Apache-2.0
"""Who takes turns: peers in processes of their own, and this project's command."""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy

from forms import broken_cap, isa_environment

HERE = Path(__file__).resolve().parent
TEN = 10


class Lost(Exception):
    """A form that its engine cannot run here; the text says why."""


class Peer:
    def __init__(self, form, files, threads, level):
        if level and form.engine == "onnxruntime":
            raise Lost("its instruction set cannot be capped")
        self.form, self.name, self.precision = form, form.name, form.precision
        self.errors = open(files["onnx"] + ".err", "w+")
        self.process = subprocess.Popen(
            [sys.executable, HERE / "worker.py", json.dumps(files), json.dumps(form.as_dict()),
             str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            text=True, env={**os.environ, **isa_environment(level)})
        hello = self.answer()
        self.settings = hello["settings"]
        above = broken_cap(level, self.settings)
        if above:
            self.close()
            raise Lost(f"does not keep to {level}: {above}")
        prob = numpy.array(hello["prob"], numpy.float32)
        self.prob = prob.reshape(-1, TEN, prob.shape[1]).mean(axis=1)

    def answer(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.errors.seek(0)
        why = [text.strip() for text in self.errors if text.strip()]
        raise Lost(why[-1][:160] if why else "ended without a word")

    def does(self, what):
        return what == "many" or self.form.does_single

    def measure(self, what, seconds):
        self.process.stdin.write(f"{what} {seconds}\n")
        self.process.stdin.flush()
        found = self.answer()
        ms = found.pop("ms")
        return {**found, "min": min(ms), "median": float(numpy.median(ms)), "passes": len(ms)}

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.errors.close()


class Ours:
    def __init__(self, command, mode, precision, files, pictures, threads, level):
        self.name, self.precision = f"chexnet {mode}", precision
        self.model, self.pictures = files["weights"], files["pictures"][:pictures]
        self.base, self.mode = command, mode
        self.common = ["--mode", mode, "--threads", str(threads)]
        self.common += ["--cpu", level] if level else []
        self.prob = self.predict()
        self.settings = {}

    def run(self, verb, *more):
        """The JSON object printed, seconds of CPU used and of wall time."""
        started = time.perf_counter()
        process = subprocess.Popen([self.base, verb, self.model, *self.pictures, *self.common,
                                    "--json", *more], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        if status != 0:
            raise Lost(f"{self.base} {verb} ended with status {status}")
        return json.loads(text), usage.ru_utime + usage.ru_stime, time.perf_counter() - started

    def predict(self):
        found, _, _ = self.run("predict", "--crops", "ten")
        return numpy.array([list(p["findings"].values()) for p in found["predictions"]])

    def does(self, what):
        return True

    def measure(self, what, seconds):
        batch = len(self.pictures) * TEN if what == "many" else 1
        found, cpu, wall = self.run("bench", "--batch", str(batch), "--seconds", str(seconds))
        self.settings = {key: found[key] for key in ("mode", "level", "threads", "cpu")}
        return {"min": found["ms_per_crop_min"], "median": found["ms_per_crop_median"],
                "passes": found["runs"], "cpu_per_wall": cpu / wall,
                "busy_threads": found["threads"], "peak_rss_bytes": found["peak_rss_bytes"]}

    def close(self):
        pass
