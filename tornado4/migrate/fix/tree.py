"""Changes to the text of a file, by LibCST: comments and layout stay as they are.

Where a change goes is named by a node of `ast`, which is what the program was read with. Only the top-level
statements that have a change are parsed once more, the rest of a file is not touched: that keeps it quick.
"""

from __future__ import annotations

import ast
import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

#: What a change makes of a node: another, several statements, or nothing.
Changed: TypeAlias = "cst.CSTNode | cst.FlattenSentinel[cst.CSTNode] | cst.RemovalSentinel"
#: Gets the node, of whatever kind it is, with the changes below it made.
Change: TypeAlias = Callable[[Any], Changed]

#: The nodes of LibCST for those of `ast`, where the name is not the same.
_NAMES = {
    "AsyncFunctionDef": "FunctionDef",
    "YieldFrom": "Yield",
    "JoinedStr": "FormattedString",
    "BoolOp": "BooleanOperation",
    "BinOp": "BinaryOperation",
    "Compare": "Comparison",
    "Starred": "StarredElement",
    "AsyncWith": "With",
    "AsyncFor": "For",
}
#: Statements whose end the two trees see at different places, and which no other of their kind begins with.
_BY_START = frozenset("FunctionDef ClassDef With If For While Try".split())
_EXPRESSIONS = frozenset(
    "Call Attribute Name Yield Await Lambda List Dict Tuple ListComp GeneratorExp IfExp Subscript UnaryOperation "
    "BooleanOperation BinaryOperation Comparison".split()
)
_SMALL = frozenset("Expr Assign AugAssign AnnAssign Return Raise Import ImportFrom Assert Delete Pass".split())

_Key: TypeAlias = tuple[str, int, int, int, int]


class Unmapped(Exception):
    """A node of `ast` that has no counterpart: in an f-string of an older Python, say."""


class Edit:
    """One change at one node. ``line``: to the whole logical line of a simple statement, with its comments.

    ``moves``: the change takes code elsewhere, so nothing inside may change in the same pass.
    """

    __slots__ = ("change", "line", "moves", "node")

    def __init__(self, node: ast.AST, change: Change, *, line: bool = False, moves: bool = False) -> None:
        self.node: Any = node  # `ast` gives places to expressions and statements, not to its base class
        self.change = change
        self.line = line
        self.moves = moves


class Text:
    """A file's text, as lines, for changes by the positions that `ast` gives. Line ends are ``\\n``."""

    def __init__(self, text: str, tree: ast.Module) -> None:
        self.lines = text.split("\n")
        self.tree = tree

    def column(self, line: int, offset: int) -> int:
        """Characters for an offset in bytes."""
        content = self.lines[line - 1]
        return offset if content.isascii() else len(content.encode()[:offset].decode("utf-8", "replace"))

    def apply(self, edits: Sequence[Edit]) -> str:
        """The text with the changes made. Unmapped when a node cannot be found again."""
        by_segment: dict[tuple[int, int], list[Edit]] = {}
        segments = self._segments(self.tree.body, [edit.node for edit in edits])
        starts = [start for start, _ in segments]
        for edit in edits:
            line = edit.node.lineno
            at = bisect.bisect_right(starts, line) - 1
            if at < 0 or line > segments[at][1]:
                raise Unmapped(f"line {line}")
            by_segment.setdefault(segments[at], []).append(edit)
        lines = list(self.lines)
        for start, end in sorted(by_segment, reverse=True):
            changed = self._changed(start, end, by_segment[start, end])
            lines[start - 1 : end] = changed.split("\n") if changed.strip() else []
        return "\n".join(lines)

    def _segments(self, body: Sequence[ast.stmt], edited: Sequence[ast.AST]) -> list[tuple[int, int]]:
        """First and last line of each statement, those on one line together; of a class, of what is in it."""
        whole = {id(node) for node in edited}
        found: list[tuple[int, int]] = []
        for node in body:
            start = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
            end = node.end_lineno or node.lineno
            if found and start <= found[-1][1]:
                found[-1] = (found[-1][0], max(end, found[-1][1]))
            elif isinstance(node, ast.ClassDef) and id(node) not in whole and node.body[0].lineno > node.lineno:
                inner = self._segments(node.body, edited)
                head = (start, inner[0][0] - 1)
                heading = any(head[0] <= each.lineno <= head[1] for each in edited)  # type: ignore[attr-defined]
                found += [(start, end)] if heading else inner
            else:
                found.append((start, end))
        return found

    def _changed(self, start: int, end: int, edits: list[Edit]) -> str:
        source = "\n".join(self.lines[start - 1 : end]) + "\n"
        head = "class _:\n" if source[0] in " \t" else ""  # what stands in a class is parsed in one
        module = cst.parse_module(head + source)
        positions = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
        known, lines = _nodes(module, positions, start - (2 if head else 1))
        wanted: dict[int, list[Change]] = {}
        for edit in edits:
            node = known.get(self._key(edit.node))
            if node is not None and edit.line:
                node = lines.get(id(node), node)
            if node is None:
                raise Unmapped(f"line {edit.node.lineno}")
            wanted.setdefault(id(node), []).append(edit.change)
        changed = module.visit(_Apply(wanted))
        code = changed.code.removesuffix("\n")
        if head and not code.startswith(head):
            raise Unmapped(f"line {start}")
        return "" if code.removeprefix(head).strip() == "pass" and source.strip() != "pass" else code.removeprefix(head)

    def _key(self, node: Any) -> _Key:
        name = type(node).__name__
        name = _NAMES.get(name, name)
        line, end = node.lineno, node.end_lineno
        column = self.column(line, node.col_offset)
        if name in _BY_START:
            return name, line, column, 0, 0
        return name, line, column, end, self.column(end, node.end_col_offset)


