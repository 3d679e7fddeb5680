"""HTTP/1.x connections over real sockets: what delegates are told, what leaves, and when a connection
ends."""

from __future__ import annotations

import gzip
import logging
import re
import socket
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from clocks import pass_time, passing_time  # noqa: F401  (one is a fixture)

from tornado4 import gen, http1connection, httputil, locks, switches
from tornado4.concurrent import Future
from tornado4.http1connection import HTTP1Connection, HTTP1ConnectionParameters, HTTP1ServerConnection
from tornado4.httputil import HTTPHeaders, HTTPMessageDelegate, ResponseStartLine
from tornado4.ioloop import IOLoop
from tornado4.iostream import IOStream, StreamClosedError

OK = ResponseStartLine("", 200, "OK")
CLOSE = b"GET /close HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture
def io_loop() -> Iterator[IOLoop]:
    loop = IOLoop()
    loop.make_current()
    yield loop
    loop.clear_current()
    loop.close(all_fds=True)


class Delegate(HTTPMessageDelegate):
    """Notes what it is told, and answers ``hello`` unless told otherwise."""

    def __init__(self, app: App, conn: Any) -> None:
        self.app = app
        self.conn = conn

    def headers_received(self, start_line: Any, headers: Any) -> Any:
        self.start_line = start_line
        self.headers = headers
        self.app.log.append(f"headers {start_line.method} {start_line.path}")
        return self.app.on_headers(self)

    def data_received(self, chunk: bytes) -> Any:
        self.app.log.append(chunk)
        return self.app.on_data(self, chunk)

    def finish(self) -> None:
        self.app.log.append("finish")
        self.app.on_finish(self)

    def on_connection_close(self) -> None:
        self.app.log.append("closed")

    def hello(self, **headers: str) -> None:
        fields = HTTPHeaders({"Content-Length": "5"}, **headers)
        self.conn.write_headers(OK, fields, b"hello")
        self.conn.finish()


class App(httputil.HTTPServerConnectionDelegate):
    def __init__(self, **behaviour: Callable[..., Any]) -> None:
        self.log: list[Any] = []
        self.on_headers: Callable[..., Any] = behaviour.get("on_headers", lambda delegate: None)
        self.on_data: Callable[..., Any] = behaviour.get("on_data", lambda delegate, chunk: None)
        self.on_finish: Callable[..., Any] = behaviour.get("on_finish", Delegate.hello)
        self.closed = locks.Event()

    def start_request(self, server_conn: Any, request_conn: Any) -> Delegate:
        return Delegate(self, request_conn)

    def on_close(self, server_conn: Any) -> None:
        self.log.append("on_close")
        self.closed.set()


class Talk:
    """A served connection and the client's end of it."""

    def __init__(
        self,
        app: App,
        params: HTTP1ConnectionParameters | None = None,
        server_class: type[HTTP1ServerConnection] = HTTP1ServerConnection,
        context: Any = "peer",
    ) -> None:
        ours, theirs = socket.socketpair()
        self.app = app
        self.server_stream = IOStream(ours)
        self.client = IOStream(theirs)
        self.server = server_class(self.server_stream, params, context)
        self.server.start_serving(app)

    @gen.coroutine
    def say(self, *pieces: bytes, then_close: bool = True) -> Generator[Any, Any, bytes]:
        """Send ``pieces``, each in a turn of the loop, and read to the end of the connection."""
        for piece in pieces:
            yield self.client.write(piece)
            yield gen.moment
            yield gen.moment
        answer = yield self.client.read_until_close()
        self.client.close()
        yield self.app.closed.wait()
        return answer


def talk(io_loop: IOLoop, app: App, *pieces: bytes, **options: Any) -> bytes:
    return io_loop.run_sync(lambda: Talk(app, **options).say(*pieces), timeout=120)


def get(
    path: bytes = b"/", *fields: bytes, method: bytes = b"GET", version: bytes = b"1.1", body: bytes = b""
) -> bytes:
    head = [method + b" " + path + b" HTTP/" + version, b"Host: x", *fields, b"", b""]
    return b"\r\n".join(head) + body


def post(body: bytes, *fields: bytes) -> bytes:
    return get(b"/", b"Content-Length: %d" % len(body), *fields, method=b"POST", body=body)


# Requests and their answers


