#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden files of training: train_small.f64, train_full.f64, train_settled.f64, train_runs.f64.

Weights, pictures, windows and labels are made by formula (tests/unit/formula.c makes the same bits)
or are those of make_nn.py. All files are little-endian doubles.

train_small.f64  the shrunken network, the five views of make_nn.py, binary cross-entropy:
                 logits [5][14], the loss, the gradient slot (gradients in the order of the flat
                 block, then batch means and unbiased batch variances), and for each parameter
                 tensor the distance of float32's gradient, L2-relative
train_full.f64   DenseNet-121, settled, four views of 224x224: logits [4][14], the loss, and for
                 each parameter tensor the norm of its gradient, the distances of float32's and of
                 bfloat16's (autocast), L2-relative, and SAMPLES entries
train_settled.f64  what settled_network() sets: pairs of a place in the flat block and a number
train_runs.f64   for each of RUNS: the losses before each step in float64, and in float32, and for
                 each tensor of the network, in state_dict order, the norm of its change, the
                 distance of float32's change, L2-relative, and RUN_SAMPLES entries of the change

Made with torch 2.15.0, torchvision 0.29.2, numpy 2.4.6, Pillow 13.0.0 on x86-64 with two threads:
    python3 tests/golden/make_train.py
"""
import copy
import pathlib
from collections import namedtuple

import numpy as np
import torch
from torchvision.models import densenet121

import make_nn
from make_full import mix, tensor, unit

HERE = pathlib.Path(__file__).parent
CLASSES = 14
PICTURES, PICTURE_SIDE = 8, 240
SAMPLES, RUN_SAMPLES = 64, 8
MARGIN = 1e-4
RUN_SIDE, RUN_BATCH, CROP_MARGIN = 64, 4, 12

Run = namedtuple("Run", "net loss steps rule lr momentum nesterov decay")
RUNS = [
    Run("small", "bce", 20, "sgd", 1e-2, 0.0, False, 0.0),
    Run("small", "bce", 20, "sgd", 1e-2, 0.9, False, 0.0),
    Run("small", "bce", 20, "sgd", 1e-2, 0.9, True, 1e-2),
    Run("small", "bce", 20, "adamw", 1e-3, 0.0, False, 0.0),
    Run("small", "bce", 20, "adamw", 1e-3, 0.0, False, 0.1),
    Run("small", "seed-ce", 10, "sgd", 1e-4, 0.9, False, 0.0),
    Run("calm", "bce", 20, "sgd", 1e-2, 0.9, False, 0.0),
    Run("calm", "bce", 20, "adamw", 1e-4, 0.0, False, 1e-2),
    Run("calm", "seed-ce", 10, "sgd", 1e-4, 0.9, False, 0.0),
]


def full_network():
    """make_full.py's weights."""
    net = densenet121(num_classes=CLASSES)
    state, number = {}, 0
    for name, old in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        state[name] = tensor(number, name, tuple(old.shape))
        number += 1
    net.load_state_dict(state, strict=False)
    return net


def calm_network():
    """The same with biases of norms that let most values pass through ReLU. Without that, twenty
    steps of so deep a network are chaos: float32 and float64 part by 4 to 10 % in the loss."""
    net = full_network()
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.bias.add_(3.0)
    return net


def clear(values, bias):
    """The bias nearest to this one with which no value is within MARGIN of 0; values: without."""
    for k in range(1, 1000):
        for moved in (np.float32(bias + k * MARGIN), np.float32(bias - k * MARGIN)):
            if (values + float(moved)).abs().min() >= MARGIN:
                return float(moved)
    raise ValueError("no such bias")


