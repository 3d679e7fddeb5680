"""The alias for some packages only: old code and a real Tornado 6 in one process.

Who imports decides. ``import tornado.web`` in a module of one of the packages gets ``tornado4.web``; all others get
the Tornado that is installed, and ``sys.modules["tornado"]`` is theirs. So the import statement itself has to be asked,
which is ``builtins.__import__`` (and ``importlib.import_module`` for names in strings): while this is in place each
import statement that is executed takes a call more. tornado4 counts as one of the packages: the names that programs
give it in settings mean tornado4. Its bridge alone means the Tornado that is installed.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

_OLD = "tornado"
_NEW = "tornado4"
_BRIDGE = "tornado4.migrate.bridge."

_packages: tuple[str, ...] = ()
_import: Callable[..., ModuleType] = builtins.__import__
_import_module: Callable[..., ModuleType] = importlib.import_module


def packages() -> list[str]:
    """The packages that have the alias; none when it is not limited."""
    return list(_packages)


def limit_to(names: Sequence[str]) -> None:
    """Give the alias to these packages (``__main__`` is the program itself); the last call counts."""
    global _packages, _import, _import_module
    if not _packages:
        _import, builtins.__import__ = builtins.__import__, _ask_importer
        _import_module, importlib.import_module = importlib.import_module, _ask_caller
    _packages = tuple(dict.fromkeys(names))


def forget() -> None:
    """Take back :func:`limit_to`. Where somebody has put a function in front of ours, ours lets all pass."""
    global _packages
    _packages = ()
    if builtins.__import__ is _ask_importer:
        builtins.__import__ = _import
    if importlib.import_module is _ask_caller:
        importlib.import_module = _import_module


def _has_alias(namespace: Mapping[str, Any] | None) -> bool:
    if not namespace:
        return False
    name = namespace.get("__name__") or ""
    if name.startswith(_BRIDGE):
        return False
    # What `-m package.module` runs is called __main__, and belongs to its package all the same.
    names = (name, namespace.get("__package__") or "") if name == "__main__" else (name,)
    return any(
        name == package or name.startswith(package + ".") for package in (*_packages, _NEW) for name in names
    )


def _ask_importer(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    if level == 0 and (name == _OLD or name.startswith(_OLD + ".")) and _packages:
        if _has_alias(sys._getframe(1).f_globals if globals is None else globals):
            name = _NEW + name[len(_OLD) :]
    return _import(name, globals, locals, fromlist, level)


def _ask_caller(name: str, package: str | None = None) -> ModuleType:
    if (name == _OLD or name.startswith(_OLD + ".")) and _has_alias(sys._getframe(1).f_globals) and _packages:
        name = _NEW + name[len(_OLD) :]
    return _import_module(name, package)
