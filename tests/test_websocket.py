"""websocket over real sockets: handlers against raw frames, the client against a raw server."""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from raw_peers import raw_server

from tornado4 import gen, websocket
from tornado4._wire.websocket import accept_value, encode_frame
from tornado4.concurrent import Future
from tornado4.httpclient import HTTPError, HTTPRequest
from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop
from tornado4.iostream import IOStream, StreamClosedError
from tornado4.netutil import bind_sockets
from tornado4.web import Application
from tornado4.websocket import WebSocketClosedError, WebSocketError, WebSocketHandler, websocket_connect

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
FULL = {
    "Host": "localhost",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}


def frame(opcode: int, data: bytes = b"", fin: bool = True, flags: int = 0, mask: bool = True) -> bytes:
    return encode_frame(fin, opcode, data, flags, mask)


class Recorder(WebSocketHandler):
    """Notes what happens to it in ``log``, which belongs to the test."""

    log: list[Any]
    last: Any

    def initialize(self, log: list[Any], compress: Any = None) -> None:
        self.log = log
        self.compress = compress
        Recorder.last = self

    def get_compression_options(self) -> Any:
        return self.compress

    def open(self, *args: Any, **kwargs: Any) -> None:
        self.log.append(("open", args))

    def on_message(self, message: Any) -> Any:
        self.log.append(message)
        if message == "echo":
            self.write_message(message)

    def on_ping(self, data: bytes) -> None:
        self.log.append(("ping", data))

    def on_pong(self, data: bytes) -> None:
        self.log.append(("pong", data))

    def on_close(self) -> None:
        self.log.append(("close", self.close_code, self.close_reason))


class Server:
    """An application on a loop of its own, current during the test."""

    def __init__(
        self, io_loop: IOLoop, handler: type[WebSocketHandler], settings: dict[str, Any], **init: Any
    ) -> None:
        self.io_loop = io_loop
        self.log: list[Any] = []
        self.http = HTTPServer(Application([("/ws(.*)", handler, dict(log=self.log, **init))], **settings))
        (listener,) = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
        self.port = listener.getsockname()[1]
        self.http.add_socket(listener)
        self.streams: list[IOStream] = []

    def run(self, function: Any) -> Any:
        return self.io_loop.run_sync(function, timeout=120)

    @gen.coroutine
    def shake(self, changes: dict[str, str | None] | None = None, method: str = "GET") -> Any:
        """Send a handshake; the stream, with the head of the answer read."""
        stream = IOStream(socket.socket())
        self.streams.append(stream)
        yield stream.connect(("127.0.0.1", self.port))
        headers = {**FULL, **(changes or {})}
        lines = [
            f"{method} /ws HTTP/1.1",
            *(f"{k}: {v}" for k, v in headers.items() if v is not None),
            "",
            "",
        ]
        stream.write("\r\n".join(lines).encode())
        head = yield stream.read_until(b"\r\n\r\n")
        return stream, head.decode()

    def answer(self, changes: dict[str, str | None] | None = None) -> str:
        return self.run(lambda: self.shake(changes))[1]  # type: ignore[no-any-return]

    def talk(
        self, data: bytes, changes: dict[str, str | None] | None = None, until: Any = None
    ) -> tuple[bytes, bool]:
        """Shake hands and send ``data``: what comes back, and whether the server closed.

        Waits until the server has hung up, or has logged ``until``.
        """
        received: list[bytes] = []

        @gen.coroutine
        def go() -> Any:
            stream, _ = yield self.shake(changes)
            end = stream.read_until_close(streaming_callback=received.append)
            stream.write(data)
            if until is None:
                yield end
                return True
            while until not in self.log:
                yield gen.sleep(0.001)
            yield gen.sleep(0.005)
            closed = stream.closed()
            stream.close()
            with contextlib.suppress(StreamClosedError):
                yield end
            return closed

        closed = self.run(go)
        self.run(lambda: gen.sleep(0.005))
        return b"".join(received), closed

    def listen_until_close(self) -> bytes:
        """Answer nothing but the close frame."""

        @gen.coroutine
        def go() -> Any:
            stream, _ = yield self.shake()
            received = b""
            while not received.endswith(b"\x88\x00"):
                received += yield stream.read_bytes(100, partial=True)
            stream.write(frame(8))
            assert (yield stream.read_until_close()) == b""
            return received

        return self.run(go)  # type: ignore[no-any-return]

    def close(self) -> None:
        self.http.stop()
        for stream in self.streams:
            stream.close()
        self.run(lambda: gen.sleep(0.005))


