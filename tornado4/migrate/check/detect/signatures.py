"""Calls and methods whose parameters have changed places, names or kinds: what is seen by looking at the whole call."""

from __future__ import annotations

import ast

from tornado4.migrate.check import tornado
from tornado4.migrate.check.callers import COROUTINE
from tornado4.migrate.check.detect.coroutines import decorators
from tornado4.migrate.check.project import Ref
from tornado4.migrate.check.scopes import FUNCTIONS, Defined, Function
from tornado4.migrate.check.walk import Place, detects
from tornado4.migrate.rules import rules

#: From which position on arguments go by keyword only in Tornado 6, or stand elsewhere.
POSITIONS = {
    "tornado.web.RequestHandler.clear_cookie": ("TND212", 1),
    "tornado.web.RequestHandler.clear_all_cookies": ("TND212", 0),
    "tornado.tcpserver.TCPServer.bind": ("TND227", 4),
}
_LAST = frozenset(name.rpartition(".")[2] for name in POSITIONS)


@detects(ast.Call)
def call(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.Call)
    func = node.func
    if not isinstance(func, ast.Attribute):
        return
    if func.attr in _LAST and not any(isinstance(each, ast.Starred) for each in node.args):
        _by_position(place, node)
    elif func.attr == "set_cookie" and any(each.arg and each.arg != each.arg.lower() for each in node.keywords):
        _cookie(place, node)
    elif func.attr == "environ":
        _environ(place, node, func)
    elif func.attr == "set_exc_info" and not place.resolve(func):  # nobody else's method has this name
        place.report(func, "TND125", "likely", f".set_exc_info: {rules()['TND125'].advice}")


def _by_position(place: Place, node: ast.Call) -> None:
    for value in place.resolve(node.func):
        if isinstance(value, Ref) and value.dotted in POSITIONS and value.sure:
            rule_id, first = POSITIONS[value.dotted]
            if len(node.args) > first:
                place.report(node.args[first], rule_id, "certain", f"{value.dotted}: {rules()[rule_id].title}")


def _cookie(place: Place, node: ast.Call) -> None:
    if any(
        isinstance(each, Ref) and each.dotted == "tornado.web.RequestHandler.set_cookie"
        for each in place.resolve(node.func)
    ):
        for keyword in node.keywords:
            if keyword.arg and keyword.arg != keyword.arg.lower():
                place.report(keyword, "TND213", "certain", f"set_cookie({keyword.arg}=): {rules()['TND213'].advice}")


def _environ(place: Place, node: ast.Call, func: ast.Attribute) -> None:
    """``WSGIContainer.environ(request)``, on the class."""
    if any(isinstance(each, Ref) and each.dotted == "tornado.wsgi.WSGIContainer" for each in place.resolve(func.value)):
        place.report(node, "TND224", "certain", f"WSGIContainer.environ: {rules()['TND224'].advice}")


@detects(ast.Call)
def coroutine_with_callback(place: Place, node: ast.AST) -> None:
    """``double(21, callback=show)``, where the program's own ``double`` is a coroutine without that parameter."""
    assert isinstance(node, ast.Call)
    keyword = next((each for each in node.keywords if each.arg == "callback"), None)
    if keyword is None or (isinstance(keyword.value, ast.Constant) and keyword.value.value is None):
        return
    for function in _functions(place, node.func):
        named = {each.arg for each in [*function.args.args, *function.args.kwonlyargs]}
        if "callback" in named or function.args.kwarg is not None:
            continue
        if COROUTINE in decorators(place, function):
            place.report(keyword, "TND210", "certain", f"{function.name}(callback=...): {rules()['TND210'].advice}")


def _functions(place: Place, node: ast.expr) -> list[Function]:
    """The functions of this module, and methods of the program, that an expression stands for."""
    found: list[Function] = []
    for value in place.resolve(node):
        if not isinstance(value, Ref):
            continue
        owner, _, name = value.dotted.rpartition(".")
        if place.project.class_named(owner) is not None:
            method = place.project.method(owner, name)
            found += [method[1]] if method is not None and method[0].scope.module == place.module.name else []
        elif owner == place.module.name:
            bindings = place.module.scope.bindings.get(name, ())
            found += [each.node for each in bindings if isinstance(each, Defined) and isinstance(each.node, FUNCTIONS)]
    return found


@detects(ast.ClassDef)
def constructor(place: Place, node: ast.AST) -> None:
    """``__init__(self, name, io_loop=None)`` of a class of the program that hands the loop on to Tornado's."""
    assert isinstance(node, ast.ClassDef)
    scope = place.scope.inner[node]
    for binding in scope.bindings.get("__init__", ()):
        if not (isinstance(binding, Defined) and isinstance(binding.node, FUNCTIONS)):
            continue
        if not any(each.arg == "io_loop" for each in binding.node.args.args):
            continue
        bases = place.project.mro(place.project.class_of_scope(scope) or "")[1:]
        if any("io_loop" in tornado.lost(base) for base in bases):
            place.report(binding.node, "TND222", "certain", f"__init__(io_loop): {rules()['TND222'].advice}")
