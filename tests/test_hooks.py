"""`tornado4.hooks`: what watchers are told, and that nobody pays for it who does not watch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from programs import python

from tornado4 import gen, hooks, httpclient, httpserver, ioloop, netutil, web, websocket
from tornado4.hooks import telling
from tornado4.httpclient import AsyncHTTPClient, HTTPRequest
from tornado4.web import execution, failures


class Recorder(hooks.Watcher):
    """All that it is told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def request_began(self, event: hooks.RequestEvent) -> None:
        assert event.status is None
        self.told.append(("request_began", event))

    def request_failed(self, event: hooks.RequestEvent) -> None:
        self.told.append(("request_failed", event))

    def request_ended(self, event: hooks.RequestEvent) -> None:
        self.told.append(("request_ended", event))

    def fetch_began(self, event: hooks.FetchEvent) -> None:
        self.told.append(("fetch_began", event))
        event.request.headers["X-Added"] = "by a watcher"

    def fetch_ended(self, event: hooks.FetchEvent) -> None:
        self.told.append(("fetch_ended", event))

    def websocket_opened(self, event: hooks.WebSocketEvent) -> None:
        self.told.append(("websocket_opened", event))

    def websocket_closed(self, event: hooks.WebSocketEvent) -> None:
        self.told.append(("websocket_closed", event))

    def named(self, prefix: str) -> list[tuple[str, Any]]:
        return [(name, event) for name, event in self.told if name.startswith(prefix)]


class Main(web.RequestHandler):
    def get(self) -> None:
        self.write(self.request.headers.get("X-Added", "plain"))


class Waits(web.RequestHandler):
    async def get(self) -> None:
        await gen.moment
        self.write("waited")


class Fails(web.RequestHandler):
    def get(self) -> None:
        raise ValueError("on purpose")


class Refuses(web.RequestHandler):
    def get(self) -> None:
        raise web.HTTPError(404)


class Finishes(web.RequestHandler):
    def get(self) -> None:
        raise web.Finish("enough")


class Hangs(web.RequestHandler):
    gone: Any = None

    @web.asynchronous
    def get(self) -> None:
        type(self).here.set_result(None)

    def on_connection_close(self) -> None:
        type(self).gone.set_result(None)


class Echo(websocket.WebSocketHandler):
    def on_message(self, message: Any) -> None:
        self.write_message(message)


@pytest.fixture
def loop() -> Iterator[Any]:
    loop = ioloop.IOLoop()
    loop.make_current()
    yield loop
    AsyncHTTPClient().close()
    loop.clear_current()
    loop.close(all_fds=True)


@pytest.fixture
def port(loop: Any) -> Iterator[int]:
    rules = [("/", Main), ("/waits", Waits), ("/fails", Fails), ("/refuses", Refuses), ("/finishes", Finishes)]
    server = httpserver.HTTPServer(web.Application([*rules, ("/hangs", Hangs), ("/ws", Echo)]))
    (sock,) = netutil.bind_sockets(0, "127.0.0.1")
    server.add_socket(sock)
    yield sock.getsockname()[1]
    server.stop()
    loop.run_sync(server.close_all_connections)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    hooks.add(recorder)
    yield recorder
    hooks.remove(recorder)


def fetch(loop: Any, port: int, path: str, **kwargs: Any) -> Any:
    return loop.run_sync(lambda: AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}{path}", raise_error=False, **kwargs))


@pytest.mark.parametrize("path, status", [("/", 200), ("/waits", 200), ("/refuses", 404), ("/nosuch", 404)])
def test_a_request_begins_and_ends(loop: Any, port: int, recorder: Recorder, path: str, status: int) -> None:
    fetch(loop, port, path)
    (first, began), *between, (last, ended) = recorder.named("request")
    assert (first, last) == ("request_began", "request_ended") and began is ended
    assert (ended.status, ended.method, ended.disconnected) == (status, "GET", False)
    assert ended.name == {"/nosuch": "tornado4.web.ErrorHandler"}.get(
        path, f"test_hooks.{type(ended.handler).__name__}"
    )
    assert 0 < ended.duration < 60 and ended.duration == ended.duration
    assert [name for name, _ in between] == (["request_failed"] if status == 404 else [])


