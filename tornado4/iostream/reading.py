"""The way in, by pulling: one pending read at a time, satisfied from the buffer or from what arrives.

A read is looked for in three places, in this order: in the buffer (also of a closed stream), in the socket
(tried at once: for what the loop is to tell, a reader waits a round longer than a system call takes; but not
again in the round that has found it empty, unless the last such look has found something), and in events to come. When
it is found, its Future resolves at once, in the same call; a callback is run from the loop, as in 4.5.3.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from re import Pattern
from typing import Any

from tornado4 import stack_context
from tornado4.concurrent import Future
from tornado4.iostream.errors import StreamBufferFullError, UnsatisfiableReadError
from tornado4.iostream.lifecycle import _READ
from tornado4.iostream.read_buffer import ExactBytes, ReadRequest, UntilClose, UntilDelimiter, UntilRegex
from tornado4.iostream.writing import StreamWriting
from tornado4.log import gen_log

#: Bytes for a streaming callback that are read before others get their turn. A peer as quick as we are would
#: not let the reading end, and fill the memory with pieces on their way (as it did in 4.5.3).
_STREAMED_AT_ONCE = 1024 * 1024

#: Reads by Future in a row that are satisfied at once. A coroutine whose reads always are would never let
#: others, a time-out for one, have their turn (as in 4.5.3); the next one waits for the loop.
_READS_AT_ONCE = 256


class StreamReading(StreamWriting):
    """The floor of `BaseIOStream` that reads on request."""

    #: Whether a read from the kernel that gets less than a chunk says that there is no more for now.
    _short_read_drains = False

    #: The round of the loop in which the last read from the kernel found less than it had asked for.
    _drained_in: float = -1

    #: Whether the last look into the socket that no event had asked for satisfied its read: what writes to it may run
    #: in this loop, between our reads.
    _looks_pay = False

    #: Reads by Future since the last one that had to wait for the loop's sake.
    _reads_at_once = 0
    #: Whether the pending read is one that waits.
    _waits_its_turn = False

    # -- the public reads ---------------------------------------------------------------------------------

    def read_until_regex(
        self,
        regex: bytes | Pattern[bytes],
        callback: Callable[[bytes], Any] | None = None,
        max_bytes: int | None = None,
    ) -> Future[bytes]:
        """Read up to the end of the first match of ``regex``; the result includes the match.

        Returns a Future of the bytes, or calls ``callback(data)``. When no match ends within ``max_bytes``
        bytes, the stream is closed (`UnsatisfiableReadError`, at level info in the log).
        """
        return self._begin_read(UntilRegex(regex, max_bytes), callback)

    def read_until(
        self, delimiter: bytes, callback: Callable[[bytes], Any] | None = None, max_bytes: int | None = None
    ) -> Future[bytes]:
        """Read up to the first ``delimiter``; the result includes it. Otherwise as `read_until_regex`.

        :arg max_bytes: close the stream with `UnsatisfiableReadError` when it is not there by then.
        """
        return self._begin_read(UntilDelimiter(delimiter, max_bytes), callback)

    def read_bytes(
        self,
        num_bytes: int,
        callback: Callable[[bytes], Any] | None = None,
        streaming_callback: Callable[[bytes], Any] | None = None,
        partial: bool = False,
    ) -> Future[bytes]:
        """Read ``num_bytes`` bytes; with ``partial``, whatever is there up to that, at least one byte.

        Returns a Future of the bytes, or calls ``callback(data)``. With ``streaming_callback``, it is called
        with each piece as it arrives, and the result is empty.
        """
        if callback is None and streaming_callback is None and type(num_bytes) is int:
            done = self._read_at_once(num_bytes, partial)
            if done is not None:
                return done
        assert isinstance(num_bytes, numbers.Integral)
        return self._begin_read(ExactBytes(num_bytes, partial), callback, streaming_callback)

    def read_until_close(
        self,
        callback: Callable[[bytes], Any] | None = None,
        streaming_callback: Callable[[bytes], Any] | None = None,
    ) -> Future[bytes]:
        """Read all until the stream closes; it fails only when ``max_buffer_size`` is exceeded.

        Returns a Future of the bytes, or calls ``callback(data)``. With ``streaming_callback``, it is called
        with each piece as it arrives, and the result is empty. On a closed stream: what had arrived before.
        """
        if not self._closed:
            return self._begin_read(UntilClose(), callback, streaming_callback)
        return self._read_leftovers(callback, streaming_callback)

    # -- beginning ------------------------------------------------------------------------------------------

    def _begin_read(
        self,
        request: ReadRequest,
        callback: Callable[[bytes], Any] | None,
        streaming: Callable[[bytes], Any] | None = None,
    ) -> Future[bytes]:
        """Make ``request`` the pending one, and satisfy it inline if that can be done."""
        future = self._expect(request, callback, streaming)
        if future is not None and not self._closed:
            self._reads_at_once += 1
            if self._reads_at_once > _READS_AT_ONCE:
                self._reads_at_once = 0
                self._waits_its_turn = True
                self._run_callback(self._read_in_turn)
                return future
        try:
            self._try_inline_read()
        except UnsatisfiableReadError as e:
            # The same end as when it is found out in an event, so that callers need not handle two.
            self._unsatisfiable(e)
        except BaseException:
            self._abandon_read()
            # When reading has closed the stream, it could not tell so: the read loop counts as a pending
            # callback.
            self._maybe_run_close_callback()
            raise
        return future  # type: ignore[return-value]  # None when there is a callback

    def _read_at_once(self, count: int, partial: bool) -> Future[bytes] | None:
        """`_begin_read` in one step, for an open stream that has the bytes, or whose socket most probably has them: a
        whole chunk is asked for, and nothing is buffered. None when it has to take its usual course.
        """
        state, incoming = self._state, self._incoming
        if (
            state is None
            or not state & _READ
            or self._request is not None
            or self._push is not None
            or self._reads_at_once >= _READS_AT_ONCE
            or self._closed
        ):
            return None
        data: bytes | None
        if incoming.size:
            if not 0 < count <= incoming.size:
                return None
            data = incoming.take(count)
        else:
            size = self.read_chunk_size
            if not self._short_read_drains or not (count == size or (partial and count > size)):
                return None
            if self._drained and not self._looks_pay and self._drained_in == self.io_loop._round:
                return None
            data = self._receive_at_once()
            if self._closed:
                failed = self._expect(ExactBytes(count, partial), None, None)
                self._maybe_run_close_callback()
                return failed
            if data is None or (len(data) < size and not partial):
                if self._looks_pay:
                    self._looks_pay = False
                if data is not None:
                    incoming.append(data)
                return None
            if not self._looks_pay:
                self._looks_pay = True
        self._reads_at_once += 1
        future = Future()
        future._result, future._done, future._callbacks = data, True, None  # nobody can listen yet
        return future

    def _receive_at_once(self) -> bytes | None:
        """One chunk, or what there is of it; None when the socket was empty, or the stream is closed now.

        An end found here must not be told before the read that it fails: see `_read_at_once`.
        """
        self._ask = 0
        self._pending_callbacks += 1
        try:
            data = self._receive()
        except BaseException:
            self._pending_callbacks -= 1
            self._maybe_run_close_callback()
            raise
        self._pending_callbacks -= 1
        if data is None or len(data) < self.read_chunk_size:
            self._drained, self._drained_in = True, self.io_loop._round
        return data

    def _read_in_turn(self) -> None:
        """Satisfy a read that had to let others have their turn."""
        waits, self._waits_its_turn = self._waits_its_turn, False
        future = self._read_future
        if not waits or future is None:
            return
        try:
            self._try_inline_read()
        except UnsatisfiableReadError as e:
            self._unsatisfiable(e)
        except Exception as e:
            # Raised to the caller, were it still there.
            self._abandon_read()
            future.set_exception(e)

    def _expect(
        self,
        request: ReadRequest,
        callback: Callable[[bytes], Any] | None,
        streaming: Callable[[bytes], Any] | None,
    ) -> Future | None:
        assert self._request is None and self._push is None, "Already reading"
        self._request = request
        self._streaming_callback = None if streaming is None else stack_context.wrap(streaming)
        if callback is not None:
            self._read_callback = stack_context.wrap(callback)
            return None
        future = self._read_future = Future()
        return future

    def _abandon_read(self) -> None:
        """The read call raises: nobody waits for anything."""
        self._request = self._read_future = self._read_callback = self._streaming_callback = None

    def _unsatisfiable(self, error: UnsatisfiableReadError) -> None:
        gen_log.info("Unsatisfiable read, closing connection: %s", error)
        self.close(exc_info=(type(error), error, error.__traceback__))

    def _read_leftovers(
        self, callback: Callable[[bytes], Any] | None, streaming: Callable[[bytes], Any] | None
    ) -> Future[bytes]:
        """`read_until_close` of a stream that has closed already."""
        future = self._expect(UntilClose(), callback, streaming)
        if self._streaming_callback is not None:
            self._run_streaming_callback()
        self._complete_read(self._incoming.size)
        return future  # type: ignore[return-value]  # None when there is a callback

    def _try_inline_read(self) -> None:
        """Satisfy the pending read from the buffer or the socket; else have the loop tell when there is more.
        """
        request = self._request
        assert request is not None
        if self._incoming.size or (request.target is not None and request.target <= 0):
            self._run_streaming_callback()
            size = request.locate(self._incoming)
            if size is not None:
                self._complete_read(size)
                return
        self._check_closed()
        if self._drained and not self._looks_pay and self._drained_in == self.io_loop._round:
            # This round's read has taken all there was: another look would cost what that one did.
            self._add_io_state(_READ)
            return
        size = self._read_to_buffer_loop()
        if self._looks_pay is not (size is not None):
            self._looks_pay = size is not None
        if size is not None:
            self._complete_read(size)
            return
        if self._closed:
            self._maybe_run_close_callback()
        else:
            self._add_io_state(_READ)

    # -- from the socket
    # ----------------------------------------------------------------------------------------

    def _handle_read(self) -> None:
        """Something has come: read it, and complete the pending read if that is all it wanted."""
        if self._waits_its_turn:
            # Which the buffer comes before: it must not grow, nor an end be found, for want of a look into it.
            self._read_in_turn()
            return
        try:
            size = self._read_to_buffer_loop()
        except UnsatisfiableReadError:
            raise
        except Exception as e:
            gen_log.warning("error on read: %s", e)
            self.close(exc_info=True)
            return
        if size is not None:
            self._complete_read(size)
        else:
            self._maybe_run_close_callback()

    def _read_to_buffer_loop(self) -> int | None:
        """Read until the pending read is satisfied or the socket is empty. How many bytes it takes, or None.

        With no read pending, one chunk is read ahead: enough to notice an end, and no more than that.
        """
        # An end found meanwhile must not be told before the read that it completes.
        self._pending_callbacks += 1
        try:
            next_look = streamed = 0
            while not self._closed:
                got = self._read_to_buffer()
                if not got:
                    break
                request = self._request
                if request is None:
                    return None
                if self._streaming_callback is not None:
                    self._run_streaming_callback()
                    streamed += got
                    if streamed >= _STREAMED_AT_ONCE:
                        self._run_callback(self._read_on)
                        return request.locate(self._incoming)
                held, target = self._incoming.size, request.target
                if target is not None and held >= target:
                    break
                if request.cheap or held >= next_look:
                    size = request.locate(self._incoming)
                    if size is not None:
                        return size
                    next_look = 2 * held
                if self._drained:
                    if request.cheap:
                        return None  # just looked
                    break
            request = self._request
            return None if request is None else request.locate(self._incoming)
        finally:
            self._pending_callbacks -= 1

    def _read_on(self) -> None:
        """Go on after the streaming callback has had what was read. No event need say that there is more."""
        if not self._closed and self._streaming_callback is not None:
            self._handle_read()

    def _read_to_buffer(self) -> int:
        """Read one chunk into the buffer; how many bytes it had: 0 when there is nothing now, or no more at
        all.
        """
        request = self._request
        size = self.read_chunk_size
        if request is not None and request.large and self._streaming_callback is None:
            self._ask = size = request.ask(self._incoming.size, size)
        else:
            self._ask = 0
        chunk = self._receive()
        if not chunk:
            return 0
        if self._short_read_drains and len(chunk) < size:
            self._drained, self._drained_in = True, self.io_loop._round
        self._incoming.append(chunk)
        if self._incoming.size > self.max_buffer_size:
            gen_log.error("Reached maximum read buffer size")
            self.close()
            raise StreamBufferFullError("Reached maximum read buffer size")
        return len(chunk)

    def _receive(self) -> bytes | None:
        """One chunk from the descriptor; None when there is nothing now, or no more at all (the stream is
        closed then).

        Other errors than the peer's leaving close the stream and are raised.
        """
        self._drained = False
        while True:
            try:
                return self.read_from_fd()
            except OSError as e:
                if self._is_interrupt(e):
                    continue
                self.close(exc_info=True)
                if self._is_connreset(e):
                    return None
                raise

    # -- completing ------------------------------------------------------------------------------------------

    def _run_streaming_callback(self) -> None:
        """Hand what has arrived of the pending read to its streaming callback."""
        callback = self._streaming_callback
        if callback is None or not self._incoming.size:
            return
        count = self._incoming.size
        request = self._request
        if isinstance(request, ExactBytes):
            count = min(count, request.count)
            request.reduce(count)
        if count > 0:
            self._run_callback(callback, self._incoming.take(count))

    def _complete_read(self, size: int) -> None:
        """The pending read is done: ``size`` bytes are its result."""
        data = self._incoming.take(size)
        callback, future = self._read_callback, self._read_future
        self._request = self._read_callback = self._streaming_callback = self._read_future = None
        if callback is not None:
            self._run_callback(callback, data)
            return  # the listener is looked after when it has run
        if future is not None:
            future.set_result(data)
        self._maybe_add_error_listener()

    def _finish_read_until_close(self) -> None:
        """The end has come, which is what a pending `read_until_close` waits for."""
        if isinstance(self._request, UntilClose):
            self._run_streaming_callback()
            self._complete_read(self._incoming.size)

    # -- 4.5.3's names for the state ----------------------------------------------------------------------

    @property
    def _read_buffer(self) -> bytearray:
        """The unread bytes, as in 4.5.3, where some put back what they have read; see `_read_buffer_size`."""
        return self._incoming.expose()

    @property
    def _read_buffer_pos(self) -> int:
        """Where in `_read_buffer` the unread bytes begin. They do so at its front."""
        return 0

    @property
    def _read_buffer_size(self) -> int:
        """The number of unread bytes; to be set by who has changed `_read_buffer`."""
        return self._incoming.size

    @_read_buffer_size.setter
    def _read_buffer_size(self, size: int) -> None:
        self._incoming.size = size

    def _consume(self, loc: int) -> bytes:
        """Take ``loc`` bytes out of what is buffered, as 4.5.3's own reads did: for a stream put on top of this one."""
        return self._incoming.take(loc)

    @property
    def _read_delimiter(self) -> bytes | None:
        return self._request.delimiter if isinstance(self._request, UntilDelimiter) else None

    @property
    def _read_regex(self) -> Pattern[bytes] | None:
        return self._request.pattern if isinstance(self._request, UntilRegex) else None

    @property
    def _read_max_bytes(self) -> int | None:
        return self._request.max_bytes if isinstance(self._request, (UntilDelimiter, UntilRegex)) else None

    @property
    def _read_bytes(self) -> int | None:
        return self._request.count if isinstance(self._request, ExactBytes) else None

    @property
    def _read_partial(self) -> bool:
        return isinstance(self._request, ExactBytes) and self._request.partial

    @property
    def _read_until_close(self) -> bool:
        return isinstance(self._request, UntilClose)
