# SPDX-License-Identifier: Apache-2.0
"""Loss of power while a checkpoint is saved. Usage: checkpoint_power.py WRITE_CHECKPOINT

The system calls of one save are recorded; then, for every moment between two of them, the run is
rebuilt as a disk may have it that was told nothing but the fsync(2) calls so far: of each folder
any prefix of its later changes, each folder by itself, and of each file the data of its last fsync,
those written since, or a part of them. Each must resume from the old checkpoint or the new one, to
the bit, and after the last call from the new one. Exit 77 where strace cannot trace."""
import itertools
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

RANDOM_STATES = 6  # a moment, beside the four extremes
CALL = re.compile(r'(\w+)\((.*)\) += (-?\d+)')
NUMBERS = itertools.count()  # of files and folders, so that a run of this is repeated exactly
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


class File:
    """Data as the process sees them, and as they were when synced last."""
    def __init__(self, data=b''):
        self.data = self.synced = data
        self.number = next(NUMBERS)


class Folder:
    """Entries after each change; from `synced` on the disk may have any of these states."""
    def __init__(self):
        self.states, self.synced = [{}], 0
        self.number = next(NUMBERS)

    def change(self):
        self.states.append(dict(self.states[-1]))
        return self.states[-1]


def load(path):
    folder = Folder()
    for entry in sorted(os.scandir(path), key=lambda e: e.name):
        folder.states[0][entry.name] = (load(entry.path) if entry.is_dir()
                                        else File(open(entry.path, 'rb').read()))
    return folder


class Replay:
    """The recorded calls, one at a time, on a copy of the run in memory."""
    def __init__(self, run):
        self.root, self.tree, self.fds, self.at = run, load(run), {}, {}

    def split(self, path):
        """(folder, name) of a path in the run; None for one outside."""
        if path == self.root or not path.startswith(self.root + '/'):
            return (None, None)
        *folders, name = path[len(self.root) + 1:].split('/')
        node = self.tree
        for part in folders:
            node = node.states[-1][part]
        return node, name

    def call(self, name, text, result):
        strings = [bytes.fromhex(s.replace('\\x', '')) for s in STRING.findall(text)]
        fd = int(re.match(r'\d+', text)[0]) if re.match(r'\d+', text) else None
        if result < 0:
            return
        if name == 'openat':
            self.open(strings[0].decode(), 'O_CREAT' in text, result)
        elif name == 'close':
            self.fds.pop(fd, None)
        elif name in ('write', 'pwrite64') and fd in self.fds:
            at = self.at[fd] if name == 'write' else int(text.rsplit(',', 1)[1])
            node = self.fds[fd]
            node.data = node.data[:at] + strings[0][:result] + node.data[at + result:]
            self.at[fd] = at + result
        elif name == 'ftruncate' and fd in self.fds:
            self.fds[fd].data = self.fds[fd].data[:int(text.rsplit(',', 1)[1])]
        elif name == 'fsync' and fd in self.fds:
            node = self.fds[fd]
            if isinstance(node, File):
                node.synced = node.data
            else:
                node.synced = len(node.states) - 1
        elif name in ('rename', 'renameat2'):
            self.rename(*(s.decode() for s in strings), exchange=name == 'renameat2')
        elif name in ('mkdir', 'unlink', 'rmdir', 'unlinkat'):
            self.make_or_remove(name, text, fd, strings[0].decode())

    def open(self, path, create, fd):
        path = path.rstrip('/')
        folder, name = self.split(path)
        if path == self.root:
            self.fds[fd] = self.tree
        elif folder:
            if create and name not in folder.states[-1]:
                folder.change()[name] = File()
            self.fds[fd], self.at[fd] = folder.states[-1][name], 0

    def rename(self, old, new, exchange):
        (folder, a), (other, b) = self.split(old), self.split(new)
        assert folder and folder is other, (old, new)
        entries = folder.change()
        if exchange:
            entries[a], entries[b] = entries[b], entries[a]
        else:
            entries[b] = entries.pop(a)

    def make_or_remove(self, name, text, fd, path):
        if name == 'unlinkat' and fd is not None:
            self.fds[fd].change().pop(path)
            return
        folder, entry = self.split(path)
        if folder and name == 'mkdir':
            folder.change()[entry] = Folder()
        elif folder:
            folder.change().pop(entry)


