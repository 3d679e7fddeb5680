"""Tests: ``self.stop`` and ``self.wait`` around a fetch, names that tornado.testing has no more."""

from __future__ import annotations

import ast

import libcst as cst

from tornado4.migrate.backfill_table import TEST_CASE
from tornado4.migrate.check.project import Module
from tornado4.migrate.fix.program import Spot
from tornado4.migrate.fix.rewrites.coroutines import _siblings
from tornado4.migrate.fix.rewrites.names import dropping, uses
from tornado4.migrate.fix.steps import Plan, Refused, Step, rewrites
from tornado4.migrate.fix.tree import Changed, expression, remove_line, without_argument

HTTP_CASE = "tornado.testing.AsyncHTTPTestCase"


@rewrites("TND801")
def stop_and_wait(plan: Plan, spot: Spot) -> Step | None:
    """``client.fetch(self.get_url("/"), self.stop)`` and ``self.wait()``: ``self.fetch("/")``."""
    call = spot.node
    assert isinstance(call, ast.Call)
    module, index = spot.module, plan.index(spot.module)
    line = index.statement(call)
    if not (isinstance(line, ast.Expr) and line.value is call):
        raise Refused("the result of fetch is used: by hand")
    siblings = _siblings(index.parents[line], line)
    position = siblings.index(line)
    if position + 1 >= len(siblings):
        raise Refused("self.wait() is not in the next statement: by hand")
    wait = _only_wait(siblings[position + 1])
    _refuse_mixed(plan, spot)
    path = _path(call)
    is_http = plan.program.derives(module, call, HTTP_CASE)
    own_client = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "self.http_client"
    step = plan.step(spot)
    plan.unsafe_only("in self.fetch an answer that never comes is an error of its own")
    if is_http and own_client and path is not None and len(call.args) <= 2:
        name = "self.fetch"
        first: ast.expr = path
    else:
        raise Refused("what is fetched is not the test's own server by its own client: by hand")
    others = [each for each in call.keywords if each.arg != "callback"]
    if any(each.arg is None for each in others) or any(
        ast.unparse(each) == "self.stop" for each in [e.value for e in others]
    ):
        raise Refused("keywords are handed on: by hand")
    timeout = _timeout(wait)

    def change(node: cst.CSTNode) -> Changed:
        return expression("{call}", call=made[0])

    made: list[cst.Call] = []

    def remember(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.Call)
        path_node = _cst_path(node.args[0].value)
        bare = without_argument(node, lambda number, arg: number > 0 and _is_stop(arg))
        args = [bare.args[0].with_changes(value=path_node), *bare.args[1:]]
        made.append(bare.with_changes(func=cst.parse_expression(name), args=args))
        return node

    step.change(module, call, remember)
    step.change(module, wait, change)
    step.change(module, line, remove_line, line=True)
    assert first is not None and (timeout is None or timeout)
    return step


def _refuse_mixed(plan: Plan, spot: Spot) -> None:
    """A test that calls ``stop`` more often than it waits: what comes to which ``wait`` is a matter of time."""
    function = plan.index(spot.module).function_of(spot.node)
    texts = [ast.unparse(each) for each in ast.walk(function or spot.module.tree) if isinstance(each, ast.Attribute)]
    if texts.count("self.stop") != texts.count("self.wait"):
        raise Refused("self.stop and self.wait do not go in pairs: by hand")


def _is_stop(argument: cst.Arg) -> bool:
    value = argument.value
    return isinstance(value, cst.Attribute) and value.attr.value == "stop"


def _cst_path(node: cst.BaseExpression) -> cst.BaseExpression:
    assert isinstance(node, cst.Call)
    return node.args[0].value


def _path(call: ast.Call) -> ast.expr | None:
    """What stands in ``self.get_url(...)``."""
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Call) and ast.unparse(first.func) == "self.get_url" and len(first.args) == 1:
        return first.args[0]
    return None


def _only_wait(node: ast.stmt) -> ast.Call:
    """The one ``self.wait()`` in a statement, evaluated first enough."""
    found = [each for each in ast.walk(node) if isinstance(each, ast.Call) and ast.unparse(each.func) == "self.wait"]
    if len(found) != 1 or not isinstance(node, ast.Expr | ast.Assign | ast.Return):
        raise Refused("self.wait() is not in the next statement: by hand")
    for each in ast.walk(node):
        if isinstance(each, ast.Lambda | ast.ListComp | ast.GeneratorExp | ast.IfExp | ast.BoolOp):
            raise Refused("self.wait() is called on a condition: by hand")
    return found[0]


def _timeout(call: ast.Call) -> ast.expr | None:
    for each in call.keywords:
        if each.arg == "timeout":
            return each.value
    return None


