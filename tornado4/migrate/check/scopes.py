"""What names are bound to, scope by scope: one quick walk over a module's statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tornado4.migrate.check.nodes import children

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
#: What has a scope of its own within an expression.
Part: TypeAlias = ast.Lambda | Comprehension


@dataclass(slots=True)
class Imported:
    """``import a.b`` (binds ``a``), ``import a.b as c``, ``from a import b``: the dotted name that is bound.

    ``replaced``: in a ``try`` whose handler binds the name to something else.
    """

    dotted: str
    replaced: bool = False


@dataclass(slots=True)
class Assigned:
    """A name set to an expression, which is to be read in ``scope``.

    ``replaced``: in a ``try`` whose handler binds the name to something else.
    """

    value: ast.expr
    scope: Scope
    replaced: bool = False


@dataclass(slots=True)
class Defined:
    """A function or class statement."""

    node: Function | ast.ClassDef
    scope: Scope


@dataclass(slots=True)
class Parameter:
    """A parameter: its name, and its position among the positional ones (-1 for others)."""

    name: str
    position: int
    function: Function | ast.Lambda


@dataclass(slots=True)
class Caught:
    """``except HTTPError as error``: an object of what ``kinds`` names, which is to be read in ``scope``."""

    kinds: ast.expr
    scope: Scope


class Unknown:
    """Bound to something that is not followed: a loop's target, a part of a tuple."""


UNKNOWN = Unknown()
Binding: TypeAlias = Imported | Assigned | Defined | Parameter | Caught | Unknown


@dataclass(slots=True, eq=False)
class Scope:
    """A module, class, function, lambda or comprehension. ``stars`` are modules whose names came by ``import *``.

    ``inner`` are the scopes of classes and functions, ``parts`` those of lambdas and comprehensions.
    ``elsewhere`` are names that ``global`` or ``nonlocal`` gives to a scope around.
    """

    kind: Literal["module", "class", "function", "comprehension"]
    node: ast.AST
    parent: Scope | None
    module: str
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    inner: dict[ast.AST, Scope] = field(default_factory=dict)
    parts: dict[ast.AST, Scope] = field(default_factory=dict)
    elsewhere: dict[str, Scope] = field(default_factory=dict)

    def bind(self, name: str, binding: Binding) -> None:
        at = self.elsewhere.get(name, self)
        at.bindings.setdefault(name, []).append(binding)

    def part(self, node: Part) -> Scope:
        """The scope of a lambda or a comprehension that stands in this one."""
        known = self.parts.get(node)
        if known is None:
            known = self.parts[node] = _part(node, self)
        return known

    def enclosing_class(self) -> Scope | None:
        """The class whose method this scope lies in, also through nested functions."""
        scope: Scope | None = self
        while scope is not None and scope.kind != "class":
            scope = scope.parent
        return scope

    def enclosing_function(self) -> Scope | None:
        """The innermost function or lambda, this scope included."""
        scope: Scope | None = self
        while scope is not None and scope.kind != "function":
            scope = scope.parent
        return scope


def visible(name: str, scope: Scope) -> Scope | None:
    """The scope whose binding a bare name has at a place; None where it has none (or a builtin's)."""
    at: Scope | None = scope
    while at is not None:
        if (at.kind != "class" or at is scope) and name in at.bindings:
            return at
        at = at.parent
    return None


def module_scope(tree: ast.Module, module: str, package: str) -> Scope:
    """The scope of a module, with those of the classes and functions in it. ``package`` resolves relative imports."""
    scope = Scope("module", tree, None, module)
    _Walk(package).body(tree.body, scope)
    return scope


def bind_walrus(tree: ast.Module, top: Scope) -> None:
    """Enter what ``:=`` binds: for files that have one, as that takes a walk over all expressions."""
    waiting: list[tuple[ast.AST, Scope]] = [(tree, top)]
    while waiting:
        node, scope = waiting.pop()
        inner = scope
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            inner = scope.inner.get(node, scope)
        elif isinstance(node, ast.Lambda):
            inner = scope.part(node)
        elif isinstance(node, ast.NamedExpr):
            scope.bind(node.target.id, Assigned(node.value, scope))
        waiting += [(child, inner) for child in children(node)]


def _part(node: Part, outer: Scope) -> Scope:
    if isinstance(node, ast.Lambda):
        scope = Scope("function", node, outer, outer.module)
        bind_parameters(node, scope)
        return scope
    scope = Scope("comprehension", node, outer, outer.module)
    for generator in node.generators:
        for each in ast.walk(generator.target):
            if isinstance(each, ast.Name):
                scope.bind(each.id, UNKNOWN)
    return scope


