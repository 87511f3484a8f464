#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""onnx_peers.py CHEXNET SHARED: ONNX models against other programs, on real X-rays.

What `chexnet export` writes passes onnx.checker, and ONNX Runtime and OpenVINO give the
probabilities of `chexnet infer --mode fp32` to 1e-5, at batch 1, 3 and 10, with and without
preprocessing. What PyTorch exports is read and gives PyTorch's probabilities to 1e-5. Skipped by
name where the packages of bench/peers or the pictures are absent; torch.export's part where
onnxscript is.
"""
import csv
import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import warnings

BOUND = 1e-5
PICTURES = 20
BATCHES = 1, 3, 10
MEAN, DEVIATION = (.485, .456, .406), (.229, .224, .225)

try:
    import numpy
    import onnx
    import onnxruntime
    import openvino
    import torch
    import torchvision
    from PIL import Image
except ImportError as why:
    print(f'skipped: ONNX against ONNX Runtime and OpenVINO ({why})')
    sys.exit(77)

chexnet, shared = sys.argv[1], pathlib.Path(sys.argv[2])
weights, images = shared / 'weights' / 'nih-sample.pth', shared / 'nih-sample' / 'images'
if not weights.exists() or not images.is_dir():
    print(f'skipped: ONNX against ONNX Runtime and OpenVINO (no pictures in {shared})')
    sys.exit(77)
failures = 0


def check(passed, what):
    global failures
    print(('' if passed else 'FAILED: ') + what)
    failures += not passed


def run(*arguments):
    done = subprocess.run([chexnet, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f'chexnet {arguments}: {done.stderr}')


def centre(path):
    """The crop that torchvision's Resize(256), CenterCrop(224) gives, [224][224] bytes."""
    picture = Image.open(path).convert('L')
    width, height = picture.size
    short = min(width, height)
    side = (256 * width // short, 256 * height // short)
    if min(width, height) != 256:
        picture = picture.resize(side, Image.Resampling.BILINEAR)
    left, top = round((side[0] - 224) / 2), round((side[1] - 224) / 2)
    return numpy.asarray(picture)[top:top + 224, left:left + 224]


def scores(model, where, names):
    """Probabilities of centre crops as this project gives them in mode fp32."""
    listed = where / 'list.txt'
    listed.write_text(''.join(f'{name}{" 0" * 14}\n' for name in names))
    out = where / 'scores.csv'
    run('infer', model, '--images', images, '--list', listed, '--mode', 'fp32', '--crops',
        'center', '--out', out)
    rows = list(csv.reader(open(out)))[1:]
    assert [row[0] for row in rows] == names
    return numpy.array([[float(v) for v in row[1:]] for row in rows], numpy.float32)


def open_onnxruntime(path):
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return lambda x: session.run(None, {session.get_inputs()[0].name: x})[0]


def open_openvino(path):
    model = openvino.Core().compile_model(str(path), 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
    return lambda x: model(x)[0]


def ask(run_model, inputs, batch):
    """Answers to all inputs in calls of `batch`, the last one filled up with the first input."""
    answers = []
    for at in range(0, len(inputs), batch):
        part = inputs[at:at + batch]
        full = numpy.concatenate([part, numpy.repeat(inputs[:1], batch - len(part), 0)])
        answers.append(run_model(full)[:len(part)])
    return numpy.concatenate(answers)


def compare(path, inputs, want, batches, what):
    onnx.checker.check_model(str(path), full_check=True)
    for name, opener in ('ONNX Runtime', open_onnxruntime), ('OpenVINO', open_openvino):
        run_model = opener(path)
        for batch in batches:
            worst = numpy.abs(ask(run_model, inputs, batch) - want).max()
            check(worst <= BOUND, f'{what}, {name}, batch {batch}: largest difference {worst:.2e}')


def pytorch_model():
    """The weights' DenseNet-121 with its sigmoid."""
    net = torchvision.models.densenet121(weights=None, num_classes=14)
    state = torch.load(weights, map_location='cpu', weights_only=True)
    net.load_state_dict({name.replace('module.', '').replace('classifier.0.', 'classifier.'): value
                         for name, value in state.get('state_dict', state).items()})
    return torch.nn.Sequential(net, torch.nn.Sigmoid()).eval()


def torchscript(model, path, opset, folded=True):
    """The old exporter; unfolded is how weights that were trained on come out."""
    training = torch.onnx.TrainingMode
    torch.onnx.export(model, (torch.zeros(1, 3, 224, 224),), path, dynamo=False,
                      opset_version=opset, input_names=['crops'],
                      dynamic_axes={'crops': {0: 'batch'}}, do_constant_folding=folded,
                      training=training.EVAL if folded else training.PRESERVE)


def torch_export(model, path, opset, dynamic, external):
    batch = {'dynamic_shapes': ({0: torch.export.Dim('batch')},)} if dynamic else {}
    torch.onnx.export(model, (torch.zeros(2, 3, 224, 224),), path, dynamo=True, verbose=False,
                      opset_version=opset, external_data=external, **batch)


def half(source, path):
    """Weights as float16, each cast to float where it is used."""
    model = onnx.load(source)
    casts = []
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor).astype(numpy.float16)
        name = tensor.name
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, name + '.half'))
        casts.append(onnx.helper.make_node('Cast', [name + '.half'], [name], to=1))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
    onnx.save(model, path)


