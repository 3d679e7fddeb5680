"""Private names that real programs use (docs/design.md lists them), each used here as its users use it.

Written after what these programs do, not copied from them: OctoPrint, New Relic's and other tracing agents,
gunicorn, Salt, dask, pyzmq, circus, momoko, thumbor, JupyterHub, sockjs-tornado, tornado_http2, flower.
"""

from __future__ import annotations

import asyncio
import collections
import functools
import re
import select
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tornado4.http1connection
import tornado4.httpserver
import tornado4.web
from tornado4 import (
    auth,
    autoreload,
    concurrent,
    gen,
    httpclient,
    httputil,
    ioloop,
    iostream,
    netutil,
    simple_httpclient,
    stack_context,
    tcpserver,
    testing,
    web,
    websocket,
)
from tornado4.http1connection import HTTP1Connection, HTTP1ServerConnection
from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop, PeriodicCallback, PollIOLoop


@pytest.fixture
def loop() -> Iterator[IOLoop]:
    made = IOLoop()
    made.make_current()
    yield made
    IOLoop.clear_current()
    IOLoop.clear_instance()
    made.close(all_fds=True)


class Served:
    """A server on a free port and what it takes to talk to it."""

    def __init__(self, server: Any) -> None:
        self.server = server
        (sock,) = netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets([sock])
        self.address = sock.getsockname()
        self.client = httpclient.AsyncHTTPClient(force_instance=True)

    def fetch(self, path: str, **kwargs: Any) -> Any:
        return self.client.fetch("http://{}:{}{}".format(*self.address, path), raise_error=False, **kwargs)

    async def connect(self) -> iostream.IOStream:
        stream = iostream.IOStream(socket.socket())
        await stream.connect(self.address)
        return stream

    async def close(self) -> None:
        self.client.close()
        self.server.stop()
        await self.server.close_all_connections()


def serve(loop: IOLoop, server: Any, ask: Callable[[Served], Any]) -> Any:
    """Run ``ask(served)`` against a server; an Application is served as usual."""

    async def run() -> Any:
        served = Served(HTTPServer(server) if isinstance(server, web.Application) else server)
        try:
            return await ask(served)
        finally:
            await served.close()

    return loop.run_sync(run, timeout=120)


class Hello(web.RequestHandler):
    def get(self) -> None:
        self.write("hello")

    post = get


class Waiting(web.RequestHandler):
    @gen.coroutine
    def get(self) -> Any:
        yield gen.moment
        self.write("waited")


class Failing(web.RequestHandler):
    def get(self) -> None:
        raise KeyError("on purpose")


# -- web ----------------------------------------------------------------------------------------------------


