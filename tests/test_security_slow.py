"""What a peer may take its time for, and what not: heads and handshakes that never end, from their first byte on."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest
from attacked import attacked
from clocks import pass_time

from tornado4 import gen
from tornado4._core.deadlines import deadlines_of
from tornado4.http1connection import HTTP1ConnectionParameters
from tornado4.ioloop import IOLoop
from tornado4.iostream import IOStream, SSLIOStream, StreamClosedError
from tornado4.tcpserver import TCPServer
from tornado4.testing import AsyncHTTPSTestCase
from tornado4.web import RequestHandler

REQUEST = b"GET / HTTP/1.1\r\nHost: test.example\r\n\r\n"
#: Seconds that a head, or a handshake, has; they pass when a test says so.
LIMIT = 60


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("Hello")

    post = get


@gen.coroutine
def slept(io_loop: Any, seconds: float) -> Any:
    """As `gen.sleep`, in no time."""
    sleeping = gen.sleep(seconds)
    pass_time(io_loop, seconds)
    yield sleeping


@gen.coroutine
def drip(server: Any, first: bytes, drop: bytes) -> Any:
    """Send ``first``, then ``drop`` again and again, until the server has had enough; what it said."""
    stream = IOStream(socket.socket())
    yield stream.connect(("127.0.0.1", server.port))
    answer = stream.read_until_close()
    yield stream.write(first)
    while not answer.done():
        try:
            yield stream.write(drop)
        except StreamClosedError:
            break
        pass_time(server.loop, LIMIT / 10)
        yield gen.moment
    return (yield answer)


def test_both_have_a_minute() -> None:
    assert HTTP1ConnectionParameters().slow_head_timeout == TCPServer._handshake_timeout == LIMIT


@pytest.mark.parametrize("before", [b"", REQUEST, REQUEST * 3])
@pytest.mark.parametrize("first", [b"G", b"GET / HTTP/1.1\r\nHost: test.example\r\nA: "])
def test_a_head_that_never_ends_gets_408(before: bytes, first: bytes) -> None:
    with attacked([("/", Hello)]) as server:
        answer = server.loop.run_sync(lambda: drip(server, before + first, b"a"))
    assert answer.count(b"HTTP/1.1 200 OK") == before.count(b"GET")
    assert answer.endswith(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    (line,) = server.complaints()
    assert line.startswith("Timeout reading head from 127.0.0.1 (WIRE-SLOW-HEAD of docs/deviations.md; ")
    assert "TORNADO4_ALLOW=slow-heads" in line


def test_time_without_a_byte_does_not_count_nor_does_the_time_of_bodies_and_answers() -> None:
    class Slow(RequestHandler):
        @gen.coroutine
        def post(self) -> Any:
            yield slept(IOLoop.current(), 3 * LIMIT)
            self.write("Hello")

    @gen.coroutine
    def talk(server: Any) -> Any:
        stream = IOStream(socket.socket())
        yield stream.connect(("127.0.0.1", server.port))
        answers = []
        for _ in range(2):
            yield slept(server.loop, 3 * LIMIT)
            yield stream.write(REQUEST.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 4\r\n\r\n"))
            for piece in (b"a", b"bc", b"d"):
                yield slept(server.loop, LIMIT)
                yield stream.write(piece)
            answers.append((yield stream.read_until(b"Hello")))
        stream.close()
        return [answer[:12] for answer in answers]

    with attacked([("/", Slow)]) as server:
        answers = server.loop.run_sync(lambda: talk(server))
    assert answers == [b"HTTP/1.1 200"] * 2 and server.complaints() == []


def test_a_server_without_the_limit_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HTTP1ConnectionParameters, "slow_head_timeout", None)

    @gen.coroutine
    def talk(server: Any) -> Any:
        stream = IOStream(socket.socket())
        yield stream.connect(("127.0.0.1", server.port))
        yield stream.write(REQUEST[:9])
        for _ in range(10):
            yield gen.moment  # the server has it
        yield slept(server.loop, 3 * LIMIT)
        yield stream.write(REQUEST[9:])
        answer = yield stream.read_until(b"Hello")
        stream.close()
        return answer

    with attacked([("/", Hello)]) as server:
        assert server.loop.run_sync(lambda: talk(server)).startswith(b"HTTP/1.1 200")
    assert server.complaints() == []


CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01"


@pytest.mark.parametrize("first", [b"", CLIENT_HELLO])
def test_a_handshake_that_never_ends_is_given_up(first: bytes) -> None:
    certificate = AsyncHTTPSTestCase("run").get_ssl_options()
    with attacked([("/", Hello)], ssl_options=certificate) as server:
        assert server.loop.run_sync(lambda: drip(server, first, b"")) == b""
    (line,) = server.complaints()
    assert line.startswith("Timeout in TLS handshake with ('127.0.0.1', ")
    assert line.endswith("(TLS-SLOW-HANDSHAKE of docs/deviations.md; TORNADO4_ALLOW=slow-handshakes allows it)")


def test_who_has_shaken_hands_may_be_idle() -> None:
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE

    @gen.coroutine
    def talk(server: Any) -> Any:
        stream = SSLIOStream(socket.socket(), ssl_options=unverified)
        yield stream.connect(("127.0.0.1", server.port))
        while len(deadlines_of(server.loop, LIMIT)):
            yield gen.moment  # the server has yet to read the client's last word
        yield slept(server.loop, 3 * LIMIT)
        yield stream.write(REQUEST)
        answer = yield stream.read_until(b"Hello")
        stream.close()
        return answer

    with attacked([("/", Hello)], ssl_options=AsyncHTTPSTestCase("run").get_ssl_options()) as server:
        assert server.loop.run_sync(lambda: talk(server)).startswith(b"HTTP/1.1 200")
    assert server.complaints() == []


@pytest.mark.parametrize("secure", [False, True])
def test_nothing_is_kept_of_those_who_came_and_went(secure: bool) -> None:
    options = {"ssl_options": AsyncHTTPSTestCase("run").get_ssl_options()} if secure else {}

    @gen.coroutine
    def come_and_go(server: Any) -> Any:
        waiting = deadlines_of(server.loop, 60)
        stream = IOStream(socket.socket())
        yield stream.connect(("127.0.0.1", server.port))
        yield stream.write(CLIENT_HELLO if secure else REQUEST[:9])
        while not len(waiting):
            yield gen.sleep(0.001)
        stream.close()
        while len(waiting):
            yield gen.sleep(0.001)

    with attacked([("/", Hello)], **options) as server:
        for _ in range(3):
            server.loop.run_sync(lambda: come_and_go(server))
