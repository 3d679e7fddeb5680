"""From a template's text to the tree of its parts (`nodes`)."""

from __future__ import annotations

import re
from typing import Any

from tornado4.template.nodes import (
    _ApplyBlock,
    _ChunkList,
    _ControlBlock,
    _Expression,
    _ExtendsBlock,
    _IncludeBlock,
    _IntermediateControlBlock,
    _Module,
    _NamedBlock,
    _Node,
    _Statement,
    _Text,
)
from tornado4.template.reader import _TemplateReader
from tornado4.template.whitespace import filter_whitespace

# What opens something. Of three braces or more in a row the last two count, so that "{{{x}}}" is
# an expression in braces.
_OPENING = re.compile(r"\{(?:[%#]|\{(?!\{))")
_CLOSING = {"{{": ("}}", "expression }}"), "{%": ("%}", "block %}"), "{#": ("#}", "comment #}")}

_LOOPS = {"for", "while"}
_BODIES = {"apply", "block", "try", "if", *_LOOPS}
# Which blocks a directive divides.
_DIVIDERS = {
    "else": {"if", "for", "while", "try"},
    "elif": {"if"},
    "except": {"try"},
    "finally": {"try"},
}


def _parse(
    reader: _TemplateReader, template: Any, in_block: str | None = None, in_loop: str | None = None
) -> _ChunkList:
    """Parse up to the end of the text, or of the block whose name ``in_block`` is.

    ``in_loop`` names the loop, if any, that ``break`` would leave.

    :raises ParseError: what stands there is no template.
    """
    body = _ChunkList([])
    while True:
        opening = _OPENING.search(reader.text, reader.pos)
        if opening is None:
            if in_block:
                reader.raise_parse_error(f"Missing {{% end %}} block for {in_block}")
            body.chunks.append(_Text(reader.consume(), reader.line, reader.whitespace))
            return body
        if opening.start() > reader.pos:
            text = reader.consume(opening.start() - reader.pos)
            body.chunks.append(_Text(text, reader.line, reader.whitespace))
        brace = reader.consume(2)
        line = reader.line
        if reader.find("!", 0, 1) == 0:  # "{{!": the braces themselves
            reader.consume(1)
            body.chunks.append(_Text(brace, line, reader.whitespace))
            continue
        contents = _consume_contents(reader, brace)
        if brace == "{{":
            if not contents:
                reader.raise_parse_error("Empty expression")
            body.chunks.append(_Expression(contents, line))
        elif brace == "{%":
            if contents.partition(" ")[0] == "end":
                if not in_block:
                    reader.raise_parse_error("Extra {% end %} block")
                return body
            node = _parse_directive(reader, template, contents, line, in_block, in_loop)
            if node is not None:
                body.chunks.append(node)


def _consume_contents(reader: _TemplateReader, brace: str) -> str:
    closing, description = _CLOSING[brace]
    end = reader.find(closing)
    if end < 0:
        reader.raise_parse_error(f"Missing end {description}")
    contents = reader.consume(end).strip()
    reader.consume(2)
    return contents


def _parse_directive(
    reader: _TemplateReader,
    template: Any,
    contents: str,
    line: int,
    in_block: str | None,
    in_loop: str | None,
) -> _Node | None:
    """Return what ``{% contents %}`` is, with its body if it has one; ``None`` if it shows nothing."""
    if not contents:
        reader.raise_parse_error("Empty block tag ({% %})")
    operator, _, suffix = contents.partition(" ")
    suffix = suffix.strip()
    parents = _DIVIDERS.get(operator)
    if parents is not None:
        if not in_block:
            reader.raise_parse_error(f"{operator} outside {parents} block")
        if in_block not in parents:
            reader.raise_parse_error(f"{operator} block cannot be attached to {in_block} block")
        return _IntermediateControlBlock(contents, line)
    if operator in _BODIES:
        return _parse_block(reader, template, contents, line, in_loop)
    if operator in ("break", "continue"):
        if not in_loop:
            reader.raise_parse_error(f"{operator} outside {_LOOPS} block")
        return _Statement(contents, line)
    return _parse_simple(reader, template, contents, line)


def _parse_block(
    reader: _TemplateReader, template: Any, contents: str, line: int, in_loop: str | None
) -> _Node:
    operator, _, suffix = contents.partition(" ")
    suffix = suffix.strip()
    if operator in _LOOPS:
        in_loop = operator
    elif operator == "apply":
        in_loop = None  # its body becomes a function, which cannot leave a loop around it
    inner = _parse(reader, template, operator, in_loop)
    if operator == "apply":
        if not suffix:
            reader.raise_parse_error("apply missing method name")
        return _ApplyBlock(suffix, line, inner)
    if operator == "block":
        if not suffix:
            reader.raise_parse_error("block missing name")
        return _NamedBlock(suffix, inner, template, line)
    return _ControlBlock(contents, line, inner)


def _parse_simple(reader: _TemplateReader, template: Any, contents: str, line: int) -> _Node | None:
    """Parse a directive without a body."""
    operator, _, suffix = contents.partition(" ")
    suffix = suffix.strip()
    match operator:
        case "comment":
            return None
        case "extends" | "include":
            path = suffix.strip('"').strip("'")
            if not path:
                reader.raise_parse_error(f"{operator} missing file path")
            return _ExtendsBlock(path) if operator == "extends" else _IncludeBlock(path, reader, line)
        case "import" | "from":
            if not suffix:
                reader.raise_parse_error("import missing statement")
            return _Statement(contents, line)
        case "set":
            if not suffix:
                reader.raise_parse_error("set missing statement")
            return _Statement(suffix, line)
        case "autoescape":
            template.autoescape = None if suffix == "None" else suffix
            return None
        case "whitespace":
            filter_whitespace(suffix, "")  # raises if there is no such mode
            reader.whitespace = suffix
            return None
        case "raw":
            return _Expression(suffix, line, raw=True)
        case "module":
            return _Module(suffix, line)
        case _:
            return reader.raise_parse_error(f"unknown operator: {operator!r}")
