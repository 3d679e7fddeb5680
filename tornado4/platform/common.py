"""A `Waker` for every platform."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from tornado4 import _handed_on
from tornado4.platform import interface
from tornado4.util import errno_from_exception

__all__ = ["Waker", "errno_from_exception", "try_close"]


def try_close(f: Any) -> None:
    """Close something that may be closed, or half open, already.

    :arg f: anything with ``close()``.
    """
    with contextlib.suppress(OSError):
        f.close()


class Waker(interface.Waker):
    """A `Waker` made of two connected sockets, since Windows cannot poll pipes."""

    def __init__(self) -> None:
        self.reader, self.writer = socket.socketpair()
        for end in (self.reader, self.writer):
            end.setblocking(False)
        # Kept apart: fileno() of a closed socket is -1, which no poller could unregister.
        self.reader_fd = self.reader.fileno()

    def fileno(self) -> int:
        """The descriptor that becomes readable, for the poller."""
        return self.reader_fd

    def write_fileno(self) -> int:
        """The descriptor to write to."""
        return self.writer.fileno()

    def wake(self) -> None:
        """Make `fileno` readable. From any thread; nothing happens when the waker is closed."""
        # A full buffer wakes as well as one more byte would; a closed one has nobody to wake.
        with contextlib.suppress(OSError):
            self.writer.send(b"x")

    def consume(self) -> None:
        """Take in all wake-ups so far."""
        with contextlib.suppress(OSError):
            while self.reader.recv(1024):
                pass

    def close(self) -> None:
        """Close both ends. May be repeated."""
        try_close(self.reader)
        try_close(self.writer)

_handed_on.complete(globals())
