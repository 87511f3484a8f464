# SPDX-License-Identifier: Apache-2.0
"""Golden answers of the full DenseNet-121 for weights and a picture made by formula.

The weights are a hash of the tensor's number and the element's, so that tests/unit/formula.c makes
the same bits without a 28 MB file in the repository. Writes tests/golden/full.txt: 14 ten-crop,
14 centre-crop and 14 whole-picture (with its mirror image) probabilities of torchvision's
densenet121 in float64 and float32.

Made with torch 2.15.0, torchvision 0.29.2, Pillow 13.0.0, numpy 2.4.6:
    python3 tests/golden/make_full.py
"""
import pathlib

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision import transforms

WIDTH, HEIGHT = 300, 340


def mix(x):
    """MurmurHash3's 32-bit finaliser."""
    x = x.astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return x


def unit(stream, count):
    """count floats in [0, 1), each a multiple of 2^-24."""
    with np.errstate(over="ignore"):
        start = np.uint32(0x9E3779B9) * np.uint32(stream + 1)
        bits = mix(np.arange(count, dtype=np.uint32) + start)
    return (bits >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def tensor(number, name, shape):
    u = unit(number, int(np.prod(shape)))
    if len(shape) > 1:
        fan_in = int(np.prod(shape[1:]))
        w = (np.float32(2) * u - np.float32(1)) * np.float32(np.sqrt(6.0 / fan_in))
    elif name.endswith("running_var") or (name.endswith("weight")):
        w = np.float32(0.5) + u
    else:
        w = (u - np.float32(0.5)) * np.float32(0.25)
    return torch.from_numpy(w.reshape(shape))


def picture():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.uint32)
    noise = mix(y * np.uint32(WIDTH) + x) >> np.uint32(27)
    return ((x * 3 // 5 + y // 4 + noise) & 255).astype(np.uint8)


def main():
    torch.set_grad_enabled(False)
    net = torchvision.models.densenet121(num_classes=14).eval()
    state, number = {}, 0
    for name, old in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        state[name] = tensor(number, name, tuple(old.shape))
        number += 1
    net.load_state_dict(state, strict=False)
    image = transforms.Resize(256)(Image.fromarray(picture()).convert("RGB"))
    normal = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    crops = transforms.TenCrop(224)(image)
    batch = torch.stack([normal(transforms.ToTensor()(c)) for c in crops])
    whole = normal(transforms.ToTensor()(image))
    whole = torch.stack([whole, whole.flip(2)])
    rows = []
    for kind in (torch.float64, torch.float32):
        prob = torch.sigmoid(net.to(kind)(batch.to(kind)))
        rows += [prob.mean(0), prob[4], torch.sigmoid(net(whole.to(kind))).mean(0)]
    out = pathlib.Path(__file__).with_name("full.txt")
    with out.open("w") as f:
        f.write("# ten64 center64 full64 ten32 center32 full32, a line a finding; "
                "made by make_full.py\n")
        for c in range(14):
            f.write(" ".join("%.17g" % float(r[c]) for r in rows) + "\n")


if __name__ == "__main__":
    main()
