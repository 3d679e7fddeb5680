"""Stands in for the module ``imp``, which Python 3.12 dropped. See tornado4.migrate.backfill."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import sys
import tokenize
from importlib.util import cache_from_source, source_from_cache
from types import ModuleType
from typing import IO, Any

__all__ = [
    "C_BUILTIN",
    "C_EXTENSION",
    "PKG_DIRECTORY",
    "PY_COMPILED",
    "PY_FROZEN",
    "PY_SOURCE",
    "acquire_lock",
    "cache_from_source",
    "find_module",
    "get_magic",
    "get_suffixes",
    "get_tag",
    "load_compiled",
    "load_module",
    "load_package",
    "load_source",
    "lock_held",
    "new_module",
    "release_lock",
    "reload",
    "source_from_cache",
]

PY_SOURCE, PY_COMPILED, C_EXTENSION = 1, 2, 3
PKG_DIRECTORY = 5
C_BUILTIN, PY_FROZEN = 6, 7

Details = tuple[str, str, int]


def new_module(name: str) -> ModuleType:
    """An empty module, not in ``sys.modules``."""
    return ModuleType(name)


def reload(module: ModuleType) -> ModuleType:
    """:func:`importlib.reload`."""
    return importlib.reload(module)


def get_magic() -> bytes:
    """The first bytes of this interpreter's ``.pyc`` files."""
    return importlib.util.MAGIC_NUMBER


def get_tag() -> str:
    """``cpython-313``."""
    return sys.implementation.cache_tag or ""


def get_suffixes() -> list[Details]:
    """(suffix, mode to open with, kind) of every kind of module file."""
    machinery = importlib.machinery
    return [
        *[(suffix, "rb", C_EXTENSION) for suffix in machinery.EXTENSION_SUFFIXES],
        *[(suffix, "r", PY_SOURCE) for suffix in machinery.SOURCE_SUFFIXES],
        *[(suffix, "rb", PY_COMPILED) for suffix in machinery.BYTECODE_SUFFIXES],
    ]


def find_module(name: str, path: Any = None) -> tuple[IO[Any] | None, str | None, Details]:
    """(open file, path, details) for :func:`load_module`; ``name`` has no dots. Raises ImportError."""
    if path is None and name in sys.builtin_module_names:
        return None, None, ("", "", C_BUILTIN)
    spec = importlib.machinery.PathFinder.find_spec(name, path)
    if spec is None or spec.origin is None:
        raise ImportError(f"No module named {name!r}", name=name)
    if spec.submodule_search_locations is not None:
        return None, os.path.dirname(spec.origin), ("", "", PKG_DIRECTORY)
    for suffix, mode, kind in get_suffixes():
        if spec.origin.endswith(suffix):
            # load_module, or the caller, closes it: that is the contract of find_module.
            opened: IO[Any] = tokenize.open(spec.origin) if kind == PY_SOURCE else open(spec.origin, mode)
            return opened, spec.origin, (suffix, mode, kind)
    raise ImportError(f"module {name!r} lies in no kind of file that imp knows: {spec.origin}", name=name)


def load_module(name: str, file: IO[Any] | None, filename: str | None, details: Details) -> ModuleType:
    """Load what :func:`find_module` found; the caller closes the file. Raises ImportError."""
    _, _, kind = details
    if kind == PY_SOURCE and filename is not None:
        return load_source(name, filename)
    if kind == PY_COMPILED and filename is not None:
        return load_compiled(name, filename)
    if kind == PKG_DIRECTORY and filename is not None:
        return load_package(name, filename)
    if kind == C_EXTENSION and filename is not None:
        return _load(name, filename, importlib.machinery.ExtensionFileLoader(name, filename))
    if kind in (C_BUILTIN, PY_FROZEN):
        return importlib.import_module(name)
    raise ImportError(f"Don't know how to import {name} (type code {kind})", name=name)


def load_source(name: str, pathname: str, file: IO[Any] | None = None) -> ModuleType:
    """Run a source file as the module ``name``, anew if it is there already."""
    return _load(name, pathname, importlib.machinery.SourceFileLoader(name, pathname))


def load_compiled(name: str, pathname: str, file: IO[Any] | None = None) -> ModuleType:
    """Run a ``.pyc`` file as the module ``name``."""
    return _load(name, pathname, importlib.machinery.SourcelessFileLoader(name, pathname))


def load_package(name: str, path: str) -> ModuleType:
    """Run the ``__init__.py`` of a directory as the package ``name``."""
    start = os.path.join(path, "__init__.py")
    return _load(name, start, importlib.machinery.SourceFileLoader(name, start))


def _load(name: str, pathname: str, loader: Any) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, pathname, loader=loader)
    if spec is None:
        raise ImportError(f"cannot load {name!r} from {pathname}", name=name, path=pathname)
    module = sys.modules.get(name)
    if module is not None:  # as imp did: the same module object, its code run again
        module.__spec__ = spec
        module.__file__ = pathname
        loader.exec_module(module)
        return sys.modules[name]
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return sys.modules[name]


def lock_held() -> bool:
    """False: there is no import lock for all modules any more."""
    return False


def acquire_lock() -> None:
    """Nothing is locked; see :func:`lock_held`."""


def release_lock() -> None:
    """Nothing is locked; see :func:`lock_held`."""
