"""The way out: `write`, its callbacks and Futures, and `_send`, the thin one for protocol engines.

What the kernel takes at once never enters the buffer. Write Futures resolve in the order of their writes,
each when its last byte has been handed to the kernel: the running totals ``_total_write_index`` (written by
the user) and ``_total_write_done_index`` (taken by the kernel) tell which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado4 import stack_context
from tornado4.concurrent import Future
from tornado4.iostream.errors import StreamBufferFullError, StreamClosedError
from tornado4.iostream.lifecycle import _WRITE, StreamLifecycle
from tornado4.log import gen_log

#: Bytes that are joined where pieces cannot be gathered: a copy costs less than a TLS record, and a system call, of
#: their own for each head.
_JOIN_UP_TO = 128 * 1024

#: Bytes that wait for one another at most.
_GATHER_UP_TO = 64 * 1024


def _retrieve(future: Future) -> None:
    """Few look at what `write` returns. A failed write is told by the close callback: no log line for it."""
    future.exception()


class StreamWriting(StreamLifecycle):
    """The floor of `BaseIOStream` that writes."""

    #: Whether ``write_to_fd`` takes plain ``bytes`` and may be called at any time once connected. False for
    #: classes that override it (they get memoryviews, as in 4.5.3) and while TLS has not shaken hands.
    _direct_write = False
    #: Most bytes to offer to one ``write_to_fd``; None for all there are.
    _write_limit: int | None = None

    def write(
        self, data: bytes | bytearray | memoryview, callback: Callable[[], Any] | None = None
    ) -> Future[None]:
        """Write ``data``, at once as far as possible and the rest as the descriptor allows.

        Without ``callback``, returns a Future that resolves (to None) when all of ``data`` has been handed to
        the system, and that may be ignored. With ``callback``, it is called when nothing is left unsent; a
        callback of an earlier write that has not run yet is replaced by it. Raises `StreamClosedError` on a
        closed stream, `StreamBufferFullError` when ``max_write_buffer_size`` bytes would be exceeded,
        `TypeError` for str.
        """
        if self._closed:
            raise StreamClosedError(real_error=self.error)
        through = type(data) is bytes and self._direct_write and not (self._outgoing.size or self._connecting)
        if through:
            self._write_through(data)  # type: ignore[arg-type]  # just asked
        else:
            self._enqueue(data)
        future: Future | None = None
        if callback is None:
            future = self._write_future(through)
        elif not self._closed:
            self._write_callback = stack_context.wrap(callback)
        if self._connecting or self._closed:
            return future  # type: ignore[return-value]  # None with a callback
        if not through:
            self._handle_write()
        elif not self._outgoing.size:
            self._all_written()
        if self._outgoing.size:
            self._add_io_state(_WRITE)
        self._maybe_add_error_listener()
        return future  # type: ignore[return-value]

    def _write_later(self, data: bytes) -> bool:
        """`write` without a system call of its own: ``data`` leaves with the next write, with `_write_gathered` or
        before `close`, whichever comes first. False when it has to be written now: something is unsent already, or
        its amount limited.

        To be used within one call of the loop, at whose end comes `_write_gathered`.
        """
        outgoing = self._outgoing
        if self._closed or self._connecting or self.max_write_buffer_size is not None:
            return False
        if outgoing.size and not self._gathered:
            return False
        outgoing.append(data)
        self._total_write_index += len(data)
        self._gathered = True
        if outgoing.size >= _GATHER_UP_TO:
            self._write_gathered()
        return True

    def _write_gathered(self) -> None:
        """Send what `_write_later` has left, as far as the descriptor takes it."""
        if self._gathered and not self._closed:
            self._handle_write()
            if self._outgoing.size:
                self._add_io_state(_WRITE)

    def _write_future(self, through: bool) -> Future:
        """The Future of what has been written up to now; ``through`` when it was offered to the kernel
        already.
        """
        future = Future()
        if through and not self._closed and not self._outgoing.size:
            future._done, future._callbacks = True, None  # `set_result(None)`: nobody can listen yet
            return future
        future.add_done_callback(_retrieve)
        if self._closed:  # by the write itself: the peer has gone
            future.set_exception(StreamClosedError(real_error=self.error))
        else:
            self._write_futures.append((self._total_write_index, future))
        return future

    def _send(self, data: bytes) -> bool:
        """Write ``data`` with neither Future nor callback.

        True when nothing is left in the buffer; else what is left goes out as the descriptor allows (see
        `_on_drain`), unless the stream turned out to be closed, which the close callback tells. Raises
        StreamClosedError as `write`.
        """
        if self._closed:
            raise StreamClosedError(real_error=self.error)
        if not self._outgoing.size and self._direct_write and not self._connecting:
            self._write_through(data)
        else:
            self._enqueue(data)
            if not self._connecting:
                self._handle_write()
        if self._closed:
            return False
        if self._outgoing.size:
            if not self._connecting:
                self._add_io_state(_WRITE)
            return False
        return True

    def _send_pieces(self, pieces: tuple[bytes, ...]) -> bool:
        """`_send` for bytes that lie apart. Large pieces are not copied, only viewed."""
        if self._closed:
            raise StreamClosedError(real_error=self.error)
        if sum(map(len, pieces)) <= _JOIN_UP_TO:
            pieces = (b"".join(pieces),)
        for piece in pieces:
            self._enqueue(piece)
        if self._connecting:
            return False
        self._handle_write()
        if self._closed:
            return False
        if self._outgoing.size:
            self._add_io_state(_WRITE)
            return False
        return True

    def _on_drain(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once when the write buffer is empty: at once, if it is. Dropped when the stream
        closes.
        """
        if self._outgoing.size:
            self._drain_callbacks = [*self._drain_callbacks, callback]
        elif not self._closed:
            callback()

    def _enqueue(self, data: bytes | bytearray | memoryview) -> None:
        if not isinstance(data, (bytes, bytearray, memoryview)):
            if not data:
                return  # as in 4.5.3: None, and whatever else is empty, is nothing to write
            data = bytearray() + data  # other kinds of buffers; for anything else 4.5.3's TypeError
        size = data.nbytes if isinstance(data, memoryview) else len(data)
        limit = self.max_write_buffer_size
        if limit is not None and size and self._outgoing.size + size > limit:
            raise StreamBufferFullError("Reached maximum write buffer size")
        self._outgoing.append(data)
        self._total_write_index += size

    def _write_through(self, data: bytes) -> None:
        """Offer ``data`` to the kernel; what it does not take goes to the (empty) buffer."""
        size = len(data)
        limit = self.max_write_buffer_size
        if limit is not None and size > limit:
            raise StreamBufferFullError("Reached maximum write buffer size")
        self._total_write_index += size
        if not size:
            return
        most = self._write_limit
        if most is not None and size > most:
            self._outgoing.append(data)
            self._handle_write()
            return
        try:
            sent = self.write_to_fd(data)  # type: ignore[arg-type]  # _direct_write says that it takes bytes
        except BlockingIOError:
            sent = 0
        except OSError as e:
            self._write_failed(e)
            return
        if sent < size:
            self._outgoing.append_rest(data, sent)

    def _handle_write(self) -> None:
        """Send what the descriptor takes, then resolve and call what waited for it."""
        self._gathered = False
        outgoing = self._outgoing
        limit = self._write_limit
        while outgoing.size:
            piece = outgoing.peek(limit)
            try:
                sent = self.write_to_fd(piece)
            except BlockingIOError:
                break
            except OSError as e:
                self._write_failed(e)
                return
            if not sent:
                break
            outgoing.advance(sent)
            if sent < len(piece) and self._direct_write:
                break  # the system's buffer is full; trying again at once would only tell so
        if self._waiting_writes is not None:
            self._resolve_writes()
        if not outgoing.size:
            self._all_written()
            if self._room_future is not None:
                room, self._room_future = self._room_future, None
                room.set_result(None)

    def _room(self) -> Future:
        """A Future that resolves when the descriptor takes more, in a later turn of the loop; it fails when the
        stream closes. One may be waited for at a time."""
        self._check_closed()
        assert self._room_future is None
        self._room_future = room = Future()
        self._add_io_state(_WRITE)
        return room

    def _sends_files(self) -> bool:
        """Whether `_send_file` can be used here."""
        return False

    def _send_file(self, fd: int, offset: int, count: int) -> int:
        """Send up to ``count`` bytes of the file ``fd``, from ``offset`` on, past this program's memory.

        How many of them the descriptor took: 0 when it is full, or when something is unsent before them (see `_room`);
        -1 when the file has none there. Raises `StreamClosedError`, also when sending is what closes the stream;
        another `OSError` where the system cannot send such a file so.
        """
        raise NotImplementedError

    @property
    def _total_write_done_index(self) -> int:
        return self._total_write_index - self._outgoing.size

    def _resolve_writes(self) -> None:
        futures = self._write_futures
        # Each set_result runs user code, which may write (more goes to the end) or close (nothing is left
        # then).
        while futures and futures[0][0] <= self._total_write_index - self._outgoing.size:
            futures.popleft()[1].set_result(None)
        if not futures and self._waiting_writes is futures:
            self._waiting_writes = None

    def _all_written(self) -> None:
        if self._write_callback is not None:
            callback, self._write_callback = self._write_callback, None
            self._run_callback(callback)
        if self._drain_callbacks and not self._closed:
            callbacks, self._drain_callbacks = self._drain_callbacks, ()
            for drained in callbacks:
                drained()

    def _write_failed(self, error: OSError) -> None:
        """The peer has gone (nothing to log), or something is wrong: close."""
        if not self._is_connreset(error):
            gen_log.warning("Write error on %s: %s", self.fileno(), error)
        self.close(exc_info=(type(error), error, error.__traceback__))

    @property
    def _write_buffer(self) -> bytearray:
        """A copy of what is unsent, in 4.5.3's type. Its length is ``_write_buffer_size``, which costs
        nothing.
        """
        return self._outgoing.snapshot()

    @property
    def _write_buffer_size(self) -> int:
        return self._outgoing.size
