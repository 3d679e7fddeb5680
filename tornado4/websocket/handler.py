"""The server's side: a request handler whose request becomes a WebSocket."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

from tornado4 import escape, switches
from tornado4.concurrent import Future
from tornado4.iostream import IOStream
from tornado4.log import gen_log
from tornado4.web import RequestHandler, asynchronous
from tornado4.web.execution import close_callback
from tornado4.websocket.errors import WebSocketClosedError
from tornado4.websocket.protocol import WebSocketProtocol13


class WebSocketHandler(RequestHandler):
    """Subclass this and define `on_message`, and whichever of `open` and `on_close` you need::

        class Echo(WebSocketHandler):
            def on_message(self, message):
                self.write_message("You said: " + message)

    The handler is routed to like any other, and ``prepare`` and the headers it sets take part in the
    handshake. Once that is done there is no response to write: ``write``, ``set_header`` and the like raise
    `RuntimeError`.

    The connection is open from `open` to `on_close`. ``close_code`` and ``close_reason`` are then what the
    peer gave, if it did. Application settings: ``websocket_ping_interval`` and ``websocket_ping_timeout``
    (seconds) find dead peers; ``websocket_max_message_size`` (bytes, 10 MiB by default) holds for messages
    as received and as decompressed.
    """

    #: The stream under the connection; None before the handshake is done.
    stream: Any = None

    def __init__(self, application: Any, request: Any, **kwargs: Any) -> None:
        super().__init__(application, request, **kwargs)
        self.ws_connection: Any = None
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self.stream = None
        self._on_close_called = False
        # As ws_connection, but kept through close(): the protocol wants to hear of the stream's end.
        self._protocol: Any = None

    @asynchronous
    def get(self, *args: Any, **kwargs: Any) -> Any:
        """The opening handshake (RFC 6455, section 4.2.1); path arguments go to `open`."""
        self.open_args = args
        self.open_kwargs = kwargs
        refusal = self._refusal()
        if refusal is not None:
            status, message = refusal
            self.set_status(status)
            self.finish(message)
            gen_log.debug(message)
            return
        self.ws_connection = self.get_websocket_protocol()
        if self.ws_connection is None:
            self.set_status(426, "Upgrade Required")
            self.set_header("Sec-WebSocket-Version", ", ".join(_versions))
            self.finish()
            self._log_version()
            return
        self._protocol = self.ws_connection
        self.ws_connection.accept_connection()

    def _refusal(self) -> tuple[int, str] | None:
        """Why this request opens no WebSocket, with the status that says so; None when it may."""
        headers = self.request.headers
        if headers.get("Upgrade", "").lower() != "websocket":
            return 400, 'Can "Upgrade" only to "WebSocket".'
        # A list: Firefox sends "keep-alive, Upgrade".
        options = [option.strip().lower() for option in headers.get("Connection", "").split(",")]
        if "upgrade" not in options:
            return 400, '"Connection" must be "Upgrade".'
        origin = headers.get("Origin" if "Origin" in headers else "Sec-Websocket-Origin")
        # Browsers always name it; other clients, which no page can misuse, need not.
        if origin is not None and not self.check_origin(origin):
            return 403, "Cross origin websockets not allowed"
        return None

    def _log_version(self) -> None:
        version = self.request.headers.get("Sec-WebSocket-Version")
        if version in _DRAFTS:
            gen_log.warning("WebSocket of version %s refused %s", version, switches.hint("websocket-drafts"))

    # -- settings

    @property
    def ping_interval(self) -> float | None:
        """Seconds between pings that the connection sends by itself; None is none."""
        return self.settings.get("websocket_ping_interval")

    @property
    def ping_timeout(self) -> float | None:
        """Seconds without a pong after which the connection is closed; None is three intervals, at least
        30.
        """
        return self.settings.get("websocket_ping_timeout")

    @property
    def max_message_size(self) -> int | None:
        """Bytes; a longer message closes the connection with code 1009. None is 10 MiB."""
        return self.settings.get("websocket_max_message_size")

    # -- sending

    def write_message(self, message: str | bytes | dict[str, Any], binary: bool = False) -> Future | None:
        """Send a message: str, bytes, or a dict, which goes as JSON. Text unless ``binary``.

        Returns a Future that resolves when the message has left, for flow control; there is no need to wait
        for it. Raises `WebSocketClosedError` after the connection was closed.
        """
        if self.ws_connection is None:
            raise WebSocketClosedError()
        if isinstance(message, dict):
            message = escape.json_encode(message)
        return self.ws_connection.write_message(message, binary=binary)  # type: ignore[no-any-return]

    def ping(self, data: bytes) -> None:
        """Send a ping with up to 125 bytes; see `on_pong`.

        :arg data: bytes.
        :raises WebSocketClosedError: the connection is closed.
        """
        if self.ws_connection is None:
            raise WebSocketClosedError()
        self.ws_connection.write_ping(data)

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the connection, with a code and a reason for the peer (RFC 6455, section 7.4).

        Nothing can be sent after this; `on_close` is called when the peer has answered, or after five
        seconds.
        """
        if self.ws_connection is not None:
            connection, self.ws_connection = self.ws_connection, None
            connection.close(code, reason)

    # -- to be overridden

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Choose one of the subprotocols that the client names, or None.

        The list is ``[""]`` when it names none.
        """
        return None

    def get_compression_options(self) -> dict[str, Any] | None:
        """None, the default, for no compression; a dict to agree to permessage-deflate if the client offers
        it.

        The dict may be empty, or hold ``compression_level`` (0 to 9) and ``mem_level`` (1 to 9) for zlib.
        """
        return None

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """The connection is open. Arguments are those of the URL, as ``get`` would take them."""

    def on_message(self, message: Any) -> Any:
        """A message has come: str for text, bytes for binary. A coroutine holds back the next message until
        it ends.
        """
        raise NotImplementedError

    def on_ping(self, data: bytes) -> Any:
        """A ping has come, and been answered.

        :arg data: bytes.
        """

    def on_pong(self, data: bytes) -> Any:
        """The answer to a `ping` has come.

        :arg data: bytes.
        """

    def on_close(self) -> Any:
        """The connection is closed, by whichever side. ``close_code`` and ``close_reason`` may tell why."""

    def check_origin(self, origin: str) -> bool:
        """Whether a page from ``origin`` may connect; by default only if it comes from the host it connects
        to.

        Return True to allow all, after a thought: browsers send the cookies of *this* site along, and no
        same-origin policy stands between.
        """
        return bool(urlparse(origin).netloc.lower() == self.request.headers.get("Host"))

    def set_nodelay(self, value: bool) -> None:
        """True sends small messages at once, at the price of more packets (Nagle's algorithm).

        :arg value: a bool.
        """
        self.stream.set_nodelay(value)

    # -- the connection's life

    def get_websocket_protocol(self) -> Any:
        """The protocol that this request asks for, or None for a version that we do not speak."""
        elsewhere = getattr(self.request.connection, "_make_websocket_protocol", None)
        if elsewhere is not None:  # under a server that makes the frames itself
            return elsewhere(self)
        if self.request.headers.get("Sec-WebSocket-Version") in _versions:
            return WebSocketProtocol13(self, compression_options=self.get_compression_options())
        return None

    def _attach_stream(self) -> None:
        """Take the stream over from HTTP, whose methods are of no more use."""
        self.stream: IOStream = self.request.connection.detach()
        self.stream.set_close_callback(close_callback(self))
        for name in _HTTP_ONLY:
            setattr(self, name, _raise_not_supported_for_websockets)

    def on_connection_close(self) -> None:
        """The stream is closed: leads to `on_close`, once."""
        protocol, self._protocol = self._protocol, None
        self.ws_connection = None
        if protocol is not None:
            protocol.on_connection_close()
        if not self._on_close_called:
            self._on_close_called = True
            self.on_close()
            self._break_cycles()

    def _break_cycles(self) -> None:
        # Called after the handshake's "response" as after any other, when a WebSocket has just begun to live.
        if self.get_status() != 101 or self._on_close_called:
            super()._break_cycles()

    def send_error(self, *args: Any, **kwargs: Any) -> None:
        """Before the handshake an error response as usual; afterwards the end of the connection."""
        if self.stream is None:
            super().send_error(*args, **kwargs)
        else:
            # No response can be sent, and an uncaught error leaves the connection in an unknown state.
            self.stream.close()


#: Versions of the protocol that are spoken. The drafts differ from RFC 6455 in what a browser lets a page do.
_versions = ["13"]
_DRAFTS = ("7", "8")


def _allow_drafts() -> None:
    _versions[:] = [*_DRAFTS, "13"]


switches.when_allowed("websocket-drafts", _allow_drafts)

_HTTP_ONLY = ("write", "redirect", "set_header", "set_cookie", "set_status", "flush", "finish")


def _raise_not_supported_for_websockets(*args: Any, **kwargs: Any) -> None:
    raise RuntimeError("Method not supported for Web Sockets")
