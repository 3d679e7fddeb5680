"""The parts of a parsed template, each of which writes its own Python code.

A template becomes one function, which appends byte strings to a list and joins them. Names that
begin with ``_tt_`` belong to us, in the function and in the namespace it runs in (`runtime`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tornado4 import escape
from tornado4.template.reader import _TemplateReader
from tornado4.template.whitespace import filter_whitespace
from tornado4.template.writer import _CodeWriter


class _Node:
    """A part of a template; it may have parts of its own."""

    def each_child(self) -> Iterable[_Node]:
        return ()

    def generate(self, writer: _CodeWriter) -> None:
        raise NotImplementedError()

    def find_named_blocks(self, loader: Any, named_blocks: dict[str, _NamedBlock]) -> None:
        """Enter the blocks within this part into ``named_blocks``; later ones replace earlier ones."""
        for child in self.each_child():
            child.find_named_blocks(loader, named_blocks)


def _write_collector(writer: _CodeWriter, name: str, body: _Node, line: int) -> None:
    """Write a function that returns what ``body`` produces, as bytes."""
    writer.write_line(f"def {name}():", line)
    with writer.indent():
        # Two names, so that the loop-invariant lookup of the method is paid once.
        writer.write_line("_tt_buffer = []", line)
        writer.write_line("_tt_append = _tt_buffer.append", line)
        body.generate(writer)
        writer.write_line("return b''.join(_tt_buffer)", line)


class _File(_Node):
    """A whole template."""

    def __init__(self, template: Any, body: _ChunkList) -> None:
        self.template, self.body = template, body
        self.line = 0

    def each_child(self) -> Iterable[_Node]:
        return (self.body,)

    def generate(self, writer: _CodeWriter) -> None:
        _write_collector(writer, "_tt_execute", self.body, self.line)


class _ChunkList(_Node):
    """What stands between a start and an end."""

    def __init__(self, chunks: list[_Node]) -> None:
        self.chunks = chunks

    def each_child(self) -> Iterable[_Node]:
        return self.chunks

    def generate(self, writer: _CodeWriter) -> None:
        for chunk in self.chunks:
            chunk.generate(writer)


class _NamedBlock(_Node):
    """``{% block name %}``: shows what the most derived template of the family put under the name."""

    def __init__(self, name: str, body: _Node, template: Any, line: int) -> None:
        self.name = name
        self.template, self.line = template, line
        self.body = body

    def each_child(self) -> Iterable[_Node]:
        return (self.body,)

    def generate(self, writer: _CodeWriter) -> None:
        winner = writer.named_blocks[self.name]
        with writer.include(winner.template, self.line):
            winner.body.generate(writer)

    def find_named_blocks(self, loader: Any, named_blocks: dict[str, _NamedBlock]) -> None:
        named_blocks[self.name] = self
        super().find_named_blocks(loader, named_blocks)


class _ExtendsBlock(_Node):
    """``{% extends name %}``: looked up before code is written, and writes none."""

    def __init__(self, name: str) -> None:
        self.name = name


class _IncludeBlock(_Node):
    """``{% include name %}``: the other template's code, here, with the variables of this one."""

    def __init__(self, name: str, reader: _TemplateReader, line: int) -> None:
        self.name, self.template_name = name, reader.name
        self.line = line

    def find_named_blocks(self, loader: Any, named_blocks: dict[str, _NamedBlock]) -> None:
        loader.load(self.name, self.template_name).file.find_named_blocks(loader, named_blocks)

    def generate(self, writer: _CodeWriter) -> None:
        other = writer.loader.load(self.name, self.template_name)
        with writer.include(other, self.line):
            other.file.body.generate(writer)


class _ApplyBlock(_Node):
    """``{% apply function %}``: shows what the function makes of the body's bytes.

    The body is a function of its own; what it sets stays in it, as in 4.5.3.
    """

    def __init__(self, method: str, line: int, body: _Node | None = None) -> None:
        self.method = method
        self.body = _ChunkList([]) if body is None else body
        self.line = line

    def each_child(self) -> Iterable[_Node]:
        return (self.body,)

    def generate(self, writer: _CodeWriter) -> None:
        name = f"_tt_apply{writer.apply_counter}"
        writer.apply_counter += 1
        _write_collector(writer, name, self.body, self.line)
        writer.write_line(f"_tt_append(_tt_utf8({self.method}({name}())))", self.line)


class _ControlBlock(_Node):
    """``if``, ``for``, ``while`` or ``try``, with a body."""

    def __init__(self, statement: str, line: int, body: _Node | None = None) -> None:
        self.statement = statement
        self.body = _ChunkList([]) if body is None else body
        self.line = line

    def each_child(self) -> Iterable[_Node]:
        return (self.body,)

    def generate(self, writer: _CodeWriter) -> None:
        _write_header(writer, self, writer.indent_size())
        with writer.indent():
            self.body.generate(writer)


class _IntermediateControlBlock(_Node):
    """``else``, ``elif``, ``except`` or ``finally``, in the body of a `_ControlBlock`."""

    def __init__(self, statement: str, line: int) -> None:
        self.statement, self.line = statement, line

    def generate(self, writer: _CodeWriter) -> None:
        _write_header(writer, self, writer.indent_size() - 1)


def _write_header(writer: _CodeWriter, block: _ControlBlock | _IntermediateControlBlock, indent: int) -> None:
    writer.write_line(block.statement + ":", block.line, indent)
    writer.write_line("pass", block.line, indent + 1)  # what follows may write nothing


class _Statement(_Node):
    """A statement that is written as it stands: an import, an assignment, ``break``."""

    def __init__(self, statement: str, line: int) -> None:
        self.statement, self.line = statement, line

    def generate(self, writer: _CodeWriter) -> None:
        writer.write_line(self.statement, self.line)


class _Expression(_Node):
    """An expression to show: text as UTF-8, bytes as they are, all else as ``str`` has it.

    Unless ``raw``, it goes through the escaping function that is in force at the *end* of its
    template, which gets bytes.
    """

    def __init__(self, expression: str, line: int, raw: bool = False) -> None:
        self.expression = expression
        self.raw, self.line = raw, line

    def generate(self, writer: _CodeWriter) -> None:
        escaping = writer.current_template.autoescape
        # An assignment, and not an argument: the expression may be "1, 2" or end in a comment.
        writer.write_line(f"_tt_tmp = {self.expression}", self.line)
        if self.raw or not escaping:
            shown = "_tt_bytes(_tt_tmp)"
        elif escaping == "xhtml_escape" and writer.quick_xhtml:
            shown = "_tt_xhtml(_tt_tmp)"
        else:
            shown = f"_tt_utf8({escaping}(_tt_bytes(_tt_tmp)))"
        writer.write_line(f"_tt_append({shown})", self.line)


class _Module(_Expression):
    """``{% module expression %}``: a UI module, found under ``_tt_modules``."""

    def __init__(self, expression: str, line: int) -> None:
        super().__init__(f"_tt_modules.{expression}", line, raw=True)


class _Text(_Node):
    """Text that stands outside of all braces."""

    def __init__(self, value: str, line: int, whitespace: str) -> None:
        self.value = value
        self.whitespace, self.line = whitespace, line

    def generate(self, writer: _CodeWriter) -> None:
        text = self.value
        # A crude guard, but a dependable one: preformatted text keeps its white space.
        if "<pre>" not in text:
            text = filter_whitespace(self.whitespace, text)
        if text:
            writer.write_line(f"_tt_append({escape.utf8(text)!r})", self.line)
