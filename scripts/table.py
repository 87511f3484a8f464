# SPDX-License-Identifier: Apache-2.0
"""table.py FOLDER MD JSON ROW...: the table of table.sh, from what `infer --json` and
`compare --json` wrote for each row; also to the files MD and JSON where they are named."""
import json
import sys
from pathlib import Path

HEAD = ("mode", "mean AUC", "difference", "95 % interval", "images/s", "of reference", "of PyTorch",
        "memory MiB")
NOTICE = "Research use only, not a medical device."


def read(path):
    return json.loads(path.read_text()) if path.exists() else None


def rows_of(folder, names):
    """One a mode; None where there is nothing to say. Of PyTorch's predictions `compare` tells the
    AUC."""
    found = {name: read(folder / f"{name}.json") for name in names}
    speed = {name: one["images_per_second"] for name, one in found.items()}
    over = lambda name, base: (speed[name] / speed[base] if base in speed and name != base
                               else None)
    for name, one in found.items():
        differs = (read(folder / f"{name}.compare.json") or {}).get("mean", {})
        yield {"mode": name, "level": one.get("level"),
               "mean_auc": one.get("mean_auc", differs.get("auc_b")),
               "auc_difference": differs.get("difference"), "ci95": differs.get("ci95"),
               "images_per_second": speed[name], "over_reference": over(name, "reference"),
               "over_torch": over(name, "torch"), "peak_rss_bytes": one["peak_rss_bytes"]}


def cell(value, how):
    return "-" if value is None else format(value, how)


def cells(row):
    low_high = row["ci95"] and " .. ".join(format(value, "+.4f") for value in row["ci95"])
    return ("PyTorch" if row["mode"] == "torch" else row["mode"], cell(row["mean_auc"], ".4f"),
            cell(row["auc_difference"], "+.4f"), low_high or "-",
            cell(row["images_per_second"], ".2f"), cell(row["over_reference"], ".1f"),
            cell(row["over_torch"], ".1f"), cell(row["peak_rss_bytes"] / 2**20, ".0f"))


def text_of(lines):
    width = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(word.rjust(w) if i else word.ljust(w) for i, (word, w) in
                               enumerate(zip(line, width))).rstrip() for line in lines)


def markdown_of(lines):
    rule = (":--", *["--:"] * (len(HEAD) - 1))
    return "\n".join("| " + " | ".join(line) + " |" for line in (lines[0], rule, *lines[1:]))


def main():
    folder, markdown, as_json, *names = sys.argv[1:]
    folder = Path(folder)
    first = read(folder / f"{names[0]}.json")
    about = f"{first['images']} images, {first['crops']} crops, {first['threads']} threads"
    rows = list(rows_of(folder, names))
    lines = [HEAD, *map(cells, rows)]
    print(f"{text_of(lines)}\n\n{about}; differences of AUC are from mode reference, paired "
          f"(DeLong)\n{NOTICE}")
    if markdown:
        Path(markdown).write_text(f"{markdown_of(lines)}\n\n{about}. {NOTICE}\n")
    if as_json:
        record = {key: first[key] for key in ("images", "crops", "threads")}
        Path(as_json).write_text(json.dumps({**record, "rows": rows, "notice": NOTICE}, indent=1)
                                 + "\n")


if __name__ == "__main__":
    main()
