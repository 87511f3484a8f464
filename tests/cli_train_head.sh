#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Training from torchvision's DenseNet-121 of 1000 classes in PyTorch's old form: the head is made
# anew, which is said, and all else is the file's to the bit before the first step. Skipped where
# there is no PyTorch: CXN_PEERS_PYTHON, or build/peers-venv, or python3 must have it.
# usage: cli_train_head.sh CHEXNET
set -u
chexnet=$1
export PYTHONDONTWRITEBYTECODE=1
python=
for try in "${CXN_PEERS_PYTHON:-}" build/peers-venv/bin/python python3; do
    [ -n "$try" ] && "$try" -c 'import torch, torchvision' 2>/dev/null && python=$try && break
done
if [ -z "$python" ]; then
    echo "skipped: no PyTorch to make the weights"
    exit 77
fi
. tests/cli_expect.sh

"$python" tests/golden/make_imagenet.py "$work/imagenet.pth" || exit 1
"$chexnet" phantom --out "$work/set" --images 20 --size 256 --seed 3 --balanced >/dev/null || exit 1
cat "$work"/set/{train,val,test}_list.txt >"$work/all.txt"
head -n 4 "$work/all.txt" >"$work/list.txt"
start=(--images "$work/set/images" --train "$work/list.txt" --val "$work/list.txt"
    --weights "$work/imagenet.pth" --batch 2 --max-steps 1)

expect 0 'done after 1 steps' train "${start[@]}" --out "$work/run"
grep -q 'imagenet.pth: its head has 1000 classes, not 14: the head is made anew' "$work/err" ||
    complain "a new head: not said"
# A frozen backbone and a rate of 0 leave the weights as they were before the first step; run.json
# has the hash of them, of any training.
expect 0 'done after 1 steps' train "${start[@]}" --out "$work/still" --freeze backbone --lr 0
expect 0 'done after 1 steps' train "${start[@]}" --out "$work/seed" --seed 2 \
    --freeze backbone --lr 0
"$python" - "$work" <<'P' || complain "what the training began with"
import hashlib, json, struct, sys
import torch, torchvision
sys.path.insert(0, "tests/golden")
from make_model import old_spelling
work = sys.argv[1]

def tensors(run):
    with open(f"{work}/{run}/last/weights.safetensors", "rb") as f:
        size, = struct.unpack("<Q", f.read(8))
        header, data = json.loads(f.read(size)), f.read()
    return {name: data[slice(*t["data_offsets"])] for name, t in header.items()
            if name != "__metadata__"}

def first_hash(run):
    with open(f"{work}/{run}/run.json") as f:
        return json.load(f)["weights_sha256"]

source, still, run = torch.load(f"{work}/imagenet.pth"), tensors("still"), tensors("run")
net = torchvision.models.densenet121(num_classes=14)
names = [name for name, _ in [*net.named_parameters(), *net.named_buffers()]
         if not name.endswith("num_batches_tracked")]  # the order of the flat block
assert sorted(names) == sorted(still) and len(source) == len(names)
for name in names:
    if not name.startswith("classifier."):
        assert still[name] == source[old_spelling(name)].numpy().tobytes(), name
        assert run[name] != still[name], name
head = torch.frombuffer(bytearray(still["classifier.weight"]), dtype=torch.float32)
assert head.numel() == 14 * 1024 and 0 < head.abs().max() <= 1 / 32  # as torch.nn.Linear draws it
assert hashlib.sha256(b"".join(still[name] for name in names)).hexdigest() == first_hash("still")
assert first_hash("run") == first_hash("still") != first_hash("seed")
P

[ $failed -eq 0 ] && echo "cli_train_head: all as expected"
exit $failed
