# SPDX-License-Identifier: Apache-2.0
"""lock.py REQUIREMENTS LOCK: writes LOCK, every package that REQUIREMENTS leads to, with version
and SHA-256 of the wheel that this Python takes on this kind of machine. Nothing is installed."""
import json
import platform
import subprocess
import sys

requirements, lock = sys.argv[1:]
report = subprocess.run(
    [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet",
     "--only-binary", ":all:", "--report", "-", "-r", requirements],
    check=True, stdout=subprocess.PIPE).stdout
packages = sorted(json.loads(report)["install"], key=lambda p: p["metadata"]["name"].lower())
python = ".".join(platform.python_version_tuple()[:2])
with open(lock, "w") as file:
    file.write(f"# {python} {platform.machine()}\n# Written by lock.py from requirements.txt.\n")
    for package in packages:
        about, sums = package["metadata"], package["download_info"]["archive_info"]["hashes"]
        file.write(f"{about['name']}=={about['version']} --hash=sha256:{sums['sha256']}\n")
