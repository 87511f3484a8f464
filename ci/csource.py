# SPDX-License-Identifier: Apache-2.0
"""A scanner of C, just good enough for the rules of check_source.py. No preprocessor is run."""
import re
from dataclasses import dataclass

TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVE = re.compile(r'^[ \t]*#(?:[^\n\\]|\\.|\\\n)*', re.M)
CONDITION = re.compile(r'^[ \t]*#[ \t]*if', re.M)
BRANCH = re.compile(r'\b(?:if|for|while|case)\b|&&|\|\||\?')
ATTRIBUTE = re.compile(r'__attribute__\s*\(\(.*?\)\)|\bCXN_API\b', re.S)
WORD_BEFORE = re.compile(r'([A-Za-z_]\w*)\s*$')


@dataclass
class Function:
    name: str
    line: int        # of the first line of its head, from 1
    lines: int       # up to the closing brace
    parameters: int
    branches: int    # cyclomatic complexity: ways through it that are decided, plus one
    conditions: int  # #if lines within


def spaces(match):
    return re.sub(r'[^\n]', ' ', match.group())


def without_text(source):
    """Comments and the inside of literals become spaces; lines and columns stay."""
    return TOKENS.sub(spaces, source)


def parameter_list(head):
    """(name, parameters) of the function that this text heads, or None."""
    depth, end = 0, None
    for at in range(len(head) - 1, -1, -1):
        if head[at] == ')':
            end = at if depth == 0 else end
            depth += 1
        elif head[at] == '(':
            depth -= 1
            if depth == 0:
                break
    if end is None or depth != 0 or head[end + 1:].strip():
        return None
    name = WORD_BEFORE.search(head[:at])
    if not name or name.group(1) in ('if', 'for', 'while', 'switch'):
        return None
    inside, depth, count = head[at + 1:end], 0, 1
    for c in inside:
        depth += (c == '(') - (c == ')')
        count += c == ',' and depth == 0
    return name.group(1), 0 if inside.strip() in ('', 'void') else count


def functions(source):
    """Every function defined in the source."""
    text = without_text(source)
    code = DIRECTIVE.sub(spaces, text)
    depth, head_at, found, head = 0, 0, [], None
    for brace in re.finditer(r'[{};]', code):
        at, c = brace.start(), brace.group()
        if c == '{':
            if depth == 0:
                if re.fullmatch(r'\s*(?:extern|namespace\s*\w*)\s*', code[head_at:at]):
                    head_at = at + 1  # a linkage block: its content is at file level
                    continue
                head = parameter_list(ATTRIBUTE.sub(spaces, code[head_at:at]))
            depth += 1
        elif c == '}':
            depth = max(depth - 1, 0)
            if depth == 0 and head:
                found.append(describe(head, text, code, head_at, at))
                head = None
            if depth == 0:
                head_at = at + 1
        elif depth == 0:
            head_at = at + 1
    return found


def describe(head, text, code, start, end):
    start += len(code[start:end]) - len(code[start:end].lstrip())
    first = text.count('\n', 0, start) + 1
    return Function(name=head[0], line=first, lines=text.count('\n', start, end) + 1,
                    parameters=head[1],
                    branches=1 + len(BRANCH.findall(code[start:end])),
                    conditions=len(CONDITION.findall(text[start:end])))
