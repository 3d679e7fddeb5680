"""The imports of a file after a change: what is needed is added, what nothing reads any more is taken out."""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterable

import libcst as cst

from tornado4.migrate.check.nodes import walk
from tornado4.migrate.check.scopes import FUNCTIONS
from tornado4.migrate.fix.memory import REMEMBERED, parse
from tornado4.migrate.fix.program import Import
from tornado4.migrate.fix.tree import Change, Changed, Edit, Text, Unmapped, remove_line


def tidied(before: str, after: str, needs: Iterable[Import], *, keep: frozenset[str] = frozenset()) -> str:
    """The text ``after`` with the imports that it needs, without those that only ``before`` read.

    ``keep`` are names that others import from the file, or that are its face.
    """
    text = without_unused_loops(before, added(after, needs))
    gone = {name for name in _read(before) - _read(text) if name not in keep}
    return without(text, gone) if gone else text


@functools.lru_cache(maxsize=REMEMBERED)
def _read(text: str) -> frozenset[str]:
    """The names that are read anywhere in a text; those that ``__all__`` lists count."""
    names = set()
    for node in walk(parse(text, "<text>")):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            names.add(node.value)
    return frozenset(names)


def without(text: str, gone: set[str]) -> str:
    """A text without the imports that bind these names."""
    tree = parse(text, "<text>")
    edits = []
    for node in walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", "") != "__future__":
            bound = [alias.asname or alias.name.partition(".")[0] for alias in node.names]
            left = [name for name in bound if name not in gone]
            if not left:
                edits.append(Edit(node, remove_line, line=True))
            elif len(left) < len(bound):
                edits.append(Edit(node, _dropping(gone)))
    try:
        return Text(text, tree).apply(edits) if edits else text
    except Unmapped:
        return text


def _dropping(gone: set[str]) -> Change:
    def change(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.Import | cst.ImportFrom) and not isinstance(node.names, cst.ImportStar)
        kept = [alias for alias in node.names if _bound(alias) not in gone]
        if kept and kept[-1] is not node.names[-1]:
            last = node.names[-1]
            kept[-1] = kept[-1].with_changes(
                comma=last.comma if isinstance(node, cst.ImportFrom) else cst.MaybeSentinel.DEFAULT
            )
        return node.with_changes(names=kept)

    return change


def _bound(alias: cst.ImportAlias) -> str:
    if alias.asname is not None:
        assert isinstance(alias.asname.name, cst.Name)
        return alias.asname.name.value
    name: cst.BaseExpression = alias.name
    while isinstance(name, cst.Attribute):
        name = name.value
    assert isinstance(name, cst.Name)
    return name.value


def added(text: str, needs: Iterable[Import]) -> str:
    """A text with the imports, each once, in its first group of imports; names of one module on one line."""
    for need in dict.fromkeys(needs):
        text = _with(text, need)
    return text


def _with(text: str, need: Import) -> str:
    tree = parse(text, "<text>")
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    alias = f"{need.name} as {need.bound}" if need.bound not in ("", need.name) else need.name
    for node in top:
        if need.name and isinstance(node, ast.ImportFrom) and not node.level and node.module == need.module:
            if any(
                each.name == need.name and (each.asname or each.name) == (need.bound or need.name)
                for each in node.names
            ):
                return text
        if not need.name and isinstance(node, ast.Import):
            if any(each.name == need.module and not each.asname for each in node.names):
                return text
    for node in _leading(tree):
        if need.name and isinstance(node, ast.ImportFrom) and not node.level and node.module == need.module:
            if node.names[0].name != "*" and _is_short(node, text):
                return Text(text, tree).apply([Edit(node, _gaining(alias))])
    lines = text.split("\n")
    at = _place(tree, need, _leading(tree))
    lines.insert(at, need.code)
    if not _leading(tree) and at < len(lines) - 1 and lines[at + 1].strip():
        lines.insert(at + 1, "")
    return "\n".join(lines)


