"""What the processes that ``multiprocessing`` starts do before anything else.

A child made by ``spawn`` or ``forkserver`` imports the program's main module anew, and that module says
``import tornado``. So the child must have the alias first. :func:`prepare_with` adds a line of Python to
the data that each child unpickles before it imports anything of the program
(``multiprocessing.spawn.get_preparation_data``). Forked children inherit everything and need none of
this.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tornado4.migrate import _imports

_SPAWN = "multiprocessing.spawn"

_steps: dict[str, str] = {}
_original: Callable[[str], dict[str, Any]] | None = None


class _Code:
    """Source code that runs where this is unpickled."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str, dict[str, Any]]]:
        return exec, (self._source, {})


def prepare_with(key: str, source: str) -> None:
    """Run ``source`` first in each child from now on; a step of the same ``key`` is replaced."""
    if not _steps:
        _imports.after_import(_SPAWN, _patch)
    _steps[key] = source


def prepare_without(key: str) -> None:
    """Take back :func:`prepare_with`."""
    _steps.pop(key, None)
    if not _steps:
        _imports.forget(_SPAWN, _patch)


def _patch(spawn: ModuleType) -> None:
    global _original
    if _original is None:
        _original = spawn.get_preparation_data
        spawn.get_preparation_data = _get_preparation_data  # type: ignore[attr-defined]


def _get_preparation_data(name: str) -> dict[str, Any]:
    assert _original is not None  # set before this function is put in its place
    data = _original(name)
    if _steps:
        # Keys that prepare() does not know are ignored there; unpickling this one is what counts.
        data["tornado4"] = _Code("\n".join([_find_tornado4(), *_steps.values()]))
    return data


def _find_tornado4() -> str:
    """The child has its interpreter's own sys.path as yet, which may not lead to a checkout."""
    import tornado4

    root = os.path.dirname(os.path.dirname(os.path.abspath(tornado4.__file__)))
    return (
        "import importlib.util, sys\n"
        f"if importlib.util.find_spec('tornado4') is None: sys.path.append({root!r})"
    )
