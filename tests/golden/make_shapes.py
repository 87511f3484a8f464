# SPDX-License-Identifier: Apache-2.0
"""Golden answers of trained weights for whole pictures of several shapes.

Windows of one original X-ray of ../shared/nih-sample become, with Resize(256), pictures whose
sides are not multiples of 32. Writes tests/golden/shapes.txt: the window's size, the size after
Resize, and the 14 probabilities of torchvision's densenet121 in float32, mean of the picture and
its mirror image.

Made with torch 2.15.0, torchvision 0.29.2, Pillow 13.0.0:
    python3 tests/golden/make_shapes.py
"""
import pathlib

import torch
import torchvision
from PIL import Image
from torchvision import transforms

HERE = pathlib.Path(__file__).parent
SHARED = HERE / "../../../shared"
PICTURE = "00000831_001.png"
WINDOWS = [(1024, 1024), (1024, 842), (870, 1024), (1024, 1019), (515, 1024), (1024, 512)]


def trained_network():
    net = torchvision.models.densenet121(num_classes=14)
    state = torch.load(SHARED / "weights/nih-sample.pth", map_location="cpu", weights_only=True)
    net.load_state_dict({k.replace("classifier.0.", "classifier."): v for k, v in state.items()})
    return net.eval()


def main():
    torch.set_grad_enabled(False)
    net = trained_network()
    original = Image.open(SHARED / "nih-sample/original" / PICTURE).convert("RGB")
    normal = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    with open(HERE / "shapes.txt", "w", encoding="ascii") as f:
        f.write(f"# windows of {PICTURE}; made by make_shapes.py\n")
        for width, height in WINDOWS:
            picture = transforms.Resize(256)(original.crop((0, 0, width, height)))
            whole = normal(transforms.ToTensor()(picture))
            prob = torch.sigmoid(net(torch.stack([whole, whole.flip(2)]))).mean(0)
            f.write("%d %d %d %d " % (width, height, *picture.size))
            f.write(" ".join("%.9g" % p for p in prob) + "\n")


main()
