"""The changes as a unified diff, which ``git apply`` and ``patch -p1`` take."""

from __future__ import annotations

import difflib

from tornado4.migrate.fix.fixer import Outcome


def to_diff(outcome: Outcome) -> str:
    """All changed files, sorted."""
    parts: list[str] = []
    for shown in sorted(outcome.changed):
        before = _lines(outcome.before.get(shown, b""))
        after = _lines(outcome.after[shown])
        old = f"a/{shown}" if shown in outcome.before else "/dev/null"
        for line in difflib.unified_diff(before, after, old, f"b/{shown}"):
            parts.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(parts)


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "surrogateescape").splitlines(keepends=True)