def read_exports(where, normalised, names):
    """What PyTorch writes, read here."""
    model = pytorch_model()
    with torch.no_grad():
        want = model(torch.from_numpy(normalised)).numpy()
    path = where / 'theirs.onnx'

    def compare_scores(what):
        worst = numpy.abs(scores(path, where, names) - want).max()
        check(worst <= BOUND, f'read {what}: largest difference from PyTorch {worst:.2e}')

    for opset in 11, 13, 17, 23:
        torchscript(model, path, opset)
        compare_scores(f'TorchScript, opset {opset}, folded')
    torchscript(model, path, 17, folded=False)
    compare_scores('TorchScript, opset 17, not folded')
    again, direct = where / 'again.onnx', where / 'direct.onnx'
    run('export', path, '--out', again)
    run('export', weights, '--out', direct)
    same = all(numpy.array_equal(onnx.numpy_helper.to_array(a), onnx.numpy_helper.to_array(b))
               for a, b in zip(*(onnx.load(p).graph.initializer for p in (again, direct))))
    check(same, 'not folded: the weights to the bit')
    half(direct, path)
    with torch.no_grad():
        full, want = want, model.half().float()(torch.from_numpy(normalised)).numpy()
    check(numpy.abs(want - full).max() > 10 * BOUND, 'weights rounded to float16 are others')
    compare_scores('float16 weights')
    model, want = pytorch_model(), full
    if not importlib.util.find_spec('onnxscript'):
        print('skipped: models of torch.export (no onnxscript)')
        return
    for opset, dynamic, external in (18, False, True), (18, True, False), (23, True, True):
        torch_export(model, path, opset, dynamic, external)
        compare_scores(f'torch.export, opset {opset}, dynamic {dynamic}, external {external}')


def main(where):
    names = sorted(path.name for path in images.glob('*.png'))[:PICTURES]
    crops = numpy.stack([centre(images / name) for name in names])[:, None]
    grey = crops.astype(numpy.float32)
    colour = numpy.repeat(grey, 3, 1)
    mean, deviation = (numpy.array(v, numpy.float32).reshape(1, 3, 1, 1)
                       for v in (MEAN, DEVIATION))
    normalised = (grey / numpy.float32(255) - mean) / deviation
    want = scores(weights, where, names)
    check(want.std(0).min() > 1e-4, f'{len(names)} pictures have other answers')

    plain, samples, three = (where / name for name in ('plain.onnx', 'samples.onnx', 'three.onnx'))
    run('export', weights, '--out', plain)
    compare(plain, normalised, want, BATCHES, 'plain')
    run('export', weights, '--out', samples, '--with-preprocessing')
    compare(samples, grey, want, BATCHES, 'grey samples')
    compare(samples, colour, want, (3,), 'colour samples')
    run('export', weights, '--out', three, '--batch', 3)
    compare(three, normalised, want, (3,), 'fixed batch')
    for path, arguments in (plain, ()), (samples, ('--with-preprocessing',)):
        again = where / 'again.onnx'
        run('export', path, '--out', again, *arguments)
        check(again.read_bytes() == path.read_bytes(), f'{path.name} read and exported: its bytes')
    read_exports(where, normalised, names)


warnings.filterwarnings('ignore')
with tempfile.TemporaryDirectory() as folder:
    main(pathlib.Path(folder))
sys.exit(failures > 0)
