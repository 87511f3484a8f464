#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden file train_bf16.f64: how far gradients of PyTorch in bfloat16 (autocast) are from those in
double, L2-relative, for each parameter tensor of the full network, on the batch of make_train.py.

Made with torch 2.15.0, torchvision 0.29.2, numpy 2.4.6 on x86-64 with two threads:
    python3 tests/golden/make_train_bf16.py
"""
import copy

import numpy as np
import torch

import make_train


def autocast_gradients(net, inputs, targets):
    net = copy.deepcopy(net).float().train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(inputs.float())
    make_train.loss_of("bce", logits.float(), targets.float()).backward()
    return [p.grad.double().numpy().ravel() for p in net.parameters()]


def distances(net, inputs, targets):
    exact = make_train.gradients(net, inputs, targets, torch.float64)[2]
    rounded = autocast_gradients(net, inputs, targets)
    far = [np.linalg.norm(r - e) / np.linalg.norm(e) for r, e in zip(rounded, exact)]
    print(f"{np.median(far):.2f} in the median, {max(far):.2f} at most")
    return far


def main():
    make_train.write("train_bf16.f64",
                     [distances(make_train.full_network(), *make_train.full_views())])


if __name__ == "__main__":
    main()