def _nodes(
    module: cst.Module, positions: Mapping[cst.CSTNode, Any], offset: int
) -> tuple[dict[_Key, cst.CSTNode], dict[int, cst.CSTNode]]:
    """The nodes by kind and place; and for small statements the line that holds each alone."""
    known: dict[_Key, cst.CSTNode] = {}
    lines: dict[int, cst.CSTNode] = {}
    for node, place in positions.items():
        assert isinstance(place, CodeRange)
        name = type(node).__name__
        if name in _BY_START:
            known[name, place.start.line + offset, place.start.column, 0, 0] = node
        elif name in _EXPRESSIONS or name in _SMALL:
            start, end = place.start, place.end
            known[name, start.line + offset, start.column, end.line + offset, end.column] = node
        elif isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1:
            lines[id(node.body[0])] = node
    return known, lines


#: Stands where a line was taken out, until its comments have gone to the next one.
_GONE = "__tornado4_gone__"


def remove_line(line: cst.CSTNode) -> cst.CSTNode:
    """Take a whole line out; comments above it stay."""
    assert isinstance(line, cst.SimpleStatementLine)
    return line.with_changes(
        body=[cst.Expr(cst.Name(_GONE))], trailing_whitespace=cst.TrailingWhitespace(newline=cst.Newline())
    )


def _is_gone(statement: cst.CSTNode) -> bool:
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and len(statement.body) == 1
        and isinstance(statement.body[0], cst.Expr)
        and isinstance(statement.body[0].value, cst.Name)
        and statement.body[0].value.value == _GONE
    )


class _Apply(cst.CSTTransformer):
    """Makes the changes from the inside out, so that each gets a node in which those below are made."""

    def __init__(self, wanted: dict[int, list[Change]]) -> None:
        super().__init__()
        self.wanted = wanted

    def on_visit(self, node: cst.CSTNode) -> bool:
        return True

    def on_leave(self, original_node: cst.CSTNodeT, updated_node: cst.CSTNodeT) -> Any:
        changed: Changed = updated_node
        for change in self.wanted.get(id(original_node), ()):
            if not isinstance(changed, cst.CSTNode):
                break
            changed = change(changed)
        if isinstance(changed, cst.Module | cst.IndentedBlock):
            return _without_gone(changed)
        return changed


