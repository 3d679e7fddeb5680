"""``tornado4 fix PATH...``: rewrite what Tornado 6 would break in a program, as far as that is safe."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tornado4.migrate.check.choosing import Choice
from tornado4.migrate.check.command import configuration

if TYPE_CHECKING:
    from tornado4.migrate.fix.fixer import Outcome


def main(argv: Sequence[str]) -> int:
    """The subcommand: 0, or with ``--check`` 1 when something would be changed; 2 when the fix could not run."""
    options = _parser().parse_args(argv)
    if importlib.util.find_spec("libcst") is None:
        print("tornado4 fix: needs LibCST: pip install 'tornado4[fix]'", file=sys.stderr)
        return 2
    try:
        return _run(options)
    except (OSError, ValueError) as error:
        print(f"tornado4 fix: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    from tornado4.migrate.fix import fixer, helpers, recorded, steps, writing
    from tornado4.migrate.fix.report.diff import to_diff
    from tornado4.migrate.fix.report.json_report import to_json
    from tornado4.migrate.fix.report.text import to_text

    paths = [Path(path) for path in options.paths]
    if options.profile and not options.native:
        raise ValueError("--profile says what --native may do: say --native, too")
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"no such file or folder: {path}")
    settings = configuration(paths[0])
    writes = not (options.diff or options.check)
    if writes and not options.force:
        try:
            writing.ensure_safe(paths, backup=options.backup)
        except writing.Dirty as error:
            raise ValueError(str(error)) from None
    choice = Choice(
        native=options.native,
        select=_listed(options.select),
        ignore=_listed(options.ignore) or settings.get("ignore", ()),
    )
    wanted = steps.Options(
        unsafe=options.unsafe,
        choice=choice,
        leave=options.leave,
        markers=not options.no_markers,
        aliases=dict(settings.get("aliases", {})),
        helpers=Path(options.helpers) if options.helpers else None,
        profile=recorded.read(options.profile, Path()) if options.profile else None,
    )
    if wanted.helpers is not None:
        helpers.module(wanted.helpers)
    outcome = fixer.fix(paths, wanted, progress=_progress())
    if writes:
        _write(outcome, backup=options.backup)
    if options.diff:
        sys.stdout.write(to_diff(outcome))
        report = sys.stderr
    else:
        report = sys.stdout
    report.write((to_json if options.format == "json" else to_text)(outcome, written=writes))
    return 1 if options.check and outcome.changed else 0


def _write(outcome: Outcome, *, backup: bool) -> None:
    from tornado4.migrate.fix import writing

    for shown in outcome.changed:
        path = outcome.paths[shown]
        if backup and path.exists():
            writing.keep(path)
        writing.write(path, outcome.after[shown])


def _listed(values: Sequence[str] | None) -> list[str]:
    return [name for value in values or () for name in value.replace(",", " ").split()]


def _progress() -> Callable[[int, str], None]:
    """One line on a terminal that says what is being looked at; nothing elsewhere."""
    if not sys.stderr.isatty():
        return lambda number, path: None
    count = 0

    def show(number: int, path: str) -> None:
        nonlocal count
        count += 1
        if count % 10 == 0:
            sys.stderr.write(f"\r\x1b[K{count} files looked at, {path[-60:]}")
            sys.stderr.flush()

    return show


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tornado4 fix",
        description="Rewrite what Tornado 6 would break in a program written for Tornado 4, in place. "
        "Needs LibCST: pip install 'tornado4[fix]'.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files and folders: all of the program")
    parser.add_argument("--unsafe", action="store_true", help="also what is right in most programs and wants a look")
    parser.add_argument(
        "--native", action="store_true", help="also the optional ladder: async def, await, today's names"
    )
    parser.add_argument(
        "--profile",
        action="append",
        type=Path,
        metavar="FILE",
        help="what --migrate=record wrote of a run, for --native to go by; several are put into one, in their order",
    )
    parser.add_argument("--select", action="append", metavar="RULES", help="these alone: TND203, or TND2 for many")
    parser.add_argument("--ignore", action="append", metavar="RULES", help="all but these")
    parser.add_argument("--diff", action="store_true", help="print what would change, as a diff; change nothing")
    parser.add_argument("--check", action="store_true", help="change nothing; end with 1 when something would be")
    parser.add_argument("--force", action="store_true", help="although there are changes that are not committed")
    parser.add_argument("--backup", action="store_true", help="keep each changed file as NAME.orig")
    parser.add_argument("--helpers", metavar="FILE", help="a module of the program that a helper may be written into")
    parser.add_argument("--no-markers", action="store_true", help="no comment where a person is needed")
    parser.add_argument("--leave", action="store_true", help="the very last step: from tornado4 to tornado")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of the report (default: text)")
    return parser
