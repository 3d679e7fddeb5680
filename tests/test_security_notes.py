"""What the release notes of Tornado 5.0 to 6.6.1 say of security and no other test has: closed, or as in 4.5.3."""

from __future__ import annotations

import hashlib
import re
import socket
from typing import Any

import pytest
from attacked import Attacked, attacked
from programs import ROOT
from raw_peers import OK, raw_server

from tornado4 import gen
from tornado4._wire.websocket import BINARY, CLOSE, encode_frame
from tornado4.httpclient import HTTPRequest
from tornado4.iostream import IOStream
from tornado4.simple_httpclient import SimpleAsyncHTTPClient
from tornado4.web import Application, RequestHandler, stream_request_body
from tornado4.websocket import WebSocketHandler

HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: test.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)

# -- a peer that never stops lets others have their turn ------------------------------------------------------


#: Bytes that a connection may read before others have their turn: four reads, and what was left of the one before.
STRETCH = 5 * 65536


class Turns:
    """Counts the iterations of a loop, from the first piece that a handler gets to the last."""

    def __init__(self, server: Attacked) -> None:
        self.loop = server.loop
        self.iterations = 0
        self.at_pieces: list[int] = []
        self.loop.add_callback(self._count)

    def _count(self) -> None:
        self.iterations += 1
        self.loop.add_callback(self._count)

    def piece(self) -> None:
        self.at_pieces.append(self.iterations)

    def most_in_one(self) -> int:
        """The largest number of pieces that came within one iteration."""
        return max(map(self.at_pieces.count, set(self.at_pieces)))


def test_a_body_of_tiny_chunks_lets_others_have_their_turn() -> None:
    chunks = 200_000
    turns: list[Turns] = []

    @stream_request_body
    class Upload(RequestHandler):
        def data_received(self, chunk: bytes) -> None:
            turns[0].piece()

        def post(self) -> None:
            self.write(str(len(turns[0].at_pieces)))

    with attacked([("/", Upload)]) as server:
        turns.append(Turns(server))
        head = b"POST / HTTP/1.1\r\nHost: test.example\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = server.send(head + b"1\r\na\r\n" * chunks + b"0\r\n\r\n", patience=60)
    assert answer.startswith(b"HTTP/1.1 200")
    assert turns[0].most_in_one() <= STRETCH // len(b"1\r\na\r\n")


def test_many_small_messages_let_others_have_their_turn() -> None:
    messages = 100_000
    turns: list[Turns] = []

    class Sink(WebSocketHandler):
        def on_message(self, message: Any) -> None:
            turns[0].piece()

    with attacked([("/ws", Sink)]) as server:
        turns.append(Turns(server))
        frame = encode_frame(True, BINARY, b"a", mask=True)
        end = encode_frame(True, CLOSE, b"", mask=True)
        server.send(HANDSHAKE.encode() + b"\r\n" + frame * messages + end, patience=60)
    assert len(turns[0].at_pieces) == messages
    assert turns[0].most_in_one() <= STRETCH // len(frame)


def test_no_timer_outlives_its_websocket() -> None:
    timers: list[Any] = []

    class Pinged(WebSocketHandler):
        def open(self) -> None:
            protocol: Any = self.ws_connection
            timers.append(protocol.ping_callback)
            assert timers[-1].is_running()

    with attacked(Application([("/ws", Pinged)], websocket_ping_interval=1000)) as server:
        server.send(HANDSHAKE.encode() + b"\r\n" + encode_frame(True, CLOSE, b"", mask=True))
        lost = encode_frame(True, BINARY, b"a")  # not masked: the connection is cut
        server.send(HANDSHAKE.encode() + b"\r\n" + lost)
    assert [timer.is_running() for timer in timers] == [False, False]


# -- clients --------------------------------------------------------------------------------------------------


def test_a_proxys_credentials_do_not_stay_with_a_curl_handle() -> None:
    pytest.importorskip("pycurl", reason="pycurl is not installed")
    from tornado4.curl_httpclient import CurlAsyncHTTPClient

    with raw_server() as (loop, server):
        client: Any = CurlAsyncHTTPClient(loop, force_instance=True, max_clients=1)
        where = {"proxy_host": "127.0.0.1", "proxy_port": server.port, "headers": {"Connection": "close"}}
        server.scripts = [[OK, None]]
        for credentials in ({"proxy_username": "u", "proxy_password": "p"}, {}):
            request = HTTPRequest("http://elsewhere.example/", **where, **credentials)
            loop.run_sync(lambda asked=request: client.fetch(asked, raise_error=False), timeout=120)
        client.close()
        first, second = (request.decode() for request in server.requests)
    assert "Proxy-Authorization: Basic dTpw" in first
    assert "Proxy-Authorization" not in second


@pytest.mark.parametrize("limit", ["max_body_size", "max_buffer_size"])
def test_a_response_without_a_length_is_whole_or_an_error(limit: str) -> None:
    with raw_server() as (loop, server):
        sizes: dict[str, Any] = {"max_buffer_size": 100_000, limit: 10_000}
        client: Any = SimpleAsyncHTTPClient(loop, force_instance=True, **sizes)
        server.scripts = [[b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 9_000, None]]
        whole = loop.run_sync(lambda: client.fetch(server.url(), raise_error=False), timeout=120)
        server.scripts = [[b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 50_000, None]]
        longer = loop.run_sync(lambda: client.fetch(server.url(), raise_error=False), timeout=120)
        client.close()
    assert (whole.code, len(whole.body)) == (200, 9_000)
    assert longer.code == 599