def _without_gone(block: cst.Module | cst.IndentedBlock) -> cst.CSTNode:
    if not any(_is_gone(each) for each in block.body):
        return block
    body: list[cst.BaseStatement | cst.SimpleStatementLine] = []
    comments: list[cst.EmptyLine] = []
    statements: list[Any] = list(block.body)
    for statement in statements:
        leading: list[cst.EmptyLine] = list(statement.leading_lines)
        if _is_gone(statement):
            if any(each.comment for each in leading):
                comments += leading
            continue
        body.append(statement.with_changes(leading_lines=[*comments, *leading]) if comments else statement)
        comments = []
    if comments:
        field = "footer"
        block = block.with_changes(**{field: [*comments, *block.footer]})
    return block.with_changes(body=body)


# -- small makers


def expression(code: str, **holes: cst.CSTNode) -> cst.BaseExpression:
    """An expression with named holes: ``expression("await {call}", call=node)``. What goes in is put in parentheses."""
    parts = {name: holed(node) for name, node in holes.items()}
    return cst.helpers.parse_template_expression(code, **parts)


def statement(code: str, **holes: cst.CSTNode) -> cst.SimpleStatementLine:
    """A statement with holes, as `expression`."""
    parts = {name: holed(node) for name, node in holes.items()}
    made = cst.helpers.parse_template_statement(code, **parts)
    assert isinstance(made, cst.SimpleStatementLine)
    return made


def calling(name: str, argument: Any) -> cst.Call:
    """``name(argument)``; parentheses of the argument's own go, unless they hold comments or line ends."""
    spaces = [*(each.whitespace_after for each in argument.lpar), *(each.whitespace_before for each in argument.rpar)]
    if all(isinstance(each, cst.SimpleWhitespace) for each in spaces) and not isinstance(argument, cst.Tuple):
        argument = argument.with_changes(lpar=[], rpar=[])
    return cst.Call(cst.parse_expression(name), [cst.Arg(argument)])


_ATOMS = (
    cst.Name,
    cst.Attribute,
    cst.Call,
    cst.Subscript,
    cst.List,
    cst.Dict,
    cst.Set,
    cst.ListComp,
    cst.DictComp,
    cst.SetComp,
    cst.SimpleString,
    cst.FormattedString,
    cst.Integer,
    cst.Float,
)


def holed(node: Any) -> Any:
    """A node that can stand anywhere in an expression: in parentheses, unless it binds tightly by itself.

    ``Any``: what fits into the hole is known to LibCST's validation, not to its types.
    """
    if not isinstance(node, cst.BaseExpression) or isinstance(node, _ATOMS) or node.lpar:
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def on_lines(change: Change) -> Change:
    """A change of a small statement, for its whole line: where it gives several, each gets a line."""

    def whole(line: cst.CSTNode) -> Changed:
        if not isinstance(line, cst.SimpleStatementLine):
            made = change(line)
            if isinstance(made, cst.FlattenSentinel):
                raise Unmapped("several statements on one line")
            return made
        made = change(line.body[0])
        if not isinstance(made, cst.FlattenSentinel):
            return line.with_changes(body=[made])
        small: list[Any] = list(made)
        parts = [cst.SimpleStatementLine([each]) for each in small]
        parts[0] = parts[0].with_changes(leading_lines=line.leading_lines)
        parts[-1] = parts[-1].with_changes(trailing_whitespace=line.trailing_whitespace)
        return cst.FlattenSentinel(parts)

    return whole


def without_argument(call: cst.Call, gone: Callable[[int, cst.Arg], bool]) -> cst.Call:
    """A call without the arguments for which ``gone(position, argument)`` holds."""
    kept = [each for position, each in enumerate(call.args) if not gone(position, each)]
    return call.with_changes(args=trimmed(kept, call))


def trimmed(kept: Iterable[cst.Arg], call: cst.Call) -> list[cst.Arg]:
    """Arguments with commas between them, and after the last where there was one and the call spans lines."""
    arguments = list(kept)
    if not arguments:
        return []
    old_last = call.args[-1] if call.args else None
    for position, each in enumerate(arguments[:-1]):
        if isinstance(each.comma, cst.MaybeSentinel):
            arguments[position] = each.with_changes(
                comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")),
                whitespace_after_arg=cst.SimpleWhitespace(""),
            )
    last = arguments[-1]
    if last is not old_last and old_last is not None:
        arguments[-1] = last.with_changes(comma=old_last.comma, whitespace_after_arg=old_last.whitespace_after_arg)
    return arguments
