"""WebSockets of programs that speak the protocol by themselves, under an ASGI server: the frames come by a stream."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from tests.test_asgi import Server, after, scope_of
from tornado4 import gen, web, websocket
from tornado4._wire import websocket as wire
from tornado4.asgi import ASGIAdapter
from tornado4.websocket import WebSocketProtocol13

LARGE = b"x" * 300_000  # more than a pair of sockets holds


class Own(websocket.WebSocketHandler):
    """Its protocol is its own, as of libraries that came before RFC 6455, or wanted to see its frames."""

    log: list[Any] = []

    def get_websocket_protocol(self):
        self.log.append(sorted(name for name in self.request.headers if name.startswith("Sec-Websocket")))
        return WebSocketProtocol13(self, compression_options={})

    def select_subprotocol(self, offered):
        return "v2" if "v2" in offered else None

    def open(self):
        self.write_message("welcome")

    @gen.coroutine
    def on_message(self, message):
        if message == "bye":
            self.close(4001, "enough")
        elif message == "leave":
            self.close()
        elif message == "ping":
            self.ping(b"alive?")
        elif message == "fail":
            self.stream.close()
        elif message == "nonsense":
            self.stream.write(b"\xff\xff\xff\xff")
        elif message == "slow":
            yield gen.sleep(0.01)
            self.log.append("slow")
        elif message == "cut":
            self.stream.write(wire.encode_frame(False, wire.TEXT, b"in "))
            self.stream.write(wire.encode_frame(True, wire.CONTINUATION, b"two") + b"\x8a\x00")
        else:
            yield self.write_message(message, binary=isinstance(message, bytes))

    def on_pong(self, data):
        self.write_message(b"pong " + data, binary=True)

    def on_close(self):
        self.log.append((self.close_code, self.close_reason))


class Byhand(web.RequestHandler):
    @web.asynchronous
    def get(self):
        connection = self.request.connection
        for answered in (False, True):
            if answered:
                self.set_status(101)
                self.finish()
                connection.detach().read_until_close(lambda data: Own.log.append(len(data)))
            try:
                connection.detach()
            except RuntimeError as error:
                Own.log.append(str(error))


APPLICATION = web.Application([("/own", Own), ("/hand", Byhand)], websocket_max_message_size=len(LARGE))


def meet(*events: Any, path: str = "/own", then: Any = None, headers: Any = ()) -> list[Any]:
    """What was sent to a server that has these events, the handshake's before them."""
    Own.log.clear()
    scope = {**scope_of(path, "websocket"), "http_version": "1.1", "subprotocols": ["v1", "v2"]}
    scope["headers"] = [*scope["headers"], (b"sec-websocket-protocol", b"v1, v2"), *headers]

    async def main() -> list[Any]:
        server = Server({"type": "websocket.connect"}, *events)
        async with asyncio.timeout(10):
            task = asyncio.ensure_future(ASGIAdapter(APPLICATION)(scope, server.receive, server.send))
            if then is not None:
                await then(server, task)
            with contextlib.suppress(asyncio.CancelledError):
                await task
        return server.sent

    return asyncio.run(main())


def said(data: str | bytes) -> Any:
    return {"type": "websocket.receive", "text" if isinstance(data, str) else "bytes": data}


def gone(code: Any, reason: Any = "") -> Any:
    return {"type": "websocket.disconnect", "code": code, "reason": reason}


def sent(data: str | bytes) -> Any:
    return {"type": "websocket.send", "text" if isinstance(data, str) else "bytes": data}


def test_messages_both_ways_and_the_peers_end():
    messages = meet(said("hi"), said(b"\xff"), said("cut"), said("ping"), after(6), gone(4000, "away"))
    assert messages[0] == {"type": "websocket.accept", "subprotocol": "v2", "headers": messages[0]["headers"]}
    assert not [name for name, _ in messages[0]["headers"] if name.startswith(b"sec-")]
    assert messages[1:] == [sent("welcome"), sent("hi"), sent(b"\xff"), sent("in two"), sent(b"pong alive?")]
    assert Own.log[1:] == [(4000, "away")]


def test_extensions_are_not_its_business_and_a_key_is_there():
    offer = (b"sec-websocket-extensions", b"permessage-deflate")
    assert meet(after(2), gone(1000), headers=[offer])[1] == sent("welcome")
    assert Own.log[0] == ["Sec-Websocket-Key", "Sec-Websocket-Protocol", "Sec-Websocket-Version"]


@pytest.mark.parametrize(
    ("text", "close", "log"),
    [
        ("bye", {"code": 4001, "reason": "enough"}, (4001, "enough")),
        ("leave", {"code": 1000}, (None, None)),
        ("fail", {"code": 1011}, (None, None)),
        ("nonsense", {"code": 1011}, (None, None)),
        (LARGE + b"!", {"code": 1009, "reason": "message too big"}, (None, None)),
    ],
    ids=["with a code", "without", "the stream is closed", "what is no frame", "too large a message"],
)
def test_the_applications_end(text: Any, close: Any, log: Any, caplog: pytest.LogCaptureFixture):
    assert meet(said(text), after(3))[2:] == [{"type": "websocket.close", **close}]
    assert Own.log[1:] == [log]
    assert ("what is no frame of a WebSocket" in caplog.text) is (text == "nonsense")


@pytest.mark.parametrize(
    ("code", "log"), [(1005, (None, None)), (None, (None, None)), (1006, (None, None)), (1001, (1001, None))]
)
def test_how_the_peer_has_gone(code: int | None, log: Any):
    assert meet(after(2), gone(code))[1:] == [sent("welcome")]
    assert Own.log[1:] == [log]


def test_messages_wait_for_a_slow_handler_and_none_is_lost():
    large = [said(LARGE) for _ in range(5)]
    messages = meet(said("slow"), *large, said("slow"), after(7), gone(1000))
    assert [len(message["bytes"]) for message in messages[2:]] == [len(LARGE)] * 5
    assert Own.log[1:] == ["slow", "slow", (1000, None)]


def test_one_that_is_cancelled_is_told():
    async def then(server: Server, task: Any) -> None:
        await server.until(2)
        task.cancel()
        await asyncio.wait((task,))
        while len(Own.log) < 2:
            await asyncio.sleep(0)

    meet(then=then)
    assert Own.log[1:] == [(None, None)]


def test_there_is_one_stream_and_it_is_had_after_the_handshake():
    assert meet(after(1), said("hi"), gone(1000), path="/hand")[0]["type"] == "websocket.accept"
    *errors, size = Own.log
    assert len(errors) == 2 and all(text.startswith("the connection belongs to the ASGI server") for text in errors)
    assert size == sum(len(wire.encode_frame(True, wire.TEXT, data, mask=True)) for data in (b"hi", b"XX"))
