"""Code that waits in a way that Tornado 6 does not: tests by ``stop`` and ``wait``, answers of 599, loops."""

from __future__ import annotations

import ast

from tornado4.migrate.check.project import Instance, Ref
from tornado4.migrate.check.scopes import FUNCTIONS
from tornado4.migrate.check.walk import Place, detects
from tornado4.migrate.rules import rules

FETCH = "tornado.httpclient.AsyncHTTPClient.fetch"
_ANY_ERROR = frozenset({"Exception", "BaseException", "OSError", "IOError", "socket.error"})
TEST_CASE = "tornado.testing.AsyncTestCase"


@detects(ast.Call)
def call(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.Call)
    func = node.func
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    if name == "fetch":
        _fetch(place, node)
    elif name == "IOLoop":
        _loop(place, node)


def _fetch(place: Place, node: ast.Call) -> None:
    stop = [each for each in [*node.args[1:], *(keyword.value for keyword in node.keywords)] if _is_stop(each)]
    if stop and _in_test_case(place):
        place.report(node, "TND801", "certain", f"fetch(..., self.stop): {rules()['TND801'].advice}")
    for keyword in node.keywords:
        if keyword.arg == "raise_error" and isinstance(keyword.value, ast.Constant) and keyword.value.value is False:
            traced = any(isinstance(each, Ref) and each.dotted == FETCH for each in place.resolve(node.func))
            looked_at = traced and not _errors_are_caught(place)
            place.report(
                keyword, "TND601", "likely" if looked_at else "note", f"raise_error=False: {rules()['TND601'].advice}"
            )


def _errors_are_caught(place: Place) -> bool:
    """Whether the call stands in a ``try`` that takes what comes when there is no answer."""
    inner: ast.AST | None = None
    for node in reversed(place.ancestors):
        if isinstance(node, (*FUNCTIONS, ast.Lambda)):
            return False
        if isinstance(node, ast.Try) and inner in node.body:
            for handler in node.handlers:
                if handler.type is None or _ANY_ERROR & _names_of(handler.type):
                    return True
        inner = node
    return False


def _names_of(node: ast.expr) -> set[str]:
    """The classes that a handler names."""
    return {ast.unparse(each) for each in (node.elts if isinstance(node, ast.Tuple) else [node])}


def _is_stop(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "stop"
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def _in_test_case(place: Place) -> bool:
    scope = place.scope.enclosing_class()
    if scope is None:
        return False
    return TEST_CASE in place.project.mro(place.project.class_of_scope(scope) or "")


def _loop(place: Place, node: ast.Call) -> None:
    if any(keyword.arg == "make_current" for keyword in node.keywords):
        return
    if any(isinstance(each, Ref) and each.dotted == "tornado.ioloop.IOLoop" for each in place.resolve(node.func)):
        place.report(node, "TND401", "note", f"IOLoop(): {rules()['TND401'].advice}")


@detects(ast.Compare)
def compare(place: Place, node: ast.AST) -> None:
    """``response.code == 599``."""
    assert isinstance(node, ast.Compare)
    sides = [node.left, *node.comparators]
    if not any(isinstance(side, ast.Constant) and side.value == 599 for side in sides):
        return
    if any(isinstance(side, ast.Attribute) and side.attr == "code" for side in sides):
        place.report(node, "TND602", "likely", f"code 599: {rules()['TND602'].advice}")


@detects(ast.Attribute)
def error_of_response(place: Place, node: ast.AST) -> None:
    """``response.error``, where the response is one of a fetch."""
    assert isinstance(node, ast.Attribute)
    if node.attr == "error" and isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name):
        for value in place.resolve(node.value):
            if isinstance(value, Instance) and value.cls == "tornado.httpclient.HTTPResponse":
                place.report(node, "TND602", "note", f"response.error: {rules()['TND602'].advice}")
