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
                                 "6 skipped."), demands.count(listed)

# Ours wrong: nothing to hold against anyone.
found, _ = verdicts([row("chexnet", "fp32", 1.0, difference=0.1), row("openvino", "fp32", 9.0)])
assert found[FP32][0] == "skipped: not measured"

assert levels.broken_cap("avx2", {"kernels": {"brgconv_avx512_f32": 59}}) == "brgconv_avx512_f32"
assert levels.broken_cap("avx2", {"kernels": {"brgconv_avx2_f32": 59}}) is None
assert levels.broken_cap("avx512", {"kernels": {"brgconv_avx512_core_amx_bf16": 1}})
assert levels.broken_cap("avx2", {"capability": "AVX512"}) == "AVX512"
print("peers: verdicts as expected")
