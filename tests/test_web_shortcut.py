"""The short way of requests, with or without body: whoever replaced a part of the long way must see no difference."""

from __future__ import annotations

import gc
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tornado4 import gen, httputil, web
from tornado4._http1.pump import RequestPump
from tornado4.http1connection import HTTP1Connection
from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop
from tornado4.iostream import IOStream, StreamClosedError
from tornado4.routing import HostMatches, Matcher, PathMatches, Rule
from tornado4.testing import ExpectLog
from tornado4.web.shortcut import Routes

Ask = Callable[..., list[bytes]]


@pytest.fixture
def io_loop() -> Iterator[IOLoop]:
    loop = IOLoop()
    loop.make_current()
    yield loop
    loop.clear_current()
    loop.close(all_fds=True)


def get(path: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a.test", *fields, "", ""]).encode()


class Client:
    """One connection to a server, over a pair of sockets; asks, and waits for that many whole answers."""

    def __init__(self, io_loop: IOLoop, served: Any, **options: Any) -> None:
        self.io_loop = io_loop
        ours, theirs = socket.socketpair()
        self.server = served if isinstance(served, HTTPServer) else HTTPServer(served, **options)
        self.server.handle_stream(IOStream(theirs), ("10.0.0.1", 1))
        self.stream = IOStream(ours)

    def ask(self, *requests: bytes) -> list[bytes]:
        """The bodies of the answers to ``requests``, which are sent at once."""

        @gen.coroutine
        def conversation() -> Any:
            yield self.stream.write(b"".join(requests))
            bodies = []
            for _ in requests:
                self.head = yield self.stream.read_until(b"\r\n\r\n")
                headers = httputil.HTTPHeaders.parse(self.head.decode().partition("\r\n")[2])
                bodies.append((yield self.stream.read_bytes(int(headers.get("Content-Length", 0)))))
            return bodies

        bodies: list[bytes] = self.io_loop.run_sync(conversation, timeout=120)
        return bodies


class Says(web.RequestHandler):
    def initialize(self, what: str = "hello") -> None:  # type: ignore[override]
        self.what = what

    def get(self, *args: str, **kwargs: str) -> None:
        self.write(" ".join([self.what, *args, *map("=".join, sorted(kwargs.items()))]))


def says(pattern: str, what: str) -> tuple[str, type, dict[str, str]]:
    return pattern, Says, {"what": what}


class TestRouting:
    @pytest.mark.parametrize("path", ["/a", "/b", "/pre/x", "/pre/y", "/named/7", "/c?q=1", "/%61", "/none"])
    def test_first_match_wins_as_on_the_long_way(self, io_loop: IOLoop, path: str) -> None:
        rules = [
            says("/b|/zz", "alternatives"),
            says("/a", "first a"),
            says("/(pre)/x", "group"),
            says("/pre/x", "hidden by the group"),
            says("/a", "second a"),
            says(r"/named/(?P<n>\d+)", "named"),
            says("/pre/.*", "rest"),
            says("/b", "hidden by the alternatives"),
            says("/c", "c"),
        ]
        short = web.Application(rules)

        class Long(web.Application):
            def find_handler(self, request: Any, **kwargs: Any) -> Any:
                return super().find_handler(request, **kwargs)

        long = Long(rules)
        assert short._find_shortcut() is not None
        assert long._find_shortcut() is None
        here, there = Client(io_loop, short), Client(io_loop, long)
        for _ in range(2):  # the second time the head is recalled
            assert here.ask(get(path)) == there.ask(get(path))

    def test_rules_may_change_while_the_server_runs(self, io_loop: IOLoop) -> None:
        app = web.Application([says("/a", "one")])
        client = Client(io_loop, app)
        rules = app.wildcard_router.rules
        assert client.ask(get("/a")) == [b"one"]
        rules.insert(0, Rule(PathMatches("/a"), Says, {"what": "inserted"}))
        assert client.ask(get("/a")) == [b"inserted"]
        rules[0].matcher.regex = PathMatches("/other").regex
        assert client.ask(get("/a"), get("/other")) == [b"one", b"inserted"]
        rules[0].matcher = PathMatches("/.*")
        assert client.ask(get("/a")) == [b"inserted"]
        rules[0].target = type("Other", (Says,), {})
        assert client.ask(get("/a")) == [b"inserted"]
        rules[0].target, rules[0].target_kwargs = app.wildcard_router, {}
        rules[0].matcher = PathMatches("/none")
        assert client.ask(get("/a")) == [b"one"]
        rules[0].matcher.match = lambda request: {"path_args": [b"own"]}  # type: ignore[method-assign]
        rules[0].target, rules[0].target_kwargs = Says, {"what": "match"}
        assert client.ask(get("/a")) == [b"match own"]
        del rules[0].matcher.match
        assert client.ask(get("/a")) == [b"one"]
        app.wildcard_router.rules = [Rule(PathMatches("/a"), Says, {"what": "another list"}), *rules]
        assert client.ask(get("/a")) == [b"another list"]
        app.wildcard_router.rules.pop(0)
        assert client.ask(get("/a")) == [b"one"]
        app.add_handlers("a.test", [says("/a", "virtual host")])
        assert client.ask(get("/a")) == [b"virtual host"]

    @pytest.mark.parametrize("name", ["match", "match_path"])
    def test_a_way_of_matching_put_on_the_class_is_used(
        self, io_loop: IOLoop, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        app = web.Application([says("/a", "one"), says("/(.*)", "two")])
        monkeypatch.setattr(PathMatches, name, lambda self, asked: {"path_args": [b"mine"]})
        assert Client(io_loop, app).ask(get("/x")) == [b"one mine"]

    def test_matchers_of_other_kinds_are_asked_in_their_turn(self, io_loop: IOLoop) -> None:
        class Odd(Matcher):
            count = 0

            def match(self, request: httputil.HTTPServerRequest) -> dict[str, Any] | None:
                self.count += 1
                return {} if self.count % 2 else None

        odd = Odd()
        app = web.Application([says("/a", "before"), Rule(odd, Says, {"what": "odd"}), says("/b", "behind")])
        client = Client(io_loop, app)
        assert client.ask(get("/b")) + client.ask(get("/b")) == [b"odd", b"behind"]
        assert client.ask(get("/a")) == [b"before"]
        assert odd.count == 2

    def test_what_is_no_handler_goes_the_long_way(self, io_loop: IOLoop) -> None:
        @web.stream_request_body
        class Streams(Says):
            def data_received(self, chunk: bytes) -> None:
                raise AssertionError("there is no body")

        nested = web.Application([says("/n/x", "nested application")])
        app = web.Application(
            [("/stream", Streams), (r"/n/.*", nested), Rule(HostMatches("b"), Says), says("/list", "list")]
        )
        client = Client(io_loop, app)
        assert client.ask(get("/n/x"), get("/stream"), get("/list")) == [b"nested application", b"hello", b"list"]

    def test_only_virtual_hosts_are_looked_at_first(self) -> None:
        app = web.Application([says("/a", "one")])
        assert Routes(app).find("/a") is not None
        app.add_handlers("a.test", [says("/a", "host")])
        assert Routes(app).find("/a") is None


def post(path: str, body: bytes, *fields: str) -> bytes:
    head = [f"POST {path} HTTP/1.1", "Host: a.test", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(head).encode() + body


class Takes(web.RequestHandler):
    def post(self, *args: str) -> None:
        self.write(b" ".join([*(arg.encode() for arg in args), self.request.body]))


@web.stream_request_body
class TakesPieces(web.RequestHandler):
    def prepare(self) -> None:
        self.pieces: list[bytes] = []

    def data_received(self, chunk: bytes) -> None:
        self.pieces.append(chunk)

    def post(self) -> None:
        self.write(b"in pieces: " + b"".join(self.pieces))


class TestBodies:
    @pytest.fixture
    def started(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The requests that went the long way."""
        started: list[str] = []
        ours = RequestPump._start_message

        def start_message(pump: RequestPump) -> Any:
            started.append(str(pump._conn._request_start_line))
            return ours(pump)

        monkeypatch.setattr(RequestPump, "_start_message", start_message)
        return started

    def test_a_body_goes_to_the_handler_that_its_path_has(self, io_loop: IOLoop, started: list[str]) -> None:
        client = Client(io_loop, web.Application([("/a/(.*)", Takes), ("/", Takes)]))
        large = b"x" * 300_000
        assert client.ask(post("/a/one", b"1"), post("/?b=c", b""), post("/", large)) == [b"one 1", b"", large]
        form = post("/", b"a=b", "Content-Type: application/x-www-form-urlencoded")
        assert client.ask(form, post("/a/two", b"2")) == [b"a=b", b"two 2"]
        assert not started

    def test_others_go_the_long_way(self, io_loop: IOLoop, started: list[str]) -> None:
        app = web.Application([("/", Takes), ("/pieces", TakesPieces)])
        client = Client(io_loop, app)
        assert client.ask(post("/pieces", b"abc")) == [b"in pieces: abc"]
        assert b"404" in client.ask(post("/none", b"abc"))[0]
        assert len(started) == 2
        behind_proxy = Client(io_loop, app, xheaders=True)
        assert behind_proxy.ask(post("/", b"abc", "X-Real-Ip: 4.4.4.4")) == [b"abc"]
        app.add_handlers("a.test", [("/", TakesPieces)])
        assert client.ask(post("/", b"abc")) == [b"in pieces: abc"]
        assert len(started) == 4

    def test_what_the_head_has_too_much_of_is_refused(self, io_loop: IOLoop, started: list[str]) -> None:
        client = Client(io_loop, web.Application([("/", Takes)]))
        assert client.ask(post("/?" + "&".join(["a=b"] * 5000), b"abc")) == [b""]
        assert client.head.startswith(b"HTTP/1.1 400")
        assert not started

    def test_a_matcher_that_fails_closes_the_connection(self, io_loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> None:
        client = Client(io_loop, web.Application([("/(.*)", Takes)]))
        assert client.ask(post("/", b"abc")) == [b" abc"]
        monkeypatch.setattr(Routes, "find", lambda self, path: 1 / 0)
        with ExpectLog("tornado.application", "Uncaught exception"), pytest.raises(StreamClosedError):
            client.ask(post("/", b"abc"))

    def test_a_client_that_leaves_before_the_end(self, io_loop: IOLoop) -> None:
        client = Client(io_loop, web.Application([("/", Takes)]))
        client.stream.write(post("/", b"abc")[:-1])
        client.stream.close()
        io_loop.run_sync(client.server.close_all_connections, timeout=120)


class TestOverrides:
    @pytest.mark.parametrize("name", ["start_request", "find_handler", "get_handler_delegate"])
    @pytest.mark.parametrize("where", ["class", "instance"])
    def test_methods_of_the_application_are_called(self, io_loop: IOLoop, name: str, where: str) -> None:
        calls: list[str] = []
        cls = type("App", (web.Application,), {})
        app = cls([says("/", "hello")])
        ours = getattr(web.Application, name)

        def replacement(self: Any, *args: Any, **kwargs: Any) -> Any:
            calls.append(name)
            return ours(self, *args, **kwargs)

        if where == "class":
            setattr(cls, name, replacement)
        else:
            setattr(app, name, replacement.__get__(app))
        assert Client(io_loop, app).ask(get("/")) == [b"hello"]
        assert name in calls

    def test_start_request_of_the_server_is_called_before_the_request_comes(self, io_loop: IOLoop) -> None:
        calls: list[str] = []

        class Server(HTTPServer):
            def start_request(self, server_conn: Any, request_conn: Any) -> Any:
                calls.append("start")
                return super().start_request(server_conn, request_conn)

        client = Client(io_loop, Server(web.Application([says("/", "hello")])))
        assert calls == ["start"]
        assert client.ask(get("/")) == [b"hello"]

    def test_methods_of_the_handler_are_called(self, io_loop: IOLoop) -> None:
        calls: list[str] = []

        def noting(name: str) -> Any:
            ours = getattr(web.RequestHandler, name)

            def method(self: Any, *args: Any, **kwargs: Any) -> Any:
                calls.append(name)
                return ours(self, *args, **kwargs)

            return method

        names = [
            *("initialize", "clear", "set_default_headers", "prepare", "write", "finish", "compute_etag"),
            *("set_etag_header", "check_etag_header", "set_header", "flush", "on_finish", "get_status"),
            *("_execute", "_log", "_break_cycles", "_request_summary"),
        ]
        app_type = type("App", (web.Application,), {"log_request": lambda self, handler: handler._request_summary()})
        for name in names:
            if name == "get_status":
                continue  # asked by Application.log_request, which is replaced here
            calls.clear()
            handler = type("Handler", (web.RequestHandler,), {"get": lambda self: self.write("x"), name: noting(name)})
            client = Client(io_loop, app_type([("/", handler)]))
            assert client.ask(get("/")) == [b"x"]
            assert name in calls, name

    def test_methods_set_on_the_handler_itself_are_called(self, io_loop: IOLoop) -> None:
        calls: list[str] = []

        class Handler(Says):
            def initialize(self) -> None:  # type: ignore[override]
                self.what = "x"
                self.on_finish = lambda: calls.append("on_finish")  # type: ignore[method-assign]
                ours = self.flush
                self.flush = lambda *a, **k: (calls.append("flush"), ours(*a, **k))  # type: ignore

        assert Client(io_loop, web.Application([("/", Handler)])).ask(get("/")) == [b"x"]
        assert calls == ["flush", "on_finish"]

    def test_write_headers_put_on_the_connection_class_is_called(
        self, io_loop: IOLoop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[int] = []
        ours = HTTP1Connection.write_headers

        def write_headers(self: Any, start_line: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(start_line.code)
            return ours(self, start_line, *args, **kwargs)

        monkeypatch.setattr(HTTP1Connection, "write_headers", write_headers)
        assert Client(io_loop, web.Application([says("/", "hello")])).ask(get("/")) == [b"hello"]
        assert seen == [200]


class TestOneConnection:
    def test_pipelined_requests_are_answered_in_order(self, io_loop: IOLoop) -> None:
        class Waits(web.RequestHandler):
            @gen.coroutine
            def get(self) -> Any:
                yield gen.moment
                self.write("waited")

        app = web.Application([says("/(.*)", "got")])
        app.wildcard_router.rules.insert(0, Rule(PathMatches("/wait"), Waits))
        client = Client(io_loop, app)
        asked = [get(f"/{n}") for n in range(3)] + [get("/wait")] + [get(f"/{n}") for n in range(3, 6)]
        wanted = [b"got 0", b"got 1", b"got 2", b"waited", b"got 3", b"got 4", b"got 5"]
        assert client.ask(*asked) == wanted
        assert client.ask(*asked) == wanted

    def test_requests_of_many_kinds_alternate(self, io_loop: IOLoop) -> None:
        class Echo(web.RequestHandler):
            def get(self) -> None:
                self.write(self.get_argument("a", "none"))

            post = get

        client = Client(io_loop, web.Application([("/", Echo)]))
        post = (
            b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 3\r\n\r\na=b"
        )
        for _ in range(2):
            assert client.ask(get("/?a=1")) + client.ask(post) + client.ask(get("/"), post) == [
                *(b"1", b"b", b"none", b"b")
            ]

    def test_a_proxys_headers_hold_for_one_request(self, io_loop: IOLoop) -> None:
        class Who(web.RequestHandler):
            def get(self) -> None:
                self.write(f"{self.request.remote_ip} {self.request.protocol}")

        client = Client(io_loop, web.Application([("/", Who)]), xheaders=True)
        told = client.ask(get("/", "X-Real-Ip: 4.4.4.4", "X-Scheme: https"))
        assert told + client.ask(get("/")) == [b"4.4.4.4 https", b"0.0.0.0 http"]

    def test_an_exception_in_the_constructor_is_logged_and_closes(
        self, io_loop: IOLoop, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Broken(web.RequestHandler):
            def initialize(self) -> None:
                raise ZeroDivisionError

        client = Client(io_loop, web.Application([("/", Broken)]))

        @gen.coroutine
        def conversation() -> Any:
            yield client.stream.write(get("/"))
            return (yield client.stream.read_until_close())

        with caplog.at_level(logging.ERROR):
            assert io_loop.run_sync(conversation, timeout=120) == b""
        assert [(r.name, r.getMessage()) for r in caplog.records] == [
            ("tornado.application", "Uncaught exception")
        ]

    def test_not_modified(self, io_loop: IOLoop) -> None:
        client = Client(io_loop, web.Application([says("/", "hello")]))
        assert client.ask(get("/")) == [b"hello"]
        etag = httputil.HTTPHeaders.parse(client.head.decode().partition("\r\n")[2])["Etag"]
        assert client.ask(get("/", f"If-None-Match: {etag}")) == [b""]
        assert client.head.startswith(b"HTTP/1.1 304 Not Modified\r\n")


def test_requests_leave_no_cycles_behind(io_loop: IOLoop) -> None:
    class Awaits(web.RequestHandler):
        async def get(self) -> None:
            await gen.sleep(0)
            self.write("x")

    class Yields(web.RequestHandler):
        @gen.coroutine
        def get(self) -> Any:
            yield gen.moment
            self.write("x")

    class Fails(web.RequestHandler):
        def get(self) -> None:
            raise web.HTTPError(404)

    class Minds(Says):
        def on_connection_close(self) -> None:
            pass

    app = web.Application(
        [says("/", "x"), ("/await", Awaits), ("/yield", Yields), ("/fail", Fails), ("/mind", Minds)],
        log_function=lambda handler: None,
    )
    client = Client(io_loop, app)
    requests = [get(path) for path in ("/", "/await", "/yield", "/fail", "/mind", "/none")]
    client.ask(*requests)
    made = (web.RequestHandler, httputil.HTTPServerRequest, HTTP1Connection)
    gc.collect()
    gc.disable()
    try:
        before = sum(issubclass(type(thing), made) for thing in gc.get_objects())
        for request in requests * 3:
            client.ask(request)
        assert sum(issubclass(type(thing), made) for thing in gc.get_objects()) == before
    finally:
        gc.enable()
