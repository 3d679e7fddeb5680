"""Writes the Python code that a template becomes.

Each line ends with a comment saying which line of which template it comes from, and by way of which
includes and blocks; tracebacks show it, since a compiled template hands its source to `linecache`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any


class _CodeWriter:
    """Collects lines of code, and knows where in the tree of templates the generator is.

    ``current_template`` is the one whose nodes are being written, ``named_blocks`` what each block
    of the template's family finally holds. ``quick_xhtml``: no part of the code, includes and blocks of others
    among it, binds the name ``xhtml_escape``.
    """

    quick_xhtml = True

    def __init__(
        self, file: StringIO, named_blocks: Mapping[str, Any], loader: Any, current_template: Any
    ) -> None:
        self.file = file
        self.named_blocks, self.loader = named_blocks, loader
        self.current_template = current_template
        self.include_stack: list[tuple[Any, int]] = []
        self.apply_counter = 0
        self._indent = 0

    def indent_size(self) -> int:
        return self._indent

    @contextlib.contextmanager
    def indent(self) -> Iterator[_CodeWriter]:
        """Write one level deeper within the ``with`` block."""
        self._indent += 1
        try:
            yield self
        finally:
            self._indent -= 1

    @contextlib.contextmanager
    def include(self, template: Any, line: int) -> Iterator[_CodeWriter]:
        """Write nodes of another template, brought in by ``line`` of the current one."""
        outer = self.current_template
        self.include_stack.append((outer, line))
        self.current_template = template
        try:
            yield self
        finally:
            self.current_template = outer
            self.include_stack.pop()

    def write_line(self, line: str, line_number: int, indent: int | None = None) -> None:
        """Write a line of code that stems from ``line_number`` of the current template."""
        margin = "    " * (self._indent if indent is None else indent)
        origin = f"{self.current_template.name}:{line_number}"
        if self.include_stack:
            path = ", ".join(f"{template.name}:{number}" for template, number in reversed(self.include_stack))
            origin += f" (via {path})"
        print(f"{margin}{line}  # {origin}", file=self.file)


def _format_code(code: str) -> str:
    """Number the lines of some code, for an error message."""
    lines = code.splitlines()
    width = len(str(len(lines) + 1))
    return "".join(f"{number:{width}}  {line}\n" for number, line in enumerate(lines, 1))
