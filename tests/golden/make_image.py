#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values of the image tests, from Pillow and torchvision.

Made with Pillow 13.0.0, torchvision 0.29.2, numpy 2.4.6, Python 3.11 or later.

    python3 tests/golden/make_image.py                 files, expected pixels, resize checksums
    python3 tests/golden/make_image.py --nih FOLDER    checksums of a local copy of the NIH sample

tests/golden/image/*.png, *.jpg     small pictures of every kind
tests/golden/image/files.csv        name,width,height,channels,crc32 of the decoded samples
tests/golden/image/resize.csv       width,height,channels,out_width,out_height,crc32
tests/golden/nih-resize.csv         file,crc32 of Resize(256),crc32 of its ten crops
"""
import argparse
import csv
import io
import itertools
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from torchvision import transforms

HERE = Path(__file__).parent
FILES = HERE / "image"
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PAIRS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8),
         (4, 8), (4, 16), (6, 8), (6, 16)]
RESIZES = [(1, 1, 1), (1, 1, 3), (2, 3, 1), (255, 257, 1), (257, 255, 3), (257, 300, 1),
           (257, 300, 3), (256, 256, 1), (256, 300, 3), (300, 256, 1), (1024, 1024, 1),
           (1024, 1024, 3), (3000, 17, 1), (3000, 17, 3), (17, 3000, 1), (100, 90, 1),
           (90, 100, 3), (1000, 4, 1), (2500, 2048, 1), (1023, 769, 3), (4096, 513, 1)]


def crc(data):
    return f"{zlib.crc32(bytes(data)):08x}"


# ---- PNG, written here because Pillow cannot write all that it reads -----------------------------

def chunk(kind, data=b""):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def pack_row(samples, depth):
    """samples: [width * samples a pixel], the first in the highest bits"""
    if depth == 16:
        return samples.astype(">u2").tobytes()
    if depth == 8:
        return samples.astype(np.uint8).tobytes()
    bits = ((samples[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8)
    return np.packbits(bits.ravel()).tobytes()


def paeth(a, b, c):
    pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def filter_row(kind, row, up, bpp):
    out = bytearray([kind])
    for i, v in enumerate(row):
        a = row[i - bpp] if i >= bpp else 0
        c = up[i - bpp] if i >= bpp else 0
        out.append((v - [0, a, up[i], (a + up[i]) // 2, paeth(a, up[i], c)][kind]) & 255)
    return bytes(out)


def pack_pass(samples, depth, first_filter):
    """samples: [height][width][samples a pixel]; every filter is used in turn"""
    height, width, per_pixel = samples.shape
    if height == 0 or width == 0:
        return b""
    bpp = max(1, per_pixel * depth // 8)
    rows = [pack_row(samples[y].ravel(), depth) for y in range(height)]
    ups = [bytes(len(rows[0]))] + rows
    return b"".join(filter_row((first_filter + y) % 5, rows[y], ups[y], bpp)
                    for y in range(height))


def write_png(samples, colour, depth, interlaced=False, before=(), idat_bytes=1 << 20):
    height, width, _ = samples.shape
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    raw = b"".join(pack_pass(samples[y::dy, x::dx], depth, i)
                   for i, (x, y, dx, dy) in enumerate(passes))
    stream = zlib.compress(raw, 9)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    idat = [chunk(b"IDAT", stream[i:i + idat_bytes]) for i in range(0, len(stream), idat_bytes)]
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(before) + b"".join(idat)
            + chunk(b"IEND"))


def random_samples(rng, width, height, colour, depth):
    """Smooth enough to compress, rough enough to tell every mistake"""
    top = (1 << depth) - 1
    y, x, c = np.mgrid[0:height, 0:width, 0:SAMPLES[colour]]
    return ((x * 3 + y * 5 + c * 40) * (top / 255) + rng.integers(0, top // 4 + 2, x.shape)
            ).astype(np.int64) & top


def palette(rng, depth):
    return chunk(b"PLTE", rng.integers(0, 256, 3 << depth).astype(np.uint8).tobytes())


def png_files():
    rng = np.random.default_rng(7)
    for (colour, depth), interlaced in itertools.product(PAIRS, (False, True)):
        before = [palette(rng, depth)] if colour == 3 else []
        samples = random_samples(rng, 33, 21, colour, depth)
        name = f"type{colour}-depth{depth}{'-adam7' if interlaced else ''}.png"
        yield name, write_png(samples, colour, depth, interlaced, before)
    for width, height in ((1, 1), (2, 1), (1, 3), (3, 2), (5, 5), (4, 9)):
        samples = random_samples(rng, width, height, 0, 2)
        yield f"adam7-{width}x{height}.png", write_png(samples, 0, 2, True)
    grey = random_samples(rng, 20, 20, 0, 8)
    rgb = random_samples(rng, 20, 20, 2, 8)
    indices = random_samples(rng, 20, 20, 3, 4)
    yield "trns-grey.png", write_png(grey, 0, 8, before=[chunk(b"tRNS", b"\0\7")])
    yield "trns-rgb.png", write_png(rgb, 2, 8, before=[chunk(b"tRNS", b"\0\7\0\7\0\7")])
    yield "trns-palette-gamma.png", write_png(
        indices, 3, 4, before=[chunk(b"gAMA", struct.pack(">I", 20000)), palette(rng, 4),
                               chunk(b"tRNS", bytes(range(0, 250, 25)))])
    yield "suggested-palette.png", write_png(rgb, 2, 8, before=[palette(rng, 3)])
    yield "many-idat.png", write_png(rgb, 2, 8, idat_bytes=7)
    yield "grey-as-rgb.png", write_png(np.repeat(grey, 3, axis=2), 2, 8)
    yield "grey-as-rgba.png", write_png(np.repeat(grey, 4, axis=2), 6, 8)
    yield "wide-rgba16.png", write_png(random_samples(rng, 9000, 1, 6, 16), 6, 16)


# ---- JPEG ----------------------------------------------------------------------------------------

def smooth(width, height, channels):
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    wave = 127 + 80 * np.sin(x / 3.1 + c) + 45 * np.cos(y / 4.7 - 2 * c)
    return wave.clip(0, 255).astype(np.uint8)


def jpeg(pixels, **options):
    out = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(out, "JPEG", **{"quality": 85, **options})
    return out.getvalue()


def jpeg_files():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees: ignored, as Image.open does
    for width, height in ((37, 29), (1, 1), (16, 16), (65, 3)):
        rgb = smooth(width, height, 3)
        size = f"{width}x{height}"
        grey = Image.fromarray(rgb[:, :, 0])
        out = io.BytesIO()
        grey.save(out, "JPEG", quality=85)
        yield f"grey-{size}.jpg", out.getvalue()
        for sampling in ("4:4:4", "4:2:2", "4:2:0"):
            yield f"rgb-{sampling.replace(':', '')}-{size}.jpg", jpeg(rgb, subsampling=sampling)
    rgb = smooth(37, 29, 3)
    yield "progressive-rgb.jpg", jpeg(rgb, progressive=True)
    yield "progressive-grey.jpg", jpeg(rgb[:, :, :1], progressive=True)
    yield "restart.jpg", jpeg(rgb, restart_marker_blocks=2)
    yield "optimised.jpg", jpeg(rgb, optimize=True)
    yield "kept-rgb.jpg", jpeg(rgb, keep_rgb=True)
    yield "rotated.jpg", jpeg(rgb, exif=exif)
    yield "grey-as-rgb.jpg", jpeg(np.repeat(rgb[:, :, :1], 3, axis=2))


# ---- expectations --------------------------------------------------------------------------------

def one_channel_if_grey(pixels):
    """[h][w][3] -> [h][w] where the three are equal everywhere"""
    equal = (pixels == pixels[:, :, :1]).all()
    return pixels[:, :, 0] if equal else pixels


def decode(data):
    image = Image.open(io.BytesIO(data))
    if image.mode.startswith("I;16"):  # Pillow clips; the library scales
        return ((np.asarray(image).astype(np.uint32) + 128) // 257).astype(np.uint8)
    return one_channel_if_grey(np.asarray(image.convert("RGB")))


def make_files():
    with open(FILES / "files.csv", "w", newline="") as f:
        table = csv.writer(f, lineterminator="\n")
        for name, data in itertools.chain(png_files(), jpeg_files()):
            (FILES / name).write_bytes(data)
            pixels = decode(data)
            height, width = pixels.shape[:2]
            table.writerow([name, width, height, 1 if pixels.ndim == 2 else 3,
                            crc(pixels.tobytes())])


def formula(width, height, channels):
    """The same as make_picture() of tests/unit/image_support.c"""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels].astype(np.uint32)
    return ((x * 73 + y * 151 + c * 57 + x * y % 251) ^ (x // 8 * y // 16)).astype(np.uint8)


def make_resizes():
    resize = transforms.Resize(256)
    with open(FILES / "resize.csv", "w", newline="") as f:
        table = csv.writer(f, lineterminator="\n")
        for width, height, channels in RESIZES:
            out = np.asarray(resize(Image.fromarray(formula(width, height, channels).squeeze(2)
                                                    if channels == 1
                                                    else formula(width, height, channels))))
            table.writerow([width, height, channels, out.shape[1], out.shape[0],
                            crc(out.tobytes())])


def make_nih(folder):
    resize, ten = transforms.Resize(256), transforms.TenCrop(224)
    with open(HERE / "nih-resize.csv", "w", newline="") as f:
        table = csv.writer(f, lineterminator="\n")
        for path in sorted(folder.glob("images/*.png")) + sorted(folder.glob("original/*.png")):
            resized = resize(Image.open(path).convert("RGB"))
            crops = b"".join(one_channel_if_grey(np.asarray(c)).tobytes() for c in ten(resized))
            table.writerow([f"{path.parent.name}/{path.name}",
                            crc(one_channel_if_grey(np.asarray(resized)).tobytes()), crc(crops)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nih", type=Path, help="folder with images/ and original/")
    arguments = parser.parse_args()
    if arguments.nih:
        make_nih(arguments.nih)
        return
    FILES.mkdir(exist_ok=True)
    make_files()
    make_resizes()


if __name__ == "__main__":
    main()
