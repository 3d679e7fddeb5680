"""The client's driver: what the stream pushes goes through the reader to the delegate of one response.

The counterpart of ``pump``. One lives as long as `.HTTP1Connection.read_response` reads, and then gives the stream
back with what came behind the response.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from tornado4 import httputil, iostream
from tornado4._core.yielded import convert_yielded
from tornado4._http1.exchange import BODY, DONE
from tornado4._http1.parameters import _ExceptionLoggingContext, _QuietException
from tornado4._masking import printable
from tornado4._wire import http1
from tornado4.concurrent import Future
from tornado4.log import app_log, gen_log
from tornado4.stack_context import _active, wrap

if TYPE_CHECKING:
    from tornado4._http1.connection import HTTP1Connection

#: Heads that a client reads for one response: those of interim responses, and its own.
_MOST_HEADS = 100
#: After this many events from one piece of input others get their turn.
_EVENTS_AT_ONCE = 500

_NEED_DATA, _END = http1.NEED_DATA, http1.END
_logged = _ExceptionLoggingContext(app_log)


class ResponsePump:
    """Reads one response: reader events in, delegate calls out.

    ``_advance`` asks the reader for events until there are none, or something has to be waited for. ``_running`` says
    that it is on the stack, ``_held`` that it has to be woken, ``_over`` that there is nothing left to do. ``_within``
    says that the delegate has heard a beginning and is owed an end.
    """

    __slots__ = (
        "_conn",
        "_context",
        "_delegate",
        "_eof",
        "_heads",
        "_held",
        "_inside",
        "_over",
        "_paused",
        "_running",
        "_timer",
        "_within",
        "done",
        "reader",
        "stream",
    )

    def __init__(self, conn: HTTP1Connection, delegate: httputil.HTTPMessageDelegate) -> None:
        self._conn = conn
        self._delegate = delegate
        self.stream = conn._stream
        self.reader = http1.ResponseReader(conn.params.max_header_size, conn.params.chunk_size)
        request_line = conn._request_start_line
        self.reader.expect(None if request_line is None else request_line.method)
        #: What `.HTTP1Connection.read_response` returns.
        self.done = Future()
        # The delegate is called within one Context, however the bytes come.
        self._context = contextvars.copy_context()
        self._inside = False
        self._heads = 0
        self._eof = self._held = self._over = self._paused = self._running = self._within = False
        self._timer: Any = None

    def start(self) -> Future:
        """Begin to read. What is buffered is worked on before this returns."""
        stream = self.stream
        self._conn._response_pump = self
        self._arm(self._conn.params.header_timeout, self._on_head_timeout)
        stream._push_end = self._bring_in(self._stream_ended)
        stream._start_push(self._bring_in(self._data_received))
        if stream.closed() and not self._over:
            self._stream_ended()
        return self.done

    def _bring_in(self, function: Callable[..., None]) -> Callable[..., None]:
        """``function`` within the Context, and the stack contexts, that reading began in."""
        entered: Callable[..., None] = partial(self._enter, function)
        return wrap(entered) if _active() else entered

    def _enter(self, function: Callable[..., None], *args: Any) -> None:
        if self._inside:  # a stream that is resumed hands on what it holds at once, and a Context is not entered twice
            function(*args)
            return
        self._inside = True
        try:
            self._context.run(function, *args)
        finally:
            self._inside = False

    # Input

    def _data_received(self, data: bytes) -> None:
        if not self._within and self.reader.size + len(data) > self.stream.max_buffer_size:
            self._overflow()
            return
        self.reader.feed(data)
        if self._held or self._running:
            # One piece is taken in ahead, so that a close is noticed; then no more is read.
            self._paused = True
            self.stream._pause_push()
        else:
            self._advance()

    def _stream_ended(self) -> None:
        """The stream is closed, by whomever. What had come is worked on first."""
        self._eof = True
        if not (self._held or self._running or self._over):
            self._advance()

    def _advance(self) -> None:
        """Work on what the reader has, until it has no more or something must be waited for."""
        turns = _EVENTS_AT_ONCE
        self._running = True
        try:
            while not (self._held or self._over):
                event = self.reader.next_event()
                if event is _NEED_DATA:
                    if not self._eof:
                        if self._within and self.reader.missing:
                            self._fill_room()
                        break
                    self._take_end()
                elif event is _END:
                    self._on_end()
                elif type(event) is bytes:
                    with _logged:
                        waiting = self._delegate.data_received(event)
                    if waiting is not None:
                        self._wait_for(waiting, None)
                else:
                    self._on_head(cast("http1.Head", event))
                turns -= 1
                if not turns and not (self._held or self._over):
                    self._held = True
                    self.stream.io_loop.add_callback(self._bring_in(self._wake))
        except httputil.HTTPInputError as error:
            self._refuse(error)
        except (_QuietException, iostream.StreamClosedError) as error:
            self._fail(error)
        finally:
            self._running = False
        if self._paused and not (self._held or self._over):
            self._paused = False
            self.stream._resume_push()

    def _fill_room(self) -> None:
        """Have the rest of the body written into the delegate's own buffer, if it has one: no copy is made then."""
        stream = self.stream
        find_room = getattr(self._delegate, "_body_room", None)
        if find_room is None or self._paused or stream._incoming.size or not stream._fills():
            return
        room = find_room(self.reader.missing)
        if room is not None:
            stream._start_filling(room, self._bring_in(self._filled))

    def _filled(self, count: int) -> None:
        self.reader.skip(count)
        if not self.reader.missing:
            self._delegate._body_filled()  # type: ignore[attr-defined]
            self._advance()

    def _wake(self) -> None:
        self._held = False
        self._advance()

    def _wait_for(self, waiting: Any, then: Callable[[], None] | None) -> bool:
        """Hold on until ``waiting``, which a delegate returned, is there. False if it is already."""
        with _logged:
            future = convert_yielded(waiting)
            if future.done():
                future.result()
                return False
        self._held = True
        future.add_done_callback(self._bring_in(partial(self._resume, then)))
        return True

    def _resume(self, then: Callable[[], None] | None, future: Future) -> None:
        self._held = False
        if self._over:
            future.exception()
            return
        self._running = True
        try:
            with _logged:
                future.result()
            if then is not None:
                then()
        except httputil.HTTPInputError as error:
            self._refuse(error)
        except (_QuietException, iostream.StreamClosedError) as error:
            self._fail(error)
        finally:
            self._running = False
        if not (self._held or self._over):
            self._advance()

    # Events

    def _on_head(self, head: http1.Head) -> None:
        conn = self._conn
        conn._head = head
        conn._reading = BODY
        conn._response_start_line = head.start_line  # type: ignore[assignment]
        conn._disconnect_on_finish = not conn._can_keep_alive(head.start_line, head.headers)
        self._disarm()
        self._heads += 1
        self._within = True
        with _logged:
            waiting = self._delegate.headers_received(head.start_line, head.headers)
        if waiting is None or not self._wait_for(waiting, self._begin_body):
            self._begin_body()

    def _is_interim(self) -> bool:
        return 100 <= self._conn._head.start_line[1] < 200  # type: ignore[union-attr,operator]

    def _begin_body(self) -> None:
        """The delegate knows the head; see how the body is to be read."""
        conn = self._conn
        if conn._stream is None:
            # Detached: the connection now speaks another protocol, which is nobody's failure.
            self._within = False
            self._finish(False)
        elif self._is_interim():
            self._within = False  # the final response follows (RFC 9110 section 15.2)
        else:
            self.reader.max_body_size = conn._max_body_size
            self.reader.check_length(conn._head.length)  # type: ignore[union-attr]
            self._arm(conn._body_timeout, self._on_body_timeout)

    def _take_end(self) -> None:
        """The stream has ended, and the reader wants more."""
        held = self.stream._incoming
        if held.size:
            self.reader.feed(held.take(held.size))
        elif self.reader.state is http1.State.UNTIL_CLOSE:
            # This is how such a body ends; as in 4.5.3 also by a reset, which sloppy servers cause.
            self.reader.feed_eof()
        else:
            raise iostream.StreamClosedError(real_error=self.stream.error)

    def _on_end(self) -> None:
        if self._is_interim():
            if self._heads >= _MOST_HEADS:
                raise httputil.HTTPInputError("Too many interim responses")
            self._arm(self._conn.params.header_timeout, self._on_head_timeout)
            return
        conn = self._conn
        conn._reading = DONE
        self._within = False
        self._let_go()
        with _logged:
            self._delegate.finish()
        if conn._over or conn._stream is None or conn._stream.closed():
            self._exchange_over()
        else:
            # Our request is still being written; nobody reads, so a close has to be told in another way.
            conn._stream.set_close_callback(conn._on_connection_close)
            conn._finish_future.add_done_callback(self._bring_in(self._exchange_over))

    # The end

    def _exchange_over(self, _: Future | None = None) -> None:
        conn = self._conn
        if conn._disconnect_on_finish:
            conn.close()
        self._finish(conn._stream is not None)

    def _let_go(self) -> None:
        """Read no more; what came behind the response is the stream's again."""
        self._over = True
        self._disarm()
        self._conn._response_pump = None
        stream = self.stream
        if stream._push_end is not None:
            stream._push_end = None
            stream._stop_filling()
            stream._stop_push(self.reader.take_rest())

    def detach(self) -> None:
        """Somebody else goes on with the stream (called by `HTTP1Connection`)."""
        self._let_go()
        if not self._running:
            self._within = False
            self._finish(False)

    def _finish(self, result: bool) -> None:
        if not self._over:
            self._let_go()
        self._conn._clear_callbacks()
        if not self.done.done():
            self.done.set_result(result)

    def _tell_close(self) -> None:
        """The connection has ended within a message that the delegate has heard the beginning of."""
        if self._within:
            self._within = False
            with _logged:
                self._delegate.on_connection_close()

    def _fail(self, error: BaseException) -> None:
        """Reading is over, and ``error`` is its result."""
        if not self._over:
            self._let_go()
        try:
            self._tell_close()
        except _QuietException as worse:
            error = worse
        self._conn._clear_callbacks()
        if not self.done.done():
            self.done.set_exception(error)

    def _end_closed(self) -> None:
        """The connection has been closed by us: no message, and that is the result."""
        try:
            self._tell_close()
        except _QuietException as error:
            self._fail(error)
        else:
            self._finish(False)

    def _refuse(self, error: httputil.HTTPInputError) -> None:
        """The server's message is no good."""
        self._let_go()
        if isinstance(error, http1.HeadTooLarge) and not self._within:
            # In the words of a stream whose `read_until_regex` has found no end.
            gen_log.info("Unsatisfiable read, closing connection: %s", error)
            reason = iostream.UnsatisfiableReadError(str(error))
            self.stream.close(exc_info=(type(reason), reason, None))
            self._fail(iostream.StreamClosedError(real_error=reason))
            return
        gen_log.info("Malformed HTTP message from %s: %s", self._conn.context, printable(str(error)))
        self._conn.close()
        self._end_closed()

    def _overflow(self) -> None:
        """The head is larger than the stream may buffer, which would say so in these words."""
        self._let_go()
        gen_log.error("Reached maximum read buffer size")
        self.stream.close()
        gen_log.warning("error on read: %s", "Reached maximum read buffer size")
        self._fail(iostream.StreamClosedError())

    # Time

    def _arm(self, seconds: float | None, expired: Callable[[], None]) -> None:
        if seconds is not None:
            self._timer = self.stream.io_loop.call_later(seconds, self._bring_in(expired))

    def _disarm(self) -> None:
        if self._timer is not None:
            self.stream.io_loop.remove_timeout(self._timer)
            self._timer = None

    def _on_head_timeout(self) -> None:
        self._let_go()
        self._conn.close()
        self._finish(False)

    def _on_body_timeout(self) -> None:
        gen_log.info("Timeout reading body from %s", self._conn.context)
        self._let_go()
        self.stream.close()
        self._end_closed()
