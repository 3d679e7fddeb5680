"""``tornado4 check PATH...``: what Tornado 6 would break in a program, by reading it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tornado4.migrate.check.checker import Result, check
from tornado4.migrate.check.findings import Finding
from tornado4.migrate.check.report.json_report import to_json
from tornado4.migrate.check.report.text import to_text

FORMATS = {"text": to_text, "json": to_json}


def main(argv: Sequence[str]) -> int:
    """The subcommand: 0 when Tornado 6 needs no change, 1 when it does, 2 when the check could not run."""
    options = _parser().parse_args(argv)
    try:
        result = check([Path(path) for path in options.paths])
    except FileNotFoundError as error:
        print(f"tornado4 check: {error}", file=sys.stderr)
        return 2
    shown = selected(result, native=options.native)
    sys.stdout.write(FORMATS[options.format](result, shown))
    return 1 if result.open and not options.exit_zero else 0


def selected(result: Result, *, native: bool) -> list[Finding]:
    """What is shown: what Tornado 6 needs, or with ``native`` also what is deprecated or only a matter of style."""
    if native:
        return [finding for finding in result.findings if not finding.guarded]
    return result.open + [finding for finding in result.findings if finding.rule_id in ("TND004", "TND006")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tornado4 check",
        description="List what Tornado 6 would break in a program written for Tornado 4. The program is read, not run.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files and folders")
    parser.add_argument("--native", action="store_true", help="also what is deprecated, or written otherwise today")
    parser.add_argument("--format", choices=FORMATS, default="text", help="of the report (default: text)")
    parser.add_argument("--exit-zero", action="store_true", help="end with 0 whatever is found")
    return parser
