"""ASGI both ways: our application called as a server would, and an application of others under our server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import pytest
from clocks import pass_time

from tornado4 import gen, httpclient, web, websocket
from tornado4.asgi import ASGIAdapter, ASGIContainer
from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop
from tornado4.routing import AnyMatches, PathMatches, Rule, RuleRouter
from tornado4.testing import AsyncHTTPTestCase, bind_unused_port, gen_test

# -- our application, called as an ASGI server calls it


class Hello(web.RequestHandler):
    def get(self, name="you"):
        self.write("hello " + name)

    def post(self):
        self.write(self.request.body or repr(sorted(self.request.arguments.items())))


class Legacy(web.RequestHandler):
    @web.asynchronous
    @gen.engine
    def get(self):
        yield gen.Task(IOLoop.current().add_timeout, IOLoop.current().time() + 0.001)
        self.write(self.request.remote_ip + " " + self.request.protocol)
        self.finish()


class Streaming(web.RequestHandler):
    @gen.coroutine
    def get(self):
        for piece in ("one", "two"):
            self.write(piece)
            yield self.flush()


@web.stream_request_body
class Upload(web.RequestHandler):
    @gen.coroutine
    def prepare(self):
        yield gen.moment
        self.pieces = []
        limit = self.request.headers.get("Limit")
        if limit:
            self.request.connection.set_max_body_size(int(limit))

    @gen.coroutine
    def data_received(self, chunk):
        yield gen.moment
        self.pieces.append(len(chunk))

    def put(self):
        self.write(repr(self.pieces))


class Gone(web.RequestHandler):
    seen: list[str] = []

    @web.asynchronous
    def get(self):
        self.seen.append("waits")

    def on_connection_close(self):
        self.seen.append("closed")


class Broken(web.RequestHandler):
    def get(self):
        if self.get_argument("late", None):
            self.write("begun")
            self.flush()
        raise KeyError("on purpose")


class Detaching(web.RequestHandler):
    def get(self):
        try:
            self.request.connection.detach()
        except RuntimeError as error:
            self.write(str(error))


class Empty(web.RequestHandler):
    def get(self):
        self.set_status(204)

    def head(self):
        self.write("not sent")


class Chat(websocket.WebSocketHandler):
    log: list[Any] = []

    def select_subprotocol(self, offered):
        return "v2" if "v2" in offered else None

    def open(self):
        self.set_nodelay = None
        self.write_message("welcome")

    def on_message(self, message):
        if message == "bye":
            self.close(4001, "enough")
        elif message == "ping":
            try:
                self.ping(b"")
            except RuntimeError as error:
                self.write_message(str(error))
        elif message == "fail":
            raise KeyError("on purpose")
        else:
            self.write_message(message, binary=isinstance(message, bytes))

    def on_close(self):
        self.log.append((self.close_code, self.close_reason))


class Closed(websocket.WebSocketHandler):
    def prepare(self):
        raise web.HTTPError(403)


APPLICATION = web.Application(
    [
        ("/", Hello),
        ("/hello/(.*)", Hello),
        ("/legacy", Legacy),
        ("/streaming", Streaming),
        ("/upload", Upload),
        ("/gone", Gone),
        ("/broken", Broken),
        ("/detaching", Detaching),
        ("/empty", Empty),
        ("/chat", Chat),
        ("/closed", Closed),
    ]
)


class Server:
    """An ASGI server of a few lines: events to receive, what was sent."""

    def __init__(self, *events: Any) -> None:
        self.events = list(events)
        self.sent: list[Any] = []
        self.arrived = asyncio.Event()

    async def receive(self) -> Any:
        while not self.events:
            self.arrived.clear()
            await self.arrived.wait()
        event = self.events.pop(0)
        if callable(event):
            await event(self)
            return await self.receive()
        return event

    def push(self, *events: Any) -> None:
        self.events += events
        self.arrived.set()

    async def send(self, message: Any) -> None:
        await asyncio.sleep(0)
        self.sent.append(message)

    async def until(self, count: int) -> None:
        while len(self.sent) < count:
            await asyncio.sleep(0)


def http(path: str, *bodies: bytes, method: str = "GET", headers: Any = (), events: Any = None) -> list[Any]:
    """Ask our application; the messages that it sent."""
    path, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "https",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(b"host", b"example.com"), *headers], "client": ["1.2.3.4", 5678], "server": ["example.com", 443],
    }  # fmt: skip
    if events is None:
        bodies = bodies or (b"",)
        events = [
            {"type": "http.request", "body": body, "more_body": number < len(bodies)}
            for number, body in enumerate(bodies, 1)
        ]

    async def run() -> list[Any]:
        server = Server(*events)
        async with asyncio.timeout(10):
            await ASGIAdapter(APPLICATION)(scope, server.receive, server.send)
        return server.sent

    return asyncio.run(run())


def body_of(messages: list[Any]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages[1:])


def test_a_handler_that_does_not_wait_takes_two_messages():
    start, body = http("/hello/w%C3%B6rld?x=1")
    assert (start["type"], start["status"]) == ("http.response.start", 200)
    assert dict(start["headers"])[b"content-length"] == b"12"
    assert body == {"type": "http.response.body", "body": "hello wörld".encode(), "more_body": False}


def test_callbacks_and_engines_and_what_the_server_says_of_the_client():
    messages = http("/legacy")
    assert messages[0]["status"] == 200
    assert body_of(messages) == b"1.2.3.4 https"


def test_streaming_out():
    messages = http("/streaming")
    assert [message.get("body") for message in messages[1:]] == [b"one", b"two", b""]
    assert [message["more_body"] for message in messages[1:]] == [True, True, False]
    assert b"transfer-encoding" not in dict(messages[0]["headers"])


def test_bodies_of_forms_and_in_pieces():
    form = [(b"content-type", b"application/x-www-form-urlencoded")]
    assert body_of(http("/", b"a=1&", b"b=2", method="POST", headers=form)) == b"a=1&b=2"
    assert body_of(http("/upload", b"xx", b"yyy", b"z", method="PUT")) == b"[2, 3, 1]"


def test_a_body_that_is_too_large_is_413(caplog):
    caplog.set_level(logging.INFO)
    messages = http("/upload", b"xx", b"yyy", method="PUT", headers=[(b"limit", b"3")])
    assert messages[0]["status"] == 413
    assert "body too large" in caplog.text


def test_head_and_204_have_no_body():
    head = http("/empty", method="HEAD")
    assert (head[0]["status"], body_of(head), head[-1]["more_body"]) == (200, b"", False)
    assert [message.get("body") for message in http("/empty")] == [None, b""]


def test_a_client_that_leaves_is_told_to_the_handler():
    Gone.seen.clear()
    events = [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]
    assert http("/gone", events=events) == []
    assert Gone.seen == ["waits", "closed"]


def test_a_client_that_leaves_within_the_body():
    events = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
    assert http("/upload", method="PUT", events=events) == []


def test_exceptions_before_and_after_the_head(caplog):
    messages = http("/broken")
    assert messages[0]["status"] == 500
    assert b"500: Internal Server Error" in body_of(messages)
    late = http("/broken?late=1")
    assert (late[0]["status"], body_of(late)) == (200, b"begun")
    assert "on purpose" in caplog.text


def test_what_cannot_be_had_says_so():
    assert body_of(http("/detaching")).startswith(b"the connection belongs to the ASGI server: detach() is not")


def test_lifespan_and_unknown_scopes():
    async def run() -> list[Any]:
        server = Server({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
        await ASGIAdapter(APPLICATION)({"type": "lifespan"}, server.receive, server.send)
        with pytest.raises(ValueError, match="an ASGI scope of type 'mail' is not known here"):
            await ASGIAdapter(APPLICATION)({"type": "mail"}, server.receive, server.send)
        return [message["type"] for message in server.sent]

    assert asyncio.run(run()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def sockets(path: str, *events: Any, subprotocols: Any = (), extensions: Any = None) -> list[Any]:
    scope = {
        "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [(b"host", b"x")],
        "client": ["1.2.3.4", 5], "server": ["x", 80], "subprotocols": list(subprotocols),
        "extensions": extensions or {},
    }  # fmt: skip

    async def run() -> list[Any]:
        server = Server({"type": "websocket.connect"}, *events)
        async with asyncio.timeout(10):
            await ASGIAdapter(APPLICATION)(scope, server.receive, server.send)
        return server.sent

    return asyncio.run(run())


def after(count: int) -> Any:
    return lambda server: server.until(count)


def test_websocket_messages_and_the_peers_end():
    Chat.log.clear()
    sent = sockets(
        "/chat",
        {"type": "websocket.receive", "text": "hi"},
        {"type": "websocket.receive", "bytes": b"\xff"},
        after(4),
        {"type": "websocket.disconnect", "code": 1001, "reason": "away"},
        subprotocols=["v1", "v2"],
    )
    assert sent[0] == {"type": "websocket.accept", "subprotocol": "v2", "headers": sent[0]["headers"]}
    assert not {name for name, _ in sent[0]["headers"]} & {b"upgrade", b"connection", b"sec-websocket-accept"}
    assert sent[1:] == [
        {"type": "websocket.send", "text": "welcome"},
        {"type": "websocket.send", "text": "hi"},
        {"type": "websocket.send", "bytes": b"\xff"},
    ]
    assert Chat.log == [(1001, "away")]


def test_websocket_closed_by_the_handler():
    Chat.log.clear()
    sent = sockets("/chat", {"type": "websocket.receive", "text": "bye"})
    assert sent[-1] == {"type": "websocket.close", "code": 4001, "reason": "enough"}
    assert Chat.log == [(None, None)]


def test_websocket_pings_and_exceptions(caplog):
    events = [{"type": "websocket.receive", "text": text} for text in ("ping", "fail")]
    sent = sockets("/chat", *events)
    assert sent[2]["text"].startswith("ASGI has no pings")
    assert sent[-1] == {"type": "websocket.close", "code": 1011}
    assert "on purpose" in caplog.text


def test_websocket_refused():
    assert sockets("/closed") == [{"type": "websocket.close", "code": 1000}]
    denied = sockets("/closed", extensions={"websocket.http.response": {}})
    assert (denied[0]["type"], denied[0]["status"]) == ("websocket.http.response.start", 403)
    assert denied[-1]["more_body"] is False
    assert sockets("/nowhere")[0]["type"] == "websocket.close"


# -- an ASGI application under our server


async def plain(scope, receive, send):
    """What frameworks do, spelled out."""
    if scope["type"] == "lifespan":
        while True:
            event = await receive()
            plain.events.append(event["type"])
            if event["type"] == "lifespan.startup":
                scope["state"]["started"] = True
            await send({"type": event["type"] + ".complete"})
            if event["type"] == "lifespan.shutdown":
                return
    elif scope["type"] == "http":
        await http_application(scope, receive, send)
    else:
        await socket_application(scope, receive, send)


plain.events = []


async def http_application(scope, receive, send):
    path = scope["path"].rpartition("/")[2]
    head = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
    if path == "echo":
        await send(head)
        more = True
        while more:
            event = await receive()
            more = event["more_body"]
            await send({"type": "http.response.body", "body": event["body"].upper(), "more_body": True})
        await send({"type": "http.response.body"})
    elif path == "scope":
        await send(head)
        shown = [scope["method"], scope["path"], scope["query_string"], scope["root_path"], scope["scheme"]]
        shown.append(scope["state"].get("started"))
        await send({"type": "http.response.body", "body": repr(shown).encode()})
    elif path == "early":
        raise KeyError("early")
    elif path == "late":
        await send(head)
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        raise KeyError("late")
    elif path == "nothing":
        return
    elif path == "cancelled":
        raise asyncio.CancelledError
    elif path == "wait":
        plain.events.append("waits")
        await receive()
        plain.events.append((await receive())["type"])


async def socket_application(scope, receive, send):
    assert (await receive())["type"] == "websocket.connect"
    if scope["path"].endswith("refused"):
        await send({"type": "websocket.close"})
        return
    chosen = scope["subprotocols"][-1] if scope["subprotocols"] else None
    await send({"type": "websocket.accept", "subprotocol": chosen, "headers": [(b"x-own", b"1")]})
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            plain.events.append(("disconnect", event["code"]))
            return
        if event.get("text") == "bye":
            await send({"type": "websocket.close", "code": 4002, "reason": "done"})
        elif event.get("text") == "fail":
            raise KeyError("socket")
        elif event.get("text") is not None:
            await send({"type": "websocket.send", "text": event["text"] * 2})
        else:
            await send({"type": "websocket.send", "bytes": event["bytes"]})


class ContainerTest(AsyncHTTPTestCase):
    def get_app(self):
        plain.events.clear()
        self.container = ASGIContainer(plain, root_path="/api")
        fallback = web.Application([("/own", Hello), ("/back/.*", web.FallbackHandler, {"fallback": self.container})])
        return RuleRouter([Rule(PathMatches("/api/.*"), self.container), Rule(AnyMatches(), fallback)])

    def test_http(self):
        response = self.fetch("/api/scope?a=%20b")
        shown = ["GET", "/api/scope", b"a=%20b", "/api", "http", True]
        assert (response.code, response.body) == (200, repr(shown).encode())
        assert response.headers["Content-Length"] == str(len(response.body))
        assert self.fetch("/own").body == b"hello you"

    def test_a_fallback_handler_leads_there_too(self):
        assert self.fetch("/back/echo", method="POST", body="small").body == b"SMALL"

    @gen_test
    def test_streams_both_ways(self):
        pieces = []

        @gen.coroutine
        def produce(write):
            for piece in (b"one", b"two"):
                yield write(piece)

        yield self.http_client.fetch(
            self.get_url("/api/echo"), method="PUT", body_producer=produce, streaming_callback=pieces.append
        )
        assert b"".join(pieces) == b"ONETWO"

    def test_failures(self):
        with self.assertLogs("tornado.application"):
            assert self.fetch("/api/early").code == 500
        with self.assertLogs("tornado.application"):
            assert self.fetch("/api/late").code == 599
        with self.assertLogs("tornado.application") as logged:
            assert self.fetch("/api/nothing").code == 500
        assert "ended without completing its response" in logged.output[0]
        assert self.fetch("/api/cancelled").code == 500

    @gen_test
    def test_a_client_that_leaves(self):
        asked = self.http_client.fetch(self.get_url("/api/wait"), request_timeout=30)
        while "waits" not in plain.events:
            yield gen.moment
        pass_time(self.io_loop, 40)
        with contextlib.suppress(httpclient.HTTPError):
            yield asked
        while "http.disconnect" not in plain.events:
            yield gen.moment

    @gen_test
    def test_websockets(self):
        url = self.get_url("/api/socket").replace("http", "ws")
        request = httpclient.HTTPRequest(url, headers={"Sec-WebSocket-Protocol": "a, b"})
        connection = yield websocket.websocket_connect(request)
        assert connection.headers["Sec-WebSocket-Protocol"] == "b"
        assert connection.headers["X-Own"] == "1"
        connection.write_message("hi")
        connection.write_message(b"\xff", binary=True)
        assert (yield connection.read_message()) == "hihi"
        assert (yield connection.read_message()) == b"\xff"
        connection.write_message("bye")
        assert (yield connection.read_message()) is None
        assert (connection.close_code, connection.close_reason) == (4002, "done")
        with pytest.raises(httpclient.HTTPError) as caught:
            yield websocket.websocket_connect(url + "refused")
        assert caught.value.code == 403

    @gen_test
    def test_the_clients_end_of_a_websocket_and_exceptions(self):
        url = self.get_url("/api/socket").replace("http", "ws")
        connection = yield websocket.websocket_connect(url)
        connection.close(4003)
        while ("disconnect", 4003) not in plain.events:
            yield gen.moment
        connection = yield websocket.websocket_connect(url)
        with self.assertLogs("tornado.application"):
            connection.write_message("fail")
            assert (yield connection.read_message()) is None
        assert connection.close_code == 1011

    @gen_test
    def test_lifespan(self):
        yield self.container.startup()
        yield self.container.startup()
        assert plain.events == ["lifespan.startup"]
        yield self.container.shutdown()
        assert plain.events == ["lifespan.startup", "lifespan.shutdown"]


def test_a_lifespan_that_fails_says_why():
    async def failing(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    async def run():
        with pytest.raises(RuntimeError, match=r"lifespan\.startup failed: no database"):
            await ASGIContainer(failing).startup()

    asyncio.run(run())


def test_our_application_within_our_server_by_way_of_asgi():
    """Both halves at once: what comes out is what the application says without them."""

    async def run():
        socket, port = bind_unused_port()
        server = HTTPServer(ASGIContainer(ASGIAdapter(APPLICATION)))
        server.add_sockets([socket])
        client = httpclient.AsyncHTTPClient(force_instance=True)
        base = f"127.0.0.1:{port}"
        hello = await client.fetch(f"http://{base}/hello/world")
        streamed = await client.fetch(f"http://{base}/streaming")
        connection = await websocket.websocket_connect(f"ws://{base}/chat")
        connection.write_message("both")
        messages = [await connection.read_message(), await connection.read_message()]
        connection.close()
        await connection.read_message()
        client.close()
        server.stop()
        await server.close_all_connections()
        return hello.body, streamed.body, messages

    assert asyncio.run(run()) == (b"hello world", b"onetwo", ["welcome", "both"])


# -- what goes wrong, and what goes on at the same time


@web.stream_request_body
class StreamedEcho(web.RequestHandler):
    """Answers while it is asked."""

    seen: list[str] = []

    @gen.coroutine
    def prepare(self):
        self.write("begun ")
        yield self.flush()

    @gen.coroutine
    def data_received(self, chunk):
        self.write(chunk.upper())
        yield self.flush()

    def put(self):
        self.finish(" done")

    def on_connection_close(self):
        self.seen.append("closed")


class Clock(web.RequestHandler):
    """Writes by itself while its request's body is still to come."""

    async def get(self):
        self.set_header("Server", "own")
        self.set_header("Date", "today")
        while True:
            self.write("tick")
            await self.flush()

    def on_connection_close(self):
        StreamedEcho.seen.append("clock closed")
        raise KeyError("on purpose")


