# SPDX-License-Identifier: Apache-2.0
"""What a comparison reads: weights, pictures, and what is made of them once, under one folder."""
import subprocess
from pathlib import Path

import numpy

import model

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"


def weights_of(given, folder):
    """The file named, the sample's, or random ones."""
    sample = SHARED / "weights" / "nih-sample.pth"
    if given or sample.exists():
        return Path(given) if given else sample
    path = folder / "random.safetensors"
    if not path.exists():
        model.write_random_weights(path)
    return path


def pictures_of(chexnet, folder):
    """Originals of the sample, or phantoms: PNG files of 1024 x 1024."""
    original = sorted((SHARED / "nih-sample" / "original").glob("*.png"))
    if original:
        return original
    phantom = folder / "phantom"
    if not phantom.exists():
        subprocess.run([chexnet, "phantom", "--out", phantom, "--images", "48", "--seed", "1"],
                       check=True, stdout=subprocess.DEVNULL)
    return sorted((phantom / "images").glob("*.png"))


def prepare(arguments, picture_count):
    """{name: path} of all that the processes read; made anew, for it takes seconds."""
    folder = ROOT / "build" / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    weights = weights_of(arguments.weights, folder)
    pictures = pictures_of(arguments.chexnet, folder)
    onnx, crops = folder / "model.onnx", folder / "crops.npy"
    model.write_onnx(weights, str(onnx))
    cut = model.transform()
    numpy.save(crops, numpy.concatenate(
        [model.crops_of(path, cut) for path in pictures[:picture_count]]))
    return {"weights": str(weights), "onnx": str(onnx), "crops": str(crops),
            "pictures": [str(path) for path in pictures]}
