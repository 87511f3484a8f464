#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of fuzz_optimized: models of its tiny network as docs/formats.md describes them,
less the black probe picture at their end.

    python3 tests/fuzz/make_optimized_corpus.py tests/fuzz/corpus/optimized
"""
import json
import struct
import sys

GROWTH, STEM, MIDDLE, CLASSES = 2, 2, 2, 14
FINDINGS = ('Atelectasis,Cardiomegaly,Effusion,Infiltration,Mass,Nodule,Pneumonia,Pneumothorax,'
            'Consolidation,Edema,Emphysema,Fibrosis,Pleural_Thickening,Hernia')
METADATA = {
    'chexnet_format': 'optimized', 'chexnet_format_version': '1', 'chexnet_version': '0.1.0',
    'precision': '', 'source_name': 'tiny.pth', 'source_sha256': '0' * 64,
    'preprocessing': '8-bit samples; shorter side resized to 256, bilinear with antialias; crops '
                     'of 224x224; (sample / 255 - mean) / deviation, mean 0.485 0.456 0.406, '
                     'deviation 0.229 0.224 0.225',
    'folded': 'preprocessing and norm0 into features.conv0; norm2 into conv1; other norms to scale '
              'and shift',
    'classes': FINDINGS, 'probe_level': 'c', 'probe_difference': '0',
}


def slots(conv):
    """(name, dtype, shape) of every tensor but the picture."""
    for stem, planes in ('grey', 2), ('colour', 4):
        yield f'features.conv0.{stem}.weight', 'F32', [7, 7, planes, STEM]
        yield f'features.conv0.{stem}.bias', 'F32', [STEM]
    channels = STEM
    for block in 1, 2, 3, 4:
        layer = f'features.denseblock{block}.denselayer1'
        for array in 'scale', 'shift':
            yield f'{layer}.norm1.{array}', 'F32', [channels]
        yield f'{layer}.conv1.weight', conv, [1, 1, channels, MIDDLE]
        yield f'{layer}.conv1.bias', 'F32', [MIDDLE]
        yield f'{layer}.conv2.weight', conv, [3, 3, MIDDLE, GROWTH]
        channels += GROWTH
        norm = f'features.transition{block}.norm' if block < 4 else 'features.norm5'
        for array in 'scale', 'shift':
            yield f'{norm}.{array}', 'F32', [channels]
        if block < 4:
            yield f'features.transition{block}.conv.weight', conv, [1, 1, channels, channels // 2]
            channels //= 2
    yield 'classifier.weight', 'F32', [CLASSES, channels]
    yield 'classifier.bias', 'F32', [CLASSES]
    yield 'probe.reference', 'F32', [4, CLASSES]
    yield 'probe.answers', 'F32', [4, CLASSES]


def model(precision):
    header, data = {'__metadata__': dict(METADATA, precision=precision)}, b''
    tensors = sorted(slots('F32' if precision == 'fp32' else 'BF16'), key=lambda t: t[1] == 'BF16')
    for name, dtype, shape in tensors:
        count = 1
        for side in shape:
            count *= side
        values = struct.pack('<f', 0.5) * count if dtype == 'F32' else b'\x80\x3f' * count
        header[name] = {'dtype': dtype, 'shape': shape,
                        'data_offsets': [len(data), len(data) + len(values)]}
        data += values
    size = 256 * 256 * 3
    header['probe.picture'] = {'dtype': 'U8', 'shape': [256, 256, 3],
                               'data_offsets': [len(data), len(data) + size]}
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    return struct.pack('<Q', len(text)) + text + data


for precision in 'fp32', 'bf16':
    with open(f'{sys.argv[1]}/{precision}', 'wb') as f:
        f.write(b'\0' + model(precision))
