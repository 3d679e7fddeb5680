"""``ast.Num`` and its kin, which Python 3.14 dropped: constants of one kind, under the names that they had up to 3.7.

As they were from 3.8 to 3.13: to make one makes an `ast.Constant`, and a constant is an instance of the class of its
value's kind. Visitors that have a ``visit_Str`` are asked again.
"""

from __future__ import annotations

import ast
from types import EllipsisType, NoneType
from typing import Any

__all__ = ["Bytes", "Ellipsis", "NameConstant", "Num", "Str", "constant_value", "visit_constant"]


class _Kind(type):
    """A class whose instances are the constants of some kinds of value."""

    kinds: tuple[type, ...]

    def __instancecheck__(cls, node: object) -> bool:
        return isinstance(node, ast.Constant) and _class_of(node.value) is cls

    def __call__(cls, *args: Any, **fields: Any) -> ast.Constant:
        for former in ("n", "s"):
            if former in fields:
                fields["value"] = fields.pop(former)
        return ast.Constant(*args, **fields)


class Num(ast.Constant, metaclass=_Kind):
    """A number; its value was ``n``."""

    kinds = (int, float, complex)


class Str(ast.Constant, metaclass=_Kind):
    """A text; its value was ``s``."""

    kinds = (str,)


class Bytes(ast.Constant, metaclass=_Kind):
    """Bytes; their value was ``s``."""

    kinds = (bytes,)


class NameConstant(ast.Constant, metaclass=_Kind):
    """None, True or False."""

    kinds = (bool, NoneType)


class _EllipsisKind(_Kind):
    def __call__(cls, *args: Any, **fields: Any) -> ast.Constant:
        return ast.Constant(..., *args, **fields)


class Ellipsis(ast.Constant, metaclass=_EllipsisKind):
    """``...``; made without a value."""

    kinds = (EllipsisType,)


_CLASSES: tuple[_Kind, ...] = (NameConstant, Num, Str, Bytes, Ellipsis)  # bool before int, which it is one of


def _class_of(value: object) -> _Kind | None:
    return next((kind for kind in _CLASSES if isinstance(value, kind.kinds)), None)


def visit_constant(self: ast.NodeVisitor, node: ast.Constant) -> Any:
    """``ast.NodeVisitor.visit_Constant``: asks for ``visit_Num`` or whatever was the name for such a value."""
    kind = _class_of(node.value)
    visit = None if kind is None else getattr(self, f"visit_{kind.__name__}", None)
    return self.generic_visit(node) if visit is None else visit(node)


def _get_value(node: ast.Constant) -> Any:
    return node.value


def _set_value(node: ast.Constant, value: Any) -> None:
    node.value = value


#: ``n`` and ``s`` of a constant.
constant_value = property(_get_value, _set_value)
