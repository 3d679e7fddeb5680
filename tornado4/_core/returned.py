"""``raise gen.Return(value)``: the way of Python 2 to end a coroutine with a result."""

from __future__ import annotations

from typing import Any


class Return(Exception):
    """``raise gen.Return(value)`` ends a coroutine with a result, as ``return value`` does.

    ``return`` is the way to write it today; this is how it was said in Python 2. As in 4.5.3, it ends a native
    coroutine, too.
    """

    def __init__(self, value: Any = None) -> None:
        super().__init__(value)
        self.value = value
