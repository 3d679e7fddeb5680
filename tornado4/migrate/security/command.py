"""``tornado4 security``: which weaknesses of Tornado 4.5.3 are closed, and which of them are let in again."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from tornado4.migrate import settings
from tornado4.migrate.security.table import KEPT, STATUSES, Entry, Listing, listing


def main(argv: Sequence[str]) -> int:
    """The subcommand: 1 when a switch that weakens is set, 2 for an id or a switch that is none."""
    parser = argparse.ArgumentParser(
        prog="tornado4 security",
        description="List what later releases of Tornado closed, and where tornado4 stands. Exit code 1 if a switch is "
        "set that brings one back: in TORNADO4_ALLOW, or in [tool.tornado4] of the nearest pyproject.toml.",
    )
    parser.add_argument("id", nargs="*", metavar="ID", help="all of one entry: an id or an alias (CVE-2023-28370)")
    parser.add_argument("--json", action="store_true", help="the same for programs")
    options = parser.parse_args(argv)
    the_list = listing()
    try:
        chosen = [the_list.find(name) for name in options.id]
        places = switches_that_are_set(os.getcwd())
    except KeyError as error:
        parser.error(error.args[0])
    except ValueError as error:
        parser.error(str(error))
    weakened = the_list.weakened_by(places)
    if options.json:
        print(json.dumps(as_json(the_list, chosen or list(the_list.entries.values()), places), indent=2))
    else:
        print("\n\n".join(map(details, chosen)) if chosen else table(the_list))
        for line in weakenings(the_list, places):
            print(f"tornado4: {line}", file=sys.stderr)
    return 1 if weakened else 0


def weakenings(the_list: Listing, places: dict[str, str]) -> list[str]:
    """A line for each switch that is set and lets something in again; ``tornado4 doctor`` has them, too."""
    lines = []
    for name, entries in the_list.weakened_by(places).items():
        brought_back = ", ".join(entry.id for entry in entries)
        lines.append(f"{name} is set in {places[name]}: it brings back {brought_back}")
    return lines


def counts(the_list: Listing) -> str:
    """How many entries there are of each status."""
    entries = the_list.entries.values()
    return ", ".join(f"{sum(entry.status == status for entry in entries)} {status}" for status in STATUSES)


def switches_that_are_set(folder: str) -> dict[str, str]:
    """Each switch that is set from outside, and where.

    :raises ValueError: the pyproject.toml cannot be read, or a switch is none.
    """
    places = dict.fromkeys(settings.of_project(folder).allow, "[tool.tornado4] of pyproject.toml")
    places |= dict.fromkeys(settings.names_in(os.environ.get(settings.ALLOW, "")), settings.ALLOW)
    from tornado4.switches import SWITCHES  # late: it refuses to load when the variable has a name that is none

    for name, place in places.items():
        if name not in SWITCHES:
            raise ValueError(f"{place}: no switch {name!r}; there are: {', '.join(sorted(SWITCHES))}")
    return places


def table(the_list: Listing) -> str:
    """A line an entry, and how many there are of each status."""
    entries = the_list.entries.values()
    lines = [f"{entry.id:<26} {entry.fixed_in:<8} {entry.status:<12} {entry.what}" for entry in entries]
    head = f"{'id':<26} {'closed':<8} {'here':<12} what could be done to a program on Tornado 4.5.3"
    return "\n".join([head, *lines, "", f"{counts(the_list)} as in 4.5.3; 'tornado4 security ID' tells all of one"])


def details(entry: Entry) -> str:
    """All of one entry."""
    facts = [
        ("closed in", entry.fixed_in), ("module", entry.module),
        ("here", f"{entry.status} as in 4.5.3" if entry.status == KEPT else entry.status),
        ("why", entry.why), ("instead", entry.instead), ("row", ", ".join(entry.rows)),
        ("switch", ", ".join(entry.switches)), ("tests", "\n             ".join(entry.tests)),
    ]  # fmt: skip
    lines = [f"  {name:<10} {value}" for name, value in facts if value]
    return "\n".join([" ".join(entry.ids), f"  {entry.what}", *lines])


def as_json(the_list: Listing, entries: Sequence[Entry], places: dict[str, str]) -> dict[str, Any]:
    """The list, the switches that are set, and what each of them brings back."""
    weakened = the_list.weakened_by(places)
    return {
        "reviewed": the_list.reviewed,
        "entries": [dataclasses.asdict(entry) for entry in entries],
        "switches": [
            {"name": name, "place": place, "brings_back": [entry.id for entry in weakened.get(name, ())]}
            for name, place in sorted(places.items())
        ],
    }
