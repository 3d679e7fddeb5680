"""What a function does, by its shape: where its ends are, whether they have answered the request, what it yields."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from tornado4.migrate.check.detect.coroutines import own_nodes
from tornado4.migrate.check.nodes import children
from tornado4.migrate.check.project import Module
from tornado4.migrate.check.scopes import FUNCTIONS, Function
from tornado4.migrate.fix.program import Program

__all__ = ["ends_after", "finishes", "is_generator", "own_nodes", "returns_value", "tails"]

#: Methods of a handler that answer the request.
ANSWERS = frozenset("finish render redirect send_error detach".split())


def is_generator(node: Function) -> bool:
    return any(isinstance(each, ast.Yield | ast.YieldFrom) for each in own_nodes(node))


def returns_value(node: Function) -> bool:
    """Whether some ``return`` gives something other than None."""
    return any(isinstance(each, ast.Return) and not is_none(each.value) for each in own_nodes(node))


def is_none(value: ast.expr | None) -> bool:
    """What a bare ``return`` and ``return None`` give."""
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def tails(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements after which a function ends: the last one, in each branch; and what stands ahead of ``return``."""
    yield from _last(body)
    waiting: list[Sequence[ast.stmt]] = [body]
    while waiting:
        block = waiting.pop()
        for position, each in enumerate(block):
            following = block[position + 1] if position + 1 < len(block) else None
            if following is not None and _is_bare_return(following):
                yield from _last([each])
            if not isinstance(each, (*FUNCTIONS, ast.ClassDef)):
                for field in ("body", "orelse", "finalbody"):
                    inner = getattr(each, field, None)
                    if isinstance(inner, list):
                        waiting.append(inner)
                waiting += [handler.body for handler in getattr(each, "handlers", ())]


def _last(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The last statement of a block; that of each branch, where it is a condition."""
    if body and isinstance(body[-1], ast.If):
        yield from _last(body[-1].body)
        yield from _last(body[-1].orelse)
    elif body:
        yield body[-1]


def _is_bare_return(node: ast.stmt) -> bool:
    return isinstance(node, ast.Return) and is_none(node.value)


def ends_after(body: Sequence[ast.stmt], statement: ast.stmt) -> bool:
    """Whether nothing more is done in a function after a statement."""
    return any(each is statement for each in tails(body))


def finishes(program: Program, module: Module, node: Function, depth: int = 3) -> bool:
    """Whether each way through a method of a handler answers the request, or raises."""
    return _answered(program, module, node.body, depth) == "answers"


def _answered(program: Program, module: Module, body: Sequence[ast.stmt], depth: int) -> str:
    """``answers``: on each way. ``open``: not yet, on some. ``escapes``: a way out is without an answer."""
    for each in body:
        state = _statement(program, module, each, depth)
        if state != "open":
            return state
    return "open"


def _statement(program: Program, module: Module, node: ast.stmt, depth: int) -> str:
    if isinstance(node, ast.Raise):
        called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return "escapes" if program.means(module, called, "tornado.gen.Return") else "answers"
    if isinstance(node, ast.Return):
        return "answers" if node.value is not None and _answers(program, module, node.value, depth) else "escapes"
    if isinstance(node, ast.Expr | ast.Assign):
        return "answers" if _answers(program, module, node.value, depth) else "open"
    if isinstance(node, ast.If):
        ways = {_answered(program, module, node.body, depth), _answered(program, module, node.orelse, depth)}
        return _all(ways)
    if isinstance(node, ast.With | ast.AsyncWith):
        return _answered(program, module, node.body, depth)
    if isinstance(node, ast.Try):
        if _answered(program, module, node.finalbody, depth) == "answers":
            return "answers"
        ways = {_answered(program, module, [*node.body, *node.orelse], depth)}
        ways |= {_answered(program, module, handler.body, depth) for handler in node.handlers}
        return _all(ways)
    if isinstance(node, ast.For | ast.While | ast.AsyncFor) and any(
        isinstance(each, ast.Return) for each in _own(node)
    ):
        return "escapes"
    return "open"


def _all(ways: set[str]) -> str:
    if "escapes" in ways:
        return "escapes"
    return "answers" if ways == {"answers"} else "open"


def _own(node: ast.stmt) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = [node]
    while waiting:
        each = waiting.pop()
        yield each
        if not isinstance(each, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            waiting += children(each)


def _answers(program: Program, module: Module, node: ast.expr, depth: int) -> bool:
    while isinstance(node, ast.Yield | ast.Await) and node.value is not None:
        node = node.value
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "self"):
        return False
    if node.func.attr in ANSWERS:
        return True
    cls = program.class_of(module, node)
    found = program.project.method(cls, node.func.attr) if cls is not None and depth else None
    if found is None:
        return False
    owner = next((each for each in program.project.all_modules if each.name == found[0].scope.module), None)
    return owner is not None and not is_generator(found[1]) and finishes(program, owner, found[1], depth - 1)
