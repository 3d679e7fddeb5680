"""Futures of threads where Tornado 6 does not hear of their end: within lists and dictionaries that are waited for."""

from __future__ import annotations

import ast

from tornado4.migrate.check import tornado
from tornado4.migrate.check.callers import COROUTINE, ENGINE, GEN_TEST
from tornado4.migrate.check.detect.coroutines import decorators
from tornado4.migrate.check.findings import Certainty
from tornado4.migrate.check.project import Ref
from tornado4.migrate.check.scopes import FUNCTIONS
from tornado4.migrate.check.walk import Place, detects
from tornado4.migrate.rules import rules

RULE = "TND427"
#: Functions that wait for all that is in a list or a dictionary.
MULTI = frozenset({"tornado.gen.multi", "tornado.gen.multi_future", "tornado.gen.Multi"})


@detects(ast.Yield)
def yielded(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.Yield)
    function = place.scope.enclosing_function()
    if node.value is None or function is None or not isinstance(function.node, FUNCTIONS):
        return
    if _has_submit(place, node.value) and decorators(place, function.node) & {COROUTINE, ENGINE, GEN_TEST}:
        _waited_for(place, node.value)


@detects(ast.Call)
def multi(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.Call)
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in ("multi", "multi_future", "Multi") and node.args and _has_submit(place, node.args[0]):
        if any(isinstance(each, Ref) and each.dotted in MULTI for each in place.resolve(node.func)):
            _waited_for(place, node.args[0])


def _has_submit(place: Place, node: ast.expr) -> bool:
    return any(submits(each) for each in parts(node) or parts(_set_to(place, node)))


def _waited_for(place: Place, node: ast.expr) -> None:
    """Report each ``submit`` within; or a name that holds them."""
    for each in parts(node):
        _report(place, each, each)
        _waited_for(place, each)
    if not parts(node):
        for each in parts(_set_to(place, node)):
            _report(place, node, each)


def _set_to(place: Place, node: ast.expr) -> ast.expr | None:
    return place.written(node) if isinstance(node, ast.Name) else None


def parts(node: ast.expr | None) -> list[ast.expr]:
    """What is in a list or a dictionary."""
    match node:
        case ast.List():
            return node.elts
        case ast.ListComp():
            return [node.elt]
        case ast.Dict():
            return node.values
        case ast.DictComp(value=ast.expr() as value):  # none of its own in one that unpacks, since Python 3.15
            return [value]
    return []


def submits(node: ast.expr) -> bool:
    """Whether it says ``x.submit(...)``."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "submit"


def _report(place: Place, at: ast.expr, node: ast.expr) -> None:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and submits(node)):
        return
    values = place.resolve(node.func)
    sure = bool(values) and all(
        isinstance(each, Ref) and each.sure and each.dotted.rpartition(".")[0] in tornado.STANDARD for each in values
    )
    owner = ast.unparse(node.func.value).lower()
    if not sure and (values or ("executor" not in owner and "pool" not in owner)):
        return
    certainty: Certainty = "certain" if sure else "likely"
    place.report(at, RULE, certainty, f"{ast.unparse(node.func)}: {rules()[RULE].advice}")
