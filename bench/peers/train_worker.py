# SPDX-License-Identifier: Apache-2.0
"""Training steps of one engine in one form, in a process of its own that waits for its turn.

    train_worker.py FILES.json FORM.json THREADS

Spoken to as worker.py is; the measurement is "step SECONDS", and what is told first are the losses
before each of the first two steps, which the same weights, crops and labels make alike. A step is
the forward pass, the backward pass and SGD with momentum, on a batch that is there already: for
PyTorch as normalised floats, for this project as 8-bit crops. training.py asks.
"""
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy

import machine
from forms import Form
from model import MEAN, STD, load_model
from worker import measure, say

CLASSES = 14
LR, MOMENTUM = 1e-2, 0.9  # as train_bench.c has them


def labels(batch):
    """float32 [batch][14], a third of them 1; as train_bench.c has them."""
    view, label = numpy.indices((batch, CLASSES))
    return ((view + label) % 3 == 0).astype(numpy.float32)


class Chexnet:
    """This project: a program that makes a step and tells its loss for each line it is sent."""

    def __init__(self, form, files, threads):
        self.child = subprocess.Popen(
            [files.train_bench, form.precision, files.level, str(threads), str(form.batch),
             files.weights, files.train_crops],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.process, self.said = self.child.pid, self.answer().split()

    def answer(self):
        line = self.child.stdout.readline()
        if not line:
            sys.exit(self.child.wait())  # it has said why
        return line

    def step(self):
        self.child.stdin.write("\n")
        return float(self.answer())

    def settings(self):
        return dict(zip(self.said[::2], self.said[1::2]))


class Torch:
    process = "self"

    def __init__(self, form, files, threads):
        if form.compiled:
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = files.inductor
        import torch
        torch.set_num_threads(threads)
        self.torch, self.form = torch, form
        layout = (torch.channels_last if form.layout == "channels-last"
                  else torch.contiguous_format)
        grey = numpy.fromfile(files.train_crops, numpy.uint8, form.batch * 224 * 224)
        grey = torch.from_numpy(grey).reshape(-1, 1, 224, 224) / 255
        self.x = ((grey - torch.tensor(MEAN).reshape(3, 1, 1)) / torch.tensor(STD).reshape(3, 1, 1)
                  ).contiguous(memory_format=layout)
        self.labels = torch.from_numpy(labels(form.batch))
        self.model = load_model(files.weights).train().to(memory_format=layout)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LR, momentum=MOMENTUM)
        if form.compiled:
            self.model = torch.compile(self.model)

    def step(self):
        torch = self.torch
        self.optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.form.precision == "bf16"):
            logits = self.model(self.x)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), self.labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def settings(self):
        torch = self.torch
        return {"version": torch.__version__, "threads": torch.get_num_threads(),
                "capability": torch.backends.cpu.get_cpu_capability(), "layout": self.form.layout,
                "compiled": self.form.compiled, "autocast": self.form.precision == "bf16"}


def main():
    files, form = SimpleNamespace(**json.loads(sys.argv[1])), Form(**json.loads(sys.argv[2]))
    engine = {"chexnet": Chexnet, "torch": Torch}[form.engine](form, files, int(sys.argv[3]))
    losses = [engine.step(), engine.step()]  # and with them compiles, allocates, touches memory
    say({"settings": engine.settings(), "first": losses})
    for line in sys.stdin:
        seconds = float(line.split()[1])
        say({**measure(engine.step, form.batch, seconds, engine.process),
             "peak_rss_bytes": machine.peak_bytes(engine.process)})


if __name__ == "__main__":
    main()
