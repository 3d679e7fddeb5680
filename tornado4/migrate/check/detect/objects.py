"""Methods of objects that cannot be traced, by a name that few others have; and methods that need an object now."""

from __future__ import annotations

import ast

from tornado4.migrate.check.project import Instance, Ref
from tornado4.migrate.check.walk import Place, detects
from tornado4.migrate.rules import rules

ENVIRON = "tornado.wsgi.WSGIContainer.environ"

#: Methods of 4.5.3's Future: how many arguments each takes, and its rule.
_OF_FUTURES = {"set_exc_info": (1, "TND125"), "exc_info": (0, "TND129")}

#: Modules whose function has the same name.
_MODULES = frozenset({"sys", "_sys"})


@detects(ast.Call)
def call(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.Call)
    if not isinstance(node.func, ast.Attribute):
        return
    name = node.func.attr
    if name in _OF_FUTURES:
        _of_a_future(place, node, node.func, name)
    elif name == "environ":
        _environ(place, node, node.func)


def _of_a_future(place: Place, node: ast.Call, func: ast.Attribute, name: str) -> None:
    """What is traced is found by its name; here is what is not."""
    count, rule_id = _OF_FUTURES[name]
    if len(node.args) != count or node.keywords or place.resolve(func):
        return
    if isinstance(func.value, ast.Name) and (func.value.id in _MODULES or func.value.id in ("self", "cls")):
        return
    place.report(func, rule_id, "likely", f".{name}: {rules()[rule_id].advice}")


def _environ(place: Place, node: ast.Call, func: ast.Attribute) -> None:
    """``WSGIContainer.environ(request)``, on the class or on one derived from it."""
    if not any(isinstance(value, Ref) and value.dotted == ENVIRON for value in place.resolve(func)):
        return
    owners = place.resolve(func.value)
    if owners and not any(isinstance(value, Instance) for value in owners):
        place.report(node, "TND224", "certain", f"WSGIContainer.environ: {rules()['TND224'].advice}")
