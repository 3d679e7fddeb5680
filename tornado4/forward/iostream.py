"""For `tornado4.iostream`: reads into a buffer of the caller's."""

from __future__ import annotations

from typing import Any

from tornado4 import gen, iostream


class BaseIOStream(iostream.BaseIOStream):
    """Members for BaseIOStream."""

    @gen.coroutine
    def read_into(self, buf: Any, partial: bool = False) -> Any:
        """Read into ``buf``, writable bytes, until it is full, or with ``partial`` until there is some data.

        The Future's result is how many bytes it has got.
        """
        with memoryview(buf) as view:
            data = yield self.read_bytes(view.nbytes, partial=partial)
            view.cast("B")[: len(data)] = data
        return len(data)
