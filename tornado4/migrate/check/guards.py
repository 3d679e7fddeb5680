"""Branches that run on an old Tornado or an old Python only: what stands there asks for nothing."""

from __future__ import annotations

import ast
import operator

#: The versions to which a program that is checked is going.
TORNADO = (6, 6, 1)
PYTHON = (3, 11)

_COMPARE = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def verdict(test: ast.expr) -> bool | None:
    """What a condition says on Tornado 6 under a current Python; None where it depends on something else."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = verdict(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        inner_verdicts = [verdict(each) for each in test.values]
        decisive = isinstance(test.op, ast.Or)
        if decisive in inner_verdicts:
            return decisive
        return None if None in inner_verdicts else not decisive
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _compared(test)
    if isinstance(test, ast.Name | ast.Attribute):
        name = test.id if isinstance(test, ast.Name) else test.attr
        if name in ("PY3", "IS_PY3", "PYTHON3", "is_py3"):
            return True
        if name in ("PY2", "IS_PY2", "PYTHON2", "TYPE_CHECKING", "is_py2"):
            return name == "TYPE_CHECKING" or False
    return None


def _compared(test: ast.Compare) -> bool | None:
    version = _version(test.left)
    wanted = _constant(test.comparators[0])
    compare = _COMPARE.get(type(test.ops[0]))
    if version is None or wanted is None or compare is None:
        return None
    return bool(compare(version[: len(wanted)], wanted))


def _version(node: ast.expr) -> tuple[int, ...] | None:
    """``tornado.version_info``, ``sys.version_info``, either with ``[0]`` or a slice, as it is where people go."""
    if isinstance(node, ast.Subscript):
        whole = _version(node.value)
        if whole is None:
            return None
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            return whole[node.slice.value : node.slice.value + 1]
        if isinstance(node.slice, ast.Slice) and isinstance(node.slice.upper, ast.Constant):
            upper = node.slice.upper.value
            return whole[:upper] if isinstance(upper, int) else None
        return None
    spelled = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
    if spelled in ("sys.version_info", "version_info.major"):
        return PYTHON
    if spelled.endswith("version_info") and "tornado" in spelled.lower():
        return TORNADO
    return None


def _constant(node: ast.expr) -> tuple[int, ...] | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    if isinstance(value, int):
        return (value,)
    if isinstance(value, tuple | list) and value and all(isinstance(part, int) for part in value):
        return tuple(value)
    return None


def falls_back(node: ast.Try) -> bool:
    """``try: ... except (ImportError, AttributeError, TypeError)``: what fails is done another way."""
    return any(_names_of(handler.type) & _TOLERATED for handler in node.handlers)


_TOLERATED = {"ImportError", "ModuleNotFoundError", "AttributeError", "TypeError", "NameError", "Exception"}


def _names_of(node: ast.expr | None) -> set[str]:
    if isinstance(node, ast.Tuple):
        return {name for each in node.elts for name in _names_of(each)}
    return {node.id} if isinstance(node, ast.Name) else set()


def asks_for(test: ast.expr) -> str | None:
    """The name that ``hasattr(x, "name")`` asks for, alone or as a part of ``and``; None for other conditions."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return next((name for name in map(asks_for, test.values) if name), None)
    if (
        isinstance(test, ast.Call)
        and isinstance(test.func, ast.Name)
        and test.func.id == "hasattr"
        and len(test.args) == 2
        and isinstance(test.args[1], ast.Constant)
    ):
        return str(test.args[1].value)
    return None
