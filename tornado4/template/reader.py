"""A cursor over a template's text that counts lines, and the error that names one."""

from __future__ import annotations

from typing import NoReturn


class ParseError(Exception):
    """A template's own syntax is wrong, at line ``lineno`` (from 1) of ``filename``.

    Errors in the Python code inside a template are Python's, such as `SyntaxError`.
    """

    def __init__(self, message: str, filename: str | None = None, lineno: int = 0) -> None:
        self.message = message
        # Not in ``args``, which had the message alone before 4.3.
        self.filename = filename
        self.lineno = lineno

    def __str__(self) -> str:
        return f"{self.message} at {self.filename}:{self.lineno}"


class _TemplateReader:
    """What is left of a template to be parsed. All indices count from the current position.

    ``line`` is the current line's number; ``whitespace`` the mode in force, which directives change.
    """

    def __init__(self, name: str, text: str, whitespace: str) -> None:
        self.name, self.text = name, text
        self.line, self.pos = 1, 0
        self.whitespace = whitespace

    def find(self, needle: str, start: int = 0, end: int | None = None) -> int:
        """Return the index of ``needle`` in what is left, or -1."""
        assert start >= 0, start
        stop = len(self.text) if end is None else self.pos + end
        index = self.text.find(needle, self.pos + start, stop)
        return index if index < 0 else index - self.pos

    def consume(self, count: int | None = None) -> str:
        """Take ``count`` characters, by default all that are left."""
        stop = len(self.text) if count is None else self.pos + count
        taken = self.text[self.pos : stop]
        self.line += taken.count("\n")
        self.pos = stop
        return taken

    def __len__(self) -> int:
        return len(self.text) - self.pos

    def remaining(self) -> int:
        """Return the number of characters that are left."""
        return len(self)

    def __str__(self) -> str:
        return self.text[self.pos :]

    def __getitem__(self, key: int | slice) -> str:
        return str(self)[key]

    def raise_parse_error(self, msg: str) -> NoReturn:
        """Raise `ParseError` for the current line."""
        raise ParseError(msg, self.name, self.line)
