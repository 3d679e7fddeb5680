"""Names of Tornado 4 that Tornado 6 has no more, or no longer recommends: wherever the program says one."""

from __future__ import annotations

import ast
import functools

from tornado4.migrate.check import tornado
from tornado4.migrate.check.findings import Certainty
from tornado4.migrate.check.project import Instance, Ref
from tornado4.migrate.check.walk import Place, detects
from tornado4.migrate.rules import rules


@functools.cache
def by_name() -> dict[str, str]:
    """The rule of each name that has one."""
    return {name: rule.id for rule in rules().values() for name in rule.names}


@functools.cache
def last_parts() -> frozenset[str]:
    """The last parts of all names that matter: most attributes of a program are none of these."""
    return frozenset(name.rpartition(".")[2] for name in by_name()) | frozenset(
        name.rpartition(".")[2] for name in tornado._data()["gone"]
    )


def rule_for(ref: Ref) -> str | None:
    """The rule that a name falls under, by where it is at home and by how it was written."""
    for name in (ref.dotted, ref.written):
        found = by_name().get(name)
        if found is not None:
            return found
    if ref.written.endswith(".PY3") and ref.written.startswith("tornado."):
        return "TND115"
    module, _, name = ref.written.rpartition(".")
    if not ref.written or not tornado.is_gone(ref.written):
        return None
    if tornado.is_module(module):
        return "TND005" if name.startswith("_") else "TND118"
    return "TND005"


def advice(ref: Ref, rule_id: str) -> str:
    """One sentence: which name, and what to write."""
    rule = rules()[rule_id]
    shown = ref.written or ref.dotted
    if rule_id == "TND118":
        if ref.dotted != ref.written and not tornado.is_gone(ref.dotted):
            return f"{shown} is no longer handed on: import it from {ref.dotted.rpartition('.')[0]}"
        return f"{shown} is not in Tornado 6"
    return f"{shown}: {rule.advice or rule.title}"


def check(place: Place, node: ast.AST, ref: Ref) -> bool:
    """Report a name that falls under a rule; True when it does."""
    rule_id = rule_for(ref)
    if rule_id is None:
        return False
    certainty: Certainty = "certain" if ref.sure else "likely"
    if rule_id == INSTANCE:
        _instance(place, node, certainty, advice(ref, rule_id))
    elif rule_id == CLIENT:
        _client(place, node, certainty, advice(ref, rule_id))
    elif place.contexts.provided(ref.dotted) or place.contexts.provided(ref.written):
        place.report_optional(node, rule_id, certainty, advice(ref, rule_id))
    else:
        place.report(node, rule_id, certainty, advice(ref, rule_id))
    return True


INSTANCE = "TND120"
CLIENT = "TND150"


def _instance(place: Place, node: ast.AST, certainty: Certainty, message: str) -> None:
    """On the loop's own thread ``IOLoop.instance()`` is the current loop in Tornado 6, too."""
    if place.contexts.in_thread(place.scope) and not place.contexts.makes_loop(place.scope):
        place.report(node, INSTANCE, "likely", message)
    else:
        place.report_optional(node, INSTANCE, certainty, message)


def _client(place: Place, node: ast.AST, certainty: Certainty, message: str) -> None:
    """The synchronous client works on where no loop runs; to import it breaks nothing."""
    if isinstance(place.parent, ast.Call) and place.parent.func is node and place.contexts.on_loop(place.scope):
        place.report(node, CLIENT, certainty, message)
    elif isinstance(node, ast.Name | ast.Attribute):
        place.report(node, CLIENT, "note", message)


@detects(ast.Attribute)
def attribute(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.Attribute)
    if node.attr in last_parts() and isinstance(node.ctx, ast.Load):
        for value in place.resolve(node):
            if isinstance(value, Ref) and check(place, node, value):
                return
        _held(place, node)


def _held(place: Place, node: ast.Attribute) -> None:
    """``self.stream`` of a WebSocketHandler, ``error.log_message``: a place in an object that a rule names."""
    for owner in place.resolve(node.value):
        if isinstance(owner, Instance):
            for each in place.project.mro(owner.cls):
                cls = place.project.class_named(each)
                if cls is not None and (node.attr in cls.scope.bindings or f"self.{node.attr}" in cls.scope.bindings):
                    return
                if f"{each}.{node.attr}" in by_name():
                    check(place, node, Ref(f"{each}.{node.attr}", sure=owner.sure))
                    return


@detects(ast.Name)
def name(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.Name)
    if isinstance(node.ctx, ast.Load):
        for value in place.resolve(node):
            if isinstance(value, Ref) and value.dotted.startswith("tornado") and check(place, node, value):
                return


@detects(ast.ImportFrom)
def import_from(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.ImportFrom)
    source = node.module or ""
    if node.level or not (source == "tornado" or source.startswith("tornado.")):
        return
    for alias in node.names:
        if alias.name == "*":
            place.report(node, "TND001", "certain", f"from {source} import *: {rules()['TND001'].advice}")
            continue
        dotted = f"{source}.{alias.name}"
        ref = Ref(tornado.home(source, alias.name) if tornado.is_module(source) else dotted, dotted)
        if not check(place, alias, ref):
            _module(place, alias, source)


@detects(ast.Import)
def import_(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.Import)
    for alias in node.names:
        _module(place, alias, alias.name)


def _module(place: Place, node: ast.AST, dotted: str) -> None:
    """A module that is gone, by itself or as where something else comes from."""
    if tornado.is_module(dotted):
        check(place, node, Ref(dotted, dotted))
