"""`PipeIOStream`: a stream over one end of a pipe."""

from __future__ import annotations

import os
import sys
from typing import Any

from tornado4.iostream.base import BaseIOStream
from tornado4.platform.posix import _set_nonblocking


class PipeIOStream(BaseIOStream):
    """A stream over the descriptor ``fd`` (an int, made non-blocking and owned by the stream) of a pipe or
    FIFO.

    Pipes go one way: a stream reads or writes, not both. Further arguments are those of `BaseIOStream`. Not
    on Windows.
    """

    _short_read_drains = True

    def __init__(self, fd: int, *args: Any, **kwargs: Any) -> None:
        self.fd = fd
        if sys.platform == "win32":
            raise NotImplementedError("PipeIOStream: Windows has no pipes that a loop could wait for")
        _set_nonblocking(fd)
        super().__init__(*args, **kwargs)
        kind = type(self)
        self._short_read_drains = kind.read_from_fd is _READ_FROM_FD
        self._direct_write = kind.write_to_fd is _WRITE_TO_FD

    def fileno(self) -> int:
        """The descriptor."""
        return self.fd

    def close_fd(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)

    def read_from_fd(self) -> bytes | None:
        """Up to ``read_chunk_size`` bytes; None when there are none now, or when the writer has closed."""
        try:
            chunk = os.read(self.fd, self.read_chunk_size)
        except BlockingIOError:
            return None
        if not chunk:
            self.close()
            return None
        return chunk

    def write_to_fd(self, data: memoryview) -> int:
        """Write as much of ``data`` as the pipe takes, and return how many bytes that was."""
        return os.write(self.fd, data)


# As they are here: programs replace them in the class, too.
_READ_FROM_FD, _WRITE_TO_FD = PipeIOStream.read_from_fd, PipeIOStream.write_to_fd
