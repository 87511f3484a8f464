#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden numbers of src/eval: writes eval.json beside this script.

AUC and Youden's threshold come from scikit-learn; the variances from the definition of DeLong,
DeLong and Clarke-Pearson (1988), image by image and pair by pair, without any sorting.

    python3 tests/golden/make_eval.py [PREDICTIONS.csv LIST.txt]

With a prediction CSV and a list of 14 labels it also writes nih_sample_auc.json: only the 14 AUCs
and their mean are kept. Made with scikit-learn 1.9.1 and NumPy 2.4.6.
"""
import csv
import json
import math
import pathlib
import sys

import numpy as np
import sklearn
from sklearn.metrics import roc_auc_score, roc_curve

HERE = pathlib.Path(__file__).parent
Z = 1.959963984540054
VERSIONS = f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}"


def components(scores, labels):
    """(V - AUC) of each image, and the size of its class; by all pairs."""
    pos, neg = np.flatnonzero(labels), np.flatnonzero(labels == 0)
    kernel = np.array([[1.0 if scores[i] > scores[j] else 0.5 if scores[i] == scores[j] else 0.0
                        for j in neg] for i in pos])
    auc = kernel.mean()
    deviation, size = np.zeros(len(scores)), np.zeros(len(scores))
    deviation[pos], size[pos] = kernel.mean(axis=1) - auc, len(pos)
    deviation[neg], size[neg] = kernel.mean(axis=0) - auc, len(neg)
    return deviation, size, pos, neg


def covariance(a, b):
    """Of two AUCs: images of the class of both, with the divisors of either (equal for one set)."""
    total = 0.0
    for da, sa, db, sb in zip(a[0], a[1], b[0], b[1]):
        total += da * db / math.sqrt(sa * (sa - 1) * sb * (sb - 1))
    return total


def textbook_variance(scores, labels):
    """S10 / m + S01 / n of the paper, to check covariance() against."""
    deviation, _, pos, neg = components(scores, labels)
    return np.var(deviation[pos], ddof=1) / len(pos) + np.var(deviation[neg], ddof=1) / len(neg)


def estimate(value, variance, lowest):
    half = Z * math.sqrt(variance)
    return [value, max(value - half, lowest), min(value + half, 1.0)]


def golden_case(name, seed, images, prevalences, decimals):
    rng = np.random.default_rng(seed)
    count = len(prevalences)
    labels = (rng.random((images, count)) < np.array(prevalences)).astype(int)
    for f, p in enumerate(prevalences):
        if p >= 1:  # a number of positives, not a share
            labels[:, f] = 0
            labels[:int(p), f] = 1
    truth = labels + rng.normal(size=(images, count)) + rng.normal(size=(images, 1))
    pair = []
    for noise in (0.3, 0.9):
        p = 1 / (1 + np.exp(-(truth + noise * rng.normal(size=truth.shape) - 1)))
        pair.append(np.round(p, decimals).astype(np.float32))
    out = {"name": name, "labels": labels.tolist(), "findings": [],
           "a": [[float(f"{v:.9g}") for v in row] for row in pair[0]],
           "b": [[float(f"{v:.9g}") for v in row] for row in pair[1]]}
    parts, aucs = [], []
    for f in range(count):
        y, a, b = labels[:, f], pair[0][:, f], pair[1][:, f]
        record = {"positives": int(y.sum())}
        out["findings"].append(record)
        if y.min() == y.max():
            continue
        auc = [float(roc_auc_score(y, s)) for s in (a, b)]
        fpr, tpr, thresholds = roc_curve(y, a, drop_intermediate=False)
        youden = tpr - fpr
        best = np.flatnonzero(youden >= youden.max() - 1e-12)[0]
        record |= {"auc": auc, "threshold": float(thresholds[best])}
        aucs.append(auc)
        if min(y.sum(), (1 - y).sum()) < 2:
            parts.append(None)
            continue
        ca, cb = components(a, y), components(b, y)
        va, vb, cab = covariance(ca, ca), covariance(cb, cb), covariance(ca, cb)
        assert math.isclose(va, textbook_variance(a, y), rel_tol=1e-12)
        parts.append((ca, cb))
        record["interval"] = estimate(auc[0], va, 0.0)
        record["difference"] = paired(auc, va + vb - 2 * cab)
    mean = np.mean(aucs, axis=0).tolist()
    out["mean"] = {"auc": mean, "of": len(aucs)}
    if all(parts):
        k2 = len(parts) ** 2
        out["mean"]["interval"] = estimate(mean[0], sum(
            covariance(x[0], y[0]) for x in parts for y in parts) / k2, 0.0)
        out["mean"]["difference"] = paired(mean, sum(
            covariance(x[0], y[0]) + covariance(x[1], y[1]) - covariance(x[0], y[1]) -
            covariance(x[1], y[0]) for x in parts for y in parts) / k2)
    return out


def paired(auc, variance):
    difference = auc[1] - auc[0]
    z = difference / math.sqrt(variance)
    return estimate(difference, variance, -1.0) + [z, math.erfc(abs(z) / math.sqrt(2))]


def sample_aucs(predictions, image_list):
    scores = {row[0]: np.float32(row[1:]) for row in list(csv.reader(open(predictions)))[1:]}
    rows = [line.split() for line in open(image_list)]
    labels = np.array([[int(v) for v in row[1:]] for row in rows])
    matrix = np.array([scores[row[0]] for row in rows])
    aucs = [float(roc_auc_score(labels[:, f], matrix[:, f])) if labels[:, f].any() else None
            for f in range(14)]
    return {"made_with": VERSIONS, "auc": aucs, "mean": float(np.mean([a for a in aucs if a]))}


def main():
    cases = [golden_case("continuous", 1, 90, [0.4, 0.2, 0.1], 9),
             golden_case("many ties", 2, 80, [0.5, 0.3, 0.15, 0.6], 1),
             golden_case("one and no positive", 3, 50, [1, 0, 0.3], 2),
             golden_case("one negative", 4, 30, [29, 2], 3)]
    (HERE / "eval.json").write_text(json.dumps({"made_with": VERSIONS, "cases": cases}) + "\n")
    if len(sys.argv) == 3:
        golden = sample_aucs(sys.argv[1], sys.argv[2])
        (HERE / "nih_sample_auc.json").write_text(json.dumps(golden, indent=1) + "\n")


main()
