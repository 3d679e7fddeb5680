# ruff: noqa: F811  (fixtures are arguments)
"""The client's driver: what delegates may do while a response is read, and who reads when methods are overridden."""

from __future__ import annotations

import contextlib
import contextvars

import pytest
from stream_pairs import closing_all, loop, run_until, socket_pair, wait  # noqa: F401  (some are fixtures)

from tornado4 import gen, stack_context
from tornado4._http1.parameters import _QuietException
from tornado4.concurrent import Future
from tornado4.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado4.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine
from tornado4.iostream import StreamClosedError
from tornado4.testing import ExpectLog

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


class Log(HTTPMessageDelegate):
    def __init__(self) -> None:
        self.seen: list = []

    def headers_received(self, start_line, headers):
        self.seen.append(start_line.code)

    def data_received(self, chunk):
        self.seen.append(chunk)

    def finish(self):
        self.seen.append("finish")

    def on_connection_close(self):
        self.seen.append("close")


def client(left, cls=HTTP1Connection, **params):
    conn = cls(left, True, HTTP1ConnectionParameters(**params))
    conn.write_headers(RequestStartLine("GET", "/", ""), HTTPHeaders({"Host": "a"}))
    conn.finish()
    return conn


@pytest.fixture
def pair(loop):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        yield left, right


def test_a_delegate_that_waits_holds_back_the_server(loop, pair):
    left, right = pair
    size = 16 * 1024 * 1024
    gates: list[Future] = []

    class Slow(Log):
        total = 0

        def data_received(self, chunk):
            self.total += len(chunk)
            gates.append(Future())
            return gates[-1]

    slow = Slow()
    reading = client(left).read_response(slow)
    right.write(HEAD % size + b"x" * size)
    while slow.total < size:
        run_until(loop, lambda: gates)
        for _ in range(3):
            wait(loop, gen.moment)
        assert left._incoming.size <= 65536
        assert len(gates) == 1
        gates.pop().set_result(None)
    run_until(loop, lambda: gates or reading.done())
    for gate in gates:
        gate.set_result(None)
    assert wait(loop, reading) is True
    assert slow.seen == [200, "finish"]


def test_what_waits_when_the_server_closes_gets_all_that_came(loop, pair):
    left, right = pair
    gate = Future()

    class Waits(Log):
        def headers_received(self, start_line, headers):
            super().headers_received(start_line, headers)
            return gate

    log = Waits()
    reading = client(left).read_response(log)
    right.write(b"HTTP/1.1 200 OK\r\n\r\nuntil ")
    right.write(b"the close")
    right.close()
    run_until(loop, lambda: log.seen)
    for _ in range(5):
        wait(loop, gen.moment)
    assert log.seen == [200]
    gate.set_result(None)
    assert wait(loop, reading) is True
    assert b"".join(log.seen[1:-1]) == b"until the close"
    assert log.seen[-1] == "finish"


def test_a_close_within_the_body_is_told_once(loop, pair):
    left, right = pair
    log = Log()
    reading = client(left).read_response(log)
    right.write(HEAD % 5 + b"ab")
    run_until(loop, lambda: log.seen == [200, b"ab"])
    right.close()
    with pytest.raises(StreamClosedError):
        wait(loop, reading)
    assert log.seen == [200, b"ab", "close"]


@pytest.mark.parametrize("method", ["headers_received", "data_received", "finish", "on_connection_close"])
def test_what_a_delegate_raises_is_logged_and_ends_the_reading(loop, pair, method):
    left, right = pair
    log = Log()

    def fail(*args):
        raise KeyError("mine")

    setattr(log, method, fail)
    reading = client(left).read_response(log)
    right.write(HEAD % 5 + (b"ab" if method == "on_connection_close" else b"hello"))
    if method == "on_connection_close":
        run_until(loop, lambda: log.seen[-1:] == [b"ab"])
        right.close()
    with ExpectLog("tornado.application", "Uncaught exception"), pytest.raises(_QuietException):
        wait(loop, reading)


