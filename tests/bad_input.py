# SPDX-License-Identifier: Apache-2.0
"""The cases of cli_bad_input.sh: makes each file, runs the command, checks how it ends.

usage: bad_input.py CHEXNET DIR, where DIR holds good.safetensors and a phantom set
"""
import glob
import json
import os
import pickle
import resource
import struct
import subprocess
import sys
import zipfile
import zlib

CHEXNET, DIR = sys.argv[1], sys.argv[2]
SANITIZED = os.environ.get("CXN_SANITIZED") == "1"
IMAGE = sorted(glob.glob(f"{DIR}/set/images/*.png"))[0]
NAME = os.path.basename(IMAGE)
GOOD = f"{DIR}/good.safetensors"
failures = []


def write(name, data):
    path = f"{DIR}/{name}"
    with open(path, "wb") as f:
        f.write(data)
    return path


def run(args):
    """exit status, stdout, stderr, seconds of the CPU, peak bytes of the command"""
    child = subprocess.Popen([CHEXNET] + args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = child.stdout.read(), child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = usage.ru_utime + usage.ru_stime  # a busy machine does not stretch them
    return child.returncode, out, err.decode(errors="replace"), seconds, usage.ru_maxrss * 1024


BASE = run(["--version"])[4]


def case(what, status, words, args, big_file=None):
    before = set(os.listdir(DIR))
    got, out, err, seconds, peak = run(args)
    problems = []
    if got != status:
        problems.append(f"exit {got}, expected {status}")
    if err.count("\n") != 1 or out:
        problems.append("not exactly one line on stderr and nothing on stdout")
    problems += [f"'{w}' is not in the line" for w in words if w not in err]
    if seconds > (10 if SANITIZED else 1):
        problems.append(f"{seconds:.2f} s")
    beyond = peak - BASE - (os.path.getsize(big_file) if big_file else 0)
    if beyond > 64 << 20 and not SANITIZED:
        problems.append(f"{beyond >> 20} MiB beyond the file")
    if set(os.listdir(DIR)) - before:
        problems.append(f"left {set(os.listdir(DIR)) - before}")
    print(f"{'FAILED' if problems else 'ok'}: {what}: {err.strip()} {problems or ''}")
    failures.extend(problems)


def infer(model=GOOD, images=f"{DIR}/set/images", listed=None):
    return ["infer", model, "--images", images, "--list", listed or write("l.txt", line()),
            "--mode", "reference", "--out", f"{DIR}/p.csv"]


def line(name=NAME, labels="0 " * 13 + "1"):
    return f"{name} {labels}\n".encode()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, idat):
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", idat)
            + chunk(b"IEND", b""))


def images_with(data):
    os.makedirs(f"{DIR}/one", exist_ok=True)
    with open(f"{DIR}/one/{NAME}", "wb") as f:
        f.write(data)
    return f"{DIR}/one"


def safetensors(tensors, data):
    head = json.dumps(tensors).encode()
    return struct.pack("<Q", len(head)) + head + data


def edited(path_name, find, values):
    """good.safetensors with the first floats of the tensor `find` replaced"""
    with open(GOOD, "rb") as f:
        raw = bytearray(f.read())
    size = struct.unpack("<Q", raw[:8])[0]
    at = 8 + size + json.loads(raw[8:8 + size])[find]["data_offsets"][0]
    raw[at:at + 4 * len(values)] = struct.pack(f"<{len(values)}f", *values)
    return write(path_name, raw)


class Attack:
    def __reduce__(self):
        return os.system, ("touch " + DIR + "/pwned",)


def pth(name, payload):
    path = f"{DIR}/{name}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as z:
        z.writestr("archive/data.pkl", pickle.dumps(payload, protocol=2))
        z.writestr("archive/version", "3\n")
    return path


write("l.txt", line())
write("p13.txt", line(labels="0 " * 12 + "1"))
write("p2.txt", line() + line("x.png", "0 " * 13 + "2"))
attack = pth("attack.pth", {"state_dict": Attack()})
header = write("header.safetensors", struct.pack("<Q", 1 << 40) + b"{}")
resnet = write("resnet.safetensors", safetensors(
    {"conv1.weight": {"dtype": "F32", "shape": [64, 3, 7, 7], "data_offsets": [0, 37632]},
     "layer1.0.conv1.weight": {"dtype": "F32", "shape": [64], "data_offsets": [37632, 37888]}},
    bytes(37888)))
nan = edited("nan.safetensors", "features.denseblock2.denselayer3.conv1.weight",
             [1.0, float("nan")])
negative = edited("negative.safetensors", "features.norm5.running_var", [1.0, 1.0, -0.5])
with open(IMAGE, "rb") as f:
    whole = f.read()
# 2.4 MB of deflated zeros: one flushed piece again and again
engine = zlib.compressobj(9)
piece = [engine.compress(bytes(5 << 20)) + engine.flush(zlib.Z_FULL_FLUSH) for _ in range(2)]
bomb = piece[0] + piece[1] * 477

case("missing image file", 4, [NAME], infer(images=DIR))
case("missing weights", 4, ["none.pth"], infer(model=f"{DIR}/none.pth"))
case("13 labels", 3, ["p13.txt", "13"], infer(listed=f"{DIR}/p13.txt"))
case("a label 2", 3, ["p2.txt", "2"], infer(listed=f"{DIR}/p2.txt"))
os.makedirs(f"{DIR}/one")
case("truncated PNG", 3, [NAME], infer(images=images_with(whole[:-20])))
case("half a PNG", 3, [NAME], infer(images=images_with(whole[:len(whole) // 2])))
case("empty PNG", 3, [NAME], infer(images=images_with(b"")))
case("50,000 x 50,000 PNG", 3, [NAME, "50000"],
     infer(images=images_with(png(50000, 50000, bomb))), f"{DIR}/one/{NAME}")
case("pickle with os.system", 3, ["attack.pth", "system"], infer(model=attack))
case("2^40-byte header", 3, ["header.safetensors"], infer(model=header))
case("ResNet weights", 3, ["resnet.safetensors", "features.conv0.weight"], infer(model=resnet))
case("NaN in the weights", 3, ["nan.safetensors", "denseblock2.denselayer3.conv1"],
     infer(model=nan), nan)
case("negative variance", 3, ["negative.safetensors", "features.norm5.running_var"],
     infer(model=negative), negative)
if os.path.exists(f"{DIR}/pwned"):
    failures.append("the pickle's command was run")
sys.exit(1 if failures else 0)