def write(node, path, choose):
    """One state that the disk may have."""
    os.mkdir(path)
    for name, child in choose(node).items():
        where = os.path.join(path, name)
        if isinstance(child, Folder):
            write(child, where, choose)
        else:
            with open(where, 'wb') as f:
                f.write(choose(child))


def pick(folders, files, rng=None):
    """folders, files: 0 what is certain, 1 everything, None at random."""
    def choose(node):
        if isinstance(node, Folder):
            last = len(node.states) - 1
            at = rng.randint(node.synced, last) if folders is None else (node.synced, last)[folders]
            return node.states[at]
        if files is not None:
            return (node.synced, node.data)[files]
        certain = len(os.path.commonprefix((node.synced, node.data)))
        part = node.data[:rng.randint(certain, len(node.data))]
        return rng.choice((node.synced, node.data, part))
    return choose


def describe(node, choose):
    """What tells states apart, so that none is tried twice."""
    value = choose(node)
    if not isinstance(node, Folder):
        return hash(value)
    return tuple(sorted((name, describe(child, choose)) for name, child in value.items()))


def record(program, run, inject):
    calls = run + '.calls'
    trace = ('openat,close,write,pwrite64,ftruncate,fsync,rename,renameat2,mkdir,unlink,unlinkat,'
             'rmdir')
    subprocess.run(['strace', '-qq', '-xx', '-s', '1000000', '-o', calls, '-e', 'trace=' + trace,
                    *inject, program, 'save', run, '3'], check=True)
    return [(m[1], m[2], int(m[3])) for m in map(CALL.match, open(calls)) if m]


def resumes(program, run):
    got = subprocess.run([program, 'check', run], capture_output=True, text=True)
    step = got.stdout.strip().removeprefix('step ')
    with open(os.path.join(run, 'log.jsonl')) as f:
        line = f.read().splitlines()[-1]
    good = got.returncode == 0 and step in ('2', '3') and line.startswith('{"step":%s,' % step)
    return step if good else None, got.stdout + got.stderr + line


def try_save(program, work, base, inject, rng):
    run, image = os.path.join(work, 'run'), os.path.join(work, 'image')
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(base, run)
    replay, seen, failed = Replay(run), {}, 0
    shutil.copytree(run, run + '.traced')
    calls = record(program, run + '.traced', inject)
    shutil.rmtree(run + '.traced')
    traced, plain = ((run + '.traced').encode().hex(), run.encode().hex())
    code = lambda digits: ''.join('\\x' + digits[i:i + 2] for i in range(0, len(digits), 2))
    for moment, (name, text, result) in enumerate(calls):
        replay.call(name, text.replace(code(traced), code(plain)), result)
        choices = [pick(*both) for both in itertools.product((0, 1), repeat=2)]
        for _ in range(RANDOM_STATES):
            seed = rng.random()
            choices.append(lambda node, seed=seed: pick(None, None, random.Random(
                f'{seed} {node.number}'))(node))
        for choose in choices:
            what = describe(replay.tree, choose)
            said = ''
            if what not in seen:
                shutil.rmtree(image, ignore_errors=True)
                write(replay.tree, image, choose)
                seen[what], said = resumes(program, image)
            # What save() has said is saved must be there.
            if not seen[what] or (moment == len(calls) - 1 and seen[what] != '3'):
                failed += 1
                print(f'failed: power lost after call {moment}, {name}: {seen[what]} {said}')
    steps = set(seen.values())
    if steps != {'2', '3'}:
        print(f'failed: not both outcomes, {steps}')
        failed += 1
    return failed, len(seen)


def main(program):
    if subprocess.run(['strace', '-qq', '-o', '/dev/null', 'true'], capture_output=True).returncode:
        print('skipped: loss of power (strace cannot trace here)')
        return 77
    rng = random.Random(1)
    failed = tried = 0
    os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':detect_leaks=0'
    with tempfile.TemporaryDirectory() as work:
        base = os.path.join(work, 'base')
        for verb in (['create', base], ['save', base, '1'], ['save', base, '2']):
            subprocess.run([program, *verb], check=True)
        for inject in ([], ['-e', 'inject=renameat2:error=EINVAL']):
            bad, count = try_save(program, work, base, inject, rng)
            failed, tried = failed + bad, tried + count
    print(f'loss of power: {tried} states of the disk, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(os.path.abspath(sys.argv[1])))
