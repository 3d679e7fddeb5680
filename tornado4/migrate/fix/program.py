"""The program that is being fixed: its files as they stand now, what was found in them, what names in them mean."""

from __future__ import annotations

import ast
import builtins
import io
import tokenize
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tornado4.migrate.check import (
    detect,  # noqa: F401 (enters the detectors)
    files,
    tornado,
)
from tornado4.migrate.check.choosing import is_silenced
from tornado4.migrate.check.findings import Certainty, Finding
from tornado4.migrate.check.index import Index
from tornado4.migrate.check.project import Instance, Module, Project, Ref, Value
from tornado4.migrate.check.scopes import FUNCTIONS, Function, Imported, Scope
from tornado4.migrate.check.scopes import visible as visible
from tornado4.migrate.check.walk import Place, visit


@dataclass(slots=True)
class File:
    """A Python file: its text with ``\\n`` as the end of lines, and what is needed to write it as it was."""

    source: files.Source
    text: str
    tree: ast.Module
    encoding: str = "utf-8"
    newline: str = "\n"
    bom: bool = False

    def encoded(self, text: str) -> bytes:
        """The file's bytes with another text in it. UnicodeEncodeError where its encoding cannot say it."""
        encoding = "utf-8-sig" if self.bom else self.encoding
        return text.replace("\n", self.newline).encode(encoding)


class Unreadable(Exception):
    """A file that is left alone, and why."""


def read(source: files.Source) -> File:
    """Read and parse a file. Unreadable: it is no Python of today, or its line ends are mixed."""
    data = source.path.read_bytes()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from None
    crlf = text.count("\r\n")
    if text.count("\r") != crlf or crlf not in (0, text.count("\n")):
        raise Unreadable("its lines end in different ways")
    newline = "\r\n" if crlf else "\n"
    text = text.replace("\r\n", "\n")
    try:
        tree = files.parse(text, source.shown)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise Unreadable(f"not Python 3: {error}") from None
    return File(source, text, tree, encoding.removesuffix("-sig"), newline, encoding == "utf-8-sig")


@dataclass(slots=True, eq=False)
class Spot:
    """A finding, and where in the tree it was made: the node, its ancestors from the module on, its scope."""

    finding: Finding
    node: ast.AST
    ancestors: list[ast.AST]
    scope: Scope
    module: Module
    #: What became of it, as long as its file stays as it is and nothing is looked at anew.
    settled: object = None

    @property
    def parent(self) -> ast.AST:
        return self.ancestors[-1]

    @property
    def function(self) -> Function | None:
        """The innermost function around the node; a decorator is a part of what it decorates."""
        return next((each for each in reversed([*self.ancestors, self.node]) if isinstance(each, FUNCTIONS)), None)

    def statement(self) -> ast.stmt | None:
        """The statement that the node is in, or is."""
        return next((each for each in reversed([*self.ancestors, self.node]) if isinstance(each, ast.stmt)), None)


class _Finder(Place):
    """Reports are entered with the node they are about."""

    def __init__(self, project: Project, module: Module) -> None:
        super().__init__(project, module)
        self.spots: list[Spot] = []

    def report(self, node: ast.AST, rule_id: str, certainty: Certainty, message: str, *, fixable: bool = True) -> None:
        before = len(self.findings)
        super().report(node, rule_id, certainty, message, fixable=fixable)
        if len(self.findings) > before:
            spot = Spot(self.findings[-1], node, list(self.ancestors), self.scope, self.module)
            self.spots.append(spot)


