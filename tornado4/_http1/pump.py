"""The server's driver: what the stream pushes goes through the reader to the delegate.

No Future, coroutine or timer belongs to a request, unless the application brings one.
"""

from __future__ import annotations

import asyncio
import contextvars
import enum
import socket
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from tornado4 import httputil, iostream, switches
from tornado4._core.deadlines import deadlines_of
from tornado4._core.memory import keep_large_blocks
from tornado4._core.yielded import convert_yielded
from tornado4._http1.connection import HTTP1Connection
from tornado4._http1.decompress import _GzipMessageDelegate
from tornado4._http1.exchange import BODY, DONE, HEAD, error_answer
from tornado4._http1.last import LastExchange
from tornado4._http1.parameters import _QuietException
from tornado4._http1.pulling import CONTINUE
from tornado4._masking import printable
from tornado4._wire import http1
from tornado4.concurrent import Future
from tornado4.log import app_log, gen_log
from tornado4.stack_context import NullContext, _active, _state, wrap

if TYPE_CHECKING:
    from tornado4._core.deadlines import Deadlines
    from tornado4.http1connection import HTTP1ServerConnection
    from tornado4.httputil import HTTPHeaders


class _Phase(enum.Enum):
    """What a served connection is about.

    ::

        HEAD -> BODY -> RESPONSE -> HEAD    (RESPONSE is left out when the answer is there already)
        HEAD, BODY -> LINGER -> OVER        a message was refused, or answered before it was read
        any -> OVER
    """

    HEAD = "between requests, or within a head"
    BODY = "within a request's body"
    RESPONSE = "the request is read, its answer is being made"
    LINGER = "everything is said; the client gets a moment to read it"
    OVER = "closed, or handed on"


#: Answers a request without body whose head is there, as the delegates of `start_request` would; or returns False
#: and leaves it to them. Found by a server delegate's ``_find_shortcut()``, which is asked once a connection and
#: returns None where the delegates are to be seen.
Shortcut: TypeAlias = "Callable[[HTTP1ServerConnection, HTTP1Connection, Any, HTTPHeaders], bool]"

# A look at an enumeration's member is a look into its class: not for what runs with each request.
_PHASE_HEAD, _PHASE_RESPONSE, _LINGERING, _PHASE_OVER = _Phase.HEAD, _Phase.RESPONSE, _Phase.LINGER, _Phase.OVER
_NEED_DATA, _END = http1.NEED_DATA, http1.END

#: After this many events from one piece of input others get their turn.
_EVENTS_AT_ONCE = 500
#: Bytes to ask the kernel for at once, at least.
_LEAST_READ = 65536
#: Bytes of a large body, for a delegate that takes pieces of any size, to ask the kernel for at once, at most.
_MOST_READ = 262144
_UNCUT = sys.maxsize
#: Answers to pipelined requests are gathered up to this many bytes.
_CORK_SIZE = 65536
#: Seconds and bytes that a client may go on sending after it has been refused.
_LINGER_TIME = 2.0
_LINGER_BYTES = 1 << 20


def _call(callback: Callable[[], None]) -> None:
    callback()


