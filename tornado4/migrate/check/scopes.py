"""What names are bound to, scope by scope: one quick walk over a module's statements."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


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


class Unknown:
    """Bound to something that is not followed: a loop's target, a part of a tuple, ``except ... as``."""


UNKNOWN = Unknown()
Binding: TypeAlias = Imported | Assigned | Defined | Parameter | Unknown


@dataclass(slots=True, eq=False)
class Scope:
    """A module, class, function or lambda. ``stars`` are modules whose names came by ``import *``."""

    kind: Literal["module", "class", "function"]
    node: ast.AST
    parent: Scope | None
    module: str
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    inner: dict[ast.AST, Scope] = field(default_factory=dict)

    def bind(self, name: str, binding: Binding) -> None:
        self.bindings.setdefault(name, []).append(binding)

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


class _Walk:
    """Statement by statement. Expressions are looked into only where they can bind: ``:=`` is left out on purpose."""

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
                    if handler.name:
                        scope.bind(handler.name, UNKNOWN)
                    self.handler(handler.body, tried, scope)
                self.body(node.orelse, scope)
                self.body(node.finalbody, scope)
            case ast.Match():
                for case in node.cases:
                    self.body(case.body, scope)
            case ast.Global() | ast.Nonlocal():
                pass

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
