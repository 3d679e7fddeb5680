"""The frames of a WebSocket whose messages are all that an ASGI server shows: for code that wants the stream itself.

Tornado 6's handlers over the bridge do, and programs with a protocol of their own. They get one end of a pair of
sockets, and speak RFC 6455 on it; at the other end frames become messages of ASGI, and messages frames.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from typing import TYPE_CHECKING, Any

from tornado4._wire import websocket as wire
from tornado4._wire.websocket_events import NEED_DATA, ProtocolError
from tornado4.concurrent import Future
from tornado4.escape import utf8
from tornado4.iostream import IOStream, StreamClosedError
from tornado4.log import gen_log
from tornado4.websocket.protocol import CLOSE_TIMEOUT

if TYPE_CHECKING:
    from tornado4.asgi.sockets import SocketExchange

#: Bytes that are read at once.
_PIECE = 65536


class Frames:
    """The peer of ``stream``, as a client would be: it masks, answers pings, and takes part in the close handshake."""

    def __init__(self, exchange: SocketExchange) -> None:
        self._exchange = exchange
        near, far = socket.socketpair()
        self._near = IOStream(near)
        #: What the application reads and writes.
        self.stream = IOStream(far)
        #: Whether either side has said goodbye: nothing more is handed on.
        self.ended = False
        self._task = asyncio.ensure_future(self._read())

    # -- to the application

    def deliver(self, data: str | bytes) -> Future | None:
        """Make a message a frame. The Future is resolved when the application's end has room for more."""
        return self._write(wire.TEXT if isinstance(data, str) else wire.BINARY, utf8(data))

    def peer_closed(self, code: int | None, reason: str | None) -> None:
        """The connection is over: a close frame says so, or the mere end, where the client has sent none (1006)."""
        if self.ended:
            return
        self.ended = True
        if code == 1006:
            self._hang_up()
        else:
            self._part(wire.close_payload(None if code == 1005 else code, reason))

    async def over(self) -> None:
        """Until the application has closed its end, for as long as a peer waits for the answer to its close frame."""
        await asyncio.wait((self._task,), timeout=CLOSE_TIMEOUT)
        self._near.close()

    def _write(self, opcode: int, data: Any) -> Future | None:
        try:
            return self._near.write(wire.encode_frame(True, opcode, data, mask=True))
        except StreamClosedError:
            return None

    def _part(self, payload: bytes) -> None:
        """Send a close frame, and nothing behind it: the application closes its end when it has seen both."""
        left = self._write(wire.CLOSE, payload)
        if left is not None:
            left.add_done_callback(self._hang_up)

    def _hang_up(self, left: Any = None) -> None:
        if not self._near.closed():
            with contextlib.suppress(OSError):  # it has closed its end
                self._near.socket.shutdown(socket.SHUT_WR)

    # -- from the application

    async def _read(self) -> None:
        reader = wire.FrameReader(masked=False, max_message_size=sys.maxsize)
        try:
            while True:
                reader.receive(await self._near.read_bytes(_PIECE, partial=True))
                while (event := reader.next_event()) is not NEED_DATA:
                    await self._take(event)
        except StreamClosedError:
            pass
        except ProtocolError as failure:
            gen_log.error("The application sent what is no frame of a WebSocket: %s", failure)
        finally:
            self._near.close()
            self._say_goodbye(1011, b"")

    async def _take(self, event: Any) -> None:
        opcode, data = event
        if opcode == wire.PING:
            # The server has pings of its own for the client; whoever sent this one is to find the connection alive.
            self._write(wire.PONG, data)
        elif opcode == wire.CLOSE:
            code, reason = wire.parse_close(data)
            if not self.ended:
                self._part(data)
            self._say_goodbye(1000 if code is None else code, reason)
        elif opcode != wire.PONG and not self.ended:
            content = {"text": data} if isinstance(data, str) else {"bytes": data}
            await self._exchange._put({"type": "websocket.send", **content}, wanted=True)

    def _say_goodbye(self, code: int, reason: bytes) -> None:
        if self.ended:
            return
        self.ended = True
        message: dict[str, Any] = {"type": "websocket.close", "code": code}
        if reason:
            message["reason"] = reason.decode("utf-8", "replace")
        self._exchange._put(message)
