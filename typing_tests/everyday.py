"""Handlers as people write them, from the first tutorial to this year's. Only type checkers read it.

It has to pass ``mypy --strict`` and pyright (strict) as it stands: no ignores, no casts.
"""

from __future__ import annotations

import datetime
from collections.abc import Generator
from typing import Any, assert_type

from tornado4 import (
    gen,
    httpclient,
    ioloop,
    iostream,
    locks,
    process,
    queues,
    tcpclient,
    tcpserver,
    testing,
    web,
    websocket,
)
from tornado4.concurrent import Future


class Database:
    def find(self, key: str) -> dict[str, str]:
        return {key: key}


class WithDatabase(web.RequestHandler):
    def initialize(self, db: Database) -> None:
        self.db = db

    def get(self, key: str) -> None:
        self.write(self.db.find(key))


class WithOptions(WithDatabase):
    def initialize(self, db: Database, prefix: str = "", *, strict: bool = False) -> None:
        super().initialize(db)
        self.prefix, self.strict = prefix, strict


class AsyncGet(web.RequestHandler):
    async def prepare(self) -> None:
        await gen.sleep(0)

    async def get(self, first: str, second: str | None = None) -> None:
        response = await httpclient.AsyncHTTPClient().fetch("http://127.0.0.1/")
        assert_type(response, httpclient.HTTPResponse)
        self.write(response.body)


class CoroutineGet(web.RequestHandler):
    @gen.coroutine
    def get(self) -> Generator[Any, Any, None]:
        response = yield httpclient.AsyncHTTPClient().fetch("http://127.0.0.1/")
        self.write(response.body)


class EngineGet(web.RequestHandler):
    @web.asynchronous
    @gen.engine
    def get(self) -> Generator[Any, Any, None]:
        yield gen.Task(self.flush)
        self.finish()


class Base(web.RequestHandler):
    def get_current_user(self) -> str | None:
        value = self.get_secure_cookie("user")
        return value.decode() if value else None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish({"status": status_code})

    def on_finish(self) -> None:
        pass

    def on_connection_close(self) -> None:
        pass

    def set_default_headers(self) -> None:
        self.set_header("X-App", "1")


class Form(Base):
    def post(self) -> None:
        self.set_secure_cookie("user", self.get_argument("user", ""))
        self.redirect("/")

    @web.authenticated
    def delete(self, key: str) -> None:
        self.set_status(204)


@web.stream_request_body
class Upload(web.RequestHandler):
    def prepare(self) -> None:
        self.size = 0

    def data_received(self, chunk: bytes) -> None:
        self.size += len(chunk)

    def put(self) -> None:
        self.write(str(self.size))


class Module(web.UIModule):
    def render(self, title: str, count: int = 0) -> str:
        return self.render_string("module.html", title=title, count=count).decode()


class Files(web.StaticFileHandler):
    def set_extra_headers(self, path: str) -> None:
        self.set_header("X-Path", path)


class Chat(websocket.WebSocketHandler):
    def initialize(self, room: str) -> None:
        self.room = room

    def open(self, channel: str, user: str | None = None) -> None:
        self.write_message("welcome to " + channel)

    def on_message(self, message: str) -> None:
        self.write_message(message)

    def on_close(self) -> None:
        pass


class Binary(websocket.WebSocketHandler):
    async def open(self) -> None:
        await gen.sleep(0)

    async def on_message(self, message: bytes) -> None:
        await gen.sleep(0)
        self.write_message(message, binary=True)


class Early(websocket.WebSocketHandler):
    async def get(self, *args: str, **kwargs: str) -> None:
        await gen.sleep(0)
        super().get(*args, **kwargs)


class Lines(tcpserver.TCPServer):
    async def handle_stream(self, stream: iostream.IOStream, address: tuple[str, int]) -> None:
        line = await stream.read_until(b"\n")
        assert_type(line, bytes)
        assert_type(await stream.read_bytes(3), bytes)
        await stream.write(line)


async def client() -> None:
    stream = await tcpclient.TCPClient().connect("127.0.0.1", 80)
    assert_type(stream, iostream.IOStream)
    connection = await websocket.websocket_connect("ws://127.0.0.1/")
    assert_type(connection, websocket.WebSocketClientConnection)
    message = await connection.read_message()
    assert_type(message, str | bytes | None)
    queue: queues.Queue[int] = queues.Queue()
    await queue.put(1)
    assert_type(await queue.get(), int)
    async with locks.Lock():
        pass
    code = await process.Subprocess(["true"]).wait_for_exit()
    assert_type(code, int)
    limited = await gen.with_timeout(datetime.timedelta(seconds=1), queue.get())
    assert_type(limited, int)


class Tests(testing.AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return web.Application([(r"/(\w+)", WithDatabase, {"db": Database()}), (r"/chat/(\w+)", Chat, {"room": "a"})])

    def test_fetch(self) -> None:
        response = self.fetch("/x")
        assert_type(response, httpclient.HTTPResponse)

    @testing.gen_test
    async def test_async(self) -> None:
        await gen.sleep(0)

    @testing.gen_test
    def test_generator(self) -> Generator[Any, Any, None]:
        yield gen.sleep(0)


def main() -> None:
    loop = ioloop.IOLoop.current()
    ioloop.PeriodicCallback(lambda: None, 1000).start()
    done: Future[int] = Future()
    loop.add_future(done, lambda future: None)
    loop.run_sync(client)
    loop.start()
