#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Losses with their gradients, and learning rates, as PyTorch computes them in double precision.
Usage: make_train_parts.py, in this folder; writes train_loss.txt and train_schedule.txt.
Made with torch 2.15."""
import torch
from torch.optim import lr_scheduler as sched

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)
IMAGES, CLASSES = 3, 14


def weights_of(labels):
    positives = labels.mean(0)
    return 1 - positives, positives


def bce(p, t, _):
    return torch.nn.BCELoss()(p, t)


def weighted_bce(p, t, w):
    return -(w[0] * t * torch.log(p) + w[1] * (1 - t) * torch.log(1 - p)).mean()


def focal(p, t, _):
    q = torch.where(t > 0.5, p, 1 - p)
    return -((1 - q) ** 2 * torch.log(q)).mean()


def seed_ce(p, t, _):
    return torch.nn.CrossEntropyLoss()(p, t)


def write_losses(out):
    """A line of labels as masks, then for each loss and number of views: name, views, the loss, the
    logits and their derivatives."""
    labels = (torch.rand(IMAGES, CLASSES) < 0.3).double()
    masks = [int(sum(int(v) << c for c, v in enumerate(row))) for row in labels]
    out.write(' '.join(map(str, masks)) + '\n')
    for name, loss in (('bce', bce), ('weighted-bce', weighted_bce), ('focal', focal),
                       ('seed-ce', seed_ce)):
        for views in (1, 10):
            logits = (3 * torch.randn(IMAGES, views, CLASSES) * 64).round().div(64).requires_grad_()
            value = loss(torch.sigmoid(logits).mean(1), labels, weights_of(labels))
            value.backward()
            numbers = [value.item()] + logits.flatten().tolist() + logits.grad.flatten().tolist()
            out.write(f'{name} {views} ' + ' '.join(f'{x:.17g}' for x in numbers) + '\n')


def rates(make, steps, each_step=True, losses=None):
    """Rates of `steps` updates, or, epoch by epoch of 5 updates, those of a scheduler that is moved
    on after each epoch."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = make(optimizer)
    got = []
    for step in range(steps):
        got.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        if each_step:
            scheduler.step()
        elif step % 5 == 4:
            scheduler.step(*([losses[step // 5]] if losses else []))
    return got


def warm_cosine(optimizer):
    warm = sched.LinearLR(optimizer, start_factor=1 / 8, total_iters=7)
    down = sched.CosineAnnealingLR(optimizer, T_max=60 - 8)
    return sched.SequentialLR(optimizer, [warm, down], milestones=[8])


LOSSES = [0.9, 0.8, 0.81, 0.82, 0.83, 0.7, 0.69999, 0.75, 0.74, 0.73, 0.72, 0.71]


def write_schedules(out):
    """The validation losses of the epochs, then for each schedule its rates of 60 updates, 5 an
    epoch."""
    out.write(' '.join(map(str, LOSSES)) + '\n')
    for name, got in (
            ('step', rates(lambda o: sched.StepLR(o, 3, 0.1), 60, False)),
            ('cosine', rates(lambda o: sched.CosineAnnealingLR(o, 60), 60)),
            ('warm-cosine', rates(warm_cosine, 60)),
            ('plateau', rates(lambda o: sched.ReduceLROnPlateau(o, 'min', 0.1, 2), 60, False,
                              LOSSES)),
            ('one-cycle', rates(lambda o: sched.OneCycleLR(o, 0.1, total_steps=60,
                                                           cycle_momentum=False), 60))):
        out.write(name + ' ' + ' '.join(f'{x:.17g}' for x in got) + '\n')


with open('train_loss.txt', 'w', encoding='ascii') as f:
    write_losses(f)
with open('train_schedule.txt', 'w', encoding='ascii') as f:
    write_schedules(f)
