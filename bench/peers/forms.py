# SPDX-License-Identifier: Apache-2.0
"""The settings that each peer is tried with. The fastest of a precision is what counts."""
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Form:
    engine: str      # torch, onnxruntime, openvino
    precision: str   # fp32, bf16
    batch: int       # crops a call
    streams: int = 1  # calls at once; the threads are divided among them
    layout: str = "default"
    compiled: bool = False

    @property
    def name(self):
        parts = [self.engine, self.precision]
        parts += [self.layout] if self.layout != "default" else []
        parts += ["compiled"] if self.compiled else []
        streams = f" {self.streams} streams" if self.streams > 1 else ""
        return " ".join(parts) + f" batch {self.batch}{streams}"

    @property
    def does_single(self):
        """OpenVINO's models have a fixed batch; the others take one crop in any form."""
        return self.streams == 1 and (self.batch == 1 or self.engine != "openvino")

    def as_dict(self):
        return asdict(self)


def torch_forms(precision, with_compile):
    if precision == "fp32":
        yield Form("torch", "fp32", 10)
    yield Form("torch", precision, 10, layout="channels-last")
    if with_compile:
        yield Form("torch", precision, 10, layout="channels-last", compiled=True)


def openvino_forms(precision, threads):
    for streams in sorted({1, threads}):
        for batch in (1, 10):
            yield Form("openvino", precision, batch, streams)


def forms_of(precision, threads, engines, with_compile=False):
    """All forms of one precision, for the engines named."""
    found = []
    if "torch" in engines:
        found += torch_forms(precision, with_compile)
    if "onnxruntime" in engines and precision == "fp32":
        found += [Form("onnxruntime", "fp32", batch) for batch in (1, 10)]
    if "openvino" in engines:
        found += openvino_forms(precision, threads)
    return found


# Our level: (what caps oneDNN, in PyTorch and OpenVINO, what caps PyTorch's own kernels).
ISA = {
    "avx2": ("AVX2", "avx2"),
    "avxvnni": ("AVX2_VNNI", "avx2"),
    "avx512": ("AVX512_CORE", "avx512"),
    "vnni": ("AVX512_CORE_BF16", "avx512"),
    "amx": ("AVX512_CORE_AMX", "avx512"),
}

# What the name of a kernel may not hold under a cap. Not "bf16": below AVX512_CORE_BF16 that is
# arithmetic in float32 on 16-bit numbers.
TOO_HIGH = {"avx2": ("avx512", "amx"), "avxvnni": ("avx512", "amx"), "avx512": ("vnni", "amx"),
            "vnni": ("amx",)}


def broken_cap(level, settings):
    """The kernel above the level that a peer uses all the same, or None."""
    names = [*settings.get("kernels", {}), settings.get("capability", "")]
    return next((name for name in names for word in TOO_HIGH.get(level, ())
                 if word in name.lower()), None)


def isa_environment(level):
    """Variables that cap a peer at our level; empty without one."""
    if not level:
        return {}
    onednn, aten = ISA[level]
    return {"ONEDNN_MAX_CPU_ISA": onednn, "DNNL_MAX_CPU_ISA": onednn,
            "ATEN_CPU_CAPABILITY": aten, "MKL_ENABLE_INSTRUCTIONS": aten.upper()}
