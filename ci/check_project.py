# SPDX-License-Identifier: Apache-2.0
"""Rules of everything around the C source: licence lines, documents that name only what exists,
nothing of one machine, commit subjects. Usage: check_project.py ROOT"""
import os
import re
import subprocess
import sys

from tree import Tree

SOURCES = ('.c', '.h', '.cc', '.py', '.sh', '.cmake', 'CMakeLists.txt')
SUBJECT = re.compile(r'[a-z][a-z0-9_+./, -]*: \S.*')
SUBJECT_COLUMNS = 72
# Landed before the rule was checked; history is not rewritten.
EXCUSED = ('tools: one way to print a JSON object, signals end prepare and phantom too',)
# Split by classes so that this file is not a finding of its own.
MACHINE = re.compile(r'(?<![\w.$}~*-])/(?:[o]pt|[w]ork|[h]ome|[r]oot|[m]nt)/\w')
REGISTRY = re.compile(r'\b(?:deb\.[d]ebian|snapshot\.[d]ebian|security\.[d]ebian|pypi\.[o]rg|'
                      r'files\.[p]ythonhosted|registry\.[n]pmjs|index\.[d]ocker|ghcr\.[i]o)')
NAME = re.compile(r'\.name = "([a-z0-9-]+)"')
ROW = re.compile(r'#define (OPT_\w+)[^"]*?\.name = "([a-z0-9-]+)"')
USE = re.compile(r'(?:^|[\s(])(?:\S*/)?chexnet ([a-z][a-z0-9-]*)(.*)')
OPTION = re.compile(r'(?<!\S)--([a-z][a-z0-9-]*)')
BUILT_IN = {'help', 'version', 'man', 'completion'}


def check_licence(tree, path, text):
    if path.endswith(SOURCES) or text.startswith('#!'):
        if not any('SPDX-License-Identifier: Apache-2.0' in l for l in text.splitlines()[:3]):
            tree.report(path, 1, 'licence line', 'SPDX-License-Identifier is missing')


def check_machine(tree, path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE.search(line):
            tree.report(path, number, 'machine path', line.strip()[:80])
        if REGISTRY.search(line):
            tree.report(path, number, 'registry host', line.strip()[:80])


def commands_of(tree):
    """{command: its options}, from the table in tools/chexnet.c and the cmd_*.c it names; rows that
    commands share are macros OPT_... of a header."""
    main = tree.text('tools/chexnet.c') if 'tools/chexnet.c' in tree.paths else ''
    common = tree.text('tools/options.c') if 'tools/options.c' in tree.paths else ''
    headers = [p for p in tree.paths if p.startswith('tools/') and p.endswith('.h')]
    shared = dict(row for p in headers for row in ROW.findall(tree.text(p)))
    commands = {}
    for word in re.findall(r'&cmd_(\w+)', main):
        path = f'tools/cmd_{word}.c'
        source = tree.text(path) if path in tree.paths else ''
        names = NAME.findall(source) + [n for row, n in shared.items() if row in source]
        commands[word.replace('_', '-')] = set(names) | set(NAME.findall(common)) | BUILT_IN
    return commands


def code_of(text):
    """(line, command) of a document: blocks, fenced or indented, and `code` in text."""
    fenced = False
    pending, first = '', 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith('```'):
            fenced = not fenced
        elif fenced:
            first = first if pending else number
            pending += line.rstrip('\\') if line.endswith('\\') else line
            if not line.endswith('\\'):
                yield first, pending
                pending = ''
        elif re.match(r'    +(?:\$ )?(?:\S*/)?chexnet ', line):
            yield number, line
        else:
            for code in re.findall(r'`([^`]+)`', line):
                yield number, code


def check_document(tree, path, text, commands):
    for number, code in code_of(text):
        use = USE.search(code.split(' #')[0])
        if not use:
            continue
        if use.group(1) not in commands:
            tree.report(path, number, 'unknown command', f'chexnet {use.group(1)}')
            continue
        for option in OPTION.findall(re.split(r'[|;&>]', use.group(2))[0]):
            if option not in commands[use.group(1)]:
                tree.report(path, number, 'unknown option', f'chexnet {use.group(1)} --{option}')


def check_readme(tree, commands):
    readme = tree.text('README.md') if 'README.md' in tree.paths else None
    for command in commands if readme is not None else ():
        if f'`chexnet {command}' not in readme:
            tree.report('README.md', 1, 'undocumented command', f'chexnet {command}')


def check_commits(tree):
    log = None
    if os.path.exists(os.path.join(tree.root, '.git')):
        log = subprocess.run(['git', '-C', tree.root, 'log', '--no-merges', '--format=%h %s'],
                             capture_output=True, text=True)
    if not log or log.returncode != 0:
        print('skipped: commit subjects (no history)')
        return
    for line in log.stdout.splitlines():
        commit, subject = line.split(' ', 1) if ' ' in line else (line, '')
        good = SUBJECT.fullmatch(subject) and len(subject) <= SUBJECT_COLUMNS
        if (not good or subject.endswith('.')) and subject not in EXCUSED:
            tree.report(commit, 1, 'commit subject', subject)


def main(root):
    tree = Tree(root)
    commands = commands_of(tree)
    for path in tree.paths:
        text = tree.text(path)
        if text is None:
            continue
        check_licence(tree, path, text)
        check_machine(tree, path, text)
        if path.endswith('.md'):
            check_document(tree, path, text, commands)
    check_readme(tree, commands)
    check_commits(tree)
    print('\n'.join(tree.findings), end='\n' if tree.findings else '')
    return 1 if tree.findings else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
