#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""train_peers.py CHEXNET SHARED: training in the reference's manner against PyTorch.

`chexnet train --crops ten --batch 4 --loss seed-ce --optimizer sgd --lr 1e-4 --shards 1` and the
same written with PyTorch take ten steps in float32 from the same weights on the same real X-rays:
the losses must agree to 1e-5, what the weights have moved by to 1e-2. Skipped by name where the
packages of bench/peers, the pictures or the weights are absent.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

LOSS_BOUND, CHANGE_BOUND = 1e-5, 1e-2
STEPS, BATCH = 10, 4
LR, MOMENTUM = 1e-4, .9
sys.path.insert(0, 'bench/peers')
try:
    import torch
    from PIL import Image
    from safetensors.torch import load_file
    from model import load_model, transform
except ImportError as why:
    print(f'skipped: training against PyTorch ({why})')
    sys.exit(77)

chexnet, shared = sys.argv[1], pathlib.Path(sys.argv[2])
weights, sample = shared / 'weights' / 'nih-sample.pth', shared / 'nih-sample'
if not weights.exists() or not sample.is_dir():
    print(f'skipped: training against PyTorch (no pictures and weights in {shared})')
    sys.exit(77)


def by_chexnet(lines, folder):
    """The losses and the weights after the last step."""
    for name, part in ('train', lines), ('val', lines[:1]):
        (folder / f'{name}.txt').write_text(''.join(f'{line}\n' for line in part))
    out = folder / 'run'
    done = subprocess.run(
        [chexnet, 'train', '--images', sample / 'images', '--train', folder / 'train.txt',
         '--val', folder / 'val.txt', '--weights', weights, '--out', out, '--epochs', '1',
         '--shuffle', 'off', '--crops', 'ten', '--batch', str(BATCH), '--loss', 'seed-ce',
         '--optimizer', 'sgd', '--lr', str(LR), '--shards', '1'], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f'chexnet train: {done.stderr}')
    print([line for line in done.stdout.splitlines() if '15,000' in line][0])
    rows = [json.loads(line) for line in (out / 'log.jsonl').read_text().splitlines()]
    return [row['loss'] for row in rows if 'lr' in row], load_file(out / 'last/weights.safetensors')


def by_pytorch(lines):
    net, cut = load_model(weights).train(), transform()
    rule = torch.optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM)
    judge, losses = torch.nn.CrossEntropyLoss(), []
    for at in range(0, len(lines), BATCH):
        rows = [line.split() for line in lines[at:at + BATCH]]
        labels = torch.tensor([[float(value) for value in row[1:]] for row in rows])
        crops = torch.cat([cut(Image.open(sample / 'images' / row[0]).convert('RGB'))
                           for row in rows])
        rule.zero_grad()
        loss = judge(torch.sigmoid(net(crops)).reshape(BATCH, 10, -1).mean(1), labels)
        loss.backward()
        rule.step()
        losses.append(loss.item())
    return losses, dict(net.named_parameters())


torch.set_num_threads(2)
lines = (sample / 'train_list.txt').read_text().splitlines()[:STEPS * BATCH]
with tempfile.TemporaryDirectory() as folder:
    losses, after = by_chexnet(lines, pathlib.Path(folder))
want, parameters = by_pytorch(lines)
before = dict(load_model(weights).named_parameters())
off = max(abs(ours / theirs - 1) for ours, theirs in zip(losses, want, strict=True))
moved = apart = 0.
for name, theirs in parameters.items():
    theirs = theirs.detach().double()
    moved += (theirs - before[name].detach().double()).square().sum().item()
    apart += (theirs - after[name].double()).square().sum().item()
change = (apart / moved) ** .5
print(f'losses {losses[0]:.5f} to {losses[-1]:.5f} in {STEPS} steps: {off:.2e} from PyTorch\'s, '
      f'at most {LOSS_BOUND}; change of the weights {change:.2e}, at most {CHANGE_BOUND}')
sys.exit(not (off <= LOSS_BOUND and change <= CHANGE_BOUND and moved > 0))
