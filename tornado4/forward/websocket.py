"""For `tornado4.websocket`: the subprotocol that was agreed on, pings of clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado4 import httpclient, websocket
from tornado4.concurrent import Future
from tornado4.httputil import HTTPHeaders
from tornado4.ioloop import IOLoop

_connect = websocket.websocket_connect
_ping = websocket.WebSocketHandler.ping


class WebSocketHandler(websocket.WebSocketHandler):
    """Members for WebSocketHandler."""

    @property
    def selected_subprotocol(self) -> str | None:
        """What `select_subprotocol` chose, after the handshake; None for none."""
        chosen: str | None = self._headers.get("Sec-Websocket-Protocol")
        return chosen

    def ping(self, data: bytes | str = b"") -> None:
        """Send a ping, with up to 125 bytes of data."""
        _ping(self, data.encode() if isinstance(data, str) else data)


class WebSocketClientConnection(websocket.WebSocketClientConnection):
    """Members for WebSocketClientConnection."""

    @property
    def selected_subprotocol(self) -> str | None:
        """What the server chose of those that were offered; None for none."""
        headers: Any = self.headers
        chosen: str | None = headers.get("Sec-Websocket-Protocol")
        return chosen

    def ping(self, data: bytes | str = b"") -> None:
        """Send a ping, with up to 125 bytes of data. `WebSocketClosedError` after `close`."""
        if self.protocol is None:
            raise websocket.WebSocketClosedError()
        self.protocol.write_ping(data.encode() if isinstance(data, str) else data)


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
    *,
    subprotocols: list[str] | None = None,
) -> Future:
    """As ever; ``subprotocols`` are offered to the server."""
    if subprotocols is not None:
        if not isinstance(url, httpclient.HTTPRequest):
            url = httpclient.HTTPRequest(url, connect_timeout=connect_timeout)
            connect_timeout = None
        url.headers = HTTPHeaders(url.headers)
        url.headers["Sec-WebSocket-Protocol"] = ",".join(subprotocols)
    return _connect(
        url,
        io_loop,
        callback,
        connect_timeout,
        on_message_callback,
        compression_options,
        ping_interval,
        ping_timeout,
        max_message_size,
    )
