# SPDX-License-Identifier: Apache-2.0
"""Figures of a comparison: the record that is kept, and its tables for people."""
import json
import statistics
from pathlib import Path

import numpy

import machine

RESULTS = machine.ROOT / "bench" / "results"


def summary(turns):
    """Minimum over all rounds, median over the rounds' medians."""
    if not turns:
        return None
    middle = lambda key: statistics.median(turn[key] for turn in turns)
    return {"min_ms": min(turn["min"] for turn in turns), "median_ms": middle("median"),
            "passes": sum(turn["passes"] for turn in turns),
            "cpu_per_wall": max(turn["cpu_per_wall"] for turn in turns),
            "busy_threads": int(middle("busy_threads")), "others": middle("others")}


def difference(prob, other):
    return float(numpy.abs(prob - other).max()) if other is not None else None


def record_of(about, competitors, turns, lost):
    ours = {c.precision: c.prob for c in competitors if c.name.startswith("chexnet")}
    rows = []
    for c in competitors:
        found = turns[c.name]
        rows.append({
            "name": c.name, "precision": c.precision, "settings": c.settings,
            **{what: summary(found.get(what)) for what in ("many", "single")},
            "peak_rss_bytes": max(t["peak_rss_bytes"] for t in found["many"]),
            "largest_difference_from_ours": difference(c.prob, ours.get(c.precision)),
        })
    return {"about": about, "rows": rows, "skipped": lost}


def our_row(record, precision):
    return next((row for row in record["rows"] if row["precision"] == precision
                 and row["name"].startswith("chexnet")), None)


def ratio(row, ours, what, key):
    if not ours or not row[what]:
        return "-"
    return f"{row[what][key] / ours[what][key]:.2f}"


def cells(row, ours):
    found = [row["name"]]
    for what in ("many", "single"):
        s = row[what]
        found += [f"{s['min_ms']:.2f}", f"{s['median_ms']:.2f}"] if s else ["-", "-"]
        found += [ratio(row, ours, what, "min_ms"), ratio(row, ours, what, "median_ms")]
    d = row["largest_difference_from_ours"]
    return found + [f"{row['many']['busy_threads']}", f"{row['peak_rss_bytes'] / 2**20:.0f}",
                    f"{d:.1e}" if d is not None else "-"]


HEAD = ["form", "many min", "median", "ratio min", "median", "single min", "median", "ratio min",
        "median", "threads", "MiB", "difference"]


def table(head, lines):
    rows = [head, ["--:" if i else ":--" for i in range(len(head))]] + lines
    width = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join("| " + " | ".join(
        cell.ljust(width[i]) if i == 0 else cell.rjust(width[i]) for i, cell in enumerate(row))
        + " |" for row in rows)


def fastest(record, engine, precision, what):
    rows = [row for row in record["rows"] if row["name"].startswith(engine) and row[what]
            and row["precision"] in precision]
    return min(rows, key=lambda row: row[what]["min_ms"], default=None)


def contests(record):
    """What the limits speak of: ours against each engine's fastest form, and against the
    reference's own baseline."""
    lines = []
    for precision in ("fp32", "bf16"):
        ours = our_row(record, precision)
        for what in ("many", "single") if ours else ():
            rivals = [fastest(record, e, (precision,), what)
                      for e in ("torch", "onnxruntime", "openvino")]
            rivals.append(fastest(record, "torch fp32 batch", ("fp32",), what))
            if precision == "bf16":
                rivals.append(fastest(record, "openvino", ("fp32", "bf16"), what))
            unique = {row["name"]: row for row in rivals if row}
            lines += [[f"{ours['name']} : {name}", what, ratio(row, ours, what, "min_ms"),
                       ratio(row, ours, what, "median_ms")] for name, row in unique.items()]
    return lines


def settings_text(rows):
    lines = []
    for row in rows:
        parts = ", ".join(f"{key} {value}" for key, value in row["settings"].items())
        lines.append(f"- {row['name']}: {parts}")
    return "\n".join(lines)


def text_of(record):
    about = record["about"]
    parts = ["# " + about["cpu"] + ", " + about["date"],
             "\n".join(f"- {key}: {value}" for key, value in about.items()),
             "Milliseconds a 224x224 crop: `many` is a pass over all crops, `single` one crop a "
             "call. A ratio is the form's time divided by ours in the same precision: how many "
             "times as fast this project is. `threads` worked; `difference` is the largest of a "
             "probability of ten crops from ours."]
    for precision in ("fp32", "bf16"):
        ours = our_row(record, precision)
        rows = [row for row in record["rows"] if row["precision"] == precision]
        if rows:
            parts += [f"## {precision}", table(HEAD, [cells(row, ours) for row in rows])]
    if contests(record):
        parts += ["## Against each one's fastest form",
                  table(["pair", "what", "ratio min", "ratio median"], contests(record))]
    parts += [f"warning: {row['name']}: {row['many']['busy_threads']} threads worked"
              for row in record["rows"] if row["many"]["busy_threads"] != about["threads"]]
    load = statistics.median(row["many"]["others"] for row in record["rows"])
    parts += [f"Other processes used {load:.2f} CPUs meanwhile (median over the forms).",
              "## Settings", settings_text(record["rows"])]
    parts += [f"skipped: {name}: {why}" for name, why in record["skipped"].items()]
    return "\n\n".join(parts) + "\n"


def write(record, text, kind):
    about = record["about"]
    isa = "" if about["isa"] == "all" else "-" + about["isa"]
    path = RESULTS / f"{about['date']}-{machine.slug(about)}{isa}-{kind}"
    Path(f"{path}.json").write_text(json.dumps(record, indent=1) + "\n")
    Path(f"{path}.md").write_text(text)
    print(f"written: {path.relative_to(machine.ROOT)}.json and .md")
