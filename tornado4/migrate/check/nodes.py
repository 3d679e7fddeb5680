"""The nodes of a tree, quickly: most of the time of a check goes into asking each node for those below it.

As `ast.iter_child_nodes` and `ast.walk`, without operators and the marks of reading and writing, which say no name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

#: Fields that hold no nodes, or only operators and marks.
_LEAVES = frozenset(
    "ctx op ops id attr arg kind type_comment module level asname conversion is_async simple type_ignores rest "
    "kwd_attrs".split()
)
#: Types of nodes that have nothing below them, whatever their fields say.
_BARE = (ast.Constant, ast.Global, ast.Nonlocal)


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    return () if issubclass(kind, _BARE) else tuple(each for each in kind._fields if each not in _LEAVES)


_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    kind: _fields(kind) for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, ast.AST)
}


def children(node: ast.AST) -> Sequence[ast.AST]:
    """The nodes directly below one, in the order of the program. They are kept at the node: trees do not change."""
    try:
        return node._below  # type: ignore[attr-defined,no-any-return]
    except AttributeError:
        pass
    found: list[ast.AST] = []
    for field in _FIELDS[type(node)]:
        value = getattr(node, field, None)
        if type(value) is list:
            found += [each for each in value if isinstance(each, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    node._below = tuple(found)  # type: ignore[attr-defined]
    return found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, each before those below it, in no other order."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += children(each)