@dataclass(slots=True)
class Program:
    """All files, and the project that `check` makes of them."""

    files: dict[str, File]
    aliases: dict[str, str] = field(default_factory=dict)
    project: Project = field(init=False)
    _spots: dict[Module, list[Spot]] = field(default_factory=dict, init=False)
    _modules: dict[str, tuple[File, Module]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Make the project anew, after files have changed; modules of those that have not stay what they are."""
        self.project = Project(self.aliases)
        for shown, file in self.files.items():
            known = self._modules.get(shown)
            if known is not None and known[0] is file:
                self.project.enter(known[1])
                continue
            if known is not None:
                self._spots.pop(known[1], None)
            module = self.project.add(
                shown, file.source.module, file.text, file.tree, is_package=file.source.is_package
            )
            self._modules[shown] = file, module

    def forget(self) -> None:
        """Look at all files anew: what was found in one may have changed with another."""
        self._spots.clear()

    def module(self, shown: str) -> Module:
        return self._modules[shown][1]

    def index(self, module: Module) -> Index:
        return module.index

    def modules_saying(self, word: str) -> list[Module]:
        return self.project.modules_saying(word)

    def spots(self, module: Module) -> list[Spot]:
        """What check finds in a module, in the order of its lines; what ``# noqa`` silences is left out."""
        known = self._spots.get(module)
        if known is not None:
            return known
        finder = _Finder(self.project, module)
        visit(finder, module.tree)
        lines = module.lines
        if finder.spots:
            index = module.index
            for spot in finder.spots:  # detectors report parts of a node while they are at the whole
                spot.ancestors = [*index.ancestors(spot.node)][::-1]
        self._spots[module] = [
            each
            for each in sorted(finder.spots, key=lambda spot: spot.finding)
            if not is_silenced(lines[each.finding.line - 1] if lines else "", each.finding.rule_id)
        ]
        return self._spots[module]

    # -- meaning

    def resolve(self, module: Module, node: ast.expr) -> tuple[Value, ...]:
        return self.project.resolve(node, module.index.scopes[node])

    def refs(self, module: Module, node: ast.expr) -> set[str]:
        """The dotted names that an expression may stand for."""
        return {each.dotted for each in self.resolve(module, node) if isinstance(each, Ref)}

    def means(self, module: Module, node: ast.AST | None, *dotted: str) -> bool:
        """Whether an expression certainly stands for one of these names."""
        if not isinstance(node, ast.Name | ast.Attribute):
            return False
        values = self.resolve(module, node)
        return bool(values) and all(isinstance(v, Ref) and v.sure and v.dotted in dotted for v in values)

    def decorators(self, module: Module, node: Function) -> list[set[str]]:
        """For each decorator the dotted names it may be, called or not."""
        return [self.refs(module, each.func if isinstance(each, ast.Call) else each) for each in node.decorator_list]

    def decorated(self, module: Module, node: Function) -> set[str]:
        return {name for names in self.decorators(module, node) for name in names}

    def class_of(self, module: Module, node: ast.AST) -> str | None:
        """The dotted name of the class in whose body, or in whose method, a node stands."""
        index = module.index
        scope = index.scopes[node].enclosing_class()
        return None if scope is None else self.project.class_of_scope(scope)

    def derives(self, module: Module, node: ast.AST, base: str) -> bool:
        cls = self.class_of(module, node)
        return cls is not None and base in self.project.mro(cls)

    def is_instance(self, module: Module, node: ast.expr, *classes: str) -> bool:
        """Whether an expression certainly is an object of one of these classes, or of one derived from them."""
        values = self.resolve(module, node)
        return bool(values) and all(
            isinstance(each, Instance) and each.sure and any(name in classes for name in self.project.mro(each.cls))
            for each in values
        )

    def qualname(self, module: Module, node: ast.AST) -> str:
        """The dotted name of the function or class around a node, within its module."""
        names = [
            each.name
            for each in reversed([node, *module.index.ancestors(node)])
            if isinstance(each, (*FUNCTIONS, ast.ClassDef))
        ]
        return ".".join(names) or "<module>"


# -- how a name is written at a place


@dataclass(frozen=True, slots=True)
class Import:
    """An import that a change needs: ``import asyncio``, ``from tornado import gen``."""

    module: str
    name: str = ""
    bound: str = ""

    @property
    def code(self) -> str:
        if not self.name:
            return f"import {self.module}"
        alias = f" as {self.bound}" if self.bound and self.bound != self.name else ""
        return f"from {self.module} import {self.name}{alias}"


def module_of(scope: Scope) -> Scope:
    while scope.parent is not None:
        scope = scope.parent
    return scope


def spelled(dotted: str, scope: Scope, needs: Callable[[Import], None]) -> str:
    """How to write a name of Tornado's or of the standard library at a place; says what must be imported for it."""
    top = module_of(scope)
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        prefix, rest = ".".join(parts[:length]), parts[length:]
        for name, bindings in top.bindings.items():
            if all(isinstance(each, Imported) and each.dotted == prefix for each in bindings):
                if visible(name, scope) is not top or _is_guarded(name, top):
                    continue
                if length == 1 and len(parts) > 2 and not _is_loaded(parts[:2], top):
                    continue
                return ".".join([name, *rest])
    return _imported(dotted, scope, top, needs)


def _imported(dotted: str, scope: Scope, top: Scope, needs: Callable[[Import], None]) -> str:
    parts = dotted.split(".")
    if len(parts) == 1:  # a builtin's name
        if visible(dotted, scope) is None:
            return dotted
        if free("builtins", scope, top) == "builtins":
            needs(Import("builtins"))
            return f"builtins.{dotted}"
        bound = free(dotted, scope, top)
        needs(Import("builtins", dotted, bound))
        return bound
    if parts[0] == "tornado":
        split = 2 if len(parts) > 2 else 1
        while split + 1 < len(parts) and tornado.is_module(".".join(parts[: split + 1])):
            split += 1
        module, name, rest = ".".join(parts[: split - 1]), parts[split - 1], parts[split:]
        if rest and rest[0][:1].isupper():  # a class is imported by its name: from tornado.ioloop import IOLoop
            module, name, rest = f"{module}.{name}", rest[0], rest[1:]
        bound = free(name, scope, top)
        needs(Import(module, name, bound))
        return ".".join([bound, *rest])
    bound = free(parts[0], scope, top)
    if bound == parts[0] and len(parts) == 2:
        needs(Import(parts[0]))
        return dotted
    module, name = ".".join(parts[:-1]), parts[-1]
    bound = free(name, scope, top)
    needs(Import(module, name, bound))
    return bound


def free(name: str, scope: Scope, top: Scope, *, prefix: str = "tornado") -> str:
    """A name that means nothing else at a place nor in its module: ``wait``, ``tornado_wait``, ``tornado_wait_2``."""
    candidate, number = name, 1
    while visible(candidate, scope) is not None or candidate in top.bindings or hasattr(builtins, candidate):
        candidate = f"{prefix}_{name}" if number == 1 else f"{prefix}_{name}_{number}"
        number += 1
    return candidate


def _is_guarded(name: str, top: Scope) -> bool:
    """Whether a name is imported at the top of the module in a branch that need not run."""
    tree = top.node
    assert isinstance(tree, ast.Module)
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom) and any(
            (alias.asname or alias.name.partition(".")[0]) == name for alias in statement.names
        ):
            return False
    return True


def _is_loaded(parts: list[str], top: Scope) -> bool:
    """Whether ``import tornado.gen`` stands in the module, so that ``tornado.gen`` is there."""
    assert isinstance(top.node, ast.Module)
    wanted = ".".join(parts)
    return any(
        isinstance(each, ast.Import) and any(alias.name == wanted and not alias.asname for alias in each.names)
        for each in top.node.body
    )


def load(paths: Iterable[Path], progress: Callable[[int, str], None]) -> tuple[dict[str, File], dict[str, str]]:
    """The files at or below the paths by the path shown; and those that are left alone, with the reason."""
    found: dict[str, File] = {}
    unread: dict[str, str] = {}
    for number, source in enumerate(files.python_files(paths), 1):
        progress(number, source.shown)
        try:
            found[source.shown] = read(source)
        except Unreadable as error:
            unread[source.shown] = str(error)
    return found, unread
