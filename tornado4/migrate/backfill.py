"""``tornado4 run --backfill``: standard-library names that old programs use and current Pythons dropped.

Nothing happens unless it is asked for. Then :data:`tornado4.migrate.backfill_table.TABLE` says it all:
one row a name, where it was, when it went, what stands in for it. A name is made when it is first used,
and with ``verbose`` a line on stderr tells which name that was and which line of the program used it,
which makes a list of what to change.

    from tornado4.migrate import backfill

    backfill.install(verbose=True)
    from collections import MutableMapping      # works; stderr says who asked

A name that the interpreter still has is never touched, so the same call is harmless on each Python version.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from tornado4.migrate import _children, _imports
from tornado4.migrate.backfill_table import CHANGED, FIND_MODULE, TABLE, Row

_verbose = False
_installed = False
_told: set[str] = set()
_used: dict[str, str] = {}
_undo: list[Callable[[], None]] = []


def is_installed() -> bool:
    """True between :func:`install` and :func:`uninstall`."""
    return _installed


def used() -> dict[str, str]:
    """The names that were made in this process so far, each with the line of the program that was the first to ask."""
    return dict(_used)


def install(*, verbose: bool = False) -> None:
    """Put back the names of the table that this interpreter lacks, in this process and in those it spawns.

    ``verbose``: say on stderr, once a name, which were used, and where. Calling it again changes only that.
    """
    global _installed, _verbose
    _verbose = verbose
    _children.prepare_with(
        "backfill", f"from tornado4.migrate import backfill\nbackfill.install(verbose={verbose!r})"
    )
    if _installed:
        return
    _installed = True
    for place in dict.fromkeys(row.module for row in TABLE if row.name):
        hook = partial(_fill, [row for row in TABLE if row.module == place and row.name])
        _imports.after_import(place, hook)
        _undo.append(partial(_imports.forget, place, hook))
    for row in CHANGED:
        if sys.version_info >= tuple(map(int, row.gone.split("."))):
            change = partial(_change, row)
            _imports.after_import(row.module, change)
            _undo.append(partial(_imports.forget, row.module, change))
    # Behind all the others: it is asked only for what nobody has.
    sys.meta_path.append(_finder)


def uninstall() -> None:
    """Take the names away again; who has one already keeps it."""
    global _installed
    if not _installed:
        return
    _installed = False
    _children.prepare_without("backfill")
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    while _undo:
        _undo.pop()()
    _told.clear()


@contextmanager
def installed(*, verbose: bool = False) -> Iterator[None]:
    """``with installed():`` the names are there inside, and after it if they were there before.

    :arg verbose: say on stderr which names are used, and where.
    """
    before = _installed
    install(verbose=verbose)
    try:
        yield
    finally:
        if not before:
            uninstall()


# ---------------------------------------------------------------------------------------------------------
# Names in modules, and in classes of modules


def _fill(rows: list[Row], module: ModuleType) -> None:
    lacking = {row.name: row for row in rows if "." not in row.name and row.name not in vars(module)}
    if lacking:
        _fill_module(module, lacking)
    for row in rows:
        owner_name, dot, name = row.name.rpartition(".")
        owner = getattr(module, owner_name, None) if dot else None
        if owner is not None and not hasattr(owner, name):
            _fill_class(owner, name, row)


def _fill_module(module: ModuleType, rows: dict[str, Row]) -> None:
    """Give the module a ``__getattr__`` (PEP 562), in front of the one that it may have."""
    namespace = vars(module)
    before: Callable[[str], Any] | None = namespace.get("__getattr__")

    def __getattr__(name: str) -> Any:
        row = rows.get(name)
        if row is not None:
            namespace[name] = value = row.make()
            _undo.append(partial(namespace.pop, name, None))
            _tell(row)
            return value
        if before is not None:
            return before(name)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module)

    namespace["__getattr__"] = __getattr__
    _undo.append(partial(_restore, namespace, "__getattr__", __getattr__, before))


def _restore(namespace: dict[str, Any], name: str, ours: object, before: object) -> None:
    if namespace.get(name) is not ours:
        return  # somebody else has put theirs in front
    if before is None:
        del namespace[name]
    else:
        namespace[name] = before


def _change(row: Row, module: ModuleType) -> None:
    """Put a function around one that is there and does less than it did."""
    original = getattr(module, row.name)
    ours = row.make()(original, partial(_tell, row))
    setattr(module, row.name, ours)
    _undo.append(partial(_restore, vars(module), row.name, ours, original))


class _Lacking:
    """Stands in a class for a method that is gone; makes it when it is looked up."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self._value: Any = None

    def __get__(self, instance: object, owner: type) -> Any:
        if self._value is None:
            self._value = self._row.make()
        if self._row.kind != "hook":
            _tell(self._row)
        return self._value.__get__(instance, owner)


