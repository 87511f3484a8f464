# SPDX-License-Identifier: Apache-2.0
"""Figures of a comparison: the record that is kept, and its tables for people."""
import json
import statistics
from pathlib import Path

import numpy

import demands
import machine
from forms import PRECISIONS

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


def difference(prob, expected):
    return float(numpy.abs(prob - expected).max())


def rows_of(competitors, turns, expected):
    """expected: PyTorch's probabilities, float32 [pictures][14]."""
    return [{
        "name": c.name, "engine": c.form.engine, "precision": c.precision, "settings": c.settings,
        **{what: summary(found) for what, found in turns[c.name].items()},
        "peak_rss_bytes": max(t["peak_rss_bytes"] for t in turns[c.name]["many"]),
        "largest_difference_from_pytorch": difference(c.first, expected),
    } for c in competitors]


def table(head, lines):
    rows = [head, ["--:" if i else ":--" for i in range(len(head))]] + lines
    width = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join("| " + " | ".join(
        cell.ljust(width[i]) if i == 0 else cell.rjust(width[i]) for i, cell in enumerate(row))
        + " |" for row in rows)


def figure(value, how):
    return "-" if value is None else format(value, how)


def timing(row, ours, what):
    """Cells: minimum, median, and how many times as fast ours is, by minimum and by median."""
    if not row[what]:
        return ["-"] * 4
    pair = [(row[what][key], ours[what][key] if ours else None) for key in ("min_ms", "median_ms")]
    return ([f"{theirs:.2f}" for theirs, _ in pair]
            + [figure(theirs / mine if mine else None, ".2f") for theirs, mine in pair])


CROPS_HEAD = ["form", "many min", "median", "ratio min", "median", "single min", "median",
              "ratio min", "median", "passes", "threads", "MiB", "difference"]


def crops_line(row, ours):
    return [row["name"], *timing(row, ours, "many"), *timing(row, ours, "single"),
            str(row["many"]["passes"]), str(row["many"]["busy_threads"]),
            f"{row['peak_rss_bytes'] / 2**20:.0f}",
            f"{row['largest_difference_from_pytorch']:.1e}"]


def precision_parts(section, head, line):
    for precision in PRECISIONS:
        rows = [row for row in section["rows"] if row["precision"] == precision]
        ours = next((row for row in rows if row["engine"] == "chexnet"), None)
        if rows:
            yield f"### {precision}"
            yield table(head, [line(row, ours) for row in rows])


def level_parts(section, threads):
    yield f"## Level {section['level']}" + ", all engines capped" * section["capped"]
    yield from precision_parts(section, CROPS_HEAD, crops_line)
    yield from (f"warning: {row['name']}: {row['many']['busy_threads']} threads worked"
                for row in section["rows"] if row["many"]["busy_threads"] != threads)
    yield from wrong_parts(section)
    yield from (f"skipped: {name}: {why}" for name, why in section["skipped"].items())
    load = statistics.median(row["many"]["others"] for row in section["rows"])
    yield f"Other processes used {load:.2f} CPUs meanwhile (median over the forms)."


def wrong_parts(section):
    yield from (f"warning: {row['name']}: not PyTorch's results, so it does not count"
                for row in section["rows"] if not demands.is_right(row))


def settings_parts(section, of=""):
    lines = []
    for row in section["rows"]:
        parts = ", ".join(f"{key} {value}" for key, value in row["settings"].items())
        lines.append(f"- {row['name']}: {parts}")
    yield f"## Settings{of} at level {section['level']}"
    yield "\n".join(lines)


def demand_parts(findings, limits=()):
    lines = [[f["demand"], f["level"], f["rival"], figure(f["ratio"], ".2f"),
              figure(f["ratio_median"], ".2f"), figure(f["floor"], ".2f"),
              figure(f["goal"], ".2f"), f["verdict"]] for f in findings]
    yield "## Demands"
    yield table(["ours : theirs", "level", "fastest form", "ratio min", "median", "floor", "goal",
                 "met"], lines)
    if limits:
        yield table(["ours", "level", "figure", "limit", "goal", "met"],
                    [[f["limit"], f["level"], *(figure(f[key], ".2f") for key in
                                                ("value", "most", "goal")), f["verdict"]]
                     for f in limits])
    yield demands.count([*findings, *limits])


def about_parts(title, about, explained):
    yield f"# {title}: {about['cpu']}, {about['date']}"
    yield "\n".join(f"- {key}: {value}" for key, value in about.items())
    yield explained


CROPS_EXPLAINED = (
    "Milliseconds a 224x224 crop: `many` is a pass over all crops, `single` one crop a call. A "
    "ratio is the form's time divided by ours in the same precision: how many times as fast this "
    "project is. `passes` over all crops were timed, one for a form that then sat out as far from "
    "its engine's fastest; `threads` worked; `difference` is the largest of a ten-crop probability "
    "from PyTorch's in float32.")