def test_request_is_told_and_answered(io_loop: IOLoop) -> None:
    app = App()
    assert talk(io_loop, app, CLOSE) == HELLO
    assert app.log == ["headers GET /close", "finish", "on_close"]


def test_pipelined_requests_are_answered_in_order(io_loop: IOLoop) -> None:
    def numbered(delegate: Delegate) -> None:
        body = delegate.start_line.path.encode()
        delegate.conn.write_headers(OK, HTTPHeaders({"Content-Length": str(len(body))}), body)
        delegate.conn.finish()

    app = App(on_finish=numbered)
    answer = talk(io_loop, app, b"".join([get(b"/%d" % i) for i in range(1200)]) + CLOSE)
    assert [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK")[1:]] == [
        *[b"/%d" % i for i in range(1200)],
        b"/close",
    ]


def test_pipelined_answers_leave_together(io_loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    send = IOStream._send
    monkeypatch.setattr(IOStream, "_send", lambda self, data: sent.append(data) or send(self, data))

    def quick(delegate: Delegate) -> None:
        delegate.conn._write_response(OK, HTTPHeaders({"Content-Length": "5"}), b"hello")
        delegate.conn.finish()

    assert talk(io_loop, App(on_finish=quick), get() * 3 + CLOSE) == HELLO * 4
    assert sent == [HELLO * 4]


def test_nothing_behind_connection_close_is_run(io_loop: IOLoop) -> None:
    """4.5.3 ran it, though it could not answer any more."""
    app = App()
    assert talk(io_loop, app, CLOSE + get(b"/after")) == HELLO
    assert "headers GET /after" not in app.log


def test_nothing_behind_http10_is_run(io_loop: IOLoop) -> None:
    app = App()
    assert talk(io_loop, app, get(version=b"1.0") + get(b"/after")) == HELLO
    assert "headers GET /after" not in app.log


def test_http10_keep_alive_is_confirmed_as_in_453(io_loop: IOLoop) -> None:
    first = get(b"/", b"Connection: keep-alive", version=b"1.0")
    answer = talk(io_loop, App(), first + CLOSE)
    assert answer == HELLO.replace(b"\r\n\r\n", b"\r\nConnection: Keep-Alive\r\n\r\n") + HELLO


def test_http10_without_length_ends_with_the_connection(io_loop: IOLoop) -> None:
    """4.5.3 kept the connection, and the client waited for the end of the body."""

    def unframed(delegate: Delegate) -> None:
        delegate.conn.write_headers(OK, HTTPHeaders(), b"hello")
        delegate.conn.finish()

    answer = talk(io_loop, App(on_finish=unframed), get(b"/", b"Connection: keep-alive", version=b"1.0"))
    assert answer == b"HTTP/1.1 200 OK\r\n\r\nhello"


def test_body_without_length_is_chunked(io_loop: IOLoop) -> None:
    def chunked(delegate: Delegate) -> None:
        delegate.conn.write_headers(OK, HTTPHeaders(), b"hello")
        delegate.conn.write(b"more")
        delegate.conn.write(b"")
        delegate.conn.finish()

    answer = talk(io_loop, App(on_finish=chunked), CLOSE)
    assert (
        answer == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n4\r\nmore\r\n0\r\n\r\n"
    )


@pytest.mark.parametrize(("method", "code"), [(b"HEAD", 200), (b"GET", 204), (b"GET", 304)])
def test_answers_without_body_have_none(io_loop: IOLoop, method: bytes, code: int) -> None:
    """RFC 9110 section 6.4.1; 4.5.3 sent an empty chunk to HEAD and let a body follow a 204."""
    problems: list[str] = []

    def bodiless(delegate: Delegate) -> None:
        delegate.conn.write_headers(ResponseStartLine("", code, "X"), HTTPHeaders())
        try:
            delegate.conn.write(b"body")
        except httputil.HTTPOutputError as error:
            problems.append(str(error))

    answer = talk(io_loop, App(on_finish=bodiless), get(method=method))
    assert answer == b"HTTP/1.1 %d X\r\n\r\n" % code
    assert problems == ["Tried to write more data than Content-Length"]


def test_length_that_is_not_kept_closes_as_in_453(io_loop: IOLoop) -> None:
    problems: list[str] = []

    def wrong(body: bytes) -> Callable[[Delegate], None]:
        def finish(delegate: Delegate) -> None:
            try:
                delegate.conn.write_headers(OK, HTTPHeaders({"Content-Length": "5"}), body)
                delegate.conn.finish()
            except httputil.HTTPOutputError as error:
                problems.append(str(error))

        return finish

    assert talk(io_loop, App(on_finish=wrong(b"hello!")), get()) == b""
    assert talk(io_loop, App(on_finish=wrong(b"he")), get()).endswith(b"\r\n\r\nhe")
    assert problems == [
        "Tried to write more data than Content-Length",
        "Tried to write 3 bytes less than Content-Length",
    ]


@pytest.mark.parametrize("value", ["a\r\nB: c", "a\nB: c", "a\rb", "a\0b"])
def test_line_breaks_cannot_be_sent(io_loop: IOLoop, value: str) -> None:
    problems: list[str] = []

    def inject(delegate: Delegate) -> None:
        for write in (delegate.conn.write_headers, delegate.conn._write_response):
            for start_line, headers in [
                (OK, {"X": value}), (OK, {"X" + value: "y"}), (ResponseStartLine("", 200, value), {}),
            ]:  # fmt: skip
                with pytest.raises(ValueError, match="Newline in header: ") as caught:
                    write(start_line, HTTPHeaders(headers, Content_Length="1"), b"x")
                problems.append(str(caught.value))
        delegate.hello()

    assert talk(io_loop, App(on_finish=inject), CLOSE) == HELLO
    assert len(problems) == 6


@pytest.mark.parametrize("length", ["five", "+5", "5,5", ""])
def test_own_length_that_is_no_number(io_loop: IOLoop, length: str) -> None:
    def wrong(delegate: Delegate) -> None:
        with pytest.raises(ValueError, match="invalid literal for int"):
            delegate.conn.write_headers(OK, HTTPHeaders({"Content-Length": length}), b"hello")
        delegate.hello()

    assert talk(io_loop, App(on_finish=wrong), CLOSE) == HELLO


def test_repeated_headers_leave_as_lines_of_their_own(io_loop: IOLoop) -> None:
    def cookies(delegate: Delegate) -> None:
        headers = HTTPHeaders({"Content-Length": "0"})
        headers.add("Set-Cookie", "a=b")
        headers.add("Set-Cookie", "c=d")
        delegate.conn.write_headers(OK, headers)
        delegate.conn.finish()

    answer = talk(io_loop, App(on_finish=cookies), CLOSE)
    assert answer.endswith(b"Set-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n")


def test_write_futures_and_callbacks(io_loop: IOLoop) -> None:
    """As in 4.5.3: a Future that is done once the kernel has the bytes, or a callback from the loop."""
    called: list[str] = []

    def writes(delegate: Delegate) -> None:
        future = delegate.conn.write_headers(OK, HTTPHeaders({"Content-Length": "2"}))
        assert future.done() and future.result() is None
        assert delegate.conn.write(b"a", callback=lambda: called.append("written")) is None
        assert called == []
        delegate.conn.write(b"b").result()
        delegate.conn.finish()

    assert talk(io_loop, App(on_finish=writes), CLOSE).endswith(b"\r\n\r\nab")
    assert called == ["written"]


def test_slow_reader_holds_the_writer(io_loop: IOLoop) -> None:
    big = b"x" * (4 << 20)
    order: list[str] = []

    def large(delegate: Delegate) -> None:
        future = delegate.conn.write_headers(OK, HTTPHeaders({"Content-Length": str(len(big))}), big)
        order.append(f"done={future.done()}")
        future.add_done_callback(lambda _: order.append("drained"))
        delegate.conn.finish()

    answer = talk(io_loop, App(on_finish=large), get() + CLOSE)
    assert order == ["done=False", "drained", "done=False", "drained"]
    assert answer.count(big) == 2


# Bodies


def test_body_arrives_in_pieces(io_loop: IOLoop) -> None:
    app = App()
    talk(
        io_loop,
        app,
        post(b"")[:-4] + b"\r\n\r\n" + get(b"/", b"Content-Length: 4", method=b"PUT"),
        b"ab",
        b"cd" + CLOSE,
    )
    assert app.log[:6] == ["headers POST /", "finish", "headers PUT /", b"ab", b"cd", "finish"]


def test_100_continue_goes_to_http11_alone(io_loop: IOLoop) -> None:
    """RFC 9110 section 10.1.1; 4.5.3 sent it to HTTP/1.0 too."""
    fields = (b"Expect: 100-continue", b"Content-Length: 1", b"Connection: close")
    answer = talk(io_loop, App(), get(b"/", *fields, method=b"POST", body=b"x"))
    assert answer == b"HTTP/1.1 100 (Continue)\r\n\r\n" + HELLO
    assert talk(io_loop, App(), get(b"/", *fields, method=b"POST", version=b"1.0", body=b"x")) == HELLO


def test_delegates_future_holds_back_what_follows(io_loop: IOLoop) -> None:
    gates: list[Future] = []

    def wait(delegate: Delegate, *chunk: bytes) -> Future:
        gates.append(Future())
        return gates[-1]

    app = App(on_headers=wait, on_data=wait)

    @gen.coroutine
    def conversation() -> Generator[Any, Any, None]:
        connection = Talk(app)
        answer = connection.say(post(b"abc", b"Connection: close"))
        while not gates:
            yield gen.moment
        assert app.log == ["headers POST /"]
        gates[0].set_result(None)
        assert app.log == ["headers POST /", b"abc"]
        gates[1].set_result(None)
        assert app.log == ["headers POST /", b"abc", "finish", "on_close"]
        assert (yield answer) == HELLO

    io_loop.run_sync(conversation, timeout=120)


def test_coroutine_delegates(io_loop: IOLoop) -> None:
    async def slow(delegate: Delegate, *chunk: bytes) -> None:
        await gen.sleep(0)

    app = App(on_headers=slow, on_data=slow)
    assert talk(io_loop, app, post(b"abc", b"Connection: close")) == HELLO
    assert app.log == ["headers POST /", b"abc", "finish", "on_close"]


def test_early_answer_ends_the_connection(io_loop: IOLoop) -> None:
    """As in 4.5.3: the rest of the body is not read, and the delegate is told of a close."""
    app = App(on_headers=Delegate.hello)
    assert talk(io_loop, app, get(b"/", b"Content-Length: 9", method=b"POST", body=b"abc")) == HELLO
    assert app.log == ["headers POST /", "closed", "on_close"]


def test_body_limit_of_one_request(io_loop: IOLoop) -> None:
    def allow(delegate: Delegate) -> None:
        if delegate.start_line.path == "/big":
            delegate.conn.set_max_body_size(100)

    params = HTTP1ConnectionParameters(max_body_size=10)
    app = App(on_headers=allow)
    big = get(b"/big", b"Content-Length: 100", method=b"PUT", body=b"x" * 100)
    answer = talk(io_loop, app, big + get(b"/small", b"Content-Length: 11", method=b"PUT"), params=params)
    assert answer.startswith(HELLO + b"HTTP/1.1 413 ")
    assert app.log[-3:] == ["headers PUT /small", "closed", "on_close"]


def test_gzip_is_undone_when_asked_for(io_loop: IOLoop) -> None:
    app = App()
    body = gzip.compress(b"hello" * 100)
    params = HTTP1ConnectionParameters(decompress=True, chunk_size=64)
    seen: list[Any] = []
    app.on_finish = lambda delegate: (seen.append(delegate.headers), delegate.hello())
    talk(io_loop, app, post(body, b"Content-Encoding: gzip", b"Connection: close"), params=params)
    pieces = [piece for piece in app.log if isinstance(piece, bytes)]
    assert b"".join(pieces) == b"hello" * 100 and max(map(len, pieces)) <= 64
    assert seen[0]["X-Consumed-Content-Encoding"] == "gzip" and "Content-Encoding" not in seen[0]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gzip.compress(b"x" * 1_000_000), b"413"),
        (b"this is not gzip at all", b"400"),
        (gzip.compress(b"abc") + b"trailing garbage", b"400"),
    ],
)
def test_gzip_that_is_too_large_or_broken(io_loop: IOLoop, body: bytes, status: bytes) -> None:
    """Limits hold for what comes out; 4.5.3 had none, and spun for ever on trailing garbage."""
    params = HTTP1ConnectionParameters(decompress=True, max_body_size=10_000)
    answer = talk(io_loop, App(), post(body, b"Content-Encoding: gzip", b"Connection: close"), params=params)
    assert answer.startswith(b"HTTP/1.1 " + status)


