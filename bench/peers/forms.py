# SPDX-License-Identifier: Apache-2.0
"""The settings that each engine is tried with. The fastest of a precision is what counts."""
from dataclasses import asdict, dataclass, replace

ENGINES = ("chexnet", "chexnet at avx2", "torch", "onnxruntime", "openvino")
FLOATS = ("fp32", "bf16")
PRECISIONS = (*FLOATS, "int8")


OURS = ENGINES[:2]


@dataclass(frozen=True)
class Form:
    engine: str       # of ENGINES
    precision: str    # of PRECISIONS
    batch: int = 10   # crops a call
    streams: int = 1  # calls at once; the threads are divided among them
    layout: str = "default"
    rest: str = "default"  # of INT8, what is not quantised is computed in
    compiled: bool = False

    @property
    def name(self):
        if self.engine in OURS:
            return f"{self.engine} {self.precision}"
        parts = [self.engine, self.precision]
        parts += [self.layout] if self.layout != "default" else []
        parts += [f"rest {self.rest}"] if self.rest != "default" else []
        parts += ["compiled"] if self.compiled else []
        streams = f" {self.streams} streams" if self.streams > 1 else ""
        return " ".join(parts) + f" batch {self.batch}{streams}"

    @property
    def does_single(self):
        """Models with a fixed batch do not take one crop; nor would a second stream help."""
        fixed = self.engine == "openvino" or self.compiled
        return self.streams == 1 and (self.batch == 1 or not fixed)

    def as_dict(self):
        return asdict(self)


# PyTorch's default settings, which is how the reference runs.
BASELINE = Form("torch", "fp32")


def training_forms(precision, batch, with_compile):
    """All forms of a training step, ours first."""
    yield Form("chexnet", precision, batch)
    yield Form("torch", precision, batch)
    yield Form("torch", precision, batch, layout="channels-last")
    if with_compile:
        yield Form("torch", precision, batch, layout="channels-last", compiled=True)


def torch_forms(precision, threads, with_compile):
    if precision == BASELINE.precision:
        yield BASELINE
    for streams in sorted({1, threads}):
        yield Form("torch", precision, layout="channels-last", streams=streams)
    if with_compile:
        yield Form("torch", precision, layout="channels-last", compiled=True)


def batched_forms(engine, precision, threads):
    for streams in sorted({1, threads}):
        for batch in (1, 10):
            yield Form(engine, precision, batch, streams)


def our_forms(precision, level):
    """Ours; at avxvnni also what INT8 gains from that level, for the rest of it is avx2's."""
    yield Form("chexnet", precision)
    if level == "avxvnni" and precision == "int8":
        yield Form("chexnet at avx2", precision)


def forms_of(precision, level, threads, engines, with_compile):
    """All forms of one precision: ours first, then those of the engines named."""
    found = list(our_forms(precision, level))
    if "torch" in engines and precision in FLOATS:
        found += torch_forms(precision, threads, with_compile)
    if "onnxruntime" in engines and precision == "fp32":
        found += batched_forms("onnxruntime", precision, threads)
    if "openvino" in engines:
        found += batched_forms("openvino", precision, threads)
    if "openvino" in engines and precision == "int8":
        found += [replace(form, rest="f32") for form in batched_forms("openvino", "int8", threads)]
    return found
