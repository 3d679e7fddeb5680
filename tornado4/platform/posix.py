"""The platform functions of Unix."""

from __future__ import annotations

import contextlib
import os
import sys

from tornado4 import _handed_on
from tornado4.platform import common, interface

__all__ = ["Waker", "set_close_exec"]


def set_close_exec(fd: int) -> None:
    """Keep a descriptor from being inherited (``FD_CLOEXEC``). Python's own have it since PEP 446."""
    os.set_inheritable(fd, False)


def _set_nonblocking(fd: int) -> None:
    """Set ``O_NONBLOCK`` on a descriptor."""
    if sys.platform == "win32":
        raise NotImplementedError(sys.platform)
    os.set_blocking(fd, False)


class Waker(interface.Waker):
    """A `Waker` made of a pipe."""

    def __init__(self) -> None:
        read_end, write_end = os.pipe()
        _set_nonblocking(read_end)
        _set_nonblocking(write_end)
        self.reader = os.fdopen(read_end, "rb", 0)
        self.writer = os.fdopen(write_end, "wb", 0)

    def fileno(self) -> int:
        """The descriptor that becomes readable, for the poller."""
        return self.reader.fileno()

    def write_fileno(self) -> int:
        """The descriptor to write to, fit for ``signal.set_wakeup_fd``."""
        return self.writer.fileno()

    def wake(self) -> None:
        """Make `fileno` readable. From any thread; nothing happens when the waker is closed."""
        # ValueError: closed, as happens when a thread outlives the loop. A full pipe raises nothing here.
        with contextlib.suppress(OSError, ValueError):
            self.writer.write(b"x")

    def consume(self) -> None:
        """Take in all wake-ups so far."""
        with contextlib.suppress(OSError):
            # A raw file answers None, not an error, when there is nothing to read.
            while self.reader.read(4096):
                pass

    def close(self) -> None:
        """Close both ends. May be repeated."""
        self.reader.close()
        common.try_close(self.writer)

_handed_on.complete(globals())
