"""Whether what came out can be kept: it is Python, and each name in it is known."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import symtable
import warnings
from collections.abc import Iterator
from types import CodeType

from tornado4.migrate.check.nodes import walk
from tornado4.migrate.fix.memory import REMEMBERED, parse

_GIVEN = frozenset(dir(builtins)) | frozenset(
    ("__file__", "__name__", "__doc__", "__package__", "__spec__", "__loader__", "__path__", "__builtins__", "__dict__")
)


def problem(before: str, after: str) -> str | None:
    """What is wrong with a changed text, in words; None when nothing is."""
    try:
        tree = parse(after, "<fixed>")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(tree, "<fixed>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return f"the result would be no Python: {error}"
    if _async_generators(code) and _async_generators(code) > _async_generators(_compiled(before)):
        return "the result would have a yield in an async def"
    unknown = unknown_names(after) - unknown_names(before)
    if unknown and not any(isinstance(each, ast.ImportFrom) and each.names[0].name == "*" for each in walk(tree)):
        return f"the result would not know {', '.join(sorted(unknown))}"
    return None


def _compiled(text: str) -> CodeType | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return compile(text, "<fixed>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return None  # Python 2's, say


def _async_generators(code: CodeType | None) -> int:
    if code is None:
        return 0
    inner = sum(_async_generators(each) for each in code.co_consts if isinstance(each, CodeType))
    return inner + bool(code.co_flags & inspect.CO_ASYNC_GENERATOR)


@functools.lru_cache(maxsize=REMEMBERED)
def unknown_names(text: str) -> frozenset[str]:
    """The names that a module reads and nothing in it binds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            top = symtable.symtable(text, "<module>", "exec")
        except (SyntaxError, ValueError):
            return frozenset()
    bound = {each.get_name() for each in top.get_symbols() if each.is_assigned() or each.is_imported()}
    for table in _tables(top):
        for symbol in table.get_symbols():
            if symbol.is_declared_global() and symbol.is_assigned():
                bound.add(symbol.get_name())
    unknown = set()
    for table in _tables(top):
        for symbol in table.get_symbols():
            name = symbol.get_name()
            if symbol.is_referenced() and symbol.is_global() and name not in bound and name not in _GIVEN:
                unknown.add(name)
    for symbol in top.get_symbols():
        name = symbol.get_name()
        if symbol.is_referenced() and name not in bound and name not in _GIVEN:
            unknown.add(name)
    return frozenset(unknown)


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for each in table.get_children():
        yield each
        yield from _tables(each)