def text_of_crops(record):
    parts = [*about_parts("Crops", record["about"], CROPS_EXPLAINED),
             *demand_parts(record["demands"])]
    for section in record["levels"]:
        parts += level_parts(section, record["about"]["threads"])
    for section in record["levels"]:
        parts += settings_parts(section)
    return "\n\n".join(parts) + "\n"


PIPELINE_HEAD = ["form", "image min", "median", "ratio min", "median", "difference"]
PIPELINE_EXPLAINED = (
    "Milliseconds an image of ten crops, from a PNG file to probabilities, over the whole list. A "
    "ratio is the form's time divided by ours in the same precision; `difference` is the largest "
    "of a probability from PyTorch's in float32.")


def pipeline_line(row, ours):
    return [row["name"], *timing(row, ours, "image"),
            f"{row['largest_difference_from_pytorch']:.1e}"]


def text_of_pipeline(record):
    section = record["levels"][0]
    parts = [*about_parts("From PNG files", record["about"], PIPELINE_EXPLAINED),
             *demand_parts(record["demands"]),
             f"## Level {section['level']}" + ", all engines capped" * section["capped"],
             *precision_parts(section, PIPELINE_HEAD, pipeline_line),
             *wrong_parts(section),
             *(f"skipped: {name}: {why}" for name, why in section["skipped"].items()),
             *settings_parts(section)]
    return "\n\n".join(parts) + "\n"


TRAINING_HEAD = ["form", "min", "median", "ratio min", "median", "steps", "threads", "MB",
                 "difference"]
TRAINING_EXPLAINED = (
    "Milliseconds a 224x224 crop of a whole step: forward, backward, SGD with momentum; binary "
    "cross-entropy of 14 logits; batch statistics of the whole batch. A ratio is the form's time "
    "divided by ours in the same precision: how many times as fast this project is. `steps` were "
    "timed, few for a form that then sat out as far from PyTorch's fastest; `threads` worked; "
    "`MB` is the peak of the process; `difference` is that of the losses before the first and the "
    "second step from PyTorch's in float32.")
RANKS_EXPLAINED = (
    "Milliseconds an image of `chexnet train --batch 8`, from small PNG files, by the fastest step "
    "and the median one; the steps of all rounds.")


def training_line(what):
    return lambda row, ours: [
        row["name"], *timing(row, ours, what), str(row[what]["passes"]),
        str(row[what]["busy_threads"]), f"{row['peak_rss_bytes'] / 1e6:.0f}",
        f"{row['largest_difference_of_loss']:.1e}"]


def batch_parts(section, threads):
    what = section["what"]
    yield f"## Step, {what}, level {section['level']}" + ", all engines capped" * section["capped"]
    yield from precision_parts(section, TRAINING_HEAD, training_line(what))
    yield from (f"warning: {row['name']}: {row[what]['busy_threads']} threads worked"
                for row in section["rows"] if row[what]["busy_threads"] != threads)
    yield from wrong_parts(section)
    yield from (f"skipped: {name}: {why}" for name, why in section["skipped"].items())
    load = statistics.median(row[what]["others"] for row in section["rows"])
    yield f"Other processes used {load:.2f} CPUs meanwhile (median over the forms)."


def ranks_parts(section):
    yield "## Ranks"
    yield RANKS_EXPLAINED
    yield from precision_parts(section, ["form", "min", "median", "ratio min", "median", "steps"],
                               lambda row, ours: [row["name"], *timing(row, ours, "ranks"),
                                                  str(row["ranks"]["passes"])])
    yield from wrong_parts(section)
    yield from (f"skipped: {name}: {why}" for name, why in section["skipped"].items())


def text_of_training(record):
    parts = [*about_parts("Training", record["about"], TRAINING_EXPLAINED),
             *demand_parts(record["demands"], record["limits"])]
    for section in record["batches"]:
        parts += batch_parts(section, record["about"]["threads"])
    parts += ranks_parts(record["ranks"])
    for section in record["batches"]:
        parts += settings_parts(section, f" of {section['what']}")
    return "\n\n".join(parts) + "\n"


def write(record, text, kind, level=None):
    about = record["about"]
    suffix = f"-{level}" if level else ""
    path = RESULTS / f"{about['date']}-{machine.slug(about)}{suffix}-{kind}"
    Path(f"{path}.json").write_text(json.dumps(record, indent=1) + "\n")
    Path(f"{path}.md").write_text(text)
    print(f"written: {path.relative_to(machine.ROOT)}.json and .md")
