#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of fuzz_cache: small caches as docs/formats.md describes them.

    python3 tests/fuzz/make_cache_corpus.py tests/fuzz/corpus/cache
"""
import struct
import sys
import zlib


def align(n, to=64):
    return -(-n // to) * to


def entry(name, offset, data, width=0, height=0, channels=0, status=5):
    fixed = struct.pack('<QQqIIIIII', offset, 1000, 10**18, width, height, len(data),
                        zlib.crc32(data), channels | status << 8 | len(name) << 16, 0)
    text = name + b'\0'
    return fixed + text.ljust(align(len(text), 8), b'\0')


def cache(images, finished=True):
    """images: (name, data, width, height, channels, status), sorted by name."""
    body, index = bytearray(64), b''
    for name, data, *shape in images:
        size = len(entry(name, 0, data))
        at = align(len(body) + 16 + size)
        e = entry(name, at, data, *shape)
        body += b'CXNR' + struct.pack('<III', len(e), zlib.crc32(e), 0) + e
        body = body.ljust(at, b'\0') + data
        body = body.ljust(align(len(body)), b'\0')
        index += e
    where = (len(images), len(body), len(index), zlib.crc32(index)) if finished else (0, 0, 0, 0)
    head = b'CXNCACHE' + struct.pack('<IIQQQI', 1, 256, *where) + bytes(16)
    body[:64] = head + struct.pack('<I', zlib.crc32(head))
    return bytes(body) + (index if finished else b'')


BAD = (b'a.png', b'cannot open', 0, 0, 0, 5)
# Rows of zeros: the smallest pictures there are.
SEEDS = {
    'empty': b'\1' + cache([]),
    'bad': b'\1' + cache([BAD]),
    'two': b'\1' + cache([BAD, (b'b.png', b'why not', 0, 0, 0, 3)]),
    'picture': b'\1' + cache([(b'a.png', bytes(256 * 256), 256, 256, 1, 0)]),
    'partial': b'\2' + cache([BAD, (b'b.png', b'why not', 0, 0, 0, 3)], finished=False),
    'partial_finished': b'\2' + cache([BAD]),
    'partial_torn': b'\2' + cache([BAD, (b'b.png', b'why not', 0, 0, 0, 3)], finished=False)[:-70],
}

for seed, content in SEEDS.items():
    with open(f'{sys.argv[1]}/{seed}', 'wb') as out:
        out.write(content)