def _leading(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    """The imports ahead of the first function or class: what stands behind comes too late for a decorator."""
    found = []
    for node in tree.body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            break
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
    return found


def _is_short(node: ast.ImportFrom, text: str) -> bool:
    return node.lineno == node.end_lineno and len(text.split("\n")[node.lineno - 1]) < 90


def _gaining(alias: str) -> Change:
    def change(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar)
        made = cst.parse_statement(f"from x import {alias}")
        assert isinstance(made, cst.SimpleStatementLine) and isinstance(made.body[0], cst.ImportFrom)
        names = made.body[0].names
        assert not isinstance(names, cst.ImportStar)
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        last = node.names[-1].with_changes(comma=comma)
        return node.with_changes(names=[*node.names[:-1], last, *names])

    return change


def _place(tree: ast.Module, need: Import, top: list[ast.Import | ast.ImportFrom]) -> int:
    """The line (from 0) ahead of which an import goes: by the alphabet, for the standard library; after Tornado's."""
    family = [node for node in top if _source(node).partition(".")[0] == need.module.partition(".")[0]]
    family = [node for node in family if isinstance(node, ast.ImportFrom) == bool(need.name)] or family
    if family and need.module.partition(".")[0] == "tornado":
        return family[-1].end_lineno or family[-1].lineno
    plain = [node for node in top if isinstance(node, ast.Import)]
    later = [node for node in plain if node.names[0].name > need.module]
    if not need.name and later and later[0] is plain[0]:
        return plain[0].lineno - 1
    if not need.name and plain:
        earlier = [node for node in plain if node.names[0].name < need.module]
        return (earlier[-1].end_lineno or earlier[-1].lineno) if earlier else plain[0].lineno - 1
    rest = [node for node in top if _source(node) != "__future__"]
    if rest:
        standard = need.module.partition(".")[0] in sys.stdlib_module_names
        return rest[0].lineno - 1 if standard else rest[-1].end_lineno or rest[-1].lineno
    if top:
        return top[-1].end_lineno or top[-1].lineno
    return _head(tree)


def _source(node: ast.Import | ast.ImportFrom) -> str:
    return node.names[0].name if isinstance(node, ast.Import) else node.module or ""


def _head(tree: ast.Module) -> int:
    """Behind the docstring; or ahead of the first statement."""
    first = tree.body[0] if tree.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return first.end_lineno or first.lineno
    if first is None:
        return 0
    lines: list[int] = [first.lineno, *(each.lineno for each in getattr(first, "decorator_list", ()))]
    return min(lines) - 1


#: ``loop = IOLoop.current()``
_LOOPS = re.compile(r"^\s+\w+ *= *[\w.]*IOLoop\.(?:current|instance)\(\)", re.MULTILINE)


def without_unused_loops(before: str, text: str) -> str:
    """A text without ``loop = IOLoop.current()`` in a function, where ``before`` read the name and now nothing does."""
    if not _LOOPS.search(text):
        return text
    old = {node.name: _reads(node) for node in _functions(before)}
    tree = parse(text, "<text>")
    edits = []
    for function in (node for node in walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
        reads = _reads(function)
        for node in function.body:
            if (
                isinstance(node, ast.Assign)
                and len(node.targets) == 1
                and isinstance(node.targets[0], ast.Name)
                and node.targets[0].id not in reads
                and node.targets[0].id in old.get(function.name, ())
                and _is_current_loop(node.value)
            ):
                edits.append(Edit(node, remove_line, line=True))
    try:
        return Text(text, tree).apply(edits) if edits else text
    except Unmapped:
        return text


def _functions(text: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in walk(parse(text, "<text>")) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _reads(function: ast.AST) -> set[str]:
    names = {each.id for each in walk(function) if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Store)}
    return names | {
        name for each in walk(function) if isinstance(each, ast.Global | ast.Nonlocal) for name in each.names
    }


def _is_current_loop(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and not node.args
        and not node.keywords
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("current", "instance")
        and ast.unparse(node.func.value).rpartition(".")[2] == "IOLoop"
    )
