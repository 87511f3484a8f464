# SPDX-License-Identifier: Apache-2.0
"""The INT8 models of a comparison, calibrated on the same pictures: OpenVINO's by NNCF, ours by
`chexnet calibrate` and `chexnet quantize`.

    quantized.py MODEL.onnx IMAGES LIST OUT.xml     the first, in a process of its own
"""
import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COUNT = 300  # NNCF's own default


def phantoms(chexnet, folder):
    """Other ones than those that are scored."""
    made = folder / f"calibration-{COUNT}"
    if not made.exists():
        subprocess.run([chexnet, "phantom", "--out", made, "--images", str(COUNT), "--size", "256",
                        "--seed", "2"], check=True, stdout=subprocess.DEVNULL)
    lists = [made / f"{kind}_list.txt" for kind in ("train", "val", "test")]
    return made / "images", [line for path in lists for line in path.read_text().splitlines()]


def pictures(chexnet, sample, folder):
    """(the folder of images, a list of COUNT of them): evenly from the sample's training list, or
    phantoms."""
    train = sample / "train_list.txt"
    if train.exists():
        images, lines = sample / "images", train.read_text().splitlines()
    else:
        images, lines = phantoms(chexnet, folder)
    path = folder / "calibration.txt"
    path.write_text("".join(f"{lines[i * len(lines) // COUNT]}\n" for i in range(COUNT)))
    return images, path


def ours(chexnet, weights, images, names, folder):
    """Made anew: it takes seconds, and what makes it may have changed."""
    ranges, path = folder / "calibration.json", folder / "int8.safetensors"
    for made in (ranges, path):
        made.unlink(missing_ok=True)
    for command in (["calibrate", weights, "--images", images, "--list", names, "-n", str(COUNT),
                     "--out", ranges],
                    ["quantize", weights, "--calibration", ranges, "--out", path]):
        subprocess.run([chexnet, *command], check=True, stdout=subprocess.DEVNULL)
    return path


def openvino(onnx, weights, images, names, folder):
    """Made once for these weights, pictures and versions, for it takes a minute."""
    key = hashlib.sha256()
    for path in (weights, names, HERE / "requirements.lock", HERE / "quantized.py"):
        key.update(Path(path).read_bytes())
    path = folder / f"int8-{key.hexdigest()[:12]}.xml"
    if not path.exists():
        print("openvino int8: quantised by NNCF, once", flush=True)
        subprocess.run([sys.executable, HERE / "quantized.py", onnx, images, names, path],
                       check=True, stdout=subprocess.DEVNULL)
    return path


def quantize(onnx, images, names, out):
    """NNCF's defaults with its preset for speed. The .xml is what a later run looks for, so it gets
    its name last."""
    import nncf
    import openvino as ov

    from one_picture import crops_of
    lines = Path(names).read_text().splitlines()
    crops = nncf.Dataset([Path(images) / line.split()[0] for line in lines],
                         lambda path: crops_of(path, "center"))
    model = nncf.quantize(ov.Core().read_model(onnx), crops, subset_size=len(lines),
                          preset=nncf.QuantizationPreset.PERFORMANCE)
    made = Path(out).with_suffix(".new.xml")
    ov.save_model(model, made, compress_to_fp16=False)
    made.with_suffix(".bin").rename(Path(out).with_suffix(".bin"))
    made.rename(out)


if __name__ == "__main__":
    quantize(*sys.argv[1:])
