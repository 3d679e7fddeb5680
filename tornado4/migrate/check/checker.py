"""A check from its paths to its findings."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tornado4.migrate.check import (
    detect,  # noqa: F401 (enters the detectors)
    files,
)
from tornado4.migrate.check.choosing import is_silenced
from tornado4.migrate.check.findings import Finding
from tornado4.migrate.check.marking import marked
from tornado4.migrate.check.project import Project
from tornado4.migrate.check.requirements import check_requirements, requirement_files
from tornado4.migrate.check.templates import check_template, template_files
from tornado4.migrate.check.walk import walk
from tornado4.migrate.rules import rules


@dataclass(slots=True)
class Result:
    """What a check found, and what it read: ``unread`` files are findings, too."""

    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    lines: int = 0

    @property
    def open(self) -> list[Finding]:
        """What Tornado 6 needs to have changed. Empty: ready."""
        return [finding for finding in self.findings if finding.required]


def check(
    paths: Iterable[Path],
    *,
    aliases: dict[str, str] | None = None,
    progress: Callable[[int, str], None] = lambda number, path: None,
    looked_at: Callable[[int, int], None] = lambda number, count: None,
) -> Result:
    """Read all Python files at or below the paths, as one program, and list what the rules say of them.

    ``progress`` is told of each file that is read, its number and its path, and ``looked_at`` of each that has been
    looked at, its number and how many there are.
    """
    tops = list(paths)
    project, result = load(tops, aliases=aliases, progress=progress)
    for number, module in enumerate(project.all_modules, 1):
        with _deep_trees():
            found = walk(project, module)
        found = [
            finding
            for finding in found
            if not is_silenced(module.lines[finding.line - 1] if module.lines else "", finding.rule_id)
        ]
        result.findings += [*found, *marked(module.path, module.lines, found)]
        looked_at(number, len(project.all_modules))
    for path in requirement_files(tops):
        result.findings += check_requirements(path, files.shown(path))
    for path in template_files(tops):
        result.findings += check_template(path, files.shown(path))
    result.findings.sort()
    return result


#: How deep a tree may be: a sum of thousands of strings, as programs that write programs make them.
DEPTH = 20_000


@contextlib.contextmanager
def _deep_trees() -> Iterator[None]:
    """Functions of Python call one another without using the C stack up: the limit is a number, no more."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def load(
    paths: Iterable[Path],
    *,
    aliases: dict[str, str] | None = None,
    progress: Callable[[int, str], None] = lambda number, path: None,
) -> tuple[Project, Result]:
    """The program's modules, and a result with the findings of files that cannot be read."""
    tops = list(paths)
    project, result = Project(aliases), Result()
    for number, source in enumerate(files.python_files(tops), 1):
        progress(number, source.shown)
        result.files += 1
        try:
            text = files.read(source.path)
            tree = files.parse(text, source.shown)
        except (SyntaxError, UnicodeDecodeError, ValueError, RecursionError) as error:
            result.findings.append(_unread(source.shown, error))
            continue
        module = project.add(source.shown, source.module, text, tree, is_package=source.is_package)
        result.lines += len(module.lines)
    for folder in files.vendored(tops):
        rule = rules()["TND006"]
        result.findings.append(Finding(folder.as_posix(), 1, 1, rule.id, "certain", f"{rule.title}: {rule.advice}"))
    return project, result


def _unread(path: str, error: Exception) -> Finding:
    rule = rules()["TND004"]
    line = getattr(error, "lineno", None) or 1
    column = max(getattr(error, "offset", None) or 1, 1)
    text = (getattr(error, "text", None) or "").strip()
    reason = getattr(error, "msg", None) or str(error) or type(error).__name__
    return Finding(path, line, column, rule.id, "certain", f"not Python 3: {reason}; {rule.advice}", text)
