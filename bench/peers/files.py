# SPDX-License-Identifier: Apache-2.0
"""What a comparison reads: weights, pictures, and what is made of them once, under one folder."""
import csv
import subprocess
from pathlib import Path

import numpy

import model
import quantized
from forms import FLOATS

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
SAMPLE_WEIGHTS = SHARED / "weights" / "nih-sample.pth"
SAMPLE = SHARED / "nih-sample"
SAMPLE_PICTURES = SAMPLE / "original"
SAMPLE_PREDICTIONS = SHARED / "weights" / "torch-original-ten.csv"  # of those two


def weights_of(given, folder):
    """The file named, the sample's, or random ones."""
    if given or SAMPLE_WEIGHTS.exists():
        return Path(given) if given else SAMPLE_WEIGHTS
    path = folder / "random.safetensors"
    if not path.exists():
        model.write_random_weights(path)
    return path


def pictures_of(chexnet, folder):
    """Originals of the sample, or phantoms: PNG files of 1024 x 1024."""
    original = sorted(SAMPLE_PICTURES.glob("*.png"))
    if original:
        return original
    phantom = folder / "phantom"
    if not phantom.exists():
        subprocess.run([chexnet, "phantom", "--out", phantom, "--images", "48", "--seed", "1"],
                       check=True, stdout=subprocess.DEVNULL)
    return sorted((phantom / "images").glob("*.png"))


def stored_predictions():
    """{file name: float32 [14]}"""
    with open(SAMPLE_PREDICTIONS) as file:
        lines = list(csv.reader(file))[1:]
    return {name: numpy.array(prob, numpy.float32) for name, *prob in lines}


def expected(weights, pictures):
    """What PyTorch says of the pictures, float32 [n][14]: as stored with the sample, or now."""
    if weights == SAMPLE_WEIGHTS and pictures[0].parent == SAMPLE_PICTURES:
        stored = stored_predictions()
        return numpy.stack([stored[path.name] for path in pictures])
    return model.predict(weights, pictures)


def quantized_models(chexnet, weights, onnx, folder):
    images, names = quantized.pictures(chexnet, SAMPLE, folder)
    return (str(quantized.ours(chexnet, weights, images, names, folder)),
            str(quantized.openvino(onnx, weights, images, names, folder)))


def prepare(arguments, picture_count, precisions):
    """{name: path} of all that the processes read; made anew, for it takes seconds, but for
    OpenVINO's INT8 model. `ours` has a path a precision."""
    folder = ROOT / "build" / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    chexnet = Path(arguments.build) / "chexnet"
    weights = weights_of(arguments.weights, folder)
    pictures = pictures_of(chexnet, folder)[:picture_count]
    made = {name: str(folder / file) for name, file in
            {"onnx": "model.onnx", "crops": "crops.npy", "small": "small.npy",
             "expected": "expected.npy", "inductor": "inductor"}.items()}
    ours = {precision: str(weights) for precision in FLOATS}
    model.write_onnx(weights, made["onnx"])
    if "int8" in precisions:
        ours["int8"], made["int8_ir"] = quantized_models(chexnet, weights, made["onnx"], folder)
    numpy.save(made["expected"], expected(weights, pictures))
    return {**made, "folder": str(folder), "weights": str(weights), "ours": ours,
            "chexnet": str(chexnet),
            "library": str(Path(arguments.build) / "src" / "libchexnet.so"),
            "pictures": [str(path) for path in pictures]}


def prepare_training(arguments, count):
    """The same for steps of training: weights, and `count` grey crops drawn from a seed, uint8
    [count][224][224] without a header."""
    folder = ROOT / "build" / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    build, crops = Path(arguments.build), folder / "train_crops.bin"
    random = numpy.random.default_rng(20)
    coarse = random.integers(0, 160, (count, 14, 14)).repeat(16, axis=1).repeat(16, axis=2)
    (coarse + random.integers(0, 96, coarse.shape)).astype(numpy.uint8).tofile(crops)
    return {"folder": str(folder), "weights": str(weights_of(arguments.weights, folder)),
            "chexnet": str(build / "chexnet"), "train_bench": str(build / "train_bench"),
            "train_crops": str(crops), "inductor": str(folder / "inductor")}


def cut(files):
    """Write the pictures as `crops` for the peers and, before they are cut, as `small` for ours."""
    transform = model.transform()
    numpy.save(files["crops"], numpy.concatenate(
        [model.crops_of(path, transform) for path in files["pictures"]]))
    numpy.save(files["small"], numpy.stack([model.small_of(path) for path in files["pictures"]]))
