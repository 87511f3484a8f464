# SPDX-License-Identifier: Apache-2.0
"""The network of the peers, as PyTorch has it, and the pictures as torchvision prepares them."""
import re

MEAN, STD = (.485, .456, .406), (.229, .224, .225)
FINDINGS = ("Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule",
            "Pneumonia", "Pneumothorax", "Consolidation", "Edema", "Emphysema", "Fibrosis",
            "Pleural_Thickening", "Hernia")
PREFIXES = re.compile(r"^(?:module\.|densenet121\.|model\.)+")
OLD_NAME = re.compile(r"\.(norm|conv|relu)\.([12])\.")


def empty_model():
    import torchvision
    return torchvision.models.densenet121(weights=None, num_classes=14).eval()


def read_weights(path):
    if str(path).endswith(".safetensors"):
        from safetensors.torch import load_file
        return load_file(path)
    import torch
    state = torch.load(path, map_location="cpu", weights_only=True)
    return state.get("state_dict", state)


def load_model(path):
    """DenseNet-121 that gives logits, in the names that `chexnet` understands."""
    names = lambda key: OLD_NAME.sub(r".\1\2.", PREFIXES.sub("", key)).replace(
        "classifier.0.", "classifier.")
    model = empty_model()
    state = {names(key): value for key, value in read_weights(path).items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise SystemExit(f"{path}: not these weights: {missing + unexpected}")
    return model


def write_random_weights(path):
    """For a place without trained ones; the seed makes them the same everywhere."""
    import torch
    from safetensors.torch import save_file
    torch.manual_seed(20)
    save_file(empty_model().state_dict(), path)


def write_onnx(weights, path):
    import torch
    model = torch.nn.Sequential(load_model(weights), torch.nn.Sigmoid()).eval()
    torch.onnx.export(model, (torch.zeros(10, 3, 224, 224),), path, dynamo=False, opset_version=17,
                      input_names=["crops"], output_names=["prob"],
                      dynamic_axes={"crops": {0: "batch"}, "prob": {0: "batch"}})


def transform():
    """The reference's preprocessing of one PIL picture: float32 [10][3][224][224]."""
    import torch
    from torchvision import transforms
    to_tensor, normalise = transforms.ToTensor(), transforms.Normalize(MEAN, STD)
    return transforms.Compose([
        transforms.Resize(256), transforms.TenCrop(224),
        transforms.Lambda(lambda crops: torch.stack([normalise(to_tensor(c)) for c in crops]))])


def crops_of(path, prepare):
    from PIL import Image
    return prepare(Image.open(path).convert("RGB")).numpy()


def small_of(path):
    """The same picture before it is cut: uint8 [height][width], short side 256, one channel."""
    import numpy
    from PIL import Image
    from torchvision import transforms
    return numpy.array(transforms.Resize(256)(Image.open(path).convert("L")))


def predict(weights, paths):
    """Mean probabilities of ten crops by PyTorch with default settings, float32 [n][14]."""
    import numpy
    import torch
    network, cut = load_model(weights), transform()
    with torch.no_grad():
        logits = [network(torch.from_numpy(crops_of(path, cut))) for path in paths]
        return numpy.stack([torch.sigmoid(ten).mean(dim=0) for ten in logits])