@contextlib.contextmanager
def serve(
    handler: type[WebSocketHandler] = Recorder, settings: dict[str, Any] | None = None, **init: Any
) -> Iterator[Server]:
    io_loop = IOLoop()
    io_loop.make_current()
    server = Server(io_loop, handler, settings or {}, **init)
    try:
        yield server
    finally:
        server.close()
        io_loop.clear_current()
        io_loop.close(all_fds=True)


class TestHandshake:
    """Section 4.2; statuses and texts are those of 4.5.3."""

    def test_accepted_byte_for_byte(self) -> None:
        with serve() as server:
            head = re.sub("Date: .*\r\n", "", server.answer())
            assert head == (
                "HTTP/1.1 101 Switching Protocols\r\nServer: TornadoServer/4.5.3\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-Websocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
            )

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"Upgrade": None}, 400),
            ({"Upgrade": "h2c"}, 400),
            ({"Connection": "keep-alive"}, 400),
            ({"Sec-WebSocket-Key": None}, 400),
            ({"Sec-WebSocket-Version": "7"}, 426),
            ({"Sec-WebSocket-Version": "12"}, 426),
            ({"Sec-WebSocket-Version": None}, 426),
            ({"Origin": "http://evil.example"}, 403),
            ({"Sec-WebSocket-Origin": "http://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": "http://LOCALHOST"}, 101),
        ],
    )
    def test_statuses(self, changes: dict[str, str | None], status: int) -> None:
        with serve() as server:
            head = server.answer(changes)
            assert head.startswith(f"HTTP/1.1 {status} ")
            if status == 426:
                assert "Sec-Websocket-Version: 13\r\n" in head

    def test_subprotocols(self, caplog: Any) -> None:
        class Choosy(Recorder):
            def select_subprotocol(self, subprotocols: list[str]) -> str | None:
                self.log.append(subprotocols)
                return {"a": "a", "c": "z"}.get(subprotocols[0])

        with serve(Choosy) as server:
            assert "Sec-Websocket-Protocol: a\r\n" in server.answer({"Sec-WebSocket-Protocol": "a, b"})
            assert "Protocol" not in server.answer({"Sec-WebSocket-Protocol": "b"}).replace("Protocols", "")
            assert "Protocol:" not in server.answer()
            assert [entry for entry in server.log if isinstance(entry, list)] == [["a", "b"], ["b"], [""]]
            assert " 500 " in server.answer({"Sec-WebSocket-Protocol": "c"})

    @pytest.mark.parametrize(
        ("offer", "answer"),
        [
            ("permessage-deflate", "permessage-deflate"),
            ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
            (
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
            ),
            ("x-webkit-deflate-frame, permessage-deflate", "permessage-deflate"),
            ("permessage-deflate; nonsense, permessage-deflate", "permessage-deflate"),
            ("permessage-deflate; server_max_window_bits=8", None),
        ],
    )
    def test_compression_is_negotiated(self, offer: str, answer: str | None) -> None:
        with serve(compress={}) as server:
            head = server.answer({"Sec-WebSocket-Extensions": offer})
            found = re.search("Sec-Websocket-Extensions: (.*)\r\n", head)
            assert (found and found.group(1)) == answer
            assert " 101 " in head
        with serve() as server:
            assert "Extensions" not in server.answer({"Sec-WebSocket-Extensions": offer})

    def test_prepare_may_answer_with_http(self) -> None:
        class Guarded(Recorder):
            def prepare(self) -> None:
                self.set_status(401)
                self.finish("who are you?")

        with serve(Guarded) as server:
            assert " 401 " in server.answer()
            assert server.log == []

    def test_frames_sent_along_with_the_handshake(self) -> None:
        with serve() as server:

            @gen.coroutine
            def go() -> Any:
                stream = IOStream(socket.socket())
                server.streams.append(stream)
                yield stream.connect(("127.0.0.1", server.port))
                lines = ["GET /ws-x HTTP/1.1", *(f"{k}: {v}" for k, v in FULL.items()), "", ""]
                stream.write("\r\n".join(lines).encode() + frame(1, b"echo") + frame(8))
                return (yield stream.read_until_close())

            received = server.run(go)
            assert received.endswith(b"\r\n\r\n\x81\x04echo\x88\x00")
            assert server.log[:2] == [("open", ("-x",)), "echo"]


