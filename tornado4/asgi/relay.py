"""A WebSocket of ours, handed on to an ASGI application."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tornado4._core.tasks import as_future
from tornado4.asgi.types import ClientDisconnected, Message, caused_by_disconnect
from tornado4.concurrent import Future
from tornado4.httputil import RequestStartLine
from tornado4.log import app_log
from tornado4.websocket import WebSocketHandler

if TYPE_CHECKING:
    from tornado4.asgi.container import ASGIContainer

#: Messages and bytes that may wait for the application before the peer has to.
_AHEAD = 16
_BYTES_AHEAD = 1 << 20


class Relay(WebSocketHandler):
    """The handshake waits for the application; then messages go both ways until either side ends it."""

    def initialize(self, container: ASGIContainer) -> None:
        self.container = container
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._decided: Future = Future()
        self._opened: Future = Future()
        self._room: Future | None = None
        self._accepted = False
        self._over = False
        self._waiting_bytes = 0
        self._chosen: str | None = None

    def check_origin(self, origin: str) -> bool:
        """The application's own business."""
        return True

    def get_compression_options(self) -> dict[str, Any]:
        return {}

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return self._chosen

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Let the application decide; 403 when it refuses. One that cannot become a WebSocket is no matter of its."""
        request = self.request
        if self._refusal() is not None or not self._is_whole():
            super().get(*args, **kwargs)
            return
        assert request.method is not None
        line = RequestStartLine(request.method, request.uri, request.version)
        scope = self.container.scope("websocket", line, request.headers, request.connection)
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        scope["subprotocols"] = [name.strip() for name in offered.split(",") if name.strip()]
        del scope["method"]
        self._events.put_nowait({"type": "websocket.connect"})
        self._auto_finish = False
        as_future(self._run(scope))
        accept = await self._decided
        if accept is None:
            self.set_status(403)
            self.finish()
            return
        self._chosen = accept.get("subprotocol")
        for name, value in accept.get("headers", ()):
            self.add_header(bytes(name).decode("latin-1"), bytes(value).decode("latin-1"))
        self._accepted = True
        try:
            super().get(*args, **kwargs)
        finally:
            if self.ws_connection is None and not self._over:
                self.on_close()  # it did not become one after all
            self._opened.set_result(None)

    def _is_whole(self) -> bool:
        """Whether the handshake has all that it needs (RFC 6455, section 4.2.1)."""
        headers = self.request.headers
        return headers.get("Sec-WebSocket-Version") == "13" and bool(headers.get("Sec-WebSocket-Key"))

    async def _run(self, scope: Any) -> None:
        code = 1000
        try:
            await self.container.startup()
            scope["state"] = dict(self.container.state)
            await self.container.application(scope, self._receive, self._send)
        except Exception as error:
            code = 1011
            if not (self._over and caused_by_disconnect(error)):
                app_log.error("Exception in ASGI application", exc_info=True)
        if not self._decided.done():
            self._decided.set_result(None)
        elif self._accepted and not self._over:
            self.close(code)

    async def _receive(self) -> Message:
        message = await self._events.get()
        self._waiting_bytes -= len(message.get("text") or message.get("bytes") or b"")
        if self._room is not None and not self._is_full():
            room, self._room = self._room, None
            room.set_result(None)
        return message

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "websocket.accept":
            if self._decided.done():
                raise RuntimeError("websocket.accept was sent twice")
            self._decided.set_result(message)
            await self._opened  # what is sent next finds a connection
        elif kind == "websocket.send":
            if self._over or self.ws_connection is None:
                raise ClientDisconnected("the client has gone")
            text = message.get("text")
            waiting = (
                self.write_message(message.get("bytes") or b"", binary=True)
                if text is None
                else self.write_message(text)
            )
            if waiting is not None:
                await waiting
        elif kind == "websocket.close":
            if not self._decided.done():
                self._decided.set_result(None)
            elif not self._over:
                self.close(message.get("code", 1000), message.get("reason") or None)
        else:
            raise ValueError(f"an ASGI message of type {kind!r} is not known here")

    def on_message(self, message: str | bytes) -> Future | None:
        content = {"text": message} if isinstance(message, str) else {"bytes": message}
        self._events.put_nowait({"type": "websocket.receive", **content})
        self._waiting_bytes += len(message)
        if not self._is_full():
            return None
        self._room = Future()
        return self._room

    def _is_full(self) -> bool:
        return self._events.qsize() >= _AHEAD or self._waiting_bytes >= _BYTES_AHEAD

    def on_close(self) -> None:
        self._over = True
        code = self.close_code if self.close_code is not None else 1005
        self._events.put_nowait({"type": "websocket.disconnect", "code": code, "reason": self.close_reason or ""})
        if self._room is not None:
            room, self._room = self._room, None
            room.set_result(None)