class RequestPump:
    """Serves one connection: reader events in, delegate calls out.

    There is one for the life of the connection. ``_advance`` is its heart: it asks the reader for
    events until there are none, or something has to be waited for. ``_running`` says that it is on the stack,
    ``_held`` that it has to be woken: by a delegate's Future, by the end of the answer, or by the loop.
    """

    __slots__ = (
        "_alone",
        "_body_timer",
        "_bulk",
        "_conn",
        "_context",
        "_contexts",
        "_cork",
        "_cork_size",
        "_delegate",
        "_enter",
        "_exchange",
        "_find_delegate",
        "_held",
        "_idle_since",
        "_idle_timer",
        "_linger_left",
        "_linger_timer",
        "_message",
        "_need_close",
        "_paused",
        "_phase",
        "_running",
        "_shortcut",
        "_slow_head",
        "done",
        "params",
        "reader",
        "server",
        "stream",
    )

    def __init__(
        self, server: HTTP1ServerConnection, delegate: httputil.HTTPServerConnectionDelegate
    ) -> None:
        params = server.params
        self.server = server
        self.stream = server.stream
        self.params = params
        self.done = Future()
        self.reader = http1.RequestReader(
            params.max_header_size, params.chunk_size, params.require_host, params.chunked_http10
        )
        self._delegate = delegate
        self._context = contextvars.copy_context()
        # The stack contexts of whoever made the server: requests are read and handlers called within these.
        self._contexts = _state.contexts
        self._enter = wrap(_call)
        self._exchange: type[HTTP1Connection] = HTTP1Connection
        self._cork: list[bytes] = []
        self._cork_size = 0
        self._held = False
        self._paused = False
        self._running = False
        self._alone = False  # what is being answered came by itself: there is nothing to gather answers for
        self._need_close = False
        self._phase = _Phase.HEAD
        self._body_timer: Any = None
        self._bulk = False
        self._idle_timer: Any = None
        self._slow_head: Deadlines | None = None  # set while a part of a head is there and the rest is not
        self._linger_timer: Any = None
        self._linger_left = _LINGER_BYTES
        self._idle_since = 0.0
        self._conn: HTTP1Connection
        self._message: httputil.HTTPMessageDelegate | None
        self._shortcut: Shortcut | None = None
        #: What the shortcut has for a request with a body: a delegate that knows the head already, or None.
        self._find_delegate: Callable[..., httputil.HTTPMessageDelegate | None] | None = None
        if not params.decompress:
            find_shortcut = getattr(delegate, "_find_shortcut", None)
            self._shortcut = None if find_shortcut is None else find_shortcut()
            self._find_delegate = getattr(getattr(self._shortcut, "__self__", None), "_shortcut_delegate", None)

    def start(self) -> Future:
        """Begin to serve. The Future resolves when that is over."""
        stream = self.stream
        stream.set_nodelay(True)
        # The reader cuts the body to ``chunk_size``; to ask the kernel for so little would only cost system
        # calls.
        stream.read_chunk_size = max(
            stream.read_chunk_size, min(_LEAST_READ, (stream.max_buffer_size or _LEAST_READ) // 2)
        )
        stream.set_close_callback(self._on_stream_close)
        try:
            self._next_request()
        except (Exception, asyncio.CancelledError) as error:
            # The application's `start_request`. As in 4.5.3 the loop logs it, and the server is told that the
            # connection is gone; 4.5.3 left the client waiting.
            self.done.set_exception(error)
            stream.close()
            return self.done
        if self.params.header_timeout is not None:
            self._arm_idle_timer(self.params.header_timeout)
        if stream.closed():
            self._finish_serving()
        else:
            stream._start_push(wrap(self._data_received) if _active() else self._data_received)
        return self.done

    def _next_request(self) -> None:
        """Get ready for the next request, or the first."""
        if self.params.header_timeout is not None:
            self._idle_since = time.monotonic()
        server = self.server
        conn = self._exchange(self.stream, False, self.params, server.context)
        conn._pump = self
        self._conn = conn
        self._phase = _PHASE_HEAD
        if self._shortcut is None:
            self._start_message()
        else:
            self._message = None  # see _on_head

    def _start_message(self) -> httputil.HTTPMessageDelegate:
        conn = self._conn
        message = self._delegate.start_request(self.server, conn)
        if self.params.decompress:
            message = _GzipMessageDelegate(message, self.params.chunk_size)
            message._max_size = conn._get_max_body_size
        self._message = message
        return message

    # Input

    def _data_received(self, data: bytes) -> None:
        if self._phase is _LINGERING:
            self._linger_left -= len(data)
            if self._linger_left < 0:
                self.stream.close()
            return
        reader = self.reader
        if self._held or self._running:
            # One piece is taken in ahead, so that a peer's close is noticed; then no more is read.
            reader.feed(data)
            self._paused = True
            self.stream._pause_push(True)
            return
        if self._bulk and len(data) < reader.missing:
            reader.skip(len(data))  # a piece of a large body that is not the last one: nobody has to cut it
            self._advance(data)
            return
        if self._shortcut is not None:
            head = reader.recall(data)
            if head is not None:
                self._take_whole(head, self._shortcut)
                return
        reader.feed(data)
        self._advance()

    def _take_whole(self, head: http1.Head, shortcut: Shortcut) -> None:
        """`_advance` for a request that came by itself and in one piece, as most do."""
        self._running = self._alone = True
        answered = True
        try:
            answered = self._answer(head, shortcut)
        except httputil.HTTPInputError as error:
            self._refuse(error)
        except _QuietException:
            self._abort()
        finally:
            self._running = self._alone = False
        if not answered:
            self.reader.expect_end()
            self._advance(head)
        elif self._paused and not self._held:
            self._advance()

    def _advance(self, event: Any = None) -> None:
        """Work on ``event``, if given, and what the reader has, until it has no more or something must be
        waited for.
        """
        reader = self.reader
        turns = _EVENTS_AT_ONCE
        self._running = True
        try:
            while not self._held:
                if event is None:
                    event = reader.next_event()
                if event is _NEED_DATA:
                    if self._phase is _PHASE_HEAD and self._slow_head is None and reader.pending:
                        self._begin_slow_head()
                    break
                if event is _END:
                    self._on_end()
                    if not reader.pending:
                        break
                elif type(event) is bytes:
                    self._on_data(event)
                else:
                    self._on_head(event)
                    if self._phase is _PHASE_HEAD and not reader.pending:
                        break  # it has been answered already
                event = None
                turns -= 1
                if not turns and not self._held:
                    self._held = True
                    self.stream.io_loop.add_callback(self._wake)
        except httputil.HTTPInputError as error:
            self._refuse(error)
        except _QuietException:
            self._abort()
        finally:
            self._running = False
            if self._cork:
                self._flush_cork()
        if self._held and self._has_more():
            self._paused = True
            self.stream._pause_push(True)
        elif self._paused:
            self._paused = False
            if not self.stream.closed():
                self.stream._resume_push()

    def _has_more(self) -> bool:
        """Whether something has come that has its turn before the end of the connection, as in 4.5.3: another request,
        pieces of the body, or the end of a body whose last piece is being worked on.
        """
        phase = self._phase
        if phase is _LINGERING or phase is _PHASE_OVER:
            return False
        reader = self.reader
        return reader.pending or (phase is _Phase.BODY and reader.state is http1.State.END)

    def _wake(self) -> None:
        """What was waited for is there."""
        if self._phase is _Phase.OVER:
            return
        self._held = False
        self._advance()

    def _wait_for(self, waiting: Any, then: Callable[[], None]) -> bool:
        """Hold on until ``waiting``, which a delegate returned, is there. False if it is already."""
        future = convert_yielded(waiting)
        if future.done():
            self._check_waited(future)
            return False
        self._held = True

        def resume(future: Future) -> None:
            if self._phase is _Phase.OVER:
                future.exception()
                return
            self._held = False
            self._running = True
            try:
                self._check_waited(future)
                then()
            except httputil.HTTPInputError as error:
                self._refuse(error)
            except _QuietException:
                self._abort()
            finally:
                self._running = False
            if not self._held:
                self._advance()

        future.add_done_callback(wrap(resume))
        return True

    def _soon(self, callback: Callable[[], None]) -> None:
        """Call it in the loop's next turn, in the contexts that the connection was accepted in."""
        with NullContext():
            self._context.run(self.stream.io_loop.add_callback, self._enter, callback)

    @staticmethod
    def _check_waited(future: Future) -> None:
        try:
            future.result()
        except httputil.HTTPInputError:
            raise
        except (Exception, asyncio.CancelledError):
            app_log.error("Uncaught exception", exc_info=True)
            raise _QuietException from None

    # Events

    def _on_head(self, head: http1.Head) -> None:
        if self._slow_head is not None:
            self._end_slow_head()
        conn = self._conn
        shortcut = self._shortcut
        if shortcut is not None and head.length == 0 and self._answer(head, shortcut):
            self.reader.take_end()
            return
        conn._head = head
        conn._request_start_line = head.start_line  # type: ignore[assignment]
        conn._request_headers = head.headers
        if not head.keep_alive or conn.no_keep_alive:
            conn._disconnect_on_finish = True
        conn._reading = BODY
        self._phase = _Phase.BODY
        known = self._message is None and head.length != 0 and self._find_message(head)
        self._need_close = True
        if known:
            self._begin_body()
            return
        message = self._message or self._start_message()
        try:
            waiting = message.headers_received(head.start_line, head.headers)
        except httputil.HTTPInputError:
            raise
        except (Exception, asyncio.CancelledError):
            app_log.error("Uncaught exception", exc_info=True)
            raise _QuietException from None
        if waiting is not None and self._wait_for(waiting, self._begin_body):
            return
        if head.length != 0 or conn._stream is None or conn._over or "Expect" in head.headers:
            self._begin_body()

    def _find_message(self, head: http1.Head) -> bool:
        """Have the shortcut make a delegate that knows the head already. False where the long way has to be gone."""
        if self._find_delegate is None:
            return False
        try:
            self._message = self._find_delegate(self.server, self._conn, head.start_line, head.headers)
        except httputil.HTTPInputError:
            raise
        except (Exception, asyncio.CancelledError):
            app_log.error("Uncaught exception", exc_info=True)
            raise _QuietException from None
        return self._message is not None

    def _answer(self, head: http1.Head, shortcut: Shortcut) -> bool:
        """Do what `_on_head` and `_on_end` would for a request that ends with its head, if ``shortcut`` can."""
        conn = self._conn
        conn._head = head
        conn._request_start_line = head.start_line  # type: ignore[assignment]
        conn._request_headers = head.headers
        if not head.keep_alive or conn.no_keep_alive:
            conn._disconnect_on_finish = True
        conn._reading = DONE
        self._phase = _PHASE_RESPONSE
        try:
            if not shortcut(self.server, conn, head.start_line, head.headers):
                return False
        except httputil.HTTPInputError:
            raise
        except (Exception, asyncio.CancelledError):
            app_log.error("Uncaught exception", exc_info=True)
            raise _QuietException from None
        if conn._over and not conn._disconnect_on_finish and not self.stream._closed and conn._stream is not None:
            self._next_request()  # what the following comes to
        else:
            self._response_under_way()
        return True

    def _begin_body(self) -> None:
        """The application knows the head; see whether and how the body is to be read."""
        conn = self._conn
        head = conn._head
        assert head is not None
        if conn._stream is None or self._phase is _Phase.OVER:
            self._finish_serving()
        elif self.stream.closed():
            self._on_stream_close()
        elif conn._over:
            self.response_ended_early()
        elif head.length == 0:
            self._continue(head)  # as in 4.5.3, where nobody looked whether there is anything to wait for
        else:
            self.reader.max_body_size = conn._max_body_size
            self.reader.check_length(head.length)
            if (head.length is None or head.length > _LEAST_READ) and getattr(self._message, "_takes_any_size", False):
                self._begin_bulk(head.length)
            self._continue(head)
            if conn._body_timeout is not None:
                self._body_timer = self.stream.io_loop.call_later(conn._body_timeout, self._on_body_timeout)

    def _continue(self, head: http1.Head) -> None:
        """Ask for the body, if the client wants to be asked."""
        if "Expect" in head.headers and self._conn._asks_to_continue(head):
            self._flush_cork()
            self.stream._send(CONTINUE)

    def _begin_bulk(self, length: int | None) -> None:
        """A large body, or perhaps one: have it come in few pieces, none of which is cut."""
        keep_large_blocks()
        self._bulk = True
        self.reader.chunk_size = _UNCUT
        stream = self.stream
        stream._ask = max(stream.read_chunk_size, min(_MOST_READ, stream.max_buffer_size // 2, length or _MOST_READ))

    def _end_bulk(self) -> None:
        self._bulk = False
        self.reader.chunk_size = self.params.chunk_size
        self.stream._ask = 0

    def _on_data(self, chunk: bytes) -> None:
        conn = self._conn
        if conn._writing is not DONE:
            assert self._message is not None
            try:
                waiting = self._message.data_received(chunk)
            except httputil.HTTPInputError:
                raise
            except (Exception, asyncio.CancelledError):
                app_log.error("Uncaught exception", exc_info=True)
                raise _QuietException from None
            if waiting is not None and self._wait_for(waiting, self._after_data):
                return
        self._after_data()

    def _after_data(self) -> None:
        conn = self._conn
        if conn._stream is None:
            self._finish_serving()
        elif self.stream.closed():
            self._on_stream_close()
        elif conn._over:
            self.response_ended_early()

    def _on_end(self) -> None:
        conn = self._conn
        conn._reading = DONE
        if self._body_timer is not None:
            self._drop_body_timer()
        if self._bulk:
            self._end_bulk()
        self._phase = _Phase.RESPONSE
        if conn._writing is not DONE:
            self._need_close = False
            assert self._message is not None
            try:
                self._message.finish()
            except httputil.HTTPInputError:
                self._need_close = True  # the body was not what it seemed: no end for the application
                raise
            except (Exception, asyncio.CancelledError):
                app_log.error("Uncaught exception", exc_info=True)
                raise _QuietException from None
        self._response_under_way()

    def _response_under_way(self) -> None:
        if self._conn._over:
            self._exchange_over()
        else:
            self._held = True
            if self.stream.closed():
                self._on_stream_close()

    def response_finished(self) -> None:
        """The answer is written (called by `HTTP1Connection`)."""
        if self._running:
            return  # `_advance` looks for itself
        if _state.contexts is self._contexts:
            self._go_on_after_response()
        else:
            self._enter(self._go_on_after_response)

    def _go_on_after_response(self) -> None:
        if self._phase is _Phase.RESPONSE:
            self._held = False
            self._exchange_over()
            phase: Any = self._phase  # another one by now, which mypy does not see
            if phase is _Phase.HEAD and (self.reader.pending or self._paused):
                # As in 4.5.3, the next request does not run within the application's `finish`, nor in its
                # contexts.
                self._held = True
                self._soon(self._wake)
        elif self._phase is _Phase.BODY:
            self.response_ended_early()

    def _exchange_over(self) -> None:
        """One request is read and answered; on to the next, or to the end."""
        conn = self._conn
        if self._need_close:
            self._tell_close()
        if conn._stream is None:
            self._finish_serving()
        elif conn._disconnect_on_finish or self.stream.closed():
            self._flush_cork()
            self.stream.close()
            self._finish_serving()
        else:
            self._next_request()

    def response_ended_early(self) -> None:
        """The answer is there and the request is not: say good-bye without reading on."""
        self._drop_body_timer()
        if self._need_close:
            self._tell_close()
        self._linger()

    def finish_soon(self) -> None:
        """Let the next answer be the last, and the client know: the server is about to stop."""
        self._exchange = LastExchange
        conn = self._conn
        if conn._writing is HEAD and type(conn) is HTTP1Connection:
            conn.__class__ = LastExchange

    @property
    def is_idle(self) -> bool:
        """Whether no part of a request has come that is not answered."""
        return self._phase is _PHASE_HEAD and not self.reader.pending

    # Trouble

    def _refuse(self, error: httputil.HTTPInputError) -> None:
        """The client's message is no good: one line in the log, an answer if there is none yet, good-bye."""
        if isinstance(error, http1.HeadTooLarge):
            gen_log.info("Unsatisfiable read, closing connection: %s", error)
        else:
            gen_log.info("Malformed HTTP message from %s: %s", self._conn.context, printable(str(error)))
        self._turn_away(error.status_code)

    def _turn_away(self, status: int) -> None:
        conn = self._conn
        self._drop_body_timer()
        unanswered = conn._writing is HEAD
        if self._need_close:
            self._tell_close()
        if self._phase is _Phase.OVER or self.stream.closed():
            self._finish_serving()
        elif unanswered and conn._writing is HEAD and self.params.answer_errors:
            self._flush_cork()
            self.stream._send(error_answer(status))
            conn._end()
            self._linger()
        else:
            conn.close()
            self._finish_serving()

    def _abort(self) -> None:
        """The application failed; that is in the log already."""
        self._drop_body_timer()
        if self._need_close:
            self._tell_close()
        self._conn.close()
        self._finish_serving()

    def _tell_close(self) -> None:
        self._need_close = False
        assert self._message is not None
        try:
            self._message.on_connection_close()
        except (Exception, asyncio.CancelledError):
            app_log.error("Uncaught exception", exc_info=True)

    def _linger(self) -> None:
        """Close so that the client can read what was sent.

        A socket that is closed with input unread sends a reset, which can overtake our answer (RFC 9112
        section 9.6). So first our side alone is closed, and what comes in is thrown away for a moment.
        """
        self._flush_cork()
        stream = self.stream
        self._phase = _Phase.LINGER
        self._held = True
        if stream.closed():
            self._finish_serving()
            return
        self._conn._clear_callbacks()
        self._linger_timer = stream.io_loop.call_later(_LINGER_TIME, stream.close)
        stream._on_drain(self._close_our_side)
        if self._paused:
            self._paused = False
            stream._resume_push()

    def _close_our_side(self) -> None:
        stream = self.stream
        if isinstance(stream, iostream.SSLIOStream):
            return  # what is below TLS must not be cut; the client knows by Content-Length or the time-out
        try:
            stream.socket.shutdown(socket.SHUT_WR)
        except OSError:
            stream.close()  # the client was faster

    def _on_stream_close(self) -> None:
        """The stream is closed, by whomever."""
        if self._phase is _Phase.OVER or self._running:
            if self._running and self._phase is not _Phase.OVER:
                self.stream.io_loop.add_callback(self._on_stream_close)
            return
        conn = self._conn
        conn._on_write_complete(None)
        if self._phase is _Phase.RESPONSE:
            if not conn._over:
                conn._on_connection_close()
        elif self._held and self._phase is _Phase.BODY:
            return  # a delegate is at work; it is told when it is ready, as in 4.5.3
        elif self._need_close:
            self._tell_close()
        self._finish_serving()

    def detach(self) -> None:
        """Somebody else goes on with the stream (called by `HTTP1Connection`)."""
        stream = self.stream
        stream.set_close_callback(None)
        self._phase = _Phase.OVER
        self._held = True
        stream._stop_push(self.reader.take_rest())
        self._need_close = False
        self._finish_serving()

    def _finish_serving(self) -> None:
        self._phase = _Phase.OVER
        self._held = True
        if self._need_close:
            self._tell_close()
        self._drop_body_timer()
        for timer in (self._idle_timer, self._linger_timer):
            if timer is not None:
                self.stream.io_loop.remove_timeout(timer)
        self._idle_timer = self._linger_timer = None
        self._end_slow_head()
        self._conn._end()
        if not self.done.done():
            self.done.set_result(None)

    # Time

    def _arm_idle_timer(self, delay: float) -> None:
        self._idle_timer = self.stream.io_loop.call_later(delay, self._on_idle_timer)

    def _on_idle_timer(self) -> None:
        """One timer a connection: it looks when the last request was over, and either closes or sleeps on."""
        timeout = self.params.header_timeout
        assert timeout is not None
        self._idle_timer = None
        if self._phase is not _Phase.HEAD:
            self._arm_idle_timer(timeout)
            return
        left = self._idle_since + timeout - time.monotonic()
        if left > 0.001:
            self._arm_idle_timer(left)
        else:
            self.stream.close()

    def _begin_slow_head(self) -> None:
        """A head has begun: from now on it has ``slow_head_timeout`` seconds, however its bytes come."""
        seconds = self.params.slow_head_timeout
        if seconds is not None:
            self._slow_head = deadlines_of(self.stream.io_loop, seconds)
            self._slow_head.begin(self, self._on_slow_head)

    def _end_slow_head(self) -> None:
        if self._slow_head is not None:
            self._slow_head.end(self)
            self._slow_head = None

    def _on_slow_head(self) -> None:
        self._slow_head = None
        if self._phase is _PHASE_HEAD and not self.stream.closed():
            gen_log.info("Timeout reading head from %s %s", self._conn.context, switches.hint("slow-heads"))
            self._turn_away(408)

    def _drop_body_timer(self) -> None:
        if self._body_timer is not None:
            self.stream.io_loop.remove_timeout(self._body_timer)
            self._body_timer = None

    def _on_body_timeout(self) -> None:
        self._body_timer = None
        if self._phase is _Phase.BODY:
            gen_log.info("Timeout reading body from %s", self._conn.context)
            self.stream.close()

    # Output

    def _emit(self, data: bytes | tuple[bytes, ...]) -> bool:
        """Send ``data``, or keep it while more pipelined requests are being answered. False if the socket is
        full. A tuple's pieces are large, and not worth keeping."""
        left: bool
        if isinstance(data, tuple):
            self._flush_cork()
            left = self.stream._send_pieces(data)
        elif self._alone:
            left = self.stream._send(data)
        elif self._running and self.reader.pending:
            self._cork.append(data)
            self._cork_size += len(data)
            left = self._cork_size < _CORK_SIZE or self._flush_cork()
        elif self._cork:
            self._cork.append(data)
            left = self._flush_cork()
        else:
            left = self.stream._send(data)
        return left

    def _flush_cork(self) -> bool:
        if not self._cork:
            return True
        data = b"".join(self._cork)
        self._cork.clear()
        self._cork_size = 0
        if self.stream.closed():
            return True
        everything: bool = self.stream._send(data)
        return everything
