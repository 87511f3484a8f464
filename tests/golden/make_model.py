#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small weights files in every form and spelling that chexnet reads, into tests/golden/model/, and
smaller ones as seeds of the fuzz targets, into tests/fuzz/corpus/.

Made with torch 2.15.0, torchvision 0.29.2, safetensors 0.8.0, numpy 2.4.6. The network is
torchvision's DenseNet, shrunk; element i of tensor k (in state_dict order, counters of batches left
out) is ((31 k + 7 i) mod 61 - 30) / 32, and its magnitude for a running variance: exact in every
float type. tests/unit/weights_case.c computes the same.
"""
import collections
import pathlib
import pickle
import struct
import sys
import zipfile

import numpy
import torch
import torchvision
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
OUT = HERE / 'model'
CORPUS = HERE.parent / 'fuzz' / 'corpus'
MAGIC, PROTOCOL = 0x1950a86a20f9469cfc6c, 1001


def make_net():
    return torchvision.models.DenseNet(growth_rate=4, block_config=(2, 2, 2, 2),
                                       num_init_features=8, bn_size=2, num_classes=14)


def make_tiny(classes=1):
    return torchvision.models.DenseNet(growth_rate=1, block_config=(1, 1, 1, 1),
                                       num_init_features=2, bn_size=1, num_classes=classes)


def fill(net):
    k = 0
    for name, tensor in net.state_dict().items():
        if name.endswith('num_batches_tracked'):
            continue
        i = torch.arange(tensor.numel())
        values = ((31 * k + 7 * i) % 61 - 30).float() / 32
        tensor.copy_((values.abs() if name.endswith('running_var') else values).view_as(tensor))
        k += 1
    return net


def without_counters(state):
    return collections.OrderedDict((k, v) for k, v in state.items() if 'num_batches' not in k)


def renamed(state, function):
    return collections.OrderedDict((function(k), v) for k, v in state.items())


def old_spelling(name):
    for kind in 'norm', 'conv':
        for number in '12':
            if '.denselayer' in name:
                name = name.replace(f'.{kind}{number}.', f'.{kind}.{number}.')
    return name.replace('classifier.', 'classifier.0.')


class OldPickler(pickle.Pickler):
    """Pickles as PyTorch 0.1 to 0.3 did: _rebuild_tensor, GPU storages, OrderedDict of pairs."""

    def __init__(self, file, storages):
        super().__init__(file, 2)
        self.storages = storages

    def persistent_id(self, value):
        if not isinstance(value, torch.storage.TypedStorage):
            return None
        key = str(value._cdata)
        self.storages[key] = value
        return ('storage', torch.FloatStorage, key, 'cuda:0', value.size(), None)

    def reducer_override(self, value):
        if isinstance(value, torch.nn.Parameter):
            return torch._utils._rebuild_parameter, (value.data, True, collections.OrderedDict())
        if isinstance(value, torch.Tensor):
            return torch._utils._rebuild_tensor, (value._typed_storage(), value.storage_offset(),
                                                  tuple(value.size()), value.stride())
        if isinstance(value, collections.OrderedDict):
            return collections.OrderedDict, ([list(pair) for pair in value.items()],)
        return NotImplemented


def save_old(value, path):
    import io
    body, storages = io.BytesIO(), {}
    OldPickler(body, storages).dump(value)
    system = {'protocol_version': PROTOCOL, 'little_endian': True,
              'type_sizes': {'short': 2, 'int': 4, 'long': 4}}
    with open(path, 'wb') as file:
        for thing in MAGIC, PROTOCOL, system:
            pickle.dump(thing, file, 2)
        file.write(body.getvalue().replace(b'ctorch\nFloatStorage', b'ctorch.cuda\nFloatStorage'))
        pickle.dump(sorted(storages), file, 2)
        for key in sorted(storages):
            storage = storages[key]
            file.write(struct.pack('<q', storage.size()))
            file.write(numpy.array(storage.tolist(), '<f4').tobytes())


def make_seeds():
    folders = {kind: CORPUS / kind for kind in ('pickle', 'pth', 'safetensors')}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    values = {
        'one': {'w': torch.arange(4.0)},
        'wrapped': {'epoch': 3, 'best': numpy.float64(0.5), 'lr': 0.1, 'nothing': None,
                    'state_dict': collections.OrderedDict(
                        [('module.a', torch.nn.Parameter(torch.ones(2, 3).half().t())),
                         ('b.num_batches_tracked', torch.tensor(7))])},
        'sizes': [torch.Size([1, 2]), (True, False, -1, 1 << 40), torch.float32, {}],
    }
    for name, value in values.items():
        path = folders['pth'] / (name + '.pth')
        torch.save(value, path)
        with zipfile.ZipFile(path) as archive:
            (folders['pickle'] / name).write_bytes(archive.read(name + '/data.pkl'))
        torch.save(value, folders['pth'] / (name + '_legacy.pth'),
                   _use_new_zipfile_serialization=False)
    save_file({'w': torch.arange(4.0), 'u': torch.zeros(3, dtype=torch.uint8),
               'e': torch.zeros(0, 2)}, folders['safetensors'] / 'few', metadata={'k': 'v'})
    save_file({'é"\n': torch.ones(1, dtype=torch.bfloat16)}, folders['safetensors'] / 'escaped')


def main():
    make_seeds()
    OUT.mkdir(exist_ok=True)
    legacy = {'_use_new_zipfile_serialization': False}

    def save(value, name, **options):
        torch.save(value, OUT / name, **options)

    state = fill(make_net()).state_dict()
    save(state, 'plain.pth')
    save(without_counters(state), 'legacy.pth', **legacy)
    save_file({k: v.contiguous() for k, v in state.items()}, OUT / 'plain.safetensors',
              metadata={'format': 'pt', 'note': 'shrunken DenseNet'})
    save({k: v.to(memory_format=torch.channels_last) if v.dim() == 4 else v
          for k, v in without_counters(state).items()}, 'channels_last.pth')

    net = fill(make_tiny())
    state = net.state_dict()
    bare = without_counters(state)
    save(state, 'tiny.pth')
    save(bare, 'tiny_legacy.pth', **legacy)
    save_file(state, OUT / 'tiny.safetensors', metadata={'a': 'b'})
    save(renamed(state, lambda k: 'module.' + k), 'module.pth')
    save({'state_dict': renamed(bare, lambda k: 'module.densenet121.' + old_spelling(k)),
          'epoch': 3, 'best_loss': numpy.float64(0.25),
          'optimizer': torch.optim.SGD(net.parameters(), 0.1, 0.9).state_dict()}, 'wrapped.pth')
    save({'model': {'state_dict': renamed(bare, lambda k: 'model.module.model.' + k)}},
         'nested.pth')
    save({k: v.half() for k, v in bare.items()}, 'half.pth')
    save({k: v.bfloat16() for k, v in bare.items()}, 'bfloat16.pth')
    save({k: v.double() for k, v in bare.items()}, 'double.pth', **legacy)
    flat = torch.cat([v.flatten() for v in bare.values()])
    views, at = {}, 0
    for name, value in bare.items():
        views[name] = flat[at:at + value.numel()].view(value.shape)
        at += value.numel()
    save(views, 'one_storage.pth')
    save(net, 'whole_module.pth')
    parameters = dict(net.named_parameters())
    save_old({'state_dict': collections.OrderedDict(
        (old_spelling(k), parameters.get(k, v)) for k, v in bare.items())}, OUT / 'old_gpu.pth')
    # As torchvision's weights of ImageNet are: the old form, the old spelling, and their head.
    thousand = without_counters(fill(make_tiny(classes=1000)).state_dict())
    save(renamed(thousand, lambda k: old_spelling(k).replace('classifier.0.', 'classifier.')),
         'thousand_classes.pth', **legacy)
    for path in sorted(OUT.iterdir()):
        print(f'{path.stat().st_size:8} {path.name}')


if __name__ == '__main__':
    sys.exit(main())
