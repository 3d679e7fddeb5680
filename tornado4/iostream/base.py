"""`BaseIOStream`: the floors put together, and the one option that every kind of stream has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tornado4.ioloop import IOLoop
from tornado4.iostream.push import StreamPush

if TYPE_CHECKING:
    from unittest import TestSuite


def doctests() -> TestSuite:
    """The module's doctests (there are none) as a suite, as 4.5.3's test runner asks for it."""
    from unittest import TestSuite  # only a test runner comes here

    return TestSuite()


class BaseIOStream(StreamPush):
    """Reads from and writes to a non-blocking descriptor, with callbacks or Futures.

    ``io_loop`` is the current one unless given. ``max_buffer_size`` bounds the bytes held unread (default:
    100 MB), ``read_chunk_size`` one read from the system (default: 64 KB), ``max_write_buffer_size`` the
    bytes held unsent (default: no bound); all in bytes.

    Each method that takes a ``callback`` returns a Future instead when none is given. One read may be pending
    at a time (else `AssertionError`); writes queue up. When the stream closes, pending Futures fail with
    `StreamClosedError`, pending callbacks are dropped, and the close callback runs.

    A new kind of stream overrides `fileno`, `close_fd`, `write_to_fd`, `read_from_fd` and, if it has anything
    to tell, `get_fd_error`.
    """

    def __init__(
        self,
        io_loop: IOLoop | None = None,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
        max_write_buffer_size: int | None = None,
    ) -> None:
        super().__init__(io_loop, max_buffer_size, read_chunk_size, max_write_buffer_size)

    def set_nodelay(self, value: bool) -> None:
        """Send small pieces at once (``TCP_NODELAY``), or let the system gather them. Nothing but TCP minds.
        """
