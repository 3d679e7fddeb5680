"""Connections of a client that wait for their next request."""

from __future__ import annotations

import socket
import time
from collections import OrderedDict
from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING, Any

from tornado4.iostream import SSLIOStream
from tornado4.stack_context import NullContext

if TYPE_CHECKING:
    from tornado4.ioloop import IOLoop
    from tornado4.iostream import IOStream


class IdlePool:
    """Idle streams by a key that says what they are good for; the one used last is the first to be used again.

    ``most`` is how many are kept in all, ``seconds`` (monotonic) for how long. A stream that the server closes, or
    says something on that nobody has asked for, is dropped. One timer, while there is anything to wait for.
    """

    def __init__(self, io_loop: IOLoop, most: int, seconds: float) -> None:
        self._io_loop = io_loop
        self._most = most
        self._seconds = seconds
        # from the one that has waited longest to the latest
        self._idle: OrderedDict[IOStream, tuple[Hashable, float]] = OrderedDict()
        self._timer: Any = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._idle)

    def put(self, key: Hashable, stream: IOStream) -> None:
        """Keep ``stream``, which nobody else uses any more; closed at once where it cannot be kept."""
        if self._closed or self._most <= 0 or stream._incoming.size:
            stream.close()
            return
        with NullContext():
            self._idle[stream] = key, time.monotonic() + self._seconds
            stream.set_close_callback(partial(self._idle.pop, stream, None))
            if len(self._idle) > self._most:
                self._drop(next(iter(self._idle)))
            if self._timer is None:
                self._timer = self._io_loop.call_later(self._seconds, self._sweep)

    def take(self, key: Hashable) -> IOStream | None:
        """A stream put under ``key`` that is still good, as far as one can see; None if there is none."""
        for stream in [stream for stream, (its_key, _) in reversed(self._idle.items()) if its_key == key]:
            if _is_silent(stream):
                del self._idle[stream]
                stream.set_close_callback(None)
                return stream
            self._drop(stream)
        return None

    def drop(self, key: Hashable) -> None:
        """Close what was put under ``key``: one of them turned out to be dead, and so may be the others."""
        for stream in [stream for stream, (its_key, _) in self._idle.items() if its_key == key]:
            self._drop(stream)

    def close(self) -> None:
        """Close all, now and in future."""
        self._closed = True
        for stream in list(self._idle):
            self._drop(stream)
        if self._timer is not None:
            self._io_loop.remove_timeout(self._timer)
            self._timer = None

    def _drop(self, stream: IOStream) -> None:
        del self._idle[stream]
        stream.set_close_callback(None)
        stream.close()

    def _sweep(self) -> None:
        """Close those whose time is over, and look again when that of the next one is."""
        self._timer = None
        now = time.monotonic()
        for stream, (_, until) in list(self._idle.items()):
            if until > now:
                self._timer = self._io_loop.call_later(until - now, self._sweep)
                return
            self._drop(stream)


def _is_silent(stream: IOStream) -> bool:
    """Whether the server has neither closed the connection nor sent anything, as far as the kernel knows."""
    if stream.closed() or stream._incoming.size:
        return False
    if isinstance(stream, SSLIOStream) and stream.socket.pending():
        return False
    try:
        # Past TLS, where there is any: what lies encrypted in the kernel was not asked for either.
        socket.socket.recv(stream.socket, 1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False
