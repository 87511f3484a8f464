# SPDX-License-Identifier: Apache-2.0
"""Instruction levels: what this CPU has, and how every engine is kept below it."""
import json
import subprocess

# Ours, lowest first: (what caps oneDNN, in PyTorch and OpenVINO, what caps PyTorch's own kernels).
CAPS = {
    "c": ("SSE41", "default"),
    "avx2": ("AVX2", "avx2"),
    "avxvnni": ("AVX2_VNNI", "avx2"),
    "avx512": ("AVX512_CORE", "avx512"),
    "vnni": ("AVX512_CORE_BF16", "avx512"),
    "amx": ("AVX512_CORE_AMX", "avx512"),
}
LEVELS = tuple(CAPS)
COMPARED = ("amx", "vnni", "avx512", "avxvnni", "avx2")  # that somebody has

# What the name of a kernel may not hold under a cap. Not "bf16": below AVX512_CORE_BF16 that is
# arithmetic in float32 on 16-bit numbers.
TOO_HIGH = {"c": ("avx2", "avx512", "amx"), "avx2": ("avx512", "amx"), "avxvnni": ("avx512", "amx"),
            "avx512": ("vnni", "amx"), "vnni": ("amx",)}


def native(chexnet):
    """The highest level that this CPU has."""
    done = subprocess.run([chexnet, "cpu", "--json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["level"]


def is_usable(chexnet, level):
    return subprocess.run([chexnet, "cpu", "--cpu", level], capture_output=True).returncode == 0


def to_run(chexnet, asked):
    """[(level, capped)]: the machine's own, then the lower ones of COMPARED; or the one asked."""
    own = native(chexnet)
    below = [l for l in COMPARED
             if LEVELS.index(l) < LEVELS.index(own) and is_usable(chexnet, l)]
    if not asked:
        return [(own, False)] + [(level, True) for level in below]
    if not is_usable(chexnet, asked):
        raise SystemExit(f"no {asked} here: the highest level is {own}")
    return [(asked, asked != own)]


def has(level, precision):
    """Whether a comparison at the level says more than one at a lower level."""
    return level != "avxvnni" or precision == "int8"


def environment(level):
    """Variables that cap an engine at the level."""
    onednn, aten = CAPS[level]
    return {"CHEXNET_CPU": level, "ONEDNN_MAX_CPU_ISA": onednn, "DNNL_MAX_CPU_ISA": onednn,
            "ATEN_CPU_CAPABILITY": aten, "MKL_ENABLE_INSTRUCTIONS": aten.upper()}


def broken_cap(level, settings):
    """The kernel above the level that an engine uses all the same, or None."""
    names = [*settings.get("kernels", {}), settings.get("capability", "")]
    return next((name for name in names for word in TOO_HIGH.get(level, ())
                 if word in name.lower()), None)
