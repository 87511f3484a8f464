#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ONNX models of the shrunken DenseNets of make_model.py, as PyTorch's two exporters write them
(less the notes of torch.export on each node) and as other tools may, into tests/golden/onnx/, and
seeds of fuzz_onnx, into tests/fuzz/corpus/onnx/.

Made with torch 2.15.0, torchvision 0.29.2, onnx 1.23.2, onnxscript 0.7.2, numpy 2.4.6. ours.onnx
and ours_int8.onnx are not made here: they are what test_onnx and test_onnx_quantized write, which
this script holds against protobuf.
"""
import pathlib
import sys
import warnings

import numpy
import onnx
import torch
from onnx import helper, numpy_helper

from make_model import fill, make_net, make_tiny

HERE = pathlib.Path(__file__).parent
OUT = HERE / 'onnx'
CORPUS = HERE.parent / 'fuzz' / 'corpus' / 'onnx'
SIDE = 64


def network(net):
    return torch.nn.Sequential(fill(net), torch.nn.Sigmoid()).eval()


def torchscript(name, opset, folded, net=None):
    training = torch.onnx.TrainingMode
    torch.onnx.export(network(net or make_tiny()), (torch.zeros(1, 3, SIDE, SIDE),), OUT / name,
                      dynamo=False,
                      opset_version=opset, do_constant_folding=folded, input_names=['x'],
                      dynamic_axes={'x': {0: 'n'}},
                      training=training.EVAL if folded else training.PRESERVE)


def torch_export(name, opset, external, dynamic):
    batch = {'dynamic_shapes': ({0: torch.export.Dim('n')},)} if dynamic else {}
    path = OUT / name
    torch.onnx.export(network(make_tiny()), (torch.zeros(2, 3, SIDE, SIDE),), path, dynamo=True,
                      verbose=False, opset_version=opset, external_data=external, **batch)
    model = onnx.load(path, load_external_data=False)
    del model.graph.value_info[:]
    for part in (model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]
    path.write_bytes(model.SerializeToString(deterministic=True))


def tensor(model, name):
    return next(t for t in model.graph.initializer if t.name == name)


def replace(model, index, *nodes):
    rest = list(model.graph.node)
    rest[index:index + 1] = nodes
    del model.graph.node[:]
    model.graph.node.extend(rest)


def index_of(model, op):
    return next(i for i, node in enumerate(model.graph.node) if node.op_type == op)


def other_spelling():
    """A norm as product and sum, Squeeze, MatMul and Add, logits, float_data and a Constant."""
    model = onnx.load(OUT / 'torchscript_17.onnx')
    at = index_of(model, 'BatchNormalization')
    node = model.graph.node[at]
    weight, bias, mean, var = (numpy_helper.to_array(tensor(model, n)).astype(numpy.float64)
                               for n in node.input[1:])
    scale = weight / numpy.sqrt(var + 1e-5)
    for name, values in ('scale', scale), ('shift', bias - mean * scale):
        model.graph.initializer.append(helper.make_tensor(
            name, onnx.TensorProto.FLOAT, (1, len(values), 1, 1),
            values.astype(numpy.float32).tolist()))
    replace(model, at, helper.make_node('Mul', ['scale', node.input[0]], ['product']),
            helper.make_node('Add', ['product', 'shift'], [node.output[0]]))
    at = index_of(model, 'Flatten')
    node = model.graph.node[at]
    axes = helper.make_tensor('', onnx.TensorProto.INT64, (2,), (-1, 2))
    replace(model, at, helper.make_node('Constant', [], ['axes'], value=axes),
            helper.make_node('Squeeze', [node.input[0], 'axes'], [node.output[0]]))
    at = index_of(model, 'Gemm')
    node = model.graph.node[at]
    turned = numpy_helper.to_array(tensor(model, node.input[1])).T
    model.graph.initializer.append(numpy_helper.from_array(turned.copy(), 'turned'))
    replace(model, at, helper.make_node('MatMul', [node.input[0], 'turned'], ['matmul']),
            helper.make_node('Add', [node.input[2], 'matmul'], ['logits']))
    replace(model, index_of(model, 'Sigmoid'))
    model.graph.output[0].name = 'logits'
    onnx.checker.check_model(model, full_check=True)
    return model


def turned_head():
    """Gemm with its weights [channels][classes], of the network with 14 classes."""
    model = onnx.load(OUT / 'turned_head.onnx')
    node = model.graph.node[index_of(model, 'Gemm')]
    weights = tensor(model, node.input[1])
    turned = numpy_helper.to_array(weights).T.copy()
    weights.CopyFrom(numpy_helper.from_array(turned, weights.name))
    next(a for a in node.attribute if a.name == 'transB').i = 0
    onnx.checker.check_model(model, full_check=True)
    return model


def half():
    """float16 throughout, as converters leave it: the ends cast."""
    model = onnx.load(OUT / 'torchscript_17_unfolded.onnx')
    for t in model.graph.initializer:
        values = numpy_helper.to_array(t)
        t.CopyFrom(numpy_helper.from_array(values.astype(numpy.float16), t.name))
    for node in model.graph.node:
        node.input[:] = ['x.half' if name == 'x' else name for name in node.input]
    last = model.graph.output[0].name
    model.graph.node[-1].output[0] = 'y.half'
    replace(model, len(model.graph.node), helper.make_node('Cast', ['y.half'], [last], to=1))
    first = index_of(model, 'Conv')
    replace(model, first, helper.make_node('Cast', ['x'], ['x.half'], to=10),
            model.graph.node[first])
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    OUT.mkdir(exist_ok=True)
    CORPUS.mkdir(exist_ok=True)
    torchscript('torchscript_11.onnx', 11, True)
    torchscript('torchscript_17.onnx', 17, True)
    torchscript('torchscript_17_unfolded.onnx', 17, False)
    torch_export('torch_export_18.onnx', 18, True, False)
    torch_export('torch_export_23.onnx', 23, False, True)
    onnx.save(other_spelling(), OUT / 'other_spelling.onnx')
    onnx.save(half(), OUT / 'half.onnx')
    torchscript('turned_head.onnx', 17, False, make_net())
    onnx.save(turned_head(), OUT / 'turned_head.onnx')
    for path in sorted(OUT.iterdir()):
        print(f'{path.stat().st_size:8} {path.name}')
        if path.suffix == '.onnx':
            onnx.checker.check_model(str(path), full_check=True)
    for name in 'torchscript_17', 'torchscript_17_unfolded', 'other_spelling', 'torch_export_23':
        (CORPUS / name).write_bytes((OUT / (name + '.onnx')).read_bytes())
    for ours in OUT.glob('ours*.onnx'):
        again = onnx.load(ours).SerializeToString(deterministic=True)
        assert again == ours.read_bytes(), f'{ours.name}: not the bytes of protobuf'
        (CORPUS / ours.stem).write_bytes(again)


if __name__ == '__main__':
    warnings.filterwarnings('ignore')
    sys.exit(main())
