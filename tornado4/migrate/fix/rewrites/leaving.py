"""``--leave``: a program that is ready for Tornado 6 says ``import tornado`` where it said ``import tornado4``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import libcst as cst

from tornado4.migrate.check import tornado
from tornado4.migrate.check.project import Module
from tornado4.migrate.fix.program import visible
from tornado4.migrate.fix.steps import Plan, Refused, Step
from tornado4.migrate.fix.tree import Changed

OURS = "tornado4"


def leave(plan: Plan, module: Module) -> Step | None:
    """A step for a whole file; None where it does not say tornado4. Refused where it takes what is tornado4's alone."""
    index = plan.index(module)
    imports = [
        node for node in ast.walk(module.tree) if isinstance(node, ast.Import | ast.ImportFrom) and _is_ours(node)
    ]
    if not imports:
        return None
    step = Step("TND324", module.path, imports[0].lineno, "<module>")
    for node in imports:
        for name in _taken(node):
            known = name.replace(OURS, "tornado", 1)
            if known != "tornado" and not tornado.is_module(known) and not _is_in_module(known):
                raise Refused(f"{name} is tornado4's own: by hand")
        step.change(module, node, _renamed)
    if any(isinstance(node, ast.Import) and any(each.asname is None for each in node.names) for node in imports):
        if "tornado" in module.scope.bindings:
            raise Refused("the name tornado is bound already: by hand")
        for use in index.names.get(OURS, ()):
            if visible(OURS, index.scopes[use]) is module.scope:
                step.change(module, use, lambda node: node.with_changes(value="tornado"))
    return step


def _is_ours(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return not node.level and (node.module or "").partition(".")[0] == OURS
    return any(each.name.partition(".")[0] == OURS for each in node.names)


def _taken(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    for each in node.names:
        if isinstance(node, ast.ImportFrom):
            yield node.module if each.name == "*" and node.module else f"{node.module}.{each.name}"
        elif each.name.partition(".")[0] == OURS:
            yield each.name


def _is_in_module(dotted: str) -> bool:
    """Whether this is a name in a module of Tornado's; which names a module has is told by the program's own run."""
    module = dotted.rpartition(".")[0]
    return module != "tornado" and tornado.is_module(module)


class _Rename(cst.CSTTransformer):
    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        return updated_node.with_changes(value="tornado") if updated_node.value == OURS else updated_node

    def visit_AsName(self, node: cst.AsName) -> bool:
        return False


def _renamed(node: cst.CSTNode) -> Changed:
    return node.visit(_Rename())
