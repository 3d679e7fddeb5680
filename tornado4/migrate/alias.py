"""The name ``tornado`` for the package ``tornado4``.

Between :func:`install` and :func:`uninstall` every import of ``tornado`` or ``tornado.x`` gets the very
module that ``tornado4`` or ``tornado4.x`` is: ``tornado.web is tornado4.web``, one class and one module
state under both names, whichever of them was imported first. Nothing is wrapped, so nothing is slower:
once a name stands in ``sys.modules`` the interpreter finds it there by itself.

    from tornado4.migrate import alias

    alias.install()
    import tornado.web              # is tornado4.web

    with alias.installed():         # the same, for a while
        import old_plugin

Three things work together:

- ``sys.modules["tornado"]`` is set at once;
- a finder at the head of ``sys.meta_path`` answers for ``tornado.*``;
- a path hook answers for the same names when that finder has been pushed aside (programs that replace
  ``sys.meta_path``, finders which look along ``tornado.__path__`` by themselves). Without it such an import
  would run a file of ours a second time, and there would be two of each class.

What tornado4 does not have is not found under ``tornado`` either: ``import tornado.speedups`` raises
ModuleNotFoundError where tornado4 was installed without its C extension, as on such a Tornado.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
    SourcelessFileLoader,
)
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from tornado4._core.private_names import is_being_imported
from tornado4.migrate import _children, _import_hooks, _imports

if TYPE_CHECKING:
    from importlib.abc import InspectLoader, MetaPathFinder
    from importlib.metadata import Distribution, DistributionFinder
else:  # importlib.abc brings pathlib, tempfile, re and more on Python 3.11: a third of the time that the alias takes
    InspectLoader = MetaPathFinder = object

OLD = "tornado"
NEW = "tornado4"


class TornadoAlreadyImported(RuntimeError):
    """:func:`install` came too late: a real ``tornado`` is in use in this process.

    ``modules`` lists its names, sorted.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        self.modules = list(modules)
        shown = ", ".join(self.modules[:8])
        more = len(self.modules) - 8
        if more > 0:
            shown += f" and {more} more"
        super().__init__(
            "the name 'tornado' cannot be given to tornado4 any more: "
            f"another tornado is already imported ({shown}); "
            "call tornado4.migrate.alias.install() before the first 'import tornado'"
        )


def is_old_name(name: str) -> bool:
    """True for ``tornado`` and whatever lies beneath it (``tornadoredis`` does not).

    :arg name: a module's full name.
    """
    return name == OLD or name.startswith(OLD + ".")


def new_name(name: str) -> str:
    """``tornado.web`` -> ``tornado4.web``.

    :arg name: a module's full name.
    """
    return NEW + name[len(OLD) :]


# ---------------------------------------------------------------------------------------------------------
# Finding and loading


class AliasLoader(InspectLoader):
    """Loads ``tornado.x`` by importing ``tornado4.x`` and handing over that module itself.

    The inspecting methods (code, source, file name) answer for the file of ``tornado4.x``; ``runpy``
    needs them to run ``-m tornado.autoreload``.
    """

    def __init__(self, spec: ModuleSpec) -> None:
        self._real = spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Import ``tornado4.x`` and return it: the old name gets that very module.

        A loader that somebody has put around this one gets a stand-in, which has the old name.
        """
        module = importlib.import_module(self._real.name)
        if spec.loader is not self:
            return _import_hooks.StandIn(spec.name, module)
        # The import system is about to write the alias's spec into the module; exec_module puts this back.
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run: the module's own spec is put back in the place of the alias's."""
        if isinstance(module, _import_hooks.StandIn):
            sys.modules[module.__name__] = sys.modules[self._real.name]
            _name_siblings()
            return
        alias_spec = module.__spec__
        if alias_spec is not None and is_old_name(alias_spec.name):
            module.__spec__ = alias_spec.loader_state
        _name_siblings()

    def is_package(self, fullname: str) -> bool:
        """Whether ``tornado4.x`` is a package."""
        return self._real.submodule_search_locations is not None

    def get_code(self, fullname: str) -> CodeType | None:
        """The code of ``tornado4.x``; `ImportError` where its loader cannot tell."""
        code: CodeType | None = self._ask("get_code")
        return code

    def get_source(self, fullname: str) -> str | None:
        """The source of ``tornado4.x``; `ImportError` where its loader cannot tell."""
        source: str | None = self._ask("get_source")
        return source

    def get_filename(self, fullname: str) -> str:
        """The file of ``tornado4.x``; `ImportError` where its loader cannot tell."""
        filename: str = self._ask("get_filename")
        return filename

    def _ask(self, question: str) -> Any:
        method = getattr(self._real.loader, question, None)
        if method is None:
            raise ImportError(f"{type(self._real.loader).__name__} cannot tell", name=self._real.name)
        return method(self._real.name)


