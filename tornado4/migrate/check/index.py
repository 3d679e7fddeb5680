"""For one module: the parent and the scope of each node, and its expressions by kind and name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tornado4.migrate.check.scopes import FUNCTIONS, Function, Scope, child_scopes


class Index:
    """What is asked of a node again and again, found in one walk over the tree."""

    def __init__(self, tree: ast.Module, scope: Scope) -> None:
        self.parents: dict[ast.AST, ast.AST] = {}
        self.scopes: dict[ast.AST, Scope] = {}
        self.names: dict[str, list[ast.Name]] = {}
        self.attributes: dict[str, list[ast.Attribute]] = {}
        self.functions: list[Function] = []
        self.strings: set[str] = set()
        self._walk(tree, scope)

    def _walk(self, top: ast.AST, scope: Scope) -> None:
        waiting: list[tuple[ast.AST, Scope]] = [(top, scope)]
        while waiting:
            node, here = waiting.pop()
            self.scopes[node] = here
            if isinstance(node, ast.Name):
                self.names.setdefault(node.id, []).append(node)
            elif isinstance(node, ast.Attribute):
                self.attributes.setdefault(node.attr, []).append(node)
            elif isinstance(node, FUNCTIONS):
                self.functions.append(node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 80:
                self.strings.add(node.value)
            for child, inner in child_scopes(node, here):
                self.parents[child] = node
                waiting.append((child, inner))

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """From the parent of a node up to the module."""
        at = self.parents.get(node)
        while at is not None:
            yield at
            at = self.parents.get(at)

    def function_of(self, node: ast.AST) -> Function | ast.Lambda | None:
        """The innermost function in whose body a node stands."""
        scope = self.scopes[node].enclosing_function()
        found = scope.node if scope is not None else None
        return found if isinstance(found, (*FUNCTIONS, ast.Lambda)) else None

    def statement(self, node: ast.AST) -> ast.stmt:
        if isinstance(node, ast.stmt):
            return node
        return next(each for each in self.ancestors(node) if isinstance(each, ast.stmt))

    def in_fstring(self, node: ast.AST) -> bool:
        return any(isinstance(each, ast.JoinedStr) for each in self.ancestors(node))