def test_a_redirect_to_another_scheme_is_an_error_and_frees_its_place() -> None:
    with raw_server() as (loop, server):
        client: Any = SimpleAsyncHTTPClient(loop, force_instance=True, max_clients=1)
        for scheme in ("ftp", "file", "javascript", "HTTPX"):
            head = f"HTTP/1.1 302 Found\r\nLocation: {scheme}://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
            server.scripts = [[head.encode()]]
            response = loop.run_sync(lambda: client.fetch(server.url(), raise_error=False), timeout=120)
            assert response.code == 599 and "Unsupported url scheme" in str(response.error)
            assert not client.active and not client.queue and not client.waiting
        server.scripts = [[OK]]
        assert loop.run_sync(lambda: client.fetch(server.url()), timeout=120).body == b"hi"
        client.close()


# -- kept as in 4.5.3 -----------------------------------------------------------------------------------------


def test_etags_are_those_of_4_5_3() -> None:
    class Page(RequestHandler):
        def get(self) -> None:
            self.write("page")

    with attacked([("/", Page)]) as server:
        assert server.ask("/")[1]["Etag"] == f'"{hashlib.sha1(b"page").hexdigest()}"'


def test_a_body_limit_of_zero_is_the_default_as_in_453() -> None:
    class Size(RequestHandler):
        def post(self) -> None:
            self.write(str(len(self.request.body)))

    with attacked([("/", Size)], max_body_size=0) as server:
        assert server.ask("/", method="POST", body=b"x" * 1000)[::2] == (200, b"1000")


def test_the_xsrf_cookie_has_the_name_and_attributes_of_453() -> None:
    class Form(RequestHandler):
        def get(self) -> None:
            self.write(self.xsrf_token)

    attributes = {"secure": True, "httponly": True}
    with attacked(Application([("/", Form)], xsrf_cookie_kwargs=attributes)) as server:
        cookie = server.ask("/")[1]["Set-Cookie"]
    name, *found = cookie.lower().split("; ")
    assert name.startswith("_xsrf=2|") and {"secure", "httponly"} <= set(found)


@pytest.mark.parametrize(("value", "passes"), [("a\x7fb", True), ("a\tb", False), ("a\r\nb", False), ("a\0b", False)])
def test_values_of_headers_that_are_sent_as_in_453(value: str, passes: bool) -> None:
    class Page(RequestHandler):
        def get(self) -> None:
            self.set_header("X-Value", value)
            self.write("page")

    with attacked([("/", Page)]) as server:
        status, headers, _ = server.ask("/")
    assert (status, headers.get("X-Value")) == ((200, value) if passes else (500, None))


def test_read_until_close_hands_over_what_there_is_and_the_stream_has_the_error() -> None:
    with raw_server() as (loop, server):
        linger = (socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() sends RST
        server.scripts = [[b"begun", lambda stream: stream.socket.setsockopt(*linger), None]]

        @gen.coroutine
        def talk() -> Any:
            stream = IOStream(socket.socket(), io_loop=loop)
            yield stream.connect(("127.0.0.1", server.port))
            yield stream.write(b"GET / HTTP/1.1\r\n\r\n")
            data = yield stream.read_until_close()
            return data, stream.error

        data, error = loop.run_sync(talk, timeout=120)
    assert data in (b"", b"begun")  # the kernel may drop what a reset overtakes
    assert isinstance(error, ConnectionResetError)


def test_read_until_close_is_cut_at_a_full_buffer_with_a_log_line_as_in_453(caplog: pytest.LogCaptureFixture) -> None:
    with raw_server() as (loop, server):
        server.scripts = [[b"x" * 100_000, None]]

        @gen.coroutine
        def talk() -> Any:
            stream = IOStream(socket.socket(), io_loop=loop, max_buffer_size=1000)
            yield stream.connect(("127.0.0.1", server.port))
            yield stream.write(b"GET / HTTP/1.1\r\n\r\n")
            return (yield stream.read_until_close())

        data = loop.run_sync(talk, timeout=120)
    assert 1000 < len(data) < 2000
    assert "Reached maximum read buffer size" in caplog.text


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://test.example", 101), ("http://TEST.example", 101), ("http://evil.example", 403), ("null", 403)],
)
def test_websockets_from_another_origin_are_refused(origin: str, status: int) -> None:
    class Open(WebSocketHandler):
        def open(self) -> None:
            self.close()

    handshake = HANDSHAKE.replace("Connection: Upgrade", "Connection: Upgrade, close") + f"Origin: {origin}\r\n\r\n"
    with attacked([("/ws", Open)]) as server:
        answer = server.send(handshake.encode() + encode_frame(True, CLOSE, b"", mask=True))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


def test_no_example_redirects_to_where_a_request_says() -> None:
    examples = [path.read_text("utf-8") for path in (ROOT / "examples").rglob("*.py")]
    assert len(examples) >= 2
    follows = re.compile(r"\.redirect\([^)]*(argument|request)|s3server")
    assert not [text for text in examples if follows.search(text)]
