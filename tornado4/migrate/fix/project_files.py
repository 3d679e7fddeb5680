"""Requirement files: the pin that keeps Tornado 6 out; and ``--leave``, the very last step, which drops tornado4."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tornado4.migrate.check import files
from tornado4.migrate.check.requirements import _NAMED4, _TORNADO, allows_6, requirement_files

if TYPE_CHECKING:
    from tornado4.migrate.fix.fixer import Outcome
    from tornado4.migrate.fix.steps import Options

#: What takes the place of a pin: what check and the rules speak of.
WANTED = ">=6.5,<7"

#: Lock files are made by a tool, which makes them anew.
LOCKS = frozenset(("Pipfile.lock", "poetry.lock"))


def fix(paths: Iterable[Path], options: Options, outcome: Outcome) -> None:
    """Lift the pins, when the program is to leave: until then it needs tornado4, and the pin is true."""
    from tornado4.migrate.fix.fixer import Left, Made

    for path in requirement_files(paths):
        shown = files.shown(path)
        try:
            data = path.read_bytes()
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            continue
        lines = text.split("\n")
        for number, line in enumerate(lines, 1):
            changed = lifted(line)
            if changed == line:
                continue
            if not options.leave:
                reason = "the program runs on tornado4 still: fix --leave lifts the pin at the very end"
                outcome.left.append(Left(shown, number, "<file>", "TND951", reason, False, True))
            elif path.name in LOCKS:
                reason = f"{path.name} is made by a tool: have it made anew"
                outcome.left.append(Left(shown, number, "<file>", "TND951", reason, False, True))
            else:
                lines[number - 1] = changed
                outcome.made.append(Made("TND951", shown, number, "<file>", 1))
        after = "\n".join(lines).encode("utf-8")
        if after != data and shown not in outcome.after:
            outcome.before[shown], outcome.after[shown], outcome.paths[shown] = data, after, path
    outcome.left.sort()


def lifted(line: str) -> str:
    """A line without the pin: ``tornado==4.5.3`` becomes ``tornado>=6.5,<7``, and so does ``tornado4``."""
    code, hash_, comment = line.partition(" #")
    if code.lstrip().startswith("#"):
        return line
    for match in reversed(list(_TORNADO.finditer(code))):
        if not allows_6(match["spec"]) or match[0].startswith("tornado4"):
            start, end = match.span("spec")
            spec = match["spec"]
            tail = (
                spec[len(spec.rstrip(" ,")) :] if spec.rstrip(" ") != spec.rstrip(" ,") else spec[len(spec.rstrip()) :]
            )
            code = code[:start] + WANTED + tail + code[end:]
            if match[0].startswith("tornado4"):
                code = code[: match.start()] + "tornado" + code[match.start() + len("tornado4") :]
    if not _TORNADO.search(code):
        code = (
            re.sub(r"(?<![\w.-])tornado4(?:\[[^\]]*\])?(?![\w.-])", f"tornado{WANTED}", code, count=1)
            if _is_named(code)
            else code
        )
    return code + hash_ + comment


def _is_named(code: str) -> bool:
    return _NAMED4.fullmatch(code.strip().strip("\"',").partition("[")[0]) is not None
