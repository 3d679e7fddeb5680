"""The walk over a module's whole tree, which asks the detectors at each node what they have to say."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from tornado4.migrate.check import guards
from tornado4.migrate.check.contexts import contexts_of
from tornado4.migrate.check.findings import Certainty, Finding
from tornado4.migrate.check.nodes import children
from tornado4.migrate.check.project import Module, Project, Value
from tornado4.migrate.check.scopes import COMPREHENSIONS, Scope, child_scopes
from tornado4.migrate.rules import rule


class Place:
    """Where the walk is: the node's scope, its ancestors, whether the branch is one for old releases."""

    def __init__(self, project: Project, module: Module) -> None:
        self.project = project
        self.contexts = contexts_of(project)
        self.module = module
        self.scope: Scope = module.scope
        self.ancestors: list[ast.AST] = []
        self.guarded = 0
        self.asked: list[str] = []
        self.findings: list[Finding] = []
        self.seen: set[tuple[int, int, str]] = set()
        self._optional = False

    @property
    def parent(self) -> ast.AST:
        return self.ancestors[-1]

    def resolve(self, node: ast.expr) -> tuple[Value, ...]:
        """What an expression at this place stands for."""
        return self.project.resolve(node, self.scope)

    def written(self, node: ast.expr) -> ast.expr | None:
        """The one expression that a name was set to, here or in the module of the project that it comes from."""
        return self.project.written(node, self.scope)

    def report(self, node: ast.AST, rule_id: str, certainty: Certainty, message: str, *, fixable: bool = True) -> None:
        """Enter a finding at a node, once for each rule and place."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
        if (line, column, rule_id) in self.seen:
            return
        self.seen.add((line, column, rule_id))
        lines = self.module.lines
        text = lines[line - 1].strip() if line <= len(lines) else ""
        guarded = bool(self.guarded) or any(name in rule(rule_id).title or name in text for name in self.asked)
        self.findings.append(
            Finding(self.module.path, line, column, rule_id, certainty, message, text, guarded, fixable, self._optional)
        )

    def report_optional(self, node: ast.AST, rule_id: str, certainty: Certainty, message: str) -> None:
        """Enter a finding that Tornado 6 does not ask for in this place: it shows on the optional ladder."""
        self._optional = True
        try:
            self.report(node, rule_id, certainty, message)
        finally:
            self._optional = False


Detector: TypeAlias = Callable[[Place, ast.AST], None]
DETECTORS: dict[type[ast.AST], list[Detector]] = {}


def detects(*kinds: type[ast.AST]) -> Callable[[Detector], Detector]:
    """Enter a function as a detector for nodes of these kinds."""

    def enter(function: Detector) -> Detector:
        for kind in kinds:
            DETECTORS.setdefault(kind, []).append(function)
        return function

    return enter


def walk(project: Project, module: Module) -> list[Finding]:
    """All findings of a module, in the order of its lines."""
    place = Place(project, module)
    visit(place, module.tree)
    return sorted(place.findings)


def visit(place: Place, node: ast.AST) -> None:
    """Ask the detectors at a node and at all in it; what they find is reported to the place."""
    for detector in DETECTORS.get(type(node), ()):
        detector(place, node)
    handler = _HANDLERS.get(type(node))
    below = children(node)
    if not below:
        return
    place.ancestors.append(node)
    if handler is not None:
        handler(place, node)
    else:
        for child in below:
            visit(place, child)
    place.ancestors.pop()


def _function(place: Place, node: Any) -> None:
    _definition(place, node, [*node.decorator_list, node.args, *([node.returns] if node.returns else [])])


def _class(place: Place, node: Any) -> None:
    _definition(place, node, [*node.decorator_list, *node.bases, *node.keywords])


def _definition(place: Place, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, head: list[ast.AST]) -> None:
    for child in head:
        visit(place, child)
    skipped = any(guards.skips(each, place.written) for each in node.decorator_list)
    outer, place.scope = place.scope, place.scope.inner[node]
    _guarded(place, node.body, skipped)
    place.scope = outer


def _parts(place: Place, node: ast.AST) -> None:
    """A lambda or a comprehension, whose parts stand in scopes of their own."""
    outer = place.scope
    for child, scope in child_scopes(node, outer):
        place.scope = scope
        visit(place, child)
    place.scope = outer


def _condition(place: Place, node: ast.If | ast.IfExp) -> None:
    visit(place, node.test)
    verdict = guards.verdict(node.test, place.written)
    asked = guards.asks_for(node.test)
    if asked:
        place.asked.append(asked)
    _guarded(place, _children(node.body), verdict is False)
    if asked:
        place.asked.pop()
    _guarded(place, _children(node.orelse), verdict is True)


def _try(place: Place, node: ast.Try | ast.TryStar) -> None:
    """What may fail, or stands in for what failed, is one of two ways: neither is asked to change."""
    tolerant = guards.falls_back(node)
    _guarded(place, node.body, tolerant)
    for handler in node.handlers:
        _guarded(place, [handler], tolerant or guards.stands_in(node, handler))
    _guarded(place, [*node.orelse, *node.finalbody], False)


def _guarded(place: Place, nodes: Sequence[ast.AST], guarded: bool) -> None:
    """A block. What follows a way out that Tornado 6 takes is for old releases, or for nobody."""
    count = int(guarded)
    place.guarded += count
    for node in nodes:
        visit(place, node)
        if _ends(place, node):
            place.guarded += 1
            count += 1
    place.guarded -= count


def _ends(place: Place, node: ast.AST) -> bool:
    """Whether nothing after this statement is reached on Tornado 6: a return, or a branch taken there that leaves."""
    if isinstance(node, (ast.Return, ast.Raise)):
        return True
    if isinstance(node, ast.If):
        if guards.leaves(node.body) and guards.verdict(node.test, place.written) is True:
            return True
        return guards.leaves(node.orelse) and guards.verdict(node.test, place.written) is False
    return False


def _children(part: ast.expr | Sequence[ast.AST]) -> Sequence[ast.AST]:
    """The body of an ``if`` statement, which is a list, or of an ``if`` expression, which is one node."""
    return [part] if isinstance(part, ast.AST) else part


_HANDLERS: dict[type[ast.AST], Callable[[Place, Any], None]] = {
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.If: _condition,
    ast.IfExp: _condition,
    ast.Try: _try,
    ast.TryStar: _try,
    **dict.fromkeys((ast.Lambda, *COMPREHENSIONS, ast.comprehension), _parts),
}