def test_a_tracing_agent_wraps_execute_and_sees_every_request(
    loop: IOLoop, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    spans: list[list[Any]] = []
    original = web.RequestHandler._execute

    @functools.wraps(original)
    def traced(self: Any, transforms: Any, *args: Any, **kwargs: Any) -> Any:
        span = [type(self).__name__, self.request.method, self.request.path, args, None]
        spans.append(span)
        future = original(self, transforms, *args, **kwargs)
        assert concurrent.is_future(future)

        def finished(done: Any) -> None:
            done.result()
            span[-1] = self.get_status()

        future.add_done_callback(finished)
        return future

    monkeypatch.setattr(web.RequestHandler, "_execute", traced)
    (tmp_path / "file.txt").write_text("static")
    app = web.Application(
        [("/", Hello), ("/wait/(.*)", type("WithArgument", (Waiting,), {"get": lambda self, x: Waiting.get(self)})),
         ("/fail", Failing)],
        static_path=str(tmp_path),
    )  # fmt: skip

    async def ask(served: Served) -> None:
        for path in ("/", "/wait/x", "/fail", "/nowhere", "/static/file.txt"):
            await served.fetch(path)
        await served.fetch("/", method="POST", body="x")

    with testing.ExpectLog("tornado.application", "Uncaught exception"), testing.ExpectLog("tornado.access", ""):
        serve(loop, app, ask)
    assert spans == [
        ["Hello", "GET", "/", (), 200],
        ["WithArgument", "GET", "/wait/x", (b"x",), 200],
        ["Failing", "GET", "/fail", (), 500],
        ["ErrorHandler", "GET", "/nowhere", (), 404],
        ["StaticFileHandler", "GET", "/static/file.txt", (b"file.txt",), 200],
        ["Hello", "POST", "/", (), 200],
    ]


def test_execute_can_be_overridden_and_waited_for(loop: IOLoop) -> None:
    class Locked(Hello):
        @gen.coroutine
        def _execute(self, transforms: Any, *args: Any, **kwargs: Any) -> Any:
            yield gen.moment  # a lock, a session: something to wait for around the whole request
            yield super()._execute(transforms, *args, **kwargs)

    async def ask(served: Served) -> None:
        assert (await served.fetch("/")).body == b"hello"

    serve(loop, web.Application([("/", Locked)]), ask)


@pytest.mark.parametrize("streamed", [False, True])
def test_execute_can_be_replaced_by_an_async_def(
    loop: IOLoop, monkeypatch: pytest.MonkeyPatch, streamed: bool
) -> None:
    """As tracing agents do it: the whole request happens within a native coroutine of theirs."""
    original = web.RequestHandler._execute
    seen = []

    async def traced(self: Any, transforms: Any, *args: Any, **kwargs: Any) -> None:
        seen.append("begins")
        await original(self, transforms, *args, **kwargs)
        seen.append(self.get_status())

    monkeypatch.setattr(web.RequestHandler, "_execute", traced)
    kind = type("Kind", (Hello,), {})
    if streamed:
        kind = web.stream_request_body(kind)

    async def ask(served: Served) -> None:
        assert (await served.fetch("/")).body == b"hello"

    serve(loop, web.Application([("/", kind)]), ask)
    assert seen == ["begins", 200]


def test_an_async_execute_may_wait_within_a_stack_context(loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trace of ddtrace: everything that the request starts finds it, and two requests at once do not mix."""
    original = web.RequestHandler._execute

    class Trace:
        active = True

        def __init__(self, path: str) -> None:
            self.path = path

        def __enter__(self) -> None:
            self.old_contexts = stack_context._state.contexts
            self.new = stack_context._state.contexts = ((*self.old_contexts[0], self), self)

        def __exit__(self, *error: object) -> None:
            left, stack_context._state.contexts = stack_context._state.contexts, self.old_contexts
            assert left is self.new

        def enter(self) -> None:
            """What a stack context is asked when it is taken up again."""

        def exit(self, *error: object) -> None:
            """The same, the other way."""

    def current() -> Any:
        return [trace.path for trace in stack_context._state.contexts[0]]

    async def traced(self: Any, transforms: Any, *args: Any, **kwargs: Any) -> None:
        with Trace(self.request.path):
            await gen.moment
            await original(self, transforms, *args, **kwargs)
            await asyncio.sleep(0)
            finished[self.request.path] = current()

    finished: dict[str, Any] = {}
    both = gen.Future()  # type: ignore[attr-defined]
    handlers: list[Any] = []

    class Coroutine(web.RequestHandler):
        @gen.coroutine
        def get(self, name: str) -> Any:
            handlers.append(self)
            if len(handlers) == 2:
                both.set_result(None)
            yield both
            seen = yield gen.Task(lambda callback: IOLoop.current().add_callback(lambda: callback(current())))
            self.write(" ".join(current() + seen))

    class Native(web.RequestHandler):
        async def get(self) -> None:
            await gen.moment
            self.write(" ".join(current()))
            if self.get_argument("fail", ""):
                raise KeyError("on purpose")

    monkeypatch.setattr(web.RequestHandler, "_execute", traced)

    async def ask(served: Served) -> None:
        one, two = await gen.multi([served.fetch("/x/1"), served.fetch("/x/2")])
        assert (one.body, two.body) == (b"/x/1 /x/1", b"/x/2 /x/2")
        assert (await served.fetch("/native")).body == b"/native"
        assert (await served.fetch("/native?fail=1")).code == 500

    app = web.Application([("/x/(.*)", Coroutine), ("/native", Native)])
    with testing.ExpectLog("tornado.application", "Uncaught exception"), testing.ExpectLog("tornado.access", ""):
        serve(loop, app, ask)
    assert finished == {path: [path] for path in ("/x/1", "/x/2", "/native")}
    assert current() == []


def test_an_execute_that_fails_is_logged_and_answered(
    loop: IOLoop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(self: Any, transforms: Any, *args: Any, **kwargs: Any) -> None:
        raise KeyError("an agent's fault")

    monkeypatch.setattr(web.RequestHandler, "_execute", broken)

    async def ask(served: Served) -> None:
        assert (await served.fetch("/")).code == 500

    serve(loop, web.Application([("/", Hello)]), ask)
    assert "an agent's fault" in caplog.text


def test_gunicorn_alters_the_header_dictionary_in_clear(loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    old_clear = web.RequestHandler.clear

    def clear(self: Any) -> None:
        old_clear(self)
        if "Gunicorn" not in self._headers["Server"]:
            self._headers["Server"] += " (Gunicorn/19)"

    monkeypatch.setattr(web.RequestHandler, "clear", clear)

    async def ask(served: Served) -> None:
        for path in ("/", "/", "/nowhere"):
            assert (await served.fetch(path)).headers["Server"] == "TornadoServer/4.5.3 (Gunicorn/19)"

    with testing.ExpectLog("tornado.access", "404"):
        serve(loop, web.Application([("/", Hello)]), ask)


def test_state_of_a_handler_is_there_to_be_read_and_set(loop: IOLoop) -> None:
    seen: list[Any] = []

    class Peeking(web.RequestHandler):
        def get(self) -> None:
            assert self._status_code == 200 and self._finished is False and self._write_buffer == []
            assert isinstance(self._headers, httputil.HTTPHeaders) and isinstance(self._transforms, list)
            self.write("to be ")
            self.write("cached")
            seen.append(b"".join(self._write_buffer))
            self._status_code = 202
            self._headers["X-Set"] = "directly"
            del self._headers["Content-Type"]

        def on_finish(self) -> None:
            seen.append((self._finished, self._status_code, self._request_summary()))

    class Replacing(web.RequestHandler):
        """A proxy that hands on what somebody else said, to the byte."""

        def get(self) -> None:
            self.write("not this")
            self._headers = httputil.HTTPHeaders({"X-Other": "1"})
            self._write_buffer = [b"this"]
            self._transforms = []

    async def ask(served: Served) -> None:
        answer = await served.fetch("/")
        assert (answer.code, answer.headers["X-Set"], answer.body) == (202, "directly", b"to be cached")
        assert "Content-Type" not in answer.headers
        answer = await served.fetch("/replace", decompress_response=False, headers={"Accept-Encoding": "gzip"})
        assert (answer.body, answer.headers["X-Other"], "Server" in answer.headers) == (b"this", "1", False)

    app = web.Application([("/", Peeking), ("/replace", Replacing)], compress_response=True)
    serve(loop, app, ask)
    assert seen == [b"to be cached", (True, 202, "GET / (127.0.0.1)")]


def test_an_error_reporter_wraps_handle_request_exception(loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[Any] = []
    original = web.RequestHandler._handle_request_exception

    def report(self: Any, error: BaseException) -> None:
        reported.append((type(error), sys.exc_info()[1] is error))
        original(self, error)

    monkeypatch.setattr(web.RequestHandler, "_handle_request_exception", report)

    class FailingLater(web.RequestHandler):
        async def get(self) -> None:
            await asyncio.sleep(0)
            raise web.HTTPError(418)

    async def ask(served: Served) -> None:
        assert (await served.fetch("/")).code == 500
        assert (await served.fetch("/later")).code == 418

    with testing.ExpectLog("tornado.application", "Uncaught exception"), testing.ExpectLog("tornado.access", ""):
        serve(loop, web.Application([("/", Failing), ("/later", FailingLater)]), ask)
    assert reported == [(KeyError, True), (web.HTTPError, True)]


def test_whether_a_handler_streams_can_be_asked() -> None:
    @web.stream_request_body
    class Streaming(web.RequestHandler):
        def data_received(self, chunk: bytes) -> None:
            pass

    assert web._has_stream_request_body(Streaming) and not web._has_stream_request_body(Hello)
    with pytest.raises(TypeError):
        web._has_stream_request_body(Hello())


def test_old_cookies_are_checked_by_hand() -> None:
    """JupyterHub, migrating: a signature of version 1, made and compared without a handler."""
    signature = web._create_signature_v1("secret", "name", b"dmFsdWU=", b"1300000000")
    assert re.fullmatch(rb"[0-9a-f]{40}", signature)
    by_hand = b"|".join((b"dmFsdWU=", b"1300000000", signature))
    clock = lambda: 1300000001  # noqa: E731
    assert web.decode_signed_value("secret", "name", by_hand, clock=clock, min_version=1) == b"value"
    assert web._time_independent_equals(b"abc", b"abc") and not web._time_independent_equals(b"abc", b"abd")


# -- httpserver, http1connection: OctoPrint's server ---------------------------------------------------------


class LimitParameters(tornado4.http1connection.HTTP1ConnectionParameters):
    """A body limit for each path."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.limits = kwargs.pop("limits", [])
        super().__init__(*args, **kwargs)


class LimitConnection(HTTP1Connection):
    bodies: list[Any] = []

    def _read_body(self, code: Any, headers: Any, delegate: Any) -> Any:
        self.bodies.append((self._request_start_line.method, self._request_start_line.path))
        length = headers.get("Content-Length")
        if length is not None:
            for method, path, limit in self.params.limits:
                if (method, path) == self._request_start_line[:2] and int(length) > limit:
                    raise httputil.HTTPInputError("Content-Length too long")
            return self._read_fixed_body(int(length), delegate)
        if headers.get("Transfer-Encoding") == "chunked":
            return self._read_chunked_body(delegate)
        if self.is_client:
            return self._read_body_until_close(delegate)
        return None


class LimitServerConnection(HTTP1ServerConnection):
    @gen.coroutine
    def _server_request_loop(self, delegate: Any) -> Any:
        try:
            while True:
                conn = LimitConnection(self.stream, False, self.params, self.context)
                request_delegate = delegate.start_request(self, conn)
                try:
                    again = yield conn.read_response(request_delegate)
                except (iostream.StreamClosedError, iostream.UnsatisfiableReadError):
                    return
                except tornado4.http1connection._QuietException:
                    conn.close()
                    return
                if not again:
                    return
                yield gen.moment
        finally:
            delegate.on_close(self)


class LimitServer(HTTPServer):
    def initialize(self, *args: Any, **kwargs: Any) -> None:
        limits = kwargs.pop("limits")
        super().initialize(*args, **kwargs)
        self.conn_params = LimitParameters(limits=limits, max_header_size=65536, chunk_size=65536)

    def handle_stream(self, stream: Any, address: Any) -> None:
        context = tornado4.httpserver._HTTPRequestContext(stream, address, self.protocol)
        conn = LimitServerConnection(stream, self.conn_params, context)
        self._connections.add(conn)
        conn.start_serving(self)


class Size(web.RequestHandler):
    def post(self) -> None:
        self.write(str(len(self.request.body)))


def test_octoprint_overrides_how_bodies_are_read(loop: IOLoop) -> None:
    LimitConnection.bodies.clear()
    server = LimitServer(
        web.Application([("/.*", Size)]), limits=[("POST", "/small", 10), ("POST", "/large", 100_000)]
    )

    async def ask(served: Served) -> None:
        assert (await served.fetch("/small", method="POST", body=b"x" * 10)).body == b"10"
        assert (await served.fetch("/large", method="POST", body=b"x" * 100_000)).body == b"100000"
        refused = await served.fetch("/small", method="POST", body=b"x" * 11)
        assert refused.code == 400
        stream = await served.connect()
        chunked = b"POST /chunked HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunked += b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        for _ in range(2):  # on one connection, and pipelined
            await stream.write(chunked)
        for _ in range(2):
            assert (await stream.read_until(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            assert await stream.read_bytes(1) == b"5"
        assert len(server._connections) == 1 and isinstance(next(iter(server._connections)), LimitServerConnection)
        stream.close()

    serve(loop, server, ask)
    assert LimitConnection.bodies == [
        ("POST", "/small"), ("POST", "/large"), ("POST", "/small"), ("POST", "/chunked"), ("POST", "/chunked"),
    ]  # fmt: skip
    assert server._connections == set()


@pytest.mark.parametrize("name", ["_read_body", "_read_fixed_body", "_read_chunked_body"])
def test_a_patched_read_method_takes_part_in_reading(
    name: str, loop: IOLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent replaces the method on `HTTP1Connection` itself."""
    calls: list[Any] = []
    original = getattr(HTTP1Connection, name)

    def patched(self: Any, *args: Any) -> Any:
        calls.append(self._request_start_line.path)
        return original(self, *args)

    monkeypatch.setattr(HTTP1Connection, name, patched)

    async def ask(served: Served) -> None:
        stream = await served.connect()
        await stream.write(
            b"POST /fixed HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
            b"POST /chunked HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        )
        for _ in range(2):
            await stream.read_until(b"\r\n\r\n")
            assert await stream.read_bytes(1) == b"3"
        stream.close()

    serve(loop, web.Application([("/.*", Size)]), ask)
    fixed, chunked = "_read_fixed_body", "_read_chunked_body"
    assert calls == {"_read_body": ["/fixed", "/chunked"], fixed: ["/fixed"], chunked: ["/chunked"]}[name]


def test_read_body_until_close_takes_part_in_a_client(loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    original = HTTP1Connection._read_body_until_close

    def patched(self: Any, delegate: Any) -> Any:
        calls.append(self._request_start_line.path)
        return original(self, delegate)

    monkeypatch.setattr(HTTP1Connection, "_read_body_until_close", patched)

    class Endless(tcpserver.TCPServer):
        async def handle_stream(self, stream: Any, address: Any) -> None:
            await stream.read_until(b"\r\n\r\n")
            await stream.write(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")
            stream.close()

    async def run() -> None:
        server = Endless()
        (sock,) = netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets([sock])
        client = simple_httpclient.SimpleAsyncHTTPClient(force_instance=True)
        answer = await client.fetch(f"http://127.0.0.1:{sock.getsockname()[1]}/path")
        assert answer.body == b"until the end"
        client.close()
        server.stop()

    loop.run_sync(run, timeout=120)
    assert calls == ["/path"]


def test_an_exception_that_was_logged_reaches_an_overridden_loop_as_a_quiet_one(
    loop: IOLoop, caplog: pytest.LogCaptureFixture
) -> None:
    class Delegate(httputil.HTTPMessageDelegate):
        def headers_received(self, start_line: Any, headers: Any) -> None:
            raise KeyError("on purpose")

    class Application(httputil.HTTPServerConnectionDelegate):
        def start_request(self, server_conn: Any, request_conn: Any) -> Any:
            return Delegate()

    async def ask(served: Served) -> None:
        stream = await served.connect()
        await stream.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await stream.read_until_close() == b""

    server = LimitServer(Application(), limits=[])
    serve(loop, server, ask)
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("tornado.application", "Uncaught exception")
    ]
    assert server._connections == set()


def test_the_request_context_applies_a_proxys_headers_and_takes_them_back(loop: IOLoop) -> None:
    left, right = socket.socketpair()
    with left, right:
        tcp = socket.socket()
        stream = iostream.IOStream(tcp)
        context = tornado4.httpserver._HTTPRequestContext(stream, ("10.0.0.1", 4242), None)
        assert (context.remote_ip, context.protocol, str(context)) == ("10.0.0.1", "http", "10.0.0.1")
        context._apply_xheaders(httputil.HTTPHeaders({"X-Real-Ip": "4.4.4.4", "X-Scheme": "https"}))
        assert (context.remote_ip, context.protocol) == ("4.4.4.4", "https")
        assert (context._orig_remote_ip, context._orig_protocol) == ("10.0.0.1", "http")
        context._unapply_xheaders()
        assert (context.remote_ip, context.protocol) == ("10.0.0.1", "http")
        stream.close()


def test_new_relic_names_a_transaction_in_the_server_request_adapter(
    loop: IOLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = tornado4.httpserver._ServerRequestAdapter
    started: list[Any] = []
    original = adapter.headers_received

    def headers_received(self: Any, start_line: Any, headers: Any) -> Any:
        started.append((start_line.method, start_line.path, type(self.server).__name__))
        return original(self, start_line, headers)

    monkeypatch.setattr(adapter, "headers_received", headers_received)

    def answer(request: Any) -> None:
        request.connection.write_headers(
            httputil.ResponseStartLine("HTTP/1.1", 200, "OK"), httputil.HTTPHeaders({"Content-Length": "0"})
        )
        request.connection.finish()

    # As 4.5.3 has it the adapter serves whoever makes one; HTTPServer itself has others.
    class Server(HTTPServer):
        def start_request(self, server_conn: Any, request_conn: Any) -> Any:
            return adapter(self, server_conn, request_conn)

    async def ask(served: Served) -> None:
        assert (await served.fetch("/one")).code == 200

    serve(loop, Server(answer), ask)
    assert started == [("GET", "/one", "Server")]


# -- httputil -----------------------------------------------------------------------------------------------


def test_octoprint_parses_header_parameters() -> None:
    assert list(httputil._parseparam(';form-data; name="a;b"; filename=x')) == ["form-data", 'name="a;b"', "filename=x"]


def test_a_normalized_header_cache_of_ones_own() -> None:
    cache = httputil._NormalizedHeaderCache(2)
    assert isinstance(cache, dict)
    assert [cache[name] for name in ("coNtent-TYPE", "x", "x-y-z")] == ["Content-Type", "X", "X-Y-Z"]
    assert len(cache) == 2 and "coNtent-TYPE" not in cache


def test_a_request_made_by_hand_parses_its_body_when_told() -> None:
    request = httputil.HTTPServerRequest(
        "POST", "/x?a=1", headers=httputil.HTTPHeaders({"Content-Type": "application/x-www-form-urlencoded"}),
        body=b"a=2&b=3", host="x",
    )  # fmt: skip
    request._parse_body()
    assert request.arguments == {"a": [b"1", b"2"], "b": [b"3"]}
    assert request.body_arguments == {"a": [b"2"], "b": [b"3"]}


# -- ioloop -------------------------------------------------------------------------------------------------


def test_salt_sets_the_current_loop_by_hand(loop: IOLoop) -> None:
    """SyncWrapper: remember what is current, put a loop there, restore it."""
    before = getattr(IOLoop._current, "instance", None)
    assert before is loop
    inner = IOLoop(make_current=False)
    IOLoop._current.instance = inner
    try:
        assert IOLoop.current() is inner
        assert inner.run_sync(lambda: gen.maybe_future(5)) == 5
    finally:
        IOLoop._current.instance = before
    assert IOLoop.current() is loop
    inner.close()


def test_gunicorn_forgets_the_singleton_after_a_fork() -> None:
    first = IOLoop.instance()
    assert IOLoop._instance is first and IOLoop.initialized()
    del IOLoop._instance
    assert not IOLoop.initialized()
    second = IOLoop.instance()
    assert second is not first
    IOLoop.clear_instance()
    IOLoop.clear_current()
    first.close()
    second.close()


def test_newrelic_wraps_run_callback(loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []
    original = IOLoop._run_callback

    def run(self: Any, callback: Any) -> Any:
        ran.append(callback)
        return original(self, callback)

    monkeypatch.setattr(IOLoop, "_run_callback", run)
    loop.add_callback(loop.stop)
    loop.start()
    assert len(ran) >= 1 and all(callable(callback) for callback in ran)


class CountingPoller:
    """circus, pyzmq: an ``impl`` of one's own, with epoll's interface."""

    def __init__(self) -> None:
        self.calls: collections.Counter[str] = collections.Counter()
        self._poll = select.poll()

    def register(self, fd: int, events: int) -> None:
        self.calls["register"] += 1
        self._poll.register(fd, events)

    def modify(self, fd: int, events: int) -> None:
        self.calls["modify"] += 1
        self._poll.modify(fd, events)

    def unregister(self, fd: int) -> None:
        self.calls["unregister"] += 1
        self._poll.unregister(fd)

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        self.calls["poll"] += 1
        return self._poll.poll(timeout * 1000)

    def close(self) -> None:
        self.calls["close"] += 1


class OwnPollerLoop(PollIOLoop):
    def initialize(self, **kwargs: Any) -> None:
        self.poller = CountingPoller()
        super().initialize(impl=self.poller, **kwargs)

    def handle_callback_exception(self, callback: Any) -> None:
        self.failures = [*getattr(self, "failures", []), sys.exc_info()[0]]


def test_a_poll_loop_runs_on_a_poller_of_its_users() -> None:
    loop = OwnPollerLoop()
    assert loop._impl is loop.poller

    async def ask(served: Served) -> None:
        assert (await served.fetch("/")).body == b"hello"
        assert (await served.fetch("/wait")).body == b"waited"

    serve(loop, web.Application([("/", Hello), ("/wait", Waiting)]), ask)
    loop.add_callback(lambda: 1 / 0)
    loop.add_callback(loop.stop)
    loop.start()
    assert loop.failures == [ZeroDivisionError]
    assert loop.poller.calls["register"] > 1 and loop.poller.calls["poll"] > 3
    loop.close(all_fds=True)
    assert loop.poller.calls["close"] == 1
    IOLoop.clear_current()


def test_the_tables_of_a_poll_loop_are_what_they_were(loop: IOLoop) -> None:
    """dask looks how much is queued, pyzmq empties the timeouts, Salt asks whether a loop is closing."""
    assert isinstance(loop, PollIOLoop)
    assert len(loop._callbacks) == 0 and loop._timeouts == [] and loop._closing is False
    (waker,) = loop._handlers
    loop.add_callback(lambda: None)
    timeout = loop.call_later(60, lambda: None)
    reader, writer = socket.socketpair()
    with reader, writer:
        loop.add_handler(reader, lambda fd, events: None, IOLoop.READ)
        assert len(loop._callbacks) == 1 and loop._timeouts == [timeout] and timeout.callback is not None
        assert list(loop._handlers) == [waker, reader.fileno()] and loop._handlers[reader.fileno()][0] is reader
        assert callable(loop._handlers[reader.fileno()][1])
        assert timeout.deadline == pytest.approx(time.time() + 60, abs=5)
        loop.remove_handler(reader)
    assert loop._running is False and list(loop._handlers) == [waker]
    loop.add_callback(lambda: running.append(loop._running))
    running: list[bool] = []
    loop.add_callback(loop.stop)
    loop.start()
    assert running == [True] and loop._running is False


def test_a_callback_appended_by_hand_runs(loop: IOLoop) -> None:
    log: list[str] = []
    loop._callbacks.append(functools.partial(log.append, "by hand"))  # type: ignore[attr-defined]
    loop.add_callback(loop.stop)
    loop.start()
    assert log == ["by hand"]


def test_close_sets_closing() -> None:
    loop = IOLoop(make_current=False)
    assert isinstance(loop, PollIOLoop)
    loop.close()
    assert loop._closing is True
    loop.add_callback(pytest.fail)  # ignored, as in 4.5.3


def test_dask_looks_into_a_periodic_callback(loop: IOLoop) -> None:
    ran: list[int] = []
    periodic = PeriodicCallback(lambda: ran.append(1), 60_000)
    assert periodic._running is False
    periodic.start()
    assert periodic._running is True and periodic._next_timeout == pytest.approx(time.time() + 60, abs=5)
    periodic._run()  # "now, please"
    assert ran == [1] and periodic._running is True
    periodic.stop()
    periodic._run()
    assert ran == [1] and periodic._running is False


def test_a_periodic_callback_subclass_overrides_run(loop: IOLoop) -> None:
    class Once(PeriodicCallback):
        def _run(self) -> Any:
            super()._run()
            self.stop()
            self.io_loop.stop()

    ran: list[int] = []
    Once(lambda: ran.append(1), 1).start()
    loop.start()
    assert ran == [1] and [timeout.callback for timeout in loop._timeouts] == [None]  # type: ignore[attr-defined]


# -- stack_context ------------------------------------------------------------------------------------------


class RequestContext:
    """opentracing's and tchannel's way: a context manager that StackContext enters around each callback."""

    current: list[str] = []

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        self.current.append(self.name)

    def __exit__(self, *exc_info: object) -> None:
        self.current.pop()


def test_a_tracer_saves_and_restores_the_active_contexts(loop: IOLoop) -> None:
    seen: list[Any] = []
    state = stack_context._state
    empty = state.contexts
    assert empty == ((), None)
    with stack_context.StackContext(lambda: RequestContext("span")):
        inside = state.contexts
        assert len(inside[0]) == 1
        loop.add_callback(lambda: seen.append(list(RequestContext.current)))
        wrapped = stack_context.wrap(lambda: seen.append(list(RequestContext.current)))
        state.contexts = empty  # what dd-trace does to run something outside of the span
        loop.add_callback(lambda: seen.append(list(RequestContext.current)))
        state.contexts = inside
    assert state.contexts is empty
    loop.add_callback(wrapped)
    loop.add_callback(loop.stop)
    loop.start()
    assert seen == [["span"], [], ["span"]]
    assert stack_context.wrap(wrapped) is wrapped and stack_context.wrap(None) is None


def test_handle_exception_goes_from_the_inner_context_outwards() -> None:
    asked: list[str] = []

    def ask(name: str, answer: bool) -> Callable[..., bool]:
        def handler(typ: Any, value: Any, tb: Any) -> bool:
            asked.append(name)
            return answer

        return handler

    with stack_context.ExceptionStackContext(ask("outer", True)):
        with stack_context.ExceptionStackContext(ask("inner", False)):
            tail = stack_context._state.contexts[1]
    error = ValueError("x")
    result = stack_context._handle_exception(tail, (ValueError, error, None))
    assert asked == ["inner", "outer"] and result == (None, None, None)


def test_a_yield_within_a_context_is_noticed(loop: IOLoop) -> None:
    @gen.coroutine
    def wrong() -> Any:
        with stack_context.StackContext(lambda: RequestContext("x")):
            yield gen.sleep(0)

    with pytest.raises(stack_context.StackContextInconsistentError):
        loop.run_sync(wrong)


# -- gen, concurrent ----------------------------------------------------------------------------------------


def test_new_relic_wraps_the_runner(loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def wrap(name: str) -> None:
        original = getattr(gen.Runner, name)

        def wrapper(self: Any, *args: Any) -> Any:
            calls.append(name)
            assert self.gen.__name__ == "body" and self.result_future is not None
            return original(self, *args)

        monkeypatch.setattr(gen.Runner, name, wrapper)

    wrap("run")
    wrap("handle_yield")

    @gen.coroutine
    def body() -> Any:
        yield gen.sleep(0)
        raise gen.Return("done")

    assert loop.run_sync(body) == "done"
    assert calls == ["handle_yield", "run"]


def test_momoko_resolves_a_future_with_a_traceback(loop: IOLoop) -> None:
    """A driver's callback catches an error and hands it on with ``set_exc_info(sys.exc_info())``."""

    def query(fails: bool) -> Any:
        future = concurrent.TracebackFuture()

        def io_done() -> None:
            try:
                if fails:
                    raise ZeroDivisionError("in the driver")
            except ZeroDivisionError:
                future.set_exc_info(sys.exc_info())
            else:
                future.set_result("row")

        IOLoop.current().add_callback(io_done)
        return future

    @gen.coroutine
    def program() -> Any:
        assert (yield query(False)) == "row"
        failed = query(True)
        with pytest.raises(ZeroDivisionError) as caught:
            yield failed
        assert "io_done" in [entry.name for entry in caught.traceback]
        typ, value, tb = failed.exc_info()
        assert typ is ZeroDivisionError and value is caught.value and tb is not None

    loop.run_sync(program)
    assert concurrent.TracebackFuture is concurrent.Future


def test_the_dummy_executor_runs_at_once() -> None:
    future = concurrent.dummy_executor.submit(divmod, 7, 2)
    assert future.done() and future.result() == (3, 1)
    assert concurrent.dummy_executor.submit(lambda: 1 / 0).exc_info()[0] is ZeroDivisionError


# -- clients ------------------------------------------------------------------------------------------------


def test_a_proxy_client_replaces_the_connection_class(loop: IOLoop) -> None:
    """As tunnelling clients do: speak to the proxy first, in ``_on_connect``, then go on as usual."""
    log: list[Any] = []

    class Tunnel(simple_httpclient._HTTPConnection):
        def _on_connect(self, stream: Any) -> None:
            stream.write(b"CONNECT there\r\n\r\n")
            stream.read_until(b"\r\n\r\n", functools.partial(self.on_proxy_answer, stream))

        def on_proxy_answer(self, stream: Any, answer: bytes) -> None:
            log.append(answer)
            super()._on_connect(stream)

        def _create_connection(self, stream: Any) -> Any:
            connection = super()._create_connection(stream)
            assert isinstance(connection, HTTP1Connection)
            log.append("connection")
            return connection

        def _get_ssl_options(self, scheme: str) -> Any:
            log.append(scheme)
            return super()._get_ssl_options(scheme)

    class TunnelClient(simple_httpclient.SimpleAsyncHTTPClient):
        def _connection_class(self) -> Any:
            return Tunnel

    class Proxy(tcpserver.TCPServer):
        async def handle_stream(self, stream: Any, address: Any) -> None:
            await stream.read_until(b"\r\n\r\n")
            await stream.write(b"welcome\r\n\r\n")
            request = await stream.read_until(b"\r\n\r\n")
            body = request.split(b" ")[1]
            await stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            stream.close()

    async def run() -> None:
        proxy = Proxy()
        (sock,) = netutil.bind_sockets(0, "127.0.0.1")
        proxy.add_sockets([sock])
        client = TunnelClient(force_instance=True)
        answer = await client.fetch(f"http://127.0.0.1:{sock.getsockname()[1]}/tunnelled")
        assert answer.body == b"/tunnelled"
        client.close()
        proxy.stop()

    loop.run_sync(run, timeout=120)
    assert log == ["http", b"welcome\r\n\r\n", "connection"]


def test_curl_requests_are_set_up_and_finished_by_overridable_methods(loop: IOLoop) -> None:
    pytest.importorskip("pycurl")
    from tornado4 import curl_httpclient

    log: list[str] = []

    class Client(curl_httpclient.CurlAsyncHTTPClient):
        def _curl_setup_request(self, curl: Any, request: Any, buffer: Any, headers: Any) -> None:
            super()._curl_setup_request(curl, request, buffer, headers)
            import pycurl

            curl.setopt(pycurl.USERAGENT, "set by hand")
            log.append("setup")

        def _finish(self, curl: Any, curl_error: Any = None, curl_message: Any = None) -> None:
            log.append("finish")
            super()._finish(curl, curl_error, curl_message)

    class Agent(web.RequestHandler):
        def get(self) -> None:
            self.write(self.request.headers["User-Agent"])

    async def ask(served: Served) -> None:
        client = Client(force_instance=True)
        answer = await client.fetch("http://{}:{}/".format(*served.address))
        assert answer.body == b"set by hand"
        client.close()

    serve(loop, web.Application([("/", Agent)]), ask)
    assert log == ["setup", "finish"]


# -- streams, servers ---------------------------------------------------------------------------------------


def test_dask_looks_at_the_buffers_of_a_stream(loop: IOLoop) -> None:
    async def run() -> None:
        left, right = socket.socketpair()
        reading, writing = iostream.IOStream(left), iostream.IOStream(right)
        assert len(reading._read_buffer) == 0 and reading._read_buffer_size == 0 and len(writing._write_buffer) == 0
        await writing.write(b"one\ntwo\n")
        assert await reading.read_until(b"\n") == b"one\n"
        assert reading._read_buffer_size == 4 and bytes(reading._read_buffer).endswith(b"two\n")
        pending = writing.write(b"x" * 10_000_000)
        assert len(writing._write_buffer) > 0  # what dask's comm waits for before it closes
        assert await reading.read_bytes(10_000_004) == b"two\n" + b"x" * 10_000_000
        await pending
        assert len(writing._write_buffer) == 0 and not writing._write_buffer
        reading.close()
        writing.close()

    loop.run_sync(run)


def test_tornado_http2_puts_back_what_it_has_read(loop: IOLoop) -> None:
    async def run() -> None:
        left, right = socket.socketpair()
        reading, writing = iostream.IOStream(left), iostream.IOStream(right)
        await writing.write(b"one\ntwo\nthree\n")
        for again in (b"one\n", b"two\n", b"three\n"):
            data = await reading.read_until(b"\n")
            assert data == again
            reading._read_buffer[:0] = data
            reading._read_buffer_size += len(data)
            assert await reading.read_until(b"\n") == again
        reading.close()
        writing.close()

    loop.run_sync(run, timeout=120)


def test_gunicorn_and_salt_use_the_sockets_of_a_tcp_server(loop: IOLoop) -> None:
    handled: list[Any] = []

    class Server(tcpserver.TCPServer):
        def _handle_connection(self, connection: Any, address: Any) -> None:
            handled.append(address)
            super()._handle_connection(connection, address)

        async def handle_stream(self, stream: Any, address: Any) -> None:
            await stream.write(b"hello")
            stream.close()

    async def run() -> None:
        server = Server()
        (sock,) = netutil.bind_sockets(0, "127.0.0.1")
        server.add_socket(sock)
        assert server._sockets == {sock.fileno(): sock}
        client = iostream.IOStream(socket.socket())
        await client.connect(sock.getsockname())
        assert await client.read_until_close() == b"hello"
        # Salt's load balancer: a connection that another process has accepted.
        left, right = socket.socketpair()
        left.setblocking(False)
        server._handle_connection(left, "handed over")
        other = iostream.IOStream(right)
        assert await other.read_until_close() == b"hello"
        server.stop()

    loop.run_sync(run, timeout=120)
    assert handled[0][0] == "127.0.0.1" and handled[1] == "handed over"


# -- websocket ----------------------------------------------------------------------------------------------


def test_sockjs_brings_a_websocket_protocol_of_its_own() -> None:
    """The old draft, hixie-76, on top of the base class; ``_abort`` drops the connection."""

    class Stream:
        closed = False

        def close(self) -> None:
            self.closed = True

    class Handler:
        stream = Stream()
        request = None

    class Draft76(websocket.WebSocketProtocol):
        def accept_connection(self) -> None:
            self._run_callback = None

    protocol = Draft76(Handler())
    assert protocol.client_terminated is False and protocol.server_terminated is False
    protocol._abort()
    assert protocol.client_terminated and protocol.server_terminated and Handler.stream.closed


def test_frames_are_written_by_write_frame(loop: IOLoop) -> None:
    class Odd(websocket.WebSocketHandler):
        def open(self) -> None:  # type: ignore[override]
            protocol = self.ws_connection
            assert isinstance(protocol, websocket.WebSocketProtocol13)
            # A text message in two fragments, which the public API has no way to send.
            protocol._write_frame(False, 0x1, b"frag")
            protocol._write_frame(True, 0x0, b"ments")

    async def ask(served: Served) -> None:
        connection = await websocket.websocket_connect("ws://{}:{}/".format(*served.address))
        assert await connection.read_message() == "fragments"
        connection.close()
        assert await connection.read_message() is None

    serve(loop, web.Application([("/", Odd)]), ask)


# -- auth, autoreload, testing ------------------------------------------------------------------------------


def test_flower_writes_a_mixin_with_the_auth_decorator(loop: IOLoop) -> None:
    class Mixin(auth.OAuth2Mixin):
        _OAUTH_AUTHORIZE_URL = "https://login.example/authorize"
        _OAUTH_ACCESS_TOKEN_URL = "https://login.example/token"

        @auth._auth_return_future
        def get_authenticated_user(self, code: str, callback: Any) -> None:
            if code == "bad":
                callback.set_exception(auth.AuthError("no"))
            else:
                IOLoop.current().add_callback(callback.set_result, {"code": code})

    class Login(web.RequestHandler, Mixin):
        @gen.coroutine
        def get(self) -> Any:
            code = self.get_argument("code", None)
            if code is None:
                yield self.authorize_redirect("http://here/", "client", response_type="code")
                return
            try:
                self.write((yield self.get_authenticated_user(code)))
            except auth.AuthError:
                self.set_status(403)

    async def ask(served: Served) -> None:
        to = (await served.fetch("/", follow_redirects=False)).headers["Location"]
        assert to.startswith("https://login.example/authorize?") and "client_id=client" in to
        assert (await served.fetch("/?code=good")).body == b'{"code": "good"}'
        assert (await served.fetch("/?code=bad")).code == 403

    with testing.ExpectLog("tornado.access", "403"):
        serve(loop, web.Application([("/", Login)]), ask)


@pytest.mark.parametrize(
    "mixin, names",
    [
        (auth.TwitterMixin, ("_OAUTH_REQUEST_TOKEN_URL", "_OAUTH_ACCESS_TOKEN_URL", "_OAUTH_AUTHORIZE_URL")),
        (auth.GoogleOAuth2Mixin, ("_OAUTH_AUTHORIZE_URL", "_OAUTH_ACCESS_TOKEN_URL", "_OAUTH_USERINFO_URL")),
        (auth.FacebookGraphMixin, ("_OAUTH_ACCESS_TOKEN_URL", "_OAUTH_AUTHORIZE_URL")),
    ],
)
def test_the_urls_of_the_login_mixins_are_class_attributes(mixin: Any, names: Any) -> None:
    for name in names:
        assert re.match(r"https?://", getattr(mixin, name))


def test_thumbor_asks_and_replaces_what_autoreload_does(monkeypatch: pytest.MonkeyPatch) -> None:
    reloads: list[int] = []
    monkeypatch.setattr(autoreload, "_reload", lambda: reloads.append(1))
    assert autoreload._reload_attempted is False
    modules = {"x": sys.modules[__name__]}
    monkeypatch.setattr(sys, "modules", {**sys.modules, **modules})
    times: dict[str, float] = {}
    autoreload._reload_on_update(times)
    assert __file__ in times and not reloads
    times[__file__] -= 10  # as if it had been changed since
    autoreload._reload_on_update(times)
    assert reloads == [1, 1]  # once for each name that the module has, as in 4.5.3: a real reload does not return
    monkeypatch.setattr(autoreload, "_reload_attempted", True)
    autoreload._reload_on_update(times)
    assert reloads == [1, 1]


def test_momokos_and_salts_test_cases_reach_for_the_application() -> None:
    class Case(testing.AsyncHTTPTestCase):
        def get_app(self) -> Any:
            return web.Application([("/", Hello)], marker="ours")

        def test(self) -> None:
            assert self._app.settings["marker"] == "ours"
            self._app.add_handlers(".*", [("/added", Hello)])
            assert self.fetch("/added").body == b"hello"

    result = testing.unittest.TestResult()
    Case("test").run(result)
    assert result.wasSuccessful() and result.testsRun == 1, result.errors


# -- the list -----------------------------------------------------------------------------------------------


def test_names_that_are_merely_looked_up_are_there() -> None:
    for owner, names in (
        (tornado4.web, "_has_stream_request_body _create_signature_v1 _time_independent_equals"),
        (tornado4.httpserver, "_HTTPRequestContext _ServerRequestAdapter"),
        (tornado4.http1connection, "_QuietException _ExceptionLoggingContext _GzipMessageDelegate"),
        (httputil, "_parseparam _NormalizedHeaderCache"),
        (ioloop.IOLoop, "_current _run_callback"),
        (stack_context, "_state wrap _handle_exception StackContextInconsistentError"),
        (simple_httpclient, "_HTTPConnection"),
        (websocket.WebSocketProtocol, "_abort"),
        (websocket.WebSocketProtocol13, "_write_frame _abort"),
        (autoreload, "_reload _reload_attempted _reload_on_update _reload_hooks"),
    ):
        for name in names.split():
            assert hasattr(owner, name), (owner, name)