class _LackingProperty(_Lacking):
    """The same for a property."""

    def __set__(self, instance: object, value: Any) -> None:
        self.__get__(instance, type(instance))
        self._value.__set__(instance, value)


def _fill_class(owner: type, name: str, row: Row) -> None:
    setattr(owner, name, _LackingProperty(row) if row.kind == "property" else _Lacking(row))
    _undo.append(partial(delattr, owner, name))


# ---------------------------------------------------------------------------------------------------------
# Modules that are gone


class _MadeModule(Loader):
    """Makes a module of the table: an alias of another one, or a new one with a few functions."""

    def __init__(self, row: Row) -> None:
        self._row = row

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType = self._row.make()
        spec.loader_state = made.__spec__
        return made

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None and spec.loader_state is not None:
            module.__spec__ = spec.loader_state  # an alias: the module keeps saying who it is
        _undo.append(partial(_forget_module, self._row.module))
        _tell(self._row)


def _forget_module(name: str) -> None:
    sys.modules.pop(name, None)


class _FoundModule(Loader):
    """What an importer of the old protocol (PEP 302) found: its ``load_module`` finds the module and runs it."""

    def __init__(self, importer: Any) -> None:
        self._importer = importer

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        found = self._importer.load_module(spec.name)
        module: ModuleType = sys.modules.get(spec.name, found)
        # Often a module that there was before, under another name: it keeps saying who it is.
        spec.loader_state = getattr(module, "__spec__", None)
        return module

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None and spec.loader_state is not None:
            module.__spec__ = spec.loader_state


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        for row in TABLE:
            if row.module == fullname and not row.name:
                return ModuleSpec(fullname, _MadeModule(row), origin="tornado4 backfill")
        return _ask_old_finders(fullname, path) if sys.version_info >= (3, 12) else None


def _ask_old_finders(fullname: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """Those on ``sys.meta_path`` that only have ``find_module``: the copies of six in old packages, say."""
    for finder in sys.meta_path:
        if hasattr(finder, "find_spec"):
            continue
        find_module: Callable[..., Any] | None = getattr(finder, "find_module", None)
        importer = find_module(fullname, path) if find_module is not None else None
        if importer is not None:
            _tell(FIND_MODULE)
            return ModuleSpec(fullname, _FoundModule(importer), origin="tornado4 backfill")
    return None


_finder = _Finder()


# ---------------------------------------------------------------------------------------------------------
# Telling


_OWN_FILES = (os.path.dirname(__file__) + os.sep, "<frozen importlib")


def _tell(row: Row) -> None:
    if row.title in _told or (row.title in _used and not _verbose):
        return
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OWN_FILES):
        frame = frame.f_back
    where = _used[row.title] = f"{frame.f_code.co_filename}:{frame.f_lineno}"
    if not _verbose:
        return
    _told.add(row.title)
    print(f"tornado4: backfilled {row.title} (gone since Python {row.gone}) for {where}", file=sys.stderr)