class Slow(websocket.WebSocketHandler):
    seen: list[Any] = []

    @gen.coroutine
    def on_message(self, message):
        self.seen.append(message)
        yield self.write_message(message)
        if message == "fail":
            raise KeyError("slowly")
        if message == "long":
            yield asyncio.Future()

    def on_close(self):
        self.seen.append(("closed", self.close_code))


TROUBLE = web.Application(
    [("/echo", StreamedEcho), ("/clock", Clock), ("/slow", Slow), ("/chat", Chat), ("/gone", Gone)]
)


def scope_of(path: str, kind: str = "http", method: str = "PUT") -> Any:
    scope = {
        "type": kind, "asgi": {"version": "3.0"}, "http_version": "2", "method": method, "scheme": "http", "path": path,
        "query_string": b"", "root_path": "", "headers": [(b"host", b"x")], "client": None, "server": None,
        "subprotocols": [],
    }  # fmt: skip
    if kind == "websocket":
        del scope["method"]
    return scope


def meet(
    path: str, *events: Any, kind: str = "http", method: str = "PUT", send: Any = None, then: Any = None
) -> Server:
    """Let ``TROUBLE`` meet a server; ``then`` is awaited with the running task."""

    async def main() -> Server:
        server = Server(*events)
        async with asyncio.timeout(10):
            serving = ASGIAdapter(TROUBLE)(scope_of(path, kind, method), server.receive, send or server.send)
            task = asyncio.ensure_future(serving)
            if then is not None:
                await then(server, task)
            with contextlib.suppress(asyncio.CancelledError):
                await task
        return server

    return asyncio.run(main())


