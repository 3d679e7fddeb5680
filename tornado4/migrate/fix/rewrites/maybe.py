"""``gen.maybe_future``: it hands Futures on as they are, and gives a coroutine of an ``async def`` as the result.

So it goes where it surely gets a Future, and no function becomes native whose result it gets. A helper takes its place
in a native function, where one may be written (``--helpers``).
"""

from __future__ import annotations

import ast
from typing import Any

import libcst as cst

from tornado4.migrate.check import callers
from tornado4.migrate.check.callers import COROUTINE
from tornado4.migrate.check.project import Module
from tornado4.migrate.fix import helpers
from tornado4.migrate.fix.program import Spot
from tornado4.migrate.fix.rewrites.callbacks import FUTURES
from tornado4.migrate.fix.rewrites.coroutines import TRANSPARENT, function_of, is_sure
from tornado4.migrate.fix.steps import Plan, Refused, Step, rewrites
from tornado4.migrate.fix.tree import Changed, expression, holed

MAYBE_FUTURE = "tornado.gen.maybe_future"


@rewrites("TND146")
def maybe_future(plan: Plan, spot: Spot) -> Step | None:
    """``gen.maybe_future(f())`` is ``f()``, where that is a Future."""
    node = spot.node
    call = plan.index(spot.module).parents.get(node)
    if isinstance(node, ast.alias):
        return None  # the import goes when nothing reads the name any more
    if not isinstance(call, ast.Call) or call.func is not node or not _is_one(plan, spot.module, call):
        raise Refused("gen.maybe_future is not called here with one value: by hand")
    if not is_future(plan, spot.module, call.args[0]):
        raise Refused("whether it gets a Future cannot be seen: with --native, a helper takes its place (--helpers)")
    step = plan.step(spot)
    step.change(spot.module, call, _without)
    return step


def _without(node: cst.CSTNode) -> Changed:
    """What a call gets, with the comments and line ends around it."""
    assert isinstance(node, cst.Call)
    (argument,) = node.args
    value: Any = argument.value
    before, after = node.whitespace_before_args, argument.whitespace_after_arg
    if isinstance(argument.comma, cst.Comma):
        after = argument.comma.whitespace_after
    if not isinstance(before, cst.SimpleWhitespace) or not isinstance(after, cst.SimpleWhitespace):
        lpar = [*node.lpar, cst.LeftParen(before), *value.lpar]
        changed = value.with_changes(lpar=lpar, rpar=[*value.rpar, cst.RightParen(after), *node.rpar])
    elif node.lpar:
        changed = value.with_changes(lpar=node.lpar, rpar=node.rpar)
    else:
        changed = holed(value)
    assert isinstance(changed, cst.BaseExpression)
    return changed


def _is_one(plan: Plan, module: Module, node: ast.Call) -> bool:
    return (
        plan.program.means(module, node.func, MAYBE_FUTURE)
        and len(node.args) == 1
        and not node.keywords
        and not isinstance(node.args[0], ast.Starred)
    )


def is_future(plan: Plan, module: Module, node: ast.expr) -> bool:
    """Whether a call certainly gives a Future, and no coroutine: Tornado's, or a decorator's."""
    if not isinstance(node, ast.Call) or not is_sure(plan, module, node.func):
        return False
    names = plan.program.refs(module, node.func)
    if names and names <= FUTURES:
        return all(name.startswith("tornado.") for name in names)
    found = function_of(plan, module, node.func)
    if found is None:
        return False
    members = callers.family(plan.program.project, *found).members
    return all(isinstance(member, ast.FunctionDef) and _is_coroutine(plan, home, member) for home, member in members)


def _is_coroutine(plan: Plan, module: Module, function: ast.FunctionDef) -> bool:
    kinds = {COROUTINE, "tornado.concurrent.return_future"}
    names = [
        plan.program.refs(module, each.func if isinstance(each, ast.Call) else each) for each in function.decorator_list
    ]
    return any(each & kinds for each in names) and all(each and each <= kinds | TRANSPARENT for each in names)


def by_helper(plan: Plan, step: Step, module: Module, node: ast.Yield) -> str | None:
    """The name of the helper that takes the place of ``gen.maybe_future`` in ``yield gen.maybe_future(x)``."""
    value = given(plan, module, node.value) if node.value is not None else None
    if plan.options.helpers is None or value is None or is_future(plan, module, value):
        return None  # where it is a Future for certain, maybe_future goes by itself
    return helpers.spelled(plan, step, module, value, helpers.MAYBE_FUTURE)


def given(plan: Plan, module: Module, node: ast.expr) -> ast.expr | None:
    """What a call of gen.maybe_future gets; None for any other expression."""
    return node.args[0] if isinstance(node, ast.Call) and _is_one(plan, module, node) else None


def renamed(inner: cst.CSTNode | None, name: str) -> cst.BaseExpression:
    """``await name(x)``."""
    assert isinstance(inner, cst.Call)
    return cst.Await(inner.with_changes(func=expression(name), lpar=[], rpar=[]))


def takes(plan: Plan, use: callers.Use) -> bool:
    """Whether a result is given to gen.maybe_future, on the spot."""
    parent = plan.index(use.module).parents[use.call or use.node]
    return isinstance(parent, ast.Call) and MAYBE_FUTURE in plan.program.refs(use.module, parent.func)


def is_waited_by_helper(plan: Plan, use: callers.Use) -> bool:
    """Whether a result is given to a helper of ours that waits for it, and somebody waits for the helper."""
    parent = plan.index(use.module).parents[use.call or use.node]
    if use.call is None or plan.options.helpers is None or not isinstance(parent, ast.Call):
        return False
    home = helpers.module(plan.options.helpers)
    known = {f"{home}.{name}" for name in (helpers.WAIT, helpers.MAYBE_FUTURE)}
    names = plan.program.refs(use.module, parent.func)
    if not names or not names <= known or use.call not in parent.args:
        return False
    return callers.what_becomes_of(plan.program.project, use.module, parent) == "waited"
