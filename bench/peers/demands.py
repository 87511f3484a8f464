# SPDX-License-Identifier: Apache-2.0
"""What this project promises against its peers: ratios, each of a floor and mostly a goal."""
from dataclasses import dataclass

from forms import BASELINE

AVX2, AVX512, AMX = ("avx2", "avxvnni"), ("avx512", "vnni"), ("amx",)
SPELLED = {"avx2": "AVX2", "avx512": "AVX-512", "amx": "AMX"}
LARGEST_DIFFERENCE = {"fp32": 1e-4, "bf16": 3e-2}  # of a probability; beyond it a form is wrong


@dataclass(frozen=True)
class Demand:
    what: str          # of a row: "many", "single", or "image" of the pipeline
    precision: str     # ours
    rivals: tuple      # ((engine, precision), ...) of which the fastest form counts, or (its name,)
    levels: tuple      # where it holds
    floor: float
    goal: float | None = None

    @property
    def text(self):
        against = " or ".join(" ".join(r) if isinstance(r, tuple) else r for r in self.rivals)
        return f"{self.precision} {self.what} : {against}"

    def admits(self, row):
        return any(r in (row["name"], (row["engine"], row["precision"])) for r in self.rivals)


OPENVINO_FP32, OPENVINO_BF16 = ("openvino", "fp32"), ("openvino", "bf16")

CROPS = (
    Demand("many", "bf16", (OPENVINO_BF16,), AMX, 1.8, 3.0),
    Demand("single", "bf16", (OPENVINO_BF16,), AMX, 1.8, 3.0),
    Demand("many", "fp32", (OPENVINO_FP32,), AMX, 1.1, 1.4),
    Demand("many", "fp32", (OPENVINO_FP32,), AVX512, 1.1, 1.3),
    Demand("many", "fp32", (OPENVINO_FP32,), AVX2, 1.05, 1.2),
    Demand("many", "bf16", (OPENVINO_FP32, OPENVINO_BF16), AVX512 + AVX2, 1.1),
    Demand("many", "fp32", (BASELINE.name,), AMX + AVX512 + AVX2, 1.7),
    Demand("many", "bf16", (BASELINE.name,), AMX, 12.0),
)

PIPELINE = (
    Demand("image", "bf16", (OPENVINO_BF16,), AMX, 2.7, 4.0),
    Demand("image", "fp32", (OPENVINO_FP32,), AMX + AVX512 + AVX2, 1.25, 1.6),
)


def is_right(row):
    """Whether its probabilities are PyTorch's, as nearly as the precision allows."""
    return row["largest_difference_from_pytorch"] <= LARGEST_DIFFERENCE[row["precision"]]


def fastest(rows, what):
    return min((row for row in rows if row[what] and is_right(row)),
               key=lambda row: row[what]["min_ms"], default=None)


def verdict(ratio, demand):
    if ratio < demand.floor:
        return "MISSED"
    return "goal" if demand.goal and ratio >= demand.goal else "floor"


def held_against(demand, section):
    """One finding, or None where the section has not both sides."""
    ours = fastest([r for r in section["rows"] if r["engine"] == "chexnet"
                    and r["precision"] == demand.precision], demand.what)
    rival = fastest([r for r in section["rows"] if demand.admits(r)], demand.what)
    if not ours or not rival:
        return None
    ratio, middle = (rival[demand.what][key] / ours[demand.what][key]
                     for key in ("min_ms", "median_ms"))
    return {"demand": demand.text, "level": section["level"], "rival": rival["name"],
            "ratio": ratio, "ratio_median": middle, "floor": demand.floor, "goal": demand.goal,
            "verdict": verdict(ratio, demand)}


def check(demands, sections):
    """A finding for each demand at each level it was measured at; those without one are skipped."""
    findings = []
    for demand in demands:
        met = [held_against(demand, s) for s in sections if s["level"] in demand.levels]
        met = [finding for finding in met if finding]
        ran = any(s["level"] in demand.levels for s in sections)
        why = "not measured" if ran else "no " + SPELLED[demand.levels[0]]
        findings += met or [{"demand": demand.text, "level": "-", "rival": "-", "ratio": None,
                             "ratio_median": None, "floor": demand.floor, "goal": demand.goal,
                             "verdict": f"skipped: {why}"}]
    return findings


def count(findings):
    """A line that says how many were met, missed and skipped."""
    kinds = [f["verdict"].partition(":")[0] for f in findings]
    met = kinds.count("goal") + kinds.count("floor")
    return (f"Demands: {met} met, {kinds.count('goal')} of them with their goal; "
            f"{kinds.count('MISSED')} missed; {kinds.count('skipped')} skipped.")
