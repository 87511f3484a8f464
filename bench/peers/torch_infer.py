# SPDX-License-Identifier: Apache-2.0
"""torch_infer.py WEIGHTS IMAGES LIST ten|center OUT.csv THREADS: PyTorch in its default settings
over a list, one picture after the other as the reference does. Writes predictions as `chexnet
infer` does; prints one JSON object with speed and memory, as table.py reads it."""
import csv
import json
import sys
import time
from pathlib import Path

import torch

import model
from machine import peak_bytes

CENTRE = slice(4, 5)  # of TenCrop's ten


def predict(weights, paths, taken):
    """Probabilities [images][14], and the seconds without opening the model and a first picture."""
    network, cut = model.load_model(weights), model.transform()
    of = lambda path: torch.sigmoid(network(torch.from_numpy(
        model.crops_of(path, cut)[taken]))).mean(dim=0).tolist()
    with torch.no_grad():
        of(paths[0])
        started = time.perf_counter()
        prob = [of(path) for path in paths]
    return prob, time.perf_counter() - started


def main():
    weights, images, names, crops, out, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    lines = [line.split() for line in Path(names).read_text().splitlines()]
    taken = {"ten": slice(None), "center": CENTRE}[crops]
    prob, seconds = predict(weights, [Path(images) / line[0] for line in lines], taken)
    with open(out, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["image", *model.FINDINGS])
        writer.writerows([line[0], *(f"{p:.9g}" for p in row)] for line, row in zip(lines, prob))
    print(json.dumps({
        "images": len(lines), "crops": crops, "threads": int(threads),
        "images_per_second": len(lines) / seconds, "peak_rss_bytes": peak_bytes()}))


if __name__ == "__main__":
    main()
