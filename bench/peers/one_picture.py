# SPDX-License-Identifier: Apache-2.0
"""one_picture.py MODEL.xml PICTURE PRECISION THREADS ten|center: OpenVINO doing what `chexnet
predict` does, with as little else as it can: Pillow and numpy, no PyTorch. Prints one JSON object
with the mean probabilities and the largest resident memory."""
import json
import sys

import numpy
import openvino
from PIL import Image

from machine import peak_bytes
from model import MEAN, STD

RESIZED, CROP = 256, 224


def crops_of(path, kind):
    """float32 [10 or 1][3][224][224], as TenCrop(224) cuts them."""
    picture = Image.open(path).convert("RGB")
    short = min(picture.size)
    small = picture.resize([RESIZED * side // short for side in picture.size], Image.BILINEAR)
    plain = numpy.asarray(small)
    cut = lambda image, top, left: image[top:top + CROP, left:left + CROP]
    bottom, right = plain.shape[0] - CROP, plain.shape[1] - CROP
    centre = (round(bottom / 2), round(right / 2))
    if kind == "center":
        crops = [cut(plain, *centre)]
    else:
        places = [(0, 0), (0, right), (bottom, 0), (bottom, right), centre]
        crops = [cut(image, *at) for image in (plain, plain[:, ::-1]) for at in places]
    x = numpy.stack(crops).astype(numpy.float32) / 255
    x = (x - numpy.array(MEAN, numpy.float32)) / numpy.array(STD, numpy.float32)
    return numpy.ascontiguousarray(x.transpose(0, 3, 1, 2))


def main():
    path, picture, precision, threads, kind = sys.argv[1:]
    x = crops_of(picture, kind)
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape(list(x.shape))
    settings = {"NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": int(threads)}
    if precision != "int8":  # there the model says itself what is quantised
        settings["INFERENCE_PRECISION_HINT"] = {"fp32": "f32"}.get(precision, precision)
    compiled = core.compile_model(model, "CPU", settings)
    prob = next(iter(compiled(x).values())).mean(axis=0)
    computes = (precision if precision == "int8" else
                compiled.get_property("INFERENCE_PRECISION_HINT").to_string())
    print(json.dumps({"prob": prob.tolist(), "computes": computes, "peak_rss_bytes": peak_bytes()}))


if __name__ == "__main__":
    main()
