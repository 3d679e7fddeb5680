"""Marker comments: ``# TND203: ...`` above a line where a person is needed. `check` counts one as open."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tornado4.migrate.check.marking import MARKER, comment
from tornado4.migrate.fix.memory import parse
from tornado4.migrate.fix.program import File, Program

if TYPE_CHECKING:
    from tornado4.migrate.fix.fixer import Left


def enter(program: Program, left: Iterable[Left]) -> None:
    """Write a comment above each statement with a finding that no level of fix can change, once."""
    wanted: dict[str, dict[int, set[str]]] = {}
    for each in left:
        if each.required and not each.unsafe:
            wanted.setdefault(each.path, {}).setdefault(each.line, set()).add(each.rule_id)
    for shown, places in wanted.items():
        file = program.files[shown]
        text = _marked(file, places)
        if text != file.text and ast.dump(file.tree) == ast.dump(parse(text, shown)):
            program.files[shown] = File(file.source, text, parse(text, shown), file.encoding, file.newline, file.bom)


def _marked(file: File, places: dict[int, set[str]]) -> str:
    lines = file.text.split("\n")
    starts = _starts(file)
    by_start: dict[int, set[str]] = {}
    for line, rule_ids in places.items():
        by_start.setdefault(starts.get(line, line), set()).update(rule_ids)
    for line in sorted(by_start, reverse=True):
        known = _above(lines, line)
        indent = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]
        for rule_id in sorted(by_start[line] - known, reverse=True):
            lines.insert(line - 1, indent + comment(rule_id))
    return "\n".join(lines)


def _above(lines: list[str], line: int) -> set[str]:
    """The rules of the markers directly above a line."""
    found = set()
    at = line - 2
    while at >= 0 and lines[at].lstrip().startswith("#"):
        match = MARKER.match(lines[at])
        if match:
            found.add(match["rule"])
        at -= 1
    return found


def _starts(file: File) -> dict[int, int]:
    """For each line the first line of the innermost statement on it; decorators belong to what they decorate."""
    starts: dict[int, int] = {}
    for node in ast.walk(file.tree):
        if isinstance(node, ast.stmt):
            first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
            end = node.lineno if hasattr(node, "body") else node.end_lineno or node.lineno
            if hasattr(node, "body"):
                body = node.body[0] if isinstance(node.body, list) and node.body else None
                end = max(node.lineno, (body.lineno - 1) if body is not None else node.lineno)
            for line in range(first, end + 1):
                if first >= starts.get(line, 0):
                    starts[line] = first
    return starts