def alias_spec(fullname: str) -> ModuleSpec | None:
    """The spec for ``tornado`` or ``tornado.x``, or None when tornado4 has no such module.

    Finding imports the parent packages and nothing else, as it does for any module.
    """
    try:
        real = importlib.util.find_spec(new_name(fullname))
    except ModuleNotFoundError:
        return None
    if real is None:
        return None
    is_package = real.submodule_search_locations is not None
    spec = ModuleSpec(fullname, AliasLoader(real), origin=real.origin, is_package=is_package)
    if is_package:
        spec.submodule_search_locations = list(real.submodule_search_locations or ())
    if real.has_location:
        spec.has_location = True
        spec.cached = real.cached
    return spec


_PKG_RESOURCES = "pkg_resources"


def _distribution() -> Any:
    # Late: importlib.metadata is for those who ask; most programs never do.
    return importlib.import_module("tornado4.migrate._distribution")


def _before_pkg_resources() -> None:
    _distribution().hide_requires()


def _tell_pkg_resources(module: ModuleType) -> None:
    _distribution().give_to(module)


class AliasFinder(MetaPathFinder):
    """The finder at the head of ``sys.meta_path``; there is one, :data:`_finder`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for ``tornado`` and what lies beneath it; None for every other name."""
        spec = alias_spec(fullname) if is_old_name(fullname) else None
        return None if spec is None else _import_hooks.offer(spec, path, self)

    def find_distributions(self, context: DistributionFinder.Context) -> Iterable[Distribution]:
        """For `importlib.metadata`, which asks all finders: Tornado 4.5.3, by name only."""
        found: Iterable[Distribution] = _distribution().find(context)
        return found


class _AliasFileFinder(FileFinder):
    """Finds modules in a directory of tornado4 as usual, but for names that begin with ``tornado.``."""

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        if is_old_name(fullname):
            return alias_spec(fullname)
        return super().find_spec(fullname, target)


def _path_hook(entry: str) -> _AliasFileFinder:
    """For ``sys.path_hooks``: takes the directories of tornado4 and leaves all others to the next hook."""
    if not _is_ours(entry):
        raise ImportError("not a directory of tornado4", path=entry)
    return _AliasFileFinder(
        entry,
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (SourceFileLoader, SOURCE_SUFFIXES),
        (SourcelessFileLoader, BYTECODE_SUFFIXES),
    )


def _is_ours(entry: object) -> bool:
    if not isinstance(entry, str):
        return False
    return any(entry == root or entry.startswith(root + os.sep) for root in _roots()) and os.path.isdir(entry)


def _roots() -> list[str]:
    package = sys.modules.get(NEW)
    return list(package.__path__) if package is not None else []


# ---------------------------------------------------------------------------------------------------------
# sys.modules


def _name_siblings() -> None:
    """Give every finished ``tornado4.*`` module its old name, too.

    ``import tornado.web`` has always left ``tornado.util`` and others in ``sys.modules`` and programs
    look there. A module that is still being executed (by another thread) is left out: the import lock
    that guards it goes by its own name.

    Where there are finders of other people, those that 4.5.3 had are *imported* under it, for these to hear of them.
    """
    if _naming.under_way:
        return
    _naming.under_way = True
    try:
        while nameless := _without_old_name():
            for old, module in nameless.items():
                if _was_a_module(old) and _import_hooks.finders(_finder):
                    importlib.import_module(old)
                sys.modules[old] = module
    finally:
        _naming.under_way = False


class _Naming(threading.local):
    under_way = False


_naming = _Naming()


def _was_a_module(old: str) -> bool:
    """Whether 4.5.3 had it. The parts of what is a package here are not imported by their old names.

    The import system would set them in that package, where ``limits`` is something else.
    """
    parent, _, name = old.rpartition(".")
    return parent in ("", OLD, OLD + ".platform") and not name.startswith("_")


