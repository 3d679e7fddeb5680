"""``tornado4 doctor``: the command line."""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from tornado4.migrate.doctor import findings
from tornado4.migrate.doctor.findings import Finding

_MARKS = {"ok": " ", "note": "*", "warning": "!"}


def main(argv: Sequence[str]) -> int:
    """The subcommand: 1 for a warning, 2 when settings cannot be read or the application does not start."""
    parser = argparse.ArgumentParser(
        prog="tornado4 doctor",
        description="What this environment is: interpreter, loops, alias, switches, agents, limits. * is worth "
        "knowing, ! does not do what was asked for. Exit code 1 if there is a !.",
    )
    parser.add_argument(
        "app", nargs="?", metavar="MODULE:APP", help="import it as 'tornado4 serve' would, and see what that has used"
    )
    parser.add_argument("--json", action="store_true", help="the same for programs, with all of 'tornado4 security'")
    options = parser.parse_args(argv)
    try:
        found = [finding for look in findings.ALL for finding in look()]
        if options.app is not None:
            found += _of_application(options.app)
    except ValueError as error:  # settings that cannot be read, a switch that is none
        print(f"tornado4 doctor: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"findings": [finding._asdict() for finding in found], "security": _security()}, indent=2))
    else:
        print("\n".join(map(line, found)))
    return 1 if any(finding.level == "warning" for finding in found) else 0


def line(finding: Finding) -> str:
    """A finding as a line of text."""
    advice = f" ({finding.advice})" if finding.advice else ""
    return f"{_MARKS[finding.level]} {finding.name:<15} {finding.value}{advice}"


def _of_application(name: str) -> list[Finding]:
    from tornado4.serve import target

    try:
        return list(findings.application(name))
    except target.TargetError as error:
        return [Finding("application", str(error), "warning")]
    except Exception as error:
        traceback.print_exc()
        return [Finding("application", f"{name} does not start: {error!r}", "warning")]


def _security() -> dict[str, Any]:
    from tornado4.migrate.security import command as security
    from tornado4.migrate.security.table import listing

    the_list = listing()
    return security.as_json(the_list, list(the_list.entries.values()), security.switches_that_are_set(os.getcwd()))
