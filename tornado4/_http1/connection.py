"""`HTTP1Connection`: an exchange whose reading half is a coroutine that pulls from the stream.

Clients read so. Servers do where ``_read_body`` or one of its neighbours is overridden; else ``pump`` reads
for them.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, cast

from tornado4 import gen, httputil, iostream
from tornado4._http1.decompress import _GzipMessageDelegate
from tornado4._http1.exchange import BODY, DONE, HEAD, Exchange, error_answer
from tornado4._http1.parameters import _ExceptionLoggingContext
from tornado4._wire import http1, http1_grammar
from tornado4.concurrent import Future
from tornado4.log import app_log, gen_log

if TYPE_CHECKING:
    from tornado4.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine

CONTINUE = b"HTTP/1.1 100 (Continue)\r\n\r\n"

#: Heads that a client reads for one response: those of interim responses, and its own.
_MOST_HEADS = 100


class HTTP1Connection(Exchange):
    """One exchange of a request and its response, seen from either side.

    ``stream`` is an `.IOStream`, ``context`` an opaque object that the request object looks at
    (``remote_ip``, ``protocol``) and that names the peer in the log.
    """

    def read_response(self, delegate: httputil.HTTPMessageDelegate) -> Future:
        """Read one message and tell ``delegate``.

        The `.Future` resolves when the exchange is over, which takes a `finish` on the writing side too: to
        True if a message was read. A malformed message or a time-out closes the connection and gives False,
        as does a `detach`.
        (As in 4.5.3 servers call this method as well, for requests.)
        """
        if self.params.decompress:
            delegate = _GzipMessageDelegate(delegate, self.params.chunk_size)
            delegate._max_size = self._get_max_body_size
        return self._read_message(delegate)

    def _get_max_body_size(self) -> int:
        return self._max_body_size

    @gen.coroutine
    def _read_message(self, delegate: httputil.HTTPMessageDelegate) -> Generator[Any, Any, bool]:
        cut_short = False
        try:
            for _ in range(_MOST_HEADS):
                data = yield from self._read_head_bytes()
                if data is None:
                    return False
                head = self._interpret_head(data)
                cut_short = True
                with _ExceptionLoggingContext(app_log):
                    waiting = delegate.headers_received(head.start_line, head.headers)
                if waiting is not None:
                    with _ExceptionLoggingContext(app_log):
                        yield waiting
                if self._stream is None:
                    # Detached: the connection now speaks another protocol, which is nobody's failure.
                    cut_short = False
                    return False
                if not (self.is_client and 100 <= cast(Any, head.start_line).code < 200):
                    break
                # An interim response; the final one follows (RFC 9110 section 15.2).
                cut_short = False
            else:
                raise httputil.HTTPInputError("Too many interim responses")
            if not (yield from self._pull_body(head, delegate)):
                return False
            self._reading = DONE
            if not self._write_finished or self.is_client:
                cut_short = False
                with _ExceptionLoggingContext(app_log):
                    delegate.finish()
            # While the application makes its answer nobody reads, so a close has to be told in another way.
            if not self._over and self._stream is not None and not self._stream.closed():
                self._stream.set_close_callback(self._on_connection_close)
                yield self._finish_future
            if self.is_client and self._disconnect_on_finish:
                self.close()
            return self._stream is not None
        except httputil.HTTPInputError as error:
            gen_log.info("Malformed HTTP message from %s: %s", self.context, error)
            self._answer_error(error.status_code)
            self.close()
            return False
        finally:
            if cut_short:
                self._tell_close(delegate)
            self._clear_callbacks()

    def _tell_close(self, delegate: httputil.HTTPMessageDelegate) -> None:
        """The connection has ended within a message that the delegate has heard the beginning of."""
        with _ExceptionLoggingContext(app_log):
            delegate.on_connection_close()

    def _read_head_bytes(self) -> Generator[Any, Any, bytes | None]:
        reading = self._stream.read_until_regex(b"\r?\n\r?\n", max_bytes=self.params.max_header_size)
        if self.params.header_timeout is None:
            return cast(bytes, (yield reading))
        io_loop = self._stream.io_loop
        try:
            return cast(
                bytes,
                (
                    yield gen.with_timeout(
                        io_loop.time() + self.params.header_timeout,
                        reading,
                        io_loop=io_loop,
                        quiet_exceptions=iostream.StreamClosedError,
                    )
                ),
            )
        except gen.TimeoutError:
            self.close()
            return None

    def _interpret_head(self, data: bytes) -> http1.Head:
        reader: http1.MessageReader
        if self.is_client:
            reader = http1.ResponseReader(len(data))
            request_line = self._request_start_line
            reader.expect(None if request_line is None else request_line.method)
        else:
            params = self.params
            reader = http1.RequestReader(
                len(data), params.chunk_size, params.require_host, params.chunked_http10
            )
        reader.feed(data)
        head = reader.next_event()
        if not isinstance(head, http1.Head):  # nothing but blank lines came before the blank line
            raise httputil.HTTPInputError("Malformed HTTP request line")
        self._head = head
        self._reading = BODY
        if self.is_client:
            self._response_start_line = cast("ResponseStartLine", head.start_line)
        else:
            self._request_start_line = cast("RequestStartLine", head.start_line)
            self._request_headers = head.headers
        self._disconnect_on_finish = not self._can_keep_alive(head.start_line, head.headers)
        return head

    def _pull_body(
        self, head: http1.Head, delegate: httputil.HTTPMessageDelegate
    ) -> Generator[Any, Any, bool]:
        """Read the body within the time that it is given. Returns False if that was not enough."""
        code = 0
        if self.is_client:
            code = cast("ResponseStartLine", head.start_line).code
            request_line = self._request_start_line
            if code == 304 or (request_line is not None and request_line.method == "HEAD"):
                return True
        elif self._asks_to_continue(head):
            self._stream.write(CONTINUE)
        reading = self._read_body(code, head.headers, delegate)
        if reading is None:
            return True
        if self._body_timeout is None:
            yield reading
            return True
        io_loop = self._stream.io_loop
        try:
            yield gen.with_timeout(
                io_loop.time() + self._body_timeout,
                reading,
                io_loop=io_loop,
                quiet_exceptions=iostream.StreamClosedError,
            )
        except gen.TimeoutError:
            gen_log.info("Timeout reading body from %s", self.context)
            self._stream.close()
            return False
        return True

    def _asks_to_continue(self, head: http1.Head) -> bool:
        """Whether the client waits for a 100 before it sends its body (RFC 9110 section 10.1.1).

        HTTP/1.0 does not know the answer, so there it is not given, whatever the client says.
        """
        return (
            head.headers.get("Expect", "").lower() == "100-continue"
            and self._writing is not DONE
            and cast("RequestStartLine", head.start_line).version != "HTTP/1.0"
        )

    def _read_body(
        self, code: int, headers: HTTPHeaders, delegate: httputil.HTTPMessageDelegate
    ) -> Future | None:
        """Read the body that ``headers`` announce; ``code`` is the response's, 0 for a request.

        Returns None if there is no body. May be overridden; so may the three methods that it chooses from.
        """
        head = self._head
        assert head is not None
        if head.chunked:
            return self._read_chunked_body(delegate)
        if head.length is None:
            return self._read_body_until_close(delegate)
        if head.length > self._max_body_size:
            error = httputil.HTTPInputError("Content-Length too long")
            error.status_code = 413
            raise error
        if not head.length and "Content-Length" not in headers:
            return None
        return self._read_fixed_body(head.length, delegate)

    @gen.coroutine
    def _read_fixed_body(
        self, content_length: int, delegate: httputil.HTTPMessageDelegate
    ) -> Generator[Any, Any, None]:
        while content_length > 0:
            body = yield self._stream.read_bytes(min(self.params.chunk_size, content_length), partial=True)
            content_length -= len(body)
            yield from self._hand_over(body, delegate)

    @gen.coroutine
    def _read_chunked_body(self, delegate: httputil.HTTPMessageDelegate) -> Generator[Any, Any, None]:
        total = 0
        while True:
            line = yield self._stream.read_until(b"\r\n", max_bytes=http1.MAX_CHUNK_LINE)
            size = http1_grammar.parse_chunk_size(line[:-2])
            if not size:
                break
            total += size
            if total > self._max_body_size:
                error = httputil.HTTPInputError("chunked body too large")
                error.status_code = 413
                raise error
            while size:
                chunk = yield self._stream.read_bytes(min(size, self.params.chunk_size), partial=True)
                size -= len(chunk)
                yield from self._hand_over(chunk, delegate)
            if (yield self._stream.read_bytes(2)) != b"\r\n":
                raise httputil.HTTPInputError("chunk data is not followed by CRLF")
        room = self.params.max_header_size
        while True:
            line = yield self._stream.read_until(b"\n", max_bytes=room)
            if line in (b"\r\n", b"\n"):
                return
            room -= len(line)
            if room <= 0 or http1_grammar.parse_fields(line.decode("latin-1")) is None:
                raise httputil.HTTPInputError("Malformed trailer field")

    @gen.coroutine
    def _read_body_until_close(self, delegate: httputil.HTTPMessageDelegate) -> Generator[Any, Any, None]:
        # In pieces, so that a body may be larger than the stream's buffer; `max_body_size` holds all the
        # same.
        total = 0
        while True:
            try:
                chunk = yield self._stream.read_bytes(self.params.chunk_size, partial=True)
            except iostream.StreamClosedError:
                # This is how such a body ends; as in 4.5.3 also by a reset, which sloppy servers cause.
                return
            total += len(chunk)
            if total > self._max_body_size:
                raise httputil.HTTPInputError("body too large")
            yield from self._hand_over(chunk, delegate)

    def _hand_over(self, chunk: bytes, delegate: httputil.HTTPMessageDelegate) -> Generator[Any, Any, None]:
        if not self._write_finished or self.is_client:
            with _ExceptionLoggingContext(app_log):
                waiting = delegate.data_received(chunk)
                if waiting is not None:
                    yield waiting

    def _answer_error(self, status: int) -> None:
        """Tell the client why its message is refused, unless an answer is under way. The connection is to be
        closed."""
        if self.is_client or self._writing is not HEAD or not self.params.answer_errors:
            return
        if self._stream is None or self._stream.closed():
            return
        self._stream.write(error_answer(status))


#: Methods that only the pulling driver calls; where one is replaced, it is that driver's turn.
_PULLING = (
    "_read_body",
    "_read_body_until_close",
    "_read_chunked_body",
    "_read_fixed_body",
    "_read_message",
    "read_response",
)


def _pulling_methods() -> list[Any]:
    return [getattr(HTTP1Connection, name) for name in _PULLING]


_own_pulling_methods = _pulling_methods()


def reading_is_overridden() -> bool:
    """Whether somebody put a method of their own on `HTTP1Connection` itself."""
    return _pulling_methods() != _own_pulling_methods
