# SPDX-License-Identifier: Apache-2.0
"""Files of the project, and how a finding is told."""
import os
import subprocess


class Tree:
    def __init__(self, root):
        self.root = root
        self.findings = []
        self.paths = sorted(p for p in listed(root) if os.path.isfile(os.path.join(root, p)))

    def text(self, path):
        """Content of a text file, or None for anything else."""
        with open(os.path.join(self.root, path), 'rb') as file:
            data = file.read()
        if b'\0' in data:
            return None
        try:
            return data.decode('utf-8')
        except UnicodeDecodeError:
            return None

    def report(self, path, line, rule, what):
        self.findings.append(f'{path}:{line}: {rule}: {what}')


def listed(root):
    """Tracked files and new ones that git does not ignore; without git, all but build/."""
    if os.path.exists(os.path.join(root, '.git')):
        git = subprocess.run(['git', '-C', root, 'ls-files', '-z', '--cached', '--others',
                              '--exclude-standard'], capture_output=True, text=True)
        if git.returncode == 0:
            return [p for p in git.stdout.split('\0') if p]
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in ('build', '.git', '__pycache__')]
        found += [os.path.relpath(os.path.join(folder, f), root) for f in files]
    return found
