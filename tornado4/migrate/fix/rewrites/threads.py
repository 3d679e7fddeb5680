"""Futures of threads within lists and dictionaries: each is wrapped, so that its end wakes the loop."""

from __future__ import annotations

import ast

from tornado4.migrate.check.detect.threads import submits
from tornado4.migrate.check.scopes import Assigned
from tornado4.migrate.fix.program import Spot, visible
from tornado4.migrate.fix.steps import Plan, Step, rewrites
from tornado4.migrate.fix.tree import calling, expression


@rewrites("TND427")
def wrapped(plan: Plan, spot: Spot) -> Step | None:
    """``[pool.submit(f)]`` is ``[asyncio.wrap_future(pool.submit(f))]``."""
    node, step = spot.node, plan.step(spot)
    assert isinstance(node, ast.expr)
    name = plan.spell(step, spot.module, node, "asyncio.wrap_future")
    if submits(node):
        step.change(spot.module, node, lambda n: calling(name, n))
        return step
    if not (isinstance(node, ast.Name) and _holds_only_these(plan, spot, node)):
        plan.refuse("what is in it cannot be seen as a whole: by hand")
    each = next(word for word in ("each", "future", "each_future") if visible(word, spot.scope) is None)
    step.change(spot.module, node, lambda n: expression(f"[{name}({each}) for {each} in {{all}}]", all=n))
    return step


def _holds_only_these(plan: Plan, spot: Spot, node: ast.Name) -> bool:
    """``futures = [pool.submit(f, x) for x in all]``."""
    scope = visible(node.id, spot.scope)
    bindings = scope.bindings[node.id] if scope is not None else []
    values = [each.value for each in bindings if isinstance(each, Assigned)]
    return len(values) == len(bindings) and all(
        (isinstance(each, ast.ListComp) and submits(each.elt))
        or (isinstance(each, ast.List) and bool(each.elts) and all(submits(one) for one in each.elts))
        for each in values
    )
