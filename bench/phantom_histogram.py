#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an image's grey histogram and mean say about the findings of a phantom set.

Logistic regression on 64 bins and the mean, fitted on the train and val lists, scored on the test
list. A set that a histogram can read would teach a network nothing; the mean AUC has to stay below
0.65. Pictures are taken as they are and, as training sees them, with a shorter side of 256.

    chexnet phantom --out set --images 1500 --size 256 --balanced
    python3 bench/phantom_histogram.py set

Needs numpy 2.4.6, Pillow 13.0.0, scikit-learn 1.9.1.
"""
import argparse
import os
import sys
import warnings

import numpy as np
from PIL import Image
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

LIMIT = 0.65
FINDINGS = ('Atelectasis Cardiomegaly Effusion Infiltration Mass Nodule Pneumonia Pneumothorax '
            'Consolidation Edema Emphysema Fibrosis Pleural_Thickening Hernia').split()


def features(picture):
    pixels = np.asarray(picture)
    counts = np.bincount(pixels.ravel() // 4, minlength=64)
    return np.append(counts / pixels.size, pixels.mean() / 255)


def read_list(folder, name):
    """Labels, and the features of each picture as it is and resized."""
    labels, whole, resized = [], [], []
    with open(os.path.join(folder, name), encoding='ascii') as lines:
        for line in lines:
            image, *row = line.split()
            with Image.open(os.path.join(folder, 'images', image)) as picture:
                whole.append(features(picture))
                resized.append(features(picture.resize((256, 256), Image.Resampling.BILINEAR)))
            labels.append([int(v) for v in row])
    return np.array(labels), np.array(whole), np.array(resized)


def score(train_x, train_y, test_x, test_y):
    """AUC of each finding; nan where it is undefined."""
    aucs = []
    for k in range(len(FINDINGS)):
        if len(set(train_y[:, k])) < 2 or len(set(test_y[:, k])) < 2:
            aucs.append(np.nan)
            continue
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        model.fit(train_x, train_y[:, k])
        aucs.append(roc_auc_score(test_y[:, k], model.decision_function(test_x)))
    return np.array(aucs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', help='written by chexnet phantom')
    folder = parser.parse_args().folder
    warnings.simplefilter('ignore', ConvergenceWarning)
    parts = [read_list(folder, name) for name in ('train_list.txt', 'val_list.txt')]
    train_y, train_whole, train_small = (np.concatenate(part) for part in zip(*parts))
    test_y, test_whole, test_small = read_list(folder, 'test_list.txt')
    whole = score(train_whole, train_y, test_whole, test_y)
    small = score(train_small, train_y, test_small, test_y)
    print(f'{"finding":20s} as is  at 256')
    for name, a, b in zip(FINDINGS, whole, small):
        print(f'{name:20s} {a:.3f}  {b:.3f}')
    print(f'{"mean":20s} {np.nanmean(whole):.3f}  {np.nanmean(small):.3f}  (below {LIMIT})')
    return 0 if max(np.nanmean(whole), np.nanmean(small)) < LIMIT else 1


if __name__ == '__main__':
    sys.exit(main())
