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
    _refuse_given(plan, spot, position)

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


def _refuse_given(plan: Plan, spot: Spot, position: int) -> None:
    """Refuse when somebody gives the class, or one derived from it, a loop. ``position`` counts from self."""
    project = plan.program.project
    own = plan.program.class_of(spot.module, spot.node) or ""
    derived = {each.dotted for each in project.classes() if own in project.mro(each.dotted)} | {own}
    for other in plan.program.project.all_modules:
        index = plan.index(other)
        called: list[ast.expr] = [node for cls in derived for node in index.names.get(cls.rpartition(".")[2], ())]
        called += [node for cls in derived for node in index.attributes.get(cls.rpartition(".")[2], ())]
        called += [
            node
            for node in index.attributes.get("__init__", ())
            if plan.program.class_of(other, node) in derived - {own}
        ]
        for node in called:
            call = index.parents[node]
            if not (isinstance(call, ast.Call) and call.func is node):
                continue
            explicit = isinstance(node, ast.Attribute) and node.attr == "__init__" and not _is_super(call)
            by_position = len(call.args) > position - (0 if explicit else 1)
            if by_position or any(each.arg in ("io_loop", None) for each in call.keywords):
                raise Refused(f"{other.path}:{call.lineno} gives it a loop: by hand")
            if any(isinstance(each, ast.Starred) for each in call.args):
                raise Refused(f"{other.path}:{call.lineno} hands arguments on by *: by hand")


def _is_super(node: ast.AST | None) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    value = node.func.value
    return isinstance(value, ast.Call) and getattr(value.func, "id", "") == "super"
