"""``tornado4 check PATH...``: what Tornado 6 would break in a program, by reading it."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tornado4.migrate.check.checker import Result, check
from tornado4.migrate.check.choosing import Choice, baseline_of, new_findings, read_baseline
from tornado4.migrate.check.findings import Finding
from tornado4.migrate.check.progress import Progress
from tornado4.migrate.check.report.html import to_html
from tornado4.migrate.check.report.json_report import to_json
from tornado4.migrate.check.report.lines import to_csv, to_github
from tornado4.migrate.check.report.sarif import to_sarif
from tornado4.migrate.check.report.text import to_statistics, to_text

FORMATS: dict[str, Callable[[Result, list[Finding]], str]] = {
    "text": to_text,
    "json": to_json,
    "sarif": to_sarif,
    "github": to_github,
    "csv": to_csv,
    "html": to_html,
}

#: The keys of ``[tool.tornado4.check]``, each with the type of its value.
KEYS = {
    "native": bool,
    "select": list,
    "ignore": list,
    "baseline": str,
    "format": str,
    "exit-zero": bool,
    "aliases": dict,
}


def main(argv: Sequence[str]) -> int:
    """The subcommand: 0 when Tornado 6 needs no change, 1 when it does, 2 when the check could not run."""
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        return _run(options)
    except (OSError, ValueError) as error:
        print(f"tornado4 check: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    paths = [Path(path) for path in options.paths]
    settings = configuration(paths[0])
    choice = Choice(
        native=options.native or settings.get("native", False),
        select=_listed(options.select) or settings.get("select", ()),
        ignore=_listed(options.ignore) or settings.get("ignore", ()),
        optional=False,
    )
    chosen = options.format or settings.get("format", "text")
    if chosen not in FORMATS:
        raise ValueError(f"[tool.tornado4.check] format: {chosen!r} is none of {', '.join(FORMATS)}")
    progress = Progress(sys.stderr)
    try:
        result = check(
            paths, aliases=settings.get("aliases"), progress=progress.read, looked_at=progress.looked_at
        )
    finally:
        progress.done()
    shown = [finding for finding in result.findings if choice.takes(finding)]
    if options.write_baseline:
        Path(options.write_baseline).write_text(baseline_of(shown), "utf-8")
        print(f"{len(shown)} findings are known now: {options.write_baseline}", file=sys.stderr)
        return 0
    baseline = options.baseline or settings.get("baseline")
    vanished = 0
    if baseline:
        shown, vanished = new_findings(shown, read_baseline(Path(baseline)))
    report = to_statistics if options.statistics and chosen == "text" else FORMATS[chosen]
    _write(report(result, shown), options.output)
    if vanished:
        print(f"{vanished} of the baseline are gone: --write-baseline makes it shorter", file=sys.stderr)
    failed = bool(shown) if baseline or choice.select else bool(result.open and shown)
    return 1 if failed and not (options.exit_zero or settings.get("exit-zero")) else 0


def configuration(start: Path) -> Mapping[str, Any]:
    """``[tool.tornado4.check]`` of the pyproject.toml beside the first path, or above it.

    ValueError for a key that is none, or a value of the wrong type.
    """
    for folder in [start.resolve(), *start.resolve().parents]:
        file = folder / "pyproject.toml"
        if file.is_file():
            try:
                table = tomllib.loads(file.read_text("utf-8")).get("tool", {}).get("tornado4", {}).get("check", {})
            except tomllib.TOMLDecodeError as error:
                raise ValueError(f"{file}: {error}") from None
            for key, value in table.items():
                if key not in KEYS:
                    raise ValueError(f"{file}: [tool.tornado4.check] has no {key!r}; it has {', '.join(KEYS)}")
                if not isinstance(value, KEYS[key]):
                    wanted = KEYS[key].__name__
                    raise ValueError(f"{file}: [tool.tornado4.check] {key} = {value!r}: a {wanted} is wanted")
            return dict(table)
    return {}


def _listed(values: Sequence[str] | None) -> list[str]:
    return [name for value in values or () for name in value.replace(",", " ").split()]


def _write(text: str, output: str | None) -> None:
    if output is None or output == "-":
        sys.stdout.write(text)
    else:
        Path(output).write_text(text, "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tornado4 check",
        description="List what Tornado 6 would break in a program written for Tornado 4. The program is read, not run.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files and folders")
    parser.add_argument("--native", action="store_true", help="also what is deprecated, or written otherwise today")
    parser.add_argument("--select", action="append", metavar="RULES", help="these alone: TND203, or TND2 for many")
    parser.add_argument("--ignore", action="append", metavar="RULES", help="all but these")
    parser.add_argument("--format", choices=FORMATS, help="of the report (default: text)")
    parser.add_argument("--output", metavar="FILE", help="where the report goes (default: standard output)")
    parser.add_argument("--statistics", action="store_true", help="counts by rule, in place of the places")
    parser.add_argument("--baseline", metavar="FILE", help="what is in it is known: only new findings count")
    parser.add_argument("--write-baseline", metavar="FILE", help="make one of what is found now")
    parser.add_argument("--exit-zero", action="store_true", help="end with 0 whatever is found")
    return parser
