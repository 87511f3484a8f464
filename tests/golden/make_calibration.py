#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden file of calibrations: nn_calibration.f64, what PyTorch's hooks see in double precision of
the network of make_nn.py, first on its views, then on its first picture repeated to 224x224, whose
maps are large enough for the engine to cut them into bands. Doubles in the order of
cxn_calibration's numbers: for each convolution and each norm before one, in the order of the
network, two arrays of its channels.

Made with torch 2.15.0, torchvision 0.29.2, numpy 2.4.6 on x86-64:
    python3 tests/golden/make_calibration.py
"""
import numpy as np
import torch
from make_nn import HERE, VIEWS, block_of, normalised, pictures, small_network

CHANNELS = (0, 2, 3)  # all but the channels of [image][channel][y][x]


def extremes(x):
    return x.amin(CHANNELS), x.amax(CHANNELS)


def bottleneck(x):
    return x.amax(CHANNELS), x.mean(CHANNELS)


def reader(x):
    return x.mean(CHANNELS), (x > 0).double().mean(CHANNELS)


def watched(net):
    """(module whose output is a map of the engine's, what is kept of it), in the file's order."""
    features = net.features
    yield features.pool0, extremes
    for b in range(1, 5):
        for layer in getattr(features, f"denseblock{b}").values():
            yield layer.relu1, reader
            yield layer.relu2, bottleneck
            yield layer.conv2, extremes
        if b < 4:
            transition = getattr(features, f"transition{b}")
            yield transition.relu, reader
            yield transition.pool, extremes
    yield features.norm5, lambda x: reader(torch.relu(x))


def main():
    net, images = small_network(), pictures()
    assert block_of(net).tobytes() == (HERE / "nn_small.f32").read_bytes(), "another network"
    net.double()
    kept = {}
    for i, (module, keep) in enumerate(watched(net)):
        module.register_forward_hook(
            lambda _module, _input, output, i=i, keep=keep: kept.update({i: keep(output)}))
    large = np.tile(images[0], (4, 4))[:224, :224]
    batches = [[normalised(images[i], mirror, torch.float64) for i, mirror in VIEWS],
               [normalised(large, False, torch.float64)]]
    with open(HERE / "nn_calibration.f64", "wb") as f:
        for batch in batches:
            with torch.no_grad():
                net(torch.stack(batch))
            arrays = [array.numpy() for i in sorted(kept) for array in kept[i]]
            f.write(np.concatenate(arrays).astype("<f8").tobytes())


if __name__ == "__main__":
    main()