# Refusals


@pytest.mark.parametrize(
    ("data", "status", "message"),
    [
        (b"asdf\r\n\r\n", 400, "Malformed HTTP request line"),
        (b"GET / HTTP/1.0\r\nasdf\r\n\r\n", 400, "Malformed HTTP headers: line 1 has no name"),
        (get(b"/", b"Content-Length: foo"), 400, "Only integer Content-Length is allowed: foo"),
        (get(b"/", b"Transfer-Encoding: chunked") + b"-5\r\n", 400, "Invalid chunk size: b'-5'"),
        (b"GET / HTTP/2.0\r\n\r\n", 505, "Malformed HTTP version in HTTP Request-Line: 'HTTP/2.0'"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, f"Missing Host header {switches.hint('missing-host')}"),
        (b"GET /" + b"x" * 70000, 431, None),
    ],
)
def test_refusal_is_one_answer_one_log_line_and_a_close(
    io_loop: IOLoop, caplog: pytest.LogCaptureFixture, data: bytes, status: int, message: str | None
) -> None:
    caplog.set_level(logging.INFO)
    answer = talk(io_loop, App(), get() + data)
    assert answer.startswith(HELLO + b"HTTP/1.1 %d " % status)
    assert answer.endswith(b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    ((name, level, text),) = caplog.record_tuples
    assert (name, level) == ("tornado.general", logging.INFO)
    if message is None:  # 4.5.3's words, with the pattern that its stream looked for
        pattern = re.compile(b"\r?\n\r?\n")
        assert (
            text
            == f"Unsatisfiable read, closing connection: delimiter {pattern!r} not found within 65536 bytes"
        )
    else:
        assert text == f"Malformed HTTP message from peer: {message}"
    assert caplog.records[0].exc_info is None


def test_refusal_without_a_word_where_the_switch_says_so(io_loop: IOLoop) -> None:
    params = HTTP1ConnectionParameters()
    params.answer_errors = False
    assert talk(io_loop, App(), b"asdf\r\n\r\n", params=params) == b""


def test_client_that_goes_on_sending_still_reads_its_refusal(io_loop: IOLoop) -> None:
    """A plain close with unread input would send a reset, which overtakes the answer (RFC 9112 section
    9.6)."""
    params = HTTP1ConnectionParameters(max_body_size=10)
    request = get(b"/", b"Content-Length: 400000", method=b"POST")
    answer = talk(io_loop, App(), request, b"x" * 200_000, b"x" * 200_000, params=params)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_failing_delegate_is_logged_and_closes_as_in_453(
    io_loop: IOLoop, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(delegate: Delegate) -> None:
        raise ZeroDivisionError("boom")

    assert talk(io_loop, App(on_finish=fail), get()) == b""
    (record,) = caplog.records
    assert (record.name, record.levelname, record.getMessage()) == (
        "tornado.application",
        "ERROR",
        "Uncaught exception",
    )
    assert record.exc_info is not None and record.exc_info[0] is ZeroDivisionError


# Ends


def test_close_while_the_answer_is_being_made(io_loop: IOLoop) -> None:
    """As in 4.5.3: the connection's close callback is run, the delegate has had its `finish`."""
    told = locks.Event()
    app = App(on_finish=lambda delegate: delegate.conn.set_close_callback(told.set))

    @gen.coroutine
    def conversation() -> Generator[Any, Any, None]:
        connection = Talk(app)
        yield connection.client.write(get())
        while "finish" not in app.log:
            yield gen.moment
        connection.client.close()
        yield told.wait()
        yield app.closed.wait()

    io_loop.run_sync(conversation, timeout=120)
    assert app.log == ["headers GET /", "finish", "on_close"]


def test_close_within_a_body(io_loop: IOLoop) -> None:
    app = App()

    @gen.coroutine
    def conversation() -> Generator[Any, Any, None]:
        connection = Talk(app)
        yield connection.client.write(get(b"/", b"Content-Length: 9", method=b"POST", body=b"abc"))
        connection.client.close()
        yield app.closed.wait()

    io_loop.run_sync(conversation, timeout=120)
    assert app.log == ["headers POST /", b"abc", "closed", "on_close"]


def test_late_answer_goes_on_with_the_next_request(io_loop: IOLoop) -> None:
    def later(delegate: Delegate) -> None:
        io_loop.add_callback(delegate.hello)

    app = App(on_finish=later)
    assert talk(io_loop, app, get() + get() + CLOSE) == HELLO * 3
    assert talk(io_loop, App(on_finish=later), get(), get(), CLOSE) == HELLO * 3


def test_detached_stream_has_what_was_read_ahead(io_loop: IOLoop) -> None:
    streams: list[Any] = []

    def detach(delegate: Delegate) -> None:
        streams.append(delegate.conn.detach())
        streams[0].write(b"HTTP/1.1 101 \r\n\r\n")

    app = App(on_finish=detach)

    @gen.coroutine
    def conversation() -> Generator[Any, Any, None]:
        connection = Talk(app)
        yield connection.client.write(get() + b"other protocol")
        yield app.closed.wait()
        (stream,) = streams
        assert (yield stream.read_bytes(14)) == b"other protocol"
        connection.client.write(b"more")
        assert (yield stream.read_bytes(4)) == b"more"
        stream.write(b"bye")
        stream.close()
        assert (yield connection.client.read_until_close()) == b"HTTP/1.1 101 \r\n\r\nbye"
        connection.client.close()

    io_loop.run_sync(conversation, timeout=120)


@pytest.mark.usefixtures("passing_time")
def test_idle_connections_are_closed(io_loop: IOLoop) -> None:
    @gen.coroutine
    def conversation(sent: bytes, answer: bytes) -> Any:
        talking = Talk(App(), params=HTTP1ConnectionParameters(header_timeout=30))
        yield talking.client.write(sent)
        got = yield talking.client.read_bytes(len(answer))
        for _ in range(10):
            yield gen.moment  # it waits for the next head
        pass_time(io_loop, 40)
        return got + (yield talking.client.read_until_close())

    assert io_loop.run_sync(lambda: conversation(b"", b"")) == b""
    assert io_loop.run_sync(lambda: conversation(get(), HELLO)) == HELLO
    assert io_loop.run_sync(lambda: conversation(b"GET / HT", b"")) == b""


def test_slow_bodies_are_given_up(io_loop: IOLoop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    app = App(
        on_headers=lambda delegate: delegate.conn.set_body_timeout(30),
        on_data=lambda delegate, chunk: pass_time(io_loop, 40),
    )
    assert talk(io_loop, app, get(b"/", b"Content-Length: 9", method=b"POST", body=b"abc")) == b""
    assert caplog.messages == ["Timeout reading body from peer"]
    assert app.log == ["headers POST /", b"abc", "closed", "on_close"]


def test_server_connection_can_be_closed_and_waited_for(io_loop: IOLoop) -> None:
    app = App()

    @gen.coroutine
    def conversation() -> Generator[Any, Any, None]:
        connection = Talk(app)
        yield connection.server.close()
        connection.client.close()

    io_loop.run_sync(conversation, timeout=120)
    assert app.log == ["on_close"]


# Overrides that real code has


class OverridingConnection(HTTP1Connection):
    def _read_body(self, code: int, headers: Any, delegate: Any) -> Any:
        assert self._request_start_line is not None
        if headers.get("Content-Length") and int(headers["Content-Length"]) > 10:
            raise httputil.HTTPInputError("Content-Length too long for " + self._request_start_line.path)
        if headers.get("Transfer-Encoding") == "chunked":
            return self._read_chunked_body(delegate)
        if headers.get("Content-Length"):
            return self._read_fixed_body(int(headers["Content-Length"]), delegate)
        return None


class OverridingServer(HTTP1ServerConnection):
    @gen.coroutine
    def _server_request_loop(self, delegate: Any) -> Generator[Any, Any, None]:
        try:
            while True:
                conn = OverridingConnection(self.stream, False, self.params, self.context)
                message = delegate.start_request(self, conn)
                try:
                    again = yield conn.read_response(message)
                except StreamClosedError:
                    return
                if not again:
                    return
                yield gen.moment
        finally:
            delegate.on_close(self)


def test_overridden_request_loop_and_read_body_are_used(
    io_loop: IOLoop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    app = App()
    chunked = get(
        b"/", b"Transfer-Encoding: chunked", method=b"POST", body=b"2\r\nab\r\n1\r\nc\r\n0\r\nT: x\r\n\r\n"
    )
    answer = talk(
        io_loop, app, post(b"0123456789") + chunked + get() + post(b"x" * 11), server_class=OverridingServer
    )
    assert answer.startswith(HELLO * 3)
    assert app.log[:8] == [
        "headers POST /", b"0123456789", "finish", "headers POST /", b"ab", b"c", "finish", "headers GET /",
    ]  # fmt: skip
    assert caplog.messages == ["Malformed HTTP message from peer: Content-Length too long for /"]


def test_method_replaced_on_the_class_is_used(io_loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    read_body = HTTP1Connection._read_body
    seen: list[int] = []

    def counting(self: Any, code: int, headers: Any, delegate: Any) -> Any:
        seen.append(code)
        return read_body(self, code, headers, delegate)

    monkeypatch.setattr(HTTP1Connection, "_read_body", counting)
    assert talk(io_loop, App(), post(b"abc") + CLOSE) == HELLO * 2
    assert seen == [0, 0]


# The client's side


class Reader(HTTPMessageDelegate):
    def __init__(self) -> None:
        self.log: list[Any] = []

    def headers_received(self, start_line: Any, headers: Any) -> None:
        self.log.append(start_line.code)

    def data_received(self, chunk: bytes) -> None:
        self.log.append(chunk)

    def finish(self) -> None:
        self.log.append("finish")

    def on_connection_close(self) -> None:
        self.log.append("closed")


def read_response(
    io_loop: IOLoop, data: bytes, method: str = "GET", **params: Any
) -> tuple[Any, list[Any], bytes]:
    """Whether the connection may be used again, what the delegate was told, and what was left in the
    stream."""
    delegate = Reader()

    @gen.coroutine
    def conversation() -> Generator[Any, Any, tuple[Any, bytes]]:
        ours, theirs = socket.socketpair()
        client, server = IOStream(ours), IOStream(theirs)
        conn = HTTP1Connection(client, True, HTTP1ConnectionParameters(**params))
        conn.write_headers(httputil.RequestStartLine(method, "/", ""), HTTPHeaders({"Host": "x"}))
        conn.finish()
        yield server.write(data)
        server.close()
        result = yield conn.read_response(delegate)
        left = b""
        if not client.closed():
            left = yield client.read_until_close()
            client.close()
        return result, left

    result, left = io_loop.run_sync(conversation, timeout=120)
    return result, delegate.log, left


def test_client_reads_a_response_and_no_further(io_loop: IOLoop) -> None:
    assert read_response(io_loop, HELLO + b"rest") == (True, [200, b"hello", "finish"], b"rest")


def test_client_reads_until_the_close(io_loop: IOLoop) -> None:
    result, log, left = read_response(io_loop, b"HTTP/1.0 200 OK\r\n\r\nhello")
    assert (result, log, left) == (True, [200, b"hello", "finish"], b"")


def test_client_sees_interim_responses_as_in_453(io_loop: IOLoop) -> None:
    _, log, _ = read_response(io_loop, b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO)
    assert log == [100, 200, b"hello", "finish"]


@pytest.mark.parametrize(
    ("data", "method"),
    [
        (HELLO[:-5], "HEAD"),
        (b"HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n", "GET"),
        (b"HTTP/1.1 204 X\r\n\r\n", "GET"),
    ],
)
def test_client_knows_what_has_no_body(io_loop: IOLoop, data: bytes, method: str) -> None:
    _, log, left = read_response(io_loop, data + b"next", method)
    assert log[1:] == ["finish"] and left == b"next"


def test_client_refuses_ambiguous_framing(io_loop: IOLoop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
    assert read_response(io_loop, data)[:2] == (False, [])
    assert "Response with both Transfer-Encoding and Content-Length" in caplog.text


def test_client_bounds_what_it_unpacks(io_loop: IOLoop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    body = gzip.compress(b"x" * 1_000_000)
    data = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    result, log, _ = read_response(io_loop, data, decompress=True, max_body_size=100_000)
    assert result is False and log[-1] == "closed"
    assert sum(len(piece) for piece in log if isinstance(piece, bytes)) <= 100_000
    assert "decompressed body too large" in caplog.text


def test_client_hears_of_a_close_within_the_body(io_loop: IOLoop) -> None:
    with pytest.raises(StreamClosedError):
        read_response(io_loop, HELLO[:-2])


def test_face_gives_itself_as_home() -> None:
    for name in ("HTTP1Connection", "HTTP1ServerConnection", "HTTP1ConnectionParameters", "_QuietException"):
        assert getattr(http1connection, name).__module__ == "tornado4.http1connection"


def test_parameters_are_their_arguments() -> None:
    """As in 4.5.3: code copies them with ``type(p)(**p.__dict__)``."""
    params = HTTP1ConnectionParameters(no_keep_alive=True, body_timeout=3)
    assert vars(HTTP1ConnectionParameters(**vars(params))) == vars(params)
