#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden files of the network: nn_names.txt, nn_small.f32, nn_pictures.u8, nn_expected.txt,
nn_shapes.txt, nn_window.f32.

Made with torch 2.15.0, torchvision 0.29.2, numpy 2.4.6, Pillow 13.0.0 on x86-64:
    python3 tests/golden/make_nn.py
"""
import pathlib

import numpy as np
import torch
from PIL import Image
from torchvision import transforms
from torchvision.models import DenseNet, densenet121

HERE = pathlib.Path(__file__).parent
SIDE = 64
# (picture, mirrored); picture 0 and 1 are grey, 2 is RGB.
VIEWS = [(0, False), (0, True), (1, False), (2, False), (2, True)]
# Windows (picture, x, y, width, height, mirrored) whose sides are not multiples of 32, so that one
# or another of the network's five halvings meets an odd side.
SHAPES = [(0, 0, 0, 33, 32, False), (0, 1, 3, 63, 61, False), (1, 5, 0, 50, 64, True),
          (1, 0, 2, 64, 47, False), (2, 7, 1, 57, 63, False), (2, 30, 20, 34, 35, True),
          (0, 3, 4, 48, 60, False), (1, 2, 9, 62, 55, True), (2, 0, 0, 40, 44, False)]


def small_network():
    """Every kind of layer of DenseNet-121, with odd counts, and statistics that are not 0 and 1."""
    torch.manual_seed(14)
    net = DenseNet(growth_rate=4, block_config=(2, 3, 2, 2), num_init_features=8, bn_size=2,
                   num_classes=14)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.5, 0.5)
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.25, 2.0)
        net.classifier.weight.uniform_(-0.4, 0.4)
        net.classifier.bias.uniform_(-1.0, 1.0)
    return net.eval()


def block_of(net):
    """Parameters in state_dict order, then running means and variances: nn/densenet.h."""
    params = [p.detach().numpy().ravel() for p in net.parameters()]
    stats = [b.numpy().ravel() for name, b in net.named_buffers() if "num_batches" not in name]
    return np.concatenate(params + stats).astype("<f4")


def pictures():
    """Two grey and one RGB picture: smooth shapes with noise, extremes included."""
    rng = np.random.default_rng(14)
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    waves = [np.sin(9 * x + 4 * y), np.cos(7 * x * y + 3 * x), np.sin(20 * y) * x,
             np.cos(11 * x - 5 * y), np.sin(6 * x) * np.cos(8 * y)]
    planes = [np.clip(128 + 140 * w + rng.normal(0, 8, w.shape), 0, 255).astype(np.uint8)
              for w in waves]
    return [planes[0], planes[1], np.stack(planes[2:], axis=2)]


def normalised(picture, mirror, dtype):
    """ToTensor and Normalize of torchvision, in `dtype` throughout."""
    rgb = np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture
    t = torch.from_numpy(rgb.copy()).permute(2, 0, 1).to(dtype) / 255
    mean = torch.tensor([0.485, 0.456, 0.406], dtype=dtype)[:, None, None]
    deviation = torch.tensor([0.229, 0.224, 0.225], dtype=dtype)[:, None, None]
    t = (t - mean) / deviation
    return t.flip(2) if mirror else t


def expected(net, images, dtype):
    net = net.to(dtype)
    batch = torch.stack([normalised(images[i], mirror, dtype) for i, mirror in VIEWS])
    with torch.no_grad():
        return torch.sigmoid(net(batch)).double().numpy()


def expected_shapes(net, images):
    for i, x, y, width, height, mirror in SHAPES:
        view = normalised(images[i][y:y + height, x:x + width], mirror, torch.float64)
        with torch.no_grad():
            yield torch.sigmoid(net.double()(view[None]))[0].numpy()


def write_names():
    full = densenet121()
    full.classifier = torch.nn.Linear(1024, 14)
    with open(HERE / "nn_names.txt", "w", encoding="ascii") as f:
        for name, value in full.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                f.write(f"{name} {'x'.join(str(d) for d in value.shape)}\n")


def write_window():
    """What ToTensor and Normalize make of each grey level, [256][3], to the bit."""
    levels = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(1, 256)).convert("RGB")
    norm = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    out = norm(transforms.ToTensor()(levels))
    out.permute(1, 2, 0).contiguous().numpy().astype("<f4").tofile(HERE / "nn_window.f32")


def main():
    write_names()
    write_window()
    net, images = small_network(), pictures()
    block_of(net).tofile(HERE / "nn_small.f32")
    with open(HERE / "nn_pictures.u8", "wb") as f:
        for image in images:
            f.write(image.tobytes())
    with open(HERE / "nn_expected.txt", "w", encoding="ascii") as f:
        for dtype in (torch.float64, torch.float32):
            for row in expected(net, images, dtype):
                f.write(" ".join(f"{v:.17g}" for v in row) + "\n")
    with open(HERE / "nn_shapes.txt", "w", encoding="ascii") as f:
        for shape, row in zip(SHAPES, expected_shapes(net, images)):
            f.write(" ".join(str(int(v)) for v in shape) + " ")
            f.write(" ".join(f"{v:.17g}" for v in row) + "\n")


if __name__ == "__main__":
    main()
