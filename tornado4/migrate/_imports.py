"""Being told that a module has been imported, without importing it.

``after_import("unittest", patch)`` calls ``patch(module)`` once: at once when the module is there
already, else as soon as its code has run. A program that never imports it never pays for it, and
``sys.modules`` shows what it would have shown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.abc import Loader, MetaPathFinder
else:  # alias.py says why
    Loader = MetaPathFinder = object

Hook = Callable[[ModuleType], None]

_waiting: dict[str, list[Hook]] = {}
_first: dict[str, list[Callable[[], None]]] = {}


class _TellingLoader(Loader):
    """Stands in front of a module's own loader for the one time that its code runs."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None:
            spec.loader = self._loader
        module.__loader__ = self._loader
        for step in _first.pop(module.__name__, []):
            step()
        self._loader.exec_module(module)
        for hook in _waiting.pop(module.__name__, []):
            hook(module)

    def __getattr__(self, name: str) -> Any:
        # is_package, get_code, ...: whoever holds the spec before the module is loaded may ask.
        return getattr(self._loader, name)


class _Watcher(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _waiting:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _TellingLoader(spec.loader)
                return spec
        return None


_watcher = _Watcher()


def after_import(name: str, hook: Hook, *, before: Callable[[], None] | None = None) -> None:
    """Call ``hook(module)`` once the module ``name`` is there; :func:`forget` takes it back until then.

    ``before`` is called just before the module's code runs; not at all where it has run already.
    """
    module = sys.modules.get(name)
    if module is not None:
        hook(module)
        return
    _waiting.setdefault(name, []).append(hook)
    if before is not None:
        _first.setdefault(name, []).append(before)
    if _watcher not in sys.meta_path:
        sys.meta_path.insert(0, _watcher)


def forget(name: str, hook: Hook) -> None:
    """Take back what :func:`after_import` was told; a hook that was called already is no error."""
    hooks = _waiting.get(name, [])
    if hook in hooks:
        hooks.remove(hook)
    if not hooks:
        _waiting.pop(name, None)
        _first.pop(name, None)
    if not _waiting and _watcher in sys.meta_path:
        sys.meta_path.remove(_watcher)
