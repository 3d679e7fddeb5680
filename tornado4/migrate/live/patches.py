"""Other functions in the places of the framework's, and back again."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


class Patches:
    """What was put in, in order; `undo` takes it out."""

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any]] = []

    def put(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Set ``owner.name`` (of a class or module) to ``make(original)``, which gets the original's name and text.

        Static and class methods stay what they are; ``make`` gets the function within.
        """
        original = vars(owner)[name]
        if isinstance(original, staticmethod | classmethod):
            inner = original.__func__
            new: Any = type(original)(functools.wraps(inner)(make(inner)))
        elif isinstance(original, property):
            assert original.fget is not None
            new = property(functools.wraps(original.fget)(make(original.fget)), original.fset, original.fdel)
        else:
            new = functools.wraps(original)(make(original))
        self._undo.append((owner, name, original))
        setattr(owner, name, new)

    def replace(self, owner: Any, name: str, new: Any) -> None:
        """Set ``owner.name`` to ``new`` as it is."""
        self._undo.append((owner, name, vars(owner)[name]))
        setattr(owner, name, new)

    def put_missing(self, owner: Any, name: str, new: Any) -> None:
        """Set a name that the class only inherits."""
        assert name not in vars(owner)
        self._undo.append((owner, name, _MISSING))
        setattr(owner, name, new)

    def undo(self) -> None:
        """Put back what was there, last first."""
        while self._undo:
            owner, name, original = self._undo.pop()
            if original is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, original)


_MISSING: Any = object()