def child_scopes(node: ast.AST, here: Scope) -> Iterator[tuple[ast.AST, Scope]]:
    """What is directly in a node, each with its scope: decorators, defaults and a first iterable are outside."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        body, inner = {*node.body}, here.inner.get(node, here)
        for child in children(node):
            yield child, inner if child in body else here
    elif isinstance(node, ast.Lambda):
        yield node.args, here
        yield node.body, here.part(node)
    elif isinstance(node, COMPREHENSIONS):
        inner = here.part(node)
        for child in children(node):
            yield child, inner
    elif isinstance(node, ast.comprehension) and node is _first_part(here) and here.parent is not None:
        for child in children(node):
            yield child, here.parent if child is node.iter else here
    else:
        for child in children(node):
            yield child, here


def _first_part(scope: Scope) -> ast.comprehension | None:
    return scope.node.generators[0] if isinstance(scope.node, COMPREHENSIONS) else None


class _Walk:
    """Statement by statement. Expressions are looked into by `bind_walrus` alone."""

    def __init__(self, package: str) -> None:
        self.package = package

    def body(self, statements: list[ast.stmt], scope: Scope) -> None:
        for statement in statements:
            self.statement(statement, scope)

    def statement(self, node: ast.stmt, scope: Scope) -> None:
        match node:
            case ast.Import():
                for alias in node.names:
                    bound = alias.asname or alias.name.partition(".")[0]
                    scope.bind(bound, Imported(alias.name if alias.asname else bound))
            case ast.ImportFrom():
                self.import_from(node, scope)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                scope.bind(node.name, Defined(node, scope))
                self.function(node, scope)
            case ast.ClassDef():
                scope.bind(node.name, Defined(node, scope))
                inner = Scope("class", node, scope, scope.module)
                scope.inner[node] = inner
                self.body(node.body, inner)
            case ast.Assign():
                for target in node.targets:
                    self.target(target, node.value, scope)
            case ast.AnnAssign() if node.value is not None:
                self.target(node.target, node.value, scope)
            case ast.AugAssign():
                self.target(node.target, None, scope)
            case ast.For() | ast.AsyncFor():
                self.target(node.target, None, scope)
                self.body(node.body, scope)
                self.body(node.orelse, scope)
            case ast.While() | ast.If():
                self.body(node.body, scope)
                self.body(node.orelse, scope)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    if item.optional_vars is not None:
                        self.target(item.optional_vars, None, scope)
                self.body(node.body, scope)
            case ast.Try() | ast.TryStar():
                before = {name: len(bindings) for name, bindings in scope.bindings.items()}
                self.body(node.body, scope)
                tried = {
                    name: bindings[before.get(name, 0) :]
                    for name, bindings in scope.bindings.items()
                    if len(bindings) > before.get(name, 0)
                }
                for handler in node.handlers:
                    if handler.name and handler.type is not None:
                        scope.bind(handler.name, Caught(handler.type, scope))
                    self.handler(handler.body, tried, scope)
                self.body(node.orelse, scope)
                self.body(node.finalbody, scope)
            case ast.Match():
                for case in node.cases:
                    self.pattern(case.pattern, scope)
                    self.body(case.body, scope)
            case ast.Global():
                for name in node.names:
                    scope.elsewhere[name] = _top(scope)
            case ast.Nonlocal():
                for name in node.names:
                    around = _around(name, scope)
                    if around is not None:
                        scope.elsewhere[name] = around
            case _ if type(node).__name__ == "TypeAlias":  # Python 3.12
                self.target(node.name, None, scope)  # type: ignore[attr-defined]

    def pattern(self, pattern: ast.pattern, scope: Scope) -> None:
        """What a case binds."""
        for each in ast.walk(pattern):
            name = getattr(each, "rest" if isinstance(each, ast.MatchMapping) else "name", None)
            if isinstance(name, str):
                scope.bind(name, UNKNOWN)

    def handler(self, body: list[ast.stmt], tried: dict[str, list[Binding]], scope: Scope) -> None:
        """What is done when a ``try`` fails. What it puts something else in the place of is marked."""
        before = {name: len(scope.bindings[name]) for name in tried}
        self.body(body, scope)
        for name, bindings in tried.items():
            for other in scope.bindings[name][before[name] :]:
                nothing = isinstance(other, Assigned) and isinstance(other.value, ast.Constant)
                for each in bindings:
                    if isinstance(each, Imported | Assigned) and not nothing:
                        each.replaced = True

    def import_from(self, node: ast.ImportFrom, scope: Scope) -> None:
        source = self.absolute(node)
        for alias in node.names:
            if alias.name == "*":
                scope.stars.append(source)
            else:
                scope.bind(alias.asname or alias.name, Imported(f"{source}.{alias.name}"))

    def absolute(self, node: ast.ImportFrom) -> str:
        return absolute_import(node, self.package)

    def function(self, node: Function, scope: Scope) -> None:
        inner = Scope("function", node, scope, scope.module)
        scope.inner[node] = inner
        bind_parameters(node, inner)
        self.body(node.body, inner)

    def target(self, target: ast.expr, value: ast.expr | None, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            scope.bind(target.id, UNKNOWN if value is None else Assigned(value, scope))
        elif isinstance(target, ast.Attribute) and value is not None:
            cls = scope.enclosing_class()
            if cls is not None and isinstance(target.value, ast.Name) and target.value.id in ("self", "cls"):
                cls.bind(f"self.{target.attr}", Assigned(value, scope))
        elif isinstance(target, ast.Tuple | ast.List):
            same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
            for position, each in enumerate(target.elts):
                part = value.elts[position] if same else None  # type: ignore[union-attr]
                self.target(each, part, scope)
        elif isinstance(target, ast.Starred):
            self.target(target.value, None, scope)


def _top(scope: Scope) -> Scope:
    while scope.parent is not None:
        scope = scope.parent
    return scope


def _around(name: str, scope: Scope) -> Scope | None:
    """The function around a scope that has a name of its own."""
    at = scope.parent
    while at is not None and (at.kind != "function" or name not in at.bindings):
        at = at.parent
    return at


def absolute_import(node: ast.ImportFrom, package: str) -> str:
    """The dotted name of the module that ``from ... import`` names, relative ones resolved."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def bind_parameters(node: Function | ast.Lambda, scope: Scope) -> None:
    """Enter a function's parameters into its scope."""
    arguments = node.args
    for position, each in enumerate([*arguments.posonlyargs, *arguments.args]):
        scope.bind(each.arg, Parameter(each.arg, position, node))
    for extra in [*arguments.kwonlyargs, arguments.vararg, arguments.kwarg]:
        if extra is not None:
            scope.bind(extra.arg, Parameter(extra.arg, -1, node))
