"""The names that Tornado 5 and 6 added, for the flag ``names`` (see `tornado4.flags`).

A room here is named after the module that it gives names to. Its functions and classes are given under their own
names; a class that is named as one of the module's carries members for that. `NAMES` lists what is given, `LEFT_OUT`
what is not, with the reason; a test holds both against the real Tornado 6.6.1.

A module gets its names when it has been imported, or at once if that was before.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from tornado4 import flags
from tornado4._core.private_names import is_being_imported
from tornado4.forward.table import LEFT_OUT, NAMES

__all__ = ["LEFT_OUT", "NAMES", "install"]


def install() -> None:
    """Give the names to the modules that are there, and to others when they are imported."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    for name in NAMES:
        module = sys.modules.get(f"tornado4.{name}")
        if module is not None and not is_being_imported(module):
            give(module)


def give(module: ModuleType) -> None:
    """Set the forward names of a module of tornado4 that has been imported."""
    short = module.__name__.partition(".")[2]
    room = importlib.import_module(f"tornado4.forward.{short.replace('.', '_')}")
    for name in NAMES[short]:
        if f"{short}.{name}" in flags.left_out:
            continue
        source: object = room
        target: object = module
        *path, last = name.split(".")
        for part in path:
            source, target = getattr(source, part), getattr(target, part)
        value = vars(source)[last]
        if getattr(value, "__module__", None) == room.__name__:
            value.__module__ = module.__name__
        if not _is_there(vars(target).get(last), value):
            setattr(target, last, value)


def _is_there(found: Any, value: object) -> bool:
    """Whether a name is given already, be it under what ``--migrate`` watches it by."""
    return inspect.unwrap(found, stop=lambda each: each is value) is value


class _Finder(MetaPathFinder):
    """Lets modules of tornado4 be found as ever, and gives them their names after they have been run."""

    def __init__(self) -> None:
        self._asking: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, short = fullname.partition(".")
        if package != "tornado4" or short not in NAMES or fullname in self._asking:
            return None
        self._asking.add(fullname)
        try:
            spec = find_spec(fullname)
        finally:
            self._asking.discard(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    """Another loader, and then `give`."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        give(module)

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)
