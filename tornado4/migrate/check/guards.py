"""Branches that run on an old Tornado or an old Python only: what stands there asks for nothing."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence

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


def _nothing(node: ast.expr) -> ast.expr | None:
    return None


_SIGNS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def compared(version: tuple[int, ...], sign: str, wanted: tuple[int, ...]) -> bool:
    """Whether a version stands to another as the sign says, as far as the other is written out."""
    return bool(_SIGNS[sign](version[: len(wanted)], wanted))


#: How many names may stand between a condition and the version that it asks for.
NAMES = 3


def verdict(
    test: ast.expr, written: Callable[[ast.expr], ast.expr | None] = _nothing, names: int = NAMES
) -> bool | None:
    """What a condition says on Tornado 6 under a current Python; None where it depends on something else.

    ``written`` gives the expression that a name was set to, where that is known.
    """
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = verdict(test.operand, written, names)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        inner_verdicts = [verdict(each, written, names) for each in test.values]
        decisive = isinstance(test.op, ast.Or)
        if decisive in inner_verdicts:
            return decisive
        return None if None in inner_verdicts else not decisive
    if isinstance(test, ast.Compare):
        return _has_setuptools(test) or _compared(test, written)
    if isinstance(test, ast.Call):
        return _begins(test, written)
    if isinstance(test, ast.Name | ast.Attribute):
        name = test.id if isinstance(test, ast.Name) else test.attr
        if name in ("PY3", "IS_PY3", "PYTHON3", "is_py3"):
            return True
        if name in ("PY2", "IS_PY2", "PYTHON2", "TYPE_CHECKING", "is_py2"):
            return name == "TYPE_CHECKING" or False
        value = written(test) if names else None
        return verdict(value, written, names - 1) if value is not None else None
    return None


def _has_setuptools(test: ast.Compare) -> bool | None:
    """``"setuptools" in sys.modules``: nothing is built without it."""
    named = isinstance(test.left, ast.Constant) and test.left.value == "setuptools"
    asked = isinstance(test.ops[0], ast.In) and ast.unparse(test.comparators[0]) == "sys.modules"
    return True if named and asked else None


def _compared(test: ast.Compare, written: Callable[[ast.expr], ast.expr | None]) -> bool | None:
    """One comparison, or a chain of them, with the version on either side."""
    sides = [test.left, *test.comparators]
    said: list[bool] = []
    for left, compare, right in zip(sides, test.ops, sides[1:], strict=False):
        operation = _COMPARE.get(type(compare))
        pair = _pair(left, right, written)
        if operation is None or pair is None:
            return None
        said.append(bool(operation(*pair)))
    return all(said)


def _pair(
    left: ast.expr, right: ast.expr, written: Callable[[ast.expr], ast.expr | None]
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Both sides as versions, the real one cut to the length of the one that is written."""
    version, wanted = _version(left, written), _constant(right)
    if version is not None and wanted is not None:
        return version[: len(wanted)], wanted
    version, wanted = _version(right, written), _constant(left)
    if version is not None and wanted is not None:
        return wanted, version[: len(wanted)]
    return None


def _begins(test: ast.Call, written: Callable[[ast.expr], ast.expr | None]) -> bool | None:
    """``tornado.version.startswith("4.")``."""
    func = test.func
    if not (isinstance(func, ast.Attribute) and func.attr == "startswith" and len(test.args) == 1):
        return None
    version, wanted = _version(func.value, written), _constant(test.args[0])
    return None if version is None or wanted is None else version[: len(wanted)] == wanted


#: What makes something comparable of a version's text.
_MAKERS = frozenset("LooseVersion StrictVersion Version V parse parse_version int tuple".split())


def _version(
    node: ast.expr, written: Callable[[ast.expr], ast.expr | None], *, followed: bool = False
) -> tuple[int, ...] | None:
    """``tornado.version_info``, ``sys.version_info``, the text of either; whole, or ``[0]``, or a slice of it: as it is
    where people go."""
    if isinstance(node, ast.Subscript):
        whole = _version(node.value, written)
        if whole is None:
            return None
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            return whole[node.slice.value : node.slice.value + 1]
        if isinstance(node.slice, ast.Slice) and isinstance(node.slice.upper, ast.Constant):
            upper = node.slice.upper.value
            return whole[:upper] if isinstance(upper, int) else None
        return None
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "split":
            return _version(node.func.value, written)
        maker = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return _version(node.args[0], written) if maker in _MAKERS and len(node.args) == 1 else None
    spelled = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
    if spelled in ("sys.version_info", "version_info.major"):
        return PYTHON
    if spelled in ("tornado.version", "tornado.__version__") or (
        spelled.endswith("version_info") and "tornado" in spelled.lower()
    ):
        return TORNADO
    value = None if followed or not spelled else written(node)
    return None if value is None else _version(value, written, followed=True)


def _constant(node: ast.expr) -> tuple[int, ...] | None:
    if isinstance(node, ast.Call) and len(node.args) == 1:
        maker = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return _constant(node.args[0]) if maker in _MAKERS else None
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    if isinstance(value, str):
        parts = value.strip(".").split(".")
        return tuple(map(int, parts)) if all(part.isdigit() for part in parts) else None
    if isinstance(value, int):
        return (value,)
    if isinstance(value, tuple | list) and value and all(isinstance(part, int) for part in value):
        return tuple(value)
    return None


def leaves(body: Sequence[ast.stmt]) -> bool:
    """Whether nothing that follows a block is reached from it: it ends in return, raise, break or continue."""
    return bool(body) and isinstance(body[-1], ast.Return | ast.Raise | ast.Break | ast.Continue)


def skips(decorator: ast.expr, written: Callable[[ast.expr], ast.expr | None]) -> bool:
    """``@skipIf(tornado.version_info >= (5,), ...)`` and its like: a test that does not run on Tornado 6."""
    if not isinstance(decorator, ast.Call) or not decorator.args:
        return False
    name = decorator.func.attr if isinstance(decorator.func, ast.Attribute) else getattr(decorator.func, "id", "")
    said = verdict(decorator.args[0], written)
    return said is True if name in ("skipIf", "skipif", "skip_if") else said is False and name == "skipUnless"


def stands_in(node: ast.Try | ast.TryStar, handler: ast.ExceptHandler) -> bool:
    """Whether a handler is for what cannot be imported: it does another way what the ``try`` did by an import."""
    return isinstance(node.body[0], ast.Import | ast.ImportFrom) and bool(_names_of(handler.type) & _OF_IMPORTS)


def falls_back(node: ast.Try | ast.TryStar) -> bool:
    """``try: ... except ImportError``, ``except AttributeError``: what only one release has is done another way.

    A few plain statements are such a probe, when the handler is for the error that a missing name makes: a handler for
    any error around a call is about the call.
    """
    if len(node.body) > 3 or not all(isinstance(each, _PLAIN) for each in node.body):
        return False
    caught: set[str] = set()
    for handler in node.handlers:
        caught |= _names_of(handler.type)
    if isinstance(node.body[0], ast.Import | ast.ImportFrom):
        return bool(caught & _OF_IMPORTS)
    return bool(caught & _OF_NAMES)


_PLAIN = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr, ast.Pass)
_OF_IMPORTS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException", ""}
_OF_NAMES = {"AttributeError", "TypeError", "NameError"}


def _names_of(node: ast.expr | None) -> set[str]:
    if node is None:
        return {""}
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
