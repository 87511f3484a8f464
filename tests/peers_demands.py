# SPDX-License-Identifier: Apache-2.0
"""peers_demands.py BENCH_PEERS: what bench/peers/ says of ratios that are known beforehand."""
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import demands  # noqa: E402
import levels  # noqa: E402


def row(engine, precision, ms, difference=0.0):
    return {"engine": engine, "precision": precision, "name": f"{engine} {precision}",
            "many": {"min_ms": ms, "median_ms": 2 * ms}, "single": None,
            "largest_difference_from_pytorch": difference}


def verdicts(rows):
    """{(demand, floor): (verdict, ratio)} at level avx2, and the findings."""
    found = demands.check(demands.CROPS, [{"level": "avx2", "rows": rows}])
    return {(f["demand"], f["floor"]): (f["verdict"], f["ratio"]) for f in found}, found


FP32 = ("fp32 many : openvino fp32", 1.05)
BF16 = ("bf16 many : openvino fp32 or openvino bf16", 1.1)

for theirs, expected in ((10.4, "MISSED"), (10.5, "floor"), (11.9, "floor"), (12.0, "goal")):
    found, _ = verdicts([row("chexnet", "fp32", 10.0), row("openvino", "fp32", theirs)])
    assert found[FP32] == (expected, theirs / 10.0), (theirs, found[FP32])

# The fastest form counts, of either precision, and a wrong one not at all.
ours = [row("chexnet", "fp32", 10.0), row("chexnet", "bf16", 10.0)]
theirs = [row("openvino", "fp32", 20.0), row("openvino", "fp32", 13.0),
          row("openvino", "bf16", 12.0), row("openvino", "fp32", 1.0, difference=0.1)]
found, listed = verdicts(ours + theirs)
assert found[FP32] == ("goal", 1.3) and found[BF16] == ("floor", 1.2), found
assert found[("bf16 many : openvino bf16", 1.8)] == ("skipped: no AMX", None)
assert found[("fp32 many : torch fp32 batch 10", 1.7)][0] == "skipped: not measured"
assert demands.count(listed) == ("Demands: 2 met, 1 of them with their goal; 0 missed; "
                                 "13 skipped."), demands.count(listed)

# Ours wrong: nothing to hold against anyone.
found, _ = verdicts([row("chexnet", "fp32", 1.0, difference=0.1), row("openvino", "fp32", 9.0)])
assert found[FP32][0] == "skipped: not measured"

# INT8: ours is held to what quantisation may change, a peer's is not; what is only reported neither
# counts nor is missed. A gain of our own is of two rows of one section.
INT8 = [row("chexnet", "int8", 8.0, 0.05), row("openvino", "int8", 9.6, 0.2),
        row("chexnet", "fp32", 7.9)]
found, listed = verdicts(INT8)
assert found[("int8 many : openvino int8", 1.05)] == ("goal", 1.2), found
assert found[("int8 many : chexnet fp32", 1.0)] == ("MISSED", 7.9 / 8.0), found
assert found[("int8 many : openvino int8", None)] == ("not measured", None), found
assert demands.count(listed).startswith("Demands: 1 met, 1 of them with their goal; 1 missed;")
found, _ = verdicts([row("chexnet", "int8", 8.0, 0.051), *INT8[1:]])
assert found[("int8 many : openvino int8", 1.05)][0] == "skipped: not measured", found
found = demands.check(demands.CROPS, [{"level": "avxvnni", "rows": [
    row("chexnet", "int8", 10.0), row("chexnet at avx2", "int8", 15.9)]}])
assert {f["floor"]: f["verdict"] for f in found if f["level"] == "avxvnni"} == {1.6: "MISSED"}

# The pipeline's demands are held against the reference's form, however fast another is.
images = [{**row(engine, "bf16", ms), "image": {"min_ms": ms, "median_ms": ms}}
          for engine, ms in (("chexnet", 10.0), (demands.IN_TURN, 27.0), (demands.IN_TURN, 30.0),
                             (demands.OVERLAPPED, 20.0))]
found = demands.check(demands.PIPELINE, [{"level": "amx", "rows": images}])
assert [(f["demand"], f["ratio"], f["verdict"]) for f in found if f["ratio"]] == [
    ("bf16 image : openvino in turn bf16", 2.7, "floor"),
    ("bf16 image : openvino overlapped bf16", 2.0, "reported")], found


def step(engine, precision, what, ms, peak_gb=1.0, difference=0.0):
    return {"engine": engine, "precision": precision, "name": f"{engine} {precision}",
            what: {"min_ms": ms, "median_ms": ms}, "peak_rss_bytes": peak_gb * 1e9,
            "largest_difference_of_loss": difference}


# Training: a section a batch; a demand is held against the section of its batch alone.
sections = [
    {"level": "amx", "rows": [
        step("chexnet", "fp32", "batch 8", 10.0), step("torch", "fp32", "batch 8", 12.9),
        step("chexnet", "bf16", "batch 8", 4.0), step("torch", "bf16", "batch 8", 20.0),
        step("torch", "bf16", "batch 8", 1.0, difference=0.021)]},
    {"level": "amx", "rows": [
        step("chexnet", "fp32", "batch 40", 10.0, 1.2), step("torch", "fp32", "batch 40", 13.0),
        step("chexnet", "bf16", "batch 40", 8.0, 0.81),
        step("torch", "bf16", "batch 40", 19.9, difference=0.019)]},
    {"level": "amx", "rows": [
        step("chexnet", "fp32", "ranks", 10.0), step("one rank", "fp32", "ranks", 9.4),
        step("one rank", "fp32", "ranks", 11.0)]},
]
said = [(f["demand"], f["verdict"]) for f in demands.check(demands.TRAINING, sections)]
assert said == [
    ("fp32 batch 8 : torch fp32", "MISSED"), ("fp32 batch 40 : torch fp32", "floor"),
    ("bf16 batch 8 : torch bf16", "goal"), ("bf16 batch 40 : torch bf16", "MISSED"),
    ("fp32 ranks : one rank fp32", "MISSED"),
    ("bf16 ranks : one rank bf16", "skipped: not measured")], said


def limits(*rows, level="amx"):
    found = demands.check_limits(demands.TRAINING_LIMITS, [{"level": level, "rows": rows}])
    return [(f["value"], f["verdict"]) for f in found]


assert limits(*sections[1]["rows"]) == [(1.2, "floor"), (0.81, "MISSED"), (80.0, "not the goal")]
assert limits(step("chexnet", "bf16", "batch 40", 7.0, 0.8)) == [
    (None, "skipped: not measured"), (0.8, "floor"), (70.0, "goal")]
assert limits(step("chexnet", "bf16", "batch 40", 7.0, 0.8, difference=0.021), level="avx2") == [
    (None, "skipped: not measured"), (None, "skipped: not measured"), (None, "skipped: no AMX")]

assert levels.has("avxvnni", "int8") and not levels.has("avxvnni", "fp32")
assert levels.broken_cap("avxvnni", {"kernels": {"brgconv_avx2_1x1_I8": 61}}) is None
assert levels.broken_cap("avx2", {"kernels": {"brgconv_avx512_f32": 59}}) == "brgconv_avx512_f32"
assert levels.broken_cap("avx2", {"kernels": {"brgconv_avx2_f32": 59}}) is None
assert levels.broken_cap("avx512", {"kernels": {"brgconv_avx512_core_amx_bf16": 1}})
assert levels.broken_cap("avx2", {"capability": "AVX512"}) == "AVX512"
print("peers: verdicts as expected")
