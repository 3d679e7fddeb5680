"""Marker comments: ``# TND203: ...`` above a line where a person is needed; open until they go. `fix` writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tornado4.migrate.check.findings import Finding
from tornado4.migrate.rules import rules

MARKER = re.compile(r"^\s*#\s*(?P<rule>TND\d{3}): ")

#: How far below a marker the finding that it is about may stand: a statement of several lines, other markers.
REACH = 8


def comment(rule_id: str) -> str:
    """The comment for a rule, without indentation."""
    return f"# {rule_id}: {rules()[rule_id].title} (tornado4 explain {rule_id})"


def marked(path: str, lines: Sequence[str], found: Iterable[Finding]) -> list[Finding]:
    """A finding for each marker in a file, where nothing of its rule is found just below."""
    known = {(each.rule_id, each.line) for each in found}
    open_markers = []
    for number, line in enumerate(lines, 1):
        match = MARKER.match(line)
        if match is None or match["rule"] not in rules():
            continue
        if any((match["rule"], below) in known for below in range(number, number + REACH)):
            continue
        rule = rules()[match["rule"]]
        message = f"marked: {rule.advice or rule.title}"
        open_markers.append(Finding(path, number, line.index("#") + 1, rule.id, "certain", message, line.strip()))
    return open_markers
