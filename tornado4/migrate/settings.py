"""What is set from outside: ``[tool.tornado4]`` of a pyproject.toml, and the variables ``TORNADO4_...``.

One family of names: each setting is an option of ``tornado4 run``, one of pytest's (``--tornado4-...``), a variable and
a key.

    [tool.tornado4]
    alias = ["myapp", "oldlib"]     # true: for all importers, as `tornado4 run` has it anyway
    backfill = true
    allow = ["missing-host"]        # switches of docs/deviations.md
    future = ["names"]              # what Tornado 5 and 6 have
    migrate = "warn"                # the running program tells what Tornado 6 does otherwise; or error, record

    [tool.tornado4.serve]           # options of `tornado4 serve`: docs/serve.md

The variables are read where they are obeyed; lists in them are parted by commas or blanks. What has come from several
places is added up: an option cannot take back what the file or a variable allows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from tornado4._switchboard import names_in as names_in

ALIAS = "TORNADO4_ALIAS"
BACKFILL = "TORNADO4_BACKFILL"
ALLOW = "TORNADO4_ALLOW"
FUTURE = "TORNADO4_FUTURE"
MIGRATE = "TORNADO4_MIGRATE"

_FALSE = ("", "0", "false", "no", "off")
_TRUE = ("1", "true", "yes", "on")


class SettingsError(ValueError):
    """A setting that cannot be read, or is none; the text names the place, the value and the way out."""


class Settings:
    """What was asked for; nothing, to begin with.

    A plain class: `dataclasses` would be half the price of ``TORNADO4_ALIAS`` at an interpreter's start.
    """

    def __init__(
        self,
        *,
        alias: bool = False,
        alias_for: Iterable[str] = (),
        backfill: bool = False,
        allow: Iterable[str] = (),
        future: Iterable[str] = (),
        migrate: Any = None,
        serve: Any = None,
    ) -> None:
        self.alias = alias
        #: The packages that ``import tornado`` is tornado4 for; none is all of them.
        self.alias_for = list(alias_for)
        self.backfill = backfill
        self.allow = list(allow)
        self.future = list(future)
        #: As the file has it, or the variable's text; `tornado4.migrate.live.wanted` reads it.
        self.migrate = migrate
        #: The table of ``tornado4 serve``, which reads it.
        self.serve = serve


#: The keys of ``[tool.tornado4]``, and what each may be.
KEYS = {
    "alias": "true, false, or a list of packages",
    "backfill": "true or false",
    "allow": "a list of names of switches",
    "future": "a list of names of flags",
    "migrate": "a mode, or a table with one (docs/migrate.md)",
    "serve": "a table (docs/serve.md)",
}


def of_project(folder: str) -> Settings:
    """``[tool.tornado4]`` of the pyproject.toml in a folder, or in the nearest folder above that has one.

    A project without the file or the table has no settings.

    :raises SettingsError: the file cannot be read, or the table has an unknown key or a value of a wrong type.
    """
    path = _find(folder)
    if path is None:
        return Settings()
    try:
        with open(path, "rb") as file:
            text = file.read()
        if b"tornado4" not in text:
            return Settings()  # a program whose project says nothing of us pays for no parser
        import tomllib

        document = tomllib.loads(text.decode())
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    tool = document.get("tool", {})
    return from_table(tool.get("tornado4", {}) if isinstance(tool, dict) else {}, f"[tool.tornado4] of {path}")


def _find(folder: str) -> str | None:
    folder = os.path.abspath(folder)
    while True:
        path = os.path.join(folder, "pyproject.toml")
        if os.path.isfile(path):
            return path
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


#: Tables that are for other tools: ``[tool.tornado4.diff]``.
_OTHERS = ("diff",)


def from_table(table: Any, place: str) -> Settings:
    """The settings of a table that was read from ``place``."""
    if not isinstance(table, dict):
        raise SettingsError(f"{place}: a table is wanted, not {table!r}")
    unknown = [key for key in table if key not in KEYS and key not in _OTHERS]
    if unknown:
        raise SettingsError(f"{place}: no key {', '.join(map(repr, unknown))}; there are: {', '.join(KEYS)}")
    settings = Settings(migrate=table.get("migrate"), serve=table.get("serve"))
    for key in ("allow", "future"):
        if key in table:
            setattr(settings, key, _names(table[key], key, place))
    backfill = table.get("backfill", False)
    if not isinstance(backfill, bool):
        raise _wrong("backfill", backfill, place)
    settings.backfill = backfill
    alias = table.get("alias", False)
    if isinstance(alias, bool):
        settings.alias = alias
    else:
        settings.alias_for = _names(alias, "alias", place)
        settings.alias = bool(settings.alias_for)
    return settings


def _names(value: Any, key: str, place: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise _wrong(key, value, place)
    return list(value)


def _wrong(key: str, value: Any, place: str) -> SettingsError:
    return SettingsError(f"{place}: {key} = {value!r}; it is {KEYS[key]}")


def of_environment() -> Settings:
    """``TORNADO4_ALIAS``, ``TORNADO4_BACKFILL`` and ``TORNADO4_MIGRATE``.

    ``TORNADO4_ALLOW`` and ``TORNADO4_FUTURE`` are read by `tornado4.switches` and `tornado4.flags` themselves: they
    hold without any of the tools, too.
    """
    settings = Settings(migrate=os.environ.get(MIGRATE) or None)
    alias = os.environ.get(ALIAS, "").strip()
    settings.alias = alias.lower() not in _FALSE
    if settings.alias and alias.lower() not in _TRUE:
        settings.alias_for = names_in(alias)
    backfill = os.environ.get(BACKFILL, "").strip().lower()
    if backfill not in (*_TRUE, *_FALSE):
        raise SettingsError(f"environment variable {BACKFILL}: {backfill!r} is neither 1 nor 0")
    settings.backfill = backfill in _TRUE
    return settings


def together(every: Iterable[Settings]) -> Settings:
    """All of them added up. An alias for all importers goes before one for some; of ``migrate`` the first counts."""
    sum_ = Settings()
    for one in every:
        if one.alias:
            for_all = not one.alias_for or (sum_.alias and not sum_.alias_for)
            sum_.alias_for = [] if for_all else [*sum_.alias_for, *one.alias_for]
        sum_.alias = sum_.alias or one.alias
        sum_.backfill = sum_.backfill or one.backfill
        sum_.allow += one.allow
        sum_.future += one.future
        sum_.migrate = one.migrate if sum_.migrate is None else sum_.migrate
        sum_.serve = one.serve if one.serve is not None else sum_.serve
    return sum_


def allow(names: list[str]) -> None:
    """Set switches in this process and in those that multiprocessing spawns from it.

    :raises SettingsError: a name that is none.
    """
    _set("tornado4.switches", "allow", names)


def turn_on(names: list[str]) -> None:
    """Turn flags on in this process and in those that multiprocessing spawns from it.

    :raises SettingsError: a name that is none.
    """
    _set("tornado4.flags", "turn_on", names)


def _set(module: str, function: str, names: list[str]) -> None:
    if not names:
        return
    import importlib

    from tornado4.migrate import _children

    try:
        getattr(importlib.import_module(module), function)(*names)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    _children.prepare_with(function, f"import {module}\n{module}.{function}(*{names!r})")


def of_options(options: Any, value: Any, prefix: str = "") -> Any:
    """What file or variable asks for, and the options ``migrate``, ``migrate_packages``, ... of a command line.

    A mode on the command line is the one; the rest is added up. ``prefix`` stands ahead of the options' names.
    """
    given = {
        name: getattr(options, f"{prefix}migrate_{name}")
        for name in ("packages", "native", "report", "profile")
        if getattr(options, f"{prefix}migrate_{name}")
    }
    mode = getattr(options, f"{prefix}migrate")
    if not given and mode is None:
        return value
    from tornado4.migrate.live import wanted

    try:
        before = wanted.read(value, "migrate")
    except wanted.WantedError as error:
        raise SettingsError(str(error)) from None
    table = {} if before is None else before.table()
    if mode is not None:
        table["mode"] = mode
    if "mode" not in table:
        raise SettingsError(f"{', '.join(f'migrate-{name}' for name in given)}: and --migrate=warn, error or record")
    return table | given


def migrate(value: Any) -> None:
    """Have the running program tell, in this process and in those that multiprocessing spawns from it.

    :raises SettingsError: no such mode or option.
    """
    if value is None:
        return
    from tornado4.migrate import _children
    from tornado4.migrate.live import wanted

    try:
        asked = wanted.read(value, "--migrate")
    except wanted.WantedError as error:
        raise SettingsError(str(error)) from None
    if asked is None:
        return
    from tornado4.migrate import live

    if live.running() is None:
        live.start(asked)
    _children.prepare_with("migrate", f"from tornado4.migrate import settings\nsettings.migrate({value!r})")
