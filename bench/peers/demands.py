# SPDX-License-Identifier: Apache-2.0
"""What this project promises against its peers: ratios, each of a floor and mostly a goal."""
from collections.abc import Callable
from dataclasses import dataclass

from forms import BASELINE, PRECISIONS

AVX2, AVX512, AMX = ("avx2", "avxvnni"), ("avx512", "vnni"), ("amx",)
AVXVNNI, VNNI = ("avxvnni",), ("vnni",)
ANY = AMX + AVX512 + AVX2
SPELLED = {"avx2": "AVX2", "avxvnni": "AVX-VNNI", "avx512": "AVX-512", "vnni": "AVX-512 VNNI",
           "amx": "AMX"}
LARGEST_DIFFERENCE = {  # beyond it a form is wrong
    # of a probability; of INT8 the most that quantisation may change
    "largest_difference_from_pytorch": {"fp32": 1e-4, "bf16": 3e-2, "int8": 5e-2},
    "largest_difference_of_loss": {"fp32": 1e-3, "bf16": 2e-2},
}
OPENVINO_FP32, OPENVINO_BF16 = ("openvino", "fp32"), ("openvino", "bf16")
OPENVINO_INT8 = ("openvino", "int8")
IN_TURN, OVERLAPPED = "openvino in turn", "openvino overlapped"  # of the pipeline
# What NNCF's quantisation changes is reported, whatever it is.
NOT_JUDGED = tuple((engine, "int8") for engine in ("openvino", IN_TURN, OVERLAPPED))


@dataclass(frozen=True)
class Demand:
    what: str          # of a row: "many", "single", "image" of the pipeline, or of training
    precision: str     # ours
    rivals: tuple      # ((engine, precision), ...) of which the fastest form counts, or (its name,)
    levels: tuple      # where it holds
    floor: float | None = None  # without one the ratio is reported, beside those that count
    goal: float | None = None

    @property
    def text(self):
        against = " or ".join(" ".join(r) if isinstance(r, tuple) else r for r in self.rivals)
        return f"{self.precision} {self.what} : {against}"

    def admits(self, row):
        return any(r in (row["name"], (row["engine"], row["precision"])) for r in self.rivals)


CROPS = (
    Demand("many", "bf16", (OPENVINO_BF16,), AMX, 1.8, 3.0),
    Demand("single", "bf16", (OPENVINO_BF16,), AMX, 1.8, 3.0),
    Demand("many", "fp32", (OPENVINO_FP32,), AMX, 1.1, 1.4),
    Demand("many", "fp32", (OPENVINO_FP32,), AVX512, 1.1, 1.3),
    Demand("many", "fp32", (OPENVINO_FP32,), AVX2, 1.05, 1.2),
    Demand("many", "bf16", (OPENVINO_FP32, OPENVINO_BF16), AVX512 + AVX2, 1.1),
    Demand("many", "fp32", (BASELINE.name,), ANY, 1.7),
    Demand("many", "bf16", (BASELINE.name,), AMX, 12.0),
    Demand("many", "int8", (OPENVINO_INT8,), AMX, 2.0, 3.0),
    Demand("single", "int8", (OPENVINO_INT8,), AMX, 1.8, 3.0),
    Demand("many", "int8", (OPENVINO_INT8,), VNNI, 1.15, 1.4),
    Demand("many", "int8", (OPENVINO_INT8,), ("avx2",), 1.05, 1.2),
    Demand("many", "int8", (OPENVINO_INT8,), ("avx512", "avxvnni")),
    Demand("many", "int8", (BASELINE.name,), AMX, 18.0, 33.0),
    Demand("many", "int8", (("chexnet at avx2", "int8"),), AVXVNNI, 1.6),
    Demand("many", "int8", (("chexnet", "fp32"),), ("avx2",), 1.0),
    Demand("many", "int8", (("chexnet", "fp32"),), AMX + AVX512),
    Demand("many", "int8", (("chexnet", "bf16"),), ANY),
    Demand("single", "int8", (("chexnet", "bf16"),), ANY),
)

# Against the reference's form, one picture after the other: what decoding and the network take adds
# up. Beside it a form that does both at once, which the reference does not.
PIPELINE = (
    Demand("image", "bf16", ((IN_TURN, "bf16"),), AMX, 2.7, 4.0),
    Demand("image", "fp32", ((IN_TURN, "fp32"),), ANY, 1.25, 1.6),
    Demand("image", "int8", ((IN_TURN, "int8"),), AMX, 2.7, 4.5),
    *(Demand("image", precision, ((OVERLAPPED, precision),), ANY) for precision in PRECISIONS),
    Demand("image", "int8", (("chexnet", "bf16"),), ANY),
    Demand("image", "int8", (("chexnet", "fp32"),), ANY),
)


@dataclass(frozen=True)
class Limit:
    """What our fastest form may take, whatever the peers do."""
    text: str
    what: str          # as of a demand
    precision: str
    levels: tuple
    figure: Callable   # of that row
    most: float | None = None
    goal: float | None = None


