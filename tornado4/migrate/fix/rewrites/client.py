"""Clients and servers that a program derives from Tornado's: the loop that their constructors took."""

from __future__ import annotations

import ast

import libcst as cst

from tornado4.migrate.check.scopes import FUNCTIONS
from tornado4.migrate.fix.program import Spot
from tornado4.migrate.fix.steps import Plan, Refused, Step, rewrites
from tornado4.migrate.fix.tree import Changed, without_argument


@rewrites("TND222", "TND220")
def constructor(plan: Plan, spot: Spot) -> Step | None:
    """``__init__(self, name, io_loop=None)`` that only hands the loop on to Tornado's."""
    function = spot.node
    if not isinstance(function, FUNCTIONS):
        raise Refused(f"by hand: {spot.finding.rule.advice}")
    parameter = next((each for each in function.args.args if each.arg == "io_loop"), None)
    if parameter is None:
        raise Refused(f"by hand: {spot.finding.rule.advice}")
    plan.unsafe_only("whoever gives it a loop gives one argument too many then")
    module, step = spot.module, plan.step(spot)
    index = plan.index(module)
    position = function.args.args.index(parameter)
    if position != len(function.args.args) - 1 or not function.args.defaults:
        if len(function.args.args) - position > len(function.args.defaults) or position != len(function.args.args) - 1:
            raise Refused("io_loop is not the last parameter, with a default: by hand")
    handed: list[ast.Call] = []
    for name in index.names.get("io_loop", ()):
        if index.function_of(name) is not function:
            continue
        keyword = index.parents[name]
        call = index.parents.get(keyword)
        if not isinstance(keyword, ast.keyword) or keyword.arg != "io_loop" or not _is_super(call):
            raise Refused("io_loop is used for more than the base's constructor: by hand")
        assert isinstance(call, ast.Call)
        handed.append(call)
    cls = index.parents[function]
    called = cls.name if isinstance(cls, ast.ClassDef) else ""
    for other in plan.program.modules_saying(called):
        for node in plan.index(other).names.get(called, ()):
            call = plan.index(other).parents[node]
            if (
                isinstance(call, ast.Call)
                and call.func is node
                and any(each.arg == "io_loop" for each in call.keywords)
            ):
                raise Refused(f"{other.path}:{call.lineno} gives it a loop: by hand")

    def bare(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.FunctionDef)
        params = [each for each in node.params.params if each.name.value != "io_loop"]
        if params:
            params[-1] = params[-1].with_changes(comma=node.params.params[-1].comma)
        return node.with_changes(params=node.params.with_changes(params=params))

    step.change(module, function, bare)
    for call in handed:
        step.change(
            module,
            call,
            lambda n: without_argument(n, lambda _, arg: arg.keyword is not None and arg.keyword.value == "io_loop"),
        )
    return step


def _is_super(node: ast.AST | None) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    value = node.func.value
    return isinstance(value, ast.Call) and getattr(value.func, "id", "") == "super"
