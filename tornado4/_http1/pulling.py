"""The reading half of an exchange as a coroutine that pulls from the stream: kept for what people override.

OctoPrint, for one, replaces ``_read_body`` and its neighbours, and an override must take part in reading. Where none is
replaced, ``client_pump`` reads for clients and ``pump`` for servers; a server that calls
`.HTTP1Connection.read_response` itself, as 4.5.3's did, reads so as well. Bodies are taken apart by the same reader
as everywhere.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, cast

from tornado4 import gen, httputil, iostream
from tornado4._http1.client_pump import _MOST_HEADS
from tornado4._http1.exchange import BODY, DONE, HEAD, Exchange, error_answer
from tornado4._http1.parameters import _ExceptionLoggingContext
from tornado4._masking import printable
from tornado4._wire import http1
from tornado4.concurrent import Future
from tornado4.log import app_log, gen_log

if TYPE_CHECKING:
    from tornado4.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine

CONTINUE = b"HTTP/1.1 100 (Continue)\r\n\r\n"


class PullingExchange(Exchange):
    """What `.HTTP1Connection` has for those who replace a part of its reading."""

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
            gen_log.info("Malformed HTTP message from %s: %s", self.context, printable(str(error)))
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
        yield from self._pull_pieces(content_length, False, delegate)

    @gen.coroutine
    def _read_chunked_body(self, delegate: httputil.HTTPMessageDelegate) -> Generator[Any, Any, None]:
        yield from self._pull_pieces(None, True, delegate)

    @gen.coroutine
    def _read_body_until_close(self, delegate: httputil.HTTPMessageDelegate) -> Generator[Any, Any, None]:
        # In pieces, so that a body may be larger than the stream's buffer; `max_body_size` holds all the
        # same.
        yield from self._pull_pieces(None, False, delegate)

    def _pull_pieces(
        self, length: int | None, chunked: bool, delegate: httputil.HTTPMessageDelegate
    ) -> Generator[Any, Any, None]:
        """Read a body that is framed so. What was read beyond it is the stream's again."""
        params, stream = self.params, self._stream
        reader = http1.MessageReader(params.max_header_size, params.chunk_size)
        reader.max_body_size = self._max_body_size
        reader.begin_body(length, chunked)
        missing = params.chunk_size if length is None else length
        while (event := reader.next_event()) is not http1.END:
            if isinstance(event, bytes):
                yield from self._hand_over(event, delegate)
                continue
            try:
                piece = yield stream.read_bytes(min(params.chunk_size, missing), partial=True)
            except iostream.StreamClosedError:
                if reader.state is not http1.State.UNTIL_CLOSE:
                    raise
                # This is how such a body ends; as in 4.5.3 also by a reset, which sloppy servers cause.
                return
            if length is not None:
                missing -= len(piece)
            reader.feed(piece)
        if reader.pending:
            stream._incoming.prepend(reader.take_rest())

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
