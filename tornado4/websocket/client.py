"""The client's side: `websocket_connect` and the connection it leads to."""

from __future__ import annotations

import base64
import collections
import os
from collections.abc import Callable
from typing import Any, cast

from tornado4 import httpclient, httputil, simple_httpclient
from tornado4.concurrent import Future, TracebackFuture
from tornado4.ioloop import IOLoop
from tornado4.iostream import StreamClosedError
from tornado4.tcpclient import TCPClient
from tornado4.websocket.errors import WebSocketError
from tornado4.websocket.protocol import DEFAULT_MAX_MESSAGE_SIZE, WebSocketProtocol13

_SCHEMES = {"ws": "http", "wss": "https"}

# Bytes, as in 4.5.3: of the stream's buffer and of a response that is no WebSocket; of its headers.
_MAX_BUFFER_SIZE = 104857600
_MAX_HEADER_SIZE = 65536

# What a message in the queue takes besides its text, roughly.
_MESSAGE_OVERHEAD = 64


class WebSocketClientConnection(simple_httpclient._HTTPConnection):
    """An open connection, as `websocket_connect` gives it. Not to be created directly.

    ``headers`` are those of the server's answer; ``close_code`` and ``close_reason`` what the server closed
    with.
    """

    #: Callbacks run where the connection was asked for: there is no request that they belong to.
    _request_context = None

    def __init__(
        self,
        io_loop: IOLoop,
        request: Any,
        on_message_callback: Callable[[Any], Any] | None = None,
        compression_options: dict[str, Any] | None = None,
        ping_interval: float | None = None,
        ping_timeout: float | None = None,
        max_message_size: int | None = None,
    ) -> None:
        self.compression_options = compression_options
        self.connect_future: Future = TracebackFuture()
        self.protocol: WebSocketProtocol13 | None = None
        # As protocol, but kept through close(): it wants to hear of the stream's end.
        self._protocol: WebSocketProtocol13 | None = None
        self.read_future: Future | None = None
        self.read_queue: collections.deque[Any] = collections.deque()
        # Bytes in the queue, about, and what the server has to wait for when these are too many.
        self._queued = 0
        self._room: Future | None = None
        self.key = base64.b64encode(os.urandom(16))
        self._on_message_callback = on_message_callback
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self.ping_interval = ping_interval
        self.ping_timeout = ping_timeout
        self.max_message_size = max_message_size
        self._ask_for_upgrade(request)
        super().__init__(
            io_loop,
            None,
            request,
            None,
            self._on_http_response,
            _MAX_BUFFER_SIZE,
            TCPClient(io_loop=io_loop),
            _MAX_HEADER_SIZE,
            _MAX_BUFFER_SIZE,
        )

    def _ask_for_upgrade(self, request: Any) -> None:
        """Make the request an opening handshake (RFC 6455, section 4.1). KeyError for a scheme that is not
        ws or wss.
        """
        scheme, separator, rest = request.url.partition(":")
        # On the proxy: the request of the caller stays as it is.
        request.url = _SCHEMES[scheme] + separator + rest
        headers = request.headers
        headers["Upgrade"] = "websocket"
        headers["Connection"] = "Upgrade"
        headers["Sec-WebSocket-Key"] = self.key.decode("ascii")
        headers["Sec-WebSocket-Version"] = "13"
        if self.compression_options is not None:
            # The window is offered to be limited, which costs us nothing.
            headers["Sec-WebSocket-Extensions"] = "permessage-deflate; client_max_window_bits"

    # -- the handshake's answer

    def headers_received(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> None:
        """101 opens the WebSocket; all else is a response as usual, and an error in the end.

        :raises HTTPInputError: the server's part of the handshake is malformed.
        """
        if cast(httputil.ResponseStartLine, start_line).code != 101:
            super().headers_received(start_line, headers)
            return
        self.headers = headers
        protocol = self.protocol = self._protocol = self.get_websocket_protocol()
        try:
            protocol._process_server_headers(self.key, headers)
        except (LookupError, ValueError, WebSocketError) as error:
            # The server's fault, and no traceback of ours; the connection is closed, as in 4.5.3.
            raise httputil.HTTPInputError(f"Malformed WebSocket handshake: {error}") from error
        self._remove_timeout()
        self.stream = self.connection.detach()
        self.stream.set_close_callback(self.on_connection_close)
        protocol.stream = self.stream
        protocol.start_pinging()
        # From here on the exchange is not HTTP's any more: no errors through the final callback.
        self.final_callback = None
        self.connect_future.set_result(self)
        # Whoever waits for the connection gets it before the first message does (as in 4.5.3), even when
        # that came together with the handshake; a waiting coroutine is up to two iterations away.
        self.io_loop.add_callback(self.io_loop.add_callback, protocol._start_reading)

    def _on_http_response(self, response: httpclient.HTTPResponse) -> None:
        """There was a response, or an error, in place of a WebSocket."""
        self.tcp_client.close()
        if not self.connect_future.done():
            self.connect_future.set_exception(response.error or WebSocketError("Non-websocket response"))

    def get_websocket_protocol(self) -> WebSocketProtocol13:
        """The protocol for this connection; subclasses may bring their own."""
        return WebSocketProtocol13(self, mask_outgoing=True, compression_options=self.compression_options)

    def on_connection_close(self) -> None:
        """The stream is closed: whoever reads gets None."""
        if not self.connect_future.done():
            self.connect_future.set_exception(StreamClosedError())
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            if protocol._deferred:
                # What had come before the end is still to be read.
                protocol._process_last()
            protocol.on_connection_close()
        self.on_message(None)
        self.tcp_client.close()
        super().on_connection_close()

    # -- the open connection

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the connection, with a code and a reason for the server (RFC 6455, section 7.4)."""
        if self.protocol is not None:
            protocol, self.protocol = self.protocol, None
            protocol.close(code, reason)
            if self._room is not None:
                room, self._room = self._room, None
                room.set_result(None)

    def write_message(self, message: str | bytes, binary: bool = False) -> Future[None]:
        """Send a message, as text unless ``binary``. The Future resolves when it has left."""
        # AttributeError after close(), as in 4.5.3.
        return self.protocol.write_message(message, binary)  # type: ignore[union-attr, return-value]

    def read_message(
        self, callback: Callable[[Future[str | bytes | None]], Any] | None = None
    ) -> Future[str | bytes | None]:
        """A Future for the next message: str, bytes, or None when the connection is closed.

        One read at a time. ``callback`` is called with the Future. With an ``on_message_callback`` there is
        nothing to read.
        """
        assert self.read_future is None
        future: Future = TracebackFuture()
        if not self.read_queue:
            self.read_future = future
        else:
            message = self.read_queue.popleft()
            future.set_result(message)
            self._message_taken(message)
        if callback is not None:
            self.io_loop.add_future(future, callback)
        return future

    def _message_taken(self, message: str | bytes | None) -> None:
        """A message has left the queue; go on reading if that makes room."""
        if message is not None:
            self._queued -= len(message) + _MESSAGE_OVERHEAD
        if self._room is not None and self._queued <= self._queue_limit():
            room, self._room = self._room, None
            room.set_result(None)

    def _queue_limit(self) -> int:
        """Bytes of messages that may wait for `read_message`: as many as one message may have, and 10 MiB."""
        return max(self.max_message_size or 0, DEFAULT_MAX_MESSAGE_SIZE)

    def on_message(self, message: str | bytes | None) -> Any:
        """A message has come, or None for the end. The Future, if there is one, wants to be waited for."""
        if self._on_message_callback is not None:
            self._on_message_callback(message)
            return None
        if self._protocol is not None:
            self._protocol._has_reader = True
        if self.read_future is not None:
            future, self.read_future = self.read_future, None
            future.set_result(message)
        else:
            self.read_queue.append(message)
            if message is not None:
                self._queued += len(message) + _MESSAGE_OVERHEAD
                # After close() the server's answer must get through; it has five seconds for it.
                if self.protocol is not None and self._queued > self._queue_limit():
                    # Nobody reads: the server waits, where in 4.5.3 it filled the memory.
                    if self._room is None:
                        self._room = Future()
                    return self._room
        return None

    def on_ping(self, data: bytes) -> Any:
        """A ping has come, and been answered.

        :arg data: bytes.
        """

    def on_pong(self, data: bytes) -> Any:
        """The answer to one of our pings has come.

        :arg data: bytes.
        """


def websocket_connect(
    url: str | httpclient.HTTPRequest,
    io_loop: IOLoop | None = None,
    callback: Callable[[Future], Any] | None = None,
    connect_timeout: float | None = None,
    on_message_callback: Callable[[Any], Any] | None = None,
    compression_options: dict[str, Any] | None = None,
    ping_interval: float | None = None,
    ping_timeout: float | None = None,
    max_message_size: int | None = None,
) -> Future[WebSocketClientConnection]:
    """Connect to a WebSocket server; the Future resolves to a `WebSocketClientConnection`.

    :arg url: ``ws://`` or ``wss://``, or an `.HTTPRequest` for such a URL, with headers and time-outs of
        its own.
    :arg io_loop: the current one by default.
    :arg callback: called with the Future when it is done.
    :arg float connect_timeout: seconds; not together with an `.HTTPRequest`.
    :arg on_message_callback: called with each message, and with None at the end, in place of
        `read_message`, where messages wait in memory until they are read; the server has to wait when these
        are more than 10 MiB (or than ``max_message_size``).
    :arg compression_options: as `.WebSocketHandler.get_compression_options`; None offers no compression.
    :arg ping_interval: with ``ping_timeout`` and ``max_message_size`` as the application settings of that
        handler.
    """
    loop = IOLoop.current() if io_loop is None else io_loop
    if not isinstance(url, httpclient.HTTPRequest):
        request = httpclient.HTTPRequest(url, connect_timeout=connect_timeout)
    else:
        assert connect_timeout is None
        request = url
    # The handshake adds to them: to a copy.
    request.headers = httputil.HTTPHeaders(request.headers)
    proxy = httpclient._RequestProxy(request, httpclient.HTTPRequest._DEFAULTS)
    pinging = (ping_interval, ping_timeout)
    connection = WebSocketClientConnection(
        loop, proxy, on_message_callback, compression_options, *pinging, max_message_size
    )
    if callback is not None:
        loop.add_future(connection.connect_future, callback)
    return connection.connect_future
