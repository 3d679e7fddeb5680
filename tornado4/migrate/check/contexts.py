"""Where code runs: in a thread of its own, or on a running loop. As far as the program's text says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tornado4.migrate.check import guards
from tornado4.migrate.check.nodes import children, walk
from tornado4.migrate.check.project import Module, Project, Ref
from tornado4.migrate.check.scopes import FUNCTIONS, Scope

#: Calls that run a function in another thread: the position at which it is given, and the keyword.
STARTERS = {
    "Thread": (1, "target"),
    "Timer": (1, "function"),
    "submit": (0, "fn"),
    "run_in_executor": (1, "func"),
    "start_new_thread": (0, "function"),
    "to_thread": (0, "func"),
    "deferToThread": (0, "f"),
    "callInThread": (0, "func"),
}
_STARTED = re.compile(rf"\b(?:{'|'.join(STARTERS)})\b")
ON_EXECUTOR = "tornado.concurrent.run_on_executor"
THREAD = "threading.Thread"

#: Methods of a thread that its maker calls.
_CALLED_FROM_OUTSIDE = frozenset({"__init__", "start", "join"})

_LOOP_MAKERS = frozenset({"IOLoop", "make_current", "new_event_loop", "set_event_loop"})

#: What makes a function one that the loop runs.
COROUTINES = frozenset(
    {
        "tornado.gen.coroutine",
        "tornado.gen.engine",
        "tornado.web.asynchronous",
        "tornado.testing.gen_test",
    }
)
#: Classes whose methods the loop calls.
_ON_LOOP = ("tornado.web.RequestHandler", "tornado.httputil.HTTPServerConnectionDelegate")


def contexts_of(project: Project) -> Contexts:
    """Those of a program, worked out once for all its modules."""
    known = project.notes.get("contexts")
    if not isinstance(known, Contexts):
        known = project.notes["contexts"] = Contexts(project)
    return known


class Contexts:
    """Which functions of a program run where. The program is gone over once, when first asked."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._threaded: frozenset[str] | None = None
        self._provided: frozenset[str] | None = None

    def provided(self, dotted: str) -> bool:
        """Whether the program puts a name of Tornado's in place where it is gone: ``if not hasattr(gen, "Task"):``."""
        if self._provided is None:
            self._provided = frozenset(name for module in self.project.all_modules for name in self._puts(module))
        return dotted in self._provided

    def _puts(self, module: Module) -> Iterator[str]:
        if not any("hasattr(" in line for line in module.lines):
            return
        for node, scope in _nodes(module):
            asked = node.test.operand if isinstance(node, ast.If) and isinstance(node.test, ast.UnaryOp) else None
            name = guards.asks_for(asked) if asked is not None else None
            if name is not None and isinstance(asked, ast.Call):
                for value in self.project.resolve(asked.args[0], scope):
                    if isinstance(value, Ref):
                        yield f"{value.dotted}.{name}"

    def in_thread(self, scope: Scope) -> bool:
        """Whether this code runs in a thread that the program starts: as its target, or as a method of one."""
        if self._threaded is None:
            self._threaded = frozenset(self._targets())
        at: Scope | None = scope
        while at is not None:
            if at.kind == "function" and self._is_threads(at):
                return True
            at = at.parent
        return False

    def on_loop(self, scope: Scope) -> bool:
        """Whether this code runs while a loop does: a coroutine, or a method that the loop calls."""
        at: Scope | None = scope
        while at is not None:
            node = at.node
            if isinstance(node, ast.AsyncFunctionDef):
                return True
            if isinstance(node, ast.FunctionDef):
                if self.decorators(node, at.parent or at) & COROUTINES:
                    return True
                cls = at.parent
                if cls is not None and cls.kind == "class" and node.name != "__init__":
                    mro = self.project.mro(self.project.class_of_scope(cls) or "")
                    return any(base in mro for base in _ON_LOOP)
            at = at.parent
        return False

    def decorators(self, node: ast.FunctionDef, outer: Scope) -> set[str]:
        found = set()
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            found |= {value.dotted for value in self.project.resolve(called, outer) if isinstance(value, Ref)}
        return found

    def makes_loop(self, scope: Scope) -> bool:
        """Whether the function around makes a loop of its own, or puts one in place, for its thread."""
        function = scope.enclosing_function()
        if function is None:
            return False
        for node in walk(function.node):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in _LOOP_MAKERS:
                    return True
        return False

    def _is_threads(self, scope: Scope) -> bool:
        assert self._threaded is not None
        node = scope.node
        if not isinstance(node, ast.FunctionDef):
            return False
        if self.project.class_of_scope(scope) in self._threaded:
            return True
        outer = scope.parent
        if outer is None:
            return False
        if ON_EXECUTOR in self.decorators(node, outer):
            return True
        if outer.kind != "class" or node.name in _CALLED_FROM_OUTSIDE:
            return False
        return THREAD in self.project.mro(self.project.class_of_scope(outer) or "")

    def _targets(self) -> Iterator[str]:
        for module in self.project.all_modules:
            if _STARTED.search("\n".join(module.lines)) is None:
                continue
            for call, scope in _calls(module):
                name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                if name in STARTERS:
                    position, keyword = STARTERS[name]
                    given = [each.value for each in call.keywords if each.arg == keyword]
                    for target in given or call.args[position : position + 1]:
                        for value in self.project.resolve(target, scope):
                            if isinstance(value, Ref):
                                yield value.dotted


def _calls(module: Module) -> Iterator[tuple[ast.Call, Scope]]:
    for node, scope in _nodes(module):
        if isinstance(node, ast.Call):
            yield node, scope


def _nodes(module: Module) -> Iterator[tuple[ast.AST, Scope]]:
    """All nodes of a module, each with its scope; lambdas count as a part of what they stand in."""
    waiting: list[tuple[ast.AST, Scope]] = [(module.tree, module.scope)]
    while waiting:
        node, scope = waiting.pop()
        yield node, scope
        inner = scope.inner.get(node, scope) if isinstance(node, (*FUNCTIONS, ast.ClassDef)) else scope
        waiting += [(child, inner) for child in children(node)]