def piece(data: bytes, more: bool = True) -> Any:
    return {"type": "http.request", "body": data, "more_body": more}


def test_what_is_flushed_before_the_body_is_there_goes_out():
    """What a handler waits for is sent by the task that waits for the handler."""
    server = meet("/echo", piece(b"one"), after(3), piece(b"two", False))
    assert body_of(server.sent) == b"begun ONETWO done"


def test_what_is_written_while_a_body_stalls_goes_out():
    async def then(server: Server, task: Any) -> None:
        await server.until(3)  # head, "begun ", "ONE": with nothing more to receive
        server.push({"type": "http.disconnect"})

    StreamedEcho.seen.clear()
    meet("/echo", piece(b"one"), then=then)
    assert StreamedEcho.seen == ["closed"]


def test_a_request_that_is_cancelled_is_told_to_the_handler():
    async def then(server: Server, task: Any) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()

    StreamedEcho.seen.clear()
    meet("/echo", piece(b"one"), then=then)
    assert StreamedEcho.seen == ["closed"]
    Gone.seen.clear()
    meet("/gone", piece(b"", False), method="GET", then=then)
    assert Gone.seen == ["waits", "closed"]


def test_a_server_that_raises_from_send_has_lost_its_client(caplog):
    """As ASGI wants it since 2.4; a handler that fails then does not stop the adapter."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 3:
            raise OSError("gone")

    StreamedEcho.seen.clear()
    with contextlib.suppress(KeyError):
        meet("/clock", piece(b"", False), method="GET", send=send)
    assert len(sent) == 3 and StreamedEcho.seen == ["clock closed"]
    assert (b"server", b"own") in sent[0]["headers"] and b"date" not in dict(sent[0]["headers"])


def test_coroutines_of_websockets_take_their_turns(caplog):
    Slow.seen.clear()
    texts = [{"type": "websocket.receive", "text": text} for text in ("a", "b", "fail", "c")]
    events = [{"type": "websocket.connect"}, *texts, after(5), {"type": "websocket.disconnect", "code": 1000}]
    server = meet("/slow", *events, kind="websocket")
    assert [message.get("text") for message in server.sent[1:]] == ["a", "b", "fail", "c"]
    assert Slow.seen == ["a", "b", "fail", "c", ("closed", 1000)]
    assert caplog.text.count("Uncaught exception") == 1


def test_the_end_of_a_websocket_is_noticed_while_a_message_is_handled():
    Slow.seen.clear()
    events = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "long"}]
    meet("/slow", *events, {"type": "websocket.disconnect", "code": 1001}, kind="websocket")
    assert Slow.seen == ["long", ("closed", 1001)]


def test_a_websocket_that_is_cancelled_is_told_to_the_handler():
    async def then(server: Server, task: Any) -> None:
        await server.until(2)
        task.cancel()

    Chat.log.clear()
    meet("/chat", {"type": "websocket.connect"}, kind="websocket", then=then)
    assert Chat.log == [(1006, None)]


def test_cookies_that_came_apart_are_one_field_again():
    from tornado4.asgi.types import to_headers

    assert to_headers([(b"cookie", b"a=1"), (b"x", b"1"), (b"cookie", b"b=2"), (b"x", b"2")])["Cookie"] == "a=1; b=2"


def test_a_factory_makes_the_application_on_the_servers_loop():
    made: list[Any] = []

    def make() -> Any:
        made.append(asyncio.get_running_loop())
        return APPLICATION

    async def run() -> Any:
        adapter = ASGIAdapter(factory=make)
        life = Server({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
        await adapter({"type": "lifespan"}, life.receive, life.send)
        for one in (adapter, ASGIAdapter(factory=make)):
            server = Server(piece(b"", False))
            await one(scope_of("/", method="GET"), server.receive, server.send)
            assert body_of(server.sent) == b"hello you"
        return [asyncio.get_running_loop()] * 2

    assert asyncio.run(run()) == made
    for arguments in ({}, {"application": APPLICATION, "factory": make}):
        with pytest.raises(TypeError, match="either of them"):
            ASGIAdapter(**arguments)
    with pytest.raises(TypeError, match="is a class: ASGIAdapter"):
        ASGIAdapter(web.Application)
    with pytest.raises(TypeError, match="is no ASGI application: it can be a rule's target as it is"):
        ASGIContainer(APPLICATION)


def test_a_factory_that_fails_is_a_failed_startup(caplog):
    def make() -> Any:
        raise KeyError("no database")

    async def run() -> Any:
        server = Server({"type": "lifespan.startup"})
        await ASGIAdapter(factory=make)({"type": "lifespan"}, server.receive, server.send)
        return server.sent

    assert asyncio.run(run()) == [{"type": "lifespan.startup.failed", "message": "KeyError: 'no database'"}]
    assert "The application could not be made" in caplog.text


async def odd(scope, receive, send):
    """Answers as no framework should, or as only some do."""
    assert scope["type"] == "http"
    path = scope["path"][1:]
    headers: Any = [(b"content-type", b"text/plain")]
    if path == "hop":
        headers += [(b"transfer-encoding", b"chunked"), (b"keep-alive", b"x"), (b"Connection", b"close")]
    elif path == "split":
        headers += [(b"x-a", b"1\r\nx-b: 2")]
    elif path == "long":
        headers += [(b"content-length", b"2")]
    elif path.startswith("status"):
        await receive()
    status = int(path[6:]) if path.startswith("status") else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"body", "more_body": path == "hop"})
    if path == "hop":
        await send({"type": "http.response.body"})


class OddTest(AsyncHTTPTestCase):
    def get_app(self):
        return HTTPServer(ASGIContainer(odd)).request_callback

    def test_head_has_the_length_and_no_body(self):
        answer = self.fetch("/x", method="HEAD")
        assert (answer.code, answer.headers["Content-Length"], answer.body) == (200, "4", b"")
        assert self.fetch("/x").body == b"body"

    def test_statuses_without_a_body(self):
        for status in (204, 304):
            answer = self.fetch(f"/status{status}")
            assert (answer.code, answer.body) == (status, b"") and "Content-Length" not in answer.headers

    def test_what_is_about_the_hop_is_ours(self):
        answer = self.fetch("/hop")
        assert (answer.body, answer.headers["Connection"]) == (b"body", "close")
        assert answer.headers["Transfer-Encoding"] == "chunked" and "Keep-Alive" not in answer.headers

    def test_a_header_that_would_be_two_is_500(self):
        with self.assertLogs("tornado.application"):
            assert self.fetch("/split").code == 500

    def test_more_than_its_length_is_no_answer(self):
        with self.assertLogs("tornado.application"):
            assert self.fetch("/long").code == 599


def test_an_application_that_does_not_look_at_the_type_of_its_scope_is_run_without_lifespan():
    async def careless(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    async def run() -> bytes:
        socket, port = bind_unused_port()
        server = HTTPServer(ASGIContainer(careless))
        server.add_sockets([socket])
        body: bytes = (await httpclient.AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/path")).body
        server.stop()
        return body

    assert asyncio.run(run()) == b"/path"


def test_send_tells_that_the_client_has_gone():
    """An endless producer ends, and the loop is not held up by it; nothing of it is an error."""
    ended: list[str] = []

    async def endless(scope, receive, send):
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        except OSError as error:
            ended.append(str(error))
            raise RuntimeError("of the framework") from error

    async def run() -> None:
        socket, port = bind_unused_port()
        server = HTTPServer(ASGIContainer(endless))
        server.add_sockets([socket])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readexactly(1_000_000)
        writer.close()
        await writer.wait_closed()
        async with asyncio.timeout(10):
            while not ended:
                await asyncio.sleep(0.001)
        server.stop()

    logger = logging.getLogger("tornado.application")
    records: list[Any] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logger.addHandler(handler)
    try:
        asyncio.run(run())
    finally:
        logger.removeHandler(handler)
    assert ended == ["the client has gone"] and records == []


class KeptTest(AsyncHTTPTestCase):
    def get_app(self):
        return ASGIContainer(plain)

    @gen_test
    async def test_the_connection_is_kept(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.get_http_port())
        for head in (b"GET /scope", b"GET /scope", b"PUT /echo", b"GET /scope"):
            body = b"abc" if head.startswith(b"PUT") else b""
            length = b"Content-Length: 3\r\n" if body else b""
            writer.write(head + b" HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n" + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200 OK") and b"Connection: close" not in answer
            if body:
                assert await reader.readuntil(b"0\r\n\r\n") == b"3\r\nABC\r\n0\r\n\r\n"
            else:
                await reader.readexactly(int(answer.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
        writer.close()
        await writer.wait_closed()


def test_our_own_request_path_is_untouched():
    """Nothing of it is imported by a server; and where it is, every function that requests run is the same object."""
    from programs import python

    code = """
