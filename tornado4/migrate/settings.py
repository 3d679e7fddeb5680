"""What a program is to run with, set from outside: by a pyproject.toml, environment variables, options.

    [tool.tornado4]
    alias = true                    # or the packages that are to have it: ["myapp", "oldlib"]
    backfill = true
    allow = ["missing-host"]        # switches of docs/deviations.md
    future = ["names"]              # flags

The environment has ``TORNADO4_ALIAS``, ``_BACKFILL``, ``_ALLOW`` and ``_FUTURE``, the command line ``--allow`` and so
on; lists add up.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tornado4 import flags, switches
from tornado4._switchboard import names_in
from tornado4.migrate import alias, backfill

#: Tables of tools, which read them themselves.
_TABLES = frozenset({"check", "diff", "fix", "serve"})

_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"", "0", "false", "no", "off"})


@dataclass(slots=True)
class Settings:
    """``alias``: True, or the packages that are to have it; ``allow`` and ``future``: names of switches and flags."""

    alias: bool | list[str] = False
    backfill: bool = False
    allow: list[str] = field(default_factory=list)
    future: list[str] = field(default_factory=list)

    def apply(self, *, verbose: bool = False) -> None:
        """Put all of it in place. ValueError for a name that is none, `TornadoAlreadyImported`."""
        switches.allow(*self.allow)
        flags.turn_on(*self.future)
        if self.alias is True:
            alias.install()
        elif self.alias:
            alias.install_for(self.alias)
        if self.backfill:
            backfill.install(verbose=verbose)


def from_project(start: Path) -> Settings:
    """The settings of the pyproject.toml beside a program, or above it; those of none are empty.

    ValueError names a key that is none, or a value of the wrong type.
    """
    for folder in start.resolve().parents:
        file = folder / "pyproject.toml"
        if file.is_file():
            return _read(file)
    return Settings()


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """``TORNADO4_ALIAS`` and ``TORNADO4_BACKFILL``. The other two are read where they are obeyed."""
    wanted = environ.get("TORNADO4_ALIAS", "")
    alias: bool | list[str] = names_in(wanted)
    if wanted.lower() in _ON | _OFF:
        alias = wanted.lower() in _ON
    filled = environ.get("TORNADO4_BACKFILL", "").lower()
    if filled not in _ON | _OFF:
        raise ValueError(f"environment variable TORNADO4_BACKFILL: {filled!r} is neither 1 nor 0")
    return Settings(alias=alias, backfill=filled in _ON)


def _read(file: Path) -> Settings:
    try:
        table = tomllib.loads(file.read_text("utf-8")).get("tool", {}).get("tornado4", {})
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: {error}") from None
    settings = Settings()
    for key, value in table.items():
        if key in _TABLES:
            continue
        if key not in ("alias", "backfill", "allow", "future"):
            known = "alias, backfill, allow, future"
            raise ValueError(f"{file}: [tool.tornado4] has no {key!r}; it has {known}, and tables of tools")
        if not _fits(key, value):
            kinds = {"alias": "true, false or a list of packages", "backfill": "true or false"}
            wanted = kinds.get(key, "a list of names")
            raise ValueError(f"{file}: [tool.tornado4] {key} = {value!r}: {wanted} is wanted")
        setattr(settings, key, value)
    return settings


def _fits(key: str, value: Any) -> bool:
    is_list = isinstance(value, list) and all(isinstance(name, str) for name in value)
    if key == "alias":
        return is_list or isinstance(value, bool)
    return isinstance(value, bool) if key == "backfill" else is_list


def listed(values: Sequence[str] | None) -> list[str]:
    """The names in the values of an option that may be given several times."""
    return [name for value in values or () for name in names_in(value)]