class TestMessages:
    def test_all_kinds(self) -> None:
        with serve() as server:
            data = frame(1, "é".encode()) + frame(2, b"\xff") + frame(9, b"p") + frame(10, b"q") + frame(8)
            received, closed = server.talk(data)
            assert (received, closed) == (b"\x8a\x01p\x88\x00", True)
            assert server.log[1:] == ["é", b"\xff", ("ping", b"p"), ("pong", b"q"), ("close", None, None)]

    def test_compressed(self) -> None:
        def pack(data: bytes) -> bytes:
            packer = zlib.compressobj(wbits=-15)
            return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]

        with serve(compress={}) as server:
            data = frame(1, pack(b"echo"), flags=0x40) + frame(1, b"plain") + frame(8)
            received, _ = server.talk(data, {"Sec-WebSocket-Extensions": "permessage-deflate"})
            assert received[:1] == b"\xc1"
            size = received[1]
            assert (
                zlib.decompressobj(wbits=-15).decompress(received[2 : 2 + size] + b"\0\0\xff\xff")
                == b"echo"
            )
            assert server.log[1:3] == ["echo", "plain"]

    @pytest.mark.parametrize("native", [False, True])
    def test_a_waiting_handler_holds_back_the_next_message(self, native: bool) -> None:
        gate = Future()

        class Slow(Recorder):
            @gen.coroutine
            def on_message(self, message: Any) -> Any:
                self.log.append(message)
                if message == "1":
                    yield gate
                    self.log.append("passed")

        class SlowNative(Recorder):
            async def on_message(self, message: Any) -> None:
                self.log.append(message)
                if message == "1":
                    await gate
                    self.log.append("passed")

        with serve(SlowNative if native else Slow) as server:

            @gen.coroutine
            def go() -> Any:
                stream, _ = yield server.shake()
                stream.write(frame(1, b"1") + frame(1, b"2"))
                while "1" not in server.log:
                    yield gen.sleep(0.001)
                stream.write(frame(1, b"3") + frame(8))
                yield gen.sleep(0.01)
                assert server.log[1:] == ["1"]
                gate.set_result(None)
                return (yield stream.read_until_close())

            assert server.run(go) == b"\x88\x00"
            assert server.log[1:] == ["1", "passed", "2", "3", ("close", None, None)]

    def test_errors_end_the_connection(self, caplog: Any) -> None:
        class Broken(Recorder):
            def on_message(self, message: Any) -> Any:
                raise ZeroDivisionError

        with serve(Broken) as server:
            assert server.talk(frame(1, b"a")) == (b"", True)
            assert server.log[-1] == ("close", None, None)
        (record,) = [entry for entry in caplog.records if entry.name == "tornado.application"]
        assert record.getMessage() == "Uncaught exception in /ws"

    def test_errors_of_coroutines_are_logged_and_the_connection_goes_on_as_in_453(
        self, caplog: Any
    ) -> None:
        class Broken(Recorder):
            @gen.coroutine
            def on_message(self, message: Any) -> Any:
                self.log.append(message)
                yield gen.moment
                raise ZeroDivisionError

            def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
                self.log.append(typ)

        with serve(Broken) as server:
            received, _ = server.talk(frame(1, b"a") + frame(1, b"b") + frame(8))
            assert received == b"\x88\x00"
            assert sorted(map(str, server.log[1:-1])) == sorted(
                map(str, ["a", ZeroDivisionError, "b", ZeroDivisionError])
            )


