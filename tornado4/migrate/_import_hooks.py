"""Import hooks of other people, told of ``tornado.web`` when `tornado4.migrate.alias` gives it to somebody.

Tracing agents (New Relic, Datadog, everything on wrapt's ``when_imported``) patch a module when it is imported. A
finder of theirs on ``sys.meta_path`` asks the others for the module's spec, puts a loader of its own around the one it
finds, and goes by ``module.__name__`` when that loader has run. Two things are in their way where one module has two
names: our finder is asked before theirs, and the module is called ``tornado4.web``.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_STANDARD = (BuiltinImporter, FrozenImporter, PathFinder)


class _Asking(threading.local):
    spec: ModuleSpec | None = None


_asking = _Asking()


def finders(ours: object) -> list[Any]:
    """The finders of other people on ``sys.meta_path``."""
    return [finder for finder in sys.meta_path if finder is not ours and finder not in _STANDARD]


def offer(spec: ModuleSpec, path: Sequence[str] | None, ours: object) -> ModuleSpec:
    """Lets each finder of other people put its loader around that of ``spec``, which it gets when it asks ours.

    What a finder finds anywhere else, such as another ``tornado``, is passed over. Returns ``spec``.
    """
    asked = _asking.spec
    if asked is not None and asked.name == spec.name:
        return asked
    _asking.spec = spec
    try:
        for finder in finders(ours):
            if hasattr(finder, "find_spec"):
                finder.find_spec(spec.name, path, None)
    finally:
        _asking.spec = asked
    return spec


class StandIn(ModuleType):
    """A module under another name, for loaders that go by ``__name__``: all else is the module's own.

    What the import system sets (``__spec__``, ``__loader__``, ...) stays here. ``sys.modules`` has the module itself.
    """

    def __init__(self, name: str, module: ModuleType) -> None:
        super().__init__(name)
        ModuleType.__setattr__(self, "_module", module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OF_THE_IMPORT_SYSTEM:
            super().__setattr__(name, value)
        else:
            setattr(self._module, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._module, name)

    def __dir__(self) -> list[str]:
        return dir(self._module)


_OF_THE_IMPORT_SYSTEM = frozenset(
    ("__name__", "__spec__", "__loader__", "__package__", "__path__", "__file__", "__cached__")
)