@rewrites("TND805")
def waiting(plan: Plan, spot: Spot) -> Step | None:
    """``stop`` and ``wait`` work on in Tornado 6."""
    raise Refused("stop and wait work on in Tornado 6: a gen_test is the way of today, by hand")


@rewrites("TND113")
def log_trap(plan: Plan, spot: Spot) -> Step | None:
    """``LogTrapTestCase`` as a base goes: tests' logs are the runner's."""
    node, module = spot.node, spot.module
    index = plan.index(module)
    step = plan.step(spot)
    if isinstance(node, ast.alias):
        parent = spot.parent
        if not isinstance(parent, ast.ImportFrom):
            return None
        bound = node.asname or node.name
        for each in uses(plan, module, bound, spot.scope):
            _drop_base(plan, step, module, each)
        step.change(module, parent, dropping(bound), line=len(parent.names) == 1)
        return step
    if isinstance(node, ast.Name):
        return None
    assert isinstance(node, ast.Attribute) and index
    _drop_base(plan, step, module, node)
    return step


def _drop_base(plan: Plan, step: Step, module: Module, node: ast.expr) -> None:
    cls = plan.index(module).parents[node]
    if not isinstance(cls, ast.ClassDef) or node not in cls.bases:
        raise Refused("LogTrapTestCase is not a base here: by hand")
    position = cls.bases.index(node)
    replacement = plan.spell(step, module, node, "unittest.TestCase") if len(cls.bases) == 1 else None

    def change(old: cst.CSTNode) -> Changed:
        assert isinstance(old, cst.ClassDef)
        bases = list(old.bases)
        if replacement is not None:
            bases[position] = bases[position].with_changes(value=cst.parse_expression(replacement))
        else:
            del bases[position]
            bases[-1] = bases[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return old.with_changes(bases=bases)

    step.change(module, cls, change)


@rewrites("TND114")
def unused_port(plan: Plan, spot: Spot) -> Step | None:
    """``get_unused_port()`` as a value: the port of a socket that is bound, and closed."""
    node, module = spot.node, spot.module
    index = plan.index(module)
    if isinstance(node, ast.alias):
        parent = spot.parent
        bound = node.asname or node.name
        if isinstance(parent, ast.ImportFrom) and not index.names.get(bound):
            step = plan.step(spot)
            step.change(module, parent, dropping(bound), line=len(parent.names) == 1)
            return step
        return None
    call = index.parents.get(node)
    line = index.statement(node)
    if not (
        isinstance(call, ast.Call) and isinstance(line, ast.Assign) and line.value is call and len(line.targets) == 1
    ):
        raise Refused("it is not assigned on a line of its own: by hand")
    if not isinstance(line.targets[0], ast.Name | ast.Attribute):
        raise Refused("it is not assigned to one name: by hand")
    plan.unsafe_only("another program may take the port before it is used, as it was before")
    step = plan.step(spot)
    maker = plan.spell(step, module, node, "tornado.testing.bind_unused_port")
    function = index.function_of(node)
    within: ast.AST = function if function is not None else module.tree
    taken = {each.id for each in ast.walk(within) if isinstance(each, ast.Name)} | set(module.scope.bindings)
    sock = next(name for name in ("sock", "unused_socket", "bound_socket") if name not in taken)

    def change(old: cst.CSTNode) -> Changed:
        assert isinstance(old, cst.SimpleStatementLine) and isinstance(old.body[0], cst.Assign)
        target = old.body[0].targets[0].target
        first = cst.parse_statement(f"{sock}, x = {maker}()")
        assert isinstance(first, cst.SimpleStatementLine) and isinstance(first.body[0], cst.Assign)
        pair = cst.Tuple([cst.Element(cst.Name(sock)), cst.Element(target)], lpar=[], rpar=[])
        made = first.body[0].with_changes(targets=[cst.AssignTarget(pair)])
        return cst.FlattenSentinel([old.with_changes(body=[made]), cst.parse_statement(f"{sock}.close()")])

    step.change(module, line, change, line=True)
    return step


@rewrites("TND808")
def expected_log(plan: Plan, spot: Spot) -> Step | None:
    """``ExpectLog`` says which level it expects."""
    raise Refused("which level is meant is for a person: level=logging.INFO, for one")


@rewrites("TND906")
def unittest_names(plan: Plan, spot: Spot) -> Step | None:
    """``assertEquals`` and its like."""
    node = spot.node
    if not isinstance(node, ast.Attribute) or node.attr not in TEST_CASE:
        raise Refused(f"by hand: {spot.finding.rule.advice}")
    new = TEST_CASE[node.attr]
    if any(node.attr in each.scope.bindings for each in plan.program.project.classes()):
        raise Refused(f"{node.attr} is a method of the program's own")
    step = plan.step(spot)
    step.change(spot.module, node, lambda n: n.with_changes(attr=cst.Name(new)))
    return step
