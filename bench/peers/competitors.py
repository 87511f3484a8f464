# SPDX-License-Identifier: Apache-2.0
"""Engines that take turns, each form in a process of its own."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy

import levels

HERE = Path(__file__).resolve().parent


class Lost(Exception):
    """A form that its engine cannot run here; the text says why."""


class Competitor:
    worker = "worker.py"

    def __init__(self, form, files, threads, level, capped):
        if capped and form.engine == "onnxruntime":
            raise Lost("its instruction set cannot be capped")
        self.form, self.name, self.precision = form, form.name, form.precision
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, HERE / self.worker, json.dumps(files), json.dumps(form.as_dict()),
             str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            text=True, env={**os.environ, **(levels.environment(level) if capped else {})})
        hello = self.answer()
        self.settings = hello["settings"]
        above = levels.broken_cap(level, self.settings) if capped else None
        if above:
            self.close()
            raise Lost(f"does not keep to {level}: {above}")
        self.first = numpy.array(hello["first"], numpy.float32)  # that it computed

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