import sys, types
import tornado4.httpserver, tornado4.web, tornado4.websocket, tornado4.wsgi, tornado4.routing, tornado4.testing
assert not [name for name in sys.modules if name.startswith(("tornado4.asgi", "tornado4.migrate", "tornado."))]
def functions():
    found = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("tornado4") and not name.startswith(("tornado4.asgi", "tornado4.migrate")):
            for key, value in vars(module).items():
                found[name, key] = value
                if isinstance(value, type) and value.__module__.startswith("tornado4"):
                    found.update({(name, key, method): of for method, of in vars(value).items()})
    kinds = types.FunctionType, types.MethodType, types.BuiltinFunctionType, property, classmethod, staticmethod, type
    return {where: value for where, value in found.items() if isinstance(value, kinds)}
before = functions()
import tornado4.asgi, tornado4.migrate.bridge
after = functions()
assert len(before) > 2000 and all(after[where] is before[where] for where in before)
"""
    python("-c", code)


# -- as an attacker has it


@pytest.mark.parametrize("hosts", [[], [b"a", b"b"], [b"a b"]])
def test_hosts_that_our_own_server_refuses_are_refused(hosts: list[bytes]):
    """Whatever the server lets through: a handler trusts ``request.host``."""

    async def run(kind: str) -> Any:
        scope = scope_of("/", kind, "GET") | {"http_version": "1.1", "headers": [(b"host", host) for host in hosts]}
        server = Server({"type": "websocket.connect"} if kind == "websocket" else piece(b"", False))
        async with asyncio.timeout(10):
            await ASGIAdapter(APPLICATION)(scope, server.receive, server.send)
        return server.sent[0]

    assert asyncio.run(run("http"))["status"] == 400
    assert asyncio.run(run("websocket")) == {"type": "websocket.close", "code": 1008}


def test_a_body_that_says_that_it_is_too_large_is_not_waited_for():
    async def run() -> Any:
        server = Server()
        scope = scope_of("/upload") | {"headers": [(b"host", b"x"), (b"content-length", b"11")]}
        async with asyncio.timeout(10):
            await ASGIAdapter(APPLICATION, max_body_size=10)(scope, server.receive, server.send)
        return server.sent[0]["status"]

    assert asyncio.run(run()) == 413


def test_a_message_that_is_too_large_ends_the_websocket():
    application = web.Application([("/chat", Chat)], websocket_max_message_size=5)

    async def run(text: str) -> Any:
        events = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": text}]
        server = Server(*events, after(3), {"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(10):
            await ASGIAdapter(application)(scope_of("/chat", "websocket"), server.receive, server.send)
        return server.sent[2]

    assert asyncio.run(run("12345"))["text"] == "12345"
    for text in ("123456", "äöü"):
        assert asyncio.run(run(text)) == {"type": "websocket.close", "code": 1009, "reason": "message too big"}


class RelayTest(AsyncHTTPTestCase):
    """Clients that ask for a WebSocket and do not mean it."""

    def get_app(self):
        self.seen: list[Any] = []
        self.go = asyncio.Event()
        return ASGIContainer(self.application)

    async def application(self, scope, receive, send):
        assert scope["type"] == "websocket"
        self.seen.append((await receive())["type"])
        if scope["path"] == "/slow":
            await self.go.wait()
        await send({"type": "websocket.accept"})
        if scope["path"] == "/slow":
            self.seen.append((await receive())["type"])
            with pytest.raises(OSError, match="gone"):
                await send({"type": "websocket.send", "text": "x"})
            self.seen.append("over")
        elif scope["path"] == "/behind":
            await self.go.wait()
            self.seen.append(len((await receive())["text"]))

    async def shake(self, path: str, *without: str, **instead: str) -> Any:
        fields = {
            "Host": "x", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }  # fmt: skip
        fields = {name: value for name, value in (fields | instead).items() if name not in without}
        reader, writer = await asyncio.open_connection("127.0.0.1", self.get_http_port())
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        writer.write("\r\n".join(lines).encode())
        return reader, writer

    @gen_test
    async def test_a_handshake_that_is_none_does_not_reach_the_application(self):
        for without, instead, status in (
            ("Sec-WebSocket-Key", {}, b"400"),
            ("Connection", {}, b"400"),
            ("", {"Sec-WebSocket-Version": "12"}, b"426"),
        ):
            reader, writer = await self.shake("/", without, **instead)
            assert (await reader.readuntil(b"\r\n\r\n"))[9:12] == status
            writer.close()
            await writer.wait_closed()
        assert self.seen == []

    @gen_test
    async def test_a_client_that_leaves_before_it_is_accepted(self):
        _, writer = await self.shake("/slow")
        while not self.seen:
            await asyncio.sleep(0)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.01)
        self.go.set()
        while "over" not in self.seen:
            await asyncio.sleep(0)
        assert self.seen == ["websocket.connect", "websocket.disconnect", "over"]

    @gen_test
    async def test_an_application_that_does_not_read_holds_its_client_back(self):
        from tornado4._wire.websocket import encode_frame

        reader, writer = await self.shake("/behind")
        await reader.readuntil(b"\r\n\r\n")
        message = encode_frame(True, 1, b"x" * 600_000, mask=True)
        for _ in range(40):
            writer.write(message)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writer.drain(), 0.2)  # what the kernel and we take does not reach
        self.go.set()
        while len(self.seen) < 2:
            await asyncio.sleep(0)
        assert self.seen[1] == 600_000
        writer.transport.abort()


class TargetTest(AsyncHTTPTestCase):
    """Paths as ASGI has them: decoded, in UTF-8, without the host."""

    def get_app(self):
        async def application(scope, receive, send):
            assert scope["type"] == "http"
            shown = [scope[key] for key in ("path", "raw_path", "query_string", "server")]
            shown.append(dict(scope["headers"])[b"host"])
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": repr(shown).encode()})

        return ASGIContainer(application)

    async def ask(self, line: bytes) -> Any:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.get_http_port())
        writer.write(line + b" HTTP/1.1\r\nHost: x:99\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return tuple(eval(answer.partition(b"\r\n\r\n")[2]))

    @gen_test
    async def test_targets(self):
        here, there = (("x", 99), b"x:99"), (("y.example", 80), b"y.example")
        for line, seen in (
            (b"GET /%C3%A4/%2F?a=%20", ("/ä//", b"/%C3%A4/%2F", b"a=%20", *here)),
            (b"GET /\xc3\xa4", ("/ä", b"/\xc3\xa4", b"", *here)),
            (b"GET /%ff", ("/\ufffd", b"/%ff", b"", *here)),
            (b"GET http://y.example/a%20b?c", ("/a b", b"/a%20b", b"c", *there)),
            (b"OPTIONS *", ("*", b"*", b"", *here)),
        ):
            assert await self.ask(line) == seen