class TestStrictFraming:
    @pytest.mark.parametrize(
        "data",
        [
            frame(1, b"x", mask=False),
            frame(1, b"\xff"),
            frame(1, b"x", flags=0x40),
            frame(3, b"x"),
            frame(9, b"x", fin=False),
            frame(0, b"x"),
            frame(8, b"\x03"),
            frame(8, struct.pack(">H", 1005)),
            frame(8, b"\x03\xe8\xff"),
        ],
        ids=[
            "unmasked",
            "utf8",
            "rsv",
            "opcode",
            "ping-fragment",
            "continuation",
            "close-1",
            "close-1005",
            "close-utf8",
        ],
    )
    def test_violations_end_the_connection_without_a_word_as_in_453(self, data: bytes) -> None:
        with serve() as server:
            assert server.talk(data + frame(1, b"never seen")) == (b"", True)
            assert [entry[0] for entry in server.log] == ["open", "close"]

    def test_too_big_a_message_is_1009(self) -> None:
        with serve(settings={"websocket_max_message_size": 100}) as server:
            received, _ = server.talk(frame(1, b"x" * 100) + frame(1, b"x" * 101), until="x" * 100)
            assert received == b"\x88\x11\x03\xf1message too big"
            assert server.log[1:] == ["x" * 100, ("close", None, None)]

    def test_so_is_one_that_decompresses_to_it(self) -> None:
        packer = zlib.compressobj(wbits=-15)
        bomb = (packer.compress(b"\0" * 1_000_000) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        with serve(settings={"websocket_max_message_size": 2000}, compress={}) as server:
            data = frame(1, b"echo") + frame(2, bomb, flags=0x40)
            received, _ = server.talk(
                data, {"Sec-WebSocket-Extensions": "permessage-deflate"}, until="echo"
            )
            assert received.endswith(b"\x88\x11\x03\xf1message too big")


class TestClosing:
    def test_the_peers_code_is_echoed(self) -> None:
        with serve() as server:
            received, closed = server.talk(frame(8, b"\x03\xe9bye") + frame(1, b"too late"))
            assert (received, closed) == (b"\x88\x02\x03\xe9", True)
            assert server.log[1:] == [("close", 1001, "bye")]

    @pytest.mark.parametrize(
        ("arguments", "payload"),
        [((), b""), ((4000,), b"\x0f\xa0"), ((1001, "bye"), b"\x03\xe9bye"), ((None, "x"), b"\x03\xe8x")],
    )
    def test_ours(self, arguments: tuple[Any, ...], payload: bytes) -> None:
        class Leaving(Recorder):
            def on_message(self, message: Any) -> Any:
                self.close(*arguments)
                for send in (lambda: self.write_message("x"), lambda: self.ping(b"x")):
                    with pytest.raises(WebSocketClosedError):
                        send()
                self.close()
                self.log.append("left")

        with serve(Leaving) as server:
            assert server.talk(frame(1, b"go") + frame(8, payload)) == (frame(8, payload, mask=False), True)
            code = struct.unpack(">H", payload[:2])[0] if payload else None
            assert server.log[1:] == ["left", ("close", code, payload[2:].decode() or None)]

    def test_a_silent_peer_is_cut_off_after_a_while(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tornado4.websocket.protocol.CLOSE_TIMEOUT", 0.02)

        class Leaving(Recorder):
            def open(self, *args: Any, **kwargs: Any) -> None:
                self.close(1001)

        with serve(Leaving) as server:
            assert server.talk(b"") == (b"\x88\x02\x03\xe9", True)
            assert server.log == [("close", None, None)]

    def test_a_lost_peer(self) -> None:
        with serve() as server:
            server.talk(frame(1, b"x")[:3] + b"", until=("open", ("",)))
            assert server.log == [("open", ("",)), ("close", None, None)]

    def test_abort_hangs_up(self) -> None:
        class Aborting(Recorder):
            def on_message(self, message: Any) -> Any:
                self.ws_connection._abort()

        with serve(Aborting) as server:
            assert server.talk(frame(1, b"x") + frame(1, b"y")) == (b"", True)
            assert server.log[1:] == [("close", None, None)]


class TestHandlerMethods:
    def test_http_methods_are_of_no_more_use(self) -> None:
        class Confused(Recorder):
            def on_message(self, message: Any) -> Any:
                for call in (
                    lambda: self.write("x"),
                    lambda: self.redirect("/"),
                    lambda: self.set_header("a", "b"),
                    lambda: self.set_cookie("a", "b"),
                    lambda: self.set_status(500),
                    lambda: self.flush(),
                    lambda: self.finish(),
                ):
                    with pytest.raises(RuntimeError, match="Method not supported for Web Sockets"):
                        call()
                self.send_error(500)

        with serve(Confused) as server:
            assert server.talk(frame(1, b"x")) == (b"", True)

    def test_what_write_message_takes_as_in_453(self) -> None:
        class Writer(Recorder):
            def on_message(self, message: Any) -> Any:
                assert self.write_message("é").done()  # type: ignore[union-attr]
                self.write_message({"a": 1})
                self.write_message(b"\xff", binary=True)
                self.ping(b"abc")
                self.ws_connection._write_frame(True, 0xA, b"")
                for wrong in ([1], 5):
                    with pytest.raises(TypeError):
                        self.write_message(wrong)  # type: ignore[arg-type]
                with pytest.raises(ValueError):
                    self.ping(b"x" * 126)
                self.close()

        with serve(Writer) as server:
            received, _ = server.talk(frame(1, b"x") + frame(8))
            assert received == b'\x81\x02\xc3\xa9\x81\x08{"a": 1}\x82\x01\xff\x89\x03abc\x8a\x00\x88\x00'

    def test_writing_to_a_closed_stream(self) -> None:
        with serve() as server:
            server.run(server.shake)
            handler = Recorder.last
            handler.stream.close()
            assert handler.write_message("x") is None
            assert server.run(lambda: gen.sleep(0.005)) is None
            assert server.log[-1] == ("close", None, None)
            with pytest.raises(WebSocketClosedError):
                handler.write_message("x")

    def test_pending_writes_fail_when_the_peer_goes(self) -> None:
        with serve() as server:

            @gen.coroutine
            def go() -> Any:
                stream, _ = yield server.shake()
                future = Recorder.last.write_message("x" * 20_000_000)
                assert not future.done()
                stream.close()
                with pytest.raises(StreamClosedError):
                    yield future

            server.run(go)

    def test_pings_keep_alive_and_find_the_dead(self) -> None:
        with serve(settings={"websocket_ping_interval": 0.01, "websocket_ping_timeout": 0.03}) as server:
            received = server.listen_until_close()
            assert received.startswith(b"\x89\x00")
            assert received.endswith(b"\x88\x00")


    def test_a_peer_that_reads_no_pong_gets_one_for_its_latest_ping(self) -> None:
        """RFC 6455, section 5.5.3. In 4.5.3 the pongs filled the memory."""

        class Narrow(Recorder):
            def open(self, *args: Any, **kwargs: Any) -> None:
                self.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

            def on_ping(self, data: bytes) -> None:
                self.log.append(self.stream._write_buffer_size)
                self.latest = data

        with serve(Narrow) as server:

            @gen.coroutine
            def go() -> Any:
                stream, _ = yield server.shake()
                # Many more than the buffers below us take.
                for _ in range(200):
                    yield stream.write(frame(9, b"x" * 125) * 500)
                assert max(server.log) < 2 * 65536
                yield stream.write(frame(9, b"latest"))
                while Recorder.last.latest != b"latest":
                    yield gen.moment
                received = yield stream.read_until(frame(10, b"latest", mask=False))
                assert len(received) < 127 * 200 * 500
                # Who reads gets all pongs again.
                for data in (b"1", b"2"):
                    yield stream.write(frame(9, data))
                assert (yield stream.read_bytes(6)) == frame(10, b"1", mask=False) + frame(10, b"2", mask=False)

            server.run(go)

    def test_a_result_that_nobody_can_wait_for_is_an_error_of_the_application(self, caplog: Any) -> None:
        class Odd(Recorder):
            def on_message(self, message: Any) -> Any:
                return 5

        with serve(Odd) as server:
            assert server.talk(frame(1, b"x")) == (b"", True)
            assert server.log[-1] == ("close", None, None)
        assert {entry.name for entry in caplog.records if entry.levelno >= logging.ERROR} == {"tornado.application"}


ACCEPT = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Accept: "
)


class TestClient:
    def shake(self, data: bytes = b"", headers: bytes = b"") -> Any:
        def respond(stream: Any) -> Any:
            request = respond.server.requests[-1]  # type: ignore[attr-defined]
            key = re.search(rb"Key: (.*)\r", request)
            assert key is not None
            return stream.write(
                ACCEPT + accept_value(key.group(1)).encode() + b"\r\n" + headers + b"\r\n" + data
            )

        return respond

    def connect(self, server: Any, *script: Any, **kwargs: Any) -> Any:
        for step in script:
            if callable(step):
                step.server = server  # type: ignore[attr-defined]
        server.scripts = [list(script)]
        url = kwargs.pop("url", f"ws://127.0.0.1:{server.port}/x?y")
        return server.io_loop.run_sync(lambda: websocket_connect(url, **kwargs), timeout=120)

    def test_request_byte_for_byte_as_in_453(self) -> None:
        with raw_server() as (_io_loop, server):
            connection = self.connect(server, self.shake(), compression_options={})
            request = re.sub(rb"Key: .*\r", b"Key: K\r", server.requests[0])
            assert request == (
                b"GET /x?y HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-Websocket-Key: K\r\n"
                b"Sec-Websocket-Version: 13\r\n"
                b"Sec-Websocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
                b"Host: 127.0.0.1:PORT\r\nAccept-Encoding: gzip\r\n\r\n"
            )
            connection.stream.close()

    def test_messages_and_the_end(self) -> None:
        with raw_server() as (io_loop, server):
            data = (
                frame(1, b"hi", mask=False)
                + frame(2, b"\xff", mask=False)
                + frame(8, b"\x03\xe9bye", mask=False)
            )
            connection = self.connect(server, self.shake(data))
            assert (connection.close_code, connection.headers["Upgrade"]) == (None, "websocket")
            read = [io_loop.run_sync(connection.read_message, timeout=120) for _ in range(3)]
            assert read == ["hi", b"\xff", None]
            assert (connection.close_code, connection.close_reason) == (1001, "bye")

    @pytest.mark.parametrize(
        ("behind", "answers"),
        [
            (frame(1, b"yo", flags=0x20, mask=False), [(1, b"hi")]),
            (frame(3, mask=False), [(1, b"hi")]),
            (frame(8, b"\x03\xe8", mask=False), [(1, b"hi"), (8, b"\x03\xe8")]),
            (frame(9, b"p", mask=False), [(1, b"hi"), (10, b"p")]),
            (frame(1, b"yo", mask=False), [(1, b"hi"), (1, b"yo")]),
        ],
        ids=["reserved bit", "reserved opcode", "close", "ping", "message"],
    )
    @pytest.mark.parametrize("native", [False, True])
    def test_the_answer_to_a_message_goes_out_before_what_came_with_it_is_looked_at(
        self, behind: bytes, answers: list[tuple[int, bytes]], native: bool
    ) -> None:
        """As in 4.5.3, a message and what stands behind it in one packet: the reader has its turn in between."""
        with raw_server() as (io_loop, server):
            begin = Future()
            data = frame(1, b"hi", mask=False) + behind
            connection = self.connect(
                server, self.shake(), lambda stream: begin, lambda stream: stream.write(data)
            )

            async def echo_native() -> None:
                while (message := await connection.read_message()) is not None:
                    connection.write_message(message)

            @gen.coroutine
            def echo() -> Any:
                while True:
                    message = yield connection.read_message()
                    if message is None:
                        break
                    connection.write_message(message)

            gen.convert_yielded(echo_native()) if native else echo()
            expected = sum(6 + len(payload) for _, payload in answers)

            @gen.coroutine
            def run() -> Any:
                protocol = connection.protocol
                begin.set_result(None)
                while len(server.requests) < 2:
                    yield gen.moment
                    if protocol._wire_bytes_out >= expected:
                        connection.stream.close()  # both answers are on their way

            io_loop.run_sync(run, timeout=120)
            sent, frames = server.requests[1], []
            while sent:
                length, key = sent[1] & 127, sent[2:6]
                frames.append((sent[0] & 15, bytes(c ^ key[i % 4] for i, c in enumerate(sent[6 : 6 + length]))))
                sent = sent[6 + length :]
            assert frames == answers

    def test_the_server_waits_for_one_that_does_not_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tornado4.websocket.client.DEFAULT_MAX_MESSAGE_SIZE", 10_000)
        with raw_server() as (io_loop, server):
            sent = [bytes([n]) * 3000 for n in range(50)]
            data = b"".join(frame(2, message, mask=False) for message in sent)
            connection = self.connect(server, self.shake(data + frame(8, b"\x03\xe8", mask=False)), None)

            @gen.coroutine
            def read() -> Any:
                while connection._room is None:
                    yield gen.moment
                assert sum(map(len, connection.read_queue)) <= 13_000
                got = []
                while not got or got[-1] is not None:
                    # Slowly, so that the server's end has every opportunity to overtake what it sent.
                    yield gen.moment
                    got.append((yield connection.read_message()))
                    assert connection._queued <= 13_000 or connection.stream.closed()
                return got

            assert io_loop.run_sync(read, timeout=120) == [*sent, None]
            assert connection.close_code == 1000
            assert connection._queued == 0

    def test_close_lets_the_answer_of_the_server_through(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tornado4.websocket.client.DEFAULT_MAX_MESSAGE_SIZE", 100)
        with raw_server() as (io_loop, server):
            data = frame(2, b"x" * 200, mask=False) * 3 + frame(8, b"\x03\xe8", mask=False)
            connection = self.connect(server, self.shake(data))

            @gen.coroutine
            def leave() -> Any:
                while connection._room is None:
                    yield gen.moment
                connection.close()
                while not connection.stream.closed():
                    yield gen.moment
                return (yield [connection.read_message() for _ in range(4)])

            assert io_loop.run_sync(leave, timeout=120) == [b"x" * 200] * 3 + [None]

    def test_what_it_sends_is_masked(self) -> None:
        with raw_server() as (io_loop, server):
            connection = self.connect(server, self.shake())
            connection.write_message("hello")
            connection.close(1000)
            connection.close()
            assert connection.protocol is None
            io_loop.run_sync(lambda: gen.sleep(0.01))
            connection.stream.close()
            io_loop.run_sync(lambda: gen.sleep(0.01))
            sent = server.requests[1]
            assert (sent[0], sent[1]) == (0x81, 0x85)
            key, payload = sent[2:6], sent[6:11]
            assert bytes(c ^ key[i % 4] for i, c in enumerate(payload)) == b"hello"
            assert (sent[11], sent[12]) == (0x88, 0x82)

    def test_masked_frames_from_a_server_end_the_connection(self) -> None:
        with raw_server() as (io_loop, server):
            connection = self.connect(server, self.shake(frame(1, b"x")))
            assert io_loop.run_sync(connection.read_message, timeout=120) is None

    def test_callbacks(self) -> None:
        with raw_server() as (io_loop, server):
            got: list[Any] = []
            connected: list[Any] = []
            data = frame(1, b"a", mask=False) + frame(8, mask=False)
            self.connect(
                server, self.shake(data), on_message_callback=got.append, callback=connected.append
            )
            io_loop.run_sync(lambda: gen.sleep(0.02))
            assert got == ["a", None]
            assert [type(future.result()) for future in connected] == [websocket.WebSocketClientConnection]

    @pytest.mark.parametrize("code", [404, 302])
    def test_error_responses(self, code: int) -> None:
        with raw_server() as (_io_loop, server):
            response = b"HTTP/1.1 %d No\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nhi" % code
            with pytest.raises(HTTPError) as caught:
                self.connect(server, response)
            assert caught.value.code == code

    def test_other_responses(self) -> None:
        with raw_server() as (_io_loop, server):
            with pytest.raises(WebSocketError, match="Non-websocket response"):
                self.connect(server, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            with pytest.raises(HTTPError, match="Stream closed"):
                self.connect(server, None)

    @pytest.mark.parametrize(
        "answer",
        [
            ACCEPT + b"wrong\r\n\r\n",
            b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\n\r\n",
            b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n",
        ],
    )
    def test_bad_handshakes(self, answer: bytes, caplog: Any) -> None:
        with raw_server() as (io_loop, server):
            with pytest.raises(StreamClosedError):
                self.connect(server, answer)
            io_loop.run_sync(lambda: gen.sleep(0.01))
        assert [record for record in caplog.records if record.exc_info] == []

    @pytest.mark.parametrize("extension", [b"foo", b"permessage-deflate; nonsense"])
    def test_extensions_that_were_not_offered(self, extension: bytes, caplog: Any) -> None:
        with raw_server() as (io_loop, server):
            headers = b"Sec-WebSocket-Extensions: " + extension + b"\r\n"
            with pytest.raises(StreamClosedError):
                self.connect(server, self.shake(headers=headers), compression_options={})
            io_loop.run_sync(lambda: gen.sleep(0.01))

    def test_arguments(self) -> None:
        with raw_server() as (_io_loop, server):
            with pytest.raises(KeyError):
                self.connect(server, url="foo://127.0.0.1/")
            request = HTTPRequest(f"ws://127.0.0.1:{server.port}/", headers={"X-A": "b"})
            with pytest.raises(AssertionError):
                self.connect(server, url=request, connect_timeout=1)
            self.connect(server, self.shake(frame(8, mask=False)), url=request)
            assert b"X-A: b\r\n" in server.requests[0]
            assert request.url.startswith("ws://")

    def test_client_and_server_of_our_own(self) -> None:
        class Echo(Recorder):
            def on_message(self, message: Any) -> Any:
                return self.write_message(message, binary=isinstance(message, bytes))

        with serve(Echo, compress={}) as server:

            @gen.coroutine
            def go() -> Any:
                url = f"ws://127.0.0.1:{server.port}/ws"
                connection = yield websocket_connect(url, compression_options={})
                for message in ("hello", b"\0" * 300_000, "é" * 70_000, "", "hello"):
                    connection.write_message(message, binary=isinstance(message, bytes))
                    assert (yield connection.read_message()) == message
                protocol = connection.protocol
                assert protocol._message_bytes_in == protocol._message_bytes_out == 10 + 300_000 + 140_000
                assert protocol._wire_bytes_in < 5_000
                connection.close(1000, "done")
                assert (yield connection.read_message()) is None

            server.run(go)
            server.run(lambda: gen.sleep(0.01))
            assert server.log[-1] == ("close", 1000, "done")


def test_names_of_the_face_report_it_as_their_home() -> None:
    for name in (
        "WebSocketHandler",
        "WebSocketProtocol13",
        "websocket_connect",
        "_PerMessageDeflateCompressor",
    ):
        assert getattr(websocket, name).__module__ == "tornado4.websocket"
    assert logging.getLogger("tornado.application") is websocket.app_log
