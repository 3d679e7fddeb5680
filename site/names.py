"""The public names of tornado4: what the reference has an entry for, and the tests ask a docstring of.

A module of 4.5.3 has the names that the real one defines (``compat_tests/api/api-4.5.3.json``), and what is public in
ours besides. Of tornado4's own modules it is what they list in ``__all__``, or what is said here.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
API: dict[str, dict[str, dict[str, object]]] = json.loads((ROOT / "compat_tests/api/api-4.5.3.json").read_text("utf-8"))

#: tornado4's own public modules, and their names; None: those of ``__all__``.
OWN: dict[str, tuple[str, ...] | None] = {
    "asgi": None,
    "flags": ("FLAGS", "GROUPS", "VARIABLE", "Flag", "is_on", "turn_on", "turned_on", "when_on"),
    "forward": None,
    "hooks": None,
    "hooks.otel": ("Tracing", "install"),
    "hooks.prometheus": ("Metrics", "install", "installed", "of_all_processes"),
    "hooks.sentry": ("Errors", "install"),
    "migrate.alias": (
        "TornadoAlreadyImported", "install", "installed", "installed_for", "is_installed", "is_old_name", "new_name",
        "uninstall",
    ),
    "migrate.backfill": ("install", "installed", "is_installed", "uninstall", "used"),
    "migrate.bridge": None,
    "migrate.diff.report": None,
    "migrate.live": None,
    "migrate.rules": None,
    "serve": ("is_draining", "when_draining"),
    "serve.gunicorn": ("ProxiedWorker", "Worker"),
    "switches": ("SWITCHES", "VARIABLE", "Switch", "allow", "allowed", "is_allowed", "when_allowed"),
}  # fmt: skip

#: Public values of ours in modules of 4.5.3.
BESIDES = {"httputil": ("limits",)}

#: Rooms of `tornado4.forward` by module; what they give appears in that module with the flag ``names``.
FORWARD = (
    "concurrent httpclient httputil ioloop iostream netutil simple_httpclient tcpclient tcpserver testing web websocket"
)


class Entry(NamedTuple):
    """One public name of a module: ``class``, ``function`` or ``value``, and a class's public members."""

    name: str
    kind: str
    members: tuple[str, ...]


def modules() -> list[str]:
    """All public modules, without ``tornado4.`` before them."""
    return sorted({*API, *OWN, *(f"forward.{name}" for name in FORWARD.split())})


def entries(module: str) -> list[Entry]:
    """The public names of a module that are at home there: classes, then functions, then values."""
    face = importlib.import_module(f"tornado4.{module}")
    found = [_entry(face, name) for name in sorted(_names(module, face))]
    return sorted(found, key=lambda entry: ("class", "function", "value").index(entry.kind))


def _names(module: str, face: ModuleType) -> Iterator[str]:
    if module in OWN:
        yield from OWN[module] or face.__all__
        return
    listed = API.get(module, {})
    yield from BESIDES.get(module, ())
    for name, value in vars(face).items():
        if name.startswith("_") or inspect.ismodule(value):
            continue
        if (name in listed and not listed[name].get("imported")) or (
            getattr(value, "__module__", None) == face.__name__ and (inspect.isclass(value) or inspect.isroutine(value))
        ):
            yield name


def _entry(face: ModuleType, name: str) -> Entry:
    value = getattr(face, name)
    if inspect.isclass(value):
        return Entry(name, "class", tuple(_members(value)))
    return Entry(name, "function" if inspect.isroutine(value) else "value", ())


def _members(cls: type) -> Iterator[str]:
    """What it does not have from a base with an entry: its own, and that of rooms inside and mixed-in parts."""
    above = [base for base in cls.__mro__[1:] if _has_entry(base)]
    for name in sorted({*dir(cls), *(name for base in cls.__mro__ for name in _annotated(base))}):
        if name.startswith("_"):
            continue
        owner = next((base for base in cls.__mro__ if name in vars(base) or name in _annotated(base)), None)
        if (
            owner is not None
            and owner.__module__.startswith("tornado4")
            and not any(issubclass(base, owner) for base in above)
        ):
            yield name


def _annotated(cls: type) -> Iterable[str]:
    return inspect.get_annotations(cls) if cls.__module__.startswith("tornado4") else ()


def _has_entry(cls: type) -> bool:
    module = cls.__module__.partition(".")[2]
    if module not in API and module not in OWN:
        return False
    return (
        not cls.__name__.startswith("_") and getattr(importlib.import_module(cls.__module__), cls.__name__, None) is cls
    )


def undescribed() -> Iterator[str]:
    """Names without a docstring, without a comment ``#:``, and of whom their class or module says nothing."""
    for module in modules():
        face = importlib.import_module(f"tornado4.{module}")
        if not inspect.getdoc(face):
            yield module
        for entry in entries(module):
            value = getattr(face, entry.name)
            said = comment(module, entry.name) or f"`{entry.name}`" in (inspect.getdoc(face) or "")
            if not (said if entry.kind == "value" else inspect.getdoc(value)):
                yield f"{module}.{entry.name}"
            yield from (f"{module}.{entry.name}.{name}" for name in entry.members if not _is_described(value, name))


def _is_described(cls: type, name: str) -> bool:
    member = inspect.getattr_static(cls, name, None)
    if callable(member) or isinstance(member, property | cached_property | classmethod | staticmethod):
        return bool(inspect.getdoc(member) or inspect.getdoc(getattr(cls, name)))
    owner = next(base for base in cls.__mro__ if name in vars(base) or name in _annotated(base))
    said = " ".join(inspect.getdoc(base) or "" for base in cls.__mro__ if base.__module__.startswith("tornado4"))
    return bool(re.search(rf"\b{name}\b", said) or comment(owner.__module__.partition(".")[2], name))


def comment(module: str, name: str) -> str:
    """What the comment above a value says (``#: ...``), there or in a room of the package; "" without one."""
    face = Path(inspect.getfile(importlib.import_module(f"tornado4.{module}")))
    rooms = sorted(face.parent.glob("*.py")) if face.name == "__init__.py" else [face]
    package = Path(inspect.getfile(importlib.import_module("tornado4"))).parent
    rooms += sorted(package.glob("_*/*.py"))  # what a face only hands on
    for room in rooms:
        above = re.search(rf"((?:^ *#:.*\n)+) *(?:self\.)?{name}\b[^\n]*[=:]", room.read_text("utf-8"), re.MULTILINE)
        if above is not None:
            return re.sub(r"^ *#: ?", "", above[1], flags=re.MULTILINE)
    return ""