def settled_network(inputs):
    """The calm network with some biases moved a little, so that for these inputs no value that
    ReLU sees is within MARGIN of its corner, which is several times as far as rounding in float32
    moves one. Without that, a value or two of 125 million falls on the other side of the corner
    in float32, and which ones is the luck of a kernel's order of adding: each changes a tensor's
    gradient by up to 4e-3. Also what was moved: {name of a bias: {channel: number}}."""
    net, moved = calm_network().double().train(), {}

    def settle(name, norm, out):
        near = ((out.abs() < MARGIN).sum((0, 2, 3)) > 0).nonzero().flatten().tolist()
        out = out.clone()
        for c in near:
            old = norm.bias[c].item()
            new = clear(out[:, c] - old, old)
            out[:, c] += new - old
            norm.bias[c] = new
            moved.setdefault(name + ".bias", {})[c] = new
        return out

    for name, module in net.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.register_forward_hook(lambda m, _, out, name=name: settle(name, m, out))
            module.momentum = 0.0  # the running statistics stay
    with torch.no_grad():
        net(inputs)
    fresh = calm_network()
    fresh.load_state_dict(net.state_dict())
    return fresh, moved


def picture(k):
    """Grey, but every fourth one is RGB."""
    channels = 3 if k % 4 == 3 else 1
    c, y, x = np.mgrid[0:channels, 0:PICTURE_SIDE, 0:PICTURE_SIDE].astype(np.uint32)
    noise = mix(((c + 3 * k) * 256 + y) * 256 + x) >> np.uint32(27)
    planes = ((x * (3 + k % 5) // 5 + y * (2 + c + k % 3) // 4 + noise) & 255).astype(np.uint8)
    return planes[0] if channels == 1 else planes.transpose(1, 2, 0)


def labels(k):
    return torch.from_numpy((unit(9000 + k, CLASSES) < 0.25).astype(np.float64))


def view(k, x, y, side, mirror):
    return make_nn.normalised(picture(k)[y:y + side, x:x + side], mirror, torch.float64)


def full_views():
    return (torch.stack([view(i + 1, 5 * i, 3 * i, 224, i % 2 == 1) for i in range(4)]),
            torch.stack([labels(i + 1) for i in range(4)]))


def run_batch(run, step):
    """Windows and labels of one step: [4] views, or [4 * 10] crops."""
    inputs, targets = [], []
    for i in range(RUN_BATCH):
        k = (step * RUN_BATCH + i) % PICTURES
        x, y = (7 * step + 3 * i) % 100, (5 * step + 11 * i) % 100
        targets.append(labels(k))
        if run.loss == "bce":
            inputs.append(view(k, x, y, RUN_SIDE, (step + i) % 2 == 1))
            continue
        corners = [(0, 0), (1, 0), (0, 1), (1, 1), (0.5, 0.5)]
        inputs += [view(k, x + int(CROP_MARGIN * cx), y + int(CROP_MARGIN * cy), RUN_SIDE, mirror)
                   for mirror in (False, True) for cx, cy in corners]
    return torch.stack(inputs), torch.stack(targets)


def loss_of(kind, logits, targets):
    if kind == "bce":
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)
    mean = torch.sigmoid(logits).view(RUN_BATCH, -1, CLASSES).mean(1)
    return torch.nn.functional.cross_entropy(mean, targets)


def gradients(net, inputs, targets, dtype):
    """Logits, loss, gradients, and batch statistics: with momentum 1 those become the running."""
    net = copy.deepcopy(net).to(dtype).train()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    logits = net(inputs.to(dtype))
    loss = loss_of("bce", logits, targets.to(dtype))
    loss.backward()
    grads = [p.grad.double().numpy().ravel() for p in net.parameters()]
    stats = [b.double().numpy().ravel() for name, b in net.named_buffers()
             if "num_batches" not in name]
    return logits.detach().double().numpy().ravel(), loss.item(), grads, stats


def distances(net, inputs, targets, grads):
    single = gradients(net, inputs, targets, torch.float32)[2]
    return far_of(single, grads)


def far_of(some, grads):
    return [np.linalg.norm(s - g) / np.linalg.norm(g) for s, g in zip(some, grads)]


def autocast_distances(net, inputs, targets, grads):
    net = copy.deepcopy(net).float().train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(inputs.float())
    loss_of("bce", logits.float(), targets.float()).backward()
    return far_of([p.grad.double().numpy().ravel() for p in net.parameters()], grads)


def samples(values, number, count):
    """Entries at places by formula; all, and then zeros, where there are not more than `count`."""
    if values.size <= count:
        return np.concatenate([values, np.zeros(count - values.size)])
    with np.errstate(over="ignore"):
        places = mix(np.arange(count, dtype=np.uint32) + np.uint32(1000 * number)) % values.size
    return values[places]


def write(name, parts):
    np.concatenate([np.ravel(p) for p in parts]).astype("<f8").tofile(HERE / name)


def write_small():
    net, images = make_nn.small_network(), make_nn.pictures()
    inputs = torch.stack([make_nn.normalised(images[i], mirror, torch.float64)
                          for i, mirror in make_nn.VIEWS])
    targets = torch.stack([labels(i) for i in range(len(make_nn.VIEWS))])
    logits, loss, grads, stats = gradients(net, inputs, targets, torch.float64)
    far = distances(net, inputs, targets, grads)
    print(f"small: loss {loss:.6f}, float32 {max(far):.1e} away at most")
    write("train_small.f64", [logits, [loss], *grads, *stats, far])


def block_places(net):
    """Where a tensor stands in the flat block: parameters, then statistics, as they come."""
    places, at = {}, 0
    for name, p in [*net.named_parameters(), *net.named_buffers()]:
        places[name] = at
        at += 0 if name.endswith("num_batches_tracked") else p.numel()
    return places


def write_full():
    inputs, targets = full_views()
    net, moved = settled_network(inputs)
    places = block_places(net)
    write("train_settled.f64", [[places[name] + c, number] for name, channels in moved.items()
                                for c, number in channels.items()])
    logits, loss, grads, _ = gradients(net, inputs, targets, torch.float64)
    far = distances(net, inputs, targets, grads)
    far16 = autocast_distances(net, inputs, targets, grads)
    print(f"full: loss {loss:.6f}, {sum(map(len, moved.values()))} biases moved; float32 "
          f"{np.median(far):.1e} away in the median, {max(far):.1e} at most; bfloat16 "
          f"{np.median(far16):.2f} and {max(far16):.2f}")
    parts = [logits, [loss]]
    for number, (g, d, d16) in enumerate(zip(grads, far, far16)):
        parts += [[np.linalg.norm(g), d, d16], samples(g, number, SAMPLES)]
    write("train_full.f64", parts)


def optimiser(run, net):
    if run.rule == "adamw":
        return torch.optim.AdamW(net.parameters(), lr=run.lr, weight_decay=run.decay)
    return torch.optim.SGD(net.parameters(), lr=run.lr, momentum=run.momentum,
                           nesterov=run.nesterov, weight_decay=run.decay)


def train(run, net, dtype):
    net = copy.deepcopy(net).to(dtype).train()
    rule, losses = optimiser(run, net), []
    for step in range(run.steps):
        inputs, targets = run_batch(run, step)
        rule.zero_grad()
        loss = loss_of(run.loss, net(inputs.to(dtype)), targets.to(dtype))
        loss.backward()
        rule.step()
        losses.append(loss.item())
    return losses, values_of(net)


def values_of(net):
    return [v.detach().double().numpy().ravel() for name, v in net.state_dict().items()
            if not name.endswith("num_batches_tracked")]


def write_runs():
    nets = {"small": make_nn.small_network(), "calm": calm_network()}
    parts = []
    for run in RUNS:
        losses, after = train(run, nets[run.net], torch.float64)
        single, after32 = train(run, nets[run.net], torch.float32)
        parts += [losses, single]
        distances = []
        for number, (a, s, b) in enumerate(zip(after, after32, values_of(nets[run.net]))):
            norm = np.linalg.norm(a - b)
            distances.append(np.linalg.norm(a - s) / norm)
            parts += [[norm, distances[-1]], samples(a - b, number, RUN_SAMPLES)]
        far = max(abs(s - l) / l for s, l in zip(single, losses))
        print(f"{run}: {losses[0]:.6f} to {losses[-1]:.6f}, float32 {far:.1e} away at most, "
              f"changes {np.median(distances):.1e} in the median, {max(distances):.1e}", flush=True)
    write("train_runs.f64", parts)


def main():
    write_small()
    write_full()
    write_runs()


if __name__ == "__main__":
    main()
