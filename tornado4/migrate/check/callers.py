"""Who calls the coroutines of a program, and what each caller does with what it gets.

A ``gen.coroutine`` starts when it is called, an ``async def`` when somebody waits for it. So one can become the other
where all callers wait: ``await f()``, ``yield [f(), g()]``, ``return f()``, ``loop.spawn_callback(f)``. Where one does
not, or where none is seen, it says so.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tornado4.migrate.check.project import Module, Project, Ref
from tornado4.migrate.check.scopes import FUNCTIONS, Scope

COROUTINE = "tornado.gen.coroutine"

#: What a caller does: waits for the result, returns it, hands it (or the function) to what runs it, drops it, keeps it.
How: TypeAlias = Literal["waited", "returned", "handed", "dropped", "kept"]

#: Methods that Tornado itself calls, and whose result it waits for, in 4.5.3 and in 6.
CALLED_BY_TORNADO = {
    "tornado.web.RequestHandler": frozenset("get post put delete head options patch prepare data_received".split()),
    "tornado.websocket.WebSocketHandler": frozenset("open on_message".split()),
    "tornado.tcpserver.TCPServer": frozenset({"handle_stream"}),
}

#: Functions that run a function, or what it gives, by name: whoever they belong to.
RUNNERS = frozenset(
    "spawn_callback add_callback run_sync call_later call_at add_timeout add_future PeriodicCallback ensure_future "
    "create_task gather wait_for run with_timeout multi maybe_future convert_yielded Return".split()
)

#: What a result passes through on its way to who waits.
_THROUGH = (
    ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp,
    ast.BoolOp, ast.Starred, ast.NamedExpr, ast.keyword,
)  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """One place where a coroutine is called or named. ``to`` is the function that it is handed to."""

    path: str
    line: int
    how: How
    to: str = ""

    @property
    def waits(self) -> bool:
        return self.how in ("waited", "returned", "handed")

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def callers_of(project: Project) -> Callers:
    """Those of a program, worked out once for all its modules."""
    known = project.notes.get("callers")
    if not isinstance(known, Callers):
        known = project.notes["callers"] = Callers(project)
    return known


class Callers:
    """The uses of all coroutines of a program. It is gone over once, when first asked."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._uses: dict[str, list[Use]] = defaultdict(list)
        self._perhaps: dict[str, list[Use]] = defaultdict(list)
        self.coroutines = frozenset(self._coroutines())
        names = {dotted.rpartition(".")[2] for dotted in self.coroutines}
        for module in project.all_modules if names else ():
            for node, scope, ancestors in _nodes(module):
                name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
                if name in names and isinstance(getattr(node, "ctx", None), ast.Load):
                    self._note(node, scope, ancestors, module, name)

    def of(self, dotted: str) -> list[Use]:
        """The uses that are seen."""
        return sorted(self._uses[dotted])

    def perhaps(self, dotted: str) -> list[Use]:
        """Calls of a method of that name on what cannot be traced: they may be of this one."""
        return sorted(self._perhaps[dotted.rpartition(".")[2]])

    def called_by_tornado(self, cls: str, name: str) -> bool:
        return any(name in CALLED_BY_TORNADO.get(each, ()) for each in self.project.mro(cls))

    def _coroutines(self) -> Iterator[str]:
        for node, outer in self.project.functions():
            for decorator in node.decorator_list:
                values = self.project.resolve(decorator, outer)
                if any(isinstance(value, Ref) and value.dotted == COROUTINE for value in values):
                    yield f"{self.project.class_of_scope(outer)}.{node.name}"

    def _note(self, node: ast.AST, scope: Scope, ancestors: Sequence[ast.AST], module: Module, name: str) -> None:
        assert isinstance(node, ast.expr)
        if isinstance(ancestors[-1], FUNCTIONS):
            return  # a decorator
        called = isinstance(ancestors[-1], ast.Call) and ancestors[-1].func is node
        how, to = what_becomes_of(ancestors[-1] if called else node, ancestors[:-1] if called else ancestors, called)
        use = Use(module.path, node.lineno, how, to)
        values = self.project.resolve(node, scope)
        found = {value.dotted for value in values if isinstance(value, Ref)} & self.coroutines
        for dotted in found:
            self._uses[dotted].append(use)
        if called and isinstance(node, ast.Attribute) and not values and not self.project.resolve(node.value, scope):
            self._perhaps[name].append(use)  # neither the method nor the object can be traced


def what_becomes_of(node: ast.AST, ancestors: Sequence[ast.AST], called: bool) -> tuple[How, str]:
    """What is done with a call's result (or with the function, where it is not called), and by whom."""
    inner = node
    for each in reversed(ancestors):
        if isinstance(each, ast.Await | ast.Yield | ast.YieldFrom):
            return ("waited", "") if called else ("kept", "")
        if isinstance(each, ast.Return | ast.Lambda):
            return ("returned", "") if called else ("kept", "")
        if isinstance(each, ast.Call):
            name = each.func.attr if isinstance(each.func, ast.Attribute) else getattr(each.func, "id", "")
            given = each.func is not inner
            return ("handed" if given and name in RUNNERS else "kept"), name if given else ""
        if isinstance(each, ast.Expr):
            return "dropped", ""
        if not isinstance(each, _THROUGH) and not isinstance(each, ast.comprehension):
            return "kept", ""
        inner = each
    return "kept", ""


def _nodes(module: Module) -> Iterator[tuple[ast.AST, Scope, list[ast.AST]]]:
    """All names and attributes of a module, each with its scope and its ancestors, outermost first."""
    path: list[ast.AST] = []
    waiting: list[tuple[ast.AST, Scope, int]] = [(module.tree, module.scope, 0)]
    while waiting:
        node, scope, depth = waiting.pop()
        del path[depth:]
        if isinstance(node, ast.Name | ast.Attribute):
            yield node, scope, path
        inner = scope.inner.get(node, scope) if isinstance(node, (*FUNCTIONS, ast.ClassDef)) else scope
        path.append(node)
        waiting += [(child, inner, depth + 1) for child in ast.iter_child_nodes(node)]
