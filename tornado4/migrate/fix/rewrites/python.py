"""What Python itself has dropped since."""

from __future__ import annotations

import ast

import libcst as cst

from tornado4.migrate.check.detect.python import _ABCS
from tornado4.migrate.fix.program import Import, Spot
from tornado4.migrate.fix.rewrites.arguments import call_of
from tornado4.migrate.fix.rewrites.names import move_import
from tornado4.migrate.fix.steps import Plan, Refused, Step, rewrites
from tornado4.migrate.fix.tree import expression, without_argument


@rewrites("TND901")
def abstract_classes(plan: Plan, spot: Spot) -> Step | None:
    """``collections.MutableMapping`` is in ``collections.abc``."""
    node, module = spot.node, spot.module
    step = plan.step(spot)
    if isinstance(node, ast.alias):
        parent = spot.parent
        if not isinstance(parent, ast.ImportFrom):
            return None
        if spot.scope is not module.scope:
            raise Refused("the import stands in a function: by hand")
        bound = node.asname or node.name
        move_import(step, module, parent, bound, Import("collections.abc", node.name, bound))
        return step
    if isinstance(node, ast.Attribute) and node.attr in _ABCS:
        if not (isinstance(node.value, ast.Name) and node.value.id == "collections"):
            raise Refused("collections has another name here: by hand")
        step.imports.append((module, Import("collections.abc")))
        step.change(module, node, lambda n: expression(f"collections.abc.{node.attr}"))
        return step
    raise Refused(f"by hand: {spot.finding.rule.advice}")


@rewrites("TND904")
def loop_argument(plan: Plan, spot: Spot) -> Step | None:
    """``asyncio.sleep(1, loop=loop)``: the running loop it is."""
    call = call_of(plan, spot)
    value = next(each.value for each in call.keywords if each.arg == "loop")
    if not isinstance(value, ast.Name | ast.Attribute | ast.Constant):
        raise Refused("the loop is made in the call: by hand")
    step = plan.step(spot)
    step.change(
        spot.module,
        call,
        lambda n: without_argument(n, lambda _, arg: arg.keyword is not None and arg.keyword.value == "loop"),
    )
    return step


@rewrites("TND905")
def gone_modules(plan: Plan, spot: Spot) -> Step | None:
    """``inspect.getargspec`` is ``getfullargspec``; modules that are gone are for a person."""
    node = spot.node
    if isinstance(node, ast.Attribute) and node.attr == "getargspec":
        plan.unsafe_only("it gives seven values in place of four")
        step = plan.step(spot)
        step.change(spot.module, node, lambda n: n.with_changes(attr=cst.Name("getfullargspec")))
        return step
    raise Refused(f"by hand: {spot.finding.rule.advice}")
