#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""onnx_peers.py CHEXNET SHARED: ONNX models against other programs, on real X-rays.

What `chexnet export` writes passes onnx.checker, and ONNX Runtime and OpenVINO give the
probabilities of `chexnet infer --mode fp32` to 1e-5, at batch 1, 3 and 10, with and without
preprocessing. Of a quantised model, and of one with layers put back, they give those of mode int8
to 0.02 at most and 0.002 on average, and OpenVINO takes less time for it. What PyTorch exports is
read and gives PyTorch's probabilities to 1e-5. Skipped by name where the packages of bench/peers or
the pictures are absent; torch.export's part where onnxscript is.
"""
import csv
import importlib.util
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import warnings

BOUND = 1e-5
INT8_BOUND, INT8_MEAN = 0.02, 0.002
CALIBRATED = 48
ROUNDS = 15
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
# Without it ONNX Runtime adds pairs of products in 16 bits, which saturate, unless told not to.
HAS_VNNI = 'vnni' in pathlib.Path('/proc/cpuinfo').read_text()
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


def scores(model, where, names, mode='fp32'):
    """Probabilities of centre crops as this project gives them."""
    listed = where / 'list.txt'
    listed.write_text(''.join(f'{name}{" 0" * 14}\n' for name in names))
    out = where / 'scores.csv'
    run('infer', model, '--images', images, '--list', listed, '--mode', mode, '--crops',
        'center', '--out', out)
    rows = list(csv.reader(open(out)))[1:]
    assert [row[0] for row in rows] == names
    return numpy.array([[float(v) for v in row[1:]] for row in rows], numpy.float32)


def open_onnxruntime(path):
    options = onnxruntime.SessionOptions()
    if not HAS_VNNI:
        options.add_session_config_entry('session.x64quantprecision', '1')
    session = onnxruntime.InferenceSession(str(path), options,
                                           providers=['CPUExecutionProvider'])
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


def compare(path, inputs, want, batches, what, bound=BOUND, bound_of_mean=BOUND):
    onnx.checker.check_model(str(path), full_check=True)
    for name, opener in ('ONNX Runtime', open_onnxruntime), ('OpenVINO', open_openvino):
        run_model = opener(path)
        for batch in batches:
            off = numpy.abs(ask(run_model, inputs, batch) - want)
            check(off.max() <= bound and off.mean() <= bound_of_mean,
                  f'{what}, {name}, batch {batch}: differs by {off.max():.2e} at most, '
                  f'{off.mean():.2e} on average')


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


def put_back(source, path, names):
    """The quantised model with those layers put back: a lower part for each weight, drawn."""
    data = source.read_bytes()
    size = struct.unpack_from('<Q', data)[0]
    header, data = json.loads(data[8:8 + size]), data[8 + size:]
    about, draw = header.pop('__metadata__'), numpy.random.default_rng(1)
    tensors = {}
    for name, t in header.items():
        values = data[slice(*t['data_offsets'])]
        module, last = name.rsplit('.', 1)
        if module in names and last == 'm':
            values = (numpy.frombuffer(values, '<f4') / numpy.float32(128)).tobytes()
        if module in names and last == 'weight':
            low = draw.integers(-64, 64, len(values), dtype=numpy.int8).tobytes()
            tensors[name + '_lo'] = t, low
            name += '_hi'
        tensors[name] = t, values
    about['put_back'] = ','.join(names)
    header, at = {'__metadata__': about}, 0
    for name, (t, values) in tensors.items():
        header[name] = {**t, 'data_offsets': [at, at + len(values)]}
        at += len(values)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack('<Q', len(text)) + text + b''.join(v for _, v in tensors.values()))


def compare_speed(int8, fp32, inputs):
    """By turns, so that what else the machine does meets both."""
    runs = [open_openvino(path) for path in (int8, fp32)]
    for batch in 1, 10:
        best = [float('inf'), float('inf')]
        for turn in range(ROUNDS):
            for i, run_model in enumerate(runs):
                start = time.perf_counter()
                run_model(inputs[:batch])
                if turn > 0:
                    best[i] = min(best[i], time.perf_counter() - start)
        crops = [1e3 * seconds / batch for seconds in best]
        said = (f'OpenVINO, batch {batch}: INT8 {crops[0]:.2f} ms a crop, FP32 {crops[1]:.2f}, '
                f'{best[1] / best[0]:.2f} times as fast')
        if HAS_VNNI:
            check(best[0] < best[1], said)
        else:
            print(f'skipped: {said} (no VNNI)')


def compare_quantized(where, inputs, names, fp32):
    normalised, grey, colour = inputs
    calibration, model, other = (where / name for name in ('c.json', 'int8.st', 'put-back.st'))
    plain, samples, three, again = (where / name for name in (
        'int8.onnx', 'int8-samples.onnx', 'int8-three.onnx', 'int8-again.onnx'))
    run('calibrate', weights, '--images', images, '--list', shared / 'nih-sample/train_list.txt',
        '-n', CALIBRATED, '--out', calibration)
    run('quantize', weights, '--calibration', calibration, '--out', model)
    layers = [f'features.{name}' for name in (
        'denseblock1.denselayer1.conv1', 'denseblock1.denselayer2.conv2', 'transition1.conv',
        'denseblock3.denselayer24.conv1')]
    put_back(model, other, layers)
    for source, what in (model, 'INT8'), (other, 'INT8 with layers put back'):
        want = scores(source, where, names, 'int8')
        bounds = INT8_BOUND, INT8_MEAN
        run('export', source, '--out', plain)
        compare(plain, normalised, want, BATCHES, what, *bounds)
        check(numpy.array_equal(scores(plain, where, names, 'int8'), want),
              f'{what}, read: the same bits')
        run('export', plain, '--out', again)
        check(again.read_bytes() == plain.read_bytes(), f'{what}, read and exported: its bytes')
        if source != model:
            continue
        run('export', source, '--out', samples, '--with-preprocessing')
        compare(samples, grey, want, BATCHES, 'INT8, grey samples', *bounds)
        compare(samples, colour, want, (3,), 'INT8, colour samples', *bounds)
        run('export', source, '--out', three, '--batch', 3)
        compare(three, normalised, want, (3,), 'INT8, fixed batch', *bounds)
        compare_speed(plain, fp32, normalised)


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
    compare_quantized(where, (normalised, grey, colour), names, plain)
    read_exports(where, normalised, names)


warnings.filterwarnings('ignore')
with tempfile.TemporaryDirectory() as folder:
    main(pathlib.Path(folder))
sys.exit(failures > 0)
