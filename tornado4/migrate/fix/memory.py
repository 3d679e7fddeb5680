"""Trees of the texts that were looked at last: one text is asked for many times on its way through the checks.

The trees are shared: who gets one does not change it.
"""

from __future__ import annotations

import ast
import functools

from tornado4.migrate.check import files

#: How many texts are kept: a file as it was and as it becomes, step by step.
REMEMBERED = 16


@functools.lru_cache(maxsize=REMEMBERED)
def _parsed(text: str) -> ast.Module:
    return files.parse(text, "<text>")


def parse(text: str, name: str) -> ast.Module:
    """The tree of a text, as `files.parse` gives it; ``name`` is for its errors."""
    try:
        return _parsed(text)
    except SyntaxError as error:
        error.filename = name
        raise
