"""Methods that Tornado calls and a program redefines: their signature or meaning has changed."""

from __future__ import annotations

import ast
import functools

from tornado4.migrate.check.findings import Certainty
from tornado4.migrate.check.nodes import walk
from tornado4.migrate.check.scopes import FUNCTIONS, Defined
from tornado4.migrate.check.walk import Place, detects
from tornado4.migrate.rules import rules


@functools.cache
def by_method() -> dict[str, list[tuple[str, str]]]:
    """By the method's name: the class of Tornado's that has it, and the rule."""
    found: dict[str, list[tuple[str, str]]] = {}
    for rule in rules().values():
        for dotted in rule.overrides:
            cls, _, name = dotted.rpartition(".")
            found.setdefault(name, []).append((cls, rule.id))
    return found


#: What such a method does tells whether it is touched, and no more than a person sees that.
_WORTH_A_LOOK = frozenset({"TND702", "TND703"})

#: What matters of these is one parameter.
_GONE_PARAMETERS = {"TND220": "callback", "TND221": "io_loop"}


@detects(ast.ClassDef)
def class_(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.ClassDef)
    scope = place.scope.inner[node]
    mro: list[str] | None = None
    for name, entries in by_method().items():
        for binding in scope.bindings.get(name, ()):
            if not (isinstance(binding, Defined) and isinstance(binding.node, FUNCTIONS)):
                continue
            if mro is None:
                mro = place.project.mro(place.project.class_of_scope(scope) or "")
            for cls, rule_id in entries:
                if cls in mro[1:] and not _as_in_6(rule_id, binding.node):
                    rule = rules()[rule_id]
                    message = f"{cls}.{name} redefined: {rule.advice or rule.title}"
                    certainty: Certainty = "note" if rule_id in _WORTH_A_LOOK else "certain"
                    place.report(binding.node, rule_id, certainty, message)


def _as_in_6(rule_id: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the method is written for Tornado 6 already."""
    if rule_id in _GONE_PARAMETERS:
        return _GONE_PARAMETERS[rule_id] not in _parameters(node)
    if rule_id in ("TND526", "TND701"):
        return not _drops_inherited(node)
    if rule_id == "TND702":
        return _is_true(node)
    if rule_id == "TND219":
        return len(node.args.args) > 1
    return False


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {each.arg for each in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]}


def _drops_inherited(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the inherited method is called and what it gives is dropped: ``super().get()`` as a statement."""
    for each in walk(node):
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Call):
            func = each.value.func
            if isinstance(func, ast.Attribute) and func.attr == node.name and not _is_self(func.value):
                return True
    return False


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _is_true(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method is ``return True`` and no more."""
    last = node.body[-1]
    documented = len(node.body) == 2 and isinstance(node.body[0], ast.Expr)
    constant = isinstance(last, ast.Return) and isinstance(last.value, ast.Constant) and last.value.value is True
    return constant and (len(node.body) == 1 or documented)
