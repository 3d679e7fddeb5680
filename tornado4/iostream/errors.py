"""What a stream raises, and which errors of the system mean what to it.

    Exception
    ├── OSError
    │   └── StreamClosedError        the stream is closed; why is in ``real_error``
    ├── UnsatisfiableReadError       what was asked for cannot come within ``max_bytes``
    └── StreamBufferFullError        ``max_buffer_size`` or ``max_write_buffer_size`` was reached
"""

from __future__ import annotations

import errno
import sys

_WINDOWS = sys.platform == "win32"

#: Nothing to read now, or no room to write now.
_ERRNO_WOULDBLOCK: tuple[int, ...] = (errno.EWOULDBLOCK, errno.EAGAIN)

#: The peer has gone: told by the close callback and ``stream.error``, not by a log line.
_ERRNO_CONNRESET: tuple[int, ...] = (errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ETIMEDOUT)

#: A non-blocking ``connect`` has begun.
_ERRNO_INPROGRESS: tuple[int, ...] = (errno.EINPROGRESS,)

if sys.platform == "win32":
    _ERRNO_WOULDBLOCK += (errno.WSAEWOULDBLOCK,)
    _ERRNO_CONNRESET += (errno.WSAECONNRESET, errno.WSAECONNABORTED, errno.WSAETIMEDOUT)
    _ERRNO_INPROGRESS += (errno.WSAEINPROGRESS,)
if sys.platform == "darwin":
    # A send that races with the peer's reset may say "wrong type of socket" (as CPython's issue 33540 notes
    # too).
    _ERRNO_CONNRESET += (errno.EPROTOTYPE,)


class StreamBufferFullError(Exception):
    """The read buffer (the stream is then closed) or the write buffer (it stays open) has reached its limit.
    """


class StreamClosedError(OSError):
    """The stream is closed: raised by what is called on it, and set on every Future that was waiting.

    ``real_error`` is the error that closed it, or None when it was an orderly end (the peer's, or
    ``close()``). The close callback runs after the waiting Futures have been failed, so look at
    ``stream.error`` or at this attribute, whichever is at hand.
    """

    real_error: BaseException | None

    def __init__(self, real_error: BaseException | None = None) -> None:
        super().__init__("Stream is closed")
        self.real_error = real_error


class UnsatisfiableReadError(Exception):
    """A ``read_until`` or ``read_until_regex`` whose end did not appear within ``max_bytes``.

    Callers see a `StreamClosedError` with this as its ``real_error``: the stream is closed on it.
    """
