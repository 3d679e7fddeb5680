"""Arguments that Tornado's functions have lost, or that go by keyword now."""

from __future__ import annotations

import ast

import libcst as cst

from tornado4.migrate.check import tornado
from tornado4.migrate.check.detect.calls import hands_on, is_unbound
from tornado4.migrate.check.project import Instance, Module, Ref
from tornado4.migrate.fix.program import Spot
from tornado4.migrate.fix.steps import Plan, Refused, Step, rewrites
from tornado4.migrate.fix.tree import without_argument

CURRENT = ("tornado.ioloop.IOLoop.current", "tornado.ioloop.IOLoop.instance")
LOOP = "tornado.ioloop.IOLoop"


def call_of(plan: Plan, spot: Spot) -> ast.Call:
    """The call that an argument belongs to; or the call that the finding is about."""
    index = plan.index(spot.module)
    node: ast.AST | None = spot.node
    parent = index.parents.get(spot.node)
    if isinstance(parent, ast.Call) and spot.node in parent.args and spot.finding.rule_id in ARGUMENT_RULES:
        node = parent
    while node is not None and not isinstance(node, ast.Call):
        node = index.parents.get(node)
    if node is None:
        raise Refused("the argument's call is not found")
    if spot.finding.rule_id not in JUST_KEYWORDS and hands_on(plan.program.project, node, index.scopes[node]):
        raise Refused("the function is called elsewhere with these arguments: by hand")
    return node


#: Rules whose keyword goes, or is spelled otherwise, whoever calls the function with it.
JUST_KEYWORDS = frozenset("TND201 TND213 TND217".split())


#: Rules whose findings are about an argument that stands at a position.
ARGUMENT_RULES = frozenset("TND203 TND204 TND205 TND206 TND207 TND208 TND209 TND212 TND214 TND227".split())


def is_current(plan: Plan, module: Module, node: ast.expr, depth: int = 4) -> bool:
    """Whether an expression certainly is the current loop: what a function takes that is given none."""
    program = plan.program
    if isinstance(node, ast.Constant):
        return node.value is None
    if isinstance(node, ast.Call):
        return program.means(module, node.func, *CURRENT) and not node.args and not node.keywords
    if isinstance(node, ast.Attribute):
        if node.attr == "io_loop" and isinstance(node.value, ast.Name) and node.value.id == "self":
            return program.derives(module, node, "tornado.testing.AsyncTestCase")
        if program.means(module, node, "tornado.testing.AsyncTestCase.io_loop"):
            return True
    if depth and isinstance(node, ast.Name):
        return _is_current_name(plan, module, node, depth)
    return False


def _is_current_name(plan: Plan, module: Module, node: ast.Name, depth: int) -> bool:
    from tornado4.migrate.check.scopes import Assigned
    from tornado4.migrate.fix.program import visible

    scope = visible(node.id, plan.index(module).scopes[node])
    if scope is None:
        return False
    bindings = scope.bindings[node.id]
    return all(
        isinstance(each, Assigned)
        and each.value in plan.index(module).scopes
        and is_current(plan, module, each.value, depth - 1)
        for each in bindings
    )


@rewrites("TND201")
def loop_keyword(plan: Plan, spot: Spot) -> Step | None:
    """``io_loop=`` goes where it was the current loop."""
    keyword, call = spot.node, call_of(plan, spot)
    assert isinstance(keyword, ast.keyword)
    if not is_current(plan, spot.module, keyword.value):
        plan.unsafe_only("whether this loop is the current one cannot be seen")
    _refuse_effects(keyword.value)
    step = plan.step(spot)
    step.change(spot.module, call, lambda n: without_argument(n, lambda _, arg: _keyword(arg) == "io_loop"))
    return step


def _keyword(argument: cst.Arg) -> str | None:
    return argument.keyword.value if argument.keyword is not None else None


def _refuse_effects(node: ast.expr) -> None:
    """What makes a loop, or waits, must go on doing so."""
    for each in ast.walk(node):
        if isinstance(each, ast.Yield | ast.Await | ast.NamedExpr):
            raise Refused("the argument does something: by hand")
        if isinstance(each, ast.Call):
            name = each.func.attr if isinstance(each.func, ast.Attribute) else ""
            if name not in ("current", "instance"):
                raise Refused("the argument is made in the call: by hand")


