# SPDX-License-Identifier: Apache-2.0
"""Rules of the C source: who may include whom, sizes, and what is not called. CONTRIBUTING.md
says why. Usage: check_source.py ROOT"""
import re
import sys

import csource
from tree import Tree

# A room may include itself and what stands to its right.
ROOMS = 'api view onnx quant train fuse data image model nn kern cpu eval base'.split()
FUNCTION_LINES, KERNEL_LINES = 100, 200
FILE_LINES, HEADER_LINES = 900, 400
COLUMNS, PARAMETERS, COMPLEXITY, CONDITIONS = 100, 10, 25, 1

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)
X86 = re.compile(r'^(?:\w*intrin|cpuid)\.h$')
KERNEL = re.compile(r'^src/kern/[^/]+/')
BANNED = re.compile(r'\b(v?sprintf|strcpy|strcat|gets|atoi|strtok|alloca)\s*\(')
# The library leaves the terminal and the life of the process to its caller.
CALLERS = re.compile(r'\b((?:printf|puts|putchar|perror|exit|_exit|abort)\s*\(|std(?:err|out)\b)')
PUBLIC_SYSTEM = ('stddef.h', 'stdint.h', 'stdbool.h')


def line_of(text, at):
    return text.count('\n', 0, at) + 1


def wrong_include(path, quoted, name):
    """Why this file may not include that, or None."""
    parts = path.split('/')
    public = not quoted and name.startswith('chexnet/')
    if path.startswith('include/'):
        if not public and (quoted or name not in PUBLIC_SYSTEM):
            return 'a public header includes only public headers and ' + ', '.join(PUBLIC_SYSTEM)
    elif path.startswith('tools/'):
        if quoted and '/' in name:
            return 'tools use only the public headers and their own'
    elif path.startswith('src/') and len(parts) > 2:
        return wrong_room(parts[1], quoted, public, name)
    return None


def wrong_room(room, quoted, public, name):
    if room == 'serve':
        if quoted and not name.startswith('serve/'):
            return 'serve uses only the public headers and its own'
        return None
    if room not in ROOMS:
        return f'src/{room} is not a room of design; ci/check_source.py lists them'
    if public and room != 'api' and (room, name) != ('base', 'chexnet/status.h'):
        return 'only api (and base its status.h) includes public headers'
    if not quoted:
        return None
    target = name.split('/')[0]
    if '/' not in name or target not in ROOMS:
        return 'expected "room/header.h"'
    if ROOMS.index(target) < ROOMS.index(room):
        return f'{room} may not look up at {target}'
    return None


def check_includes(tree, path, text):
    for match in INCLUDE.finditer(text):
        name, line = match.group(2), line_of(text, match.start())
        why = wrong_include(path, match.group(1) == '"', name)
        if why:
            tree.report(path, line, 'include', f'{name}: {why}')
        if X86.match(name) and not (path.startswith('src/cpu/') or KERNEL.match(path)):
            tree.report(path, line, 'x86', f'{name} belongs under src/cpu/ or src/kern/<level>/')


def check_functions(tree, path, text):
    longest = KERNEL_LINES if KERNEL.match(path) else FUNCTION_LINES
    for f in csource.functions(text):
        for rule, value, limit in (('function length', f.lines, longest),
                                   ('parameters', f.parameters, PARAMETERS),
                                   ('complexity', f.branches, COMPLEXITY),
                                   ('#if in function', f.conditions, CONDITIONS)):
            if value > limit:
                tree.report(path, f.line, rule, f'{f.name}: {value}, at most {limit}')


def check_calls(tree, path, text):
    code = csource.without_text(text)
    for match in BANNED.finditer(code):
        tree.report(path, line_of(code, match.start()), 'banned', match.group(1))
    if path.startswith('src/') and not path.startswith('src/serve/'):
        for match in CALLERS.finditer(code):
            tree.report(path, line_of(code, match.start()), 'library prints or exits',
                        match.group(1).rstrip(' ('))


def check_shape(tree, path, text):
    lines = text.splitlines()
    limit = HEADER_LINES if path.endswith('.h') else FILE_LINES
    if len(lines) > limit:
        tree.report(path, len(lines), 'file length', f'{len(lines)} lines, at most {limit}')
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > COLUMNS:
            tree.report(path, number, 'line length', f'{len(line)} columns, at most {COLUMNS}')
        if '\t' in line:
            tree.report(path, number, 'tab', 'indent with spaces')
        if line != line.rstrip():
            tree.report(path, number, 'trailing space', 'remove it')


def main(root):
    tree = Tree(root)
    for path in tree.paths:
        is_c = path.endswith(('.c', '.h', '.cc'))
        text = tree.text(path) if is_c or path.endswith(('.py', '.sh', '.cmake')) else None
        if text is None:
            continue
        check_shape(tree, path, text)
        if is_c:
            check_includes(tree, path, text)
            check_functions(tree, path, text)
            check_calls(tree, path, text)
    print('\n'.join(tree.findings), end='\n' if tree.findings else '')
    return 1 if tree.findings else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
