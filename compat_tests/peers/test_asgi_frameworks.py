"""FastAPI, Starlette and Django inside `ASGIContainer`, on asyncio and on uvloop; each test skips without its peer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tornado4 import httpclient, web, websocket
from tornado4.asgi import ASGIContainer
from tornado4.httpserver import HTTPServer
from tornado4.routing import AnyMatches, PathMatches, Rule, RuleRouter
from tornado4.testing import bind_unused_port


class Old(web.RequestHandler):
    def get(self) -> None:
        self.write("old")


class Site:
    """An application in a container under ``/new``, before an old one; asked over HTTP."""

    def __init__(self, application: Any) -> None:
        self.container = ASGIContainer(application)
        old = web.Application([("/.*", Old)])
        router = RuleRouter([Rule(PathMatches("/new.*"), self.container), Rule(AnyMatches(), old)])
        self.server = HTTPServer(router)
        sock, self.port = bind_unused_port()
        self.server.add_socket(sock)
        self.client = httpclient.AsyncHTTPClient(force_instance=True)

    async def ask(self, path: str, **options: Any) -> tuple[int, Any]:
        answer = await self.client.fetch(f"http://127.0.0.1:{self.port}{path}", raise_error=False, **options)
        kind = answer.headers.get("Content-Type", "")
        return answer.code, json.loads(answer.body) if kind == "application/json" else answer.body.decode()

    async def connect(self, path: str, **options: Any) -> Any:
        return await websocket.websocket_connect(f"ws://127.0.0.1:{self.port}{path}", **options)

    async def close(self) -> None:
        self.client.close()
        self.server.stop()
        await self.container.shutdown()
        await self.server.close_all_connections()


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Any, Callable[[Site], Awaitable[None]]], None]:
    """Serves an application while a coroutine asks it, on either loop."""
    factory = None if request.param == "asyncio" else pytest.importorskip("uvloop").new_event_loop

    def run(application: Any, talk: Callable[[Site], Awaitable[None]]) -> None:
        async def main() -> None:
            async with asyncio.timeout(60):
                site = Site(application)
                try:
                    await talk(site)
                finally:
                    await site.close()

        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main())

    return run


def test_fastapi(run: Any) -> None:
    """Models, dependencies, threads, middleware, background tasks, streams, WebSockets, lifespan with its state."""
    pytest.importorskip("fastapi")
    from compat_tests.peers.fastapi_app import app, seen

    seen.clear()

    async def talk(site: Site) -> None:
        assert await site.ask("/old") == (200, "old")
        expected = {"number": 3, "q": "ä", "database": "connected", "client": "127.0.0.1"}
        assert await site.ask("/new/items/3?q=%C3%A4") == (200, expected)
        assert (await site.ask("/new/items/x"))[0] == 422
        body, kind = json.dumps({"name": "tea"}), {"Content-Type": "application/json"}
        made = await site.ask("/new/items", method="POST", body=body, headers={**kind, "Authorization": "ann"})
        assert made == (201, {"name": "tea", "price": 1})
        assert (await site.ask("/new/items", method="POST", body=body, headers=kind))[0] == 401
        assert await site.ask("/new/thread") == (200, {"main": False})
        assert await site.ask("/new/stream") == (200, "0\n1\n2\n")
        assert await site.ask("/new/broken") == (500, "Internal Server Error")
        assert (await site.ask("/new/openapi.json"))[0] == 404 and (await site.ask("/openapi.json"))[1] == "old"
        connection = await site.connect("/new/socket")
        await connection.write_message("hello")
        assert json.loads(await connection.read_message()) == {"got": "hello"}
        connection.close()
        while "socket over" not in seen:
            await asyncio.sleep(0)

    run(app, talk)
    assert seen == ["startup", "ann made tea", "socket over", "shutdown"]


def test_starlette(run: Any, tmp_path: Any) -> None:
    """Its requests as streams, background tasks after the answer, files with ranges, WebSockets and their refusal."""
    pytest.importorskip("starlette")
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.responses import PlainTextResponse, StreamingResponse
    from starlette.routing import Mount, Route, WebSocketRoute
    from starlette.staticfiles import StaticFiles

    (tmp_path / "a.txt").write_text("0123456789")
    order: list[str] = []
    go = asyncio.Event()

    async def upload(request: Any) -> Any:
        size = 0
        async for piece in request.stream():
            size += len(piece)
        return PlainTextResponse(str(size))

    async def later(request: Any) -> Any:
        async def task() -> None:
            await go.wait()
            order.append("task")

        return PlainTextResponse("first", background=BackgroundTask(task))

    class Endless(StreamingResponse):
        async def __call__(self, *arguments: Any) -> None:
            try:
                await super().__call__(*arguments)
            finally:
                order.append("stopped")

    async def endless(request: Any) -> Any:
        async def pieces() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 65536

        return Endless(pieces())

    async def socket(connection: Any) -> None:
        if "no" in connection.query_params:
            await connection.close(4003)
            return
        await connection.accept(headers=[(b"x-own", b"1")])
        async for message in connection.iter_bytes():
            await connection.send_bytes(message[::-1])
        order.append(f"left {connection.client_state.name}")

    routes = [
        Route("/new/upload", upload, methods=["PUT"]),
        Route("/new/later", later),
        Route("/new/endless", endless),
        WebSocketRoute("/new/socket", socket),
        Mount("/new/files", StaticFiles(directory=tmp_path)),
    ]

    async def talk(site: Site) -> None:
        order.clear(), go.clear()
        assert await site.ask("/new/upload", method="PUT", body=b"x" * 300_000) == (200, "300000")
        assert await site.ask("/new/later") == (200, "first")
        order.append("answered")
        go.set()
        while "task" not in order:
            await asyncio.sleep(0)
        assert await site.ask("/new/files/a.txt", headers={"Range": "bytes=2-4"}) == (206, "234")
        assert (await site.ask("/new/files/none"))[0] == 404
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"GET /new/endless HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readexactly(1_000_000)
        writer.close()
        while "stopped" not in order:
            await asyncio.sleep(0.001)
        connection = await site.connect("/new/socket")
        assert connection.headers["X-Own"] == "1"
        await connection.write_message(b"\x00\x01", binary=True)
        assert await connection.read_message() == b"\x01\x00"
        connection.close()
        while "left DISCONNECTED" not in order:
            await asyncio.sleep(0)
        with pytest.raises(httpclient.HTTPError) as refused:
            await site.connect("/new/socket?no=1")
        assert refused.value.code == 403
        assert order == ["answered", "task", "stopped", "left DISCONNECTED"]

    run(Starlette(routes=routes), talk)


def test_django(run: Any) -> None:
    """Its views of both kinds, streams, forms and cookies, by ``get_asgi_application``."""
    pytest.importorskip("django")
    from django.conf import settings

    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="a secret", DEBUG=False, DEFAULT_CHARSET="utf-8",
            MIDDLEWARE=["django.middleware.common.CommonMiddleware"], LOGGING_CONFIG=None,
        )  # fmt: skip
    from django.core.asgi import get_asgi_application
    from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
    from django.urls import path

    def form(request: Any) -> Any:
        answer = JsonResponse({"name": request.POST["name"], "cookie": request.COOKIES.get("a", "")})
        answer.set_cookie("a", "b")
        return answer

    async def asynchronous(request: Any) -> Any:
        await asyncio.sleep(0)
        return HttpResponse(request.META["REMOTE_ADDR"] + " " + request.get_full_path())

    async def stream(request: Any) -> Any:
        async def pieces() -> AsyncIterator[bytes]:
            for piece in (b"a", b"b"):
                await asyncio.sleep(0)
                yield piece

        return StreamingHttpResponse(pieces())

    globals()["urlpatterns"] = [
        path("new/form", form), path("new/async", asynchronous), path("new/stream", stream)
    ]  # fmt: skip

    async def talk(site: Site) -> None:
        answer = await site.ask("/new/form", method="POST", body="name=%C3%A4", headers={"Cookie": "a=1"})
        assert answer == (200, {"name": "ä", "cookie": "1"})
        assert await site.ask("/new/async?x=%20y") == (200, "127.0.0.1 /new/async?x=%20y")
        assert await site.ask("/new/stream") == (200, "ab")
        assert (await site.ask("/new/none"))[0] == 404 and await site.ask("/else") == (200, "old")

    run(get_asgi_application(), talk)