def test_a_detached_stream_has_what_came_behind_the_head(loop, pair):
    left, right = pair
    conn = client(left)

    class Detaches(Log):
        def headers_received(self, start_line, headers):
            self.stream = conn.detach()

    log = Detaches()
    reading = conn.read_response(log)
    right.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\nother")
    assert wait(loop, reading) is False
    assert wait(loop, log.stream.read_bytes(5)) == b"other"
    assert log.seen == []


def test_one_response_after_the_other_on_a_stream(loop, pair):
    left, right = pair
    right.write((HEAD % 2 + b"hi") * 3 + b"rest")
    for _ in range(3):
        log = Log()
        assert wait(loop, client(left).read_response(log)) is True
        assert log.seen == [200, b"hi", "finish"]
    assert wait(loop, left.read_bytes(4)) == b"rest"


@pytest.mark.parametrize("where", ["class", "instance"])
def test_an_overridden_method_takes_part(loop, pair, where):
    left, right = pair
    called = []

    def read_fixed_body(self, length, delegate):
        called.append(length)
        return HTTP1Connection._read_fixed_body(self, length, delegate)

    class Own(HTTP1Connection):
        pass

    if where == "class":
        Own._read_fixed_body = read_fixed_body
    conn = client(left, Own)
    if where == "instance":
        conn._read_fixed_body = read_fixed_body.__get__(conn)
    log = Log()
    reading = conn.read_response(log)
    right.write(HEAD % 5 + b"hello")
    assert wait(loop, reading) is True
    assert log.seen == [200, b"hello", "finish"]
    assert called == [5]


@pytest.mark.parametrize(
    ("head", "body", "pieces"),
    [
        (b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n", b"abcde"),
        (b"Content-Length: 5\r\n", b"abcde", b"abcde"),
    ],
)
def test_the_pulling_driver_leaves_what_is_behind_the_message(loop, pair, head, body, pieces):
    left, right = pair

    class Pulls(HTTP1Connection):
        def _read_body(self, code, headers, delegate):
            return super()._read_body(code, headers, delegate)

    log = Log()
    right.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body + b"rest")
    assert wait(loop, client(left, Pulls).read_response(log)) is True
    assert b"".join(log.seen[1:-1]) == pieces
    assert wait(loop, left.read_bytes(4)) == b"rest"


def test_delegates_are_called_in_the_contexts_that_reading_began_in(loop, pair):
    left, right = pair
    variable = contextvars.ContextVar("variable", default="outside")
    found = []

    class Looks(Log):
        def data_received(self, chunk):
            found.append((variable.get(), len(stack_context._state.contexts[0])))

    conn = client(left)
    token = variable.set("inside")
    with stack_context.StackContext(contextlib.nullcontext):
        reading = conn.read_response(Looks())
    variable.reset(token)
    right.write(HEAD % 2 + b"hi")
    wait(loop, reading)
    assert found == [("inside", 1)]


@pytest.mark.parametrize(("timeout", "sent"), [("header_timeout", b"HTTP/1.1 200"), ("body_timeout", HEAD % 5 + b"ab")])
def test_time_outs_close_and_give_false(loop, pair, timeout, sent):
    left, right = pair
    log = Log()
    reading = client(left, **{timeout: 0.01}).read_response(log)
    right.write(sent)
    assert wait(loop, reading) is False
    assert left.closed()
    assert log.seen == ([] if timeout == "header_timeout" else [200, b"ab", "close"])


def test_endless_tiny_chunks_let_others_have_their_turn(loop, pair):
    left, right = pair
    turns = []

    class Counts(Log):
        total = 0

        def data_received(self, chunk):
            self.total += 1

    log = Counts()
    reading = client(left).read_response(log)
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n"
    right.write(data)

    def turn():
        turns.append(log.total)
        if not reading.done():
            loop.add_callback(turn)

    loop.add_callback(turn)
    assert wait(loop, reading) is True
    assert log.total == 5000
    assert len(set(turns)) > 5