def test_an_error_is_told_before_the_answer(
    loop: Any, port: int, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    assert fetch(loop, port, "/fails").code == 500
    assert [name for name, _ in recorder.named("request")] == ["request_began", "request_failed", "request_ended"]
    event = recorder.named("request_failed")[0][1]
    assert str(event.error) == "on purpose" and event.status == 500
    assert "Uncaught exception" in caplog.text


def test_finish_is_no_error(loop: Any, port: int, recorder: Recorder) -> None:
    assert fetch(loop, port, "/finishes").body == b"enough"
    assert [name for name, _ in recorder.named("request")] == ["request_began", "request_ended"]


@pytest.mark.parametrize("own", [True, False])
def test_a_client_that_goes_ends_the_request(loop: Any, port: int, recorder: Recorder, own: bool) -> None:
    """Whether the handler has an on_connection_close of its own or not."""
    from tornado4.concurrent import Future
    from tornado4.iostream import IOStream

    kept = Hangs.on_connection_close
    if not own:
        del Hangs.on_connection_close
    try:
        Hangs.here, Hangs.gone = Future(), Future()  # type: ignore[attr-defined]

        @gen.coroutine
        def go() -> Any:
            import socket

            stream = IOStream(socket.socket())
            yield stream.connect(("127.0.0.1", port))
            stream.write(b"GET /hangs HTTP/1.1\r\nHost: localhost\r\n\r\n")
            yield Hangs.here  # type: ignore[attr-defined]
            stream.close()
            while len(recorder.named("request")) < 2:
                yield gen.moment
            if own:
                yield Hangs.gone

        loop.run_sync(go)
    finally:
        Hangs.on_connection_close = kept  # type: ignore[method-assign]
    name, event = recorder.named("request")[-1]
    assert (name, event.disconnected, event.status) == ("request_ended", True, None)


def test_a_fetch_begins_and_ends_and_what_is_added_is_sent(loop: Any, port: int, recorder: Recorder) -> None:
    mine = {"X-Own": "1"}
    request = HTTPRequest(f"http://127.0.0.1:{port}/", headers=mine)
    response = loop.run_sync(lambda: AsyncHTTPClient().fetch(request))
    assert response.body == b"by a watcher" and mine == {"X-Own": "1"}
    (first, began), (last, ended) = recorder.named("fetch")
    assert (first, last) == ("fetch_began", "fetch_ended") and began is ended
    assert ended.request is request and ended.response is response and ended.error is None


@pytest.mark.parametrize("raises", [True, False])
def test_a_fetch_that_fails(loop: Any, port: int, recorder: Recorder, raises: bool) -> None:
    def go() -> Any:
        return AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/refuses", raise_error=raises)

    if raises:
        with pytest.raises(httpclient.HTTPError):
            loop.run_sync(go)
    else:
        assert loop.run_sync(go).code == 404
    event = recorder.named("fetch_ended")[0][1]
    assert event.response.code == 404 and event.error.code == 404


def test_a_fetch_by_callback_and_one_that_cannot_begin(loop: Any, port: int, recorder: Recorder) -> None:
    client = AsyncHTTPClient()
    got: list[Any] = []

    def deliver(response: Any) -> None:
        got.append(response)
        loop.stop()

    client.fetch(f"http://127.0.0.1:{port}/", deliver)
    loop.start()
    assert got[0].body == b"by a watcher" and len(recorder.named("fetch")) == 2
    with pytest.raises(ValueError, match="kwargs"):
        client.fetch(HTTPRequest("http://localhost/"), method="GET")
    assert len(recorder.named("fetch")) == 2


def test_a_websocket_opens_and_closes(loop: Any, port: int, recorder: Recorder) -> None:
    @gen.coroutine
    def go() -> Any:
        connection = yield websocket.websocket_connect(f"ws://127.0.0.1:{port}/ws")
        connection.write_message("hello")
        assert (yield connection.read_message()) == "hello"
        connection.close(4001, "enough")
        while not recorder.named("websocket_closed"):
            yield gen.moment

    loop.run_sync(go)
    assert recorder.named("request_ended")[0][1].status == 101
    (_, opened), (_, closed) = recorder.named("websocket")
    assert opened is closed and closed.name == "test_hooks.Echo"
    assert (closed.close_code, closed.close_reason) == (4001, "enough")


def test_an_error_of_a_watcher_is_logged_and_no_one_elses(
    loop: Any, port: int, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(hooks.Watcher):
        def request_began(self, event: hooks.RequestEvent) -> None:
            raise ValueError("a watcher's own")

    broken = Broken()
    hooks.add(broken)
    try:
        assert fetch(loop, port, "/").code == 200
    finally:
        hooks.remove(broken)
    assert "Error in request_began" in caplog.text and "a watcher's own" in caplog.text
    assert len(recorder.named("request")) == 2


# ---------------------------------------------------------------------------------------------------------
# What it costs


def functions() -> list[object]:
    return [getattr(place, name) for place, name, _, _ in telling._PLACES]


def test_while_nobody_listens_every_function_is_the_one_that_knows_nothing_of_it() -> None:
    code = (
        "from tornado4.web import RequestHandler, execution, failures\n"
        "from tornado4.httpclient import AsyncHTTPClient\n"
        "from tornado4.websocket import WebSocketHandler\n"
        "def hot():\n"
        "    return [execution._run_through, failures.handle, RequestHandler._log, AsyncHTTPClient.fetch,\n"
        "            WebSocketHandler._attach_stream, WebSocketHandler.on_connection_close]\n"
        "before = hot()\n"
        "from tornado4 import hooks\n"
        "assert all(a is b for a, b in zip(before, hot()))\n"
        "class Watcher(hooks.Watcher):\n"
        "    def fetch_ended(self, event): pass\n"
        "watcher = Watcher()\n"
        "hooks.add(watcher)\n"
        "assert [a is b for a, b in zip(before, hot())] == [True] * 3 + [False] + [True] * 2\n"
        "hooks.remove(watcher)\n"
        "assert all(a is b for a, b in zip(before, hot()))\n"
    )
    python("-c", code)


def test_a_watcher_leaves_what_it_does_not_watch_alone_and_goes_without_a_trace() -> None:
    before = functions()

    class Requests(hooks.Watcher):
        def request_ended(self, event: hooks.RequestEvent) -> None: ...

    watchers = [Requests(), Requests()]
    for watcher in watchers:
        hooks.add(watcher)
    assert execution._run_through is telling._run_through and failures.handle is telling._handle
    assert AsyncHTTPClient.fetch is telling._former_fetch
    hooks.remove(watchers[0])
    assert execution._run_through is telling._run_through
    hooks.remove(watchers[1])
    assert functions() == before
    with pytest.raises(ValueError):
        hooks.remove(watchers[1])


def test_importing_tornado4_web_imports_no_hooks() -> None:
    python(
        "-c",
        "import sys, tornado4.web, tornado4.websocket, tornado4.httpserver; assert 'tornado4.hooks' not in sys.modules",
    )
