#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of fuzz_optimized and fuzz_quantized: models of their tiny network as
docs/formats.md describes them, less the black probe picture at their end.

    python3 tests/fuzz/make_derived_corpus.py tests/fuzz/corpus
"""
import json
import struct
import sys

GROWTH, STEM, MIDDLE, CLASSES = 2, 2, 4, 14
FINDINGS = ('Atelectasis,Cardiomegaly,Effusion,Infiltration,Mass,Nodule,Pneumonia,Pneumothorax,'
            'Consolidation,Edema,Emphysema,Fibrosis,Pleural_Thickening,Hernia')
METADATA = {
    'chexnet_format': '', 'chexnet_format_version': '1', 'chexnet_version': '0.1.0',
    'precision': '', 'source_name': 'tiny.pth', 'source_sha256': '0' * 64,
    'preprocessing': '8-bit samples; shorter side resized to 256, bilinear with antialias; crops '
                     'of 224x224; (sample / 255 - mean) / deviation, mean 0.485 0.456 0.406, '
                     'deviation 0.229 0.224 0.225',
    'folded': 'preprocessing and norm0 into features.conv0; norm2 into conv1; other norms to ',
    'classes': FINDINGS, 'probe_level': 'c', 'probe_difference': '0',
}
ELEMENTS = {'F32': struct.pack('<f', 0.5), 'BF16': b'\x80\x3f', 'I8': b'\x03', 'U8': b'\0'}


def parts():
    """(kind, name, shape of its first array) of every part."""
    for stem, planes in ('grey', 2), ('colour', 4):
        yield 'stem', f'features.conv0.{stem}', [7, 7, planes, STEM]
    channels = STEM
    for block in 1, 2, 3, 4:
        layer = f'features.denseblock{block}.denselayer1'
        yield 'norm', f'{layer}.norm1', [channels]
        yield 'conv1', f'{layer}.conv1', [1, 1, channels, MIDDLE]
        yield 'conv', f'{layer}.conv2', [3, 3, MIDDLE, GROWTH]
        channels += GROWTH
        norm = f'features.transition{block}.norm' if block < 4 else 'features.norm5'
        yield 'norm', norm, [channels]
        if block < 4:
            yield 'conv', f'features.transition{block}.conv', [1, 1, channels, channels // 2]
            channels //= 2
    yield 'head', 'classifier', [CLASSES, channels]


def optimized(conv):
    """(name, dtype, shape) of every tensor of the parts."""
    for kind, name, shape in parts():
        out = shape[:1] if kind == 'head' else shape[-1:]
        if kind == 'norm':
            yield from ((f'{name}.{array}', 'F32', out) for array in ('scale', 'shift'))
            continue
        yield f'{name}.weight', conv if kind.startswith('conv') else 'F32', shape
        if kind != 'conv':
            yield f'{name}.bias', 'F32', out


def quantized(put_back):
    for kind, name, shape in parts():
        if kind == 'norm':
            yield from ((f'{name}.{array}', 'U8', shape) for array in ('flip', 'knot'))
        elif kind == 'head':
            yield f'{name}.weight', 'F32', shape
            yield f'{name}.bias', 'F32', shape[:1]
        else:
            two = kind == 'stem' or name in put_back
            for array in ('weight_hi', 'weight_lo') if two else ('weight',):
                yield f'{name}.{array}', 'I8', shape
            yield from ((f'{name}.{array}', 'F32', shape[-1:]) for array in ('m', 'b'))


def write(path, tensors, **metadata):
    metadata['folded'] = METADATA['folded'] + metadata['folded']
    header, data = {'__metadata__': dict(METADATA, **metadata)}, b''
    tensors = [*tensors, *((f'probe.{a}', 'F32', [4, CLASSES]) for a in ('reference', 'answers'))]
    for name, dtype, shape in sorted(tensors, key=lambda t: -len(ELEMENTS[t[1]])):
        count = 1
        for side in shape:
            count *= side
        values = ELEMENTS[dtype] * count
        header[name] = {'dtype': dtype, 'shape': shape,
                        'data_offsets': [len(data), len(data) + len(values)]}
        data += values
    size = 256 * 256 * 3
    header['probe.picture'] = {'dtype': 'U8', 'shape': [256, 256, 3],
                               'data_offsets': [len(data), len(data) + size]}
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    with open(f'{sys.argv[1]}/{path}', 'wb') as f:
        f.write(b'\0' + struct.pack('<Q', len(text)) + text + data)


for precision, conv in ('fp32', 'F32'), ('bf16', 'BF16'):
    write(f'optimized/{precision}', optimized(conv), chexnet_format='optimized',
          precision=precision, folded='scale and shift')
CONVOLUTIONS = [name for kind, name, _ in parts() if kind.startswith('conv')]
for seed, put_back in ('plain', []), ('put-back', CONVOLUTIONS[::2]):
    write(f'quantized/{seed}', quantized(put_back), chexnet_format='quantized', precision='int8',
          folded='flip and knot, their scales into the weights behind them',
          calibration_sha256='0' * 64, method='minmax', images='16', bit_exact='true',
          put_back=','.join(put_back), auc_drop='0.001' if put_back else '')
