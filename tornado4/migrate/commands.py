"""The subcommands of ``tornado4``.

A subcommand is one line in :data:`COMMANDS` and a function ``main(argv)`` that takes the arguments after the
subcommand's name, parses them by itself, and returns an exit code (or None, which is 0). Its module is
imported only when it is called.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as distribution_version
from typing import NamedTuple

import tornado4


class Command(NamedTuple):
    """One subcommand: its name, the module that holds its ``main(argv)``, and a line for ``--help``."""

    name: str
    module: str
    summary: str


COMMANDS = [
    Command("run", "tornado4.migrate.run", "run a Tornado 4 program: 'import tornado' gets tornado4"),
    Command("serve", "tornado4.serve.command", "serve an application in production, in one process or several"),
    Command("stubs", "tornado4.migrate.stubs", "types for programs that say import tornado"),
    Command("startup", "tornado4.migrate.startup", "have TORNADO4_ALIAS obeyed by each Python of this environment"),
    Command("check", "tornado4.migrate.check.command", "list what Tornado 6 would break in a program"),
    Command("profile", "tornado4.migrate.profile", "show and merge what --migrate=record has written"),
    Command("explain", "tornado4.migrate.rules.explain", "what a rule of the way to Tornado 6 says, with an example"),
    Command("security", "tornado4.migrate.security.command", "list the fixes since 4.5.3, and which are switched off"),
    Command("fix", "tornado4.migrate.fix.command", "rewrite what Tornado 6 would break in a program"),
    Command("doctor", "tornado4.migrate.doctor.command", "what this environment is: loops, alias, agents, limits"),
    Command("diff", "tornado4.migrate.diff.command", "show where an application behaves otherwise than before"),
]


def main(argv: Sequence[str] | None = None) -> int | None:
    """The console script ``tornado4`` and ``python -m tornado4``. Usage errors end in SystemExit(2)."""
    parser = _parser()
    arguments = list(sys.argv[1:] if argv is None else argv)
    # The subcommand's own arguments must not be looked at here, hence one word at most.
    options = parser.parse_args(arguments[:1])
    for command in COMMANDS:
        if command.name == options.command:
            result: int | None = importlib.import_module(command.module).main(arguments[1:])
            return result
    return parser.error("a command is wanted: " + ", ".join(command.name for command in COMMANDS))


def _parser() -> argparse.ArgumentParser:
    listing = "\n".join(f"  {command.name:<10} {command.summary}" for command in COMMANDS)
    parser = argparse.ArgumentParser(
        prog="tornado4",
        usage="%(prog)s COMMAND [ARGS ...]",
        description="The Tornado 4.5.3 API on modern asyncio.",
        epilog=f"commands:\n{listing}\n\n'tornado4 COMMAND --help' tells more about each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version())
    names = [command.name for command in COMMANDS]
    parser.add_argument("command", nargs="?", metavar="COMMAND", choices=names, help="see below")
    return parser


def _version() -> str:
    try:
        ours = distribution_version("tornado4")
    except PackageNotFoundError:  # a checkout that was not installed
        ours = "(not installed)"
    return f"tornado4 {ours}, the API of Tornado {tornado4.version}, on Python {sys.version.split()[0]}"