@rewrites("TND206", "TND207", "TND208")
def loop_by_position(plan: Plan, spot: Spot) -> Step | None:
    """The loop goes; what stood behind it gets its name."""
    call = call_of(plan, spot)
    position = next(number for number, each in enumerate(call.args) if each is spot.node)
    if not is_current(plan, spot.module, call.args[position]):
        plan.unsafe_only("whether this loop is the current one cannot be seen")
    _refuse_effects(call.args[position])
    names = callee_parameters(plan, spot, call)
    later = {number: names[number] for number in range(position + 1, len(call.args)) if number < len(names)}
    if len(later) != len(call.args) - position - 1:
        raise Refused("what the arguments behind the loop are called cannot be seen")

    def change(node: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(node, cst.Call)
        named = [as_keyword(each, later[number]) if number in later else each for number, each in enumerate(node.args)]
        return without_argument(node.with_changes(args=named), lambda number, _: number == position)

    step = plan.step(spot)
    step.change(spot.module, call, change)
    return step


def as_keyword(argument: cst.Arg, name: str) -> cst.Arg:
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    return argument.with_changes(keyword=cst.Name(name), equal=equal)


def callee_parameters(plan: Plan, spot: Spot, call: ast.Call) -> list[str]:
    """The parameters of 4.5.3's function that is called."""
    for value in plan.program.project.resolve(call.func, spot.scope):
        if isinstance(value, Ref):
            for each in [value.dotted, *plan.program.project.mro(value.dotted)]:
                found = tornado.parameters(each)
                if found is not None:
                    return ["self", *found] if is_unbound(plan.program.project, call.func, spot.scope) else found
    raise Refused("whose function this is cannot be seen")


@rewrites("TND212", "TND227")
def keywords_only(plan: Plan, spot: Spot) -> Step | None:
    """What goes by keyword in Tornado 6, or stands elsewhere: by its name."""
    call = call_of(plan, spot)
    if any(isinstance(each, ast.Starred) for each in call.args):
        raise Refused("arguments are handed on by *")
    names = callee_parameters(plan, spot, call)
    first = call.args.index(spot.node) if spot.node in call.args else len(call.args) - 1
    if len(call.args) > len(names):
        raise Refused("more arguments than the function takes")

    def change(node: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(node, cst.Call)
        return node.with_changes(
            args=[
                as_keyword(each, names[number]) if number >= first and each.keyword is None else each
                for number, each in enumerate(node.args)
            ]
        )

    step = plan.step(spot)
    step.change(spot.module, call, change)
    return step


@rewrites("TND213")
def lower_case(plan: Plan, spot: Spot) -> Step | None:
    """``set_cookie(HttpOnly=True)``."""
    keyword, call = spot.node, call_of(plan, spot)
    if not isinstance(keyword, ast.keyword) or keyword.arg is None:
        return None
    old = keyword.arg

    def change(node: cst.CSTNode) -> cst.CSTNode:
        assert isinstance(node, cst.Call)
        return node.with_changes(
            args=[
                each.with_changes(keyword=cst.Name(old.lower())) if _keyword(each) == old else each
                for each in node.args
            ]
        )

    step = plan.step(spot)
    step.change(spot.module, call, change)
    return step


@rewrites("TND217")
def client_secret(plan: Plan, spot: Spot) -> Step | None:
    """``authorize_redirect(client_secret=)`` was never sent."""
    keyword, call = spot.node, call_of(plan, spot)
    if not isinstance(keyword, ast.keyword):
        raise Refused("by position: by hand")
    step = plan.step(spot)
    step.change(spot.module, call, lambda n: without_argument(n, lambda _, arg: _keyword(arg) == keyword.arg))
    return step


def is_loop(plan: Plan, module: Module, node: ast.expr) -> bool:
    values = plan.program.resolve(module, node)
    return bool(values) and all(isinstance(each, Instance) and each.cls == LOOP for each in values)
