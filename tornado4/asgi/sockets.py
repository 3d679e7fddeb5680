"""A WebSocket under an ASGI server: frames, pings and masks are the server's; messages and the end are ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tornado4 import httputil
from tornado4._core.yielded import convert_yielded
from tornado4._masking import printable
from tornado4.asgi.exchange import Exchange, until
from tornado4.asgi.frames import Frames
from tornado4.asgi.types import Message, Receive, Scope, Send, to_headers
from tornado4.concurrent import Future
from tornado4.escape import utf8
from tornado4.httputil import HTTPHeaders, RequestStartLine
from tornado4.ioloop import IOLoop
from tornado4.log import app_log, gen_log
from tornado4.websocket import WebSocketClosedError
from tornado4.websocket.protocol import DEFAULT_MAX_MESSAGE_SIZE, WebSocketProtocol

#: For a handshake whose server has kept the client's; whoever checks it finds one. The answer to it is the server's.
_SOME_KEY = "AAAAAAAAAAAAAAAAAAAAAA=="


class SocketExchange(Exchange):
    """The `HTTPConnection` of a handshake. A 101 accepts it; any other answer refuses it."""

    start_type, body_type = "websocket.http.response.start", "websocket.http.response.body"

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, send)
        self.scope = scope
        self.receive = receive
        self.accepted = False
        self.protocol: ASGIProtocol | None = None
        self.frames: Frames | None = None
        self._denials = "websocket.http.response" in scope.get("extensions", {})

    def _make_websocket_protocol(self, handler: Any) -> ASGIProtocol:
        """What `WebSocketHandler.get_websocket_protocol` asks for."""
        self.protocol = ASGIProtocol(handler, self)
        return self.protocol

    def write_headers(self, start_line: Any, headers: HTTPHeaders, chunk: Any = None, callback: Any = None) -> Future:
        if start_line.code == 101:
            self._head_sent = self._bodyless = self.accepted = True
            return self._put({"type": "websocket.accept", **_accepted(headers)}, callback)
        if not self._denials:
            # Without the extension, a server answers 403 to a close in place of an accept.
            self._head_sent = self._bodyless = True
            return self._put({"type": "websocket.close", "code": 1000}, callback)
        return super().write_headers(start_line, headers, chunk, callback)

    def _write_response(self, start_line: Any, headers: HTTPHeaders, chunk: bytes | None) -> None:
        self._close_callback = None
        self.write_headers(start_line, headers, chunk)

    def finish(self) -> None:
        if self.accepted:
            return  # of the handshake only
        if self._denials:
            super().finish()
        else:
            self.finished = True
            self._wake()

    def detach(self) -> Any:
        """The frames of the WebSocket, as an `.IOStream`, where a 101 has accepted it; `RuntimeError` elsewhere.

        For code that speaks the protocol by itself: Tornado 6's handlers, protocols of a program's own.
        """
        if not self.accepted or self.protocol is not None or self.frames is not None:
            return super().detach()
        self.frames = Frames(self)
        return self.frames.stream

    async def serve(self, delegate_of: Callable[[Exchange], Any]) -> None:
        """The handshake, then messages both ways until either side ends it."""
        IOLoop.current()
        message = await self.receive()
        assert message["type"] == "websocket.connect", message["type"]
        delegate = delegate_of(self)
        try:
            start_line, headers = _request(self.scope)
            waiting = delegate.headers_received(start_line, headers)
            if waiting is not None:
                await self.flush_until(convert_yielded(waiting))
            delegate.finish()
        except httputil.HTTPInputError as error:
            gen_log.info("Malformed HTTP message from %s: %s", self.context, printable(str(error)))
            self._refuse(1008)
        except Exception:
            app_log.error("Uncaught exception", exc_info=True)
            self._refuse(1011)
        try:
            await self._attend()
        except BaseException:  # it was cancelled: a server that stops does not say so
            self._disconnected({"code": 1006})
            raise
        if self.frames is not None:
            await self.frames.over()
        self.forget()

    def _refuse(self, code: int) -> None:
        if not self.has_begun:
            self._put({"type": "websocket.close", "code": code})
        self.finished = True

    async def _attend(self) -> None:
        """Send what is written, hand on what comes; one message ahead of its turn, so that an end is noticed."""
        receiving = asyncio.ensure_future(self.receive())
        handling: asyncio.Future[None] | None = None
        held: Message | None = None
        try:
            while not self.closed:
                await self.flush()
                if self.finished and not self.accepted:
                    return
                if not self._outgoing and self._has_said_goodbye():
                    # The server does the rest, and tells when it is done.
                    if self.protocol is not None:
                        self.protocol.peer_closed(None, None)
                    return
                if handling is not None and handling.done():
                    handling = None
                if handling is None and held is not None:
                    # New messages wait for this one, as under our own server; answers go out meanwhile.
                    handling, held = self._handle(held), None
                    continue
                wakers: list[asyncio.Future[Any]] = [self.woken()]
                if handling is not None:
                    wakers.append(handling)
                if held is None:
                    wakers.append(receiving)
                await asyncio.wait(wakers, return_when=asyncio.FIRST_COMPLETED)
                if held is None and receiving.done():
                    held = receiving.result()
                    if held["type"] == "websocket.disconnect":
                        self._disconnected(held)
                        return
                    receiving = asyncio.ensure_future(self.receive())
        finally:
            receiving.cancel()

    def _handle(self, message: Message) -> asyncio.Future[None] | None:
        """Give a message to the handler; something to wait for, where that takes its time."""
        text = message.get("text")
        data = message.get("bytes") if text is None else text
        if self.frames is not None:
            left = None if data is None else self.frames.deliver(data)
            return None if left is None or left.done() else asyncio.ensure_future(until(left))
        if self.protocol is None or data is None or self.protocol.ended:
            return None
        handler = self.protocol.handler
        if len(utf8(data)) > (handler.max_message_size or DEFAULT_MAX_MESSAGE_SIZE):
            self.protocol.close(1009, "message too big")
            return None
        handled = self.protocol._run_callback(handler.on_message, data)
        return None if handled is None or handled.done() else asyncio.ensure_future(until(handled))

    def _has_said_goodbye(self) -> bool:
        side = self.protocol or self.frames
        return side is not None and side.ended

    def _disconnected(self, message: Any) -> None:
        side = self.protocol or self.frames
        if side is not None:
            side.peer_closed(message.get("code"), message.get("reason") or None)
        self.connection_lost()


class ASGIProtocol(WebSocketProtocol):
    """The protocol of a `.WebSocketHandler` whose frames somebody else makes."""

    def __init__(self, handler: Any, exchange: SocketExchange) -> None:
        super().__init__(handler)
        self.exchange = exchange
        self.stream = None
        self.ended = False

    def _io_loop(self) -> IOLoop:
        return IOLoop.current()

    def accept_connection(self) -> None:
        """Accept the handshake; the server has checked it."""
        handler = self.handler
        offered = self.exchange.scope.get("subprotocols") or []
        chosen = handler.select_subprotocol(list(offered) or [""])
        if chosen:
            if chosen not in offered:
                raise AssertionError(f"subprotocol {chosen!r} was selected but not offered: {offered!r}")
            handler.set_header("Sec-WebSocket-Protocol", chosen)
        handler.clear_header("Content-Type")
        handler.set_status(101)
        handler.finish()
        self._run_callback(handler.open, *handler.open_args, **handler.open_kwargs)

    def write_message(self, message: str | bytes, binary: bool = False) -> Future:
        """Send a message. TypeError for what is neither str nor bytes, `WebSocketClosedError` after the end."""
        if self.ended or self.exchange.closed:
            raise WebSocketClosedError()
        data = utf8(message)
        assert isinstance(data, bytes)
        content = {"bytes": data} if binary else {"text": data.decode("utf-8")}
        return self.exchange._put({"type": "websocket.send", **content}, wanted=True)

    def write_ping(self, data: bytes) -> None:
        """Not to be had: `RuntimeError`. ASGI servers ping by themselves, as their settings say."""
        raise RuntimeError("ASGI has no pings of the application's: the server sends them, as its settings say")

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Send a close frame, once."""
        if not self.ended:
            self.ended = True
            message: dict[str, Any] = {"type": "websocket.close", "code": 1000 if code is None else code}
            if reason is not None:
                message["reason"] = reason
            self.exchange._put(message)

    def _abort(self) -> None:
        """An exception of the handler's ends the connection."""
        self.close(1011)

    def peer_closed(self, code: int | None, reason: str | None) -> None:
        """The connection is over: the handler learns of it."""
        self.ended = True
        handler = self.handler
        if code is not None:
            handler.close_code = code
        if reason is not None:
            handler.close_reason = reason
        self.client_terminated = self.server_terminated = True
        handler.on_connection_close()


def _request(scope: Scope) -> tuple[RequestStartLine, HTTPHeaders]:
    """The handshake as a request. What the server has kept to itself of it is put back, as it must have been.

    Extensions are between client and server: the frames that `detach` shows have none.
    """
    from tornado4.asgi.adapter import check_host, start_line_of  # late: the adapter stands on this room

    headers = to_headers(scope["headers"])
    check_host(scope, headers)
    headers["Upgrade"] = "websocket"
    headers["Connection"] = "Upgrade"
    headers["Sec-WebSocket-Version"] = "13"
    headers.setdefault("Sec-WebSocket-Key", _SOME_KEY)
    headers.pop("Sec-WebSocket-Extensions", None)
    return start_line_of(scope), headers


def _accepted(headers: HTTPHeaders) -> dict[str, Any]:
    from tornado4.asgi.types import to_pairs

    left_out = (b"sec-websocket-accept", b"sec-websocket-protocol", b"content-length")
    pairs = [pair for pair in to_pairs(headers) if pair[0] not in left_out]
    return {"subprotocol": headers.get("Sec-WebSocket-Protocol"), "headers": pairs}
