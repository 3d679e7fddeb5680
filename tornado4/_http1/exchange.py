"""One exchange of a request and its response: its state, its end, and the writing half of it.

The reading half is in ``client_pump`` and ``pump`` (what clients and servers are pushed) and in ``pulling`` (a
coroutine, for those who override it).
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tornado4 import httputil, iostream, stack_context
from tornado4._http1.parameters import HTTP1ConnectionParameters
from tornado4._wire import http1_grammar
from tornado4.concurrent import Future

if TYPE_CHECKING:
    from tornado4._http1.client_pump import ResponsePump
    from tornado4._http1.pump import RequestPump
    from tornado4._wire import http1
    from tornado4.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine
    from tornado4.httputil.delegates import Notify, StartLine


class Part(enum.Enum):
    """How far one half of an exchange, the reading or the writing, has come.

    ::

        reading:  HEAD -> BODY -> DONE      DONE when the last byte has been read
        writing:  HEAD -> BODY -> DONE      DONE when `HTTP1Connection.finish` was called

    The exchange is over when both are DONE and what was written has left for the kernel. A server that is
    DONE writing before it is DONE reading closes the connection, since what is left of the request would have
    to be read first.
    """

    HEAD = "nothing yet"
    BODY = "the head, and perhaps some of the body"
    DONE = "all of it"


#: From so many bytes on, a piece of a body goes to the kernel from where it lies, beside its head, uncopied.
_GATHER_FROM = 16384

HEAD, BODY, DONE = Part.HEAD, Part.BODY, Part.DONE


class Exchange(httputil.HTTPConnection):
    """What `HTTP1Connection` is, short of its reading methods."""

    # What most exchanges leave as it is lies on the class; an instance has only what differs.
    _write_callback: Callable[[], Any] | None = None
    _write_future: Future | None = None
    _pending_write: Future | None = None
    _close_callback: Callable[[], Any] | None = None
    _request_start_line: RequestStartLine | None = None
    _response_start_line: ResponseStartLine | None = None
    _request_headers: HTTPHeaders | None = None
    _chunking_output: bool | None = None
    _expected_content_remaining: int | None = None
    _disconnect_on_finish: bool = False
    _reading: Part = HEAD
    _writing: Part = HEAD
    _over: bool = False  # `_finish_future` is done, or would be
    _finish_waiter: Future | None = None
    _pump: RequestPump | None = None
    _response_pump: ResponsePump | None = None
    _head: http1.Head | None = None
    _clogged: bool = False
    _undelayed: bool = False  # whoever made the connection has seen to it that no packet waits for others
    _body_timeout: float | None = None

    def __init__(
        self,
        stream: Any,
        is_client: bool,
        params: HTTP1ConnectionParameters | None = None,
        context: Any = None,
    ) -> None:
        params = HTTP1ConnectionParameters() if params is None else params
        self.params = params
        self.context = context
        self.is_client = is_client
        self._stream: Any = stream
        self.no_keep_alive = params.no_keep_alive
        self._max_body_size: int = params.max_body_size or stream.max_buffer_size
        if params.body_timeout is not None:
            self._body_timeout = params.body_timeout

    @property
    def stream(self) -> Any:
        """The stream; None after `detach`. Answers that wait to leave together go out first."""
        pump = self._pump
        if pump is not None and pump._cork:
            pump._flush_cork()
        return self._stream

    @stream.setter
    def stream(self, stream: Any) -> None:
        self._stream = stream

    # The state, as 4.5.3 showed it

    @property
    def _read_finished(self) -> bool:
        return self._reading is DONE

    @property
    def _write_finished(self) -> bool:
        return self._writing is DONE

    @property
    def _finish_future(self) -> Future:
        """Resolves when the exchange is over."""
        waiter = self._finish_waiter
        if waiter is None:
            waiter = self._finish_waiter = Future()
            if self._over:
                waiter.set_result(None)
        return waiter

    def _unanswered(self) -> bool:
        """Whether nothing of the answer has been sent."""
        return self._writing is HEAD

    def _end(self) -> None:
        """The exchange is over, one way or another."""
        self._over = True
        waiter = self._finish_waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # Closing and handing on

    def _clear_callbacks(self) -> None:
        """Forget the callbacks, which may hold references back to us."""
        if self._write_callback is not None:
            self._write_callback = None
        if self._write_future is not None:
            self._write_future = None
        if self._close_callback is not None:
            self._close_callback = None
        if self._pump is None and self._stream is not None:
            self._stream.set_close_callback(None)

    def set_close_callback(self, callback: Callable[[], Any] | None) -> None:
        """Run ``callback`` when the connection is closed while the answer is being made.

        .. deprecated:: 4.0
           Use `.HTTPMessageDelegate.on_connection_close`.
        """
        self._close_callback = None if callback is None else stack_context.wrap(callback)

    def _on_connection_close(self) -> None:
        """The peer is gone, and the answer is not finished."""
        callback = self._close_callback
        if callback is not None:
            self._close_callback = None
            callback()
        self._end()
        self._clear_callbacks()

    def close(self) -> None:
        """Close the connection at once."""
        stream = self.stream
        if stream is not None:
            stream.close()
        self._clear_callbacks()
        self._end()

    def detach(self) -> Any:
        """Hand out the stream, for another protocol.

        What has been read beyond the current message is in the stream's buffer again. To be called
        while `.HTTPMessageDelegate.headers_received` or a later method of it runs, or after.
        """
        stream = self.stream
        self._clear_callbacks()
        pump = self._pump
        self._stream = None
        self._end()
        if pump is not None:
            pump.detach()
        if self._response_pump is not None:
            self._response_pump.detach()
        return stream

    def set_body_timeout(self, timeout: float | None) -> None:
        """Give this request's body ``timeout`` seconds, in place of
        ``HTTP1ConnectionParameters.body_timeout``."""
        self._body_timeout = timeout

    def set_max_body_size(self, max_body_size: int) -> None:
        """Let this request's body have ``max_body_size`` bytes, in place of the parameter of that name."""
        self._max_body_size = max_body_size

    # Writing

    def _write_response(
        self, start_line: ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None
    ) -> None:
        """`write_headers` for `.RequestHandler`, of a whole response: no Future is made, and nobody is told
        when the bytes have left, or that the client has."""
        self._close_callback = None
        if type(self).write_headers is not _WRITE_HEADERS:
            self.write_headers(start_line, headers, chunk)  # somebody wants to see it
            return
        pump = self._pump
        stream = self._stream
        request_line = self._request_start_line
        code = start_line[1]
        data: bytes | tuple[bytes, ...]
        if (
            chunk
            and pump is not None
            and request_line is not None
            and request_line[2] == "HTTP/1.1"
            and request_line[0] != "HEAD"
            and code >= 200
            and code != 204
            and code != 304
            and headers._values.get("Content-Length") == str(len(chunk))
        ):
            # The common case, of which `_spell_head` would say the same at greater length.
            head = http1_grammar.format_head(f"HTTP/1.1 {code} {start_line[2]}", headers)
            self._response_start_line = start_line
            self._expected_content_remaining = 0
            self._writing = BODY
            data = head + chunk if len(chunk) < _GATHER_FROM else (head, chunk)
        else:
            data = self._spell_head(start_line, headers, chunk)
        if pump is None or stream is None or stream._closed:
            self._write_bytes(data, None)
        elif not pump._emit(data):
            self._clogged = True

    def write_headers(
        self, start_line: StartLine, headers: HTTPHeaders, chunk: bytes | None = None, callback: Notify | None = None
    ) -> Future | None:
        """Send a head, with the first piece of the body; see `.HTTPConnection.write_headers`.

        The head is completed as the protocol wants it: chunked encoding where no length is known,
        ``Connection: Keep-Alive`` for HTTP/1.0. Raises `ValueError` for a line break in a header,
        `.HTTPOutputError` for more body than Content-Length says.
        """
        return self._write_bytes(self._spell_head(start_line, headers, chunk), callback)

    def _spell_head(
        self, start_line: Any, headers: HTTPHeaders, chunk: bytes | None
    ) -> bytes | tuple[bytes, ...]:
        if self.is_client:
            self._request_start_line = start_line
            first_line = f"{start_line[0]} {start_line[1]} HTTP/1.1"
            # A client without a body to send has nothing to frame; a server does not know yet
            self._chunking_output = (
                start_line.method in ("POST", "PUT", "PATCH")
                and "Content-Length" not in headers
                and "Transfer-Encoding" not in headers
            )
            length = headers.get("Content-Length")
        else:
            self._response_start_line = start_line
            _, code, reason = start_line
            first_line = f"HTTP/1.1 {code} {reason}"
            length = self._frame_response(code, headers)
        if self._chunking_output:
            headers["Transfer-Encoding"] = "chunked"
        self._expected_content_remaining = None if length is None else _read_own_length(length)
        head = http1_grammar.format_head(first_line, headers)
        self._writing = BODY
        return self._format_pieces(head, chunk) if chunk else head

    def _frame_response(self, code: int, headers: HTTPHeaders) -> str | None:
        """Decide how the response's body ends; returns how many bytes it is to have, None if unknown."""
        request_line = self._request_start_line
        assert request_line is not None
        length: str | None = headers.get("Content-Length")
        old_version = request_line.version != "HTTP/1.1"
        bodiless = code in (204, 304) or 100 <= code < 200 or request_line.method == "HEAD"
        framed = length is not None or "Transfer-Encoding" in headers
        self._chunking_output = not (framed or bodiless or old_version)
        if old_version and self._keep_alive_for_old(headers, framed or bodiless):
            headers["Connection"] = "Keep-Alive"
        # RFC 9110 section 6.4.1; 4.5.3 let a body follow a 204
        return "0" if bodiless else length

    def _keep_alive_for_old(self, headers: HTTPHeaders, framed: bool) -> bool:
        """Whether to tell an HTTP/1.0 client that the connection stays. If it cannot know where the body
        ends, it must go (4.5.3 kept it, and the client waited)."""
        request_headers = self._request_headers
        assert request_headers is not None and self._request_start_line is not None
        if self._request_start_line.version != "HTTP/1.0":
            return False
        if not framed:
            self._disconnect_on_finish = True
        options = http1_grammar.connection_options(request_headers.get("Connection"))
        return "keep-alive" in options and not self._disconnect_on_finish

    def _format_chunk(self, chunk: bytes) -> bytes:
        """Count ``chunk`` against Content-Length and wrap it for chunked encoding."""
        expected = self._expected_content_remaining
        if expected is not None:
            expected -= len(chunk)
            self._expected_content_remaining = expected
            if expected < 0:
                # The peer has been promised less; only a close can tell it that something is wrong. As in 4.5.3 it
                # is raised once: what ends the message after it passes.
                self._expected_content_remaining = None
                self.stream.close()
                raise httputil.HTTPOutputError("Tried to write more data than Content-Length")
        if self._chunking_output and chunk:
            return b"%x\r\n%b\r\n" % (len(chunk), chunk)
        return chunk

    def _count_body(self, size: int) -> None:
        """``size`` bytes of the body have left by another way than `write`."""
        assert self._expected_content_remaining is not None
        self._expected_content_remaining -= size

    def _format_pieces(self, head: bytes, chunk: bytes) -> bytes | tuple[bytes, ...]:
        """What `_format_chunk` makes of ``chunk``, behind ``head``. A large chunk is not copied."""
        if type(chunk) is not bytes or len(chunk) < _GATHER_FROM:
            return head + self._format_chunk(chunk) if head else self._format_chunk(chunk)
        if not self._chunking_output:
            self._format_chunk(chunk)
            return (head, chunk) if head else chunk
        return (b"%b%x\r\n" % (head, len(chunk)), chunk, b"\r\n")

    def write(self, chunk: bytes, callback: Callable[[], Any] | None = None) -> Future | None:
        """Send a piece of the body; see `.HTTPConnection.write`.

        As in 4.5.3 this may be called without `write_headers` before it: the bytes go out as they are.
        """
        return self._write_bytes(self._format_pieces(b"", chunk), callback)

    def _write_bytes(
        self, data: bytes | tuple[bytes, ...], callback: Callable[[], Any] | None
    ) -> Future | None:
        stream = self._stream
        if stream.closed():
            failed = Future()
            failed.set_exception(iostream.StreamClosedError())
            failed.exception()  # who does not look does not care
            return failed
        pump = self._pump
        if pump is not None and callback is None and self._write_future is None and self._write_callback is None:
            # The common case: nobody waits for an earlier write, and mostly the kernel takes all at once.
            if pump._cork:
                pump._flush_cork()
            sent = Future()
            if stream._send_pieces(data) if type(data) is tuple else stream._send(data):
                sent._done, sent._callbacks = True, None  # `set_result(None)`: nobody can listen yet
            else:
                self._write_future = sent
                self._clogged = True
                stream._on_drain(self._on_drained)
            return sent
        future: Future | None = None
        if callback is not None:
            self._write_callback = stack_context.wrap(callback)
        else:
            future = Future()
            earlier = self._write_future
            if earlier is not None:
                future.add_done_callback(lambda _: _resolve(earlier))
            self._write_future = future
        if pump is None:
            if type(data) is tuple:
                for piece in data[:-1]:
                    stream.write(piece)
                data = data[-1]
            self._pending_write = stream.write(data)
            self._pending_write.add_done_callback(self._on_write_complete)
        else:
            pump._flush_cork()
            if stream._send_pieces(data) if type(data) is tuple else stream._send(data):
                self._on_write_complete(None)
            else:
                self._clogged = True
                stream._on_drain(self._on_drained)
        return future

    def _on_drained(self) -> None:
        self._clogged = False
        self._on_write_complete(None)
        if self._writing is DONE and not self._over:
            self._finish_request(None)

    def _on_write_complete(self, future: Future | None) -> None:
        """What was written has been handed to the kernel, or never will be."""
        if future is not None:
            error = future.exception()
            if error is not None and not isinstance(error, iostream.StreamClosedError):
                raise error
        if self._write_callback is not None:
            callback = self._write_callback
            self._write_callback = None
            self._stream.io_loop.add_callback(callback)
        if self._write_future is not None:
            waiting = self._write_future
            self._write_future = None
            waiting.set_result(None)

    def finish(self) -> None:
        """End the message. Raises `.HTTPOutputError` if Content-Length promised more."""
        pump = self._pump
        missing = self._expected_content_remaining
        if missing and not self._stream.closed():
            self.stream.close()
            raise httputil.HTTPOutputError(f"Tried to write {missing} bytes less than Content-Length")
        if self._chunking_output and not self._stream.closed():
            self._send_last(b"0\r\n\r\n")
        self._writing = DONE
        if self._reading is not DONE:
            # The rest of the request may be long, and be held back by a client that waits for us.
            self._disconnect_on_finish = not self.is_client or self._disconnect_on_finish
        if pump is None:
            if not self._undelayed:
                self._stream.set_nodelay(True)
            if self._pending_write is None:
                self._finish_request(None)
            else:
                self._pending_write.add_done_callback(self._finish_request)
        elif not self._clogged:
            self._write_callback = self._write_future = self._close_callback = None
            self._over = True
            if self._finish_waiter is not None:
                self._end()
            if not pump._running:
                pump.response_finished()
        elif self._write_future is None and self._write_callback is None:
            self._stream._on_drain(self._on_drained)

    def _send_last(self, data: bytes) -> None:
        if self._pump is None:
            self._pending_write = self._stream.write(data)
            self._pending_write.add_done_callback(self._on_write_complete)
        elif not self._pump._emit(data):
            self._clogged = True

    def _can_keep_alive(self, start_line: Any, headers: HTTPHeaders) -> bool:
        """Whether the connection may be used again after the message with this head."""
        if self.no_keep_alive:
            return False
        if self._head is not None:
            return self._head.keep_alive
        framed = (
            "Content-Length" in headers
            or headers.get("Transfer-Encoding", "").lower() == "chunked"
            or getattr(start_line, "method", None) in ("HEAD", "GET")
        )
        return http1_grammar.wants_keep_alive(start_line.version, headers.get("Connection"), framed)

    def _finish_request(self, future: Future | None) -> None:
        """The message is written and gone."""
        self._clear_callbacks()
        pump = self._pump
        if pump is not None:
            self._end()
            pump.response_finished()
            return
        if not self.is_client and self._disconnect_on_finish:
            self.close()
            return
        # Small packets of the next message may wait for each other again
        if self._stream is not None and not self._undelayed:
            self._stream.set_nodelay(False)
        self._end()


#: To see whether it has been replaced.
_WRITE_HEADERS = Exchange.write_headers


def _read_own_length(value: str) -> int:
    """The Content-Length that an application has set. `ValueError` for one that no peer would take."""
    digits = value.strip(" \t")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"invalid literal for int() with base 10: {value!r}")  # as in 4.5.3
    return int(digits)


def _resolve(future: Future) -> None:
    if not future.done():
        future.set_result(None)


def error_answer(status: int) -> bytes:
    reason = httputil.responses.get(status, "Unknown")
    return f"HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode("latin-1")
