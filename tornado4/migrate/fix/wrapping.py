"""Lines that a rewrite has made too long: the arguments of a call get lines of their own, as in what stands around."""

from __future__ import annotations

import ast
import io
import re
import tokenize

from tornado4.migrate.check.nodes import walk
from tornado4.migrate.fix.memory import parse

#: What files keep to: at least the first, at most the last; the middle where a file's lines do not say.
SHORTEST, USUAL, LONGEST = 79, 100, 120
#: A file whose longest line is at least as long says what it keeps to.
TELLING = 72
#: Comments that are about the line on which they stand: it stays one.
_TO_TOOLS = re.compile(r"#\s*(noqa|type:|pylint:|pragma:|nosec)", re.IGNORECASE)


def wrapped(before: str, after: str) -> str:
    """The text ``after``, its new lines wrapped that are longer than what ``before`` keeps to."""
    old = set(before.split("\n"))
    longest = max(map(_width, old))
    limit = max(SHORTEST, min(LONGEST, longest)) if longest >= TELLING else USUAL
    long = [
        number
        for number, line in enumerate(after.split("\n"), 1)
        if _width(line) > limit and line not in old and not _TO_TOOLS.search(line)
    ]
    for number in reversed(long):
        after = _wrapped(after, number, limit)
    return after


def _wrapped(text: str, number: int, limit: int) -> str:
    """The text with one line wrapped, at the outermost call that makes it short enough; as it was, where none does."""
    tree = parse(text, "<text>")
    lines = text.split("\n")
    line = lines[number - 1]
    places = []
    for node in walk(tree):
        if isinstance(node, ast.Call) and node.lineno == node.end_lineno == number and (node.args or node.keywords):
            start = _column(line, node.func.end_col_offset or 0)
            places.append((line.index("(", start), _column(line, node.end_col_offset or 0) - 1))
    for begin, end in sorted(places, key=lambda place: (place[0] - place[1], place)):
        pieces = _pieces(line[begin + 1 : end])
        indent = line[: len(line) - len(line.lstrip())]
        inner = indent + ("\t" if indent.endswith("\t") else "    ")
        for parts in ([", ".join(pieces)], [f"{piece}," for piece in pieces]):
            made = [line[: begin + 1], *(inner + part for part in parts), indent + line[end:]]
            if all(_width(each) <= limit for each in made) and pieces:
                changed = "\n".join([*lines[: number - 1], *made, *lines[number:]])
                if _same(tree, changed):
                    return changed
    return text


def _width(line: str) -> int:
    return len(line.rstrip().expandtabs(8))


def _column(line: str, offset: int) -> int:
    return offset if line.isascii() else len(line.encode()[:offset].decode())


def _pieces(arguments: str) -> list[str]:
    """What stands between the commas of an argument list; nothing for one that cannot be cut."""
    pieces, depth, start, lambdas = [], 0, 0, 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(f"({arguments})").readline):
            column = token.start[1] - 1
            if token.type == tokenize.OP and token.string in "([{":
                depth += 1
            elif token.type == tokenize.OP and token.string in ")]}":
                depth -= 1
            elif depth != 1:
                continue
            elif token.string == "lambda":  # its parameters have commas of their own
                lambdas += 1
            elif token.string == ":" and lambdas:
                lambdas -= 1
            elif token.string == "," and not lambdas:
                pieces.append(arguments[start:column].strip())
                start = column + 1
    except (tokenize.TokenError, SyntaxError):
        return []
    last = arguments[start:].strip()
    return [*pieces, last] if last else pieces


def _same(tree: ast.Module, changed: str) -> bool:
    try:
        return ast.dump(parse(changed, "<text>")) == ast.dump(tree)
    except SyntaxError:
        return False