TORCH_FP32, TORCH_BF16, ONE_RANK = ("torch", "fp32"), ("torch", "bf16"), "one rank"

TRAINING = (
    Demand("batch 8", "fp32", (TORCH_FP32,), ANY, 1.3, 2.0),
    Demand("batch 40", "fp32", (TORCH_FP32,), ANY, 1.3, 2.0),
    Demand("batch 8", "bf16", (TORCH_BF16,), AMX, 2.5, 5.0),
    Demand("batch 40", "bf16", (TORCH_BF16,), AMX, 2.5, 5.0),
    Demand("ranks", "fp32", ((ONE_RANK, "fp32"),), ANY, 0.95),
    Demand("ranks", "bf16", ((ONE_RANK, "bf16"),), AMX, 0.95),
)


def peak_gb(row):
    return row["peak_rss_bytes"] / 1e9


def ten_crops_ms(row):
    return 10 * row["batch 40"]["min_ms"]


TRAINING_LIMITS = (
    Limit("fp32 batch 40: peak memory, GB", "batch 40", "fp32", ANY, peak_gb, 1.2),
    Limit("bf16 batch 40: peak memory, GB", "batch 40", "bf16", ANY, peak_gb, 0.8),
    Limit("bf16 batch 40: an image of ten crops, ms", "batch 40", "bf16", AMX, ten_crops_ms,
          goal=70.0),
)


def is_right(row):
    """Whether its results are PyTorch's, as nearly as the precision allows."""
    if (row["engine"], row["precision"]) in NOT_JUDGED:
        return True
    return all(row[key] <= limit[row["precision"]]
               for key, limit in LARGEST_DIFFERENCE.items() if key in row)


def fastest(rows, what):
    return min((row for row in rows if row.get(what) and is_right(row)),
               key=lambda row: row[what]["min_ms"], default=None)


def verdict(ratio, demand):
    if demand.floor is None:
        return "reported"
    if ratio < demand.floor:
        return "MISSED"
    return "goal" if demand.goal and ratio >= demand.goal else "floor"


def ours_of(demand, section):
    """The row that a demand or a limit is about, or None."""
    return fastest([r for r in section["rows"] if r["engine"] == "chexnet"
                    and r["precision"] == demand.precision], demand.what)


def held_against(demand, section):
    """One finding, or None where the section has not both sides."""
    ours = ours_of(demand, section)
    rival = fastest([r for r in section["rows"] if demand.admits(r)], demand.what)
    if not ours or not rival:
        return None
    ratio, middle = (rival[demand.what][key] / ours[demand.what][key]
                     for key in ("min_ms", "median_ms"))
    return {"demand": demand.text, "level": section["level"], "rival": rival["name"],
            "ratio": ratio, "ratio_median": middle, "floor": demand.floor, "goal": demand.goal,
            "verdict": verdict(ratio, demand)}


def why_skipped(levels, sections):
    ran = any(s["level"] in levels for s in sections)
    return "skipped: " + ("not measured" if ran else "no " + SPELLED[levels[0]])


def check(demands, sections):
    """A finding for each demand at each level it was measured at; those without one are skipped."""
    findings = []
    for demand in demands:
        met = [held_against(demand, s) for s in sections if s["level"] in demand.levels]
        met = [finding for finding in met if finding]
        findings += met or [{"demand": demand.text, "level": "-", "rival": "-", "ratio": None,
                             "ratio_median": None, "floor": demand.floor, "goal": demand.goal,
                             "verdict": why_skipped(demand.levels, sections)
                             if demand.floor is not None else "not measured"}]
    return findings


def verdict_of_limit(value, limit):
    """A goal without a limit behind it is neither met nor missed."""
    if limit.most and value > limit.most:
        return "MISSED"
    if limit.goal and value <= limit.goal:
        return "goal"
    return "floor" if limit.most else "not the goal"


def check_limits(limits, sections):
    """A finding for each limit, skipped where it was not measured."""
    findings = []
    for limit in limits:
        rows = [(s["level"], ours_of(limit, s)) for s in sections if s["level"] in limit.levels]
        level, value, said = "-", None, why_skipped(limit.levels, sections)
        for level, value in [(level, limit.figure(row)) for level, row in rows if row]:
            said = verdict_of_limit(value, limit)
        findings.append({"limit": limit.text, "level": level, "value": value, "most": limit.most,
                         "goal": limit.goal, "verdict": said})
    return findings


def count(findings):
    """A line that says how many were met, missed and skipped; what is reported is none of them."""
    kinds = [f["verdict"].partition(":")[0] for f in findings]
    met = kinds.count("goal") + kinds.count("floor")
    return (f"Demands: {met} met, {kinds.count('goal')} of them with their goal; "
            f"{kinds.count('MISSED')} missed; {kinds.count('skipped')} skipped.")