def _without_old_name() -> dict[str, ModuleType]:
    nameless = {}
    for name, module in list(sys.modules.items()):
        if name == NEW or name.startswith(NEW + "."):
            old = OLD + name[len(NEW) :]
            if module is not None and not is_being_imported(module) and sys.modules.get(old) is not module:
                nameless[old] = module
    return nameless


def _foreign_modules() -> list[str]:
    """What another ``tornado`` has put into ``sys.modules`` (a None there only forbids an import)."""
    return sorted(
        name
        for name, module in list(sys.modules.items())
        if is_old_name(name) and module is not None and sys.modules.get(new_name(name)) is not module
    )


# ---------------------------------------------------------------------------------------------------------
# Switching


_finder = AliasFinder()


def is_installed() -> bool:
    """True between :func:`install` and :func:`uninstall`, also where the alias is for some packages only."""
    return _path_hook in sys.path_hooks or bool(installed_for())


def installed_for() -> list[str]:
    """The packages that the alias is limited to; none when it is for all, or not installed."""
    # A module that was never imported limits nothing: most programs do not need it.
    importers = sys.modules.get("tornado4.migrate._importers")
    return importers.packages() if importers is not None else []


def install(*, for_: Sequence[str] = ()) -> None:
    """Let ``import tornado`` mean tornado4 from now on; multiprocessing's children inherit it.

    Calling it again only puts the finder back to the head of ``sys.meta_path``. With ``for_`` it holds for what modules
    of these packages import (``"__main__"``: the program), and others get the Tornado that is installed; what is asked
    of ``sys.modules`` or `importlib.metadata` is theirs, too. An alias for all that is there already stays.

    :raises TornadoAlreadyImported: another ``tornado`` is in ``sys.modules``. Nothing has been changed then. With
        ``for_`` that is no matter.
    """
    importlib.import_module(NEW)
    if for_ and _path_hook not in sys.path_hooks:
        from tornado4.migrate import _importers

        _importers.limit_to([*_importers.packages(), *for_])
        _children.prepare_with(
            "alias", f"from tornado4.migrate import alias\nalias.install(for_={_importers.packages()!r})"
        )
        return
    foreign = _foreign_modules()
    if foreign:
        raise TornadoAlreadyImported(foreign)
    _forget_limit()
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    sys.meta_path.insert(0, _finder)
    if not is_installed():
        sys.path_hooks.insert(0, _path_hook)
        _forget_path_entries()
        _imports.after_import(_PKG_RESOURCES, _tell_pkg_resources, before=_before_pkg_resources)
    for name in [name for name, module in sys.modules.items() if module is None and is_old_name(name)]:
        del sys.modules[name]
    _name_siblings()
    _children.prepare_with("alias", "from tornado4.migrate import alias\nalias.install()")


def uninstall() -> None:
    """Take the name back. Modules that were imported under it stay what they are for those who hold them.

    Without an :func:`install` before, nothing happens.
    """
    _forget_limit()
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    if _path_hook in sys.path_hooks:
        sys.path_hooks.remove(_path_hook)
        _forget_path_entries()
        _imports.forget(_PKG_RESOURCES, _tell_pkg_resources)
        if _PKG_RESOURCES in sys.modules:
            _distribution().take_from(sys.modules[_PKG_RESOURCES])
    for name in [name for name in sys.modules if is_old_name(name)]:
        if sys.modules[name] is sys.modules.get(new_name(name)):
            del sys.modules[name]
    _children.prepare_without("alias")


def _forget_limit() -> None:
    importers = sys.modules.get("tornado4.migrate._importers")
    if importers is not None:
        importers.forget()


def _forget_path_entries() -> None:
    """Drop what the interpreter has cached for our directories, so that ``sys.path_hooks`` is asked anew."""
    for entry in [entry for entry in sys.path_importer_cache if _is_ours(entry)]:
        del sys.path_importer_cache[entry]


@contextmanager
def installed(*, for_: Sequence[str] = ()) -> Iterator[None]:
    """``with installed():`` the alias holds inside; an alias that was there before stays there after.

    ``for_`` and what is raised: see :func:`install`.
    """
    before = is_installed()
    install(for_=for_)
    try:
        yield
    finally:
        if not before:
            uninstall()
