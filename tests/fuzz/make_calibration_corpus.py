#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of fuzz_calibration: calibrations of its tiny network as docs/formats.md
describes them.

    python3 tests/fuzz/make_calibration_corpus.py tests/fuzz/corpus/calibration
"""
import json
import sys

GROWTH, STEM, MIDDLE = 2, 2, 2


def tensors():
    """(name, arrays) in the order of the file."""
    def extremes(channels):
        return {'lo': [-0.5] * channels, 'hi': [1.25] * channels}

    def reader(channels):
        return {'mean': [0.75] * channels, 'share': [0.5] * channels}

    yield 'features.conv0.grey', extremes(STEM)
    channels = STEM
    for block in 1, 2, 3, 4:
        layer = f'features.denseblock{block}.denselayer1'
        yield f'{layer}.norm1', reader(channels)
        yield f'{layer}.conv1', {'max': [2] * MIDDLE, 'mean': [1e-3] * MIDDLE}
        yield f'{layer}.conv2', extremes(GROWTH)
        channels += GROWTH
        norm = f'features.transition{block}.norm' if block < 4 else 'features.norm5'
        yield norm, reader(channels)
        if block < 4:
            channels //= 2
            yield f'features.transition{block}.conv', extremes(channels)


for method in 'minmax', 'percentile':
    about = {'chexnet_format': 'calibration', 'chexnet_format_version': 1,
             'chexnet_version': '0.1.0', 'model_name': 'tiny.pth', 'model_sha256': '0' * 64,
             'list_sha256': '1' * 64, 'method': method}
    if method == 'percentile':
        about['percentile'] = 99.99
    about.update(images=3, seed=1, tensors=dict(tensors()))
    with open(f'{sys.argv[1]}/{method}', 'w', encoding='ascii') as f:
        json.dump(about, f, separators=(',', ':'))
