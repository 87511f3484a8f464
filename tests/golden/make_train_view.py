#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden files of a training view's samples: train_view.txt (the views) and train_view.u8 (what
they see, in the same order, before mirroring).

Written from the definition in src/nn/trainer.h, in exact fractions, with Python 3.11 alone:
    python3 tests/golden/make_train_view.py

src/nn/train_view.c rounds positions to 2^-26 of a pixel, by which a value changes by less than
1e-5; an implementation in doubles stays within 1e-10. No sample here lies nearer than 1e-5 to a tie
without being one, and those that are ties have positions and gains of few bits, exact in either: so
the test expects equality.
"""
import math
import pathlib
import struct
from fractions import Fraction

HERE = pathlib.Path(__file__).parent
SIDE = 32  # of every window


def sample(x, y, channel):
    """The picture of tests/unit/test_train_view.c."""
    return (5 * x * x + 3 * y * y + 7 * x * y + 11 * (x ^ y) + 91 * channel) % 256


def f32(value):
    return struct.unpack('<f', struct.pack('<f', value))[0]


def turned(degrees, scale_x, scale_y):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [c * scale_x, -s * scale_y, s * scale_x, c * scale_y]


# width, height, channels, x, y, matrix (None: not resampled), shift, gain
VIEWS = [
    (48, 40, 1, 9, 3, turned(7, 1, 1), (0, 0), 1),
    (48, 40, 1, 9, 3, turned(-5, 0.93, 0.93), (1.3, -2.1), 1.1),
    (40, 48, 3, 4, 11, turned(10, 1.08, 1.04), (-3.4, 2.7), 0.87),
    (40, 48, 3, 8, 0, None, (0, 0), 1.3),
    (32, 32, 1, 0, 0, [1, 0, 0, 1], (0.5, -0.25), 1),     # ties
    (32, 32, 3, 0, 0, [2, 0, 0, 0.5], (-7.5, 3.25), 0.5),  # ties, and half of it outside
    (33, 47, 1, 1, 15, [0.1, 3.7, -2.9, 0.02], (11, -6), 1.9),
]


def at(view, x, y, channel):
    width, height = view[:2]
    return sample(x, y, channel) if 0 <= x < width and 0 <= y < height else 0


def exact(view, column, row, channel):
    """The value before rounding, and whether it is exact in doubles because its numbers are of few
    bits."""
    x0, y0, matrix, shift, gain = view[3:]
    if matrix is None:
        return sample(x0 + column, y0 + row, channel) * Fraction(f32(gain)), True
    m = [Fraction(f32(v)) for v in matrix]
    half = Fraction(SIDE - 1, 2)
    from_centre = column - half, row - half
    x = x0 + half + Fraction(f32(shift[0])) + m[0] * from_centre[0] + m[1] * from_centre[1]
    y = y0 + half + Fraction(f32(shift[1])) + m[2] * from_centre[0] + m[3] * from_centre[1]
    left, top = math.floor(x), math.floor(y)
    value = 0
    for dx, dy in (0, 0), (1, 0), (0, 1), (1, 1):
        weight = (1 - abs(x - left - dx)) * (1 - abs(y - top - dy))
        value += weight * at(view, left + dx, top + dy, channel)
    few = x.denominator <= 64 and y.denominator <= 64 and Fraction(f32(gain)).denominator <= 64
    return value * Fraction(f32(gain)), few


def rounded(value, few):
    """To the nearest, ties to the even one (as Python's round does), clipped."""
    from_tie = abs(value % 1 - Fraction(1, 2))
    assert few or value > 255 or from_tie > Fraction(1, 10**5), value
    return min(round(value), 255)


def main():
    lines, samples, ties = [], bytearray(), 0
    for view in VIEWS:
        width, height, channels, x, y, matrix, shift, gain = view
        numbers = [*(matrix or [1, 0, 0, 1]), *shift, gain]
        lines.append(' '.join([*map(str, (width, height, channels, x, y, int(matrix is not None))),
                               *(f32(v).hex() for v in numbers)]))
        for row in range(SIDE):
            for column in range(SIDE):
                for channel in range(channels):
                    value, few = exact(view, column, row, channel)
                    ties += value % 1 == Fraction(1, 2)
                    samples.append(rounded(value, few))
    (HERE / 'train_view.txt').write_text('\n'.join(lines) + '\n')
    (HERE / 'train_view.u8').write_bytes(samples)
    print(f'{len(VIEWS)} views, {len(samples)} samples, {ties} of them ties')


if __name__ == '__main__':
    main()
